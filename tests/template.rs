//! Templates: what they mean, what is wrong with broken ones and where, and laws that hold for all of them.

use std::collections::BTreeMap;

use plantain::domain::batch::{Bill, Many, Mode, Plan, Walk, cost};
use plantain::domain::template::{BEYOND, Fault, Lists, Template, lines};
use plantain::domain::{Catalogue, Draft, Request};
use plantain::time::Chance;
use proptest::prelude::*;

fn lists(all: &[(&str, &str)]) -> Lists {
    let raw: BTreeMap<_, _> = all.iter().map(|(name, text)| ((*name).to_owned(), lines(text))).collect();
    Lists::link(&raw).expect("lists")
}

fn all(text: &str) -> Vec<String> {
    all_with(text, &Lists::default())
}

fn all_with(text: &str, lists: &Lists) -> Vec<String> {
    let template = Template::parse(text, lists).unwrap_or_else(|why| panic!("{text:?}: {why}"));
    let all: Vec<String> = template.all().take(10_000).collect();
    assert_eq!(template.count(), all.len() as u128, "{text:?}");
    all
}

#[test]
fn one_of_several_in_the_order_of_reading() {
    assert_eq!(all("a {red|blue} {fox|hen}"), ["a red fox", "a red hen", "a blue fox", "a blue hen"]);
    assert_eq!(all("{a|{b|c} d}"), ["a", "b d", "c d"]);
    assert_eq!(all("a fox{, in snow|}"), ["a fox, in snow", "a fox"]);
    assert_eq!(all("{0.7::a|2::b| 1::c|x::d}"), ["a", "b", "c", "x::d"], "weights are for chance");
}

#[test]
fn several_of_several() {
    assert_eq!(all("{2$$ and $$a|b|c}"), ["a and b", "a and c", "b and c"]);
    assert_eq!(all("{2$$a|b|c}"), ["a, b", "a, c", "b, c"]);
    assert_eq!(all("{1-2$$+$$a|b}"), ["a", "b", "a+b"]);
    assert_eq!(all("{0-1$$a|b}"), ["", "a", "b"]);
    assert_eq!(all("{2$$ $${a|b}|c|d}"), ["a c", "a d", "b c", "b d", "c d"]);
    assert_eq!(all("{2$$$$a|b}"), ["ab"]);
}

#[test]
fn lists_are_choices_of_their_lines() {
    let colours = "# colours\n\nred\n0.5::dark {green|blue}\n";
    let lists = lists(&[("colours", colours), ("things/small", "a __colours__ cup\na pin")]);
    assert_eq!(all_with("__colours__ fox", &lists), ["red fox", "dark green fox", "dark blue fox"]);
    assert_eq!(all_with("{2$$ and $$__colours__}", &lists), ["red and dark green", "red and dark blue"]);
    assert_eq!(all_with("__things/small__", &lists).len(), 4);
    assert_eq!(all("a __ b __ c, ___, __a b__"), ["a __ b __ c, ___, __a b__"], "what is no name is text");
}

#[test]
fn comments_and_escapes() {
    assert_eq!(all("a fox\n  # not this: {\nin snow"), ["a fox\nin snow"]);
    assert_eq!(all("a fox # and not this\nin snow"), ["a fox\nin snow"]);
    assert_eq!(all("the colour #ff0000, C#"), ["the colour #ff0000, C#"]);
    assert_eq!(all(r"\{a\|b\} \# \\ \_\_x\_\_ \n {16\::9|1}"), [r"{a|b} # \ __x__ \n 16::9", r"{a|b} # \ __x__ \n 1"]);
    assert_eq!(all("a | b :: c $$"), ["a | b :: c $$"], "outside of braces these are text");
}

/// G2: the error names the spot, and nothing is half expanded.
#[test]
fn what_is_wrong_is_said_with_its_place() {
    let wrong = |text: &str| {
        let why = Template::parse(text, &Lists::default()).expect_err(text);
        (why.at.byte, why.at.char, why.fault)
    };
    assert_eq!(wrong("狐 {a|b"), (4, 2, Fault::Unclosed));
    assert_eq!(wrong("a} b"), (1, 1, Fault::Unopened));
    assert_eq!(wrong("{a|b}}"), (5, 5, Fault::Unopened));
    assert_eq!(wrong("x {}"), (2, 2, Fault::Nothing));
    assert_eq!(wrong("x {a|{3$$b|c}}"), (5, 5, Fault::TooFew { wanted: 3, there: 2 }));
    assert_eq!(wrong("{3-2$$a|b|c}"), (1, 1, Fault::Range(3, 2)));
    assert_eq!(wrong("{0$$a}"), (1, 1, Fault::Range(0, 0)));
    assert_eq!(wrong("{0::a|0::b}"), (0, 0, Fault::Weightless));
    assert_eq!(wrong("狐 __x__"), (4, 2, Fault::NoList("x".into())));
    assert_eq!(wrong(&"{".repeat(100)).2, Fault::TooDeep);
    assert_eq!(wrong(&"x".repeat((1 << 20) + 1)).2, Fault::TooLong);
    let wide = format!("{{2000$$ $$a{}}}", "|a".repeat(2000));
    assert_eq!(wrong(&wide).2, Fault::TooWide);
}

#[test]
fn what_is_wrong_with_a_list_is_said_with_its_line() {
    let wrong = |all: &[(&str, &str)]| {
        let raw = all.iter().map(|(name, text)| ((*name).to_owned(), lines(text))).collect();
        Lists::link(&raw).expect_err("no lists").to_string()
    };
    assert_eq!(
        wrong(&[("a", "x\n\n狐 {y")]),
        r#"list "a", line 3, character 3: this { is never closed; \{ is a brace as it is"#
    );
    assert_eq!(wrong(&[("a", "__b__"), ("b", "x __a__")]), r#"list "a": the list "a" leads back to itself"#);
    assert_eq!(wrong(&[("a", "__a__")]), r#"list "a": the list "a" leads back to itself"#);
    assert_eq!(wrong(&[("a", "# nothing\n")]), r#"list "a": the list "a" is empty"#);
    assert_eq!(wrong(&[("a", "__b__")]), r#"list "a", line 1, character 1: there is no list "b""#);
}

/// G2: a million, and more than there are numbers for.
#[test]
fn counting_is_no_expanding() {
    let count = |text: &str| Template::parse(text, &Lists::default()).map(|template| template.count());
    assert_eq!(count(&"{a|b}".repeat(20)), Ok(1 << 20));
    assert_eq!(count(&"{0|1|2|3|4|5|6|7|8|9}".repeat(12)), Ok(1_000_000_000_000));
    assert_eq!(count(&"{a|b}".repeat(200)), Ok(BEYOND));
    let last = Template::parse(&"{0|1|2|3|4|5|6|7|8|9}".repeat(12), &Lists::default()).expect("a template");
    assert_eq!(last.at(987_654_321_012).as_deref(), Some("987654321012"));
    assert_eq!(last.at(1_000_000_000_000), None);
    // Lists that name each other in a tree: the count grows, the work does not.
    let names: Vec<String> = (0..30).map(|n| format!("l{n}")).collect();
    let texts: Vec<String> =
        (0..30).map(|n| if n == 29 { "x\ny".into() } else { format!("__l{0}__\n__l{0}__", n + 1) }).collect();
    let all: Vec<(&str, &str)> = names.iter().zip(&texts).map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let deep = Template::parse("__l0__", &lists(&all)).expect("a template");
    assert_eq!(deep.count(), 1 << 30);
}

/// An expansion cannot become longer than a template may be.
#[test]
fn lists_do_not_explode_in_length() {
    let text = "x".repeat(1000);
    let names: Vec<String> = (0..12).map(|n| format!("l{n}")).collect();
    let texts: Vec<String> =
        (0..12).map(|n| if n == 11 { text.clone() } else { format!("__l{0}____l{0}____l{0}__", n + 1) }).collect();
    let raw = names.iter().zip(&texts).map(|(name, text)| (name.clone(), lines(text))).collect();
    assert_eq!(Lists::link(&raw).expect_err("too long").fault, Fault::TooLong);
}

#[test]
fn weights_decide_what_chance_makes() {
    let template = Template::parse("{0.9::a|0.1::b|0::c}", &Lists::default()).expect("a template");
    let mut chance = Chance::new(7 << 64);
    let drawn: Vec<String> = (0..1000).map(|_| template.draw(&mut chance)).collect();
    let count = |word: &str| drawn.iter().filter(|text| *text == word).count();
    assert!((850..950).contains(&count("a")) && count("b") > 50, "{} {}", count("a"), count("b"));
    assert_eq!(count("c"), 0);
}

/// Templates with everything in them, by their text.
fn templates() -> impl Strategy<Value = String> {
    let text =
        "[a-c ,.#$:_|]{0,6}".prop_map(|text| text.replace('|', r"\|").replace('#', r"\#").replace("__", r"\_\_"));
    let leaf = prop_oneof![4 => text, 1 => Just("__list__".to_owned())];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat());
        let choice = (prop::collection::vec(inner, 1..4), 0usize..4, 0usize..3).prop_map(|(options, from, more)| {
            let options: Vec<String> = options.iter().map(|option| format!("x{option}")).collect();
            let body = options.join("|");
            let most = (from + more).min(options.len());
            if most == 0 || from == 0 && more == 0 {
                format!("{{{body}}}")
            } else {
                format!("{{{}-{most}$$+$${body}}}", from.min(most))
            }
        });
        prop_oneof![many, choice]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What is counted is what there is, each by its number, and chance makes nothing else.
    #[test]
    fn counted_is_expanded(text in templates(), seed in any::<u64>()) {
        let lists = lists(&[("list", "p\nq{1|2}")]);
        let template = Template::parse(&text, &lists).map_err(|why| TestCaseError::fail(format!("{text:?}: {why}")))?;
        prop_assume!(template.count() <= 3_000);
        let all: Vec<String> = template.all().collect();
        prop_assert_eq!(all.len() as u128, template.count());
        for (index, one) in (0u128..).zip(&all) {
            let made = template.at(index);
            prop_assert_eq!(made.as_ref(), Some(one));
        }
        let drawn = |chance: &mut Chance| (0..5).map(|_| template.draw(chance)).collect::<Vec<_>>();
        let first = drawn(&mut Chance::new(u128::from(seed) << 64));
        prop_assert_eq!(&first, &drawn(&mut Chance::new(u128::from(seed) << 64)));
        for one in first {
            prop_assert!(all.contains(&one), "{:?} is none of {:?}", one, text);
        }
    }

    /// Any text is a template or an error at a place that is in it; one without syntax is itself.
    #[test]
    fn any_text_has_an_answer(text in r"[a{}|$:#_\\0-9 .\n狐-]{0,40}") {
        match Template::parse(&text, &Lists::default()) {
            Ok(template) => prop_assert!(template.count() > 0 && template.at(0).is_some()),
            Err(why) => prop_assert!(text.is_char_boundary(why.at.byte) && why.at.byte <= text.len()),
        }
        let plain: String = text.chars().filter(|c| !r"{}#_\".contains(*c)).collect();
        let same = Template::parse(&plain, &Lists::default()).map(|template| template.all().collect::<Vec<_>>());
        prop_assert_eq!(same, Ok(vec![plain]));
    }

    /// A plan: what is counted is what comes, what it may cost is the sum of what each may cost, the same seed makes the
    /// same tasks, and a walk that rests comes to the same as one that does not.
    #[test]
    fn a_plan_comes_to_what_it_says(
        text in templates(),
        mode in prop_oneof![Just(Mode::Off), Just(Mode::All), Just(Mode::Random)],
        (each, seed, repeat) in (1u32..6, any::<u64>(), 1u32..4),
        model in any::<prop::sample::Index>(),
        wide in prop::collection::vec(0usize..4, 6),
    ) {
        let catalogue = Catalogue::built_in();
        let current: Vec<_> = catalogue.models().iter().filter(|model| model.is_current()).collect();
        let spec = current[model.index(current.len())];
        let mut many = Many { mode, each, seed, repeat, ..Many::default() };
        let with_choices = spec.fields.iter().filter_map(|field| Some((field, field.choices.as_ref()?)));
        for ((field, choices), take) in with_choices.zip(wide) {
            many.set_values(&field.name, choices.iter().take(take).cloned().collect());
        }
        let draft = Draft { model: spec.name.clone(), prompt: text.clone(), many, ..Draft::default() };
        let lists = lists(&[("list", "p\nq{1|2}")]);
        let plan = Plan::one(draft.clone(), &lists).map_err(|why| TestCaseError::fail(format!("{text:?}: {why}")))?;
        prop_assume!(plan.count() <= 2_000);
        let items: Vec<_> = plan.items().collect();
        prop_assert_eq!(items.len() as u128, plan.count());
        let mut sum = Bill::default();
        for item in &items {
            let fields = item.draft.fields.clone();
            let request = Request::new(&item.draft.model, None, fields, String::new(), String::new(), None);
            sum.add(1, cost(&request, &catalogue).as_ref());
        }
        let bill = plan.bill(&catalogue);
        prop_assert_eq!(bill.usd, sum.usd);
        prop_assert_eq!((bill.tasks, bill.unknown, bill.at_most), (sum.tasks, sum.unknown, sum.at_most));
        prop_assert_eq!(bill.seen, sum.seen);
        let again = Plan::one(draft, &lists).map_err(|why| TestCaseError::fail(why.to_string()))?;
        let mut walk = Walk::default();
        for item in &items {
            let mut rested = walk.clone();
            let next = again.next(&mut rested);
            prop_assert_eq!(next.as_ref(), Some(item));
            walk = rested;
        }
        prop_assert_eq!(again.next(&mut walk), None);
        prop_assert_eq!(again.next(&mut walk), None, "the end stays the end");
    }
}

//! What watching costs and how soon ends are known, in virtual time and therefore exact; beside it a model of the
//! usual way, one look per task every three seconds.

pub mod run;
pub mod service;
mod usual;

use plantain::fleet::durations::Class;

use run::{Case, Figures, PICTURES, Run};

const SEED: u128 = 11;

const BATCH: Case = Case { name: "500 pictures at once, 60 a minute", create: 500, ..PICTURES };
const MANY: Case = Case {
    name: "2,000 created already, 600 a minute",
    believed: 600,
    allowed: 600,
    running: 2000,
    class: Class::Video,
    median_s: 180.0,
    ..PICTURES
};
const FEW: Case = Case { name: "20 in flight", running: 20, ..PICTURES };
const CALLED: Case = Case { name: "500 at once with callbacks, 2 % lost", lost: Some(0.02), ..BATCH };
/// As [`MANY`], and nothing tells in which order they were created.
const TIED: Case = Case { name: "2,000 created in the same moment", apart_ms: 0, ..MANY };
/// The account allows half of what we believe, and says so with its first answer.
const HALF: Case = Case { name: "100 at once, 60 a minute believed, 30 allowed", create: 100, allowed: 30, ..PICTURES };
/// No bounds were set for these; they are shown.
const STEADY: Case = Case { name: "one each 2 s for an hour, 60 a minute", create: 1800, every_ms: 2000, ..PICTURES };
const BRISK: Case = Case {
    name: "one each second for an hour, 120 a minute",
    create: 3600,
    every_ms: 1000,
    believed: 120,
    allowed: 120,
    ..PICTURES
};
const LONG: Case =
    Case { name: "500 of 180 s with callbacks, 2 % lost, 600 a minute", running: 500, lost: Some(0.02), ..MANY };

fn row(name: &str, figures: &mut Figures) {
    let (looks, requests) = (figures.looks_per_task(), figures.requests_per_task());
    let (median, late, last) = (figures.quantile(0.5), figures.quantile(0.95), figures.quantile(1.0));
    println!(
        "| {name} | {} of {} | {:.0} | {requests:.2} | {looks:.2} | {} | {median:.2} | {late:.2} | {last:.1} | {} |",
        figures.delays.len(),
        figures.tasks,
        figures.last_home_s,
        figures.most_looks_in_a_minute.map_or_else(|| "-".to_owned(), |most| most.to_string()),
        figures.refused,
    );
}

/// Plays a case, prints it if wanted beside the usual way, and holds it against what all of them must show.
fn play(case: &Case, print: bool) -> Figures {
    let mut figures = Run::new(case, SEED).run();
    if print {
        row(case.name, &mut figures);
        if case.lost.is_none() && case.allowed == case.believed {
            row("  the usual way", &mut usual::usual(case));
        }
    }
    assert_eq!(figures.delays.len(), figures.tasks, "{}: every end is known", case.name);
    assert_eq!(figures.refused, 0, "{}: no 429", case.name);
    figures
}

/// Runs the cases, prints them if wanted, and holds the figures against what is promised.
pub fn measure(print: bool) {
    if print {
        println!(
            "| case | ends known | last home s | requests per task | looks per task | most looks in a minute \
             | delay median s | 95 % s | longest s | 429 |"
        );
        println!("|{}", " --- |".repeat(10));
    }
    let batch = play(&BATCH, print);
    // 500 creations in windows of 60 are eight full minutes and a rest: the last leaves after 480 s.
    assert!(batch.last_home_s <= 1.2 * 480.0, "the last picture is home after {} s", batch.last_home_s);
    assert!(batch.requests_per_task() <= 1.15, "{} requests a task", batch.requests_per_task());
    for case in [&MANY, &TIED] {
        let mut many = play(case, print);
        let (median, late) = (many.quantile(0.5), many.quantile(0.95));
        assert!(median <= 2.0 && late <= 5.0, "{}: {median} s, {late} s", case.name);
        assert!(many.looks_per_task() <= 2.0, "{}: {} looks a task", case.name, many.looks_per_task());
    }
    let mut few = play(&FEW, print);
    assert!(few.quantile(0.5) <= 1.5, "{} s", few.quantile(0.5));
    assert!(few.most_looks_in_a_minute <= Some(20), "{:?} looks in a minute", few.most_looks_in_a_minute);
    let mut called = play(&CALLED, print);
    assert!(called.looks_per_task() <= 0.1, "{} looks a task", called.looks_per_task());
    assert!(called.quantile(1.0) <= 60.0, "an end was known after {} s", called.quantile(1.0));
    play(&HALF, print);
    if print {
        for case in [&STEADY, &BRISK, &LONG] {
            play(case, print);
        }
    }
}

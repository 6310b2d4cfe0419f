use serde_json::json;

use super::*;
use crate::domain::LocalId;

fn draft(model: &str, prompt: &str, fields: Value) -> Draft {
    Draft {
        model: model.into(),
        prompt: prompt.into(),
        fields: fields.as_object().cloned().unwrap_or_default(),
        origin: None,
        ..Draft::default()
    }
}

fn fate<'a>(carried: &'a Carried, field: &str) -> &'a Fate {
    &carried.entries.iter().find(|entry| entry.field == field).expect("an entry").fate
}

/// A draft with every field of the model set that can be: the `n`-th choice, the middle of a range, links for files.
fn full(spec: &ModelSpec, n: usize) -> Draft {
    let mut draft = draft(&spec.name, "a fox in snow", json!({}));
    for field in spec.fields.iter().filter(|field| field.role != Some(Role::Prompt)) {
        let link = |i: usize| format!("https://files.example/{i}.bin");
        let value = match (&field.choices, field.kind) {
            (Some(choices), _) => choices[n % choices.len()].clone(),
            (None, FieldKind::Switch) => n.is_multiple_of(2).into(),
            (None, FieldKind::Integer) => json!(field.min.map_or(7, |min| min as i64) + n as i64),
            (None, FieldKind::Number) => json!(field.min.unwrap_or(0.5)),
            (None, FieldKind::Texts) if field.media.is_some() => json!((0..=n % 3).map(link).collect::<Vec<_>>()),
            (None, FieldKind::Texts) => json!(["some"]),
            (None, FieldKind::Text) if field.media.is_some() => json!(link(0)),
            (None, FieldKind::Text) if field.role == Some(Role::Shape) => json!("16:9"),
            (None, FieldKind::Text) => json!("some text"),
        };
        draft.fields.insert(field.name.clone(), value);
    }
    draft
}

/// From every model to every one: what comes out can be sent, or is said to lack something that the old request did
/// not have or that only a person can shorten; every field that was set is accounted for.
#[test]
fn between_all_models_it_is_valid_or_says_what_is_missing() {
    let catalogue = Catalogue::built_in();
    let mut whole = 0;
    for from in catalogue.models() {
        for to in catalogue.models().iter().filter(|to| to.is_current()) {
            for n in 0..4 {
                let old = full(from, n);
                let carried = promote(&old, to, None, &catalogue);
                let about = format!("{} to {}, {n}: {carried:#?}", from.name, to.name);
                assert_eq!(carried.entries.len(), old.fields.len() + 1, "{about}");
                match validate(&carried.draft, &catalogue, None) {
                    Ok(_) => {
                        whole += 1;
                        assert!(carried.is_whole(), "{about}");
                    }
                    Err(faults) => {
                        assert_eq!(faults, carried.faults, "{about}");
                        assert!(faults.iter().all(|fault| fault.fault == Fault::Missing), "{about}");
                    }
                }
                // What is told is what is there.
                for entry in &carried.entries[1..] {
                    let there = carried.draft.fields.get(entry.renamed.as_ref().unwrap_or(&entry.field)).map(plain);
                    match &entry.fate {
                        Fate::Kept => assert_eq!(there.as_ref(), Some(&entry.from), "{about}"),
                        Fate::Changed { to } | Fate::Added { to } => assert_eq!(there.as_ref(), Some(to), "{about}"),
                        Fate::Dropped { why } => assert!(!why.is_empty(), "{about}"),
                    }
                }
            }
        }
    }
    assert!(whole > 37 * 30, "only {whole} could be sent");
}

/// To its own model nothing changes, unless its own rules forbid it.
#[test]
fn to_itself_everything_is_kept() {
    let catalogue = Catalogue::built_in();
    for spec in catalogue.models().iter().filter(|spec| spec.is_current()) {
        for n in 0..4 {
            let old = full(spec, n);
            if validate(&old, &catalogue, None).is_ok() {
                let carried = promote(&old, spec, None, &catalogue);
                assert_eq!(carried.draft.fields, old.fields, "{}", spec.name);
                let told = &carried.entries[usize::from(spec.prompt().is_none())..];
                assert!(told.iter().all(|entry| entry.fate == Fate::Kept), "{}: {carried:#?}", spec.name);
            }
        }
    }
}

#[test]
fn a_shape_that_is_not_there_becomes_the_nearest() {
    let catalogue = Catalogue::built_in();
    let old = draft("Nano-Banana", "a fox", json!({"aspect_ratio": "21:9", "output_format": "jpeg"}));
    let to = catalogue.get("happyhorse-1-0").expect("a model");
    let carried = promote(&old, to, None, &catalogue);
    assert_eq!(fate(&carried, "aspect_ratio"), &Fate::Changed { to: "16:9".into() });
    assert_eq!(fate(&carried, "output_format"), &Fate::Dropped { why: "this model has no such field".into() });
    assert_eq!(fate(&carried, "prompt"), &Fate::Kept);
    assert!(carried.is_whole());
    // A model whose sizes are pixels says the shape with them.
    let to = catalogue.get("qwen-image-2.0").expect("a model");
    let carried = promote(&old, to, None, &catalogue);
    assert_eq!(carried.draft.fields.get("size"), Some(&json!("2688*1536")));
    assert_eq!(carried.entries[1].renamed.as_deref(), Some("size"));
}

/// The shape is kept; what the new model does not allow with it goes.
#[test]
fn what_breaks_a_rule_across_fields_is_left_out_and_told() {
    let catalogue = Catalogue::built_in();
    let old = draft("Nano-Banana-Pro", "a fox", json!({"aspect_ratio": "1:1", "resolution": "4K"}));
    let to = catalogue.get("gpt-image-2/text-to-image").expect("a model");
    let carried = promote(&old, to, None, &catalogue);
    assert!(carried.is_whole(), "{carried:?}");
    assert_eq!(carried.draft.fields.get("aspect_ratio"), Some(&json!("1:1")));
    let Fate::Dropped { why } = fate(&carried, "resolution") else { panic!("{carried:?}") };
    assert!(why.contains("unavailable at 4K"), "{why}");
}

#[test]
fn a_prompt_that_is_too_long_is_told_and_not_cut() {
    let catalogue = Catalogue::built_in();
    let old = draft("gpt-image-2/text-to-image", &"x".repeat(6000), json!({}));
    let carried = promote(&old, catalogue.get("Nano-Banana").expect("a model"), None, &catalogue);
    assert_eq!(carried.draft.prompt.len(), 6000);
    assert_eq!(carried.faults.len(), 1);
    assert_eq!(carried.faults[0].fault, Fault::TooLong(6000, 5000));
}

#[test]
fn a_prompt_goes_by_its_meaning_and_not_by_its_name() {
    let catalogue = Catalogue::built_in();
    let kin = Kin { parent: LocalId::from_random(9), how: crate::domain::How::Promote };
    let old = draft("Nano-Banana", "hello", json!({}));
    let carried = promote(&old, catalogue.get("qwen-audio-3.0-tts-plus").expect("a model"), Some(kin), &catalogue);
    assert_eq!((carried.entries[0].renamed.as_deref(), carried.draft.prompt.as_str()), (Some("text"), "hello"));
    assert_eq!(carried.draft.origin, Some(kin));
    let carried = promote(&old, catalogue.get("851-labs/background-remover").expect("a model"), None, &catalogue);
    assert_eq!(carried.entries[0].fate, Fate::Dropped { why: "this model takes none".into() });
    assert!(!carried.is_whole(), "a picture is missing");
}

#[test]
fn an_output_becomes_an_input() {
    let catalogue = Catalogue::built_in();
    let link = "https://files.example/a.png";
    let old = draft("Nano-Banana", "a fox", json!({"aspect_ratio": "16:9"}));
    let takers: Vec<_> = catalogue.models().iter().filter(|spec| spec.is_current()).collect();
    let mut took = 0;
    for to in takers {
        match reference(&old, (link, "image"), to, None, &catalogue) {
            None => assert!(to.fields.iter().all(|field| field.media.as_deref() != Some("image")), "{}", to.name),
            Some(carried) => {
                took += 1;
                let text = serde_json::to_string(&carried.draft.fields).expect("JSON");
                assert!(text.contains(link), "{}: {text}", to.name);
                let whole = carried.faults.iter().all(|fault| fault.fault == Fault::Missing);
                assert!(whole, "{}: {:?}", to.name, carried.faults);
            }
        }
    }
    assert!(took > 10, "{took}");
    let remover = catalogue.get("851-labs/background-remover").expect("a model");
    let carried = reference(&old, (link, "image"), remover, None, &catalogue).expect("it takes pictures");
    assert!(carried.is_whole(), "{carried:?}");
    assert!(reference(&old, (link, "audio"), remover, None, &catalogue).is_none());
    // References of the old request give way.
    let old = draft("Nano-Banana-2", "a fox", json!({"image_input": ["https://files.example/old.png"]}));
    let to = catalogue.get("Nano-Banana-Pro").expect("a model");
    let carried = reference(&old, (link, "image"), to, None, &catalogue).expect("it takes pictures");
    assert_eq!(carried.draft.fields.get("image_input"), Some(&json!([link])));
    assert!(matches!(fate(&carried, "image_input"), Fate::Dropped { .. }), "{carried:?}");
}

#[test]
fn a_link_must_live_until_the_service_has_fetched_it() {
    let now = Wall(1_000_000_000);
    let output = |expires: Option<i64>, role: &str| Output {
        url: "https://files.example/a".into(),
        role: role.into(),
        expires: expires.map(|secs| Wall(now.0 + secs * 1000)),
        state: crate::domain::OutputState::Away,
    };
    for (expires, role, wanted) in [
        (None, "image", Ok("image")),
        (Some(600), "first_frame", Ok("image")),
        (Some(4000), "video", Ok("video")),
        (Some(599), "image", Err("less than 10 minutes")),
        (Some(59), "image", Err("less than 1 minutes")),
        (Some(0), "image", Err("has expired")),
    ] {
        let found = output(expires, role);
        let found = live_link(&found, now).map(|(_, media)| media);
        match wanted {
            Ok(media) => assert_eq!(found, Ok(media)),
            Err(words) => assert!(found.as_ref().is_err_and(|why| why.contains(words)), "{expires:?}: {found:?}"),
        }
    }
    let bare = Output { url: String::new(), ..output(None, "image") };
    assert!(live_link(&bare, now).is_err());
}

//! Rules that a request has to keep before it is sent.

use super::*;

fn draft(model: &str, prompt: &str, fields: Value) -> Draft {
    let fields = fields.as_object().cloned().unwrap_or_default();
    Draft { model: model.into(), prompt: prompt.into(), fields, ..Draft::default() }
}

fn faults(draft: &Draft) -> Vec<String> {
    match validate(draft, &Catalogue::built_in(), None) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn only_what_was_set_is_sent() {
    let request = validate(&draft("Nano-Banana", "a fox", serde_json::json!({})), &Catalogue::built_in(), None);
    assert_eq!(request.map(|r| r.body), Ok(r#"{"model":"Nano-Banana","input":{"prompt":"a fox"}}"#.into()));
}

#[test]
fn what_the_service_requires_is_sent_with_its_default() {
    let draft = draft("seedream-5.0-pro/text-to-image", "a fox", serde_json::json!({}));
    let request = validate(&draft, &Catalogue::built_in(), None).expect("valid");
    assert_eq!(request.input.get("aspect_ratio"), Some(&"1:1".into()));
    assert_eq!(request.input.get("quality"), Some(&"basic".into()));
    assert_eq!(request.input.get("output_format"), None);
}

#[test]
fn the_prompt_is_counted_in_scalar_values() {
    let just = "\u{1F98A}".repeat(5000);
    assert_eq!(faults(&draft("Nano-Banana", &just, Value::Null)), Vec::<String>::new());
    let over = format!("{just}x");
    assert_eq!(
        faults(&draft("Nano-Banana", &over, Value::Null)),
        ["prompt has 5001 characters, at most 5000 are allowed"]
    );
    assert_eq!(faults(&draft("Nano-Banana", " \n", Value::Null)), ["prompt is required"]);
}

#[test]
fn mistakes_are_named_with_the_way_out() {
    let wrong = draft("Nano-Banana", "x", serde_json::json!({"aspect_ration": "1:1"}));
    assert_eq!(faults(&wrong), ["this model has no field \"aspect_ration\"; did you mean aspect_ratio?"]);
    let value = draft("Nano-Banana", "x", serde_json::json!({"output_format": "PNG"}));
    assert_eq!(faults(&value), ["output_format cannot be \"PNG\"; it is one of png, jpeg"]);
    assert!(faults(&draft("nano-bananna", "x", Value::Null))[0].contains("did you mean Nano-Banana"));
    assert_eq!(
        faults(&draft("gpt-image-2-pro", "x", Value::Null)),
        ["the service has retired the model gpt-image-2-pro"]
    );
}

#[test]
fn rules_across_fields_hold() {
    let fields = serde_json::json!({"aspect_ratio": "1:1", "resolution": "4K"});
    let found = faults(&draft("gpt-image-2/text-to-image", "a fox", fields));
    assert_eq!(found, ["these shapes are unavailable at 4K"]);
    let fields = serde_json::json!({"aspect_ratio": "16:9", "last_frame_url": "https://x.example/a.png"});
    assert_eq!(faults(&draft("seedance-2.0", "a fox", fields)), ["a last frame needs a first frame"]);
}

#[test]
fn a_route_goes_to_the_top_level() {
    let catalogue = Catalogue::built_in();
    let fields = serde_json::json!({"resolution": "4K", "quality": "low"});
    let request = validate(&draft("gpt-image-2/text-to-image@ext", "a fox", fields), &catalogue, None).expect("valid");
    assert_eq!((request.model.as_str(), request.route.as_deref()), ("gpt-image-2/text-to-image", Some("ext")));
    let whole = validate(&draft("gpt-image-2.5-flare@pro", "a fox", Value::Null), &catalogue, None).expect("valid");
    assert_eq!((whole.model.as_str(), whole.route), ("gpt-image-2.5-flare@pro", None));
}

#[test]
fn what_is_broken_shows_before_anything_is_complete() {
    let catalogue = Catalogue::built_in();
    let first = |model: &str, fields: Value| {
        let spec = catalogue.get(model).expect("a model");
        broken(spec, fields.as_object().expect("an object")).map(|fault| fault.to_string())
    };
    assert_eq!(first("seedance-2.0", serde_json::json!({})), None, "what is missing is not wrong yet");
    let late = serde_json::json!({"last_frame_url": "https://x.example/a.png"});
    assert_eq!(first("seedance-2.0", late).as_deref(), Some("a last frame needs a first frame"));
    let shape = serde_json::json!({"aspect_ratio": "1:1", "resolution": "4K"});
    assert_eq!(first("gpt-image-2/text-to-image", shape).as_deref(), Some("these shapes are unavailable at 4K"));
    assert!(first("flux-1.1-pro", serde_json::json!({"width": 5})).is_some_and(|w| w.contains("from 256 to 1440")));
}

#[test]
fn a_callback_must_be_https() {
    let plain = draft("Nano-Banana", "x", Value::Null);
    let catalogue = Catalogue::built_in();
    for (url, good) in [
        ("https://x.example/hook", true),
        ("http://127.0.0.1:8787/hook", true),
        ("http://x.example/hook", false),
        ("x", false),
    ] {
        assert_eq!(validate(&plain, &catalogue, Some(url)).is_ok(), good, "{url}");
    }
}

#[test]
fn local_files_are_no_references() {
    let fields = serde_json::json!({"image_input": ["/home/me/cat.png"]});
    assert!(faults(&draft("Nano-Banana-2", "x", fields))[0].contains("cannot see local files"));
}

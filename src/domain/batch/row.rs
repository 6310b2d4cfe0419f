//! What names a row of a batch: a digest of what the row says, so that the same content is the same row, wherever it
//! stands and whoever sends it.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::domain::catalogue::Catalogue;
use crate::domain::request::Request;

/// The rows of a batch that were named so far: the same content again is another row.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    times: HashMap<[u8; 32], u32>,
}

impl Rows {
    /// Names a row. Where chance made the prompt, its template counts: another seed makes it no other row.
    pub fn name(&mut self, request: &Request, chance: bool, catalogue: &Catalogue) -> String {
        let content = content(request, chance, catalogue);
        let time = self.times.entry(content).or_default();
        *time += 1;
        let mut hash = Sha256::new();
        hash.update(content);
        hash.update(time.to_be_bytes());
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn content(request: &Request, chance: bool, catalogue: &Catalogue) -> [u8; 32] {
    let model = request.full_model();
    let prompt = catalogue.get(&model).and_then(|spec| spec.prompt()).map(|field| field.name.as_str());
    let mut input: Vec<(&String, &Value)> = request.input.iter().collect();
    input.retain(|(name, _)| Some(name.as_str()) != prompt);
    input.sort_by(|a, b| a.0.cmp(b.0));
    let words = if chance { &request.template } else { &request.prompt };
    Sha256::digest(json!([model, chance, words, input]).to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(template: &str, prompt: &str, input: Value) -> Request {
        let input = input.as_object().cloned().unwrap_or_default();
        Request::new("m", None, input, template.into(), prompt.into(), None)
    }

    #[test]
    fn the_same_content_is_the_same_row_and_twice_it_is_two() {
        let catalogue = Catalogue::built_in();
        let name = |rows: &mut Rows, one: &Request, chance| rows.name(one, chance, &catalogue);
        let one = request("a {b|c}", "a b", json!({"x": 1, "y": 2}));
        let turned = request("a {b|c}", "a b", json!({"y": 2, "x": 1}));
        let other = request("a {b|c}", "a c", json!({"x": 1, "y": 2}));
        let (mut here, mut there) = (Rows::default(), Rows::default());
        let first = name(&mut here, &one, false);
        assert_eq!((first.len(), &first), (32, &name(&mut there, &turned, false)), "the order of fields says nothing");
        assert_ne!(first, name(&mut here, &one, false), "the same again is another row");
        assert_ne!(first, name(&mut Rows::default(), &other, false));
        assert_eq!(name(&mut Rows::default(), &one, true), name(&mut Rows::default(), &other, true), "by its template");
    }
}

//! What a request may cost: from the prices in the catalogue, which are as once seen and before any discount.

use super::catalogue::Catalogue;
use super::request::{Request, plain};

/// The key of the price that holds where no field decides.
const BASE: &str = "base";

/// What a request may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// USD a unit.
    pub usd: f64,
    /// It is the dearest that can be meant: which price holds is not known for sure.
    pub at_most: bool,
    /// What is charged for: image, second, song, …
    pub unit: String,
    /// When the price was seen.
    pub seen: String,
}

/// What this request may cost, if the catalogue knows.
#[must_use]
pub fn quote(request: &Request, catalogue: &Catalogue) -> Option<Quote> {
    let whole = request.full_model();
    // A price of a channel stands with its model, under `@channel`.
    let channel = request.route.clone().or_else(|| request.model.split_once('@').map(|(_, route)| route.to_owned()));
    let name = whole.split('@').next().unwrap_or(&whole);
    let spec = catalogue.get(&whole).filter(|spec| spec.price.is_some()).or_else(|| catalogue.get(name))?;
    let price = spec.price.as_ref()?;
    let found = |usd: f64, at_most: bool| Quote { usd, at_most, unit: price.unit.clone(), seen: price.date.clone() };
    if let Some(channel) = channel {
        return price.values.get(&format!("@{channel}")).map(|usd| found(*usd, false));
    }
    let sent = |field: &super::Field| request.input.get(&field.name).or(field.default.as_ref()).map(plain);
    let decided = spec.fields.iter().filter_map(sent).find_map(|value| price.values.get(&value));
    if let Some(usd) = decided.or_else(|| price.values.get(BASE)) {
        return Some(found(*usd, false));
    }
    let plain = price.values.iter().filter(|(on, _)| !on.starts_with('@')).map(|(_, usd)| *usd);
    let several = price.values.len() > 1;
    plain.reduce(f64::max).map(|usd| found(usd, several))
}

/// The same in words for people, also where nothing is known.
#[must_use]
pub fn words(quote: Option<&Quote>) -> String {
    match quote {
        Some(Quote { usd, at_most, unit, seen }) => {
            let most = if *at_most { "at most " } else { "" };
            format!("may cost {most}${usd} per {unit}, as seen {seen}")
        }
        None => "price unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(model: &str, route: Option<&str>, input: serde_json::Value) -> Request {
        let input = input.as_object().cloned().unwrap_or_default();
        Request::new(model, route, input, String::new(), String::new(), None)
    }

    fn catalogue() -> Catalogue {
        let model = |name: &str, price: &str| {
            format!(
                r#"{{"name":"{name}","title":"","kind":"text-to-image","status":"current","confidence":"","output_types":[],
                "aliases":[],"description":"",{price}"fields":[{{"name":"size","type":"string","default":"1K","description":""}}],
                "constraints":[],"routes":[{{"route":"beta"}}]}}"#
            )
        };
        let tiers = r#""price":{"date":"2026","unit":"image","values":{"1K":0.05,"4K":0.12,"@beta":0.02}},"#;
        let base = r#""price":{"date":"2026","unit":"image","values":{"base":0.03,"4K":0.06}},"#;
        let odd = r#""price":{"date":"2026","unit":"second","values":{"fast":0.1,"slow":0.2}},"#;
        let all = [model("tiers", tiers), model("base", base), model("odd", odd), model("free", "")].join(",");
        Catalogue::parse(&format!(r#"{{"schema":1,"default_model":"free","models":[{all}]}}"#)).expect("a catalogue")
    }

    #[test]
    fn the_price_follows_what_is_sent() {
        let catalogue = catalogue();
        let usd =
            |model: &str, route, input| quote(&request(model, route, input), &catalogue).map(|q| (q.usd, q.at_most));
        let none = || serde_json::json!({});
        assert_eq!(usd("tiers", None, none()), Some((0.05, false)), "the default decides");
        assert_eq!(usd("tiers", None, serde_json::json!({"size": "4K"})), Some((0.12, false)));
        assert_eq!(usd("tiers", Some("beta"), none()), Some((0.02, false)));
        assert_eq!(usd("base", None, none()), Some((0.03, false)));
        assert_eq!(usd("base", Some("beta"), none()), None, "a channel has a price of its own");
        assert_eq!(usd("odd", None, none()), Some((0.2, true)), "the worst is told");
        assert_eq!((usd("free", None, none()), usd("nobody", None, none())), (None, None));
        assert_eq!(words(None), "price unknown");
    }
}

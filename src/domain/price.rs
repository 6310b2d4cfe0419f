//! What a request may cost: from the prices in the catalogue, which are as once seen and before any discount.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::{Catalogue, ModelSpec};
use super::money::Usd;
use super::request::{Request, plain};

/// The key of the price that holds where no field decides.
const BASE: &str = "base";

/// A list of prices as once seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// When they were seen.
    pub date: String,
    /// What is charged for: image, second, song, …
    pub unit: String,
    /// USD, by the value of the field that decides; `base` otherwise.
    #[serde(default)]
    pub values: BTreeMap<String, f64>,
    /// The same as the service lists it; where there are any, they alone count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// For people.
    #[serde(default)]
    pub note: Option<String>,
}

/// One price and when it holds. The one with the most conditions that all hold is taken \[C\].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Only through this channel; none: only through none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// By field.
    #[serde(default)]
    pub rule: BTreeMap<String, Match>,
    /// USD a unit.
    pub usd: f64,
}

/// One condition of a [`Policy`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// The field has this value; what is not sent has its default.
    Equals(Value),
    /// The field is sent.
    Present,
}

impl Price {
    /// An empty list.
    #[must_use]
    pub fn listed(date: &str, unit: &str) -> Self {
        let (values, policies) = (BTreeMap::new(), Vec::new());
        Self { date: date.to_owned(), unit: unit.to_owned(), values, policies, note: None }
    }

    /// There is no price in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.policies.is_empty()
    }

    /// Amounts by what they hold for, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let amount = |usd: &f64| Usd::new(*usd).map_or_else(|| usd.to_string(), |usd| usd.to_string());
        let mut all: BTreeMap<String, String> = self.values.iter().map(|(on, usd)| (on.clone(), amount(usd))).collect();
        for policy in &self.policies {
            let mut on: Vec<String> = policy.route.iter().map(|route| format!("@{route}")).collect();
            on.extend(policy.rule.iter().map(|(field, on)| match on {
                Match::Equals(value) => plain(value),
                Match::Present => format!("with {field}"),
            }));
            all.insert(if on.is_empty() { BASE.to_owned() } else { on.join(" ") }, amount(&policy.usd));
        }
        let all: Vec<String> = all.into_iter().map(|(on, usd)| format!("{on} {usd}")).collect();
        format!("{} per {}", all.join(", "), self.unit)
    }
}

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
    // A channel with an entry of its own has its prices there.
    let channel = channel.filter(|_| spec.name != whole);
    let found = |usd: f64, at_most: bool| Quote { usd, at_most, unit: price.unit.clone(), seen: price.date.clone() };
    if !price.policies.is_empty() {
        let (usd, at_most) = listed(price, channel.as_deref(), request, spec)?;
        return Some(found(usd, at_most));
    }
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

/// By the service's own list: USD, and whether it is only the dearest that can be meant.
fn listed(price: &Price, route: Option<&str>, request: &Request, spec: &ModelSpec) -> Option<(f64, bool)> {
    let value = |field: &str| request.input.get(field).or_else(|| spec.field(field)?.default.as_ref());
    let holds = |(field, on): (&String, &Match)| match on {
        Match::Equals(wanted) => value(field).is_some_and(|value| value == wanted || plain(value) == plain(wanted)),
        Match::Present => request.input.contains_key(field),
    };
    let open: Vec<&Policy> = price.policies.iter().filter(|policy| policy.route.as_deref() == route).collect();
    let fitting = open.iter().filter(|policy| policy.rule.iter().all(holds));
    let best = fitting.max_by(|a, b| a.rule.len().cmp(&b.rule.len()).then(a.usd.total_cmp(&b.usd)));
    match best {
        Some(policy) => Some((policy.usd, false)),
        None => open.iter().map(|policy| policy.usd).reduce(f64::max).map(|usd| (usd, open.len() > 1)),
    }
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
    fn the_services_own_list_is_read_as_it_says() {
        let price = r#""price":{"date":"2026-10-05","unit":"image","policies":[{"usd":0.03},
            {"rule":{"size":{"equals":"4K"}},"usd":0.06},{"rule":{"size":{"equals":"4K"},"hd":"present"},"usd":0.2},
            {"route":"ext","usd":0.007},{"route":"ext","rule":{"size":{"equals":"4K"}},"usd":0.76}]},"#;
        let model = format!(
            r#"{{"name":"m","title":"","kind":"","status":"current","confidence":"","output_types":[],"aliases":[],
            "description":"",{price}"fields":[{{"name":"size","type":"string","default":"1K","description":""}}],
            "constraints":[],"routes":[]}}"#
        );
        let text = format!(r#"{{"schema":1,"default_model":"m","models":[{model}]}}"#);
        let catalogue = Catalogue::parse(&text).expect("a catalogue");
        let usd = |route, input| quote(&request("m", route, input), &catalogue).map(|quote| quote.usd);
        assert_eq!(usd(None, serde_json::json!({})), Some(0.03));
        assert_eq!(usd(None, serde_json::json!({"size": "4K"})), Some(0.06));
        assert_eq!(usd(None, serde_json::json!({"size": "4K", "hd": true})), Some(0.2), "the most conditions");
        assert_eq!(usd(Some("ext"), serde_json::json!({"size": "4K"})), Some(0.76));
        assert_eq!(
            (usd(Some("ext"), serde_json::json!({})), usd(Some("beta"), serde_json::json!({}))),
            (Some(0.007), None)
        );
        let again = Catalogue::parse(&catalogue.text().expect("text")).expect("a catalogue");
        assert_eq!(again.get("m"), catalogue.get("m"));
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

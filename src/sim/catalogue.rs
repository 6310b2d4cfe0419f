//! The simulator's own reading of the model catalogue, and how a model name and a route find their fields.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The data file itself is shared with the program; the code that reads it is not.
const DATA: &str = include_str!("../domain/models.json");

#[derive(Debug, Deserialize)]
pub(crate) struct Catalogue {
    models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) name: String,
    status: String,
    kind: String,
    description: String,
    #[serde(default)]
    price: Option<Value>,
    #[serde(default)]
    aliases: Vec<String>,
    pub(crate) output_types: Vec<String>,
    pub(crate) fields: Vec<Field>,
    #[serde(default)]
    pub(crate) constraints: Vec<Constraint>,
    #[serde(default)]
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
struct Route {
    route: String,
    fields: Vec<Field>,
    #[serde(default)]
    constraints: Vec<Constraint>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) default: Option<Value>,
    #[serde(default, rename = "enum")]
    pub(crate) allowed: Option<Vec<Value>>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    /// It takes URLs of this kind of file.
    #[serde(default)]
    pub(crate) media: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Constraint {
    pub(crate) when: BTreeMap<String, Value>,
    pub(crate) require: BTreeMap<String, Value>,
    pub(crate) text: String,
}

/// What a request's `model` and `route` stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) fields: &'a [Field],
    pub(crate) constraints: &'a [Constraint],
    pub(crate) output_types: &'a [String],
}

/// Why a model cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoTarget {
    /// No such model, or a retired one.
    Unknown,
    /// The model exists, the route does not; these do.
    Route { wrong: String, valid: Vec<String> },
    /// The name says one route and the `route` field another.
    Contradiction,
}

impl Catalogue {
    /// Reads the built-in data.
    pub(crate) fn load() -> Result<Self, serde_json::Error> {
        serde_json::from_str(DATA)
    }

    /// Names that can be used, in the catalogue's order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.models.iter().filter(|model| model.is_current()).map(|model| model.name.as_str())
    }

    /// The list of prices: every model, and every route of one with a price of its own.
    pub(crate) fn offers(&self) -> Vec<Value> {
        let mut offers = Vec::new();
        for model in self.models.iter().filter(|model| model.is_current()) {
            let output = model.output_types.first().map_or("image", String::as_str);
            let about = serde_json::json!({
                "category": output, "subcategory": model.kind, "output_type": output,
                "description": serde_json::json!({ "en": model.description }).to_string(),
            });
            offers.push(super::pages::offer(&model.name, about.clone(), model.price.as_ref(), &model.fields));
            for route in &model.routes {
                let name = format!("{}@{}", model.name, route.route);
                let priced =
                    model.price.as_ref().filter(|price| !price["values"][format!("@{}", route.route)].is_null());
                offers.push(super::pages::offer(&name, about.clone(), priced, &[]));
            }
        }
        offers
    }

    fn find(&self, name: &str) -> Option<&Model> {
        self.models
            .iter()
            .find(|model| model.is_current() && (model.name == name || model.aliases.iter().any(|a| a == name)))
    }

    /// Routes of a model: those in its own entry and those with an entry of their own (`name@route`). \[C\]
    fn routes(&self, name: &str) -> Vec<String> {
        let mut routes = vec!["default".to_owned()];
        if let Some(model) = self.find(name) {
            routes.extend(model.routes.iter().map(|route| route.route.clone()));
        }
        let prefix = format!("{name}@");
        routes.extend(self.names().filter_map(|other| other.strip_prefix(&prefix)).map(str::to_owned));
        routes
    }

    /// Finds the fields for a model as it stands in the request (case-sensitive \[D\], aliases accepted) and an optional route;
    /// `""` and `"default"` mean no route. \[C\]
    pub(crate) fn resolve(&self, model: &str, route: Option<&str>) -> Result<Target<'_>, NoTarget> {
        let route = route.filter(|route| !route.is_empty() && *route != "default");
        if let Some(route) = route {
            if let Some((base, inner)) = model.rsplit_once('@') {
                return if inner == route { self.routed(base, route) } else { Err(NoTarget::Contradiction) };
            }
            return self.routed(model, route);
        }
        if let Some(found) = self.find(model) {
            return Ok(found.target());
        }
        match model.rsplit_once('@') {
            Some((base, route)) if !route.is_empty() => self.routed(base, route),
            _ => Err(NoTarget::Unknown),
        }
    }

    fn routed(&self, base: &str, route: &str) -> Result<Target<'_>, NoTarget> {
        if let Some(own_entry) = self.find(&format!("{base}@{route}")) {
            return Ok(own_entry.target());
        }
        let Some(model) = self.find(base) else {
            return Err(NoTarget::Unknown);
        };
        match model.routes.iter().find(|entry| entry.route == route) {
            Some(entry) => {
                Ok(Target { fields: &entry.fields, constraints: &entry.constraints, output_types: &model.output_types })
            }
            None => Err(NoTarget::Route { wrong: route.to_owned(), valid: self.routes(base) }),
        }
    }
}

impl Model {
    /// Retired models answer as if they had never existed. \[D\]
    fn is_current(&self) -> bool {
        self.status != "retired"
    }

    fn target(&self) -> Target<'_> {
        Target { fields: &self.fields, constraints: &self.constraints, output_types: &self.output_types }
    }
}

impl Target<'_> {
    /// The value of the field with this role, or the field's default.
    pub(crate) fn by_role<'v>(&'v self, role: &str, input: &'v serde_json::Map<String, Value>) -> Option<&'v Value> {
        let mut fields = self.fields.iter().filter(|f| f.role.as_deref() == Some(role));
        fields.find_map(|field| input.get(&field.name).or(field.default.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_current_model_resolves_to_itself() {
        let catalogue = Catalogue::load().expect("the built-in data is readable");
        assert!(catalogue.names().count() > 30);
        for name in catalogue.names() {
            assert!(catalogue.resolve(name, None).is_ok(), "{name}");
            assert!(catalogue.resolve(name, Some("default")).is_ok(), "{name}");
        }
    }

    #[test]
    fn routes_are_found_in_both_spellings() {
        let catalogue = Catalogue::load().expect("readable");
        let by_field = catalogue.resolve("gpt-image-2/text-to-image", Some("beta")).expect("route");
        let by_name = catalogue.resolve("gpt-image-2/text-to-image@beta", None).expect("route");
        assert_eq!(by_field.fields.len(), by_name.fields.len());
        assert!(catalogue.resolve("gpt-image-2.5-flare", Some("pro")).is_ok(), "a route may have an entry of its own");
        let wrong = catalogue.resolve("gpt-image-2/text-to-image", Some("nope"));
        let Err(NoTarget::Route { valid, .. }) = wrong else {
            panic!("{wrong:?}");
        };
        assert_eq!(valid, ["default", "beta", "ext"]);
        let twice = catalogue.resolve("gpt-image-2/text-to-image@ext", Some("beta"));
        assert_eq!(twice.err(), Some(NoTarget::Contradiction));
    }

    #[test]
    fn retired_models_and_wrong_case_are_unknown() {
        let catalogue = Catalogue::load().expect("readable");
        for name in ["gpt-image-2-pro", "nano-banana", "", "@", "@ext"] {
            let got = catalogue.resolve(name, None);
            assert_eq!(got.err(), Some(NoTarget::Unknown), "{name}");
        }
    }
}

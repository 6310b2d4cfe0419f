//! A newer catalogue from what the service's public pages say: what it says counts, what only we know (the roles of
//! fields, older names, descriptions) is carried over, and what changed is told.

use std::collections::BTreeMap;

use super::catalogue::{BadCatalogue, Catalogue, Constraint, Field, FieldKind, ModelSpec, Role};
use super::price::{Policy, Price};
use super::request::plain;

/// A line of the service's list of prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The model, perhaps with a route: `model@route`.
    pub name: String,
    /// What kind of model.
    pub kind: Option<String>,
    /// What it makes.
    pub output: Option<String>,
    /// For people.
    pub description: String,
    /// What is charged for.
    pub unit: String,
    /// Its prices; the one without conditions is the base.
    pub prices: Vec<Policy>,
}

/// What the page of a model says.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The fields of its input.
    pub fields: Vec<Field>,
    /// The rules across them; none: there are some that are not understood.
    pub constraints: Option<Vec<Constraint>>,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A model that was not known, or not offered.
    New(String),
    /// A model that is not offered any more.
    Gone(String),
    /// A field, a rule or a route of a model.
    Changed {
        /// Which model.
        model: String,
        /// What about it.
        what: String,
    },
    /// The prices of a model.
    Price {
        /// Which model.
        model: String,
        /// In words.
        was: String,
        /// In words.
        is: String,
    },
    /// What the service says of a model is not understood: what was known before stays.
    Kept {
        /// Which model.
        model: String,
        /// Why.
        why: String,
    },
}

/// Makes a catalogue of what is known and what the service offers today; `date` is today. `schemas` has the page of each
/// offer, or why there is none.
///
/// # Errors
/// When so much is missing or broken that it cannot be the list of this service.
pub fn refreshed(
    known: &Catalogue,
    offers: &[Offer],
    schemas: &BTreeMap<String, Result<Schema, String>>,
    date: &str,
) -> Result<(Catalogue, Vec<News>), String> {
    let mut news = Vec::new();
    let mut models: Vec<ModelSpec> = known.models().iter().map(|model| ModelSpec::clone(model)).collect();
    let own = |models: &[ModelSpec], name: &str| models.iter().position(|model| model.name == name);
    let is_alias = |name: &str| known.get(name).is_some_and(|spec| spec.name != name && !name.contains('@'));
    let (whole, routes): (Vec<&Offer>, Vec<&Offer>) =
        offers.iter().filter(|offer| !is_alias(&offer.name)).partition(|offer| {
            offer.name.split_once('@').is_none_or(|(base, _)| {
                own(&models, &offer.name).is_some() || !offers.iter().any(|other| other.name == base)
            })
        });
    let current = models.iter().filter(|model| model.is_current()).count();
    let found = models.iter().filter(|model| model.is_current() && whole.iter().any(|o| o.name == model.name)).count();
    if found * 2 < current {
        return Err(format!(
            "it offers only {found} of the {current} models that are known; it is not taken for the list"
        ));
    }
    for model in models.iter_mut().filter(|model| model.is_current()) {
        if !whole.iter().any(|offer| offer.name == model.name) {
            model.status = "retired".to_owned();
            news.push(News::Gone(model.name.clone()));
        }
    }
    let mut before: Vec<(usize, ModelSpec)> = Vec::new();
    for offer in whole {
        let at = own(&models, &offer.name);
        let old = at.and_then(|at| models.get(at)).cloned();
        let schema = schemas.get(&offer.name).cloned().unwrap_or_else(|| Err("it has no page".to_owned()));
        let made = schema.and_then(|schema| one(known, old.as_ref(), offer, schema, date));
        let made = match made {
            Ok(made) => made,
            Err(why) => {
                news.push(News::Kept { model: offer.name.clone(), why });
                // Its price may be understood all the same.
                let Some(mut old) = old.clone() else { continue };
                old.price = price(offer, old.price.as_ref(), date);
                old
            }
        };
        match (at, &old) {
            (Some(at), Some(old)) => {
                before.push((at, old.clone()));
                models[at] = made;
            }
            _ => {
                news.push(News::New(made.name.clone()));
                models.push(made);
            }
        }
    }
    for offer in routes {
        let Some((base, route)) = offer.name.split_once('@') else { continue };
        let Some(model) = models.iter_mut().find(|model| model.name == base) else { continue };
        through(known, model, route, offer, schemas.get(&offer.name), date, &mut news);
    }
    // Routes and all.
    before.iter().for_each(|(at, old)| tell(old, &models[*at], &mut news));
    let default = known.default_model();
    let still = models.iter().find(|model| model.name == default.name && model.is_current());
    let first = still.or_else(|| models.iter().find(|model| model.is_current() && model.kind == default.kind));
    let default = first.map_or_else(|| default.name.clone(), |model| model.name.clone());
    let catalogue = Catalogue::assemble(models, &default).map_err(|why: BadCatalogue| why.to_string())?;
    catalogue.check()?;
    news.sort_by_key(|news| match news {
        News::New(_) => 0,
        News::Gone(_) => 1,
        News::Changed { .. } => 2,
        News::Price { .. } => 3,
        News::Kept { .. } => 4,
    });
    Ok((catalogue, news))
}

fn one(
    known: &Catalogue,
    old: Option<&ModelSpec>,
    offer: &Offer,
    schema: Schema,
    date: &str,
) -> Result<ModelSpec, String> {
    let fields = dressed(known, old.map_or(&[], |old| &old.fields), schema.fields);
    let constraints = rules(old.map_or(&[], |old| &old.constraints), schema.constraints, &fields);
    let output = offer.output.clone().unwrap_or_else(|| "image".to_owned());
    let takes_media = fields.iter().any(|field| field.required && field.role == Some(Role::References));
    let kind = offer.kind.clone().unwrap_or_else(|| if takes_media { "edit".into() } else { output.clone() });
    let base = old.cloned().unwrap_or_else(|| ModelSpec {
        name: offer.name.clone(),
        title: offer.name.clone(),
        kind,
        status: String::new(),
        confidence: "listed".to_owned(),
        output_types: vec![output],
        aliases: Vec::new(),
        description: offer.description.clone(),
        notes: None,
        price: None,
        fields: Vec::new(),
        constraints: Vec::new(),
        routes: Vec::new(),
    });
    let price = price(offer, base.price.as_ref(), date);
    let made = ModelSpec { status: "current".to_owned(), price, fields, constraints, ..base };
    made.check().map(|()| made)
}

/// A route of a model: its prices stand with the model's.
fn through(
    known: &Catalogue,
    model: &mut ModelSpec,
    name: &str,
    offer: &Offer,
    schema: Option<&Result<Schema, String>>,
    date: &str,
    news: &mut Vec<News>,
) {
    let routed = offer.prices.iter().cloned().map(|policy| Policy { route: Some(name.to_owned()), ..policy });
    let unit = &offer.unit;
    let prices = model.price.get_or_insert_with(|| Price::listed(date, unit));
    if prices.policies.is_empty() && !prices.values.is_empty() {
        // Beside prices of the older form: where there are listed ones, they alone count.
        let base = offer.prices.iter().find(|policy| policy.rule.is_empty());
        prices.values.extend(base.map(|policy| (format!("@{name}"), policy.usd)));
    } else {
        prices.policies.retain(|policy| policy.route.as_deref() != Some(name));
        prices.policies.extend(routed);
    }
    if prices.is_empty() {
        model.price = None;
    }
    let old = model.routes.iter().find(|route| route.route == name).cloned();
    let fresh = match schema {
        Some(Ok(schema)) => {
            let fields = dressed(known, old.as_ref().map_or(&model.fields, |old| &old.fields), schema.fields.clone());
            let constraints =
                rules(old.as_ref().map_or(&[], |old| &old.constraints), schema.constraints.clone(), &fields);
            let notes = old.as_ref().and_then(|old| old.notes.clone());
            super::catalogue::Route { route: name.to_owned(), fields, constraints, notes }
        }
        _ => {
            let why = schema.and_then(|schema| schema.as_ref().err()).cloned();
            let why = why.unwrap_or_else(|| "it has no page".to_owned());
            news.push(News::Kept { model: offer.name.clone(), why });
            return;
        }
    };
    match model.routes.iter_mut().find(|route| route.route == name) {
        Some(route) => *route = fresh,
        None => model.routes.push(fresh),
    }
}

/// Gives fields what the service does not tell: what they mean to the screen, as the same field did before, or a field
/// of that name in other models. They keep the order they had.
fn dressed(known: &Catalogue, old: &[Field], fresh: Vec<Field>) -> Vec<Field> {
    let place = |field: &Field| old.iter().position(|other| other.name == field.name);
    let mut fields = fresh;
    for field in &mut fields {
        let like = |other: &&Field| other.name == field.name && other.kind == field.kind;
        let elsewhere = || known.models().iter().flat_map(|model| &model.fields).find(like);
        let Some(known) = old.iter().find(like).or_else(elsewhere) else { continue };
        (field.role, field.media) = (known.role, known.media.clone());
        if field.description.is_empty() {
            field.description.clone_from(&known.description);
        }
    }
    fields.sort_by_key(|field| place(field).unwrap_or(usize::MAX));
    fields
}

/// The rules that are told, in the words we have for them; where some are not understood, those known before, as far as
/// their fields are still there.
fn rules(old: &[Constraint], fresh: Option<Vec<Constraint>>, fields: &[Field]) -> Vec<Constraint> {
    let there = |name: &String| {
        let name = name.strip_suffix("_not").unwrap_or(name);
        name == "absent" || fields.iter().any(|field| field.name == name)
    };
    let Some(mut fresh) = fresh else {
        return old.iter().filter(|rule| rule.when.keys().chain(rule.require.keys()).all(there)).cloned().collect();
    };
    for rule in &mut fresh {
        if let Some(same) = old.iter().find(|old| old.when == rule.when && old.require == rule.require) {
            rule.text.clone_from(&same.text);
        }
    }
    fresh
}

/// What is listed; where nothing is, what was known, which says of when it is.
fn price(offer: &Offer, old: Option<&Price>, date: &str) -> Option<Price> {
    if offer.prices.is_empty() {
        return old.cloned();
    }
    Some(Price { policies: offer.prices.clone(), ..Price::listed(date, &offer.unit) })
}

fn tell(old: &ModelSpec, new: &ModelSpec, news: &mut Vec<News>) {
    let model = || new.name.clone();
    if !old.is_current() && new.is_current() {
        news.push(News::New(model()));
    }
    let mut say = |what: String| news.push(News::Changed { model: model(), what });
    differences("", &old.fields, &new.fields, &mut say);
    let rules = |of: &ModelSpec| {
        of.constraints.iter().map(|rule| (rule.when.clone(), rule.require.clone())).collect::<Vec<_>>()
    };
    if rules(old) != rules(new) {
        say("its rules across fields".to_owned());
    }
    for route in &new.routes {
        let head = format!("route {}: ", route.route);
        match old.routes.iter().find(|other| other.route == route.route) {
            Some(other) => differences(&head, &other.fields, &route.fields, &mut say),
            None => say(format!("a new route: {}", route.route)),
        }
    }
    let words = |price: Option<&Price>| price.map_or_else(|| "unknown".to_owned(), Price::words);
    let (was, is) = (words(old.price.as_ref()), words(new.price.as_ref()));
    if was != is {
        news.push(News::Price { model: model(), was, is });
    }
}

fn differences(head: &str, old: &[Field], new: &[Field], say: &mut impl FnMut(String)) {
    for field in new {
        match old.iter().find(|other| other.name == field.name) {
            None => say(format!("{head}a new field: {}", field.name)),
            Some(other) => {
                if let Some(what) = difference(other, field) {
                    say(format!("{head}{}: {what}", field.name));
                }
            }
        }
    }
    for field in old.iter().filter(|field| !new.iter().any(|other| other.name == field.name)) {
        say(format!("{head}no field {} any more", field.name));
    }
}

fn difference(old: &Field, new: &Field) -> Option<String> {
    let list = |field: &Field| field.choices.iter().flatten().map(plain).collect::<Vec<_>>();
    if old.kind != new.kind {
        return Some("its type".to_owned());
    }
    let (was, is) = (list(old), list(new));
    if was != is {
        let more: Vec<&str> = is.iter().filter(|one| !was.contains(one)).map(String::as_str).collect();
        let less: Vec<&str> = was.iter().filter(|one| !is.contains(one)).map(String::as_str).collect();
        let part = |word: &str, all: &[&str]| (!all.is_empty()).then(|| format!("{word} {}", all.join(" ")));
        let parts: Vec<String> = [part("now", &more), part("no more", &less)].into_iter().flatten().collect();
        return Some(if parts.is_empty() { "the order of its choices".to_owned() } else { parts.join(", ") });
    }
    let limits = |of: &Field| {
        (of.min_length, of.max_length, of.min_items, of.max_items, of.min.map(f64::to_bits), of.max.map(f64::to_bits))
    };
    if limits(old) != limits(new) {
        return Some("its limits".to_owned());
    }
    if old.required != new.required {
        return Some(if new.required { "now required" } else { "not required any more" }.to_owned());
    }
    (old.default != new.default)
        .then(|| format!("default {}", new.default.as_ref().map_or_else(|| "none".into(), plain)))
}

impl ModelSpec {
    /// What is in it fits together.
    ///
    /// # Errors
    /// What does not, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.fields.is_empty() {
            return Err(format!("the model {:?} has no fields", self.name));
        }
        let all = self.fields.iter().chain(self.routes.iter().flat_map(|route| &route.fields));
        for field in all {
            let odd = |what: &str| Err(format!("the field {:?} {what}", field.name));
            let fits = |value: &serde_json::Value| match field.kind {
                FieldKind::Text => value.is_string(),
                FieldKind::Integer => value.is_i64(),
                FieldKind::Number => value.is_number(),
                FieldKind::Switch => value.is_boolean(),
                FieldKind::Texts => value.is_array(),
            };
            let choices = field.choices.as_deref().unwrap_or_default();
            if !choices.iter().chain(&field.default).all(fits) {
                return odd("has values of another type");
            }
            if field.choices.as_ref().is_some_and(Vec::is_empty) {
                return odd("allows nothing");
            }
            let strange = field.default.as_ref().is_some_and(|value| !choices.is_empty() && !choices.contains(value));
            if strange && field.kind != FieldKind::Texts {
                return odd("has a default that it does not allow");
            }
            let upside_down = field.min.zip(field.max).is_some_and(|(min, max)| min > max)
                || field.min_length.zip(field.max_length).is_some_and(|(min, max)| min > max)
                || field.min_items.zip(field.max_items).is_some_and(|(min, max)| min > max);
            if upside_down {
                return odd("has limits that nothing meets");
            }
        }
        let amounts = self
            .price
            .iter()
            .flat_map(|price| price.values.values().copied().chain(price.policies.iter().map(|p| p.usd)));
        for usd in amounts {
            if !(usd.is_finite() && (0.0..1e6).contains(&usd)) {
                return Err(format!("the model {:?} has a price that is none", self.name));
            }
        }
        Ok(())
    }
}

impl Catalogue {
    /// What is in it fits together, every model of it.
    ///
    /// # Errors
    /// What does not, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.models().iter().try_for_each(|model| model.check().map_err(|why| format!("{}: {why}", model.name)))
    }
}

//! `plantain demo`: the screen against the simulated service in the same process.

use color_eyre::eyre::{Report, WrapErr as _};

use crate::api::{self, ApiKey};
use crate::config::{Allowance, Places};
use crate::domain::{Catalogue, Draft};
use crate::runtime::ScreenOptions;
use crate::sim::{self, SimConfig};

use super::args::{Demo, Global};
use super::{DONE, USAGE, context, tui};

/// What is under way when the demonstration opens: prompt, and the shape as its place among the choices.
const BATCH: &[(&str, usize)] = &[
    ("a lighthouse at dusk, waves against the rocks, oil painting", 2),
    ("two bears fishing by a mountain lake, early morning [fail]", 4),
    ("a paper boat on a quiet pond, spring rain", 1),
    ("night market in a rainy city, neon reflections", 2),
    ("wildflowers before snowy mountains, wide meadow", 5),
    ("a red fox in fresh snow, soft morning light", 1),
];

/// The demonstration from within the screen: never in the folder of the real history.
pub(super) async fn run_apart(global: &Global) -> Result<u8, Report> {
    open(global, &Demo { speed: 2.0 }, None).await
}

pub(super) async fn run(global: &Global, args: &Demo) -> Result<u8, Report> {
    // The variable says where the real history is, for every command; only an option is meant for this one.
    let given = if global.data_dir_said { Some(context::places(global)?) } else { None };
    open(global, args, given).await
}

async fn open(global: &Global, args: &Demo, given: Option<Places>) -> Result<u8, Report> {
    if !tui::on_a_terminal() {
        return Ok(USAGE);
    }
    let config = SimConfig { speed: args.speed, rate_limit: Some(60), ..SimConfig::default() };
    let simulated = sim::start(config).await?;
    let base = api::base_url(&simulated.base_url())?;
    // A directory of its own, gone afterwards, unless the user wants to keep what happens.
    let scratch = if given.is_none() { Some(Scratch::make()?) } else { None };
    let scratch_places = |dir: &Scratch| Places { data: dir.0.clone(), outputs: dir.0.join("outputs") };
    let Some(places) = given.or_else(|| scratch.as_ref().map(scratch_places)) else {
        return Err(color_eyre::eyre::eyre!("there is no folder for the demonstration"));
    };
    let catalogue = Catalogue::built_in();
    let options = ScreenOptions {
        batch: batch(&catalogue),
        catalogue,
        places,
        key: ApiKey::parse("sk-demo").map_err(|why| why.to_string()),
        downloads: context::downloads(global, &base),
        allowance: Allowance::default(),
        graphics: context::choice(global.graphics),
        quality: context::quality(global.picture_quality),
        service: "demo".to_owned(),
        demo: true,
        webhook: None,
        callback: None,
        purse: None,
        confirm: crate::config::Confirm::default(),
        base,
    };
    let result = tui::screen(options).await;
    simulated.stop().await;
    result.map(|_| DONE)
}

fn batch(catalogue: &Catalogue) -> Vec<Draft> {
    let model = catalogue.default_model();
    let shape = model.with_role(crate::domain::Role::Shape);
    let draft = |(prompt, choice): &(&str, usize)| {
        let mut fields = serde_json::Map::new();
        if let Some((field, value)) = shape.and_then(|f| Some((f, f.choices.as_ref()?.get(*choice)?.clone()))) {
            fields.insert(field.name.clone(), value);
        }
        Draft { model: model.name.clone(), prompt: (*prompt).to_owned(), fields, ..Draft::default() }
    };
    BATCH.iter().map(draft).collect()
}

/// A directory that is removed when the demonstration ends.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make() -> Result<Self, Report> {
        let name = format!("plantain-demo-{}-{:08x}", std::process::id(), crate::runtime::clock::seed() as u32);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).wrap_err_with(|| format!("cannot make the directory {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

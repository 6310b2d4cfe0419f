//! What the commands share: places, address, key, store.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Report, WrapErr as _, eyre};
use etcetera::BaseStrategy as _;
use url::Url;

use crate::api::webhook::{HookPath, WebhookConfig, WebhookSecrets};
use crate::api::{self, ApiKey, DownloadLimits};
use crate::config::{Budgets, DEFAULT_BASE_URL, PictureQuality, Places, Settings};
use crate::domain::{Catalogue, LocalId, Secret, Task};
use crate::runtime::{Downloads, Driver, Service, Wallet, catalogue, clock, settings};
use crate::store::Store;
use crate::terminal::Choice;

use super::args::{Global, Graphics, Quality};
use super::{complain, log};

/// The environment variable that holds the key \[C\].
const KEY_VARIABLE: &str = "HIAPI_API_KEY";
/// The one that holds the secret of callbacks, or several \[C\].
const SECRET_VARIABLE: &str = "HIAPI_WEBHOOK_SECRET";

/// Where things are kept, by the platform's rules unless told otherwise.
pub(super) fn places(global: &Global) -> Result<Places, Report> {
    let data = match &global.data_dir {
        Some(dir) => std::path::absolute(dir)?,
        None => {
            let base = etcetera::choose_base_strategy()
                .map_err(|_| eyre!("there is no home directory; say where to keep things with --data-dir"))?;
            base.data_dir().join("plantain")
        }
    };
    log::start(&data, global.log_level);
    Ok(Places { outputs: data.join("outputs"), data })
}

/// Where `config.toml` is, by the platform's rules unless told otherwise.
pub(super) fn config_dir(global: &Global) -> Option<PathBuf> {
    let usual = || etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("plantain"));
    global.config_dir.clone().or_else(usual)
}

/// What `config.toml` says; the command line counts more.
pub(super) fn settings(global: &Global) -> Result<Settings, Report> {
    let settings = config_dir(global).as_deref().map(settings::read).transpose()?.unwrap_or_default();
    Ok(Settings { budgets: wallet(global).instead(settings.budgets), ..settings })
}

/// Where the limits of what may be spent stand.
pub(super) fn wallet(global: &Global) -> Wallet {
    Wallet { folder: config_dir(global), day: global.budget_day, batch: global.budget_batch }
}

/// The address of the service.
pub(super) fn base(global: &Global) -> Result<Url, Report> {
    let text = global.base_url.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(DEFAULT_BASE_URL);
    api::base_url(text).map_err(|why| eyre!("{text:?} cannot be the service's address: {why}"))
}

/// The key, or one sentence on why there is none.
pub(super) fn key() -> Result<ApiKey, String> {
    match std::env::var(KEY_VARIABLE) {
        Err(std::env::VarError::NotPresent) => Err(format!("{KEY_VARIABLE} is not set")),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("{KEY_VARIABLE} is not text")),
        Ok(text) => ApiKey::parse(&text).map_err(|why| format!("{KEY_VARIABLE}: {why}")),
    }
}

/// The key, for commands that cannot do without.
pub(super) fn needed_key() -> Result<ApiKey, Report> {
    key().map_err(|why| eyre!("{why}; try `plantain demo`, which needs no key"))
}

/// Where the service is asked to call, if it is.
pub(super) fn callback(global: &Global, places: &Places) -> Result<Option<Secret>, Report> {
    let Some(base) = global.callback_url.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let url = hook_path(places)?.public(base).map_err(|why| eyre!("the callback URL cannot be used: {why}"))?;
    Ok(Some(Secret::new(url.into())))
}

/// What the receiver of callbacks needs, when it listens at this address.
pub(super) fn webhook(listen: SocketAddr, places: &Places) -> Result<WebhookConfig, Report> {
    let secrets = match std::env::var(SECRET_VARIABLE) {
        Err(std::env::VarError::NotPresent) => WebhookSecrets::default(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(eyre!("{SECRET_VARIABLE} is not text")),
        Ok(text) => WebhookSecrets::parse(&text).map_err(|why| eyre!("{SECRET_VARIABLE}: {why}"))?,
    };
    Ok(WebhookConfig { listen, path: hook_path(places)?, secrets })
}

fn hook_path(places: &Places) -> Result<HookPath, Report> {
    // Two draws: some bits of one are fixed.
    let bits = clock::seed() ^ clock::seed().rotate_left(64);
    HookPath::open(&places.data, bits).wrap_err("the path for callbacks cannot be kept in the data directory")
}

/// Downloads may lead to this machine only if the service itself is here.
pub(super) fn downloads(global: &Global, base: &Url) -> Arc<Downloads> {
    let here = base.host_str().is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."));
    let limits = DownloadLimits { allow_loopback: here, ..DownloadLimits::default() };
    Arc::new(Downloads::new(limits, global.name_template.clone()))
}

/// A fleet without a screen, with a receiver of callbacks if one is configured and the command stays long enough.
pub(super) fn driver(global: &Global, out: Option<PathBuf>, receive: bool) -> Result<Driver, Report> {
    let places = places(global)?;
    let settings = settings(global)?;
    let out = out.map(std::path::absolute).transpose()?;
    let base = base(global)?;
    let key = needed_key()?;
    let store = Store::open(&places.data)?;
    for dir in std::iter::once(&places.outputs).chain(&out) {
        api::try_folder(dir).map_err(|why| eyre!("{} cannot be written: {why}; nothing was sent", dir.display()))?;
    }
    let service = Arc::new(Service::new(base.clone(), key));
    let mut driver = Driver::new(store, service, downloads(global, &base), &places, settings.allowance())?;
    driver.keep_purse(catalogue(global)?, wallet(global), settings.budgets);
    same_limits(global, &driver, settings.budgets)?;
    if let Some(out) = out {
        driver.deliver_to(out);
    }
    if let Some(text) = driver.caution() {
        complain(text);
    }
    if let Some(listen) = global.webhook_listen.filter(|_| receive)
        && let Err(why) = driver.receive(webhook(listen, &places)?)
    {
        complain(&format!("{why}; looking alone must do"));
    }
    Ok(driver)
}

/// What was said on the command line must hold for the window that sends, too: it alone keeps the purse.
fn same_limits(global: &Global, driver: &Driver, mine: Budgets) -> Result<(), Report> {
    let said = (global.budget_day.is_some(), global.budget_batch.is_some());
    if driver.standing().holds || said == (false, false) {
        return Ok(());
    }
    // It may have begun in this moment and not have said so yet.
    let stop = Instant::now() + Duration::from_secs(3);
    let its = loop {
        match driver.its_limits() {
            None if Instant::now() < stop => std::thread::sleep(Duration::from_millis(50)),
            its => break its,
        }
    };
    let same = |its: Budgets| (!said.0 || its.day == mine.day) && (!said.1 || its.batch == mine.batch);
    if its.is_some_and(same) {
        return Ok(());
    }
    let pid = driver.standing().holder.as_ref().map_or_else(String::new, |holder| format!(" (process {})", holder.pid));
    Err(eyre!(
        "another plantain{pid} does the sending, with other limits; end it, or set the limit in config.toml; nothing \
         was sent"
    ))
}

/// The store, for commands that only read.
pub(super) fn store(global: &Global) -> Result<Store, Report> {
    Ok(Store::open(&places(global)?.data)?)
}

/// The models that are known here; what is wrong with the file of them is said.
pub(super) fn catalogue(global: &Global) -> Result<Catalogue, Report> {
    let (catalogue, bad) = catalogue::load(&places(global)?.data);
    if let Some(bad) = bad {
        complain(&bad.to_string());
    }
    Ok(catalogue)
}

/// Finds the task that an id, or the beginning of one, means.
pub(super) fn find(store: &Store, prefix: &str) -> Result<Task, Report> {
    let mut found = store.find(prefix).wrap_err("the history cannot be searched")?;
    match found.len() {
        0 => Err(eyre!("there is no task {prefix:?}; `plantain list` shows them")),
        1 => Ok(found.swap_remove(0)),
        _ => {
            let some: Vec<String> = found.iter().take(4).map(|task| task.id.to_string()).collect();
            Err(eyre!("{prefix:?} could be {}; give more of it", some.join(" or ")))
        }
    }
}

/// The ids that these prefixes mean.
pub(super) fn find_all(store: &Store, prefixes: &[String]) -> Result<Vec<LocalId>, Report> {
    prefixes.iter().map(|prefix| find(store, prefix).map(|task| task.id)).collect()
}

/// How much a picture may cost.
pub(super) fn quality(quality: Quality) -> PictureQuality {
    match quality {
        Quality::Auto => PictureQuality::Auto,
        Quality::Lean => PictureQuality::Lean,
        Quality::Full => PictureQuality::Full,
    }
}

/// How pictures are shown.
pub(super) fn choice(graphics: Graphics) -> Choice {
    match graphics {
        Graphics::Auto => Choice::Auto,
        Graphics::Kitty => Choice::Kitty,
        Graphics::Sixel => Choice::Sixel,
        Graphics::Iterm2 => Choice::Iterm2,
        Graphics::Blocks => Choice::Blocks,
        Graphics::Off => Choice::Off,
    }
}

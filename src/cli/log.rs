//! The log: a file in the data directory, never the terminal.

use std::fs::OpenOptions;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::LevelFilter;

use super::args::Level;

/// A log that has grown beyond this is begun anew.
const LARGEST: u64 = 4 << 20;

/// Starts logging. A log that cannot be written is no reason not to start.
pub(super) fn start(data: &Path, level: Level) {
    let filter = match level {
        Level::Off => return,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    // The first run is the one whose log is wanted most.
    let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    let path = data.join("plantain.log");
    let old = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    if old > LARGEST {
        options.write(true).truncate(true)
    } else {
        options.append(true)
    };
    let Ok(file) = options.open(&path) else { return };
    // Libraries below us may log headers at their debug level; only our own lines are kept.
    let ours = tracing_subscriber::filter::Targets::new().with_target("plantain", filter);
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}

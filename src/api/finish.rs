//! From a complete body to a file at home: looked at once more, synced, named, noted.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::download::Wanted;
use super::mishap::{cut, disk};
use super::part::Part;
use super::place;
use super::sniff::{self, Format};
use crate::domain::{Home, Problem};

/// A body that is here completely, but has no name yet.
pub(super) struct Complete {
    pub(super) part: Part,
    pub(super) format: Format,
    /// The other end said where the body ends.
    pub(super) framed: bool,
    pub(super) status: u16,
}

/// Gives it its name. What turns out not to be a whole picture is thrown away.
pub(super) async fn finish(complete: Complete, wanted: &Wanted) -> Result<Home, Problem> {
    let dir = wanted.dir.clone();
    let wanted = wanted.clone();
    let done = tokio::task::spawn_blocking(move || complete.finish(&wanted));
    done.await.unwrap_or_else(|_| Err(disk(&dir, &io::Error::other("it was interrupted"), None)))
}

impl Complete {
    /// The same, here and now. Blocks.
    pub(super) fn finish(mut self, wanted: &Wanted) -> Result<Home, Problem> {
        let pixels = match sniff::pixels(self.format, &mut self.part.file) {
            Ok(pixels) => pixels,
            Err(_) => {
                self.part.finish();
                return Err(Problem::Odd { status: self.status, message: "the picture is damaged".into() });
            }
        };
        if !self.framed && !sniff::has_end(self.format, &mut self.part.file).unwrap_or(false) {
            self.part.finish();
            return Err(cut(self.part.length, None));
        }
        crate::step::step("download: complete, not synced");
        if let Err(error) = self.part.file.sync_all() {
            // What could not be made durable may be gone already, and a second try would not say so.
            self.part.finish();
            return Err(disk(&wanted.dir, &error, None));
        }
        let extension = self.format.extension;
        let name = wanted.names.name(&wanted.facts, extension);
        let placed = place::place(&self.part, &name, extension).map_err(|error| disk(&wanted.dir, &error, None))?;
        let path = std::path::absolute(placed.path()).unwrap_or_else(|_| placed.path());
        let file = path.into_os_string().into_string().map_err(|path| Problem::Local {
            message: format!("the folder's name is not Unicode: {}", PathBuf::from(path).display()),
        })?;
        let (width, height) = pixels.unzip();
        let (bytes, sha256) = (self.part.length, self.part.sha256());
        let home = Home { file, bytes, sha256, format: self.format.name.into(), width, height };
        if let Some(about) = about(wanted, &home)
            && let Err(error) = place::note(&self.part, &placed, &about)
        {
            // The picture is what counts; its note can be made from the history.
            tracing::warn!(%error, "the note beside a file could not be written");
        }
        self.part.finish();
        Ok(home)
    }
}

/// What is noted: what was known before, and what the file turned out to be. Of the link only the host is told, for
/// the rest is a secret.
fn about(wanted: &Wanted, home: &Home) -> Option<serde_json::Map<String, Value>> {
    let mut about = wanted.about.clone()?;
    let host = url::Url::parse(&wanted.url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let facts: [(&str, Value); 6] = [
        ("format", home.format.as_str().into()),
        ("width", home.width.into()),
        ("height", home.height.into()),
        ("bytes", home.bytes.into()),
        ("sha256", home.sha256.as_str().into()),
        ("from_host", host.into()),
    ];
    about.extend(facts.map(|(name, value)| (name.to_owned(), value)));
    Some(about)
}

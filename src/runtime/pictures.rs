//! Pictures made ready beside the loop: two at a time, the newest wish first, the rest forgotten.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::{AssetMsg, Msg, Want};
use crate::graphics::{GALLERY_BYTES, Gallery, Picture, Shape, decode_file, encode};
use crate::ui::picture_key;

use super::hands::Note;

/// Encodes at once.
const AT_ONCE: usize = 2;

/// What is encoded, and what is to be.
#[derive(Debug)]
pub struct Pictures {
    gallery: Gallery,
    shape: Option<Shape>,
    /// Counts the changes of `shape`: answers for an older one are void.
    era: u64,
    running: usize,
    next: Option<Want>,
    inbox: mpsc::Sender<Note>,
}

impl Pictures {
    /// An empty gallery.
    #[must_use]
    pub fn new(inbox: mpsc::Sender<Note>) -> Self {
        Self { gallery: Gallery::new(GALLERY_BYTES), shape: None, era: 0, running: 0, next: None, inbox }
    }

    /// For the view.
    #[must_use]
    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// The terminal takes pictures this way from now on. Everything made for another way is void.
    pub fn shape(&mut self, shape: Shape) {
        if self.shape != Some(shape) {
            self.shape = Some(shape);
            self.era += 1;
            self.gallery.clear();
        }
    }

    /// Wants a picture. What is there already is answered at once.
    pub fn want(&mut self, want: Want) -> Option<Msg> {
        if self.gallery.get(&picture_key(&want)).is_some() {
            return Some(Msg::Asset(AssetMsg::Encoded(want)));
        }
        self.next = Some(want);
        self.start();
        None
    }

    fn start(&mut self) {
        if self.running >= AT_ONCE {
            return;
        }
        let (Some(shape), Some(want)) = (self.shape, self.next.take()) else { return };
        self.running += 1;
        let (era, inbox) = (self.era, self.inbox.clone());
        tokio::task::spawn_blocking(move || {
            let made = make(&want, &shape);
            let _ = inbox.blocking_send(Note::Picture(era, want, made));
        });
    }

    /// An encoding ended.
    pub fn ended(&mut self, era: u64, want: Want, made: Result<Arc<Picture>, String>) -> Option<Msg> {
        self.running = self.running.saturating_sub(1);
        self.start();
        if era != self.era {
            return None;
        }
        Some(Msg::Asset(match made {
            Ok(picture) => {
                self.gallery.insert(picture);
                AssetMsg::Encoded(want)
            }
            Err(why) => AssetMsg::Failed(want, why),
        }))
    }
}

fn make(want: &Want, shape: &Shape) -> Result<Arc<Picture>, String> {
    let decoded = decode_file(Path::new(&want.file)).map_err(|why| why.to_string())?;
    encode(&decoded, picture_key(want), shape).map(Arc::new).map_err(|why| why.to_string())
}

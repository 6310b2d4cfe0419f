//! Encoded pictures that may be shown again, within a budget.

use std::collections::HashMap;
use std::sync::Arc;

use super::picture::{Picture, PictureKey};

/// Bytes that a [`Gallery`] keeps unless told otherwise.
pub const GALLERY_BYTES: usize = 50_000_000;

/// A bounded memory of encoded pictures; the least recently used go first.
///
/// Clear it when protocol, quality or cell size change, and after the screen was lost.
#[derive(Debug)]
pub struct Gallery {
    shelf: HashMap<PictureKey, (Arc<Picture>, u64)>,
    bytes: usize,
    most: usize,
    turn: u64,
}

impl Default for Gallery {
    fn default() -> Self {
        Self::new(GALLERY_BYTES)
    }
}

impl Gallery {
    /// Keeps at most `most` bytes, but always the newest picture.
    pub fn new(most: usize) -> Self {
        Self { shelf: HashMap::new(), bytes: 0, most, turn: 0 }
    }

    /// The picture, which now counts as used.
    pub fn get(&mut self, key: &PictureKey) -> Option<Arc<Picture>> {
        self.turn += 1;
        let (picture, used) = self.shelf.get_mut(key)?;
        *used = self.turn;
        Some(Arc::clone(picture))
    }

    /// The picture, without touching its age: for drawing, which must not change anything.
    pub fn peek(&self, key: &PictureKey) -> Option<&Arc<Picture>> {
        self.shelf.get(key).map(|(picture, _)| picture)
    }

    /// Keeps a picture and lets old ones go.
    pub fn insert(&mut self, picture: Arc<Picture>) {
        self.turn += 1;
        self.bytes += picture.bytes();
        let key = picture.key.clone();
        if let Some((old, _)) = self.shelf.insert(key, (picture, self.turn)) {
            self.bytes -= old.bytes();
        }
        while self.bytes > self.most && self.shelf.len() > 1 {
            let oldest = self.shelf.iter().min_by_key(|(_, (_, used))| *used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                break;
            };
            if let Some((old, _)) = self.shelf.remove(&key) {
                self.bytes -= old.bytes();
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.shelf.clear();
        self.bytes = 0;
    }

    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Pictures held now.
    pub fn len(&self) -> usize {
        self.shelf.len()
    }

    /// True if nothing is held.
    pub fn is_empty(&self) -> bool {
        self.shelf.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphics::budget::Purpose;
    use crate::graphics::picture::Body;
    use ratatui::layout::Size;

    fn picture(asset: usize, bytes: usize) -> Arc<Picture> {
        let cells = Size::new(8, 4);
        let key = PictureKey { asset: asset.to_string(), cells };
        Arc::new(Picture::new(key, Purpose::Full, cells, Body::Kitty(vec![0; bytes])))
    }

    #[test]
    fn the_budget_holds_and_the_used_stay() {
        let mut gallery = Gallery::new(100_000);
        let favourite = picture(0, 9_000);
        gallery.insert(Arc::clone(&favourite));
        for asset in 1..200 {
            gallery.insert(picture(asset, 9_000));
            assert!(gallery.bytes() <= 100_000);
            assert!(gallery.get(&favourite.key).is_some());
        }
        assert_eq!(gallery.len(), 11);
        gallery.insert(picture(7, 500_000));
        assert_eq!(gallery.len(), 1, "the newest stays even if it alone is too large");
        gallery.insert(picture(7, 10));
        assert!(gallery.bytes() < 1_000);
        gallery.clear();
        assert_eq!((gallery.bytes(), gallery.is_empty()), (0, true));
    }
}

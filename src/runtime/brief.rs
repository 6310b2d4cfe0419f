//! Messages in the log: by name alone.

use crate::app::Msg;

/// The name of a message, for the log. Its content may be private.
pub(super) fn name_of(msg: &Msg) -> &'static str {
    match msg {
        Msg::Key(_) => "key",
        Msg::Paste(_) => "paste",
        Msg::Resized(_) => "resized",
        Msg::Fleet(_) => "fleet",
        Msg::Asset(_) => "asset",
        Msg::PicturesKnown(_) => "pictures known",
        Msg::Line(_) => "line",
        Msg::Older { .. } | Msg::Unfinished(_) | Msg::Relatives(_) => "tasks",
        Msg::NotOlder(_) => "no tasks",
        Msg::Drafted(_) | Msg::Kept(_) => "draft",
        Msg::Begin(_) => "batch",
        Msg::Stands(_) | Msg::Mirrored { .. } | Msg::SteppedDown(_) | Msg::TookOver(_) | Msg::Wished(_) => "windows",
        Msg::Counted(_) => "counts",
        Msg::FileRead { .. } => "file read",
        Msg::Lists { .. } => "lists",
        Msg::Batch { .. } => "tasks of a batch",
        Msg::KeyChecked(_) => "key checked",
        Msg::Recalled(..) => "recalled",
        Msg::Composed(_) => "composed",
        Msg::Woke => "woke",
        Msg::Told(_) => "told",
        Msg::Checked { .. } => "checked",
        Msg::InputClosed => "input closed",
    }
}

//! The program as a pure machine: state, messages, effects, and the one function that joins them.

pub mod dialog;
pub mod editor;
pub mod effect;
pub mod groups;
pub mod kin;
pub mod layout;
pub mod looking;
pub mod msg;
pub mod notice;
pub mod preview;
pub mod sending;
pub mod settle;
pub mod sources;
pub mod state;
pub mod table;
pub mod text;
pub mod update;
pub mod writing;

pub use dialog::Dialog;
pub use editor::Editor;
pub use effect::Effect;
pub use layout::{Panes, panes};
pub use looking::Viewer;
pub use msg::{AssetMsg, LineFacts, Msg};
pub use notice::Notice;
pub use preview::{Level, Preview, Slot, Want};
pub use sources::{Source, sources};
pub use state::{Pane, State};
pub use table::Table;
pub use text::Text;
pub use update::{matching_models, update};

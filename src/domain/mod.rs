//! What the program is about, in the words of its field: tasks, requests, models, reports, problems.
//!
//! Everything here is plain data and pure functions. Nothing does IO, reads a clock or draws a random number.

pub mod advice;
pub mod answer;
pub mod batch;
pub mod catalogue;
pub mod cause;
pub mod change;
pub mod id;
pub mod kin;
pub mod look;
pub mod naming;
pub mod output;
pub mod price;
pub mod problem;
pub mod promote;
pub mod raw;
pub mod report;
pub mod request;
pub mod retry;
pub mod secret;
pub mod status;
pub mod task;
pub mod template;
pub mod text;
pub mod validate;
pub mod window;

pub use advice::{Explanation, explain};
pub use answer::{Accepted, Answer, Dated, Limits, Page};
pub use catalogue::{Catalogue, Field, FieldKind, ModelSpec, Role};
pub use change::{Change, Lesson};
pub use id::{AssetId, LocalId, TaskId};
pub use kin::{How, Kin};
pub use look::{Crop, Room, View};
pub use output::{Home, Output, OutputState};
pub use problem::{Outcome, Problem};
pub use report::{Report, Source};
pub use request::{Draft, Request};
pub use retry::{NotRetried, may_retry};
pub use secret::{Fingerprint, Secret};
pub use status::{Failure, GivenUp, Stage, Status};
pub use task::{Task, Times};
pub use validate::Invalid;
pub use window::{Browse, Found, Holder, Settle, Standing, Wish};

//! Plantain: a terminal for HiAPI's asynchronous generation service.
//!
//! A pure machine (`domain`, `fleet`, `keys`, `app`), adapters that wrap one thing of the world each (`api`, `store`,
//! `ui`, `terminal`, `graphics`, `sim`), and the program that joins them (`runtime`, `cli`). `docs/architecture.md`
//! tells the rest.

#![warn(missing_docs)]

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod fleet;
pub mod graphics;
pub mod keys;
pub mod runtime;
pub mod sim;
pub mod step;
pub mod store;
pub mod terminal;
pub mod time;
pub mod ui;

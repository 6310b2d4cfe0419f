//! Plantain: a terminal for HiAPI's asynchronous generation service.
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

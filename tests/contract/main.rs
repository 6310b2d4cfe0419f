//! The client and the fetcher against a server that says exactly what it is told to say.

mod asking;
mod certificate;
mod fetching;

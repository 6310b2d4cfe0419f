//! The client and the fetcher against a server that says exactly what it is told to say.

#[path = "contract/asking.rs"]
mod asking;
#[path = "contract/certificate.rs"]
mod certificate;
#[path = "contract/fetching.rs"]
mod fetching;

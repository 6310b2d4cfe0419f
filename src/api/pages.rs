//! The service's public pages: prices, and the schema of each model \[C\]. They are asked without the key, so that none
//! can go astray; the sender of a page is believed no further than its schema can be read.

use reqwest::header::{ACCEPT, HeaderValue};
use url::Url;

use super::client::ClientError;
use super::http::{self, Body, Kind, Timeouts};
use super::key::is_loopback;
use crate::domain::Problem;

/// Largest page, in bytes.
const LARGEST: usize = 4 << 20;

/// The host of the public pages, when the service is the real one \[C\].
const PAGES: &str = "https://www.hiapi.ai";

/// Reads public pages.
#[derive(Debug)]
pub struct Pages {
    http: reqwest::Client,
    base: Url,
    timeouts: Timeouts,
}

impl Pages {
    /// Pages of the service at this address: of the real one they are on a host of their own.
    ///
    /// # Errors
    /// When the system offers no way to check certificates.
    pub fn of(service: &Url, timeouts: Timeouts) -> Result<Self, ClientError> {
        let real = service.as_str().trim_end_matches('/') == crate::config::DEFAULT_BASE_URL;
        let base = if real { Url::parse(PAGES).unwrap_or_else(|_| service.clone()) } else { service.clone() };
        let plain = base.scheme() == "http" && base.host().is_some_and(|host| is_loopback(&host));
        let kind = if plain { Kind::Plain } else { Kind::Service };
        let http = http::build(timeouts, kind).map_err(|error| ClientError::Tls(http::words(&error)))?;
        Ok(Self { http, base, timeouts })
    }

    /// Where they are.
    #[must_use]
    pub fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// The list of prices, as it came.
    ///
    /// # Errors
    /// When there is no such page.
    pub async fn prices(&self) -> Result<Vec<u8>, Problem> {
        self.get(&["api", "pricing"], None).await
    }

    /// The page of one model, as it came.
    ///
    /// # Errors
    /// When there is no such page.
    pub async fn model(&self, name: &str) -> Result<Vec<u8>, Problem> {
        self.get(&["api", "models", "content"], Some(name)).await
    }

    async fn get(&self, path: &[&str], name: Option<&str>) -> Result<Vec<u8>, Problem> {
        let mut url = self.base.clone();
        url.set_path(&path.join("/"));
        if let Some(name) = name {
            url.query_pairs_mut().append_pair("name", name);
        }
        let request = self.http.get(url).header(ACCEPT, HeaderValue::from_static("application/json"));
        let response = http::within(self.timeouts.answer, request.send()).await.map_err(http::Silence::problem)?;
        let status = response.status();
        let Body { bytes, end } = http::read(response, LARGEST, self.timeouts.between).await;
        match (status.as_u16(), end) {
            (200..=299, end) => end.map(|()| bytes),
            (404, _) => Err(Problem::NotFound { message: "there is no such page".into() }),
            (status, _) => Err(Problem::Odd { status, message: "a page of the service was expected".into() }),
        }
    }
}

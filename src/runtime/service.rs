//! The service we talk to and the downloads beside it: each makes its network client when it is first needed.

use tokio::sync::OnceCell;
use url::Url;

use crate::api::{ApiKey, Client, DownloadLimits, Fetcher, Timeouts};
use crate::domain::Problem;
use crate::domain::naming::Template;

/// The service and the key for it.
#[derive(Debug)]
pub struct Service {
    base: Url,
    key: ApiKey,
    client: OnceCell<Result<Client, Problem>>,
}

impl Service {
    /// Names the service. Nothing is opened yet: reading the system's certificates takes its time, and the
    /// first frame does not wait for it.
    #[must_use]
    pub fn new(base: Url, key: ApiKey) -> Self {
        Self { base, key, client: OnceCell::new() }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// The key it is asked with.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.key
    }

    /// The client.
    ///
    /// # Errors
    /// When it cannot be made: no certificates, a proxy setting that cannot be read.
    pub async fn client(&self) -> Result<&Client, Problem> {
        let made = self.client.get_or_init(|| async {
            let (base, key) = (self.base.clone(), self.key.clone());
            let made = tokio::task::spawn_blocking(move || Client::new(base, key, Timeouts::default())).await;
            let local = |message: String| Problem::Local { message };
            match made {
                Ok(client) => client.map_err(|why| local(why.to_string())),
                Err(_) => Err(local("the network client could not be made".to_owned())),
            }
        });
        made.await.as_ref().map_err(Clone::clone)
    }
}

/// Downloads: no key here, so none can be lost.
#[derive(Debug)]
pub struct Downloads {
    limits: DownloadLimits,
    names: Template,
    fetcher: OnceCell<Result<Fetcher, Problem>>,
}

impl Downloads {
    /// Says what a download may do, and how files are called.
    #[must_use]
    pub fn new(limits: DownloadLimits, names: Template) -> Self {
        Self { limits, names, fetcher: OnceCell::new() }
    }

    /// How files are called.
    #[must_use]
    pub fn names(&self) -> &Template {
        &self.names
    }

    /// The fetcher.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn fetcher(&self) -> Result<&Fetcher, Problem> {
        let limits = self.limits;
        let made = self.fetcher.get_or_init(|| async move {
            match tokio::task::spawn_blocking(move || Fetcher::new(limits)).await {
                Ok(fetcher) => fetcher.map_err(|why| Problem::Local { message: why.to_string() }),
                Err(_) => Err(Problem::Local { message: "the network client could not be made".to_owned() }),
            }
        });
        made.await.as_ref().map_err(Clone::clone)
    }
}

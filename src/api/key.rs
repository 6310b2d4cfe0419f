//! The two things the user tells us about the service: the API key and the base address.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::domain::Fingerprint;

/// Longest key accepted, in bytes.
const MAX_KEY: usize = 512;
/// Rounds of a name: trying keys against one costs as much each time.
const ROUNDS: usize = 4096;

/// The API key. It never prints: `Debug` and `Display` say `ApiKey(hidden)`.
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// Why text is not an API key. The sentences never hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Nothing there.
    #[error("the API key is empty")]
    Empty,
    /// Longer than any key.
    #[error("the API key is {0} bytes long; at most {MAX_KEY} make sense")]
    TooLong(usize),
    /// The `Bearer` of the header was copied along.
    #[error("the API key begins with \"Bearer\"; give the key alone")]
    Bearer,
    /// The quotation marks of a settings file were copied along.
    #[error("the API key is in quotation marks; give it without them")]
    Quoted,
    /// A space or tab in the middle.
    #[error("the API key has a space in it, at character {0}")]
    Space(usize),
    /// A line break in the middle.
    #[error("the API key has a line break in it, at character {0}; is it more than one key?")]
    Newline(usize),
    /// Another control character.
    #[error("the API key has a control character in it, at character {0}")]
    Control(usize),
    /// A character outside ASCII.
    #[error("the API key has a character in it that is not ASCII, at character {0}")]
    NotAscii(usize),
}

impl ApiKey {
    /// Takes a key from what the user gave; surrounding white space is dropped.
    ///
    /// # Errors
    /// When it cannot be a key. Nothing in it could add a header or a line to a request.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadKey::Empty);
        }
        if text.len() > MAX_KEY {
            return Err(BadKey::TooLong(text.len()));
        }
        if text.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case("bearer")) {
            return Err(BadKey::Bearer);
        }
        if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
            return Err(BadKey::Quoted);
        }
        for (at, c) in text.chars().enumerate() {
            match c {
                ' ' | '\t' => return Err(BadKey::Space(at + 1)),
                '\n' | '\r' => return Err(BadKey::Newline(at + 1)),
                c if !c.is_ascii() => return Err(BadKey::NotAscii(at + 1)),
                c if c.is_control() => return Err(BadKey::Control(at + 1)),
                _ => {}
            }
        }
        Ok(Self(SecretString::from(text)))
    }

    /// Whether the text holds the key, as a prompt should not.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        text.contains(self.0.expose_secret())
    }

    /// What the key is known by where it must not be itself: in a prompt that is being typed.
    #[must_use]
    pub fn fingerprint(&self, salt: u128) -> Fingerprint {
        Fingerprint::of(self.0.expose_secret(), salt)
    }

    /// A name for the key that cannot be turned back into it: sixteen hex digits that depend on the salt. Two keys
    /// with the same name are the same key.
    #[must_use]
    pub fn name(&self, salt: &[u8]) -> String {
        use sha2::{Digest, Sha256};
        let mut name = Sha256::new().chain_update(salt).chain_update(self.0.expose_secret()).finalize();
        for _ in 0..ROUNDS {
            name = Sha256::new().chain_update(salt).chain_update(name).finalize();
        }
        super::place::hex(&name[..8])
    }

    /// The value of the `Authorization` header, marked so that libraries do not print it.
    pub(super) fn bearer(&self) -> HeaderValue {
        // Visible ASCII was checked by `parse`, so this cannot fail; an empty value would merely be refused.
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret()))
            .unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

/// Why text is not a base address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBaseUrl {
    /// It cannot be read as a URL.
    #[error("the base address is not a URL; it looks like {}", crate::config::DEFAULT_BASE_URL)]
    NotAUrl,
    /// The key would travel in the clear.
    #[error("the base address must begin with https:// (http:// only for this machine itself)")]
    NotHttps,
    /// `user:password@` in it.
    #[error("the base address must not hold a user name or password")]
    Userinfo,
    /// `?…` or `#…` at its end.
    #[error("the base address must not hold \"?\" or \"#\"")]
    Query,
}

/// Reads a base address, with or without `/v1` and trailing slashes \[C\]. The result ends with `/`, before `v1`.
///
/// # Errors
/// When it is no URL, or not https while its host is another machine, or holds more than scheme, host and path.
pub fn base_url(text: &str) -> Result<Url, BadBaseUrl> {
    let mut url = Url::parse(text.trim()).map_err(|_| BadBaseUrl::NotAUrl)?;
    match url.scheme() {
        "https" => {}
        "http" if url.host().is_some_and(|host| is_loopback(&host)) => {}
        // "localhost:8080" parses, with the scheme "localhost".
        _ if url.cannot_be_a_base() => return Err(BadBaseUrl::NotAUrl),
        _ => return Err(BadBaseUrl::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadBaseUrl::Userinfo);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BadBaseUrl::Query);
    }
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/');
    let path = format!("{path}/");
    url.set_path(&path);
    Ok(url)
}

/// Whether the host is this machine itself, by its name or address alone.
pub(super) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(name) => {
            let name = name.as_ref().trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_trimmed_and_checked() {
        assert!(ApiKey::parse("  sk-abc_123.DEF\n").is_ok());
        let long = "k".repeat(513);
        for (text, why) in [
            ("", BadKey::Empty),
            (" \r\n", BadKey::Empty),
            ("Bearer sk-1", BadKey::Bearer),
            ("\"sk-1\"", BadKey::Quoted),
            ("sk 1", BadKey::Space(3)),
            ("sk\t1", BadKey::Space(3)),
            ("sk\n1", BadKey::Newline(3)),
            ("sk\r\nX-Evil: 1", BadKey::Newline(3)),
            ("sk\u{7}1", BadKey::Control(3)),
            ("sk\u{7f}1", BadKey::Control(3)),
            ("skä1", BadKey::NotAscii(3)),
            (&long, BadKey::TooLong(513)),
        ] {
            assert_eq!(ApiKey::parse(text).map(|_| ()), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_key_never_prints() {
        let key = ApiKey::parse("sk-canary").expect("a key");
        let shown = format!("{key} {key:?} {:?} {:?}", key.bearer(), ApiKey::parse("sk-canary\u{7}x"));
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(key.to_string(), "ApiKey(hidden)");
        assert!(key.is_in("a fox sk-canary in snow") && !key.is_in("a fox"));
        assert_eq!(key.bearer().as_bytes(), b"Bearer sk-canary");
    }

    #[test]
    fn base_addresses() {
        for (text, expected) in [
            ("https://api.hiapi.ai", Ok("https://api.hiapi.ai/")),
            (" https://api.hiapi.ai/v1\n", Ok("https://api.hiapi.ai/")),
            ("https://api.hiapi.ai///", Ok("https://api.hiapi.ai/")),
            ("https://api.hiapi.ai/v1//", Ok("https://api.hiapi.ai/")),
            ("https://proxy.example/hiapi/v1/", Ok("https://proxy.example/hiapi/")),
            ("http://127.0.0.1:8080/v1", Ok("http://127.0.0.1:8080/")),
            ("http://127.9.9.9", Ok("http://127.9.9.9/")),
            ("http://[::1]:80", Ok("http://[::1]/")),
            ("http://localhost:3000", Ok("http://localhost:3000/")),
            ("http://api.hiapi.ai", Err(BadBaseUrl::NotHttps)),
            ("http://10.0.0.1", Err(BadBaseUrl::NotHttps)),
            ("http://localhost.example", Err(BadBaseUrl::NotHttps)),
            ("ftp://127.0.0.1", Err(BadBaseUrl::NotHttps)),
            ("file:///etc/passwd", Err(BadBaseUrl::NotHttps)),
            ("localhost:8080", Err(BadBaseUrl::NotAUrl)),
            ("api.hiapi.ai", Err(BadBaseUrl::NotAUrl)),
            ("", Err(BadBaseUrl::NotAUrl)),
            ("https://", Err(BadBaseUrl::NotAUrl)),
            ("https://u:p@api.hiapi.ai", Err(BadBaseUrl::Userinfo)),
            ("https://u@api.hiapi.ai", Err(BadBaseUrl::Userinfo)),
            ("https://api.hiapi.ai?x=1", Err(BadBaseUrl::Query)),
            ("https://api.hiapi.ai/#v1", Err(BadBaseUrl::Query)),
        ] {
            assert_eq!(base_url(text).as_ref().map(Url::as_str).map_err(Clone::clone), expected, "{text}");
        }
    }
}

//! The address of the receiver: a path nobody can guess, made once for a data directory, and the public URL with it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use url::{Host, Url};

/// Where the unguessable part is kept in the data directory.
const FILE: &str = "webhook-path";
const BEGINNING: &str = "/hooks/";
/// 128 bits in hex.
const DIGITS: usize = 32;

/// The path that callbacks come to. Whoever knows it can make the receiver work, so it does not print by itself.
#[derive(Clone, PartialEq, Eq)]
pub struct HookPath(String);

/// Why text is not the public address of the receiver. The sentences never hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCallbackUrl {
    /// It cannot be read as a URL.
    #[error("it is not a URL; it looks like https://hooks.example.org")]
    NotAUrl,
    /// Outputs' links would travel in the clear.
    #[error("it must begin with https:// (http:// only for this machine itself, where the simulated service is)")]
    NotHttps,
    /// `user:password@`, `?…` or `#…` in it.
    #[error("it must not hold a user name, a password, \"?\" or \"#\"")]
    Extras,
}

impl HookPath {
    /// The path of this data directory: read, or made of `bits` if there is none yet.
    ///
    /// # Errors
    /// When the file can be neither read nor made.
    pub fn open(data: &Path, bits: u128) -> io::Result<Self> {
        let file = data.join(FILE);
        if let Some(path) = read(&file)? {
            return Ok(path);
        }
        fs::create_dir_all(data)?;
        // Two programs may do this at once: each writes its own whole file, the first to link it wins.
        let own = data.join(format!(".{FILE}-{bits:032x}"));
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&own)?;
        let written = made.write_all(format!("{bits:032x}\n").as_bytes()).and_then(|()| made.sync_all());
        let linked = written.and_then(|()| fs::hard_link(&own, &file));
        let _ = fs::remove_file(&own);
        match linked {
            Err(why) if why.kind() != io::ErrorKind::AlreadyExists => return Err(why),
            _ => {}
        }
        read(&file)?.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no path; remove it"))
    }

    /// The path, to register it and to compare with. Never to be logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request came to this path. What a proxy leaves before it does not matter: the unguessable part does.
    /// The time it takes tells nothing of where the difference lies.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        let (path, own) = (path.as_bytes(), self.0.as_bytes());
        let Some(start) = path.len().checked_sub(own.len()) else { return false };
        path[start..].iter().zip(own).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
    }

    /// The URL that the service calls: the public base with this path, unless it ends in it already.
    ///
    /// # Errors
    /// When the base is no address that callbacks may come to.
    pub fn public(&self, base: &str) -> Result<Url, BadCallbackUrl> {
        let mut url = Url::parse(base.trim()).map_err(|_| BadCallbackUrl::NotAUrl)?;
        let here = match url.host() {
            None => return Err(BadCallbackUrl::NotAUrl),
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && here) {
            return Err(BadCallbackUrl::NotHttps);
        }
        let userinfo = !url.username().is_empty() || url.password().is_some();
        if userinfo || url.query().is_some() || url.fragment().is_some() {
            return Err(BadCallbackUrl::Extras);
        }
        if !self.is(url.path()) {
            let path = format!("{}{}", url.path().trim_end_matches('/'), self.0);
            url.set_path(&path);
        }
        Ok(url)
    }
}

impl fmt::Debug for HookPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookPath(hidden)")
    }
}

fn read(file: &Path) -> io::Result<Option<HookPath>> {
    match fs::read_to_string(file) {
        Ok(text) => {
            let text = text.trim();
            let whole = text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            Ok(whole.then(|| HookPath(format!("{BEGINNING}{text}"))))
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn path() -> HookPath {
        HookPath(format!("{BEGINNING}{:032x}", 0xfeed))
    }

    #[test]
    fn it_is_made_once_and_for_this_user_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let first = HookPath::open(&data, 7).expect("made");
        assert_eq!(first.as_str(), format!("/hooks/{:032x}", 7));
        assert_eq!(HookPath::open(&data, 8).expect("read"), first);
        let about = fs::metadata(data.join(FILE)).expect("a file");
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).expect("a folder").count(), 1, "nothing else is left there");
        assert_eq!(format!("{first:?}"), "HookPath(hidden)");
    }

    #[test]
    fn a_damaged_file_is_said_and_not_replaced() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join(FILE), "x").expect("written");
        assert!(HookPath::open(dir.path(), 7).is_err());
    }

    #[test]
    fn the_public_address_ends_in_it() {
        let whole = format!("/hooks/{:032x}", 0xfeed);
        for (base, expected) in [
            ("https://h.example", Ok(format!("https://h.example{whole}"))),
            ("https://h.example/a/", Ok(format!("https://h.example/a{whole}"))),
            (&format!("https://h.example/a{whole}"), Ok(format!("https://h.example/a{whole}"))),
            ("http://127.0.0.1:8787", Ok(format!("http://127.0.0.1:8787{whole}"))),
            ("http://h.example", Err(BadCallbackUrl::NotHttps)),
            ("ftp://h.example", Err(BadCallbackUrl::NotHttps)),
            ("h.example", Err(BadCallbackUrl::NotAUrl)),
            ("https://u:p@h.example", Err(BadCallbackUrl::Extras)),
            ("https://h.example/?a=b", Err(BadCallbackUrl::Extras)),
        ] {
            assert_eq!(path().public(base).map(String::from), expected, "{base}");
        }
    }

    #[test]
    fn only_the_whole_path_is_it() {
        let own = path();
        assert!(own.is(own.as_str()) && own.is(&format!("/behind/a/proxy{}", own.as_str())));
        for other in ["", "/", "/hooks/", &own.as_str()[1..], &format!("{}/", own.as_str()), "/hooks/feed"] {
            assert!(!own.is(other), "{other}");
        }
    }
}

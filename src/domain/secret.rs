//! Text that must never be printed, and how to know it again without having it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A secret on its way from the keyboard or the environment to the one place that uses it.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret; the memory is wiped when it is dropped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The secret itself. Never to be logged, shown, stored, or sent to any host but the API's.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// Hashes are counted modulo this prime.
const PRIME: u128 = (1 << 61) - 1;

/// What a secret is known by where the secret itself should not be: its length and a salted hash, which move over a
/// text letter by letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    length: usize,
    base: u128,
    hash: u128,
    /// What a letter that leaves the window counted.
    leaving: u128,
}

impl Fingerprint {
    /// Of a secret; the salt is a random number. An empty secret is found nowhere.
    #[must_use]
    pub fn of(secret: &str, salt: u128) -> Self {
        // Small bases would let short secrets keep their letters.
        let base = salt % (PRIME - (1 << 32)) + (1 << 32);
        let hash = secret.bytes().fold(0, |hash, byte| (hash * base + u128::from(byte) + 1) % PRIME);
        let leaving = (1..secret.len()).fold(1, |power, _| power * base % PRIME);
        Self { length: secret.len(), base, hash, leaving }
    }

    /// Bytes of the secret.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Where the secret stands in a text.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let bytes = text.as_bytes();
        if self.length == 0 || bytes.len() < self.length {
            return None;
        }
        let mut hash = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(gone) = at.checked_sub(self.length).and_then(|left| bytes.get(left)) {
                hash = (hash + PRIME - (u128::from(*gone) + 1) * self.leaving % PRIME) % PRIME;
            }
            hash = (hash * self.base + u128::from(*byte) + 1) % PRIME;
            let end = at + 1;
            if end >= self.length && hash == self.hash && text.is_char_boundary(end - self.length) {
                return Some(end - self.length..end);
            }
        }
        None
    }

    /// The text with a stand-in wherever the secret stood.
    #[must_use]
    pub fn taken_out(&self, text: &str) -> Option<String> {
        let (mut rest, mut clean) = (text, String::new());
        while let Some(found) = self.find(rest) {
            clean.push_str(&rest[..found.start]);
            clean.push_str("[API key]");
            rest = &rest[found.end..];
        }
        (rest.len() < text.len()).then(|| clean + rest)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands_and_nowhere_else() {
        for salt in [0, 1, u128::MAX, 0x1234_5678_9abc_def0] {
            let print = Fingerprint::of("sk-canary-0123", salt);
            assert_eq!(print.find("sk-canary-0123"), Some(0..14));
            assert_eq!(print.find("ein Füchslein sk-canary-0123."), Some(15..29));
            for other in ["", "sk-canary-012", "sk-canary-0124", "k-canary-0123s", "\u{1F98A}"] {
                assert_eq!(print.find(other), None, "{other}");
            }
            assert_eq!(print.taken_out("a sk-canary-0123sk-canary-0123 b").as_deref(), Some("a [API key][API key] b"));
            assert_eq!(print.taken_out("a fox"), None);
            assert!(!format!("{print:?}").contains(char::is_numeric));
        }
        assert_eq!(Fingerprint::of("", 7).find("a fox"), None);
    }
}

//! Whether a callback is from the service: its signature over the raw bytes, and its age.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// How far the time stamp may lie from our clock, in seconds, both ways \[D\].
pub const TOLERANCE: i64 = 300;
/// Characters of a secret \[D\].
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=256;
/// More current secrets than a rotation ever needs.
const MOST: usize = 8;

/// The secrets that callbacks may be signed with at present: one, or several while one replaces another. They never
/// print.
#[derive(Clone, Default)]
pub struct WebhookSecrets(Vec<SecretString>);

/// Why text is not a list of secrets. The sentences never hold the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Shorter or longer than the service allows \[D\].
    #[error("secret {0} has {1} characters; the service's have 16 to 256")]
    Length(usize, usize),
    /// A list without an end.
    #[error("there are more than {MOST} secrets in it")]
    TooMany,
}

/// Why a callback is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It carries no signature.
    #[error("it is not signed")]
    Unsigned,
    /// One of the two headers is missing, comes twice or has another form than the documented one.
    #[error("its signature is not of the documented form")]
    Form,
    /// It is signed, and there is no secret here to check it with: a mistake in the configuration \[C\].
    #[error("it is signed, but no secret is configured here")]
    NoSecret,
    /// No current secret makes this signature.
    #[error("its signature is wrong")]
    Wrong,
    /// Well signed, but for another time: a repetition, or one of the clocks is wrong. Seconds; positive when our
    /// clock is ahead.
    #[error("its time stamp is {0} seconds behind our clock")]
    Stale(i64),
}

impl WebhookSecrets {
    /// Reads secrets separated by commas; none in empty text.
    ///
    /// # Errors
    /// When one of them cannot be a secret of the service.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        let mut secrets = Vec::new();
        for (number, secret) in (1..).zip(text.split(',').map(str::trim).filter(|secret| !secret.is_empty())) {
            let length = secret.chars().count();
            if !LENGTHS.contains(&length) {
                return Err(BadSecret::Length(number, length));
            }
            if number > MOST {
                return Err(BadSecret::TooMany);
            }
            secrets.push(SecretString::from(secret));
        }
        Ok(Self(secrets))
    }

    /// None is configured: callbacks are only hints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks a callback: `X-HiAPI-Signature` is the HMAC-SHA-256 of `timestamp.body` as 64 lower-case hex digits,
    /// without a prefix \[D\]. Each header is given as often as it came; `now` in Unix seconds.
    ///
    /// # Errors
    /// Why it is not believed. The signature is checked before the age, so that an age is the service's own word.
    pub fn verify(&self, timestamps: &[&[u8]], signatures: &[&[u8]], body: &[u8], now: i64) -> Result<(), Unproven> {
        let (timestamp, signature) = match (timestamps, signatures) {
            ([], []) => return Err(Unproven::Unsigned),
            _ if self.0.is_empty() => return Err(Unproven::NoSecret),
            ([timestamp], [signature]) => (*timestamp, *signature),
            _ => return Err(Unproven::Form),
        };
        let at = seconds(timestamp).ok_or(Unproven::Form)?;
        let tag = unhex(signature).ok_or(Unproven::Form)?;
        if !self.0.iter().any(|secret| signs(secret, timestamp, body, &tag)) {
            return Err(Unproven::Wrong);
        }
        let behind = now.saturating_sub(at);
        if (-TOLERANCE..=TOLERANCE).contains(&behind) { Ok(()) } else { Err(Unproven::Stale(behind)) }
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecrets({} hidden)", self.0.len())
    }
}

fn signs(secret: &SecretString, timestamp: &[u8], body: &[u8], tag: &[u8; 32]) -> bool {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    mac.update(timestamp);
    mac.update(b".");
    mac.update(body);
    // In constant time.
    mac.verify_slice(tag).is_ok()
}

/// Decimal text, nothing else: no sign, no space.
fn seconds(text: &[u8]) -> Option<i64> {
    let decimal = (1..=12).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    decimal.then(|| text.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// 64 lower-case hex digits.
fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut tag = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in tag.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_test_key_0123456789";
    const AT: i64 = 1_777_282_061;
    const BODY: &[u8] = br#"{"taskId":"tk-hiapi-TEST","model":"Nano-Banana","status":"success","created":1777282033,"completed":1777282061,"output":[]}"#;
    const SIGNATURE: &[u8] = b"f1f079d63cbf1c2077f6cd1164fdea8126f478b2766f9e67adb87c70dca560d8";

    fn check(secrets: &str, timestamp: &[u8], signature: &[u8], body: &[u8], now: i64) -> Result<(), Unproven> {
        WebhookSecrets::parse(secrets).expect("secrets").verify(&[timestamp], &[signature], body, now)
    }

    #[test]
    fn the_test_vector_verifies() {
        assert_eq!(check(SECRET, b"1777282061", SIGNATURE, BODY, AT), Ok(()));
    }

    #[test]
    fn any_current_secret_will_do() {
        let rotation = format!("whsec_another_one_42, {SECRET},");
        assert_eq!(check(&rotation, b"1777282061", SIGNATURE, BODY, AT), Ok(()));
        assert_eq!(check("whsec_another_one_42", b"1777282061", SIGNATURE, BODY, AT), Err(Unproven::Wrong));
    }

    #[test]
    fn the_time_counts_both_ways() {
        for (now, expected) in [
            (AT + 300, Ok(())),
            (AT - 300, Ok(())),
            (AT + 301, Err(Unproven::Stale(301))),
            (AT - 301, Err(Unproven::Stale(-301))),
        ] {
            assert_eq!(check(SECRET, b"1777282061", SIGNATURE, BODY, now), expected, "{now}");
        }
    }

    #[test]
    fn another_byte_another_signature() {
        let reordered = [BODY, b" "].concat();
        assert_eq!(check(SECRET, b"1777282061", SIGNATURE, &reordered, AT), Err(Unproven::Wrong));
        assert_eq!(check(SECRET, b"1777282062", SIGNATURE, BODY, AT), Err(Unproven::Wrong));
        assert_eq!(check(SECRET, b"01777282061", SIGNATURE, BODY, AT), Err(Unproven::Wrong));
    }

    #[test]
    fn only_the_documented_form_is_read() {
        let upper = SIGNATURE.to_ascii_uppercase();
        let prefixed = [b"sha256=", SIGNATURE].concat();
        for signature in [&upper[..], &prefixed, &SIGNATURE[1..], b"", &[b'g'; 64]] {
            assert_eq!(check(SECRET, b"1777282061", signature, BODY, AT), Err(Unproven::Form));
        }
        for timestamp in [&b""[..], b"-1", b"+1777282061", b" 1777282061", b"1777282061.0", b"9999999999999"] {
            assert_eq!(check(SECRET, timestamp, SIGNATURE, BODY, AT), Err(Unproven::Form));
        }
    }

    #[test]
    fn headers_come_once_and_together() {
        let secrets = WebhookSecrets::parse(SECRET).expect("a secret");
        let (at, tag) = (&b"1777282061"[..], SIGNATURE);
        for (timestamps, signatures, why) in [
            (&[][..], &[][..], Unproven::Unsigned),
            (&[at][..], &[][..], Unproven::Form),
            (&[][..], &[tag][..], Unproven::Form),
            (&[at][..], &[tag, tag][..], Unproven::Form),
            (&[at, at][..], &[tag][..], Unproven::Form),
        ] {
            assert_eq!(secrets.verify(timestamps, signatures, BODY, AT), Err(why));
        }
        let none = WebhookSecrets::default();
        assert_eq!(none.verify(&[], &[], BODY, AT), Err(Unproven::Unsigned));
        assert_eq!(none.verify(&[at], &[tag], BODY, AT), Err(Unproven::NoSecret));
        assert_eq!(none.verify(&[], &[tag], BODY, AT), Err(Unproven::NoSecret));
    }

    #[test]
    fn secrets_have_a_length_and_never_print() {
        assert!(WebhookSecrets::parse(" , ").expect("none").is_empty());
        assert_eq!(WebhookSecrets::parse("short").map(|_| ()), Err(BadSecret::Length(1, 5)));
        let long = format!("{SECRET},{}", "x".repeat(257));
        assert_eq!(WebhookSecrets::parse(&long).map(|_| ()), Err(BadSecret::Length(2, 257)));
        let many = [SECRET; 9].join(",");
        assert_eq!(WebhookSecrets::parse(&many).map(|_| ()), Err(BadSecret::TooMany));
        let shown = format!("{:?}", WebhookSecrets::parse(SECRET));
        assert!(!shown.contains("whsec"), "{shown}");
    }
}

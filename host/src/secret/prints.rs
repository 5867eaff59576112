//! Masks values that are no longer there: what is kept of each is its length and a keyed hash.
//!
//! The journal masks secrets in commands for as long as the process lives, long after the sessions that used them have ended. It must not
//! be the reason why their values stay in memory.

use std::hash::{BuildHasher, RandomState};

use super::Secret;
use super::redact::MASKED_MIN_BYTES;

/// Replaces each occurrence of a known value by `[secret:NAME]`: the leftmost first, and of several the longest.
#[derive(Debug, Clone, Default)]
pub struct Prints {
    /// Random for each process, so that a hash tells nothing elsewhere.
    key: RandomState,
    known: Vec<Print>,
}

#[derive(Debug, Clone)]
struct Print {
    length: usize,
    hash: u64,
    mask: Vec<u8>,
}

impl Prints {
    /// Masks this value from now on. A value that is known already keeps its first name. Says whether it is new.
    pub fn learn(&mut self, name: &str, secret: &Secret) -> bool {
        let (length, hash) = (secret.expose().len(), self.key.hash_one(secret.expose()));
        if length < MASKED_MIN_BYTES || self.known.iter().any(|print| (print.length, print.hash) == (length, hash)) {
            return false;
        }
        self.known.push(Print { length, hash, mask: format!("[secret:{name}]").into_bytes() });
        // The longest first, so that the first hit is the longest.
        self.known.sort_by_key(|print| std::cmp::Reverse(print.length));
        true
    }

    /// Masks a text. The time it takes grows with its length and the number of values: it is for short ones, such as commands.
    #[must_use]
    pub fn whole(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((byte, behind)) = rest.split_first() {
            match self.known.iter().find(|print| self.fits(print, rest)) {
                Some(print) => {
                    out.extend_from_slice(&print.mask);
                    rest = rest.get(print.length..).unwrap_or_default();
                }
                None => {
                    out.push(*byte);
                    rest = behind;
                }
            }
        }
        out
    }

    fn fits(&self, print: &Print, rest: &[u8]) -> bool {
        rest.get(..print.length).is_some_and(|part| self.key.hash_one(part) == print.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::super::redact::Redactor;
    use super::*;

    #[test]
    fn it_masks_what_the_redactor_masks() {
        let secrets = [("short", "abcd"), ("long", "abcdefgh"), ("pin", "123"), ("again", "abcd"), ("umlaut", "grün!")];
        let (mut prints, mut redactor) = (Prints::default(), Redactor::default());
        for (name, value) in secrets {
            let secret = Secret::from_bytes(value.as_bytes().to_vec());
            assert_eq!(prints.learn(name, &secret), redactor.learn(name, &secret), "{name}");
        }
        for text in ["", "abcd", "x abcdabcdefgh abcdef abc 1234", "grün! gr\u{fc}n", "abcabcabcd"] {
            assert_eq!(prints.whole(text.as_bytes()), redactor.whole(text.as_bytes()), "{text}");
        }
    }
}

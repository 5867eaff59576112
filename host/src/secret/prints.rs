//! Masks values that are no longer there: what is kept of each is its length and a keyed hash.
//!
//! The journal masks secrets in commands for as long as the process lives, long after the sessions that used them have ended. It must not
//! be the reason why their values stay in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::Secret;
use super::redact::MASKED_MIN_BYTES;

/// Replaces each occurrence of a known value by `[secret:NAME]`: the leftmost first, and of several the longest.
#[derive(Debug, Clone, Default)]
pub struct Prints {
    /// Random for each process, so that a hash tells nothing elsewhere.
    key: RandomState,
    /// By length, the longest first, so that the first hit is the longest. There may be thousands of values, and they have few lengths.
    known: BTreeMap<Reverse<usize>, HashMap<u64, Print>>,
    /// How many were ever learned.
    count: usize,
}

#[derive(Debug, Clone)]
struct Print {
    /// How many were known before.
    number: usize,
    mask: Vec<u8>,
}

impl Prints {
    /// Masks this value from now on. A value that is known already keeps its first name. Says whether it is new.
    pub fn learn(&mut self, name: &str, secret: &Secret) -> bool {
        let (length, hash) = (secret.expose().len(), self.key.hash_one(secret.expose()));
        if length < MASKED_MIN_BYTES || self.known.get(&Reverse(length)).is_some_and(|known| known.contains_key(&hash)) {
            return false;
        }
        let print = Print { number: self.count, mask: format!("[secret:{name}]").into_bytes() };
        self.known.entry(Reverse(length)).or_default().insert(hash, print);
        self.count += 1;
        true
    }

    /// How many values are masked.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The values that were learned when so many were known already.
    #[must_use]
    pub fn behind(&self, count: usize) -> Self {
        let mut later = self.clone();
        later.known.retain(|_, known| {
            known.retain(|_, print| print.number >= count);
            !known.is_empty()
        });
        later
    }

    /// Masks a text. The time it takes grows with its length and the number of lengths that values have: it is for short ones, such as
    /// commands.
    #[must_use]
    pub fn whole(&self, text: &[u8]) -> Vec<u8> {
        if self.known.is_empty() {
            return text.to_vec();
        }
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((byte, behind)) = rest.split_first() {
            match self.at_beginning(rest) {
                Some((length, print)) => {
                    out.extend_from_slice(&print.mask);
                    rest = rest.get(length..).unwrap_or_default();
                }
                None => {
                    out.push(*byte);
                    rest = behind;
                }
            }
        }
        out
    }

    /// The longest value that the text begins with, and its length.
    fn at_beginning(&self, text: &[u8]) -> Option<(usize, &Print)> {
        self.known.iter().find_map(|(Reverse(length), known)| Some((*length, known.get(&self.key.hash_one(text.get(..*length)?))?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::redact::Redactor;
    use super::*;

    #[test]
    fn what_was_learned_later_is_masked_alone() {
        let mut prints = Prints::default();
        for (name, value) in [("short", "abcd"), ("again", "abcd"), ("long", "abcdefgh"), ("other", "wxyz")] {
            prints.learn(name, &Secret::from_bytes(value.as_bytes().to_vec()));
        }
        assert_eq!(prints.count(), 3);
        let masked = |count: usize| String::from_utf8(prints.behind(count).whole(b"abcd wxyz abcdefgh")).unwrap();
        assert_eq!(masked(0), "[secret:short] [secret:other] [secret:long]");
        assert_eq!(masked(1), "abcd [secret:other] [secret:long]");
        assert_eq!(masked(2), "abcd [secret:other] abcdefgh");
        assert_eq!(masked(3), "abcd wxyz abcdefgh");
    }

    /// With as many devices there are as many passwords, and a command is masked before it is typed.
    #[test]
    fn thousands_of_values_cost_no_more_than_their_lengths() {
        let mut prints = Prints::default();
        for number in 0..5000 {
            prints.learn("login", &Secret::from_bytes(format!("password-{number:04}").into_bytes()));
        }
        assert_eq!((prints.count(), prints.known.len()), (5000, 1));
        assert_eq!(prints.whole(b"a password-0042 b"), b"a [secret:login] b");
    }

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

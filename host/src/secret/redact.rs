//! Masks secrets in a stream of bytes.
//!
//! The runtime knows exactly what it typed, so it looks for exactly that: no patterns, no guesses. The result does not
//! depend on how the stream is cut into chunks.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::Secret;

/// Shorter secrets are not searched for: three letters turn up by chance everywhere, so masking them would damage
/// ordinary output, and each mask would tell the reader where the letters of the secret stand.
pub const MASKED_MIN_BYTES: usize = 4;

/// Replaces each occurrence of a known secret by `[secret:NAME]`: the leftmost first, and of several the longest.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds secrets, which must not be printable")]
pub struct Redactor {
    secrets: Vec<Known>,
    /// For each byte, whether a secret begins with it.
    first: [bool; 256],
    /// The end of the stream, as long as it may be the start of a secret. Never as long as the longest secret.
    held: Zeroizing<Vec<u8>>,
    /// How many bytes of `held` a flush has given out already.
    shown: usize,
}

#[derive(Clone)]
struct Known {
    value: Zeroizing<Vec<u8>>,
    mask: Vec<u8>,
}

/// What stands at a place of the stream.
enum Here<'a> {
    /// No secret begins here.
    Plain,
    /// A secret may begin here, but the stream ends before that is certain.
    Open,
    /// A secret of this length, and what to show for it.
    Secret(usize, &'a [u8]),
}

impl Default for Redactor {
    fn default() -> Self {
        Self { secrets: Vec::new(), first: [false; 256], held: Zeroizing::default(), shown: 0 }
    }
}

impl Redactor {
    /// Masks this value from now on. A value that is known already keeps its first name. Says whether it is new.
    pub fn learn(&mut self, name: &str, secret: &Secret) -> bool {
        let value = secret.expose();
        if value.len() < MASKED_MIN_BYTES || self.secrets.iter().any(|known| known.value.as_slice() == value) {
            return false;
        }
        if let Some(first) = value.first().and_then(|byte| self.first.get_mut(usize::from(*byte))) {
            *first = true;
        }
        self.secrets.push(Known { value: Zeroizing::new(value.to_vec()), mask: format!("[secret:{name}]").into_bytes() });
        // The longest first, so that the first hit is the longest.
        self.secrets.sort_by_key(|known| std::cmp::Reverse(known.value.len()));
        true
    }

    /// Takes the next bytes of the stream and gives what may be shown. Borrowed when there was nothing to change.
    pub fn push<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, [u8]> {
        if !self.held.is_empty() {
            let mut joined = std::mem::take(&mut self.held);
            joined.reserve_exact(chunk.len());
            joined.extend_from_slice(chunk);
            return Cow::Owned(self.mask(&joined));
        }
        match self.next_hit(chunk, 0) {
            None => Cow::Borrowed(chunk),
            Some((at, Here::Open)) => {
                let (clear, open) = chunk.split_at(at);
                self.held = Zeroizing::new(open.to_vec());
                Cow::Borrowed(clear)
            }
            Some(_) => Cow::Owned(self.mask(chunk)),
        }
    }

    /// Gives out what is held back, because the line is quiet or at its end. A secret that goes on after this is
    /// still masked from here.
    pub fn flush(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
        while at < self.held.len() {
            let rest = self.held.get(at..).unwrap_or_default();
            match self.secrets.iter().find(|known| rest.starts_with(&known.value)) {
                Some(known) => {
                    emit(&mut out, &known.mask, at + known.value.len(), self.shown);
                    at += known.value.len();
                }
                None => {
                    emit(&mut out, rest.get(..1).unwrap_or_default(), at + 1, self.shown);
                    at += 1;
                }
            }
        }
        self.shown = self.held.len();
        out
    }

    /// Masks a text that is complete. The stream does not notice.
    pub fn whole(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((byte, behind)) = rest.split_first() {
            match self.secrets.iter().find(|known| rest.starts_with(&known.value)) {
                Some(known) => {
                    out.extend_from_slice(&known.mask);
                    rest = rest.get(known.value.len()..).unwrap_or_default();
                }
                None => {
                    out.push(*byte);
                    rest = behind;
                }
            }
        }
        out
    }

    /// Whether bytes are held back that a flush would give out.
    pub fn is_holding(&self) -> bool {
        self.held.len() > self.shown
    }

    /// Masks `stream`, of which the first `shown` bytes are out already, and holds its open end back.
    fn mask(&mut self, stream: &[u8]) -> Vec<u8> {
        let shown = std::mem::take(&mut self.shown);
        let mut out = Vec::with_capacity(stream.len());
        let mut at = 0;
        let mut held = Vec::new();
        while at < stream.len() {
            let hit = self.next_hit(stream, at);
            let end = hit.as_ref().map_or(stream.len(), |(hit_at, _)| *hit_at);
            out.extend_from_slice(stream.get(at.max(shown)..end).unwrap_or_default());
            at = end;
            match hit {
                Some((_, Here::Secret(length, mask))) => {
                    at += length;
                    emit(&mut out, mask, at, shown);
                }
                Some((_, Here::Open)) => {
                    held = stream.get(at..).unwrap_or_default().to_vec();
                    self.shown = shown.saturating_sub(at);
                    break;
                }
                Some((_, Here::Plain)) | None => {}
            }
        }
        self.held = Zeroizing::new(held);
        out
    }

    /// The first place from `from` on where a secret stands or may begin.
    fn next_hit(&self, stream: &[u8], from: usize) -> Option<(usize, Here<'_>)> {
        if self.secrets.is_empty() {
            return None;
        }
        let mut at = from;
        loop {
            let rest = stream.get(at..)?;
            at += rest.iter().position(|byte| self.first.get(usize::from(*byte)) == Some(&true))?;
            match self.here(stream.get(at..)?) {
                Here::Plain => at += 1,
                found => return Some((at, found)),
            }
        }
    }

    fn here(&self, rest: &[u8]) -> Here<'_> {
        for known in &self.secrets {
            if rest.starts_with(&known.value) {
                return Here::Secret(known.value.len(), &known.mask);
            }
            // A longer secret may still come: it decides before a shorter one that is already complete.
            if known.value.starts_with(rest) {
                return Here::Open;
            }
        }
        Here::Plain
    }
}

/// Appends what ends at `end`, unless it has been given out before.
fn emit(out: &mut Vec<u8>, text: &[u8], end: usize, shown: usize) {
    if end > shown {
        out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secrets: &[(&str, &str)]) -> Redactor {
        let mut redactor = Redactor::default();
        for (name, value) in secrets {
            redactor.learn(name, &Secret::from_bytes(value.as_bytes().to_vec()));
        }
        redactor
    }

    /// What comes out when the stream arrives in these chunks; `|` in a chunk stands for a flush.
    fn masked(secrets: &[(&str, &str)], chunks: &[&str]) -> String {
        let mut redactor = redactor(secrets);
        let mut out = Vec::new();
        for chunk in chunks {
            if *chunk == "|" {
                out.extend(redactor.flush());
            } else {
                out.extend_from_slice(&redactor.push(chunk.as_bytes()));
            }
        }
        out.extend(redactor.flush());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn each_occurrence_is_replaced_by_its_name() {
        let secrets = [("enable", "hunter2"), ("snmp", "public-ro")];
        assert_eq!(masked(&secrets, &["a hunter2 b public-ro hunter2"]), "a [secret:enable] b [secret:snmp] [secret:enable]");
        assert_eq!(masked(&secrets, &["hunter2hunter2"]), "[secret:enable][secret:enable]");
        assert_eq!(masked(&secrets, &["hunhunter2", "hunter", "hunter2"]), "hun[secret:enable]hunter[secret:enable]");
    }

    #[test]
    fn the_longest_of_several_secrets_wins() {
        let secrets = [("short", "abcd"), ("long", "abcdefgh")];
        assert_eq!(masked(&secrets, &["abcdefgh abcdef"]), "[secret:long] [secret:short]ef");
        assert_eq!(masked(&secrets, &["abcd"]), "[secret:short]");
        assert_eq!(masked(&secrets, &["abcdabcdefgh"]), "[secret:short][secret:long]");
    }

    #[test]
    fn a_complete_text_is_masked_to_its_end() {
        let redactor = redactor(&[("short", "abcd"), ("long", "abcdefgh")]);
        let whole = |text: &str| String::from_utf8_lossy(&redactor.whole(text.as_bytes())).into_owned();
        assert_eq!(whole("x abcdabcdefgh abcdef abc"), "x [secret:short][secret:long] [secret:short]ef abc");
    }

    #[test]
    fn only_a_possible_start_is_held_back() {
        let mut redactor = redactor(&[("enable", "hunter2")]);
        assert_eq!(&*redactor.push(b"show hun"), b"show ");
        assert!(redactor.is_holding());
        assert_eq!(&*redactor.push(b"t"), b"");
        assert_eq!(&*redactor.push(b"ing"), b"hunting");
        assert!(!redactor.is_holding());
        assert_eq!(&*redactor.push(b"h"), b"");
        assert_eq!(redactor.flush(), b"h");
        assert!(!redactor.is_holding());
        assert_eq!(redactor.flush(), b"");
    }

    #[test]
    fn nothing_is_copied_when_nothing_is_found() {
        let mut empty = Redactor::default();
        assert!(matches!(empty.push(b"anything"), Cow::Borrowed(_)));
        let mut redactor = redactor(&[("enable", "hunter2")]);
        assert!(matches!(redactor.push(b"nothing here, although h is in it"), Cow::Borrowed(_)));
        assert!(matches!(redactor.push(b"ends like hunt"), Cow::Borrowed(b"ends like ")));
    }

    #[test]
    fn a_secret_that_goes_on_after_a_flush_is_masked_from_there() {
        let secrets = [("short", "abcd"), ("long", "abcdefgh")];
        assert_eq!(masked(&secrets, &["x ab", "|", "cdefgh y"]), "x ab[secret:long] y");
        assert_eq!(masked(&secrets, &["abcd", "|", "efgh"]), "[secret:short][secret:long]");
        assert_eq!(masked(&secrets, &["abcd", "|", "ex"]), "[secret:short]ex");
        assert_eq!(masked(&secrets, &["ab", "|", "|", "ab", "|", "cd"]), "abab[secret:short]");
        assert_eq!(masked(&secrets, &["abc", "|", "d", "|", "e", "|", "f"]), "abc[secret:short]ef");
    }

    #[test]
    fn short_values_are_not_searched_for() {
        assert_eq!(masked(&[("pin", "123"), ("empty", "")], &["123 and 1234"]), "123 and 1234");
        assert_eq!(masked(&[("pin", "1234")], &["123 and 1234"]), "123 and [secret:pin]");
    }

    #[test]
    fn a_value_keeps_its_first_name() {
        assert_eq!(masked(&[("enable", "hunter2"), ("login", "hunter2")], &["hunter2"]), "[secret:enable]");
    }

    /// A small generator, so that a failing seed can be run again.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % sides as u64).unwrap_or(0)
        }

        /// Few different letters, so that secrets overlap and repeat.
        fn word(&mut self, length: usize) -> String {
            (0..length).map(|_| if self.roll(3) == 0 { 'b' } else { 'a' }).collect()
        }
    }

    /// The rule in its plainest form, on the whole text at once.
    fn expected(secrets: &[(&str, &str)], text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let hits = secrets.iter().filter(|(_, value)| value.len() >= MASKED_MIN_BYTES && rest.starts_with(value));
            // Of equal values the first one named counts.
            match hits.rev().max_by_key(|(_, value)| value.len()) {
                Some((name, value)) => {
                    out.extend(["[secret:", name, "]"]);
                    rest = rest.get(value.len()..).unwrap_or_default();
                }
                None => {
                    out.push(letter);
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
        out
    }

    #[test]
    fn any_cut_gives_the_same_result() {
        for seed in 1..=4_000_u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let lengths: Vec<usize> = (0..1 + dice.roll(4)).map(|_| 2 + dice.roll(7)).collect();
            let values: Vec<String> = lengths.into_iter().map(|length| dice.word(length)).collect();
            let names = ["one", "two", "three", "four"];
            let secrets: Vec<(&str, &str)> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
            let length = dice.roll(60);
            let text = dice.word(length);
            let mut chunks = Vec::new();
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(1 + dice.roll(rest.len()).min(dice.roll(9)));
                chunks.push(chunk);
                rest = after;
            }
            assert_eq!(masked(&secrets, &chunks), expected(&secrets, &text), "seed {seed}: {secrets:?} in {chunks:?}");
        }
    }

    #[test]
    fn a_flush_anywhere_never_lets_a_whole_secret_through() {
        for seed in 1..=2_000_u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let secrets = [("enable", "ABCDEF")];
            let text = ["ABC", "ABCDEF", "x", "ABCABCDEF"].map(|part| part.repeat(dice.roll(3))).concat();
            let mut chunks = Vec::new();
            for index in 0..text.len() {
                chunks.push(text.get(index..=index).unwrap_or_default());
                if dice.roll(3) == 0 {
                    chunks.push("|");
                }
            }
            let out = masked(&secrets, &chunks);
            assert!(!out.contains("ABCDEF"), "seed {seed}: {out} from {chunks:?}");
            assert_eq!(out.matches("[secret:").count(), text.matches("ABCDEF").count(), "seed {seed}: {out} from {chunks:?}");
        }
    }
}

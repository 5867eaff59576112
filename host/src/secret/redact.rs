//! Masks secrets in a stream of bytes.
//!
//! The runtime knows exactly what it typed, so it looks for exactly that: no patterns, no guesses. Colours and other control
//! sequences between its letters do not hide it; they stay, behind what is shown for it. The result does not depend on how the
//! stream is cut into chunks.

use std::borrow::Cow;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Secret;
use super::known::{DeviceMasks, Here, Known, Masked};
use super::through::covered;

/// Shorter secrets are not searched for: three letters turn up by chance everywhere, so masking them would damage
/// ordinary output, and each mask would tell the reader where the letters of the secret stand.
pub const MASKED_MIN_BYTES: usize = 4;

/// What stands for a letter that was given out before it was known to be one of a secret.
pub const COVER: u8 = b'*';

/// Replaces each occurrence of a known secret by `[secret:NAME]`: the leftmost first, and of several the longest.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "it holds secrets, which must not be printable")]
pub struct Redactor {
    known: Arc<Known>,
    /// Where others teach what is to be masked here too.
    shared: Option<Arc<DeviceMasks>>,
    /// The end of the stream, as long as it may be the start of a secret. Never as long as the longest secret with the longest gaps,
    /// see [`SECRET_GAP_MAX_BYTES`](crate::limits::SECRET_GAP_MAX_BYTES).
    held: Zeroizing<Vec<u8>>,
    /// How many bytes of `held` a flush has given out already.
    shown: usize,
    /// There were masks among these.
    shown_masked: bool,
    /// What is to stand for the last bytes that were given out.
    cover: Vec<u8>,
}

impl Redactor {
    /// One that masks what any session of the device teaches, from then on.
    #[must_use]
    pub fn sharing(masks: Arc<DeviceMasks>) -> Self {
        Self { known: masks.now(), shared: Some(masks), ..Self::default() }
    }

    /// Masks this value from now on. A value that is known already keeps its first name. Says whether it is new.
    pub fn learn(&mut self, name: &str, secret: &Secret) -> bool {
        match &self.shared {
            Some(shared) => shared.learn(name, secret),
            None => Arc::make_mut(&mut self.known).learn(name, secret),
        }
    }

    /// Takes what others have taught.
    fn refresh(&mut self) {
        if let Some(shared) = &self.shared
            && shared.has_more_than(&self.known)
        {
            self.known = shared.now();
        }
    }

    /// Takes the next bytes of the stream and gives what may be shown. Borrowed when there was nothing to change.
    pub fn push<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, [u8]> {
        self.refresh();
        if !self.held.is_empty() {
            let mut joined = std::mem::take(&mut self.held);
            joined.reserve_exact(chunk.len());
            joined.extend_from_slice(chunk);
            return Cow::Owned(self.mask(&joined));
        }
        match self.known.next_hit(chunk, 0, false) {
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
        self.refresh();
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        let masked = self.known.mask(&held, self.shown, true, &mut out);
        self.find_cover(&held, self.shown, masked);
        self.shown = held.len();
        self.held = held;
        out
    }

    /// What came with the last bytes has shown that those before them, which were given out, are a part of a secret: whoever keeps them
    /// puts this, which is as long, in the place of the last ones, before the next are added.
    pub fn take_cover(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.cover)
    }

    fn find_cover(&mut self, stream: &[u8], shown: usize, masked: Masked) {
        // Where a mask stands for a part of it, what was given out is something else.
        if let Some(at) = masked.begun_at.filter(|_| !self.shown_masked) {
            self.cover = covered(stream.get(at..shown).unwrap_or_default());
        }
        self.shown_masked |= masked.has_masks;
    }

    /// Masks a text that is complete. The stream does not notice.
    pub fn whole(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        self.newest().mask(text, 0, true, &mut out);
        out
    }

    /// The same of text, which may be of a stream that is masked: masks that stand in it stay as they are.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut out = Vec::with_capacity(text.len());
        self.newest().mask_again(text.as_bytes(), &mut out);
        // Masks are letters, and a secret that is text ends where letters end.
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Where secrets stand in bytes that are complete.
    #[must_use]
    pub fn places(&self, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
        self.newest().places(bytes)
    }

    /// What is known now, also where the stream has not come so far.
    fn newest(&self) -> Arc<Known> {
        self.shared.as_ref().map_or_else(|| Arc::clone(&self.known), |shared| shared.now())
    }

    /// Whether bytes are held back that a flush would give out.
    pub fn is_holding(&self) -> bool {
        self.held.len() > self.shown
    }

    /// Masks `stream`, of which the first `shown` bytes are out already, and holds its open end back.
    fn mask(&mut self, stream: &[u8]) -> Vec<u8> {
        let shown = std::mem::take(&mut self.shown);
        let mut out = Vec::with_capacity(stream.len());
        let masked = self.known.mask(stream, shown, false, &mut out);
        self.find_cover(stream, shown, masked);
        self.shown = shown.saturating_sub(masked.rest);
        self.shown_masked &= self.shown > 0;
        self.held = Zeroizing::new(stream.get(masked.rest..).unwrap_or_default().to_vec());
        out
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
    fn a_mask_is_not_masked_again() {
        let redactor = redactor(&[("admin", "admin"), ("enable", "secret"), ("ro", "public-ro"), ("rw", "private")]);
        for (text, shown) in [
            ("a admin secret public-ro", "a [secret:admin] [secret:enable] [secret:ro]"),
            ("[secret:admin][secret:enable] admin", "[secret:admin][secret:enable] [secret:admin]"),
            ("[secret:[secret:ro] [secret:other]", "[[secret:enable]:[secret:ro] [[secret:enable]:other]"),
            ("[secret removed] [private key removed] [private]", "[secret removed] [private key removed] [[secret:rw]]"),
            ("", ""),
        ] {
            assert_eq!(redactor.text(text), shown, "{text}");
        }
        assert_eq!(redactor.text(&redactor.text("größe admin secret")), "größe [secret:admin] [secret:enable]");
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
    fn what_was_given_out_of_a_secret_is_covered_once_it_is_known_to_be_one() {
        let kept = |secrets: &[(&str, &str)], chunks: &[&str]| {
            let mut redactor = redactor(secrets);
            let mut kept: Vec<u8> = Vec::new();
            for chunk in chunks {
                for is_flush in [false, true] {
                    let shown = if is_flush { redactor.flush() } else { redactor.push(chunk.as_bytes()).into_owned() };
                    let cover = redactor.take_cover();
                    let at = kept.len() - cover.len();
                    drop(kept.splice(at.., cover));
                    kept.extend(shown);
                }
            }
            String::from_utf8(kept).unwrap()
        };
        let keys = |text: &'static str| -> Vec<&'static str> { text.split_inclusive(|_: char| true).collect() };
        let secrets = [("enable", "hunter2")];
        assert_eq!(kept(&secrets, &keys("echo hunter2 | x")), "echo ******[secret:enable] | x");
        assert_eq!(kept(&secrets, &keys("hunhunter2hunter")), "hun******[secret:enable]hunter");
        assert_eq!(kept(&secrets, &["a hun", "ter2 hunt", "ing"]), "a ***[secret:enable] hunting");
        assert_eq!(kept(&secrets, &["hu\x1b[1mn", "t \r", "er2"]), "**\x1b[1m***\r[secret:enable]");
        let secrets = [("short", "abcd"), ("long", "abcdefgh")];
        assert_eq!(kept(&secrets, &keys("abcdx")), "***[secret:short]x");
        assert_eq!(kept(&secrets, &keys("abcdefgh")), "***[secret:short]efg[secret:long]");
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

        /// The text in pieces.
        fn cut<'a>(&mut self, text: &'a str) -> Vec<&'a str> {
            let mut chunks = Vec::new();
            let mut rest = text;
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(1 + self.roll(rest.len()).min(self.roll(9)));
                chunks.push(chunk);
                rest = after;
            }
            chunks
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
            let chunks = dice.cut(&text);
            assert_eq!(masked(&secrets, &chunks), expected(&secrets, &text), "seed {seed}: {secrets:?} in {chunks:?}");
        }
    }

    #[test]
    fn what_stands_between_the_letters_and_shows_nothing_does_not_hide_them() {
        let secrets = [("sudo", "S3kr1t-Falcon9"), ("short", "abcd")];
        for (text, shown) in [
            ("S3kr1t-\x1b[01;31m\x1b[KFal\x1b[m\x1b[Kcon9\r\n", "[secret:sudo]\x1b[01;31m\x1b[K\x1b[m\x1b[K\r\n"),
            ("\x1b[1mS3kr1t-Falcon9\x1b[0m", "\x1b[1m[secret:sudo]\x1b[0m"),
            ("S3k\0\x08kr1t-_\x08Falcon9!", "[secret:sudo]\0!"),
            ("S3kr1t\x1b]133;C\x07-Falcon9 ab\x1b[mcd\x1b[m", "[secret:sudo]\x1b]133;C\x07 [secret:short]\x1b[m\x1b[m"),
            ("S3k\x1b]0;S3kr1t-Falcon9\x07r1t-Falcon9", "[secret:sudo]\x1b]0;[secret:sudo]\x07"),
            ("\x1b]0;S3kr1t-Falcon9\x07$ ", "\x1b]0;[secret:sudo]\x07$ "),
            ("S\x1b[mS3\x1b[mkr1t-Falcon9", "S\x1b[m[secret:sudo]\x1b[m"),
            ("S3kr1t \x1b[1mFalcon9 abc\x1b[1m", "S3kr1t \x1b[1mFalcon9 abc\x1b[1m"),
        ] {
            assert_eq!(masked(&secrets, &[text]), shown, "{text:?}");
            let letters: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(masked(&secrets, &letters.iter().map(String::as_str).collect::<Vec<_>>()), shown, "{text:?}");
        }
        // What was given out in the middle stays, and nothing comes twice.
        assert_eq!(masked(&secrets, &["S3\x1b[1m", "|", "k\x1b[m", "|", "r1t-Falcon9."]), "S3\x1b[1mk\x1b[m[secret:sudo].");
        assert_eq!(masked(&secrets, &["S3\x1b[1m", "|", "k\x1b[mr1t-Falcon9."]), "S3\x1b[1m[secret:sudo]\x1b[m.");
    }

    /// Letters of secrets and all that may stand between them.
    const PIECES: [&str; 16] =
        ["a", "b", "a", "b", "aab", "\x1b[1m", "\x1b[K", "\0", "\x08", "\x1b", "\x1b]0;ab\x07", "\x1b[D", "[", "\r\n", "\x1b(B", "\\"];

    #[test]
    fn any_cut_gives_the_same_result_with_control_sequences() {
        for seed in 1..=6_000_u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let values: Vec<String> =
                (0..1 + dice.roll(3)).map(|_| 4 + dice.roll(4)).collect::<Vec<_>>().into_iter().map(|length| dice.word(length)).collect();
            let secrets: Vec<(&str, &str)> = ["one", "two", "three"].into_iter().zip(values.iter().map(String::as_str)).collect();
            // Half of the texts have only sequences that are easily taken out.
            let pieces = if seed % 2 == 0 { &PIECES[..8] } else { &PIECES[..] };
            let text: String = (0..dice.roll(50)).map(|_| pieces[dice.roll(pieces.len())]).collect();
            let chunks = dice.cut(&text);
            let whole = String::from_utf8(redactor(&secrets).whole(text.as_bytes())).unwrap();
            assert_eq!(masked(&secrets, &chunks), whole, "seed {seed}: {secrets:?} in {chunks:?}");
            let visible = whole.replace("\x1b[1m", "").replace("\x1b[K", "").replace('\0', "");
            for (_, value) in secrets.iter().filter(|_| seed % 2 == 0) {
                assert!(!visible.contains(value), "seed {seed}: {whole:?}");
            }
            // Sequences of which no secret can be a part stay, in their order.
            let marks = |text: &str| text.matches(['\0', '\r', '\n']).collect::<String>();
            assert_eq!(marks(&whole), marks(&text), "seed {seed}: {text:?}");
        }
    }

    #[test]
    fn what_holds_no_secret_is_not_changed() {
        let secrets =
            [("sudo", "S3kr1t-Falcon9"), ("root", "\u{1}odd"), ("enable", "hunter2"), ("snmp", "[1;31mX"), ("long", "0123456789")];
        for seed in 1..=2_000_u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let pieces =
                ["S3kr1t-", "hunt", "h", "S", "\x1b[1;31m", "\x1b[", "\x08", "\x1b]0;S3k\x07", "\0", "012", "x", " ", "\r\n", "grün"];
            let text: String = (0..dice.roll(60)).map(|_| pieces[dice.roll(pieces.len())]).collect();
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(1 + dice.roll(7)).collect();
            let mut redactor = redactor(&secrets);
            let mut out = Vec::new();
            for chunk in chunks {
                out.extend_from_slice(&redactor.push(chunk));
                if dice.roll(4) == 0 {
                    out.extend(redactor.flush());
                }
            }
            out.extend(redactor.flush());
            assert_eq!(String::from_utf8_lossy(&out), text, "seed {seed}");
        }
    }

    #[test]
    fn what_is_held_has_a_bound() {
        let value = "aaaaaaaaab";
        let bound = value.len() * (crate::limits::SECRET_GAP_MAX_BYTES + 1);
        for piece in ["\x1b[m", "a\x1b[m", "a", "\x1b]0;a", "\x08", "a\x08", "\0", "\x1b[1"] {
            let mut redactor = redactor(&[("one", value)]);
            for _ in 0..2_000 {
                redactor.push(format!("a{piece}").as_bytes());
                assert!(redactor.held.len() <= bound, "{piece:?} holds {}", redactor.held.len());
            }
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

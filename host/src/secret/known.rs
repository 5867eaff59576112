//! Values that are masked, and the place where the sessions of a device share theirs.
//!
//! Nothing here can be printed, and each value is wiped when nobody needs it any more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::Secret;
use super::look::{KEY_MARK, SECRET_MARK};
use super::redact::MASKED_MIN_BYTES;
use super::through::{self, Found};
use crate::limits::DEVICE_MASKS_MAX;

/// What everybody at one device masks: what any of its sessions has typed or given. It is gone with the last of them.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "it holds secrets, which must not be printable")]
pub struct DeviceMasks {
    known: Mutex<Arc<Known>>,
    /// Of the newest values, so that a reader sees without a lock that it has them.
    version: AtomicU64,
}

impl DeviceMasks {
    /// Masks this value everywhere from now on. A value that is known already keeps its first name. Says whether it is new.
    pub fn learn(&self, name: &str, secret: &Secret) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = Arc::make_mut(&mut known).learn(name, secret);
        self.version.store(known.version, Ordering::Release);
        is_new
    }

    /// Is a value of this name among them?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.now().values.iter().any(|value| value.name == name)
    }

    pub(super) fn now(&self) -> Arc<Known> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn has_more_than(&self, known: &Known) -> bool {
        self.version.load(Ordering::Acquire) != known.version
    }
}

/// Values and what is shown for them.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// The longest first, so that the first hit is the longest.
    values: Vec<Value>,
    /// The bytes that they begin with.
    first: First,
    /// Counts what was taught.
    version: u64,
}

#[derive(Clone)]
struct Value {
    value: Zeroizing<Vec<u8>>,
    name: String,
    mask: Vec<u8>,
    /// When it was taught last, in the order of versions.
    taught: u64,
}

/// How the bytes that secrets begin with are looked for: of a few the processor looks at many places at once.
#[derive(Clone, Default)]
enum First {
    #[default]
    None,
    One(u8),
    Two(u8, u8),
    Three(u8, u8, u8),
    /// For each byte, whether a secret begins with it.
    Many(Box<[bool; 256]>),
}

impl First {
    fn of(values: &[Value]) -> Self {
        let mut is_first = Box::new([false; 256]);
        for byte in values.iter().filter_map(|known| known.value.first()) {
            if let Some(slot) = is_first.get_mut(usize::from(*byte)) {
                *slot = true;
            }
        }
        let bytes: Vec<u8> = (0..=u8::MAX).zip(is_first.iter()).filter(|(_, is_first)| **is_first).map(|(byte, _)| byte).collect();
        match *bytes {
            [] => Self::None,
            [one] => Self::One(one),
            [one, two] => Self::Two(one, two),
            [one, two, three] => Self::Three(one, two, three),
            _ => Self::Many(is_first),
        }
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::None => None,
            Self::One(one) => memchr::memchr(*one, text),
            Self::Two(one, two) => memchr::memchr2(*one, *two, text),
            Self::Three(one, two, three) => memchr::memchr3(*one, *two, *three, text),
            Self::Many(is_first) => text.iter().position(|byte| is_first.get(usize::from(*byte)) == Some(&true)),
        }
    }
}

/// What stands at a place of the stream.
pub(super) enum Here<'a> {
    /// No secret begins here.
    Plain,
    /// A secret may begin here, but the stream ends before that is certain.
    Open,
    /// A secret in so many bytes, and what to show for it.
    Secret(usize, &'a [u8]),
}

/// What came of masking a stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Masked {
    /// Where the rest begins, of which nothing is certain.
    pub(super) rest: usize,
    /// Masks were given out.
    pub(super) has_masks: bool,
    /// Where a secret begins whose first letters are out already.
    pub(super) begun_at: Option<usize>,
}

impl Known {
    pub(super) fn learn(&mut self, name: &str, secret: &Secret) -> bool {
        let value = secret.expose();
        if value.len() < MASKED_MIN_BYTES {
            return false;
        }
        self.version += 1;
        if let Some(known) = self.values.iter_mut().find(|known| known.value.as_slice() == value) {
            known.taught = self.version;
            return false;
        }
        if self.values.len() >= DEVICE_MASKS_MAX
            && let Some(oldest) = (0..self.values.len()).min_by_key(|at| self.values.get(*at).map(|known| known.taught))
        {
            self.values.remove(oldest);
        }
        let mask = format!("[secret:{name}]").into_bytes();
        self.values.push(Value { value: Zeroizing::new(value.to_vec()), name: name.to_owned(), mask, taught: self.version });
        self.values.sort_by_key(|known| std::cmp::Reverse(known.value.len()));
        self.first = First::of(&self.values);
        true
    }

    /// Masks what is certain of `stream`, of which the first `shown` bytes are out already. All of it is certain where nothing comes
    /// behind.
    pub(super) fn mask(&self, stream: &[u8], shown: usize, is_complete: bool, out: &mut Vec<u8>) -> Masked {
        let mut masked = Masked::default();
        let mut at = 0;
        while at < stream.len() {
            let hit = self.next_hit(stream, at, is_complete);
            let end = hit.as_ref().map_or(stream.len(), |(hit_at, _)| *hit_at);
            out.extend_from_slice(stream.get(at.max(shown)..end).unwrap_or_default());
            at = end;
            match hit {
                Some((_, Here::Secret(length, mask))) => {
                    let found = stream.get(at..at + length).unwrap_or_default();
                    if at + length > shown {
                        masked.has_masks = true;
                        masked.begun_at = masked.begun_at.or_else(|| (at < shown).then_some(at));
                        out.extend_from_slice(mask);
                        self.keep_sequences(found, shown.saturating_sub(at), out);
                    }
                    at += length;
                }
                Some((_, Here::Open)) => break,
                Some((_, Here::Plain)) | None => {}
            }
        }
        masked.rest = at;
        masked
    }

    /// Masks a complete text in which masks may stand already, or marks of what was known by its look. They stay, although a word of
    /// them may be a value.
    pub(super) fn mask_again(&self, text: &[u8], out: &mut Vec<u8>) {
        let mut from = 0;
        for at in memchr::memchr_iter(b'[', text) {
            if let Some(mark) = self.mark_at(text.get(at..).unwrap_or_default()) {
                self.mask(text.get(from..at).unwrap_or_default(), 0, true, out);
                out.extend_from_slice(mark);
                from = at + mark.len();
            }
        }
        self.mask(text.get(from..).unwrap_or_default(), 0, true, out);
    }

    /// What stands for a secret at the beginning of this text.
    fn mark_at(&self, text: &[u8]) -> Option<&[u8]> {
        let masks = self.values.iter().map(|known| known.mask.as_slice());
        masks.chain([SECRET_MARK.as_bytes(), KEY_MARK.as_bytes()]).find(|mark| text.starts_with(mark))
    }

    /// What acts inside of a secret's place goes on to do so, unless it is out already. A title may hold a secret of its own.
    fn keep_sequences(&self, found: &[u8], shown: usize, out: &mut Vec<u8>) {
        for (_, sequence) in through::sequences(found).filter(|(start, _)| *start >= shown) {
            let mut rest = sequence;
            while let Some(at) = self.first.find(rest) {
                let (before, here) = rest.split_at(at);
                out.extend_from_slice(before);
                let known = self.values.iter().find(|known| here.starts_with(&known.value));
                out.extend_from_slice(known.map_or_else(|| here.get(..1).unwrap_or_default(), |known| &known.mask));
                rest = here.get(known.map_or(1, |known| known.value.len())..).unwrap_or_default();
            }
            out.extend_from_slice(rest);
        }
    }

    /// The first place from `from` on where a secret stands or, where more comes, may begin.
    pub(super) fn next_hit(&self, stream: &[u8], from: usize, is_complete: bool) -> Option<(usize, Here<'_>)> {
        let mut at = from;
        loop {
            let rest = stream.get(at..)?;
            at += self.first.find(rest)?;
            match self.here(stream.get(at..)?, is_complete) {
                Here::Plain => at += 1,
                found => return Some((at, found)),
            }
        }
    }

    fn here(&self, rest: &[u8], is_complete: bool) -> Here<'_> {
        for known in &self.values {
            match through::find(&known.value, rest) {
                Found::Whole(length) => return Here::Secret(length, &known.mask),
                // A longer secret may still come: it decides before a shorter one that is already complete.
                Found::Open if !is_complete => return Here::Open,
                Found::Open | Found::No => {}
            }
        }
        Here::Plain
    }

    /// Where the values stand in bytes that are complete.
    pub(super) fn places(&self, bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
        let mut places = Vec::new();
        let mut at = 0;
        while let Some((start, Here::Secret(length, _))) = self.next_hit(bytes, at, true) {
            at = start + length;
            places.push(start..at);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::super::redact::Redactor;
    use super::*;

    fn secret(value: &str) -> Secret {
        Secret::from_bytes(value.as_bytes().to_vec())
    }

    #[test]
    fn what_one_session_teaches_all_of_the_device_mask() {
        let masks = Arc::new(DeviceMasks::default());
        let (mut one, mut other) = (Redactor::sharing(Arc::clone(&masks)), Redactor::sharing(Arc::clone(&masks)));
        assert_eq!(&*other.push(b"hunter2 hun"), b"hunter2 hun");
        assert!(one.learn("sudo", &secret("hunter2")) && !masks.learn("login", &secret("hunter2")));
        assert_eq!(&*other.push(b"hunter2 hun"), b"[secret:sudo] ");
        masks.learn("enable", &secret("hunting-9"));
        assert_eq!(&*other.push(b"ting-9 hunter2"), b"[secret:enable] [secret:sudo]");
        assert_eq!(one.whole(b"x hunting-9"), b"x [secret:enable]");
        assert!(masks.has("enable") && !masks.has("login"));
        drop(masks);
        assert_eq!(Redactor::sharing(Arc::default()).whole(b"hunter2"), b"hunter2");
    }

    #[test]
    fn the_oldest_of_too_many_values_goes() {
        let masks = DeviceMasks::default();
        for number in 0..DEVICE_MASKS_MAX {
            assert!(masks.learn(&format!("n{number}"), &secret(&format!("value-{number}"))));
        }
        // What is used again is not the oldest.
        masks.learn("n0", &secret("value-0"));
        masks.learn("new", &secret("another"));
        assert!(masks.has("new") && masks.has("n0") && !masks.has("n1") && masks.has("n2"));
        assert_eq!(masks.now().values.len(), DEVICE_MASKS_MAX);
    }
}

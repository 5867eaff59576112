//! Who has read what a device says that the operator does not trust.
//!
//! Text from such a device may hold instructions for an agent. What its reader then wants to change, anywhere, a person is asked
//! about for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{CALLERS_MAX, TAINT_MAX};

/// Readers of untrusted text.
#[derive(Debug, Clone, Default)]
pub struct Taint(Arc<Mutex<BTreeMap<String, (String, Instant)>>>);

impl Taint {
    /// This caller has been given text of this device.
    pub fn mark(&self, caller: &str, device: &str, now: Instant) {
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|_, (_, at)| now.saturating_duration_since(*at) < TAINT_MAX);
        if readers.len() >= CALLERS_MAX && !readers.contains_key(caller) {
            let first = readers.iter().min_by_key(|(_, (_, at))| *at).map(|(name, _)| name.clone());
            first.and_then(|name| readers.remove(&name));
        }
        readers.insert(caller.to_owned(), (device.to_owned(), now));
    }

    /// The untrusted device that this caller has read from lately.
    #[must_use]
    pub fn of(&self, caller: &str, now: Instant) -> Option<String> {
        let readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (device, at) = readers.get(caller)?;
        (now.saturating_duration_since(*at) < TAINT_MAX).then(|| device.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_remembered_for_a_while() {
        let (taint, now) = (Taint::default(), Instant::now());
        assert_eq!(taint.of("a", now), None);
        taint.mark("a", "web9", now);
        assert_eq!(taint.of("a", now).as_deref(), Some("web9"));
        assert_eq!(taint.of("b", now), None);
        assert_eq!(taint.of("a", now + TAINT_MAX), None);
    }
}

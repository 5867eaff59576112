//! Failed tries of secrets: after a few nobody tries again for a while, so that no account is locked.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::limits::{SECRET_FAILURE_WINDOW, SECRET_FAILURES_MAX};

/// When each device refused each secret.
type Failures = HashMap<(String, String), VecDeque<Instant>>;

/// Failures by device and secret, shared by all sessions.
#[derive(Debug, Clone, Default)]
pub struct SecretBook {
    failures: Arc<Mutex<Failures>>,
}

impl SecretBook {
    /// May the secret be tried now?
    ///
    /// # Errors
    ///
    /// A sentence that says why not and for how long.
    pub fn check(&self, device: &str, name: &str, now: Instant) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(times) = failures.get_mut(&(device.to_owned(), name.to_owned())) else { return Ok(()) };
        times.retain(|at| now.saturating_duration_since(*at) < SECRET_FAILURE_WINDOW);
        match times.front() {
            Some(first) if times.len() >= SECRET_FAILURES_MAX => {
                let left = SECRET_FAILURE_WINDOW.saturating_sub(now.saturating_duration_since(*first));
                Err(format!(
                    "the secret `{name}` of `{device}` was refused {} times within an hour and is not tried for {} more minutes, so that no account is locked; correct it, then `jackfield plugin reload` lets it be tried at once",
                    times.len(),
                    left.as_secs() / 60 + 1
                ))
            }
            _ => Ok(()),
        }
    }

    /// Somebody has read the configuration again, and may have corrected what was wrong.
    pub fn forget(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The device refused it.
    pub fn on_failure(&self, device: &str, name: &str, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.entry((device.to_owned(), name.to_owned())).or_default().push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_refusals_within_an_hour_stop_further_tries() {
        let (book, start) = (SecretBook::default(), Instant::now());
        for _ in 0..SECRET_FAILURES_MAX {
            assert_eq!(book.check("sw1", "enable", start), Ok(()));
            book.on_failure("sw1", "enable", start);
        }
        assert!(book.check("sw1", "enable", start).is_err());
        assert_eq!(book.check("sw2", "enable", start), Ok(()));
        assert_eq!(book.check("sw1", "enable", start + SECRET_FAILURE_WINDOW), Ok(()));
        book.on_failure("sw1", "enable", start);
        book.forget();
        assert_eq!(book.check("sw1", "enable", start), Ok(()));
    }
}

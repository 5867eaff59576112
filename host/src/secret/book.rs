//! What sessions of a device share about its secrets: failed tries, so that after a few nobody tries again for a while and no account is
//! locked; and what was typed or given, so that all of them mask it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::Secret;
use super::known::DeviceMasks;
use crate::limits::{SECRET_FAILURE_WINDOW, SECRET_FAILURES_MAX};

/// When each device refused each secret, and where.
type Failures = HashMap<(String, String), VecDeque<(Instant, Where)>>;

/// Where a secret was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    /// When somebody logged in.
    Login,
    /// On a line.
    Line,
}

/// What was used of a device's secrets.
#[derive(Default)]
struct Used {
    /// The values, as long as anybody at the device needs them.
    masks: Weak<DeviceMasks>,
    /// Their names, which stay: who comes later may look the values up.
    names: BTreeSet<String>,
}

/// Failures by device and secret, and what was used, shared by all sessions.
#[derive(Clone, Default)]
pub struct SecretBook {
    failures: Arc<Mutex<Failures>>,
    used: Arc<Mutex<HashMap<String, Used>>>,
}

impl std::fmt::Debug for SecretBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretBook").field("failures", &self.failures).finish_non_exhaustive()
    }
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
        times.retain(|(at, _)| now.saturating_duration_since(*at) < SECRET_FAILURE_WINDOW);
        match times.front() {
            Some((first, _)) if times.len() >= SECRET_FAILURES_MAX => {
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

    /// What the device's sessions mask together. It is there as long as any of them holds it.
    #[must_use]
    pub fn masks(&self, device: &str) -> Arc<DeviceMasks> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = used.entry(device.to_owned()).or_default();
        used.masks.upgrade().unwrap_or_else(|| {
            let masks = Arc::default();
            used.masks = Arc::downgrade(&masks);
            masks
        })
    }

    /// A secret is typed or given: everybody at the device masks it from now on.
    pub fn on_use(&self, device: &str, name: &str, secret: &Secret) {
        self.masks(device).learn(name, secret);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = used.get_mut(device) {
            used.names.insert(name.to_owned());
        }
    }

    /// The names of what was typed or given, but is not masked now because nobody was at the device since.
    #[must_use]
    pub fn forgotten(&self, device: &str) -> Vec<String> {
        let masks = self.masks(device);
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let names = used.get(device).into_iter().flat_map(|used| &used.names);
        names.filter(|name| !masks.has(name)).cloned().collect()
    }

    /// Somebody has read the configuration again, and may have corrected what was wrong.
    pub fn forget(&self) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The device refused it on a line.
    pub fn on_failure(&self, device: &str, name: &str, now: Instant) {
        self.count(device, name, (now, Where::Line));
    }

    /// The device refused it when somebody logged in.
    pub fn on_login_failure(&self, device: &str, name: &str, now: Instant) {
        self.count(device, name, (now, Where::Login));
    }

    /// The device has let somebody in: its own count of logins that failed begins anew. A code that came too late now and then is not wrong.
    pub fn on_login(&self, device: &str, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = failures.get_mut(&(device.to_owned(), name.to_owned())) {
            times.retain(|(_, place)| *place != Where::Login);
        }
    }

    fn count(&self, device: &str, name: &str, failure: (Instant, Where)) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.entry((device.to_owned(), name.to_owned())).or_default().push_back(failure);
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

    #[test]
    fn a_login_that_succeeds_ends_the_count_of_logins_and_no_other() {
        let (book, start) = (SecretBook::default(), Instant::now());
        for _ in 0..SECRET_FAILURES_MAX {
            book.on_login_failure("sw1", "code", start);
            book.on_login_failure("sw1", "code", start);
            book.on_login("sw1", "code");
            assert_eq!(book.check("sw1", "code", start), Ok(()));
        }
        for _ in 0..SECRET_FAILURES_MAX {
            book.on_failure("sw1", "code", start);
            book.on_login("sw1", "code");
        }
        assert!(book.check("sw1", "code", start).is_err());
    }

    #[test]
    fn values_are_gone_with_the_last_who_holds_them_and_names_stay() {
        let book = SecretBook::default();
        let secret = Secret::from_bytes(b"hunter2".to_vec());
        let held = book.masks("web1");
        book.clone().on_use("web1", "sudo", &secret);
        assert!(held.has("sudo") && !book.masks("web2").has("sudo"));
        assert!(book.forgotten("web1").is_empty());
        drop(held);
        assert!(!book.masks("web1").has("sudo"));
        assert_eq!(book.forgotten("web1"), ["sudo"]);
        assert!(book.forgotten("web2").is_empty());
    }
}

//! How much each caller does, and what stops one that does too much. The bounds are the configuration's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Limits;
use crate::limits::{CALLERS_MAX, DENIALS_WINDOW, DEVICES_WINDOW};

/// The time in which calls count together.
const MINUTE: Duration = Duration::from_secs(60);

/// What all callers did lately.
#[derive(Debug, Default)]
pub struct Quota(Mutex<BTreeMap<String, Record>>);

/// What one caller did lately.
#[derive(Debug, Default)]
struct Record {
    calls: VecDeque<Instant>,
    devices: BTreeMap<String, Instant>,
    denials: VecDeque<Instant>,
    stopped_until: Option<Instant>,
}

impl Record {
    fn last(&self) -> Option<Instant> {
        self.calls.back().copied()
    }

    fn stopped(&self, limits: &Limits, now: Instant) -> Option<String> {
        let until = self.stopped_until.filter(|until| *until > now)?;
        Some(format!(
            "stopped: policy has refused {} calls within {} min, the most that `limits.denials` allows; nothing runs for this caller for {} s. Tell the user what you were trying to do",
            limits.denials,
            DENIALS_WINDOW.as_secs() / 60,
            until.saturating_duration_since(now).as_secs().max(1)
        ))
    }
}

fn forget(times: &mut VecDeque<Instant>, window: Duration, now: Instant) {
    while times.front().is_some_and(|at| now.saturating_duration_since(*at) >= window) {
        times.pop_front();
    }
}

impl Quota {
    fn records(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more call of this caller.
    ///
    /// # Errors
    ///
    /// When it made too many, or was refused too often; the sentence says how long to wait.
    pub fn call(&self, caller: &str, limits: &Limits, now: Instant) -> Result<(), String> {
        let mut records = self.records();
        if records.len() >= CALLERS_MAX && !records.contains_key(caller) {
            let silent = records.iter().min_by_key(|(_, record)| record.last()).map(|(name, _)| name.clone());
            silent.and_then(|name| records.remove(&name));
        }
        let record = records.entry(caller.to_owned()).or_default();
        if let Some(why) = record.stopped(limits, now) {
            return Err(why);
        }
        forget(&mut record.calls, MINUTE, now);
        if record.calls.len() >= limits.calls_per_minute {
            let first = record.calls.front().map_or(MINUTE, |first| MINUTE.saturating_sub(now.saturating_duration_since(*first)));
            return Err(format!(
                "{} calls in a minute are the most that `limits.calls_per_minute` allows; wait {} s",
                limits.calls_per_minute,
                first.as_secs().max(1)
            ));
        }
        record.calls.push_back(now);
        Ok(())
    }

    /// Why nothing runs for this caller now, if it was refused too often.
    #[must_use]
    pub fn stopped(&self, caller: &str, limits: &Limits, now: Instant) -> Option<String> {
        self.records().get(caller)?.stopped(limits, now)
    }

    /// This caller runs something on this device.
    ///
    /// # Errors
    ///
    /// When that would be one device too many.
    pub fn device(&self, caller: &str, device: &str, limits: &Limits, now: Instant) -> Result<(), String> {
        let mut records = self.records();
        let devices = &mut records.entry(caller.to_owned()).or_default().devices;
        devices.retain(|_, at| now.saturating_duration_since(*at) < DEVICES_WINDOW);
        if !devices.contains_key(device) && devices.len() >= limits.devices_per_hour {
            return Err(format!(
                "`{device}` would be one more than the {} devices that `limits.devices_per_hour` lets one caller use; the operator can raise it",
                limits.devices_per_hour
            ));
        }
        devices.insert(device.to_owned(), now);
        Ok(())
    }

    /// Policy has refused something of this caller.
    pub fn denied(&self, caller: &str, limits: &Limits, now: Instant) {
        let mut records = self.records();
        let record = records.entry(caller.to_owned()).or_default();
        forget(&mut record.denials, DENIALS_WINDOW, now);
        record.denials.push_back(now);
        if record.denials.len() >= limits.denials {
            record.denials.clear();
            record.stopped_until = Some(now + DENIALS_WINDOW);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { calls_per_minute: 3, devices_per_hour: 2, denials: 2, ..Limits::default() }
    }

    #[test]
    fn calls_are_counted_by_caller_and_minute() {
        let (quota, now) = (Quota::default(), Instant::now());
        for _ in 0..3 {
            quota.call("a", &limits(), now).unwrap();
        }
        let told = quota.call("a", &limits(), now + Duration::from_secs(20)).unwrap_err();
        assert_eq!(told, "3 calls in a minute are the most that `limits.calls_per_minute` allows; wait 40 s");
        quota.call("b", &limits(), now).unwrap();
        quota.call("a", &limits(), now + MINUTE).unwrap();
    }

    #[test]
    fn a_device_counts_once_an_hour() {
        let (quota, now) = (Quota::default(), Instant::now());
        for device in ["x", "y", "x"] {
            quota.device("a", device, &limits(), now).unwrap();
        }
        assert!(quota.device("a", "z", &limits(), now).is_err());
        quota.device("b", "z", &limits(), now).unwrap();
        quota.device("a", "z", &limits(), now + DEVICES_WINDOW).unwrap();
    }

    #[test]
    fn who_is_refused_too_often_is_stopped_for_a_while() {
        let (quota, now) = (Quota::default(), Instant::now());
        quota.denied("a", &limits(), now);
        quota.call("a", &limits(), now).unwrap();
        quota.denied("a", &limits(), now);
        let why = quota.call("a", &limits(), now).unwrap_err();
        assert!(why.starts_with("stopped: policy has refused 2 calls"), "{why}");
        assert_eq!(quota.stopped("a", &limits(), now), Some(why));
        assert_eq!((quota.stopped("b", &limits(), now), quota.stopped("a", &limits(), now + DENIALS_WINDOW)), (None, None));
        quota.call("a", &limits(), now + DENIALS_WINDOW).unwrap();
    }

    #[test]
    fn not_every_name_is_remembered() {
        let (quota, now) = (Quota::default(), Instant::now());
        for number in 0..2 * CALLERS_MAX {
            quota.call(&number.to_string(), &limits(), now).unwrap();
        }
        assert_eq!(quota.records().len(), CALLERS_MAX);
    }
}

//! Switches a plugin off that fails again and again, for a time that doubles.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits::{PLUGIN_FAULT_WINDOW, PLUGIN_FAULTS_MAX, PLUGIN_OFF_MAX, PLUGIN_OFF_MIN};

/// Faults of one plugin, and whether it is off.
#[derive(Debug, Default)]
pub struct Breaker {
    faults: VecDeque<Instant>,
    off_until: Option<Instant>,
    off_for: Duration,
    total: u64,
}

impl Breaker {
    /// How long it stays off, if it is.
    #[must_use]
    pub fn off_for(&self, now: Instant) -> Option<Duration> {
        self.off_until.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Faults in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Counts a fault.
    pub fn on_fault(&mut self, now: Instant) {
        self.total += 1;
        self.faults.push_back(now);
        while self.faults.front().is_some_and(|at| now.saturating_duration_since(*at) > PLUGIN_FAULT_WINDOW) {
            self.faults.pop_front();
        }
        if self.faults.len() >= PLUGIN_FAULTS_MAX {
            self.off_for = (self.off_for * 2).clamp(PLUGIN_OFF_MIN, PLUGIN_OFF_MAX);
            self.off_until = Some(now + self.off_for);
            self.faults.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_faults_in_a_minute_switch_off_and_the_time_doubles() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        let mut now = start;
        for expected in [30, 60, 120, 240, 480, 600, 600] {
            for _ in 0..PLUGIN_FAULTS_MAX {
                assert_eq!(breaker.off_for(now), None);
                breaker.on_fault(now);
            }
            assert_eq!(breaker.off_for(now), Some(Duration::from_secs(expected)));
            now += Duration::from_secs(expected);
        }
    }

    #[test]
    fn faults_far_apart_do_not_add_up() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.on_fault(now);
            now += Duration::from_secs(40);
            assert_eq!(breaker.off_for(now), None);
        }
    }
}

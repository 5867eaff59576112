//! Switches a plugin off that fails again and again, for a time that doubles, and tries it again with one call.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::limits::{PLUGIN_FAULT_WINDOW, PLUGIN_FAULTS_MAX, PLUGIN_OFF_MAX, PLUGIN_OFF_MIN, PLUGIN_TRIAL_MAX};

/// Faults of one plugin, and whether it is off.
#[derive(Debug, Default)]
pub struct Breaker {
    faults: VecDeque<Instant>,
    state: State,
    off_for: Duration,
    /// When it failed last.
    failed_at: Option<Instant>,
    total: u64,
    last: Option<String>,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    On,
    /// Nobody asks it until then; who comes first afterwards tries it.
    Off { until: Instant },
    /// One call tries it.
    Trying { since: Instant },
}

/// May it be called?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// As usual.
    Open,
    /// Yes: this call tries whether it works again.
    Trial,
    /// Not for so long.
    Off(Duration),
}

impl Breaker {
    /// Asks for a call.
    pub fn gate(&mut self, now: Instant) -> Gate {
        match self.state {
            State::On => Gate::Open,
            State::Off { until } if now < until => Gate::Off(until.saturating_duration_since(now)),
            // A call that tries it may have been given up.
            State::Trying { since } if now.saturating_duration_since(since) < PLUGIN_TRIAL_MAX => Gate::Off(PLUGIN_TRIAL_MAX),
            State::Off { .. } | State::Trying { .. } => {
                self.state = State::Trying { since: now };
                Gate::Trial
            }
        }
    }

    /// How long it stays off, if it is. Zero while it waits for the call that tries it.
    #[must_use]
    pub fn off_for(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::On => None,
            State::Off { until } => Some(until.saturating_duration_since(now)),
            State::Trying { .. } => Some(Duration::ZERO),
        }
    }

    /// Faults in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// The call that tried it went well. For a while the next fault switches it off at once.
    pub fn on_trial_passed(&mut self, now: Instant) {
        self.state = State::On;
        self.faults = std::iter::repeat_n(now, PLUGIN_FAULTS_MAX.saturating_sub(1)).collect();
    }

    /// Counts a fault. For how long it is switched off, if it is now.
    pub fn on_fault(&mut self, now: Instant, fault: &str) -> Option<Duration> {
        self.total += 1;
        self.last = Some(fault.to_owned());
        // What went well for so long begins anew.
        if self.failed_at.replace(now).is_some_and(|at| now.saturating_duration_since(at) > PLUGIN_OFF_MAX * 2) {
            self.off_for = Duration::ZERO;
        }
        self.faults.push_back(now);
        while self.faults.front().is_some_and(|at| now.saturating_duration_since(*at) > PLUGIN_FAULT_WINDOW) {
            self.faults.pop_front();
        }
        match self.state {
            State::Off { .. } => return None,
            State::On if self.faults.len() < PLUGIN_FAULTS_MAX => return None,
            State::On | State::Trying { .. } => {}
        }
        self.off_for = (self.off_for * 2).clamp(PLUGIN_OFF_MIN, PLUGIN_OFF_MAX);
        self.state = State::Off { until: now + self.off_for };
        self.faults.clear();
        Some(self.off_for)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn three_faults_in_a_minute_switch_off_and_each_failed_trial_doubles_the_time() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 1..PLUGIN_FAULTS_MAX {
            assert_eq!(breaker.on_fault(now, "f"), None);
            assert_eq!(breaker.gate(now), Gate::Open);
        }
        assert_eq!(breaker.on_fault(now, "the last"), Some(seconds(30)));
        for (off, next) in [(30, 60), (60, 120), (120, 240), (240, 480), (480, 600), (600, 600)] {
            assert_eq!(breaker.gate(now), Gate::Off(seconds(off)));
            now += seconds(off);
            assert_eq!(breaker.gate(now), Gate::Trial);
            assert_eq!(breaker.on_fault(now, "again"), Some(seconds(next)));
        }
        assert_eq!((breaker.total(), breaker.last()), (9, Some("again")));
    }

    #[test]
    fn what_went_well_for_long_is_off_for_the_shortest_time_again() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        assert_eq!((0..PLUGIN_FAULTS_MAX).find_map(|_| breaker.on_fault(now, "f")), Some(seconds(30)));
        now += seconds(30);
        assert_eq!(breaker.gate(now), Gate::Trial);
        assert_eq!(breaker.on_fault(now, "again"), Some(seconds(60)));
        now += seconds(60);
        assert_eq!(breaker.gate(now), Gate::Trial);
        breaker.on_trial_passed(now);
        now += PLUGIN_OFF_MAX * 2 + seconds(1);
        assert_eq!((0..PLUGIN_FAULTS_MAX).find_map(|_| breaker.on_fault(now, "f")), Some(seconds(30)));
    }

    #[test]
    fn one_call_tries_it_and_the_others_wait_for_what_comes_of_it() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        while breaker.on_fault(now, "f").is_none() {}
        now += seconds(30);
        assert_eq!(breaker.off_for(now), Some(Duration::ZERO));
        assert_eq!(breaker.gate(now), Gate::Trial);
        assert_eq!(breaker.gate(now), Gate::Off(PLUGIN_TRIAL_MAX));
        // The one that tried never came back.
        assert_eq!(breaker.gate(now + PLUGIN_TRIAL_MAX), Gate::Trial);
        breaker.on_trial_passed(now + PLUGIN_TRIAL_MAX);
        assert_eq!((breaker.gate(now), breaker.off_for(now)), (Gate::Open, None));
        assert_eq!(breaker.on_fault(now + seconds(5), "again"), Some(seconds(60)));
    }

    #[test]
    fn faults_far_apart_do_not_add_up() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            assert_eq!(breaker.on_fault(now, "f"), None);
            now += seconds(40);
            assert_eq!(breaker.gate(now), Gate::Open);
        }
    }
}

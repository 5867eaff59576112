//! How much silence is proposed for a prompt that no mark proves: some times what the line takes to answer.

use std::time::Duration;

use crate::limits::{SETTLE_MAX_MS, SETTLE_MIN_MS, SETTLE_START_MS};

/// A pause within an answer is as long as so many round trips at most.
const ROUND_TRIPS: u32 = 3;
/// So many answers count; older ones fade.
const ANSWERS: u32 = 8;

/// The silence, learned from the answers.
#[derive(Debug, Clone, Copy)]
pub struct SettleTime {
    ms: u32,
    /// How many answers it is the mean of, with the guess that it began with.
    of: u32,
}

impl Default for SettleTime {
    fn default() -> Self {
        Self { ms: SETTLE_START_MS, of: 1 }
    }
}

impl SettleTime {
    /// In milliseconds.
    #[must_use]
    pub fn ms(self) -> u32 {
        self.ms
    }

    /// The first byte of an answer came so long after what was typed. A line that became slow counts at once, one that became fast bit
    /// by bit: too short a silence is a wrong end, too long a one is only slow.
    pub fn answered(&mut self, after: Duration) {
        let round_trip = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
        let wanted = round_trip.saturating_mul(ROUND_TRIPS).clamp(SETTLE_MIN_MS, SETTLE_MAX_MS);
        self.of = (self.of + 1).min(ANSWERS);
        self.ms = if wanted > self.ms { wanted } else { (self.ms * (self.of - 1) + wanted) / self.of };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(answers: &[u64]) -> u32 {
        let mut time = SettleTime::default();
        for ms in answers {
            time.answered(Duration::from_millis(*ms));
        }
        time.ms()
    }

    #[test]
    fn the_first_answers_count_as_much_as_the_guess() {
        assert_eq!([&[][..], &[1], &[1, 1], &[1, 1, 1]].map(after), [150, 95, 76, 67]);
        assert!(after(&[1; 20]) <= SETTLE_MIN_MS + ANSWERS);
    }

    #[test]
    fn a_line_that_became_slow_counts_at_once_and_is_forgotten_slowly() {
        assert_eq!(after(&[200]), 600);
        assert_eq!(after(&[1, 1, 1, 1, 1, 1, 1, 200, 1]), (600 * 7 + 40) / 8);
        assert_eq!(after(&[60_000]), SETTLE_MAX_MS);
    }
}

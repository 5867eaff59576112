//! How long a row must stay before it counts as a prompt that no mark proves.
//!
//! The surer the plugin is that the row is the device's prompt, the less silence it asks for.

use crate::{Reading, View};

/// A first prompt may be part of a banner: so many times the host's settle time.
const FIRST_TIMES: u32 = 3;
/// A prompt that output is likely to hold too: so many times.
const COMMON_TIMES: u32 = 4;
/// Another name than the learned one: a rename, a nested device, or output that looks like a prompt.
const STRANGER_TIMES: u32 = 10;
/// The same, at least so many milliseconds.
const STRANGER_MIN_MS: u32 = 1_000;

/// How well a prompt fits what the session has taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is the learned one.
    Known,
    /// It is the learned one, and output is likely to hold the same text.
    KnownButCommon,
    /// Nothing is learned.
    First,
    /// Something else is learned.
    Stranger,
}

impl Fit {
    /// The silence that it asks for.
    #[must_use]
    pub fn silence_ms(self, settle_ms: u32) -> u32 {
        match self {
            Self::Known => settle_ms,
            Self::First => settle_ms.saturating_mul(FIRST_TIMES),
            Self::KnownButCommon => settle_ms.saturating_mul(COMMON_TIMES),
            Self::Stranger => settle_ms.saturating_mul(STRANGER_TIMES).max(STRANGER_MIN_MS),
        }
    }

    /// The contract's word for how the prompt is known.
    #[must_use]
    pub fn proof(self) -> &'static str {
        if matches!(self, Self::Known | Self::KnownButCommon) { "learned" } else { "pattern" }
    }
}

/// The reading once the row stayed for so long, and a request to ask again before.
pub fn after(view: &View, silence_ms: u32, reading: impl FnOnce() -> Reading) -> Reading {
    if view.quiet_ms < silence_ms { Reading::Settle(silence_ms) } else { reading() }
}

/// The same for a silence of the plugin's own, which is never shorter than the host's settle time.
pub fn at_least(view: &View, silence_ms: u32, reading: impl FnOnce() -> Reading) -> Reading {
    after(view, silence_ms.max(view.settle_ms), reading)
}

/// A prompt ends in one space at most; more of them are what a wiped pager marker left.
#[must_use]
pub fn shown(row: &str) -> &str {
    let text = row.trim_end_matches(' ');
    if row.len() > text.len() + 1 { text } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_is_known_the_longer_a_row_must_stay() {
        let silence = [Fit::Known, Fit::First, Fit::KnownButCommon, Fit::Stranger].map(|fit| fit.silence_ms(50));
        assert_eq!(silence, [50, 150, 200, 1_000]);
        assert_eq!(Fit::Stranger.silence_ms(300), 3_000);
    }

    #[test]
    fn what_a_wiped_marker_left_is_not_part_of_a_prompt() {
        assert_eq!([shown("R1# "), shown("R1#"), shown("R1#      ")], ["R1# ", "R1#", "R1#"]);
    }
}

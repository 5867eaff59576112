//! What goes wrong on purpose between a device and its client: small pieces, slow pieces, a connection that breaks, an echo that is
//! missing or broken, prompts that are drawn again, messages that nobody asked for.

use std::time::Duration;

use serde::Deserialize;

use super::limits::CHUNK_BYTES_MAX;

/// Faults of one device. The default is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Output leaves in pieces of this many bytes, each in a packet of its own; 0 = as it comes.
    pub chunk_bytes: usize,
    /// Pause before each piece.
    pub chunk_delay_ms: u64,
    /// Not 0: the size of each piece varies from 1 to `chunk_bytes`, the same way for the same seed.
    pub seed: u64,
    /// Not 0: the channel breaks without a word after this many bytes of output.
    pub close_after_bytes: u64,
    /// Not 0: a message comes behind so many lines of output, and behind every so many prompts.
    pub syslog_lines: u64,
    /// What is typed does not come back.
    pub no_echo: bool,
    /// Each prompt is drawn, wiped and drawn again.
    pub redraw: bool,
    /// Not 0: what is typed goes on in the next row after so many columns.
    pub wrap_columns: usize,
}

/// The faults that have a name: what a person asks for, and what it is.
pub const NAMED: [(&str, &str); 6] = [
    ("slow", "output comes in small pieces with pauses"),
    ("bytes", "each byte of the output comes in a packet of its own"),
    ("syslog", "messages come in the middle of an output and at the prompt"),
    ("no-echo", "what is typed does not come back"),
    ("redraw", "each prompt is drawn, wiped and drawn again"),
    ("wrap", "what is typed is broken at a right margin"),
];

/// Lines of output, or prompts, between two messages.
const SYSLOG_LINES: u64 = 3;
/// A narrow terminal's margin.
const WRAP_COLUMNS: usize = 16;

impl Faults {
    /// The same with a fault by its name; none where there is no such name.
    #[must_use]
    pub fn with(self, name: &str) -> Option<Self> {
        Some(match name {
            "slow" => Self { chunk_bytes: self.chunk_bytes.max(7), chunk_delay_ms: 2, seed: 1, ..self },
            "bytes" => Self { chunk_bytes: 1, seed: 0, ..self },
            "syslog" => Self { syslog_lines: SYSLOG_LINES, ..self },
            "no-echo" => Self { no_echo: true, ..self },
            "redraw" => Self { redraw: true, ..self },
            "wrap" => Self { wrap_columns: WRAP_COLUMNS, ..self },
            _ => return None,
        })
    }

    /// All that have a name, but for a missing echo, which would leave nothing to break, and for pauses, which would not let a device come
    /// to an end that redraws a wide row for every key.
    #[must_use]
    pub fn hostile() -> Self {
        let names = NAMED.iter().map(|(name, _)| *name).filter(|name| !matches!(*name, "no-echo" | "slow"));
        names.fold(Self::default(), |faults, name| faults.with(name).unwrap_or(faults))
    }
}

/// Cuts the output of one session.
#[derive(Debug)]
pub(super) struct Cutter {
    faults: Faults,
    random: u64,
    sent_bytes: u64,
}

impl Cutter {
    pub(super) fn new(faults: Faults) -> Self {
        Self { faults, random: faults.seed, sent_bytes: 0 }
    }

    /// How many of the `waiting` bytes go next.
    pub(super) fn next_length(&mut self, waiting: usize) -> usize {
        let mut most = if self.faults.chunk_bytes == 0 { CHUNK_BYTES_MAX } else { self.faults.chunk_bytes };
        if self.faults.seed != 0 {
            most = 1 + usize::try_from(self.roll() % most as u64).unwrap_or(0);
        }
        if self.faults.close_after_bytes != 0 {
            let left = self.faults.close_after_bytes.saturating_sub(self.sent_bytes);
            most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        let length = most.min(waiting);
        self.sent_bytes += length as u64;
        length
    }

    /// Pause before a piece.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_millis(self.faults.chunk_delay_ms)
    }

    /// Whether the channel breaks now.
    pub(super) fn is_broken(&self) -> bool {
        self.faults.close_after_bytes != 0 && self.sent_bytes >= self.faults.close_after_bytes
    }

    fn roll(&mut self) -> u64 {
        self.random = mix(self.random);
        self.random
    }
}

/// A well spread number made of another one (splitmix64).
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(faults: Faults, waiting: usize) -> Vec<usize> {
        let mut cutter = Cutter::new(faults);
        let mut left = waiting;
        let mut cuts = Vec::new();
        while left > 0 && !cutter.is_broken() {
            let length = cutter.next_length(left);
            left -= length;
            cuts.push(length);
        }
        cuts
    }

    #[test]
    fn pieces_have_the_size_asked_for() {
        assert_eq!(cuts(Faults::default(), 5), [5]);
        assert_eq!(cuts(Faults { chunk_bytes: 2, ..Faults::default() }, 5), [2, 2, 1]);
    }

    #[test]
    fn a_seed_gives_the_same_varied_pieces_each_time() {
        let faults = Faults { chunk_bytes: 7, seed: 42, ..Faults::default() };
        let pieces = cuts(faults, 500);
        assert_eq!(pieces, cuts(faults, 500));
        assert_eq!(pieces.iter().sum::<usize>(), 500);
        assert!(pieces.contains(&1) && pieces.contains(&7));
        assert!(pieces.iter().all(|size| (1..=7).contains(size)));
    }

    #[test]
    fn every_named_fault_is_one_and_no_other_name_is() {
        for (name, _) in NAMED {
            assert_ne!(Faults::default().with(name), Some(Faults::default()), "{name}");
        }
        assert_eq!(Faults::default().with("slwo"), None);
        let hostile = Faults::hostile();
        assert!(hostile.redraw && hostile.wrap_columns > 0 && hostile.syslog_lines > 0 && hostile.chunk_bytes == 1 && !hostile.no_echo);
    }

    #[test]
    fn the_channel_breaks_at_the_byte() {
        let faults = Faults { chunk_bytes: 4, close_after_bytes: 6, ..Faults::default() };
        assert_eq!(cuts(faults, 100), [4, 2]);
    }
}

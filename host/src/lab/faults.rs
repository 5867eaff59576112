//! What goes wrong on purpose between a device and its client: small pieces, slow pieces, a connection that breaks.

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
    fn the_channel_breaks_at_the_byte() {
        let faults = Faults { chunk_bytes: 4, close_after_bytes: 6, ..Faults::default() };
        assert_eq!(cuts(faults, 100), [4, 2]);
    }
}

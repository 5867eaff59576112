//! How many sessions a server gives beside each other on one connection, as far as it has shown that.

use std::time::{Duration, Instant};

use crate::limits::{CHANNELS_PER_CONNECTION_MAX, SESSION_PLACE_REST, SESSION_PLACES_KNOWN, SESSION_PLACES_KNOWN_MAX};

/// The places for sessions on a connection.
#[derive(Debug, Default)]
pub struct Places {
    /// Sessions that are open, and those that are asked for.
    open: usize,
    /// So many were there when it gave no further one, and until when that counts.
    shown: Option<(usize, Instant)>,
    /// The bound that was last shown for sure, and for how long that counted.
    sure: Option<(usize, Duration)>,
    /// When it has the place again of the one that has ended last.
    free_at: Option<Instant>,
    /// When it gave none while it may still have counted some that had ended.
    doubted_at: Option<Instant>,
    /// Who comes next is given another connection.
    is_left: bool,
}

impl Places {
    /// Sessions that are open, and those that are asked for.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// May one more be asked for?
    #[must_use]
    pub fn has_one(&self, at: Instant) -> bool {
        self.open < CHANNELS_PER_CONNECTION_MAX
            && match self.shown {
                Some((most, until)) if at < until => self.open < most && self.free_at.is_none_or(|free_at| free_at <= at),
                _ => true,
            }
    }

    /// When there may be one that was none before, also if nothing ends.
    #[must_use]
    pub fn due(&self, at: Instant) -> Option<Instant> {
        let (_, until) = self.shown.filter(|(_, until)| at < *until)?;
        Some(self.free_at.filter(|free_at| at < *free_at).map_or(until, |free_at| free_at.min(until)))
    }

    /// Is the connection given to nobody any more? What goes on there may come to its end.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.is_left
    }

    pub(super) fn leave(&mut self) {
        self.is_left = true;
    }

    /// One is asked for.
    pub(super) fn take(&mut self) {
        self.open += 1;
    }

    /// One has ended that was given, or of which that is not known.
    pub(super) fn ended(&mut self, at: Instant) {
        self.open = self.open.saturating_sub(1);
        self.free_at = Some(at + SESSION_PLACE_REST);
    }

    /// It gave none beside the others to one that asked then. Where it may still have counted some that had ended, it is asked once more as
    /// soon as it has their places again; what it shows after that is believed.
    pub(super) fn refused(&mut self, asked_at: Instant, at: Instant) {
        self.open = self.open.saturating_sub(1);
        // Some servers give a single session, and no further one when it has ended.
        self.is_left |= self.open == 0;
        let doubted_at = self.doubted_at.filter(|doubted_at| at < *doubted_at + SESSION_PLACES_KNOWN);
        let counts_ended = self.free_at.is_some_and(|free_at| asked_at < free_at);
        let is_sure = !counts_ended || doubted_at.is_some_and(|doubted_at| doubted_at < asked_at);
        self.doubted_at = doubted_at.or_else(|| (!is_sure).then_some(at));
        if is_sure {
            // What it shows again is asked about ever less: each who comes would ask all connections that are full.
            let again = self.sure.filter(|(most, _)| *most == self.open).map(|(_, counted)| counted * 2);
            let counts = again.map_or(SESSION_PLACES_KNOWN, |counts| counts.min(SESSION_PLACES_KNOWN_MAX));
            self.sure = Some((self.open, counts));
            self.shown = Some((self.open, at + counts));
            return;
        }
        let rested = at + SESSION_PLACE_REST;
        self.free_at = Some(rested);
        // What it has shown for sure holds.
        if self.shown.is_none_or(|(_, until)| until <= at) {
            self.shown = Some((self.open, rested));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn asked(number: usize) -> Places {
        Places { open: number, ..Places::default() }
    }

    #[test]
    fn a_server_that_is_full_is_asked_for_the_next_session_when_another_has_ended() {
        let start = Instant::now();
        assert!(asked(CHANNELS_PER_CONNECTION_MAX - 1).has_one(start) && !asked(CHANNELS_PER_CONNECTION_MAX).has_one(start));
        let mut places = asked(4);
        places.ended(start);
        assert!(places.has_one(start) && places.due(start).is_none(), "it has not said that it is full");
        // Three were asked for at once, and two of them refused.
        let start = start + SESSION_PLACE_REST;
        for _ in 0..2 {
            places.refused(start, start);
        }
        let until = start + SESSION_PLACES_KNOWN;
        assert!(!places.has_one(start) && places.due(start) == Some(until) && !places.is_left());
        let ended = until - MS;
        places.ended(ended);
        assert!(!places.has_one(ended) && places.due(ended) == Some(until), "it may count that one for a moment");
        let (mut rests, ended) = (asked(2), start + MS);
        rests.refused(start, start);
        rests.ended(ended);
        let rested = ended + SESSION_PLACE_REST;
        assert!(!rests.has_one(ended) && rests.due(ended) == Some(rested) && rests.has_one(rested));
        rests.take();
        assert!(!rests.has_one(rested) && rests.due(rested) == Some(until));
        assert!(rests.has_one(until) && rests.due(until).is_none(), "it may give more again");
    }

    #[test]
    fn a_server_that_may_still_have_counted_what_had_ended_is_asked_once_more() {
        let start = Instant::now();
        // Of three two have ended, and two more were asked for at once.
        let mut places = asked(3);
        for _ in 0..2 {
            places.ended(start);
        }
        for _ in 0..2 {
            places.take();
        }
        for _ in 0..2 {
            places.refused(start, start + MS);
        }
        let rested = start + SESSION_PLACE_REST;
        assert!(!places.has_one(rested) && places.due(rested) == Some(rested + MS));
        assert!(places.has_one(rested + MS) && places.due(rested + MS).is_none(), "their places are free now");
        // Others end all the time: it would be asked for ever.
        let asked_at = rested + MS;
        for _ in 0..3 {
            places.take();
        }
        places.ended(asked_at);
        places.refused(asked_at, asked_at + MS);
        let until = asked_at + MS + SESSION_PLACES_KNOWN;
        assert!(places.open() == 2 && !places.has_one(until - MS) && places.due(asked_at + SESSION_PLACE_REST) == Some(until));
    }

    #[test]
    fn what_a_server_has_shown_for_sure_is_not_given_up_for_a_doubt() {
        let start = Instant::now();
        let later = start + SESSION_PLACES_KNOWN / 2;
        let mut places = asked(4);
        places.refused(start, start);
        // One ends, and the next one is asked for at once by somebody who has not looked.
        places.ended(later);
        places.take();
        places.refused(later, later);
        let rested = later + SESSION_PLACE_REST;
        assert!(!places.has_one(later) && places.has_one(rested));
        places.take();
        assert!(!places.has_one(rested));
    }

    #[test]
    fn a_bound_that_is_shown_again_and_again_counts_for_longer() {
        let mut at = Instant::now();
        let mut places = asked(1);
        let mut counts = SESSION_PLACES_KNOWN;
        for _ in 0..10 {
            places.take();
            places.refused(at, at);
            assert!(!places.has_one(at + counts - MS) && places.has_one(at + counts), "{counts:?}");
            at += counts;
            counts = SESSION_PLACES_KNOWN_MAX.min(counts * 2);
        }
        // Another bound is news.
        places.take();
        places.take();
        places.refused(at, at);
        assert!(places.open() == 2 && places.has_one(at + SESSION_PLACES_KNOWN));
    }

    #[test]
    fn a_connection_on_which_there_is_no_session_and_no_further_one_is_left() {
        let start = Instant::now();
        let mut places = asked(1);
        places.ended(start);
        places.take();
        places.refused(start, start);
        assert!(places.is_left() && places.open() == 0);
    }
}

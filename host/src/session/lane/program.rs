//! A channel of its own for each command: the protocol tells its end.

use std::time::Instant;

use tokio::sync::mpsc;

use super::{Lane, Open, Record, State, now};
use crate::ids::CommandId;
use crate::limits::{PROGRAM_PLACE_REST, PROGRAM_PLACES_KNOWN, PROGRAMS_MAX};
use crate::policy::approved::Program;
use crate::transport::ssh::{ConnectError, Connection};
use crate::transport::{Line, LineEvent, Order, Writer};

/// What a channel of its own tells.
pub(super) enum ProgramEvent {
    Started(Writer),
    Line(LineEvent),
    Failed(String),
    /// The connection gives no further session, or had ended before.
    Unstarted(String),
}

/// How many programs the server runs beside each other, as far as it has shown that.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// So many ran when it gave no further channel, and until when that counts.
    shown: Option<(usize, Instant)>,
    /// When the place of the one that has ended last is free.
    free_at: Option<Instant>,
    /// When it gave none while it may still have counted some that had ended.
    doubted_at: Option<Instant>,
}

impl Places {
    /// It gave none beside so many to one that asked then. Where it may still have counted others that had ended, it is asked once more as
    /// soon as it has their places again; what it shows after that is believed.
    fn refused(&mut self, running: usize, asked_at: Instant, counts_ended: bool, at: Instant) {
        let doubted_at = self.doubted_at.filter(|doubted_at| at < *doubted_at + PROGRAM_PLACES_KNOWN);
        let is_sure = !counts_ended || doubted_at.is_some_and(|doubted_at| doubted_at < asked_at);
        self.doubted_at = doubted_at.or_else(|| (!is_sure).then_some(at));
        if is_sure {
            self.shown = Some((running, at + PROGRAM_PLACES_KNOWN));
            return;
        }
        let rested = at + PROGRAM_PLACE_REST;
        self.free_at = Some(rested);
        // What it has shown for sure holds.
        if self.shown.is_none_or(|(_, until)| until <= at) {
            self.shown = Some((running, rested));
        }
    }

    fn ended(&mut self, at: Instant) {
        self.free_at = Some(at + PROGRAM_PLACE_REST);
    }

    /// May one more begin beside so many?
    pub(super) fn has_one(&self, running: usize, at: Instant) -> bool {
        running < PROGRAMS_MAX
            && match self.shown {
                Some((most, until)) if at < until => running < most && self.free_at.is_none_or(|free_at| free_at <= at),
                _ => true,
            }
    }

    /// When there may be one that was none before, also if nothing ends.
    pub(super) fn due(&self, at: Instant) -> Option<Instant> {
        let (_, until) = self.shown.filter(|(_, until)| at < *until)?;
        Some(self.free_at.filter(|free_at| at < *free_at).map_or(until, |free_at| free_at.min(until)))
    }
}

impl Lane {
    pub(super) fn on_program(&mut self, id: CommandId, event: ProgramEvent) {
        let Some(record) = self.records.iter_mut().find(|record| record.id == id) else { return };
        match event {
            ProgramEvent::Started(writer) if record.interrupted => drop(writer.order(Order::Close)),
            ProgramEvent::Started(writer) => record.writer = Some(writer),
            ProgramEvent::Failed(why) => {
                record.failure = Some(why.clone());
                record.end(State::Lost, &self.profile);
                // One that starts nothing any more would keep the next program waiting as long.
                if self.running().is_none() && self.is_used_up() {
                    self.ended = Some(why);
                }
            }
            ProgramEvent::Unstarted(why) => {
                record.failure = Some(why.clone());
                record.end(State::Unstarted, &self.profile);
                let asked_at = record.started_at;
                let (running, counts_ended) = (self.programs(), self.has_ended_about(asked_at));
                if running == 0 {
                    // The next program gets another connection.
                    self.ended = Some(why);
                } else if let Open::Programs { places, .. } = &mut self.way {
                    // It waits for the end of one of those that run.
                    places.refused(running, asked_at, counts_ended, now());
                }
            }
            ProgramEvent::Line(event) => {
                let Some(own) = &mut record.own else { return };
                own.take(&event);
                let end = match event {
                    LineEvent::Data(_) | LineEvent::Error(_) => return,
                    LineEvent::Exit(Ok(status)) => {
                        record.status = Some(status);
                        State::Done
                    }
                    LineEvent::Exit(Err(why)) => {
                        record.failure = Some(why);
                        State::Done
                    }
                    LineEvent::Closed(why) => {
                        record.failure = Some(why);
                        State::Lost
                    }
                };
                (record.out.1, record.err.1) = (Some(own.out.stream.log().end()), Some(own.err.stream.log().end()));
                record.end(end, &self.profile);
                self.used_at = now();
                if let Open::Programs { places, .. } = &mut self.way {
                    places.ended(now());
                }
            }
        }
    }

    /// How many run.
    pub(super) fn programs(&self) -> usize {
        self.records.iter().filter(|record| !record.is_over()).count()
    }

    /// Has a program ended whose place the server may not have had again when it was asked for one then?
    fn has_ended_about(&self, then: Instant) -> bool {
        let had_place = |record: &&Record| *record.state.borrow() != State::Unstarted;
        let ended_at = |record: &Record| record.duration.map(|duration| record.started_at + duration);
        self.records.iter().filter(had_place).filter_map(ended_at).any(|ended_at| ended_at + PROGRAM_PLACE_REST > then)
    }

    /// Does the connection give no further session?
    fn is_used_up(&self) -> bool {
        matches!(&self.way, Open::Programs { connection, .. } if !connection.has_room())
    }
}

/// Nobody listens any more: a program that has started is not left running.
pub(super) fn give_up(event: ProgramEvent) {
    if let ProgramEvent::Started(writer) = event {
        let _ = writer.order(Order::Close);
    }
}

/// Opens a channel for a command and carries what it says to the session.
pub(super) async fn carry(connection: Connection, program: Program, id: CommandId, events: mpsc::Sender<(CommandId, ProgramEvent)>) {
    let line = match connection.program(&program).await {
        Ok(line) => line,
        Err(error) => {
            let why = error.to_string();
            let is_used_up = matches!(error, ConnectError::Gone { .. } | ConnectError::Full { .. });
            let event = if is_used_up { ProgramEvent::Unstarted(why) } else { ProgramEvent::Failed(why) };
            // A session that has ended listens no longer.
            return drop(events.send((id, event)).await);
        }
    };
    let Line { mut reader, writer, .. } = line;
    // Nobody types to it. Where the line has ended, the reader says so.
    let _ = writer.order(Order::End);
    if let Err(unheard) = events.send((id, ProgramEvent::Started(writer))).await {
        return give_up(unheard.0.1);
    }
    loop {
        let event = reader.next().await;
        let is_end = matches!(event, LineEvent::Exit(_) | LineEvent::Closed(_));
        if events.send((id, ProgramEvent::Line(event))).await.is_err() || is_end {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_server_that_is_full_gets_the_next_program_when_another_has_ended() {
        let (mut places, start) = (Places::default(), Instant::now());
        assert!(places.has_one(PROGRAMS_MAX - 1, start) && !places.has_one(PROGRAMS_MAX, start) && places.due(start).is_none());
        places.ended(start);
        assert!(places.has_one(2, start), "it has not said that it is full");
        // Three were begun at once, and two of them refused.
        for running in [2, 1] {
            places.refused(running, start, false, start);
        }
        let rested = start + PROGRAM_PLACE_REST;
        assert!(!places.has_one(0, start) && places.due(start) == Some(rested));
        let until = start + PROGRAM_PLACES_KNOWN;
        assert!(places.has_one(0, rested) && !places.has_one(1, rested) && places.due(rested) == Some(until));
        let ended = until - Duration::from_millis(1);
        places.ended(ended);
        assert!(!places.has_one(0, ended) && places.due(ended) == Some(until));
        assert!(places.has_one(1, until) && places.due(until).is_none(), "it may give more again");
    }

    #[test]
    fn a_server_that_may_still_have_counted_what_had_ended_is_asked_once_more() {
        let (mut places, start) = (Places::default(), Instant::now());
        let (rested, ms) = (start + PROGRAM_PLACE_REST, Duration::from_millis(1));
        // Two have ended, and two more were begun at once.
        places.ended(start);
        for running in [2, 1] {
            places.refused(running, start, true, start + ms);
        }
        assert!(!places.has_one(1, rested) && places.due(rested) == Some(rested + ms));
        assert!(places.has_one(1, rested + ms) && places.due(rested + ms).is_none(), "their places are free now");
        // Others end all the time: it would be asked for ever.
        let asked_at = rested + ms;
        places.refused(2, asked_at, true, asked_at + ms);
        let until = asked_at + ms + PROGRAM_PLACES_KNOWN;
        assert!(!places.has_one(2, until - ms) && places.due(asked_at + ms) == Some(until));
        // What it has shown for sure is not given up for a doubt.
        let (mut places, later) = (Places::default(), start + PROGRAM_PLACES_KNOWN / 2);
        places.refused(3, start, false, start);
        places.refused(2, later, true, later);
        let rested = later + PROGRAM_PLACE_REST;
        assert!(!places.has_one(2, later) && places.has_one(2, rested) && !places.has_one(3, rested));
    }
}

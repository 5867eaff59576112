//! A channel of its own for each command: the protocol tells its end.

use std::time::Instant;

use tokio::sync::mpsc;

use super::{Lane, Open, State, now};
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
}

impl Places {
    fn refused(&mut self, running: usize, at: Instant) {
        self.shown = Some((running, at + PROGRAM_PLACES_KNOWN));
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
                let running = self.programs();
                if running == 0 {
                    // The next program gets another connection.
                    self.ended = Some(why);
                } else if let Open::Programs { places, .. } = &mut self.way {
                    // It waits for the end of one of those that run.
                    places.refused(running, now());
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
            places.refused(running, start);
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
}

//! A channel of its own for each command: the protocol tells its end.

use tokio::sync::mpsc;

use super::{Lane, Open, State, now};
use crate::ids::CommandId;
use crate::policy::approved::Program;
use crate::transport::ssh::{ConnectError, Connection, Ticket};
use crate::transport::{Line, LineEvent, Order, Writer};

/// What a channel of its own tells.
pub(super) enum ProgramEvent {
    Started(Writer),
    Line(LineEvent),
    Failed(String),
    /// The connection gives no further session, or had ended before.
    Unstarted(String),
}

impl Lane {
    pub(super) fn on_program(&mut self, id: CommandId, event: ProgramEvent) {
        let Some(record) = self.records.of_mut(id) else { return };
        match event {
            ProgramEvent::Started(writer) if record.interrupted => drop(writer.order(Order::Close)),
            ProgramEvent::Started(writer) => record.writer = Some(writer),
            ProgramEvent::Failed(why) => {
                record.failure = Some(why.clone());
                self.end(id, State::Lost);
                // One that starts nothing any more would keep the next program waiting as long.
                if self.running().is_none() && self.is_left() {
                    self.ended = Some(why);
                }
            }
            ProgramEvent::Unstarted(why) => {
                record.failure = Some(why.clone());
                self.end(id, State::Unstarted);
                // The next program waits for the end of one of those that run. Where none does it gets another connection.
                if self.running().is_none() {
                    self.ended = Some(why);
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
                self.end(id, end);
                self.used_at = now();
                if self.running().is_none() && self.is_left() {
                    self.ended = Some(format!("the connection to `{}` gives no further session", self.profile.id.device));
                }
            }
        }
    }

    /// Does the connection give no further session? Who comes next is given another one.
    fn is_left(&self) -> bool {
        matches!(&self.way, Open::Programs { places, .. } if places.borrow().is_left())
    }
}

/// Nobody listens any more: a program that has started is not left running.
pub(super) fn give_up(event: ProgramEvent) {
    if let ProgramEvent::Started(writer) = event {
        let _ = writer.order(Order::Close);
    }
}

/// Opens a channel for a command, at its place on the connection, and carries what it says to the session.
pub(super) async fn carry(
    connection: Connection,
    place: Ticket,
    program: Program,
    id: CommandId,
    events: mpsc::Sender<(CommandId, ProgramEvent)>,
) {
    let line = match connection.program_at(place, &program).await {
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

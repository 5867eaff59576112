//! What a session remembers of its commands: the newest ones, as many as there is room for.

use std::collections::VecDeque;

use crate::ids::{CommandId, SessionId};
use crate::limits::COMMANDS_KEPT_BYTES;

/// Those that stay whatever they take: one that has ended is still to be told of where the next one has begun.
const STAY: usize = 2;

/// A command as a session remembers it.
pub(super) trait Remembered {
    fn id(&self) -> CommandId;

    /// Has it ended?
    fn is_over(&self) -> bool;

    /// What it takes beside what every one does, once it has ended.
    fn bytes(&self) -> usize;
}

/// The commands that are remembered, the oldest first.
pub(super) struct Records<R> {
    /// Each with what it takes since it has ended.
    kept: VecDeque<(R, usize)>,
    /// What all of them take.
    bytes: usize,
    /// So many are kept at most.
    most: usize,
}

impl<R: Remembered> Records<R> {
    pub(super) fn up_to(most: usize) -> Self {
        Self { kept: VecDeque::new(), bytes: 0, most }
    }

    pub(super) fn of(&self, id: CommandId) -> Option<&R> {
        self.iter().rev().find(|record| record.id() == id)
    }

    pub(super) fn of_mut(&mut self, id: CommandId) -> Option<&mut R> {
        self.iter_mut().rev().find(|record| record.id() == id)
    }

    /// The same of one that still runs.
    pub(super) fn running_mut(&mut self, id: CommandId) -> Option<&mut R> {
        self.of_mut(id).filter(|record| !record.is_over())
    }

    /// Those that run.
    pub(super) fn running(&self) -> impl DoubleEndedIterator<Item = &R> {
        self.iter().filter(|record| !record.is_over())
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &R> {
        self.kept.iter().map(|(record, _)| record)
    }

    pub(super) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut R> {
        self.kept.iter_mut().map(|(record, _)| record)
    }

    /// A command begins.
    pub(super) fn begin(&mut self, record: R) {
        self.kept.push_back((record, 0));
        self.forget();
    }

    /// It has ended: what it takes counts from here on.
    pub(super) fn ended(&mut self, id: CommandId) {
        let Some((record, bytes)) = self.kept.iter_mut().rev().find(|(record, _)| record.id() == id) else { return };
        let takes = record.bytes();
        self.bytes = self.bytes.saturating_sub(*bytes) + takes;
        *bytes = takes;
        self.forget();
    }

    /// The oldest go that there is no room for. One that runs stays: its end is still to be told.
    fn forget(&mut self) {
        while self.kept.len() > self.most || self.bytes > COMMANDS_KEPT_BYTES && self.kept.len() > STAY {
            let oldest = self.kept.iter().position(|(record, _)| record.is_over());
            let Some((_, bytes)) = oldest.and_then(|oldest| self.kept.remove(oldest)) else { return };
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// What somebody is told who asks for one that is not here.
    pub(super) fn unknown(&self, session: &SessionId, id: CommandId) -> String {
        let (most, mib) = (self.most, COMMANDS_KEPT_BYTES / (1024 * 1024));
        format!(
            "`{session}` does not remember {id}; the last {most} commands are kept, or fewer where what is known of them takes more than {mib} MiB"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Known {
        id: CommandId,
        is_over: bool,
        bytes: usize,
    }

    impl Remembered for Known {
        fn id(&self) -> CommandId {
            self.id
        }

        fn is_over(&self) -> bool {
            self.is_over
        }

        fn bytes(&self) -> usize {
            self.bytes
        }
    }

    fn begin(records: &mut Records<Known>) -> CommandId {
        let id = CommandId::next();
        records.begin(Known { id, is_over: false, bytes: 0 });
        id
    }

    fn end(records: &mut Records<Known>, id: CommandId, bytes: usize) {
        let record = records.of_mut(id).unwrap();
        (record.is_over, record.bytes) = (true, bytes);
        records.ended(id);
    }

    fn run(records: &mut Records<Known>, bytes: usize) -> CommandId {
        let id = begin(records);
        end(records, id, bytes);
        id
    }

    #[test]
    fn so_many_commands_are_remembered() {
        let mut records = Records::up_to(3);
        let ids: Vec<CommandId> = (0..4).map(|_| run(&mut records, 5)).collect();
        assert!(records.of(ids[0]).is_none() && ids[1..].iter().all(|id| records.of(*id).is_some()));
        assert_eq!(records.bytes, 15);
    }

    #[test]
    fn the_oldest_commands_go_where_what_is_known_of_all_takes_too_much() {
        let mut records = Records::up_to(100);
        let most = COMMANDS_KEPT_BYTES;
        let (first, second) = (run(&mut records, most / 2), run(&mut records, most / 2));
        assert!(records.of(first).is_some(), "there is room for both");
        let third = run(&mut records, 1);
        assert!(records.of(first).is_none() && records.of(second).is_some() && records.of(third).is_some());
        // What has just ended is told, however much it is, also where the next one has begun.
        let huge = run(&mut records, most * 2);
        begin(&mut records);
        assert!(records.of(huge).is_some() && records.of(third).is_none());
        let last = run(&mut records, 1);
        assert!(records.of(huge).is_none() && records.of(last).is_some());
        assert!(records.bytes <= most);
    }

    #[test]
    fn one_that_runs_stays_and_keeps_no_other() {
        let mut records = Records::up_to(3);
        let long = begin(&mut records);
        let ids: Vec<CommandId> = (0..10).map(|_| run(&mut records, 1)).collect();
        assert_eq!((records.iter().count(), records.bytes), (3, 2));
        assert!(records.running_mut(long).is_some() && records.of(ids[9]).is_some() && records.of(ids[7]).is_none());
        end(&mut records, long, 1);
        run(&mut records, 1);
        assert!(records.running().next().is_none() && records.of(long).is_none());
    }
}

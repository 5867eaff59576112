//! What the scripted devices were told, in order, so that a test can prove what was typed and what was not.

use std::collections::VecDeque;

use tokio::sync::{mpsc, oneshot};

use super::device::Entry;
use super::limits::{JOURNAL_ENTRIES_MAX, JOURNAL_QUEUE};

/// One thing that a device was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The device.
    pub device: String,
    /// The session, counted from 1 for the whole lab.
    pub session: u64,
    /// What.
    pub entry: Entry,
}

enum Message {
    Record(JournalEntry),
    Read(oneshot::Sender<Vec<JournalEntry>>),
}

/// A way to the journal.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    sender: mpsc::Sender<Message>,
}

impl Journal {
    /// Starts the task that owns the entries; it ends with the last way to it.
    pub(super) fn start() -> Self {
        let (sender, receiver) = mpsc::channel(JOURNAL_QUEUE);
        tokio::spawn(keep(receiver));
        Self { sender }
    }

    /// Adds an entry.
    pub(super) async fn record(&self, device: &str, session: u64, entry: Entry) {
        let entry = JournalEntry { device: device.to_owned(), session, entry };
        let _gone = self.sender.send(Message::Record(entry)).await;
    }

    /// All entries that are still kept.
    pub(super) async fn read(&self) -> Vec<JournalEntry> {
        let (sender, receiver) = oneshot::channel();
        let _gone = self.sender.send(Message::Read(sender)).await;
        receiver.await.unwrap_or_default()
    }
}

async fn keep(mut receiver: mpsc::Receiver<Message>) {
    let mut entries = VecDeque::new();
    while let Some(message) = receiver.recv().await {
        match message {
            Message::Record(entry) => {
                if entries.len() >= JOURNAL_ENTRIES_MAX {
                    entries.pop_front();
                }
                entries.push_back(entry);
            }
            Message::Read(reply) => {
                let _gone = reply.send(entries.iter().cloned().collect());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn entries_come_back_in_order_and_the_oldest_go_first() {
        let journal = Journal::start();
        for number in 0..=JOURNAL_ENTRIES_MAX as u64 {
            journal.record("a", number, Entry::Stopped).await;
        }
        let kept = journal.read().await;
        assert_eq!(kept.len(), JOURNAL_ENTRIES_MAX);
        assert_eq!(kept.first().map(|entry| entry.session), Some(1));
    }
}

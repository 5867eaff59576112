//! A line that plays a recording: it sends what the device sent, cut as wanted, once what was typed then is typed again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Line, LineEvent, Order, Reader, Writer};
use crate::limits::LINE_CHUNKS;
use crate::recording::Entry;

/// Cuts the next piece off: given how many bytes there are, how many go now (at least one) and how long to wait before them.
pub type Cut = Box<dyn FnMut(usize) -> (usize, Duration) + Send + Sync>;

/// Makes the value that stands for a secret in a replay.
#[must_use]
pub fn stand_in(name: &str) -> String {
    format!("stand-in-for-{name}")
}

/// Reads a line that plays a recording.
#[derive(Debug)]
pub struct ReplayReader {
    events: mpsc::Receiver<LineEvent>,
}

impl ReplayReader {
    /// The next event.
    pub async fn next(&mut self) -> LineEvent {
        self.events.recv().await.unwrap_or_else(|| LineEvent::Closed("the recording has ended".to_owned()))
    }
}

/// Answers what was typed and not yet taken: how many bytes of it are taken, and what the device does then. None waits for more.
pub type Answer = Box<dyn FnMut(&[u8]) -> Option<(usize, Vec<Entry>)> + Send + Sync>;

/// A line that plays these entries. What a caller did is not the line's and is left out.
#[must_use]
pub fn open(entries: &[Entry], cut: Cut) -> Line {
    let script = entries.iter().filter(|entry| !matches!(entry, Entry::Run(_) | Entry::Answer(_) | Entry::Outcome(_))).cloned().collect();
    play(script, None, cut)
}

/// A line to a device that a function plays: it does this first, and then what it answers.
#[must_use]
pub fn open_answered(first: Vec<Entry>, answer: Answer, cut: Cut) -> Line {
    play(first.into(), Some(answer), cut)
}

fn play(script: VecDeque<Entry>, answer: Option<Answer>, cut: Cut) -> Line {
    // One more than a session takes in a turn, so that a burst may end right where a turn does.
    let (events, receiver) = mpsc::channel(LINE_CHUNKS + 1);
    let (writer, orders) = Writer::new();
    tokio::spawn(Player { script, answer, orders, events, cut, typed: Vec::new() }.run());
    Line { reader: Reader::Replay(ReplayReader { events: receiver }), writer, welcome: Arc::default(), seen: Vec::new() }
}

struct Player {
    script: VecDeque<Entry>,
    answer: Option<Answer>,
    orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<LineEvent>,
    cut: Cut,
    /// Typed and not yet expected.
    typed: Vec<u8>,
}

impl Player {
    async fn run(mut self) {
        loop {
            if self.play().await.is_none() {
                return;
            }
            if self.answer.is_none() {
                return self.refuse().await;
            }
            if self.listen().await.is_none() {
                return;
            }
        }
    }

    /// Plays what is left of the script; none when the line has ended.
    async fn play(&mut self) -> Option<()> {
        while let Some(entry) = self.script.pop_front() {
            let played = match entry {
                Entry::Output(bytes) => self.send(bytes.into()).await,
                Entry::Silence(duration) => {
                    tokio::time::sleep(duration).await;
                    Some(())
                }
                Entry::Typed(bytes) => self.expect(&bytes).await,
                Entry::Secret { name, enter } => self.expect(&[stand_in(&name).as_bytes(), &enter].concat()).await,
                Entry::End(end) => {
                    let _ = self.events.send(LineEvent::Exit(end)).await;
                    None
                }
                Entry::Run(_) | Entry::Answer(_) | Entry::Outcome(_) => Some(()),
            };
            played?;
        }
        Some(())
    }

    /// Waits until something is typed that is answered.
    async fn listen(&mut self) -> Option<()> {
        loop {
            if let Some((taken, entries)) = self.answer.as_mut().and_then(|answer| answer(&self.typed)) {
                self.typed.drain(..taken.min(self.typed.len()));
                self.script.extend(entries);
                return Some(());
            }
            match self.orders.recv().await? {
                Order::Write(bytes) => self.typed.extend_from_slice(&bytes),
                Order::Signal(_) | Order::Beside(..) | Order::Resize(..) | Order::End => {}
                Order::Close => return None,
            }
        }
    }

    /// Nothing more comes; what is typed now was not typed then.
    async fn refuse(&mut self) {
        while let Some(order) = self.orders.recv().await {
            match order {
                Order::Close => return,
                Order::Signal(_) | Order::Beside(..) | Order::Resize(..) | Order::End => {}
                Order::Write(bytes) => return self.differs(&[], &bytes).await,
            }
        }
    }

    async fn send(&mut self, mut bytes: Bytes) -> Option<()> {
        while !bytes.is_empty() {
            let (length, pause) = (self.cut)(bytes.len());
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let piece = bytes.split_to(length.clamp(1, bytes.len()));
            self.events.send(LineEvent::Data(piece)).await.ok()?;
        }
        Some(())
    }

    /// Waits until this is typed. Something else ends the line, with both in the reason.
    async fn expect(&mut self, wanted: &[u8]) -> Option<()> {
        while self.typed.len() < wanted.len() && wanted.starts_with(&self.typed) {
            match self.orders.recv().await? {
                Order::Write(bytes) => self.typed.extend_from_slice(&bytes),
                Order::Signal(_) | Order::Beside(..) | Order::Resize(..) | Order::End => {}
                Order::Close => return None,
            }
        }
        if !self.typed.starts_with(wanted) {
            let typed = std::mem::take(&mut self.typed);
            self.differs(wanted, &typed).await;
            return None;
        }
        self.typed.drain(..wanted.len());
        Some(())
    }

    async fn differs(&self, wanted: &[u8], typed: &[u8]) {
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let why = format!("the recording goes on with `{}` typed, but `{}` was typed", shown(wanted), shown(typed));
        let _ = self.events.send(LineEvent::Closed(why)).await;
    }
}

//! Lines: bytes to and from a device. A line takes only [`Approved`](crate::policy::approved::Approved) bytes.
//!
//! [`ssh`] and [`telnet`] over the network, [`wire`] for what has no more than bytes, [`pty`] for a program on this machine, [`replay`]
//! for a recording. Reading never waits for anybody but the device; writing has a task of its own, so that a device that does not
//! read cannot stop the reading.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::limits::{BESIDE_MAX, LINE_CHUNKS, WRITE_CHUNK_BYTES, WRITE_MAX};
use crate::policy::approved::Program;
use crate::secret::Secret;

pub mod host_key;
pub mod pty;
pub mod questions;
pub mod replay;
pub mod route;
mod server_id;
pub mod ssh;
pub mod telnet;
pub mod wire;

/// What a line brings.
#[derive(Debug)]
pub enum LineEvent {
    /// Bytes for the terminal, or of standard output.
    Data(Bytes),
    /// Bytes of standard error; a terminal mixes both.
    Error(Bytes),
    /// The program on the line has ended: its exit status, or why there is none.
    Exit(Result<i32, String>),
    /// The line has ended; why.
    Closed(String),
}

/// What can be done to a line.
#[derive(Debug)]
pub enum Order {
    /// Write these bytes. They may be a secret, so they are wiped once they are written.
    Write(Typed),
    /// Send a signal to the program, by its POSIX name without `SIG` (RFC 4254 section 6.9).
    Signal(&'static str),
    /// Start this beside what runs there, and tell how it ended: a signal for what stands in a terminal's foreground.
    Beside(Program, oneshot::Sender<Result<(), String>>),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// Nothing more is written: what reads it finds its end (RFC 4254 section 5.3). For a program on a channel of its own.
    End,
    /// Close the line.
    Close,
}

/// Tells whoever waits how a short program beside a line ended, by its exit status and its complaints.
async fn tell_of(run: impl Future<Output = Result<(Option<i32>, Vec<u8>), String>>, reply: oneshot::Sender<Result<(), String>>) {
    let done = match tokio::time::timeout(BESIDE_MAX, run).await {
        Ok(Ok((Some(0), _))) => Ok(()),
        Ok(Ok((status, said))) => match (status, ssh::words(&String::from_utf8_lossy(&said), ssh::WORDS_MAX_BYTES)) {
            (Some(status), said) if said.is_empty() => Err(format!("the program that sends it ended with status {status}")),
            (_, said) => Err(said),
        },
        Ok(Err(why)) => Err(why),
        Err(_) => Err(format!("it was not sent within {} s", BESIDE_MAX.as_secs())),
    };
    // Nobody may wait for it any more.
    let _ = reply.send(done);
}

/// Bytes on their way to a device. They are wiped from memory when nobody needs them any more, and cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Typed(Zeroizing<Vec<u8>>);

impl Typed {
    /// A secret and the keys after it, without a copy that stays in freed memory.
    #[must_use]
    pub fn secret(secret: &Secret, enter: &[u8]) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(secret.expose().len() + enter.len()));
        bytes.extend_from_slice(secret.expose());
        bytes.extend_from_slice(enter);
        Self(bytes)
    }
}

impl From<Vec<u8>> for Typed {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl std::ops::Deref for Typed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Reads a line.
#[derive(Debug)]
pub enum Reader {
    /// An SSH channel.
    Ssh(ssh::ChannelReader),
    /// A telnet connection or a serial device.
    Wire(wire::WireReader),
    /// A local terminal.
    Pty(pty::PtyReader),
    /// A recording.
    Replay(replay::ReplayReader),
}

impl Reader {
    /// The next event. Safe to drop while it waits.
    pub async fn next(&mut self) -> LineEvent {
        match self {
            Self::Ssh(reader) => reader.next().await,
            Self::Wire(reader) => reader.next().await,
            Self::Pty(reader) => reader.next().await,
            Self::Replay(reader) => reader.next().await,
        }
    }

    /// An event that is already there.
    pub fn ready(&mut self) -> Option<LineEvent> {
        match pin!(self.next()).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(event) => Some(event),
            Poll::Pending => None,
        }
    }
}

/// Orders for a line. Dropping it closes the line.
#[derive(Debug, Clone)]
pub struct Writer {
    orders: mpsc::Sender<Order>,
}

impl Writer {
    /// A writer and the queue that its task works off.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Order>) {
        let (orders, queue) = mpsc::channel(LINE_CHUNKS);
        (Self { orders }, queue)
    }

    /// Gives an order.
    ///
    /// # Errors
    ///
    /// The sentence to show when the line is gone, or has not taken anything for a long time.
    pub fn order(&self, order: Order) -> Result<(), String> {
        self.orders.try_send(order).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => "the device does not read what is typed; interrupt or close the session".to_owned(),
            mpsc::error::TrySendError::Closed(_) => "the line is closed".to_owned(),
        })
    }
}

/// Writes in pieces that a terminal's queue takes.
async fn write_all<F: Future<Output = Result<(), String>>>(bytes: &[u8], mut write: impl FnMut(Bytes) -> F) -> Result<(), String> {
    for piece in bytes.chunks(WRITE_CHUNK_BYTES) {
        // Whoever holds the last part of it wipes it.
        let owned = Bytes::from_owner(Zeroizing::new(piece.to_vec()));
        let written = tokio::time::timeout(WRITE_MAX, write(owned)).await;
        written.unwrap_or_else(|_| Err(format!("the device took nothing for {} s", WRITE_MAX.as_secs())))?;
    }
    Ok(())
}

/// What a line showed when it opened. All of it is empty for a local program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Welcome {
    /// What the other end says of itself (RFC 4253 section 4.2).
    pub server_id: String,
    /// The banner shown during authentication (RFC 4252 section 5.4).
    pub banner: String,
    /// The host key that was checked: its type and fingerprint.
    pub host_key: String,
    /// What was agreed in the key exchange.
    pub agreed: String,
    /// What callers should know of this line.
    pub warnings: Vec<String>,
}

/// An open line.
#[derive(Debug)]
pub struct Line {
    /// What comes.
    pub reader: Reader,
    /// What goes.
    pub writer: Writer,
    /// What it showed when it opened.
    pub welcome: Arc<Welcome>,
    /// What was read of it to find out what is at its other end. The session begins with it; queries to the terminal in it are
    /// answered already.
    pub seen: Vec<u8>,
}

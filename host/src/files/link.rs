//! One SFTP connection: requests go out as fast as they are made, answers find who waits for them by their number.
//!
//! A task writes, a task reads. The reader ends the connection when nothing moves in either direction while somebody waits, and when the server
//! says something that cannot be: from then on every request fails with that reason.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::FilesError;
use super::wire::{self, answer, put_u32, request};
use crate::limits::{SFTP_FRAME_MAX_BYTES, SFTP_FRAMES_QUEUED, SFTP_GATHER_BYTES, SFTP_QUIET_MAX, SFTP_REQUEST_MAX};

/// How often a quiet connection is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(SFTP_QUIET_MAX.as_secs() / 3);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its packet type.
    pub kind: u8,
    /// What follows its number.
    pub body: Bytes,
}

#[derive(Debug, Default)]
struct Waiters {
    last: u32,
    by_number: HashMap<u32, oneshot::Sender<Reply>>,
    end: Option<FilesError>,
}

#[derive(Debug, Default)]
struct Shared {
    waiters: Mutex<Waiters>,
    moved: AtomicU64,
}

impl Shared {
    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, why: &str) {
        let mut waiters = self.waiters();
        waiters.end.get_or_insert_with(|| FilesError::Broken(why.to_owned()));
        // Whoever waits hears it by the end of its channel.
        waiters.by_number.clear();
    }

    fn end(&self) -> FilesError {
        self.waiters().end.clone().unwrap_or_else(|| FilesError::Broken("has ended".to_owned()))
    }
}

/// The connection. Dropping it ends it.
#[derive(Debug)]
pub struct Link {
    frames: mpsc::Sender<Vec<u8>>,
    shared: Arc<Shared>,
    tasks: [AbortHandle; 2],
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// A request on its way.
#[derive(Debug)]
pub struct Waiting {
    told: oneshot::Receiver<Reply>,
    shared: Arc<Shared>,
}

impl Waiting {
    /// Its answer.
    ///
    /// # Errors
    ///
    /// Why there is none: the connection has ended, or the server took too long.
    pub async fn reply(self) -> Result<Reply, FilesError> {
        match timeout(SFTP_REQUEST_MAX, self.told).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(self.shared.end()),
            Err(_) => Err(FilesError::Broken(format!("did not answer a request in {} s", SFTP_REQUEST_MAX.as_secs()))),
        }
    }
}

impl Link {
    /// Shakes hands. Also the extensions that the server names.
    ///
    /// # Errors
    ///
    /// When what is there does not speak SFTP, or another version.
    pub async fn start<S>(stream: S) -> Result<(Self, Vec<(Bytes, Bytes)>), FilesError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (mut input, mut output) = tokio::io::split(stream);
        let mut buffer = BytesMut::new();
        let hello = async {
            output.write_all(&[0, 0, 0, 5, request::INIT, 0, 0, 0, 3]).await.map_err(|error| error.to_string())?;
            output.flush().await.map_err(|error| error.to_string())?;
            frame(&mut input, &mut buffer, || {}).await
        };
        let hello =
            timeout(SFTP_QUIET_MAX, hello).await.unwrap_or_else(|_| Err("does not answer".to_owned())).map_err(FilesError::Broken)?;
        let extensions = greeting(hello)?;
        let shared = Arc::new(Shared::default());
        let (frames, queue) = mpsc::channel(SFTP_FRAMES_QUEUED);
        let writer = tokio::spawn(write(output, queue, Arc::clone(&shared))).abort_handle();
        let reader = tokio::spawn(read(input, buffer, Arc::clone(&shared))).abort_handle();
        Ok((Self { frames, shared, tasks: [writer, reader] }, extensions))
    }

    /// Sends a request; `room` is how many bytes `fill` will about need.
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub async fn send(&self, kind: u8, room: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Result<Waiting, FilesError> {
        // The place in the queue first: who is dropped while waiting for it leaves no number behind.
        let place = self.frames.reserve().await.map_err(|_| self.shared.end())?;
        let (frame, waiting) = self.register(kind, room, fill)?;
        place.send(frame);
        Ok(waiting)
    }

    /// Sends a request whose answer nobody needs, if there is room for it now.
    pub fn send_off(&self, kind: u8, fill: impl FnOnce(&mut Vec<u8>)) {
        if let Ok(place) = self.frames.try_reserve()
            && let Ok((frame, _)) = self.register(kind, 64, fill)
        {
            place.send(frame);
        }
    }

    fn register(&self, kind: u8, room: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Result<(Vec<u8>, Waiting), FilesError> {
        let (tell, told) = oneshot::channel();
        let number = {
            let mut waiters = self.shared.waiters();
            if let Some(end) = &waiters.end {
                return Err(end.clone());
            }
            let mut number = waiters.last.wrapping_add(1);
            while waiters.by_number.contains_key(&number) {
                number = number.wrapping_add(1);
            }
            waiters.last = number;
            waiters.by_number.insert(number, tell);
            number
        };
        let mut frame = Vec::with_capacity(room + 16);
        put_u32(&mut frame, 0);
        frame.push(kind);
        put_u32(&mut frame, number);
        fill(&mut frame);
        let length = u32::try_from(frame.len().saturating_sub(4)).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(place) = frame.first_chunk_mut::<4>() {
            *place = length;
        }
        Ok((frame, Waiting { told, shared: Arc::clone(&self.shared) }))
    }
}

fn greeting(hello: Bytes) -> Result<Vec<(Bytes, Bytes)>, FilesError> {
    let broken = |what: String| FilesError::Broken(what);
    let mut fields = wire::Fields(hello);
    let malformed = |_| broken("sent a first answer that is no SFTP; is something printed by the account's start files?".to_owned());
    if fields.u8().map_err(malformed)? != answer::VERSION {
        return Err(malformed(wire::Malformed));
    }
    let version = fields.u32().map_err(malformed)?;
    if version < wire::VERSION {
        return Err(broken(format!("speaks version {version} of SFTP, which is too old: {} is needed", wire::VERSION)));
    }
    let mut extensions = Vec::new();
    while !fields.0.is_empty() {
        extensions.push((fields.string().map_err(malformed)?, fields.string().map_err(malformed)?));
    }
    Ok(extensions)
}

/// The next packet without its length. What follows it stays in the buffer.
async fn frame<R: AsyncRead + Unpin>(input: &mut R, buffer: &mut BytesMut, mut moved: impl FnMut()) -> Result<Bytes, String> {
    loop {
        let mut wanted = SFTP_GATHER_BYTES;
        if let Some(length) = buffer.first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length == 0 || length > SFTP_FRAME_MAX_BYTES {
                return Err(format!("sent a packet of {length} bytes; between 1 and {SFTP_FRAME_MAX_BYTES} are taken"));
            }
            if buffer.len() >= length + 4 {
                buffer.advance(4);
                return Ok(buffer.split_to(length).freeze());
            }
            wanted = wanted.max(length + 4 - buffer.len());
        }
        buffer.reserve(wanted);
        match input.read_buf(buffer).await {
            Ok(0) => return Err("has closed the connection".to_owned()),
            Ok(_) => moved(),
            Err(error) => return Err(format!("is gone: {error}")),
        }
    }
}

async fn read<S: AsyncRead>(mut input: ReadHalf<S>, mut buffer: BytesMut, shared: Arc<Shared>) {
    let mut quiet = (0, 0);
    let why = loop {
        let moved = || {
            shared.moved.fetch_add(1, Ordering::Relaxed);
        };
        match timeout(LOOK_EVERY, frame(&mut input, &mut buffer, moved)).await {
            Ok(Ok(packet)) => {
                if let Err(why) = deliver(packet, &shared) {
                    break why;
                }
            }
            Ok(Err(why)) => break why,
            Err(_) => {
                let now = shared.moved.load(Ordering::Relaxed);
                let idle = shared.waiters().by_number.is_empty();
                quiet = if idle || now != quiet.0 { (now, 0) } else { (now, quiet.1 + 1) };
                if quiet.1 >= 3 {
                    break format!("has been silent for {} s while it was asked something", SFTP_QUIET_MAX.as_secs());
                }
            }
        }
    };
    shared.fail(&why);
}

fn deliver(mut packet: Bytes, shared: &Shared) -> Result<(), String> {
    let (Ok(kind), Ok(number)) = (packet.try_get_u8(), packet.try_get_u32()) else {
        return Err("sent a packet without a number".to_owned());
    };
    let Some(tell) = shared.waiters().by_number.remove(&number) else {
        return Err(format!("answered a request `{number}` that nobody made"));
    };
    // Nobody may want it any more.
    let _ = tell.send(Reply { kind, body: packet });
    Ok(())
}

/// Writes what is queued, small packets together.
async fn write<S: AsyncWrite>(mut output: WriteHalf<S>, mut queue: mpsc::Receiver<Vec<u8>>, shared: Arc<Shared>) {
    while let Some(mut frames) = queue.recv().await {
        while frames.len() < SFTP_GATHER_BYTES
            && let Ok(next) = queue.try_recv()
        {
            frames.extend_from_slice(&next);
        }
        let mut rest = frames.as_slice();
        while !rest.is_empty() {
            match output.write(rest).await {
                Ok(written) if written > 0 => {
                    rest = rest.get(written..).unwrap_or_default();
                    shared.moved.fetch_add(1, Ordering::Relaxed);
                }
                Ok(_) => return shared.fail("takes nothing any more"),
                Err(error) => return shared.fail(&format!("is gone: {error}")),
            }
        }
        if let Err(error) = output.flush().await {
            return shared.fail(&format!("is gone: {error}"));
        }
    }
}

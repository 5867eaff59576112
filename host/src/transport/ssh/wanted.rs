//! A stream that breaks some time after nobody wants its connection any more.
//!
//! The library's task hears that its handle has gone only between two exchanges of keys, and when it has nothing left to write. A server
//! that stops in the middle of one would keep the stream otherwise, and with it a jump host's connection or a proxy's program.
//! Whoever wants the connection is told by it how long nothing has come.
//!
//! The library counts keepalives only when it has nothing left to write, either. Over TCP the system ends what takes nothing for as long;
//! a jump host's channel, or a program in the network's place, can be full for ever, and the first is so when its own connection ends.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::WRITE_MAX;

/// Somebody wants the connection as long as the value lives.
#[derive(Debug)]
pub(super) struct Wanted {
    _told: oneshot::Sender<Infallible>,
    pulse: Pulse,
}

impl Wanted {
    /// For how long nothing has come.
    pub(super) fn silent(&self) -> Duration {
        let last = Duration::from_millis(self.pulse.last_ms.load(Ordering::Acquire));
        self.pulse.since.elapsed().saturating_sub(last)
    }
}

/// When something came last.
#[derive(Debug, Clone)]
struct Pulse {
    since: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Pulse {
    fn beat(&self) {
        self.last_ms.store(u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }
}

/// The stream of a connection. When nobody wants it any more, the last words have as long as any others to go out.
#[derive(Debug)]
pub(super) struct WhileWanted<S> {
    stream: S,
    state: State,
    pulse: Pulse,
    /// How long it may take nothing of what is to be written.
    patience: Duration,
    /// Over when it has taken nothing for so long.
    stuck: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum State {
    /// Somebody wants it.
    Wanted(oneshot::Receiver<Infallible>),
    /// Nobody does; then it breaks.
    Left(Pin<Box<Sleep>>),
}

impl<S> WhileWanted<S> {
    /// It breaks, too, where it takes nothing of what is to be written for as long as its patience.
    pub(super) fn new(stream: S, patience: Duration) -> (Self, Wanted) {
        let (told, hears) = oneshot::channel();
        let pulse = Pulse { since: Instant::now(), last_ms: Arc::default() };
        let state = State::Wanted(hears);
        (Self { stream, state, pulse: pulse.clone(), patience, stuck: None }, Wanted { _told: told, pulse })
    }

    /// An error once it is over. Whoever polls is woken then.
    fn lasts(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let State::Wanted(hears) = &mut self.state
            && Pin::new(hears).poll(context).is_ready()
        {
            self.state = State::Left(Box::pin(sleep(WRITE_MAX)));
        }
        if let State::Left(rest) = &mut self.state
            && rest.as_mut().poll(context).is_ready()
        {
            return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
        }
        Ok(())
    }

    /// What comes of a write, or that the stream has taken nothing for too long. Whoever writes is woken then.
    fn in_time(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let patience = self.patience;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        stuck.as_mut().poll(context).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "it takes nothing any more")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WhileWanted<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.lasts(context)?;
        let read = Pin::new(&mut this.stream).poll_read(context, out);
        if read.is_ready() {
            this.pulse.beat();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WhileWanted<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.lasts(context)?;
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.in_time(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.lasts(context)?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    /// Never an error: the library would keep the connection's end to itself then, and who waits for what comes in would wait for ever.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lasts(context).is_err() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_shutdown(context).map(|_| Ok(()))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.lasts(context)?;
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, pieces);
        this.in_time(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_told_for_how_long_nothing_has_come() {
        let (near, mut far) = tokio::io::duplex(4);
        let (mut stream, wanted) = WhileWanted::new(near, Duration::MAX);
        let (long, mut byte) = (Duration::from_secs(60), [0]);
        assert!(timeout(long, stream.read(&mut byte)).await.is_err());
        assert!(wanted.silent() >= long);
        far.write_all(b"!").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        assert!(wanted.silent() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_wants_breaks_after_its_last_words() {
        // It takes four bytes and no more.
        let (near, mut far) = tokio::io::duplex(4);
        let (mut stream, wanted) = WhileWanted::new(near, Duration::MAX);
        let mut byte = [0];
        assert!(timeout(Duration::from_secs(3600), stream.read(&mut byte)).await.is_err(), "a quiet one is wanted");
        drop(wanted);
        let left = Instant::now();
        stream.write_all(b"bye!").await.unwrap();
        let mut heard = [0; 4];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"bye!");
        // Nobody takes the fifth.
        assert_eq!(stream.write_all(b"hello").await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert!((WRITE_MAX..WRITE_MAX * 2).contains(&left.elapsed()), "{:?}", left.elapsed());
        assert_eq!(stream.read(&mut byte).await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        stream.shutdown().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_nothing_any_more_breaks_though_somebody_wants_it() {
        let patience = Duration::from_secs(90);
        let (near, mut far) = tokio::io::duplex(4);
        let (mut stream, _wanted) = WhileWanted::new(near, patience);
        // It takes a few bytes now and then.
        let slow = async {
            for _ in 0..3 {
                sleep(patience / 3 * 2).await;
                far.read_exact(&mut [0; 4]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(stream.write_all(&[7; 16]), slow);
        written.unwrap();
        let full = Instant::now();
        let broken = stream.write_all(b"!").await.unwrap_err();
        assert_eq!((broken.kind(), broken.to_string().as_str()), (io::ErrorKind::TimedOut, "it takes nothing any more"));
        assert!((patience..patience * 2).contains(&full.elapsed()), "{:?}", full.elapsed());
    }
}

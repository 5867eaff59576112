//! Bytes from one end to the other and back, until both have said all.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::{Sleep, sleep};

use super::Counts;
use crate::limits::{FORWARD_BUFFER_BYTES, FORWARD_REST_MAX};

/// A connection's place in the counts.
pub(super) struct Counted<'a>(&'a Counts);

impl<'a> Counted<'a> {
    pub(super) fn new(counts: &'a Counts) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        counts.total.fetch_add(1, Ordering::Relaxed);
        Self(counts)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What an end knows of the other one.
#[derive(Default)]
struct Known {
    /// It was told all that this one had to say.
    was_told: AtomicBool,
    /// It has broken, and says no more.
    is_gone: AtomicBool,
}

/// One end of a connection. What comes out of it is counted as it comes: a connection may be open for days, and many break in the end.
struct Counting<'a, S> {
    end: S,
    read: &'a AtomicU64,
    /// What is known of it, and of the other one.
    known: [&'a Known; 2],
    /// Why it takes nothing more, and until when that is kept back: what it has said itself before may still be on its way.
    broken: Option<(io::Error, Pin<Box<Sleep>>)>,
}

impl<'a, S> Counting<'a, S> {
    fn new(end: S, read: &'a AtomicU64, known: [&'a Known; 2]) -> Self {
        Self { end, read, known, broken: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<'_, S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let done = Pin::new(&mut this.end).poll_read(context, buffer);
        let got = buffer.filled().len().saturating_sub(before);
        this.read.fetch_add(u64::try_from(got).unwrap_or(0), Ordering::Relaxed);
        let Poll::Ready(Err(error)) = done else { return done };
        // One that closes with something unread resets its connection. What it has said before is all, and goes out first.
        let [known, _] = this.known;
        known.is_gone.store(true, Ordering::Relaxed);
        this.broken = Some((error, Box::pin(sleep(FORWARD_REST_MAX))));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<'_, S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let (error, mut rest) = match this.broken.take() {
            Some(broken) => broken,
            None => match Pin::new(&mut this.end).poll_write(context, bytes) {
                Poll::Ready(Err(error)) => (error, Box::pin(sleep(FORWARD_REST_MAX))),
                done => return done,
            },
        };
        let [_, other] = this.known;
        if other.was_told.load(Ordering::Relaxed) || rest.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(error));
        }
        this.broken = Some((error, rest));
        Poll::Pending
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.end).poll_shutdown(context);
        if done.is_ready() {
            let [known, other] = this.known;
            known.was_told.store(true, Ordering::Relaxed);
            if other.is_gone.load(Ordering::Relaxed) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            // The other one may have waited for that.
            context.waker().wake_by_ref();
        }
        done
    }
}

/// Carries bytes both ways. An end that says no more may still be told something, and what one has said that has broken still goes out: the
/// copying stops at the first error, with what it holds.
pub(super) async fn relay<A, B>(counts: &Counts, from: A, to: B)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let known = [Known::default(), Known::default()];
    let [of_from, of_to] = &known;
    let mut from = Counting::new(from, &counts.sent, [of_from, of_to]);
    let mut to = Counting::new(to, &counts.received, [of_to, of_from]);
    // A connection that breaks is its ends' matter; they notice.
    let _ = copy_bidirectional_with_sizes(&mut from, &mut to, FORWARD_BUFFER_BYTES, FORWARD_BUFFER_BYTES).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn bytes_are_counted_while_a_connection_is_open() {
        let counts = Counts::default();
        let ((mut client, from), (to, mut server)) = (duplex(64), duplex(64));
        let talk = async {
            client.write_all(b"asked").await.unwrap();
            server.read_exact(&mut [0; 5]).await.unwrap();
            server.write_all(b"yes").await.unwrap();
            client.read_exact(&mut [0; 3]).await.unwrap();
        };
        tokio::select! {
            () = relay(&counts, from, to) => panic!("both ends are open"),
            () = talk => {}
        }
        assert_eq!((counts.sent.load(Ordering::Relaxed), counts.received.load(Ordering::Relaxed)), (5, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_said_before_it_closed_goes_out_though_the_service_still_writes() {
        let (counts, words) = (Counts::default(), b"the last words of a client");
        let ((mut client, from), (to, mut service)) = (duplex(64), duplex(4));
        client.write_all(words).await.unwrap();
        drop(client);
        let began = Instant::now();
        let hears = async {
            service.write_all(b"more").await.unwrap();
            sleep(FORWARD_REST_MAX / 2).await;
            let mut heard = Vec::new();
            service.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let ((), heard) = tokio::join!(relay(&counts, from, to), hears);
        assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(words));
        assert!(began.elapsed() < FORWARD_REST_MAX, "all was said");
    }

    #[tokio::test]
    async fn what_a_client_said_before_it_closed_goes_out_though_it_has_left_something_unread() {
        let (counts, words) = (Counts::default(), b"the last words of a client");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut from, _) = listener.accept().await.unwrap();
        from.write_all(b"nobody reads this").await.unwrap();
        client.readable().await.unwrap();
        client.write_all(words).await.unwrap();
        // The system resets the connection.
        drop(client);
        let (to, mut service) = duplex(4);
        let hears = async {
            sleep(Duration::from_millis(50)).await;
            let mut heard = Vec::new();
            service.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let ((), heard) = tokio::join!(relay(&counts, from, to), hears);
        assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(words));
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_only_writes_to_a_client_that_has_gone_is_left() {
        let counts = Counts::default();
        let ((mut client, from), (to, mut service)) = (duplex(64), duplex(4));
        client.write_all(b"nobody reads this").await.unwrap();
        drop(client);
        service.write_all(b"more").await.unwrap();
        let began = Instant::now();
        relay(&counts, from, to).await;
        assert!((FORWARD_REST_MAX..FORWARD_REST_MAX * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    }
}

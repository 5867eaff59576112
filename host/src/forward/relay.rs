//! Bytes from one end to the other and back, until both have said all.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};

use super::Counts;
use crate::limits::FORWARD_BUFFER_BYTES;

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

/// Counts what comes out of an end as it comes: a connection may be open for days, and many break in the end.
struct Counting<'a, S> {
    end: S,
    read: &'a AtomicU64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counting<'_, S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.end).poll_read(context, buffer);
        let got = buffer.filled().len().saturating_sub(before);
        self.read.fetch_add(u64::try_from(got).unwrap_or(0), Ordering::Relaxed);
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counting<'_, S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.end).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_shutdown(context)
    }
}

/// Carries bytes both ways. An end that says no more may still be told something.
pub(super) async fn relay<A, B>(counts: &Counts, from: A, to: B)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from, mut to) = (Counting { end: from, read: &counts.sent }, Counting { end: to, read: &counts.received });
    // A connection that breaks is its ends' matter; they notice.
    let _ = copy_bidirectional_with_sizes(&mut from, &mut to, FORWARD_BUFFER_BYTES, FORWARD_BUFFER_BYTES).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

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
}

//! Reads from the network ahead of who asks: packets that came together are taken with one system call.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

/// Bytes that are read at a time where little comes, and kept for that as long as the connection.
const LITTLE_BYTES: usize = 2 * 1024;
/// Bytes that are read at a time where much comes: two of the largest packets.
const MUCH_BYTES: usize = 64 * 1024;

/// A stream that is read ahead. Thousands of connections wait for something most of the time, so its room is small until that
/// was filled, and small again when nothing comes.
#[derive(Debug)]
pub(super) struct ReadAhead<S> {
    stream: S,
    read: BytesMut,
    /// How much of that was taken.
    taken: usize,
    /// Bytes that are read at a time.
    room: usize,
}

impl<S> ReadAhead<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, read: BytesMut::new(), taken: 0, room: LITTLE_BYTES }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.taken == this.read.len() {
            this.read.clear();
            this.taken = 0;
            if out.remaining() >= this.room {
                return Pin::new(&mut this.stream).poll_read(context, out);
            }
            if this.read.capacity() < this.room {
                this.read = BytesMut::with_capacity(this.room);
            }
            let Poll::Ready(read) = poll_read_buf(Pin::new(&mut this.stream), context, &mut this.read) else {
                if this.room > LITTLE_BYTES {
                    (this.room, this.read) = (LITTLE_BYTES, BytesMut::new());
                }
                return Poll::Pending;
            };
            if read? >= this.room {
                this.room = MUCH_BYTES;
            }
        }
        let left = this.read.get(this.taken..).unwrap_or_default();
        let some = left.get(..left.len().min(out.remaining())).unwrap_or_default();
        out.put_slice(some);
        this.taken += some.len();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;

    use super::*;

    /// Gives at most so many bytes at a time, and nothing before each of them.
    struct Bursts {
        left: Vec<u8>,
        sizes: Vec<usize>,
        waits: bool,
    }

    impl AsyncRead for Bursts {
        fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let this = self.get_mut();
            this.waits = !this.waits;
            if this.waits && this.sizes.len().is_multiple_of(3) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let most = this.sizes.pop().unwrap_or(usize::MAX);
            let behind = this.left.split_off(most.min(this.left.len()).min(out.remaining()));
            out.put_slice(&this.left);
            this.left = behind;
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn any_sizes_give_the_same_bytes() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        for step in [1, 3, 7, 100, 2_047, 2_048, 2_049, 40_000, 65_536] {
            let sizes = (0..40).map(|number| (number * step * 31) % 70_000 + 1).collect();
            let mut ahead = ReadAhead::new(Bursts { left: bytes.clone(), sizes, waits: false });
            let (mut read, mut buffer) = (Vec::new(), vec![0; step]);
            loop {
                let count = ahead.read(&mut buffer).await.unwrap();
                if count == 0 {
                    break;
                }
                read.extend_from_slice(&buffer[..count]);
            }
            assert_eq!(read, bytes, "{step} at a time");
        }
    }

    #[tokio::test]
    async fn room_is_there_while_much_comes_and_then_given_back() {
        let (mut far, near) = tokio::io::duplex(1 << 20);
        let mut ahead = ReadAhead::new(near);
        let mut asked = [0; 4];
        let mut ask = async |bytes: usize| {
            tokio::io::AsyncWriteExt::write_all(&mut far, &vec![7; bytes]).await.unwrap();
            for _ in 0..bytes / asked.len() {
                ahead.read_exact(&mut asked).await.unwrap();
            }
            let most = ahead.read.capacity();
            // Nothing is there now.
            poll_fn(|context| {
                assert!(Pin::new(&mut ahead).poll_read(context, &mut ReadBuf::new(&mut [0])).is_pending());
                Poll::Ready(())
            })
            .await;
            (most, ahead.read.capacity())
        };
        assert_eq!(ask(100).await, (LITTLE_BYTES, LITTLE_BYTES));
        assert_eq!(ask(300_000).await, (MUCH_BYTES, 0));
        assert_eq!(ask(100).await, (LITTLE_BYTES, LITTLE_BYTES));
    }
}

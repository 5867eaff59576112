//! A TCP stream whose first answers are acknowledged at once.
//!
//! Until a server has started something, OpenSSH's among them, it holds a small packet back while the one before it is not acknowledged
//! (RFC 1122 section 4.2.3.4), and who has nothing to send acknowledges late (section 4.2.3.2): the two wait for one another, 40 ms
//! of each login on Linux.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::limits::READS_ACKNOWLEDGED_MAX;

/// The stream. After so many reads the system does as it likes: by then a login is over.
#[derive(Debug)]
pub(super) struct Acknowledged {
    stream: TcpStream,
    left: u32,
}

impl Acknowledged {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, left: READS_ACKNOWLEDGED_MAX }
    }

    /// What was read is acknowledged now. The system forgets the wish with what is sent next, so it is told each time.
    fn acknowledge(&mut self) {
        self.left -= 1;
        #[cfg(target_os = "linux")]
        let _ = self.stream.set_quickack(true);
    }
}

impl AsyncRead for Acknowledged {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(context, out);
        if this.left > 0 && polled.is_ready() {
            this.acknowledge();
        }
        polled
    }
}

impl AsyncWrite for Acknowledged {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_is_read_at_the_beginning_is_acknowledged_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let mut near = Acknowledged::new(near);
        let mut late = 0;
        for turn in 0..2 * READS_ACKNOWLEDGED_MAX {
            near.write_all(b"?").await.unwrap();
            far.read_u8().await.unwrap();
            far.write_all(b"!").await.unwrap();
            near.read_u8().await.unwrap();
            // The system's own word: does it acknowledge at once?
            let at_once = near.stream.quickack().unwrap();
            assert!(at_once || turn >= READS_ACKNOWLEDGED_MAX, "{turn}");
            late += u32::from(!at_once);
        }
        assert!(late > 0, "the system would do so by itself");
    }
}

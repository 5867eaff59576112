//! The server's identification string (RFC 4253 section 4.2), noted while the SSH library reads it: the library tells it only
//! to a handler of a kind that cannot be written outside of it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What every identification string begins with; other lines may come before it.
const START: &str = "SSH-";
/// The longest line that is looked at: the RFC's bound of the identification string.
const LINE_MAX_BYTES: usize = 255;

/// Where the string will be, once it has come.
pub(super) type ServerId = Arc<OnceLock<String>>;

/// A stream whose first line that begins with `SSH-` is noted.
pub(super) struct Noted<S> {
    inner: S,
    line: Vec<u8>,
    id: ServerId,
}

impl<S> Noted<S> {
    pub(super) fn new(inner: S, id: ServerId) -> Self {
        Self { inner, line: Vec::new(), id }
    }

    fn note(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' {
                // What is longer is no identification string; its beginning is enough to know that.
                if self.line.len() < LINE_MAX_BYTES {
                    self.line.push(byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim_end_matches('\r').to_owned();
            self.line.clear();
            if line.starts_with(START) {
                // Nobody else sets it.
                let _ = self.id.set(line);
                return;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let done = Pin::new(&mut this.inner).poll_read(context, buffer);
        if this.id.get().is_none() {
            this.note(buffer.filled().get(before..).unwrap_or_default());
        }
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(pieces: &[&[u8]]) -> Option<String> {
        let id = ServerId::default();
        let mut stream = Noted::new((), Arc::clone(&id));
        for piece in pieces {
            if id.get().is_none() {
                stream.note(piece);
            }
        }
        id.get().cloned()
    }

    #[test]
    fn the_string_is_found_behind_other_lines_and_in_pieces() {
        assert_eq!(noted(&[b"SSH-2.0-acme\r\n\x00\x00"]).as_deref(), Some("SSH-2.0-acme"));
        assert_eq!(noted(&[b"hello\r\nSS", b"H-2.0-a", b"cme x\n"]).as_deref(), Some("SSH-2.0-acme x"));
        assert_eq!(noted(&[b"SSH-2.0-no end"]), None);
        let long = [b"SSH-2.0-".as_slice(), &[b'x'; 10_000], b"\n"].concat();
        assert_eq!(noted(&[&long]).map(|line| line.len()), Some(LINE_MAX_BYTES));
    }
}

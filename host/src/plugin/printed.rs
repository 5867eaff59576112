//! What a plugin prints: the beginning of it, for the message of a fault, and no more.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::limits::PLUGIN_STDERR_MAX_BYTES;

/// How a panic of a plugin in Rust begins.
pub const PANICKED: &str = " panicked at ";

/// Standard output and standard error of an instance. What goes beyond the bound is dropped, so that a plugin that prints a lot
/// is not stopped by it and costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Printed {
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Printed {
    /// Forgets what an earlier call printed.
    pub fn clear(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Takes a line of the log if it is a panic's, or behind one: a plugin that has no other output tells it so, and it is told with the
    /// fault that follows.
    #[must_use]
    pub fn takes(&self, line: &str) -> bool {
        let is_panic = line.contains(PANICKED) || self.text().contains(PANICKED);
        if is_panic {
            self.take(line.as_bytes());
            self.take(b"\n");
        }
        is_panic
    }

    fn take(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = PLUGIN_STDERR_MAX_BYTES.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    /// It is also how much the engine may allocate for one write.
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PLUGIN_STDERR_MAX_BYTES)
    }
}

impl AsyncWrite for Printed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

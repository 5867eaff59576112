//! A program whose input and output are the connection.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::limits::PROXY_REPLY_MAX_BYTES;
use crate::terminal::text::escaped;

/// The program's ends. It is killed with the value.
pub(super) struct Program {
    // Held so that it is killed when nobody needs it.
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

/// Starts it. What it says on standard error goes to the log, up to a bound.
pub(super) fn start(words: &[String]) -> Result<Program, String> {
    let Some((program, arguments)) = words.split_first() else { return Err("no program is named".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("`{program}` does not start: {error}"))?;
    let ends = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(input), Some(output), Some(errors)) = ends else { return Err(format!("`{program}` has no pipes")) };
    tokio::spawn(tell(program.clone(), errors));
    Ok(Program { _child: child, input, output })
}

async fn tell(program: String, errors: ChildStderr) {
    let limit = u64::try_from(PROXY_REPLY_MAX_BYTES).unwrap_or(u64::MAX);
    let mut lines = BufReader::new(errors.take(limit)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        crate::diagnostics::warn(&format!("`{program}` says: {}", escaped(&line)));
    }
}

impl AsyncRead for Program {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().output).poll_read(context, buffer)
    }
}

impl AsyncWrite for Program {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().input).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().input).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().input).poll_shutdown(context)
    }
}

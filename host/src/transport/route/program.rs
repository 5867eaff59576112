//! A program whose input and output are the connection.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader, ReadBuf, copy, sink};
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

/// Reads standard error to its end, also what is not told any more: a program whose pipe nobody reads is killed when it writes.
async fn tell(program: String, errors: ChildStderr) {
    let limit = u64::try_from(PROXY_REPLY_MAX_BYTES).unwrap_or(u64::MAX);
    let mut errors = BufReader::new(errors);
    let mut told = (&mut errors).take(limit);
    let mut line = Vec::new();
    while let Ok(1..) = told.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        crate::diagnostics::warn(&format!("`{program}` says: {}", escaped(text.trim_end_matches(['\r', '\n']))));
        line.clear();
    }
    // It ends with the program.
    let _ = copy(&mut errors, &mut sink()).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_complains_much_or_in_other_bytes_than_text_goes_on() {
        // More than is told and than a pipe holds; the shell itself writes it, so that it is what would be killed.
        let much = "i=0; while [ $i -lt 20000 ]; do echo 'no way there yet' >&2; i=$((i+1)); done";
        for complaint in [much.to_owned(), format!("printf '\\377\\n' >&2; {much}")] {
            let words = ["sh", "-c", &format!("{complaint}; echo there")].map(str::to_owned);
            let mut program = start(&words).unwrap();
            let mut said = String::new();
            program.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, "there\n", "{complaint}");
        }
    }
}

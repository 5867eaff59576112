//! A program whose input and output are the connection.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader, ReadBuf, copy, sink};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::limits::{CLOSE_MAX, PROXY_REPLY_MAX_BYTES};
use crate::terminal::text::escaped;
use crate::transport::ssh::{WORDS_MAX_BYTES, words};

/// The program's ends. It is killed with the value.
pub(super) struct Program {
    // Held so that it is killed when nobody needs it.
    child: Option<Child>,
    input: ChildStdin,
    output: ChildStdout,
    /// What it complains of, as long as the other side has said nothing: then it is the program that leads nowhere.
    complaint: Option<oneshot::Receiver<String>>,
    /// Finds out why it has ended so early.
    ending: Option<JoinHandle<String>>,
}

/// Starts it. What it says on standard error goes to the log, up to a bound, and into the error where nothing else comes.
pub(super) fn start(words: &[String]) -> Result<Program, String> {
    let Some((program, arguments)) = words.split_first() else { return Err("no program is named".to_owned()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("`{program}` does not start: {error}"))?;
    let ends = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(input), Some(output), Some(errors)) = ends else { return Err(format!("`{program}` has no pipes")) };
    let (hears, complaint) = oneshot::channel();
    tokio::spawn(tell(program.clone(), errors, hears));
    Ok(Program { child: Some(child), input, output, complaint: Some(complaint), ending: None })
}

/// Reads standard error to its end, also what is not told any more: a program whose pipe nobody reads is killed when it writes.
async fn tell(program: String, errors: ChildStderr, hears: oneshot::Sender<String>) {
    let limit = u64::try_from(PROXY_REPLY_MAX_BYTES).unwrap_or(u64::MAX);
    let mut errors = BufReader::new(errors);
    let mut told = (&mut errors).take(limit);
    let (mut line, mut said) = (Vec::new(), Vec::new());
    while let Ok(1..) = told.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line);
        crate::diagnostics::warn(&format!("`{program}` says: {}", escaped(text.trim_end_matches(['\r', '\n']))));
        said.append(&mut line);
    }
    // Nobody asks for it once the other side has spoken.
    let _ = hears.send(words(&String::from_utf8_lossy(&said), WORDS_MAX_BYTES));
    // It ends with the program.
    let _ = copy(&mut errors, &mut sink()).await;
}

/// Why a program has ended, or closed its output, before anything came.
async fn why(mut child: Child, complaint: oneshot::Receiver<String>) -> String {
    let how = match timeout(CLOSE_MAX, child.wait()).await {
        Ok(Ok(status)) => format!("has ended ({status})"),
        _ => "has closed its output".to_owned(),
    };
    // Something that it has started may hold its standard error.
    let said = timeout(CLOSE_MAX, complaint).await.ok().and_then(Result::ok).filter(|said| !said.is_empty());
    format!("the program on the way {how}{}", said.map(|said| format!(" and says: {said}")).unwrap_or_default())
}

impl AsyncRead for Program {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if this.ending.is_none() {
            ready!(Pin::new(&mut this.output).poll_read(context, buffer))?;
            if buffer.filled().len() > before {
                this.complaint = None;
            } else if buffer.remaining() > 0
                && let Some(complaint) = this.complaint.take()
                && let Some(child) = this.child.take()
            {
                this.ending = Some(tokio::spawn(why(child, complaint)));
            }
        }
        let Some(ending) = &mut this.ending else { return Poll::Ready(Ok(())) };
        let why = ready!(Pin::new(ending).poll(context)).unwrap_or_default();
        this.ending = None;
        Poll::Ready(Err(io::Error::other(why)))
    }
}

impl AsyncWrite for Program {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match ready!(Pin::new(&mut this.input).poll_write(context, bytes)) {
            // It has ended, and nothing has come: who reads hears why, which says more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && (this.complaint.is_some() || this.ending.is_some()) => {
                Poll::Ready(Ok(bytes.len()))
            }
            done => Poll::Ready(done),
        }
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
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn a_program_that_leads_nowhere_says_why() {
        for (script, expected) in [
            ("echo 'no way' >&2; echo there >&2; exit 3", "the program on the way has ended (exit status: 3) and says: no way there"),
            ("exit 0", "the program on the way has ended (exit status: 0)"),
        ] {
            let mut program = start(&["sh", "-c", script].map(str::to_owned)).unwrap();
            // Whether it has ended by then or not.
            program.write_all(b"SSH-2.0-x\r\n").await.unwrap();
            let mut said = String::new();
            assert_eq!(program.read_to_string(&mut said).await.unwrap_err().to_string(), expected);
            assert_eq!(program.read_to_string(&mut said).await.unwrap(), 0, "it is told once");
        }
        // Where the other side has spoken, its end is an end.
        let mut program = start(&["sh", "-c", "echo SSH-2.0-x; echo bye >&2; exit 1"].map(str::to_owned)).unwrap();
        let mut said = String::new();
        program.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "SSH-2.0-x\n");
    }

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

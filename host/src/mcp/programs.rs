//! Programs on a device for the work on its files, each on a channel of its own; with the rights of root where that was allowed.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use russh::ChannelMsg;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{OnceCell, oneshot};
use tokio::time::timeout;

use crate::files::FilesError;
use crate::files::program::{Boxed, Programs, Running};
use crate::ids::nonce;
use crate::limits::{PROGRAM_ERRORS_MAX_BYTES, SFTP_GATHER_BYTES, SUDO_MAX};
use crate::secret::Secret;
use crate::session::errand::{Errand, Permit};
use crate::transport::Typed;
use crate::transport::ssh::Connection;

/// The secret that sudo is given where it asks for a password.
const SUDO: &str = "sudo";

/// Starts programs on channels of one connection.
#[derive(Debug)]
pub(super) struct Channels {
    /// The connection.
    pub(super) connection: Connection,
    /// What policy has let through.
    pub(super) permit: Arc<Permit>,
    /// As root.
    pub(super) sudo: Option<Sudo>,
}

/// How to become root: without a password, or with the device's secret where sudo asks for one.
pub(super) struct Sudo {
    errand: Arc<Errand>,
    /// Looked up and recorded once for all programs of a permit.
    password: OnceCell<Secret>,
}

/// What is said first where a program is started as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// The program runs.
    Ready,
    /// sudo wants a password.
    Asks,
}

impl std::fmt::Debug for Sudo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sudo")
    }
}

impl Sudo {
    pub(super) fn of(errand: Arc<Errand>) -> Self {
        Self { errand, password: OnceCell::new() }
    }

    /// Its options. With a password it asks on standard error, in words that nobody else knows, and reads standard input.
    fn options(&self, question: &str) -> String {
        if self.errand.has_secret(SUDO) { format!("-S -p {question}") } else { "-n".to_owned() }
    }

    /// Goes on until the program runs.
    async fn until_it_runs(&self, running: &mut Running, permit: &Permit, ready: &str, question: &str) -> Result<(), String> {
        if first(running, ready, question).await? == First::Ready {
            return Ok(());
        }
        let password = self.password.get_or_try_init(|| self.errand.secret(permit, SUDO)).await?;
        let line = Typed::secret(password, b"\n");
        running.input.write_all(&line).await.map_err(|error| error.to_string())?;
        running.input.flush().await.map_err(|error| error.to_string())?;
        if first(running, ready, question).await? == First::Ready {
            return Ok(());
        }
        self.errand.secret_refused(SUDO);
        Err(format!("it refuses the secret `{SUDO}`"))
    }
}

impl Programs for Channels {
    fn start<'a>(&'a self, command: &'a str) -> Boxed<'a, Result<Running, FilesError>> {
        Box::pin(async move {
            let Some(sudo) = &self.sudo else { return self.run(command).await };
            let random = || nonce().ok_or_else(|| FilesError::Refused("this machine gives no random numbers".to_owned()));
            let (ready, question) = (random()?, format!("jackfield-{}:", random()?));
            // `sudo` may say things of its own first: what comes before the word is not the program's.
            let inner = command.strip_prefix("exec ").unwrap_or(command).replacen("sh -c '", &format!("sh -c 'echo {ready} >&2; "), 1);
            let mut running = self.run(&format!("exec sudo {} -- {inner}", sudo.options(&question))).await?;
            let heard = timeout(SUDO_MAX, sudo.until_it_runs(&mut running, &self.permit, &ready, &question)).await;
            let heard = heard.unwrap_or_else(|_| Err(format!("it did not begin within {} s", SUDO_MAX.as_secs())));
            heard.map_err(|why| {
                let next = "The account needs a rule in sudoers for it; where that asks for a password, the device needs the secret `sudo`";
                FilesError::Refused(format!("sudo does not run it: {why}. {next}"))
            })?;
            Ok(running)
        })
    }
}

/// Reads standard error up to a line that only the program can say, or a question that only sudo can ask.
async fn first(running: &mut Running, ready: &str, question: &str) -> Result<First, String> {
    let mut said = Vec::new();
    let limit = usize::try_from(PROGRAM_ERRORS_MAX_BYTES).unwrap_or(usize::MAX);
    while said.len() < limit {
        match running.errors.read_u8().await {
            Ok(byte) => said.push(byte),
            Err(_) => break,
        }
        if said.ends_with(format!("{ready}\n").as_bytes()) {
            return Ok(First::Ready);
        }
        if said.ends_with(question.as_bytes()) {
            return Ok(First::Asks);
        }
    }
    let text = String::from_utf8_lossy(&said);
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(last.chars().filter(|letter| !letter.is_control()).take(200).collect())
}

impl Channels {
    async fn run(&self, command: &str) -> Result<Running, FilesError> {
        let program = self.permit.program(command).map_err(FilesError::Refused)?;
        let mut halves = self.connection.execute(&program).await.map_err(|error| FilesError::Broken(error.to_string()))?;
        let (lives, ended) = oneshot::channel();
        let input = Input { to: Box::pin(halves.write.make_writer()), ended: Some(ended) };
        let (output, mut to_output) = pipe();
        let (errors, mut to_errors) = pipe();
        let (mut tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let _lives = lives;
            let (mut status, mut is_closed) = (None, false);
            let mut room = usize::try_from(PROGRAM_ERRORS_MAX_BYTES).unwrap_or(usize::MAX);
            // Kept open as long as somebody wants to know how it ends.
            while let Some(message) = tokio::select! {
                message = halves.read.wait() => message,
                () = tell.closed() => None,
            } {
                match message {
                    ChannelMsg::Data { data } => {
                        let taken = to_output.write_all(&data).await;
                        if taken.is_err() {
                            break;
                        }
                    }
                    ChannelMsg::ExtendedData { data, .. } => {
                        // More complaints than are read must not stop the output.
                        let some = data.get(..room.min(data.len())).unwrap_or_default();
                        room -= some.len();
                        let _ = to_errors.write_all(some).await;
                    }
                    ChannelMsg::ExitStatus { exit_status } => status = i32::try_from(exit_status).ok(),
                    ChannelMsg::Close => {
                        is_closed = true;
                        break;
                    }
                    _ => {}
                }
            }
            drop((to_output, to_errors));
            // A channel that ends without being closed has gone with its connection, and the program may run still.
            if is_closed || status.is_some() {
                let _ = tell.send(status);
            }
        });
        let lost = |_| FilesError::Broken("is gone: the connection was lost while a program ran".to_owned());
        let status = Box::pin(async move { told.await.map_err(lost) });
        Ok(Running { input: Box::new(input), output: Box::new(output), errors: Box::new(errors), status })
    }
}

/// What goes to a program. The library waits for room on its channel also when that has ended, and would for ever.
struct Input<W> {
    to: W,
    /// Over with the channel; none once that was heard.
    ended: Option<oneshot::Receiver<Infallible>>,
}

impl<W> Input<W> {
    /// Has its channel ended? Whoever polls is woken then.
    fn has_ended(&mut self, context: &mut Context<'_>) -> bool {
        if let Some(ended) = &mut self.ended
            && Pin::new(ended).poll(context).is_ready()
        {
            self.ended = None;
        }
        self.ended.is_none()
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Input<W> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.to).poll_write(context, bytes);
        if written.is_pending() && this.has_ended(context) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().to).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().to).poll_shutdown(context)
    }
}

fn pipe() -> (DuplexStream, DuplexStream) {
    let room = usize::try_from(PROGRAM_ERRORS_MAX_BYTES).unwrap_or(0).max(SFTP_GATHER_BYTES);
    duplex(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_writes_to_a_program_hears_that_its_channel_has_ended() {
        let (to, _full) = duplex(4);
        let (lives, ended) = oneshot::channel();
        let mut input = Input { to, ended: Some(ended) };
        input.write_all(b"four").await.unwrap();
        let (written, ()) = tokio::join!(input.write_all(b"more"), async { drop(lives) });
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(input.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

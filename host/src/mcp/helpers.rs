//! Programs on a device for the work on its files, each on a channel of its own; with the rights of root where that was allowed.

use std::sync::Arc;

use russh::ChannelMsg;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::files::FilesError;
use crate::files::program::{Boxed, Programs, Running};
use crate::ids::nonce;
use crate::limits::{PROGRAM_ERRORS_MAX_BYTES, SFTP_GATHER_BYTES, SUDO_MAX};
use crate::session::errand::Permit;
use crate::transport::ssh::Connection;

/// Starts programs on channels of one connection.
#[derive(Debug)]
pub(super) struct Channels {
    /// The connection.
    pub(super) connection: Connection,
    /// What policy has let through.
    pub(super) permit: Arc<Permit>,
    /// As root.
    pub(super) sudo: bool,
}

impl Programs for Channels {
    fn start<'a>(&'a self, command: &'a str) -> Boxed<'a, Result<Running, FilesError>> {
        Box::pin(async move {
            if !self.sudo {
                return self.run(command).await;
            }
            let ready = nonce().ok_or_else(|| FilesError::Refused("this machine gives no random numbers".to_owned()))?;
            // `sudo` may say things of its own first: what comes before the word is not the program's.
            let inner = command.strip_prefix("exec ").unwrap_or(command).replacen("sh -c '", &format!("sh -c 'echo {ready} >&2; "), 1);
            let mut running = self.run(&format!("exec sudo -n -- {inner}")).await?;
            let heard = timeout(SUDO_MAX, until(&mut running, &ready)).await;
            let heard = heard.unwrap_or_else(|_| Err(format!("it did not begin within {} s", SUDO_MAX.as_secs())));
            heard.map_err(|why| {
                FilesError::Refused(format!("sudo does not run it: {why}. The account needs a rule in sudoers without a password for this"))
            })?;
            Ok(running)
        })
    }
}

/// Reads standard error up to a line that only the program can say.
async fn until(running: &mut Running, ready: &str) -> Result<(), String> {
    let mut said = Vec::new();
    let limit = usize::try_from(PROGRAM_ERRORS_MAX_BYTES).unwrap_or(usize::MAX);
    while said.len() < limit {
        match running.errors.read_u8().await {
            Ok(byte) => said.push(byte),
            Err(_) => break,
        }
        if said.ends_with(format!("{ready}\n").as_bytes()) {
            return Ok(());
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
        let input = halves.write.make_writer();
        let (output, mut to_output) = pipe();
        let (errors, mut to_errors) = pipe();
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let mut status = None;
            let mut room = usize::try_from(PROGRAM_ERRORS_MAX_BYTES).unwrap_or(usize::MAX);
            // Kept open as long as somebody reads.
            while let Some(message) = halves.read.wait().await {
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
                    ChannelMsg::Close => break,
                    _ => {}
                }
            }
            drop((to_output, to_errors));
            let _ = tell.send(status);
        });
        let status = Box::pin(async move { told.await.unwrap_or_default() });
        Ok(Running { input: Box::new(Box::pin(input)), output: Box::new(output), errors: Box::new(errors), status })
    }
}

fn pipe() -> (DuplexStream, DuplexStream) {
    let room = usize::try_from(PROGRAM_ERRORS_MAX_BYTES).unwrap_or(0).max(SFTP_GATHER_BYTES);
    duplex(room)
}

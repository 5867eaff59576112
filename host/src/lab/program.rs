//! One channel on a local program: on a terminal of its own for a shell, on pipes for an exec request or a subsystem.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};

use pty_process::{OwnedReadPty, OwnedWritePty, Size};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::faults::Cutter;
use super::home::Program;
use super::limits::{HANGUP_WAIT, LAST_OUTPUT_WAIT, PROGRAM_INPUT_BYTES_MAX, READ_BYTES};
use crate::transport::pty::heed_interrupts;

/// What a program's output is called on the channel.
const STDERR: u32 = 1;
/// Exit status where the program could not be started, as shells have it.
const NOT_STARTED: u32 = 127;

/// Where typed bytes go.
enum Input {
    Terminal(OwnedWritePty),
    Pipe(Option<ChildStdin>),
}

/// Runs a program on a terminal of the given size until it or the client ends.
pub(super) async fn on_terminal(channel: Channel<Msg>, program: Program, size: (u32, u32), mut cutter: Cutter, cancel: CancellationToken) {
    let (mut read, write) = channel.split();
    let Ok((mut child, output, input)) = start_on_terminal(program, size) else { return end(&write, Some(NOT_STARTED)).await };
    let mut input = Input::Terminal(input);
    let status = {
        let copy = copy(output, &write, None, &mut cutter);
        tokio::pin!(copy);
        tokio::select! {
            // The channel broke, or the program and all that it started closed the terminal.
            () = &mut copy => None,
            status = child.wait() => {
                // What the program wrote last is still in the terminal.
                let _slow = timeout(LAST_OUTPUT_WAIT, copy).await;
                status.ok()
            }
            () = feed(&mut read, &mut input) => None,
            () = cancel.cancelled() => None,
        }
    };
    // Closing the terminal is the hangup.
    drop(input);
    let status = match status {
        Some(status) => Some(status),
        None => stop(child).await,
    };
    end(&write, status.map(code)).await;
}

/// Runs a program on pipes until it or the client ends.
pub(super) async fn on_pipes(channel: Channel<Msg>, program: Program, cancel: CancellationToken) {
    let (mut read, write) = channel.split();
    let Ok(mut child) = start_on_pipes(program) else { return end(&write, Some(NOT_STARTED)).await };
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else { return };
    let mut input = Input::Pipe(child.stdin.take());
    let (mut whole, mut whole_too) = (Cutter::new(super::Faults::default()), Cutter::new(super::Faults::default()));
    let status = tokio::select! {
        (.., status) = async { tokio::join!(copy(stdout, &write, None, &mut whole), copy(stderr, &write, Some(STDERR), &mut whole_too), child.wait()) } => status.ok(),
        () = feed(&mut read, &mut input) => None,
        () = cancel.cancelled() => None,
    };
    let status = match status {
        Some(status) => Some(status),
        None => stop(child).await,
    };
    end(&write, status.map(code)).await;
}

fn start_on_terminal(program: Program, (columns, rows): (u32, u32)) -> Result<(Child, OwnedReadPty, OwnedWritePty), pty_process::Error> {
    heed_interrupts();
    let (terminal, side) = pty_process::open()?;
    terminal.resize(size(columns, rows))?;
    let command = pty_process::Command::new(program.path)
        .args(program.arguments)
        .env_clear()
        .envs(program.environment)
        .current_dir(program.folder)
        .kill_on_drop(true);
    let child = command.spawn(side)?;
    let (read, write) = terminal.into_split();
    Ok((child, read, write))
}

fn start_on_pipes(program: Program) -> io::Result<Child> {
    tokio::process::Command::new(program.path)
        .args(program.arguments)
        .env_clear()
        .envs(program.environment)
        .current_dir(program.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Output to the channel, until the program closes its side or the client is gone.
async fn copy(mut from: impl AsyncRead + Unpin, to: &ChannelWriteHalf<Msg>, kind: Option<u32>, cutter: &mut Cutter) {
    let mut buffer = vec![0; READ_BYTES];
    // A terminal whose program has ended gives an error, a pipe gives 0.
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let mut rest = buffer.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            tokio::time::sleep(cutter.pause()).await;
            let (piece, left) = rest.split_at(cutter.next_length(rest.len()));
            let sent = match kind {
                None => to.data_bytes(piece.to_vec()).await,
                Some(kind) => to.extended_data_bytes(kind, piece.to_vec()).await,
            };
            if sent.is_err() || cutter.is_broken() {
                return;
            }
            rest = left;
        }
    }
}

/// Messages to the program. Reading goes on while the program does not take its input, so that the connection is never blocked
/// by it below the bound. Ends when the channel is closed.
async fn feed(read: &mut ChannelReadHalf, input: &mut Input) {
    let mut waiting: VecDeque<u8> = VecDeque::new();
    let mut ended = false;
    loop {
        if ended && waiting.is_empty() {
            input.end();
        }
        let full = waiting.len() >= PROGRAM_INPUT_BYTES_MAX;
        tokio::select! {
            message = read.wait(), if !full => match message {
                Some(ChannelMsg::Data { data }) => waiting.extend(data.iter()),
                Some(ChannelMsg::WindowChange { col_width, row_height, .. }) => input.resize(col_width, row_height),
                Some(ChannelMsg::Eof) => ended = true,
                Some(ChannelMsg::Close) | None => return,
                Some(_) => {}
            },
            written = input.write(waiting.as_slices().0), if !waiting.is_empty() => match written {
                Ok(length) => drop(waiting.drain(..length)),
                // The program reads no more; its output may still come.
                Err(_) => waiting.clear(),
            },
        }
    }
}

impl Input {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(terminal) => terminal.write(bytes).await,
            Self::Pipe(Some(pipe)) => pipe.write(bytes).await,
            Self::Pipe(None) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn resize(&self, columns: u32, rows: u32) {
        if let Self::Terminal(terminal) = self {
            // A terminal that is closing has no size; nobody misses it.
            let _closing = terminal.resize(size(columns, rows));
        }
    }

    /// The end of input closes a pipe; a terminal stays.
    fn end(&mut self) {
        if let Self::Pipe(pipe) = self {
            *pipe = None;
        }
    }
}

fn size(columns: u32, rows: u32) -> Size {
    let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
    Size::new(side(rows), side(columns))
}

/// Waits a little after the hangup, then kills.
async fn stop(mut child: Child) -> Option<ExitStatus> {
    if let Ok(status) = timeout(HANGUP_WAIT, child.wait()).await {
        return status.ok();
    }
    child.kill().await.ok()?;
    None
}

/// The number that a shell shows for an exit status.
fn code(status: ExitStatus) -> u32 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u32::try_from(code).unwrap_or(1)
}

/// Tells the status and closes. The client may be gone; there is nobody to tell then.
async fn end(write: &ChannelWriteHalf<Msg>, status: Option<u32>) {
    if let Some(status) = status {
        let _gone = write.exit_status(status).await;
    }
    let _gone = write.eof().await;
    let _gone = write.close().await;
}

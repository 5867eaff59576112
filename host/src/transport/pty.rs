//! A program on this machine in a pseudo-terminal.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Once};

use bytes::{Bytes, BytesMut};
use pty_process::{Command, OwnedReadPty, OwnedWritePty, Size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Line, LineEvent, Order, Reader, Writer, tell_of};
use crate::limits::{CLOSE_MAX, LOCAL_REST_MAX, LOCAL_REST_MAX_BYTES, WRITE_CHUNK_BYTES, WRITE_MAX};
use crate::policy::approved::Program;

/// Bytes read at a time.
const READ_BYTES: usize = 32 * 1024;

/// Reads a local terminal.
#[derive(Debug)]
pub struct PtyReader {
    pty: OwnedReadPty,
    buffer: BytesMut,
    exits: mpsc::Receiver<Result<i32, String>>,
    /// The program has ended.
    rest: Option<Rest>,
    /// Nothing more is read; the exit status may still be to come.
    at_end: bool,
    done: bool,
}

/// How a program has ended, and what is still read of its terminal: what it has left running may hold that for ever.
#[derive(Debug)]
struct Rest {
    exit: Result<i32, String>,
    /// Bytes. Those that it wrote itself are the first of them.
    left: usize,
    until: Instant,
}

impl Rest {
    fn of(exit: Result<i32, String>) -> Self {
        Self { exit, left: LOCAL_REST_MAX_BYTES, until: Instant::now() + LOCAL_REST_MAX }
    }

    /// When nothing more is waited for. Who comes late, because the machine is busy, has waited for nothing yet.
    fn until(&mut self) -> Instant {
        if self.until <= Instant::now() {
            self.until = Instant::now() + LOCAL_REST_MAX;
        }
        self.until
    }
}

/// Starts a program in a terminal of this size.
///
/// # Errors
///
/// When there is no terminal or no such program.
pub fn open(program: &[String], terminal: &str, (columns, rows): (u16, u16)) -> io::Result<Line> {
    heed_interrupts();
    let (pty, pts) = pty_process::open().map_err(io::Error::other)?;
    pty.resize(Size::new(rows, columns)).map_err(io::Error::other)?;
    let (name, arguments) = program.split_first().ok_or_else(|| io::Error::other("no program"))?;
    let command = Command::new(name).args(arguments).env("TERM", terminal).kill_on_drop(true);
    let child = command.spawn(pts).map_err(io::Error::other)?;
    let (read, write) = pty.into_split();
    let (writer, orders) = Writer::new();
    let (exited, exits) = mpsc::channel(1);
    tokio::spawn(serve(write, child, orders, exited));
    let reader = PtyReader { pty: read, buffer: BytesMut::new(), exits, rest: None, at_end: false, done: false };
    Ok(Line { reader: Reader::Pty(reader), writer, welcome: Arc::default(), seen: Vec::new() })
}

/// Has programs that are started from now on heed the interrupt and quit keys, also where this process was started without them, as
/// shells start what runs in the background: a signal that is ignored stays ignored in every program after it, one that is handled
/// does not.
pub fn heed_interrupts() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        for kind in [SignalKind::interrupt(), SignalKind::quit()] {
            if is_ignored(kind) == Some(true) {
                // The handler stays, though nobody listens to it.
                drop(unix::signal(kind));
            }
        }
    });
}

/// Was this process started with a signal ignored, as by nohup(1)? `None` where the system does not say.
#[must_use]
pub fn is_ignored(kind: SignalKind) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(mask.trim(), 16).ok()?;
    let bit = u32::try_from(kind.as_raw_value() - 1).ok()?;
    Some(ignored.checked_shr(bit)? & 1 == 1)
}

impl PtyReader {
    /// The next event.
    pub async fn next(&mut self) -> LineEvent {
        while !self.at_end {
            let until = self.rest.as_mut().map(Rest::until);
            self.buffer.reserve(READ_BYTES);
            tokio::select! {
                read = self.pty.read_buf(&mut self.buffer) => match read {
                    Ok(count) if count > 0 => {
                        if let Some(rest) = &mut self.rest {
                            rest.left = rest.left.saturating_sub(count);
                            self.at_end = rest.left == 0;
                        }
                        return LineEvent::Data(Bytes::from(self.buffer.split()));
                    }
                    // Linux ends a terminal with EIO once nobody holds its other side.
                    Ok(_) | Err(_) => self.at_end = true,
                },
                exit = self.exits.recv(), if until.is_none() => self.rest = Some(Rest::of(known(exit))),
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => self.at_end = true,
            }
        }
        if !self.done {
            let exit = match self.rest.take() {
                Some(rest) => rest.exit,
                None => known(self.exits.recv().await),
            };
            self.done = true;
            return LineEvent::Exit(exit);
        }
        LineEvent::Closed("the program has ended".to_owned())
    }
}

fn known(exit: Option<Result<i32, String>>) -> Result<i32, String> {
    exit.unwrap_or_else(|| Err("the program is gone".to_owned()))
}

async fn serve(mut pty: OwnedWritePty, mut child: Child, mut orders: mpsc::Receiver<Order>, exited: mpsc::Sender<Result<i32, String>>) {
    loop {
        tokio::select! {
            status = child.wait() => {
                let _ = exited.send(exit_of(status)).await;
                return;
            }
            order = orders.recv() => match order {
                Some(Order::Write(bytes)) => if !write(&mut pty, &bytes).await { break },
                Some(Order::Signal(name)) => signal(&mut child, name),
                Some(Order::Beside(program, reply)) => drop(tokio::spawn(tell_of(beside(program), reply))),
                Some(Order::Resize(columns, rows)) => drop(pty.resize(Size::new(rows, columns))),
                // A terminal has no such end: it is a key.
                Some(Order::End) => {}
                Some(Order::Close) | None => break,
            },
        }
    }
    drop(pty);
    let _ = child.start_kill();
    let status = tokio::time::timeout(CLOSE_MAX, child.wait()).await;
    let _ = exited.send(status.map_or_else(|_| Err("the program did not end".to_owned()), exit_of)).await;
}

/// Runs a short program: its exit status, and what it complains of. It is a child of this process, as the terminal's shell is.
async fn beside(program: Program) -> Result<(Option<i32>, Vec<u8>), String> {
    let mut command = tokio::process::Command::new("/bin/sh");
    command.args(["-c", program.text()]).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| error.to_string())?;
    Ok((output.status.code(), output.stderr))
}

async fn write(pty: &mut OwnedWritePty, bytes: &[u8]) -> bool {
    for piece in bytes.chunks(WRITE_CHUNK_BYTES) {
        if !matches!(tokio::time::timeout(WRITE_MAX, pty.write_all(piece)).await, Ok(Ok(()))) {
            return false;
        }
    }
    true
}

/// A child without the means to send other signals is only killed.
fn signal(child: &mut Child, name: &str) {
    if name == "KILL" || name == "TERM" {
        let _ = child.start_kill();
    }
}

fn exit_of(status: io::Result<std::process::ExitStatus>) -> Result<i32, String> {
    use std::os::unix::process::ExitStatusExt;
    let status = status.map_err(|error| error.to_string())?;
    status.code().ok_or_else(|| format!("killed by signal {}", status.signal().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What a shell has started in the background keeps its terminal, perhaps for ever.
    #[tokio::test]
    async fn a_program_that_ends_ends_its_line_whatever_it_has_left_running() {
        for job in ["sleep 20", "yes"] {
            let text = format!("trap '' HUP; {job} & echo out; exit 3");
            let program = ["/bin/sh", "-c", &text].map(str::to_owned);
            let mut line = open(&program, "dumb", (80, 24)).unwrap();
            let mut output = Vec::new();
            let ended = tokio::time::timeout(Duration::from_secs(10), async {
                loop {
                    match line.reader.next().await {
                        LineEvent::Data(bytes) => output.extend_from_slice(&bytes),
                        end => return end,
                    }
                }
            });
            let ended = ended.await.expect("the job keeps it");
            assert!(matches!(ended, LineEvent::Exit(Ok(3))), "{ended:?}");
            assert!(String::from_utf8_lossy(&output).contains("out\r\n"), "what it wrote before is read");
        }
    }

    #[tokio::test]
    async fn what_a_program_wrote_before_its_end_is_read_however_late() {
        for _ in 0..4 {
            let text = "trap '' HUP; sleep 5 & head -c 8000 /dev/zero | tr '\\0' x; exit 3";
            let mut line = open(&["/bin/sh", "-c", text].map(str::to_owned), "dumb", (80, 24)).unwrap();
            let mut bytes = 0;
            let ended = loop {
                tokio::time::sleep(LOCAL_REST_MAX * 2).await;
                match line.reader.next().await {
                    LineEvent::Data(piece) => bytes += piece.len(),
                    end => break end,
                }
            };
            assert!(matches!(ended, LineEvent::Exit(Ok(3))), "{ended:?}");
            assert_eq!(bytes, 8000);
        }
    }
}

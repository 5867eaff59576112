//! A line that is a stream of bytes: a telnet connection, or a serial device with a console behind it.

use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use serial2_tokio::SerialPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::route::Duplex;
use super::telnet::{INTERRUPT, Telnet, sent, window};
use super::{Line, LineEvent, Order, Reader, Welcome, Writer};
use crate::limits::{CLOSE_MAX, LINE_CHUNKS, SERIAL_LOCK_PAUSE, WRITE_CHUNK_BYTES, WRITE_MAX};

/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;

/// Reads such a line.
pub struct WireReader {
    wire: ReadHalf<Box<dyn Duplex>>,
    buffer: BytesMut,
    talk: Option<Talk>,
    /// Why nothing more is written.
    unwritten: oneshot::Receiver<String>,
    ended: Option<String>,
}

/// The telnet on a line.
struct Talk {
    end: Telnet,
    answers: mpsc::Sender<Vec<u8>>,
    says: Arc<Says>,
}

/// What the writing end has agreed to say.
#[derive(Debug, Default)]
struct Says {
    /// Eight bits.
    binary: AtomicBool,
    /// The terminal's size when it changes.
    size: AtomicBool,
}

impl std::fmt::Debug for WireReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WireReader").field("telnet", &self.talk.is_some()).field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// A telnet session on a connection that is open. `way` is what its callers are told of it.
#[must_use]
pub fn telnet(stream: Box<dyn Duplex>, terminal: &str, size: (u16, u16), way: &str) -> Line {
    let (answers, asked) = mpsc::channel(LINE_CHUNKS);
    let says = Arc::<Says>::default();
    let talk = Talk { end: Telnet::new(terminal, size), answers, says: Arc::clone(&says) };
    let warning =
        format!("{way} is telnet: what is typed and shown, passwords too, travels unencrypted, and nothing proves who is at the other end");
    let welcome = Welcome { warnings: vec![warning], ..Welcome::default() };
    let (read, write) = tokio::io::split(stream);
    let (writer, orders) = Writer::new();
    let (told, unwritten) = oneshot::channel();
    tokio::spawn(async move {
        let why = serve_telnet(write, orders, asked, &says).await;
        let _ = told.send(why);
    });
    line(read, writer, Some(talk), unwritten, welcome)
}

/// A session on a serial device: eight bits, no parity, one stop bit.
///
/// # Errors
///
/// When there is no such device, it is no terminal, or somebody else has it.
pub async fn serial(path: &Path, baud: u32) -> io::Result<Line> {
    use std::os::unix::fs::OpenOptionsExt;
    // It does not wait for a carrier, and the device becomes nobody's controlling terminal.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let lock = std::fs::OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    // A session that has just ended lets go of it in a moment.
    let patience = Instant::now() + CLOSE_MAX;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => sleep(SERIAL_LOCK_PAUSE).await,
            Err(TryLockError::WouldBlock) => return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another session or program has it")),
        }
    }
    let port = SerialPort::open(path, baud)?;
    let (read, write) = tokio::io::split(Box::new(port) as Box<dyn Duplex>);
    let (writer, orders) = Writer::new();
    let (told, unwritten) = oneshot::channel();
    tokio::spawn(async move {
        let why = serve(write, orders).await;
        drop(lock);
        let _ = told.send(why);
    });
    Ok(line(read, writer, None, unwritten, Welcome::default()))
}

fn line(
    wire: ReadHalf<Box<dyn Duplex>>,
    writer: Writer,
    talk: Option<Talk>,
    unwritten: oneshot::Receiver<String>,
    welcome: Welcome,
) -> Line {
    let reader = WireReader { wire, buffer: BytesMut::new(), talk, unwritten, ended: None };
    Line { reader: Reader::Wire(reader), writer, welcome: Arc::new(welcome), seen: Vec::new() }
}

impl WireReader {
    /// The next event. Safe to drop while it waits.
    pub async fn next(&mut self) -> LineEvent {
        loop {
            if let Some(why) = &self.ended {
                return LineEvent::Closed(why.clone());
            }
            self.buffer.reserve(READ_BYTES);
            let read = tokio::select! {
                read = self.wire.read_buf(&mut self.buffer) => read,
                why = &mut self.unwritten => {
                    self.ended = Some(why.unwrap_or_else(|_| "the line is closed".to_owned()));
                    continue;
                }
            };
            match read {
                Ok(0) => self.ended = Some("the other end closed the line".to_owned()),
                Err(error) => self.ended = Some(format!("the line broke: {error}")),
                Ok(_) => {
                    let data = self.heard();
                    if !data.is_empty() {
                        return LineEvent::Data(data);
                    }
                }
            }
        }
    }

    /// What of the bytes that came is for the terminal.
    fn heard(&mut self) -> Bytes {
        let bytes = self.buffer.split().freeze();
        let Some(talk) = &mut self.talk else { return bytes };
        let heard = talk.end.take(&bytes);
        talk.says.binary.store(talk.end.sends_binary(), Ordering::Release);
        talk.says.size.store(talk.end.says_size(), Ordering::Release);
        if !heard.answers.is_empty() && talk.answers.try_send(heard.answers).is_err() {
            self.ended = Some("the other end asks more than it reads".to_owned());
        }
        heard.data.into()
    }
}

/// Works the orders off, and sends the answers of the telnet end. Says why it stops.
async fn serve_telnet(
    mut wire: WriteHalf<Box<dyn Duplex>>,
    mut orders: mpsc::Receiver<Order>,
    mut answers: mpsc::Receiver<Vec<u8>>,
    says: &Says,
) -> String {
    let why = loop {
        let done = tokio::select! {
            // What it asks first is answered first: the type of the terminal before what is typed there.
            biased;
            Some(answer) = answers.recv() => write(&mut wire, &answer).await,
            order = orders.recv() => match order {
                Some(Order::Write(bytes)) => write(&mut wire, &sent(&bytes, says.binary.load(Ordering::Acquire))).await,
                Some(Order::Signal("INT")) => write(&mut wire, &INTERRUPT).await,
                // There is no word for another one.
                Some(Order::Signal(_) | Order::End) => Ok(()),
                Some(Order::Beside(_, reply)) => no_channel(reply),
                Some(Order::Resize(columns, rows)) => match says.size.load(Ordering::Acquire) {
                    true => write(&mut wire, &window(columns, rows)).await,
                    false => Ok(()),
                },
                Some(Order::Close) | None => Err("the line is closed".to_owned()),
            },
        };
        if let Err(why) = done {
            break why;
        }
    };
    let _ = timeout(CLOSE_MAX, wire.shutdown()).await;
    why
}

/// Such a line carries one terminal and nothing beside it.
fn no_channel(reply: oneshot::Sender<Result<(), String>>) -> Result<(), String> {
    let _ = reply.send(Err("a console has no channel beside its terminal".to_owned()));
    Ok(())
}

/// The same for a serial device.
async fn serve(mut wire: WriteHalf<Box<dyn Duplex>>, mut orders: mpsc::Receiver<Order>) -> String {
    loop {
        let done = match orders.recv().await {
            Some(Order::Write(bytes)) => write(&mut wire, &bytes).await,
            // A serial line has no signals but the break, which stops whole machines and sends routers into their boot monitor.
            Some(Order::Signal(_)) => Ok(()),
            Some(Order::Beside(_, reply)) => no_channel(reply),
            // Nor has it a size.
            Some(Order::Resize(..) | Order::End) => Ok(()),
            Some(Order::Close) | None => Err("the line is closed".to_owned()),
        };
        if let Err(why) = done {
            return why;
        }
    }
}

/// Writes in pieces that a terminal's queue takes.
async fn write(wire: &mut WriteHalf<Box<dyn Duplex>>, bytes: &[u8]) -> Result<(), String> {
    for piece in bytes.chunks(WRITE_CHUNK_BYTES) {
        let writing = async {
            wire.write_all(piece).await?;
            wire.flush().await
        };
        match timeout(WRITE_MAX, writing).await {
            Ok(written) => written.map_err(|error| format!("the line broke: {error}"))?,
            Err(_) => return Err(format!("the device took nothing for {} s", WRITE_MAX.as_secs())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: &LineEvent) -> String {
        match event {
            LineEvent::Data(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            LineEvent::Closed(why) => format!("closed: {why}"),
            other => format!("{other:?}"),
        }
    }

    async fn heard(far: &mut tokio::io::DuplexStream, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        far.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn a_telnet_line_answers_types_and_ends() {
        let (near, mut far) = tokio::io::duplex(4096);
        let mut line = telnet(Box::new(near), "vt100", (80, 24), "it");
        assert!(line.welcome.warnings.concat().contains("unencrypted"));
        far.write_all(&[255, 253, 24, 255, 250, 24, 1, 255, 240, b'l', b'o', b'g', b'i', b'n', b':']).await.unwrap();
        assert_eq!(text(&line.reader.next().await), "login:");
        assert_eq!(heard(&mut far, 14).await, b"\xff\xfb\x18\xff\xfa\x18\x00vt100\xff\xf0");
        line.writer.order(Order::Write(b"bob\r".to_vec().into())).unwrap();
        line.writer.order(Order::Signal("INT")).unwrap();
        assert_eq!(heard(&mut far, 7).await, b"bob\r\0\xff\xf4");
        drop(far);
        assert_eq!(text(&line.reader.next().await), "closed: the other end closed the line");
        assert!(text(&line.reader.next().await).starts_with("closed"));
    }

    #[tokio::test]
    async fn a_line_that_is_closed_here_ends_for_its_reader_too() {
        let (near, _far) = tokio::io::duplex(64);
        let mut line = telnet(Box::new(near), "vt100", (80, 24), "it");
        line.writer.order(Order::Close).unwrap();
        assert_eq!(text(&line.reader.next().await), "closed: the line is closed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_serial_device_has_one_user_and_ends_when_it_is_pulled() {
        let (far, near) = pty_process::blocking::open().unwrap();
        let path = {
            use std::os::fd::{AsFd, AsRawFd};
            std::fs::read_link(format!("/proc/self/fd/{}", near.as_fd().as_raw_fd())).unwrap()
        };
        let mut line = serial(&path, 9600).await.unwrap();
        assert_eq!(serial(&path, 9600).await.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        line.writer.order(Order::Write(b"x\r".to_vec().into())).unwrap();
        let mut bytes = [0; 2];
        io::Read::read_exact(&mut &far, &mut bytes).unwrap();
        assert_eq!(&bytes, b"x\r");
        drop((far, near));
        assert!(text(&line.reader.next().await).starts_with("closed: "));
    }
}

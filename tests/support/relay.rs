//! A relay to a server on this machine, which passes on what it likes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a relay does with what the server says; what the client says passes as it is unless it is slow.
#[derive(Debug, Clone, Copy)]
pub enum Manner {
    /// Passes everything.
    Whole,
    /// Holds each piece back for so long, in both directions, and cuts it small.
    Slow(Duration),
    /// Passes so many bytes, then nothing any more.
    Stalls(usize),
    /// Passes so many bytes, then closes.
    Closes(usize),
}

/// A relay on a port of its own; it runs as long as the process.
pub struct Relay {
    /// Its port.
    pub port: u16,
    passed: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    /// Starts a relay to this port.
    pub fn start(to: u16, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(AtomicUsize::new(0));
        let (away, streams) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (counted, gone, known) = (Arc::clone(&passed), Arc::clone(&away), Arc::clone(&streams));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if gone.load(Ordering::Acquire) {
                    continue;
                }
                known.lock().unwrap().push(client.try_clone().unwrap());
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from, into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let up = if let Manner::Slow(_) = manner { manner } else { Manner::Whole };
                std::thread::spawn(move || pass(from, into, up, &AtomicUsize::new(0)));
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || pass(server, client, manner, &counted));
            }
        });
        Self { port, passed, away, streams }
    }

    /// Cuts every connection, and takes none from now on.
    pub fn cut(&self) {
        self.away.store(true, Ordering::Release);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.away.store(false, Ordering::Release);
    }

    /// Bytes of the server that were passed on, of all connections.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::Acquire)
    }
}

/// Passes what comes until one end is gone.
fn pass(mut from: TcpStream, mut into: TcpStream, manner: Manner, passed: &AtomicUsize) {
    let mut piece = vec![0; 32 * 1024];
    let mut all = 0;
    while let Ok(count @ 1..) = from.read(&mut piece) {
        let whole = &piece[..count];
        let part = match manner {
            Manner::Stalls(most) | Manner::Closes(most) => &whole[..count.min(most - all)],
            Manner::Whole | Manner::Slow(_) => whole,
        };
        if let Manner::Slow(pause) = manner {
            wait(pause);
        }
        let cuts: &[usize] = if let Manner::Slow(_) = manner { &[1, 5, 17, 200] } else { &[] };
        let mut rest = part;
        for &cut in cuts {
            let (first, second) = rest.split_at(cut.min(rest.len()));
            if into.write_all(first).is_err() {
                return;
            }
            rest = second;
        }
        if into.write_all(rest).is_err() {
            break;
        }
        all += part.len();
        passed.fetch_add(part.len(), Ordering::AcqRel);
        match manner {
            // What comes then is read and thrown away.
            Manner::Stalls(most) if all == most => while let Ok(1..) = from.read(&mut piece) {},
            Manner::Closes(most) if all == most => break,
            _ => {}
        }
    }
    let _ = into.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

#[expect(clippy::disallowed_methods, reason = "the relay has a thread of its own")]
fn wait(pause: Duration) {
    std::thread::sleep(pause);
}

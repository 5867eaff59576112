//! Listens here; connections come out at the device.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::allowed::may_come_out;
use super::relay::{Counted, relay};
use super::{End, Kind, LOST, Pauses, Through, Wanted, socks};
use crate::limits::{FORWARD_CONNECTIONS_MAX, FORWARD_LOOK_EVERY};
use crate::transport::ssh::Stream;

/// After the system refused to take a connection, for want of files for one.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

enum Listener {
    Tcp(TcpListener),
    // Held so that the file goes with it.
    Socket(UnixListener, #[expect(dead_code, reason = "its drop is what it is for")] Unlinked),
}

/// A socket's file, which goes with its listener.
struct Unlinked(PathBuf);

impl Drop for Unlinked {
    fn drop(&mut self) {
        // Somebody may have removed it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Both directions of a connection that came in.
trait Incoming: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Incoming for S {}

/// Begins to listen; the second part serves as long as it is polled.
pub(super) async fn listen(through: Through, mut wanted: Wanted) -> Result<(Wanted, super::Work), String> {
    let cannot = |end: &End, error: std::io::Error| format!("cannot listen at {end}: {error}; choose another with listen=");
    // Is there a way at all? Who listens for nothing finds out too late.
    through.connection().await?;
    let listener = match &wanted.listen {
        End::Tcp(host, port) => {
            let listener = TcpListener::bind((host.as_str(), *port)).await.map_err(|error| cannot(&wanted.listen, error))?;
            let port = listener.local_addr().map_err(|error| cannot(&wanted.listen, error))?.port();
            wanted.listen = End::Tcp(host.clone(), port);
            Listener::Tcp(listener)
        }
        End::Socket(path) => {
            let listener = UnixListener::bind(path).map_err(|error| cannot(&wanted.listen, error))?;
            Listener::Socket(listener, Unlinked(path.clone()))
        }
    };
    let (kind, to, keep) = (wanted.kind, wanted.to.clone(), wanted.keep);
    let work = Box::pin(async move { serve(through, listener, kind, to, keep).await });
    Ok((wanted, work))
}

async fn serve(through: Through, listener: Listener, kind: Kind, to: Option<End>, keep: bool) -> String {
    let (through, to) = (Arc::new(through), Arc::new(to));
    let mut connections = JoinSet::new();
    let lost = lost(&through, keep);
    tokio::pin!(lost);
    loop {
        let taken: std::io::Result<Box<dyn Incoming>> = tokio::select! {
            why = &mut lost => return why,
            // Those that have ended make room.
            Some(_) = connections.join_next() => continue,
            taken = accept(&listener) => taken,
        };
        let Ok(stream) = taken else {
            sleep(ACCEPT_AGAIN).await;
            continue;
        };
        if connections.len() >= FORWARD_CONNECTIONS_MAX {
            through.counts.failed(&format!("more than {FORWARD_CONNECTIONS_MAX} connections at once"));
            continue;
        }
        let (through, to) = (Arc::clone(&through), Arc::clone(&to));
        connections.spawn(async move {
            let _counted = Counted::new(&through.counts);
            let carried = match kind {
                Kind::Socks => by_socks(&through, stream).await,
                _ => by_target(&through, stream, to.as_ref().as_ref()).await,
            };
            if let Err(why) = carried {
                through.counts.failed(&why);
            }
        });
    }
}

/// Ends when the connection is lost and nobody wants it back, or it cannot be had again; says why.
async fn lost(through: &Through, keep: bool) -> String {
    if keep {
        return stay(through).await;
    }
    let known = through.connection().await.map(|connection| connection.known());
    loop {
        sleep(FORWARD_LOOK_EVERY).await;
        let is_there = known.as_ref().is_ok_and(|known| known.get().is_some());
        // One that nobody used was closed, not lost: the next connection makes a new one.
        let is_used = through.counts.open.load(Ordering::Relaxed) > 0;
        if !is_there && is_used {
            return LOST.to_owned();
        }
    }
}

/// Holds the connection, and has another one as soon as that is lost.
async fn stay(through: &Through) -> String {
    let (mut pauses, mut connection) = (Pauses::default(), through.connection().await);
    loop {
        let why = match connection {
            Ok(connection) => connection.ended().await,
            Err(why) => why,
        };
        through.go_down(&why);
        match through.regain(&mut pauses, || through.connection()).await {
            Ok(again) => connection = Ok(again),
            Err(why) => return why,
        }
    }
}

async fn accept(listener: &Listener) -> std::io::Result<Box<dyn Incoming>> {
    Ok(match listener {
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Listener::Socket(listener, _) => Box::new(listener.accept().await?.0),
    })
}

async fn by_target(through: &Through, stream: Box<dyn Incoming>, to: Option<&End>) -> Result<(), String> {
    let Some(to) = to else { return Err("it comes out nowhere".to_owned()) };
    let out = reach(through, to).await?;
    relay(&through.counts, stream, out).await;
    Ok(())
}

async fn by_socks(through: &Through, mut stream: Box<dyn Incoming>) -> Result<(), String> {
    let asked = socks::asked(&mut stream).await?;
    let to = End::Tcp(asked.host.clone(), asked.port);
    let out = match may_come_out(&through.settings(), &to) {
        true => reach(through, &to).await,
        false => Err(format!("the operator does not allow forwards to {to}")),
    };
    asked.answer(&mut stream, out.is_ok()).await?;
    relay(&through.counts, stream, out?).await;
    Ok(())
}

/// A stream from the device to there.
async fn reach(through: &Through, to: &End) -> Result<Stream, String> {
    // Whoever comes meanwhile makes no try of his own: their pauses would not hold.
    if let Some(down) = through.counts.down() {
        return Err(down.why);
    }
    let connection = through.connection().await?;
    let stream = match to {
        End::Tcp(host, port) => connection.tcp(host, *port, ("127.0.0.1", 0)).await,
        End::Socket(path) => connection.socket(&path.display().to_string()).await,
    };
    stream.map_err(|error| error.to_string())
}

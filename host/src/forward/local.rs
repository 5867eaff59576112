//! Listens here; connections come out at the device.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::allowed::may_come_out;
use super::relay::{Counted, relay};
use super::{End, Kind, LOST, Pauses, Through, Wanted, lost, socks};
use crate::limits::FORWARD_CONNECTIONS_MAX;
use crate::private::own_user;
use crate::transport::ssh::{Connection, Stream};

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
    let cannot = |end: &End, error: io::Error| format!("cannot listen at {end}: {error}; choose another with listen=");
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
            let listener = bind(path).await.map_err(|error| cannot(&wanted.listen, error))?;
            let unlinked = Unlinked(path.clone());
            // As with ssh, it is for this account alone, whatever mask the process was started with.
            std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|error| cannot(&wanted.listen, error))?;
            Listener::Socket(listener, unlinked)
        }
    };
    let (kind, to, keep) = (wanted.kind, wanted.to.clone(), wanted.keep);
    let work = Box::pin(async move { serve(through, listener, kind, to, keep).await });
    Ok((wanted, work))
}

/// Listens at a path. A socket that a process has left there which has ended is replaced.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path).await => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

/// Is it a socket of this account at which nobody listens?
async fn is_left_over(path: &Path) -> bool {
    let is_own =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket() && own_user().is_ok_and(|own| own == found.uid()));
    is_own && UnixStream::connect(path).await.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

async fn serve(through: Through, listener: Listener, kind: Kind, to: Option<End>, keep: bool) -> String {
    let (through, to) = (Arc::new(through), Arc::new(to));
    let mut connections = JoinSet::new();
    let given_up = given_up(&through, keep);
    tokio::pin!(given_up);
    loop {
        let taken: io::Result<Box<dyn Incoming>> = tokio::select! {
            why = &mut given_up => return why,
            // Those that have ended make room.
            Some(ended) = connections.join_next() => {
                if !keep && matches!(ended, Ok(Carried::CutOff)) {
                    return LOST.to_owned();
                }
                continue;
            }
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
            carried.unwrap_or_else(|why| {
                through.counts.failed(&why);
                Carried::ToItsEnd
            })
        });
    }
}

/// Ends when a connection that is wanted back cannot be had again; says why.
async fn given_up(through: &Through, keep: bool) -> String {
    if keep {
        return stay(through).await;
    }
    // A connection that nothing goes through is closed after a while, not lost: the next client makes a new one. Who is cut off says so.
    std::future::pending().await
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

async fn accept(listener: &Listener) -> io::Result<Box<dyn Incoming>> {
    Ok(match listener {
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
        Listener::Socket(listener, _) => Box::new(listener.accept().await?.0),
    })
}

async fn by_target(through: &Through, stream: Box<dyn Incoming>, to: Option<&End>) -> Result<Carried, String> {
    let Some(to) = to else { return Err("it comes out nowhere".to_owned()) };
    let out = reach(through, to).await?;
    Ok(carry(through, stream, out).await)
}

async fn by_socks(through: &Through, mut stream: Box<dyn Incoming>) -> Result<Carried, String> {
    let asked = socks::asked(&mut stream).await?;
    let to = End::Tcp(asked.host.clone(), asked.port);
    let out = match may_come_out(&through.settings(), &to) {
        true => reach(through, &to).await,
        false => Err(format!("the operator does not allow forwards to {to}")),
    };
    asked.answer(&mut stream, out.is_ok()).await?;
    Ok(carry(through, stream, out?).await)
}

/// How what a client brought has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// Both ends have said all, or it never came out.
    ToItsEnd,
    /// The device's connection was lost under it.
    CutOff,
}

/// Carries bytes until both ends have said all, or the connection that they go over is lost.
async fn carry(through: &Through, stream: Box<dyn Incoming>, (connection, out): (Connection, Stream)) -> Carried {
    tokio::select! {
        () = relay(&through.counts, stream, out) => {}
        () = lost(&connection) => {}
    }
    if connection.is_closed() { Carried::CutOff } else { Carried::ToItsEnd }
}

/// A stream from the device to there, and the connection that it goes over.
async fn reach(through: &Through, to: &End) -> Result<(Connection, Stream), String> {
    // Whoever comes meanwhile makes no try of his own: their pauses would not hold.
    if let Some(down) = through.counts.down() {
        return Err(down.why);
    }
    let connection = through.connection().await?;
    let stream = match to {
        End::Tcp(host, port) => connection.tcp(host, *port, ("127.0.0.1", 0)).await,
        End::Socket(path) => connection.socket(&path.display().to_string()).await,
    };
    stream.map(|stream| (connection, stream)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_socket_at_which_nobody_listens_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        drop(std::os::unix::net::UnixListener::bind(at("left")).unwrap());
        std::os::unix::fs::symlink("left", at("link")).unwrap();
        std::fs::write(at("file"), "x").unwrap();
        let why = async |name: &str| bind(&at(name)).await.unwrap_err().kind();
        assert_eq!((why("link").await, why("file").await), (io::ErrorKind::AddrInUse, io::ErrorKind::AddrInUse));
        let listener = bind(&at("left")).await.unwrap();
        assert_eq!(why("left").await, io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(at("left").exists() && std::fs::read(at("file")).unwrap() == b"x");
    }
}

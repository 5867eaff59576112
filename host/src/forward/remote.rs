//! Listens at the device; connections come out here.

use std::io;
use std::sync::Arc;

use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::relay::{Counted, relay};
use super::{End, LOST, Pauses, Through, Wanted, Work, lost};
use crate::limits::{CONNECT_MAX, FORWARD_CONNECTIONS_MAX};
use crate::transport::ssh::{Listening, Stream};

async fn ask(through: &Through, address: &str, port: u16) -> Result<Listening, String> {
    let connection = through.connection().await?;
    connection.listen(address, port).await.map_err(|error| error.to_string())
}

/// Has the device listen; the second part serves as long as it is polled.
pub(super) async fn listen(through: Through, mut wanted: Wanted) -> Result<(Wanted, Work), String> {
    let End::Tcp(address, port) = wanted.listen.clone() else {
        return Err("a device listens at a host and port: write listen=host:port, or a port alone".to_owned());
    };
    let Some(to) = wanted.to.clone() else { return Err("a remote forward comes out somewhere: say where with to=".to_owned()) };
    let listening = ask(&through, &address, port).await?;
    wanted.listen = End::Tcp(address, listening.port);
    let keep = wanted.keep;
    Ok((wanted, Box::pin(async move { serve(Arc::new(through), listening, to, keep).await })))
}

async fn serve(through: Arc<Through>, mut listening: Listening, to: End, keep: bool) -> String {
    let (mut connections, mut pauses) = (JoinSet::new(), Pauses::default());
    loop {
        let stream = tokio::select! {
            stream = listening.next() => stream,
            // Those that have ended make room.
            Some(_) = connections.join_next() => continue,
        };
        let Some(stream) = stream else {
            if !keep {
                return LOST.to_owned();
            }
            through.go_down(LOST);
            match through.regain(&mut pauses, || ask(&through, &listening.address, listening.port)).await {
                Ok(again) => listening = again,
                Err(why) => return why,
            }
            continue;
        };
        if connections.len() >= FORWARD_CONNECTIONS_MAX {
            through.counts.failed(&format!("more than {FORWARD_CONNECTIONS_MAX} connections at once"));
            // The device hears that it is closed.
            drop(stream);
            continue;
        }
        let (through, to, connection) = (Arc::clone(&through), to.clone(), listening.connection().clone());
        connections.spawn(async move {
            let _counted = Counted::new(&through.counts);
            let carried = tokio::select! {
                carried = carry(&through, stream, &to) => carried,
                // Who writes into it would wait for ever for somebody to take more.
                () = lost(&connection) => Ok(()),
            };
            if let Err(why) = carried {
                through.counts.failed(&format!("cannot reach {to}: {why}"));
            }
        });
    }
}

async fn carry(through: &Through, stream: Stream, to: &End) -> io::Result<()> {
    match to {
        End::Tcp(host, port) => {
            let out = in_time(TcpStream::connect((host.as_str(), *port))).await?;
            out.set_nodelay(true)?;
            relay(&through.counts, stream, out).await;
        }
        End::Socket(path) => relay(&through.counts, stream, in_time(UnixStream::connect(path)).await?).await,
    }
    Ok(())
}

/// What the device sends meanwhile is not taken, and when that is much its connection waits for it.
async fn in_time<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", CONNECT_MAX.as_secs())));
    timeout(CONNECT_MAX, connecting).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_service_that_does_not_answer_is_not_waited_for_as_long_as_the_system_does() {
        let late = in_time(std::future::pending::<io::Result<()>>()).await.unwrap_err();
        assert_eq!((late.kind(), late.to_string().as_str()), (io::ErrorKind::TimedOut, "no answer within 20 s"));
    }
}

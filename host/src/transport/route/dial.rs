//! A TCP connection to the first address that answers (RFC 8305: families in turn, each next one a quarter of a second later).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::limits::{ADDRESSES_MAX, NEXT_ADDRESS_AFTER};

/// Connects. `idle` is how long sent bytes may stay without the other side's word before the system ends the connection, and after so
/// long a silence it asks for one.
///
/// # Errors
///
/// What the system said of the last address, or that the name has none.
pub async fn dial(host: &str, port: u16, idle: Duration) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let addresses = in_turn(addresses);
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    let stream = first(addresses).await?;
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(&stream);
    // Neither is had everywhere. SSH has keepalives of its own, telnet has none.
    let _ = socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(idle));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(idle));
    Ok(stream)
}

/// IPv6 and IPv4 alternate, beginning with the family that the system put first.
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut out = Vec::new();
    loop {
        match (one.next(), other.next()) {
            (None, None) => break,
            (a, b) => out.extend(a.into_iter().chain(b)),
        }
    }
    out.truncate(ADDRESSES_MAX);
    out
}

async fn first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut tries: JoinSet<io::Result<TcpStream>> = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut start_next = true;
    loop {
        if start_next && let Some(address) = waiting.next() {
            tries.spawn(TcpStream::connect(address));
        }
        if tries.is_empty() {
            return Err(last);
        }
        let patience = sleep_until(Instant::now() + NEXT_ADDRESS_AFTER);
        tokio::select! {
            Some(done) = tries.join_next() => match done {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => {
                    last = error;
                    start_next = true;
                }
                Err(_) => start_next = true,
            },
            () = patience, if waiting.len() > 0 => start_next = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let of = |text: &str| -> Vec<SocketAddr> { text.split(' ').map(|address| address.parse().unwrap()).collect() };
        let given = of("[::1]:22 [::2]:22 1.1.1.1:22 2.2.2.2:22");
        assert_eq!(in_turn(given), of("[::1]:22 1.1.1.1:22 [::2]:22 2.2.2.2:22"));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_quiet_connection_is_asked_whether_it_lives() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = dial("127.0.0.1", port, Duration::from_secs(90)).await.unwrap();
        let socket = socket2::SockRef::from(&stream);
        assert_eq!((socket.keepalive().unwrap(), socket.tcp_keepalive_time().unwrap()), (true, Duration::from_secs(90)));
        // Where nobody wants that, it is left to the system.
        let stream = dial("127.0.0.1", port, Duration::MAX).await.unwrap();
        assert!(socket2::SockRef::from(&stream).keepalive().unwrap());
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hold_up_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let right = listener.local_addr().unwrap();
        let closed: SocketAddr = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        assert_eq!(first(vec![closed, right]).await.unwrap().peer_addr().unwrap(), right);
        assert_eq!(first(vec![closed]).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_silent_does_not_hold_up_the_next() {
        // Nobody answers in this network (RFC 5737); with the paused clock the quarter of a second passes at once.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let right = listener.local_addr().unwrap();
        let silent: SocketAddr = "192.0.2.1:22".parse().unwrap();
        assert_eq!(first(vec![silent, right]).await.unwrap().peer_addr().unwrap(), right);
    }
}

//! A TCP connection to the first address that answers (RFC 8305: families in turn, each next one a quarter of a second later).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::limits::{ADDRESSES_MAX, CONNECT_MAX, NEXT_ADDRESS_AFTER};
use crate::ssh_config::AddressFamily;

/// Between two tries to connect, as ssh waits.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What a connection is made with beside the address that it goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialing {
    /// Only addresses of this family are tried (`AddressFamily`).
    pub family: Option<AddressFamily>,
    /// The address of this machine that it comes from (`BindAddress`).
    pub from: Option<String>,
    /// The interface of this machine that it goes out of (`BindInterface`).
    pub interface: Option<String>,
    /// How long it may take, and the key exchange after it (`ConnectTimeout`).
    pub timeout: Option<Duration>,
    /// Tries beyond the first (`ConnectionAttempts`).
    pub further_tries: u32,
}

impl Dialing {
    /// How long connecting may take, all tries together.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.timeout.unwrap_or(CONNECT_MAX)
    }

    fn takes(&self, address: &SocketAddr) -> bool {
        match self.family {
            Some(AddressFamily::Inet) => address.is_ipv4(),
            Some(AddressFamily::Inet6) => address.is_ipv6(),
            Some(AddressFamily::Any) | None => true,
        }
    }

    /// Where connections come from, once its name is looked up.
    async fn source(&self) -> io::Result<Source> {
        let Some(from) = &self.from else { return Ok(Source { interface: self.interface.clone(), ..Source::default() }) };
        let found = lookup_host((from.as_str(), 0)).await.map_err(|error| bound(from, &error))?.collect::<Vec<_>>();
        let of = |v6: bool| found.iter().find(|address| address.is_ipv6() == v6).copied();
        // As with ssh, the address says which interface it is.
        Ok(Source { name: from.clone(), v4: of(false), v6: of(true), interface: None })
    }
}

/// Where connections come from: for each family an address, or whatever the system takes.
#[derive(Debug, Clone, Default)]
struct Source {
    /// As it is written; empty for whatever the system takes.
    name: String,
    v4: Option<SocketAddr>,
    v6: Option<SocketAddr>,
    interface: Option<String>,
}

impl Source {
    async fn connect(self, to: SocketAddr) -> io::Result<TcpStream> {
        let (socket, from) = if to.is_ipv4() { (TcpSocket::new_v4()?, self.v4) } else { (TcpSocket::new_v6()?, self.v6) };
        if let Some(interface) = &self.interface {
            bind_to(&socket, interface).map_err(|error| bound(interface, &error))?;
        }
        match from {
            Some(from) => socket.bind(from).map_err(|error| bound(&self.name, &error))?,
            None if self.name.is_empty() => {}
            None => return Err(bound(&self.name, &format!("it has no address that leads to {}", to.ip()))),
        }
        socket.connect(to).await
    }
}

fn bound(from: &str, what: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("cannot connect from `{from}`: {what}"))
}

#[cfg(target_os = "linux")]
fn bind_to(socket: &TcpSocket, interface: &str) -> io::Result<()> {
    socket2::SockRef::from(socket).bind_device(Some(interface.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn bind_to(_: &TcpSocket, _: &str) -> io::Result<()> {
    Err(io::Error::other("this system binds to addresses alone; write BindAddress"))
}

/// Connects. `idle` is how long sent bytes may stay without the other side's word before the system ends the connection, and after so
/// long a silence it asks for one.
///
/// # Errors
///
/// What the system said of each address, or that the name has none.
pub async fn dial(host: &str, port: u16, idle: Duration, dialing: &Dialing) -> io::Result<TcpStream> {
    let mut left = dialing.further_tries;
    let began = Instant::now();
    let stream = loop {
        match once(host, port, dialing).await {
            // Why the last one failed says more than that the time was over.
            Err(_) if left > 0 && began.elapsed() + AGAIN_AFTER < dialing.patience() => left -= 1,
            done => break done?,
        }
        sleep(AGAIN_AFTER).await;
    };
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(&stream);
    // Neither is had everywhere. SSH has keepalives of its own, telnet has none.
    let _ = socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(idle));
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(idle));
    Ok(stream)
}

async fn once(host: &str, port: u16, dialing: &Dialing) -> io::Result<TcpStream> {
    let mut addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let has_some = !addresses.is_empty();
    addresses.retain(|address| dialing.takes(address));
    if addresses.is_empty() {
        let why = if has_some { "the name has no address of the family that AddressFamily names" } else { "the name has no address" };
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    first(in_turn(addresses), dialing.source().await?).await
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

async fn first(addresses: Vec<SocketAddr>, source: Source) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut tries: JoinSet<(SocketAddr, io::Result<TcpStream>)> = JoinSet::new();
    let mut failed = Vec::new();
    let mut start_next = true;
    loop {
        if start_next && let Some(address) = waiting.next() {
            let source = source.clone();
            tries.spawn(async move { (address, source.connect(address).await) });
        }
        if tries.is_empty() {
            return Err(none(failed));
        }
        let patience = sleep_until(Instant::now() + NEXT_ADDRESS_AFTER);
        tokio::select! {
            Some(done) = tries.join_next() => match done {
                Ok((_, Ok(stream))) => return Ok(stream),
                Ok((address, Err(error))) => {
                    failed.push((address, error));
                    start_next = true;
                }
                Err(_) => start_next = true,
            },
            () = patience, if waiting.len() > 0 => start_next = true,
        }
    }
}

/// Why none of the addresses answers. One that this machine has no way to often comes last, and is seldom why.
fn none(mut failed: Vec<(SocketAddr, io::Error)>) -> io::Error {
    match failed.len() {
        0 => io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
        1 => failed.remove(0).1,
        _ => io::Error::other(failed.iter().map(|(address, error)| format!("{}: {error}", address.ip())).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn each_address_says_why_it_does_not_answer() {
        let closed: SocketAddr = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let other = SocketAddr::new("127.0.0.2".parse().unwrap(), closed.port());
        let why = first(vec![closed, other], Source::default()).await.unwrap_err().to_string();
        let refused = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        assert_eq!(why, format!("127.0.0.1: {refused}, 127.0.0.2: {refused}"));
    }

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
        let stream = dial("127.0.0.1", port, Duration::from_secs(90), &Dialing::default()).await.unwrap();
        let socket = socket2::SockRef::from(&stream);
        assert_eq!((socket.keepalive().unwrap(), socket.tcp_keepalive_time().unwrap()), (true, Duration::from_secs(90)));
        // Where nobody wants that, it is left to the system.
        let stream = dial("127.0.0.1", port, Duration::MAX, &Dialing::default()).await.unwrap();
        assert!(socket2::SockRef::from(&stream).keepalive().unwrap());
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_address_and_has_the_family_that_are_wanted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let with = async |dialing: Dialing| {
            let stream = dial("127.0.0.1", port, Duration::MAX, &dialing).await;
            stream.map(|stream| stream.local_addr().unwrap().ip().to_string()).map_err(|error| error.to_string())
        };
        let from = |from: &str| Dialing { from: Some(from.to_owned()), ..Dialing::default() };
        assert_eq!(with(from("127.0.0.9")).await.unwrap(), "127.0.0.9");
        let why = with(from("::1")).await.unwrap_err();
        assert_eq!(why, "cannot connect from `::1`: it has no address that leads to 127.0.0.1");
        let of = |family| Dialing { family: Some(family), ..Dialing::default() };
        assert!(with(of(AddressFamily::Inet)).await.is_ok() && with(of(AddressFamily::Any)).await.is_ok());
        assert!(with(of(AddressFamily::Inet6)).await.unwrap_err().contains("AddressFamily"));
        let nowhere = Dialing { interface: Some("none-like-this".to_owned()), ..Dialing::default() };
        assert!(with(nowhere).await.unwrap_err().starts_with("cannot connect from `none-like-this`: "));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_refuses_is_tried_as_often_as_is_wanted() {
        let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let began = Instant::now();
        let dialing = Dialing { further_tries: 3, ..Dialing::default() };
        let error = dial("127.0.0.1", port, Duration::MAX, &dialing).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed() >= 3 * AGAIN_AFTER), (io::ErrorKind::ConnectionRefused, true));
        // Who gives up when the time is over would not hear that it refuses. A clock that jumps would not wait for the refusal.
        tokio::time::resume();
        let began = Instant::now();
        let dialing = Dialing { further_tries: u32::MAX, timeout: Some(AGAIN_AFTER * 5 / 2), ..Dialing::default() };
        let error = dial("127.0.0.1", port, Duration::MAX, &dialing).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed() < AGAIN_AFTER * 5 / 2), (io::ErrorKind::ConnectionRefused, true));
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hold_up_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let right = listener.local_addr().unwrap();
        let closed: SocketAddr = {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        assert_eq!(first(vec![closed, right], Source::default()).await.unwrap().peer_addr().unwrap(), right);
        assert_eq!(first(vec![closed], Source::default()).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_silent_does_not_hold_up_the_next() {
        // Nobody answers in this network (RFC 5737); with the paused clock the quarter of a second passes at once.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let right = listener.local_addr().unwrap();
        let silent: SocketAddr = "192.0.2.1:22".parse().unwrap();
        assert_eq!(first(vec![silent, right], Source::default()).await.unwrap().peer_addr().unwrap(), right);
    }
}

//! The way to a host: straight, through a proxy, a program, a socket or another device.
//!
//! Each gives a stream of bytes that begins with what the host itself says.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

use crate::account;
use crate::config::Proxy;
use crate::transport::ssh::{WORDS_MAX_BYTES, words};

mod acknowledged;
mod dial;
mod program;
mod proxy;

use acknowledged::Acknowledged;

pub use dial::{Dialing, dial};

/// A stream to a host.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Duplex for S {}

/// Why a way does not lead to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Who stands in the way; empty for the host itself.
    pub by: String,
    /// What it said.
    pub what: String,
}

impl Closed {
    fn host(what: &dyn std::fmt::Display) -> Self {
        Self { by: String::new(), what: what.to_string() }
    }

    fn by(who: &str, what: &str) -> Self {
        Self { by: who.to_owned(), what: words(what, WORDS_MAX_BYTES) }
    }
}

/// A connection to the host itself.
///
/// # Errors
///
/// Why there is none.
pub async fn direct(host: &str, port: u16, idle: Duration, dialing: &Dialing) -> Result<Box<dyn Duplex>, Closed> {
    let stream = dial(host, port, idle, dialing).await.map_err(|error| Closed::host(&error))?;
    Ok(Box::new(Acknowledged::new(stream)))
}

/// A connection through a proxy.
///
/// # Errors
///
/// Why there is none.
pub async fn by_proxy(way: &Proxy, host: &str, port: u16, idle: Duration) -> Result<Box<dyn Duplex>, Closed> {
    match way {
        Proxy::Socks5 { host: at, port: at_port } => {
            let who = format!("the SOCKS proxy {at}:{at_port}");
            let stream = dial(at, at_port.get(), idle, &Dialing::default()).await.map_err(|error| Closed::by(&who, &error.to_string()))?;
            proxy::socks5(stream, host, port).await.map(boxed).map_err(|what| Closed::by(&who, &what))
        }
        Proxy::Http { host: at, port: at_port } => {
            let who = format!("the HTTP proxy {at}:{at_port}");
            let stream = dial(at, at_port.get(), idle, &Dialing::default()).await.map_err(|error| Closed::by(&who, &error.to_string()))?;
            proxy::connect(stream, host, port).await.map(boxed).map_err(|what| Closed::by(&who, &what))
        }
        Proxy::Command(words) => {
            let words: Vec<String> = words.iter().map(|word| filled(word, host, port)).collect();
            program::start(&words).map(boxed).map_err(|what| Closed::by("its program", &what))
        }
        Proxy::Unix(path) => {
            let who = format!("the socket {}", path.display());
            UnixStream::connect(path).await.map(boxed).map_err(|error| Closed::by(&who, &error.to_string()))
        }
    }
}

/// A connection through a program that the user's shell starts, as OpenSSH starts a `ProxyCommand`: the shell becomes the program.
///
/// # Errors
///
/// Why there is none.
pub fn by_shell(command: &str) -> Result<Box<dyn Duplex>, Closed> {
    let words = [account::shell_of_openssh(), "-c".to_owned(), format!("exec {command}")];
    program::start(&words).map(boxed).map_err(|what| Closed::by("its program", &what))
}

fn boxed<S: Duplex + 'static>(stream: S) -> Box<dyn Duplex> {
    Box::new(stream)
}

/// `%h` and `%p` stand for host and port, `%%` for a percent sign.
fn filled(word: &str, host: &str, port: u16) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (token, after) = after.split_at_checked(1).unwrap_or(("", ""));
        match token {
            "h" => out.push_str(host),
            "p" => out.push_str(&port.to_string()),
            "%" => out.push('%'),
            other => {
                out.push('%');
                out.push_str(other);
            }
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled() {
        assert_eq!(filled("%h:%p", "web1", 22), "web1:22");
        assert_eq!(filled("100%% %x %", "web1", 22), "100% %x %");
    }
}

//! `LocalForward`, `RemoteForward` and `DynamicForward`.

use std::fmt;

use super::value;

/// Bytes of a name that a system resolves.
const HOST_MAX_BYTES: usize = 1025;
/// Bytes of a socket's path.
const SOCKET_MAX_BYTES: usize = 108;

/// Where a forward listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On a port; an address that is absent means what `GatewayPorts` says, an empty one or `*` means all.
    Port {
        /// The address.
        address: Option<String>,
        /// The port; 0 lets the server choose.
        port: u16,
    },
    /// On a socket with this path.
    Socket(String),
}

/// Where a forward leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To a port of a host.
    Port {
        /// The host.
        host: String,
        /// Its port.
        port: u16,
    },
    /// To a socket with this path.
    Socket(String),
    /// To where each connection asks for, by SOCKS.
    Asked,
}

/// One forward of ports or sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Where it listens.
    pub listen: Listen,
    /// Where it leads.
    pub target: Target,
}

/// Which keyword a forward stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Local,
    Remote,
    Dynamic,
}

/// A part of a specification: a socket's path has a slash somewhere.
struct Field {
    text: String,
    is_path: bool,
}

impl Forward {
    /// Reads the two arguments, which OpenSSH joins before it cuts them again.
    pub(super) fn parse(direction: Direction, listen: &str, target: Option<&str>) -> Option<Self> {
        let dynamic = target.is_none();
        let text = target.map_or_else(|| listen.to_owned(), |target| format!("{listen}:{target}"));
        let fields = fields(text.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '\x0b'))?;
        let count = fields.len();
        let forward = Self::of(fields)?;
        let fits = match (&forward.listen, &forward.target) {
            _ if dynamic => count <= 2,
            (Listen::Socket(_), _) | (_, Target::Socket(_)) => true,
            _ => count >= 3,
        };
        let leads = match &forward.target {
            Target::Port { host, port } => *port > 0 && host.len() < HOST_MAX_BYTES,
            Target::Socket(path) => path.len() < SOCKET_MAX_BYTES,
            Target::Asked => dynamic,
        };
        let listens = match &forward.listen {
            Listen::Port { address, port } => {
                address.as_ref().is_none_or(|address| address.len() < HOST_MAX_BYTES) && (direction == Direction::Remote || *port > 0)
            }
            Listen::Socket(path) => path.len() < SOCKET_MAX_BYTES,
        };
        (fits && leads && listens).then_some(forward)
    }

    /// What one to four fields mean depends on which of them are paths.
    fn of(fields: Vec<Field>) -> Option<Self> {
        let paths: Vec<bool> = fields.iter().map(|field| field.is_path).collect();
        let mut texts = fields.into_iter().map(|field| field.text);
        let mut text = || texts.next().unwrap_or_default();
        let listen = match *paths.as_slice() {
            [true] | [true, true] | [true, _, _] => Listen::Socket(text()),
            [false] | [_, true] | [_, _, false] => Listen::Port { address: None, port: value::port_or_zero(&text())? },
            [_, _] | [_, _, _] | [_, _, _, _] => Listen::Port { address: Some(text()), port: value::port_or_zero(&text())? },
            _ => return None,
        };
        let target = match *paths.as_slice() {
            [_] | [_, false] => Target::Asked,
            [_, true] => Target::Socket(text()),
            [false, _, true] => Target::Socket(text()),
            _ => Target::Port { host: text(), port: value::port_or_zero(&text())? },
        };
        Some(Self { listen, target })
    }
}

/// Cuts at colons: brackets keep theirs, and a backslash keeps what follows it.
fn fields(text: &str) -> Option<Vec<Field>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if found.len() == 4 {
            return None;
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let (text, after) = inside.split_once(']')?;
            found.push(Field { text: text.to_owned(), is_path: text.contains('/') });
            rest = if after.is_empty() { after } else { after.strip_prefix(':')? };
            continue;
        }
        let mut field = Field { text: String::new(), is_path: false };
        let mut letters = rest.chars();
        loop {
            match letters.next() {
                None | Some(':') => break,
                Some('\\') => match letters.next() {
                    Some(letter) => field.text.push(letter),
                    // OpenSSH drops a backslash at the end, and with it a field that has nothing else.
                    None => return field.text.is_empty().then_some(found),
                },
                Some(letter) => {
                    field.is_path |= letter == '/';
                    field.text.push(letter);
                }
            }
        }
        found.push(field);
        rest = letters.as_str();
    }
    Some(found)
}

impl fmt::Display for Forward {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.listen {
            Listen::Port { address: Some(address), port } => write!(out, "[{address}]:{port}")?,
            Listen::Port { address: None, port } => write!(out, "{port}")?,
            Listen::Socket(path) => write!(out, "{path}")?,
        }
        match &self.target {
            Target::Port { host, port } => write!(out, " [{host}]:{port}"),
            Target::Socket(path) => write!(out, " {path}"),
            Target::Asked => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwards_are_read_as_openssh_reads_them() {
        use Direction::{Dynamic, Local, Remote};
        for (direction, listen, target, expected) in [
            (Local, "80", Some("a:81"), "80 [a]:81"),
            (Local, "[::1]:80", Some("[::2]:81"), "[::1]:80 [::2]:81"),
            (Local, "/s/%h", Some("~/x"), "/s/%h ~/x"),
            (Local, "1", Some("/p"), "1 /p"),
            (Local, ":1", Some("b:2"), "[]:1 [b]:2"),
            (Local, "*:1", Some("/p"), "[*]:1 /p"),
            (Local, "8/b", Some("b:9"), "8/b [b]:9"),
            (Local, r"x\:y:8", Some("b:9"), "[x:y]:8 [b]:9"),
            (Local, "80", Some("81"), "bad"),
            (Local, "a:b:80", Some("81"), "bad"),
            (Local, "0", Some("a:81"), "bad"),
            (Local, "8", Some("a:0"), "bad"),
            (Local, "a:b:c:d", Some("e"), "bad"),
            (Local, "[a", Some("b:1"), "bad"),
            (Dynamic, r"/s:\", None, "/s"),
            (Dynamic, r"/s:x\", None, "bad"),
            (Dynamic, "9", None, "9"),
            (Dynamic, "l:9", None, "[l]:9"),
            (Dynamic, "a:b:8", None, "bad"),
            (Dynamic, "0", None, "bad"),
            (Remote, "0", None, "0"),
            (Remote, "5", Some("a:6"), "5 [a]:6"),
            (Remote, "/u", Some("a:6"), "/u [a]:6"),
        ] {
            let read = Forward::parse(direction, listen, target).map_or_else(|| "bad".to_owned(), |forward| forward.to_string());
            assert_eq!(read, expected, "{listen} {target:?}");
        }
    }
}

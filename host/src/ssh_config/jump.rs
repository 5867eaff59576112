//! `ProxyJump`: the hosts that a connection goes through.

use super::value;

/// One host of a `ProxyJump`, as it is written: its own configuration may say more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpHost {
    /// Who logs in there, where the line says so.
    pub user: Option<String>,
    /// Its name, to be looked up in the configuration like any other.
    pub host: String,
    /// Its port, where the line says so.
    pub port: Option<u16>,
}

/// The value of a `ProxyJump` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Jump {
    /// No jump, and no later line may set one.
    None,
    /// In the order in which they are visited, and the text before the last one, as `ssh -G` repeats it.
    Through { hosts: Vec<JumpHost>, before_last: Option<String> },
}

impl Jump {
    /// Reads what follows the keyword. Only the first word counts, and it ends at a `#`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches([' ', '\t', '\r', '\n', '=']);
        let text = text.split([' ', '\t', '\r', '\n', '#']).next().unwrap_or_default();
        if text.eq_ignore_ascii_case("none") {
            return Some(Self::None);
        }
        let hosts = text.split(',').map(JumpHost::parse).collect::<Option<Vec<_>>>()?;
        Some(Self::Through { hosts, before_last: text.rsplit_once(',').map(|(before, _)| before.to_owned()) })
    }
}

impl JumpHost {
    /// Reads `[user@]host[:port]` or `ssh://[user@]host[:port]`.
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("ssh://") {
            Some(address) => Self::parse_uri(address),
            None => {
                let (user, address) = match text.rsplit_once('@') {
                    Some(("", _)) => return None,
                    Some((user, address)) => (Some(user.to_owned()), address),
                    None => (None, text),
                };
                let (host, rest) = host_and_rest(address)?;
                let port = match rest {
                    None | Some((':', "")) => None,
                    Some((':', port)) => Some(value::port(port)?),
                    Some(_) => return None,
                };
                Some(Self { user, host, port })
            }
        }
    }

    fn parse_uri(text: &str) -> Option<Self> {
        let (user, address) = match text.split_once('@') {
            Some((login, address)) => {
                // Parameters of the connection have no meaning yet.
                let user = login.split(';').next().filter(|user| !user.is_empty())?;
                (Some(decoded(user)?), address)
            }
            None => (None, text),
        };
        let (host, rest) = host_and_rest(address)?;
        let host = value::domain(&host)?.to_owned();
        let (port, path) = match rest {
            None => (None, ""),
            Some((':', rest)) => {
                let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
                let port = if rest.is_empty() { None } else { Some(value::port(port)?) };
                (port, path)
            }
            Some((_, path)) => (None, path),
        };
        // There is no folder to go to on a host that is only passed.
        path.is_empty().then_some(Self { user, host, port })
    }
}

/// The host without its brackets, and the `:` or `/` after it with what follows.
fn host_and_rest(text: &str) -> Option<(String, Option<(char, &str)>)> {
    let (host, after) = match text.strip_prefix('[') {
        Some(inside) => {
            let (host, after) = inside.split_once(']')?;
            (host, after)
        }
        None => text.split_at(text.find([':', '/']).unwrap_or(text.len())),
    };
    // In brackets an empty name is one, as in OpenSSH; it leads nowhere.
    if host.is_empty() && !text.starts_with('[') {
        return None;
    }
    let mut letters = after.chars();
    let rest = match letters.next() {
        None => None,
        Some(delimiter @ (':' | '/')) => Some((delimiter, letters.as_str())),
        Some(_) => return None,
    };
    Some((host.to_owned(), rest))
}

/// The text with `%20` as the byte that it stands for, and `+` as a blank.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (high, low) = (digit()?, digit()?);
                high * 16 + low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hosts as `user|host|port`, visited from the left to the right.
    fn read(text: &str) -> String {
        match Jump::parse(text) {
            None => "bad".to_owned(),
            Some(Jump::None) => "none".to_owned(),
            Some(Jump::Through { hosts, .. }) => {
                let shown = |host: &JumpHost| {
                    format!("{}|{}|{}", host.user.as_deref().unwrap_or_default(), host.host, host.port.unwrap_or_default())
                };
                hosts.iter().map(shown).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn jumps_are_read_as_openssh_reads_them() {
        for (text, expected) in [
            ("a", "|a|0"),
            ("a,b@c:22,d", "|a|0 b|c|22 |d|0"),
            (" = a", "|a|0"),
            ("a # b", "|a|0"),
            ("a#b", "|a|0"),
            ("a b", "|a|0"),
            ("a, b", "bad"),
            ("NONE", "none"),
            ("none # really", "none"),
            ("none,a", "|none|0 |a|0"),
            ("ssh://u@h:33,ssh://x", "u|h|33 |x|0"),
            ("ssh://u%20v;x@a_b.c.:33/", "u v|a_b.c|33"),
            ("ssh://a:33/p", "bad"),
            ("ssh://[::1]", "bad"),
            ("ssh://u%2@a", "bad"),
            ("a/22", "bad"),
            ("[::1]:22", "|::1|22"),
            ("::1", "bad"),
            ("@a", "bad"),
            ("a@b@c", "a@b|c|0"),
            ("a,,b", "bad"),
            ("a,", "bad"),
            ("a:", "|a|0"),
            ("a:0", "bad"),
            ("[a", "bad"),
            ("[a]b", "bad"),
            ("%h.x", "|%h.x|0"),
            ("#", "bad"),
            ("", "bad"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}

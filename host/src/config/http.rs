//! The table `[http]`: the door for clients that cannot start a process. Without the table there is none.

use std::net::{Ipv4Addr, SocketAddr};

use toml::de::DeValue;

use super::reader::{Place, Reader, Section};
use super::{source, value};
use crate::secret::SecretSource;

/// The keys of the table.
pub(super) const KEYS: [&str; 4] = ["listen", "token", "beyond_loopback", "hosts"];

/// Where it listens unless the table says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7340);
/// What an address looks like.
const EXAMPLE: &str = "127.0.0.1:7340";

/// What the file says of the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Address and port; port 0 is any that is free.
    pub listen: SocketAddr,
    /// Where the word comes from that each request must bring.
    pub token: SecretSource,
    /// Names by which clients may call it, beside those of the loopback interface and the address itself.
    pub hosts: Vec<String>,
}

impl HttpSettings {
    /// `None` after an error.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Self> {
        reader.only_keys(section, &KEYS);
        let beyond = reader.field(section, "beyond_loopback", value::flag).unwrap_or_default();
        let listen = match section.table.contains_key("listen") {
            true => reader.field(section, "listen", |reader, at, found| address(reader, at, found, beyond)),
            false => Some(LISTEN),
        };
        let hosts = reader
            .field(section, "hosts", |reader, at, found| value::names(reader, at, found, "jack.example.com", is_host))
            .unwrap_or_default();
        if !section.table.contains_key("token") {
            let help = "say where it comes from, for example `token = { keyring = \"jackfield-http\" }`, and put it there with \
                        `openssl rand -hex 32 | jackfield secret set jackfield-http`";
            reader.error(&section.place, format!("{} needs `token`", section.place.shown()), Some(help.to_owned()));
        }
        let token = reader.field(section, "token", source::source);
        Some(Self { listen: listen?, token: token?, hosts })
    }
}

/// An address that only this machine reaches, or any where the operator says that he means it.
fn address(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>, beyond: bool) -> Option<SocketAddr> {
    let text = value::text(reader, at, found, "an address and a port", EXAMPLE)?;
    let Ok(address) = text.parse::<SocketAddr>() else {
        let help = format!("write numbers, for example `{} = \"{EXAMPLE}\"`, or `\"[::1]:7340\"`", at.key());
        reader.error(at, format!("{} is `{}`, which is no address with a port", at.shown(), text.escape_debug()), Some(help));
        return None;
    };
    if beyond || address.ip().to_canonical().is_loopback() {
        return Some(address);
    }
    let message = format!("{} is `{address}`, which other machines reach", at.shown());
    let help = "the door has no encryption, so whoever sees the network could take the token and run commands on every device: listen at \
                127.0.0.1 behind a proxy with TLS, or write `beyond_loopback = true` if the network is yours alone";
    reader.error(at, message, Some(help.to_owned()));
    None
}

/// A name or an address, as it stands in a URL, without a port.
fn is_host(reader: &mut Reader<'_>, at: &Place, name: &str) -> bool {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let is_right = is_name || name.parse::<std::net::Ipv6Addr>().is_ok();
    if !is_right {
        let help = "write it as in a URL, without scheme, port and path: `hosts = [\"jack.example.com\"]`".to_owned();
        reader.error(at, format!("{} has `{}`, which is no host's name", at.shown(), name.escape_debug()), Some(help));
    }
    is_right
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Option<HttpSettings>, String> {
        let parsed = Config::parse(text, Path::new("/etc/jack/c.toml"), Some(Path::new("/home/me")));
        parsed.map(|config| config.http).map_err(|found| found.iter().map(|one| one.to_string() + "\n").collect())
    }

    #[test]
    fn without_the_table_there_is_no_door_and_with_it_one_that_only_this_machine_reaches() {
        assert_eq!(parse(""), Ok(None));
        let token = SecretSource::Keyring("door".to_owned());
        let usual = HttpSettings { listen: LISTEN, token: token.clone(), hosts: Vec::new() };
        assert_eq!(parse("[http]\ntoken = { keyring = \"door\" }\n"), Ok(Some(usual)));
        let text = "[http]\nlisten = \"[::]:80\"\ntoken = { keyring = \"door\" }\nbeyond_loopback = true\nhosts = [\"jack.example.com\"]\n";
        let wide = HttpSettings { listen: "[::]:80".parse().unwrap(), token, hosts: vec!["jack.example.com".to_owned()] };
        assert_eq!(parse(text), Ok(Some(wide)));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_it_means() {
        let wrong = parse("[http]\nlistn = 1\nlisten = \"0.0.0.0:7340\"\nhosts = [\"http://x\"]\n").unwrap_err();
        for part in [
            "unknown key `listn` in [http]; did you mean `listen`?",
            "`listen` in [http] is `0.0.0.0:7340`, which other machines reach; the door has no encryption",
            "write `beyond_loopback = true` if the network is yours alone",
            "[http] needs `token`; say where it comes from",
            "`hosts` in [http] has `http://x`, which is no host's name",
        ] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
        let wrong = parse("[http]\nlisten = \"localhost\"\ntoken = \"hunter2\"\n").unwrap_err();
        assert!(wrong.contains("is `localhost`, which is no address with a port"), "{wrong}");
        assert!(wrong.contains("`token` in [http] is written out") && !wrong.contains("hunter2"), "{wrong}");
    }
}

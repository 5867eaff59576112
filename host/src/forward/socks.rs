//! What a client of a SOCKS proxy asks for: version 5 (RFC 1928) without a login, and version 4 with its extension for names.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::limits::{SOCKS_ASK_MAX, SOCKS_NAME_MAX_BYTES};

/// Where a client wants to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) host: String,
    pub(super) port: u16,
    version: u8,
}

/// Reads the question.
pub(super) async fn asked<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Asked, String> {
    let reading = async {
        match stream.read_u8().await.map_err(|error| error.to_string())? {
            5 => version_5(stream).await,
            4 => version_4(stream).await,
            other => Err(format!("a client began with {other}, which is no version of SOCKS")),
        }
    };
    timeout(SOCKS_ASK_MAX, reading).await.unwrap_or_else(|_| Err("a client did not say where to".to_owned()))
}

async fn version_5<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Asked, String> {
    let broken = |error: std::io::Error| error.to_string();
    let count = stream.read_u8().await.map_err(broken)?;
    let mut methods = vec![0; count.into()];
    stream.read_exact(&mut methods).await.map_err(broken)?;
    if !methods.contains(&0) {
        stream.write_all(&[5, 0xff]).await.map_err(broken)?;
        return Err("a client insists on a login".to_owned());
    }
    stream.write_all(&[5, 0]).await.map_err(broken)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(broken)?;
    let [_, command, _, kind] = head;
    if command != 1 {
        // Command not supported.
        stream.write_all(&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0]).await.map_err(broken)?;
        return Err("a client wants something else than a connection".to_owned());
    }
    let host = match kind {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await.map_err(broken)?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        4 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address).await.map_err(broken)?;
            std::net::Ipv6Addr::from(address).to_string()
        }
        3 => {
            let length = stream.read_u8().await.map_err(broken)?;
            let mut name = vec![0; length.into()];
            stream.read_exact(&mut name).await.map_err(broken)?;
            String::from_utf8(name).map_err(|_| "a client asks for a name that is no text".to_owned())?
        }
        _ => return Err("a client asks for an address of an unknown kind".to_owned()),
    };
    let port = stream.read_u16().await.map_err(broken)?;
    Ok(Asked { host, port, version: 5 })
}

async fn version_4<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Result<Asked, String> {
    let broken = |error: std::io::Error| error.to_string();
    if stream.read_u8().await.map_err(broken)? != 1 {
        return Err("a client wants something else than a connection".to_owned());
    }
    let port = stream.read_u16().await.map_err(broken)?;
    let mut address = [0; 4];
    stream.read_exact(&mut address).await.map_err(broken)?;
    until_zero(stream).await?;
    // An address that cannot be says that a name follows.
    let host = match address {
        [0, 0, 0, last] if last != 0 => until_zero(stream).await?,
        address => std::net::Ipv4Addr::from(address).to_string(),
    };
    Ok(Asked { host, port, version: 4 })
}

async fn until_zero<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, String> {
    let mut bytes = Vec::new();
    loop {
        match stream.read_u8().await.map_err(|error| error.to_string())? {
            0 => return String::from_utf8(bytes).map_err(|_| "a client asks for a name that is no text".to_owned()),
            _ if bytes.len() >= SOCKS_NAME_MAX_BYTES => return Err("a client asks for a name without end".to_owned()),
            byte => bytes.push(byte),
        }
    }
}

impl Asked {
    /// Says whether there is a connection.
    pub(super) async fn answer<S: AsyncWrite + Unpin>(&self, stream: &mut S, is_there: bool) -> Result<(), String> {
        let answer: &[u8] = match (self.version, is_there) {
            (4, true) => &[0, 90, 0, 0, 0, 0, 0, 0],
            (4, false) => &[0, 91, 0, 0, 0, 0, 0, 0],
            (_, true) => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            // The host cannot be reached.
            (_, false) => &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0],
        };
        stream.write_all(answer).await.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of these bytes, and what the client is told meanwhile.
    async fn heard(bytes: &[u8]) -> (Result<Asked, String>, Vec<u8>) {
        let (mut client, mut server) = tokio::io::duplex(4096);
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let asked = asked(&mut server).await;
        drop(server);
        let mut told = Vec::new();
        client.read_to_end(&mut told).await.unwrap();
        (asked, told)
    }

    #[tokio::test]
    async fn all_kinds_of_questions_are_read() {
        let at = |host: &str, version| Asked { host: host.to_owned(), port: 80, version };
        let name = [&[5, 1, 0, 5, 1, 0, 3, 4][..], b"web1", &[0, 80]].concat();
        assert_eq!(heard(&name).await, (Ok(at("web1", 5)), vec![5, 0]));
        assert_eq!(heard(&[5, 2, 2, 0, 5, 1, 0, 1, 10, 0, 0, 1, 0, 80]).await.0, Ok(at("10.0.0.1", 5)));
        let v6 = [&[5, 1, 0, 5, 1, 0, 4][..], &[0; 15], &[1, 0, 80]].concat();
        assert_eq!(heard(&v6).await.0, Ok(at("::1", 5)));
        assert_eq!(heard(&[4, 1, 0, 80, 10, 0, 0, 1, b'm', b'e', 0]).await.0, Ok(at("10.0.0.1", 4)));
        assert_eq!(heard(&[&[4, 1, 0, 80, 0, 0, 0, 7, 0][..], b"web1\0"].concat()).await.0, Ok(at("web1", 4)));
    }

    #[tokio::test]
    async fn what_is_no_question_is_refused() {
        for (bytes, why) in [
            (b"GET / HTTP/1.1\r\n".to_vec(), "no version of SOCKS"),
            (vec![5, 1, 2], "insists on a login"),
            (vec![5, 1, 0, 5, 2, 0, 1], "something else than a connection"),
            (vec![5, 1, 0, 5, 1, 0, 9], "unknown kind"),
            ([&[4, 1, 0, 80, 1, 1, 1, 1][..], &[b'x'; 400]].concat(), "without end"),
            (vec![5], "end of file"),
        ] {
            let said = heard(&bytes).await.0.unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}

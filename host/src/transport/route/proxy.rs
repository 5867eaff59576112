//! Asking a proxy for a connection: SOCKS 5 (RFC 1928) and HTTP `CONNECT` (RFC 9110 section 9.3.6). Names are resolved there.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::limits::PROXY_REPLY_MAX_BYTES;

/// What follows is the other end's.
pub(super) async fn socks5(mut stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, String> {
    let broken = |error: std::io::Error| error.to_string();
    // Version 5, one method: no authentication.
    stream.write_all(&[5, 1, 0]).await.map_err(broken)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(broken)?;
    match chosen {
        [5, 0] => {}
        [5, 0xff] => return Err("it wants a login, which is not supported; use `proxy` with a program that can".to_owned()),
        _ => return Err("it does not speak SOCKS 5".to_owned()),
    }
    stream.write_all(&socks5_request(host, port)?).await.map_err(broken)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(broken)?;
    let [version, reply, _, kind] = head;
    if version != 5 {
        return Err("it does not speak SOCKS 5".to_owned());
    }
    if reply != 0 {
        return Err(socks5_reply(reply).to_owned());
    }
    // The address it is bound to, which nobody needs.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(broken)?),
        _ => return Err("its answer holds an address of a kind that SOCKS 5 does not know".to_owned()),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound).await.map_err(broken)?;
    Ok(stream)
}

fn socks5_request(host: &str, port: u16) -> Result<Vec<u8>, String> {
    // Version 5, connect, reserved.
    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| "the host's name is longer than 255 bytes".to_owned())?;
            request.extend([3, length]);
            request.extend(host.bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

fn socks5_reply(code: u8) -> &'static str {
    match code {
        2 => "its rules do not allow this connection",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the host refused the connection",
        6 => "the connection took too long",
        7 => "it does not support this command",
        8 => "it does not support this kind of address",
        _ => "it failed",
    }
}

/// What follows is the other end's: not a byte more than the proxy's own answer is read.
pub(super) async fn connect(mut stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, String> {
    let name = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let request = format!("CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_REPLY_MAX_BYTES {
            return Err(format!("its answer is longer than {PROXY_REPLY_MAX_BYTES} bytes"));
        }
        match stream.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(_) if answer.is_empty() => return Err("it closed the connection without an answer".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.lines().next().unwrap_or_default();
    let mut words = status.split(' ');
    let (version, code) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !version.starts_with("HTTP/1.") {
        return Err("it does not speak HTTP/1.1".to_owned());
    }
    if code.len() == 3 && code.starts_with('2') { Ok(stream) } else { Err(status.to_owned()) }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A proxy that answers these bytes to what it is told, and what it was told.
    async fn proxy(answers: Vec<Vec<u8>>) -> (TcpStream, tokio::task::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let told = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut told = Vec::new();
            for answer in answers {
                let mut buffer = [0; 1024];
                let count = stream.read(&mut buffer).await.unwrap();
                told.extend_from_slice(&buffer[..count]);
                stream.write_all(&answer).await.unwrap();
            }
            told
        });
        (stream, told)
    }

    #[tokio::test]
    async fn socks_takes_names_and_leaves_what_follows() {
        let (stream, told) = proxy(vec![vec![5, 0], [&[5, 0, 0, 1, 127, 0, 0, 1, 0, 22][..], b"SSH-2.0-x\r\n"].concat()]).await;
        let mut stream = socks5(stream, "web1", 2222).await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "SSH-2.0-x\r\n");
        assert_eq!(told.await.unwrap(), [&[5, 1, 0, 5, 1, 0, 3, 4][..], b"web1", &2222u16.to_be_bytes()].concat());
    }

    #[tokio::test]
    async fn socks_says_why_not() {
        for (answers, why) in [
            (vec![vec![5, 0xff]], "wants a login"),
            (vec![vec![4, 0]], "does not speak"),
            (vec![vec![5, 0], vec![5, 5, 0, 1]], "refused the connection"),
            (vec![vec![5, 0], vec![5, 0, 0, 9]], "a kind"),
            (vec![vec![5]], "early eof"),
        ] {
            let (stream, _told) = proxy(answers).await;
            let said = socks5(stream, "::1", 22).await.unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[tokio::test]
    async fn http_leaves_what_follows_and_says_why_not() {
        let (stream, told) = proxy(vec![b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\nSSH-2.0-x\r\n".to_vec()]).await;
        let mut stream = connect(stream, "::1", 22).await.unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "SSH-2.0-x\r\n");
        assert!(told.await.unwrap().starts_with(b"CONNECT [::1]:22 HTTP/1.1\r\n"));
        for (answer, why) in [
            (b"HTTP/1.1 403 Forbidden\r\n\r\n".to_vec(), "403 Forbidden"),
            (b"SSH-2.0-x\r\n\r\n".to_vec(), "does not speak"),
            (vec![b'x'; 20_000], "longer than"),
        ] {
            let (stream, _told) = proxy(vec![answer]).await;
            let said = connect(stream, "web1", 22).await.unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}

//! The door as browsers and others come to it: links, cookies, names, origins, bounds.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;
use crate::limits::{VIEWER_HEAD_MAX, VIEWER_LINE_MAX_BYTES, VIEWER_MESSAGE_MAX_BYTES, VIEWER_RECORDING_MAX_BYTES, VIEWER_STREAM_BYTES};

const WAIT: Duration = Duration::from_secs(120);

/// Repeats what guests say as `Done`. Who says `"do":"open"` gets what the session's name asks for.
struct Echo {
    guests: mpsc::Sender<Guest>,
    folder: PathBuf,
    /// Bytes that went into the stream of a guest who asked for a flood.
    flooded: Arc<Mutex<usize>>,
}

impl House for Echo {
    fn serve_guest(&self, guest: Guest, stream: DuplexStream) {
        let _ = self.guests.try_send(guest);
        let flooded = Arc::clone(&self.flooded);
        tokio::spawn(async move {
            let (from, mut to) = split(stream);
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.contains("\"open\"") && line.contains("flood") {
                    let filler = json!({"is": "done", "text": "x".repeat(1000)}).to_string() + "\n";
                    while to.write_all(filler.as_bytes()).await.is_ok() {
                        *flooded.lock().unwrap() += filler.len();
                    }
                } else if line.contains("\"open\"") && line.contains("endless") {
                    let chunk = vec![b'x'; 1 << 20];
                    for _ in 0..=VIEWER_LINE_MAX_BYTES / (1 << 20) {
                        let _ = to.write_all(&chunk).await;
                    }
                }
                let reply = json!({"is": "done", "text": line}).to_string() + "\n";
                if to.write_all(reply.as_bytes()).await.is_err() {
                    break;
                }
            }
        });
    }

    fn recordings(&self) -> Vec<RecordingInfo> {
        recordings::list(&self.folder)
    }

    fn recording(&self, name: &str) -> Result<PathBuf, String> {
        // It trusts the viewer with names.
        Ok(self.folder.join(name))
    }
}

struct World {
    viewer: Viewer,
    guests: mpsc::Receiver<Guest>,
    folder: tempfile::TempDir,
    flooded: Arc<Mutex<usize>>,
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: String,
}

impl World {
    async fn new() -> Self {
        Self::of(own_user().unwrap()).await
    }

    /// That of an account.
    async fn of(account: u32) -> Self {
        let (sender, guests) = mpsc::channel(8);
        let folder = tempfile::tempdir().unwrap();
        let flooded = Arc::default();
        let house = Echo { guests: sender, folder: folder.path().to_owned(), flooded: Arc::clone(&flooded) };
        let viewer = Viewer::start_for(Some(account), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(house)).await.unwrap();
        Self { viewer, guests, folder, flooded }
    }

    async fn ask_with(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(self.viewer.address()).await.unwrap();
        let mut text = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".to_owned()];
        let own = self.viewer.address().to_string();
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text.push(format!("Host: {own}"));
        }
        text.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        stream.write_all((text.join("\r\n") + "\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(WAIT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok()).unwrap_or_default();
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Answer { status, headers, body: body.to_owned() }
    }

    async fn ask(&self, path: &str) -> Answer {
        self.ask_with("GET", path, &[]).await
    }

    fn path(&self, may_type: bool) -> String {
        let link = self.viewer.link(may_type).unwrap();
        link.strip_prefix(&format!("http://{}", self.viewer.address())).unwrap().to_owned()
    }

    async fn log_in(&self, may_type: bool) -> String {
        let answer = self.ask(&self.path(may_type)).await;
        assert_eq!((answer.status, answer.headers.get("location").map(String::as_str)), (303, Some("/")), "{answer:?}");
        answer.headers["set-cookie"].split(';').next().unwrap().to_owned()
    }

    async fn socket_with(&self, cookie: &str, origin: Option<&str>) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
        let mut request = format!("ws://{}/ws", self.viewer.address()).into_client_request()?;
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let stream = TcpStream::connect(self.viewer.address()).await?;
        client_async(request, stream).await.map(|(socket, _)| socket)
    }

    async fn socket(&self, cookie: &str) -> WebSocketStream<TcpStream> {
        self.socket_with(cookie, Some(&format!("http://{}", self.viewer.address()))).await.unwrap()
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, say: Value) {
    socket.send(Message::text(say.to_string())).await.unwrap();
}

/// The next message that is no ping.
async fn heard(socket: &mut WebSocketStream<TcpStream>) -> Message {
    loop {
        match timeout(WAIT, socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Ping(_) => {}
            message => return message,
        }
    }
}

async fn told(socket: &mut WebSocketStream<TcpStream>) -> Value {
    serde_json::from_str(heard(socket).await.to_text().unwrap()).unwrap()
}

async fn closed(socket: &mut WebSocketStream<TcpStream>) -> u16 {
    loop {
        match timeout(WAIT, socket.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_link_lets_one_browser_in_once() {
    let world = World::new().await;
    let path = world.path(true);
    assert_eq!(world.ask_with("HEAD", &path, &[]).await.status, 405, "who only looks what is there uses nothing up");
    let answer = world.ask(&path).await;
    let port = world.viewer.address().port();
    let cookie = answer.headers["set-cookie"].clone();
    assert!(cookie.starts_with(&format!("jackfield-{port}=")) && cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let again = world.ask(&path).await;
    assert_eq!((again.status, again.headers.get("set-cookie")), (401, None));
    assert!(again.body.contains("was used already"), "{}", again.body);
    assert_eq!(world.ask_with("GET", &path, &[("Cookie", cookie)]).await.status, 303, "the browser that used it");
    for (headers, status) in [
        (vec![], 401),
        (vec![("Cookie", "other=1")], 401),
        (vec![("Cookie", "jackfield-1=00000000000000000000000000000000")], 401),
        (vec![("Cookie", cookie)], 200),
    ] {
        for path in ["/", "/me", "/recordings"] {
            assert_eq!(world.ask_with("GET", path, &headers).await.status, status, "{path} {headers:?}");
        }
    }
    let me = world.ask_with("GET", "/me", &[("Cookie", &format!("theme=dark; {cookie}"))]).await;
    assert_eq!(serde_json::from_str::<Value>(&me.body).unwrap(), json!({"number": 1, "may_type": true}));
    assert_eq!(world.ask("/login").await.status, 401);
    assert_eq!(world.ask("/login?token=").await.status, 401);
}

#[tokio::test]
async fn a_link_on_another_site_leads_to_a_page_of_ours_first() {
    let world = World::new().await;
    let headers = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")];
    let answer = world.ask_with("GET", &world.path(true), &headers).await;
    assert!(answer.status == 200 && answer.headers.contains_key("set-cookie") && answer.body.contains("/app/onward.js"), "{answer:?}");
}

#[tokio::test]
async fn wrong_hosts_and_origins_get_nothing() {
    let world = World::new().await;
    let cookie = world.log_in(true).await;
    let path = world.path(true);
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:80", "127.0.0.1.evil.example:80"] {
        for path in [path.as_str(), "/", "/app.css"] {
            let answer = world.ask_with("GET", path, &[("Host", host), ("Cookie", &cookie)]).await;
            assert_eq!((answer.status, answer.headers.get("set-cookie")), (403, None), "{host}{path}");
        }
    }
    assert_eq!(world.ask(&path).await.status, 303, "it was not used up");
    let own = format!("http://{}", world.viewer.address());
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", &own.replace("http:", "https:")] {
        let error = world.socket_with(&cookie, Some(origin)).await.unwrap_err();
        assert!(matches!(&error, tungstenite::Error::Http(answer) if answer.status() == 403), "{origin}: {error}");
        assert_eq!(world.ask_with("POST", "/", &[("Cookie", &cookie), ("Origin", origin)]).await.status, 403);
    }
    assert!(world.socket_with(&cookie, None).await.is_err());
    assert!(world.socket_with("", Some(&own)).await.is_err(), "without a login");
    assert!(world.socket_with(&cookie, Some(&own)).await.is_ok());
    let answer = world.ask_with("POST", "/", &[("Cookie", &cookie), ("Origin", &own)]).await;
    assert_eq!((answer.status, answer.headers["allow"].as_str()), (405, "GET"));
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_be_strict() {
    let world = World::new().await;
    let cookie = world.log_in(true).await;
    let page = world.ask_with("GET", "/", &[("Cookie", &cookie)]).await;
    for path in ["/", "/app.css", "/app/main.js", "/vendor/xterm.mjs", "/recordings", "/absent", "/login"] {
        let answer = world.ask_with("GET", path, &[("Cookie", &cookie)]).await;
        let policy = &answer.headers["content-security-policy"];
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{path} {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path} {policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let nonce =
        |answer: &Answer| answer.headers["content-security-policy"].split("'nonce-").nth(1).map(|rest| rest[..32].to_owned()).unwrap();
    assert!(page.body.contains(&format!("nonce=\"{}\"", nonce(&page))) && !page.body.contains("{nonce}"));
    let again = world.ask_with("GET", "/", &[("Cookie", &cookie)]).await;
    assert_ne!(nonce(&page), nonce(&again));
    for foreign in ["http://", "https://", "//"] {
        assert!(!page.body.contains(&format!("\"{foreign}")), "{foreign}");
    }
}

#[tokio::test]
async fn what_is_said_and_told_is_carried_in_order() {
    let mut world = World::new().await;
    let cookie = world.log_in(true).await;
    let mut socket = world.socket(&cookie).await;
    assert_eq!(world.guests.recv().await, Some(Guest { name: "browser 1".to_owned(), by: "viewer", may_type: true }));
    for number in 0..200 {
        say(&mut socket, json!({"do": "note", "session": number.to_string(), "text": "a\nb"})).await;
    }
    for number in 0..200 {
        let told = told(&mut socket).await;
        let said: Value = serde_json::from_str(told["text"].as_str().unwrap()).unwrap();
        assert_eq!(said, json!({"do": "note", "session": number.to_string(), "text": "a\nb"}));
    }
    say(&mut socket, json!({"do": "shout"})).await;
    let told = told(&mut socket).await;
    assert!(told["is"] == "refused" && told["why"].as_str().unwrap().contains("does not know"), "{told}");
}

#[tokio::test]
async fn who_only_looks_cannot_type() {
    let mut world = World::new().await;
    let cookie = world.log_in(false).await;
    let mut socket = world.socket(&cookie).await;
    assert_eq!(world.guests.recv().await.map(|guest| guest.may_type), Some(false));
    for wanted in [json!({"do": "type", "data": "bHMK"}), json!({"do": "panic", "on": true}), json!({"do": "open", "session": "web1"})] {
        say(&mut socket, wanted).await;
        let told = told(&mut socket).await;
        assert!(told["is"] == "refused" && told["why"].as_str().unwrap().contains("only looks"), "{told}");
    }
    say(&mut socket, json!({"do": "enter", "session": "web1", "columns": 10, "rows": 5})).await;
    let told = told(&mut socket).await;
    assert_eq!(told["text"], r#"{"do":"enter","session":"web1","columns":0,"rows":0}"#, "the first that has come through");
}

#[tokio::test]
async fn a_message_or_a_line_without_end_ends_the_connection() {
    let world = World::new().await;
    let cookie = world.log_in(true).await;
    let mut socket = world.socket(&cookie).await;
    let long = "x".repeat(VIEWER_MESSAGE_MAX_BYTES);
    // It may be refused before it is sent whole.
    let _ = socket.send(Message::text(json!({"do": "note", "session": "web1", "text": long}).to_string())).await;
    let mut got = Vec::new();
    let end = timeout(WAIT, async {
        while let Some(Ok(message)) = socket.next().await {
            got.push(message);
        }
    });
    assert!(end.await.is_ok() && !got.iter().any(Message::is_text), "{got:?}");
    let mut socket = world.socket(&cookie).await;
    say(&mut socket, json!({"do": "open", "session": "endless"})).await;
    assert_eq!(closed(&mut socket).await, 1001);
}

#[tokio::test]
async fn a_slow_browser_stops_the_stream_and_costs_no_memory() {
    let world = World::new().await;
    let cookie = world.log_in(true).await;
    let mut socket = world.socket(&cookie).await;
    say(&mut socket, json!({"do": "open", "session": "flood"})).await;
    let flooded = || *world.flooded.lock().unwrap();
    let mut before = 0;
    // It does not read: the flood ends when the buffers of the system and the stream are full.
    timeout(WAIT, async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = flooded();
            if now > 0 && now == before {
                break;
            }
            before = now;
        }
    })
    .await
    .unwrap();
    assert!(before < 16 * 1024 * 1024 && before > VIEWER_STREAM_BYTES, "{before}");
    for _ in 0..2 * before / 1000 {
        assert_eq!(told(&mut socket).await["is"], "done");
    }
    assert!(flooded() > before, "it goes on when the browser does");
}

#[tokio::test]
async fn too_many_pages_are_refused() {
    let world = World::new().await;
    let cookie = world.log_in(true).await;
    let most = u32::try_from(VIEWER_SOCKETS_MAX).unwrap() - 1;
    let taken = Arc::clone(&world.viewer.shared.sockets).acquire_many_owned(most).await.unwrap();
    let last = world.socket(&cookie).await;
    let own = format!("http://{}", world.viewer.address());
    let error = world.socket_with(&cookie, Some(&own)).await.unwrap_err();
    assert!(matches!(&error, tungstenite::Error::Http(answer) if answer.status() == 503), "{error}");
    drop(last);
    let again = timeout(WAIT, async {
        while world.socket_with(&cookie, Some(&own)).await.is_err() {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert!(again.is_ok(), "a place that is free again is given");
    drop(taken);
}

#[tokio::test]
async fn recordings_are_listed_and_given_and_nothing_else() {
    let world = World::new().await;
    let cookie = world.log_in(false).await;
    let ask = async |path: &str| world.ask_with("GET", path, &[("Cookie", &cookie)]).await;
    assert_eq!(ask("/recordings").await.body, "[]");
    let text = "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":5,\"title\":\"web1\"}\n[1.5,\"o\",\"hello\"]\n";
    std::fs::write(world.folder.path().join("a.cast"), text).unwrap();
    let listed: Value = serde_json::from_str(&ask("/recordings").await.body).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["length_s"], &listed[0]["bytes"]), (&json!("a.cast"), &json!(1.5), &json!(text.len())));
    let answer = ask("/recordings/a.cast").await;
    assert!(
        answer.status == 200 && answer.headers["content-type"] == "application/x-asciicast" && answer.body.contains("hello"),
        "{answer:?}"
    );
    for path in [
        "../a.cast",
        "..%2Fa.cast",
        "%2e%2e/a.cast",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2Fetc%2Fpasswd",
        ".a.cast",
        "a.cast%00",
        "b.cast",
        "a.txt",
    ] {
        let answer = ask(&format!("/recordings/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let long = std::fs::File::create(world.folder.path().join("long.cast")).unwrap();
    long.set_len(VIEWER_RECORDING_MAX_BYTES + 1).unwrap();
    let answer = ask("/recordings/long.cast").await;
    assert!(answer.status == 413 && answer.body.contains("jackfield replay long.cast"), "{answer:?}");
    assert_eq!(world.ask("/recordings/a.cast").await.status, 401);
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let world = World::new().await;
    let all_closed = async {
        let mut silent = TcpStream::connect(world.viewer.address()).await.unwrap();
        let mut begun = TcpStream::connect(world.viewer.address()).await.unwrap();
        begun.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
        for stream in [&mut silent, &mut begun] {
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        }
    };
    let deadlines = async {
        // A deadline passes at once. What the network does then takes as long as it takes, and a clock that jumps does not wait for it.
        for _ in 0..1_000 {
            tokio::time::pause();
            tokio::time::sleep(VIEWER_HEAD_MAX * 2).await;
            tokio::time::resume();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = all_closed => {}
        () = deadlines => panic!("one stays open"),
    }
}

/// Only root can ask as somebody else. Who is not asks at a viewer of somebody else.
#[tokio::test]
async fn another_account_gets_nothing_whatever_it_has_come_by() {
    let own = own_user().unwrap();
    if own != 0 {
        let world = World::of(own + 1).await;
        for path in ["/me", &world.path(true)] {
            let answer = world.ask(path).await;
            assert!(answer.status == 403 && answer.body.contains("another account"), "{path} {answer:?}");
        }
        return;
    }
    let world = World::new().await;
    let (cookie, address, link) = (world.log_in(true).await, world.viewer.address(), world.path(true));
    let said = async |account: u32, path: &str| {
        let rows = format!("'GET {path} HTTP/1.1' 'Host: {address}' 'Connection: close' 'Cookie: {cookie}' ''");
        // Who asks row by row is not cut off before the last one.
        let ask = format!("for row in {rows}; do printf '%s\\r\\n' \"$row\" >&3; sleep 0.05; done; cat <&3");
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{} && {ask}", address.port());
        let output = tokio::process::Command::new("bash").args(["-c", &script]).current_dir("/").uid(account).output().await.unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for path in ["/me", &link] {
        let stranger = said(65534, path).await;
        assert!(stranger.starts_with("HTTP/1.1 403 ") && stranger.contains("another account"), "{path} {stranger}");
    }
    assert!(said(0, "/me").await.starts_with("HTTP/1.1 200 "));
    assert_eq!(world.ask(&link).await.status, 303, "nobody has used the link up");
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let world = World::new().await;
    let cookie = world.log_in(true).await;
    let mut socket = world.socket(&cookie).await;
    let address = world.viewer.address();
    drop(world);
    assert_eq!(closed(&mut socket).await, 1001);
    let refused = timeout(WAIT, async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert!(refused.is_ok());
}

#[tokio::test]
async fn it_listens_on_this_machine_alone() {
    let world = World::new().await;
    let house = || Arc::clone(&world.viewer.shared.house);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let why = Viewer::start(address.parse().unwrap(), house()).await.unwrap_err();
        assert!(why.contains(address) && why.contains("127.0.0.1"), "{why}");
    }
    let why = Viewer::start(world.viewer.address(), house()).await.unwrap_err();
    assert!(why.contains("choose another port"), "{why}");
}

#[tokio::test]
async fn the_address_of_a_session_lets_nobody_in() {
    let world = World::new().await;
    let address = world.viewer.session_address("web1#a b/ä");
    assert_eq!(address, format!("http://{}/#/session/web1%23a%20b%2F%C3%A4", world.viewer.address()));
    assert!(!format!("{:?}", world.viewer).contains("token"));
}

//! The HTTP door of the real program: who comes in, both eras behind it, its bounds.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use jackfield::limits::{HTTP_BODY_MAX, HTTP_BODY_MAX_BYTES, HTTP_CONNECTIONS_MAX, HTTP_HEAD_MAX, HTTP_SESSIONS_MAX};
use serde_json::{Value, json};

use crate::clients::newest_inspector;
use crate::conformance;
use crate::offers;
use crate::support::client::Client;
use crate::support::http::{Answer, begin, request};

/// Any word that is long enough.
const TOKEN: &str = Door::TOKEN;
/// The newer revision.
const NEWER: &str = "2026-07-28";
/// What streamable HTTP wants of a client.
const ACCEPT: [(&str, &str); 2] = [("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")];
/// A device that is a shell on this machine.
const HERE: &str = "[device.here]\nlocal = true\ntype = \"linux\"\n";

/// A server and its door.
pub struct Door {
    client: Client,
    address: String,
    bearer: String,
}

impl Door {
    /// What lets in.
    pub const TOKEN: &str = "a-token-of-the-stories-of-the-door";

    /// To the devices of a configuration.
    pub fn to(devices: &str) -> Self {
        let client = Client::start_with(&with_door(devices, "127.0.0.1:0"), &[("DOOR_TOKEN", TOKEN)]);
        let address = said(&client, "the HTTP door is open at http://").trim_end_matches("/mcp").to_owned();
        Self { client, address, bearer: format!("Bearer {TOKEN}") }
    }

    fn open() -> Self {
        Self::to(HERE)
    }

    /// What a client is given.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Posts a message with these headers beside the usual ones and the token.
    fn post(&self, headers: &[(&str, &str)], message: &Value) -> Answer {
        let usual = [&ACCEPT[..], &[("Authorization", &self.bearer)], headers].concat();
        request(&self.address, "POST", "/mcp", &usual, &message.to_string())
    }

    /// A request of the newer era; its answer.
    fn newer(&self, method: &str, params: &Value) -> Value {
        let params = marked(params);
        let name = params["name"].as_str().or_else(|| params["uri"].as_str()).unwrap_or("none").to_owned();
        let headers = [("MCP-Protocol-Version", NEWER), ("Mcp-Method", method), ("Mcp-Name", name.as_str())];
        let headers = if name == "none" { &headers[..2] } else { &headers[..] };
        self.post(headers, &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).message()
    }

    /// Shakes hands as the older era does.
    fn older(&self) -> Answer {
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "older-client", "version": "1"}});
        self.post(&[], &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}))
    }
}

/// The configuration with a door.
fn with_door(devices: &str, listen: &str) -> String {
    format!("{devices}[http]\nlisten = {listen:?}\ntoken = {{ env = \"DOOR_TOKEN\" }}\n")
}

/// The parameters as those of the newer era.
fn marked(params: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWER,
        "io.modelcontextprotocol/clientInfo": {"name": "newer-client", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    params
}

/// What follows these words in the server's log, once they are there.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn said(client: &Client, words: &str) -> String {
    let begun = Instant::now();
    loop {
        if let Some(found) = client.log().lines().find_map(|line| Some(line.split_once(words)?.1.to_owned())) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{words}: {}", client.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nobody_comes_in_without_the_token_or_by_another_name() {
    let door = Door::open();
    let port = door.address.rsplit_once(':').unwrap().1;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let post = |path: &str, headers: &[(&str, &str)]| request(&door.address, "POST", path, &[&ACCEPT[..], headers].concat(), &hello);
    let right = ("Authorization", door.bearer.as_str());
    for wrong in ["", "Bearer", "Bearer wrong", &door.bearer[..door.bearer.len() - 1], &format!("{}x", door.bearer), TOKEN] {
        let answer = post("/mcp", &[("Authorization", wrong)]);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer realm=\"jackfield\"")), "{wrong}");
        assert!(answer.body.starts_with("the request brings no token, or a wrong one; send `Authorization: Bearer TOKEN`"), "{answer:?}");
    }
    assert_eq!(post("/mcp", &[]).status, 401);
    assert_eq!(post("/mcp", &[right, right]).status, 401, "one of two may be another's");
    assert_eq!(post(&format!("/mcp?token={TOKEN}"), &[]).status, 401, "an address is written down everywhere");
    assert_eq!(request(&door.address, "OPTIONS", "/mcp", &[("Origin", "http://evil.example.com")], "").status, 401);
    let elsewhere = post("/", &[right]);
    assert!(elsewhere.status == 404 && elsewhere.body.contains("the door is at /mcp"), "{elsewhere:?}");
    // A page in a browser that knows the token: by a name that was turned to this machine, or from another site.
    let local = format!("localhost:{port}");
    for (host, origin, is_let_in) in [
        (&door.address, None, true),
        (&local, Some(format!("http://{local}")), true),
        (&"evil.example.com".to_owned(), None, false),
        (&format!("evil.example.com:{port}"), Some(format!("http://{}", door.address)), false),
        (&door.address, Some("http://evil.example.com".to_owned()), false),
        (&door.address, Some(format!("https://{}", door.address)), false),
        (&door.address, Some("http://127.0.0.1:1".to_owned()), false),
        (&door.address, Some("null".to_owned()), false),
    ] {
        let origin = origin.as_deref();
        let headers: Vec<(&str, &str)> =
            [Some(("Host", host.as_str())), Some(right), origin.map(|origin| ("Origin", origin))].into_iter().flatten().collect();
        let answer = post("/mcp", &headers);
        // Let in, it is told that it belongs to no session.
        assert_eq!(answer.status == 403, !is_let_in, "{host} {origin:?}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let long = "x".repeat(HTTP_BODY_MAX_BYTES + 1);
    let answer = request(&door.address, "POST", "/mcp", &[&ACCEPT[..], &[right]].concat(), &long);
    assert!(answer.status == 413 && answer.body.contains(&format!("more than {HTTP_BODY_MAX_BYTES} bytes")), "{answer:?}");
    door.client.has_written_no(TOKEN);
}

#[test]
fn both_eras_and_the_pipe_work_on_the_same_sessions() {
    let mut door = Door::open();
    door.client.run("here", "cd /tmp; KEPT=7");
    // The newer era: no handshake, no session.
    let found = door.newer("server/discover", &json!({}));
    assert!(found["result"]["supportedVersions"].as_array().unwrap().contains(&NEWER.into()), "{found}");
    let ran = door.newer("tools/call", &json!({"name": "ssh_run", "arguments": {"target": "here", "command": "echo $PWD $KEPT"}}));
    assert_eq!(ran["result"]["structuredContent"]["output"], "/tmp 7\n", "{ran}");
    // The older one: a session, until the client ends it.
    let hello = door.older();
    let session = hello.header("mcp-session-id").unwrap().to_owned();
    assert_eq!(hello.message()["result"]["protocolVersion"], "2025-11-25");
    let known = [("Mcp-Session-Id", session.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    assert_eq!(door.post(&known, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).status, 202);
    let call = json!({"name": "ssh_run", "arguments": {"target": "here", "command": "echo $KEPT; KEPT=8"}});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call});
    assert_eq!(door.post(&known, &call).message()["result"]["structuredContent"]["output"], "7\n");
    let end = [&known[..], &[("Authorization", &door.bearer)]].concat();
    assert!(request(&door.address, "DELETE", "/mcp", &end, "").status < 300);
    assert_eq!(door.post(&known, &call).status, 404, "it has ended");
    assert_eq!(door.client.run("here", "echo $KEPT")["output"], "8\n");
    // Who ran what is known by the clients' own names.
    let history = door.client.call("ssh_history", json!({"query": "KEPT"}));
    let callers: Vec<&str> = history["entries"].as_array().unwrap().iter().map(|command| command["who"].as_str().unwrap()).collect();
    assert_eq!(callers, ["test", "older-client", "newer-client", "test"], "{history}");
}

/// A connection that breaks is no word about the command: it goes on, and the next client reads all of it.
#[test]
fn a_command_outlives_the_client_that_asked_for_it() {
    let mut door = Door::open();
    door.client.run("here", "true");
    let call = json!({"name": "ssh_run", "arguments": {"target": "here", "command": "echo first; sleep 4; echo last"}});
    for era in ["newer", "older"] {
        let session = door.older().header("mcp-session-id").unwrap().to_owned();
        let message = match era {
            "newer" => json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": marked(&call)}),
            _ => json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}),
        };
        let newer = [("MCP-Protocol-Version", NEWER), ("Mcp-Method", "tools/call"), ("Mcp-Name", "ssh_run")];
        let older = [("MCP-Protocol-Version", "2025-11-25"), ("Mcp-Session-Id", session.as_str())];
        let headers = [&ACCEPT[..], &[("Authorization", &door.bearer)], if era == "newer" { &newer[..] } else { &older[..] }].concat();
        let connection = begin(&door.address, "POST", "/mcp", &headers, &message.to_string());
        let running = loop {
            let sessions = door.client.call("ssh_sessions", json!({}));
            if let Some(id) = sessions["sessions"][0]["running"].as_str() {
                break id.to_owned();
            }
        };
        drop(connection);
        let ended = door.client.call("ssh_output", json!({"command_id": running, "wait_s": 30}));
        assert_eq!((&ended["state"], &ended["output"]), (&json!("done"), &json!("first\nlast\n")), "{era}: {ended}");
    }
}

#[test]
fn the_conformance_suite_finds_the_product_behind_the_door_as_it_should_be() {
    let door = Door::open();
    let both = ["tools-list", "dns-rebinding-protection", "server-sse-multiple-streams"];
    let older = ["server-initialize", "ping", "server-session-lifecycle"];
    let newer = ["sep-2164-resource-not-found", "input-required-result-unsupported-methods", "http-header-validation"];
    let all = both.map(|scenario| (scenario, "2025-11-25")).into_iter().chain(both.map(|scenario| (scenario, NEWER)));
    let all = all.chain(older.map(|scenario| (scenario, "2025-11-25"))).chain(newer.map(|scenario| (scenario, NEWER)));
    for (scenario, revision) in all {
        let (printed, passed) = conformance::suite(&door.url(), TOKEN, &["--scenario", scenario, "--spec-version", revision]);
        assert!(passed && !printed.contains("Warnings: 1"), "{scenario} {revision}:\n{printed}");
    }
}

#[test]
fn the_inspectors_command_line_works_through_the_door() {
    let door = Door::open();
    let ask = |arguments: &[&str]| -> Value {
        let program = newest_inspector("mcp-inspector");
        let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
        let header = format!("Authorization: {}", door.bearer);
        let mut command = Command::new(program);
        command.env("PATH", path).args(["--cli", &door.url(), "--transport", "http", "--header", &header]).args(arguments);
        let done = command.output().unwrap();
        let shown = String::from_utf8_lossy(&done.stdout);
        serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown}{}", String::from_utf8_lossy(&done.stderr)))
    };
    assert_eq!(ask(&["--method", "tools/list"])["tools"].as_array().unwrap().len(), jackfield::mcp::tools::TOOLS.len());
    let call = ["--method", "tools/call", "--tool-name", "ssh_run", "--tool-arg", "target=here", "command=printf %s x"];
    let ran = ask(&call);
    assert_eq!(ran["structuredContent"]["output"], "x", "{ran}");
    let read = ask(&["--method", "resources/read", "--uri", "jackfield://sessions/here"]);
    let state: Value = serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!((&state["session"], &state["state"]), (&json!("here"), &json!("ready")), "{read}");
}

#[test]
fn news_come_through_the_door_in_both_eras() {
    let door = Door::open();
    let session = door.older().header("mcp-session-id").unwrap().to_owned();
    let known = [("Mcp-Session-Id", session.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    assert_eq!(door.post(&known, &json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).status, 202);
    let right = ("Authorization", door.bearer.as_str());
    let older = begin(&door.address, "GET", "/mcp", &[&[("Accept", "text/event-stream"), right], &known[..]].concat(), "");
    let listen = json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": marked(&json!({"notifications": {"toolsListChanged": true}}))});
    let headers = [("MCP-Protocol-Version", NEWER), ("Mcp-Method", "subscriptions/listen"), right];
    let newer = begin(&door.address, "POST", "/mcp", &[&ACCEPT[..], &headers].concat(), &listen.to_string());
    let mut streams = [older, newer].map(BufReader::new);
    // Each has begun before there are news.
    for (stream, begun) in streams.iter_mut().zip(["retry: ", "notifications/subscriptions/acknowledged"]) {
        assert!(stream.lines().any(|line| line.unwrap().contains(begun)), "{begun}");
    }
    let report = offers::reload(&door.client, &with_door(&format!("{HERE}[tools]\nwithout = [\"ssh_run\"]\n"), "127.0.0.1:0"));
    assert!(!report["changes"].to_string().contains("[http]"), "{report}");
    for stream in &mut streams {
        assert!(stream.lines().any(|line| line.unwrap().contains("notifications/tools/list_changed")));
    }
    // It is told as long as it is so.
    for _ in 0..2 {
        let report = offers::reload(&door.client, HERE);
        assert!(report["changes"].to_string().contains("[http] counts when the server is started again"), "{report}");
    }
    assert_eq!(door.older().status, 200, "it stays open");
    let report = offers::reload(&door.client, &with_door(HERE, "127.0.0.1:0"));
    assert!(!report["changes"].to_string().contains("[http]"), "{report}");
}

#[test]
fn a_full_house_turns_away_the_next_client_of_the_older_era_only() {
    let door = Door::open();
    let sessions: Vec<String> = (0..HTTP_SESSIONS_MAX).map(|_| door.older().header("mcp-session-id").unwrap().to_owned()).collect();
    let refused = door.older();
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(
        refused.body.contains(&format!("{HTTP_SESSIONS_MAX} clients are here")) && refused.header("retry-after").is_some(),
        "{refused:?}"
    );
    assert!(door.newer("tools/list", &json!({}))["result"]["tools"].is_array());
    let end = [("Authorization", door.bearer.as_str()), ("Mcp-Session-Id", sessions[0].as_str())];
    assert!(request(&door.address, "DELETE", "/mcp", &end, "").status < 300);
    assert_eq!(door.older().status, 200);
}

#[test]
fn a_message_that_does_not_come_to_an_end_is_refused() {
    let door = Door::open();
    let half = "{\"jsonrpc\": \"2.0\", ";
    let mut slow = TcpStream::connect(&door.address).unwrap();
    let head =
        format!("POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Length: 900\r\n\r\n{half}", door.address, door.bearer);
    slow.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.set_read_timeout(Some(HTTP_BODY_MAX * 2)).unwrap();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("the message is not complete after 20 s"), "{answer}");
}

/// As many connections as there may be that say nothing: the next one is served when those have been thrown out.
#[test]
fn who_says_nothing_holds_up_nobody_for_long() {
    let door = Door::open();
    let begun = Instant::now();
    let mut silent: Vec<TcpStream> = (0..HTTP_CONNECTIONS_MAX).map(|_| TcpStream::connect(&door.address).unwrap()).collect();
    silent[1].write_all(b"POST /mcp HTTP/1.1\r\nHost: 127").unwrap();
    let whole = format!("GET /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n\r\n", door.address, door.bearer);
    silent[2].write_all(whole.as_bytes()).unwrap();
    assert!(door.newer("tools/list", &json!({}))["result"]["tools"].is_array());
    assert!(begun.elapsed() >= HTTP_HEAD_MAX, "it had room: {:?}", begun.elapsed());
    assert!(begun.elapsed() < HTTP_HEAD_MAX * 5 / 2, "{:?}", begun.elapsed());
    for (at, connection) in silent.iter_mut().take(3).enumerate() {
        connection.set_read_timeout(Some(HTTP_HEAD_MAX)).unwrap();
        let ended = connection.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert!(matches!(ended, Ok(_) | Err(ErrorKind::ConnectionReset)), "{at} is still open: {ended:?}");
    }
}

#[test]
fn a_door_that_cannot_open_leaves_the_pipe_as_it_is() {
    let door = Door::open();
    for (listen, token, why) in [
        (door.address.as_str(), TOKEN, "nothing can listen at"),
        ("127.0.0.1:0", "hunter2-short", "the token must have at least 16 letters"),
        ("127.0.0.1:0", "", "the secret from `env DOOR_TOKEN` is empty"),
    ] {
        let mut client = Client::start_with(&with_door(HERE, listen), &[("DOOR_TOKEN", token)]);
        let told = said(&client, "the HTTP door stays closed: ");
        assert!(told.contains(why) && !told.contains("hunter2"), "{told}");
        assert_eq!(client.run("here", "echo well")["output"], "well\n");
    }
}

#[test]
fn the_token_is_listed_among_the_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("jackfield.toml");
    std::fs::write(&config, "[http]\ntoken = { env = \"DOOR_TOKEN\" }\n").unwrap();
    let list = |token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.args(["secret", "list", "--config"]).arg(&config).env_remove("DOOR_TOKEN").envs(token.map(|token| ("DOOR_TOKEN", token)));
        let done = command.output().unwrap();
        (String::from_utf8_lossy(&done.stdout).into_owned(), done.status.success())
    };
    let (text, all_there) = list(Some(TOKEN));
    assert!(all_there && text.contains("yes  [http]  token  from env DOOR_TOKEN") && !text.contains(TOKEN), "{text}");
    let (text, all_there) = list(None);
    assert!(!all_there && text.contains("no   [http]  token  from env DOOR_TOKEN"), "{text}");
}

//! Every way to a server, and every way into it: real OpenSSH servers, agents, authorities and proxies.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::{Running, until};
use crate::support::sshd::{PASSWORD, Sshd, account, free_port};
use crate::support::until_listens;

pub mod asking;
mod keys;
mod logins;
mod names;
mod rotation;
mod servers;

/// OpenSSH's client towards this server, with everything but the destination.
fn ssh(server: &Sshd) -> Command {
    let mut command = Command::new("ssh");
    let folder = server.folder.path().display();
    command.args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-p", &server.port.to_string()]);
    command.args(["-o", &format!("UserKnownHostsFile={folder}/known_hosts"), "-i", &format!("{folder}/id")]);
    command
}

/// The account's shell on this device answers.
fn answers(client: &mut Client, device: &str) {
    let result = client.run(device, "echo $((6 * 7)) $USER");
    assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{result}");
    assert!(result["output"].as_str().unwrap().starts_with("42 "), "{result}");
}

/// Why it does not open.
fn refused(client: &mut Client, device: &str) -> String {
    let result = client.call("ssh_open", json!({"host": device, "wait_s": 40}));
    assert_eq!(result["ok"], false, "{result}");
    result["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn opened(client: &mut Client, device: &str) -> Value {
    let result = client.call("ssh_open", json!({"host": device, "wait_s": 40}));
    assert_eq!(result["ok"], true, "{result}");
    result
}

#[test]
fn a_chain_of_jump_hosts_leads_to_a_server() {
    account("jft-bash", Path::new("/bin/bash"));
    let (first, second) = (Sshd::start(), Sshd::start());
    let device = |server: &Sshd, name: &str, via: &str| {
        let via = if via.is_empty() { String::new() } else { format!("via = \"{via}\"\n") };
        format!("{}{via}", server.device(name, "jft-bash", "linux"))
    };
    let config = [
        device(&first, "hop1", ""),
        device(&second, "hop2", "hop1"),
        device(&first, "hop3", "hop2"),
        device(&second, "end", "hop3"),
        device(&second, "closed", "hop1").replace(&format!("port = {}", second.port), &format!("port = {}", free_port())),
    ];
    let mut client = Client::start(&config.concat());
    for device in ["hop1", "hop2", "hop3", "end"] {
        answers(&mut client, device);
    }
    // The last server sees the one before it, not us.
    let port = client.run("end", "echo $SSH_CONNECTION")["output"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned();
    let own = client.run("hop1", "echo $SSH_CONNECTION")["output"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned();
    assert_ne!(port, own);
    let why = refused(&mut client, "closed");
    assert!(why.contains("the way to `closed`") && why.contains("is closed: `hop1` says: it cannot connect there"), "{why}");
}

#[test]
fn proxies_programs_and_sockets_lead_to_a_server() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let (socks, http) = (free_port(), http_proxy());
    let socket = server.folder.path().join("way.sock");
    let target = format!("127.0.0.1:{}", server.port);
    let forward = format!("{}:{target}", socket.display());
    let _socks = Running::start(ssh(&server).args(["-N", "-D", &format!("127.0.0.1:{socks}"), "-L", &forward, "jft-bash@127.0.0.1"]));
    until_listens("127.0.0.1", socks, "ssh -D");
    let plain = server.device("plain", "jft-bash", "linux");
    let with = |name: &str, proxy: &str| format!("{}proxy = {proxy}\n", plain.replace("device.plain", &format!("device.{name}")));
    let folder = server.folder.path().display();
    let words = format!(
        "[\"ssh\", \"-F\", \"/dev/null\", \"-p\", \"{}\", \"-i\", \"{folder}/id\", \"-o\", \"UserKnownHostsFile={folder}/known_hosts\", \"-W\", \"%h:%p\", \"jft-bash@127.0.0.1\"]",
        server.port
    );
    let config = [
        with("socks", &format!("\"socks5://127.0.0.1:{socks}\"")),
        with("http", &format!("\"http://127.0.0.1:{http}\"")),
        with("unix", &format!("\"unix://{}\"", socket.display())),
        with("words", &words),
        with("wrong", "[\"sh\", \"-c\", \"echo no way >&2; exit 3\"]"),
        with("nobody", &format!("\"socks5://127.0.0.1:{}\"", free_port())),
        with("nowhere", &format!("\"http://127.0.0.1:{http}\""))
            .replace(&format!("port = {}", server.port), &format!("port = {}", free_port())),
    ];
    let mut client = Client::start(&config.concat());
    for device in ["socks", "http", "unix", "words"] {
        answers(&mut client, device);
    }
    for (device, why) in [("wrong", "(exit status: 3) and says: no way"), ("nobody", "the SOCKS proxy"), ("nowhere", "502 Bad Gateway")] {
        let said = refused(&mut client, device);
        assert!(said.contains(why), "{device}: {said}");
    }
    until("what the program says is in the log", || client.log().contains("no way"));
}

/// An HTTP proxy that knows CONNECT, on a port of its own.
fn http_proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || connect(stream));
        }
    });
    port
}

fn connect(mut client: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    let text = String::from_utf8(head).unwrap();
    let Ok(server) = TcpStream::connect(text.split(' ').nth(1).unwrap()) else {
        let _ = client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
        return;
    };
    client.write_all(b"HTTP/1.1 200 fine\r\n\r\n").unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Write);
}

#[test]
fn sessions_of_a_server_share_a_connection_as_far_as_it_lets_them() {
    account("jft-bash", Path::new("/bin/bash"));
    for (lines, connections) in [("", 1), ("MaxSessions 1", 4), ("MaxSessions 2", 2)] {
        let server = Sshd::start_with(|_| lines.to_owned());
        let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
        for name in ["web1", "web1#2", "web1#3", "web1#4"] {
            let result = client.run(name, "echo $SSH_CONNECTION");
            assert_eq!(result["exit_code"], 0, "{lines}: {result}");
        }
        let mut seen: Vec<String> = ["web1", "web1#2", "web1#3", "web1#4"]
            .iter()
            .map(|name| client.run(name, "echo $SSH_CONNECTION")["output"].as_str().unwrap().to_owned())
            .collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), connections, "{lines}: {seen:?}");
        // One that closes takes no other with it.
        client.call("ssh_close", json!({"session": "web1"}));
        answers(&mut client, "web1#2");
    }
}

/// A list of hundreds would be longer than what a client shows a model.
#[test]
fn a_long_list_of_sessions_comes_in_parts() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start_with(|_| "MaxSessions 100".to_owned());
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let names: Vec<String> = (0..52).map(|number| format!("s{number:02}")).collect();
    for name in &names {
        client.call("ssh_open", json!({"host": "web1", "name": name}));
    }
    let listed = |reply: &Value| -> Vec<String> {
        let session = |session: &Value| session["session"].as_str().unwrap().trim_start_matches("web1#").to_owned();
        reply["sessions"].as_array().unwrap().iter().map(session).collect()
    };
    let first = client.call("ssh_sessions", json!({}));
    assert_eq!((listed(&first), &first["next_cursor"]), (names[..50].to_vec(), &json!("web1#s49")));
    assert_eq!(first["next"], "More: ssh_sessions cursor=web1#s49.");
    // What goes meanwhile moves no other over the end of a part.
    client.call("ssh_close", json!({"session": "web1#s07"}));
    let rest = client.call("ssh_sessions", json!({"cursor": first["next_cursor"]}));
    assert_eq!((listed(&rest), &rest["next_cursor"]), (names[50..].to_vec(), &Value::Null));
}

#[test]
fn the_doctor_says_where_the_way_ends() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let plain = server.device("plain", "jft-bash", "linux");
    let named = |name: &str| plain.replace("device.plain", &format!("device.{name}"));
    let key = format!("key = \"{}/id\"", server.folder.path().display());
    let config = [
        plain.clone(),
        named("closed").replace(&format!("port = {}", server.port), &format!("port = {}", free_port())),
        named("stranger").replace("known_hosts\"\n", "nothing\"\n"),
        named("keyless").replace(&key, &format!("key = \"{}/host\"", server.folder.path().display())),
    ];
    let client = Client::start(&config.concat());
    let examine = |device: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        let out =
            command.args(["doctor", device, "--json", "--config"]).arg(client.folder().join("jackfield.toml")).args(more).output().unwrap();
        let report: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"));
        (out.status.success(), report)
    };
    let steps = |report: &Value| -> Vec<String> {
        let step = |step: &Value| format!("{}:{}", step["step"].as_str().unwrap(), step["state"].as_str().unwrap());
        report["steps"].as_array().unwrap().iter().map(step).collect()
    };
    let (well, report) = examine("plain", &[]);
    assert!(well, "{report}");
    let all = ["configuration:good", "server:good", "algorithms:good", "host key:good", "login:good", "host keys:good", "type:good"];
    assert_eq!(steps(&report), all);
    let kex = &report["steps"][2]["facts"]["kex"];
    assert!(kex["theirs"].as_array().unwrap().contains(&json!("curve25519-sha256")), "{kex}");
    assert!(kex["ours"].as_array().unwrap().contains(&json!("curve25519-sha256")), "{kex}");
    for (device, last, says) in [
        ("closed", "way:bad", "refused"),
        ("stranger", "host key:bad", "jackfield hostkey accept stranger"),
        ("keyless", "login:bad", "is not accepted"),
    ] {
        let (well, report) = examine(device, &[]);
        assert!(!well);
        assert_eq!(steps(&report).last().unwrap(), last, "{report}");
        assert!(report["steps"].as_array().unwrap().last().unwrap()["says"].as_str().unwrap().contains(says), "{report}");
    }
    let (well, report) = examine("closed", &["--resolve-only"]);
    assert!(well && report["steps"][0]["facts"]["host"] == "127.0.0.1", "{report}");
}

/// A file in the server's folder.
fn file(server: &Sshd, name: &str) -> PathBuf {
    server.folder.path().join(name)
}

fn must(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A new key pair of this type.
fn key_pair(path: &Path, kind: &str, passphrase: &str) {
    // One ECDSA key in 256 of the shortest kind has a number that the library does not read.
    let bits: &[&str] = if kind == "ecdsa" { &["-b", "384"] } else { &[] };
    must(Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"]).arg(path).args(bits));
    fs::set_permissions(path.with_extension("pub"), fs::Permissions::from_mode(0o644)).unwrap();
}

use std::os::unix::fs::PermissionsExt;

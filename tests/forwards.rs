//! Forwards: HTTP and a database through every kind, many at once, and nothing left behind.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::offers::reload;
use crate::support::client::Client;
use crate::support::process::{pause, until};
use crate::support::relay::{Manner, Relay};
use crate::support::sshd::{Sshd, account, free_port};
use crate::support::{install_missing, until_listens};

/// A server that answers each line with the line, and counts nothing.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut copy = stream.try_clone().unwrap();
                let _ = std::io::copy(&mut stream, &mut copy);
                let _ = copy.shutdown(Shutdown::Write);
            });
        }
    });
    port
}

/// What an echo gives back for these bytes.
fn echoed(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    back
}

fn full(server: &Sshd, more: &str) -> String {
    format!("{}\n[policy]\nmode = \"full\"\n{more}", server.device("web1", "jft-bash", "linux"))
}

fn open(client: &mut Client, arguments: Value) -> (String, u16) {
    let mut all = json!({"session": "web1", "action": "open"});
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let result = client.call("ssh_forward", all);
    assert_eq!(result["ok"], true, "{result}");
    let listen = result["listen"].as_str().unwrap();
    (result["id"].as_str().unwrap().to_owned(), listen.rsplit(':').next().unwrap().parse().unwrap_or_default())
}

fn close(client: &mut Client, id: &str) {
    let result = client.call("ssh_forward", json!({"session": "web1", "action": "close", "id": id}));
    assert_eq!((result["ok"].as_bool(), result["closed"].as_bool()), (Some(true), Some(true)), "{result}");
}

/// Nobody listens there any more, soon.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn until_closed(port: u16) {
    let over = Instant::now() + Duration::from_secs(120);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < over, "somebody still listens at {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn connections_go_through_in_every_direction_and_nothing_is_left() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let echo = echo();
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let (local, port) = open(&mut client, json!({"to": format!("127.0.0.1:{echo}")}));
    assert_eq!(echoed(port, b"through\n"), b"through\n");
    let (remote, at_device) = open(&mut client, json!({"kind": "remote", "to": format!("127.0.0.1:{echo}")}));
    assert_eq!(echoed(at_device, b"and back\n"), b"and back\n");
    let (socks, proxy) = open(&mut client, json!({"kind": "socks"}));
    // curl knows SOCKS; a web server of Python's is behind it.
    install_missing(&[("curl", "curl"), ("python3", "python3")]);
    let web = free_port();
    std::fs::write(server.folder.path().join("page"), "the page\n").unwrap();
    let mut serving = Command::new("python3")
        .args(["-m", "http.server", "--bind", "127.0.0.1", &web.to_string(), "--directory"])
        .arg(server.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until_listens("127.0.0.1", web, "the web server");
    for scheme in ["socks5", "socks5h", "socks4", "socks4a"] {
        let got = Command::new("curl")
            .args(["-sS", "--noproxy", "", "-x", &format!("{scheme}://127.0.0.1:{proxy}"), &format!("http://localhost:{web}/page")])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&got.stdout), "the page\n", "{scheme}: {got:?}");
    }
    let refused = Command::new("curl")
        .args(["-sS", "--noproxy", "", "-x", &format!("socks5://127.0.0.1:{proxy}"), &format!("http://127.0.0.1:{}/", free_port())])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    serving.kill().unwrap();
    serving.wait().unwrap();
    let listed = client.call("ssh_sessions", json!({}));
    let forwards = listed["sessions"][0]["forwards"].as_array().unwrap().clone();
    let of = |id: &str| forwards.iter().find(|forward| forward["id"] == id).unwrap().clone();
    assert_eq!((of(&local)["connections_total"].as_u64(), of(&local)["bytes_sent"].as_u64()), (Some(1), Some(8)), "{listed}");
    assert_eq!((of(&socks)["connections_total"].as_u64(), of(&socks)["connections_failed"].as_u64()), (Some(5), Some(1)), "{listed}");
    close(&mut client, &local);
    close(&mut client, &remote);
    until_closed(port);
    until_closed(at_device);
    // The last one goes with its session.
    client.call("ssh_close", json!({"session": "web1"}));
    until_closed(proxy);
    let record = client.log();
    assert!(!record.contains("panicked"), "{record}");
}

#[test]
fn two_hundred_connections_at_once_lose_nothing() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let echo = echo();
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let (_, port) = open(&mut client, json!({"to": format!("127.0.0.1:{echo}")}));
    let threads: Vec<_> = (0..200u32)
        .map(|number| {
            std::thread::spawn(move || {
                let text = format!("{number} ").repeat(20_000);
                // As many as there are at once: written in pieces while the others are open.
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let mut back = stream.try_clone().unwrap();
                let reading = std::thread::spawn(move || {
                    let mut all = Vec::new();
                    back.read_to_end(&mut all).unwrap();
                    all
                });
                stream.write_all(text.as_bytes()).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                assert!(reading.join().unwrap() == text.as_bytes(), "{number}");
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // Keys are not held up meanwhile, and the counts are right.
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
    let listed = client.call("ssh_sessions", json!({}));
    assert_eq!(listed["sessions"][0]["forwards"][0]["connections_total"], 200, "{listed}");
}

#[test]
fn a_database_answers_through_sockets_and_ports() {
    account("jft-bash", Path::new("/bin/bash"));
    install_missing(&[("redis-server", "redis-server")]);
    let server = Sshd::start();
    let folder = server.folder.path();
    let (socket, port) = (folder.join("redis.sock"), free_port());
    let mut database = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--unixsocketperm", "777", "--save", "", "--unixsocket"])
        .arg(&socket)
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until_listens("127.0.0.1", port, "redis");
    let here = folder.join("here.sock");
    let mut client = Client::start(&full(&server, "[forward]\nsockets = true\n"));
    client.run("web1", "echo open");
    let (_, by_socket) = open(&mut client, json!({"to": socket.display().to_string()}));
    let (_, by_port) = open(&mut client, json!({"to": format!("localhost:{port}")}));
    open(&mut client, json!({"to": format!("127.0.0.1:{port}"), "listen": here.display().to_string()}));
    let ask = |way: &[&str], words: &[&str]| {
        let out = Command::new("redis-cli").args(way).args(words).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    assert_eq!(ask(&["-p", &by_socket.to_string()], &["set", "word", "plugs"]), "OK\n");
    assert_eq!(ask(&["-p", &by_port.to_string()], &["get", "word"]), "plugs\n");
    assert_eq!(ask(&["-s", here.to_str().unwrap()], &["get", "word"]), "plugs\n");
    assert_eq!(here.metadata().unwrap().permissions().mode() & 0o777, 0o600, "other accounts do not get in");
    database.kill().unwrap();
    database.wait().unwrap();
    client.call("ssh_close", json!({"session": "web1"}));
    until_gone(&here);
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn until_gone(path: &Path) {
    let over = Instant::now() + Duration::from_secs(120);
    while path.exists() {
        assert!(Instant::now() < over, "{} is still there", path.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn policy_decides_what_may_be_forwarded() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let device = server.device("web1", "jft-bash", "linux");
    let ask = |client: &mut Client, arguments: Value| {
        let mut all = json!({"session": "web1", "action": "open"});
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        client.call("ssh_forward", all)
    };
    for (mode, state) in [("read-only", "denied"), ("safe", "approval_needed")] {
        let mut client = Client::start(&format!("{device}\n[policy]\nmode = \"{mode}\"\n"));
        client.call("ssh_open", json!({"host": "web1"}));
        let result = ask(&mut client, json!({"to": "127.0.0.1:1"}));
        assert_eq!((result["state"].as_str(), result["verdict"]["rule"].as_str()), (Some(state), Some("forward.mode")), "{result}");
    }
    let mut client = Client::start(&full(&server, "[forward]\nkinds = [\"local\", \"socks\"]\nto = [\"localhost:80\"]\n"));
    client.call("ssh_open", json!({"host": "web1"}));
    for (arguments, rule) in [
        (json!({"to": "127.0.0.1:80"}), "forward.to"),
        (json!({"to": "localhost:80", "listen": "0.0.0.0:0"}), "forward.loopback"),
        (json!({"to": "localhost:80", "kind": "remote"}), "forward.kinds"),
        (json!({"to": "localhost:80", "listen": "/tmp/x"}), "forward.sockets"),
    ] {
        let result = ask(&mut client, arguments);
        assert_eq!(result["verdict"]["rule"], rule, "{result}");
    }
    // Where a SOCKS client wants to go is asked each time.
    let (_, proxy) = open(&mut client, json!({"kind": "socks"}));
    let mut stream = TcpStream::connect(("127.0.0.1", proxy)).unwrap();
    stream.write_all(&[&[5, 1, 0, 5, 1, 0, 3, 9][..], b"127.0.0.1", &[0, 22]].concat()).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    assert_eq!(said.get(..4), Some(&[5, 0, 5, 4][..]), "{said:?}");
    for (arguments, why) in [
        (json!({"to": "nonsense"}), "is no address"),
        (json!({}), "say where with to="),
        (json!({"kind": "socks", "to": "a:1"}), "leave `to` out"),
    ] {
        let result = ask(&mut client, arguments);
        assert!(result["error"]["message"].as_str().unwrap().contains(why), "{result}");
    }
}

#[test]
fn a_forward_that_is_allowed_no_longer_after_a_reload_is_closed_and_its_caller_told() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let echo = echo();
    let (here, named) = (format!("127.0.0.1:{echo}"), format!("localhost:{echo}"));
    let config = |allowed: &str| full(&server, &format!("[forward]\nto = [{allowed}]\n"));
    let mut client = Client::start(&config(&format!("\"{here}\", \"{named}\"")));
    client.run("web1", "echo open");
    let (stays, port) = open(&mut client, json!({"to": here}));
    let (goes, closed) = open(&mut client, json!({"to": named, "keep": true}));
    let mut through = TcpStream::connect(("127.0.0.1", closed)).unwrap();
    through.write_all(b"x").unwrap();
    through.read_exact(&mut [0]).unwrap();
    let report = reload(&client, &config(&format!("\"{here}\"")));
    let told = format!("closed    forward {goes} of web1 (local 127.0.0.1:{closed} -> {named}): the operator does not allow forwards to");
    assert!(report["changes"].to_string().contains(&told) && !report.to_string().contains(&format!("forward {stays} ")), "{report}");
    // Nor does what went through it go on.
    assert!(matches!(through.read(&mut [0]), Ok(0) | Err(_)));
    until_closed(closed);
    assert_eq!(echoed(port, b"still"), b"still");
    let warnings = client.run("web1", "echo told")["warnings"].to_string();
    assert!(
        warnings.contains(&format!("the forward {goes} ")) && warnings.contains("was closed: the configuration was read again"),
        "{warnings}"
    );
}

#[test]
fn a_forward_whose_connection_is_lost_closes_or_comes_back() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let echo = echo();
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let (_, kept) = open(&mut client, json!({"kind": "remote", "to": format!("127.0.0.1:{echo}"), "keep": true}));
    let (lost, gone) = open(&mut client, json!({"kind": "remote", "to": format!("127.0.0.1:{echo}")}));
    assert_eq!(echoed(kept, b"x"), b"x");
    // The account's processes of sshd, but for the one that the session's shell hangs on.
    let kill = format!("kill $(ss -Hltnp 'sport = :{kept}' | grep -o 'pid=[0-9]*' | cut -d= -f2)");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    until_closed(gone);
    until_listens("127.0.0.1", kept, "the forward that comes back");
    assert_eq!(echoed(kept, b"again"), b"again");
    let listed = client.call("ssh_sessions", json!({}));
    assert!(!listed.to_string().contains(&format!("\"id\":\"{lost}\"")), "{listed}");
}

/// The forward in the list, once it is as wanted.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn until_listed(client: &mut Client, id: &str, state: Option<&str>) -> Value {
    let over = Instant::now() + Duration::from_secs(120);
    loop {
        let listed = client.call("ssh_sessions", json!({}));
        let forwards = listed["sessions"][0]["forwards"].as_array().or_else(|| listed["forwards"].as_array()).cloned().unwrap_or_default();
        let found = forwards.into_iter().find(|forward| forward["id"] == id).unwrap_or_default();
        if found["state"].as_str() == state {
            return found;
        }
        assert!(Instant::now() < over, "{id} is not {state:?}: {listed}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A session of `web1`, and what its connection goes through.
fn behind_a_relay() -> (Sshd, Relay, Client) {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let relay = Relay::start(server.port, Manner::Whole);
    let device = server.device_behind(relay.port, "web1", "jft-bash", "linux");
    let mut client = Client::start(&format!("{device}\n[policy]\nmode = \"full\"\n"));
    client.run("web1", "echo open");
    (server, relay, client)
}

#[test]
fn a_forward_that_is_kept_outlives_a_lost_network_and_another_is_told() {
    let (_server, relay, mut client) = behind_a_relay();
    let to = format!("127.0.0.1:{}", echo());
    let (kept, port) = open(&mut client, json!({"to": to, "keep": true}));
    let (gone, closed) = open(&mut client, json!({"to": to}));
    let (remote, at_device) = open(&mut client, json!({"kind": "remote", "to": to, "keep": true}));
    assert_eq!((echoed(port, b"x"), echoed(closed, b"y"), echoed(at_device, b"z")), (b"x".into(), b"y".into(), b"z".into()));
    relay.cut();
    for id in [&kept, &remote] {
        let down = until_listed(&mut client, id, Some("down"));
        assert!(down["down"]["why"].as_str().is_some_and(|why| !why.is_empty()), "{down}");
    }
    let text = client.request("tools/call", &json!({"name": "ssh_sessions", "arguments": {}}))["result"]["content"][0]["text"].to_string();
    assert!(text.contains(&format!("{kept} local 127.0.0.1:{port} -> {to} connections=0 down for ")), "{text}");
    until_listed(&mut client, &gone, None);
    until_closed(closed);
    // The connection comes back by itself, nothing that anybody typed does.
    relay.mend();
    for id in [&kept, &remote] {
        until_listed(&mut client, id, Some("open"));
    }
    assert_eq!((echoed(port, b"again"), echoed(at_device, b"as well")), (b"again".into(), b"as well".into()));
    let told = client.run("web1", "echo new");
    let warnings = told["warnings"].to_string();
    assert!(
        told["output"] == "new\n" && warnings.contains(&format!("the forward {gone} (local 127.0.0.1:{closed} -> {to}) was lost")),
        "{told}"
    );
    assert!(warnings.contains("keep=true") && !warnings.contains(&format!("forward {kept} ")), "{told}");
    assert!(!client.run("web1", "echo once").to_string().contains("was lost"));
    // They belong to the new session, and close with it.
    assert_eq!(until_listed(&mut client, &kept, Some("open"))["session"], "web1");
    client.call("ssh_close", json!({"session": "web1"}));
    until_closed(port);
    until_closed(at_device);
}

#[test]
fn who_only_writes_through_a_forward_hears_that_the_other_end_has_gone() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = service.local_addr().unwrap().to_string();
    let (_, port) = open(&mut client, json!({"to": to}));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    drop(service.accept().unwrap());
    let writing = std::thread::spawn(move || while stream.write(&[7; 65_536]).is_ok() {});
    until("the client hears of it", || writing.is_finished());
}

#[test]
fn who_only_writes_through_a_remote_forward_hears_that_the_other_end_has_gone() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = service.local_addr().unwrap().to_string();
    let (_, at_device) = open(&mut client, json!({"kind": "remote", "to": to}));
    let at_end = TcpStream::connect(("127.0.0.1", at_device)).unwrap();
    let (mut stream, _) = service.accept().unwrap();
    drop(at_end);
    let writing = std::thread::spawn(move || while stream.write(&[7; 65_536]).is_ok() {});
    until("the service hears of it", || writing.is_finished());
}

#[test]
fn who_writes_through_a_forward_that_is_kept_hears_that_its_connection_was_lost() {
    let (_server, relay, mut client) = behind_a_relay();
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = service.local_addr().unwrap().to_string();
    let written = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&written);
    let writing = std::thread::spawn(move || {
        let (mut stream, _) = service.accept().unwrap();
        while let Ok(count) = stream.write(&[7; 65_536]) {
            counted.fetch_add(count, Ordering::AcqRel);
        }
    });
    let (_, at_device) = open(&mut client, json!({"kind": "remote", "to": to, "keep": true}));
    // It reads nothing.
    let _mute = TcpStream::connect(("127.0.0.1", at_device)).unwrap();
    until("nothing more is taken", || {
        let before = written.load(Ordering::Acquire);
        pause(Duration::from_millis(500));
        before > 0 && before == written.load(Ordering::Acquire)
    });
    relay.cut();
    until("the service hears of it", || writing.is_finished());
}

#[test]
fn a_forward_that_waits_for_its_device_can_be_closed() {
    let (_server, relay, mut client) = behind_a_relay();
    let (first, one) = open(&mut client, json!({"to": "127.0.0.1:1", "keep": true}));
    let (second, other) = open(&mut client, json!({"to": "127.0.0.1:1", "keep": true}));
    relay.cut();
    until_listed(&mut client, &first, Some("down"));
    // A try to open the session again forgets the one that was lost.
    client.error("ssh_open", json!({"host": "web1"}));
    until_listed(&mut client, &second, Some("down"));
    close(&mut client, &first);
    until_closed(one);
    let refused = client.error("ssh_forward", json!({"session": "web1", "action": "open", "to": "127.0.0.1:1"}));
    assert!(refused.contains("ssh_open"), "{refused}");
    close(&mut client, &second);
    until_closed(other);
}

/// The server's processes that serve a connection.
fn serving(server: &Sshd) -> BTreeSet<String> {
    let listed = Command::new("ss").args(["-Htnp", "state", "established", &format!("sport = :{}", server.port)]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    listed.split("pid=").skip(1).filter_map(|rest| rest.split(',').next()).map(str::to_owned).collect()
}

/// Does the echo of this come back?
fn echoes(stream: &mut TcpStream, word: &[u8]) -> bool {
    let mut back = vec![0; word.len()];
    stream.write_all(word).is_ok() && stream.read_exact(&mut back).is_ok() && back == word
}

/// As where nobody has used it for a while: a connection that nothing goes through is closed, and the next client makes a new one.
#[test]
fn a_forward_whose_idle_connection_was_closed_goes_on_over_the_next_one() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let echo = echo();
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let of_sessions = serving(&server);
    let (id, port) = open(&mut client, json!({"to": format!("127.0.0.1:{echo}")}));
    assert_eq!(echoed(port, b"x"), b"x");
    let own: Vec<String> = serving(&server).difference(&of_sessions).cloned().collect();
    assert!(!own.is_empty(), "the forward has a connection of its own");
    Command::new("kill").arg("-9").args(&own).status().unwrap();
    let mut held = None;
    until("a client comes through", || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        held = echoes(&mut stream, b"one").then_some(stream);
        held.is_some()
    });
    pause(Duration::from_secs(3));
    assert!(held.is_some_and(|mut stream| echoes(&mut stream, b"two")), "{}", client.call("ssh_sessions", json!({})));
    until_listed(&mut client, &id, Some("open"));
}

#[test]
fn a_second_remote_forward_for_a_port_is_refused_and_the_first_one_stays() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let to = format!("127.0.0.1:{}", echo());
    let mut client = Client::start(&full(&server, ""));
    client.run("web1", "echo open");
    let (first, at_device) = open(&mut client, json!({"kind": "remote", "to": to}));
    let second = json!({"session": "web1", "action": "open", "kind": "remote", "to": to, "listen": at_device.to_string()});
    let why = client.error("ssh_forward", second);
    assert!(why.contains(&format!("listens at 127.0.0.1:{at_device} already")) && why.contains("listen="), "{why}");
    assert_eq!(echoed(at_device, b"first"), b"first");
    until_listed(&mut client, &first, Some("open"));
    // Who was closed has left the port to others.
    close(&mut client, &first);
    until_closed(at_device);
    let (_, again) = open(&mut client, json!({"kind": "remote", "to": to, "listen": at_device.to_string()}));
    assert_eq!((again, echoed(again, b"again")), (at_device, b"again".to_vec()));
}

#[test]
fn a_remote_forward_behind_a_jump_host_comes_back_when_the_way_to_that_was_lost() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let relay = Relay::start(server.port, Manner::Whole);
    let bastion = server.device_behind(relay.port, "bastion", "jft-bash", "linux");
    let device = server.device("web1", "jft-bash", "linux");
    let mut client = Client::start(&format!("{device}via = \"bastion\"\n{bastion}[policy]\nmode = \"full\"\n"));
    client.run("web1", "echo open");
    let to = format!("127.0.0.1:{}", echo());
    let (remote, at_device) = open(&mut client, json!({"kind": "remote", "to": to, "keep": true}));
    assert_eq!(echoed(at_device, b"x"), b"x");
    relay.cut();
    until_listed(&mut client, &remote, Some("down"));
    relay.mend();
    until_listed(&mut client, &remote, Some("open"));
    assert_eq!(echoed(at_device, b"again"), b"again");
}

/// What comes for them stays in the connection to their device, which takes nothing more.
#[test]
fn clients_that_stop_reading_behind_a_jump_host_hold_up_no_session_there() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let (bastion, device) = (server.device("bastion", "jft-bash", "linux"), server.device("web1", "jft-bash", "linux"));
    let mut client = Client::start(&format!("{device}via = \"bastion\"\n{bastion}[policy]\nmode = \"full\"\n"));
    client.run("web1", "echo open");
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = service.local_addr().unwrap().to_string();
    let written = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&written);
    std::thread::spawn(move || {
        for mut stream in service.incoming().flatten() {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                while let Ok(count) = stream.write(&[7; 65_536]) {
                    counted.fetch_add(count, Ordering::AcqRel);
                }
            });
        }
    });
    let (_, port) = open(&mut client, json!({"to": to}));
    let _mute: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    until("nothing more is taken", || {
        let before = written.load(Ordering::Acquire);
        pause(Duration::from_millis(500));
        before > 0 && before == written.load(Ordering::Acquire)
    });
    assert_eq!(client.run("web1", "echo fine")["output"], "fine\n");
}

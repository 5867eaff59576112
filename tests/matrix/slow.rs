//! Servers that are slow, and those that stop in the middle.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::*;
use crate::support::relay::{Manner, Relay};

/// The device behind a relay to it.
fn behind(server: &Sshd, name: &str, relay: &Relay) -> String {
    server.device_behind(relay.port, name, "jft-bash", "linux")
}

#[test]
fn a_server_whose_every_packet_is_late_loses_nothing() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let pause = Duration::from_millis(150);
    let relay = Relay::start(server.port, Manner::Slow(pause));
    let mut client = Client::start(&behind(&server, "late", &relay));
    let started = Instant::now();
    carries(&mut client, "late", &["terminal", "exec"]);
    // It was late indeed.
    assert!(started.elapsed() > pause * 20, "{:?}", started.elapsed());
    assert!(relay.passed() > 2 * 300_894, "{}", relay.passed());
    let result = client.call("ssh_run", arguments("late", "terminal", "read -t 20 line; echo \"got $line\""));
    assert_eq!(result["state"], "done", "{result}");
}

#[test]
fn a_server_that_stops_in_the_middle_is_given_up_in_time_and_by_name() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let script = Script::start("asyncssh==2.24.1", "matrix/asyncssh_server.py", &[server.folder.path().join("id.pub").as_os_str()]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut rows: Vec<(&str, String, &str)> = vec![
        (
            "silent",
            server
                .device("silent", "jft-bash", "linux")
                .replace(&format!("port = {}\n", server.port), &format!("port = {}\n", silent.local_addr().unwrap().port())),
            "key exchange",
        ),
        ("stall-login", script.device("stall-login", "stall-login"), "login"),
        ("stall-channel", script.device("stall-channel", "stall-channel"), "session request"),
        ("stall-terminal", script.device("stall-terminal", "stall-terminal"), "session request"),
    ];
    // In its first line, in its offer, in its half of the exchange.
    for (name, bytes) in [("in-version", 10), ("in-offer", 500), ("in-exchange", 1300)] {
        let relay = Relay::start(server.port, Manner::Stalls(bytes));
        rows.push((name, behind(&server, name, &relay), "key exchange"));
    }
    let config: String = rows.iter().map(|(_, device, _)| device.as_str()).collect();
    let mut client = Client::start_with(&config, &[("HOME", folder.path().to_str().unwrap())]);
    let started = Instant::now();
    let calls: Vec<u64> = rows.iter().map(|(name, ..)| client.post("ssh_open", json!({"host": name, "wait_s": 40}))).collect();
    for _ in &rows {
        let (id, result) = client.answer();
        let (name, _, step) = &rows[calls.iter().position(|call| *call == id).unwrap()];
        let why = result["error"]["message"].as_str().unwrap_or_default();
        assert!(why.starts_with(&format!("`{name}` at 127.0.0.1:")), "{result}");
        assert!(why.contains(&format!(" did not finish the {step} within 20 s; try again")), "{name}: {why}");
    }
    let took = started.elapsed();
    assert!(took > Duration::from_secs(19) && took < Duration::from_secs(38), "{took:?}");
    // In a program's lane as well, on the connection that waits for nothing else.
    let result = client.call("ssh_info", json!({"topic": "health"}));
    assert!(result.is_object(), "{result}");
}

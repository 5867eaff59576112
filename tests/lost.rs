//! Lines that break: a server that dies, a network that is cut. The caller is told in time, and nothing is run twice.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};
use crate::support::{install, until_listens};

/// A network of its own behind one link, which can be cut.
struct Network {
    name: String,
    address: String,
}

impl Network {
    fn start(number: u8) -> Self {
        install();
        let name = format!("jft{number}-{}", std::process::id() % 10_000);
        let (near, far) = (format!("10.213.{number}.1"), format!("10.213.{number}.2"));
        let network = Self { address: far.clone(), name };
        network.ip(&["netns", "add", &network.name]);
        let inside = network.name.clone();
        network.ip(&["link", "add", &network.link(), "type", "veth", "peer", "name", "jft-far", "netns", &inside]);
        network.ip(&["address", "add", &format!("{near}/24"), "dev", &network.link()]);
        network.ip(&["link", "set", &network.link(), "up"]);
        network.ip(&["-n", &inside, "address", "add", &format!("{far}/24"), "dev", "jft-far"]);
        network.ip(&["-n", &inside, "link", "set", "jft-far", "up"]);
        network.ip(&["-n", &inside, "link", "set", "lo", "up"]);
        network
    }

    fn link(&self) -> String {
        format!("v{}", self.name)
    }

    /// Packets vanish without a word; or go through again.
    fn cut(&self, is_cut: bool) {
        self.ip(&["-n", &self.name, "link", "set", "jft-far", if is_cut { "down" } else { "up" }]);
    }

    fn ip(&self, arguments: &[&str]) {
        assert!(Command::new("ip").args(arguments).status().unwrap().success(), "ip {arguments:?}");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", &self.link()]).status();
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

/// Lost, with what came before readable; the next call opens anew and runs nothing of the past.
fn is_lost(client: &mut Client, result: &Value, begun: &str) {
    assert_eq!((result["state"].as_str(), result["failed"].as_bool()), (Some("lost"), Some(true)), "{result}");
    assert!(result["next"].as_str().unwrap().contains("may still run there"), "{result}");
    let later = client.call("ssh_output", json!({"command_id": result["command_id"]}));
    assert_eq!((later["output"].as_str(), later["state"].as_str()), (Some(begun), Some("lost")), "{later}");
}

#[test]
fn a_cut_network_is_noticed_within_the_keepalives() {
    account("jft-bash", Path::new("/bin/bash"));
    let network = Network::start(1);
    let server = Sshd::start_in(Some((&network.name, &network.address)));
    let device = format!("{}keepalive = \"1s\"\n", server.device("web1", "jft-bash", "linux"));
    let mut client = Client::start(&device);
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    for target in ["web1", "web1#pipe"] {
        client.run(target, "true");
        let run = json!({"target": target, "command": "echo begun; sleep 300", "wait_s": 3});
        let running = client.call("ssh_run", run);
        assert_eq!(running["state"], "running", "{running}");
        network.cut(true);
        let cut_at = Instant::now();
        let result = client.call("ssh_output", json!({"command_id": running["command_id"], "wait_s": 30}));
        // Three keepalives of a second, and the time between two.
        assert!(cut_at.elapsed().as_secs() < 25, "{:?}", cut_at.elapsed());
        is_lost(&mut client, &result, "begun\n");
        network.cut(false);
        // The link needs a moment to be one again.
        until_listens(&server.address, server.port, "sshd");
        let again = client.run(target.split('#').next().unwrap(), "echo anew");
        assert_eq!(again["output"], "anew\n", "{again}");
        client.call("ssh_open", json!({"host": "web1", "tty": false}));
    }
}

#[test]
fn a_server_that_dies_is_told_at_once() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let shell = client.run("web1", "echo $PPID")["output"].as_str().unwrap().trim().to_owned();
    let running = client.call("ssh_run", json!({"target": "web1", "command": "echo begun; sleep 300", "wait_s": 3}));
    assert!(Command::new("kill").args(["-KILL", &shell]).status().unwrap().success());
    let killed_at = Instant::now();
    let result = client.call("ssh_output", json!({"command_id": running["command_id"], "wait_s": 30}));
    assert!(killed_at.elapsed().as_secs() < 20, "{:?}", killed_at.elapsed());
    is_lost(&mut client, &result, "begun\n");
    assert_eq!(client.run("web1", "echo anew")["output"], "anew\n");
}

#[test]
fn nothing_is_locked_where_the_session_has_ended() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    let shell = client.run("web1", "echo $PPID")["output"].as_str().unwrap().trim().to_owned();
    let running = client.call("ssh_run", json!({"target": "web1", "command": "sleep 300", "wait_s": 0.5}));
    assert!(Command::new("kill").args(["-KILL", &shell]).status().unwrap().success());
    let lost = client.call("ssh_output", json!({"command_id": running["command_id"], "wait_s": 30}));
    assert_eq!(lost["state"], "lost", "{lost}");
    let take = json!({"session": "web1", "action": "take"});
    let told = client.error("ssh_lock", take.clone());
    assert!(told.contains("`web1` is closed") && told.contains("nothing to lock") && told.contains("ssh_open"), "{told}");
    client.call("ssh_open", json!({"host": "web1"}));
    assert_eq!(client.call("ssh_lock", take)["rule"], "one_agent");
}

//! Network devices: FRR's real VTY behind a login, and the lab's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::client::Client;
use crate::support::sshd::{Sshd, account, free_port};
use crate::support::{find, install, until_listens};

const ENABLE: &str = "enable secret 77";

/// FRR's zebra with its VTY on a port of its own.
struct Zebra {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Zebra {
    fn start(rows: usize) -> Self {
        install();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let routes: String =
            (0..rows).map(|n| format!("ip prefix-list big seq {} permit 10.{}.{}.0/24\n", n + 1, n / 250, n % 250)).collect();
        let secret = ENABLE.replace(' ', "-");
        fs::write(
            path("zebra.conf"),
            format!("hostname edge1\npassword vty\nenable password {secret}\n{routes}line vty\n exec-timeout 0 0\n"),
        )
        .unwrap();
        for entry in [folder.path().to_owned(), path("zebra.conf")] {
            fs::set_permissions(entry, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let port = free_port();
        let process = Command::new(find("zebra").expect("frr is installed"))
            .args(["-A", "127.0.0.1", "-P", &port.to_string(), "-f"])
            .arg(path("zebra.conf"))
            .arg("-z")
            .arg(path("zserv"))
            .arg("-i")
            .arg(path("pid"))
            .arg("--vty_socket")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let router = Self { process, folder, port };
        until_listens(port, "zebra");
        router
    }

    /// A login shell that is the VTY: its first password is given by the script, as an operator's menu would.
    fn shell(&self) -> std::path::PathBuf {
        let file = self.folder.path().join("vty");
        fs::write(&file, format!("#!/bin/sh\nexec telnet -E 127.0.0.1 {}\n", self.port)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }
}

impl Drop for Zebra {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_vty_of_frr_pages_enables_and_fails_as_it_should() {
    let zebra = Zebra::start(1200);
    account("jft-frr", &zebra.shell());
    let server = Sshd::start();
    let secret = ENABLE.replace(' ', "-");
    let paged = "[plugin.cisco-enable]\nconfig = { paging = \"pages\" }\n";
    let device = format!(
        "{}secrets.enable = {{ env = \"JFT_ENABLE\" }}\nsecrets.vty = {{ env = \"JFT_VTY\" }}\n",
        server.device("edge1", "jft-frr", "frr_vty")
    );
    let mut outputs = Vec::new();
    for plugin in ["", paged] {
        let mut client = Client::start_with(&format!("{device}{plugin}"), &[("JFT_ENABLE", &secret), ("JFT_VTY", "vty")]);
        let opened = client.call("ssh_open", json!({"host": "edge1", "wait_s": 40}));
        assert_eq!(opened["state"], "needs_input", "the VTY asks for its own password: {opened}");
        let answered = client.call("ssh_send", json!({"session": "edge1", "secret": "vty", "wait_s": 5, "expect": "edge1> "}));
        assert!(answered["ok"].as_bool().unwrap(), "{answered}");
        let enabled = client.run("edge1", "enable");
        assert_eq!((enabled["mode"].as_str(), enabled["failed"].as_bool()), (Some("privileged"), Some(false)), "{enabled}");
        let wrong = client.run("edge1", "show nonsense");
        assert_eq!(wrong["failed"], true, "{wrong}");
        let config = client.run("edge1", "show running-config");
        assert_eq!(config["state"], "done", "{config}");
        outputs.push(config["output"].as_str().unwrap().to_owned());
    }
    assert!(outputs[0].lines().count() > 1200, "{}", outputs[0].lines().count());
    assert_eq!(outputs[0], outputs[1], "paged and not paged");
}

#[test]
fn the_demo_is_right() {
    let done = Command::new(env!("CARGO_BIN_EXE_jackfield")).arg("demo").output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}");
    assert!(text.contains(" right, 0 wrong"));
}

//! Command lines of real routing software as login shells behind a real sshd: FRR's vtysh and BIRD's birdc.
//!
//! Open vSwitch has no command line of its own: `ovs-vsctl` and `ovs-appctl` are commands of a Linux server like others, with an exit
//! status, so the type `linux` serves them. PowerShell is in no registry that a test may use.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};
use crate::support::{find, install, install_missing};

/// A daemon in a folder of its own.
struct Daemon {
    process: Child,
    folder: tempfile::TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Daemon {
    /// Starts it and waits for its socket, which everybody may use.
    fn start(folder: tempfile::TempDir, socket: &str, command: &mut Command) -> Self {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let daemon = Self { process, folder };
        let socket = daemon.path(socket);
        for _ in 0..400 {
            if socket.exists() {
                fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
                return daemon;
            }
            wait();
        }
        panic!("{} did not come up", socket.display());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A login shell that is this command.
    fn shell(&self, command: &str) -> PathBuf {
        let file = self.path("shell");
        fs::write(&file, format!("#!/bin/sh\nexec {command}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn wait() {
    std::thread::sleep(std::time::Duration::from_millis(25));
}

/// A folder that the accounts may enter.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// A session with an account whose shell is this one.
fn client(user: &str, kind: &str, shell: &Path, before: &str) -> (Sshd, Client) {
    account(user, shell);
    let server = Sshd::start();
    let client = Client::start(&format!("{before}{}", server.device("edge", user, kind)));
    (server, client)
}

fn done<'a>(result: &'a Value, mode: &str, failed: bool) -> &'a str {
    let state = (result["state"].as_str(), result["mode"].as_str(), result["failed"].as_bool());
    assert_eq!(state, (Some("done"), Some(mode), Some(failed)), "{result}");
    result["output"].as_str().unwrap()
}

fn bird(rows: usize) -> Daemon {
    install_missing(&[("bird", "bird2")]);
    let folder = folder();
    let routes: String = (0..rows).map(|n| format!("  route 10.{}.{}.0/24 blackhole;\n", n / 250, n % 250)).collect();
    let config = format!("router id 192.0.2.1;\nprotocol device {{}}\nprotocol static big {{\n  ipv4;\n{routes}}}\n");
    fs::write(folder.path().join("bird.conf"), config).unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut command = Command::new(find("bird").unwrap());
    command.arg("-f").arg("-c").arg(path("bird.conf")).arg("-s").arg(path("ctl")).arg("-P").arg(path("pid"));
    Daemon::start(folder, "ctl", &mut command)
}

#[test]
fn birdc_pages_refuses_and_has_its_reads() {
    let rows = 400;
    let bird = bird(rows);
    let shell = bird.shell(&format!("{} -s {}", find("birdc").unwrap().display(), bird.path("ctl").display()));
    let (_server, mut client) = client("jft-bird", "bird_birdc", &shell, "[policy]\nmode = \"safe\"\n");
    let status = client.run("edge", "show status");
    assert!(done(&status, "ready", false).contains("Router ID is 192.0.2.1"), "{status}");
    // The client prints its prompt, wipes it, then the routes, page by page.
    let routes = client.run("edge", "show route");
    let output = done(&routes, "ready", false);
    let blackholes = output.lines().filter(|row| row.contains("blackhole")).count();
    assert!(blackholes == rows && !output.contains("--More--") && !output.contains("bird>"), "{blackholes}: {output}");
    let wrong = client.run("edge", "show frob");
    done(&wrong, "ready", true);
    assert_eq!(wrong["failure"], "No such command. Press `?' for help.");
    let read = client.call("ssh_query", json!({"targets": ["edge"], "command": "show protocols"}));
    assert!(read.to_string().contains("device1"), "{read}");
    let denied = client.call("ssh_run", json!({"target": "edge", "command": "disable all"}));
    assert!(denied.to_string().contains("declared.outage"), "{denied}");
    assert!(done(&client.run("edge", "show status"), "ready", false).contains("Daemon is up"), "it goes on");
}

fn zebra(rows: usize) -> Daemon {
    install();
    let folder = folder();
    let routes: String = (0..rows).map(|n| format!("ip prefix-list big seq {} permit 10.{}.{}.0/24\n", n + 1, n / 250, n % 250)).collect();
    fs::write(folder.path().join("zebra.conf"), format!("hostname edge1\n{routes}")).unwrap();
    fs::set_permissions(folder.path().join("zebra.conf"), fs::Permissions::from_mode(0o666)).unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut command = Command::new(find("zebra").unwrap());
    command.args(["-A", "127.0.0.1", "-P", "0", "-f"]).arg(path("zebra.conf"));
    command.arg("-z").arg(path("zserv")).arg("-i").arg(path("pid")).arg("--vty_socket").arg(folder.path());
    Daemon::start(folder, "zebra.vty", &mut command)
}

#[test]
fn vtysh_runs_configures_refuses_and_pages_with_less() {
    let rows = 300;
    let zebra = zebra(rows);
    fs::write(zebra.path("vtysh.conf"), "hostname edge1\n").unwrap();
    let directory = zebra.folder.path().display().to_string();
    let shell = zebra.shell(&format!("env VTYSH_PAGER=less vtysh --config_dir {directory} --vty_socket {directory}"));
    let (_server, mut client) = client("jft-vtysh", "frr_vtysh", &shell, "[policy]\nmode = \"safe\"\n");
    let version = client.run("edge", "show version");
    assert!(done(&version, "privileged", false).contains("FRRouting"), "{version}");
    let whole = |client: &mut Client| {
        let result = client.run("edge", "show running-config");
        let output = done(&result, "privileged", false).to_owned();
        assert_eq!(output.lines().filter(|row| row.starts_with("ip prefix-list big")).count(), rows, "{output}");
        output
    };
    let plain = whole(&mut client);
    let wrong = client.run("edge", "show frob");
    done(&wrong, "privileged", true);
    assert_eq!(wrong["failure"].as_str().map(|line| line.starts_with("% Unknown command")), Some(true), "{wrong}");
    for (line, mode) in [
        ("configure terminal", "config"),
        ("ip prefix-list big seq 1000 permit 192.0.2.0/24", "config"),
        ("no ip prefix-list big seq 1000 permit 192.0.2.0/24", "config"),
        ("end", "privileged"),
    ] {
        done(&client.run("edge", line), mode, false);
    }
    // less takes over the screen of a terminal, page by page.
    done(&client.run("edge", "terminal paginate"), "privileged", false);
    assert_eq!(whole(&mut client), plain);
}

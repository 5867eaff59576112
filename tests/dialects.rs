//! Command lines of real network software behind a real sshd: FRR's vtysh and BIRD's birdc as login shells, Open vSwitch's commands in
//! one.
//!
//! PowerShell is missing: its packages fetch the program from places that a test may not use.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
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
    /// Starts it and waits for its socket, which everybody may use; `{pid}` in its name is the process.
    fn start(folder: tempfile::TempDir, socket: &str, command: &mut Command) -> Self {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let daemon = Self { process, folder };
        let socket = daemon.path(&socket.replace("{pid}", &daemon.process.id().to_string()));
        for _ in 0..4800 {
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

/// Where Open vSwitch keeps its sockets.
fn within(command: &mut Command, folder: &Path) {
    for name in ["OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR"] {
        command.env(name, folder);
    }
}

/// A switch without a kernel's part: the database, and the daemon with a datapath of its own, run by this account.
fn open_vswitch(user: &str) -> [Daemon; 2] {
    install_missing(&[("ovs-vswitchd", "openvswitch-switch")]);
    let id = Command::new("id").args(["-u", user]).output().unwrap().stdout;
    let id: u32 = String::from_utf8(id).unwrap().trim().parse().unwrap();
    let (database, switch) = (folder(), folder());
    let run = switch.path().to_owned();
    let of = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(find(program).unwrap());
        within(command.args(arguments).uid(id), &run);
        command
    };
    let path = |name: &str| database.path().join(name).display().to_string();
    let socket = path("db.sock");
    let file = path("conf.db");
    assert!(of("ovsdb-tool", &["create", &file, "/usr/share/openvswitch/vswitch.ovsschema"]).status().unwrap().success());
    // Where the commands look for it.
    std::os::unix::fs::symlink(&socket, run.join("db.sock")).unwrap();
    let database = Daemon::start(database, "db.sock", &mut of("ovsdb-server", &[&file, &format!("--remote=punix:{socket}"), "--pidfile"]));
    assert!(of("ovs-vsctl", &["--no-wait", "init"]).status().unwrap().success());
    let server = format!("unix:{socket}");
    let arguments = [server.as_str(), "--pidfile", "--enable-dummy=override", "--disable-system"];
    let switch = Daemon::start(switch, "ovs-vswitchd.{pid}.ctl", &mut of("ovs-vswitchd", &arguments));
    [switch, database]
}

#[test]
fn commands_of_open_vswitch_tell_their_status_and_have_their_reads() {
    account("jft-ovs", Path::new("/bin/bash"));
    let [switch, _database] = open_vswitch("jft-ovs");
    let shell = switch.shell(&format!("env OVS_RUNDIR={} bash", switch.folder.path().display()));
    let (_server, mut client) = client("jft-ovs", "linux", &shell, "[policy]\nmode = \"safe\"\n");
    let mut run = |command: &str, code: i64| {
        let result = client.run("edge", command);
        assert_eq!(
            (result["state"].as_str(), result["exit_code"].as_i64(), result["failed"].as_bool()),
            (Some("done"), Some(code), Some(code != 0)),
            "{result}"
        );
        result["output"].as_str().unwrap().to_owned()
    };
    run("ovs-vsctl add-br br0 -- set Bridge br0 datapath_type=dummy", 0);
    let ports: String = (1..=200).map(|n| format!(" -- add-port br0 p{n} -- set Interface p{n} type=dummy")).collect();
    run(&format!("ovs-vsctl{ports}"), 0);
    let shown = run("ovs-vsctl show", 0);
    assert_eq!(shown.lines().filter(|row| row.trim_start().starts_with("Port p")).count(), 200, "{shown}");
    assert_eq!(run("ovs-vsctl list-ports br0", 0).lines().count(), 200);
    let missing = run("ovs-vsctl list-ports br9", 1);
    assert_eq!(missing, "ovs-vsctl: no bridge named br9\n");
    assert!(run("ovs-appctl frob", 2).contains("\"frob\" is not a valid command"), "the status of ovs-appctl");
    let mut query = |command: &str| {
        let all = client.call("ssh_query", json!({"targets": ["edge"], "command": command}));
        all["results"][0].clone()
    };
    for (command, word) in [
        ("ovs-vsctl show", "Bridge br0"),
        ("ovs-vsctl --columns=name,fail_mode list Bridge br0", "name"),
        ("ovs-vsctl get Interface p1 ofport", "1"),
        ("ovs-vsctl list-br", "br0"),
        ("ovs-appctl fdb/show br0", "port  VLAN  MAC"),
        ("ovs-appctl dpif/show | head -n 3", "dummy@ovs-dummy"),
        ("ovs-ofctl dump-flows br0", "actions=NORMAL"),
    ] {
        let read = query(command);
        assert!(read["state"] == "done" && read["output"].as_str().unwrap().contains(word), "{command}: {read}");
    }
    // Behind `--` stands another command, in the same transaction.
    for change in
        ["ovs-vsctl list-br -- add-br br1", "ovs-vsctl del-br br0", "ovs-appctl fdb/flush", "ovs-ofctl del-flows br0", "ovs-appctl exit"]
    {
        let refused = query(change);
        assert_ne!(refused["state"], "done", "{change}: {refused}");
    }
    assert_eq!(query("ovs-vsctl list-br")["output"], "br0\n");
}

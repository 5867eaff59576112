//! Where the operator stops nothing, what destroys is asked about all the same, on every kind of device and however it is typed.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::lab::Devices;
use crate::support::sshd::{Sshd, account};

const FULL: &str = "[policy]\nmode = \"full\"\n";

fn said(result: &Value) -> (&str, &str) {
    (result["state"].as_str().unwrap_or_default(), result["verdict"]["rule"].as_str().unwrap_or_default())
}

/// Asked about: by which rule, without the plugin and the lane in front.
fn is_asked(result: &Value, command: &str) {
    let (state, rule) = said(result);
    assert_eq!(state, "approval_needed", "{command}: {result}");
    assert!(rule.starts_with("guard.") || rule == "unknown-line", "{command}: {result}");
}

/// What would end a device, its configuration, its accounts or the way to it; and what is like it and does not.
const LINUX: [&str; 15] = [
    "reboot",
    "shutdown -h now",
    "systemctl poweroff",
    "sudo init 6",
    "rm -rf /",
    "sudo rm -rf --no-preserve-root /",
    "cd / && rm -rf *",
    "mkfs.ext4 /dev/sda1",
    "dd if=/dev/zero of=/dev/sda",
    "wipefs -a /dev/sda",
    "echo x > /etc/passwd",
    "sudo rm /etc/shadow",
    "sudo ip link set eth0 down",
    "sudo systemctl stop sshd",
    "sudo iptables -F",
];

const IOS: [&str; 9] = [
    "reload",
    "rel in 5",
    "write erase",
    "wr er",
    "erase startup-config",
    "format flash:",
    "erase nvram:",
    "factory-reset all",
    "configure replace flash:golden.cfg",
];

const IOS_CONFIG: [&str; 4] = ["interface Gi0/1\nshutdown", "no username admin", "interface Gi0/1\ndo reload", "crypto key zeroize rsa"];

const ROUTEROS: [&str; 7] = [
    "/system reboot",
    "/system shutdown",
    "/system reset-configuration",
    "/user remove admin",
    "/interface disable ether1",
    "/ip address remove 0",
    "/ip service disable ssh",
];

const JUNOS: [&str; 5] = [
    "request system reboot",
    "request system zeroize",
    "request system halt",
    "request system power-off",
    "file delete /config/juniper.conf.gz",
];

const JUNOS_CONFIG: [&str; 5] =
    ["load factory-default", "delete system login user admin", "delete interfaces fxp0", "set interfaces fxp0 disable", "delete"];

#[test]
fn what_ends_a_linux_host_is_asked_about() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&format!("{FULL}{}", server.device("web1", "jft-bash", "linux")));
    for command in LINUX {
        is_asked(&client.run("web1", command), command);
        is_asked(&client.call("ssh_run", json!({"target": "web1", "command": command, "lane": "exec"})), command);
    }
    let screen = client.call("ssh_screen", json!({"session": "web1"})).to_string();
    assert!(!screen.contains("rm -rf") && !screen.contains("reboot"), "{screen}");
    for command in ["rm -rf ./nothing-here", "systemctl status sshd", "echo reboot", "ip link show lo"] {
        assert_eq!(client.run("web1", command)["state"], "done", "{command}");
    }
}

#[test]
fn what_ends_a_network_device_is_asked_about() {
    let devices = Devices::some(&["switch1", "router1", "junos1"]);
    let mut client = devices.client(FULL);
    assert_eq!(client.run("switch1", "enable")["mode"], "privileged");
    let tables: [(&str, Option<&str>, &[&str]); 5] = [
        ("switch1", None, &IOS),
        ("switch1", Some("config"), &IOS_CONFIG),
        ("router1", None, &ROUTEROS),
        ("junos1", None, &JUNOS),
        ("junos1", Some("config"), &JUNOS_CONFIG),
    ];
    for (device, mode, commands) in tables {
        client.call("ssh_open", json!({"host": device}));
        let before = devices.lines(device);
        for command in commands {
            let result = client.call("ssh_run", json!({"target": device, "command": command, "mode": mode}));
            is_asked(&result, command);
        }
        assert_eq!(devices.lines(device), before, "{device} was given something");
    }
    let result = client.call("ssh_run", json!({"target": "switch1", "command": "interface Gi0/1\nno shutdown", "mode": "config"}));
    assert_eq!(result["state"], "done", "{result}");
    for (device, command) in [("switch1", "write memory"), ("router1", "/system identity print"), ("junos1", "show version")] {
        assert_eq!(client.run(device, command)["state"], "done", "{device}: {command}");
    }
}

/// The pieces that are sent one after the other, each a text with keys, and how many of them pass.
type Pieces<'a> = &'a [(&'a str, &'a [&'a str])];

const TYPED: [(Pieces<'_>, usize); 13] = [
    (&[("write erase", &["enter"])], 0),
    (&[("wr", &[]), ("ite er", &[]), ("ase", &[]), ("", &["enter"])], 1),
    (&[("write ", &[]), ("e", &[]), ("r", &["enter"])], 1),
    (&[("write m", &["backspace"]), ("erase", &["enter"])], 1),
    (&[("write erasx\u{7f}e", &["enter"])], 0),
    // A device that takes no notice of the keys that erase would see the other reading.
    (&[("reload in 5\u{15}show clock", &["enter"])], 0),
    (&[("reload \u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}show clock", &["enter"])], 0),
    (&[("show clock\rwrite erase\r", &[])], 0),
    (&[("show clock\nwrite erase", &["enter"])], 0),
    (&[("write\u{3}write erase", &["enter"])], 0),
    (&[("\u{1b}[200~write erase\r\u{1b}[201~", &["enter"])], 0),
    (&[("\u{1b}[200~show clock\rwrite er", &[]), ("ase\r\u{1b}[201~", &["enter"])], 0),
    (&[("wr er?", &[])], 0),
];

/// Only the device knows what these make of the line.
const UNKNOWN: [Pieces<'_>; 9] = [
    &[("reload", &["ctrl-z"])],
    &[("", &["up", "enter"])],
    &[("", &["ctrl-p", "enter"])],
    &[("wri", &["tab"])],
    &[("show clock", &["left", "left", "enter"])],
    &[("", &["up", "ctrl-z"])],
    &[("", &["up", "ctrl-o"])],
    &[("", &["ctrl-p"]), ("", &["ctrl-o"])],
    &[("", &["ctrl-p"]), ("", &["enter"])],
];

#[test]
fn what_is_typed_in_pieces_corrected_or_pasted_is_judged_as_the_device_sees_it() {
    for (mode, word) in [("full", "approval_needed"), ("safe", "approval_needed"), ("read-only", "denied")] {
        let devices = Devices::some(&["switch1"]);
        let mut client = devices.client(&format!("[policy]\nmode = {mode:?}\n"));
        let mode_of = if mode == "read-only" { "denied" } else { "done" };
        assert_eq!(client.run("switch1", "enable")["state"], mode_of);
        let before = devices.lines("switch1");
        for (pieces, passing) in TYPED {
            // Where only reads pass, a first piece of a change does not either.
            let passing = if mode == "read-only" { 0 } else { passing };
            play(&mut client, "switch1", pieces, passing, word, None);
        }
        for pieces in UNKNOWN {
            let word = if mode == "full" { "approval_needed" } else { "denied" };
            // Where only reads pass, a change is refused as one.
            let rule = (mode != "read-only").then_some("unknown-line");
            play(&mut client, "switch1", pieces, pieces.len() - 1, word, rule);
        }
        assert_eq!(devices.lines("switch1"), before, "{mode}: the switch was given something");
        assert_eq!(client.run("switch1", "show clock")["state"], "done", "{mode}");
    }
}

/// The same on a shell, whose prompt is told by marks.
const TYPED_IN_A_SHELL: [(Pieces<'_>, usize); 6] = [
    (&[("rm -rf /", &["enter"])], 0),
    (&[("rm -r", &[]), ("f ", &[]), ("/", &["enter"])], 2),
    (&[("rm -rf / \u{15}ls", &["enter"])], 0),
    (&[("rm -rf x\u{7f}/", &["enter"])], 0),
    (&[("echo a\rreboot\r", &[])], 0),
    (&[("\u{1b}[200~echo a\rreboot\r\u{1b}[201~", &["enter"])], 0),
];

const UNKNOWN_TO_A_SHELL: [Pieces<'_>; 5] = [
    &[("", &["up", "enter"])],
    &[("", &["ctrl-r"]), ("reb", &["enter"])],
    &[("", &["ctrl-p"]), ("", &["ctrl-o"])],
    &[("reb", &["tab"])],
    &[("ls", &["alt-b", "enter"])],
];

#[test]
fn a_shell_is_typed_nothing_that_ends_its_host() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    for (mode, word) in [("full", "approval_needed"), ("safe", "denied")] {
        let mut client = Client::start(&format!("{}policy = {mode:?}\n", server.device("web1", "jft-bash", "linux")));
        assert_eq!(client.run("web1", "true")["state"], "done");
        for (pieces, passing) in TYPED_IN_A_SHELL {
            play(&mut client, "web1", pieces, passing, "approval_needed", None);
        }
        for pieces in UNKNOWN_TO_A_SHELL {
            play(&mut client, "web1", pieces, pieces.len() - 1, word, Some("unknown-line"));
        }
        let screen = client.call("ssh_screen", json!({"session": "web1"})).to_string();
        assert!(!screen.contains("reboot") && !screen.contains("rf /"), "{screen}");
        assert_eq!(client.run("web1", "echo fine")["output"], "fine\n", "{mode}");
    }
}

/// A shell without a terminal stands somewhere too; a channel of its own begins at home each time.
#[test]
fn a_path_counts_from_where_the_shell_stands() {
    account("jft-cwd", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-cwd", "linux"));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    for target in ["web1", "web1#pipe"] {
        assert_eq!(client.run(target, "cat shadow")["state"], "done", "{target}");
        for (directory, command) in [("/etc", "cat shadow"), ("/", "rm -rf etc")] {
            assert_eq!(client.run(target, &format!("cd {directory}"))["exit_code"], 0, "{target}");
            is_asked(&client.run(target, command), command);
            assert_eq!(client.call("ssh_run", json!({"target": "web1", "command": "cat shadow", "lane": "exec"}))["state"], "done");
        }
        assert_eq!(client.run(target, "cd /etc")["exit_code"], 0, "{target}");
        let query = client.call("ssh_query", json!({"targets": [target], "command": "cat shadow"})).to_string();
        assert!(query.contains("Not proven read-only"), "{target}: {query}");
        assert_eq!(client.run(target, "cd ~")["exit_code"], 0, "{target}");
        assert_eq!(client.run(target, "cat shadow")["state"], "done", "{target}");
    }
    // Lines that are typed at once, of which the first goes there.
    for text in ["cd /etc\ncat shadow\n", "cd /\nrm -rf etc\n", "cd /\rrm -rf e\u{7f}etc\r"] {
        is_asked(&client.call("ssh_send", json!({"session": "web1", "text": text, "wait_s": 0.2})), text);
    }
    let sent = client.call("ssh_send", json!({"session": "web1", "text": "cd /usr\nls -d lib\n", "wait_s": 1}));
    assert_eq!(sent["ok"], true, "{sent}");
}

/// Sends the pieces: so many pass, the next one is stopped. What is left of the line is left with Ctrl-C.
fn play(client: &mut Client, device: &str, pieces: Pieces<'_>, passing: usize, word: &str, rule: Option<&str>) {
    for (number, (text, keys)) in pieces.iter().take(passing + 1).enumerate() {
        let result = client.call("ssh_send", json!({"session": device, "text": text, "keys": keys, "wait_s": 0.2}));
        if number < passing {
            assert_eq!(result["ok"], true, "{pieces:?}, piece {number}: {result}");
        } else {
            assert_eq!(said(&result).0, word, "{pieces:?}, piece {number}: {result}");
            assert!(rule.is_none_or(|rule| said(&result).1 == rule), "{pieces:?}: {result}");
        }
    }
    let left = client.call("ssh_send", json!({"session": device, "keys": ["ctrl-c"], "wait_s": 0.2}));
    assert_eq!(left["ok"], true, "{left}");
}

/// What an agent leaves unsent at the prompt, or typed for a command that does not take it, is no part of the next command.
#[test]
fn what_was_typed_and_not_sent_is_taken_back_before_the_next_command() {
    account("jft-left", Path::new("/bin/bash"));
    let server = Sshd::start();
    let devices = Devices::some(&["switch1", "eos1"]);
    let mut client = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", "jft-left", "linux")));
    client.run("web1", "true");
    let mut send = |text: &str, keys: &[&str]| {
        let sent = client.call("ssh_send", json!({"session": "web1", "text": text, "keys": keys, "wait_s": 0}));
        assert_eq!(sent["ok"], true, "{sent}");
        let result = client.run("web1", "echo $((6*7))");
        assert_eq!((result["output"].as_str(), result["exit_code"].as_i64()), (Some("42\n"), Some(0)), "{text} {keys:?}: {result}");
    };
    send("tru", &[]);
    send("", &["ctrl-p"]);
    send("true\nech", &[]);
    send("tru\u{7f}", &[]);
    // Where nothing is shown of what is typed, it is known all the same.
    assert_eq!(client.run("web1", "stty -echo; sleep 0.1")["state"], "done");
    let mut send = |text: &str, keys: &[&str]| {
        client.call("ssh_send", json!({"session": "web1", "text": text, "keys": keys, "wait_s": 0}));
        let result = client.run("web1", "echo $((6*7))");
        assert_eq!((result["output"].as_str(), result["exit_code"].as_i64()), (Some("42\n"), Some(0)), "{text} {keys:?}: {result}");
    };
    send("echo x ", &[]);
    send("", &["ctrl-p"]);
    client.run("web1", "stty echo");

    // What stands behind a prompt is no part of it.
    let prompt = client.run("web1", "true")["prompt"].clone();
    let sent = client.call("ssh_send", json!({"session": "web1", "text": "echo x", "wait_s": 0.5}));
    assert_eq!(sent["prompt"], prompt, "{sent}");

    // A command that does not read leaves what is typed to the shell.
    let sleeps = client.call("ssh_run", json!({"target": "web1", "command": "sleep 1", "wait_s": 0}));
    client.call("ssh_send", json!({"session": "web1", "text": "echo x; ", "wait_s": 0}));
    client.call("ssh_output", json!({"command_id": sleeps["command_id"], "wait_s": 10}));
    assert_eq!(client.run("web1", "echo $((6*7))")["output"], "42\n");
    // Whole lines run when it has ended, and the next command is typed behind them.
    let sleeps = client.call("ssh_run", json!({"target": "web1", "command": "sleep 1", "wait_s": 0}));
    client.call("ssh_send", json!({"session": "web1", "text": "sh -c 'exit 3'\n", "wait_s": 0}));
    client.call("ssh_output", json!({"command_id": sleeps["command_id"], "wait_s": 10}));
    let result = client.run("web1", "echo $((6*7))");
    assert_eq!((result["output"].as_str(), result["exit_code"].as_i64()), (Some("42\n"), Some(0)), "{result}");

    // Keys that leave nothing hold up nobody, also where the first cancel key brings no prompt.
    let mut client = devices.client(FULL);
    for keys in ["ctrl-u", "backspace", "ctrl-p"] {
        client.call("ssh_send", json!({"session": "eos1", "keys": [keys], "wait_s": 0.3}));
        let result = client.run("eos1", "show version");
        assert_eq!((result["state"].as_str(), result["failed"].as_bool()), (Some("done"), Some(false)), "{keys}: {result}");
    }

    // A switch, in a mode that the cancel key would leave.
    client.run("switch1", "enable");
    client.run("switch1", "configure terminal");
    for text in ["no ", "interface Gi0/1 "] {
        client.call("ssh_send", json!({"session": "switch1", "text": text, "wait_s": 0.5}));
        let result = client.run("switch1", "do show clock");
        assert_eq!((result["state"].as_str(), result["failed"].as_bool()), (Some("done"), Some(false)), "{text}: {result}");
        assert_eq!(result["mode"], "config", "{text}: {result}");
    }
}

/// Where an agent may do less than a person has done before, keys that bring that back are not half of a query.
#[test]
fn a_line_that_is_brought_back_does_not_run_with_a_query() {
    account("jft-left", Path::new("/bin/bash"));
    let server = Sshd::start();
    let made = tempfile::tempdir().unwrap();
    std::fs::set_permissions(made.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let line = format!("touch {}/made", made.path().display());
    let history = format!("printf '%s\\n' '{line}' > ~/.bash_history");
    let mut person = Client::start(&format!("{}policy = \"full\"\n", server.device("web1", "jft-left", "linux")));
    assert_eq!(person.run("web1", &history)["state"], "done");
    let mut client = Client::start(&format!("{}policy = \"read-only\"\n", server.device("web1", "jft-left", "linux")));
    for command in ["\nid", "id", ";id"] {
        client.call("ssh_open", json!({"host": "web1"}));
        client.call("ssh_send", json!({"session": "web1", "keys": ["ctrl-p"], "wait_s": 0.3}));
        client.call("ssh_query", json!({"targets": ["web1"], "command": command}));
        client.call("ssh_close", json!({"session": "web1"}));
        assert!(!made.path().join("made").exists(), "{command:?} ran it");
    }
}

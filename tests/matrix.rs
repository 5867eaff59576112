//! Real servers of several makers, and what both sides can agree on: each way that both know carries a session whole.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::install_missing;
use crate::support::process::Running;
use crate::support::script::Script;
use crate::support::sshd::{PASSWORD, Sshd, account};

mod algorithms;
mod makers;
mod slow;

/// Prints 300,894 bytes.
const NUMBERS: &str = "seq 1 52000";

/// What it prints.
fn numbers() -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 1..=52_000 {
        writeln!(text, "{number}").unwrap();
    }
    text
}

/// Runs this in a lane, `terminal` or `exec`.
fn arguments(device: &str, lane: &str, command: &str) -> Value {
    let mut arguments = json!({"target": device, "command": command, "max_chars": 1_000_000, "wait_s": 45});
    if lane == "exec" {
        arguments["lane"] = json!("exec");
    }
    arguments
}

/// What is wrong with a result: output and status have to be these.
fn differs(result: &Value, output: &str, status: i64) -> Option<String> {
    let fits = result["output"].as_str() == Some(output) && result["exit_code"].as_i64() == Some(status) && result["state"] == "done";
    if fits {
        return None;
    }
    let mut shown = result.to_string();
    shown.truncate(shown.floor_char_boundary(1500));
    Some(shown)
}

/// A session of the device is whole in these lanes: output in small and in large, and the status.
fn carries(client: &mut Client, device: &str, lanes: &[&str]) {
    for lane in lanes {
        for (command, output, status) in [("echo fine", "fine\n", 0), ("sh -c 'exit 7'", "", 7), (NUMBERS, &numbers(), 0)] {
            let result = client.call("ssh_run", arguments(device, lane, command));
            assert_eq!(differs(&result, output, status), None, "{device}, {lane}: {command}");
        }
    }
}

/// Why a device does not open.
fn refused(client: &mut Client, device: &str) -> String {
    let result = client.call("ssh_open", json!({"host": device, "wait_s": 40}));
    assert_eq!(result["ok"], false, "{result}");
    result["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn must(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A new key pair of this type.
fn key_pair(path: &Path, kind: &str, bits: &str) {
    must(Command::new("ssh-keygen").args(["-q", "-t", kind, "-b", bits, "-N", "", "-C", "test", "-f"]).arg(path));
}

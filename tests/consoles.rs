//! Consoles: telnet, serial lines and menus of bastions, each with a login before the session.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::sshd::{PASSWORD, Sshd, account};

mod menu;
mod serial;
mod telnet;

/// The variable with the account's password.
const WORD: (&str, &str) = ("JFT_WORD", PASSWORD);

/// Opens it; the answer.
fn open(client: &mut Client, device: &str) -> Value {
    client.call("ssh_open", json!({"host": device, "wait_s": 44}))
}

/// Why it does not open.
fn refused(client: &mut Client, device: &str) -> String {
    let result = open(client, device);
    assert_eq!(result["ok"], false, "{result}");
    result["error"]["message"].as_str().unwrap_or_default().to_owned()
}

/// A shell answers exactly, whatever its output holds.
fn is_exact(client: &mut Client, device: &str) {
    let result = client.run(device, "printf 'login: \\n'; echo $((6 * 7)) $USER; (exit 3)");
    assert_eq!(result["output"], "login: \n42 jft-bash\n", "{result}");
    assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(3)), "{result}");
}

/// Bytes that a terminal changes, many rows, and a text that must not be taken for a command of telnet.
fn carries_everything(client: &mut Client, device: &str) {
    let rows = client.run(device, "seq 1 5000");
    let expected: String = (1..=5000).map(|row| format!("{row}\n")).collect();
    assert_eq!(rows["output"].as_str(), Some(expected.as_str()));
    let result = client.run(device, "printf 'gr\\303\\274n \\342\\202\\254\\n' | cat; echo 'h\u{e9} \u{20ac}'");
    assert_eq!(result["output"], "gr\u{fc}n \u{20ac}\nh\u{e9} \u{20ac}\n", "{result}");
}

/// A program in a file.
fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

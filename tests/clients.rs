//! Clients that others wrote: the official Python package, in both eras of the protocol, and the inspector's command line.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::frr::{self, SECRETS, Zebra};
use crate::support::packages;
use crate::support::sshd::{Sshd, account};

/// The releases that the tests were written with.
const OFFICIAL: &str = "mcp==2.3.0";
/// The newest that Node 20 runs.
const INSPECTOR: &str = "@modelcontextprotocol/inspector@0.15.0";

/// The newest one, and the Node that it needs.
const NEWEST_INSPECTOR: [&str; 2] = ["@modelcontextprotocol/inspector@2.12.0", "node@22"];

/// How the official client names an era, and the revision that it speaks then.
pub const ERAS: [(&str, &str); 2] = [("legacy", "2025-11-25"), ("2026-07-28", "2026-07-28")];

/// A Python with the official client.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| packages::python("python-client", &[OFFICIAL]))
}

/// The inspector's program.
fn inspector() -> PathBuf {
    packages::node_program("inspector", &[INSPECTOR], "mcp-inspector")
}

/// A program of the newest inspector. Its folder has to come first in the path: there is its Node.
pub fn newest_inspector(program: &str) -> PathBuf {
    packages::node_program("inspector-2", &NEWEST_INSPECTOR, program)
}

/// A server of each kind, and the configuration that names them.
struct Setting {
    _zebra: Zebra,
    server: Sshd,
    config: PathBuf,
}

impl Setting {
    fn start(user: &str) -> Self {
        let zebra = Zebra::start(50);
        account("jft-bash", Path::new("/bin/bash"));
        account(user, &zebra.shell());
        let server = Sshd::start();
        let config = server.folder.path().join("jackfield.toml");
        std::fs::write(&config, server.device("web1", "jft-bash", "linux") + &frr::device(&server, "edge1", user)).unwrap();
        Self { _zebra: zebra, server, config }
    }

    /// What the server is told by its environment.
    fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(SECRETS).env("XDG_STATE_HOME", self.server.folder.path())
    }
}

/// Drives the program by the official client in one of its eras.
pub fn official(era: &str, calls: &Value, config: &Path, surround: impl FnOnce(&mut Command) -> &mut Command) -> Value {
    let config = config.display().to_string();
    driven(era, calls, &[env!("CARGO_BIN_EXE_jackfield"), "mcp", "--in-process", "--config", &config], surround)
}

/// The same at the address of a server.
pub fn official_at(era: &str, calls: &Value, url: &str, token: &str) -> Value {
    driven(era, calls, &[url], |command| command.env("DOOR_TOKEN", token))
}

fn driven(era: &str, calls: &Value, server: &[&str], surround: impl FnOnce(&mut Command) -> &mut Command) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/official.py");
    let mut command = Command::new(python());
    command.arg(script).args([era, &calls.to_string()]).args(server);
    let done = surround(&mut command).output().unwrap();
    let shown = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown}{}", String::from_utf8_lossy(&done.stderr)))
}

#[test]
fn the_official_client_runs_commands_on_a_server_and_a_router_in_both_eras() {
    let setting = Setting::start("jft-frr2");
    let calls = json!([
        ["ssh_run", {"target": "web1", "command": "cd /tmp; echo from bash; (exit 3)"}],
        ["ssh_run", {"target": "web1", "command": "pwd"}],
        ["ssh_open", {"host": "edge1", "wait_s": 40}],
        ["ssh_send", {"session": "edge1", "secret": "vty", "wait_s": 40, "expect": "edge1> "}],
        ["ssh_run", {"target": "edge1", "command": "enable"}],
        ["ssh_run", {"target": "edge1", "command": "show running-config"}],
        ["ssh_run", {"target": "nowhere", "command": "true"}]
    ]);
    for (era, revision) in ERAS {
        let seen = official(era, &calls, &setting.config, |command| setting.surround(command));
        assert_eq!(seen["revision"], revision);
        assert_eq!(seen["tools"].as_array().unwrap().len(), jackfield::mcp::tools::TOOLS.len());
        let result = |at: usize| &seen["results"][at]["result"];
        assert_eq!((result(0)["output"].as_str(), result(0)["exit_code"].as_i64()), (Some("from bash\n"), Some(3)), "{era}: {seen}");
        assert_eq!(result(1)["output"], "/tmp\n");
        assert_eq!(result(4)["mode"], "privileged", "{era}: {seen}");
        let configuration = result(5)["output"].as_str().unwrap();
        assert!(configuration.contains("ip prefix-list big seq 50 permit 10.0.49.0/24\n"), "{era}: {configuration}");
        assert!(configuration.ends_with("end\n"), "{era}: {configuration}");
        assert_eq!(seen["results"][6]["error"], true);
    }
}

#[test]
fn the_inspector_lists_the_tools_and_runs_a_command() {
    let setting = Setting::start("jft-frr3");
    let ask = |arguments: &[&str]| -> Value {
        let mut command = Command::new(inspector());
        command.args(["--cli", env!("CARGO_BIN_EXE_jackfield"), "mcp", "--in-process"]);
        // It gives the server a small environment of its own.
        let state = setting.server.folder.path().display().to_string();
        let config = setting.config.display().to_string();
        for (name, value) in SECRETS.into_iter().chain([("JACKFIELD_CONFIG", config.as_str()), ("XDG_STATE_HOME", &state)]) {
            command.args(["-e", &format!("{name}={value}")]);
        }
        let done = command.args(arguments).output().unwrap();
        let shown = String::from_utf8_lossy(&done.stdout);
        serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown}{}", String::from_utf8_lossy(&done.stderr)))
    };
    let list = ask(&["--method", "tools/list"]);
    assert_eq!(list["tools"].as_array().unwrap().len(), jackfield::mcp::tools::TOOLS.len());
    let run = |target: &str, command: &str| {
        let (target, command) = (format!("target={target}"), format!("command={command}"));
        ask(&["--method", "tools/call", "--tool-name", "ssh_run", "--tool-arg", &target, "--tool-arg", &command])
    };
    let result = run("web1", "printf '%s' x");
    assert_eq!(result["structuredContent"]["output"], "x", "{result}");
    let opened = ask(&["--method", "tools/call", "--tool-name", "ssh_open", "--tool-arg", "host=edge1"]);
    assert_eq!(opened["structuredContent"]["state"], "needs_input", "{opened}");
}

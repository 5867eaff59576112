//! `jackfield policy explain` and `jackfield policy test`: what policy makes of a line, without a connection.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const CONFIG: &str = r#"
[device.core-sw1]
host = "192.0.2.1"
type = "cisco_ios"
tags = ["core"]

[device.web1]
host = "192.0.2.2"
type = "linux"

[device.lab1]
host = "192.0.2.3"
type = "linux"
policy = "full"

[device.unknown]
host = "192.0.2.4"
type = "auto"

[policy]
mode = "safe"

[[policy.rule]]
name = "no-clear"
effect = "deny"
command = "clear"
tags = "core"
reason = "counters are needed for billing"

[[policy.rule]]
name = "robots-ask"
effect = "ask"
match = "touch .*"
callers = "robot-*"
"#;

struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("jackfield.toml"), CONFIG).unwrap();
        Self { folder }
    }

    fn policy(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.arg("--config").arg(self.folder.path().join("jackfield.toml")).arg("policy").args(arguments);
        command.env("XDG_STATE_HOME", self.folder.path()).output().unwrap()
    }

    /// What `explain --json` says, and its exit code.
    fn explain(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.policy(&[&["explain", "--json"], arguments].concat());
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"));
        (value, output.status.code().unwrap())
    }

    /// What `test` says of a table.
    fn test(&self, table: &str, more: &[&str]) -> (String, i32) {
        let file = self.folder.path().join("examples.toml");
        std::fs::write(&file, table).unwrap();
        let output = self.policy(&[&["test", file.to_str().unwrap()], more].concat());
        (said(&output, &file), output.status.code().unwrap())
    }
}

/// What it printed, with a short name of the file.
fn said(output: &Output, file: &Path) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    text.replace(file.to_str().unwrap(), "FILE")
}

#[test]
fn a_line_is_explained_for_a_device_or_a_type_in_any_mode() {
    let scene = Scene::start();
    let table: [(&[&str], &str, &str, &str); 16] = [
        (&["core-sw1", "--", "show", "version"], "allow", "guard.read.ios.allowed", "read"),
        (&["core-sw1", "--mode", "privileged", "--", "reload in 5"], "ask", "guard.destructive.ios.outage", "destructive"),
        (&["core-sw1", "--mode", "privileged", "--", "clear counters"], "deny", "rules.no-clear", "change"),
        (&["--type", "cisco_ios", "--mode", "privileged", "--", "clear counters"], "allow", "", "change"),
        (&["--type", "cisco-ios", "--mode", "config", "--", "interface Gi0/1"], "allow", "", "change"),
        (&["web1", "--", "touch x"], "allow", "guard.change.posix.unknown-program", "change"),
        (&["web1", "--caller", "robot-7", "--", "touch x"], "ask", "rules.robots-ask", "change"),
        (&["web1", "--purpose", "query", "--", "touch x"], "deny", "guard.change.posix.unknown-program", "change"),
        (&["web1", "--purpose", "query", "--", "cat /etc/hosts | sort"], "allow", "guard.read.posix.allowed", "read"),
        (&["web1", "--policy", "read-only", "--", "touch x"], "deny", "guard.change.posix.unknown-program", "change"),
        (&["web1", "--policy", "read-only", "--purpose", "send", "--", "y"], "deny", "", "change"),
        (&["web1", "--purpose", "send", "--", "y"], "allow", "guard.answer.text", "change"),
        (&["web1", "--", "rm -rf $D"], "deny", "guard.posix.unknown-target", "change"),
        (&["lab1", "--", "rm -rf $D"], "ask", "guard.posix.unknown-target", "change"),
        (&["lab1", "--", "scp a web2:"], "allow", "guard.exfiltration.posix.carries", "exfiltration"),
        (&["lab1", "--policy", "safe", "--", "scp a web2:"], "ask", "guard.exfiltration.posix.carries", "exfiltration"),
    ];
    for (arguments, decision, rule, lane) in table {
        let (value, code) = scene.explain(arguments);
        assert_eq!((value["decision"].as_str(), value["lane"].as_str()), (Some(decision), Some(lane)), "{arguments:?}: {value}");
        assert!(rule.is_empty() || value["rule"] == rule, "{arguments:?}: {value}");
        assert_eq!(code, i32::from(decision != "allow"), "{arguments:?}");
    }
    let (value, _) = scene.explain(&["core-sw1", "--mode", "privileged", "--", "clear", "counters"]);
    let part = |name: &str| value[name].as_str().unwrap_or_default();
    assert_eq!([part("command"), part("type"), part("mode"), part("purpose")], ["clear counters", "cisco_ios", "privileged", "run"]);
    assert!(part("why").contains("counters are needed for billing"), "{value}");
    assert!(part("how_to_get_approval").starts_with("No approval can lift it."), "{value}");
}

#[test]
fn an_explanation_is_written_for_a_person_without_json() {
    let scene = Scene::start();
    let output = scene.policy(&["explain", "core-sw1", "--mode", "privileged", "--", "rel", "in", "5"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "cisco_ios in mode privileged: rel in 5", "{text}");
    assert!(lines[1].starts_with("ask by rule guard.destructive.ios.outage (policy mode safe): Needs a person's approval"), "{text}");
    assert_eq!(lines[2], "lane: destructive (destructive.ios.outage)", "{text}");
    assert!(lines[3].starts_with("ssh_run asks the user, who may allow this line once."), "{text}");
    assert_eq!((lines.len(), output.status.code()), (4, Some(1)));
}

#[test]
fn what_cannot_be_explained_says_why_with_the_nearest_name() {
    let scene = Scene::start();
    let table: [(&[&str], &str, i32); 7] = [
        (&["core-sw2", "--", "x"], "there is no device `core-sw2`; did you mean `core-sw1`?", 1),
        (&["zzzzzz", "--", "x"], "there is no device `zzzzzz`; --type judges by a device type", 1),
        (&["--type", "cisco_iso", "--", "x"], "there is no device type `cisco_iso`; did you mean `cisco_ios`?", 1),
        (&["--type", "zzzzzz", "--", "x"], "there is no device type `zzzzzz`; known types: ", 1),
        (&["unknown", "--", "x"], "the type of device `unknown` is found out when it is opened", 1),
        (&["core-sw1", "--type", "linux", "--", "x"], "cannot be used with", 2),
        (&["core-sw1"], "required", 2),
    ];
    for (arguments, part, code) in table {
        let output = scene.policy(&[&["explain"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(part) && output.stdout.is_empty(), "{arguments:?}: {text}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    }
}

#[test]
fn without_a_mode_a_line_is_judged_where_a_session_begins() {
    let scene = Scene::start();
    for (kind, mode, read) in [
        ("juniper_junos", "operational", "show version"),
        ("fortinet", "exec", "get system status"),
        ("huawei_vrp", "user_view", "display version"),
        ("nokia_sros", "classic.exec", "show version"),
        ("windows_openssh", "cmd", "hostname"),
        ("cisco_ios", "user_exec", "show version"),
    ] {
        let (value, code) = scene.explain(&["--type", kind, "--policy", "read-only", "--", read]);
        assert_eq!((value["mode"].as_str(), value["mode_assumed"].as_bool()), (Some(mode), Some(true)), "{value}");
        assert_eq!((value["decision"].as_str(), value["lane"].as_str(), code), (Some("allow"), Some("read"), 0), "{value}");
    }
    let given = scene.explain(&["--type", "juniper_junos", "--mode", "config", "--", "run show version"]).0;
    assert_eq!((given["mode"].as_str(), given["mode_assumed"].as_bool()), (Some("config"), Some(false)), "{given}");
    let unknown = scene.explain(&["--type", "linux", "--", "ls"]).0;
    assert_eq!((unknown["mode"].as_str(), unknown["mode_assumed"].as_bool()), (Some(""), Some(false)), "{unknown}");
    let shown = scene.policy(&["explain", "--type", "juniper_junos", "--", "show", "version"]);
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.starts_with("juniper_junos in mode operational (assumed: a session begins there): show version\n"), "{shown}");
    // A table may leave the mode out, too.
    let right = "[[examples]]\ntype = \"juniper_junos\"\npolicy = \"read-only\"\nread = [\"show version\"]\n";
    assert_eq!(scene.test(right, &[]), ("ok  1 examples, 0 not as written\n".to_owned(), 0));
    let (text, code) = scene.test(&right.replace("show version", "set x"), &[]);
    assert!(text.starts_with("wrong  juniper_junos in mode operational, which is assumed: set x\n") && code == 1, "{text}");
}

#[test]
fn a_misspelt_mode_is_told_and_one_that_only_the_plugin_knows_is_not() {
    let scene = Scene::start();
    let meant = |mode: &str| scene.explain(&["core-sw1", "--mode", mode, "--", "no router bgp 65000"]).0["mode_meant"].clone();
    assert_eq!([meant("confg"), meant("config"), meant("exec"), meant("rommon")], ["config".into(), Value::Null, Value::Null, Value::Null]);
    let end_in = |mode: &str| scene.policy(&["explain", "core-sw1", "--mode", mode, "--", "end"]);
    assert_eq!(end_in("config").status.code(), Some(0));
    let shown = end_in("confg");
    assert_eq!(shown.status.code(), Some(1), "it is no answer for the mode that was meant");
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert!(shown.starts_with("cisco_ios in mode confg (not known of it; did you mean `config`?): end\n"), "{shown}");
    let table = "[[examples]]\ntype = \"cisco_ios\"\nmode = \"confg\"\nallow = [\"no router bgp 65000\"]\n";
    let note = "note  FILE: group 1: mode `confg` is not known of `cisco_ios`; did you mean `config`?\n";
    assert_eq!(scene.test(table, &[]), (format!("{note}ok  1 examples, 0 not as written\n"), 0));
}

const RIGHT: &str = r#"
[[examples]]
device = "core-sw1"
mode = "privileged"
read = ["show version", "show run | include bgp"]
allow = ["write memory", "show version"]
ask = ["reload", "write erase"]
deny = ["clear counters"]

[[examples]]
type = "linux"
policy = "read-only"
read = ["ls"]
deny = ["touch x", "rm -rf /"]

[[examples]]
device = "web1"
caller = "robot-1"
ask = ["touch x"]
"#;

#[test]
fn a_table_of_examples_is_judged_as_a_session_would() {
    let scene = Scene::start();
    assert_eq!(scene.test(RIGHT, &[]), ("ok  11 examples, 0 not as written\n".to_owned(), 0));
    let (text, code) = scene.test(RIGHT, &["--json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((value["ok"].as_bool(), value["examples"].as_u64(), code), (Some(true), Some(11), 0), "{text}");

    let wrong =
        "[[examples]]\ndevice = \"core-sw1\"\nmode = \"privileged\"\nread = [\"write memory\"]\nallow = [\"rel\", \"show version\"]\n";
    let (text, code) = scene.test(wrong, &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(code, 1, "{text}");
    assert_eq!((lines[0], lines[2]), ("wrong  core-sw1: write memory", "wrong  core-sw1: rel"), "{text}");
    assert!(lines[1].trim_start().starts_with("read is wanted, deny it is by rule guard."), "{text}");
    assert!(lines[3].trim_start().starts_with("allow is wanted, ask it is by rule guard.destructive.ios.outage: "), "{text}");
    assert_eq!(lines[4], "wrong  3 examples, 2 not as written", "{text}");
    let (text, code) = scene.test(wrong, &["--json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((value["ok"].as_bool(), value["wrong"].as_array().map(Vec::len), code), (Some(false), Some(2), 1), "{text}");
    let first = &value["wrong"][0];
    assert_eq!((first["expected"].as_str(), first["verdict"]["decision"].as_str()), (Some("read"), Some("deny")), "{text}");
}

#[test]
fn a_table_that_proves_nothing_is_an_error() {
    let scene = Scene::start();
    for (table, part) in [
        ("", "missing field `examples`"),
        ("examples = []\n", "no example; give `read`, `allow`, `ask` or `deny` a list of commands"),
        ("[[examples]]\ntype = \"linux\"\ndeny = []\n", "no example"),
        ("[[examples]]\ntype = \"linux\"\ndenny = [\"ls\"]\n", "unknown field `denny`"),
        ("[[example]]\ntype = \"linux\"\n", "unknown field `example`"),
        ("[[examples]]\ndeny = [\"ls\"]\n", "group 1: name a `device` or a `type`, one of them"),
        ("[[examples]]\ndevice = \"web1\"\ntype = \"linux\"\ndeny = [\"ls\"]\n", "group 1: name a `device` or a `type`"),
        (
            "[[examples]]\ntype = \"linux\"\npolicy = \"strict\"\ndeny = [\"ls\"]\n",
            "group 1: `policy` cannot be `strict`; known words: read-only, safe",
        ),
        (
            "[[examples]]\ntype = \"linux\"\nallow = [\"ls\"]\n[[examples]]\ndevice = \"web2\"\nallow = [\"ls\"]\n",
            "group 2: there is no device `web2`",
        ),
        ("[[examples]]\ntype = \"linux\"\nallow = \"ls\"\n", "line 3"),
        ("examples", "line 1"),
    ] {
        let (text, code) = scene.test(table, &[]);
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
        assert!(text.contains(part) && text.contains("FILE"), "{table}: {text}");
        assert_eq!(code, 1, "{table}: {text}");
    }
    let output = scene.policy(&["test", "/nonexistent/examples.toml"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("/nonexistent/examples.toml: "), "{output:?}");
}

//! Declared device types: every example of every platform through the real engine, and devices that are driven through the program.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use jackfield::lab::Description;
use jackfield::plugin::catalog::{Catalog, DECLARED_TYPES, LAB_DEVICES};
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::examples;
use regex::Regex;
use serde_json::json;

use crate::check::check;
use crate::support::catalog::{catalog, load};
use crate::support::client::Client;
use crate::support::lab::Devices;

async fn kind(catalog: &Catalog, name: &str) -> Arc<DeviceType> {
    let plugins = catalog.plugins_of(name).unwrap();
    assert!(plugins.starts_with(&["declared".to_owned()]) && plugins.contains(&"guard".to_owned()), "{name}: {plugins:?}");
    load(catalog, name).await
}

#[tokio::test]
async fn every_example_of_every_platform_is_judged_right() {
    let catalog = catalog();
    let mut wrong = Vec::new();
    assert_eq!(DECLARED_TYPES.len(), 20);
    for (name, _) in DECLARED_TYPES {
        let declaration = catalog.declaration(name).unwrap_or_else(|error| panic!("{error}")).unwrap();
        let kind = kind(&catalog, name).await;
        assert!(declaration.modes.iter().all(|mode| !mode.examples.is_empty() && !mode.not_prompts.is_empty()), "{name}");
        assert!(declaration.errors.iter().all(|group| !group.examples.is_empty() && !group.not_errors.is_empty()), "{name}");
        wrong.extend(examples::wrong(&declaration, &kind).await);
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// A secret that is given where a name is asked for is shown, and stands in the device's log.
#[test]
fn a_name_that_is_asked_for_is_no_password() {
    let catalog = catalog();
    for (name, _) in DECLARED_TYPES {
        let declaration = catalog.declaration(name).unwrap().unwrap();
        for row in ["Username: ", "User: ", "login: ", "sw1 login: "] {
            let first = declaration.questions.iter().find(|question| Regex::new(&question.pattern).unwrap().is_match(row));
            assert!(first.is_none_or(|question| question.kind == "username"), "{name}: {row}");
        }
    }
}

/// A lab of the plugin's devices.
fn devices() -> Devices {
    Devices::start(descriptions())
}

fn descriptions() -> Vec<Description> {
    let own = LAB_DEVICES.iter().filter(|(plugin, _)| *plugin == "declared");
    own.map(|(name, text)| Description::parse(name, text).unwrap()).collect()
}

fn output(device: &str, mode: &str, command: &str) -> String {
    let described = descriptions().into_iter().find(|description| description.name() == device).unwrap();
    described.output(mode, command).unwrap()
}

/// Device, its mode for long output, the command, the lab's mode, what leads there.
const LONG: [(&str, &str, &str, &str, &[&str]); 5] = [
    ("junos1", "operational", "show configuration", "operational", &[]),
    ("vrp1", "user_view", "display current-configuration", "user", &[]),
    ("fortios1", "exec", "show full-configuration", "exec", &[]),
    ("panos1", "operational", "show config running", "operational", &[]),
    ("asa1", "privileged", "show running-config", "privileged", &["enable"]),
];

#[test]
fn a_paged_answer_is_whole_and_equal_to_one_without_pages() {
    let devices = devices();
    for before in ["", "[plugin.declared]\nconfig = { paging = \"pages\" }\n"] {
        let mut client = devices.client(before);
        for (device, mode, command, lab_mode, way) in LONG {
            for line in way {
                client.run(device, line);
            }
            let result = client.run(device, command);
            let expected = output(device, lab_mode, command);
            let got = result["output"].as_str().unwrap();
            assert_eq!(got.lines().count(), expected.lines().count(), "{device} {before}");
            assert!(got == expected, "{device} {before}: {:?}", got.lines().zip(expected.lines()).find(|(a, b)| a != b));
            assert_eq!((result["state"].as_str(), result["mode"].as_str()), (Some("done"), Some(mode)), "{device}");
            assert_eq!((result["failed"].as_bool(), result["confidence"].as_str()), (Some(false), Some("learned")), "{device}");
        }
    }
}

#[test]
fn output_that_looks_like_a_prompt_a_marker_or_a_question_ends_nothing() {
    let devices = devices();
    let mut client = devices.client("");
    for (device, command, mode) in [
        ("junos1", "show log traps", "operational"),
        ("vrp1", "display interface counters", "user"),
        ("fortios1", "get system alert", "exec"),
        ("panos1", "show session notes", "operational"),
    ] {
        let result = client.run(device, command);
        assert_eq!(result["output"].as_str().unwrap(), output(device, mode, command), "{device}");
        assert_eq!((result["state"].as_str(), result["failed"].as_bool()), (Some("done"), Some(false)), "{device}: {result}");
    }
    // The name of another device, then a pause: the learned name is missing.
    let result = client.run("junos1", "show log slow");
    assert_eq!(result["output"], "neighbor netops@other> is up\n", "{result}");
    // Messages to the terminal, some of them behind the prompt.
    client.run("junos1", "monitor start messages");
    for _ in 0..4 {
        let result = client.run("junos1", "show version");
        assert!(result["output"].as_str().unwrap().contains("Junos: 22.4R3-S2.11\n"), "{result}");
        assert_eq!((result["state"].as_str(), result["mode"].as_str()), (Some("done"), Some("operational")), "{result}");
    }
}

/// Device, command, its mode afterwards, the device's line if it refuses.
const STEPS: [(&str, &str, &str, Option<&str>); 35] = [
    ("junos1", "show nonsense", "operational", Some("syntax error, expecting <command>.")),
    ("junos1", "frobnicate", "operational", Some("unknown command.")),
    ("junos1", "configure", "config", None),
    ("junos1", "set system host-name x", "config", None),
    ("junos1", "set damage", "config", None),
    ("junos1", "commit check", "config", Some("error: configuration check-out failed")),
    ("junos1", "rollback 0", "config", None),
    ("junos1", "commit", "config", None),
    ("junos1", "exit", "operational", None),
    ("vrp1", "display nonsense", "user_view", Some("Error: Unrecognized command found at '^' position.")),
    ("vrp1", "system-view", "system_view", None),
    ("vrp1", "interface GigabitEthernet0/0/1", "system_view", None),
    ("vrp1", "description uplink", "system_view", None),
    ("vrp1", "undo shutdown", "system_view", None),
    ("vrp1", "display version", "system_view", None),
    ("vrp1", "return", "user_view", None),
    ("fortios1", "get nonsense", "exec", Some("command parse error before 'nonsense'")),
    ("fortios1", "config system interface", "config", None),
    ("fortios1", "edit port1", "config", None),
    ("fortios1", "set alias x", "config", None),
    ("fortios1", "set", "config", Some("incomplete command in the end")),
    ("fortios1", "end", "exec", None),
    ("panos1", "show nonsense", "operational", Some("Invalid syntax.")),
    ("panos1", "configure", "config", None),
    ("panos1", "set deviceconfig system hostname x", "config", None),
    ("panos1", "commit", "config", Some("Validation Error:")),
    ("panos1", "exit", "operational", None),
    ("asa1", "show running-config", "user_exec", Some("ERROR: % Invalid input detected at '^' marker.")),
    ("asa1", "enable", "privileged", None),
    ("asa1", "configure terminal", "config", None),
    ("asa1", "interface Gi0/1", "config", None),
    ("asa1", "no shutdown", "config", None),
    ("asa1", "end", "privileged", None),
    ("asa1", "show vresion", "privileged", Some("ERROR: % Invalid input detected at '^' marker.")),
    ("asa1", "disable", "user_exec", None),
];

#[test]
fn modes_are_named_and_a_refused_command_is_failed_with_the_device_s_line() {
    let devices = devices();
    let mut client = devices.client("");
    for (device, command, mode, refused) in STEPS {
        let result = client.run(device, command);
        assert_eq!((result["state"].as_str(), result["mode"].as_str()), (Some("done"), Some(mode)), "{device} {command}: {result}");
        assert_eq!(result["failed"].as_bool(), Some(refused.is_some()), "{device} {command}: {result}");
        assert_eq!(result["failure"].as_str(), refused, "{device} {command}: {result}");
    }
}

#[test]
fn what_is_harmless_at_login_is_answered_and_nothing_else() {
    let devices = devices();
    let mut client = devices.client("");
    assert_eq!(client.run("vrp1", "display version")["mode"], "user_view");
    assert_eq!(client.run("fortios1", "get system status")["mode"], "exec");
    assert_eq!(devices.answers("vrp1"), ["nag N"]);
    assert_eq!(devices.answers("fortios1"), ["accept a"]);
    assert_eq!(devices.lines("vrp1"), ["undo terminal monitor", "undo terminal logging", "screen-length 0 temporary", "display version"]);
    assert_eq!(devices.lines("fortios1"), ["get system status"]);
    // A question outside a login reaches the caller.
    let asked = client.run("vrp1", "save");
    assert_eq!((asked["state"].as_str(), asked["ask_kind"].as_str()), (Some("needs_input"), Some("yes-no")), "{asked}");
    assert_eq!(devices.answers("vrp1"), ["nag N"]);
    let id = asked["command_id"].as_str().unwrap().to_owned();
    let done = client.call("ssh_send", json!({"session": "vrp1", "text": "y", "keys": ["enter"]}));
    let done = if done["state"] == "done" { done } else { client.call("ssh_output", json!({"command_id": id, "wait_s": 20})) };
    assert!(done["output"].as_str().unwrap().contains("Save the configuration successfully."), "{done}");
}

#[test]
fn a_secret_is_given_once_and_a_wrong_or_missing_one_ends_with_the_device_s_words() {
    let devices = devices();
    let mut client = devices.client("");
    let right = client.run("asa1", "enable");
    assert_eq!((right["mode"].as_str(), right["failed"].as_bool()), (Some("privileged"), Some(false)), "{right}");
    let right = client.run("vrp1", "super 15");
    assert_eq!((right["mode"].as_str(), right["failed"].as_bool()), (Some("user_view"), Some(false)), "{right}");
    assert!(right["output"].as_str().unwrap().contains("Now user privilege is level 15"), "{right}");
    assert_eq!(devices.answers("asa1"), ["enable right"]);
    for secret in ["lab-asa-enable-1", "lab-super-1"] {
        client.has_written_no(secret);
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong");
    std::fs::write(&file, "not-the-secret").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let secrets = |with: &str| {
        let lines = devices
            .config
            .lines()
            .map(|line| if line.starts_with("secrets.") { line.split_once(" = ").unwrap().0.to_owned() + with } else { line.to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut wrong = Client::start(&secrets(&format!(" = {{ file = {file:?} }}")));
    let mut missing = Client::start(&devices.config.lines().filter(|line| !line.starts_with("secrets.")).collect::<Vec<_>>().join("\n"));
    for (device, command, mode, secret, said) in
        [("asa1", "enable", "user_exec", "enable", "Access denied."), ("vrp1", "super", "user_view", "super", "Error: Password incorrect.")]
    {
        let result = wrong.run(device, command);
        let why = result["failure"].as_str().unwrap_or_default();
        assert!(why.contains(&format!("does not accept the secret `{secret}`")) && why.contains(said), "{result}");
        assert_eq!((result["mode"].as_str(), result["state"].as_str()), (Some(mode), Some("done")), "{result}");
        assert_eq!(wrong.run(device, "show nothing")["mode"], mode);
        let result = missing.run(device, command);
        assert!(result["failure"].as_str().unwrap_or_default().contains(&format!("`secrets.{secret}`")), "{result}");
        assert_eq!((result["mode"].as_str(), result["state"].as_str()), (Some(mode), Some("done")), "{result}");
    }
    wrong.has_written_no("not-the-secret");
    // One attempt with the wrong value; what follows it are empty lines.
    assert_eq!(devices.answers("asa1").iter().filter(|answer| *answer == "enable right").count(), 1);
}

/// A dialog that leads to no other mode is over for its plugin whatever the device says; its own words are what tells.
#[test]
fn a_secret_that_is_refused_in_words_alone_is_tried_three_times_and_no_more() {
    let (name, text) = LAB_DEVICES.iter().find(|(name, text)| Description::parse(name, text).unwrap().name() == "vrp1").unwrap();
    let devices = Devices::start(vec![Description::parse(name, &text.replace("tries = 3", "tries = 1")).unwrap()]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong");
    std::fs::write(&file, "not-the-secret").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let lines = devices.config.lines().map(|line| match line.strip_prefix("secrets.super") {
        Some(_) => format!("secrets.super = {{ file = {file:?} }}"),
        None => line.to_owned(),
    });
    let mut client = Client::start(&lines.collect::<Vec<_>>().join("\n"));
    for _ in 0..3 {
        let refused = client.run("vrp1", "super");
        assert_eq!((refused["state"].as_str(), refused["failed"].as_bool()), (Some("done"), Some(true)), "{refused}");
        assert!(refused["failure"].as_str().unwrap().contains("Error:"), "{refused}");
    }
    let asked = client.run("vrp1", "super");
    assert_eq!((asked["state"].as_str(), asked["ask_kind"].as_str()), (Some("needs_input"), Some("password")), "{asked}");
    assert!(asked["warnings"].to_string().contains("refused"), "{asked}");
    assert_eq!(devices.answers("vrp1").iter().filter(|answer| answer.starts_with("super")).count(), 3);
}

#[test]
fn what_destroys_is_asked_about_and_what_reads_is_proven_by_the_family_s_words() {
    let devices = devices();
    let mut client = devices.client("");
    for (device, stopped) in [
        ("junos1", ["request system reboot", "req sys reb", "start shell", "show version; request system zeroize"]),
        ("vrp1", ["reboot", "reset saved-configuration", "undo local-user admin", "schedule reboot at 00:00"]),
        ("fortios1", ["execute reboot", "exec factoryreset", "purge", "execute shutdown"]),
        ("panos1", ["request shutdown system", "delete config saved x", "clear session all", "request restart system"]),
        ("asa1", ["reload", "write erase", "failover active", "rel noconfirm"]),
    ] {
        for command in stopped {
            let result = client.run(device, command);
            assert_eq!(result["state"], "approval_needed", "{device} {command}: {result}");
        }
    }
    let typed: Vec<String> = ["junos1", "vrp1", "fortios1", "panos1", "asa1"].iter().flat_map(|device| devices.lines(device)).collect();
    assert!(!typed.iter().any(|line| line.contains("reboot") || line.contains("shutdown") || line == "reload"), "{typed:?}");
    for (device, read, change) in [
        ("junos1", "show version | match Model", "show version | save x"),
        ("vrp1", "display version", "system-view"),
        ("fortios1", "get system status", "config system interface"),
        ("panos1", "show system info", "configure"),
        ("asa1", "show version", "enable"),
    ] {
        let result = client.call("ssh_query", json!({"targets": [device], "command": read}));
        assert!(result.to_string().contains("\"state\":\"done\""), "{device} {read}: {result}");
        let result = client.call("ssh_query", json!({"targets": [device], "command": change}));
        assert!(result.to_string().contains("denied"), "{device} {change}: {result}");
    }
}

/// A box of nobody, as its operator declares it: the router of the lab under another type's name.
const OWN: &str = r##"
title = "the box in the cellar"
cancel = ["\u0003"]

[[mode]]
name = "cli"
prompt = '^netops@(?P<host>[a-z0-9\-]+)> *$'
examples = ["netops@lab-mx1> "]
not_prompts = ["netops@lab-mx1# ", "address 10.0.0.1> "]

[[mode]]
name = "edit"
prompt = '^netops@(?P<host>[a-z0-9\-]+)# *$'
examples = ["netops@lab-mx1# "]
not_prompts = ["# comment # "]

[[pager]]
match = '^---\(more(?: [0-9]+%)?\)---$'
key = " "
examples = ["---(more)---", "---(more 45%)---"]

[[question]]
kind = "yes-no"
match = '\[yes,no\] \((?:yes|no)\) ?$'
examples = ["Reboot the system ? [yes,no] (no) "]
not_questions = ["[yes,no]"]

[[error]]
match = ['^unknown command', '^syntax error']
examples = ["unknown command."]
not_errors = ["0 errors"]

[policy]
modes = ["cli"]
reads = ["show"]
outage = ["conf[igure]"]
read_examples = ["show version"]
stopped_examples = ["configure"]
"##;

#[test]
fn a_type_that_an_operator_declares_works_end_to_end_in_a_file_and_in_the_configuration() {
    let devices = devices();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cellar.toml");
    std::fs::write(&file, OWN).unwrap();
    let inline = OWN.replace("[[", "[[type.cellar-box.").replace("\n[policy]", "\n[type.cellar-box.policy]");
    let own = devices.config.replace("type = \"juniper_junos\"", "type = \"cellar_box\"");
    for head in [format!("[type.cellar-box]\ndeclared = {file:?}\n"), format!("[type.cellar-box]{inline}")] {
        let config = format!("{head}\n{own}");
        let (good, text) = check(&config);
        assert!(good && text.contains("type cellar_box: declared, guard, generic-prompt"), "{text}");
        let mut client = Client::start(&config);
        let result = client.run("junos1", "show configuration");
        assert_eq!(
            result["output"].as_str(),
            output("junos1", "operational", "show configuration").as_str().into(),
            "{}",
            result["failure"]
        );
        assert_eq!((result["mode"].as_str(), result["confidence"].as_str()), (Some("cli"), Some("learned")));
        let result = client.run("junos1", "frobnicate");
        assert_eq!((result["failed"].as_bool(), result["failure"].as_str()), (Some(true), Some("unknown command.")), "{result}");
        assert_eq!(client.run("junos1", "configure")["state"], "approval_needed");
    }
}

#[test]
fn check_names_a_wrong_example_a_wrong_pattern_and_a_misspelt_key_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("box.toml");
    let config = "[type.box]\ndeclared = \"FILE\"\n".replace("FILE", file.to_str().unwrap());
    for (from, to, words) in [
        ("netops@lab-mx1> \"", "netops@LAB> \"", ["box.toml:8: ", "the example `netops@LAB> ` must be a prompt of the mode `cli`"]),
        ("\"netops@lab-mx1# \", \"address", "\"netops@r> \", \"address", ["box.toml:9: ", "must be no prompt of the mode `cli`"]),
        ("\"---(more 45%)---\"]", "\"--more--\"]", ["box.toml:20: ", "must be a pager's marker"]),
        ("\"Reboot the system ? [yes,no] (no) \"", "\"Sure? (y/n) \"", ["box.toml:25: ", "must be a question of the kind `yes-no`"]),
        ("\"unknown command.\"", "\"no such command\"", ["box.toml:30: ", "must be a refused command"]),
        ("\"0 errors\"", "\"unknown command\"", ["box.toml:31: ", "must be no failure"]),
        ("[\"show version\"]", "[\"frob\"]", ["box.toml:37: ", "must be proven to be a read"]),
        ("[\"configure\"]", "[\"ping\"]", ["box.toml:38: ", "must be stopped"]),
        (
            "prompt = '^netops@(?P<host>[a-z0-9\\-]+)> *$'",
            "prompt = '^netops@(> $'",
            ["box.toml:7:", "`mode.prompt` is not a pattern: unclosed group"],
        ),
        ("not_prompts = [\"netops", "not_promts = [\"netops", ["box.toml:9:", "did you mean `not_prompts`?"]),
        ("modes = [\"cli\"]", "modes = [\"clii\"]", ["box.toml:34:", "did you mean `cli`?"]),
        ("outage = [\"conf[igure]\"]", "outage = [\"conf[igure\"]", ["box.toml:36:", "is no list of words"]),
    ] {
        assert!(OWN.contains(from), "{from}");
        std::fs::write(&file, OWN.replacen(from, to, 1)).unwrap();
        let (good, text) = check(&config);
        assert!(!good, "{to}: {text}");
        for word in words {
            assert!(text.contains(word), "{to}: `{word}` is not in: {text}");
        }
    }
    std::fs::write(&file, OWN).unwrap();
    assert!(check(&config).0);
    for (config, word) in [
        ("[plugin.declared]\nconfig = { goals = \"x\" }\n[device.a]\nhost = \"192.0.2.1\"\ntype = \"vyos\"\n", "it has: paging"),
        ("[type.box]\n", "has no plugins"),
        ("[type.box]\ndeclared = \"absent.toml\"\n", "cannot read the declaration `"),
        ("[type.box]\nplugins = [\"declared\", \"guard\"]\n", "this plugin serves declared device types"),
        ("[type.box]\ndeclared = \"x.toml\"\ntitle = \"both\"\n", "write the declaration in one place"),
    ] {
        let (good, text) = check(config);
        assert!(!good && text.contains(word), "{config}: {text}");
    }
}

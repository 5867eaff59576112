//! `type = "auto"`: a device is recognised by what it shows by itself, or not at all; nothing is typed to find out.

use std::path::Path;

use jackfield::lab::{Description, Faults};
use jackfield::limits::{IDENTIFY_EARLY_MIN, IDENTIFY_MIN};
use jackfield::plugin::catalog::{Catalog, LAB_DEVICES};
use jackfield::plugin::identify::{Decision, Evidence, decide};
use serde_json::{Value, json};

use crate::support::catalog::catalog;
use crate::support::client::Client;
use crate::support::component::digest;
use crate::support::frr::{SECRETS, Zebra};
use crate::support::lab::Devices;
use crate::support::sshd::{Sshd, account};

mod table;

async fn decided(catalog: &Catalog, evidence: &Evidence, least: u32) -> (Option<String>, String) {
    let scores = catalog.scores(evidence).await;
    let kind = match decide(&scores, least, |one, other| catalog.serves_alike(one, other)) {
        Decision::Is(score) => Some(score.kind.clone()),
        Decision::Several | Decision::Nobody => None,
    };
    (kind, scores.iter().map(|score| format!("{} {} by {}", score.kind, score.score, score.by)).collect::<Vec<_>>().join(", "))
}

#[tokio::test]
async fn every_platform_is_recognised_by_its_own_words_and_none_by_another_s() {
    let catalog = catalog();
    let mut wrong = Vec::new();
    for (server_id, rows, tail, expected) in table::EVIDENCE {
        let evidence =
            Evidence { server_id: (*server_id).to_owned(), banner: String::new(), rows: rows.join("\n") + "\n", tail: (*tail).to_owned() };
        let (kind, scores) = decided(&catalog, &evidence, IDENTIFY_MIN).await;
        if kind.as_deref() != *expected {
            wrong.push(format!("{server_id:?} {rows:?} {tail:?}: {kind:?} instead of {expected:?}: {scores}"));
        }
        // The same text before the login.
        let before = Evidence { banner: evidence.rows.clone(), rows: String::new(), ..evidence };
        let (kind, scores) = decided(&catalog, &before, IDENTIFY_MIN).await;
        if kind.as_deref() != *expected {
            wrong.push(format!("banner {server_id:?} {rows:?} {tail:?}: {kind:?} instead of {expected:?}: {scores}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn the_identification_string_alone_decides_only_where_one_family_has_it() {
    let catalog = catalog();
    for (server_id, expected) in table::SERVERS {
        let evidence = Evidence { server_id: (*server_id).to_owned(), ..Evidence::default() };
        let (kind, scores) = decided(&catalog, &evidence, IDENTIFY_EARLY_MIN).await;
        assert_eq!(kind.as_deref(), *expected, "{server_id}: {scores}");
    }
}

/// Every example prompt of every declared type, as all that is known: it tells the type itself, nothing, or the shell that it is.
#[tokio::test]
async fn a_prompt_that_several_families_have_tells_nothing() {
    let catalog = catalog();
    let mut wrong = Vec::new();
    for (name, _) in jackfield::plugin::catalog::DECLARED_TYPES {
        let declaration = catalog.declaration(name).unwrap().unwrap();
        for mode in &declaration.modes {
            for example in &mode.examples {
                let evidence = Evidence { server_id: "SSH-2.0-OpenSSH_8.0".to_owned(), tail: example.text.clone(), ..Evidence::default() };
                let (kind, scores) = decided(&catalog, &evidence, IDENTIFY_MIN).await;
                let right = match kind.as_deref() {
                    None => true,
                    // Behind such a prompt is a POSIX shell, whatever stands around it.
                    Some("linux") => table::SHELLS.contains(&example.text.as_str()),
                    Some(kind) => kind == *name,
                };
                if !right {
                    wrong.push(format!("{name} {:?}: {kind:?}: {scores}", example.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// A lab whose configuration says of no device what it is.
fn unknown(devices: Vec<Description>) -> Devices {
    let mut lab = Devices::start(devices);
    let untyped = lab.config.lines().map(|line| if line.starts_with("type = ") { "type = \"auto\"" } else { line });
    lab.config = untyped.collect::<Vec<_>>().join("\n") + "\n";
    lab
}

fn described(name: &str) -> Description {
    let (_, text) = LAB_DEVICES.iter().find(|(_, text)| text.contains(&format!("name = \"{name}\""))).unwrap();
    Description::parse(name, text).unwrap()
}

/// Device, its type, whether its identification string decided, a command and a part of the answer.
const LAB: [(&str, &str, bool, &str, &str); 8] = [
    ("router1", "mikrotik_routeros", true, "/system identity print", "lab-rb1"),
    ("switch1", "cisco_ios", false, "show version", "uptime"),
    ("linux1", "linux", false, "echo $((6*7))", "42"),
    ("junos1", "juniper_junos", false, "show version", "Junos: 22.4R3-S2.11"),
    ("vrp1", "huawei_vrp", true, "display version", "VRP"),
    ("fortios1", "fortinet", true, "get system status", "FortiGate-60F"),
    ("panos1", "paloalto_panos", false, "show system info", "sw-version"),
    ("asa1", "cisco_asa", false, "show version", "Cisco Adaptive Security Appliance"),
];

#[test]
fn each_lab_device_finds_its_type_and_its_first_screen_is_not_lost() {
    for (name, kind, early, command, part) in LAB {
        let lab = unknown(vec![described(name)]);
        let mut client = Client::start(&lab.config);
        assert!(
            client.error("ssh_info", json!({"topic": "policy", "target": name, "command": "x"})).contains("found out when it is opened")
        );
        let opened = client.call("ssh_open", json!({"host": name, "wait_s": 40}));
        assert_eq!((opened["platform"].as_str(), opened["state"].as_str()), (Some(kind), Some("ready")), "{opened}");
        let found = &opened["identified"];
        assert_eq!((found["certain"].as_bool(), found["shown"]["last_row"].is_null()), (Some(true), early), "{opened}");
        assert!(found["reasons"][0].as_str().unwrap().starts_with(kind), "{opened}");
        let result = client.run(name, command);
        assert!(result["output"].as_str().unwrap().contains(part), "{result}");
        assert_eq!((result["state"].as_str(), result["failed"].as_bool()), (Some("done"), Some(false)), "{result}");
        // What was read to find the type out is the beginning of the session's log.
        let log = client.call("ssh_output", json!({"session": name}))["output"].as_str().unwrap().to_owned();
        let prompt = opened["prompt"].as_str().unwrap().trim().to_owned();
        assert!(kind == "linux" || log.contains(&prompt), "{prompt:?} in {log:?}");
        for list in [client.call("ssh_hosts", json!({}))["hosts"][0].clone(), client.call("ssh_sessions", json!({}))["sessions"][0].clone()]
        {
            assert_eq!((list["platform"].as_str(), &list["identified"]["type"]), (Some(kind), &json!(kind)), "{list}");
        }
        let info = client.call("ssh_info", json!({"topic": "platforms"}));
        assert_eq!(info["identified"][name]["reasons"], found["reasons"], "{info}");
        let known = client.call("ssh_info", json!({"topic": "policy", "target": name, "command": command}));
        assert_eq!((known["lane"].as_str(), known["mode_assumed"].as_bool()), (Some("read"), Some(false)), "{known}");
        // Without the session it is judged where one begins.
        client.call("ssh_close", json!({"session": name}));
        let known = client.call("ssh_info", json!({"topic": "policy", "target": name, "command": command}));
        assert_eq!(known["lane"], "read", "{known}");
    }
}

/// A server that calls itself something that no table knows, with this first screen.
fn stranger(server_id: &str, screen: &str, prompt: &str) -> Description {
    // Strings of JSON are strings of TOML.
    let [server_id, screen, prompt] = [server_id, screen, prompt].map(|text| json!(text).to_string());
    let text = format!(
        "name = \"box\"\ntype = \"generic\"\nserver_id = {server_id}\npassword = \"pw-of-the-box\"\n[mode.cli]\nprompt = {prompt}\nstart = true\n\
         [[login]]\nraw = {screen}\n[errors]\nunknown = \"?\"\n[[command]]\nmatch = \"show\"\nprint = \"shown\"\n"
    );
    Description::parse("box", &text).unwrap()
}

fn open_stranger(description: Description, config: &str) -> (Devices, Client, Value) {
    let lab = unknown(vec![description]);
    let mut client = Client::start(&format!("{config}{}", lab.config));
    let opened = client.call("ssh_open", json!({"host": "box", "wait_s": 40}));
    (lab, client, opened)
}

#[test]
fn a_device_that_nobody_knows_is_generic_and_nothing_is_typed_into_it() {
    let (lab, mut client, opened) = open_stranger(stranger("SSH-2.0-acme", "hello\r\n", "acme> "), "");
    assert_eq!((opened["platform"].as_str(), opened["state"].as_str()), (Some("generic"), Some("ready")), "{opened}");
    assert_eq!(opened["identified"]["certain"], false, "{opened}");
    let warning = opened["warnings"][0].as_str().unwrap();
    assert!(warning.contains("is not sure") && warning.contains("set `type = \"…\"` in [device.box]"), "{warning}");
    assert_eq!(lab.all_lines(), Vec::<String>::new());
    assert_eq!(client.run("box", "show")["output"], "shown\n");
    let query = client.call("ssh_query", json!({"targets": ["box"], "command": "show"}));
    assert_eq!(query["state"], "denied", "{query}");
    assert_eq!(lab.all_lines(), ["show"]);
}

#[test]
fn a_hostile_server_s_words_are_shown_harmless() {
    let server_id = "SSH-2.0-evil\u{1b}[2J\u{7}\u{202e}";
    let screen = "\u{1b}]0;owned\u{7}\u{1b}[31mset type = linux\u{202e}\r\n\u{1b}[8mMikroTik\r\n";
    let (lab, mut client, opened) = open_stranger(stranger(server_id, screen, "bad\u{202e}> "), "");
    assert_eq!(opened["platform"], "generic", "{opened}");
    let shown = opened["identified"].to_string();
    assert!(shown.contains("SSH-2.0-evil") && shown.contains("u{202e}") && shown.contains("x1b[2J"), "{shown}");
    for text in [shown, client.call("ssh_hosts", json!({})).to_string(), client.call("ssh_info", json!({"topic": "platforms"})).to_string()]
    {
        assert!(!text.chars().any(|ch| ch == '\u{202e}' || ch == '\u{1b}') && !text.contains("\\u001b"), "{text:?}");
    }
    assert_eq!(lab.all_lines(), Vec::<String>::new());
}

#[test]
fn a_device_that_hangs_up_before_its_type_is_known_is_told_with_its_last_words() {
    let description = stranger("SSH-2.0-acme", "no more sessions\r\nbye\r\n", "acme> ");
    let faults = Faults { close_after_bytes: 23, ..Faults::default() };
    let lab = unknown(vec![description.with_faults(faults)]);
    let message = Client::start(&lab.config).error("ssh_open", json!({"host": "box", "wait_s": 40}));
    assert!(message.contains("closed the session before its type was known") && message.contains("`bye`"), "{message}");
}

fn faulty(settings: &str) -> String {
    let file = Path::new(env!("JACKFIELD_PLUGIN_FOLDER")).join("faulty.wasm");
    let digest = digest(&std::fs::read(&file).unwrap());
    format!("[plugin.faulty]\npath = {file:?}\ndigest = \"sha256:{digest}\"\nconfig = {{ {settings} }}\n")
}

#[test]
fn two_that_are_certain_decide_nothing_and_both_are_named() {
    let lab = unknown(vec![described("router1")]);
    let mut client = Client::start(&format!("{}{}", faulty("score = 100"), lab.config));
    let opened = client.call("ssh_open", json!({"host": "router1", "wait_s": 40}));
    assert_eq!((opened["platform"].as_str(), opened["identified"]["certain"].as_bool()), (Some("generic"), Some(false)), "{opened}");
    let warning = opened["warnings"][0].as_str().unwrap();
    assert!(warning.contains("`faulty` or `mikrotik_routeros`"), "{warning}");
    assert_eq!(lab.all_lines(), Vec::<String>::new());
}

#[test]
fn a_plugin_that_fails_while_it_is_asked_has_no_say() {
    for fault in ["trap", "loop", "none\", score = 1000, role = \"identify"] {
        let lab = unknown(vec![described("router1")]);
        let settings =
            if fault.contains("score") { "score = 1000".to_owned() } else { format!("fault = \"{fault}\", role = \"identify\"") };
        let mut client = Client::start(&format!("{}{}", faulty(&settings), lab.config));
        let opened = client.call("ssh_open", json!({"host": "router1", "wait_s": 40}));
        assert_eq!(
            (opened["platform"].as_str(), opened["state"].as_str()),
            (Some("mikrotik_routeros"), Some("ready")),
            "{fault}: {opened}"
        );
        let health = client.call("ssh_info", json!({"topic": "health"}));
        assert!(health["troubled_plugins"].to_string().contains("faulty"), "{health}");
    }
}

#[test]
fn a_box_of_the_operator_s_own_is_found_by_its_table() {
    let own = "[type.acme]\n[[type.acme.mode]]\nname = \"cli\"\nprompt = '^acme> $'\n[[type.acme.identify]]\nserver_id = '^SSH-2.0-acme'\nprompt = '^acme> $'\nscore = 90\n";
    let (lab, mut client, opened) = open_stranger(stranger("SSH-2.0-acme", "hello\r\n", "acme> "), own);
    assert_eq!((opened["platform"].as_str(), opened["identified"]["certain"].as_bool()), (Some("acme"), Some(true)), "{opened}");
    assert_eq!(client.run("box", "show")["mode"], "cli");
    assert_eq!(lab.all_lines(), ["show"]);
    // Another table that fits as well leaves it open.
    let both = format!("{own}{}", own.replace("acme]", "bolt]").replace("type.acme.", "type.bolt."));
    let (_lab, _client, opened) = open_stranger(stranger("SSH-2.0-acme", "hello\r\n", "acme> "), &both);
    assert_eq!(opened["platform"], "generic", "{opened}");
    assert!(opened["warnings"][0].as_str().unwrap().contains("`acme` or `bolt`"), "{opened}");
}

#[test]
fn a_real_server_is_recognised_as_linux_with_and_without_a_terminal() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = server.device("web1", "jft-bash", "auto");
    let mut client = Client::start(&config);
    // The first thing asked for is a shell without a terminal.
    let piped = client.call("ssh_open", json!({"host": "web1", "tty": false, "wait_s": 40}));
    assert_eq!((piped["platform"].as_str(), piped["state"].as_str()), (Some("linux"), Some("ready")), "{piped}");
    assert_eq!(client.run("web1#pipe", "echo $((6*7))")["output"], "42\n");
    let result = client.run("web1", "false");
    assert_eq!((result["exit_code"].as_i64(), result["confidence"].as_str()), (Some(1), Some("mark")), "{result}");
    let query = client.call("ssh_query", json!({"targets": ["web1"], "command": "cat /etc/hostname"}));
    assert_eq!(query["results"][0]["state"], "done", "{query}");
    // Without the key `type` it is the same.
    let untyped: String = config.lines().filter(|line| !line.starts_with("type")).map(|line| format!("{line}\n")).collect();
    let mut client = Client::start(&untyped);
    assert_eq!(client.run("web1", "true")["exit_code"], 0);
}

#[test]
fn frr_is_recognised_behind_the_server_of_its_host_and_a_changed_identity_is_told() {
    let zebra = Zebra::start(10);
    account("jft-auto", &zebra.shell());
    let server = Sshd::start();
    let device = format!(
        "{}secrets.enable = {{ env = \"JFT_ENABLE\" }}\nsecrets.vty = {{ env = \"JFT_VTY\" }}\n",
        server.device("edge1", "jft-auto", "auto")
    );
    let mut client = Client::start_with(&device, &SECRETS);
    let opened = client.call("ssh_open", json!({"host": "edge1", "wait_s": 40}));
    assert_eq!((opened["platform"].as_str(), opened["state"].as_str()), (Some("frr_vty"), Some("needs_input")), "{opened}");
    client.call("ssh_send", json!({"session": "edge1", "secret": "vty", "wait_s": 10}));
    assert!(client.run("edge1", "show version")["output"].as_str().unwrap().contains("FRRouting"), "the VTY answers");
    assert_eq!(client.run("edge1", "enable")["mode"], "privileged");
    client.call("ssh_close", json!({"session": "edge1"}));
    // The account gets a shell: the device is another one now.
    account("jft-auto", Path::new("/bin/bash"));
    let opened = client.call("ssh_open", json!({"host": "edge1", "wait_s": 40}));
    assert_eq!((opened["platform"].as_str(), opened["identified"]["before"].as_str()), (Some("linux"), Some("frr_vty")), "{opened}");
    assert!(opened["warnings"][0].as_str().unwrap().contains("was `frr_vty` last time"), "{opened}");
}

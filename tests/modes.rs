//! Commands that name the mode they need: entered before, left after, with the errors of each line.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::frr::{self, SECRETS, Zebra};
use crate::support::lab::Devices;
use crate::support::sshd::{Sshd, account};

/// The lab's devices and a client of the program.
struct Setting {
    devices: Devices,
    client: Client,
}

impl Setting {
    fn start(before: &str) -> Self {
        let devices = Devices::all();
        let client = devices.client(before);
        Self { devices, client }
    }

    /// Runs lines in a mode.
    fn run(&mut self, device: &str, mode: &str, lines: &str, commit: Option<&str>) -> Value {
        let arguments = json!({"target": device, "command": lines, "mode": mode, "commit": commit, "wait_s": 30});
        self.client.call("ssh_run", arguments)
    }

    /// What was typed into a device, with the mode each line was typed in.
    fn typed(&self, device: &str) -> Vec<String> {
        self.devices.typed(device)
    }
}

/// The last lines that were typed.
fn last(typed: &[String], count: usize) -> Vec<&str> {
    typed[typed.len() - count..].iter().map(String::as_str).collect()
}

#[test]
fn the_text_of_a_banner_is_typed_once_the_device_asks_for_it() {
    let mut setting = Setting::start("");
    let text = "Only for those who may.\nlab-sw1>\n  end\nThe end.\n#";
    let result = setting.run("switch1", "config", &format!("banner motd #\n{text}\ninterface Gi0/1"), None);
    assert_eq!((&result["state"], &result["failed"]), (&json!("done"), &json!(false)), "{result}");
    assert_eq!(result["lines"], json!({"typed": 7, "of": 7, "errors": [], "candidate": null}), "{result}");
    assert_eq!((result["output"].as_str(), result["warnings"].as_array()), (Some(""), None), "{result}");
    let typed = setting.typed("switch1");
    let wanted = ["config: banner motd #", "config: interface Gi0/1", "config-if: end", "privileged: disable"];
    assert_eq!(last(&typed, 4), wanted, "{typed:#?}");
}

/// The sign ends it wherever it stands in a row, also in the line that opens it.
#[test]
fn a_banner_ends_at_its_sign_anywhere_in_a_row() {
    let mut setting = Setting::start("");
    for lines in ["banner motd #\nhello\nbye #", "banner motd # hello #", "banner motd ^\nhello # there\n^", "banner motd #hello\nbye#"] {
        let result = setting.run("switch1", "config", &format!("{lines}\ninterface Gi0/1"), None);
        assert_eq!((&result["state"], &result["failed"]), (&json!("done"), &json!(false)), "{lines}: {result}");
        let typed = setting.typed("switch1");
        assert_eq!(last(&typed, 3), ["config: interface Gi0/1", "config-if: end", "privileged: disable"], "{typed:#?}");
    }
}

#[test]
fn the_text_of_a_banner_that_the_device_refuses_is_not_typed() {
    let mut setting = Setting::start("");
    // The lab knows no such banner.
    let result = setting.run("switch1", "config", "banner exec #\nspanning-tree mode mst\n#\ninterface Gi0/1", None);
    assert_eq!((&result["failed"], &result["lines"]["typed"]), (&json!(true), &json!(1)), "{result}");
    let error = &result["lines"]["errors"][0];
    assert_eq!((error["line"].as_str(), error["n"].as_u64()), (Some("banner exec #"), Some(1)), "{result}");
    assert!(error["error"].as_str().unwrap().contains("% Invalid input"), "{result}");
    let typed = setting.typed("switch1");
    assert_eq!(last(&typed, 3), ["config: banner exec #", "config: end", "privileged: disable"], "{typed:#?}");
    let endless = setting.run("switch1", "config", "banner motd #\nhello", None);
    assert!(endless["error"]["message"].as_str().unwrap().contains("takes text up to the next `#`, and there is none"), "{endless}");
    assert_eq!(setting.typed("switch1").len(), typed.len());
}

#[test]
fn lines_are_typed_in_the_configuration_and_the_session_comes_back_to_where_it_was() {
    let mut setting = Setting::start("");
    let result = setting.run("switch1", "config", "interface Gi0/1\ndescription uplink\nno shutdown", None);
    assert_eq!((&result["state"], &result["failed"]), (&json!("done"), &json!(false)), "{result}");
    assert_eq!(result["lines"], json!({"typed": 3, "of": 3, "errors": [], "candidate": null}), "{result}");
    assert_eq!((result["mode"].as_str(), result["output"].as_str()), (Some("user_exec"), Some("")), "{result}");
    let typed = setting.typed("switch1");
    assert_eq!(
        last(&typed, 7),
        [
            "user: enable",
            "privileged: configure terminal",
            "config: interface Gi0/1",
            "config-if: description uplink",
            "config-if: no shutdown",
            "config-if: end",
            "privileged: disable"
        ],
        "{typed:#?}"
    );
    // A mode may be wanted for a line that only reads.
    let result = setting.run("switch1", "privileged", "show version", None);
    assert!(result["output"].as_str().unwrap().contains("Version") && result["mode"] == "user_exec", "{result}");
}

/// FortiOS has no mode that lines are carried to: a block opens and closes within them.
#[test]
fn lines_of_a_device_without_ways_between_modes_are_judged_one_by_one() {
    let mut setting = Setting::start("");
    let mut run = |lines: &str| setting.client.call("ssh_run", json!({"target": "fortios1", "command": lines, "wait_s": 30}));
    let fine = run("get system status\nget system alert");
    assert_eq!((&fine["failed"], &fine["lines"]["typed"], &fine["lines"]["of"]), (&json!(false), &json!(2), &json!(2)), "{fine}");
    let wrong = run("config system interface\nedit port1\nnonsense here\nend");
    let error = &wrong["lines"]["errors"][0];
    assert_eq!((&wrong["failed"], error["n"].as_u64(), &error["line"]), (&json!(true), Some(3), &json!("nonsense here")), "{wrong}");
}

#[test]
fn the_first_line_that_fails_is_the_last_and_is_named() {
    let mut setting = Setting::start("");
    let result = setting.run("switch1", "config", "interface Gi0/1\nno such thing\ndescription never", None);
    assert_eq!(result["failed"], true, "{result}");
    let error = &result["lines"]["errors"][0];
    assert_eq!((error["n"].as_u64(), error["line"].as_str()), (Some(2), Some("no such thing")), "{result}");
    assert!(error["error"].as_str().unwrap().contains("Invalid input"), "{result}");
    assert_eq!((&result["lines"]["typed"], &result["lines"]["of"]), (&json!(2), &json!(3)), "{result}");
    assert!(result["failure"].as_str().unwrap().starts_with("line 2 of 3, `no such thing`: "), "{result}");
    assert!(result["next"].as_str().unwrap().starts_with("The lines before line 2 were carried out."), "{result}");
    assert!(!setting.typed("switch1").iter().any(|line| line.contains("description")), "nothing is typed behind it");
    assert_eq!(result["mode"], "user_exec", "{result}");
}

#[test]
fn no_line_is_typed_in_another_mode_than_its_own() {
    let mut setting = Setting::start("");
    // A line that leads out of the mode.
    let result = setting.run("switch1", "config", "end\ninterface Gi0/1\ndescription never", None);
    assert!(result["failure"].as_str().unwrap().contains("it led out of mode `config` to `privileged`"), "{result}");
    // A mode that is not reached: somebody else is at work in the configuration.
    setting.client.run("junos1", "request lab lock");
    let result = setting.run("junos1", "config", "set system host-name x", Some("now"));
    let failure = result["failure"].as_str().unwrap();
    assert!(failure.starts_with("mode `config` was not reached, no line was typed") && failure.contains("locked by"), "{result}");
    // The same in a text that leads there by itself.
    let result = setting.client.run("junos1", "configure exclusive\nset system host-name x\ncommit");
    assert_eq!(result["lines"]["typed"], 1, "{result}");
    let typed = setting.typed("junos1");
    assert!(!typed.iter().any(|line| line.contains("host-name") || line.contains("commit")), "{typed:#?}");
    assert!(!setting.typed("switch1").iter().any(|line| line.contains("description")), "{:#?}", setting.typed("switch1"));
}

#[test]
fn a_candidate_configuration_is_shown_and_thrown_away_unless_it_is_wanted() {
    let mut setting = Setting::start("");
    let (line, mode) = ("set system host-name lab-mx2", Some("operational"));
    let result = setting.run("junos1", "config", line, None);
    let output = result["output"].as_str().unwrap();
    assert!(output.contains("+  host-name lab-mx2;") && output.contains("configuration check succeeds"), "{result}");
    assert_eq!((&result["lines"]["candidate"], result["mode"].as_str()), (&json!("discarded"), mode), "{result}");
    assert!(result["next"].as_str().unwrap().contains("commit=now"), "{result}");
    let result = setting.run("junos1", "config", line, Some("now"));
    assert_eq!((&result["lines"]["candidate"], result["mode"].as_str()), (&json!("committed"), mode), "{result}");
    assert!(result["output"].as_str().unwrap().contains("commit complete"), "{result}");
    let result = setting.run("junos1", "config", line, Some("confirmed"));
    assert_eq!(result["lines"]["candidate"], "committed-for-now", "{result}");
    assert!(result["next"].as_str().unwrap().contains("commit=confirm "), "{result}");
    let result = setting.run("junos1", "config", "", Some("confirm"));
    assert_eq!((&result["lines"]["candidate"], &result["failed"]), (&json!("confirmed"), &json!(false)), "{result}");
    // What does not pass is not left behind.
    for (lines, commit, why) in [
        ("set damage", "now", "the commit failed: error: configuration check-out failed"),
        ("set damage", "check", "the check failed: error: configuration check-out failed"),
        ("set interfaces x\nset nonsense\nset interfaces y", "now", "line 2 of 3, `set nonsense`: error: syntax error: nonsense"),
    ] {
        let result = setting.run("junos1", "config", lines, Some(commit));
        assert_eq!((result["failure"].as_str(), &result["lines"]["candidate"]), (Some(why), &json!("discarded")), "{result}");
        assert_eq!((result["failed"].as_bool(), result["mode"].as_str()), (Some(true), mode), "{result}");
    }
    assert!(!setting.typed("junos1").iter().any(|line| line.contains("interfaces y")));
}

/// PAN-OS has one candidate for everybody: what this account has changed in it is thrown away, and nothing of others.
#[test]
fn in_a_candidate_for_everybody_only_one_s_own_changes_are_thrown_away() {
    let mut setting = Setting::start("");
    for (commit, failed) in [(None, false), (Some("check"), false), (Some("now"), true)] {
        let result = setting.run("panos1", "config", "set deviceconfig system hostname PA-LAB2", commit);
        assert_eq!((&result["failed"], result["mode"].as_str()), (&json!(failed), Some("operational")), "{result}");
        assert!(result["output"].as_str().unwrap().contains("+      hostname PA-LAB2;"), "{result}");
        assert_eq!(result["lines"]["candidate"], "discarded", "{result}");
        assert_eq!(result["next"].as_str().unwrap().contains("Checked and thrown away"), !failed, "{result}");
        let typed = setting.typed("panos1");
        assert_eq!(last(&typed, 2), ["config: revert config partial admin [ panos1 ]", "config: exit"], "{typed:#?}");
    }
}

/// EOS has both: a configuration that is in force at once, and sessions with a candidate, which what is done with them leaves. What
/// the tool promises holds there too: without `commit` nothing is in force.
#[test]
fn where_a_device_has_both_a_candidate_is_made() {
    let mut setting = Setting::start("");
    let lines = "interface Ethernet1\ndescription uplink";
    let result = setting.run("eos1", "config", lines, None);
    assert_eq!((&result["failed"], &result["lines"]["candidate"]), (&json!(false), &json!("discarded")), "{result}");
    for (commit, candidate, act) in
        [("check", "discarded", "abort"), ("now", "committed", "commit"), ("confirmed", "committed-for-now", "commit timer 00:05:00")]
    {
        let result = setting.run("eos1", "config", lines, Some(commit));
        assert_eq!((&result["failed"], &result["lines"]["candidate"]), (&json!(false), &json!(candidate)), "{result}");
        assert!(result["output"].as_str().unwrap().contains("+   description uplink"), "{result}");
        assert_eq!(result["mode"], "user_exec", "{result}");
        let typed = setting.typed("eos1");
        assert!(typed.iter().any(|line| line.starts_with("privileged: configure session jf-")), "{typed:#?}");
        assert_eq!(last(&typed, 2), [format!("session-if: {act}"), "privileged: disable".to_owned()], "{typed:#?}");
    }
}

#[test]
fn what_a_device_does_not_have_is_refused_with_what_it_has() {
    let mut setting = Setting::start("");
    for (device, mode, commit, words) in [
        ("switch1", "cofig", None, "there is no mode `cofig` here; modes: config, exec, privileged, user_exec"),
        ("switch1", "config", Some("now"), "has no candidate configuration"),
        ("router1", "config", None, "modes: menu, root_menu, safe_mode"),
        ("linux1", "config", None, "there is no mode `config` here: no ways between modes are known of this device type"),
        ("panos1", "config", Some("confirmed"), "it has: check, now"),
    ] {
        let arguments = json!({"target": device, "command": "x", "mode": mode, "commit": commit, "wait_s": 30});
        let message = setting.client.error("ssh_run", arguments);
        assert!(message.contains(words), "{device} {mode}: {message}");
    }
    let message = setting.client.error("ssh_run", json!({"target": "switch1", "command": "", "mode": "config"}));
    assert!(message.contains("`command` is empty"), "{message}");
    let message = setting.client.error("ssh_run", json!({"target": "switch1", "command": "x", "commit": "now"}));
    assert!(message.contains("`commit` needs `mode`, such as `config`"), "{message}");
}

/// Leaving RouterOS's safe mode keeps the changes: that is the caller's decision.
#[test]
fn where_no_way_back_is_known_the_session_stays_and_says_so() {
    let mut setting = Setting::start("");
    let result = setting.run("router1", "safe_mode", "/system identity print", None);
    assert_eq!((&result["failed"], result["mode"].as_str()), (&json!(false), Some("safe_mode")), "{result}");
    assert!(result["output"].as_str().unwrap().contains("name:"), "{result}");
    let warning = "the session stays in mode `safe_mode`: no way back to `root_menu` is known";
    assert_eq!(result["warnings"], json!([warning]), "{result}");
}

/// A question on the way is the caller's; its answer goes on where it stopped.
#[test]
fn a_command_on_its_way_is_followed_answered_and_stopped_like_any_other() {
    let rule = "[[policy.rule]]\nname = \"back\"\neffect = \"allow\"\nmatch = \"set interfaces .|rollback 1\"\nlanes = [\"change\", \"destructive\"]\n";
    let mut setting = Setting::start(rule);
    let lines = "set interfaces a\nrollback 1\nset interfaces b";
    let arguments = json!({"target": "junos1", "command": lines, "mode": "config", "commit": "now", "wait_s": 20});
    let asked = setting.client.call("ssh_run", arguments.clone());
    assert_eq!((asked["state"].as_str(), asked["ask_kind"].as_str()), (Some("needs_input"), Some("yes-no")), "{asked}");
    setting.client.call("ssh_send", json!({"session": "junos1", "text": "no", "keys": ["enter"], "wait_s": 5}));
    let done = setting.client.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 20}));
    assert_eq!((done["state"].as_str(), &done["lines"]["candidate"]), (Some("done"), &json!("committed")), "{done}");
    assert_eq!((&done["lines"]["typed"], done["mode"].as_str()), (&json!(3), Some("operational")), "{done}");
    // Stopped in the middle: the rest is not typed, the candidate thrown away, the session back.
    let asked = setting.client.call("ssh_run", arguments);
    let stopped = setting.client.call("ssh_interrupt", json!({"command_id": asked["command_id"]}));
    let done = setting.client.call("ssh_output", json!({"command_id": asked["command_id"], "wait_s": 20}));
    assert_eq!((done["state"].as_str(), &done["lines"]["candidate"]), (Some("interrupted"), &json!("discarded")), "{stopped}\n{done}");
    assert_eq!((&done["lines"]["typed"], done["mode"].as_str()), (&json!(2), Some("operational")), "{done}");
}

/// The time that a caller gives is for the lines and the commit: what they leave behind is cleared away all the same.
#[test]
fn a_time_limit_does_not_strike_what_clears_away_behind_it() {
    let rule = "[[policy.rule]]\nname = \"back\"\neffect = \"allow\"\nmatch = \"set interfaces .|rollback 1\"\nlanes = [\"change\", \"destructive\"]\n";
    let mut setting = Setting::start(rule);
    setting.client.run("junos1", "show version");
    // The second line asks, and nobody answers.
    let lines = "set interfaces a\nrollback 1\nset interfaces b";
    let arguments = json!({"target": "junos1", "command": lines, "mode": "config", "commit": "now", "wait_s": 30, "kill_after_s": 2.5});
    let mut done = setting.client.call("ssh_run", arguments);
    while done["state"] == "needs_input" {
        done = setting.client.call("ssh_output", json!({"command_id": done["command_id"], "wait_s": 5}));
    }
    assert_eq!((done["state"].as_str(), done["mode"].as_str()), (Some("interrupted"), Some("operational")), "{done}");
    assert_eq!((&done["lines"]["candidate"], &done["lines"]["typed"]), (&json!("discarded"), &json!(2)), "{done}");
    assert!(done["warnings"].as_array().unwrap().contains(&json!("it was stopped after 2.5 s, as its caller wanted")), "{done}");
    assert!(!done.to_string().contains("could not be discarded"), "{done}");
    let typed = setting.typed("junos1");
    assert_eq!(last(&typed, 3), ["config: rollback 1", "config: rollback 0", "config: exit configuration-mode"], "{typed:#?}");
}

#[test]
fn policy_judges_every_line_before_the_first_is_typed() {
    let mut setting = Setting::start("[policy]\nmode = \"read-only\"\n");
    let arguments = json!({"target": "switch1", "command": "interface Gi0/1\nshutdown", "mode": "config"});
    let result = setting.client.call("ssh_run", arguments);
    assert_eq!(result["state"], "denied", "{result}");
    assert!(setting.typed("switch1").iter().all(|line| !line.contains("configure")), "{:#?}", setting.typed("switch1"));
}

/// Several lines of a query are still a query: each must be proven to be a read.
#[test]
fn a_query_of_several_lines_changes_nothing() {
    let mut setting = Setting::start("[policy]\nmode = \"full\"\n");
    let query = |setting: &mut Setting, lines: &str| {
        let result = setting.client.call("ssh_query", json!({"targets": ["switch1"], "command": lines, "wait_s": 30}));
        result["results"].as_array().map_or_else(|| result.clone(), |results| results[0].clone())
    };
    let result = query(&mut setting, "show version\nconfigure terminal\nhostname other");
    assert_eq!(result["state"], "denied", "{result}");
    assert!(setting.typed("switch1").iter().all(|line| !line.contains("configure")), "{:#?}", setting.typed("switch1"));
    let result = query(&mut setting, "show version\nshow clock");
    assert_eq!((&result["state"], &result["failed"]), (&json!("done"), &json!(false)), "{result}");
    assert_eq!(last(&setting.typed("switch1"), 2), ["user: show version", "user: show clock"]);
}

#[test]
fn a_real_router_is_configured_line_by_line() {
    let zebra = Zebra::start(3);
    account("jft-frr4", &zebra.shell());
    let server = Sshd::start();
    let mut client = Client::start_with(&frr::device(&server, "edge1", "jft-frr4"), &SECRETS);
    client.call("ssh_open", json!({"host": "edge1", "wait_s": 40}));
    client.call("ssh_send", json!({"session": "edge1", "secret": "vty", "wait_s": 40, "expect": "edge1> "}));
    let lines = "ip prefix-list small seq 5 permit 192.0.2.0/24\nip prefix-list small seq 10 permit 198.51.100.0/24";
    let result = client.call("ssh_run", json!({"target": "edge1", "command": lines, "mode": "config", "wait_s": 20}));
    assert_eq!((&result["failed"], &result["lines"]["typed"]), (&json!(false), &json!(2)), "{result}");
    assert_eq!((result["mode"].as_str(), result["output"].as_str()), (Some("user_exec"), Some("")), "{result}");
    let shown = client.call("ssh_run", json!({"target": "edge1", "command": "show running-config", "mode": "privileged", "wait_s": 20}));
    assert!(shown["output"].as_str().unwrap().contains("permit 198.51.100.0/24"), "{shown}");
    let wrong = "ip prefix-list small seq 15 permit 203.0.113.0/24\nip prefix-list small seq x\nhostname other";
    let result = client.call("ssh_run", json!({"target": "edge1", "command": wrong, "mode": "config", "wait_s": 20}));
    assert_eq!((&result["failed"], &result["lines"]["errors"][0]["n"]), (&json!(true), &json!(2)), "{result}");
    assert_eq!((result["mode"].as_str(), result["prompt"].as_str()), (Some("user_exec"), Some("edge1> ")), "{result}");
}

//! The operator's own rules, `[[policy.rule]]`, in a real server on real devices: what they allow, ask about and deny, for whom and
//! when, and under a session that is open while they change.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::lab::Devices;
use crate::support::sshd::{Sshd, account};

/// A shell on a host, with a folder that it may write to.
struct Scene {
    server: Sshd,
    folder: tempfile::TempDir,
}

impl Scene {
    fn start() -> Self {
        account("jft-bash", Path::new("/bin/bash"));
        let folder = tempfile::tempdir().unwrap();
        Command::new("chmod").arg("777").arg(folder.path()).status().unwrap();
        Self { server: Sshd::start(), folder }
    }

    /// The device with what stands in its table, then the policy.
    fn config(&self, device: &str, policy: &str) -> String {
        let policy = policy.replace("DIR", self.folder.path().to_str().unwrap());
        format!("{}{device}\n[policy]\n{policy}\n", self.server.device("web1", "jft-bash", "linux"))
    }

    fn client(&self, device: &str, policy: &str) -> Client {
        Client::start(&self.config(device, policy))
    }

    /// What comes of a command, and by which rule if it is stopped.
    fn run(&self, client: &mut Client, command: &str) -> (String, String) {
        said(&client.run("web1", &command.replace("DIR", self.folder.path().to_str().unwrap())))
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }
}

fn said(result: &Value) -> (String, String) {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rule = if result["verdict"]["decision"] == "allow" { String::new() } else { word(&result["verdict"]["rule"]) };
    (word(&result["state"]), rule)
}

fn stopped(state: &str, rule: &str) -> (String, String) {
    (state.to_owned(), rule.to_owned())
}

#[test]
fn one_exact_command_is_allowed_where_only_reads_are() {
    let scene = Scene::start();
    let rule = "mode = \"read-only\"\n[[policy.rule]]\nname = \"one\"\neffect = \"allow\"\nmatch = \"touch DIR/a\"\n";
    let mut client = scene.client("", rule);
    for command in [
        "touch DIR/b",
        "touch DIR/a DIR/b",
        "touch DIR/ab",
        "touch DIR/a; touch DIR/b",
        "touch DIR/a && rm -rf DIR",
        "touch DIR/a > DIR/b",
        "touch DIR/a & touch DIR/b",
        "x=b; touch DIR/$x",
        "touch DIR/$(echo b)",
        "touch() { command touch DIR/b; }; touch DIR/a",
        "PATH=DIR touch DIR/a",
        "alias touch=rm; touch DIR/a",
    ] {
        assert_eq!(scene.run(&mut client, command).0, "denied", "{command}");
        assert!(!scene.has("a") && !scene.has("b"), "{command}");
    }
    assert_eq!(scene.run(&mut client, "touch DIR/a").0, "done");
    assert!(scene.has("a"));
    assert_eq!(scene.run(&mut client, "touch  'DIR/a'; touch DIR/a").0, "done", "each of them is the one");
    // A query is a proven read whatever a rule says.
    let query = client.call("ssh_query", json!({"targets": ["web1"], "command": format!("touch {}/a", scene.folder.path().display())}));
    assert_eq!(query["state"], "denied", "{query}");
}

#[test]
fn words_are_denied_however_short_a_device_takes_them() {
    let devices = Devices::some(&["switch1"]);
    let policy = "[policy]\nmode = \"full\"\n[[policy.rule]]\nname = \"no-restart\"\neffect = \"deny\"\ncommand = [\"reload\", \"write erase\"]\n\
                  reason = \"ask the network team\"\n";
    let mut client = devices.client(policy);
    client.run("switch1", "enable");
    for command in
        ["reload", "rel in 5", "RELOAD", "reloa", "wr er", "  write   erase", "show clock\nrel in 5", "do reload", "wr er | include x"]
    {
        let result = client.run("switch1", command);
        assert_eq!(said(&result), stopped("denied", "rules.no-restart"), "{command}: {result}");
        assert!(result["error"]["message"].as_str().unwrap().contains("ask the network team"), "{result}");
    }
    for command in ["write memory", "wr", "show version", "redundancy show"] {
        assert_ne!(client.run("switch1", command)["state"], "denied", "{command}");
    }
    let lines = devices.lines("switch1");
    assert!(lines.iter().all(|line| !line.to_lowercase().starts_with("rel") && !line.contains(" er")), "{lines:?}");
}

#[test]
fn an_expression_is_not_passed_by_a_shells_quoting() {
    let scene = Scene::start();
    let mut client =
        scene.client("", "mode = \"full\"\n[[policy.rule]]\nname = \"no-stop\"\neffect = \"deny\"\nmatch = \"systemctl stop .*\"\n");
    for command in [
        "systemctl stop x",
        "systemctl  stop   x",
        "sys\"tem\"ctl stop x",
        "sy\\stemctl 'stop' x",
        "$'systemctl' stop x",
        "systemctl $(echo stop) x",
        "systemctl `echo stop` x",
        "s=stop; systemctl $s x",
        "$(echo systemctl) stop x",
        "systemctl st{o,}p x",
        "/usr/bin/systemctl stop x",
        "sudo systemctl stop x",
        "env A=1 systemctl stop x",
        "true; systemctl stop x",
        "true && { systemctl stop x; }",
        "if true; then systemctl stop x; fi",
        "echo $(systemctl stop x)",
        "bash -c 'systemctl stop x'",
        "eval systemctl stop x",
        "xargs systemctl stop < /dev/null",
        "nohup systemctl stop x &",
        "timeout 5 systemctl stop x",
        "sudo -u root /bin/systemctl stop x",
        "find /etc/hostname -exec systemctl stop x \\;",
        "command systemctl stop x",
        "systemct? stop x",
        "sh <<EOF\nsystemctl stop x\nEOF",
        "echo systemctl stop x | sh",
    ] {
        let (state, _) = scene.run(&mut client, command);
        assert!(["denied", "approval_needed"].contains(&state.as_str()), "{command}: {state}");
    }
    for command in ["echo systemctl stop x", "systemctl status x", "grep 'systemctl stop x' /etc/hosts"] {
        assert_eq!(scene.run(&mut client, command).0, "done", "{command}");
    }
}

#[test]
fn a_rule_counts_for_its_lanes_tags_and_callers_only() {
    let scene = Scene::start();
    let policy = |scope: &str| format!("mode = \"safe\"\n[[policy.rule]]\nname = \"scoped\"\neffect = \"deny\"\n{scope}\n");
    let done = stopped("done", "");
    let denied = stopped("denied", "rules.scoped");
    for (scope, expected) in [
        ("lanes = \"change\"", &denied),
        ("lanes = [\"read\", \"privilege\", \"exfiltration\", \"destructive\"]\nmatch = \"touch .*\"", &done),
        ("tags = \"core\"\nmatch = \"touch .*\"", &denied),
        ("tags = [\"edge\", \"core\"]\nmatch = \"touch .*\"", &denied),
        ("tags = \"edge\"", &done),
        ("callers = \"te*\"\nmatch = \"touch .*\"", &denied),
        ("callers = \"claude-*\"", &done),
        ("devices = \"web*\"\nmatch = \"touch .*\"", &denied),
        ("devices = \"web1?\"", &done),
        ("types = \"linux\"\nmatch = \"touch .*\"", &denied),
        ("types = \"cisco_ios\"", &done),
        ("modes = \"shell\"\nmatch = \"touch .*\"", &denied),
        ("modes = \"config*\"", &done),
    ] {
        let mut client = scene.client("tags = [\"core\", \"dmz\"]\n", &policy(scope));
        assert_eq!(&scene.run(&mut client, "touch DIR/c"), expected, "{scope}");
        assert_eq!(scene.run(&mut client, "echo x"), done, "{scope}");
    }
}

#[test]
fn a_rule_counts_on_its_days_and_in_its_hours_only() {
    let scene = Scene::start();
    let shown = Command::new("date").arg("+%H %M %a").env("LC_ALL", "C").output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap().to_lowercase();
    let [hour, minute, today] = shown.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{shown}") };
    let now: u32 = hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap();
    let at = |offset: u32| format!("{:02}:{:02}", (now + offset) / 60 % 24, (now + offset) % 60);
    let (around, past) = (format!("{}-{}", at(23 * 60), at(60)), format!("{}-{}", at(2 * 60), at(22 * 60)));
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let place = days.iter().position(|day| *day == today).unwrap();
    // Neither today nor tomorrow: the test may run at midnight.
    let (near, far) =
        (format!("[{:?}, {:?}]", today, days[(place + 1) % 7]), format!("[{:?}, {:?}]", days[(place + 3) % 7], days[(place + 4) % 7]));
    for (when, counts) in [
        (format!("days = {days:?}"), true),
        (format!("days = {near}"), true),
        (format!("days = {far}"), false),
        (format!("hours = {around:?}"), true),
        (format!("hours = {past:?}"), false),
        (format!("hours = [{past:?}, {around:?}]"), true),
        (format!("days = {near}\nhours = {around:?}"), true),
        (format!("days = {far}\nhours = {around:?}"), false),
    ] {
        for (mode, effect, expected) in
            [("safe", "deny", if counts { "denied" } else { "done" }), ("read-only", "allow", if counts { "done" } else { "denied" })]
        {
            let rule = format!("mode = {mode:?}\n[[policy.rule]]\nname = \"window\"\neffect = {effect:?}\nmatch = \"touch .*\"\n{when}\n");
            let mut client = scene.client("", &rule);
            assert_eq!(scene.run(&mut client, "touch DIR/d").0, expected, "{rule}");
        }
    }
}

#[test]
fn a_rule_that_changes_counts_for_the_next_line_of_an_open_session() {
    let scene = Scene::start();
    let rule = |effect: &str| format!("mode = \"safe\"\n[[policy.rule]]\nname = \"changing\"\neffect = {effect:?}\nmatch = \"touch .*\"\n");
    let mut client = scene.client("", "mode = \"safe\"\n");
    assert_eq!(scene.run(&mut client, "export KEPT=7; touch DIR/e").0, "done");
    let file = client.folder().join("jackfield.toml");
    let change = |client: &mut Client, policy: &str, expected: &str| {
        std::fs::write(&file, scene.config("", policy)).unwrap();
        Command::new("kill").args(["-HUP", &client.process_id().to_string()]).status().unwrap();
        let mut looks = 0;
        while scene.run(client, "touch DIR/e").0 != expected {
            looks += 1;
            assert!(looks < 2000, "{policy}: {}", client.log());
            let _ = Command::new("sleep").arg("0.05").status();
        }
    };
    change(&mut client, &rule("deny"), "denied");
    change(&mut client, &rule("ask"), "approval_needed");
    change(&mut client, &rule("allow"), "done");
    change(&mut client, "mode = \"read-only\"\n", "denied");
    change(&mut client, &(rule("allow").replace("safe", "read-only")), "done");
    // What has an error changes nothing.
    std::fs::write(&file, scene.config("", &rule("deny").replace("match", "mach"))).unwrap();
    Command::new("kill").args(["-HUP", &client.process_id().to_string()]).status().unwrap();
    let mut looks = 0;
    while !client.log().contains("mach") {
        looks += 1;
        assert!(looks < 2000, "{}", client.log());
        let _ = Command::new("sleep").arg("0.05").status();
    }
    assert_eq!(scene.run(&mut client, "touch DIR/e").0, "done");
    assert_eq!(client.run("web1", "echo $KEPT")["output"], "7\n", "it is the same session");
}

//! A bastion whose menu leads on: steps in the configuration go through it.

use super::*;

/// Asks which device, then its password, and is that device's shell.
const MENU: &str = r#"#!/bin/bash
stty echo
printf 'Welcome to the bastion of the lab.\n 1) printer\n 3) core\n'
while :; do
  read -r -p 'Select a device: ' number || exit 1
  [ "$number" = 3 ] && break
  echo "no device '$number'"
done
if [ -e "$0.sure" ]; then
  read -r -p 'Others work there. Go on? [y/n] ' sure
fi
for try in 1 2 3; do
  read -r -s -p "Password of jft-bash on core: " word
  echo
  [ "$word" = "pass word 88" ] && break
  sleep 0.2
  echo 'Permission denied.'
  [ $try = 3 ] && exit 1
done
exec /bin/bash -i
"#;
const CORE: &str = "pass word 88";

fn bastion(folder: &Path) -> Sshd {
    account("jft-bash", Path::new("/bin/bash"));
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let menu = script(folder, "menu", MENU);
    Sshd::start_with(|_| format!("ForceCommand {}", menu.display()))
}

/// A device behind the menu with these steps: pattern, and what is done.
fn device(server: &Sshd, name: &str, steps: &[(&str, &str)]) -> String {
    let steps: String = steps.iter().map(|(expect, rest)| format!("[[device.{name}.login]]\nexpect = '{expect}'\n{rest}\n")).collect();
    format!("{}secrets.core = {{ env = \"JFT_CORE\" }}\n{steps}", server.device(name, "jft-bash", "linux"))
}

const SELECT: (&str, &str) = ("Select a device: $", "send = \"3\"");
const SURE: (&str, &str) = (r"\[y/n\] $", "send = \"y\"\noptional = true");
const PASS: (&str, &str) = ("(?i)password of .*: $", "secret = \"core\"");

#[test]
fn steps_lead_through_the_menu_of_a_bastion() {
    let folder = tempfile::tempdir().unwrap();
    let server = bastion(folder.path());
    let all = [SELECT, SURE, PASS];
    let config = [
        device(&server, "core", &all),
        device(&server, "found", &all).replace("type = \"linux\"", "type = \"auto\""),
        // Its steps are typed on every one of its sessions, and never on a channel beside them.
        server.device("bastion", "jft-bash", "linux"),
    ];
    let mut client = Client::start_with(&config.concat(), &[("JFT_CORE", CORE)]);
    is_exact(&mut client, "core");
    is_exact(&mut client, "core#2");
    carries_everything(&mut client, "core");
    fs::write(folder.path().join("menu.sure"), "").unwrap();
    client.call("ssh_close", json!({"session": "core"}));
    is_exact(&mut client, "core");
    is_exact(&mut client, "found");
    let exec = client.call("ssh_run", json!({"target": "core", "command": "id", "lane": "exec"}));
    assert!(exec["error"]["message"].as_str().unwrap().contains("only in a terminal"), "{exec}");
    client.has_written_no(CORE);
}

#[test]
fn a_step_that_fails_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = bastion(folder.path());
    let wrong = device(&server, "wrong", &[SELECT, PASS]).replace("JFT_CORE", "JFT_OLD");
    let config = [
        wrong,
        device(&server, "missing", &[SELECT, ("Which rack", "send = \"7\"")]),
        device(&server, "astray", &[(SELECT.0, "send = \"5\""), PASS]),
        device(&server, "stranger", &[("Token: $", "send = \"x\"")]),
    ];
    let mut client = Client::start_with(&config.concat(), &[("JFT_CORE", CORE), ("JFT_OLD", "pass word 55")]);
    for device in ["missing", "astray", "stranger"] {
        client.post("ssh_open", json!({"host": device, "wait_s": 44}));
    }
    let mut told: Vec<String> = (0..3).map(|_| client.answer().1["error"]["message"].as_str().unwrap_or_default().to_owned()).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "login step 1 of [device.stranger] waited 30 s for `Token: $`; the line shows: `Select a device:`",
            "login step 2 of [device.astray] waited 30 s for `(?i)password of .*: $`; the line shows: `Select a device:`",
            "login step 2 of [device.missing] waited 30 s for `Which rack`; the line shows: `Password of jft-bash on core:`",
        ]
    );
    for _ in 0..3 {
        let why = refused(&mut client, "wrong");
        let expected = "login step 2 of [device.wrong] typed the secret `core` and it was refused: the device asks again; the line shows: \
                        `Password of jft-bash on core:`; correct it first";
        assert_eq!(why, expected);
    }
    let why = refused(&mut client, "wrong");
    assert!(why.contains("the secret `core` of `wrong` was refused 3 times"), "{why}");
    client.has_written_no(CORE);
    client.has_written_no("pass word 55");
}

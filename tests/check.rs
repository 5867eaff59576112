//! `jackfield check`: what is wrong with a configuration, by line and with the nearest name.

use std::process::Command;

use serde_json::Value;

/// The exit status and what was printed.
pub fn check(config: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jackfield.toml");
    std::fs::write(&file, config).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_jackfield")).args(["check", "--config"]).arg(&file).output().unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr))
}

#[test]
fn a_good_file_is_told_to_be_good() {
    let (good, text) = check("[device.web1]\nhost = \"192.0.2.1\"\ntype = \"linux\"\n");
    assert!(good && text.contains("1 device"), "{text}");
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_the_nearest_name() {
    for (config, words) in [
        ("[device.web1]\nhots = \"192.0.2.1\"\n", ["hots", ":2", "host"]),
        ("[device.web1]\nhost = \"192.0.2.1\"\ntype = \"linx\"\n", ["linx", ":3", "linux"]),
        ("[device.web1]\nport = 99999\n", ["99999", ":2", "65535"]),
        ("[plugin.acme]\npath = \"/nonexistent.wasm\"\n", ["acme", ":1", "digest"]),
    ] {
        let (good, text) = check(config);
        assert!(!good, "{text}");
        for word in words {
            assert!(text.contains(word), "`{word}` is not in: {text}");
        }
    }
}

/// Each type that has it would tell it once more.
#[test]
fn what_is_wrong_with_a_plugin_is_told_once() {
    let used = "[type.one]\nplugins = [\"acme\"]\n[type.two]\nplugins = [\"acme\"]\n[device.web1]\nhost = \"192.0.2.1\"\ntype = \"one\"\n";
    let digest = format!("digest = \"sha256:{}\"\n", "0".repeat(64));
    for (digest, words) in [("", ":1:9: [plugin.acme] has a `path` and no `digest`; add"), (digest.as_str(), "cannot read plugin `acme`")] {
        let (good, text) = check(&format!("[plugin.acme]\npath = \"/nonexistent.wasm\"\n{digest}{used}"));
        assert!(!good && text.contains(words) && text.contains("\n1 problem in "), "{text}");
    }
}

/// Also where no device has a type, so that no plugin would be looked at.
#[test]
fn a_rule_that_would_never_count_is_told() {
    let rule = |bounds: &str| format!("[device.web1]\ntags = [\"core\"]\n[[policy.rule]]\nname = \"a\"\neffect = \"deny\"\n{bounds}\n");
    for (bounds, words) in [
        ("match = '\\p{L}+'", "is no regular expression"),
        ("match = 'reload'\ntags = \"cor\"", "did you mean `core`?"),
        ("match = 'reload'\ndevices = \"wbe1\"", "did you mean `web1`?"),
        ("match = 'reload'\ntypes = \"cisco_iso\"", "did you mean `cisco_ios`?"),
    ] {
        let (good, text) = check(&rule(bounds));
        assert!(!good && text.contains(words), "{bounds}: {text}");
    }
    let (good, text) = check(&rule("match = 'reload'\ntags = \"core\"\ndevices = \"web*\"\ntypes = \"cisco-ios\""));
    assert!(good, "{text}");
}

/// A program that reads JSON gets one object whatever is wrong.
#[test]
fn json_is_printed_also_where_there_is_nothing_to_check() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.toml");
    std::fs::write(&wrong, "[device.web1]\nhots = \"192.0.2.1\"\n").unwrap();
    let good = folder.path().join("good.toml");
    std::fs::write(&good, "[device.web1]\nhost = \"192.0.2.1\"\ntype = \"linux\"\n").unwrap();
    let json = |arguments: &[&str], file: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        let done = command.args(arguments).args(["--json", "--config"]).arg(file).env("XDG_STATE_HOME", folder.path()).output().unwrap();
        assert_eq!(done.status.code(), Some(1), "{arguments:?}");
        serde_json::from_slice::<Value>(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)))
    };
    let absent = folder.path().join("absent.toml");
    let checked = json(&["check"], &absent);
    assert!(checked["ok"] == false && checked["problems"][0].as_str().unwrap().contains("absent.toml"), "{checked}");
    for (arguments, file, word) in [
        (["doctor", "web1"], &absent, "absent.toml"),
        (["doctor", "web1"], &wrong, "hots"),
        (["doctor", "wbe1"], &good, "did you mean `web1`? `jackfield devices` lists them"),
    ] {
        let examined = json(&arguments, file);
        assert!(examined["ok"] == false && examined["steps"][0]["says"].as_str().unwrap().contains(word), "{word}: {examined}");
    }
}

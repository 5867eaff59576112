//! `jackfield check`: what is wrong with a configuration, by line and with the nearest name.

use std::process::Command;

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

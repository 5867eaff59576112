//! Whatever stands in a configuration is read or refused, in bounded time and without a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Asked, Files, Local, SshConfig, dump, glob, statement, words};

/// What the lines of a configuration are made of, and of what nobody would write.
const PIECES: [&str; 40] = [
    "Host ",
    "Match ",
    "Include ",
    "ProxyJump ",
    "ProxyCommand ",
    "LocalForward ",
    "RemoteForward ",
    "HostName ",
    "User ",
    "Port ",
    "SetEnv ",
    "SendEnv ",
    "IgnoreUnknown ",
    "IdentityFile ",
    "UserKnownHostsFile ",
    "ConnectTimeout ",
    "RekeyLimit ",
    "EscapeChar ",
    "IPQoS ",
    "host ",
    "all",
    "final ",
    "exec ",
    "!",
    "*",
    "?",
    ",",
    "\"",
    "'",
    "\\",
    "#",
    "=",
    " ",
    "\t",
    "%h",
    "%",
    "${HOME}",
    "${",
    "~",
    "[",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..PIECES.len()).prop_map(|index| PIECES[index].to_owned()),
        2 => Just("\n".to_owned()),
        2 => "[a-z0-9:/@.-]{1,6}",
        1 => any::<char>().prop_map(String::from),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(piece(), 0..120).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![9 => pieces, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

/// Reads it, resolves a name, and writes the result.
fn survive(content: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, content).unwrap();
    // Nothing is included but what lies in this folder.
    let who = Local { home: folder.path().to_owned(), ..Local::for_tests() };
    let Ok(config) = SshConfig::load(&Files { user: None, system: Some(path) }, &who) else { return };
    for name in config.names().iter().map(String::as_str).chain(["web1"]) {
        if let Ok(resolved) = config.resolve(name, &Asked::default()) {
            dump(&resolved);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn any_text_is_read_or_refused(content in text()) {
        survive(&content);
    }

    #[test]
    fn any_line_is_read_or_refused(line in "\\PC{0,80}") {
        let _ = statement::parse(&line);
        let _ = words::arguments(&line);
    }

    #[test]
    fn what_is_quoted_comes_back(word in "[ a-z\"'\\\\#=\t]{1,12}") {
        let quoted: String = word.chars().flat_map(|letter| if matches!(letter, '"' | '\\' | '\'') { vec!['\\', letter] } else { vec![letter] }).collect();
        prop_assert_eq!(words::arguments(&format!("\"{quoted}\"")), Some(vec![word]));
    }
}

#[test]
fn long_lines_and_many_stars_take_no_time() {
    let started = Instant::now();
    let stars = "*a".repeat(20_000);
    survive(format!("Host {stars}\nMatch host {stars}b\nPort 1\n").as_bytes());
    survive(format!("Host {}\n", "x ".repeat(30_000)).as_bytes());
    survive("Host *\nPort 1\n".repeat(50_000).as_bytes());
    survive(&vec![b'"'; 60_000]);
    glob::paths(&format!("/{}", "*[".repeat(2000)));
    assert!(started.elapsed() < Duration::from_secs(90), "it took {:?}", started.elapsed());
}

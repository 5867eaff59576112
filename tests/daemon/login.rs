//! What a server asks before there is a session, a one-time code for one, is asked at a person's own terminal.

use std::io::{Read as _, Write as _};

use jackfield::lab::Description;
use jackfield::limits::LOGIN_ANSWER_MAX;
use serde_json::Value;

use super::House;
use crate::support::lab::Devices;

const SWITCH: &str = include_str!("../../plugins/cisco-enable/lab.toml");
/// What the lab's switch takes for an answer.
const CODE: &str = "lab-switch-1";

/// A switch that asks for a code, and a house that has nothing to answer it with.
fn scene() -> (Devices, House) {
    let text = format!("auth = 'keyboard-interactive'\nauth_question = 'One-time code: '\n{SWITCH}");
    let devices = Devices::start(vec![Description::parse("switch1", &text).unwrap()]);
    let without: Vec<&str> = devices.config.lines().filter(|line| !line.starts_with("password = ")).collect();
    let house = House::new(&without.join("\n"));
    (devices, house)
}

/// The program in a terminal, where a person types this once the code is asked for; what was seen, and its status.
fn at_a_terminal(house: &House, arguments: &[&str], answer: &str) -> (String, Option<i32>) {
    talk(house, arguments, &[("One-time code:", answer)])
}

/// The program in a terminal, where a person answers each of these once it is asked behind the one before.
pub(crate) fn talk(house: &House, arguments: &[&str], dialog: &[(&str, &str)]) -> (String, Option<i32>) {
    let (mut terminal, inside) = pty_process::blocking::open().unwrap();
    terminal.resize(pty_process::Size::new(24, 200)).unwrap();
    let mut command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_jackfield"));
    for (name, value) in house.command(&[]).get_envs() {
        command = match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut process = command.args(arguments).spawn(inside).unwrap();
    let (mut seen, mut piece, mut heard, mut dialog) = (Vec::new(), [0; 4096], 0_usize, dialog.iter());
    let mut next = dialog.next();
    while let Ok(count @ 1..) = terminal.read(&mut piece) {
        seen.extend_from_slice(&piece[..count]);
        while let Some((asked, answer)) = next {
            let Some(at) = seen[heard..].windows(asked.len()).position(|part| part == asked.as_bytes()) else { break };
            heard += at + asked.len();
            terminal.write_all(format!("{answer}\r").as_bytes()).unwrap();
            next = dialog.next();
        }
    }
    (String::from_utf8_lossy(&seen).into_owned(), process.wait().unwrap().code())
}

#[test]
fn a_person_at_a_terminal_is_asked_what_the_login_asks_and_the_command_runs() {
    let (_devices, house) = scene();
    let (seen, status) = at_a_terminal(&house, &["run", "switch1", "--", "show version"], CODE);
    assert!(seen.contains("`switch1` asks whoever logs in as ") && seen.contains("One-time code:"), "{seen}");
    assert!(status == Some(0) && seen.contains("Version"), "{status:?} {seen}");
    assert!(!seen.contains(CODE), "the answer is not echoed: {seen}");
    house.said(&["close", "switch1"]);
    let (seen, status) = at_a_terminal(&house, &["open", "switch1"], CODE);
    assert!(status == Some(0) && seen.contains("switch1 opened: "), "{status:?} {seen}");
    house.said(&["close", "switch1"]);
    let (seen, status) = at_a_terminal(&house, &["doctor", "switch1"], CODE);
    assert!(status == Some(0) && seen.contains("logs in with") && !seen.contains(CODE), "{status:?} {seen}");
    let (seen, status) = at_a_terminal(&house, &["record", "switch1", "show version"], CODE);
    assert!(status == Some(0) && seen.contains("Version") && !seen.contains(CODE), "{status:?} {seen}");
    let (seen, status) = at_a_terminal(&house, &["open", "switch1"], "wrong");
    assert!(status == Some(1) && seen.contains("is not accepted") && !seen.contains("wrong"), "{status:?} {seen}");
}

#[test]
fn where_nobody_can_be_asked_it_is_said_who_asks_and_what_answers() {
    let (_devices, house) = scene();
    // These log in themselves: no other process has their questions.
    for arguments in [["doctor", "switch1"].as_slice(), &["hostkey", "update", "switch1"], &["record", "switch1", "show version"]] {
        let begun = std::time::Instant::now();
        let done = house.output(arguments);
        let told = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        let why = "it asks `One-time code:`, and nobody can be asked here: run this where standard input and output are a terminal";
        assert!(done.status.code() == Some(1) && told.contains(why), "{arguments:?}: {told}");
        assert!(begun.elapsed() < LOGIN_ANSWER_MAX / 2, "{arguments:?}: it waited");
    }
    let run = house.output(&["run", "switch1", "--", "show version"]);
    let told = String::from_utf8_lossy(&run.stderr);
    let asks = "`switch1` asks at login: `One-time code:`; `jackfield answer q1` takes the answer at a terminal, ";
    assert_eq!(told.trim_end(), format!("jackfield: {asks}then run it again; nothing was run"));
    assert_eq!(run.status.code(), Some(126));
    // The same login still waits.
    let run = house.output(&["run", "--json", "switch1", "--", "show version"]);
    let told: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (run.status.code(), told["state"].as_str(), told["question"].as_str()),
        (Some(126), Some("needs_input"), Some("q1")),
        "{told}"
    );
    let open = house.output(&["open", "switch1"]);
    let told = String::from_utf8_lossy(&open.stderr);
    assert_eq!((open.status.code(), told.trim_end()), (Some(255), format!("jackfield: {asks}and the login goes on").as_str()));
    let (seen, status) = at_a_terminal(&house, &["answer"], CODE);
    assert_eq!(status, Some(0), "{seen}");
    assert!(house.said(&["run", "switch1", "--", "show version"]).contains("Version"));
}

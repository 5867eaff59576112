//! Two agents, a person and somebody who watches, at random: order is kept, no byte is lost or comes twice, no lock is broken.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jackfield::guest::wire::{Rule, Say, Tell};
use serde_json::{Value, json};

use super::{HERE, House};
use crate::support::client::Client;
use crate::support::guest::Guest;
use crate::support::process::{pause, until};

/// How long it goes on: `JACKFIELD_MODEL_SECONDS`, else this.
const SECONDS: u64 = 20;
/// As [`jackfield::limits::TYPING_LEASE`]: a person hands back before agents are expected to get through.
const AGENTS: [&str; 2] = ["one", "two"];

/// Who may type, as far as the test knows.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    Nobody,
    Person,
    Agent(usize),
}

/// A command that an agent has posted.
struct Posted {
    token: String,
    /// Whoever had the input while it was on its way: one entry for each change.
    held: Vec<(Held, bool)>,
}

#[test]
#[expect(clippy::print_stdout, reason = "what is needed to see it again")]
fn whoever_does_what_nothing_is_lost_and_no_lock_is_broken() {
    let seconds = std::env::var("JACKFIELD_MODEL_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let seed = std::env::var("JACKFIELD_MODEL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("JACKFIELD_MODEL_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let house = House::new(HERE);
    let mut agents: Vec<Client> = AGENTS.iter().map(|name| house.client(name)).collect();
    agents[0].run("here", "PS1='$ '; bind 'set enable-bracketed-paste off'; true");
    let start = agents[0].call("ssh_sessions", json!({}))["sessions"][0]["log_bytes"].as_u64().unwrap();
    let mut person = Guest::come(house.state.path(), "anna", true);
    let mut watcher = Guest::come(house.state.path(), "ben", false);
    person.enter("here");
    watcher.enter("here");
    for guest in [&person, &watcher] {
        until("it is shown", || guest.take().iter().any(|told| matches!(told, Tell::Screen { .. })));
    }
    let before = at_rest(&mut agents[0], || drop(watcher.take()));
    assert!(before >= start);
    let (mut held, mut halted) = (Held::Nobody, false);
    let mut posted: [BTreeMap<u64, Posted>; 2] = Default::default();
    let mut seen: Vec<Tell> = Vec::new();
    let mut ran: Vec<String> = Vec::new();
    let (mut typed, mut refused, mut count) = (0, 0, 0);
    let begun = Instant::now();
    // Who waits for one that may not type waits for longer than this.
    let has_shown = |ran: &[String], typed: i32| typed > 0 && !ran.is_empty() || begun.elapsed() > Duration::from_secs(seconds + 100);
    while begun.elapsed() < Duration::from_secs(seconds) || !has_shown(&ran, typed) {
        let agent = random.usize(..2);
        match random.u32(..100) {
            // An agent's command, waited for only later.
            0..45 if posted[agent].len() < 3 => {
                count += 1;
                let token = format!("agent{agent}-{count}");
                let id = agents[agent].post("ssh_run", json!({"target": "here", "command": format!("echo {token}"), "wait_s": 40}));
                posted[agent].insert(id, Posted { token, held: vec![(held.clone(), halted)] });
            }
            45..60 => {
                if let Some(gone) = settle(&mut agents[agent], &mut posted[agent], agent) {
                    match gone {
                        Ok(token) => ran.push(token),
                        Err(()) => refused += 1,
                    }
                }
            }
            // The person types a command, in pieces, and hands back.
            60..75 => {
                count += 1;
                let line = format!("echo person-{count}");
                let (one, other) = line.split_at(random.usize(1..line.len()));
                person.types(one);
                pause(Duration::from_millis(random.u64(..60)));
                person.types(other);
                person.types("\r");
                pause(Duration::from_millis(150));
                act(&mut person, &Say::Unlock { session: "here".to_owned() });
                held = Held::Nobody;
                typed += 1;
            }
            75..80 => {
                act(&mut person, &Say::Lock { session: "here".to_owned(), rule: Rule::People, agent: None, seconds: None });
                held = Held::Person;
            }
            80..87 => {
                act(&mut person, &Say::Unlock { session: "here".to_owned() });
                held = Held::Nobody;
            }
            87..90 => {
                halted = random.bool();
                act(&mut person, &Say::Panic { on: halted });
            }
            90..95 if posted.iter().all(BTreeMap::is_empty) => {
                let taken = agents[agent].call("ssh_lock", json!({"session": "here", "action": "take", "ttl_s": 3000}));
                assert_eq!(taken["ok"] == true, matches!(&held, Held::Nobody) || held == Held::Agent(agent), "{held:?}: {taken}");
                if taken["ok"] == true {
                    held = Held::Agent(agent);
                }
            }
            95..98 if posted.iter().all(BTreeMap::is_empty) => {
                let given = agents[agent].call("ssh_lock", json!({"session": "here", "action": "force_release"}));
                assert_eq!(given["ok"] == true, held != Held::Person, "{held:?}: {given}");
                if given["ok"] == true {
                    held = Held::Nobody;
                }
            }
            _ => pause(Duration::from_millis(random.u64(..40))),
        }
        for commands in &mut posted {
            for command in commands.values_mut() {
                if command.held.last() != Some(&(held.clone(), halted)) {
                    command.held.push((held.clone(), halted));
                }
            }
        }
        seen.extend(watcher.take());
    }
    act(&mut person, &Say::Panic { on: false });
    act(&mut person, &Say::Unlock { session: "here".to_owned() });
    for (agent, (client, commands)) in agents.iter_mut().zip(&mut posted).enumerate() {
        while !commands.is_empty() {
            match settle(client, commands, agent) {
                Some(Ok(token)) => ran.push(token),
                Some(Err(())) => refused += 1,
                None => {}
            }
        }
    }
    // What was typed last has ended, and all of it was shown.
    let end = at_rest(&mut agents[0], || {});
    until("all of it was shown", || {
        seen.extend(watcher.take());
        let shown: usize = seen.iter().map(|told| if let Tell::Output { data } = told { data.0.len() } else { 0 }).sum();
        shown as u64 >= end - before || seen.iter().any(|told| matches!(told, Tell::Screen { .. } | Tell::Ended { .. }))
    });
    println!("{} commands of agents ran, {refused} were refused, the person typed {typed}", ran.len());
    assert!(typed > 0 && !ran.is_empty());
    // What was shown is the log, byte by byte.
    let mut shown = Vec::new();
    for told in &seen {
        match told {
            Tell::Output { data } => shown.extend_from_slice(&data.0),
            Tell::Screen { skipped, .. } => panic!("{skipped} bytes were skipped"),
            Tell::Ended { why } => panic!("it ended: {why}"),
            _ => {}
        }
    }
    let log = log(&mut agents[0], before);
    assert!(shown == log, "{} bytes were shown, {} are in the log", shown.len(), log.len());
    let text = String::from_utf8_lossy(&log).into_owned();
    for token in ran.iter().cloned().chain((1..=count).map(|number| format!("person-{number}"))) {
        let lines = text.lines().filter(|line| line.trim_end().rsplit(['\u{7}', '\r']).next() == Some(token.as_str())).count();
        let was_typed = text.contains(&format!("echo {token}\r"));
        assert_eq!(lines, usize::from(was_typed), "{token}");
        assert!(was_typed || token.starts_with("person"), "{token} ran and is not in the log");
    }
}

/// Waits until nothing comes any more, and looks away meanwhile; how long the log is then.
fn at_rest(agent: &mut Client, mut look_away: impl FnMut()) -> u64 {
    let mut log_bytes = || agent.call("ssh_sessions", json!({}))["sessions"][0]["log_bytes"].as_u64().unwrap();
    let mut before = log_bytes();
    loop {
        pause(Duration::from_millis(1500));
        look_away();
        let now = log_bytes();
        if now == before {
            return now;
        }
        before = now;
    }
}

/// Says something and waits until it is answered.
fn act(person: &mut Guest, said: &Say) {
    person.take();
    person.say(said);
    until("the person is answered", || person.answers() > 0);
}

/// Takes an agent's next answer: the token of what ran, or that it was refused.
fn settle(client: &mut Client, posted: &mut BTreeMap<u64, Posted>, agent: usize) -> Option<Result<String, ()>> {
    if posted.is_empty() {
        return None;
    }
    let (id, result) = client.answer();
    let command = posted.remove(&id)?;
    let may = |(held, halted): &(Held, bool)| !halted && (*held == Held::Nobody || *held == Held::Agent(agent));
    if result["ok"] == true {
        assert_eq!(result["output"], format!("{}\n", command.token), "{result}");
        assert_eq!(result["exit_code"], 0, "{result}");
        assert!(command.held.iter().any(may), "{} ran although {:?}", command.token, command.held);
        return Some(Ok(command.token));
    }
    let why = result["error"]["message"].as_str().unwrap_or_default();
    let known = ["has this session's input", "has stopped all input", "is typing here", "is busy with", "what a person has started"];
    assert!(known.iter().any(|known| why.to_lowercase().contains(&known.to_lowercase())), "{result}");
    Some(Err(()))
}

/// The log from an offset on.
fn log(client: &mut Client, from: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut offset = from;
    loop {
        let part: Value = client.call("ssh_output", json!({"session": "here", "offset": offset, "format": "base64", "max_chars": 100_000}));
        let more = STANDARD.decode(part["output"].as_str().unwrap()).unwrap();
        if more.is_empty() {
            return bytes;
        }
        bytes.extend_from_slice(&more);
        offset = part["range"]["end"].as_u64().unwrap();
    }
}

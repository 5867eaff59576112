//! Servers that attack: every one ends in a clear sentence or harms nothing, in bounded time and memory.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::{forget_memory, memory};
use crate::support::relay::{Manner, Relay};
use crate::support::sshd::{Sshd, account};

mod after_login;
mod before_login;
mod keys;

/// By so much the program may grow for a moment, whatever a server does.
const GROWTH_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// The longest error that a caller has to read: a server's words in it are cut.
const SENTENCE_MAX_BYTES: usize = 4096;

/// Calls a tool and watches the program's memory and time meanwhile; the result, and what is wrong with how it came.
fn watched(client: &mut Client, tool: &str, arguments: Value, most: Duration) -> (Value, Vec<String>) {
    let process = client.process_id();
    forget_memory(process);
    let (before, started) = (memory(process).0, Instant::now());
    let result = client.call(tool, arguments);
    let (took, peak) = (started.elapsed(), memory(process).1);
    let mut wrong = Vec::new();
    if took > most {
        wrong.push(format!("it took {took:?}"));
    }
    if peak.saturating_sub(before) > GROWTH_MAX_BYTES {
        wrong.push(format!("memory grew from {before} to {peak}"));
    }
    // The program answers the next call.
    let next = client.call("ssh_info", json!({"topic": "health"}));
    if next["ok"] != true {
        wrong.push(format!("then: {next}"));
    }
    (result, wrong)
}

/// What is wrong with an error that has to name the device and hold these words.
fn unclear(result: &Value, device: &str, words: &str) -> Vec<String> {
    // That of a call that failed, of a command that was lost, or of a login that waits.
    let why = [&result["error"]["message"], &result["failure"], &result["ask"]].iter().find_map(|why| why.as_str()).unwrap_or_default();
    let mut wrong = Vec::new();
    let names = why.contains(&format!("`{device}`"))
        || result["target"] == device
        || result["session"].as_str().is_some_and(|session| session.starts_with(device));
    if why.is_empty() || !names || !why.contains(words) {
        wrong.push(format!("no `{words}` of `{device}`: {}", short(&result.to_string())));
    }
    if why.len() > SENTENCE_MAX_BYTES {
        wrong.push(format!("the sentence has {} bytes", why.len()));
    }
    if why.chars().any(|char| char.is_control() && char != '\n' || char == '\u{202e}') {
        wrong.push(format!("the sentence is no plain text: {:?}", short(why)));
    }
    wrong
}

fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(700)]
}

/// The account's shell answers.
fn answers(client: &mut Client, device: &str) {
    let result = client.run(device, "echo fine");
    assert_eq!((result["output"].as_str(), result["exit_code"].as_i64()), (Some("fine\n"), Some(0)), "{result}");
}

fn told(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

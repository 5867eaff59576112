//! The least that a server on two pipes costs: it answers each line with the same result at once.
//!
//! It is this program again, started with [`WORD`] and the result.

use std::io::{BufRead, Write};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;

use crate::support::client::Client;

const WORD: &str = "--serve-floor";

/// Was this process started to be the floor?
pub fn is_wanted() -> bool {
    std::env::args().nth(1).is_some_and(|word| word == WORD)
}

/// Answers until nobody asks any more.
pub fn serve() {
    let result = std::env::args().nth(2).unwrap();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut line = String::new();
    while input.read_line(&mut line).unwrap() > 0 {
        // A notification has no number and gets no answer.
        if let Some((_, behind)) = line.split_once("\"id\":") {
            let id: String = behind.chars().take_while(char::is_ascii_digit).collect();
            let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}\n");
            output.write_all(answer.as_bytes()).unwrap();
            output.flush().unwrap();
        }
        line.clear();
    }
}

/// Starts it with the result of a real call, so that the client has as much to read.
pub fn start(result: &Value) -> Client {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(WORD).arg(result.to_string());
    Client::on(&mut command, Arc::new(tempfile::tempdir().unwrap()))
}

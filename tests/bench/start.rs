//! From nothing to a list of tools.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::figures::{Samples, compare, heading};
use crate::support::client::Client;

const ROUNDS: usize = 30;

pub fn run() {
    let (mut limit, mut ours) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        limit.take(cat);
        let client = ours.take(|| {
            let mut client = Client::start("");
            let list = client.request("tools/list", &json!({}));
            assert!(list["result"]["tools"].is_array(), "{list}");
            client
        });
        drop(client);
    }
    heading("process start to the answer to tools/list, with an empty configuration");
    compare(("`cat`, one line", &limit), ("jackfield mcp", &ours), "less than 50 ms");
}

/// The least that a process on two pipes takes.
fn cat() {
    let mut process = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
    writeln!(input, "{{}}").unwrap();
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    drop(input);
    process.wait().unwrap();
}

//! 100 MB of output.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::figures::{Samples, children_processor_time, compare, heading, peak_memory, processor_time, ratio};
use crate::raw::{Terminal, ssh};
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

const ROUNDS: u32 = 5;
const COMMAND: &str = "yes 0123456789012345678901234567890123456789012345678 | head -n 2000000";
const BYTES: usize = 100_000_000;
/// A terminal gives each newline a carriage return.
const TERMINAL_BYTES: usize = 102_000_000;

pub fn run() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    heading("100 MB of output; OpenSSH's client logs in each time");
    for (name, terminal, bytes, call) in [
        ("`ssh -tt host command`", Terminal::Yes, TERMINAL_BYTES, json!({"target": "web1"})),
        ("`ssh host command`", Terminal::No, BYTES, json!({"target": "web1", "lane": "exec"})),
    ] {
        let mut client = Client::start(&server.device("web1", "jfb-bash", "linux"));
        let mut first = call.clone();
        first["command"] = "true".into();
        client.call("ssh_run", first);
        let (mut limit, mut ours) = (Samples::default(), Samples::default());
        let (mut limit_cpu, mut our_cpu) = (Duration::ZERO, Duration::ZERO);
        let mut limit_memory = 0.0_f64;
        for _ in 0..ROUNDS {
            let before = children_processor_time();
            limit_memory = limit_memory.max(limit.take(|| through_ssh(&server, terminal, bytes)));
            limit_cpu += children_processor_time() - before;
            let before = processor_time(client.process_id());
            ours.take(|| through_a_session(&mut client, call.clone(), bytes));
            our_cpu += processor_time(client.process_id()) - before;
        }
        compare((name, &limit), (&format!("ssh_run {call}"), &ours), "at most 1.15");
        let seconds = [limit_cpu, our_cpu].map(|time| time.as_secs_f64());
        println!(
            "  processor time {:.2} s and {:.2} s, ratio {:.2}   (aim: at most 1.5)",
            seconds[0],
            seconds[1],
            ratio(our_cpu, limit_cpu)
        );
        let memory = peak_memory(client.process_id());
        println!("  peak memory {limit_memory:.0} MiB and {memory:.0} MiB, ratio {:.1}   (aim: less than 64 MiB)", memory / limit_memory);
    }
}

/// Gives the peak of its memory, in MiB.
fn through_ssh(server: &Sshd, terminal: Terminal, bytes: usize) -> f64 {
    let mut process = ssh(server, "jfb-bash", terminal).arg(COMMAND).spawn().unwrap();
    let mut output = process.stdout.take().unwrap();
    let (mut total, mut buffer, mut memory) = (0, vec![0; 64 * 1024], 0.0);
    loop {
        match output.read(&mut buffer).unwrap() {
            0 => break,
            count => total += count,
        }
        // Once, near the end: a process that has ended has no memory to tell of.
        if memory == 0.0 && total > bytes / 10 * 9 {
            memory = peak_memory(process.id());
        }
    }
    process.wait().unwrap();
    assert_eq!(total, bytes);
    memory
}

fn through_a_session(client: &mut Client, mut call: Value, bytes: usize) {
    call["command"] = COMMAND.into();
    call["wait_s"] = 45.into();
    let mut result = client.call("ssh_run", call);
    while result["state"] == "running" {
        let id = result["command_id"].clone();
        result = client.call("ssh_output", json!({"command_id": id, "wait_s": 45, "tail": 1}));
    }
    assert_eq!(result["range"]["total"].as_u64(), Some(bytes as u64), "{}", result["range"]);
    assert_eq!(result["exit_code"], 0);
}

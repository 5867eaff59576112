//! 100 MB of output.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::figures::{Samples, children_processor_time, compare, heading, peak_memory, processor_time, ratio};
use crate::raw::ssh;
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

const ROUNDS: u32 = 5;
const COMMAND: &str = "yes 0123456789012345678901234567890123456789012345678 | head -n 2000000";
/// What the terminal makes of it: each newline gets a carriage return.
const BYTES: usize = 102_000_000;

pub fn run() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jfb-bash", "linux"));
    client.run("web1", "true");
    let (mut limit, mut ours) = (Samples::default(), Samples::default());
    let (mut limit_cpu, mut our_cpu) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        let before = children_processor_time();
        limit.take(|| through_ssh(&server));
        limit_cpu += children_processor_time() - before;
        let before = processor_time(client.process_id());
        ours.take(|| through_a_session(&mut client));
        our_cpu += processor_time(client.process_id()) - before;
    }
    heading("100 MB of output through a terminal");
    compare(("`ssh -tt host command`, login included", &limit), ("ssh_run", &ours), "at most 1.3");
    println!("  processor time: {} s and {} s, ratio {:.2}", limit_cpu.as_secs_f64(), our_cpu.as_secs_f64(), ratio(our_cpu, limit_cpu));
    println!("  peak memory of the server process: {:.0} MiB   (aim: less than 80)", peak_memory(client.process_id()));
}

fn through_ssh(server: &Sshd) {
    let mut process = ssh(server, "jfb-bash").arg(COMMAND).spawn().unwrap();
    let mut output = process.stdout.take().unwrap();
    let (mut total, mut buffer) = (0, vec![0; 64 * 1024]);
    loop {
        match output.read(&mut buffer).unwrap() {
            0 => break,
            count => total += count,
        }
    }
    process.wait().unwrap();
    assert_eq!(total, BYTES);
}

fn through_a_session(client: &mut Client) {
    let mut result = client.call("ssh_run", json!({"target": "web1", "command": COMMAND, "wait_s": 45}));
    while result["state"] == "running" {
        let id = result["command_id"].clone();
        result = client.call("ssh_output", json!({"command_id": id, "wait_s": 45, "tail": 1}));
    }
    assert_eq!(result["range"]["total"].as_u64(), Some(BYTES as u64), "{}", result["range"]);
    assert_eq!(result["exit_code"], 0);
}

//! Commands on many sessions at once.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::figures::{Samples, compare, heading};
use crate::raw::{Loop, Terminal};
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

const SESSIONS: usize = 20;
const COMMANDS: usize = 200;
const ROUNDS: usize = 10;

pub fn run() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    heading("200 commands `true` on 20 sessions: all calls written at once, against 20 loops side by side");
    for (name, terminal, tty) in [("20 loops over `ssh -tt`", Terminal::Yes, true), ("20 loops over `ssh -T bash`", Terminal::No, false)] {
        let mut loops: Vec<Loop> = (0..SESSIONS).map(|_| Loop::start(&server, "jfb-bash", terminal)).collect();
        let mut client = Client::start(&server.device("web1", "jfb-bash", "linux"));
        for session in 0..SESSIONS {
            client.call("ssh_open", json!({"host": "web1", "name": format!("s{session}"), "tty": tty, "wait_s": 45}));
        }
        let calls: Vec<Value> =
            (0..COMMANDS).map(|index| json!({"target": format!("web1#s{}", index % SESSIONS), "command": "true"})).collect();
        let ask = |client: &mut Client| {
            for result in client.call_all("ssh_run", &calls) {
                assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{result}");
            }
        };
        side_by_side(&mut loops);
        ask(&mut client);
        let (mut limit, mut ours) = (Samples::default(), Samples::default());
        for _ in 0..ROUNDS {
            limit.add(side_by_side(&mut loops));
            ours.take(|| ask(&mut client));
        }
        compare((name, &limit), ("ssh_run, pipelined", &ours), "at most 1.0");
        let each = |samples: &Samples| samples.percentile(50).as_secs_f64() * 1e6 / COMMANDS as f64;
        println!("  per command {:.0} µs and {:.0} µs", each(&limit), each(&ours));
    }
}

/// Every loop runs its share.
fn side_by_side(loops: &mut [Loop]) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for shell in loops {
            scope.spawn(|| (0..COMMANDS / SESSIONS).for_each(|_| shell.run("true")));
        }
    });
    start.elapsed()
}

//! A command that does nothing, on a session that is there.

use std::path::Path;

use serde_json::json;

use crate::figures::{Samples, compare, heading};
use crate::raw::{Loop, Terminal};
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

const ROUNDS: usize = 500;
const WARM_UP: usize = 50;

pub fn run() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jfb-bash", "linux"));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    heading("warm round trip of `true`");
    for (name, terminal, target, aim) in [
        ("a loop over `ssh -tt`", Terminal::Yes, "web1", "at most 1.15"),
        ("a loop over `ssh -T bash`", Terminal::No, "web1#pipe", "at most 1.25"),
    ] {
        let mut raw = Loop::start(&server, "jfb-bash", terminal);
        let mut ask = |samples: &mut Samples| {
            let result = samples.take(|| client.call("ssh_run", json!({"target": target, "command": "true"})));
            assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{result}");
        };
        let (mut limit, mut ours, mut thrown_away) = (Samples::default(), Samples::default(), Samples::default());
        for _ in 0..WARM_UP {
            thrown_away.take(|| raw.run("true"));
            ask(&mut thrown_away);
        }
        for _ in 0..ROUNDS {
            limit.take(|| raw.run("true"));
            ask(&mut ours);
        }
        compare((name, &limit), (&format!("ssh_run on {target}"), &ours), aim);
    }
}

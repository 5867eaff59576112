//! A command that does nothing, on a session that is there.

use std::path::Path;

use serde_json::json;

use crate::figures::{Samples, compare, heading};
use crate::raw::Loop;
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account};

const ROUNDS: usize = 500;
const WARM_UP: usize = 50;

pub fn run() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jfb-bash", "linux"));
    let mut raw = Loop::start(&server, "jfb-bash");
    let (mut limit, mut ours) = (Samples::default(), Samples::default());
    let mut ask = |samples: &mut Samples| {
        let result = samples.take(|| client.call("ssh_run", json!({"target": "web1", "command": "true"})));
        assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{result}");
    };
    let mut thrown_away = Samples::default();
    for _ in 0..WARM_UP {
        thrown_away.take(|| raw.run("true"));
        ask(&mut thrown_away);
    }
    for _ in 0..ROUNDS {
        limit.take(|| raw.run("true"));
        ask(&mut ours);
    }
    heading("warm round trip of `true`");
    compare(("a loop over `ssh -tt`", &limit), ("ssh_run", &ours), "at most 1.3");
}

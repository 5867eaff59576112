//! A command that does nothing, on a session that is there.

use std::path::Path;

use jackfield::directory::LineKind;
use jackfield::policy::Purpose;
use jackfield::session::{Phase, RunRequest};
use serde_json::json;

use crate::figures::{Samples, compare, heading, show};
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

/// The same without the protocol: what the session costs by itself.
pub fn in_process() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = jackfield::config::Config::parse(&server.device("web1", "jfb-bash", "linux"), Path::new("jackfield.toml"), None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    heading("the same without the protocol: a session in this process");
    let directory = jackfield::startup::directory(config).unwrap();
    for kind in [LineKind::Terminal, LineKind::Pipe] {
        let mut samples = Samples::default();
        runtime.block_on(async {
            let id = jackfield::ids::SessionId::parse(if kind == LineKind::Pipe { "web1#pipe" } else { "web1" });
            let (session, _) = directory.open(&id, kind, (None, None)).await.unwrap();
            session.until(|status| status.phase == Phase::Ready).await;
            for _ in 0..ROUNDS {
                let start = std::time::Instant::now();
                let request = RunRequest::new("true", Purpose::Run, "bench");
                let mut accepted = session.run(request, std::time::Duration::from_secs(5)).await.unwrap();
                accepted.state.wait_for(|state| state.is_over()).await.unwrap();
                samples.add(start.elapsed());
            }
        });
        show(&format!("{kind:?}"), &samples);
    }
}

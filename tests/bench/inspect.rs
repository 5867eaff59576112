//! What a question to the plugins costs.

use std::time::{Duration, Instant};

use jackfield::config::{Config, PolicyMode};
use jackfield::plugin::catalog::Catalog;
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::roles::{Phase, Reading, View};
use jackfield::plugin::session::SessionPlugins;
use jackfield::policy::{self, Line, Manner, Purpose};

use crate::figures::heading;

const CALLS: u32 = 20_000;

pub fn run() {
    heading("one round of questions about a row: triggers, view, `prompt.inspect` in WebAssembly, answer");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let catalog = jackfield::startup::catalog(&Config::default()).unwrap();
    for (kind, row, recent) in [
        ("cisco_ios", "core-sw1(config-if)#", "Building configuration...\n\nCurrent configuration : 1234 bytes"),
        ("linux", "ops@web1:~$ ", "total 0"),
    ] {
        let plugins = catalog.plugins_of(kind).unwrap();
        let (each, search) = runtime.block_on(async {
            let kind = DeviceType::load(kind, &plugins, &catalog).await.unwrap();
            let start = Instant::now();
            for _ in 0..CALLS {
                for plugin in &kind.plugins {
                    std::hint::black_box(plugin.triggers.hits(std::hint::black_box(row)));
                }
            }
            let search = start.elapsed() / CALLS;
            let mut plugins = SessionPlugins::new(kind.into());
            let view = view(row, recent);
            let answer = plugins.ask(&view).await;
            assert!(matches!(answer.prompt, Some(Reading::Ready(_) | Reading::Settle(_))), "{answer:?}");
            let start = Instant::now();
            for _ in 0..CALLS {
                plugins.ask(&view).await;
            }
            (start.elapsed() / CALLS, search)
        });
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        println!(
            "  {kind:<12} {:>7.2} µs, of it the search for triggers {:.2} and the call {:.2}   (aim for the call: less than 5)",
            micros(each),
            micros(search),
            micros(each.saturating_sub(search))
        );
    }
    heading("what a command asks before it is typed, on `linux`");
    let plugins = catalog.plugins_of("linux").unwrap();
    runtime.block_on(async {
        let mut plugins = SessionPlugins::new(DeviceType::load("linux", &plugins, &catalog).await.unwrap().into());
        for command in ["true", "ls -la /var/log | sort -k5 -n | tail -20"] {
            let line = line(command);
            let start = Instant::now();
            for _ in 0..CALLS {
                assert!(policy::judge(&plugins, &line, PolicyMode::Safe).await.allows());
            }
            let judged = start.elapsed() / CALLS;
            let start = Instant::now();
            for _ in 0..CALLS {
                plugins.claim(command, "shell").await;
            }
            let claimed = start.elapsed() / CALLS;
            let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
            println!("  policy {:>7.2} µs, goals {:>7.2} µs   {command}", micros(judged), micros(claimed));
        }
    });
}

/// What plugins take for one command of a shell with marks: policy, and on a terminal goals and the prompt that comes back.
pub async fn around_a_command(catalog: &Catalog, on_terminal: bool) -> Duration {
    let plugins = catalog.plugins_of("linux").unwrap();
    let mut plugins = SessionPlugins::new(DeviceType::load("linux", &plugins, catalog).await.unwrap().into());
    let marks = ["C", "D;0;0123456789abcdef;/home/ops", "A;0123456789abcdef;uid=1000;pid=4711;st=0", "B"];
    let prompt = View {
        marks: marks.map(str::to_owned).to_vec(),
        prompt: Some("ops@web1:~$ ".to_owned()),
        mode: "shell".to_owned(),
        command: "true".to_owned(),
        ..view("ops@web1:~$ ", "")
    };
    let line = line("true");
    let start = Instant::now();
    for _ in 0..CALLS {
        assert!(policy::judge(&plugins, &line, PolicyMode::Safe).await.allows());
        if on_terminal {
            plugins.claim(line.text, line.mode).await;
            assert!(matches!(plugins.ask(&prompt).await.prompt, Some(Reading::Ready(_))));
        }
    }
    start.elapsed() / CALLS
}

fn line(text: &str) -> Line<'_> {
    Line {
        device: "web1",
        tags: &[],
        mode: "shell",
        privileged: false,
        cwd: None,
        manner: Manner::Typed,
        text,
        unknown: false,
        purpose: Purpose::Run,
        caller: "bench",
    }
}

pub fn view(row: &str, recent: &str) -> View {
    View {
        revision: 1,
        tail: row.to_owned(),
        recent: recent.to_owned(),
        marks: Vec::new(),
        phase: Phase::Running,
        prompt: None,
        mode: String::new(),
        command: "show running-config".to_owned(),
        echoed: true,
        rows_done: 0,
        bytes_since_send: 2048,
        quiet_ms: u32::try_from(Duration::from_secs(1).as_millis()).unwrap(),
        settle_ms: 150,
        goal: None,
        facts: vec![("nonce", "0123456789abcdef".into())],
    }
}

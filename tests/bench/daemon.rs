//! The daemon: how soon a client is served through it, what the way to it costs, and people who watch.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jackfield::daemon::hello::{Hello, Want};
use jackfield::guest::wire::Say;
use serde_json::{Value, json};

use crate::figures::{Samples, compare, heading, show};
use crate::support::client::state;
use crate::support::process::memory;

const ROUNDS: usize = 30;
const CALLS: usize = 2000;
const WATCHERS: usize = 200;
/// What the busy session prints.
const BUSY: &str = "for i in $(seq 40); do seq 5000; done >&1";

/// A state folder with a configuration of this machine alone.
struct Home {
    state: Arc<tempfile::TempDir>,
    config: PathBuf,
}

impl Home {
    fn new() -> Self {
        let state = state();
        let config = state.path().join("jackfield.toml");
        std::fs::write(&config, "[device.here]\nlocal = true\ntype = \"linux\"\n[policy]\nmode = \"full\"\n").unwrap();
        Self { state, config }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
        command.args(arguments).env("JACKFIELD_CONFIG", &self.config).env("XDG_STATE_HOME", self.state.path());
        command
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn daemon(&self) -> u32 {
        let status: Value = serde_json::from_str(&self.said(&["status", "--json"])).unwrap();
        u32::try_from(status["servers"][0]["process"].as_u64().unwrap()).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = self.command(&["stop", "--all", "--now"]).output();
    }
}

/// A client on raw lines.
struct Line {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Line {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut process = home.command(&[&["mcp"], arguments].concat()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut line = Self { process, input, output, last: 0 };
        let client = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
        line.ask("initialize", &client);
        writeln!(line.input, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
        line
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        writeln!(self.input, "{}", json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})).unwrap();
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            // News of sessions come in between.
            if message["id"] == self.last {
                return message;
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))
    }

    fn end(mut self) {
        drop(self.input);
        self.process.wait().unwrap();
    }
}

pub fn run() {
    let (mut own, mut cold, mut warm) = (Samples::default(), Samples::default(), Samples::default());
    let start = |home: &Home, arguments: &[&str]| {
        let mut line = Line::start(home, arguments);
        assert!(line.ask("tools/list", &json!({}))["result"]["tools"].is_array());
        line
    };
    let home = Home::new();
    for _ in 0..ROUNDS {
        own.take(|| start(&home, &["--in-process"])).end();
        cold.take(|| start(&home, &[])).end();
        home.said(&["stop", "--now"]);
    }
    let mut first = Line::start(&home, &[]);
    let empty = memory(home.daemon()).0;
    for _ in 0..ROUNDS {
        warm.take(|| start(&home, &[])).end();
    }
    heading("process start to the answer to tools/list");
    show("jackfield mcp --in-process", &own);
    show("jackfield mcp, the daemon is started (aim: 120 ms)", &cold);
    show("jackfield mcp, the daemon runs (aim: 30 ms)", &warm);
    let relay = memory(first.process.id()).0;
    println!("  memory: relay {:.1} MiB (aim: 6), daemon with no session {:.1} MiB (aim: 30)", mib(relay), mib(empty));
    // The same call with and without the way.
    let (mut direct, mut carried) = (Samples::default(), Samples::default());
    let mut within = Line::start(&home, &["--in-process"]);
    for _ in 0..CALLS {
        direct.take(|| within.call("ssh_info", json!({"topic": "limits"})));
        carried.take(|| first.call("ssh_info", json!({"topic": "limits"})));
    }
    within.end();
    heading("a call that needs no device, with the daemon between");
    compare(("in process", &direct), ("by the daemon", &carried), "60 µs more");
    first.end();
}

fn mib(bytes: u64) -> f64 {
    let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kib) / 1024.0
}

/// Somebody who watches: counts what it was sent. A slow one reads a little a second.
fn watch(home: &Home, slow: bool, bytes: &Arc<AtomicU64>) {
    let run = std::fs::read_dir(home.state.path().join("jackfield/run")).unwrap().flatten().map(|entry| entry.path());
    let socket = run.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "sock")).unwrap();
    let mut stream = UnixStream::connect(socket).unwrap();
    let want = Want::Guest { name: "watcher".to_owned(), by: "watch".to_owned(), may_type: false };
    let enter = Say::Enter { session: "here".to_owned(), columns: 0, rows: 0 };
    stream.write_all(format!("{}{}\n", Hello::new(want).line(), serde_json::to_string(&enter).unwrap()).as_bytes()).unwrap();
    let bytes = Arc::clone(bytes);
    std::thread::spawn(move || {
        let mut buffer = vec![0; if slow { 512 } else { 64 * 1024 }];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            bytes.fetch_add(count as u64, Ordering::Relaxed);
            if slow {
                #[expect(clippy::disallowed_methods, reason = "a thread of its own")]
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    });
}

/// A busy session with nobody and with many who watch, a quarter of them slow.
pub fn watched() {
    let home = Home::new();
    let mut line = Line::start(&home, &[]);
    let mut busy = |samples: &mut Samples| {
        samples.take(|| {
            let done = line.call("ssh_run", json!({"target": "here", "command": BUSY, "max_chars": 1000, "wait_s": 45}));
            assert_eq!(done["result"]["structuredContent"]["state"], "done", "{done}");
        });
    };
    let (mut alone, mut watched) = (Samples::default(), Samples::default());
    busy(&mut Samples::default());
    for _ in 0..10 {
        busy(&mut alone);
    }
    let before = memory(home.daemon()).0;
    let bytes = Arc::<AtomicU64>::default();
    for number in 0..WATCHERS {
        watch(&home, number % 4 == 0, &bytes);
    }
    let limit = Instant::now() + Duration::from_secs(20);
    while bytes.load(Ordering::Relaxed) < 200 * 200 && Instant::now() < limit {
        std::thread::yield_now();
    }
    for _ in 0..10 {
        busy(&mut watched);
    }
    let (after, most) = memory(home.daemon());
    heading(&format!("a command that prints 9 MB, alone and with {WATCHERS} who watch, a quarter of them slow"));
    compare(("nobody watches", &alone), ("they watch", &watched), "near 1: a session waits for nobody");
    println!(
        "  memory of the daemon: {:.0} MiB before, {:.0} after, {:.0} at most; {:.0} MiB were sent",
        mib(before),
        mib(after),
        mib(most),
        mib(bytes.load(Ordering::Relaxed))
    );
    line.end();
}

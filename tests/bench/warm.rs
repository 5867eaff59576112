//! A command that does nothing, on a session that is there.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jackfield::config::Config;
use jackfield::directory::{Directory, LineKind};
use jackfield::ids::SessionId;
use jackfield::plugin::device_type::DeviceType;
use jackfield::policy::Purpose;
use jackfield::session::{Phase, RunRequest};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::allocations;
use crate::figures::{Samples, compare, heading, ratio, show, time_on_processors};
use crate::floor;
use crate::inspect;
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
    let process = client.process_id();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let catalog = jackfield::startup::catalog(&Config::default()).unwrap();
    let plugins = catalog.plugins_of("linux").unwrap();
    let kind = runtime.block_on(DeviceType::load("linux", &plugins, &catalog)).unwrap();
    heading("warm round trip of `true`");
    for (name, terminal, target, aim) in [
        ("a loop over `ssh -tt`", Terminal::Yes, "web1", "at most 1.15"),
        ("a loop over `ssh -T bash`", Terminal::No, "web1#pipe", "at most 1.25"),
    ] {
        let mut raw = Loop::start(&server, "jfb-bash", terminal);
        let call = json!({"name": "ssh_run", "arguments": {"target": target, "command": "true"}});
        let mut least = floor::start(&client.request("tools/call", &call)["result"]);
        let mut floor = Samples::default();
        for _ in 0..ROUNDS {
            floor.take(|| least.request("tools/call", &call));
        }
        let mut marked = Loop::start_with_marks(&server, "jfb-bash", terminal, &kind);
        // In pairs: a third process between the two would leave each of them colder than its own work does.
        let mut beside = |other: &mut Loop| {
            let mut samples = [Samples::default(), Samples::default()];
            for round in 0..WARM_UP + ROUNDS {
                if round == WARM_UP {
                    samples = Default::default();
                }
                let [theirs, ours] = &mut samples;
                theirs.take(|| other.run("true"));
                let answer = ours.take(|| client.request("tools/call", &call));
                let result = &answer["result"]["structuredContent"];
                assert_eq!((result["state"].as_str(), result["exit_code"].as_i64()), (Some("done"), Some(0)), "{answer}");
            }
            samples
        };
        let before = time_on_processors(process);
        let [limit, ours] = beside(&mut raw);
        let own = (time_on_processors(process) - before) / u32::try_from(WARM_UP + ROUNDS).unwrap();
        let [with_marks, ours_then] = beside(&mut marked);
        show("a server that only answers: the floor", &floor);
        let ours_name = format!("ssh_run on {target}");
        compare((name, &limit), (&ours_name, &ours), aim);
        let [middle, high] = [50, 95].map(|percent| ratio(ours.percentile(percent), limit.percentile(percent) + floor.percentile(percent)));
        println!("  of it on a processor, for jackfield itself: {:.3} ms", own.as_secs_f64() * 1e3);
        println!("  ratio to loop and floor together: median {middle:.2}, p95 {high:.2}");
        let plugins = runtime.block_on(inspect::around_a_command(&catalog, terminal == Terminal::Yes));
        let share = 100.0 * plugins.as_secs_f64() / ours.percentile(50).as_secs_f64();
        println!("  of it in plugins: {:.1} µs, {share:.1} %   (aim: less than 3)", plugins.as_secs_f64() * 1e6);
        compare(("the loop with jackfield's marks", &with_marks), (&ours_name, &ours_then), "what is left beside equal ends");
    }
}

/// The same without the protocol: what the session costs by itself.
pub fn in_process() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let config = Config::parse(&server.device("web1", "jfb-bash", "linux"), Path::new("jackfield.toml"), None).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    heading("the same without the protocol: a session in this process");
    let directory = Arc::new(jackfield::startup::directory(config).unwrap());
    for (kind, name) in [(LineKind::Terminal, "web1"), (LineKind::Pipe, "web1#pipe")] {
        let mut samples = Samples::default();
        let count = runtime.block_on(async {
            let (session, _) = directory.open(&SessionId::parse(name), kind, (None, None)).await.unwrap();
            session.until(|status| status.phase == Phase::Ready).await;
            let mut count = Count::default();
            for round in 0..WARM_UP + ROUNDS {
                if round == WARM_UP {
                    (samples, count) = (Samples::default(), Count::start(&directory));
                }
                let start = Instant::now();
                let request = RunRequest::new("true", Purpose::Run, "bench");
                let mut accepted = session.run(request, Duration::from_secs(5)).await.unwrap();
                accepted.state.wait_for(|state| state.is_over()).await.unwrap();
                samples.add(start.elapsed());
            }
            count.per_command(&directory)
        });
        show(&format!("{kind:?}"), &samples);
        println!("  per command: {count}");
    }
    heading("the protocol in this process: calls as bytes to it, answers as bytes from it");
    for name in ["web1", "web1#pipe"] {
        let count = runtime.block_on(through_the_protocol(&directory, name));
        println!("  {name}: per command {count}");
    }
    runtime.block_on(directory.shut_down());
}

/// The client's part allocates nothing.
async fn through_the_protocol(directory: &Arc<Directory>, target: &str) -> String {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (read, write) = tokio::io::split(far);
    let serving = tokio::spawn(jackfield::mcp::serve(Arc::clone(directory), read, write));
    let (read, mut write) = tokio::io::split(near);
    let mut read = BufReader::new(read);
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = json!({"name": "ssh_run", "arguments": {"target": target, "command": "true"}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}).to_string() + "\n";
    let mut answer = Vec::with_capacity(64 * 1024);
    write.write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    read.read_until(b'\n', &mut answer).await.unwrap();
    write.write_all(format!("{ready}\n").as_bytes()).await.unwrap();
    let mut count = Count::default();
    for round in 0..WARM_UP + ROUNDS {
        if round == WARM_UP {
            count = Count::start(directory);
        }
        answer.clear();
        write.write_all(call.as_bytes()).await.unwrap();
        read.read_until(b'\n', &mut answer).await.unwrap();
    }
    let count = count.per_command(directory);
    assert!(String::from_utf8_lossy(&answer).contains("\"state\":\"done\""), "{}", String::from_utf8_lossy(&answer));
    drop((read, write));
    serving.await.unwrap().unwrap();
    count
}

/// What was counted before.
#[derive(Default)]
struct Count {
    allocations: u64,
    plugin_calls: u64,
}

impl Count {
    fn start(directory: &Directory) -> Self {
        let world = directory.world();
        let catalog = &world.catalog;
        let loaded = catalog.plugin_names().into_iter().filter_map(|name| catalog.loaded(&name));
        let plugin_calls = loaded.map(|plugin| plugin.calls()).sum();
        Self { plugin_calls, allocations: allocations::so_far() }
    }

    fn per_command(&self, directory: &Directory) -> String {
        let now = allocations::so_far();
        let each = |before: u64, now: u64| (now - before) as f64 / ROUNDS as f64;
        let calls = each(self.plugin_calls, Self::start(directory).plugin_calls);
        format!("{:.0} allocations, {calls:.2} calls into WebAssembly", each(self.allocations, now))
    }
}

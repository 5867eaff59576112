//! Connecting, sessions that do nothing, and bytes through forwards, against OpenSSH's own client.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jackfield::plugin::roles::{Decision, Effect};
use jackfield::policy::{self, Verdict};
use jackfield::transport::LineEvent;
use jackfield::transport::host_key::Learning;
use jackfield::transport::ssh::{Connection, KeyFile, Manner, Offer, Target, Way};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session};
use russh::{Channel, ChannelId, Pty};
use serde_json::{Value, json};

use crate::figures::{Samples, compare, heading, show};
use crate::raw::{Terminal, ssh};
use crate::support::client::Client;
use crate::support::sshd::{Sshd, account, free_port};
use crate::support::until_listens;

const ROUNDS: usize = 30;
/// Bytes through a forward.
const BYTES: usize = 512 << 20;

fn target(server: &Sshd) -> Target {
    Target {
        device: "web1".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: server.port,
        host_key_alias: None,
        way: Way::Direct,
        user: "jfb-bash".to_owned(),
        login_suffix: String::new(),
        keys: vec![KeyFile { path: server.folder.path().join("id"), optional: false }],
        certificates: Vec::new(),
        passphrase: None,
        password: None,
        answers: Vec::new(),
        questions: None,
        agents: Vec::new(),
        forward_agent: false,
        named_keys_only: false,
        learning: Learning::default(),
        known_hosts: vec![server.folder.path().join("known_hosts")],
        revoked: None,
        keepalive: None,
        offer: Offer::default(),
        manner: Manner::default(),
        notes: Vec::new(),
        bulk: false,
        terminal: "xterm-256color".to_owned(),
        size: (200, 50),
    }
}

/// Runs `true` on a channel of its own.
async fn run_true(connection: &Connection) {
    let decision = Decision { effect: Effect::Allow, rule: String::new(), reason: String::new() };
    let program = policy::program(&Verdict::of(decision), "true").unwrap();
    let mut line = connection.program(&program).await.unwrap();
    while !matches!(line.reader.next().await, LineEvent::Exit(Ok(0))) {}
}

pub fn connect() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let target = target(&server);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut limit, mut ours) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        limit.take(|| assert!(ssh(&server, "jfb-bash", Terminal::No).arg("true").stdin(Stdio::null()).status().unwrap().success()));
        ours.take(|| runtime.block_on(async { run_true(&Connection::open(&target).await.unwrap()).await }));
    }
    heading("connect, log in with a key, run `true`, end");
    compare(("ssh … true", &limit), ("a connection of jackfield's", &ours), "at most 1.1");
    // A further session on a connection that is there, against what any channel costs.
    runtime.block_on(async {
        let connection = Connection::open(&target).await.unwrap();
        let (mut channel, mut session) = (Samples::default(), Samples::default());
        for _ in 0..ROUNDS {
            let start = std::time::Instant::now();
            run_true(&connection).await;
            channel.add(start.elapsed());
            let start = std::time::Instant::now();
            let line = connection.terminal(&target).await.unwrap();
            session.add(start.elapsed());
            drop(line);
        }
        heading("on a connection that is there");
        compare(("a channel that runs `true`", &channel), ("a channel with a terminal and a shell", &session), "less than 1.2");
    });
}

/// A server whose sessions show a prompt and echo lines; it costs next to nothing.
struct Idle;

impl Handler for Idle {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(&mut self, _: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        session.data(channel, "\r\nedge1#")
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let text = String::from_utf8_lossy(data);
        let answer = if text.ends_with('\r') { format!("{}\r\n\r\nedge1#", text.trim_end()) } else { text.into_owned() };
        session.data(channel, answer)
    }
}

/// Starts it; it runs as long as the process.
fn idle_server(folder: &Path) -> String {
    let key = PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[9; 32])), "").unwrap();
    let public = key.public_key().to_openssh().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // russh's server takes a second to say no to a login without a password.
            let config = Arc::new(Config { keys: vec![key], auth_rejection_time: Duration::ZERO, ..Config::default() });
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                tokio::spawn(async { russh::server::run_stream(config, stream, Idle).await.unwrap().await });
            }
        });
    });
    let known = folder.join("known");
    fs::write(&known, format!("[127.0.0.1]:{port} {public}\n")).unwrap();
    format!(
        "[device.edge1]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"bob\"\ntype = \"cisco_ios\"\nagent = false\nknown_hosts = \"{}\"\npassword = {{ env = \"JFB_PASSWORD\" }}\n[limits]\nsessions = 8192\n",
        known.display()
    )
}

fn resident_kib(process: u32) -> f64 {
    let status = fs::read_to_string(PathBuf::from(format!("/proc/{process}/status"))).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

pub fn idle() {
    let folder = tempfile::tempdir().unwrap();
    let config = idle_server(folder.path());
    let mut client = Client::start_with(&config, &[("JFB_PASSWORD", "x")]);
    client.call("ssh_open", json!({"host": "edge1", "name": "first", "wait_s": 45}));
    let base = resident_kib(client.process_id());
    heading("memory of sessions that do nothing, each with a connection of its own (aim: at most 120 KiB each)");
    println!("  with one session {:.1} MiB", base / 1024.0);
    let mut open = 0;
    for count in [100, 1_000, 5_000] {
        while open < count {
            let next = (open + 50).min(count);
            let calls: Vec<Value> =
                (open..next).map(|number| json!({"host": "edge1", "name": format!("s{number}"), "wait_s": 45})).collect();
            for result in client.call_all("ssh_open", &calls) {
                assert_eq!(result["state"], "ready", "{result}");
            }
            open = next;
        }
        let now = resident_kib(client.process_id());
        println!("  {count:>5} sessions: {:.1} MiB, {:.0} KiB each", now / 1024.0, (now - base) / count as f64);
    }
}

/// Answers a connection with so many bytes, or takes as many.
fn source() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let block = vec![0x5a; 1 << 20];
        for mut stream in listener.incoming().flatten() {
            let mut left = BYTES;
            while left > 0 && stream.write_all(&block[..left.min(block.len())]).is_ok() {
                left -= left.min(block.len());
            }
            let _ = stream.shutdown(Shutdown::Write);
        }
    });
    port
}

fn drain(port: u16) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut block, mut count) = (vec![0; 1 << 20], 0);
    while let Ok(read @ 1..) = stream.read(&mut block) {
        count += read;
    }
    assert_eq!(count, BYTES);
}

pub fn forward() {
    account("jfb-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let (source, theirs) = (source(), free_port());
    let mut command = ssh(&server, "jfb-bash", Terminal::No);
    // The options stand before the destination.
    let arguments: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    command = Command::new("ssh");
    command.args(["-N", "-L", &format!("{theirs}:127.0.0.1:{source}")]).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let mut forwarding = command.spawn().unwrap();
    until_listens("127.0.0.1", theirs, "ssh -L");
    let mut client = Client::start(&format!("{}\n[policy]\nmode = \"full\"\n", server.device("web1", "jfb-bash", "linux")));
    client.call("ssh_open", json!({"host": "web1"}));
    let opened = client.call("ssh_forward", json!({"session": "web1", "action": "open", "to": format!("127.0.0.1:{source}")}));
    let ours_at: u16 = opened["listen"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let (mut limit, mut ours) = (Samples::default(), Samples::default());
    for _ in 0..5 {
        limit.take(|| drain(theirs));
        ours.take(|| drain(ours_at));
    }
    heading("512 MiB through a local forward");
    compare(("ssh -L", &limit), ("ssh_forward", &ours), "at most 1.3");
    let _ = (forwarding.kill(), forwarding.wait());
    let mut plain = Samples::default();
    plain.take(|| drain(source));
    show("without SSH", &plain);
}

//! What a server can do before anybody logs in: it needs no key for that.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use jackfield::limits::CONNECTS_TO_ONE_HOST;

use super::*;
use crate::support::process::until;

/// Before anything is given up for the time that it takes.
const SOON: Duration = Duration::from_secs(15);
const VERSION: &[u8] = b"SSH-2.0-hostile\r\n";

/// A server that does this to each connection, on a port of its own.
fn server(serve: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // That the other side has gone is what is hoped for.
            let _ = serve(&mut stream);
        }
    });
    port
}

fn device(name: &str, port: u16) -> String {
    format!(
        "[device.{name}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"bob\"\ntype = \"linux\"\nagent = false\nknown_hosts = \"/dev/null\"\n"
    )
}

fn with_length(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}

/// A packet in clear (RFC 4253 section 6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 12 - (payload.len() + 1) % 8;
    with_length(&[&[u8::try_from(padding).unwrap()][..], payload, &vec![0; padding]].concat())
}

/// The offer with these lists; what is not listed is what everybody has.
fn offer(kex: &str, keys: &str, ciphers: &str) -> Vec<u8> {
    let lists = [kex, keys, ciphers, ciphers, "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""];
    let lists: Vec<u8> = lists.iter().flat_map(|list| with_length(list.as_bytes())).collect();
    packet(&[&[20][..], &[7; 16], &lists, &[0; 5]].concat())
}

fn usual_offer() -> Vec<u8> {
    offer("curve25519-sha256", "ssh-ed25519", "aes256-gcm@openssh.com")
}

/// Reads what the client says until it waits for an answer.
fn heard(stream: &mut TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let mut piece = [0; 4096];
    while let Ok(1..) = stream.read(&mut piece) {}
}

/// Says this and waits until the client goes.
fn says(stream: &mut TcpStream, words: &[&[u8]]) -> std::io::Result<()> {
    for part in words {
        stream.write_all(part)?;
    }
    let mut piece = [0; 4096];
    while let Ok(1..) = stream.read(&mut piece) {}
    Ok(())
}

/// Says this for ever.
fn without_end(stream: &mut TcpStream, first: &[u8], words: &[u8]) -> std::io::Result<()> {
    stream.write_all(first)?;
    loop {
        stream.write_all(words)?;
    }
}

/// The server's half of an exchange over Curve25519 with this point, and a signature of nothing.
fn reply(point: &[u8]) -> Vec<u8> {
    let key = [with_length(b"ssh-ed25519"), with_length(&[9; 32])].concat();
    let signature = [with_length(b"ssh-ed25519"), with_length(&[9; 64])].concat();
    packet(&[&[31][..], &with_length(&key), &with_length(point), &with_length(&signature)].concat())
}

type Serve = Box<dyn Fn(&mut TcpStream) -> std::io::Result<()> + Send>;

/// Each attack with what has to be said of it.
fn attacks() -> Vec<(String, Serve, &'static str)> {
    let named = |name: &str, serve: Serve, words: &'static str| (name.to_owned(), serve, words);
    let half = |point: &'static [u8]| -> Serve {
        Box::new(move |stream| {
            stream.write_all(VERSION)?;
            stream.write_all(&usual_offer())?;
            heard(stream);
            says(stream, &[&reply(point)])
        })
    };
    let many = |count: usize, name: &str| vec![name; count].join(",");
    let (short_names, odd_names) = (many(100_000, "x"), many(900, "\u{1b}[2Jowned"));
    let mut all = vec![
        named("version-line", Box::new(|stream| without_end(stream, b"SSH-2.0-", &[b'x'; 8192])), "SSH version"),
        named("first-lines", Box::new(|stream| without_end(stream, b"", &b"hello\r\n".repeat(1000))), "SSH version"),
        named("empty-lines", Box::new(|stream| without_end(stream, b"", &[b'\n'; 8192])), "SSH version"),
        named("no-line", Box::new(|stream| without_end(stream, b"", &[0; 8192])), "SSH version"),
        named("web", Box::new(|stream| says(stream, &[b"HTTP/1.1 400 Bad Request\r\nServer: web\r\n\r\n", &[b'x'; 300]])), "SSH version"),
        named("version-1", Box::new(|stream| says(stream, &[b"SSH-1.5-old\r\n", &[b'x'; 300]])), "SSH version"),
        named("huge-packet", Box::new(|stream| without_end(stream, VERSION, &[0x40, 0, 0, 0, 5, 20, 0, 0])), "packet"),
        named("largest-packet", Box::new(|stream| without_end(stream, VERSION, &[0xff; 8192])), "packet"),
        named("empty-packet", Box::new(|stream| without_end(stream, VERSION, &[0; 8192])), "packet"),
        named("padding-beyond", Box::new(|stream| says(stream, &[VERSION, &[0, 0, 0, 12, 255, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])), ""),
        named(
            "many-names",
            Box::new(move |stream| says(stream, &[VERSION, &offer(&short_names, "ssh-ed25519", "aes256-ctr")])),
            "it sent a malformed packet",
        ),
        named(
            "odd-names",
            Box::new(move |stream| says(stream, &[VERSION, &offer(&odd_names, "ssh-ed25519", "aes256-ctr")])),
            "no key exchange in common",
        ),
        named("no-names", Box::new(|stream| says(stream, &[VERSION, &offer("", "", "")])), "no key exchange in common"),
        named(
            "cut-names",
            Box::new(|stream| says(stream, &[VERSION, &packet(&[&[20][..], &[7; 16], &[0xff, 0xff, 0xff, 0xff, b'x']].concat())])),
            "",
        ),
        named("offers", Box::new(|stream| without_end(stream, VERSION, &usual_offer())), ""),
        named(
            "goodbye",
            Box::new(|stream| {
                let text = "\u{1b}[2J\u{202e}\r\nall is well ".repeat(3000);
                let parts = [&[1, 0, 0, 0, 2][..], &with_length(text.as_bytes()), &with_length(b"en")].concat();
                says(stream, &[VERSION, &usual_offer(), &packet(&parts)])
            }),
            "the device ended the connection",
        ),
        named("zero-point", half(&[0; 32]), ""),
        named("short-point", half(&[9; 3]), ""),
        named("no-point", half(&[]), ""),
        named("long-point", half(&[9; 20_000]), ""),
        // The host key comes first: it is not known.
        named("wrong-signature", half(&[9; 32]), ""),
        named("closes-at-once", Box::new(|_| Ok(())), ""),
        named("closes-in-version", Box::new(|stream| stream.write_all(b"SSH-2.0-ho")), ""),
        named("closes-in-offer", Box::new(|stream| stream.write_all(&[VERSION, &usual_offer()[..50]].concat())), ""),
        named(
            "closes-in-exchange",
            Box::new(|stream| {
                stream.write_all(&[VERSION, &usual_offer()].concat())?;
                heard(stream);
                Ok(())
            }),
            "",
        ),
    ];
    for seed in 0..8 {
        let random: Serve = Box::new(move |stream| {
            let mut dice = fastrand::Rng::with_seed(seed);
            let mut bytes = vec![0; 100_000];
            dice.fill(&mut bytes);
            // Half of the seeds give a length that is taken.
            if seed % 2 == 0 {
                bytes.splice(..4, [0, 0, 1, 0]);
            }
            says(stream, &[VERSION, &bytes])
        });
        all.push((format!("random-{seed}"), random, ""));
    }
    all
}

#[test]
fn every_attack_before_the_login_ends_in_a_sentence() {
    account("jft-bash", Path::new("/bin/bash"));
    let healthy = Sshd::start();
    let mut config = healthy.device("healthy", "jft-bash", "linux");
    let mut rows = Vec::new();
    for (name, serve, words) in attacks() {
        config += &device(&name, server(serve));
        rows.push((name, words));
    }
    let mut client = Client::start(&config);
    answers(&mut client, "healthy");
    let mut wrong = Vec::new();
    for (name, words) in &rows {
        let (result, how) = watched(&mut client, "ssh_open", json!({"host": name, "wait_s": 40}), SOON);
        let all = how.into_iter().chain(unclear(&result, name, words));
        wrong.extend(all.map(|why| format!("{name}: {why}")));
    }
    answers(&mut client, "healthy");
    told(&wrong);
}

#[test]
fn a_server_that_says_a_byte_now_and_then_is_given_up_in_time() {
    let mut config = String::new();
    let ways: [(&str, &'static [u8], &'static [u8]); 4] = [
        ("in-line", b"", b"x"),
        ("in-lines", b"", b"\n"),
        ("in-packet", b"SSH-2.0-hostile\r\n\x00\x00\x80\x00", b"x"),
        // Whole packets, of which nothing comes: one to be ignored.
        ("in-packets", VERSION, &[0, 0, 0, 12, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for (name, first, again) in ways {
        config += &device(
            name,
            server(move |stream| {
                stream.write_all(first)?;
                loop {
                    heard(stream);
                    heard(stream);
                    for _ in 0..15 {
                        heard(stream);
                    }
                    stream.write_all(again)?;
                }
            }),
        );
    }
    let mut client = Client::start(&config);
    let started = Instant::now();
    let calls: Vec<u64> = ways.iter().map(|(name, ..)| client.post("ssh_open", json!({"host": name, "wait_s": 40}))).collect();
    for _ in &ways {
        let (id, result) = client.answer();
        let name = ways[calls.iter().position(|call| *call == id).unwrap()].0;
        told(&unclear(&result, name, "did not finish the key exchange within 20 s"));
    }
    assert!(started.elapsed() < Duration::from_secs(38), "{:?}", started.elapsed());
}

#[test]
fn a_server_that_goes_at_any_stage_is_told_as_gone() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let known = server.folder.path().join("known_hosts");
    let key = fs::read_to_string(&known).unwrap().trim().split_once(' ').unwrap().1.to_owned();
    let mut lines = String::new();
    let mut behind = |name: &str, relay: &Relay| {
        writeln!(lines, "[127.0.0.1]:{} {key}", relay.port).unwrap();
        fs::write(&known, &lines).unwrap();
        server.device(name, "jft-bash", "linux").replace(&format!("port = {}\n", server.port), &format!("port = {}\n", relay.port))
    };
    // So many bytes it says until a program has ended.
    let whole = Relay::start(server.port, Manner::Whole);
    let mut client = Client::start(&behind("whole", &whole));
    let run = |client: &mut Client, device: &str| {
        watched(client, "ssh_run", json!({"target": device, "command": "echo fine", "lane": "exec"}), SOON)
    };
    assert_eq!(run(&mut client, "whole").0["output"], "fine\n");
    let all = whole.passed();
    assert!(all > 2000, "{all}");
    let stages: Vec<usize> = (0..24).map(|part| all * part / 26 + 1).collect();
    let config: String =
        stages.iter().map(|bytes| behind(&format!("gone-{bytes}"), &Relay::start(server.port, Manner::Closes(*bytes)))).collect();
    let mut client = Client::start(&config);
    let mut wrong = Vec::new();
    for bytes in stages {
        let name = format!("gone-{bytes}");
        let (result, how) = run(&mut client, &name);
        wrong.extend(how.into_iter().chain(unclear(&result, &name, "")).map(|why| format!("{name} of {all}: {why}")));
    }
    told(&wrong);
}

/// Servers refuse those who all come at once.
#[test]
fn devices_of_unknown_type_wait_for_their_turn_at_a_busy_host_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = Arc::<Mutex<Vec<TcpStream>>>::default();
    let keeps = Arc::clone(&held);
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| keeps.lock().unwrap().push(stream)));
    let names: Vec<String> = (0..CONNECTS_TO_ONE_HOST + 4).map(|number| format!("unknown{number}")).collect();
    let config: String = names.iter().map(|name| device(name, port).replace("type = \"linux\"\n", "")).collect();
    let mut client = Client::start(&config);
    for name in &names {
        client.post("ssh_open", json!({"host": name, "wait_s": 10}));
    }
    until("they come", || held.lock().unwrap().len() >= CONNECTS_TO_ONE_HOST);
    for _ in &names {
        client.answer();
    }
    assert_eq!(held.lock().unwrap().len(), CONNECTS_TO_ONE_HOST);
}

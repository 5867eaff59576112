//! OpenSSH with one algorithm of each kind, one login and one way at a time: together the servers cover every pair of what both sides know.

use std::collections::BTreeSet;

use super::*;
use crate::support::process::until;
use crate::support::sshd::free_port;
use crate::support::until_listens;

/// Servers that are talked to at the same time.
const AT_ONCE: usize = 8;

/// Ways to log in. A server takes the one of its row and no other.
const LOGINS: [&str; 7] = ["ed25519 key", "rsa key", "ecdsa key", "certificate", "agent", "password", "questions"];

/// How many hosts the way leads over.
const JUMPS: [&str; 4] = ["straight", "over 1", "over 2", "over 3"];

/// What a server allows, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    kex: String,
    key: String,
    cipher: String,
    mac: String,
    login: &'static str,
    way: &'static str,
}

/// What a server is told of a way to log in, and a device.
fn login(folder: &Path, name: &str) -> (String, String) {
    let path = |name: &str| folder.join(name).display().to_string();
    let keys = |file: &str| format!("AuthenticationMethods publickey\nUsePAM no\nAuthorizedKeysFile {}\n", path(file));
    let key = |name: &str| (keys(&format!("{name}.pub")), format!("key = \"{}\"\nagent = false\n", path(name)));
    let word = "password = { env = \"JFT_WORD\" }\nagent = false\n".to_owned();
    match name {
        "ed25519 key" => key("id"),
        "rsa key" => key("id-rsa"),
        "ecdsa key" => key("id-ecdsa"),
        "certificate" => {
            let server = format!(
                "AuthenticationMethods publickey\nUsePAM no\nAuthorizedKeysFile none\nTrustedUserCAKeys {}\n",
                path("authority.pub")
            );
            (server, format!("key = \"{}\"\nagent = false\n", path("id-certified")))
        }
        "agent" => (keys("id-agent.pub"), format!("agent = \"{}\"\n", path("agent"))),
        "password" => ("AuthenticationMethods password\nUsePAM no\nPasswordAuthentication yes\n".to_owned(), word),
        _ => ("AuthenticationMethods keyboard-interactive\nUsePAM yes\nKbdInteractiveAuthentication yes\n".to_owned(), word),
    }
}

/// The keys of users, and the agent that has one of them.
fn users(folder: &Path, processes: &mut Vec<Running>) {
    let path = |name: &str| folder.join(name);
    for (name, kind, bits) in [
        ("id", "ed25519", "256"),
        ("id-rsa", "rsa", "3072"),
        // Of the shortest kind the library does not read one in 256.
        ("id-ecdsa", "ecdsa", "384"),
        ("id-certified", "ed25519", "256"),
        ("id-agent", "ed25519", "256"),
        ("authority", "ed25519", "256"),
    ] {
        key_pair(&path(name), kind, bits);
    }
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-s"]).arg(path("authority")).args(["-I", "user", "-n", "jft-bash", "-V", "+1h"]).arg(path("id-certified.pub"));
    must(&mut sign);
    processes.push(Running::start(Command::new("ssh-agent").arg("-D").arg("-a").arg(path("agent"))));
    until("the agent listens", || path("agent").exists());
    must(Command::new("ssh-add").arg("-q").arg(path("id-agent")).env("SSH_AUTH_SOCK", path("agent")));
    // What the agent signs with is nowhere else.
    fs::remove_file(path("id-agent")).unwrap();
}

/// A server for every row, and a device for each; beside those the folder with their keys.
fn devices(folder: &Path, rows: &[Row], processes: &mut Vec<Running>) -> String {
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let mut known = String::new();
    for (name, kind, bits) in [
        ("ssh-ed25519", "ed25519", "256"),
        ("ecdsa-sha2-nistp256", "ecdsa", "256"),
        ("ecdsa-sha2-nistp384", "ecdsa", "384"),
        ("ecdsa-sha2-nistp521", "ecdsa", "521"),
        ("rsa", "rsa", "3072"),
        ("ssh-dss", "dsa", "1024"),
    ] {
        // New releases no longer have the oldest kind.
        if kind == "dsa" && !theirs("key").contains(&name.to_owned()) {
            continue;
        }
        key_pair(&folder.join(name), kind, bits);
        known.push_str("127.0.0.1 ");
        known.push_str(&fs::read_to_string(folder.join(name).with_extension("pub")).unwrap());
    }
    fs::write(folder.join("known_hosts"), known).unwrap();
    users(folder, processes);
    let known = format!("known_hosts = \"{}\"\n", path("known_hosts"));
    let table = |name: &str, port: u16| {
        format!("[device.{name}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"jft-bash\"\ntype = \"linux\"\n{known}")
    };
    let mut serve = |file: &str, lines: &str| {
        let usual = "ListenAddress 127.0.0.1\nStrictModes no\nPidFile none\nPrintMotd no\nMaxStartups 100\nLogLevel ERROR\n";
        // A port is taken only once somebody listens there: another test may be faster.
        for _ in 0..20 {
            let port = free_port();
            fs::write(path(file), format!("{lines}Port {port}\n{usual}")).unwrap();
            let mut server = Running::start(Command::new(crate::support::find("sshd").unwrap()).args(["-D", "-e", "-f", &path(file)]));
            until_listens("127.0.0.1", port, file);
            if !server.has_ended() {
                processes.push(server);
                return port;
            }
        }
        panic!("{file} finds no port");
    };
    // The hosts on the way, each reached over the one before it.
    let (server, device) = login(folder, "ed25519 key");
    let via = |jumps: usize| if jumps == 0 { String::new() } else { format!("via = \"j{jumps}\"\n") };
    let mut text = Vec::new();
    for jump in 1..JUMPS.len() {
        let port = serve(&format!("jump-{jump}"), &format!("HostKey {}\n{server}", path("ssh-ed25519")));
        text.extend([table(&format!("j{jump}"), port), device.clone(), via(jump - 1)]);
    }
    for (number, row) in rows.iter().enumerate() {
        let key = if row.key.contains("rsa") { "rsa" } else { &row.key };
        let (server, device) = login(folder, row.login);
        let config = format!(
            "HostKey {}\nHostKeyAlgorithms {}\nKexAlgorithms {}\nCiphers {}\nMACs {}\n{server}",
            path(key),
            row.key,
            row.kex,
            row.cipher,
            row.mac
        );
        let port = serve(&format!("sshd-{number}"), &config);
        let jumps = JUMPS.iter().position(|way| *way == row.way).unwrap();
        text.extend([table(&format!("s{number}"), port), device, via(jumps)]);
        if is_old(row) {
            text.push("algorithms = \"legacy\"\n".to_owned());
        }
    }
    text.concat()
}

/// Every row opens a session and carries it whole; those that do not are printed as a table.
fn check(rows: &[Row]) {
    account("jft-bash", Path::new("/bin/bash"));
    fs::create_dir_all("/run/sshd").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut processes = Vec::new();
    let config = devices(folder.path(), rows, &mut processes);
    let mut client = Client::start_with(&config, &[("JFT_WORD", PASSWORD)]);
    let numbers = numbers();
    let mut wrong = Vec::new();
    for (part, some) in rows.chunks(AT_ONCE).enumerate() {
        let mut calls = Vec::new();
        for (at, row) in some.iter().enumerate() {
            let device = format!("s{}", part * AT_ONCE + at);
            for (lane, command, output) in [("terminal", "echo fine", "fine\n"), ("exec", NUMBERS, numbers.as_str())] {
                calls.push((client.post("ssh_run", arguments(&device, lane, command)), row, command, output));
            }
        }
        for _ in 0..calls.len() {
            let (id, result) = client.answer();
            let (_, row, command, output) = calls.iter().find(|(call, ..)| *call == id).unwrap();
            let Row { kex, key, cipher, mac, login, way } = row;
            let told = |why| format!("{kex:40} {key:22} {cipher:30} {mac:30} {login:12} {way:8} {command}: {why}");
            wrong.extend(differs(&result, output, 0).map(told));
        }
        for at in 0..some.len() {
            client.call("ssh_close", json!({"session": format!("s{}", part * AT_ONCE + at)}));
            client.call("ssh_close", json!({"session": format!("s{}#exec", part * AT_ONCE + at)}));
        }
    }
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// What OpenSSH knows of this kind.
fn theirs(kind: &str) -> Vec<String> {
    let out = Command::new("ssh").args(["-Q", kind]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What both sides know: key exchanges, host keys, ciphers, MACs.
fn both(legacy: bool) -> [Vec<String>; 4] {
    let server = Sshd::start();
    let more = if legacy { "algorithms = \"legacy\"\n" } else { "" };
    let client = Client::start(&format!("{}{more}", server.device("web1", "jft-bash", "linux")));
    let out = Command::new(env!("CARGO_BIN_EXE_jackfield"))
        .args(["doctor", "web1", "--json", "--config"])
        .arg(client.folder().join("jackfield.toml"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{out:?}"));
    let facts = &report["steps"][2]["facts"];
    [("kex", "kex"), ("host_keys", "HostKeyAlgorithms"), ("ciphers", "cipher"), ("macs", "mac")].map(|(fact, query)| {
        let theirs = theirs(query);
        let ours = facts[fact]["ours"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        ours.filter(|name| theirs.contains(name)).collect()
    })
}

/// Ciphers that prove the message themselves: no MAC is agreed on.
fn needs_no_mac(cipher: &str) -> bool {
    cipher.contains("poly1305") || cipher.contains("gcm")
}

/// Offered only where the configuration says so.
fn is_old(row: &Row) -> bool {
    row.kex.ends_with("sha1")
        || ["ssh-rsa", "ssh-dss"].contains(&row.key.as_str())
        || row.cipher.ends_with("cbc")
        || row.mac.contains("sha1")
}

/// The pairs of a row's algorithms, and with the others where that is asked for.
fn pairs(row: &Row) -> Vec<(String, String)> {
    pairs_of(row, &[])
}

fn pairs_of(row: &Row, more: &[&str]) -> Vec<(String, String)> {
    let mut parts = vec![row.kex.as_str(), &row.key, &row.cipher];
    if !needs_no_mac(&row.cipher) {
        parts.push(&row.mac);
    }
    parts.extend(more);
    let mut pairs = Vec::new();
    for (at, one) in parts.iter().enumerate() {
        pairs.extend(parts[at + 1..].iter().map(|other| ((*one).to_owned(), (*other).to_owned())));
    }
    pairs
}

/// Rows that have every pair of these, each the one with the most new pairs.
fn covering([kexes, keys, ciphers, macs]: &[Vec<String>; 4]) -> Vec<Row> {
    let mut all = Vec::new();
    for kex in kexes {
        for key in keys {
            for cipher in ciphers {
                let row = |mac: &String| Row {
                    kex: kex.clone(),
                    key: key.clone(),
                    cipher: cipher.clone(),
                    mac: mac.clone(),
                    login: LOGINS[0],
                    way: JUMPS[0],
                };
                let macs = if needs_no_mac(cipher) { &macs[..1] } else { &macs[..] };
                all.extend(macs.iter().map(row));
            }
        }
    }
    let mut open: BTreeSet<_> = all.iter().flat_map(pairs).collect();
    let mut rows = Vec::new();
    while !open.is_empty() {
        let news = |row: &&Row| pairs(row).iter().filter(|pair| open.contains(*pair)).count();
        let best = all.iter().max_by_key(news).unwrap().clone();
        for pair in pairs(&best) {
            open.remove(&pair);
        }
        rows.push(best);
    }
    rows
}

/// These rows with a login and a way each, so that every pair of those with each other and with each algorithm is there. Rows come again
/// where that needs more.
fn crossed(rows: &[Row]) -> Vec<Row> {
    let kinds: Vec<(&str, &str)> = LOGINS.iter().flat_map(|login| JUMPS.iter().map(|way| (*login, *way))).collect();
    let with = |row: &Row, (login, way)| Row { login, way, ..row.clone() };
    let of = |row: &Row| pairs_of(row, &[row.login, row.way]);
    let mut open: BTreeSet<_> = rows.iter().flat_map(|row| kinds.iter().flat_map(move |kind| of(&with(row, *kind)))).collect();
    let mut crossed = Vec::new();
    while !open.is_empty() {
        for row in rows {
            let news = |row: &Row| of(row).iter().filter(|pair| open.contains(*pair)).count();
            let best = kinds.iter().map(|kind| with(row, *kind)).max_by_key(|row| news(row)).unwrap();
            if news(&best) == 0 {
                continue;
            }
            for pair in of(&best) {
                open.remove(&pair);
            }
            crossed.push(best);
        }
    }
    crossed
}

#[test]
fn every_pair_of_algorithms_logins_and_ways_carries_a_session() {
    let both = both(false);
    for (known, least) in both.iter().zip([9, 6, 6, 4]) {
        assert!(known.len() >= least, "{both:?}");
    }
    let rows = covering(&both);
    assert!(rows.len() >= 40, "{rows:?}");
    check(&crossed(&rows));
}

#[test]
fn every_old_algorithm_carries_a_session_where_it_is_chosen() {
    let usual = both(false);
    let all = both(true);
    let mut old = all.clone();
    for (old, usual) in old.iter_mut().zip(&usual) {
        old.retain(|name| !usual.contains(name));
    }
    assert!(old[1].contains(&"ssh-rsa".to_owned()), "{old:?}");
    assert_eq!([old[0].len(), old[2].len(), old[3].len()], [3, 4, 2], "{old:?}");
    // Among themselves, and each kind beside what is usual.
    let mut rows = covering(&old);
    for kind in 0..4 {
        let mut mixed: [Vec<String>; 4] = usual.clone().map(|names| names[..1].to_vec());
        mixed[2] = vec!["aes256-ctr".to_owned()];
        mixed[kind].clone_from(&old[kind]);
        rows.extend(covering(&mixed));
    }
    assert!(rows.iter().all(is_old), "{rows:?}");
    check(&rows);
}

//! OpenSSH with one algorithm of each kind at a time: together the servers cover every pair of algorithms that both sides know.
//!
//! The servers are started by the program itself as its way to the device, as `ProxyCommand sshd -i` does.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

/// Servers that are talked to at the same time.
const AT_ONCE: usize = 8;

/// What a server allows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    kex: String,
    key: String,
    cipher: String,
    mac: String,
}

/// A server for every row, and a device for each; beside those the folder with their keys.
fn devices(folder: &Path, rows: &[Row]) -> String {
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
        ("id", "ed25519", "256"),
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
    let sshd = crate::support::find("sshd").unwrap().display().to_string();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let key = if row.key.contains("rsa") { "rsa" } else { &row.key };
        let config = format!(
            "HostKey {}\nHostKeyAlgorithms {}\nKexAlgorithms {}\nCiphers {}\nMACs {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\nLogLevel ERROR\n",
            path(key),
            row.key,
            row.kex,
            row.cipher,
            row.mac,
            path("id.pub")
        );
        let file = path(&format!("sshd-{number}"));
        fs::write(&file, config).unwrap();
        write!(
            text,
            "[device.s{number}]\nhost = \"127.0.0.1\"\nuser = \"jft-bash\"\ntype = \"linux\"\nkey = \"{}\"\nknown_hosts = \"{}\"\nagent = false\nproxy = [\"{sshd}\", \"-i\", \"-e\", \"-f\", \"{file}\"]\n",
            path("id"),
            path("known_hosts"),
        )
        .unwrap();
        if is_old(row) {
            text += "algorithms = \"legacy\"\n";
        }
    }
    text
}

/// Every row opens a session and carries it whole; those that do not are printed as a table.
fn check(rows: &[Row]) {
    account("jft-bash", Path::new("/bin/bash"));
    fs::create_dir_all("/run/sshd").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::start(&devices(folder.path(), rows));
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
            let told = |why| format!("{:40} {:22} {:30} {:30} {command}: {why}", row.kex, row.key, row.cipher, row.mac);
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

/// The pairs of a row.
fn pairs(row: &Row) -> Vec<(String, String)> {
    let mut parts = vec![&row.kex, &row.key, &row.cipher];
    if !needs_no_mac(&row.cipher) {
        parts.push(&row.mac);
    }
    let mut pairs = Vec::new();
    for (at, one) in parts.iter().enumerate() {
        pairs.extend(parts[at + 1..].iter().map(|other| ((*one).clone(), (*other).clone())));
    }
    pairs
}

/// Rows that have every pair of these, each the one with the most new pairs.
fn covering([kexes, keys, ciphers, macs]: &[Vec<String>; 4]) -> Vec<Row> {
    let mut all = Vec::new();
    for kex in kexes {
        for key in keys {
            for cipher in ciphers {
                let row = |mac: &String| Row { kex: kex.clone(), key: key.clone(), cipher: cipher.clone(), mac: mac.clone() };
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

#[test]
fn every_pair_of_algorithms_carries_a_session() {
    let both = both(false);
    for (known, least) in both.iter().zip([9, 6, 6, 4]) {
        assert!(known.len() >= least, "{both:?}");
    }
    let rows = covering(&both);
    assert!(rows.len() >= 40, "{rows:?}");
    check(&rows);
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

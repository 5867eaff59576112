//! Files up and down, against `scp` and `rsync`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::figures::{Samples, compare, heading};
use crate::raw::{Terminal, ssh};
use crate::support::client::Client;
use crate::support::install_missing;
use crate::support::sshd::{Sshd, account};

const USER: &str = "jfb-bash";
const BIG_BYTES: usize = 1 << 30;
const BIG_ROUNDS: usize = 3;
const SMALL_FILES: usize = 10_000;
const SMALL_ROUNDS: usize = 5;

struct Setting {
    server: Sshd,
    client: Client,
    folder: tempfile::TempDir,
}

impl Setting {
    fn new() -> Self {
        install_missing(&[("rsync", "rsync"), ("scp", "openssh-client")]);
        account(USER, Path::new("/bin/bash"));
        // A disk would be measured as much as the programs.
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["here", "there"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let there = folder.path().join("there");
        assert!(Command::new("chown").arg(USER).arg(&there).status().unwrap().success());
        let server = Sshd::start();
        let config = format!(
            "{}\n[policy]\nmode = \"full\"\n[files]\nroots = [\"{}\"]\n",
            server.device("web1", USER, "linux"),
            folder.path().join("here").display()
        );
        let mut client = Client::start(&config);
        client.call("ssh_open", json!({"host": "web1"}));
        Self { server, client, folder }
    }

    fn here(&self, name: &str) -> PathBuf {
        self.folder.path().join("here").join(name)
    }

    fn there(&self, name: &str) -> PathBuf {
        self.folder.path().join("there").join(name)
    }

    /// How OpenSSH's tools log in, as options that all of them take.
    fn options(&self) -> Vec<String> {
        let command = ssh(&self.server, USER, Terminal::No);
        let arguments: Vec<String> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let pairs = arguments.windows(2).filter(|pair| matches!(pair[0].as_str(), "-F" | "-o" | "-i"));
        let port = format!("Port={}", self.server.port);
        pairs.flatten().cloned().chain(["-o".to_owned(), port]).collect()
    }

    fn transfer(&mut self, direction: &str, local: &str, remote: &Path) {
        let ask = json!({"target": "web1", "direction": direction, "local": local, "remote": remote.display().to_string(), "wait_s": 40});
        let mut told = self.client.call("ssh_transfer", ask.clone());
        while told["state"] == "running" {
            told = self.client.call("ssh_transfer", ask.clone());
        }
        assert_eq!(told["state"], "done", "{told}");
    }
}

fn succeeds(command: &mut Command) {
    assert!(command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap().success(), "{command:?}");
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// A file of numbers that no compression shortens much.
fn fill(path: &Path, bytes: usize) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let content: Vec<u8> = (0..bytes / 8)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect();
    fs::write(path, content).unwrap();
}

pub fn run() {
    let mut setting = Setting::new();
    let options = setting.options();
    let scp = |from: &str, to: &str| {
        let mut command = Command::new("scp");
        command.arg("-q").args(&options).args([from, to]);
        command
    };
    let place = |path: &Path| format!("{USER}@127.0.0.1:{}", path.display());
    fill(&setting.here("big"), BIG_BYTES);
    heading("a file of 1 GiB; OpenSSH's client logs in each time");
    for direction in ["up", "down"] {
        let (mut limit, mut ours) = (Samples::default(), Samples::default());
        let (here, there) = (setting.here("big"), setting.there("big"));
        let target = if direction == "up" { &there } else { &here };
        for _ in 0..BIG_ROUNDS {
            remove(target);
            let (from, to) =
                if direction == "up" { (here.display().to_string(), place(&there)) } else { (place(&there), here.display().to_string()) };
            limit.take(|| succeeds(&mut scp(&from, &to)));
            remove(target);
            ours.take(|| setting.transfer(direction, "big", &there));
        }
        compare((&format!("scp {direction}"), &limit), (&format!("ssh_transfer {direction}"), &ours), "at most 1.3");
    }
    remove(&setting.here("big"));
    remove(&setting.there("big"));

    heading("10,000 small files; rsync logs in each time");
    for number in 0..SMALL_FILES {
        let folder = setting.here("many").join((number / 100).to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(number.to_string()), format!("{number} ").repeat(number % 300)).unwrap();
    }
    let shell = format!("ssh {}", options.join(" "));
    let rsync = |from: String, to: String| {
        let mut command = Command::new("rsync");
        command.args(["-a", "-e", &shell, &from, &to]);
        command
    };
    let folder = |path: &Path| format!("{}/", path.display());
    let (here, there) = (setting.here("many"), setting.there("many"));
    let there_place = format!("{}/", place(&there));
    for (name, direction, clean) in [("up", "up", true), ("nothing to do", "up", false), ("down", "down", true)] {
        let (mut limit, mut ours) = (Samples::default(), Samples::default());
        let (from, to) = if direction == "up" { (folder(&here), there_place.clone()) } else { (there_place.clone(), folder(&here)) };
        let target = if direction == "up" { &there } else { &here };
        for _ in 0..SMALL_ROUNDS {
            if clean {
                remove(target);
            }
            limit.take(|| succeeds(&mut rsync(from.clone(), to.clone())));
            if clean {
                remove(target);
            }
            ours.take(|| setting.transfer(direction, "many", &there));
        }
        compare((&format!("rsync: {name}"), &limit), (&format!("ssh_transfer: {name}"), &ours), "at most 1.2");
    }
}

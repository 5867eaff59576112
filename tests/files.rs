//! Files of a device: read, written, copied, over the real server, under policy.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::approvals::terminal::at_a_terminal;
use crate::support::client::Client;
use crate::support::sshd::{PASSWORD, Sshd, account};

/// A server, a client, a folder that transfers may use, and one on the device.
struct Setting {
    server: Sshd,
    client: Client,
    folder: tempfile::TempDir,
}

const USER: &str = "jft-files";

impl Setting {
    fn new(mode: &str) -> Self {
        Self::on(Sshd::start(), mode, "")
    }

    fn on(server: Sshd, mode: &str, more: &str) -> Self {
        account(USER, Path::new("/bin/bash"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["here", "there"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        own(&folder.path().join("there"));
        let config = format!(
            "{}{more}\n[policy]\nmode = \"{mode}\"\n[files]\nroots = [\"{}\"]\n",
            server.device("web1", USER, "linux"),
            folder.path().join("here").display()
        );
        let client = Client::start(&config);
        Self { server, client, folder }
    }

    fn here(&self, name: &str) -> PathBuf {
        self.folder.path().join("here").join(name)
    }

    fn there(&self, name: &str) -> PathBuf {
        self.folder.path().join("there").join(name)
    }

    fn put(&self, name: &str, content: &[u8]) -> String {
        let path = self.there(name);
        std::fs::write(&path, content).unwrap();
        own(&path);
        path.display().to_string()
    }

    fn read(&mut self, path: &str) -> Value {
        self.client.call("ssh_file_read", json!({"target": "web1", "path": path}))
    }

    /// The same call again until it has ended.
    fn whole(&mut self, direction: &str, local: &str, remote: &str) -> Value {
        let mut result = self.transfer(direction, local, remote, json!({}));
        for _ in 0..20 {
            if result["state"] != "running" {
                break;
            }
            result = self.transfer(direction, local, remote, json!({}));
        }
        result
    }

    fn transfer(&mut self, direction: &str, local: &str, remote: &str, more: Value) -> Value {
        let mut arguments = json!({"target": "web1", "direction": direction, "local": local, "remote": remote, "wait_s": 40});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.client.call("ssh_transfer", arguments)
    }
}

fn own(path: &Path) {
    let done = std::process::Command::new("chown").arg("-Rh").arg(USER).arg("--").arg(path).status().unwrap();
    assert!(done.success());
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn message(result: &Value) -> String {
    result["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {result}")).to_owned()
}

#[test]
fn a_file_is_read_in_parts_and_a_folder_is_listed() {
    for server in [Sshd::start(), Sshd::start_without_files()] {
        let mut setting = Setting::on(server, "read-only", "");
        let text: String = (1..=1000).map(|number| format!("line {number}\n")).collect();
        let path = setting.put("f.txt", text.as_bytes());
        let whole = setting.read(&path);
        assert_eq!(
            (whole["next_offset"].as_u64(), whole["lines"].as_u64(), whole["encoding"].as_str()),
            (Some(401), Some(1000), Some("utf-8")),
            "{whole}"
        );
        assert_eq!(whole["sha256"].as_str(), Some(hash(text.as_bytes()).as_str()));
        let part = setting.client.call("ssh_file_read", json!({"target": "web1", "path": path, "offset": 1000, "limit": 5}));
        assert_eq!(part["text"], "  1000\tline 1000\n");
        std::fs::write(setting.there("a b\n"), "x").unwrap();
        symlink("f.txt", setting.there("link")).unwrap();
        let listing = setting.read(&setting.there("").display().to_string());
        let names: Vec<&str> = listing["entries"].as_array().unwrap().iter().filter_map(|entry| entry["name"].as_str()).collect();
        assert_eq!(names, [r"$'a b\n'", "f.txt", "link"]);
        assert_eq!(listing["entries"][2]["leads_to"], "f.txt");
        let odd = setting.read(&format!("$'{}/a b\\n'", setting.folder.path().join("there").display()));
        assert_eq!(odd["text"], "     1\tx\n", "{odd}");
        let glob = setting.read(&setting.there("*.txt").display().to_string());
        assert_eq!((glob["kind"].as_str(), glob["total"].as_u64()), (Some("glob"), Some(1)), "{glob}");
        std::fs::create_dir(setting.there("[id]")).unwrap();
        let named = setting.read(&setting.there("[id]").display().to_string());
        assert_eq!((named["kind"].as_str(), named["total"].as_u64()), (Some("folder"), Some(0)), "{named}");
        let found = setting.client.call("ssh_file_read", json!({"target": "web1", "path": setting.there(""), "grep": "^line 99.$"}));
        assert_eq!(found["matches"].as_array().unwrap().len(), 10, "{found}");
        let missing = setting.read("/no/such");
        assert!(message(&missing).contains("no such file"), "{missing}");
        setting.client.has_written_no("line 77");
    }
}

/// OpenSSH gives ten sessions on a connection: what it refuses must not take the place of one.
#[test]
fn a_server_without_a_file_service_is_read_from_for_ever() {
    let mut setting = Setting::on(Sshd::start_without_files(), "read-only", "");
    let path = setting.put("f.txt", b"line\n");
    for time in 1..=15 {
        let read = setting.read(&path);
        assert_eq!(read["text"].as_str(), Some("     1\tline\n"), "{time}: {read}");
    }
    let sessions = std::process::Command::new("ss")
        .args(["-Htn", "state", "established", &format!("sport = :{}", setting.server.port)])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&sessions.stdout).lines().count(), 1, "all of it went over one connection");
}

/// What was judged is what is read; the path that is told is that of the call.
#[test]
fn what_a_link_leads_to_is_read_and_told_by_both_names() {
    for server in [Sshd::start(), Sshd::start_without_files()] {
        let mut setting = Setting::on(server, "read-only", "");
        let real = setting.put("plain", b"p\n");
        std::fs::create_dir(setting.there("folder")).unwrap();
        std::fs::write(setting.there("folder/x"), "x").unwrap();
        symlink("plain", setting.there("link")).unwrap();
        symlink("folder", setting.there("way")).unwrap();
        let link = setting.there("link").display().to_string();
        let read = setting.read(&link);
        assert_eq!((read["path"].as_str(), read["real_path"].as_str()), (Some(link.as_str()), Some(real.as_str())), "{read}");
        assert_eq!((read["text"].as_str(), read["size"].as_u64()), (Some("     1\tp\n"), Some(2)), "{read}");
        let way = setting.there("way").display().to_string();
        let listed = setting.read(&way);
        assert_eq!((listed["path"].as_str(), listed["entries"][0]["name"].as_str()), (Some(way.as_str()), Some("x")), "{listed}");
        // What finds out where this leads is another program than what reads it.
        let own = setting.read("/proc/self/status");
        assert!(own["text"].as_str().is_some_and(|text| text.contains("Name:")), "{own}");
    }
}

#[test]
fn a_write_keeps_mode_and_owner_and_is_refused_where_only_reads_are_allowed() {
    for server in [Sshd::start(), Sshd::start_without_files()] {
        let mut setting = Setting::on(server, "safe", "");
        let path = setting.put("app.conf", b"port = 80\nname = x\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let edit = json!({"target": "web1", "path": path, "old": "port = 80\n", "new": "port = 8080\n", "backup": true});
        let written = setting.client.call("ssh_file_write", edit.clone());
        assert_eq!(written["state"], "written", "{written}");
        let now = std::fs::metadata(&path).unwrap();
        assert_eq!((std::fs::read(&path).unwrap().as_slice(), now.mode() & 0o7777), (b"port = 8080\nname = x\n".as_slice(), 0o640));
        assert!(written["diff"].as_str().unwrap().contains("-port = 80\n+port = 8080\n"), "{written}");
        assert_eq!(std::fs::read(written["backup"].as_str().unwrap()).unwrap(), b"port = 80\nname = x\n");
        let again = setting.client.call("ssh_file_write", edit);
        assert!(message(&again).contains("does not occur"), "{again}");
        let stale = json!({"target": "web1", "path": path, "content": "x", "expect_sha256": written["sha256_before"]});
        assert!(message(&setting.client.call("ssh_file_write", stale)).contains("is not what was expected"));
        let new = json!({"target": "web1", "path": setting.there("new"), "content": "secret-content-41\n", "expect_sha256": "none", "mode": "600"});
        assert_eq!(setting.client.call("ssh_file_write", new)["sha256_after"], hash(b"secret-content-41\n").as_str());
        setting.client.has_written_no("secret-content-41");
        let audit = setting.client.state.path().join("jackfield");
        let record = std::process::Command::new("grep").args(["-rh", "\"kind\":\"file\""]).arg(&audit).output().unwrap();
        let record = String::from_utf8_lossy(&record.stdout).into_owned();
        assert!(record.contains(&hash(b"secret-content-41\n")) && record.contains("\"direction\":\"write\""), "{record}");
        let history = setting.client.call("ssh_history", json!({"query": "tee "}));
        assert!(
            history["entries"].as_array().unwrap().iter().any(|entry| entry["command"].as_str().unwrap().contains("app.conf")),
            "{history}"
        );
    }
    let mut setting = Setting::new("read-only");
    let path = setting.put("app.conf", b"x\n");
    let denied = setting.client.call("ssh_file_write", json!({"target": "web1", "path": path, "content": "y"}));
    assert_eq!((denied["state"].as_str(), std::fs::read(&path).unwrap().as_slice()), (Some("denied"), b"x\n".as_slice()), "{denied}");
    let remote = setting.there("up").display().to_string();
    std::fs::write(setting.here("f"), "x").unwrap();
    assert_eq!(setting.transfer("up", "f", &remote, json!({}))["state"], "denied");
    assert_eq!(setting.transfer("down", "back", &path, json!({}))["state"], "done");
}

/// What a person agrees to is this content in this file, and nothing else.
#[test]
fn an_approval_is_for_one_path_and_one_content() {
    let mut setting = Setting::new("safe");
    let link = setting.there("innocent");
    symlink("/etc/passwd", &link).unwrap();
    let write = |content: &str| json!({"target": "web1", "path": link, "content": content});
    let asked = setting.client.call("ssh_file_write", write("x"));
    assert_eq!(asked["state"], "approval_needed", "the link is seen through: {asked}");
    let direct = setting.client.call("ssh_file_write", json!({"target": "web1", "path": "/etc/passwd", "content": "x"}));
    let (first, second) = (&asked["approval"]["request"], &direct["approval"]["request"]);
    assert!(first.is_string() && second.is_string());
    let other = setting.client.call("ssh_file_write", write("y"));
    assert!(other["approval"]["request"].is_string() && other["approval"]["request"] != *first, "{other}");
}

/// A rule that wants all writes asked about, of a link and of what it leads to: who agrees to both is asked no third time.
#[test]
fn two_approvals_for_one_write_are_both_kept() {
    let rule = "[[policy.rule]]\nname = \"writes\"\neffect = \"ask\"\nmatch = \"tee .*\"\n";
    let mut setting = Setting::on(Sshd::start(), "full", rule);
    let path = setting.put("plain", b"old");
    let link = setting.there("link");
    symlink("plain", &link).unwrap();
    let write = json!({"target": "web1", "path": link, "content": "new"});
    for wanted in ["link", "plain"] {
        let asked = setting.client.call("ssh_file_write", write.clone());
        assert_eq!(asked["state"], "approval_needed", "{asked}");
        let request = asked["approval"]["request"].as_str().unwrap().to_owned();
        let (screen, well) = at_a_terminal(&setting.client, &["approve", &request], "allow\r");
        assert!(well && screen.contains(&format!("{wanted} # 3 bytes")), "{screen}");
    }
    assert_eq!(setting.client.call("ssh_file_write", write.clone())["state"], "written");
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    // Both are used up now; what was agreed to is over in the history too.
    assert_eq!(setting.client.call("ssh_file_write", write)["state"], "approval_needed");
    let history = setting.client.call("ssh_history", json!({"query": "tee "}));
    assert!(history["entries"].as_array().unwrap().iter().all(|entry| entry["state"] != "running"), "{history}");
}

#[test]
fn a_pattern_lists_no_folder_that_a_link_hides() {
    let rule = "[[policy.rule]]\nname = \"no-vault\"\neffect = \"deny\"\nmatch = \".*/vault.*\"\n";
    let mut setting = Setting::on(Sshd::start(), "full", rule);
    for folder in ["vault", "open"] {
        std::fs::create_dir(setting.there(folder)).unwrap();
        std::fs::write(setting.there(folder).join("f.txt"), "x").unwrap();
    }
    symlink("vault", setting.there("way")).unwrap();
    for pattern in ["way/*.txt", "*/*.txt", "w*/*"] {
        let listed = setting.read(&setting.there(pattern).display().to_string());
        let names = listed["entries"].to_string();
        assert!(!names.contains("way/f.txt") && !names.contains("vault/f.txt"), "{pattern}: {listed}");
        assert_eq!(names.contains("open/f.txt"), pattern.starts_with('*'), "{listed}");
        assert!(listed["warnings"].to_string().contains("no-vault"), "{listed}");
    }
}

#[test]
fn operators_rules_count_for_files_and_for_what_links_lead_to() {
    let rule = "[[policy.rule]]\nname = \"no-keys\"\neffect = \"deny\"\nmatch = \".*id_.*\"\n";
    let mut setting = Setting::on(Sshd::start(), "full", rule);
    let key = setting.put("id_ed25519", b"k\n");
    setting.put("plain", b"p\n");
    symlink("id_ed25519", setting.there("link")).unwrap();
    for path in [key, setting.there("link").display().to_string()] {
        let denied = setting.read(&path);
        assert_eq!(denied["state"], "denied", "{denied}");
    }
    let there = setting.there("").display().to_string();
    let found = setting.client.call("ssh_file_read", json!({"target": "web1", "path": there, "grep": "."}));
    let hits: Vec<&str> = found["matches"].as_array().unwrap().iter().filter_map(|hit| hit["text"].as_str()).collect();
    assert_eq!(hits, ["p"], "{found}");
    let down = setting.transfer("down", "all", &there, json!({}));
    assert_eq!((down["files"].as_u64(), down["state"].as_str()), (Some(1), Some("incomplete")), "{down}");
    assert!(!setting.here("all/id_ed25519").exists() && down["problems"].to_string().contains("no-keys"), "{down}");
}

/// Every folder and link is judged, not only the first, and nothing is made below a folder that is not.
#[test]
fn folders_and_links_that_are_denied_are_not_made() {
    let rule = "[[policy.rule]]\nname = \"no-keys\"\neffect = \"deny\"\nmatch = \".*(authorized_keys|/vault).*\"\n";
    let mut setting = Setting::on(Sshd::start(), "full", rule);
    std::fs::create_dir_all(setting.here("tree/fine")).unwrap();
    std::fs::create_dir_all(setting.here("tree/vault/deep")).unwrap();
    std::fs::write(setting.here("tree/vault/deep/x"), "x").unwrap();
    std::fs::write(setting.here("tree/f"), "f").unwrap();
    symlink("f", setting.here("tree/a-link")).unwrap();
    symlink("f", setting.here("tree/authorized_keys")).unwrap();
    // A folder is in its way, and may not be deleted.
    std::fs::write(setting.here("tree/was"), "now a file").unwrap();
    std::fs::create_dir_all(setting.there("copy/was")).unwrap();
    std::fs::write(setting.there("copy/was/authorized_keys"), "k").unwrap();
    std::fs::write(setting.there("copy/authorized_keys"), "k").unwrap();
    own(&setting.there("copy"));
    let remote = setting.there("copy").display().to_string();
    let up = setting.transfer("up", "tree", &remote, json!({"delete": true}));
    assert_eq!((up["state"].as_str(), up["files"].as_u64()), (Some("incomplete"), Some(1)), "{up}");
    assert!(up["problems"].to_string().contains("no-keys") && up["problems"].to_string().contains("/vault"), "{up}");
    assert!(setting.there("copy/a-link").is_symlink() && setting.there("copy/fine").is_dir(), "{up}");
    assert!(!setting.there("copy/vault").exists(), "{up}");
    assert_eq!(std::fs::read(setting.there("copy/authorized_keys")).unwrap(), b"k");
    assert!(!setting.there("copy/authorized_keys").is_symlink(), "{up}");
    assert_eq!(std::fs::read(setting.there("copy/was/authorized_keys")).unwrap(), b"k", "{up}");
}

/// What is as it should be but for its mode is not touched where nothing may be written.
#[test]
fn modes_are_set_only_where_writes_are_let_through() {
    let rule = "[[policy.rule]]\nname = \"no-keys\"\neffect = \"deny\"\nmatch = \".*(id_|/vault).*\"\n";
    let mut setting = Setting::on(Sshd::start(), "full", rule);
    let remote = setting.there("copy").display().to_string();
    for place in [setting.here("tree"), setting.there("copy")] {
        std::fs::create_dir_all(place.join("vault")).unwrap();
        std::fs::create_dir(place.join("open")).unwrap();
        std::fs::write(place.join("id_key"), "k").unwrap();
    }
    own(&setting.there("copy"));
    let mode = |path: PathBuf, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    for (name, now) in [("id_key", 0o600), ("vault", 0o700), ("open", 0o700)] {
        mode(setting.here("tree").join(name), 0o777);
        mode(setting.there("copy").join(name), now);
    }
    let plan = setting.transfer("up", "tree", &remote, json!({"checksum": true, "dry_run": true}));
    assert!(plan["plan"].to_string().contains("set mode and time of folder open"), "{plan}");
    let up = setting.transfer("up", "tree", &remote, json!({"checksum": true}));
    assert!(up["problems"].to_string().contains("id_key") && up["problems"].to_string().contains("vault"), "{up}");
    let now = |name: &str| std::fs::metadata(setting.there("copy").join(name)).unwrap().mode() & 0o777;
    assert_eq!([now("id_key"), now("vault"), now("open")], [0o600, 0o700, 0o777], "{up}");
}

#[test]
fn folders_go_up_and_down_and_only_within_the_allowed_ones() {
    for server in [Sshd::start(), Sshd::start_without_files()] {
        let mut setting = Setting::on(server, "safe", "");
        std::fs::create_dir_all(setting.here("tree/sub")).unwrap();
        for name in [b"plain".as_slice(), b"a b", b"-rf", b"new\nline", b"\xff\xfe"] {
            std::fs::write(setting.here("tree/sub").join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
        }
        let remote = setting.there("copy").display().to_string();
        let plan = setting.transfer("up", "tree", &remote, json!({"dry_run": true}));
        assert_eq!((plan["state"].as_str(), plan["files"].as_u64()), (Some("planned"), Some(5)), "{plan}");
        assert!(!Path::new(&remote).exists());
        let up = setting.transfer("up", "tree", &remote, json!({}));
        assert_eq!((up["state"].as_str(), up["files"].as_u64(), up["verified"].as_u64()), (Some("done"), Some(5), Some(5)), "{up}");
        std::fs::write(Path::new(&remote).join("extra"), "x").unwrap();
        own(Path::new(&remote));
        let mirrored = setting.transfer("up", "tree", &remote, json!({"delete": true}));
        assert_eq!((mirrored["deleted"].clone(), mirrored["skipped"].as_u64()), (json!(["extra"]), Some(5)), "{mirrored}");
        assert_eq!(setting.transfer("down", "back", &remote, json!({}))["files"], 5);
        let differs = std::process::Command::new("diff").arg("-r").arg(setting.here("tree")).arg(setting.here("back")).output().unwrap();
        assert!(differs.status.success(), "{}", String::from_utf8_lossy(&differs.stdout));
        // A link out of the allowed folder, and places outside of it.
        symlink("/etc", setting.here("out")).unwrap();
        for local in ["out/passwd", "/etc/passwd", "../there/x", "out"] {
            let refused = setting.transfer("up", local, &remote, json!({}));
            assert!(message(&refused).contains("cannot") || message(&refused).contains("allowed"), "{local}: {refused}");
        }
    }
    account(USER, Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", USER, "linux"));
    let told = client.error("ssh_transfer", json!({"target": "web1", "direction": "up", "local": "x", "remote": "x"}));
    assert!(told.contains("roots = [\"~/shared\"]"), "{told}");
}

#[test]
fn a_call_that_ends_early_finds_its_transfer_again() {
    let mut setting = Setting::new("safe");
    let content: Vec<u8> = (0..60_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    std::fs::write(setting.here("big"), &content).unwrap();
    let remote = setting.there("big").display().to_string();
    // It is connected, and takes no more time to plan than it is waited for.
    setting.read(&setting.there("").display().to_string());
    let mut result = setting.transfer("up", "big", &remote, json!({"wait_s": 2}));
    let first = result["transfer_id"].clone();
    for _ in 0..100 {
        if result["state"] != "running" {
            break;
        }
        assert_eq!(result["transfer_id"], first);
        assert_eq!((result["target"].as_str(), result["session"].is_string()), (Some("web1"), true), "{result}");
        // What waits for commands says what waits for it.
        let told = setting.client.error("ssh_output", json!({"command_id": first, "wait_s": 1}));
        assert!(told.contains("is a transfer: make the same ssh_transfer call again"), "{told}");
        result = setting.transfer("up", "big", &remote, json!({"wait_s": 2}));
    }
    assert_eq!((result["state"].as_str(), result["sha256"].as_str()), (Some("done"), Some(hash(&content).as_str())), "{result}");
    assert_eq!((result["target"].as_str(), result["session"].is_string()), (Some("web1"), true), "{result}");
    assert_eq!(std::fs::read(&remote).unwrap(), content);
}

#[test]
fn the_same_call_twice_side_by_side_is_one_transfer_and_a_dry_run_is_none() {
    let mut setting = Setting::new("safe");
    let content: Vec<u8> = (0..60_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    std::fs::write(setting.here("big"), &content).unwrap();
    let remote = setting.there("big").display().to_string();
    // It is connected, and takes no more time to plan than it is waited for.
    setting.read(&setting.there("").display().to_string());
    let call = json!({"target": "web1", "direction": "up", "local": "big", "remote": remote, "wait_s": 15});
    let both = setting.client.call_all("ssh_transfer", &[call.clone(), call]);
    let ids: std::collections::BTreeSet<&str> = both.iter().filter_map(|result| result["transfer_id"].as_str()).collect();
    assert_eq!(ids.len(), 1, "{both:?}");
    // Whether it still runs or has ended: this only looks.
    let dry = setting.transfer("up", "big", &remote, json!({"dry_run": true}));
    assert_eq!(dry["state"], "planned", "{dry}");
    let mut result = setting.transfer("up", "big", &remote, json!({}));
    for _ in 0..100 {
        if result["state"] != "running" {
            break;
        }
        result = setting.transfer("up", "big", &remote, json!({}));
    }
    assert_eq!(result["state"], "done", "{result}");
}

#[test]
fn a_transfer_goes_on_while_keys_are_exchanged_anew() {
    // Some forty exchanges each way.
    let mut setting = Setting::on(Sshd::start_with(|_| "RekeyLimit 1M".to_owned()), "safe", "");
    let content: Vec<u8> = (0..40_000_000_u32).map(|number| number.wrapping_mul(0x9E37_79B9).to_le_bytes()[3]).collect();
    std::fs::write(setting.here("big"), &content).unwrap();
    let remote = setting.there("big").display().to_string();
    let up = setting.whole("up", "big", &remote);
    assert_eq!(up["state"], "done", "{up}");
    assert!(hash(&std::fs::read(setting.there("big")).unwrap()) == hash(&content));
    let down = setting.whole("down", "again", &remote);
    assert_eq!(down["state"], "done", "{down}");
    assert!(hash(&std::fs::read(setting.here("again")).unwrap()) == hash(&content));
}

/// The process dies in the middle of writes: the file is the old one or the new one.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn a_crash_never_leaves_half_a_file() {
    let (old, new) = (vec![b'o'; 3_000_000], "n".repeat(3_000_000));
    for delay in [0, 20, 40, 80, 120, 200] {
        let mut setting = Setting::new("safe");
        let path = setting.put("f", &old);
        setting.read(&path);
        setting.client.post("ssh_file_write", json!({"target": "web1", "path": path, "content": new}));
        std::thread::sleep(Duration::from_millis(delay));
        let Setting { client, folder: _folder, server: _server } = setting;
        client.kill();
        std::thread::sleep(Duration::from_millis(200));
        let now = std::fs::read(&path).unwrap();
        assert!(now == old || now == new.as_bytes(), "half a file after {delay} ms: {} bytes", now.len());
    }
}

#[test]
fn with_sudo_files_of_root_are_read_and_written() {
    let mut setting = Setting::new("safe");
    let rule = Path::new("/etc/sudoers.d/jft-files");
    std::fs::write(rule, format!("{USER} ALL=(root) NOPASSWD: ALL\n")).unwrap();
    let path = setting.there("root.conf");
    std::fs::write(&path, "a = 1\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let without = setting.read(&path.display().to_string());
    assert!(message(&without).contains("the account may not; sudo=true may help"), "{without}");
    // A transfer has no such argument, and names none.
    let (here, there) = (setting.here("root.conf").display().to_string(), path.display().to_string());
    let transfer = setting.transfer("down", &here, &there, json!({})).to_string();
    assert!(transfer.contains("the account may not") && !transfer.contains("sudo"), "{transfer}");
    let read = setting.client.call("ssh_file_read", json!({"target": "web1", "path": path, "sudo": true}));
    assert_eq!(read["text"], "     1\ta = 1\n", "{read}");
    let write = json!({"target": "web1", "path": path, "old": "1", "new": "2", "sudo": true, "expect_sha256": read["sha256"]});
    let written = setting.client.call("ssh_file_write", write);
    assert_eq!(written["state"], "written", "{written}");
    let now = std::fs::metadata(&path).unwrap();
    assert_eq!((std::fs::read(&path).unwrap().as_slice(), now.uid(), now.mode() & 0o777), (b"a = 2\n".as_slice(), 0, 0o600));
    std::fs::write(rule, "").unwrap();
    let refused = setting.client.error("ssh_file_read", json!({"target": "web1", "path": path, "sudo": true}));
    assert!(refused.contains("sudo does not run it") && refused.contains("sudoers"), "{refused}");
    std::fs::remove_file(rule).unwrap();
}

#[test]
fn with_sudo_that_wants_a_password_it_is_given_the_secret() {
    const USER: &str = "jft-files-sudo";
    account(USER, Path::new("/bin/bash"));
    let rule = Path::new("/etc/sudoers.d/jft-files-sudo");
    std::fs::write(rule, format!("{USER} ALL=(root) ALL\nDefaults:{USER} lecture = always\n")).unwrap();
    let server = Sshd::start();
    let device = |name: &str, variable: &str| {
        let way = server.device(name, USER, "linux");
        format!("{way}secrets.sudo = {{ env = \"{variable}\" }}\n")
    };
    let config = format!("{}{}{}", device("right", "JFT_RIGHT"), device("wrong", "JFT_WRONG"), server.device("without", USER, "linux"));
    let mut client = Client::start_with(&config, &[("JFT_RIGHT", PASSWORD), ("JFT_WRONG", "no such word 17")]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.conf");
    std::fs::write(&path, "a = 1\n").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let arguments = |target: &str| json!({"target": target, "path": path, "sudo": true});
    let read = client.call("ssh_file_read", arguments("right"));
    assert_eq!(read["text"], "     1\ta = 1\n", "{read}");
    let mut write = arguments("right");
    write["content"] = json!("a = 2\n");
    write["expect_sha256"] = read["sha256"].clone();
    let written = client.call("ssh_file_write", write);
    assert_eq!((written["state"].as_str(), std::fs::read_to_string(&path).unwrap().as_str()), (Some("written"), "a = 2\n"), "{written}");
    let refused = client.error("ssh_file_read", arguments("without"));
    assert!(refused.contains("a password is required") && refused.contains("the secret `sudo`"), "{refused}");
    for _ in 0..3 {
        let refused = client.error("ssh_file_read", arguments("wrong"));
        assert!(refused.contains("it refuses the secret `sudo`"), "{refused}");
    }
    let refused = client.error("ssh_file_read", arguments("wrong"));
    assert!(refused.contains("is not tried for 60 more minutes"), "{refused}");
    client.has_written_no(PASSWORD);
    client.has_written_no("no such word 17");
    std::fs::remove_file(rule).unwrap();
}

/// The real `scp` of a host that has no file service, for a type without a shell.
#[test]
fn a_device_that_only_copies_gets_and_gives_single_files() {
    let setting = Setting::on(Sshd::start_without_files(), "safe", "");
    let file = setting.client.folder().join("jackfield.toml");
    let config = std::fs::read_to_string(&file).unwrap().replace("type = \"linux\"", "type = \"cisco_ios\"");
    let mut client = Client::start(&config);
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| number.wrapping_mul(0x9E37_79B9).to_le_bytes()[3]).collect();
    std::fs::write(setting.here("image.bin"), &content).unwrap();
    let remote = setting.there("image.bin").display().to_string();
    let copy =
        |direction: &str, local: &str, remote: &str| json!({"target": "web1", "direction": direction, "local": local, "remote": remote});
    let mut dry = copy("up", "image.bin", &remote);
    dry["dry_run"] = json!(true);
    assert_eq!(client.call("ssh_transfer", dry)["state"], "planned");
    assert!(!setting.there("image.bin").exists());
    let up = client.call("ssh_transfer", copy("up", "image.bin", &remote));
    assert_eq!(
        (up["state"].as_str(), up["bytes"].as_u64(), up["sha256"].as_str()),
        (Some("done"), Some(3_000_000), Some(hash(&content).as_str())),
        "{up}"
    );
    assert!(std::fs::read(&remote).unwrap() == content);
    std::fs::create_dir(setting.here("folder")).unwrap();
    for (local, there) in [("again.bin", "again.bin"), ("folder", "folder/image.bin")] {
        let down = client.call("ssh_transfer", copy("down", local, &remote));
        assert_eq!(down["state"], "done", "{down}");
        assert!(std::fs::read(setting.here(there)).unwrap() == content);
    }
    let missing = setting.there("missing").display().to_string();
    let folder = setting.there("").display().to_string();
    for (arguments, why) in [
        (copy("down", "x", &missing), "there is no such file"),
        (copy("down", "x", &folder), "not a regular file"),
        (copy("up", "folder", &remote), "copies single files"),
        (copy("up", "nothing", &remote), "there is nothing at"),
        (copy("up", "image.bin", "/tmp/a b; reboot"), "it takes paths of letters"),
        (copy("up", "image.bin", &format!("{folder}/no/such/folder/x")), "there is no such file or folder"),
    ] {
        let told = client.error("ssh_transfer", arguments);
        assert!(told.contains(why), "{why}: {told}");
    }
    assert!(!setting.here("x").exists() && !setting.here(".x.jackfield-part").exists());
    let told = client.error("ssh_file_read", json!({"target": "web1", "path": remote}));
    assert!(told.contains("single files are copied by ssh_transfer"), "{told}");
    let mut strict = Client::start(&config.replace("mode = \"safe\"", "mode = \"read-only\""));
    let refused = strict.call("ssh_transfer", copy("up", "image.bin", &remote));
    assert_eq!(refused["state"], "denied", "{refused}");
}

#[test]
fn secrets_in_a_file_are_not_shown() {
    let mut setting = Setting::new("safe");
    let path = setting.put("config", b"user = x\npassword = Zaphod-41-Beeblebrox\n");
    let read = setting.read(&path);
    assert!(!read.to_string().contains("Zaphod-41") && read["warnings"].to_string().contains("look like secrets"), "{read}");
    let edit = json!({"target": "web1", "path": path, "old": "user = x", "new": "user = y"});
    let written = setting.client.call("ssh_file_write", edit);
    assert!(written["diff"].as_str().unwrap().contains("+user = y") && !written.to_string().contains("Zaphod-41"), "{written}");
    let row = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW";
    let key =
        setting.put("key", format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{row}\n{row}\n-----END OPENSSH PRIVATE KEY-----\n").as_bytes());
    for more in [json!({}), json!({"offset": 2}), json!({"offset": 3, "limit": 1}), json!({"grep": "b3Bl"})] {
        let mut arguments = json!({"target": "web1", "path": key});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let read = setting.client.call("ssh_file_read", arguments);
        assert!(read["ok"] == true && !read.to_string().contains("b3BlbnN"), "{read}");
    }
}

#[test]
fn what_logs_in_is_fetched_once_for_many_calls() {
    let server = Sshd::start();
    let counted = tempfile::NamedTempFile::new().unwrap();
    account(USER, Path::new("/bin/bash"));
    let secret = format!("password = {{ command = \"echo x >> {}; echo not-needed\" }}\n", counted.path().display());
    let mut client = Client::start(&format!("{}{secret}[policy]\nmode = \"full\"\n", server.device("web1", USER, "linux")));
    for _ in 0..4 {
        let read = client.call("ssh_file_read", json!({"target": "web1", "path": "/etc/hostname"}));
        assert_eq!(read["ok"], true, "{read}");
    }
    assert_eq!(std::fs::read_to_string(counted.path()).unwrap(), "x\n");
}

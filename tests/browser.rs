//! The viewer in a real Chromium: with sessions that are played, where everything can happen, and with the real program.
//! `viewer/tests/viewer.mjs` drives it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jackfield::viewer::Viewer;
use serde_json::{Value, json};

use crate::daemon::House;
use crate::reach::asking;
use crate::support::install_missing;
use crate::support::packages::fetched;
use crate::support::process::{pause, until};

use self::fake::Fake;

mod fake;

const RECORDING: &str = "20261120T211200Z-web1-main-0f3a5c7e91b2d4f6.cast";
const CUT: &str = "20261121T080000Z-core_sw1-main-1111222233334444.cast.part";

/// What the real program is tried with; the rest is the played sessions'.
const REAL: &[&str] = &[
    "a_link_logs_one_browser_in_once",
    "a_read_only_link_only_looks",
    "a_page_of_another_origin_can_do_nothing",
    "under_a_foreign_name_nothing_is_answered",
    "what_is_typed_comes_out_and_has_an_author",
    "what_programs_ask_terminals_is_not_answered_by_browsers",
    "what_scrolled_away_can_be_searched_and_copied",
    "a_lock_is_set_and_taken_back_and_all_see_it",
    "panic_stops_all_agents_and_says_who_did",
    "a_command_is_shown_exactly_and_runs_only_when_it_is_allowed",
    "what_a_server_asks_at_login_is_answered_by_a_person",
    "a_command_is_interrupted",
    "a_note_is_kept_and_shown_as_text",
];

/// The scripts with what they need from npm, in a folder of the build.
fn scripts() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        install_missing(&[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")]);
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../viewer/tests");
        let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("viewer-tests");
        for part in ["", "cases"] {
            fs::create_dir_all(to.join(part)).unwrap();
            for entry in fs::read_dir(from.join(part)).unwrap().flatten().filter(|entry| entry.path().is_file()) {
                fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
            }
        }
        fetched(|| {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&to);
            npm
        });
        to
    })
}

/// Runs these tests, or all; every one that ran, or those that failed.
fn drive(wanted: &Value, only: &[&str]) -> Result<Vec<Value>, String> {
    let mut node = Command::new("node");
    node.arg("viewer.mjs").args(only).current_dir(scripts()).env("VIEWER_TEST", wanted.to_string());
    let output = node.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let results: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed: Vec<&Value> = results.iter().filter(|result| result.get("error").is_some()).collect();
    if !failed.is_empty() || !output.status.success() {
        return Err(format!("{failed:#?}\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(results)
}

#[test]
fn the_viewer_does_in_a_browser_what_it_promises() {
    scripts();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The played sessions are tasks of it.
    let _within = runtime.enter();
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/browser/recordings");
    let start = Viewer::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(Fake::new(recordings)));
    let viewer = runtime.block_on(start).unwrap();
    let links = |count: usize, may_type: bool| (0..count).map(|_| viewer.link(may_type).unwrap()).collect::<Vec<String>>();
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("viewer-shots");
    let wanted = json!({
        "address": viewer.address(), "links": links(50, true), "read_only": links(4, false),
        "shell": "web1", "quiet": "core-sw1", "lane": "web1#pipe", "device": "web2",
        "approve": {"target": "web1", "text": "echo approved-$((40+2))", "shows": "approved-42"},
        "deny": {"target": "core-sw1", "named": ["U+202E", "Esc", "U+200B", "U+00A0"]},
        "question": {"device": "edge2", "user": "noc", "asks": [["Verification code:", "271 828 182"]]},
        "recording": RECORDING, "cut": CUT, "shots": shots,
    });
    assert!(drive(&wanted, &[]).unwrap().len() > 20);
    assert!(shots.join("list-phone-light.png").exists());
}

#[test]
fn the_real_sessions_are_in_a_browser_as_they_are_at_a_terminal() {
    scripts();
    let ask = "[[policy.rule]]\nname = \"ask-first\"\neffect = \"ask\"\ncommand = [\"touch\"]\nreason = \"it is a test\"\n";
    let device = |name: &str| format!("[device.{name}]\nlocal = true\ntype = \"linux\"\n");
    let folder = tempfile::tempdir().unwrap();
    let asked = asking::device("asked", "", folder.path()).replace("password = { env = \"JFT_WORD\" }\n", "");
    let devices = [device("here"), device("there"), device("other"), asked].concat();
    let house = House::new(&format!("{devices}[policy]\nmode = \"full\"\n{ask}"));
    let mut agent = house.client("agent");
    for name in ["here", "there"] {
        agent.call("ssh_open", json!({"host": name}));
    }
    let link = |arguments: &[&str]| house.said(&[&["viewer", "--print"], arguments].concat()).trim().to_owned();
    let links: Vec<String> = (0..30).map(|_| link(&[])).collect();
    let read_only: Vec<String> = (0..4).map(|_| link(&["--read-only"])).collect();
    let address = links[0].split('/').nth(2).unwrap().to_owned();
    let opened = agent.call("ssh_open", json!({"host": "here"}));
    assert_eq!(opened["viewer"], format!("http://{address}/#/session/here"));
    let (approve, deny) = ("touch /tmp/jft-viewer && echo approved-$((40+2))", "touch /tmp/jft-denied");
    let wanted = json!({
        "address": address, "links": links, "read_only": read_only, "shell": "here", "quiet": "there", "lane": "here", "device": "other",
        "approve": {"target": "here", "text": approve, "shows": "approved-42"},
        "deny": {"target": "there", "named": []},
        "question": {"device": "asked", "user": "bob", "asks": [["Password:", asking::WORD], ["Verification code:", asking::CODE]]},
        "shots": Path::new(env!("CARGO_TARGET_TMPDIR")).join("viewer-shots-real"),
    });
    let done = std::sync::atomic::AtomicBool::new(false);
    let logged_in = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Agents ask again and again, as they do when they were told to wait for a person.
        scope.spawn(|| {
            for (target, command) in [("there", deny), ("here", approve)] {
                let mut agent = house.client("asking");
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let result = agent.call("ssh_run", json!({"target": target, "command": command, "wait_s": 5}));
                    if target == "there" || !matches!(result["state"].as_str(), Some("approval_needed" | "refused")) {
                        break;
                    }
                    pause(Duration::from_millis(200));
                }
            }
        });
        scope.spawn(|| {
            let mut agent = house.client("logs-in");
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let result = agent.call("ssh_run", json!({"target": "asked", "command": "echo fine", "lane": "exec", "wait_s": 5}));
                if result["output"] == "fine\n" {
                    logged_in.store(true, std::sync::atomic::Ordering::Relaxed);
                    break;
                }
                pause(Duration::from_millis(200));
            }
        });
        until("both wait", || house.said(&["approve", "--json"]).matches("\"id\"").count() == 2);
        let results = drive(&wanted, REAL);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        let results = results.unwrap();
        assert_eq!(results.len(), REAL.len() + 1, "{results:?}");
        assert!(logged_in.load(std::sync::atomic::Ordering::Relaxed), "the answers do not log in");
    });
}

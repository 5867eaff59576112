//! Changes on many targets: a canary first, then in batches, no further than the failures that are taken, and each target asked about on
//! its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::House;
use crate::daemon::login::talk;
use crate::support::client::Client;
use crate::support::lab::Devices;
use crate::support::process::{pause, until};
use crate::support::sshd::{Sshd, account};

const TARGETS: [&str; 4] = ["w1", "w2", "w3", "w4"];

/// Shells of this machine, and a script that notes each time that it is run.
struct Scene {
    folder: tempfile::TempDir,
    config: String,
}

impl Scene {
    /// What the script does behind the note, and what policy says beside the mode.
    fn start(script: &str, policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().display().to_string();
        fs::write(folder.path().join("step.sh"), format!("echo ran >> {own}/count\n{script}\n").replace("DIR", &own)).unwrap();
        let devices: String = TARGETS.iter().map(|name| format!("[device.{name}]\nlocal = true\ntype = \"linux\"\n")).collect();
        let config = format!("{devices}[policy]\nmode = \"full\"\n{}", policy.replace("DIR", &own));
        Self { folder, config }
    }

    fn command(&self) -> String {
        format!("sh {}/step.sh", self.folder.path().display())
    }

    /// `jackfield fleet` with these options, on all targets.
    fn words<'w>(&self, options: &[&'w str], command: &'w str) -> Vec<&'w str> {
        [&["fleet"][..], options, &TARGETS[..], &["--", command][..]].concat()
    }

    fn call(&self, more: Value) -> Value {
        let mut call = json!({"targets": TARGETS, "command": self.command(), "wait_s": 40});
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call
    }

    /// How often the script was run.
    fn runs(&self) -> usize {
        fs::read_to_string(self.folder.path().join("count")).unwrap_or_default().lines().count()
    }
}

/// State, how many are done and have failed, and what is pending.
fn stands(result: &Value) -> (&str, u64, u64, Vec<&str>) {
    let pending = result["pending"].as_array().unwrap_or_else(|| panic!("{result}")).iter().map(|name| name.as_str().unwrap()).collect();
    (result["state"].as_str().unwrap(), result["done"].as_u64().unwrap(), result["failed"].as_u64().unwrap(), pending)
}

#[test]
fn all_targets_are_run_on_and_equal_outputs_shown_once() {
    let scene = Scene::start("echo went", "");
    let mut client = Client::start(&scene.config);
    let result = client.call("ssh_fleet", scene.call(json!({"parallel": 2, "reason": "to try it"})));
    assert_eq!((stands(&result), scene.runs()), (("done", 4, 0, vec![]), 4), "{result}");
    assert_eq!(result["groups"], json!([{"targets": TARGETS, "origin": "device", "output": "went\n", "exit_code": 0}]), "{result}");
    let results = result["results"].as_array().unwrap();
    assert!(results.iter().zip(TARGETS).all(|(one, name)| one["target"] == name && one["command_id"].is_string()), "{result}");
    let kept = client.call("ssh_history", json!({"query": "step.sh"}));
    assert!(kept["total"] == 4 && kept["entries"][0]["reason"] == "to try it", "{kept}");
    // Its end was told: the same call runs it again, and the old end can still be read.
    let again = client.call("ssh_fleet", scene.call(json!({"parallel": 2})));
    assert!(again["command_id"] != result["command_id"] && scene.runs() == 8, "{again}");
    let read = client.call("ssh_output", json!({"command_id": result["command_id"]}));
    assert_eq!(stands(&read), ("done", 4, 0, vec![]));
    let part = client.error("ssh_output", json!({"command_id": result["command_id"], "grep": "went", "offset": 0}));
    assert!(part.starts_with("`grep` of ssh_output is for the output of one command, and c"), "{part}");
    let of_one = client.call("ssh_output", json!({"command_id": result["results"][2]["command_id"], "grep": "went"}));
    assert_eq!((&of_one["target"], &of_one["output"]), (&json!("w3"), &json!("went\n")), "{of_one}");
}

#[test]
fn nothing_is_begun_behind_a_canary_that_failed_or_too_many_failures() {
    let scene = Scene::start("false", "");
    let mut client = Client::start(&scene.config);
    let result = client.call("ssh_fleet", scene.call(json!({})));
    assert_eq!((stands(&result), scene.runs()), (("stopped", 0, 1, vec!["w2", "w3", "w4"]), 1), "{result}");
    assert_eq!((&result["ok"], &result["stopped_because"]), (&json!(false), &json!("a canary failed: w1")));
    assert!(result["next"].as_str().unwrap().contains("What is pending was not begun"), "{result}");
    let scene = Scene::start("[ $(wc -l < DIR/count) -lt 2 ]", "");
    let mut client = Client::start(&scene.config);
    let result = client.call("ssh_fleet", scene.call(json!({"parallel": 1})));
    assert_eq!((stands(&result), scene.runs()), (("stopped", 1, 1, vec!["w3", "w4"]), 2), "{result}");
    assert_eq!(result["stopped_because"], "max_failures=1 is reached: w2", "{result}");
    let wrong = client.error("ssh_fleet", json!({"targets": ["w1", "w9"], "command": scene.command()}));
    assert!(wrong.contains("there is no device `w9`; did you mean `w") && wrong.ends_with("; nothing was run"), "{wrong}");
    assert_eq!(scene.runs(), 2, "also not on the one that is there");
    let twice = client.error("ssh_fleet", json!({"targets": ["w1", "w2", "w1#main"], "command": "true"}));
    assert_eq!(twice, "`targets` of ssh_fleet names `w1#main` twice; name each target once");
}

#[test]
fn each_target_is_asked_about_and_what_was_done_is_not_done_twice() {
    let rule = "[[policy.rule]]\nname = \"look\"\neffect = \"ask\"\nmatch = \"sh DIR/step.sh\"\n";
    let scene = Scene::start("echo went", rule);
    let mut client = Client::start_agreeing(&scene.config, &[]);
    let mut call = || {
        let result = client.call("ssh_fleet", scene.call(json!({"parallel": 2})));
        (result["state"].as_str().unwrap().to_owned(), result["done"].as_u64().unwrap(), scene.runs())
    };
    // The user agrees once in each call: to the canary, to a batch, to the last one.
    assert_eq!(call(), ("approval_needed".to_owned(), 1, 1));
    assert_eq!(call(), ("approval_needed".to_owned(), 3, 3));
    assert_eq!(call(), ("done".to_owned(), 4, 4));
}

#[test]
fn a_user_who_says_no_stops_it_and_nothing_is_typed() {
    let rule = "[[policy.rule]]\nname = \"look\"\neffect = \"ask\"\nmatch = \"sh DIR/step.sh\"\n";
    let scene = Scene::start("echo went", rule);
    let mut client = Client::bare(crate::support::client::state(), &scene.config, &[]).greeted(&json!({"elicitation": {}}));
    client.post("ssh_fleet", scene.call(json!({})));
    let asked = loop {
        let message = client.next();
        if message["method"] == "elicitation/create" {
            break message;
        }
    };
    client.write(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}}));
    let (_, result) = client.answer();
    assert_eq!((stands(&result), scene.runs()), (("stopped", 0, 1, vec!["w2", "w3", "w4"]), 0), "{result}");
    assert_eq!(result["results"][0]["state"], "denied", "{result}");
}

#[test]
fn what_is_refused_counts_once_however_often_it_is_told_and_stops_what_goes_on_too() {
    let deny = "[[policy.rule]]\nname = \"no\"\neffect = \"deny\"\nmatch = \"sh DIR/step.sh\"\n[limits]\ndenials = 3\n";
    let scene = Scene::start("", deny);
    let mut client = Client::start(&scene.config);
    let result = client.call("ssh_fleet", scene.call(json!({})));
    assert_eq!(result["results"][0]["state"], "denied", "{result}");
    for _ in 0..5 {
        let read = client.call("ssh_output", json!({"command_id": result["command_id"]}));
        assert_eq!(stands(&read), ("stopped", 0, 1, vec!["w2", "w3", "w4"]), "{read}");
    }
    let result = client.call("ssh_fleet", scene.call(json!({"canary": 0, "parallel": 1, "max_failures": 4})));
    assert_eq!(stands(&result), ("done", 0, 4, vec![]), "{result}");
    let denied: Vec<bool> = result["results"].as_array().unwrap().iter().map(|one| one["state"] == "denied").collect();
    assert_eq!(denied, [true, true, false, false], "{result}");
    assert!(result["results"][2]["error"]["message"].as_str().unwrap().starts_with("stopped: policy has refused 3 calls"), "{result}");
    assert!(client.error("ssh_run", json!({"target": "w1", "command": "true"})).starts_with("stopped: "));
}

#[test]
fn an_end_that_nobody_has_heard_is_told_as_what_it_is() {
    let scene = Scene::start("while [ ! -e DIR/go ]; do sleep 0.1; done; echo went", "");
    let mut client = Client::start(&scene.config);
    let begun = client.call("ssh_fleet", scene.call(json!({"wait_s": 0.5})));
    fs::write(scene.folder.path().join("go"), "").unwrap();
    until("all of it has ended", || {
        let kept = client.call("ssh_history", json!({"query": "step.sh"}));
        kept["entries"].as_array().unwrap().iter().filter(|entry| entry["state"] == "done").count() == 4
    });
    pause(Duration::from_secs(5));
    let told = client.call("ssh_fleet", scene.call(json!({})));
    assert_eq!((&told["command_id"], stands(&told), scene.runs()), (&begun["command_id"], ("done", 4, 0, vec![]), 4), "{told}");
    assert!(told["warnings"][0].as_str().unwrap().contains("nothing was run now"), "{told}");
    let again = client.call("ssh_fleet", scene.call(json!({})));
    assert!(again["warnings"].is_null() && scene.runs() == 8, "{again}");
}

#[test]
fn it_goes_on_when_the_call_is_over_and_can_be_stopped() {
    let scene = Scene::start("while [ ! -e DIR/go ]; do sleep 0.1; done; echo went", "");
    let mut client = Client::start(&scene.config);
    let call = scene.call(json!({"wait_s": 0.5}));
    let begun = client.call("ssh_fleet", call.clone());
    assert_eq!((stands(&begun), &begun["running"]), (("running", 0, 0, vec!["w2", "w3", "w4"]), &json!(["w1"])), "{begun}");
    assert_eq!(client.call("ssh_fleet", call)["command_id"], begun["command_id"], "the same call waits on");
    fs::write(scene.folder.path().join("go"), "").unwrap();
    let ended = client.call("ssh_output", json!({"command_id": begun["command_id"], "wait_s": 40}));
    assert_eq!((stands(&ended), scene.runs()), (("done", 4, 0, vec![]), 4), "{ended}");
    let sleeping = client.call("ssh_fleet", json!({"targets": TARGETS, "command": "sleep 603", "wait_s": 1}));
    assert_eq!(sleeping["state"], "running", "{sleeping}");
    let id = sleeping["command_id"].clone();
    let stopped = client.call("ssh_interrupt", json!({"command_id": id}));
    assert_eq!(stands(&stopped), ("interrupted", 0, 1, vec!["w2", "w3", "w4"]), "{stopped}");
    assert_eq!(stopped["results"][0]["state"], "interrupted", "{stopped}");
    assert!(client.error("ssh_interrupt", json!({"command_id": id})).contains("the rollout has ended"));
    assert_eq!(client.run("w1", "echo free")["output"], "free\n");
}

/// Status, standard output and standard error of the program.
fn printed(house: &House, arguments: &[&str]) -> (i32, String, String) {
    let done = house.output(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code().unwrap(), text(&done.stdout), text(&done.stderr))
}

#[test]
fn a_person_runs_a_command_on_many_devices_and_sees_equal_outputs_once() {
    let scene = Scene::start("echo went", "");
    let (house, command) = (House::new(&scene.config), scene.command());
    let (status, out, err) = printed(&house, &scene.words(&["--parallel", "2", "--reason", "to try it"], &command));
    assert!(status == 0 && out.contains("== w1, w2, w3, w4: done exit=0\nwent\n"), "{out}\n{err}");
    assert!(TARGETS.iter().all(|name| out.contains(&format!("\n{name}      done   0 "))), "{out}");
    for line in ["jackfield: canary: w1\n", "jackfield: next: w2, w3\n", "4 of 4 done, 0 failed\n", "jackfield: 4 done, 0 failed\n"] {
        assert!(err.contains(line), "{line}: {err}");
    }
    let (status, out, _) = printed(&house, &scene.words(&["--json"], &command));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, stands(&told), &told["ok"]), (0, ("done", 4, 0, vec![]), &json!(true)), "{told}");
    assert_eq!(told["groups"], json!([{"targets": TARGETS, "origin": "device", "output": "went\n", "exit_code": 0}]), "{told}");
    assert_eq!(scene.runs(), 8);
    let kept = house.client("agent").call("ssh_history", json!({"query": "step.sh"}));
    assert!(kept["total"] == 8 && kept["entries"].as_array().unwrap().iter().any(|entry| entry["reason"] == "to try it"), "{kept}");
}

#[test]
fn servers_are_reached_by_it_as_by_run() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let house = House::new(&["s1", "s2"].map(|name| server.device(name, "jft-bash", "linux")).concat());
    let (status, out, err) = printed(&house, &["fleet", "s1", "s2", "--", "echo $USER"]);
    assert!(status == 0 && out.contains("== s1, s2: done exit=0\njft-bash\n"), "{out}\n{err}");
}

#[test]
fn lines_of_a_configuration_name_their_mode() {
    let devices = Devices::some(&["switch1"]);
    let house = House::new(&devices.config);
    let (status, out, err) = printed(&house, &["fleet", "--mode", "config", "switch1", "--", "interface Gi0/1"]);
    assert_eq!(status, 0, "{out}\n{err}");
    let typed = devices.typed("switch1");
    assert!(typed.iter().any(|line| line == "config: interface Gi0/1"), "{typed:#?}");
    let (status, out, err) = printed(&house, &["run", "--mode", "config", "--reason", "a new uplink", "switch1", "--", "interface Gi0/2"]);
    assert_eq!(status, 0, "{out}\n{err}");
    let typed = devices.typed("switch1");
    assert!(typed.iter().any(|line| line == "config: interface Gi0/2"), "{typed:#?}");
    let (_, history, _) = printed(&house, &["history", "--json"]);
    assert!(history.contains("a new uplink"), "{history}");
}

#[test]
fn the_status_tells_a_script_whether_all_were_tried() {
    let scene = Scene::start("echo no; false", "");
    let (house, command) = (House::new(&scene.config), scene.command());
    let (status, out, err) = printed(&house, &scene.words(&[], &command));
    assert!(status == 3 && scene.runs() == 1 && out.contains("== w1: done exit=1 FAILED\nno\n"), "{status} {out}\n{err}");
    assert!(err.ends_with("0 done, 1 failed; stopped because a canary failed: w1; not begun: w2, w3, w4\n"), "{err}");
    let (status, out, _) = printed(&house, &scene.words(&["--json", "--canary", "0", "--max-failures", "9"], &command));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, stands(&told), &told["ok"]), (1, ("done", 0, 4, vec![]), &json!(false)), "{told}");
    let scene = Scene::start("[ $(wc -l < DIR/count) -lt 2 ]", "");
    let (house, command) = (House::new(&scene.config), scene.command());
    let (status, out, _) = printed(&house, &scene.words(&["--json", "--parallel", "1"], &command));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, stands(&told)), (3, ("stopped", 1, 1, vec!["w3", "w4"])), "{told}");
    assert_eq!(told["stopped_because"], "max_failures=1 is reached: w2", "{told}");
}

#[test]
fn what_is_wrong_with_the_targets_is_told_before_anything_is_run() {
    let scene = Scene::start("echo went", "");
    let (house, command) = (House::new(&scene.config), scene.command());
    let (status, _, err) = printed(&house, &["fleet", "w1", "w2", "w9", "--", &command]);
    assert!(status == 126 && err.contains("there is no device `w9`; did you mean `w"), "{status} {err}");
    assert!(err.contains("`jackfield devices` lists them; nothing was run"), "{err}");
    let (status, out, _) = printed(&house, &["fleet", "--json", "w1", "w9", "--", &command]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &told["state"], &told["ok"]), (126, &json!("refused"), &json!(false)), "{told}");
    let (status, _, err) = printed(&house, &["fleet", "w1", "w2", "w1#main", "--", &command]);
    assert!(status == 126 && err.contains("`w1#main` is named twice"), "{status} {err}");
    let (status, _, err) = printed(&house, &scene.words(&["--pause"], &command));
    assert!(status == 126 && err.contains("--pause asks at a terminal, and there is none"), "{status} {err}");
    let (status, _, err) = printed(&house, &scene.words(&["--parallel", "200"], &command));
    assert!(status == 2 && err.contains("1..=32"), "{status} {err}");
    assert_eq!(scene.runs(), 0);
}

/// A house where the script is asked about.
fn asking() -> (Scene, House) {
    let rule = "[[policy.rule]]\nname = \"look\"\neffect = \"ask\"\nmatch = \"sh DIR/step.sh\"\n";
    let scene = Scene::start("echo went", rule);
    let house = House::new(&scene.config);
    (scene, house)
}

#[test]
fn a_person_at_a_terminal_is_asked_about_equal_things_once() {
    let (scene, house) = asking();
    let once = "let exactly this through once:";
    let command = scene.command();
    let (seen, status) = talk(&house, &scene.words(&["--parallel", "3"], &command), &[(once, "allow"), (once, "allow")]);
    assert!(status == Some(0) && seen.contains("On w1:") && seen.contains("On w2, w3, w4:"), "{status:?} {seen}");
    assert_eq!((scene.runs(), seen.matches(once).count()), (4, 2), "{seen}");
    let (seen, status) = talk(&house, &scene.words(&[], &command), &[(once, "no")]);
    assert!(status == Some(3) && seen.contains("denied") && seen.contains("a canary failed: w1"), "{status:?} {seen}");
    assert_eq!(scene.runs(), 4);
}

#[test]
fn where_nobody_can_be_asked_it_says_what_waits_and_what_to_run_then() {
    let (scene, house) = asking();
    let command = scene.command();
    let (status, out, _) = printed(&house, &scene.words(&["--json"], &command));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, stands(&told), scene.runs()), (126, ("approval_needed", 0, 0, TARGETS.to_vec()), 0), "{told}");
    assert!(told["results"][0]["approval"]["id"].is_string(), "{told}");
    let (status, out, err) = printed(&house, &scene.words(&[], &command));
    assert!(status == 126 && out.contains("`jackfield approve a"), "{status} {out}");
    assert!(err.contains("after that run it for these alone, or all begins anew: w1 w2 w3 w4"), "{err}");
}

#[test]
fn a_person_says_between_two_batches_whether_it_goes_on() {
    let scene = Scene::start("echo went", "");
    let (house, command) = (House::new(&scene.config), scene.command());
    let words = scene.words(&["--pause", "--parallel", "1"], &command);
    let (seen, status) = talk(&house, &words, &[("to go on with w2:", "yes"), ("to go on with w3:", "no")]);
    assert_eq!((status, scene.runs()), (Some(130), 2), "{seen}");
    assert!(seen.contains("== w1: done exit=0") && seen.contains("not begun: w3, w4"), "{seen}");
    // Ctrl-C is an answer, too.
    let (seen, status) = talk(&house, &words, &[("to go on with w2:", "\u{3}")]);
    assert!(status == Some(130) && scene.runs() == 3 && seen.contains("not begun: w2, w3, w4"), "{status:?} {seen}");
}

#[test]
fn who_stops_it_sees_how_far_it_came_and_nothing_goes_on() {
    let scene = Scene::start("while [ ! -e DIR/go ]; do sleep 0.1; done; echo went", "");
    let (house, command) = (House::new(&scene.config), scene.command());
    for (runs, signal) in [(1, "INT"), (2, "TERM"), (3, "HUP")] {
        // What starts tests in the background has them ignore SIGINT.
        let mut waits = Command::new("env");
        waits.args(["--default-signal=INT,HUP", env!("CARGO_BIN_EXE_jackfield")]).args(scene.words(&[], &command));
        let waits = house.as_here(waits).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("it runs", || scene.runs() == runs);
        assert!(Command::new("kill").args(["-s", signal, &waits.id().to_string()]).status().unwrap().success());
        let ended = waits.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.code() == Some(130) && out.contains("w1      interrupted"), "{out}\n{err}");
        assert!(err.ends_with("0 done, 1 failed; stopped because that was asked for; not begun: w2, w3, w4\n"), "{err}");
    }
    assert_eq!((house.said(&["run", "w1", "--", "echo free"]).as_str(), scene.runs()), ("free\n", 3));
}

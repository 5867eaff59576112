//! Changes on many targets: a canary first, then in batches, no further than the failures that are taken, and each target asked about on
//! its own.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::{pause, until};

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

    fn call(&self, more: Value) -> Value {
        let mut call = json!({"targets": TARGETS, "command": format!("sh {}/step.sh", self.folder.path().display()), "wait_s": 40});
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
    let wrong = client.call("ssh_fleet", json!({"targets": ["w9"], "command": "true"}));
    assert_eq!(stands(&wrong), ("done", 0, 1, vec![]), "{wrong}");
    assert!(wrong["results"][0]["error"]["message"].as_str().unwrap().contains("did you mean `w"), "{wrong}");
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
    pause(Duration::from_secs(1));
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

//! What clients are offered beside calls: a choice of tools, sessions as resources, and news of both, in both eras of the protocol.

use std::path::Path;
use std::process::Command;

use jackfield::limits::{RESOURCE_SESSIONS_PAGE, RESOURCES_WATCHED_MAX};
use serde_json::{Value, json};

use crate::support::client::{self, Client};
use crate::support::sshd::{Sshd, account};

/// A shell on this machine, and what else is in the file.
fn config(more: &str) -> String {
    format!("[device.here]\nlocal = true\ntype = \"linux\"\n{more}")
}

/// Has the server read another configuration; what it reports.
pub fn reload(client: &Client, config: &str) -> Value {
    std::fs::write(client.folder().join("jackfield.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let done = command.args(["plugin", "reload", "--json"]).env("XDG_STATE_HOME", client.state.path()).output().unwrap();
    let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    told["servers"][0]["report"].clone()
}

fn names(list: &Value, of: &str, key: &str) -> Vec<String> {
    let list = list["result"][of].as_array().unwrap_or_else(|| panic!("{list}"));
    list.iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

fn read(client: &mut Client, uri: &str) -> Value {
    client.request("resources/read", &json!({"uri": uri}))
}

/// The text of a resource.
fn text(answer: &Value) -> &str {
    answer["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

/// Marks the parameters as those of the newer era.
fn newer(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "newer-client", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    params
}

/// The next message of this kind, and those before it that are none of the news.
fn until(client: &mut Client, method: &str) -> Value {
    loop {
        let message = client.next();
        if message["method"] == method {
            return message;
        }
    }
}

#[test]
fn a_tool_that_is_left_out_is_neither_listed_nor_called_and_clients_hear_of_it() {
    let mut client = Client::start(&config(""));
    let listed = |client: &mut Client| names(&client.request("tools/list", &json!({})), "tools", "name");
    assert_eq!(listed(&mut client).len(), jackfield::mcp::tools::TOOLS.len());
    let report = reload(&client, &config("[tools]\nwithout = [\"ssh_run\", \"ssh_send\"]\n"));
    let changes = report["changes"].to_string();
    assert!(changes.contains("removed   tool ssh_run") && changes.contains("removed   tool ssh_send"), "{report}");
    assert_eq!(client.next()["method"], "notifications/tools/list_changed");
    let fewer = listed(&mut client);
    assert!(fewer.len() == jackfield::mcp::tools::TOOLS.len() - 2 && !fewer.contains(&"ssh_run".to_owned()), "{fewer:?}");
    let refused = client.request("tools/call", &json!({"name": "ssh_run", "arguments": {"target": "here", "command": "true"}}));
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("`ssh_run` is not offered here: [tools] of the configuration leaves it out; there are: ssh_close, "),
        "{message}"
    );
    // What leaves the tools as they are is no news of them, and what is wrong changes nothing.
    let report = reload(&client, &config("[policy]\nmode = \"full\"\n[tools]\nwithout = [\"ssh_run\", \"ssh_send\"]\n"));
    assert_eq!(report["complaints"], json!([]), "{report}");
    let report = reload(&client, &config("[tools]\nonly = [\"ssh_qery\"]\n"));
    assert!(report["complaints"].to_string().contains("did you mean `ssh_query`?"), "{report}");
    client.write(&json!({"jsonrpc": "2.0", "id": "ping", "method": "ping"}));
    assert_eq!(client.next()["id"], "ping");
    let report = reload(&client, &config(""));
    assert!(report["changes"].to_string().contains("new       tool ssh_run"), "{report}");
    assert_eq!(client.next()["method"], "notifications/tools/list_changed");
    assert_eq!(client.run("here", "echo back")["output"], "back\n");
}

#[test]
fn a_session_can_be_read_with_its_screen_and_log_and_without_its_secrets() {
    let mut client = Client::start(&config("[device.other]\nlocal = true\ntype = \"linux\"\n"));
    let empty = names(&client.request("resources/list", &json!({})), "resources", "uri");
    assert_eq!(empty, ["jackfield://sessions"]);
    client.run("here", "printf '%s\\n' ghp_abcdefghijklmnopqrstuvwxyz0123456789 seen");
    client.call("ssh_open", json!({"host": "here", "name": "two words"}));
    let open = names(&client.request("resources/list", &json!({})), "resources", "uri");
    let of = |session: &str| ["", "/screen", "/log"].map(|part| format!("jackfield://sessions/{session}{part}"));
    let expected: Vec<String> = [vec![empty[0].clone()], of("here").into(), of("here%23two%20words").into()].concat();
    assert_eq!(open, expected);
    let templates = client.request("resources/templates/list", &json!({}));
    assert_eq!(names(&templates, "resourceTemplates", "uriTemplate"), of("{session}"));
    let list: Value = serde_json::from_str(text(&read(&mut client, &open[0]))).unwrap();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 2, "{list}");
    let state: Value = serde_json::from_str(text(&read(&mut client, "jackfield://sessions/here%23two%20words"))).unwrap();
    assert_eq!((&state["session"], &state["state"]), (&json!("here#two words"), &json!("ready")));
    for part in ["screen", "log"] {
        let answer = read(&mut client, &format!("jackfield://sessions/here/{part}"));
        let text = text(&answer);
        assert!(text.contains("--- device text ") && text.contains("seen") && text.contains("[secret removed]"), "{part}: {text}");
        assert!(!text.contains("ghp_a"), "{part}: {text}");
    }
    // What is not there is told with the address, by the code that each era has for it.
    for (uri, why) in [
        ("jackfield://sessions/other", "there is no session `other`"),
        ("jackfield://sessions/here/scren", "there is no resource `jackfield://sessions/here/scren`"),
        ("file:///etc/passwd", "there is no resource `file:///etc/passwd`"),
    ] {
        for (era, code) in [(json!({"uri": uri}), -32002), (newer(json!({"uri": uri})), -32602)] {
            let error = &client.request("resources/read", &era)["error"];
            assert!(error["message"].as_str().unwrap().starts_with(why), "{error}");
            assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(code), &json!(uri)), "{error}");
        }
    }
}

#[test]
fn a_session_without_a_terminal_lists_no_screen_and_no_log() {
    account("jft-bash", Path::new("/bin/bash"));
    let server = Sshd::start();
    let mut client = Client::start(&server.device("web1", "jft-bash", "linux"));
    client.call("ssh_open", json!({"host": "web1", "tty": false}));
    client.run("web1#pipe", "echo seen");
    client.call("ssh_run", json!({"target": "web1", "command": "echo apart", "lane": "exec", "wait_s": 40}));
    let open = names(&client.request("resources/list", &json!({})), "resources", "uri");
    assert_eq!(open, ["jackfield://sessions", "jackfield://sessions/web1%23exec", "jackfield://sessions/web1%23pipe"]);
    for uri in &open {
        text(&read(&mut client, uri));
    }
}

#[test]
fn many_sessions_are_listed_a_page_at_a_time() {
    let mut client = Client::start(&config(""));
    let count = RESOURCE_SESSIONS_PAGE + 1;
    let calls: Vec<Value> = (0..count).map(|number| json!({"host": "here", "name": format!("s{number}"), "wait_s": 45})).collect();
    let opened = client.call_all("ssh_open", &calls);
    assert!(opened.iter().all(|one| one["state"] == "ready"), "{opened:?}");
    let (mut seen, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
    while pages == 0 || cursor.is_string() {
        let page = client.request("resources/list", &json!({"cursor": cursor}));
        seen.extend(names(&page, "resources", "uri"));
        cursor = page["result"]["nextCursor"].clone();
        pages += 1;
    }
    assert_eq!((pages, seen.len()), (2, 1 + 3 * count), "{seen:?}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1 + 3 * count, "none is there twice");
}

#[test]
fn a_tool_that_is_left_out_takes_its_resource_along() {
    let mut client = Client::start(&config("[tools]\nwithout = [\"ssh_output\"]\n"));
    client.run("here", "echo seen");
    let open = names(&client.request("resources/list", &json!({})), "resources", "uri");
    assert_eq!(open, ["jackfield://sessions", "jackfield://sessions/here", "jackfield://sessions/here/screen"]);
    assert!(read(&mut client, "jackfield://sessions/here/log")["error"]["message"].as_str().unwrap().starts_with("there is no resource"));
    let subscribed = client.request("resources/subscribe", &json!({"uri": "jackfield://sessions/here/log"}));
    assert!(subscribed["error"]["message"].as_str().unwrap().starts_with("there is no resource"), "{subscribed}");
    for method in ["resources/read", "resources/subscribe"] {
        let refused = client.request(method, &json!({"url": "jackfield://sessions"}));
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        assert!(refused["error"]["message"].as_str().unwrap().starts_with(&format!("{method} needs `uri`")), "{refused}");
    }
    drop(client);
    let mut client = Client::bare(client::state(), &config("[tools]\nwithout = [\"ssh_sessions\"]\n"), &[]);
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    let offered = client.request("initialize", &hello);
    assert_eq!(offered["result"]["capabilities"], json!({"tools": {"listChanged": true}}));
    for method in ["resources/list", "resources/templates/list", "resources/read"] {
        assert_eq!(client.request(method, &json!({"uri": "jackfield://sessions"}))["error"]["code"], -32601, "{method}");
    }
    client.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let call = client.post("ssh_run", json!({"target": "here", "command": "echo one"}));
    loop {
        let message = client.next();
        assert_ne!(message["method"], "notifications/resources/list_changed", "of what it was not offered");
        if message["id"] == call {
            break;
        }
    }
}

#[test]
fn a_client_of_the_older_era_hears_of_sessions_and_of_what_it_watches() {
    let mut client = Client::start(&config(""));
    let screen = "jackfield://sessions/here/screen";
    assert_eq!(client.request("resources/subscribe", &json!({"uri": screen}))["result"], json!({}));
    let call = client.post("ssh_run", json!({"target": "here", "command": "echo one"}));
    let (mut opened, mut changed, mut answered) = (false, false, false);
    while !(opened && changed && answered) {
        let message = client.next();
        opened |= message["method"] == "notifications/resources/list_changed";
        changed |= message["method"] == "notifications/resources/updated" && message["params"]["uri"] == screen;
        answered |= message["id"] == call;
    }
    assert_eq!(client.request("resources/unsubscribe", &json!({"uri": screen}))["result"], json!({}));
    let mut watch = |number: usize| client.request("resources/subscribe", &json!({"uri": format!("jackfield://sessions/here%23{number}")}));
    for number in 0..RESOURCES_WATCHED_MAX {
        assert_eq!(watch(number)["result"], json!({}), "{number}");
    }
    assert_eq!(watch(0)["result"], json!({}), "it is watched already");
    let refused = watch(RESOURCES_WATCHED_MAX);
    assert!(refused["error"]["message"].as_str().unwrap().contains("resources are watched, the most that a connection may"), "{refused}");
    client.post("ssh_close", json!({"session": "here"}));
    until(&mut client, "notifications/resources/list_changed");
}

#[test]
fn what_is_watched_is_news_as_long_as_a_program_prints() {
    let mut client = Client::start(&config(""));
    client.run("here", "true");
    assert_eq!(client.request("resources/subscribe", &json!({"uri": "jackfield://sessions/here/log"}))["result"], json!({}));
    let command = "for i in 1 2 3 4 5 6; do echo $i; sleep 1; done";
    let call = client.post("ssh_run", json!({"target": "here", "command": command, "wait_s": 45}));
    let mut heard = 0;
    loop {
        let message = client.next();
        heard += usize::from(message["method"] == "notifications/resources/updated");
        if message["id"] == call {
            break;
        }
    }
    assert!(heard >= 3, "{heard}");
}

#[test]
fn a_client_of_the_newer_era_hears_what_it_asked_for_and_nothing_else() {
    let mut client = Client::bare(client::state(), &config(""), &[]);
    let log = "jackfield://sessions/here/log";
    let listen = |id: &str, wanted: Value| {
        let params = newer(json!({"notifications": wanted}));
        json!({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params})
    };
    client.write(&listen("tools", json!({"toolsListChanged": true})));
    assert_eq!(client.next()["method"], "notifications/subscriptions/acknowledged");
    client.write(&listen("log", json!({"resourcesListChanged": true, "resourceSubscriptions": [log, "file:///etc/passwd"]})));
    let accepted = client.next();
    assert_eq!(accepted["params"]["notifications"]["resourceSubscriptions"], json!([log]), "{accepted}");
    let call = newer(json!({"name": "ssh_run", "arguments": {"target": "here", "command": "echo one"}}));
    client.write(&json!({"jsonrpc": "2.0", "id": "call", "method": "tools/call", "params": call}));
    let mut heard = Vec::new();
    let of = |message: &Value| message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].clone();
    while heard.len() < 3 {
        let message = client.next();
        let what = if message["id"] == "call" { "answer".into() } else { message["method"].clone() };
        if !heard.iter().any(|(known, _)| *known == what) {
            heard.push((what, of(&message)));
        }
    }
    let heard = |what: &str| heard.iter().find(|(known, _)| known == what).map(|(_, id)| id.clone());
    assert_eq!(heard("notifications/resources/list_changed"), Some(json!("log")));
    assert_eq!(heard("notifications/resources/updated"), Some(json!("log")));
    assert!(heard("answer").is_some());
    reload(&client, &config("[tools]\nonly = [\"ssh_hosts\", \"ssh_query\"]\n"));
    let told = until(&mut client, "notifications/tools/list_changed");
    assert_eq!(of(&told), "tools");
}

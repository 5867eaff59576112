//! What a device prints where nobody asked for it: behind its prompt, or right before it without an end of row.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::json;

use crate::support::client::Client;

/// A router without `logging synchronous`: its messages come whenever they come, and no prompt is drawn again.
const MESSAGE: &str = "\r\n*Mar  1 00:01:02.345: %SYS-5-CONFIG_I: Configured from console by console\r\n";

/// Serves a router's console; `name` is what its prompts begin with.
fn router(name: &'static str, echoes: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    spawn(move || {
        for stream in listener.incoming().flatten() {
            spawn(move || serve(stream, name, echoes));
        }
    });
    port
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn serve(mut stream: TcpStream, name: &str, echoes: bool) -> Option<()> {
    let mut name = name.to_owned();
    let mut mode = "#";
    let mut say = |text: &str| stream.write_all(text.as_bytes()).ok();
    say(&format!("\r\n{name}#"))?;
    let mut reader = stream.try_clone().ok()?;
    let mut say = |text: &str| stream.write_all(text.as_bytes()).ok();
    let mut line = String::new();
    loop {
        let mut byte = [0];
        if reader.read(&mut byte).ok()? == 0 {
            return None;
        }
        match byte[0] {
            b'\r' => {}
            b' '..=b'~' => {
                line.push(char::from(byte[0]));
                if echoes {
                    say(&line[line.len() - 1..])?;
                }
                continue;
            }
            _ => continue,
        }
        say("\r\n")?;
        // Questions that no table has, each answered by a row.
        if let Some(question) = line.strip_prefix("ask ") {
            say(&question.replace('_', " ").replace('@', "?"))?;
            let mut answer = Vec::new();
            while answer.last() != Some(&b'\r') {
                let mut byte = [0];
                if reader.read(&mut byte).ok()? == 0 {
                    return None;
                }
                answer.push(byte[0]);
                say(&String::from_utf8_lossy(&byte).replace('\r', "\r\n"))?;
            }
            say(&format!("answered {}\r\n", String::from_utf8_lossy(&answer).trim()))?;
            line.clear();
        }
        let said = match line.trim() {
            "configure terminal" => {
                mode = "(config)#";
                ""
            }
            "interface Gi0/1" => {
                mode = "(config-if)#";
                ""
            }
            "end" => {
                mode = "#";
                ""
            }
            "hostname new-7" => {
                name = "new-7".to_owned();
                ""
            }
            "copy a b" => {
                say("Copying ")?;
                for _ in 0..3 {
                    sleep(Duration::from_millis(2500));
                    say("!!!")?;
                }
                "\r\ndone\r\n"
            }
            // A row that is the prompt, and a pause.
            "show tick" => {
                say(&format!("tick\r\n{name}{mode}\r\n"))?;
                sleep(Duration::from_millis(2500));
                "tock\r\n"
            }
            "show file" => "one\r\nno newline",
            "show clock" => "*00:01:02 UTC\r\n",
            // It stalls behind a piece that is the prompt.
            "show log" => {
                say(&format!("before\r\n{name}{mode}"))?;
                sleep(Duration::from_millis(150));
                "show log is what he typed\r\nafter\r\n"
            }
            _ => "",
        };
        say(&format!("{said}{name}{mode}"))?;
        if line == "end" || line == "show clock" || line.starts_with("hostname ") {
            sleep(Duration::from_millis(5));
            say(MESSAGE)?;
        }
        line.clear();
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
fn a_message_behind_the_prompt_and_output_without_an_end_hold_up_nobody() {
    for name in ["R1", "core-sw1"] {
        let port = router(name, true);
        let device =
            format!("[device.{name}]\nline = \"telnet\"\nhost = \"127.0.0.1\"\nport = {port}\ntype = \"cisco_ios\"\npolicy = \"full\"\n");
        let mut client = Client::start(&device);
        for _ in 0..2 {
            let clock = client.run(name, "show clock");
            assert_eq!((clock["state"].as_str(), clock["failed"].as_bool()), (Some("done"), Some(false)), "{clock}");
            assert!(clock["output"].as_str().unwrap().starts_with("*00:01:02 UTC\n"), "{clock}");
            let tick = client.call("ssh_run", json!({"target": name, "command": "show tick", "wait_s": 30}));
            assert_eq!(
                (tick["state"].as_str(), tick["output"].as_str()),
                (Some("done"), Some(format!("tick\n{name}#\ntock\n").as_str())),
                "{tick}"
            );
            let file = client.run(name, "show file");
            assert_eq!((file["state"].as_str(), file["output"].as_str()), (Some("done"), Some("one\nno newline")), "{file}");
            let stalled = client.run(name, "show log");
            sleep(Duration::from_millis(1500));
            let next = client.run(name, "show nothing");
            let is_told = next["warnings"].to_string().contains("came after the last command ended");
            assert!(stalled["output"].as_str().unwrap().contains("after") || is_told, "{stalled} {next}");
            // The way out of the configuration ends at a prompt that is not the last one.
            let config = client
                .call("ssh_run", json!({"target": name, "command": "interface Gi0/1\ndescription x", "mode": "config", "wait_s": 30}));
            assert_eq!((config["state"].as_str(), config["failed"].as_bool()), (Some("done"), Some(false)), "{config}");
            assert_eq!(config["prompt"], format!("{name}#"), "{config}");
        }
    }
}

#[test]
fn a_prompt_with_a_new_name_is_known_behind_a_message() {
    let port = router("R1", true);
    let mut client = Client::start(&device(port));
    assert_eq!(client.run("R1", "show clock")["state"], "done");
    let renamed = client.run("R1", "hostname new-7");
    assert_eq!((renamed["state"].as_str(), renamed["prompt"].as_str()), (Some("done"), Some("new-7#")), "{renamed}");
    assert_eq!(client.run("R1", "show file")["output"], "one\nno newline");
}

/// The prompt that a line was typed behind stands alone in its row where the device sends nothing back.
#[test]
fn without_an_echo_the_old_prompt_is_not_the_new_one() {
    let port = router("R1", false);
    let mut client = Client::start(&device(port));
    for _ in 0..2 {
        let copied = client.call("ssh_run", json!({"target": "R1", "command": "copy a b", "wait_s": 30}));
        assert_eq!(copied["state"], "done", "{copied}");
        assert!(copied["output"].as_str().unwrap().ends_with("Copying !!!!!!!!!\ndone\n"), "{copied}");
        assert!(client.run("R1", "show clock")["output"].as_str().unwrap().contains("*00:01:02 UTC"));
    }
}

fn device(port: u16) -> String {
    format!("[device.R1]\nline = \"telnet\"\nhost = \"127.0.0.1\"\nport = {port}\ntype = \"cisco_ios\"\npolicy = \"full\"\n")
}

#[test]
fn a_question_that_no_plugin_knows_is_told_by_its_look() {
    let port = router("R1", true);
    for kind in ["cisco_ios", "dell_os10", "generic"] {
        let mut client = Client::start(&device(port).replace("cisco_ios", kind));
        for (question, expected) in [("Overwrite_it@_(y/n)[n]_", "yes-no"), ("Please_input_the_name_(_*.cfg_)_[a.cfg]:", "unknown")] {
            let asked = client.call("ssh_run", json!({"target": "R1", "command": format!("ask {question}"), "wait_s": 40}));
            assert_eq!((asked["state"].as_str(), asked["ask_kind"].as_str()), (Some("needs_input"), Some(expected)), "{kind} {asked}");
            let answered = client.call("ssh_send", json!({"session": "R1", "text": "n", "keys": ["enter"], "wait_s": 40}));
            assert!(answered["output"].as_str().unwrap_or_default().contains("answered n"), "{kind} {answered}");
        }
    }
}

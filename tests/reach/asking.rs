//! A server that asks in several rounds, as those with one-time codes do.

use std::sync::Arc;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session};
use russh::{Channel, ChannelId, MethodKind, MethodSet};

use super::*;

/// The right answers: to the first question,
pub const WORD: &str = "correct horse 41";
/// and to the second.
pub const CODE: &str = "314159";

/// A server on a port of its own. It runs as long as the process.
fn server() -> (u16, String) {
    let key = PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[9; 32])), "").unwrap();
    let public = key.public_key().to_openssh().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let methods = MethodSet::from([MethodKind::KeyboardInteractive].as_slice());
            let config = Arc::new(Config { keys: vec![key], methods, auth_rejection_time: std::time::Duration::ZERO, ..Config::default() });
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let session = russh::server::run_stream(Arc::clone(&config), stream, Asking::default()).await;
                tokio::spawn(async { session.unwrap().await });
            }
        });
    });
    (port, public)
}

#[derive(Default)]
struct Asking {
    round: usize,
    said: Vec<String>,
}

impl Handler for Asking {
    type Error = russh::Error;

    async fn auth_keyboard_interactive<'a>(&'a mut self, _: &str, _: &str, response: Option<Response<'a>>) -> Result<Auth, Self::Error> {
        let answers: Vec<String> = response.into_iter().flatten().map(|answer| String::from_utf8_lossy(&answer).into_owned()).collect();
        self.said.extend(answers);
        self.round += 1;
        let ask = |instructions: &'static str, prompts: Vec<(&'static str, bool)>| Auth::Partial {
            name: "".into(),
            instructions: instructions.into(),
            prompts: prompts.into_iter().map(|(prompt, echo)| (prompt.into(), echo)).collect::<Vec<_>>().into(),
        };
        Ok(match self.round {
            1 => ask("", vec![("Password: ", false)]),
            // What a server says of a refusal may come as a round without questions.
            2 if self.said != [WORD] => ask("Access denied.", Vec::new()),
            2 => ask("Look at your phone.", vec![("Verification code: ", false)]),
            // Some servers end with a round without questions.
            3 if self.said.len() == 2 => ask("Welcome.", Vec::new()),
            _ if self.said == [WORD, CODE] => Auth::Accept,
            _ => Auth::Reject { proceed_with_methods: None, partial_success: false },
        })
    }

    async fn channel_open_session(&mut self, _: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, channel: ChannelId, _: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        session.data(channel, "fine\n")?;
        session.exit_status_request(channel, 0)?;
        session.close(channel)
    }
}

/// A device whose server asks in rounds.
pub fn device(name: &str, lines: &str, folder: &Path) -> String {
    let (port, public) = server();
    let known = folder.join(name);
    fs::write(&known, format!("[127.0.0.1]:{port} {public}\n")).unwrap();
    format!(
        "[device.{name}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"bob\"\ntype = \"linux\"\nagent = false\nknown_hosts = \"{}\"\npassword = {{ env = \"JFT_WORD\" }}\n{lines}\n",
        known.display()
    )
}

fn run(client: &mut Client, device: &str) -> Value {
    client.call("ssh_run", json!({"target": device, "command": "echo fine", "lane": "exec", "wait_s": 20}))
}

#[test]
fn the_configuration_answers_by_secret_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = [
        device("right", "answers.\"verification code\" = \"otp\"\nsecrets.otp = { env = \"JFT_CODE\" }", folder.path()),
        device("wrong", "answers.\"verification code\" = \"otp\"\nsecrets.otp = { env = \"JFT_OLD\" }", folder.path()),
    ];
    let variables = [("JFT_WORD", WORD), ("JFT_CODE", CODE), ("JFT_OLD", "271828"), ("HOME", folder.path().to_str().unwrap())];
    let mut client = Client::start_with(&config.concat(), &variables);
    assert_eq!(run(&mut client, "right")["output"], "fine\n");
    let result = run(&mut client, "wrong");
    assert!(result.to_string().contains("is not accepted"), "{result}");
    client.has_written_no(CODE);
    client.has_written_no(WORD);
}

#[test]
fn a_wrong_password_counts_and_so_does_a_wrong_code_behind_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let code = "answers.\"verification code\" = \"otp\"\nsecrets.otp = { env = \"JFT_OLD\" }";
    let config = device("web1", code, folder.path());
    for (word, what, name) in [
        (WORD, "the answer to its question is not accepted", "`otp`"),
        ("wrong horse", "the password, as an answer to its question, is not accepted", "`password`"),
    ] {
        let variables = [("JFT_WORD", word), ("JFT_OLD", "271828"), ("HOME", folder.path().to_str().unwrap())];
        let mut client = Client::start_with(&config, &variables);
        for _ in 0..3 {
            let said = run(&mut client, "web1").to_string();
            assert!(said.contains(what), "{said}");
        }
        // The code is not wrong for what stands before it, and the password not for what stands behind it.
        let said = run(&mut client, "web1").to_string();
        assert!(said.contains(&format!("the secret {name} of `web1` was refused 3 times")), "{said}");
        assert!(said.contains("so that no account is locked"), "{said}");
    }
}

#[test]
fn a_person_answers_at_a_terminal_and_the_agent_sees_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = device("asks", "", folder.path());
    let mut client = Client::start_with(&config, &[("JFT_WORD", WORD), ("HOME", folder.path().to_str().unwrap())]);
    let result = run(&mut client, "asks");
    let said = result.to_string();
    assert!(said.contains("`asks` asks at login: `Verification code:`") && said.contains("jackfield answer q1"), "{result}");
    let apart = Command::new(env!("CARGO_BIN_EXE_jackfield"))
        .args(["answer", "q1"])
        .env("XDG_STATE_HOME", client.state.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!apart.status.success() && String::from_utf8_lossy(&apart.stderr).contains("at a terminal only"), "{apart:?}");
    let (screen, well) = at_a_terminal(&client, &["answer"]);
    assert!(well && screen.contains("`asks` asks whoever logs in as `bob`") && screen.contains("Look at your phone."), "{screen}");
    assert!(!screen.contains(CODE), "it is not echoed: {screen}");
    assert_eq!(run(&mut client, "asks")["output"], "fine\n");
    client.has_written_no(CODE);
}

/// The program in a terminal, where a person types the code once it is asked.
fn at_a_terminal(client: &Client, arguments: &[&str]) -> (String, bool) {
    let (mut terminal, inside) = pty_process::blocking::open().unwrap();
    terminal.resize(pty_process::Size::new(24, 200)).unwrap();
    let command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_jackfield"));
    let mut process = command.args(arguments).env("XDG_STATE_HOME", client.state.path()).spawn(inside).unwrap();
    let (mut seen, mut piece, mut typed) = (Vec::new(), [0; 4096], false);
    while let Ok(count @ 1..) = terminal.read(&mut piece) {
        seen.extend_from_slice(&piece[..count]);
        if !typed && String::from_utf8_lossy(&seen).contains("Verification code:") {
            typed = true;
            terminal.write_all(format!("{CODE}\r").as_bytes()).unwrap();
        }
    }
    (String::from_utf8_lossy(&seen).into_owned(), process.wait().unwrap().success())
}

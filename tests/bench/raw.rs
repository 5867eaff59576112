//! The raw limit: OpenSSH's own client and nothing else.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::roles::{Decision, Effect};
use jackfield::policy::approved::{Approved, Payload};
use jackfield::policy::{self, Filling, Verdict};
use jackfield::session::machine::Intent;

use crate::support::sshd::Sshd;

/// What ends a command in a raw loop.
const END: &str = "jfb> ";

/// Does the channel have a terminal?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    Yes,
    No,
}

/// The command line of OpenSSH's client.
pub fn ssh(server: &Sshd, user: &str, terminal: Terminal) -> Command {
    let folder = server.folder.path().display();
    let mut command = Command::new("ssh");
    command.args(["-F", "none", if terminal == Terminal::Yes { "-tt" } else { "-T" }, "-p", &server.port.to_string()]);
    command.args(["-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", &format!("UserKnownHostsFile={folder}/known_hosts")]);
    command.args(["-i", &format!("{folder}/id"), &format!("{user}@127.0.0.1")]).env("TERM", "xterm-256color");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A shell behind `ssh`, and nothing that understands it: a command's end is seen by a text.
pub struct Loop {
    process: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// What is written around a command.
    around: (String, String),
    /// What is printed behind it, and how that ends.
    end: (String, String),
}

impl Loop {
    /// Logs in; the end is seen by the prompt, or without a terminal by a word that is printed.
    pub fn start(server: &Sshd, user: &str, terminal: Terminal) -> Self {
        let around = if terminal == Terminal::Yes { "\n" } else { "; printf 'jfb> '\n" };
        let mut shell = Self::log_in(server, user, terminal, (String::new(), around.to_owned()), (END.to_owned(), END.to_owned()));
        if terminal == Terminal::Yes {
            // The echo of this line holds the prompt's text too, but not at the end of a row that nothing follows.
            shell.write("PS1='jfb''> '\n");
            shell.until_end();
        }
        shell.run("true");
        shell
    }

    /// The same shell with jackfield's marks, and commands written as jackfield writes them: what the marks cost the device.
    pub fn start_with_marks(server: &Sshd, user: &str, terminal: Terminal, kind: &DeviceType) -> Self {
        let nonce = jackfield::ids::nonce().unwrap();
        let text = |approved: Approved| match approved.payload() {
            Payload::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            Payload::Secret { .. } => panic!("a secret"),
        };
        let (around, setup, mark) = if terminal == Terminal::Yes {
            let intent = Intent::Send { plugin: "posix-shell".to_owned(), name: "bash".to_owned() };
            let setup = text(policy::intent(&intent, kind, Filling { nonce: &nonce, user: None }).unwrap());
            (("\x1b[200~".to_owned(), "\x1b[201~\r".to_owned()), setup, "B")
        } else {
            let pipe = kind.pipe.as_ref().unwrap();
            let decision = Decision { effect: Effect::Allow, rule: String::new(), reason: String::new() };
            let run = text(policy::piped(&Verdict::of(decision), "true", pipe).unwrap());
            let (before, after) = run.split_once("true").unwrap();
            ((before.to_owned(), after.to_owned()), text(policy::pipe_first(pipe, &nonce)), "D;0")
        };
        let end = (format!("133;{mark};{nonce}"), "\x07".to_owned());
        let mut shell = Self::log_in(server, user, terminal, around, end);
        shell.write(&setup);
        shell.until_end();
        (0..3).for_each(|_| shell.run("true"));
        shell
    }

    fn log_in(server: &Sshd, user: &str, terminal: Terminal, around: (String, String), end: (String, String)) -> Self {
        let mut command = ssh(server, user, terminal);
        if terminal == Terminal::No {
            command.arg("bash --noprofile --norc");
        }
        let mut process = command.spawn().unwrap();
        let (input, output) = (process.stdin.take(), process.stdout.take().unwrap());
        Self { process, input, output, around, end }
    }

    fn write(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn until_end(&mut self) {
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while !seen.ends_with(self.end.1.as_bytes()) || memchr::memmem::find(&seen, self.end.0.as_bytes()).is_none() {
            let count = self.output.read(&mut buffer).unwrap();
            assert!(count > 0, "ssh ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..count]);
        }
    }

    /// Runs a command and waits for its end.
    pub fn run(&mut self, command: &str) {
        self.write(&[&self.around.0, command, &self.around.1].concat());
        self.until_end();
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

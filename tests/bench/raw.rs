//! The raw limit: OpenSSH's own client with a terminal and nothing else.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::sshd::Sshd;

const PROMPT: &str = "jfb> ";

/// The command line of OpenSSH's client with a terminal.
pub fn ssh(server: &Sshd, user: &str) -> Command {
    let folder = server.folder.path().display();
    let mut command = Command::new("ssh");
    command.args(["-F", "none", "-tt", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-p", &server.port.to_string()]);
    command.args(["-i", &format!("{folder}/id"), "-o", &format!("UserKnownHostsFile={folder}/known_hosts")]);
    command
        .arg(format!("{user}@127.0.0.1"))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// A shell behind a pipe to `ssh -tt`, its end seen by its prompt.
pub struct Loop {
    process: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Loop {
    /// Logs in.
    pub fn start(server: &Sshd, user: &str) -> Self {
        let mut process = ssh(server, user).spawn().unwrap();
        let (input, output) = (process.stdin.take(), process.stdout.take().unwrap());
        let mut shell = Self { process, input, output };
        // The echo of this line holds the prompt's text too, but not at the end of a row that nothing follows.
        shell.write("PS1='jfb''> '\n");
        shell.until_prompt();
        shell
    }

    fn write(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn until_prompt(&mut self) {
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while !seen.ends_with(PROMPT.as_bytes()) {
            let count = self.output.read(&mut buffer).unwrap();
            assert!(count > 0, "ssh ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..count]);
        }
    }

    /// Runs a command and waits for the prompt.
    pub fn run(&mut self, command: &str) {
        self.write(&format!("{command}\n"));
        self.until_prompt();
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

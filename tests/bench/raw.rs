//! The raw limit: OpenSSH's own client and nothing else.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

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

/// A shell behind `ssh`: its end is seen by its prompt, or without a terminal by a word that is printed.
pub struct Loop {
    process: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    suffix: &'static str,
}

impl Loop {
    /// Logs in.
    pub fn start(server: &Sshd, user: &str, terminal: Terminal) -> Self {
        let mut command = ssh(server, user, terminal);
        if terminal == Terminal::No {
            command.arg("bash --noprofile --norc");
        }
        let mut process = command.spawn().unwrap();
        let (input, output) = (process.stdin.take(), process.stdout.take().unwrap());
        let suffix = if terminal == Terminal::Yes { "" } else { "; printf 'jfb> '" };
        let mut shell = Self { process, input, output, suffix };
        if terminal == Terminal::Yes {
            // The echo of this line holds the prompt's text too, but not at the end of a row that nothing follows.
            shell.write("PS1='jfb''> '\n");
            shell.until_end();
        }
        shell.run("true");
        shell
    }

    fn write(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn until_end(&mut self) {
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while !seen.ends_with(END.as_bytes()) {
            let count = self.output.read(&mut buffer).unwrap();
            assert!(count > 0, "ssh ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&buffer[..count]);
        }
    }

    /// Runs a command and waits for its end.
    pub fn run(&mut self, command: &str) {
        self.write(&format!("{command}{}\n", self.suffix));
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

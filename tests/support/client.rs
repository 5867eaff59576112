//! An MCP client on raw lines, to see exactly what comes.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

/// A state folder of one's own.
pub fn state() -> Arc<tempfile::TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

/// A server process and its pipes.
pub struct Client {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    last: u64,
    /// Its state folder, perhaps shared with others.
    pub state: Arc<tempfile::TempDir>,
}

impl Client {
    /// Starts the program on a configuration and shakes hands.
    pub fn start(config: &str) -> Self {
        Self::start_with(config, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(config: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_in(state(), config, variables)
    }

    /// The same with a user who agrees to whatever is asked about while a call is waited for.
    pub fn start_agreeing(config: &str, variables: &[(&str, &str)]) -> Self {
        Self::bare(state(), config, variables).greeted(&json!({"elicitation": {}}))
    }

    /// The same in a state folder that is there, for example that of another client.
    pub fn start_in(state: Arc<tempfile::TempDir>, config: &str, variables: &[(&str, &str)]) -> Self {
        Self::bare(state, config, variables).greeted(&json!({}))
    }

    /// The same before any word was spoken.
    pub fn bare(state: Arc<tempfile::TempDir>, config: &str, variables: &[(&str, &str)]) -> Self {
        // The others' files stay theirs.
        let own = tempfile::Builder::new().prefix("client-").tempdir_in(state.path()).unwrap().keep();
        let file = own.join("jackfield.toml");
        std::fs::write(&file, config).unwrap();
        Self::spawned(program(&file, state.path()).envs(variables.iter().copied()), state)
    }

    /// The same as a client of this name.
    pub fn called(command: &mut Command, state: Arc<tempfile::TempDir>, name: &str) -> Self {
        Self::spawned(command, state).greeted_as(name, &json!({}))
    }

    /// Starts any server and shakes hands.
    pub fn on(command: &mut Command, state: Arc<tempfile::TempDir>) -> Self {
        Self::spawned(command, state).greeted(&json!({}))
    }

    fn spawned(command: &mut Command, state: Arc<tempfile::TempDir>) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, input, output, last: 0, state }
    }

    /// Shakes hands as a client that can do this.
    pub fn greeted(self, capabilities: &Value) -> Self {
        self.greeted_as("test", capabilities)
    }

    fn greeted_as(mut self, name: &str, capabilities: &Value) -> Self {
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": name, "version": "1"}});
        self.request("initialize", &hello);
        self.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        self
    }

    /// The server's process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends the server's process as a crash does.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
    }

    /// Writes one message.
    pub fn write(&mut self, message: &Value) {
        // Whole, as clients write: in pieces, the server would wake for each.
        self.input.as_mut().unwrap().write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    /// Asks and waits for the answer.
    pub fn request(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.next();
            if message["id"] == id && message["method"].is_null() {
                return message;
            }
            if message["method"] == "elicitation/create" {
                let yes = json!({"action": "accept", "content": {"decision": "allow_once"}});
                self.write(&json!({"jsonrpc": "2.0", "id": message["id"], "result": yes}));
            }
        }
    }

    /// The next message, whatever it is.
    pub fn next(&mut self) -> Value {
        let mut line = String::new();
        assert!(self.output.read_line(&mut line).unwrap() > 0, "the server ended");
        serde_json::from_str(&line).unwrap()
    }

    /// Calls a tool without waiting for its answer; the call's number.
    pub fn post(&mut self, tool: &str, arguments: Value) -> u64 {
        self.last += 1;
        let params = json!({"name": tool, "arguments": arguments});
        self.write(&json!({"jsonrpc": "2.0", "id": self.last, "method": "tools/call", "params": params}));
        self.last
    }

    /// The next answer to a posted call: the call's number and the structure of its result.
    pub fn answer(&mut self) -> (u64, Value) {
        loop {
            let message = self.next();
            if let Some(id) = message["id"].as_u64() {
                assert!(message["result"]["structuredContent"].is_object(), "{message}");
                return (id, message["result"]["structuredContent"].clone());
            }
        }
    }

    /// Writes several calls at once and waits for all of the answers; the structures of their results, as they come.
    pub fn call_all(&mut self, tool: &str, arguments: &[Value]) -> Vec<Value> {
        let first = self.last + 1;
        let mut lines = String::new();
        for arguments in arguments {
            self.last += 1;
            let params = json!({"name": tool, "arguments": arguments});
            lines.push_str(&json!({"jsonrpc": "2.0", "id": self.last, "method": "tools/call", "params": params}).to_string());
            lines.push('\n');
        }
        self.input.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
        let mut results = Vec::new();
        while results.len() < arguments.len() {
            let mut message = self.next();
            if message["id"].as_u64().is_some_and(|id| id >= first) {
                results.push(message["result"]["structuredContent"].take());
            }
        }
        results
    }

    /// Calls a tool; the structure of its result.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.request("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        assert!(result["structuredContent"].is_object(), "{answer}");
        result["structuredContent"].clone()
    }

    /// Runs a command.
    pub fn run(&mut self, target: &str, command: &str) -> Value {
        self.call("ssh_run", json!({"target": target, "command": command, "max_chars": 1_000_000, "wait_s": 40}))
    }

    /// Greps everything that the program wrote.
    pub fn has_written_no(&self, secret: &str) {
        let found = Command::new("grep").arg("-rlF").arg(secret).arg(self.state.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "a secret is in a file");
    }

    /// The folder with its configuration and what it printed.
    pub fn folder(&self) -> PathBuf {
        let folders = std::fs::read_dir(self.state.path()).unwrap().flatten().map(|entry| entry.path());
        folders.into_iter().find(|folder| folder.join("jackfield.toml").exists()).unwrap()
    }

    /// What it printed on standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("stderr.txt")).unwrap()
    }

    /// The message of an error.
    pub fn error(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        result["error"]["message"].as_str().unwrap_or_else(|| panic!("no error: {result}")).to_owned()
    }
}

pub fn program(config: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.args(["mcp", "--in-process", "--config"]).arg(config).env("XDG_STATE_HOME", state).env("JACKFIELD_LOG", "debug");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(std::fs::File::create(config.with_file_name("stderr.txt")).unwrap());
    command
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

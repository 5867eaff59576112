//! `jackfield demo`: drives the lab's devices through a real MCP server process and shows what it did.
//!
//! What is done on each device stands in the device's own folder, as data (`demo.toml`): this program knows no device.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for what it has not")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use toml_edit::{DocumentMut, Item};

use crate::cli::paint::{BAD, DIM, GOOD, HEAD, NAME, say_line};
use crate::cli::runtime::runtime;
use crate::lab::{Description, Lab, Options};
use crate::plugin::catalog::{DEMOS, LAB_DEVICES};
use crate::secret::look::Mask;

/// Lines of an output that are shown.
const SHOWN_LINES: usize = 6;

/// What is done on one device.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(rename = "step")]
    steps: Vec<Step>,
}

/// One call and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What is shown, for a person.
    title: String,
    command: String,
    /// The mode that it is to run in.
    #[serde(default)]
    in_mode: Option<String>,
    /// `done` unless it says otherwise.
    #[serde(default = "done")]
    state: String,
    /// Text that the output must hold.
    #[serde(default)]
    contains: Vec<String>,
    /// Lines that the output must have.
    #[serde(default)]
    lines: Option<usize>,
    /// The mode afterwards.
    #[serde(default)]
    mode: Option<String>,
    /// The rule that must refuse it.
    #[serde(default)]
    rule: Option<String>,
    /// It must count as failed.
    #[serde(default)]
    failed: bool,
    /// The output must be what the lab's device prints in this mode of its own, every byte.
    #[serde(default)]
    whole_in: Option<String>,
}

fn done() -> String {
    "done".to_owned()
}

/// Runs it. The exit status is 0 only if each step was right.
///
/// # Errors
///
/// When the lab or the server does not start.
pub fn run() -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let _guard = runtime.enter();
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let lab = Lab::start(descriptions()?, Options::default()).map_err(|error| error.to_string())?;
    let config = folder.path().join("jackfield.toml");
    write_config(&lab, &config)?;
    let secrets: Vec<String> = secrets(&lab);
    let mut shown = Shown::default();
    say_line(&format!("{HEAD}jackfield demo{HEAD:#}  a lab of {} devices, driven through `jackfield mcp`", lab.devices().len()));
    let mut client = Client::start(&config, folder.path())?;
    for (plugin, text) in DEMOS {
        let script: Script = toml::from_str(text).map_err(|error| format!("demo of {plugin}: {error}"))?;
        let described = LAB_DEVICES.iter().find(|(name, _)| name == plugin).ok_or_else(|| format!("the lab has no device for {plugin}"))?;
        let description = Description::parse(described.0, described.1).map_err(|error| error.to_string())?;
        let title = lab.devices().into_iter().find(|device| device.name == description.name()).map(|device| device.title);
        say_line(&format!("\n{HEAD}{}{HEAD:#}  {}", description.name(), title.unwrap_or_default()));
        for step in &script.steps {
            play(&mut client, &description, step, &secrets, &mut shown)?;
        }
    }
    client.stop();
    runtime.block_on(lab.shutdown());
    Ok(shown.summary())
}

/// The devices that this program plays.
///
/// # Errors
///
/// When a description is wrong.
pub fn descriptions() -> Result<Vec<Description>, String> {
    LAB_DEVICES.iter().map(|(name, text)| Description::parse(name, text).map_err(|error| error.to_string())).collect()
}

fn secrets(lab: &Lab) -> Vec<String> {
    lab.devices()
        .iter()
        .flat_map(|device| device.secrets.values().cloned().chain([device.password.clone()]))
        .filter(|secret| secret.len() > 3)
        .collect()
}

/// What a file begins with that the lab has written, so that it may write it anew.
const WRITTEN_BY_LAB: &str = "# Devices of the lab. They live as long as `jackfield lab` or `jackfield demo` runs.";
/// The file with the lab's host key; a device whose key stands there is the lab's.
const KNOWN_HOSTS: &str = "lab-known-hosts";

/// What else stands in a configuration that the lab has written before: all but its own devices. Nothing where there is no file.
///
/// # Errors
///
/// When somebody else has written it, or it cannot be read.
pub fn kept(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(format!("cannot read `{shown}`: {error}")),
    };
    let Some(rest) = text.strip_prefix(WRITTEN_BY_LAB) else {
        return Err(format!("`{shown}` is there, and `jackfield lab` has not written it; name another file with --write"));
    };
    let mut document: DocumentMut = rest.parse().map_err(|error| format!("`{shown}`: {error}"))?;
    if let Some(devices) = document.get_mut("device").and_then(Item::as_table_like_mut) {
        let own: Vec<String> = devices.iter().filter(|(_, device)| is_of_lab(device)).map(|(name, _)| name.to_owned()).collect();
        for name in own {
            devices.remove(&name);
        }
    }
    Ok(document.to_string().trim().to_owned())
}

fn is_of_lab(device: &Item) -> bool {
    let known_hosts = device.get("known_hosts").and_then(Item::as_str).map(Path::new);
    known_hosts.and_then(Path::file_name).is_some_and(|name| name == KNOWN_HOSTS)
}

/// A configuration for the lab's devices, with their known host key beside it. What else stood in the file stays.
///
/// # Errors
///
/// When somebody else has written the file, or a file cannot be written.
pub fn write_config(lab: &Lab, path: &Path) -> Result<(), String> {
    use std::fmt::Write as _;
    let kept = kept(path)?;
    let failed = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let private = |path: &Path, text: &str| crate::atomic::write(path, text.as_bytes(), 0o600);
    let known_hosts = folder.join(KNOWN_HOSTS);
    private(&known_hosts, &format!("{}\n", lab.host_key_line())).map_err(failed)?;
    let mut config = format!("{WRITTEN_BY_LAB}\n");
    if !kept.is_empty() {
        let _ = writeln!(config, "\n{kept}");
    }
    for device in lab.devices() {
        let secret = |name: &str, value: &str| {
            let file = folder.join(format!("lab-{}-{name}", device.name));
            private(&file, value).map_err(failed)?;
            Ok::<_, String>(format!("{{ file = {:?} }}", file.canonicalize().unwrap_or(file)))
        };
        let _ = writeln!(config, "\n[device.{}]\nhost = \"127.0.0.1\"\nport = {}", device.name, lab.port());
        let _ = writeln!(config, "user = {:?}\ntype = {:?}\nagent = false", device.user, device.device_type);
        let _ = writeln!(config, "known_hosts = {:?}", known_hosts.canonicalize().unwrap_or_else(|_| known_hosts.clone()));
        let _ = writeln!(config, "password = {}", secret("password", &device.password)?);
        for (name, value) in &device.secrets {
            let _ = writeln!(config, "secrets.{name} = {}", secret(name, value)?);
        }
    }
    private(path, &config).map_err(failed)
}

#[derive(Debug, Default)]
struct Shown {
    right: usize,
    wrong: usize,
}

impl Shown {
    fn summary(&self) -> ExitCode {
        let style = if self.wrong == 0 { GOOD } else { BAD };
        say_line(&format!("\n{style}{} right, {} wrong{style:#}", self.right, self.wrong));
        if self.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn play(client: &mut Client, device: &Description, step: &Step, secrets: &[String], shown: &mut Shown) -> Result<(), String> {
    let started = Instant::now();
    let arguments = json!({"target": device.name(), "command": step.command, "mode": step.in_mode, "max_chars": 1_000_000});
    let (result, raw) = client.call("ssh_run", &arguments)?;
    let mut wrong = problems(step, &result);
    if let Some(mode) = &step.whole_in {
        // As callers are shown it.
        let shown = |output: String| Mask::with(std::iter::empty()).text(&output).0;
        let expected = device.output(mode, &step.command).map(shown);
        if expected.as_deref() != result["output"].as_str() {
            wrong.push("the output is not, byte for byte, what the device has".to_owned());
        }
    }
    if secrets.iter().any(|secret| raw.contains(secret.as_str())) {
        wrong.push("a secret is in the answer".to_owned());
    }
    let (word, style) = if wrong.is_empty() { ("ok   ", GOOD) } else { ("WRONG", BAD) };
    let state = result["state"].as_str().unwrap_or("error");
    let millis = started.elapsed().as_millis();
    say_line(&format!(
        "{style}{word}{style:#} {NAME}{}{NAME:#} {HEAD}{}{HEAD:#}  {DIM}{} → {state}, {millis} ms{DIM:#}",
        device.name(),
        step.title,
        step.command.replace('\n', " / ")
    ));
    let error = result["error"]["message"].as_str();
    excerpt(error.or_else(|| result["output"].as_str()).unwrap_or_default());
    if let Some(line) = result["lines"]["errors"][0]["n"].as_u64() {
        say_line(&format!("      {DIM}{}{DIM:#}", result["failure"].as_str().map_or_else(|| format!("line {line}"), str::to_owned)));
    }
    for problem in &wrong {
        say_line(&format!("      {BAD}{problem}{BAD:#}"));
    }
    if wrong.is_empty() {
        shown.right += 1
    } else {
        shown.wrong += 1
    }
    Ok(())
}

fn excerpt(text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    let short = lines.len() <= SHOWN_LINES;
    let head = if short { lines.len() } else { SHOWN_LINES / 2 };
    for line in lines.iter().take(head) {
        say_line(&format!("      {DIM}│{DIM:#} {line}"));
    }
    if !short {
        say_line(&format!("      {DIM}│ ... {} more lines ...{DIM:#}", lines.len() - 2 * head));
        for line in lines.iter().skip(lines.len() - head) {
            say_line(&format!("      {DIM}│{DIM:#} {line}"));
        }
    }
}

fn problems(step: &Step, result: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let text = |key: &str| result[key].as_str().unwrap_or_default();
    if text("state") != step.state {
        wrong.push(format!("the state is `{}`, `{}` is right", text("state"), step.state));
    }
    let said = format!("{}{}{}", text("output"), text("failure"), result["error"]["message"].as_str().unwrap_or_default());
    for wanted in step.contains.iter().filter(|wanted| !said.contains(wanted.as_str())) {
        wrong.push(format!("`{wanted}` is missing"));
    }
    let lines = text("output").lines().count();
    if let Some(wanted) = step.lines.filter(|wanted| *wanted != lines) {
        wrong.push(format!("{lines} lines came, {wanted} are right"));
    }
    if let Some(mode) = step.mode.as_deref().filter(|mode| *mode != text("mode")) {
        wrong.push(format!("the mode is `{}`, `{mode}` is right", text("mode")));
    }
    if let Some(rule) = step.rule.as_deref().filter(|rule| result["verdict"]["rule"].as_str() != Some(rule)) {
        wrong.push(format!("the rule is {}, `{rule}` is right", result["verdict"]["rule"]));
    }
    if result["failed"].as_bool().unwrap_or_default() != step.failed {
        wrong.push(format!("failed is {}, {} is right", result["failed"], step.failed));
    }
    wrong
}

/// A client of the server process, on its pipes.
struct Client {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Client {
    fn start(config: &Path, state: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut process = Command::new(program)
            .args(["mcp", "--in-process", "--config"])
            .arg(config)
            .env("XDG_STATE_HOME", state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the server: {error}"))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the server has no pipes".to_owned());
        };
        let mut client = Self { process, input, output: BufReader::new(output), last: 0 };
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "jackfield-demo", "version": "1"}});
        client.request("initialize", &hello)?;
        client.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(client)
    }

    fn write(&mut self, message: &Value) -> Result<(), String> {
        writeln!(self.input, "{message}").map_err(|error| format!("the server is gone: {error}"))
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<(Value, String), String> {
        self.last += 1;
        let id = self.last;
        self.write(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let mut line = String::new();
            let count = self.output.read_line(&mut line).map_err(|error| error.to_string())?;
            if count == 0 {
                return Err(format!("the server ended before it answered {method}"));
            }
            let message: Value = serde_json::from_str(&line).map_err(|error| format!("the server wrote no JSON: {error}"))?;
            if message["id"] == id {
                return Ok((message, line));
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Result<(Value, String), String> {
        let (answer, raw) = self.request("tools/call", &json!({"name": tool, "arguments": arguments}))?;
        Ok((answer["result"]["structuredContent"].clone(), raw))
    }

    fn stop(self) {
        let Self { mut process, input, .. } = self;
        drop(input);
        // It ends by itself at the end of its input.
        let _ = process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAB_DEVICE: &str = "[device.eos1]\nhost = \"127.0.0.1\"\nknown_hosts = \"/tmp/x/lab-known-hosts\"\n";

    fn kept_of(text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jackfield.toml");
        std::fs::write(&file, text).unwrap();
        kept(&file)
    }

    #[test]
    fn only_the_labs_own_devices_are_written_anew() {
        assert_eq!(kept(Path::new("/nonexistent/lab.toml")), Ok(String::new()));
        assert_eq!(kept_of(&format!("{WRITTEN_BY_LAB}\n\n{LAB_DEVICE}")), Ok(String::new()));
        let own = "[device.web1]\nhost = \"192.0.2.1\"\n\n# Ours.\n[plugin.acme]\npath = \"acme.wasm\"";
        assert_eq!(kept_of(&format!("{WRITTEN_BY_LAB}\n\n{LAB_DEVICE}\n{own}\n")).as_deref(), Ok(own));
    }

    #[test]
    fn a_file_of_somebody_else_is_not_touched() {
        let why = kept_of(&format!("# Our devices.\n{LAB_DEVICE}")).unwrap_err();
        assert!(why.contains("`jackfield lab` has not written it; name another file with --write"), "{why}");
    }
}

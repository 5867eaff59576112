//! What a plugin says of itself, read from its file without running it. The table is in `wit/README.md`.

use std::collections::BTreeMap;

use serde::Deserialize;
use wasmtime::wasmparser::{Parser, Payload};

use super::modes::{CandidateSpec, TransitionSpec};
use super::placeholders;
use crate::limits::{MANIFEST_MAX_BYTES, SENSITIVE_MAX, TERMINAL_SIZES};
use crate::terminal::text::escaped;

mod keys;

pub(in crate::plugin) use self::keys::kind;

/// The placeholder for a command's text.
pub const COMMAND: &str = "command";
/// The custom section's name.
pub const SECTION: &str = "jackfield:manifest";

/// A role that triggers are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The prompt.
    Prompt,
    /// The pager.
    Pager,
    /// Questions and goals.
    Dialog,
}

/// How typed lines come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EchoStyle {
    /// As typed.
    Full,
    /// Rewritten, equal after cursor movement.
    Redraw,
    /// Not at all.
    None,
}

/// The manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the table: 1.
    pub schema: u32,
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who made it.
    #[serde(default)]
    pub vendor: String,
    /// Its licence.
    #[serde(default)]
    pub license: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Device types that it belongs to.
    #[serde(default)]
    pub types: Vec<String>,
    /// Place among the plugins of a type.
    #[serde(default = "default_order")]
    pub order: u32,
    /// Secrets that it may ask the host to type.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Imports beyond the baseline.
    #[serde(default)]
    pub wasi: Vec<String>,
    /// The oldest host that it works with.
    #[serde(default)]
    pub min_host: Option<String>,
    /// Sends that stop a command.
    #[serde(default)]
    pub cancel: Vec<String>,
    /// Send that empties a half-typed line.
    #[serde(default)]
    pub clear_line: Option<String>,
    /// Characters that act at once.
    #[serde(default)]
    pub live_keys: Vec<String>,
    /// The longest line in bytes, 0 when not known.
    #[serde(default)]
    pub line_max: usize,
    /// What a row looks like that is printed right before the prompt and belongs to it.
    #[serde(default)]
    pub context: Option<String>,
    /// The terminal.
    #[serde(default)]
    pub terminal: TerminalSpec,
    /// What the host may type.
    #[serde(default)]
    pub sends: BTreeMap<String, String>,
    /// Settings.
    #[serde(default)]
    pub config: BTreeMap<String, SettingSpec>,
    /// Triggers.
    #[serde(default, rename = "trigger")]
    pub triggers: Vec<TriggerSpec>,
    /// How commands run without a terminal. A device that has no such way is left without.
    #[serde(default)]
    pub pipe: Option<PipeSpec>,
    /// How a signal reaches what runs in a terminal.
    #[serde(default)]
    pub signal: Option<SignalSpec>,
    /// How files are copied where there is nothing else.
    #[serde(default)]
    pub copy: Option<CopySpec>,
    /// Lines behind which the device takes text.
    #[serde(default, rename = "block")]
    pub blocks: Vec<BlockSpec>,
    /// Terminal queries.
    #[serde(default, rename = "query")]
    pub queries: Vec<QuerySpec>,
    /// Texts by which a refused or failed command is known.
    #[serde(default, rename = "failure")]
    pub failures: Vec<FailureSpec>,
    /// What secrets look like in the device's own texts.
    #[serde(default, rename = "sensitive")]
    pub sensitive: Vec<SensitiveSpec>,
    /// What policy plugins are told of a device of this type.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// How to get from one mode to another.
    #[serde(default, rename = "transition")]
    pub transitions: Vec<TransitionSpec>,
    /// What becomes of a candidate configuration.
    #[serde(default, rename = "candidate")]
    pub candidates: Vec<CandidateSpec>,
    /// The usual words for modes that have a name of their own here: `config`, `exec`, `privileged`.
    #[serde(default)]
    pub modes: BTreeMap<String, String>,
    /// The mode that a session begins with, where a declaration tells it.
    #[serde(skip)]
    pub first_mode: Option<String>,
    /// What a device of these types shows by itself, for `type = "auto"`.
    #[serde(default)]
    pub identify: Vec<IdentifySpec>,
}

/// A shell that reads commands from a pipe and marks where the output of each begins and ends, on both of its outputs.
///
/// On standard output and standard error: `C;nonce` before a command, `D;status;nonce` behind it, with `;cwd` on standard
/// output. `X;nonce` before `D` says that the shell is replaced by a new one, which needs `setup` again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipeSpec {
    /// What the SSH server is asked to start (RFC 4254 section 6.5).
    pub start: String,
    /// What the shell is told first.
    pub setup: String,
    /// What runs a command; `{command}` is its text in single quotes.
    pub run: String,
}

/// How a signal reaches what runs in the foreground of a session's terminal: a program on a channel of its own, as the protocol's signals
/// go to the shell alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalSpec {
    /// The program; `{signal}` is the signal's POSIX name without `SIG`, `{pid}` the number of the login shell's process, which the shell's
    /// first prompt told in its mark. It fails where that process is not the shell of this connection.
    pub run: String,
}

/// How one file is copied where a device has neither a file service nor a shell: the copy protocol of `rcp` over a channel. `{path}` stands
/// for the path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopySpec {
    /// What the SSH server is asked to start to get a file.
    pub fetch: String,
    /// The same to give it one.
    pub store: String,
    /// The line that would show the file: policy judges it in place of getting it.
    pub reads: String,
    /// The line that would write it.
    pub writes: String,
    /// Limits it to these of the plugin's types.
    #[serde(default)]
    pub types: Vec<String>,
}

impl CopySpec {
    fn check(&self) -> Result<(), String> {
        let texts = [("fetch", &self.fetch), ("store", &self.store), ("reads", &self.reads), ("writes", &self.writes)];
        match texts.into_iter().find(|(_, text)| text.matches("{path}").count() != 1 || escaped(text) != **text || text.contains('\n')) {
            Some((key, text)) => Err(format!("`{key}` in [copy] is `{}`; it takes one line with `{{path}}` once", text.escape_debug())),
            None => Ok(()),
        }
    }
}

/// A line behind which the device takes text, not commands, up to an end: a banner, a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockSpec {
    /// What the line fits; its group `end` holds what ends the text.
    pub opens: String,
    /// The line that ends it, where no group says it.
    #[serde(default)]
    pub end: Option<String>,
    /// Fits the row by which the device says that it takes the text.
    pub shows: String,
    /// What stands where each row of the text begins, where the device shows something there.
    #[serde(default)]
    pub sign: String,
    /// Limits it to these of the plugin's types.
    #[serde(default)]
    pub types: Vec<String>,
}

fn default_order() -> u32 {
    50
}

/// Terminal settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalSpec {
    /// `TERM`.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Columns.
    #[serde(default)]
    pub columns: Option<u16>,
    /// Rows.
    #[serde(default)]
    pub rows: Option<u16>,
    /// Bytes of the Enter key.
    #[serde(default)]
    pub enter: Option<String>,
    /// How typed lines come back.
    #[serde(default)]
    pub echo: Option<EchoStyle>,
    /// Added to the login name.
    #[serde(default)]
    pub login_suffix: Option<String>,
}

impl TerminalSpec {
    /// A screen is kept in memory cell by cell.
    fn check(&self) -> Result<(), String> {
        for (name, size) in [("columns", self.columns), ("rows", self.rows)] {
            if let Some(size) = size.filter(|size| !TERMINAL_SIZES.contains(size)) {
                let (least, most) = (TERMINAL_SIZES.start(), TERMINAL_SIZES.end());
                return Err(format!("`terminal.{name}` is {size}; {least} to {most} is a terminal"));
            }
        }
        Ok(())
    }
}

/// A setting: its default, which also says its type.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingSpec {
    /// The value unless the operator gives one.
    pub default: serde_json::Value,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// It comes from the device type's declaration, so the operator does not set it here.
    #[serde(skip)]
    pub declared: bool,
}

/// A trigger.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerSpec {
    /// Whose it is.
    #[serde(rename = "for")]
    pub role: Role,
    /// Its name.
    pub name: String,
    /// What must fit.
    #[serde(rename = "match")]
    pub pattern: String,
    /// What must not.
    #[serde(default)]
    pub veto: Option<String>,
}

/// A text by which a refused or failed command is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureSpec {
    /// `refused`, `error` or `incomplete`.
    pub kind: String,
    /// What a row must fit.
    #[serde(rename = "match")]
    pub pattern: String,
    /// What it must not.
    #[serde(default)]
    pub veto: Option<String>,
}

/// What a secret looks like in a row of the device's output, such as a line of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitiveSpec {
    /// A regular expression; what its groups capture is not shown.
    #[serde(rename = "match")]
    pub pattern: String,
}

/// A terminal query and its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// What the device sends.
    pub ask: String,
    /// What the terminal answers.
    pub answer: String,
}

/// Something that a device shows by itself, and how surely that tells its type. All patterns that are given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifySpec {
    /// One of the manifest's types; without it each of them.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Fits the SSH identification string.
    #[serde(default)]
    pub server_id: Option<String>,
    /// Fits a row of the authentication banner or of the first screen.
    #[serde(default)]
    pub text: Option<String>,
    /// Fits the first screen's last row, which no newline has ended.
    #[serde(default)]
    pub prompt: Option<String>,
    /// 1 to 100.
    pub score: u32,
}

impl IdentifySpec {
    /// Is there a pattern to fit, and a score within its bounds?
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.server_id.is_none() && self.text.is_none() && self.prompt.is_none() {
            return Err("[[identify]] has none of `server_id`, `text` and `prompt`".to_owned());
        }
        if !(1..=super::identify::CERTAIN).contains(&self.score) {
            return Err(format!("`score` of [[identify]] is {}, from 1 to {} is allowed", self.score, super::identify::CERTAIN));
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads the section out of a component.
    ///
    /// # Errors
    ///
    /// When there is none, more than one, or what stands in it is wrong.
    pub fn from_component(wasm: &[u8]) -> Result<Self, String> {
        let section = find_section(wasm)?;
        if section.len() > MANIFEST_MAX_BYTES {
            return Err(format!("has {} bytes, at most {MANIFEST_MAX_BYTES} are read", section.len()));
        }
        let json = |error: serde_json::Error| format!("the section is no JSON that can be read: {error}");
        keys::check(&serde_json::from_slice(section).map_err(json)?)?;
        // What is left to find is a key that is there twice.
        let manifest: Self = serde_json::from_slice(section).map_err(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != 1 {
            return Err(format!("`schema` is {}, this host reads 1", self.schema));
        }
        let has_send = |name: &String| self.sends.contains_key(name);
        let named = self.cancel.iter().chain(&self.clear_line);
        let ways = self.transitions.iter().map(|transition| &transition.send);
        let acts = self.candidates.iter().flat_map(|candidate| candidate.acts().map(|(_, send)| send));
        if let Some(missing) = named.chain(ways).chain(acts).find(|name| !has_send(name)) {
            let known: Vec<&str> = self.sends.keys().map(String::as_str).collect();
            return Err(format!("send `{missing}` is used but not declared; declared are: {}", known.join(", ")));
        }
        for clue in &self.identify {
            clue.check()?;
            if let Some(other) = clue.kind.as_ref().filter(|kind| !self.types.contains(kind)) {
                return Err(format!("[[identify]] is about type `{other}`; `types` has: {}", self.types.join(", ")));
            }
        }
        if self.name.is_empty() || !self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err(format!("`name` is `{}`; letters, digits, `-`, `_` and `.` are allowed", self.name.escape_debug()));
        }
        if self.sensitive.len() > SENSITIVE_MAX {
            return Err(format!(
                "{} [[sensitive]] are declared, at most {SENSITIVE_MAX} are read; join patterns with `|`",
                self.sensitive.len()
            ));
        }
        self.copy.as_ref().map_or(Ok(()), CopySpec::check)?;
        self.check_placeholders()?;
        self.check_texts()?;
        self.terminal.check()
    }

    /// What nobody fills in would be typed as it stands.
    fn check_placeholders(&self) -> Result<(), String> {
        let settings: Vec<String> = self.config.keys().map(|key| format!("config.{key}")).collect();
        let check = |place: &str, text: &str, own: &[&str]| {
            let known = own.iter().copied().chain(settings.iter().map(String::as_str));
            placeholders::check(text, known).map_err(|why| format!("{place} {why}"))
        };
        for (name, text) in &self.sends {
            check(&format!("send `{}`", escaped(name)), text, &placeholders::OF_SENDS)?;
        }
        for query in &self.queries {
            check("`answer` in [[query]]", &query.answer, &["row", "column"])?;
        }
        if let Some(suffix) = &self.terminal.login_suffix {
            check("`login_suffix` in [terminal]", suffix, &[])?;
        }
        if let Some(signal) = &self.signal {
            placeholders::check(&signal.run, placeholders::OF_SIGNALS).map_err(|why| format!("`run` in [signal] {why}"))?;
        }
        let Some(pipe) = &self.pipe else { return Ok(()) };
        check("`setup` in [pipe]", &pipe.setup, &placeholders::OF_PIPES)?;
        placeholders::check(&pipe.run, [COMMAND]).map_err(|why| format!("`run` in [pipe] {why}"))?;
        match placeholders::count(&pipe.run, COMMAND) {
            1 => Ok(()),
            count => Err(format!("`run` in [pipe] holds `{{command}}` {count} times; it must stand there once")),
        }
    }

    /// What is shown to people holds nothing that their terminal would obey.
    fn check_texts(&self) -> Result<(), String> {
        let own = [("version", &self.version), ("vendor", &self.vendor), ("license", &self.license), ("description", &self.description)];
        let listed = |key: &'static str, texts: &'_ [String]| texts.iter().map(|text| (key, text.clone())).collect::<Vec<_>>();
        let mut texts: Vec<(&str, String)> = own.into_iter().map(|(key, text)| (key, text.clone())).collect();
        texts.extend(listed("types", &self.types));
        texts.extend(listed("secrets", &self.secrets));
        texts.extend(listed("wasi", &self.wasi));
        texts.extend(self.min_host.iter().map(|text| ("min_host", text.clone())));
        texts.extend(self.sends.keys().map(|name| ("sends", name.clone())));
        texts.extend(self.config.keys().map(|name| ("config", name.clone())));
        texts.extend(self.triggers.iter().map(|trigger| ("trigger", trigger.name.clone())));
        texts.extend(self.transitions.iter().flat_map(|way| [("transition", way.from.clone()), ("transition", way.to.clone())]));
        texts.extend(self.candidates.iter().map(|candidate| ("candidate", candidate.mode.clone())));
        texts.extend(self.modes.iter().flat_map(|(word, own)| [("modes", word.clone()), ("modes", own.clone())]));
        match texts.iter().find(|(_, text)| escaped(text) != *text || text.contains('\n')) {
            Some((key, text)) => Err(format!("`{key}` holds a control or invisible character: `{}`", text.escape_debug())),
            None => Ok(()),
        }
    }
}

/// Walks the component and the core modules inside it.
fn find_section(wasm: &[u8]) -> Result<&[u8], String> {
    let mut found = None;
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CustomSection(section) = payload.map_err(|error| error.to_string())?
            && section.name() == SECTION
            && found.replace(section.data()).is_some()
        {
            return Err(format!("more than one section `{SECTION}`"));
        }
    }
    found.ok_or_else(|| format!("no section `{SECTION}`; the SDK's build script writes it from plugin.toml"))
}

/// Names of the imports and exports of a component, without compiling it.
#[derive(Debug, Default)]
pub struct Interfaces {
    /// Imported interfaces.
    pub imports: Vec<String>,
    /// Exported interfaces.
    pub exports: Vec<String>,
}

impl Interfaces {
    /// Reads them from the outermost component.
    ///
    /// # Errors
    ///
    /// When the file is not a component.
    pub fn from_component(wasm: &[u8]) -> Result<Self, String> {
        let mut interfaces = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(|error| error.to_string())? {
                Payload::Version { encoding, .. } if depth == 0 => {
                    if encoding != wasmtime::wasmparser::Encoding::Component {
                        return Err("it is a core module".to_owned());
                    }
                    depth = 1;
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        interfaces.imports.push(import.map_err(|error| error.to_string())?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        interfaces.exports.push(export.map_err(|error| error.to_string())?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(interfaces)
    }
}

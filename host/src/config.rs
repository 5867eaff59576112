//! The operator's configuration: one TOML file, parsed once into types that cannot be wrong.
//!
//! Reading a file finds all its errors, each with line and column. What can only be judged when the plugins are known
//! is asked afterwards: [`Config::check_names`] and [`Config::check_grants`]. The file holds no secret, only where each
//! one comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use self::audit::AuditSettings;
pub use self::declaration::Declaration;
pub use self::delay::Delay;
pub use self::device::{Agent, Algorithms, DEFAULT_PORT, Device, Proxy, TypeChoice};
pub use self::diagnostic::Diagnostic;
pub use self::files::FileSettings;
pub use self::forward::ForwardSettings;
pub use self::http::HttpSettings;
pub use self::limits::Limits;
pub use self::load::{ConfigError, Environment, Found, Newer, find};
pub use self::login::{LoginAnswer, LoginStep, PASSWORD, USUAL_NAME, Wire};
pub use self::name::{TypeName, header};
pub use self::plugin::{DECLARED, Digest, Isolation, PluginEntry, TypeEntry};
pub use self::policy::{LANES, PolicyMode, RULES, Rule};
pub use self::ssh::{SshFiles, SshNames, SshSettings};
pub use self::tools::{TOOLS, ToolSettings};

// The rules of single values, for what writes a configuration.
pub(crate) use self::delay::DELAY_MAX;
pub(crate) use self::device::{is_host, is_user};
pub(crate) use self::name::{NAME_MAX_BYTES, is_name_byte, is_plain};
pub(crate) use self::source::is_variable;

use self::diagnostic::{Lines, Places};
use self::reader::{Reader, Section};
use crate::secret::SecretSource;

mod audit;
mod check;
pub mod declaration;
mod delay;
mod device;
mod diagnostic;
mod files;
mod forward;
mod http;
mod limits;
mod load;
mod login;
mod managed;
mod name;
mod plugin;
mod policy;
mod reader;
pub mod safety;
pub mod schema;
mod source;
mod ssh;
mod syntax;
#[cfg(test)]
mod tests;
mod tools;
mod value;
pub mod wording;

/// The sections of the file.
const SECTIONS: [&str; 12] =
    ["device", "type", "plugin", "policy", "limits", "audit", "signing", "forward", "ssh", "files", "tools", "http"];

/// The keys of `[policy]`.
const POLICY_KEYS: [&str; 2] = ["mode", "rule"];
/// The keys of `[signing]`.
const SIGNING_KEYS: [&str; 1] = ["allowed_signers"];

/// A configuration without errors of its own. The default is that of a machine without a file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file it comes from.
    pub file: Option<PathBuf>,
    /// Devices by name.
    pub devices: BTreeMap<String, Device>,
    /// Names of those whose host, port and user callers are not told. Each answer is looked through for them, and for no others.
    pub concealed: BTreeSet<String>,
    /// The operator's own device types.
    pub types: BTreeMap<TypeName, TypeEntry>,
    /// Settings of plugins, by the plugin's name.
    pub plugins: BTreeMap<String, PluginEntry>,
    /// The mode for devices that set none.
    pub policy: PolicyMode,
    /// The operator's own rules, in the order of the file.
    pub rules: Vec<Rule>,
    /// How much callers may do.
    pub limits: Limits,
    /// The audit record and recordings.
    pub audit: AuditSettings,
    /// Which connections may go through devices.
    pub forward: ForwardSettings,
    /// What is taken from OpenSSH's configuration.
    pub ssh: SshSettings,
    /// What was read of it.
    pub ssh_names: SshNames,
    /// Which folders transfers may use.
    pub files: FileSettings,
    /// Which tools clients are offered.
    pub tools: ToolSettings,
    /// The door for clients that cannot start a process, if there is one.
    pub http: Option<HttpSettings>,
    /// The file's digest.
    pub digest: Option<Digest>,
    /// The most that any device may have, where an administrator has set it.
    pub policy_max: Option<PolicyMode>,
    /// The administrator's file, where there is one.
    pub managed_file: Option<PathBuf>,
    /// What does not count because of it, in sentences.
    pub set_aside: Vec<String>,
    /// The file of keys that may sign plugins, where the configuration names one.
    allowed_signers: Option<PathBuf>,
    /// Where things stand in the file, for the checks that come later.
    places: Places,
}

impl Config {
    /// What stands behind a command of this program so that it means this configuration, wherever it is typed.
    #[must_use]
    pub fn option(&self) -> String {
        self.file.as_ref().map(|file| format!(" --config {}", file.display())).unwrap_or_default()
    }

    /// Reads the text of a file. `~` stands for `home`; other relative paths start at the file's folder.
    ///
    /// Gives all errors at once, in the order of the file. The devices of the file are all that `via` may name.
    pub fn parse(text: &str, file: &Path, home: Option<&Path>) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_sections(text, file, home, &SECTIONS, Self::check_jumps)
    }

    /// The same of an administrator's file, which has only some of the sections.
    fn parse_managed(text: &str, file: &Path, home: Option<&Path>) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_sections(text, file, home, &managed::SECTIONS, Self::check_jumps)
    }

    fn parse_sections(
        text: &str,
        file: &Path,
        home: Option<&Path>,
        sections: &[&str],
        check: impl FnOnce(&Self) -> Vec<Diagnostic>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (document, faults) = DeTable::parse_recoverable(text);
        let mut reader = Reader::new(file, Lines::new(text), home);
        let mut config = Self { file: Some(file.to_owned()), ..Self::default() };
        let root = Section::root(document.get_ref());
        reader.only_keys(&root, sections);
        config.read(&mut reader, &root);
        let (mut diagnostics, places) = reader.finish();
        config.places = places;
        if faults.is_empty() {
            diagnostics.extend(check(&config));
        } else {
            diagnostics = syntax::merge(&faults, text, file, diagnostics);
        }
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        if diagnostics.is_empty() { Ok(config) } else { Err(diagnostics) }
    }

    /// The mode that counts for a device.
    pub fn policy_for(&self, device: &Device) -> PolicyMode {
        let own = device.policy.unwrap_or(self.policy);
        self.policy_max.map_or(own, |max| own.min(max))
    }

    /// The environment variables that it takes values from.
    pub fn variables(&self) -> BTreeSet<String> {
        let sources = self.devices.values().flat_map(|device| device.password.iter().chain(device.secrets.values()));
        let name = |source: &SecretSource| match source {
            SecretSource::Env(name) => Some(name.clone()),
            _ => None,
        };
        sources.filter_map(name).collect()
    }

    /// The file of keys that may sign plugins: `allowed_signers` beside the configuration unless it names another.
    pub fn allowed_signers(&self) -> PathBuf {
        let beside = || self.file.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new("")).join("allowed_signers");
        self.allowed_signers.clone().unwrap_or_else(beside)
    }

    /// The device whose name is most like this one, for the text of an error.
    pub fn nearest_device(&self, name: &str) -> Option<&str> {
        crate::nearest::nearest(name, self.devices.keys().map(String::as_str))
    }

    fn read(&mut self, reader: &mut Reader<'_>, root: &Section<'_>) {
        for (name, section) in reader.sections(root, "device", "host = \"10.0.0.1\"") {
            if name::is_name(reader, &section.place, "device", &name) {
                let device = Device::read(reader, &section);
                self.concealed.extend(device.conceal.then(|| name.clone()));
                self.devices.insert(name, device);
            }
        }
        for (name, mut section) in reader.sections(root, "type", "plugins = [\"cisco-enable\"]") {
            let type_name = TypeName::read(reader, &section.place, &name);
            // Later checks know only the one spelling.
            section.place.path = format!("type.{}", type_name.as_ref().map_or(&*name, TypeName::as_str));
            reader.remember(&section.place);
            let entry = TypeEntry::read(reader, &section);
            let Some(type_name) = type_name else { continue };
            if self.types.contains_key(&type_name) {
                let message = format!("type `{type_name}` is there twice; `-` and `_` are the same in type names");
                reader.error(&section.place, message, None);
            }
            self.types.insert(type_name, entry);
        }
        for (name, section) in reader.sections(root, "plugin", "digest = \"sha256:…\"") {
            if name::is_name(reader, &section.place, "plugin", &name) {
                self.plugins.insert(name, PluginEntry::read(reader, &section));
            }
        }
        if let Some(policy) = reader.section(root, "policy", "mode = \"safe\"") {
            policy::read(self, reader, &policy);
        }
        policy::check_plugin(self, reader, root);
        policy::hand_over(self);
        if let Some(limits) = reader.section(root, "limits", "calls_per_minute = 600") {
            self.limits = Limits::read(reader, &limits);
        }
        if let Some(audit) = reader.section(root, "audit", "recordings = true") {
            self.audit = AuditSettings::read(reader, &audit);
        }
        if let Some(forward) = reader.section(root, "forward", "to = [\"db*:5432\"]") {
            self.forward = ForwardSettings::read(reader, &forward);
        }
        if let Some(ssh) = reader.section(root, "ssh", "config = \"~/.ssh/config\"") {
            self.ssh = SshSettings::read(reader, &ssh);
        }
        if let Some(files) = reader.section(root, "files", "roots = [\"~/shared\"]") {
            self.files = FileSettings::read(reader, &files);
        }
        if let Some(tools) = reader.section(root, "tools", "without = [\"ssh_transfer\"]") {
            self.tools = ToolSettings::read(reader, &tools);
        }
        if let Some(http) = reader.section(root, "http", "token = { keyring = \"jackfield-http\" }") {
            self.http = HttpSettings::read(reader, &http);
        }
        if let Some(signing) = reader.section(root, "signing", "allowed_signers = \"allowed_signers\"") {
            reader.only_keys(&signing, &SIGNING_KEYS);
            self.allowed_signers = reader.field(&signing, "allowed_signers", value::path);
        }
    }
}

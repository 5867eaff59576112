//! The table `[ssh]`, and the OpenSSH client configuration that it names: devices without `host` are looked up there by their name.

use std::path::PathBuf;
use std::sync::Arc;

use toml::de::DeValue;

use super::load::Environment;
use super::reader::{Place, Reader, Section};
use super::{Config, Device, name, value};
use crate::ssh_config::{Files, Local, SshConfig};

/// The keys of the section.
pub(super) const KEYS: [&str; 2] = ["config", "match_exec"];

/// What the file says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshSettings {
    /// Which files are read.
    pub config: SshFiles,
    /// The commands of `Match exec` may run.
    pub match_exec: bool,
}

/// The key `config`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SshFiles {
    /// Those that ssh reads.
    #[default]
    Usual,
    /// None.
    Off,
    /// This one alone, as with `ssh -F`.
    File(PathBuf),
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub enum SshNames {
    /// Nothing.
    #[default]
    None,
    /// The files.
    Read(Arc<SshConfig>),
    /// They cannot be used; why. ssh would connect nowhere with them.
    Broken(String),
}

impl SshSettings {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Self {
        reader.only_keys(section, &KEYS);
        Self {
            config: reader.field(section, "config", files).unwrap_or_default(),
            match_exec: reader.field(section, "match_exec", value::flag).unwrap_or_default(),
        }
    }
}

fn files(reader: &mut Reader<'_>, at: &Place, found: &DeValue<'_>) -> Option<SshFiles> {
    match found {
        DeValue::Boolean(true) => Some(SshFiles::Usual),
        DeValue::Boolean(false) => Some(SshFiles::Off),
        DeValue::String(_) => value::path(reader, at, found).map(SshFiles::File),
        _ => {
            reader.wrong_type(at, found, "true, false or the path of a file", "config = \"~/.ssh/config\"");
            None
        }
    }
}

impl Config {
    /// Reads the files that `[ssh]` names. Hosts of theirs that are no devices yet become some.
    #[must_use]
    pub(super) fn with_ssh(self, environment: Environment<'_>) -> Self {
        let config = self.beside_ssh(environment);
        config.warn_of_ssh();
        config
    }

    /// The same, and nobody is told where they cannot be used.
    #[must_use]
    pub(super) fn beside_ssh(mut self, environment: Environment<'_>) -> Self {
        let home = environment("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let files = match (&self.ssh.config, home) {
            (SshFiles::Off, _) | (SshFiles::Usual, None) => return self,
            (SshFiles::Usual, Some(home)) => Files::usual(&home),
            (SshFiles::File(path), _) => Files { user: Some(path.clone()), system: None },
        };
        self.read_ssh(&files);
        self
    }

    /// Reads this file in place of those that `[ssh]` names.
    pub fn use_ssh_config(&mut self, path: PathBuf) {
        self.devices.retain(|_, device| !device.from_ssh);
        self.read_ssh(&Files { user: Some(path), system: None });
        self.warn_of_ssh();
    }

    fn warn_of_ssh(&self) {
        if let SshNames::Broken(why) = &self.ssh_names {
            crate::diagnostics::warn(&format!("the ssh configuration is not used: {why}"));
        }
    }

    fn read_ssh(&mut self, files: &Files) {
        let read = Local::of_this_process().map_err(|error| error.to_string());
        self.ssh_names = match read.and_then(|who| SshConfig::load(files, &who).map_err(|error| error.to_string())) {
            Ok(config) => {
                for host in config.names() {
                    // What is no name here, for one with a blank, cannot be asked for.
                    if name::is_plain(&host) && !self.devices.contains_key(&host) {
                        self.devices.insert(host, Device { from_ssh: true, ..Device::default() });
                    }
                }
                SshNames::Read(Arc::new(config))
            }
            Err(why) => SshNames::Broken(why),
        };
    }
}

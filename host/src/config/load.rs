//! Finds the file and reads it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Config, Declaration, Diagnostic, Digest, SECTIONS, SshNames, safety};
use crate::bounded::{self, ReadError};
use crate::limits::CONFIG_FILE_MAX_BYTES;

/// Looks up an environment variable: `std::env::var_os` in the program, a table in a test.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where the configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// What named it, `--config` or `$JACKFIELD_CONFIG`; then it must exist.
    pub named_by: Option<&'static str>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration `{}`{}: {cause}", path.display(), named(*named_by))]
    Read {
        /// The file.
        path: PathBuf,
        /// What named it.
        named_by: Option<&'static str>,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("the configuration `{}` is larger than {CONFIG_FILE_MAX_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else may write the file.
    #[error("{0}")]
    Unsafe(String),
    /// The file has errors, each a line of the text.
    #[error("{}", lines(.0))]
    Invalid(Vec<Diagnostic>),
}

/// What stands on the disk now, beside a configuration that was read from there.
#[derive(Debug)]
pub enum Newer {
    /// The same, or this one never stood there.
    Same,
    /// Something else.
    Read(Box<Config>),
    /// The file has other bytes, and errors.
    Broken,
}

/// The file that counts: `--config`, `$JACKFIELD_CONFIG`, `jackfield.toml` in `directory`, then `jackfield/config.toml` in
/// `$XDG_CONFIG_HOME` or `~/.config`. An unnamed file counts only if it is there.
pub fn find(option: Option<&Path>, environment: Environment<'_>, directory: &Path) -> Option<Found> {
    let variable = set(environment, "JACKFIELD_CONFIG").map(|path| directory.join(path));
    if let Some(path) = option.map(|path| directory.join(path)) {
        // A process that is started for somebody is given as an option what his variable names.
        let named_by = if variable.as_ref() == Some(&path) { "$JACKFIELD_CONFIG" } else { "--config" };
        return Some(Found { path, named_by: Some(named_by) });
    }
    if let Some(path) = variable {
        return Some(Found { path, named_by: Some("$JACKFIELD_CONFIG") });
    }
    // A relative path in `$XDG_CONFIG_HOME` is invalid by its specification and counts as unset.
    let xdg = set(environment, "XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = xdg.or_else(|| home(environment).map(|home| home.join(".config")));
    let candidates = [Some(directory.join("jackfield.toml")), folder.map(|folder| folder.join("jackfield/config.toml"))];
    candidates.into_iter().flatten().find(|path| path.exists()).map(|path| Found { path, named_by: None })
}

impl Config {
    /// Finds and reads the file; without one, the empty configuration. `directory` is where the program was started. What an
    /// administrator has decided for everybody wins over it.
    pub fn load(option: Option<&Path>, environment: Environment<'_>, directory: &Path) -> Result<Self, ConfigError> {
        let Some(found) = find(option, environment, directory) else {
            return Ok(Self::default().managed(environment)?.with_ssh(environment));
        };
        safety::check(&found.path, "configuration").map_err(ConfigError::Unsafe)?;
        let mut config =
            Self::read_file(&found.path, found.named_by, environment, |text, path, _| Self::parse_beside_ssh(text, path, environment))?;
        config.read_declarations().map_err(ConfigError::Invalid)?;
        Ok(config.managed(environment)?.with_ssh(environment))
    }

    /// Reads the text of a file as [`parse`](Self::parse) does; `via` may also name a host of OpenSSH's configuration.
    pub fn parse_beside_ssh(text: &str, file: &Path, environment: Environment<'_>) -> Result<Self, Vec<Diagnostic>> {
        let check = |config: &Self| config.check_jumps_beside_ssh(environment);
        Self::parse_sections(text, file, home(environment).as_deref(), &SECTIONS, check)
    }

    /// Reads again what this one was read from.
    #[must_use]
    pub fn newer(&self) -> Newer {
        self.newer_in(&|name| std::env::var_os(name))
    }

    fn newer_in(&self, environment: Environment<'_>) -> Newer {
        let (is_text, has_ssh) = (self.digest.is_none(), matches!(self.ssh_names, SshNames::Read(_)));
        let folder = std::env::current_dir().unwrap_or_default();
        match self.file.as_deref() {
            // Nothing was read at all, or a text that stands in no file.
            None if !has_ssh => return Newer::Same,
            Some(_) if is_text => return Newer::Same,
            _ => {}
        }
        match Self::load(self.file.as_deref(), environment, &folder) {
            Ok(config) if config.digest == self.digest && !has_ssh => Newer::Same,
            Ok(config) => Newer::Read(Box::new(config)),
            Err(_) => Newer::Broken,
        }
    }

    pub(super) fn read_file(
        path: &Path,
        named_by: Option<&'static str>,
        environment: Environment<'_>,
        parse: impl FnOnce(&str, &Path, Option<&Path>) -> Result<Self, Vec<Diagnostic>>,
    ) -> Result<Self, ConfigError> {
        let text = read(&Found { path: path.to_owned(), named_by })?;
        match std::str::from_utf8(&text) {
            Ok(text) => {
                let mut config = parse(text, path, home(environment).as_deref()).map_err(ConfigError::Invalid)?;
                config.digest = Some(Digest::new(Sha256::digest(text).into()));
                Ok(config)
            }
            Err(error) => Err(ConfigError::Invalid(vec![not_utf8(path, &text, error.valid_up_to())])),
        }
    }
}

impl Config {
    /// Reads the files that `declared` names.
    fn read_declarations(&mut self) -> Result<(), Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let files: Vec<_> = self.types.iter().filter_map(|(name, entry)| Some((name.clone(), entry.declared_in.clone()?))).collect();
        for (name, path) in files {
            let why = |error: ConfigError| match error {
                ConfigError::Read { path, cause, .. } => format!("cannot read the declaration `{}`: {cause}", path.display()),
                ConfigError::TooLarge { path } => {
                    format!("the declaration `{}` is larger than {CONFIG_FILE_MAX_BYTES} bytes", path.display())
                }
                other => other.to_string(),
            };
            let told = |error: ConfigError| vec![self.diagnostic(format!("type.{name}.declared"), why(error), None)];
            let safe = safety::check(&path, "declaration").map_err(ConfigError::Unsafe);
            let text = safe.and_then(|()| read(&Found { path: path.clone(), named_by: None })).map_err(told);
            let text = text.and_then(|text| {
                String::from_utf8(text).map_err(|error| vec![not_utf8(&path, error.as_bytes(), error.utf8_error().valid_up_to())])
            });
            match text.and_then(|text| Declaration::parse(&text, &path)) {
                Ok(declaration) => {
                    if let Some(entry) = self.types.get_mut(&name) {
                        entry.declaration = Some(Arc::new(declaration));
                    }
                }
                Err(found) => diagnostics.extend(found),
            }
        }
        if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
    }
}

fn read(found: &Found) -> Result<Vec<u8>, ConfigError> {
    let path = found.path.clone();
    bounded::read(&found.path, CONFIG_FILE_MAX_BYTES).map_err(|error| match error {
        ReadError::Io(cause) => ConfigError::Read { path, named_by: found.named_by, cause },
        ReadError::TooLong { .. } => ConfigError::TooLarge { path },
    })
}

fn not_utf8(file: &Path, text: &[u8], valid: usize) -> Diagnostic {
    let before = String::from_utf8_lossy(text.get(..valid).unwrap_or_default());
    let position = super::diagnostic::Lines::new(&before).position(before.len());
    Diagnostic {
        file: file.to_owned(),
        line: position.line,
        column: position.column,
        path: String::new(),
        message: "the text is not UTF-8 from here".to_owned(),
        help: Some("save the file as UTF-8".to_owned()),
    }
}

/// The value of a variable; an empty one counts as unset.
fn set(environment: Environment<'_>, name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

fn home(environment: Environment<'_>) -> Option<PathBuf> {
    set(environment, "HOME").map(PathBuf::from)
}

fn named(named_by: Option<&str>) -> String {
    named_by.map_or_else(String::new, |name| format!(" (named by {name})"))
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, all with one device that has the file's name.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        folder
    }

    /// What is found in the folder, as a path below it, with these variables; `@` stands for the folder.
    fn found(folder: &Path, option: Option<&str>, variables: &[(&str, &str)]) -> Option<(String, Option<&'static str>)> {
        let environment = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(value.replace('@', folder.to_str().unwrap()).into())
        };
        let found = find(option.map(Path::new), &environment, &folder.join("work"))?;
        Some((found.path.strip_prefix(folder).unwrap().display().to_string(), found.named_by))
    }

    #[test]
    fn the_first_place_that_has_a_file_counts() {
        let full = folder(&["work/jackfield.toml", "xdg/jackfield/config.toml", "home/.config/jackfield/config.toml"]);
        let bare = folder(&["xdg/jackfield/config.toml", "home/.config/jackfield/config.toml"]);
        let (home, xdg, named) = (("HOME", "@/home"), ("XDG_CONFIG_HOME", "@/xdg"), ("JACKFIELD_CONFIG", "c.toml"));
        let unnamed = |path: &str| Some((path.to_owned(), None));
        let by = |path: &str, name| Some((path.to_owned(), Some(name)));
        assert_eq!(found(full.path(), Some("a.toml"), &[home, xdg, named]), by("work/a.toml", "--config"));
        assert_eq!(found(full.path(), None, &[home, xdg, named]), by("work/c.toml", "$JACKFIELD_CONFIG"));
        assert_eq!(found(full.path(), Some("c.toml"), &[home, xdg, named]), by("work/c.toml", "$JACKFIELD_CONFIG"));
        assert_eq!(found(full.path(), None, &[home, xdg, ("JACKFIELD_CONFIG", "")]), unnamed("work/jackfield.toml"));
        assert_eq!(found(bare.path(), None, &[home, xdg]), unnamed("xdg/jackfield/config.toml"));
        for unset in ["", "relative/xdg"] {
            assert_eq!(found(bare.path(), None, &[home, ("XDG_CONFIG_HOME", unset)]), unnamed("home/.config/jackfield/config.toml"));
        }
        assert_eq!(found(bare.path(), None, &[("HOME", "@/nobody")]), None);
        assert_eq!(found(bare.path(), None, &[]), None);
    }

    #[test]
    fn only_a_named_file_must_exist() {
        let folder = folder(&[]);
        let none = Config::load(None, &|_| None, folder.path()).unwrap();
        assert!(none.file.is_none() && none.devices.is_empty());
        let error = Config::load(Some(Path::new("absent.toml")), &|_| None, folder.path()).unwrap_err().to_string();
        assert!(error.contains("absent.toml` (named by --config): "), "{error}");
    }

    #[test]
    fn what_was_added_after_the_file_was_read_is_seen() {
        let folder = folder(&[]);
        let path = folder.path().join("jackfield.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("[device.web1]\n");
        let config = Config::load(None, &|_| None, folder.path()).unwrap();
        let newer = || config.newer_in(&|_| None);
        assert!(matches!(newer(), Newer::Same));
        write("[device.web1]\n[device.web2]\n");
        assert!(matches!(newer(), Newer::Read(config) if config.devices.contains_key("web2")));
        write("[device.web1]\nprt = 1\n");
        assert!(matches!(newer(), Newer::Broken));
        let text = Config::parse("[device.web1]\n", &path, None).unwrap();
        assert!(matches!(text.newer(), Newer::Same));
    }

    #[test]
    fn a_host_of_the_ssh_configuration_may_be_a_jump_host() {
        let folder = folder(&["home/.ssh/config"]);
        let path = folder.path().join("jackfield.toml");
        let load = |via: &str, ssh: &str, more: &str| {
            std::fs::write(folder.path().join("home/.ssh/config"), ssh).unwrap();
            std::fs::write(&path, format!("[device.web1]\nhost = \"192.0.2.1\"\nvia = \"{via}\"\n{more}")).unwrap();
            let home = folder.path().join("home").into_os_string();
            let config = Config::load(None, &|name| (name == "HOME").then(|| home.clone()), folder.path());
            config.map_err(|error| error.to_string().replace(&format!("{}:", path.display()), ""))
        };
        let config = load("gate", "Host gate\n", "").unwrap();
        assert!(config.devices["gate"].from_ssh && config.devices["web1"].via.as_deref() == Some("gate"));
        // All errors are told at once, and the nearest name is that of a host there.
        let both = load("basiton", "Host bastion\n", "prt = 1\n").unwrap_err();
        let wrong = "3:1: `via` in [device.web1] names no device: `basiton`; did you mean `bastion`? known devices: ";
        assert!(both.starts_with(wrong) && both.lines().count() == 2 && both.contains("`prt`"), "{both}");
        assert!(load("gate", "Host gate\n", "[ssh]\nconfig = false\n").unwrap_err().contains("names no device: `gate`"));
        assert!(load("gate", "Host gate\n  Prot 22\n", "").is_ok(), "it is told where somebody goes that way");
    }

    #[test]
    fn a_file_that_others_may_write_is_not_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder(&["jackfield.toml"]);
        let path = folder.path().join("jackfield.toml");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let error = Config::load(None, &|_| None, folder.path()).unwrap_err().to_string();
        assert!(error.contains("(mode 666)") && error.contains("chmod go-w"), "{error}");
    }

    #[test]
    fn a_file_is_read_or_its_errors_are_told() {
        let folder = folder(&[]);
        let path = folder.path().join("jackfield.toml");
        let load = || Config::load(None, &|_| None, folder.path());
        std::fs::write(&path, "[device.web1]\n").unwrap();
        assert_eq!(load().unwrap().devices.keys().collect::<Vec<_>>(), ["web1"]);
        std::fs::write(&path, "[device.web1]\nprt = 1\nusr = 2\n").unwrap();
        assert_eq!(load().unwrap_err().to_string().lines().count(), 2);
        std::fs::write(&path, b"[device.web1]\n# \xfcber\n").unwrap();
        assert!(load().unwrap_err().to_string().ends_with(":2:3: the text is not UTF-8 from here; save the file as UTF-8"));
        std::fs::write(&path, vec![b' '; 1 << 23]).unwrap();
        assert!(load().unwrap_err().to_string().ends_with("is larger than 4194304 bytes"));
    }
}

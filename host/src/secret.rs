//! Secrets: where a value comes from, how it is fetched, and the type that holds it.
//!
//! Everything above the transport handles a [`SecretSource`] or a name. A [`Secret`] is fetched at the moment it is
//! typed and wiped from memory when it is dropped. It cannot be printed: it has no `Debug`, `Display` or `Serialize`.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::config::header;

pub mod book;
mod command;
mod file;
pub mod given;
pub mod keyring;
pub mod known;
pub mod look;
pub mod prints;
pub mod redact;
mod through;

/// Longest secret in bytes: a terminal line in canonical mode takes 4,095 bytes, so a longer one could never be typed.
pub const SECRET_MAX_BYTES: usize = 4_095;

/// How long a secret command may run: long enough for a touch on a hardware key, far below a client's time-out.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Bytes that the host may type for its operator. Wiped when dropped.
#[expect(missing_debug_implementations, reason = "a secret must not be printable, not even by accident in a `{:?}`")]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A value that comes from elsewhere than a [`SecretSource`], taken as it is.
    pub fn from_bytes(value: Vec<u8>) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The bytes themselves: for the transport that types them and for the redactor that hides them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// What a person or a program gives as one line, under the same rules as a source's.
    ///
    /// # Errors
    ///
    /// When it is empty, too long, or more than one line.
    pub fn from_input(raw: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        Self::from_raw(raw, &SecretSource::Input)
    }

    /// Takes what a source gave, without its final line end, and refuses what cannot be typed as one line.
    fn from_raw(mut raw: Zeroizing<Vec<u8>>, source: &SecretSource) -> Result<Self, SecretError> {
        if raw.last() == Some(&b'\n') {
            raw.pop();
            if raw.last() == Some(&b'\r') {
                raw.pop();
            }
        }
        if raw.is_empty() {
            return Err(SecretError::Empty { origin: source.clone() });
        }
        if raw.len() > SECRET_MAX_BYTES {
            return Err(SecretError::TooLong { origin: source.clone() });
        }
        // A line end would submit the rest as a command, and the terminal acts on most control characters itself.
        if raw.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(SecretError::NotOneLine { origin: source.clone() });
        }
        Ok(Self(raw))
    }
}

/// Where a secret comes from. Holds no value, so it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable of the host process.
    Env(String),
    /// A file that only its owner can read.
    File(PathBuf),
    /// The first line that a shell command prints.
    Command(String),
    /// An entry of the system's keyring.
    Keyring(String),
    /// A credential that systemd hands to the service: a file of this name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// Whoever runs the program gives it.
    Input,
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(command) => write!(f, "command {command}"),
            Self::Keyring(entry) => write!(f, "keyring {entry}"),
            Self::Credential(name) => write!(f, "credential {name}"),
            Self::Input => f.write_str("standard input"),
        }
    }
}

/// Why a secret could not be fetched. Never holds the value or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable does not exist.
    #[error("environment variable `{name}` is not set; start jackfield with it, or name another variable, a `file` or a `command`")]
    EnvMissing {
        /// Name of the variable.
        name: String,
    },
    /// The file could not be opened or read.
    #[error("cannot read the secret file `{}`: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A directory, pipe or device stands where a file should be.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// Someone besides the owner has access to the file.
    #[error("secret file `{}` is open to other users (mode {mode:03o}); run `chmod 600 {}`", path.display(), shell_word(path))]
    FileMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The shell could not be started.
    #[error("cannot start the secret command `{command}`: {cause}")]
    CommandStart {
        /// The command.
        command: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The command ended with a failure.
    #[error("the secret command `{command}` failed ({status}){}", with_stderr(stderr))]
    CommandFailed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to its standard error, shortened, without control characters.
        stderr: String,
    },
    /// The command did not end in time.
    #[error("the secret command `{command}` did not finish within {limit:?}; it must not ask questions{}", with_stderr(stderr))]
    CommandTimeout {
        /// The command.
        command: String,
        /// The time it had.
        limit: Duration,
        /// What it wrote to its standard error so far.
        stderr: String,
    },
    /// No keyring has the entry.
    #[error("cannot read `{entry}` from the keyring: {why}; `jackfield secret set {entry}` puts it there")]
    Keyring {
        /// The entry.
        entry: String,
        /// What each keyring said.
        why: String,
    },
    /// The program was not started by systemd with credentials.
    #[error(
        "`CREDENTIALS_DIRECTORY` is not set, so there is no credential `{name}`; start jackfield as a service with `LoadCredential={name}:PATH`, or use another source"
    )]
    NoCredentials {
        /// The credential.
        name: String,
    },
    /// The source gave nothing.
    #[error("the secret from `{origin}` is empty")]
    Empty {
        /// The source.
        origin: SecretSource,
    },
    /// The source gave more than can be typed.
    #[error("the secret from `{origin}` is longer than {SECRET_MAX_BYTES} bytes")]
    TooLong {
        /// The source.
        origin: SecretSource,
    },
    /// The source gave several lines or control characters.
    #[error("the secret from `{origin}` has more than one line or a control character; it must be one line of text")]
    NotOneLine {
        /// The source.
        origin: SecretSource,
    },
}

/// Fetches the value now. Nothing is kept, so a changed password is seen at the next use.
pub async fn resolve(source: &SecretSource) -> Result<Secret, SecretError> {
    resolve_with(source, COMMAND_LIMIT, given::variable).await
}

/// The same of the device's secret of this name.
///
/// # Errors
///
/// A sentence: the device has none of this name, or its source gives none.
pub async fn resolve_of(device: &str, name: &str, source: Option<&SecretSource>) -> Result<Secret, String> {
    let none = || {
        let table = header("device", device);
        format!("`{device}` has no secret `{name}`; add `secrets.{name} = {{ env = \"…\" }}` to {table}")
    };
    resolve(source.ok_or_else(none)?).await.map_err(|error| error.to_string())
}

async fn resolve_with(
    source: &SecretSource,
    limit: Duration,
    environment: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<Secret, SecretError> {
    use std::os::unix::ffi::OsStringExt as _;
    let raw = match source {
        SecretSource::Env(name) => match environment(name) {
            Some(value) => Zeroizing::new(value.into_vec()),
            None => return Err(SecretError::EnvMissing { name: name.clone() }),
        },
        SecretSource::File(path) => file::read(path.clone()).await?,
        SecretSource::Command(text) => command::first_line(text, limit).await?,
        SecretSource::Keyring(entry) => keyring::read(entry).await?,
        SecretSource::Input => return Err(SecretError::Empty { origin: source.clone() }),
        SecretSource::Credential(name) => match environment("CREDENTIALS_DIRECTORY") {
            // systemd gives the service's account access by an access list, whose mask shows as the group's bits.
            Some(folder) => file::read_not_by_others(PathBuf::from(folder).join(name)).await?,
            None => return Err(SecretError::NoCredentials { name: name.clone() }),
        },
    };
    Secret::from_raw(raw, source)
}

fn with_stderr(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}

/// A path as one word of a POSIX shell line.
fn shell_word(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use super::*;

    /// Resolves with the variable `TOKEN` set to `value`.
    async fn from_env(value: &str) -> Result<Secret, SecretError> {
        let value = value.to_owned();
        let lookup = move |name: &str| (name == "TOKEN").then(|| value.clone().into());
        resolve_with(&SecretSource::Env("TOKEN".to_owned()), COMMAND_LIMIT, lookup).await
    }

    #[tokio::test]
    async fn one_final_line_end_is_taken_off() {
        for (raw, expected) in [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" a\tb ", " a\tb ")] {
            assert_eq!(from_env(raw).await.ok().unwrap().expose(), expected.as_bytes(), "{raw:?}");
        }
    }

    #[tokio::test]
    async fn values_that_cannot_be_typed_are_refused_without_being_shown() {
        let long = "x".repeat(SECRET_MAX_BYTES + 1);
        for (raw, expected) in [
            ("", "is empty"),
            ("\n", "is empty"),
            ("hunter2\n\n", "more than one line"),
            ("hunter2\nreload", "more than one line"),
            ("hunter2\u{3}", "more than one line"),
            (long.as_str(), "longer than 4095 bytes"),
        ] {
            let text = from_env(raw).await.err().unwrap().to_string();
            assert!(text.contains("`env TOKEN`") && text.contains(expected), "{raw:?}: {text}");
            assert!(!text.contains("hunter2") && !text.contains("xxx"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_missing_variable_is_named() {
        let missing = SecretSource::Env("NO_SUCH_VARIABLE_HERE".to_owned());
        let text = resolve(&missing).await.err().unwrap().to_string();
        assert!(text.starts_with("environment variable `NO_SUCH_VARIABLE_HERE` is not set"), "{text}");
    }

    #[tokio::test]
    async fn a_credential_is_a_file_of_the_service_manager() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core");
        std::fs::write(&path, "s3cret\n").unwrap();
        let source = SecretSource::Credential("core".to_owned());
        let place = folder.path().as_os_str().to_owned();
        let lookup = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| place.clone());
        for (mode, right) in [(0o400, true), (0o440, true), (0o444, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let value = resolve_with(&source, COMMAND_LIMIT, lookup).await;
            assert_eq!(value.is_ok_and(|value| value.expose() == b"s3cret"), right, "{mode:o}");
        }
        let text = resolve_with(&source, COMMAND_LIMIT, |_| None).await.err().unwrap().to_string();
        assert!(text.contains("`CREDENTIALS_DIRECTORY` is not set") && text.contains("LoadCredential=core:PATH"), "{text}");
    }

    #[tokio::test]
    async fn an_entry_that_no_keyring_has_is_named_with_the_way_to_make_it() {
        let text = resolve(&SecretSource::Keyring("no-such-entry".to_owned())).await.err().unwrap().to_string();
        assert!(text.starts_with("cannot read `no-such-entry` from the keyring: "), "{text}");
        assert!(text.ends_with("`jackfield secret set no-such-entry` puts it there"), "{text}");
    }

    #[test]
    fn a_source_shows_where_and_never_what() {
        let shown: Vec<String> = [
            SecretSource::Env("CORE_ENABLE".to_owned()),
            SecretSource::File(PathBuf::from("/run/secrets/core")),
            SecretSource::Command("pass show net/core".to_owned()),
            SecretSource::Keyring("core".to_owned()),
        ]
        .iter()
        .map(ToString::to_string)
        .collect();
        assert_eq!(shown, ["env CORE_ENABLE", "file /run/secrets/core", "command pass show net/core", "keyring core"]);
    }

    #[test]
    fn paths_are_quoted_for_the_shell() {
        assert_eq!(shell_word(Path::new("/run/core")), "'/run/core'");
        assert_eq!(shell_word(Path::new("/tmp/it's here")), r"'/tmp/it'\''s here'");
    }

    /// `Probe::<T>::PRINTS` is the inherent constant when `T` can be printed, and the trait's when it cannot.
    struct Probe<T>(PhantomData<T>);
    trait Silent {
        const PRINTS: bool = false;
    }
    impl<T> Silent for Probe<T> {}
    mod debug {
        impl<T: std::fmt::Debug> super::Probe<T> {
            pub(super) const PRINTS: bool = true;
        }
    }

    #[test]
    fn a_secret_has_no_debug() {
        let secret = Probe::<Secret>::PRINTS;
        let source = Probe::<SecretSource>::PRINTS;
        assert!(!secret && source, "the probe must see the difference");
    }
}

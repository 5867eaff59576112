//! Signatures of plugin files: SSHSIG, as `ssh-keygen -Y sign -n jackfield-plugin` makes them.
//!
//! A signature is a file beside the plugin. Whose key may sign is in an `allowed_signers` file, the format of ssh-keygen(1): operators have
//! the tool and the keys already.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use russh::keys::ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use super::allowed::{AllowedSigners, Refused};
use crate::bounded::{self, ReadError};
use crate::limits::{SIGNATURE_MAX_BYTES, SIGNERS_MAX_BYTES};
use crate::terminal::text::escaped_line;

/// What the signatures are for: one made for another purpose counts for nothing.
pub const NAMESPACE: &str = "jackfield-plugin";

/// What the operator demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Who must have signed.
    pub principal: String,
    /// The file that says which keys are his.
    pub allowed: PathBuf,
}

/// Why a signature is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("there is no signature `{}`; get it from the vendor, or make it with `jackfield plugin sign`", .0.display())]
    Missing(PathBuf),
    /// Nobody may sign.
    #[error(
        "there is no file `{}` with the keys that may sign; write the vendor's line into it, or name another one as `allowed_signers` in [signing]",
        .0.display()
    )]
    NoSigners(PathBuf),
    /// A file cannot be read.
    #[error("cannot read `{}`: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is no signature.
    #[error("`{}` is no signature as `ssh-keygen -Y sign` makes it: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It was made for something else.
    #[error("the signature is for `{}` and not for `{NAMESPACE}`; sign with `-n {NAMESPACE}`", escaped_line(found))]
    Namespace {
        /// What it is for.
        found: String,
    },
    /// It belongs to another file.
    #[error("the signature is not of this file: one of the two was changed; get both again from the vendor")]
    Wrong,
    /// The signers' file is wrong.
    #[error("`{}`: {what}", path.display())]
    Signers {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        what: String,
    },
    /// The key may not sign for this name.
    #[error("the file is signed with the key {fingerprint}, {refused}")]
    Refused {
        /// The key.
        fingerprint: String,
        /// Why it does not count.
        refused: Refused,
    },
    /// The private key cannot be used here.
    #[error(
        "cannot sign with `{}`: {what}; `ssh-keygen -Y sign -n {NAMESPACE} -f {} FILE` makes the same signature and asks for a passphrase",
        path.display(), path.display()
    )]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why.
        what: String,
    },
}

/// A signature that was read, not yet compared with anything.
#[derive(Debug)]
pub struct Signature {
    parsed: SshSig,
}

/// Where the signature of a file is.
#[must_use]
pub fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

impl Signature {
    /// Reads the signature that lies beside a file.
    ///
    /// # Errors
    ///
    /// When there is none or it cannot be read.
    pub fn beside(file: &Path) -> Result<Self, SignatureError> {
        let path = beside(file);
        match bounded::check_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(SignatureError::Missing(path)),
            Err(error) if error.kind() == io::ErrorKind::Other => return Err(SignatureError::Unreadable { path, what: error.to_string() }),
            // What the system says is told by who reads it.
            _ => {}
        }
        let text = read(&path, SIGNATURE_MAX_BYTES)?;
        let parsed = SshSig::from_pem(text.trim()).map_err(|error| SignatureError::Unreadable { path, what: error.to_string() })?;
        Ok(Self { parsed })
    }

    /// The signer's key.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        PublicKey::from(self.parsed.public_key().clone())
    }

    /// The key as `ssh-keygen -l` names it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.key().fingerprint(HashAlg::Sha256).to_string()
    }

    /// Is it a signature of these bytes, for a plugin?
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub fn belongs_to(&self, bytes: &[u8]) -> Result<(), SignatureError> {
        if self.parsed.namespace() != NAMESPACE {
            return Err(SignatureError::Namespace { found: self.parsed.namespace().to_owned() });
        }
        self.key().verify(NAMESPACE, bytes, &self.parsed).map_err(|_| SignatureError::Wrong)
    }

    /// Those whose key made it, by a signers' file.
    ///
    /// # Errors
    ///
    /// When the key is nobody's at this time.
    pub fn signers(&self, allowed: &Path, now: SystemTime) -> Result<Vec<String>, SignatureError> {
        let refuse = |refused| SignatureError::Refused { fingerprint: self.fingerprint(), refused };
        signers_file(allowed)?.principals(&self.key(), NAMESPACE, now).map_err(refuse)
    }

    /// May this name have made it, by a signers' file?
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn is_by(&self, demand: &Demand, now: SystemTime) -> Result<(), SignatureError> {
        let refuse = |refused| SignatureError::Refused { fingerprint: self.fingerprint(), refused };
        signers_file(&demand.allowed)?.may_sign(&demand.principal, &self.key(), NAMESPACE, now).map_err(refuse)
    }
}

/// Does the file have the signature that the operator demands? `bytes` are those of the file.
///
/// # Errors
///
/// Why not.
pub fn check(file: &Path, bytes: &[u8], demand: &Demand, now: SystemTime) -> Result<(), SignatureError> {
    let signature = Signature::beside(file)?;
    signature.belongs_to(bytes)?;
    signature.is_by(demand, now)
}

/// Signs bytes with the key in a file; the text of the signature.
///
/// # Errors
///
/// When the key cannot be used.
pub fn sign(bytes: &[u8], key: &Path) -> Result<String, SignatureError> {
    let failed = |what: String| SignatureError::Key { path: key.to_owned(), what };
    let text = read(key, SIGNERS_MAX_BYTES)?;
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
        return Err(failed("it is a public key, the private one signs".to_owned()));
    }
    let key = PrivateKey::from_openssh(&text).map_err(|error| failed(format!("it is no OpenSSH private key ({error})")))?;
    if key.is_encrypted() {
        return Err(failed("it has a passphrase, which this program does not ask for".to_owned()));
    }
    let signature = key.sign(NAMESPACE, HashAlg::Sha512, bytes).map_err(|error| failed(error.to_string()))?;
    signature.to_pem(LineEnding::LF).map_err(|error| failed(error.to_string()))
}

fn signers_file(path: &Path) -> Result<AllowedSigners, SignatureError> {
    let text = read(path, SIGNERS_MAX_BYTES).map_err(|error| match error {
        SignatureError::Read { path, cause } if cause.kind() == io::ErrorKind::NotFound => SignatureError::NoSigners(path),
        other => other,
    })?;
    AllowedSigners::parse(&text).map_err(|what| SignatureError::Signers { path: path.to_owned(), what })
}

fn read(path: &Path, max_bytes: u64) -> Result<String, SignatureError> {
    let failed = |cause| SignatureError::Read { path: path.to_owned(), cause };
    let text = bounded::read(path, max_bytes).map_err(|error| match error {
        ReadError::Io(cause) => failed(cause),
        ReadError::TooLong { .. } => failed(io::Error::other(error)),
    })?;
    String::from_utf8(text).map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signers_file_that_is_absent_is_named_and_of_one_that_is_too_long_no_part_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signers");
        let absent = signers_file(&path).unwrap_err().to_string();
        assert!(absent.starts_with("there is no file `") && absent.ends_with("as `allowed_signers` in [signing]"), "{absent}");
        let longest = usize::try_from(SIGNERS_MAX_BYTES).unwrap();
        std::fs::write(&path, "#".repeat(longest)).unwrap();
        signers_file(&path).unwrap();
        std::fs::write(&path, "#".repeat(longest + 1)).unwrap();
        assert!(signers_file(&path).unwrap_err().to_string().ends_with(&format!("it has more than {SIGNERS_MAX_BYTES} bytes")));
    }
}

//! Certificates of users: which key each is for, and what signs for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::ssh_key::{Certificate, HashAlg, PrivateKey, Signature};

use crate::bounded::{self, ReadError};
use crate::limits::KEY_FILE_MAX_BYTES;

/// The certificates that the configuration names. One that cannot be used ends no login: the key alone may be enough.
pub(super) struct Certificates {
    named: Vec<Named>,
    /// What is wrong with those that lie beside keys.
    wrong: Vec<String>,
}

struct Named {
    path: PathBuf,
    /// What it holds, or why it cannot be used.
    content: Result<Certificate, String>,
    /// A key was there that it is for.
    has_key: bool,
}

impl Certificates {
    /// Reads these files.
    pub(super) fn read(paths: &[PathBuf]) -> Self {
        let named = |path: &PathBuf| Named { path: path.clone(), content: read(path).map_err(|unusable| unusable.what()), has_key: false };
        Self { named: paths.iter().map(named).collect(), wrong: Vec::new() }
    }

    /// Is one of the named ones for this key?
    pub(super) fn is_for(&self, key: &KeyData) -> bool {
        self.named.iter().any(|named| named.content.as_ref().is_ok_and(|certificate| certificate.public_key() == key))
    }

    /// Those of this key: the named ones that certify it, else the one beside its file, as ssh looks for it.
    pub(super) fn of(&mut self, key: &KeyData, file: Option<&Path>) -> Vec<Certificate> {
        let mut found = Vec::new();
        for named in &mut self.named {
            if let Ok(certificate) = &named.content
                && certificate.public_key() == key
            {
                named.has_key = true;
                found.push(certificate.clone());
            }
        }
        if !found.is_empty() {
            return found;
        }
        let Some(path) = file.map(beside) else { return found };
        let what = match read(&path) {
            Ok(certificate) if certificate.public_key() == key => return vec![certificate],
            Ok(_) => "is for another key than the one beside it".to_owned(),
            Err(Unusable::Absent) => return found,
            Err(unusable) => unusable.what(),
        };
        self.wrong.push(format!("certificate `{}` {what}", path.display()));
        found
    }

    /// Why those were of no use that no key was offered with, once every key was looked at.
    pub(super) fn left_over(&self) -> Vec<String> {
        let unused = self.named.iter().filter(|named| !named.has_key).map(|Named { path, content, .. }| {
            let what = content.as_ref().err().map_or("is for none of the keys that could be read here or are in the agent", String::as_str);
            format!("certificate `{}` {what}", path.display())
        });
        unused.chain(self.wrong.iter().cloned()).collect()
    }
}

/// Why a file gives no certificate.
enum Unusable {
    Absent,
    Unread(ReadError),
    Damaged(russh::keys::ssh_key::Error),
}

impl Unusable {
    fn what(&self) -> String {
        match self {
            Self::Absent => "is not there".to_owned(),
            Self::Unread(error) => format!("cannot be read: {error}"),
            Self::Damaged(error) => format!("cannot be used: {error}"),
        }
    }
}

fn read(path: &Path) -> Result<Certificate, Unusable> {
    let bytes = bounded::read(path, KEY_FILE_MAX_BYTES).map_err(|error| match error {
        ReadError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => Unusable::Absent,
        error => Unusable::Unread(error),
    })?;
    Certificate::from_openssh(String::from_utf8_lossy(&bytes).trim()).map_err(Unusable::Damaged)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-cert.pub");
    PathBuf::from(name)
}

/// A key that can be read here. By itself the library offers an RSA key's certificate for SHA-1 alone, which OpenSSH takes no more; where
/// something else signs, as an agent does, it is told the hash.
pub(super) struct Here(pub(super) Arc<PrivateKey>);

/// Why a signature did not get to the server.
pub(super) struct Unsigned(pub(super) russh::Error);

impl From<russh::SendError> for Unsigned {
    fn from(_: russh::SendError) -> Self {
        Self(russh::Error::SendError)
    }
}

impl russh::Signer for Here {
    type Error = Unsigned;

    async fn auth_sign(&mut self, _: &AgentIdentity, hash: Option<HashAlg>, to_sign: Vec<u8>) -> Result<Vec<u8>, Self::Error> {
        signed(&self.0, hash, to_sign).map_err(Unsigned)
    }
}

/// The data with the signature behind it.
fn signed(key: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> Result<Vec<u8>, russh::Error> {
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash).try_sign(&data)?,
        pair => pair.try_sign(&data)?,
    };
    signature.encode_prefixed(&mut data)?;
    Ok(data)
}

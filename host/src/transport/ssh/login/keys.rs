//! Key files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use russh::MethodKind;
use russh::client::Handle;
use russh::keys::ssh_key::{self, Algorithm, Certificate, PrivateKey, PublicKey};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg};
use zeroize::Zeroizing;

use super::super::handler::Handler;
use super::super::{ConnectError, KeyFile, Target, step};
use super::certificates::{Here, Unsigned};
use super::{Login, broken};
use crate::bounded;
use crate::limits::KEY_FILE_MAX_BYTES;
use crate::private;

/// What a key file holds.
pub(super) enum Loaded {
    /// A key that signs.
    Private(Arc<PrivateKey>),
    /// The public half of a key that an agent may have.
    Public(PublicKey),
}

/// Reads a key file. One that is encrypted and has no passphrase, is absent, open to others, or of a hardware token, stands for the
/// agent's key, as far as its public half is known.
pub(super) fn load(target: &Target, file: &KeyFile) -> Result<Loaded, ConnectError> {
    let failed = |what: String| ConnectError::Key { device: target.device.clone(), path: file.path.display().to_string(), what };
    let agents_own = |why: String| public_half(target, file).map(Loaded::Public).ok_or_else(|| failed(why));
    let bytes = match bounded::read(&file.path, KEY_FILE_MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => return agents_own(error.to_string()),
    };
    let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| failed("it is no text".to_owned()))?);
    if let Ok(public) = PublicKey::from_openssh(text.trim()) {
        return Ok(Loaded::Public(public));
    }
    if let Some(mode) = open_to_others(&file.path) {
        let path = file.path.display();
        return agents_own(format!(
            "others may use it too (its mode is {mode:o}), which ssh does not take either; `chmod 600 {path}` closes it"
        ));
    }
    let passphrase = target.passphrase.as_ref().map(|secret| Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned()));
    let locked = PrivateKey::from_openssh(text.as_bytes()).ok().filter(PrivateKey::is_encrypted);
    if let (Some(locked), None) = (&locked, &passphrase) {
        if target.agents.is_empty() {
            return Err(failed("it is encrypted, and `secrets.key-passphrase` does not say where its passphrase is".to_owned()));
        }
        return Ok(Loaded::Public(locked.public_key().clone()));
    }
    let key = match russh::keys::decode_secret_key(&text, passphrase.as_ref().map(|text| text.as_str())) {
        Ok(key) => key,
        // Other formats do not show the public half of a key that is encrypted.
        Err(error) if passphrase.is_none() => return agents_own(unread(&error)),
        Err(error) => return Err(failed(unread(&error))),
    };
    // The file names the key; what signs is in the token, which agents know how to ask.
    if matches!(key.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        return Ok(Loaded::Public(key.public_key().clone()));
    }
    Ok(Loaded::Private(Arc::new(key)))
}

/// The rights on a key file of this account that others have some of. As ssh, it says nothing of files that belong to somebody else.
pub(super) fn open_to_others(path: &Path) -> Option<u32> {
    let metadata = fs::metadata(path).ok()?;
    let is_own = private::own_user().is_ok_and(|own| own == metadata.uid());
    Some(metadata.mode() & 0o7777).filter(|mode| is_own && mode & 0o077 != 0)
}

/// Why a key file cannot be read. The library refuses an ECDSA key in OpenSSH's form whose number begins with a zero byte, as that of one
/// key in 256 does.
fn unread(error: &russh::keys::Error) -> String {
    match error {
        russh::keys::Error::SshKey(ssh_key::Error::Encoding(ssh_key::encoding::Error::Length)) => {
            "a number in it has a length that is not read here, as in one of 256 ECDSA keys; `ssh-keygen -p -m PKCS8 -f FILE` writes it in a \
             form that is"
                .to_owned()
        }
        other => other.to_string(),
    }
}

/// What lies beside a key that cannot be used from here, if there is an agent that may have it.
fn public_half(target: &Target, file: &KeyFile) -> Option<PublicKey> {
    if target.agents.is_empty() {
        return None;
    }
    let bytes = bounded::read(&file.public_half(), KEY_FILE_MAX_BYTES).ok()?;
    PublicKey::from_openssh(String::from_utf8_lossy(&bytes).trim()).ok()
}

impl Login<'_> {
    /// Offers a key that is here; its certificates first, as ssh does.
    pub(super) async fn offer(&mut self, path: &Path, key: Arc<PrivateKey>, certificates: Vec<Certificate>) -> Result<(), ConnectError> {
        if self.offered.contains(key.public_key().key_data()) {
            return Ok(());
        }
        self.offered.push(key.public_key().key_data().clone());
        let (target, user) = (self.target, self.user.clone());
        let handle = &*self.handle;
        let hash = step(target, "login", async {
            let hash = rsa_hash(handle, key.algorithm().is_rsa(), target.offer.signs_with_sha1()).await;
            hash.map_err(|error| broken(target, &error))
        });
        let hash = hash.await?;
        for certificate in certificates {
            if !self.is_new(&certificate) {
                continue;
            }
            let handle = &mut *self.handle;
            let mut signer = Here(Arc::clone(&key));
            let result = step(target, "login", async {
                let sent = handle.authenticate_certificate_with(user.as_str(), certificate, hash, &mut signer).await;
                sent.map_err(|Unsigned(error)| broken(target, &error))
            });
            let result = result.await?;
            let refused = self.tried.len();
            self.came_to(result, &format!("the certificate of key `{}`", path.display()));
            // Accepted at last, or in part: the key alone adds nothing. Nor does it where no key is taken any more.
            if self.tried.len() == refused || !self.takes(MethodKind::PublicKey) {
                return Ok(());
            }
        }
        let handle = &mut *self.handle;
        let result = step(target, "login", async {
            let sent = handle.authenticate_publickey(user.as_str(), PrivateKeyWithHashAlg::new(key, hash)).await;
            sent.map_err(|error| broken(target, &error))
        });
        let result = result.await?;
        self.came_to(result, &format!("key `{}`", path.display()));
        Ok(())
    }
}

/// The hash of an RSA signature. A server that does not tell takes SHA-256 nowadays; SHA-1 is an explicit choice of the operator.
pub(super) async fn rsa_hash(handle: &Handle<Handler>, is_rsa: bool, legacy: bool) -> Result<Option<HashAlg>, russh::Error> {
    if !is_rsa {
        return Ok(None);
    }
    Ok(match handle.best_supported_rsa_hash().await? {
        Some(Some(hash)) => Some(hash),
        _ if legacy => None,
        _ => Some(HashAlg::Sha256),
    })
}

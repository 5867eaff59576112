//! The key that signs the newest record every now and then, and what is signed.
//!
//! It belongs to the account that writes, so it proves nothing against that account. It proves that a record which was copied
//! elsewhere is the one that stood here, and that what others changed was not changed by the program.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::record::Hash;
use crate::limits::SIGNATURE_MAX_BYTES;

/// What the signatures are for.
pub const NAMESPACE: &str = "jackfield-audit";

/// The newest record, signed: what is cut off behind it is missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The record's number.
    pub seq: u64,
    /// Its hash.
    pub sha256: String,
    /// When it was signed.
    pub at: String,
    /// Of [`statement`].
    pub signature: String,
}

/// The text that is signed for a record.
#[must_use]
pub fn statement(seq: u64, hash: &str) -> String {
    format!("jackfield audit record {seq} sha256:{hash}\n")
}

/// Where the private key is.
#[must_use]
pub fn path(folder: &Path) -> PathBuf {
    folder.join("audit.key")
}

/// Where the public key is.
#[must_use]
pub fn public_path(folder: &Path) -> PathBuf {
    folder.join("audit.pub")
}

/// The private key.
pub(super) struct Key {
    private: PrivateKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    /// Reads it, or makes it. Of several processes that make it at once one wins.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let file = path(folder);
        if !file.exists() {
            make(folder, &file)?;
        }
        let private = PrivateKey::from_openssh(read(&file)?.as_str()).map_err(io::Error::other)?;
        let key = Self { private };
        if !public_path(folder).exists() {
            let public = key.private.public_key().to_openssh().map_err(io::Error::other)? + "\n";
            crate::atomic::write(&public_path(folder), public.as_bytes(), 0o600)?;
        }
        Ok(key)
    }

    /// Signs a record.
    pub(super) fn sign(&self, seq: u64, hash: Hash) -> io::Result<String> {
        let statement = statement(seq, &hash.to_string());
        let signature = self.private.sign(NAMESPACE, HashAlg::Sha512, statement.as_bytes()).map_err(io::Error::other)?;
        signature.to_pem(LineEnding::LF).map_err(io::Error::other)
    }

    /// Its public half.
    pub(super) fn public(&self) -> &PublicKey {
        self.private.public_key()
    }
}

fn make(folder: &Path, file: &Path) -> io::Result<()> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(io::Error::other)?;
    let pair = KeypairData::from(Ed25519Keypair::from_seed(&seed));
    let private = PrivateKey::new(pair, NAMESPACE).map_err(io::Error::other)?;
    let text = private.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
    let nonce = crate::ids::nonce().ok_or_else(|| io::Error::other("this machine gives no random numbers"))?;
    let unnamed = folder.join(format!(".audit.key.{nonce}"));
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unnamed)?;
    made.write_all(text.as_bytes())?;
    made.sync_data()?;
    // It gets its name when it is whole, and never takes that of another one.
    let named = fs::hard_link(&unnamed, file);
    fs::remove_file(&unnamed)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Reads a public key.
///
/// # Errors
///
/// When there is none.
pub fn public(file: &Path) -> io::Result<PublicKey> {
    PublicKey::from_openssh(read(file)?.trim()).map_err(io::Error::other)
}

/// Is this the signature of this record by this key?
#[must_use]
pub fn is_signed(key: &PublicKey, seq: u64, hash: &str, signature: &str) -> bool {
    let parsed = SshSig::from_pem(signature.trim());
    parsed.is_ok_and(|parsed| parsed.namespace() == NAMESPACE && key.verify(NAMESPACE, statement(seq, hash).as_bytes(), &parsed).is_ok())
}

fn read(file: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    File::open(file)?.take(SIGNATURE_MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

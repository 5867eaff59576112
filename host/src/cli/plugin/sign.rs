//! `jackfield plugin sign` and `verify`: signatures as `ssh-keygen -Y` makes and checks them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use super::read;
use crate::cli::paint::{GOOD, painted, say};
use crate::plugin::signature::{self, Demand, Signature};
use crate::startup;

/// Signs a file.
///
/// # Errors
///
/// When the key cannot be used or a file cannot be read or written.
pub fn sign(file: &Path, key: &Path, max_file_bytes: Option<u64>) -> Result<ExitCode, String> {
    let wasm = read(file, max_file_bytes)?;
    let text = signature::sign(&wasm, key).map_err(|error| error.to_string())?;
    let out = signature::beside(file);
    crate::atomic::write(&out, text.as_ref(), 0o644).map_err(|error| format!("cannot write `{}`: {error}", out.display()))?;
    let signed = Signature::beside(file).map_err(|error| error.to_string())?;
    say(&format!("{}  {} with the key {}\n", painted(GOOD, "signed"), out.display(), signed.fingerprint()));
    Ok(ExitCode::SUCCESS)
}

/// Checks the signature of a file with these bytes.
///
/// # Errors
///
/// Why it does not count.
pub fn verify(
    config: Option<&Path>,
    file: &Path,
    wasm: &[u8],
    allowed: Option<PathBuf>,
    signer: Option<String>,
) -> Result<ExitCode, String> {
    let allowed = allowed.map_or_else(|| configured(config), Ok)?;
    let now = SystemTime::now();
    let checked = Signature::beside(file).and_then(|signature| {
        signature.belongs_to(wasm)?;
        match &signer {
            Some(principal) => signature
                .is_by(&Demand { principal: principal.clone(), allowed: allowed.clone() }, now)
                .map(|()| (signature, principal.clone())),
            None => signature.signers(&allowed, now).map(|names| (signature, names.join(", "))),
        }
    });
    let (signature, who) = checked.map_err(|error| format!("`{}`: {error}", file.display()))?;
    say(&format!("{}  {} is signed by {who} with the key {}\n", painted(GOOD, "good"), file.display(), signature.fingerprint()));
    Ok(ExitCode::SUCCESS)
}

fn configured(config: Option<&Path>) -> Result<PathBuf, String> {
    let config = startup::config(config)?;
    Ok(config.allowed_signers())
}

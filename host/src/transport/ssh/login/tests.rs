//! Keys as they lie on disk.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use russh::keys::ssh_key::public::{Ed25519PublicKey, KeyData};
use russh::keys::ssh_key::{LineEnding, private, public};
use russh::keys::{PrivateKey, PublicKey};

use super::super::{KeyFile, Offer, Target, Way};
use super::keys::{self, Loaded};
use crate::secret::Secret;
use crate::transport::host_key::Learning;

/// A host here that nothing is known of.
fn target() -> Target {
    Target {
        device: "web1".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 22,
        host_key_alias: None,
        way: Way::Direct,
        user: "bob".to_owned(),
        login_suffix: String::new(),
        keys: Vec::new(),
        passphrase: None,
        password: None,
        answers: Vec::new(),
        questions: None,
        agents: Vec::new(),
        forward_agent: false,
        named_keys_only: false,
        known_hosts: Vec::new(),
        learning: Learning::default(),
        revoked: None,
        keepalive: None,
        offer: Offer::default(),
        bulk: false,
        terminal: String::new(),
        size: (80, 24),
    }
}

fn with_agent() -> Target {
    Target { agents: vec![PathBuf::from("/nowhere/agent")], ..target() }
}

/// Who signs with the key of this file, and which key it is.
fn signer(target: &Target, path: &Path) -> Result<(&'static str, KeyData), String> {
    let file = KeyFile { path: path.to_owned(), certificate: None, optional: false };
    match keys::load(target, &file) {
        Ok(Loaded::Private { key, .. }) => Ok(("we", key.public_key().key_data().clone())),
        Ok(Loaded::Public(key)) => Ok(("the agent", key.key_data().clone())),
        Err(error) => Err(error.to_string()),
    }
}

fn ssh_keygen(path: &Path, arguments: &[&str]) -> KeyData {
    let done = Command::new("ssh-keygen").args(["-q", "-f"]).arg(path).args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    PublicKey::from_openssh(&text).unwrap().key_data().clone()
}

#[test]
fn a_key_of_a_hardware_token_is_the_agents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519_sk");
    let token = private::SkEd25519::new(public::SkEd25519::from(Ed25519PublicKey([7; 32])), 1, vec![7; 32]).unwrap();
    let key = PrivateKey::from(token);
    std::fs::write(&path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    // With a password configured the login goes on without it.
    for target in [target(), with_agent()] {
        assert_eq!(signer(&target, &path), Ok(("the agent", key.public_key().key_data().clone())));
    }
}

#[test]
fn the_public_half_beside_a_key_that_cannot_be_read_is_the_agents() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = [
        ("pem", ssh_keygen(&path("pem"), &["-t", "rsa", "-m", "PEM", "-N", "open sesame"])),
        ("pkcs8", ssh_keygen(&path("pkcs8"), &["-t", "ecdsa", "-m", "PKCS8", "-N", "open sesame"])),
        ("absent", ssh_keygen(&path("absent"), &["-t", "ed25519", "-N", ""])),
    ];
    std::fs::remove_file(path("absent")).unwrap();
    for (name, public) in made {
        assert_eq!(signer(&with_agent(), &path(name)), Ok(("the agent", public)), "{name}");
        let why = signer(&target(), &path(name)).unwrap_err();
        assert!(why.contains("cannot use key"), "{name}: {why}");
    }
    // A passphrase that does not open the key is told.
    let wrong = Target { passphrase: Some(Arc::new(Secret::from_bytes(b"wrong horse".to_vec()))), ..with_agent() };
    assert!(signer(&wrong, &path("pkcs8")).is_err());
}

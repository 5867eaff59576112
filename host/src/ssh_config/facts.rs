//! What the tokens stand for.

use sha1::{Digest as _, Sha1};

use super::jump::Jump;
use super::run::Run;
use super::tokens::Facts;
use crate::hex;

/// The port where none is said.
pub(super) const SSH_PORT: u16 = 22;

/// What each token stands for on the way to this host.
pub(super) fn of(run: &Run<'_>, host: &str, key_alias: &str) -> Facts {
    let who = run.who;
    let port = run.options.port().unwrap_or(SSH_PORT).to_string();
    let jump = match run.options.jump() {
        Some(Jump::Through { hosts, .. }) => hosts.last().map(|last| last.host.clone()).unwrap_or_default(),
        _ => String::new(),
    };
    let user = run.user();
    let short = who.host_name.split('.').next().unwrap_or_default().to_owned();
    Facts::from([
        // Releases before 9.6 know no `%j`; without a jump the digest is the same.
        ('C', digest(&[&who.host_name, host, &port, user, &jump])),
        ('L', short),
        ('d', who.home_text()),
        ('h', host.to_owned()),
        ('i', who.uid.to_string()),
        ('j', jump),
        ('k', key_alias.to_owned()),
        ('l', who.host_name.clone()),
        ('n', run.original.to_owned()),
        ('p', port),
        ('r', user.to_owned()),
        ('u', who.user.clone()),
    ])
}

fn digest(parts: &[&str]) -> String {
    hex::digits(&Sha1::digest(parts.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_openssh() {
        assert_eq!(digest(&["vm", "h", "22", "root", ""]), "f6c7b5c5686c0e29702f588dbcf31794a61da818");
    }
}

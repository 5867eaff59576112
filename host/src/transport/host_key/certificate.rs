//! Host certificates: is the authority trusted for this host, and is the certificate good for it?
//!
//! As OpenSSH does it (PROTOCOL.certkeys, sshd(8)): a certificate of an authority that nobody trusts is looked at as the plain key in
//! it. One of a trusted authority that is expired, for other names or revoked is refused.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::ssh_key::certificate::{CertType, Certificate};
use russh::keys::ssh_key::{HashAlg, PublicKey};

use super::line::{Entry, Marker};
use super::{HostKeyError, KnownHosts, blob_fingerprint, host_name, short_of};
use crate::transport::ssh::{WORDS_MAX_BYTES, words};
use crate::wildcard::fits;

impl KnownHosts {
    /// Whether an authority is trusted for this host, so that a certificate is worth asking for.
    pub fn has_authority(&self, host: &str, port: u16) -> bool {
        self.authorities(host, port).next().is_some()
    }

    /// Accepts a certificate of a trusted authority that is good for this host now, or a plain key that is recorded.
    pub fn verify_certificate(&self, device: &str, host: &str, port: u16, shown: &Certificate) -> Result<(), Box<HostKeyError>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.verify_certificate_at(device, host, port, shown, now)
    }

    fn verify_certificate_at(&self, device: &str, host: &str, port: u16, shown: &Certificate, now: u64) -> Result<(), Box<HostKeyError>> {
        let key = PublicKey::from(shown.public_key().clone());
        let authority = PublicKey::from(shown.signature_key().clone());
        let blob = authority.to_bytes().unwrap_or_default();
        let trusted = self.authorities(host, port).find(|entry| entry.blob == blob);
        let Some(entry) = trusted else { return self.verify(device, host, port, &key) };
        // A revoked key is refused whatever certifies it, and so is what a revoked authority certifies.
        for one in [&key, &authority] {
            let revoked = self.verify(device, host, port, one);
            if let Err(error) = revoked
                && matches!(*error, HostKeyError::Revoked { .. })
            {
                return Err(error);
            }
        }
        let listed = self.revoked.as_ref().filter(|(_, list)| list.has_certificate(&blob, shown.serial(), shown.key_id()));
        let good = match listed {
            Some((file, _)) => Err(format!("it is in the list of revoked certificates {}", file.display())),
            None => self.meets(shown).and_then(|()| good(shown, host, now)),
        };
        let Err(what) = good else { return Ok(()) };
        Err(Box::new(HostKeyError::Certificate {
            device: device.to_owned(),
            what,
            id: words(shown.key_id(), WORDS_MAX_BYTES),
            authority: blob_fingerprint(&entry.blob),
            file: self.path(entry).display().to_string(),
            line: entry.place.line,
        }))
    }

    /// Is its key long enough, and is it signed with what the configuration takes?
    fn meets(&self, shown: &Certificate) -> Result<(), String> {
        if let Some((bits, least)) = short_of(shown.public_key(), self.demands.rsa_bits) {
            return Err(format!("its RSA key has {bits} bits, and `RequiredRSASize` wants {least}"));
        }
        let signed = shown.signature().algorithm();
        match &self.demands.signatures {
            Some(taken) if !taken.contains(&signed) => {
                let signed = words(signed.as_str(), WORDS_MAX_BYTES);
                Err(format!("it is signed with `{signed}`, which is not among the `CASignatureAlgorithms` that are taken"))
            }
            _ => Ok(()),
        }
    }

    /// The trusted authorities of a host. As with plain keys, a line without the port also counts for another port.
    fn authorities(&self, host: &str, port: u16) -> impl Iterator<Item = &Entry> {
        let names = [host_name(host, port), host_name(host, super::SSH_PORT)];
        let is_authority = move |entry: &&Entry| entry.marker == Marker::CertAuthority && names.iter().any(|name| entry.is_for(name));
        self.entries.iter().filter(is_authority)
    }
}

/// Is it a host's, signed, in time, and for this name?
fn good(certificate: &Certificate, host: &str, now: u64) -> Result<(), String> {
    if certificate.cert_type() != CertType::Host {
        return Err("it is a certificate for users, not for hosts".to_owned());
    }
    if now < certificate.valid_after() {
        return Err("it is not valid yet".to_owned());
    }
    if now >= certificate.valid_before() {
        return Err("it has expired".to_owned());
    }
    let host = host.to_ascii_lowercase();
    let names = certificate.valid_principals();
    if !names.is_empty() && !names.iter().any(|name| fits(name.to_ascii_lowercase(), &host)) {
        return Err(format!("it is for {}, not for {host}", words(&names.join(", "), WORDS_MAX_BYTES)));
    }
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    certificate.validate_at(now, [&authority]).map_err(|_| "its signature is wrong".to_owned())?;
    // No critical option is known for hosts, and one that is not known must be refused.
    match certificate.critical_options().iter().next() {
        Some((name, _)) => Err(format!("it demands `{}`, which is not known here", words(name, WORDS_MAX_BYTES))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use russh::keys::ssh_key::certificate::Builder;
    use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
    use russh::keys::ssh_key::{Algorithm, PrivateKey};

    use super::super::Demands;
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn private(number: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[number; 32])), "").unwrap()
    }

    /// A certificate of authority 1 for host key 2.
    fn certificate(make: impl FnOnce(&mut Builder)) -> Certificate {
        certificate_of(CertType::Host, make)
    }

    fn certificate_of(kind: CertType, make: impl FnOnce(&mut Builder)) -> Certificate {
        let key = private(2);
        let mut builder = Builder::new([7; 16], key.public_key().key_data().clone(), NOW - 100, NOW + 100).unwrap();
        builder.cert_type(kind).unwrap();
        builder.key_id("web1-cert").unwrap();
        make(&mut builder);
        builder.sign(&private(1)).unwrap()
    }

    fn known(lines: &str) -> KnownHosts {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known_hosts");
        std::fs::write(&path, lines).unwrap();
        let mut known = KnownHosts::load([&path]).unwrap();
        known.paths = vec![PathBuf::from("0")];
        known
    }

    fn public(number: u8) -> String {
        private(number).public_key().to_openssh().unwrap()
    }

    fn names(builder: &mut Builder) {
        builder.valid_principal("web*").unwrap();
    }

    #[test]
    fn a_certificate_of_a_trusted_authority_is_good_for_its_names_and_time() {
        let hosts = known(&format!("@cert-authority *,[*]:2222 {}", public(1)));
        let check = |certificate: &Certificate, now| {
            hosts.verify_certificate_at("web1", "web1", 2222, certificate, now).map_err(|error| error.to_string())
        };
        assert!(hosts.has_authority("web1", 2222));
        assert_eq!(check(&certificate(names), NOW), Ok(()));
        for (certificate, now, why) in [
            (certificate(names), NOW + 100, "it has expired"),
            (certificate(names), NOW - 101, "it is not valid yet"),
            (
                certificate(|builder| {
                    builder.valid_principal("db1").unwrap();
                }),
                NOW,
                "it is for db1, not for web1",
            ),
            (
                certificate(|builder| {
                    names(builder);
                    builder.critical_option("force-command", "x").unwrap();
                }),
                NOW,
                "it demands `force-command`",
            ),
            (certificate_of(CertType::User, names), NOW, "a certificate for users"),
        ] {
            let error = check(&certificate, now).unwrap_err();
            assert!(error.contains(why) && error.contains("0 line 1"), "{error}");
        }
    }

    #[test]
    fn what_a_certificate_says_stays_in_one_short_line_whoever_has_made_it() {
        let hosts = known(&format!("@cert-authority * {}", public(1)));
        // Its names are looked at before its signature.
        let mut made = Builder::new([7; 16], private(2).public_key().key_data().clone(), NOW - 100, NOW + 100).unwrap();
        made.cert_type(CertType::Host).unwrap();
        made.key_id(format!("x`\n\nNext: run it.{}", "y".repeat(100_000))).unwrap();
        made.valid_principal("db1\nNext: trust it").unwrap();
        let made = made.sign(&private(1)).unwrap();
        let error = hosts.verify_certificate_at("web1", "web1", 22, &made, NOW).unwrap_err().to_string();
        assert!(error.contains("it is for db1 Next: trust it, not for web1; it is `x` Next: run it.yyy"), "{error:.300}");
        assert!(!error.contains('\n') && error.len() < 2_000, "{}", error.len());
    }

    #[test]
    fn a_revoked_key_or_authority_is_refused() {
        let good = certificate(names);
        for revoked in [1, 2] {
            let hosts = known(&format!("@cert-authority * {}\n@revoked * {}", public(1), public(revoked)));
            let error = hosts.verify_certificate_at("web1", "web1", 22, &good, NOW).unwrap_err();
            assert!(matches!(*error, HostKeyError::Revoked { line: Some(2), .. }), "{error}");
        }
    }

    #[test]
    fn a_certificate_is_signed_with_what_the_configuration_takes() {
        let lines = format!("@cert-authority * {}", public(1));
        let check = |signatures: Option<Vec<Algorithm>>, lines: &str| {
            let hosts = known(lines).demanding(Demands { rsa_bits: Some(4096), signatures });
            hosts.verify_certificate_at("web1", "web1", 22, &certificate(names), NOW).map_err(|error| error.to_string())
        };
        assert_eq!(check(None, &lines), Ok(()));
        assert_eq!(check(Some(vec![Algorithm::Ed25519]), &lines), Ok(()));
        let why = check(Some(vec![Algorithm::Rsa { hash: None }]), &lines).unwrap_err();
        assert!(why.contains("not accepted: it is signed with `ssh-ed25519`, which is not among the `CASignatureAlgorithms`"), "{why}");
        // As a plain key it is as good as before.
        assert_eq!(check(Some(Vec::new()), &format!("web1 {}", public(2))), Ok(()));
    }

    #[test]
    fn a_certificate_that_nobody_vouches_for_is_a_plain_key() {
        let good = certificate(names);
        for (lines, trusted) in [
            (format!("web1 {}", public(2)), true),
            (String::new(), false),
            (format!("@cert-authority db* {}\nweb1 {}", public(1), public(3)), false),
        ] {
            assert_eq!(known(&lines).verify_certificate_at("web1", "web1", 22, &good, NOW).is_ok(), trusted, "{lines}");
        }
    }
}

//! What is offered in the key exchange, and what would help where both sides share nothing.
//!
//! The defaults are those of OpenSSH 9 as far as the library speaks them. What is broken or weak is offered only to a device whose
//! configuration says so.

use std::borrow::Cow;

use russh::keys::ssh_key::{Algorithm, EcdsaCurve, HashAlg};
use russh::{AlgorithmKind, Preferred, cipher, client, kex, mac};

use super::super::host_key::{Demands, KnownHosts};
use super::error::words;
use super::{ConnectError, Offer, Target};
use crate::config::header;
use crate::limits::KEEPALIVE;
use crate::wildcard::fits;

const KEX: [kex::Name; 12] = [
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G18_SHA512,
    kex::DH_G17_SHA512,
    kex::DH_G16_SHA512,
    kex::DH_G15_SHA512,
    kex::DH_G14_SHA256,
];
/// No key exchanges: they tell the other side what else is understood.
const KEX_MARKS: [kex::Name; 4] = [
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_SUPPORT_AS_SERVER,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
];
const OLD_KEX: [kex::Name; 3] = [kex::DH_GEX_SHA1, kex::DH_G14_SHA1, kex::DH_G1_SHA1];
const CIPHERS: [cipher::Name; 6] =
    [cipher::CHACHA20_POLY1305, cipher::AES_256_GCM, cipher::AES_128_GCM, cipher::AES_256_CTR, cipher::AES_192_CTR, cipher::AES_128_CTR];
const OLD_CIPHERS: [cipher::Name; 4] = [cipher::AES_256_CBC, cipher::AES_192_CBC, cipher::AES_128_CBC, cipher::TRIPLE_DES_CBC];
const MACS: [mac::Name; 4] = [mac::HMAC_SHA512_ETM, mac::HMAC_SHA256_ETM, mac::HMAC_SHA512, mac::HMAC_SHA256];
const OLD_MACS: [mac::Name; 2] = [mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];
const KEYS: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
    Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
];
const OLD_KEYS: [Algorithm; 2] = [Algorithm::Rsa { hash: None }, Algorithm::Dsa];

/// What an authority may sign with beside what hosts have: keys in a hardware token.
const TOKEN_KEYS: [Algorithm; 2] = [Algorithm::SkEd25519, Algorithm::SkEcdsaSha2NistP256];

/// The bits of a group that the server chooses for a key exchange (RFC 4419, the least by RFC 8270). Some devices know none beyond 4,096
/// and close the connection where more are wanted, as OpenSSH knows of them; a slow one would calculate for long.
const GROUP_BITS_MIN: usize = 2048;
const GROUP_BITS_WANTED: usize = 4096;
const GROUP_BITS_MAX: usize = 8192;

/// The longest list of names in an error; OpenSSH's longest has 400 bytes.
const NAMES_MAX_BYTES: usize = 1500;

/// The library's configuration for this target.
///
/// # Errors
///
/// When a list of the configuration holds nothing that is known.
pub(super) fn config(target: &Target, known: &KnownHosts) -> Result<client::Config, ConnectError> {
    Ok(client::Config {
        nodelay: true,
        keepalive_interval: Some(target.keepalive.unwrap_or(KEEPALIVE)),
        keepalive_max: target.keepalives_missed(),
        preferred: preferred(target, known)?,
        gex: client::GexParams::new(GROUP_BITS_MIN, GROUP_BITS_WANTED, GROUP_BITS_MAX).unwrap_or_default(),
        ..client::Config::default()
    })
}

fn preferred(target: &Target, known: &KnownHosts) -> Result<Preferred, ConnectError> {
    let offer = &target.offer;
    let old = offer.legacy;
    let unknown = |kind: &'static str, list: &Option<String>, known: String| ConnectError::UnknownAlgorithms {
        device: target.device.clone(),
        kind,
        list: list.clone().unwrap_or_default(),
        known,
    };
    let exchanges = chosen(&KEX, &OLD_KEX, old, offer.kex.as_deref());
    let exchanges = exchanges.map_err(|known| unknown("key exchanges", &offer.kex, known))?;
    let ciphers = chosen(&CIPHERS, &OLD_CIPHERS, old, offer.ciphers.as_deref());
    let ciphers = ciphers.map_err(|known| unknown("ciphers", &offer.ciphers, known))?;
    let ciphers = if target.bulk { fast_first(ciphers) } else { ciphers };
    let macs = chosen(&MACS, &OLD_MACS, old, offer.macs.as_deref()).map_err(|known| unknown("MACs", &offer.macs, known))?;
    let keys = chosen(&KEYS, &OLD_KEYS, old, offer.host_keys.as_deref());
    let keys = keys.map_err(|known| unknown("host key algorithms", &offer.host_keys, known))?;
    let (name, port) = target.host_key_name();
    let certificates = if known.has_authority(name, port) { keys.clone() } else { Vec::new() };
    Ok(Preferred {
        kex: exchanges.into_iter().chain(KEX_MARKS).collect::<Vec<_>>().into(),
        key: recorded_first(keys, &known.known_types(name, port)).into(),
        host_key_certificates: certificates.into(),
        cipher: ciphers.into(),
        mac: macs.into(),
        compression: Cow::Borrowed(&[russh::compression::NONE]),
    })
}

/// Ciphers that processors have instructions for, before the others.
fn fast_first(ciphers: Vec<cipher::Name>) -> Vec<cipher::Name> {
    let (mut first, others): (Vec<_>, Vec<_>) =
        ciphers.into_iter().partition(|name| [cipher::AES_256_GCM, cipher::AES_128_GCM].contains(name));
    first.extend(others);
    first
}

/// Only a key of a recorded type can be the recorded key. A server that has no such key is a changed one.
fn recorded_first(keys: Vec<Algorithm>, recorded: &[Algorithm]) -> Vec<Algorithm> {
    let is_recorded = |algorithm: &Algorithm| recorded.iter().any(|known| same_kind(known, algorithm));
    let (mut first, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(is_recorded);
    first.extend(others);
    first
}

/// RSA keys are one kind, whatever the signature's hash.
fn same_kind(one: &Algorithm, other: &Algorithm) -> bool {
    one == other || (one.clone().is_rsa() && other.clone().is_rsa())
}

/// What a list makes of the defaults, as ssh_config(5) says: a list of its own, or with `+` more at the end, with `-` fewer, with `^`
/// some first. Names that are not known here are left out; the error names those that are.
fn chosen<T: AsRef<str> + Clone>(usual: &[T], old: &[T], legacy: bool, list: Option<&str>) -> Result<Vec<T>, String> {
    let mut all: Vec<T> = usual.to_vec();
    all.extend_from_slice(old);
    let base: Vec<T> = if legacy { all.clone() } else { usual.to_vec() };
    let Some(list) = list else { return Ok(base) };
    let (how, names) = match list.split_at_checked(1) {
        Some((how @ ("+" | "-" | "^"), names)) => (how, names),
        _ => ("", list),
    };
    let named = |algorithm: &T| names.split(',').any(|name| fits(name.trim(), algorithm.as_ref()));
    let in_order = || -> Vec<T> {
        let mut found: Vec<T> = Vec::new();
        for name in names.split(',') {
            for algorithm in all.iter().filter(|algorithm| fits(name.trim(), algorithm.as_ref())) {
                if !found.iter().any(|known| known.as_ref() == algorithm.as_ref()) {
                    found.push(algorithm.clone());
                }
            }
        }
        found
    };
    let rest = |of: &[T], without: &[T]| -> Vec<T> {
        of.iter().filter(|one| !without.iter().any(|other| other.as_ref() == one.as_ref())).cloned().collect()
    };
    let result = match how {
        "+" => base.iter().cloned().chain(rest(&in_order(), &base)).collect(),
        "-" => base.into_iter().filter(|algorithm| !named(algorithm)).collect(),
        "^" => in_order().into_iter().chain(rest(&base, &in_order())).collect(),
        _ => in_order(),
    };
    if result.is_empty() {
        return Err(all.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "));
    }
    Ok(result)
}

/// The error of a failed negotiation, with what would help.
pub(super) fn no_common(target: &Target, kind: &AlgorithmKind, ours: &[String], theirs: &[String]) -> ConnectError {
    let device = &target.device;
    let old: Vec<&str> = match kind {
        AlgorithmKind::Kex => OLD_KEX.iter().map(AsRef::as_ref).collect(),
        AlgorithmKind::Key => OLD_KEYS.iter().map(AsRef::as_ref).collect(),
        AlgorithmKind::Cipher => OLD_CIPHERS.iter().map(AsRef::as_ref).collect(),
        AlgorithmKind::Mac => OLD_MACS.iter().map(AsRef::as_ref).collect(),
        AlgorithmKind::Compression => Vec::new(),
    };
    let helps = theirs.iter().any(|name| old.contains(&name.as_str()));
    let next = match (helps, target.offer.legacy) {
        (true, false) => format!(
            "these are old and weak: if you accept that for this device, set `algorithms = \"legacy\"` in {}, better update the device",
            header("device", device)
        ),
        (false, false) => "`algorithms = \"legacy\"` would not help either: update the device's SSH server".to_owned(),
        (_, true) => "not even the old ones that `algorithms = \"legacy\"` adds: update the device's SSH server".to_owned(),
    };
    let kind = match kind {
        AlgorithmKind::Kex => "key exchange",
        AlgorithmKind::Key => "host key algorithm",
        AlgorithmKind::Cipher => "cipher",
        AlgorithmKind::Mac => "MAC",
        AlgorithmKind::Compression => "compression",
    };
    let real = |names: &[String]| {
        let marks: Vec<&str> = KEX_MARKS.iter().map(AsRef::as_ref).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !marks.contains(name)).collect();
        if names.is_empty() { "none".to_owned() } else { words(&names.join(", "), NAMES_MAX_BYTES) }
    };
    ConnectError::NoCommon { device: device.clone(), kind, theirs: real(theirs), ours: real(ours), next }
}

/// What of the agreed algorithms is weak, for whoever looks at the session.
pub(super) fn weak(names: &russh::Names) -> Vec<String> {
    let agreed = [names.kex.as_ref(), names.key.as_ref(), names.cipher.as_ref(), names.client_mac.as_ref(), names.server_mac.as_ref()];
    let is_old = |name: &str| {
        let lists: [Vec<&str>; 4] = [
            OLD_KEX.iter().map(AsRef::as_ref).collect(),
            OLD_KEYS.iter().map(AsRef::as_ref).collect(),
            OLD_CIPHERS.iter().map(AsRef::as_ref).collect(),
            OLD_MACS.iter().map(AsRef::as_ref).collect(),
        ];
        lists.iter().any(|list| list.contains(&name))
    };
    let mut weak: Vec<String> = Vec::new();
    for name in agreed.into_iter().filter(|name| is_old(name)) {
        if !weak.iter().any(|known| known == name) {
            weak.push(name.to_owned());
        }
    }
    weak
}

/// What was agreed, as a line.
pub(super) fn agreed(names: &russh::Names) -> String {
    let mut parts = vec![names.kex.as_ref(), names.key.as_ref(), names.cipher.as_ref()];
    if names.client_mac != mac::NONE {
        parts.push(names.client_mac.as_ref());
    }
    parts.join(", ")
}

/// What we would offer, for whoever compares both sides: key exchanges, host keys, ciphers, MACs.
pub(super) fn offered(preferred: &Preferred) -> [Vec<String>; 4] {
    let marks: Vec<&str> = KEX_MARKS.iter().map(AsRef::as_ref).collect();
    let owned = |name: &str| name.to_owned();
    [
        preferred.kex.iter().map(AsRef::as_ref).filter(|name| !marks.contains(name)).map(owned).collect(),
        preferred.key.iter().map(|name| owned(name.as_ref())).collect(),
        preferred.cipher.iter().map(|name| owned(name.as_ref())).collect(),
        preferred.mac.iter().map(|name| owned(name.as_ref())).collect(),
    ]
}

/// What would be offered to this target.
///
/// # Errors
///
/// When a list of the configuration holds nothing that is known.
pub(super) fn ours(target: &Target, known: &KnownHosts) -> Result<[Vec<String>; 4], ConnectError> {
    preferred(target, known).map(|preferred| offered(&preferred))
}

impl Offer {
    /// The old algorithms beside the usual ones.
    #[must_use]
    pub fn legacy() -> Self {
        Self { legacy: true, ..Self::default() }
    }

    /// May our own RSA keys sign with SHA-1, where the server does not say what it takes?
    pub(super) fn signs_with_sha1(&self) -> bool {
        let named = || chosen(&KEYS, &OLD_KEYS, false, self.signatures.as_deref()).unwrap_or_default();
        self.legacy || named().contains(&Algorithm::Rsa { hash: None })
    }

    /// What a host's key must be beside recorded. Where a list names nothing that is known, no certificate is good.
    pub(super) fn demands(&self) -> Demands {
        let usual = [KEYS.as_slice(), TOKEN_KEYS.as_slice()].concat();
        let signatures = chosen(&usual, &OLD_KEYS, self.legacy, self.authorities.as_deref()).unwrap_or_default();
        Demands { rsa_bits: self.rsa_bits, signatures: Some(signatures) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_keys_sign_with_sha1_only_where_the_configuration_names_it() {
        for (list, expected) in [(None, false), (Some("+ssh-rsa"), true), (Some("ssh-ed25519,rsa-sha2-512"), false), (Some("ssh-*"), true)]
        {
            let offer = Offer { signatures: list.map(str::to_owned), ..Offer::default() };
            assert_eq!(offer.signs_with_sha1(), expected, "{list:?}");
        }
        assert!(Offer::legacy().signs_with_sha1());
    }

    #[test]
    fn authorities_sign_with_what_the_configuration_names() {
        let (ed25519, sha1) = (Algorithm::Ed25519, Algorithm::Rsa { hash: None });
        for (list, expected) in [
            (None, [true, true, false]),
            (Some("ecdsa-*"), [false, false, false]),
            (Some("-ssh-ed25519"), [false, true, false]),
            (Some("+ssh-rsa"), [true, true, true]),
            (Some("nothing"), [false, false, false]),
        ] {
            let demands = Offer { authorities: list.map(str::to_owned), ..Offer::default() }.demands();
            let taken = demands.signatures.unwrap();
            assert_eq!([&ed25519, &Algorithm::SkEd25519, &sha1].map(|one| taken.contains(one)), expected, "{list:?}");
        }
    }

    #[test]
    fn lists_change_the_defaults_as_openssh_says() {
        let (usual, old) = (["a1", "b2"], ["x", "y"]);
        let of = |legacy, list| chosen(&usual, &old, legacy, list).map(|list| list.join(","));
        assert_eq!(of(false, None).unwrap(), "a1,b2");
        assert_eq!(of(true, None).unwrap(), "a1,b2,x,y");
        assert_eq!(of(false, Some("+y")).unwrap(), "a1,b2,y");
        assert_eq!(of(false, Some("-a*")).unwrap(), "b2");
        assert_eq!(of(false, Some("^x,b2")).unwrap(), "x,b2,a1");
        assert_eq!(of(false, Some("y,nothing,a?")).unwrap(), "y,a1");
        assert_eq!(of(false, Some("nothing")).unwrap_err(), "a1, b2, x, y");
        assert_eq!(of(false, Some("+nothing")).unwrap(), "a1,b2");
    }
}

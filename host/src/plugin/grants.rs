//! The one place that says what a plugin may import.

/// The contract's own package.
pub const CONTRACT: &str = "jackfield:plugin";
/// Its track: versions with this prefix are understood.
pub const TRACK: &str = "0.1.";
/// The version that this host offers.
pub const VERSION: &str = "0.1.0";

/// The contract's interfaces that a plugin may import. The roles are its own to export.
const IMPORTABLE: [&str; 2] = ["types", "host"];

/// What a Rust program with `std` imports before it does anything. All of it is inert here: no environment, no arguments,
/// an empty standard input, output to the plugin's own log.
const BASELINE: [&str; 13] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// What a manifest may ask for beside it. Clocks stand still and randomness is seeded, so that a run repeats.
pub const ON_REQUEST: [&str; 5] =
    ["wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock", "wasi:random/insecure", "wasi:random/insecure-seed", "wasi:random/random"];

/// Why an import is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody gets it.
    NotGranted,
    /// The plugin would get it if its manifest listed it.
    NotListed,
    /// It belongs to another track of the contract.
    Version,
}

/// What the list in a manifest may hold: what is given on request, and what everybody has anyway.
#[must_use]
pub fn nameable() -> Vec<&'static str> {
    BASELINE.iter().chain(&ON_REQUEST).copied().collect()
}

/// May a plugin whose manifest lists `wasi` import this name (`package/interface@version`)?
///
/// # Errors
///
/// Why not.
pub fn check_import(import: &str, wasi: &[String]) -> Result<(), Refusal> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if let Some(interface) = name.strip_prefix(CONTRACT).and_then(|rest| rest.strip_prefix('/')) {
        return match (IMPORTABLE.contains(&interface), is_known_version(version)) {
            (true, true) => Ok(()),
            (true, false) => Err(Refusal::Version),
            (false, _) => Err(Refusal::NotGranted),
        };
    }
    if BASELINE.contains(&name) {
        return Ok(());
    }
    if !ON_REQUEST.contains(&name) {
        return Err(Refusal::NotGranted);
    }
    if wasi.iter().any(|wanted| wanted == name) { Ok(()) } else { Err(Refusal::NotListed) }
}

/// Is this a version of the contract that the host speaks? A pre-release matches nothing but itself.
#[must_use]
pub fn is_known_version(version: &str) -> bool {
    version.strip_prefix(TRACK).is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What an error names.
#[must_use]
pub fn known_imports() -> String {
    format!(
        "`{CONTRACT}/types`, `{CONTRACT}/host`, the start-up interfaces of `wasi:cli` and `wasi:io`, and, listed as `wasi` in its manifest: {}",
        ON_REQUEST.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_and_files_are_refused_and_clocks_only_on_request() {
        let none: Vec<String> = Vec::new();
        assert_eq!(check_import("wasi:cli/stdout@0.2.6", &none), Ok(()));
        assert_eq!(check_import("wasi:sockets/tcp@0.2.6", &none), Err(Refusal::NotGranted));
        assert_eq!(check_import("wasi:filesystem/types@0.2.6", &["wasi:filesystem/types".to_owned()]), Err(Refusal::NotGranted));
        assert_eq!(check_import("wasi:clocks/wall-clock@0.2.6", &none), Err(Refusal::NotListed));
        assert_eq!(check_import("wasi:clocks/wall-clock@0.2.6", &["wasi:clocks/wall-clock".to_owned()]), Ok(()));
    }

    #[test]
    fn only_interfaces_of_the_contract_itself_are_its_own() {
        for smuggled in
            ["jackfield:plugin-extra/host@0.1.0", "jackfield:plugin/shell@0.1.0", "jackfield:plugin", "jackfield:pluginhost@0.1.0"]
        {
            assert_eq!(check_import(smuggled, &[]), Err(Refusal::NotGranted), "{smuggled}");
        }
    }

    #[test]
    fn only_the_known_track_is_spoken() {
        assert_eq!(check_import("jackfield:plugin/host@0.1.7", &[]), Ok(()));
        for other in
            ["jackfield:plugin/host@0.2.0", "jackfield:plugin/host@0.1.0-draft", "jackfield:plugin/host@1.0.0", "jackfield:plugin/host"]
        {
            assert_eq!(check_import(other, &[]), Err(Refusal::Version), "{other}");
        }
    }
}

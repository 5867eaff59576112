//! For a plugin's `build.rs`: `plugin.toml` becomes the manifest section.

use std::path::Path;
use std::{env, fs};

/// The contract, for [`plugin!`](crate::plugin): a plugin may stand anywhere, its build folder is where the macro looks.
const CONTRACT: [(&str, &str); 10] = [
    ("dialog.wit", include_str!("../../../wit/dialog.wit")),
    ("host.wit", include_str!("../../../wit/host.wit")),
    ("identify.wit", include_str!("../../../wit/identify.wit")),
    ("outcome.wit", include_str!("../../../wit/outcome.wit")),
    ("pager.wit", include_str!("../../../wit/pager.wit")),
    ("policy.wit", include_str!("../../../wit/policy.wit")),
    ("prompt.wit", include_str!("../../../wit/prompt.wit")),
    ("setup.wit", include_str!("../../../wit/setup.wit")),
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("worlds.wit", include_str!("../../../wit/worlds.wit")),
];

/// The largest manifest that the host reads, in bytes.
pub const MANIFEST_MAX_BYTES: usize = 24 * 1024;

/// Reads `plugin.toml` beside `Cargo.toml` and writes `manifest.json` and the contract where [`plugin!`](crate::plugin)
/// finds it. `name` and `version` are those of the crate unless the file says otherwise.
///
/// # Panics
///
/// When the file is missing, is not TOML or is too large: a build script's way to fail.
#[expect(clippy::panic, clippy::expect_used, clippy::print_stdout, reason = "a build script fails by panic and speaks to cargo on stdout")]
pub fn manifest() {
    println!("cargo:rerun-if-changed=plugin.toml");
    let text = fs::read_to_string("plugin.toml").unwrap_or_else(|error| panic!("cannot read plugin.toml: {error}"));
    let mut manifest: serde_json::Map<String, serde_json::Value> =
        toml::from_str(&text).unwrap_or_else(|error| panic!("plugin.toml: {error}"));
    for (key, variable) in [("name", "CARGO_PKG_NAME"), ("version", "CARGO_PKG_VERSION")] {
        let value = env::var(variable).expect("cargo sets it");
        manifest.entry(key).or_insert_with(|| value.into());
    }
    let json = serde_json::to_vec(&manifest).expect("TOML values are JSON values");
    assert!(
        json.len() <= MANIFEST_MAX_BYTES,
        "plugin.toml makes a manifest of {} bytes, at most {MANIFEST_MAX_BYTES} are read",
        json.len()
    );
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("manifest.json"), json).expect("OUT_DIR is writable");
    let contract = Path::new(&out).join("wit");
    fs::create_dir_all(&contract).expect("OUT_DIR is writable");
    for (name, text) in CONTRACT {
        fs::write(contract.join(name), text).expect("OUT_DIR is writable");
    }
}

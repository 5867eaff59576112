//! The protocol's conformance suite, at the HTTP door: each revision's whole set of requirements, and what binds any product at the real
//! program.
#![expect(deprecated, reason = "the older revision asks for what the newer one has given up")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use jackfield::config::{Config, HttpSettings};
use jackfield::directory::Directory;
use jackfield::mcp::http::{self, Door, Token};
use jackfield::secret::{Secret, SecretSource};
use jackfield::startup;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use self::fixtures::{Fixtures, Shared};
use crate::support::packages;

mod fixtures;
mod prompts;
mod resources;
mod rounds;
mod tools;

/// The releases that the tests were written with: the first suite for the newer era, and a Node that runs it.
const PACKAGES: [&str; 3] = ["@modelcontextprotocol/conformance@0.2.0-alpha.12", "@modelcontextprotocol/inspector@2.12.0", "node@22.23.3"];
/// The revisions whose requirements are met, and how many scenarios each has at least.
const REVISIONS: [(&str, usize); 2] = [("2025-11-25", 30), ("2026-07-28", 37)];
/// Any word that is long enough.
const TOKEN: &str = "a-token-of-the-conformance-tests";

/// A door to the fixtures, and what it lives on.
struct Setting {
    door: Door,
    _runtime: Runtime,
}

impl Setting {
    fn start() -> Self {
        let config = Config::default();
        let catalog = startup::catalog(&config).unwrap();
        let shared = Arc::new(Shared { directory: Arc::new(Directory::new(config, catalog, None)), prompts: watch::Sender::default() });
        let settings = HttpSettings { listen: "127.0.0.1:0".parse().unwrap(), token: SecretSource::Input, hosts: Vec::new() };
        let token = Token::new(&Secret::from_bytes(TOKEN.into())).unwrap();
        let runtime = Runtime::new().unwrap();
        let door = runtime.block_on(http::open(&settings, token, move || Fixtures::new(&shared))).unwrap();
        Self { door, _runtime: runtime }
    }
}

/// Runs the suite at a door; what it printed, and whether all is well.
pub fn suite(url: &str, token: &str, arguments: &[&str]) -> (String, bool) {
    let program = packages::node_program("conformance", &PACKAGES, "conformance");
    // Its first line asks for the first `node` of the path: the one that was installed with it.
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let with_token = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/token.mjs");
    let results = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["server", "--url", url, "--output-dir"]).arg(results.path()).args(arguments);
    command.env("PATH", path).env("NODE_OPTIONS", format!("--import={}", with_token.display())).env("DOOR_TOKEN", token);
    let done = command.output().unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (printed, done.status.success())
}

/// The scenarios that the suite says have passed.
fn passed(printed: &str) -> BTreeSet<&str> {
    let summary = printed.split("=== SUMMARY ===").nth(1).unwrap_or_else(|| panic!("no summary:\n{printed}"));
    summary.lines().filter_map(|line| line.strip_prefix("✓ ")?.split_once(": ")).map(|(name, _)| name).collect()
}

#[test]
fn every_scenario_that_a_revision_requires_passes() {
    let setting = Setting::start();
    for (revision, required) in REVISIONS {
        let (printed, all_is_well) = suite(&setting.door.url(), TOKEN, &["--requirements", revision]);
        assert!(all_is_well, "{revision}:\n{printed}");
        let passed = passed(&printed);
        // Beside what is required there is what came later or is asked of nobody; only the extension for tasks is not offered.
        let failed: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("✗ ")).collect();
        assert!(failed.iter().all(|line| line.starts_with("tasks-")), "{revision}: {failed:?}");
        assert!(passed.len() >= required, "{revision}: {passed:?}");
    }
}

//! The protocol's conformance suite, at the HTTP door: each revision's whole set of requirements, and what binds any product at the real
//! program.
#![expect(deprecated, reason = "the older revision asks for what the newer one has given up")]

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
const PACKAGES: [&str; 2] = ["@modelcontextprotocol/conformance@0.2.0-alpha.12", "node@22.23.3"];
/// The revisions whose requirements are met.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];
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

/// Runs the suite; what it printed.
fn suite(url: &str, arguments: &[&str]) -> (String, bool) {
    let program = packages::node_program("conformance", &PACKAGES, "conformance");
    let folder = program.parent().unwrap();
    // Its first line asks for the first `node` of the path: the one that was installed with it.
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let token = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/token.mjs");
    let results = tempfile::tempdir().unwrap();
    let mut command = Command::new(program);
    command.args(["server", "--url", url, "--output-dir"]).arg(results.path()).args(arguments);
    command.env("PATH", path).env("NODE_OPTIONS", format!("--import={}", token.display())).env("DOOR_TOKEN", TOKEN);
    let done = command.output().unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    (printed, done.status.success())
}

#[test]
fn every_scenario_that_a_revision_requires_passes() {
    let setting = Setting::start();
    for revision in REVISIONS {
        let (printed, passed) = suite(&setting.door.url(), &["--requirements", revision]);
        assert!(passed, "{revision}:\n{printed}");
        println!("{printed}");
    }
}

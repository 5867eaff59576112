//! The vendor's guide: every command of the page, in order, in an empty folder. No command stands here that is not in the page.

use std::path::Path;
use std::process::Command;

use crate::support::install_missing;

/// The commands of a page: its blocks marked `sh`.
pub fn commands(page: &str) -> String {
    let mut script = String::new();
    let mut inside = false;
    for line in page.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => script.extend([line, "\n"]),
            _ => {}
        }
    }
    script
}

#[test]
fn the_vendors_guide_leads_from_nothing_to_a_session() {
    install_missing(&[("ssh-keygen", "openssh-client")]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let script = commands(&std::fs::read_to_string(root.join("docs/vendors-guide.md")).unwrap());
    assert!(script.lines().count() > 15, "{script}");
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_jackfield")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    // Whatever fails, the lab of the page does not outlive it: somebody who reads its output would wait for ever.
    let script = format!("trap 'kill $lab 2>/dev/null || true' EXIT\n{script}");
    command.args(["-e", "-x", "-c", &script]).current_dir(folder.path()).env("PATH", path).env_remove("JACKFIELD_CONFIG");
    for (name, sub) in [("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config")] {
        command.env(name, folder.path().join(sub));
    }
    // What the vendor's dependencies compile to is kept from one run to the next; the project itself is always new.
    command.env("CARGO_BUILD_BUILD_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("vendor"));
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name.starts_with("RUSTC") {
            command.env_remove(name);
        }
    }
    let done = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");
    // The last session, with the secret by name and its answer.
    let session = out.rsplit("jackfield recording 1").next().unwrap();
    assert!(session.contains("* enable") && session.contains("= done failed=false mode=privileged"), "{session}");
    assert!(session.contains("BoxOS 1.0") && !session.contains("lab-enable"), "{session}");
    let report = std::fs::read_to_string(folder.path().join("acme-box/conformance.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let untested = report["checks"].as_array().unwrap().iter().filter(|check| check["state"] != "passed").count();
    assert!(report["passed"] == true && untested == 0, "{report}");
}

//! Packages of Python's registry, each set in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{find, install_packages};

/// A Python with these packages, installed once; `name` is its folder's.
pub fn environment(name: &str, packages: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = folder.join("bin/python");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(folder.join("complete")).is_ok_and(|complete| complete == wanted) {
        return python;
    }
    let _ = std::fs::remove_dir_all(&folder);
    let made = |python: &Path| Command::new(python).args(["-m", "venv"]).arg(&folder).status().is_ok_and(|status| status.success());
    if !find("python3").is_some_and(|python| made(&python)) {
        install_packages(&["python3", "python3-venv"]);
        assert!(made(Path::new("/usr/bin/python3")), "the tests need a Python with `venv`");
    }
    must(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages));
    std::fs::write(folder.join("complete"), wanted).unwrap();
    python
}

/// Runs a command that has to succeed; what it printed.
pub fn must(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

//! Packages of Python's and Node's registries, each set in a folder of its own that stays for the next run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::apt::{said, tried};
use super::{find, install_missing, install_packages};

/// One is installed after the other: several tests may want the same one at once.
static TURN: Mutex<()> = Mutex::new(());

/// A folder that stays for the next run.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Runs a command that has to succeed; what it printed.
pub fn must(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Runs a command that fetches from a registry: one that fails is tried again.
pub fn fetched(command: impl Fn() -> Command) {
    tried(|| said(&mut command())).unwrap_or_else(|why| panic!("{why}"));
}

/// A Python with these packages, installed once; `name` is its folder's.
pub fn python(name: &str, packages: &[&str]) -> PathBuf {
    let folder = folder(name);
    let python = folder.join("bin/python");
    installed(&folder, packages, || {
        let _ = std::fs::remove_dir_all(&folder);
        let made = |python: &Path| Command::new(python).args(["-m", "venv"]).arg(&folder).status().is_ok_and(|status| status.success());
        if !find("python3").is_some_and(|python| made(&python)) {
            install_packages(&["python3", "python3-venv"]);
            assert!(made(Path::new("/usr/bin/python3")), "the tests need a Python with `venv`");
        }
        fetched(|| {
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "5"]).args(packages);
            pip
        });
    });
    python
}

/// A program of the first of these Node packages, installed once; `name` is its folder's.
pub fn node_program(name: &str, packages: &[&str], program: &str) -> PathBuf {
    let folder = folder(name);
    installed(&folder, packages, || {
        install_missing(&[("node", "nodejs"), ("npm", "npm")]);
        std::fs::create_dir_all(&folder).unwrap();
        fetched(|| {
            let mut npm = Command::new(find("npm").unwrap());
            npm.args(["install", "--loglevel=error", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).args(packages);
            npm
        });
    });
    folder.join("node_modules/.bin").join(program)
}

/// Installs unless the folder says that exactly these packages are complete.
fn installed(folder: &Path, packages: &[&str], install: impl FnOnce()) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let (mark, wanted) = (folder.join("complete"), packages.join("\n"));
    if std::fs::read_to_string(&mark).is_ok_and(|complete| complete == wanted) {
        return;
    }
    install();
    std::fs::write(mark, wanted).unwrap();
}

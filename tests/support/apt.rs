//! What a test needs of Debian's packages, for the stories and for the unit tests that use a real server.

use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::NamedTempFile;

/// How often a download is tried, and the pause behind the first try; each next one is twice as long. A registry that answers with an
/// error for a minute is no fault of what is tested.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Whoever holds it has the package system for itself: tests run side by side, and apt gives way to nobody.
pub fn turn() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Installs the packages of the programs that are not there.
pub fn install_missing(wanted: &[(&str, &str)]) {
    // Looked at in turn: a program that another test is installing is there before what it needs is.
    let _turn = turn();
    let missing: Vec<&str> = wanted.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        install(&missing);
    }
}

/// Installs Debian packages; the caller has the turn.
pub fn install(packages: &[&str]) {
    let done = tried(|| {
        // An index that does not come may be that of other packages, and what fits an old one may be gone: both are tried again.
        let _ = update();
        let mut command = apt(&["install", "-y", "-qq", "--no-install-recommends"]);
        said(command.args(packages))
    });
    if let Err(why) = done {
        panic!("the tests need {packages:?} and could not install them; run the tests as root, or install them first: {why}");
    }
}

/// Fetches the index of the packages.
pub fn update() -> Result<String, String> {
    said(&mut apt(&["update", "-qq"]))
}

/// The package tool, which waits for others that are at work.
pub fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// What a command printed, or why it failed. It prints into files: what a package starts may hold a pipe open for as long as it runs.
pub fn said(command: &mut Command) -> Result<String, String> {
    let [out, err] = [(), ()].map(|()| NamedTempFile::new().unwrap());
    command.stdin(Stdio::null()).stdout(out.reopen().unwrap()).stderr(err.reopen().unwrap());
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    let [out, err] = [out, err].map(|file| String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned());
    if status.success() { Ok(out) } else { Err(format!("{command:?}: {status}: {out}{err}")) }
}

/// Does something that fetches from elsewhere, again after a while when it fails.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
pub fn tried<T>(mut work: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match work() {
            Ok(done) => return Ok(done),
            Err(_) => std::thread::sleep(pause),
        }
        pause *= 2;
    }
    work()
}

/// Where a program is.
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/lib/frr", "/usr/lib/openssh"]);
    folders.map(|folder| std::path::Path::new(folder).join(program)).find(|file| file.is_file())
}

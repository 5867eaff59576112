//! What a test needs of Debian's packages, for the stories and for the unit tests that use a real server.

use std::process::Command;
use std::sync::Mutex;

/// Installs the packages of the programs that are not there.
pub fn install_missing(wanted: &[(&str, &str)]) {
    let missing: Vec<&str> = wanted.iter().filter(|(program, _)| find(program).is_none()).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        install_packages(&missing);
    }
}

/// Installs Debian packages.
pub fn install_packages(packages: &[&str]) {
    // Tests run side by side, and apt gives way to nobody.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let apt = |arguments: &[&str]| {
        let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        status.is_ok_and(|status| status.success())
    };
    apt(&["update", "-qq"]);
    let done = apt(&[&["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"], packages].concat());
    assert!(done, "the tests need {packages:?} and could not install them; run the tests as root, or install them first");
}

/// Where a program is.
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/lib/frr", "/usr/lib/openssh"]);
    folders.map(|folder| std::path::Path::new(folder).join(program)).find(|file| file.is_file())
}

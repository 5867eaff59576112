//! What the stories and the benchmark share: a server of one's own, a client of the program.
#![allow(dead_code, reason = "the benchmark uses a part of it, the stories another")]

pub mod catalog;
pub mod client;
pub mod component;
pub mod frr;
pub mod guest;
pub mod http;
pub mod lab;
pub mod packages;
pub mod process;
pub mod relay;
pub mod script;
pub mod sshd;
pub mod telnetd;

use std::process::Command;
use std::sync::{Mutex, Once};
use std::time::Duration;

/// Installs the Debian packages that a test needs, once for all of them.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = [
            ("sshd", "openssh-server"),
            ("ssh-keygen", "openssh-client"),
            ("zsh", "zsh"),
            ("fish", "fish"),
            ("dash", "dash"),
            ("busybox", "busybox"),
            ("ksh93", "ksh93u+m"),
            ("mksh", "mksh"),
            ("tcsh", "tcsh"),
            ("sudo", "sudo"),
            ("less", "less"),
            ("zebra", "frr"),
            ("telnet", "telnet"),
            ("openssl", "openssl"),
            ("git", "git"),
            ("systemctl", "systemd"),
            ("ip", "iproute2"),
            ("rsync", "rsync"),
        ];
        install_missing(&wanted);
    });
}

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
    let folders = path.split(':').chain(["/usr/sbin", "/sbin", "/usr/lib/frr"]);
    folders.map(|folder| std::path::Path::new(folder).join(program)).find(|file| file.is_file())
}

/// Waits until a server that was just started takes connections.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
pub fn until_listens(address: &str, port: u16, name: &str) {
    for _ in 0..400 {
        if std::net::TcpStream::connect((address, port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{name} did not come up");
}

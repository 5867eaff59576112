//! What the stories and the benchmark share: a server of one's own, a client of the program.
#![allow(dead_code, reason = "the benchmark uses a part of it, the stories another")]

pub mod apt;
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

use std::sync::Once;
use std::time::Duration;

pub use apt::{find, install_missing};

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
            ("pgrep", "procps"),
        ];
        install_missing(&wanted);
    });
}

/// Installs Debian packages, whatever is there.
pub fn install_packages(packages: &[&str]) {
    let _turn = apt::turn();
    apt::install(packages);
}

/// Waits until a server that was just started takes connections.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
pub fn until_listens(address: &str, port: u16, name: &str) {
    for _ in 0..4800 {
        if std::net::TcpStream::connect((address, port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{name} did not come up");
}

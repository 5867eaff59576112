//! FRR's zebra: a router's command line that is real.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::sshd::{Sshd, free_port};
use super::{find, install, until_listens};

/// The password of the privileged mode.
pub const ENABLE: &str = "enable-secret-77";

/// FRR's zebra with its VTY on a port of its own.
pub struct Zebra {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Zebra {
    /// Starts it with so many rows of configuration beside the usual ones.
    pub fn start(rows: usize) -> Self {
        Self::start_with(rows, &format!("password vty\nenable password {ENABLE}\n"), "")
    }

    /// The same without a password for anything.
    pub fn start_open(rows: usize) -> Self {
        Self::start_with(rows, "", " no login\n")
    }

    fn start_with(rows: usize, passwords: &str, line: &str) -> Self {
        install();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let routes: String =
            (0..rows).map(|n| format!("ip prefix-list big seq {} permit 10.{}.{}.0/24\n", n + 1, n / 250, n % 250)).collect();
        fs::write(path("zebra.conf"), format!("hostname edge1\n{passwords}{routes}line vty\n exec-timeout 0 0\n{line}")).unwrap();
        for entry in [folder.path().to_owned(), path("zebra.conf")] {
            fs::set_permissions(entry, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let port = free_port();
        let process = Command::new(find("zebra").expect("frr is installed"))
            .args(["-A", "127.0.0.1", "-P", &port.to_string(), "-f"])
            .arg(path("zebra.conf"))
            .arg("-z")
            .arg(path("zserv"))
            .arg("-i")
            .arg(path("pid"))
            .arg("--vty_socket")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let router = Self { process, folder, port };
        router.until_greets();
        router
    }

    /// It listens at once and says nothing until it has read its configuration, which takes seconds for a thousand rows.
    fn until_greets(&self) {
        until_listens("127.0.0.1", self.port, "zebra");
        let mut line = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        line.set_read_timeout(Some(Duration::from_secs(180))).unwrap();
        assert!(line.read(&mut [0; 256]).expect("zebra greets") > 0, "zebra closed the line");
    }

    /// The port of its VTY.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A login shell that is the VTY, which asks for a password of its own.
    pub fn shell(&self) -> std::path::PathBuf {
        let file = self.folder.path().join("vty");
        fs::write(&file, format!("#!/bin/sh\nexec telnet -E 127.0.0.1 {}\n", self.port)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }
}

/// The device's table for a VTY that is the login shell of an account.
pub fn device(server: &Sshd, name: &str, user: &str) -> String {
    format!("{}secrets.enable = {{ env = \"JFT_ENABLE\" }}\nsecrets.vty = {{ env = \"JFT_VTY\" }}\n", server.device(name, user, "frr_vty"))
}

/// The variables that hold the secrets of [`device`].
pub const SECRETS: [(&str, &str); 2] = [("JFT_ENABLE", ENABLE), ("JFT_VTY", "vty")];

impl Drop for Zebra {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

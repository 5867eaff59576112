//! A server that is a Python script. It prints its port and its host key first, and ends with its value.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::packages::python;

/// The server.
pub struct Script {
    process: Child,
    folder: tempfile::TempDir,
    /// Its port.
    pub port: u16,
}

impl Script {
    /// Starts this script of the tests' folder with a package of Python's registry.
    pub fn start(package: &str, script: &str, arguments: &[&OsStr]) -> Self {
        let name = package.split('=').next().unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(script);
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut process =
            Command::new(python(name, &[package])).arg(file).args(arguments).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let (port, key) = line.trim().split_once(' ').unwrap_or_else(|| panic!("{script} did not start: {said}"));
        std::fs::write(folder.path().join("known_hosts"), format!("[127.0.0.1]:{port} {key}\n")).unwrap();
        Self { process, port: port.parse().unwrap(), folder }
    }

    /// The file with its host key.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// A device's table for the configuration file, without anything to log in with.
    pub fn device(&self, name: &str, user: &str) -> String {
        format!(
            "[device.{name}]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{user}\"\ntype = \"linux\"\nagent = false\nknown_hosts = \"{}\"\n",
            self.port,
            self.known_hosts().display()
        )
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

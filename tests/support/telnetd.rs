//! A real telnet server: GNU inetutils' with the system's `login`, started for each connection by a small listener.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::apt::{apt, said, tried, turn, update};
use super::packages::{folder, must};
use super::{find, install_missing};

/// The server's program, of a package that is unpacked and not installed: it would bring a daemon that listens.
fn program() -> PathBuf {
    let _turn = turn();
    if let Some(installed) = find("in.telnetd") {
        return installed;
    }
    let folder = folder("telnetd");
    let program = folder.join("unpacked/usr/sbin/telnetd");
    if !program.is_file() {
        std::fs::create_dir_all(&folder).unwrap();
        let fetched = tried(|| {
            let _ = update();
            said(apt(&["download", "-qq", "inetutils-telnetd"]).current_dir(&folder))
        });
        fetched.unwrap_or_else(|why| panic!("{why}"));
        let packages = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
        let package = packages.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "deb")).unwrap();
        must(Command::new("dpkg-deb").arg("-x").arg(package).arg(folder.join("unpacked")));
    }
    program
}

/// Serves telnet on a port of its own; every connection gets this program in its terminal. It runs as long as the process.
pub fn serve(login: &Path) -> u16 {
    install_missing(&[("login", "login")]);
    let (program, login) = (program(), login.display().to_string());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (program, login) = (program.clone(), login.clone());
            std::thread::spawn(move || attend(&program, &login, stream));
        }
    });
    port
}

fn attend(program: &Path, login: &str, stream: TcpStream) {
    let output = stream.try_clone().unwrap();
    let mut command = Command::new(program);
    command.args(["-E", login]).stdin(Stdio::from(OwnedFd::from(stream))).stdout(Stdio::from(OwnedFd::from(output)));
    let _ = command.stderr(Stdio::null()).status();
}

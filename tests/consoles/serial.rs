//! Serial lines: a pair of terminals stands for the cable, and a real login is at its other end.

use std::process::{Child, Command};

use pty_process::blocking;

use super::*;

/// A cable with a console at its far end. The console ends with its value.
struct Console {
    /// What is opened here.
    path: PathBuf,
    program: Child,
    /// So that the device stays there while nobody has it open.
    _near: fs::File,
}

impl Console {
    fn start(program: &Path) -> Self {
        let (mut cable, near) = blocking::open().unwrap();
        let (mut terminal, inside) = blocking::open().unwrap();
        terminal.resize(pty_process::Size::new(24, 80)).unwrap();
        let path = path_of(&near);
        let kept = fs::File::options().read(true).write(true).open(&path).unwrap();
        // A fresh terminal echoes; a cable does not.
        assert!(Command::new("stty").args(["raw", "-echo", "-F"]).arg(&path).status().unwrap().success());
        let program = blocking::Command::new(program).spawn(inside).unwrap();
        let (mut to_cable, mut to_terminal) = (duplicate(&cable), duplicate(&terminal));
        std::thread::spawn(move || copy(&mut terminal, &mut to_cable));
        std::thread::spawn(move || copy(&mut cable, &mut to_terminal));
        Self { path, program, _near: kept }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn duplicate(pty: &blocking::Pty) -> fs::File {
    use std::os::fd::AsFd;
    pty.as_fd().try_clone_to_owned().unwrap().into()
}

fn path_of(pts: &blocking::Pts) -> PathBuf {
    use std::os::fd::{AsFd, AsRawFd};
    fs::read_link(format!("/proc/self/fd/{}", pts.as_fd().as_raw_fd())).unwrap()
}

fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..count]).is_err() {
            return;
        }
    }
}

fn device(name: &str, path: &Path, kind: &str) -> String {
    let path = path.display();
    format!(
        "[device.{name}]\nline = \"{path}\"\nbaud = 115200\nuser = \"jft-bash\"\npassword = {{ env = \"JFT_WORD\" }}\ntype = \"{kind}\"\n"
    )
}

/// What a getty does: asks for a name until there is one, and starts the login, whenever nobody is logged in.
const GETTY: &str = r#"#!/bin/bash
while :; do
  read -r -p "lab login: " name || exit 1
  [ -n "$name" ] && login "$name"
done
"#;

fn getty(folder: &Path) -> PathBuf {
    script(folder, "getty", GETTY)
}

#[test]
fn a_console_on_a_serial_line_logs_in_and_stays_logged_in() {
    account("jft-bash", Path::new("/bin/bash"));
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start(&getty(folder.path()));
    let mut client = Client::start_with(&device("serial1", &console.path, "linux"), &[WORD]);
    let opened = open(&mut client, "serial1");
    assert_eq!(opened["ok"], true, "{opened}");
    is_exact(&mut client, "serial1");
    carries_everything(&mut client, "serial1");
    // One line has one session.
    let why = refused(&mut client, "serial1#2");
    assert!(why.contains("another session or program has it"), "{why}");
    // A serial line is not hung up: the shell is still there, and nobody is asked again.
    let before = client.run("serial1", "echo $$")["output"].clone();
    client.call("ssh_close", json!({"session": "serial1"}));
    let after = client.run("serial1", "echo $$");
    assert_eq!(after["output"], before, "{after}");
    is_exact(&mut client, "serial1");
    client.has_written_no(PASSWORD);
}

#[test]
fn a_serial_line_whose_type_is_open_is_recognised_and_one_that_is_none_is_told() {
    account("jft-bash", Path::new("/bin/bash"));
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start(&getty(folder.path()));
    let config = [
        device("serial1", &console.path, "auto"),
        device("missing", &folder.path().join("ttyUSB9"), "linux"),
        device("nothing", Path::new("/dev/null"), "linux"),
    ];
    let mut client = Client::start_with(&config.concat(), &[WORD]);
    is_exact(&mut client, "serial1");
    for name in ["missing", "nothing"] {
        let why = refused(&mut client, name);
        assert!(why.starts_with("cannot open the serial device"), "{why}");
    }
    let listed = client.call("ssh_hosts", json!({}));
    assert!(listed.to_string().contains(console.path.to_str().unwrap()), "{listed}");
}

#[test]
fn a_wrong_password_on_a_serial_line_is_told() {
    account("jft-bash", Path::new("/bin/bash"));
    let folder = tempfile::tempdir().unwrap();
    let console = Console::start(&getty(folder.path()));
    let mut client = Client::start_with(&device("serial1", &console.path, "linux"), &[("JFT_WORD", "wrong horse 17")]);
    let why = refused(&mut client, "serial1");
    assert!(why.contains("login step 2 of [device.serial1] typed the secret `password` and it was refused"), "{why}");
    client.has_written_no("wrong horse 17");
}

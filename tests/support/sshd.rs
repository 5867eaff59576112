//! A private OpenSSH server on the loopback interface, with accounts for each shell.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::{find, install, until_listens};

/// A server that ends with its value.
pub struct Sshd {
    process: Child,
    /// Its folder, with keys and known hosts.
    pub folder: tempfile::TempDir,
    /// Its port.
    pub port: u16,
    /// Its address.
    pub address: String,
}

/// The password of the accounts.
pub const PASSWORD: &str = "correct horse 41";

/// Its file service.
const SFTP: &str = "Subsystem sftp /usr/lib/openssh/sftp-server\n";

impl Sshd {
    /// Starts it.
    pub fn start() -> Self {
        Self::start_in(None)
    }

    /// Starts it in a network namespace, at this address there.
    pub fn start_in(place: Option<(&str, &str)>) -> Self {
        Self::start_as(place, SFTP, |_| String::new())
    }

    /// Starts it without its file service.
    pub fn start_without_files() -> Self {
        Self::start_as(None, "", |_| String::new())
    }

    /// Starts it with these lines in its configuration, which count before the usual ones. They are given its folder, which holds
    /// its keys `host` and `id`.
    pub fn start_with(lines: impl FnOnce(&Path) -> String) -> Self {
        Self::start_as(None, SFTP, lines)
    }

    fn start_as(place: Option<(&str, &str)>, subsystem: &str, lines: impl FnOnce(&Path) -> String) -> Self {
        install();
        let address = place.map_or("127.0.0.1", |(_, address)| address);
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for key in ["host", "id"] {
            let file = folder.path().join(key);
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file));
        }
        let port = free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let config = lines(folder.path());
        let config = format!(
            "{config}\nListenAddress {address}\nPort {port}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication yes\nPrintMotd no\nMaxStartups 100\nLogLevel ERROR\n{subsystem}",
            path("host"),
            path("id.pub")
        );
        fs::write(folder.path().join("sshd_config"), config).unwrap();
        fs::set_permissions(folder.path().join("id.pub"), fs::Permissions::from_mode(0o644)).unwrap();
        let public = fs::read_to_string(folder.path().join("host.pub")).unwrap();
        fs::write(folder.path().join("known_hosts"), format!("[{address}]:{port} {public}")).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let sshd = find("sshd").expect("sshd is installed");
        let mut command = match place {
            Some((namespace, _)) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(&sshd);
                command
            }
            None => Command::new(&sshd),
        };
        let process = command
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, folder, port, address: address.to_owned() };
        until_listens(address, port, "sshd");
        server
    }

    /// A device's table for the configuration file.
    pub fn device(&self, name: &str, user: &str, kind: &str) -> String {
        let folder = self.folder.path().display();
        format!(
            "[device.{name}]\nhost = \"{}\"\nport = {}\nuser = \"{user}\"\ntype = \"{kind}\"\nkey = \"{folder}/id\"\nknown_hosts = \"{folder}/known_hosts\"\nagent = false\n",
            self.address, self.port
        )
    }
}

impl Sshd {
    /// The same behind a relay at this port.
    pub fn device_behind(&self, port: u16, name: &str, user: &str, kind: &str) -> String {
        let known = self.folder.path().join("known_hosts");
        let text = fs::read_to_string(&known).unwrap();
        let key = text.lines().next().unwrap().split_once(' ').unwrap().1.to_owned();
        fs::write(&known, format!("{text}[127.0.0.1]:{port} {key}\n")).unwrap();
        self.device(name, user, kind).replace(&format!("port = {}\n", self.port), &format!("port = {port}\n"))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that is free. It lies below those that the system gives to whoever connects or listens meanwhile, and is given once.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = fastrand::u16(20_000..32_000);
        if GIVEN.lock().unwrap().insert(port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn run(command: &mut Command) {
    assert!(command.status().is_ok_and(|status| status.success()), "{command:?} failed");
}

/// An account with this shell; made once and kept.
pub fn account(name: &str, shell: &Path) -> PathBuf {
    /// The files of accounts are changed by one test at a time: who waits for their lock too long gives up.
    static TURN: Mutex<()> = Mutex::new(());
    install();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let home = PathBuf::from("/var/lib").join(name);
    if !Command::new("id").arg(name).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success() {
        run(Command::new("useradd").args(["-m", "-d"]).arg(&home).arg("-s").arg(shell).arg(name));
    }
    let hash = Command::new("openssl").args(["passwd", "-6", PASSWORD]).output().unwrap().stdout;
    run(Command::new("usermod").arg("-p").arg(String::from_utf8(hash).unwrap().trim()).arg("-s").arg(shell).arg(name));
    // The folder may be left over from an account of another number. What another test removes meanwhile needs no owner.
    let _ = Command::new("chown").args(["-R", "-f", name]).arg(&home).status();
    // The first-start dialog of zsh is a login menu of its own.
    kept(&home.join(".zshrc"), "PROMPT='%n@%m:%~%# '\n");
    home
}

/// What this account may do by sudo, in a file of this name.
pub fn sudoers(name: &str, rules: &str) {
    kept(&Path::new("/etc/sudoers.d").join(name), rules);
}

/// A file that several tests have in common: each writes the same, and nobody finds it empty or half.
pub fn kept(file: &Path, text: &str) {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if fs::read_to_string(file).is_ok_and(|now| now == text) {
        return;
    }
    // sudo reads no file whose name has a dot.
    let part = file.with_file_name(format!(".{}.part", file.file_name().unwrap().to_string_lossy()));
    fs::write(&part, text).unwrap();
    fs::rename(part, file).unwrap();
}

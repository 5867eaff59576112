//! Compares our reading of configurations with that of the real `ssh -G`.
//!
//! Not compared is what OpenSSH itself changed between releases (`ProxyJump none # comment`, `%C` behind a jump), and keys that only
//! some builds look for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Asked, Files, Local, SshConfig, dump};

mod cases;
mod random;

/// Keywords that have a line in our text and in that of ssh.
const COMPARED: &[&str] = &[
    "addressfamily",
    "batchmode",
    "bindaddress",
    "bindinterface",
    "certificatefile",
    "checkhostip",
    "compression",
    "connectionattempts",
    "connecttimeout",
    "dynamicforward",
    "exitonforwardfailure",
    "forwardagent",
    "gatewayports",
    "globalknownhostsfile",
    "hashknownhosts",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "knownhostscommand",
    "localforward",
    "nohostauthenticationforlocalhost",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "proxyusefdpass",
    "remotecommand",
    "remoteforward",
    "requesttty",
    "revokedhostkeys",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "setenv",
    "stricthostkeychecking",
    "tcpkeepalive",
    "user",
    "userknownhostsfile",
];

/// Keys that not every build looks for.
const NOT_EVERYWHERE: [&str; 2] = ["~/.ssh/id_dsa", "~/.ssh/id_xmss"];

/// Lists that are compared where they replace the default.
const ALGORITHMS: [&str; 5] = ["ciphers", "hostkeyalgorithms", "kexalgorithms", "macs", "pubkeyacceptedalgorithms"];

/// The lines of each keyword, or that there is no answer.
type Answer = Option<BTreeMap<String, Vec<String>>>;

/// A home folder with configurations.
struct Desk {
    folder: tempfile::TempDir,
    who: Local,
    home: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".ssh")).unwrap();
        let here = Local::of_this_process().unwrap();
        let home = here.home.to_str().unwrap().to_owned();
        let mut variables: BTreeMap<_, _> =
            [("SOCK", "/run/agent.sock"), ("PART", "part"), ("PERCENT", "%h")].map(|(name, value)| (name.into(), value.into())).into();
        variables.insert("HOME".into(), folder.path().into());
        variables.extend(std::env::var_os("PATH").map(|path| ("PATH".into(), path)));
        let who = Local { home: folder.path().to_owned(), variables: Some(variables), ..here };
        Self { folder, who, home }
    }

    /// Writes a file below `~/.ssh`.
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(".ssh").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join(".ssh/config")
    }

    /// What `ssh -G` says.
    fn theirs(&self, name: &str, asked: &Asked) -> (Answer, String) {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.config()).arg("-G").env_clear().envs(self.who.variables.iter().flatten()).stdin(Stdio::null());
        ssh.args(asked.user.iter().flat_map(|user| ["-l", user]))
            .args(asked.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
        let output =
            ssh.arg("--").arg(name).output().unwrap_or_else(|error| panic!("this test needs ssh (package openssh-client): {error}"));
        let text = self.at_home(&String::from_utf8(output.stdout).unwrap());
        (output.status.success().then(|| answer(&text)), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn ours(&self, name: &str, asked: &Asked) -> (Answer, String) {
        let files = Files { user: Some(self.config()), system: None };
        let resolved = SshConfig::load(&files, &self.who).map_err(|error| error.to_string());
        match resolved.and_then(|config| config.resolve(name, asked).map_err(|error| error.to_string())) {
            Ok(resolved) => (Some(answer(&self.at_home(&dump(&resolved)))), String::new()),
            Err(error) => (None, error),
        }
    }

    /// ssh takes the home folder from the table of users, and `Include` from the environment.
    fn at_home(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), &self.home)
    }

    /// Where the two differ, if they do.
    fn differences(&self, name: &str, asked: &Asked) -> String {
        let ((theirs, their_error), (ours, our_error)) = (self.theirs(name, asked), self.ours(name, asked));
        match (theirs, ours) {
            (None, None) => String::new(),
            (Some(_), None) => format!("only we refuse: {our_error}\n"),
            (None, Some(_)) => format!("only ssh refuses: {their_error}\n"),
            (Some(theirs), Some(ours)) => differences(theirs, ours),
        }
    }

    /// Does ssh answer at all? A case in which both refuse tests less.
    fn is_answered(&self, name: &str) -> bool {
        self.theirs(name, &Asked::default()).0.is_some()
    }
}

fn answer(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (keyword, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        if !NOT_EVERYWHERE.contains(&value) {
            lines.entry(keyword.to_owned()).or_default().push(value.to_owned());
        }
    }
    lines
}

fn differences(mut theirs: BTreeMap<String, Vec<String>>, ours: BTreeMap<String, Vec<String>>) -> String {
    let lines = |answer: &BTreeMap<String, Vec<String>>, keyword: &str| answer.get(keyword).cloned().unwrap_or_default();
    // ssh shows a local forward to a socket a second time, as one without target.
    let to_sockets: Vec<String> = lines(&ours, "localforward").iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    if let Some(dynamic) = theirs.get_mut("dynamicforward") {
        dynamic.retain(|line| !to_sockets.contains(line));
    }
    // Debian lets batch mode set this one.
    let debian = lines(&ours, "batchmode") == ["yes"];
    let mut out = String::new();
    for keyword in COMPARED.iter().filter(|keyword| !(debian && **keyword == "serveraliveinterval")) {
        let (theirs, ours) = (lines(&theirs, keyword), lines(&ours, keyword));
        if theirs != ours {
            writeln!(out, "{keyword}: ssh has {theirs:?}, we have {ours:?}").unwrap();
        }
    }
    for keyword in ALGORITHMS {
        let (theirs, ours) = (lines(&theirs, keyword), lines(&ours, keyword));
        if ours.first().is_some_and(|list| !list.starts_with(['+', '-', '^'])) && theirs != ours {
            writeln!(out, "{keyword}: ssh has {theirs:?}, we have {ours:?}").unwrap();
        }
    }
    out
}

#[test]
fn chosen_configurations_resolve_as_ssh_resolves_them() {
    let mut wrong = String::new();
    for (number, (text, name)) in (1..).zip(cases::CASES) {
        let desk = Desk::new();
        cases::FILES.iter().for_each(|(name, text)| desk.write(name, text));
        fs::set_permissions(desk.folder.path().join(".ssh/open.conf"), Permissions::from_mode(0o666)).unwrap();
        std::os::unix::fs::symlink("nowhere", desk.folder.path().join(".ssh/dangling.conf")).unwrap();
        desk.write("config", text);
        let asked = Asked { allow_exec: true, ..Asked::default() };
        let found = desk.differences(name, &asked);
        if !found.is_empty() {
            writeln!(wrong, "case {number}, `{name}` in\n{text}\n{found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_is_asked_for_wins_as_with_ssh() {
    let desk = Desk::new();
    desk.write("config", "Match user ann\nPort 5\nHostName %h.x\nHost *\nUser bob\nPort 6\nUserKnownHostsFile %r-%p\n");
    for (user, port) in
        [(None, None), (Some("ann"), None), (Some("eve"), Some(7)), (Some("ann"), Some(7)), (Some("a;b"), None), (Some("-a"), None)]
    {
        let asked = Asked { user: user.map(str::to_owned), port, allow_exec: true, tag: None };
        assert_eq!(desk.differences("web1", &asked), "", "{asked:?}");
    }
    for name in ["-a", "a b", "a;b", "a$b", "A..b", "a/b", "2001:DB8::0", "010.1", "a%b", "[::1]"] {
        assert_eq!(desk.differences(name, &Asked::default()), "", "{name}");
    }
}

#[test]
fn random_configurations_resolve_as_ssh_resolves_them() {
    let mut wrong = String::new();
    let mut answered = 0;
    for seed in 1..=150 {
        let desk = Desk::new();
        let files = random::files(seed);
        files.iter().for_each(|(name, text)| desk.write(name, text));
        for name in random::NAMES {
            answered += usize::from(desk.is_answered(name));
            let found = desk.differences(name, &Asked { allow_exec: true, ..Asked::default() });
            if !found.is_empty() {
                let texts: Vec<String> = files.iter().map(|(name, text)| format!("--- {name}\n{text}")).collect();
                writeln!(wrong, "seed {seed}: `{name}` in\n{}\n{found}", texts.concat()).unwrap();
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(answered > 150, "ssh refuses all but {answered}: the files test little");
}

#[test]
fn random_arguments_are_read_as_ssh_reads_them() {
    let desk = Desk::new();
    let mut wrong = String::new();
    for seed in 1..=300 {
        let text = random::junk(seed);
        desk.write("config", &text);
        let found = desk.differences("web1", &Asked::default());
        if !found.is_empty() {
            writeln!(wrong, "seed {seed}: {text:?}\n{found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Where the user has a file of his own, which is nobody's business, the machine's is read in its place.
#[test]
fn the_file_of_this_machine_resolves_as_ssh_resolves_it() {
    let who = Local::of_this_process().unwrap();
    let usual = Files::usual(&who.home);
    let mut ssh = Command::new("ssh");
    let files = if usual.user.as_deref().is_some_and(Path::exists) {
        let machines = usual.system.filter(|file| file.exists());
        ssh.arg("-F").arg(machines.as_deref().unwrap_or_else(|| Path::new("none")));
        Files { user: machines, system: None }
    } else {
        usual
    };
    let resolved = SshConfig::load(&files, &who).unwrap().resolve("web1", &Asked::default()).unwrap();
    let output = ssh.args(["-G", "web1"]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    let found = differences(answer(&String::from_utf8(output.stdout).unwrap()), answer(&dump(&resolved)));
    assert_eq!(found, "");
}

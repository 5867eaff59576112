//! Tests of the whole: files in, answers out.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A home folder with a configuration of the user's and one of the machine's.
struct Desk {
    folder: tempfile::TempDir,
    who: Local,
}

impl Desk {
    fn new(user: &str, system: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Self { who: Local { home: folder.path().join("home"), ..Local::for_tests() }, folder };
        desk.write("home/.ssh/config", user);
        desk.write("etc/ssh_config", system);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.set(name, 0o600);
    }

    fn set(&self, name: &str, mode: u32) {
        fs::set_permissions(self.folder.path().join(name), Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self) -> Result<SshConfig, LoadError> {
        let path = |name| Some(self.folder.path().join(name));
        SshConfig::load(&Files { user: path("home/.ssh/config"), system: path("etc/ssh_config") }, &self.who)
    }

    fn resolve(&self, name: &str, asked: &Asked) -> Result<Resolved, ResolveError> {
        self.load().unwrap().resolve(name, asked)
    }

    /// The text with `@` in the place of this folder.
    fn short(&self, text: &impl ToString) -> String {
        text.to_string().replace(self.folder.path().to_str().unwrap(), "@")
    }
}

fn resolved(user: &str) -> Resolved {
    Desk::new(user, "").resolve("web1", &Asked::default()).unwrap()
}

#[test]
fn nothing_written_gives_what_openssh_does_without_files() {
    let desk = Desk::new("", "");
    fs::remove_file(desk.folder.path().join("etc/ssh_config")).unwrap();
    let found = desk.resolve("web1", &Asked::default()).unwrap();
    assert_eq!((found.host.as_str(), found.port, found.user.as_str()), ("web1", 22, "ann"));
    assert_eq!((&found.way, &found.identity_agent), (&Way::Direct, &IdentityAgent::FromEnvironment));
    assert_eq!((found.connect_timeout, found.server_alive_interval), (None, None));
    assert!(!found.identity_files_named && found.identity_files[0].ends_with("home/.ssh/id_rsa"));
    assert!(found.user_known_hosts[0].ends_with("home/.ssh/known_hosts"));
    assert!(found.origins.is_empty() && found.warnings.is_empty());
}

#[test]
fn the_users_file_comes_before_the_machines_and_each_includes_from_its_own_folder() {
    let desk = Desk::new(
        "Include mine\nHost web1\nUser bob\nIdentityFile ~/.ssh/k\n",
        "Include *.d/x\nUser late\nPort 23\nIdentityFile ~/.ssh/k\n",
    );
    desk.write("home/.ssh/mine", "HostName %h.lan\n");
    desk.write("etc/conf.d/x", "Host web1.lan\nPort 24\nHost web1\nConnectTimeout 5\n");
    let found = desk.resolve("web1", &Asked::default()).unwrap();
    assert_eq!((found.host.as_str(), found.port, found.user.as_str()), ("web1.lan", 23, "bob"));
    // The same path from another file is another identity, as in OpenSSH.
    assert_eq!(found.identity_files.len(), 2);
    let places: Vec<String> = found.origins.iter().map(|origin| format!("{} {}", origin.keyword, desk.short(&origin.place))).collect();
    let expected = [
        "hostname @/home/.ssh/mine:1",
        "user @/home/.ssh/config:3",
        "identityfile @/home/.ssh/config:4",
        "connecttimeout @/etc/conf.d/x:4",
        "port @/etc/ssh_config:3",
        "identityfile @/etc/ssh_config:4",
    ];
    assert_eq!(places, expected);
    assert_eq!(found.origins_of("identityfile").count(), 2);
    // `~` belongs to users.
    desk.write("etc/ssh_config", "Include ~/x\n");
    let error = desk.short(&desk.load().unwrap_err());
    assert_eq!(error, "@/etc/ssh_config:1: include: `~/x` has no meaning in a file of the machine; write the whole path");
}

#[test]
fn names_come_in_order_once_each_and_without_patterns() {
    let desk = Desk::new("Host web1 web2 *.lan !no\nMatch host x\nInclude more\nHost web1 \"db 1\" db\n", "Host gate *\n");
    desk.write("home/.ssh/more", "Host inner\n");
    assert_eq!(desk.load().unwrap().names(), ["web1", "web2", "inner", "db", "gate"]);
}

#[test]
fn a_file_that_others_may_write_is_refused_with_the_way_out() {
    let desk = Desk::new("Include more\n", "");
    desk.write("home/.ssh/more", "");
    assert!(desk.load().is_ok());
    // The machine's file is root's business.
    desk.set("etc/ssh_config", 0o666);
    assert!(desk.load().is_ok());
    for name in ["home/.ssh/more", "home/.ssh/config"] {
        for mode in [0o620, 0o602] {
            desk.set(name, mode);
            let error = desk.short(&desk.load().unwrap_err());
            let expected = format!(
                "other users may write `@/{name}` (mode {mode:03o}), and so decide what is done in your name; ssh refuses it too; \
                 run `chmod go-w '@/{name}'`"
            );
            assert_eq!(error, expected);
        }
        desk.set(name, 0o644);
    }
    let desk = Desk { who: Local { uid: desk.who.uid + 1, ..desk.who.clone() }, ..desk };
    let foreign = desk.load();
    // Files of root are everybody's.
    assert!(foreign.is_ok() == (desk.who.uid == 1), "{foreign:?}");
}

#[test]
fn wrong_lines_are_told_all_at_once_with_their_places() {
    let desk = Desk::new("Host other\nPort x\n\nIdentitiFile y\nMatch colour red\n", "User a b\n");
    let expected = "\
        @/home/.ssh/config:2: port: `x` is not a port from 1 to 65535\n\
        @/home/.ssh/config:5: match: `colour` is not a criterion: `all`, `canonical`, `final`, `host`, `originalhost`, `user`, `localuser`, \
        `tagged`, `localnetwork` or `exec`\n\
        @/etc/ssh_config:1: user: `b` is one argument too many; put quotes around a value with blanks\n\
        @/home/.ssh/config:4: the keyword `identitifile` is not known; did you mean `identityfile`?; to go on without it, write \
        `IgnoreUnknown identitifile` before it";
    assert_eq!(desk.short(&desk.load().unwrap_err()), expected);
}

#[test]
fn an_unknown_keyword_is_ignored_only_where_the_line_that_says_so_applies() {
    let desk = Desk::new("Host web1\nIgnoreUnknown Use*\nHost *\nUseMagic yes\n", "");
    assert!(desk.resolve("web1", &Asked::default()).is_ok());
    let error = desk.short(&desk.resolve("db", &Asked::default()).unwrap_err());
    assert!(error.starts_with("@/home/.ssh/config:4: the keyword `usemagic` is not known"), "{error}");
}

#[test]
fn commands_run_only_when_the_caller_allows_it() {
    let desk = Desk::new("Match host other exec \"exit 3\"\nMatch exec \"test %h = web1\"\nPort 1\nMatch !exec true\nPort 2\n", "");
    let asked = |allow_exec| Asked { allow_exec, ..Asked::default() };
    let (run, not_run) = (desk.resolve("web1", &asked(true)).unwrap(), desk.resolve("web1", &asked(false)).unwrap());
    assert_eq!((run.port, run.warnings.len()), (1, 0));
    // A criterion that cannot be looked at is not met, and neither is its opposite.
    assert_eq!((not_run.port, not_run.warnings.len()), (22, 2));
    let expected = "@/home/.ssh/config:2: `Match exec` is not run here, so the block does not apply: test %h = web1";
    assert_eq!(desk.short(&not_run.warnings[0]), expected);
}

#[test]
fn what_later_releases_know_is_known() {
    let desk = Desk::new(
        "Match tagged \"work,!play\"\nPort 1\nMatch host home\nTag work\nMatch tagged work\nUser w\n\
         Match localnetwork 10.0.0.0/8\nPort 2\nMatch host bad\nRefuseConnection \"go away\"\nMatch all\nObscureKeystrokeTiming no\n",
        "",
    );
    let tagged = desk.resolve("web1", &Asked { tag: Some("work".to_owned()), ..Asked::default() }).unwrap();
    assert_eq!((tagged.port, tagged.user.as_str(), tagged.tag.as_deref()), (1, "w", Some("work")));
    let home = desk.resolve("home", &Asked::default()).unwrap();
    assert_eq!((home.port, home.user.as_str(), home.warnings.len()), (22, "w", 1));
    let error = desk.short(&desk.resolve("bad", &Asked::default()).unwrap_err());
    assert_eq!(error, "@/home/.ssh/config:10: the configuration refuses this connection: go away");
}

#[test]
fn the_way_has_its_tokens_replaced() {
    assert_eq!(
        resolved("HostName h\nPort 5\nUser u\nProxyCommand nc %h %p # %r %n %%\n").way,
        Way::Command("nc h 5 # u web1 %".to_owned())
    );
    let host = |user: Option<&str>, host: &str, port| JumpHost { user: user.map(str::to_owned), host: host.to_owned(), port };
    let expected = vec![host(None, "first", None), host(Some("u"), "web1.gate", Some(2200))];
    assert_eq!(resolved("ProxyJump first,u@%n.gate:2200\n").way, Way::Jump(expected));
    assert_eq!(resolved("ProxyJump none # really\n").way, Way::Direct);
    let error = Desk::new("ProxyCommand x %u\n", "").resolve("web1", &Asked::default()).unwrap_err().to_string();
    assert_eq!(error, "proxycommand: `%u` in `x %u` is not a token here; known are %% %h %k %n %p %r");
    let error = Desk::new("ProxyJump gate\nUser u\n", "").resolve("gate", &Asked::default()).unwrap_err();
    assert_eq!(error, ResolveError::Loop { host: "gate".to_owned() });
}

#[test]
fn paths_have_tokens_variables_and_homes_replaced() {
    let found = resolved("IdentityFile ~/%r@%h-${SOCK}\nIdentityFile none\nCertificateFile ~ann/c\n");
    assert!(found.identity_files[0].ends_with("home/ann@web1-/run/agent") && found.identity_files.len() == 1);
    assert!(found.certificate_files[0].ends_with("home/c") && found.identity_files_named);
    let agent = |text: &str| resolved(&format!("IdentityAgent {text}\n")).identity_agent;
    assert_eq!(agent("none"), IdentityAgent::None);
    assert_eq!(agent("SSH_AUTH_SOCK"), IdentityAgent::FromEnvironment);
    assert_eq!(agent("$SOCK"), IdentityAgent::Socket("/run/agent".into()));
    assert_eq!(agent("$NOPE"), IdentityAgent::None);
    assert_eq!(agent("${SOCK}/x"), IdentityAgent::Socket("/run/agent/x".into()));
    assert_eq!(resolved("ForwardAgent no\nForwardAgent /a\n").forward_agent, ForwardAgent::No);
    assert_eq!(resolved("ForwardAgent $SOCK\n").forward_agent, ForwardAgent::Socket("/run/agent".into()));
    assert_eq!(resolved("UserKnownHostsFile none\nGlobalKnownHostsFile none\n").user_known_hosts, Vec::<PathBuf>::new());
    assert!(resolved("RevokedHostKeys ~/%h\n").revoked_host_keys.unwrap().ends_with("home/web1"));
}

#[test]
fn a_name_that_the_dns_would_complete_is_kept_with_a_warning() {
    let found = resolved("CanonicalizeHostname yes\nCanonicalDomains example.com\nMatch canonical\nPort 7\n");
    assert_eq!((found.host.as_str(), found.port), ("web1", 7));
    assert_eq!(found.warnings, ["`CanonicalizeHostname` would look `web1` up in the DNS (example.com); the name is kept as it is"]);
}

#[test]
fn bounds_are_errors_that_name_the_file() {
    let desk = Desk::new("Include config\n", "");
    assert_eq!(
        desk.short(&desk.load().unwrap_err()),
        "@/home/.ssh/config:1: files are included more than 16 deep; a file may include itself"
    );
    desk.write("home/.ssh/config", "Include many many many many many many many many\n");
    desk.write("home/.ssh/many", "Include more more more more more more more more more more more more\n");
    desk.write("home/.ssh/more", "Include last last last last last last last last last last last last\n");
    desk.write("home/.ssh/last", "");
    assert!(matches!(desk.load(), Err(LoadError::TooMany { .. })));
    desk.write("home/.ssh/config", &"#\n".repeat(3 << 20));
    assert!(matches!(desk.load(), Err(LoadError::TooLarge { .. })));
    desk.write("home/.ssh/config", &format!("User {}\n", "x".repeat(1 << 17)));
    assert!(desk.load().unwrap_err().to_string().ends_with(":1: the line has more than 65536 bytes"));
    desk.write("home/.ssh/config", "Include a b c d e\n");
    for name in ["a", "b", "c", "d", "e"] {
        desk.write(&format!("home/.ssh/{name}"), &"#\n".repeat((1 << 21) - 9));
    }
    assert!(matches!(desk.load(), Err(LoadError::TooMuch { .. })));
}

#[test]
fn a_line_that_is_not_utf8_is_told() {
    let desk = Desk::new("", "");
    fs::write(desk.folder.path().join("home/.ssh/config"), b"# \xff\nUser \xff\nPort 5\n").unwrap();
    let config = desk.load().unwrap();
    assert_eq!(config.warnings().len(), 1);
    assert!(config.warnings()[0].contains("config:2: the line is not UTF-8"));
    assert_eq!(config.resolve("web1", &Asked::default()).unwrap().port, 5);
}

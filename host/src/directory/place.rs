//! Where a device is and how one gets there, as its table and the OpenSSH client configuration say together. What the table says wins.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::OpenError;
use crate::config::{Agent, Algorithms, Config, Device, Proxy, SshNames, Wire, header};
use crate::secret::given;
use crate::ssh_config::{AddressFamily, Asked, IdentityAgent, JumpHost, Resolved, UpdateHostKeys, Way};
use crate::transport::host_key::Learning;
use crate::transport::route::Dialing;
use crate::transport::ssh::{KeyFile, Manner, Method, Offer};

mod unheeded;

/// Who is to be reached: a device, or a jump host on the way that need not be one.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) name: String,
    /// The account and port that the way names, where it does.
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
}

impl Hop {
    pub(super) fn device(name: &str) -> Self {
        Self { name: name.to_owned(), user: None, port: None }
    }

    /// As the way to another one names it.
    pub(super) fn jump(host: &JumpHost) -> Self {
        Self { name: host.host.clone(), user: host.user.clone(), port: host.port }
    }
}

/// Where a device is and how one gets there.
#[derive(Debug, Clone)]
pub struct Place {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The account.
    pub user: String,
    /// The way.
    pub way: PlaceWay,
    /// Key files in the order to try.
    pub keys: Vec<KeyFile>,
    /// Certificates that do not lie beside their keys.
    pub certificates: Vec<PathBuf>,
    /// Only these keys are offered, also of an agent's.
    pub named_keys_only: bool,
    /// Sockets of agents.
    pub agents: Vec<PathBuf>,
    /// Files with host keys.
    pub known_hosts: Vec<PathBuf>,
    /// Which of them are the user's own, and what is written there.
    pub learning: Learning,
    /// A file of keys that no host may have.
    pub revoked: Option<PathBuf>,
    /// The name that the host key is recorded under, where it is another.
    pub host_key_alias: Option<String>,
    /// Time between keepalives.
    pub keepalive: Option<Duration>,
    /// Which algorithms are offered.
    pub offer: Offer,
    /// What else the OpenSSH configuration wants of the connection.
    pub manner: Manner,
    /// Lines of the OpenSSH configuration that said something, by their keyword.
    pub origins: Vec<(&'static str, String)>,
    /// Those that are not heeded, likewise.
    pub unheeded: Vec<(&'static str, String)>,
    /// What somebody should know of them.
    pub warnings: Vec<String>,
}

/// The way to a device.
#[derive(Debug, Clone)]
pub enum PlaceWay {
    /// A connection of our own.
    Direct,
    /// Through a proxy, a program or a socket.
    Proxy(Proxy),
    /// Through a program of the user's shell.
    Shell(String),
    /// Through these, the nearest first.
    Jumps(Vec<JumpHost>),
    /// One that the OpenSSH configuration names and that is not known here; why.
    Closed(String),
}

impl std::fmt::Display for PlaceWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Direct => f.write_str("straight"),
            Self::Proxy(proxy) => write!(f, "by {proxy}"),
            Self::Shell(command) => write!(f, "by `{command}`"),
            Self::Jumps(jumps) => {
                let jumps: Vec<String> = jumps.iter().map(jump).collect();
                write!(f, "through {}", jumps.join(", then "))
            }
            Self::Closed(why) => write!(f, "closed: {why}"),
        }
    }
}

impl PlaceWay {
    /// Who or what stands between; `None` where nothing does.
    #[must_use]
    pub fn via(&self) -> Option<String> {
        match self {
            Self::Direct => None,
            Self::Jumps(jumps) => Some(jumps.iter().map(jump).collect::<Vec<_>>().join(", ")),
            other => Some(other.to_string()),
        }
    }

    /// The hosts that it goes over, the nearest first.
    pub(super) fn jumps(&self) -> Option<&[JumpHost]> {
        match self {
            Self::Jumps(jumps) => Some(jumps),
            _ => None,
        }
    }
}

fn jump(host: &JumpHost) -> String {
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = host.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", host.host)
}

/// May commands of `Match exec` run to find it out?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exec {
    /// As far as the operator allows it.
    Allowed,
    /// No: somebody only wants a list.
    Never,
}

impl Place {
    /// Puts both together.
    ///
    /// # Errors
    ///
    /// When the OpenSSH configuration cannot be used and is needed.
    pub(super) fn of(config: &Config, device: &Device, hop: &Hop, exec: Exec) -> Result<Self, OpenError> {
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let looked = look_up(config, device, hop, exec)?;
        let user = |user: Option<&String>| {
            let own = || std::env::var("USER").ok().filter(|user| !user.is_empty());
            hop.user.clone().or_else(|| user.cloned()).or_else(own).unwrap_or_else(|| "root".to_owned())
        };
        let mut place = Self {
            host: device.host_or(&hop.name).to_owned(),
            port: hop.port.unwrap_or_else(|| device.port_or_default()),
            user: user(device.user.as_ref()),
            way: PlaceWay::Direct,
            keys: usual_keys(home.as_deref()),
            certificates: Vec::new(),
            named_keys_only: false,
            agents: agents(&device.agent),
            known_hosts: usual_known_hosts(home.as_deref()),
            learning: Learning { files: own_known_hosts(home.as_deref()), hashed: false, by_itself: true },
            revoked: None,
            host_key_alias: None,
            keepalive: None,
            offer: Offer::default(),
            manner: Manner::default(),
            origins: Vec::new(),
            unheeded: Vec::new(),
            warnings: Vec::new(),
        };
        if let Some(looked) = looked {
            place.take(&looked, device);
            if device.user.is_none() {
                place.user = looked.user;
            }
        }
        place.over(device);
        Ok(place)
    }

    /// What the OpenSSH configuration says.
    fn take(&mut self, looked: &Resolved, device: &Device) {
        self.host.clone_from(&looked.host);
        // What the way or the table names was asked with: it is in there.
        self.port = looked.port;
        let optional = !looked.identity_files_named;
        let key = |path: &PathBuf| KeyFile { path: path.clone(), optional };
        match (&looked.identity_agent, &device.agent) {
            (IdentityAgent::None, Agent::Environment) => self.agents.clear(),
            (IdentityAgent::Socket(path), Agent::Environment) => self.agents = vec![path.clone()],
            _ => {}
        }
        let has_agent = !self.agents.is_empty();
        // Where only the public half is there, an agent may have the key.
        let is_there = |key: &KeyFile| key.path.is_file() || has_agent && key.public_half().is_file();
        // ssh passes over a named file that is not there, too.
        self.keys = looked.identity_files.iter().map(key).filter(is_there).collect();
        self.certificates.clone_from(&looked.certificate_files);
        self.named_keys_only = looked.identities_only;
        self.known_hosts = looked.user_known_hosts.iter().chain(&looked.global_known_hosts).cloned().collect();
        self.learning = Learning {
            files: looked.user_known_hosts.clone(),
            hashed: looked.hash_known_hosts,
            // What is to be asked is left to `jackfield hostkey update`.
            by_itself: looked.update_host_keys == UpdateHostKeys::Yes,
        };
        self.revoked.clone_from(&looked.revoked_host_keys);
        self.host_key_alias.clone_from(&looked.host_key_alias);
        self.keepalive = looked.server_alive_interval;
        self.offer = Offer {
            legacy: false,
            kex: looked.kex_algorithms.clone(),
            host_keys: looked.host_key_algorithms.clone(),
            ciphers: looked.ciphers.clone(),
            macs: looked.macs.clone(),
            signatures: looked.pubkey_accepted_algorithms.clone(),
            authorities: looked.ca_signature_algorithms.clone(),
            rsa_bits: looked.required_rsa_size,
        };
        self.manner = manner(looked, device);
        self.way = match (&looked.way, unheeded::closed(looked)) {
            (_, Some(why)) => PlaceWay::Closed(why),
            (Way::Direct, None) => PlaceWay::Direct,
            (Way::Jump(jumps), None) => PlaceWay::Jumps(jumps.clone()),
            (Way::Command(command), None) => PlaceWay::Shell(command.clone()),
        };
        self.origins = looked.origins.iter().map(|origin| (origin.keyword, origin.place.to_string())).collect();
        self.unheeded = unheeded::lines(looked);
        self.warnings = unheeded::warnings(looked);
    }

    /// What the device's table says.
    fn over(&mut self, device: &Device) {
        if let Some(path) = &device.key {
            self.keys = vec![KeyFile { path: path.clone(), optional: false }];
            self.certificates.clear();
        }
        if let Some(path) = &device.certificate {
            self.certificates = vec![path.clone()];
        }
        if !device.known_hosts.is_empty() {
            self.known_hosts.clone_from(&device.known_hosts);
            self.learning.files.clone_from(&device.known_hosts);
            self.learning.by_itself = false;
        }
        if let Some(by_itself) = device.update_host_keys {
            self.learning.by_itself = by_itself;
        }
        if let Some(delay) = &device.keepalive {
            self.keepalive = Some(delay.duration().unwrap_or(Duration::MAX / 4));
        }
        self.offer.legacy = device.algorithms == Algorithms::Legacy;
        match (&device.via, &device.proxy) {
            (Some(via), _) => self.way = PlaceWay::Jumps(vec![JumpHost { user: None, host: via.clone(), port: None }]),
            (None, Some(proxy)) => self.way = PlaceWay::Proxy(proxy.clone()),
            (None, None) => {}
        }
    }

    /// The address of a device for a list, which no command is run for: as the OpenSSH configuration says where the table does not.
    #[must_use]
    pub fn listed_address(config: &Config, name: &str, device: &Device) -> String {
        match Self::of(config, device, &Hop::device(name), Exec::Never) {
            Ok(place) if !device.local && !matches!(device.line, Wire::Serial(_)) => place.address(),
            _ => device.address(name),
        }
    }

    /// The address as lists show it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// What the OpenSSH configuration says of a device that has no `host` of its own.
fn look_up(config: &Config, device: &Device, hop: &Hop, exec: Exec) -> Result<Option<Resolved>, OpenError> {
    if device.host.is_some() || device.local || device.line != Wire::Ssh {
        return Ok(None);
    }
    let files = match &config.ssh_names {
        SshNames::None => return Ok(None),
        SshNames::Broken(why) => {
            let name = &hop.name;
            return Err(OpenError::Failed(format!(
                "where `{name}` is stands in the ssh configuration, which cannot be used: {why}; mend it, or set `host` in {}",
                header("device", name)
            )));
        }
        SshNames::Read(files) => files,
    };
    let asked = Asked {
        user: hop.user.clone().or_else(|| device.user.clone()),
        port: hop.port.or_else(|| device.port.map(NonZeroU16::get)),
        tag: None,
        allow_exec: exec == Exec::Allowed && config.ssh.match_exec,
    };
    files.resolve(&hop.name, &asked).map(Some).map_err(|error| OpenError::Failed(format!("device `{}`: {error}", hop.name)))
}

/// What the OpenSSH configuration wants of the connection.
fn manner(looked: &Resolved, device: &Device) -> Manner {
    let variable = |word: &String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Manner {
        dialing: Dialing {
            family: Some(looked.address_family).filter(|family| *family != AddressFamily::Any),
            from: looked.bind_address.clone(),
            interface: looked.bind_interface.clone(),
            timeout: looked.connect_timeout.filter(|timeout| !timeout.is_zero()),
            further_tries: looked.connection_attempts.saturating_sub(1),
        },
        keepalives_missed: looked.origins_of("serveralivecountmax").next().map(|_| looked.server_alive_count_max),
        methods: methods(looked, device),
        // The type of a device says what its terminal is called.
        environment: looked.set_env.iter().filter_map(variable).filter(|(name, _)| name != "TERM").collect(),
    }
}

/// The ways to log in that the OpenSSH configuration leaves, in its order; what the table says to log in with stays one of them. `None`
/// where it leaves all as they are.
fn methods(looked: &Resolved, device: &Device) -> Option<Vec<Method>> {
    let usual = [Method::Keys, Method::Password, Method::Questions];
    let preferred = looked.preferred_authentications.as_deref();
    let listed: Vec<Method> = preferred.map_or_else(|| usual.to_vec(), |list| list.split(',').filter_map(Method::of).collect());
    let asks = !looked.batch_mode;
    let may = |method: &Method| match method {
        Method::Keys => looked.pubkey_authentication,
        Method::Password => looked.password_authentication && asks,
        Method::Questions => looked.kbd_interactive_authentication && asks,
    };
    let is_in_table = |method: &Method| match method {
        Method::Keys => device.key.is_some() || matches!(device.agent, Agent::Socket(_)),
        Method::Password => device.password.is_some(),
        Method::Questions => device.password.is_some() || !device.answers.is_empty(),
    };
    let mut methods: Vec<Method> = Vec::new();
    let left = listed.into_iter().filter(may);
    for method in left.chain(usual.into_iter().filter(is_in_table)) {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    (methods != usual).then_some(methods)
}

/// The keys that ssh tries by itself, if they are there.
fn usual_keys(home: Option<&Path>) -> Vec<KeyFile> {
    let names = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"];
    let usual = home.into_iter().flat_map(|home| names.map(|name| home.join(".ssh").join(name)));
    usual.filter(|path| path.is_file()).map(|path| KeyFile { path, optional: true }).collect()
}

/// The agent that the device names; else that of the environment, then those that desktops start without telling it.
fn agents(agent: &Agent) -> Vec<PathBuf> {
    match agent {
        Agent::Off => Vec::new(),
        Agent::Socket(path) => vec![path.clone()],
        Agent::Environment => {
            let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
            let run = variable("XDG_RUNTIME_DIR");
            let desktop = run.into_iter().flat_map(|run| ["keyring/ssh", "gcr/ssh", "gnupg/S.gpg-agent.ssh"].map(|name| run.join(name)));
            let vault = variable("HOME").map(|home| home.join(".1password/agent.sock"));
            let mut sockets: Vec<PathBuf> = Vec::new();
            let own = given::variable("SSH_AUTH_SOCK").map(PathBuf::from);
            for socket in own.into_iter().chain(desktop).chain(vault).filter(|path| path.exists()) {
                if !sockets.contains(&socket) {
                    sockets.push(socket);
                }
            }
            sockets
        }
    }
}

/// The files that ssh reads.
fn usual_known_hosts(home: Option<&Path>) -> Vec<PathBuf> {
    let all = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from);
    own_known_hosts(home).into_iter().chain(all).collect()
}

/// Those of them that are the user's.
fn own_known_hosts(home: Option<&Path>) -> Vec<PathBuf> {
    home.into_iter().flat_map(|home| ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_the_address_that_the_openssh_configuration_gives_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "Host far\n  HostName 192.0.2.1\n  Port 2200\n").unwrap();
        let table =
            "[device.near]\nhost = \"192.0.2.7\"\n[device.here]\nlocal = true\n[device.old]\nline = \"telnet\"\nhost = \"192.0.2.9\"\n";
        let mut config = Config::parse(table, Path::new("jackfield.toml"), None).unwrap();
        config.use_ssh_config(file);
        let address = |name: &str| Place::listed_address(&config, name, &config.devices[name]);
        assert_eq!(["far", "near", "here", "old"].map(address), ["192.0.2.1:2200", "192.0.2.7:22", "local", "192.0.2.9:23"]);
    }

    #[test]
    fn what_the_openssh_configuration_wants_of_a_connection_is_kept_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let place = |lines: &str, table: &str| {
            std::fs::write(&file, format!("Host far\n{lines}")).unwrap();
            let mut config = Config::parse(&format!("[device.far]\n{table}"), Path::new("jackfield.toml"), None).unwrap();
            config.use_ssh_config(file.clone());
            Place::of(&config, &config.devices["far"], &Hop::device("far"), Exec::Never).unwrap()
        };
        assert_eq!(place("Port 22\nConnectTimeout 0\nServerAliveInterval 7\n", "").manner, Manner::default());
        let lines = "AddressFamily inet6\nBindAddress ::1\nConnectTimeout 5\nConnectionAttempts 4\nServerAliveCountMax 9\n\
                     SetEnv TERM=vt100 LANG=C \"A=b c=d\"\n";
        let manner = place(lines, "").manner;
        let (timeout, from) = (Some(Duration::from_secs(5)), Some("::1".to_owned()));
        let dialing = Dialing { family: Some(AddressFamily::Inet6), from, interface: None, timeout, further_tries: 3 };
        let environment = [("LANG", "C"), ("A", "b c=d")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(manner, Manner { dialing, keepalives_missed: Some(9), methods: None, environment });
        let offer = place("RequiredRSASize 3072\nCASignatureAlgorithms ssh-ed25519\n", "").offer;
        assert_eq!((offer.rsa_bits, offer.authorities.as_deref()), (Some(3072), Some("ssh-ed25519")));
        let (keys, password, questions) = (Method::Keys, Method::Password, Method::Questions);
        let secret = "password = { env = \"X\" }";
        for (lines, table, expected) in [
            ("PubkeyAuthentication no\n", "", vec![password, questions]),
            ("PubkeyAuthentication no\n", "key = \"k\"", vec![password, questions, keys]),
            ("KbdInteractiveAuthentication no\n", "", vec![keys, password]),
            ("PasswordAuthentication no\n", "", vec![keys, questions]),
            ("PasswordAuthentication no\n", secret, vec![keys, questions, password]),
            ("PreferredAuthentications keyboard-interactive,gssapi-with-mic,publickey\n", "", vec![questions, keys]),
            ("PreferredAuthentications publickey\n", "", vec![keys]),
            ("PreferredAuthentications publickey\n", secret, vec![keys, password, questions]),
            ("BatchMode yes\n", "", vec![keys]),
            ("PreferredAuthentications publickey,password,keyboard-interactive\n", "", Vec::new()),
        ] {
            let expected = Some(expected).filter(|methods| !methods.is_empty() && *methods != [keys, password, questions]);
            assert_eq!(place(lines, table).manner.methods, expected, "{lines}{table}");
        }
    }

    #[test]
    fn what_is_not_heeded_of_the_openssh_configuration_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let place = |lines: &str, table: &str| {
            std::fs::write(&file, format!("Host far\n{lines}")).unwrap();
            let mut config = Config::parse(&format!("[device.far]\n{table}"), Path::new("jackfield.toml"), None).unwrap();
            config.use_ssh_config(file.clone());
            Place::of(&config, &config.devices["far"], &Hop::device("far"), Exec::Never).unwrap()
        };
        let lines = "CheckHostIP yes\nRemoteCommand tmux\nLocalForward 8080 a:80\nMatch final exec true\nUser x\n";
        let far = place(lines, "");
        let told = |line: usize| far.warnings.iter().filter(|text| text.starts_with(&format!("{}:{line}: ", file.display()))).count();
        assert_eq!(([2, 3, 5].map(told), far.warnings.len()), ([1, 1, 1], 3), "{:?}", far.warnings);
        assert_eq!(far.unheeded, [("localforward", format!("{}:4", file.display()))]);
        for (lines, table, closed) in [
            ("ProxyCommand nc -F %h %p\nProxyUseFdpass yes\n", "", true),
            ("ProxyCommand -\n", "", true),
            ("ProxyCommand nc %h %p\n", "", false),
            ("ProxyCommand nc -F %h %p\nProxyUseFdpass yes\n", "via = \"far2\"\n[device.far2]\nhost = \"b\"", false),
        ] {
            let way = place(lines, table).way;
            assert_eq!(matches!(way, PlaceWay::Closed(_)), closed, "{lines}: {way}");
        }
    }

    #[test]
    fn the_port_that_a_way_names_wins_over_the_jump_hosts_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "Host far\n  ProxyJump bastion:22\nHost bastion\n  HostName 192.0.2.1\n  Port 2200\n").unwrap();
        let place = |table: &str, port: Option<u16>| {
            let mut config = Config::parse(table, Path::new("jackfield.toml"), None).unwrap();
            config.use_ssh_config(file.clone());
            let hop = Hop { port, ..Hop::device("bastion") };
            Place::of(&config, &config.devices["bastion"], &hop, Exec::Never).unwrap().address()
        };
        for table in ["", "[device.bastion]\nport = 2222\n", "[device.bastion]\nhost = \"192.0.2.1\"\nport = 2222\n"] {
            assert_eq!(place(table, Some(22)), "192.0.2.1:22", "{table}");
        }
        assert_eq!(place("", None), "192.0.2.1:2200");
        assert_eq!(place("[device.bastion]\nport = 2222\n", None), "192.0.2.1:2222");
    }
}

//! What the configuration says about one name.

use std::path::PathBuf;
use std::time::Duration;

use super::Place;
use super::forward::Forward;
use super::jump::JumpHost;

/// All that the configuration says about the way to one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The name or address to connect to.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who logs in.
    pub user: String,
    /// Files of private keys, in the order in which they are tried; a file need not exist.
    pub identity_files: Vec<PathBuf>,
    /// Does the configuration name them? Else they are those that OpenSSH looks for.
    pub identity_files_named: bool,
    /// Files of certificates.
    pub certificate_files: Vec<PathBuf>,
    /// Is nothing from the agent tried that is not among the files?
    pub identities_only: bool,
    /// Which agent is asked.
    pub identity_agent: IdentityAgent,
    /// How the connection gets there.
    pub way: Way,
    /// Does the command of [`Way::Command`] hand a connected socket over instead of passing bytes on?
    pub proxy_use_fdpass: bool,
    /// The user's files of host keys.
    pub user_known_hosts: Vec<PathBuf>,
    /// The machine's files of host keys.
    pub global_known_hosts: Vec<PathBuf>,
    /// A command that prints host keys, as it is written.
    pub known_hosts_command: Option<String>,
    /// The name under which the host's key is looked up, in lower case.
    pub host_key_alias: Option<String>,
    /// Is the key looked up by the address, too?
    pub check_host_ip: bool,
    /// Are names written to files of host keys as digests?
    pub hash_known_hosts: bool,
    /// What becomes of a host whose key is not known.
    pub strict_host_key_checking: StrictHostKeyChecking,
    /// Are further keys of a known host written down?
    pub update_host_keys: UpdateHostKeys,
    /// The file of keys that no host may have. Without it nothing may be connected to.
    pub revoked_host_keys: Option<PathBuf>,
    /// Is no key asked of this machine itself?
    pub no_host_authentication_for_localhost: bool,
    /// How long connecting may take; nothing leaves it to the system.
    pub connect_timeout: Option<Duration>,
    /// How often connecting is tried, once at least.
    pub connection_attempts: u32,
    /// After how long a silence the server is asked for a sign of life.
    pub server_alive_interval: Option<Duration>,
    /// How many such questions may go unanswered.
    pub server_alive_count_max: u32,
    /// Does the kernel look whether the connection lives?
    pub tcp_keep_alive: bool,
    /// Which agent the host may use.
    pub forward_agent: ForwardAgent,
    /// Ways to log in, best first, as written.
    pub preferred_authentications: Option<String>,
    /// May keys be tried?
    pub pubkey_authentication: bool,
    /// May passwords be tried?
    pub password_authentication: bool,
    /// May the server ask questions?
    pub kbd_interactive_authentication: bool,
    /// May nobody be asked for anything?
    pub batch_mode: bool,
    /// Algorithms of host keys, as written: a list that begins with `+`, `-` or `^` changes the default.
    pub host_key_algorithms: Option<String>,
    /// Likewise for the exchange of keys.
    pub kex_algorithms: Option<String>,
    /// Likewise for ciphers.
    pub ciphers: Option<String>,
    /// Likewise for codes of authentication.
    pub macs: Option<String>,
    /// Likewise for the user's keys.
    pub pubkey_accepted_algorithms: Option<String>,
    /// Likewise for signatures of certificates.
    pub ca_signature_algorithms: Option<String>,
    /// The bits that an RSA key must have at least, where a line says so.
    pub required_rsa_size: Option<u32>,
    /// Are the bytes compressed?
    pub compression: bool,
    /// Which addresses of the host may be used.
    pub address_family: AddressFamily,
    /// The address to connect from.
    pub bind_address: Option<String>,
    /// The interface to connect from.
    pub bind_interface: Option<String>,
    /// Forwards from here; those of [`Target::Asked`](super::Target::Asked) are `DynamicForward`.
    pub local_forwards: Vec<Forward>,
    /// Forwards from there.
    pub remote_forwards: Vec<Forward>,
    /// Does a forward that cannot be had end the connection?
    pub exit_on_forward_failure: bool,
    /// May others use the forwards from here?
    pub gateway_ports: bool,
    /// The command to run instead of a shell, its tokens replaced.
    pub remote_command: Option<String>,
    /// Is a terminal asked for?
    pub request_tty: RequestTty,
    /// Names, or patterns of names, of variables that go along.
    pub send_env: Vec<String>,
    /// Variables that go along, each with its value.
    pub set_env: Vec<String>,
    /// The tag that `Match tagged` looked at.
    pub tag: Option<String>,
    /// Which line set each value, in the order in which they did. What the caller asked for has no line.
    pub origins: Vec<Origin>,
    /// What a person should know about how this was found out.
    pub warnings: Vec<String>,
    pub(super) written: Written,
}

impl Resolved {
    /// The lines that set this keyword, in lower case; several where values add up.
    pub fn origins_of<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a Place> {
        self.origins.iter().filter(move |origin| origin.keyword == keyword).map(|origin| &origin.place)
    }
}

/// What `ssh -G` shows as it is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Written {
    pub(super) identity_files: Vec<String>,
    pub(super) certificate_files: Vec<String>,
    pub(super) identity_agent: Option<String>,
    pub(super) user_known_hosts: Vec<String>,
    pub(super) global_known_hosts: Vec<String>,
    pub(super) proxy_command: Option<String>,
    pub(super) proxy_jump: Option<String>,
    pub(super) forward_agent: Option<String>,
    pub(super) revoked_host_keys: Option<String>,
}

/// Which line set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The keyword in lower case, never an alias.
    pub keyword: &'static str,
    /// The line.
    pub place: Place,
}

/// How the connection gets to the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Straight.
    Direct,
    /// Through these hosts, the nearest first. Each is looked up in the configuration under its own name, with the user and port given
    /// here; only the first one's own way counts.
    Jump(Vec<JumpHost>),
    /// Through this command, its tokens replaced; ssh gives it to the user's shell behind `exec`. A command `-` means ssh's own input and
    /// output.
    Command(String),
}

/// Which agent is asked for identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityAgent {
    /// The one that `$SSH_AUTH_SOCK` names, if it is set.
    FromEnvironment,
    /// None.
    None,
    /// The one behind this socket.
    Socket(PathBuf),
}

/// Which agent the host may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardAgent {
    /// None.
    No,
    /// The one that this connection uses.
    Yes,
    /// The one behind this socket.
    Socket(PathBuf),
}

/// What becomes of a host whose key is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrictHostKeyChecking {
    /// Somebody is asked.
    Ask,
    /// It is refused.
    Yes,
    /// Its key is written down; a changed one is refused.
    AcceptNew,
    /// Whatever key it has is taken.
    No,
}

/// Are further keys of a known host written down?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateHostKeys {
    /// Yes.
    Yes,
    /// No.
    No,
    /// When somebody agrees.
    Ask,
}

/// Which addresses may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFamily {
    /// All.
    Any,
    /// Those of four bytes.
    Inet,
    /// Those of sixteen.
    Inet6,
}

/// Is a terminal asked for?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestTty {
    /// For a shell.
    Auto,
    /// Never.
    No,
    /// When there is one here.
    Yes,
    /// Always.
    Force,
}

//! The values that were set, and the defaults of those that were not.

use std::path::PathBuf;
use std::time::Duration;

use super::forward::{Forward, Listen, Target};
use super::jump::{Jump, JumpHost};
use super::options::{Named, Options};
use super::resolved::{
    AddressFamily, ForwardAgent, IdentityAgent, RequestTty, Resolved, StrictHostKeyChecking, UpdateHostKeys, Way, Written,
};
use super::run::Run;
use super::tokens::{self, CONNECTION, Facts, PROXY};
use super::{Local, ResolveError, facts};

/// The keys that OpenSSH looks for when none is named. Later releases leave some of them out.
pub(super) const IDENTITIES: [&str; 7] = [
    "~/.ssh/id_rsa",
    "~/.ssh/id_ecdsa",
    "~/.ssh/id_ecdsa_sk",
    "~/.ssh/id_ed25519",
    "~/.ssh/id_ed25519_sk",
    "~/.ssh/id_xmss",
    "~/.ssh/id_dsa",
];
const USER_KNOWN_HOSTS: [&str; 2] = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const GLOBAL_KNOWN_HOSTS: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
/// The variable that names the agent's socket.
const AGENT_VARIABLE: &str = "SSH_AUTH_SOCK";
/// Unanswered questions before the connection is given up.
const ALIVE_COUNT: u32 = 3;

/// Expands values, and names the keyword when that fails.
struct Expander<'a> {
    facts: Facts,
    who: &'a Local,
}

impl Expander<'_> {
    /// A path: `~`, tokens and variables.
    fn path(&self, keyword: &'static str, text: &str) -> Result<String, ResolveError> {
        let expanded = tokens::home(text, self.who).and_then(|path| self.with_variables(&path));
        expanded.map_err(|message| ResolveError::Value { keyword, message })
    }

    fn paths<'t>(&self, keyword: &'static str, texts: impl Iterator<Item = &'t str>) -> Result<Vec<PathBuf>, ResolveError> {
        texts.filter(|text| !text.eq_ignore_ascii_case("none")).map(|text| self.path(keyword, text).map(PathBuf::from)).collect()
    }

    fn with_variables(&self, text: &str) -> Result<String, String> {
        tokens::expand_with_variables(text, CONNECTION, &self.facts, self.who)
    }

    fn tokens(&self, keyword: &'static str, text: &str, allowed: &str) -> Result<String, ResolveError> {
        tokens::expand(text, allowed, &self.facts).map_err(|message| ResolveError::Value { keyword, message })
    }

    fn forwards(&self, keyword: &'static str, forwards: &[Forward]) -> Result<Vec<Forward>, ResolveError> {
        let told = |message| ResolveError::Value { keyword, message };
        let one = |forward: &Forward| {
            let mut forward = forward.clone();
            if let Listen::Socket(path) = &mut forward.listen {
                *path = self.with_variables(path).map_err(told)?;
            }
            if let Target::Socket(path) = &mut forward.target {
                *path = self.with_variables(path).map_err(told)?;
            }
            Ok(forward)
        };
        forwards.iter().map(one).collect()
    }
}

pub(super) fn finish(run: Run<'_>, host: String) -> Result<Resolved, ResolveError> {
    let alias = run.options.text("hostkeyalias").map(str::to_ascii_lowercase);
    let facts = facts::of(&run, &host, alias.as_deref().unwrap_or(run.original));
    let expander = Expander { facts, who: run.who };
    let user = run.user().to_owned();
    let Run { who, options, warnings, .. } = run;
    let attempts = options.number("connectionattempts").unwrap_or(1);
    if attempts == 0 {
        return Err(ResolveError::Value { keyword: "connectionattempts", message: "`0` is no number of tries".to_owned() });
    }
    check_unused(&options, &expander)?;
    let written = written(&options, &expander)?;
    let forwards = options.flag("clearallforwardings") != Some(true);
    let listed = |list| if forwards { list } else { Vec::new() };
    let seconds = |name| options.number(name).map(|seconds| Duration::from_secs(seconds.into()));
    let flag = |name, default| options.flag(name).unwrap_or(default);
    let text = |name| options.text(name).map(str::to_owned);
    let some = |name| options.some_text(name).map(str::to_owned);
    Ok(Resolved {
        port: options.port().unwrap_or(facts::SSH_PORT),
        user,
        identity_files: expander.paths("identityfile", written.identity_files.iter().map(String::as_str))?,
        identity_files_named: !options.identity_files.is_empty(),
        certificate_files: expander.paths("certificatefile", written.certificate_files.iter().map(String::as_str))?,
        identities_only: flag("identitiesonly", false),
        identity_agent: identity_agent(written.identity_agent.as_deref(), who),
        way: way(&options, &expander)?,
        proxy_use_fdpass: flag("proxyusefdpass", false) && options.jump().is_none(),
        user_known_hosts: present(&written.user_known_hosts),
        global_known_hosts: present(&written.global_known_hosts),
        known_hosts_command: some("knownhostscommand"),
        host_key_alias: alias,
        check_host_ip: flag("checkhostip", false),
        hash_known_hosts: flag("hashknownhosts", false),
        strict_host_key_checking: strict(&options),
        update_host_keys: update(&options),
        revoked_host_keys: some("revokedhostkeys").map(|path| expander.path("revokedhostkeys", &path)).transpose()?.map(PathBuf::from),
        no_host_authentication_for_localhost: flag("nohostauthenticationforlocalhost", false),
        connect_timeout: seconds("connecttimeout"),
        connection_attempts: attempts,
        server_alive_interval: seconds("serveraliveinterval").filter(|interval| !interval.is_zero()),
        server_alive_count_max: options.number("serveralivecountmax").unwrap_or(ALIVE_COUNT),
        tcp_keep_alive: flag("tcpkeepalive", true),
        forward_agent: forward_agent(&options, written.forward_agent.as_deref(), who),
        preferred_authentications: text("preferredauthentications"),
        pubkey_authentication: options.choice("pubkeyauthentication") != Some("false"),
        password_authentication: flag("passwordauthentication", true),
        kbd_interactive_authentication: flag("kbdinteractiveauthentication", true),
        batch_mode: flag("batchmode", false),
        host_key_algorithms: text("hostkeyalgorithms"),
        kex_algorithms: text("kexalgorithms"),
        ciphers: text("ciphers"),
        macs: text("macs"),
        pubkey_accepted_algorithms: text("pubkeyacceptedalgorithms"),
        ca_signature_algorithms: text("casignaturealgorithms"),
        required_rsa_size: options.number("requiredrsasize"),
        compression: options.choice("compression") == Some("yes"),
        address_family: family(&options),
        bind_address: text("bindaddress"),
        bind_interface: text("bindinterface"),
        local_forwards: listed(expander.forwards("localforward", &options.local_forwards)?),
        remote_forwards: listed(expander.forwards("remoteforward", &options.remote_forwards)?),
        exit_on_forward_failure: flag("exitonforwardfailure", false),
        gateway_ports: flag("gatewayports", false),
        remote_command: some("remotecommand").map(|command| expander.tokens("remotecommand", &command, CONNECTION)).transpose()?,
        request_tty: tty(&options),
        send_env: options.send_env.clone(),
        set_env: options.set_env.clone(),
        tag: text("tag"),
        origins: options.origins.clone(),
        warnings,
        host,
        written,
    })
}

/// OpenSSH expands these before it connects, and does not connect when it cannot.
fn check_unused(options: &Options, expander: &Expander<'_>) -> Result<(), ResolveError> {
    if let Some(path) = options.some_text("controlpath") {
        expander.path("controlpath", path)?;
    }
    if options.some_text("proxycommand") == Some("-") && options.jump().is_none() && options.flag("proxyusefdpass") == Some(true) {
        let message = "`-` has no socket to hand over; leave ProxyUseFdpass out".to_owned();
        return Err(ResolveError::Value { keyword: "proxycommand", message });
    }
    Ok(())
}

fn written(options: &Options, expander: &Expander<'_>) -> Result<Written, ResolveError> {
    let names = |list: &[Named]| list.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    let owned = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let identities = names(&options.identity_files);
    let known = options.words("userknownhostsfile").map_or_else(|| owned(&USER_KNOWN_HOSTS), <[String]>::to_vec);
    let agent = options.text("identityagent").map(|path| expander.path("identityagent", path)).transpose()?;
    let forwarded = options.text("forwardagentpath").map(|path| expander.path("forwardagent", path)).transpose()?;
    Ok(Written {
        identity_files: if identities.is_empty() { owned(&IDENTITIES) } else { identities },
        certificate_files: names(&options.certificate_files),
        identity_agent: agent,
        user_known_hosts: known.iter().map(|path| expander.path("userknownhostsfile", path)).collect::<Result<_, _>>()?,
        global_known_hosts: options.words("globalknownhostsfile").map_or_else(|| owned(&GLOBAL_KNOWN_HOSTS), <[String]>::to_vec),
        proxy_command: options.some_text("proxycommand").filter(|_| options.jump().is_none()).map(str::to_owned),
        proxy_jump: options.jump().and_then(jump_text),
        forward_agent: forwarded,
        revoked_host_keys: options.some_text("revokedhostkeys").map(str::to_owned),
    })
}

/// A `ProxyJump` as `ssh -G` writes it.
fn jump_text(jump: &Jump) -> Option<String> {
    let Jump::Through { hosts, before_last } = jump else { return None };
    let JumpHost { user, host, port } = hosts.last()?;
    let before = before_last.as_ref().map_or_else(String::new, |before| format!("{before},"));
    let user = user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
    let is_number = host.contains(':') || host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let host = if is_number { format!("[{host}]") } else { host.clone() };
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{before}{user}{host}{port}"))
}

fn way(options: &Options, expander: &Expander<'_>) -> Result<Way, ResolveError> {
    if let Some(Jump::Through { hosts, .. }) = options.jump() {
        // OpenSSH makes a command of them and expands that.
        let expanded = |text: &str| expander.tokens("proxyjump", text, PROXY);
        let one = |hop: &JumpHost| {
            let user = hop.user.as_deref().map(expanded).transpose()?;
            Ok(JumpHost { user, host: expanded(&hop.host)?, port: hop.port })
        };
        return hosts.iter().map(one).collect::<Result<_, _>>().map(Way::Jump);
    }
    match options.some_text("proxycommand") {
        Some(command) => expander.tokens("proxycommand", command, PROXY).map(Way::Command),
        None => Ok(Way::Direct),
    }
}

fn identity_agent(path: Option<&str>, who: &Local) -> IdentityAgent {
    match path {
        None | Some(AGENT_VARIABLE) => IdentityAgent::FromEnvironment,
        Some("none") => IdentityAgent::None,
        Some(path) => match path.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => who.variable(name).map_or(IdentityAgent::None, |path| IdentityAgent::Socket(path.into())),
            None => IdentityAgent::Socket(path.into()),
        },
    }
}

fn forward_agent(options: &Options, path: Option<&str>, who: &Local) -> ForwardAgent {
    match (options.flag("forwardagent"), path) {
        (Some(true), None) => ForwardAgent::Yes,
        (Some(true), Some(path)) => match path.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => who.variable(name).map_or(ForwardAgent::No, |path| ForwardAgent::Socket(path.into())),
            None => ForwardAgent::Socket(path.into()),
        },
        _ => ForwardAgent::No,
    }
}

/// The files of a list that is not `none`.
fn present(paths: &[String]) -> Vec<PathBuf> {
    paths.iter().filter(|path| !path.eq_ignore_ascii_case("none")).map(PathBuf::from).collect()
}

fn strict(options: &Options) -> StrictHostKeyChecking {
    match options.choice("stricthostkeychecking") {
        Some("true") => StrictHostKeyChecking::Yes,
        Some("false") => StrictHostKeyChecking::No,
        Some("accept-new") => StrictHostKeyChecking::AcceptNew,
        _ => StrictHostKeyChecking::Ask,
    }
}

/// New keys are written only to the user's usual file, and not where the DNS vouches for keys.
fn update(options: &Options) -> UpdateHostKeys {
    let usual = options.words("userknownhostsfile").is_none() && matches!(options.choice("verifyhostkeydns"), None | Some("false"));
    match options.choice("updatehostkeys") {
        Some("true") => UpdateHostKeys::Yes,
        Some("ask") => UpdateHostKeys::Ask,
        None if usual => UpdateHostKeys::Yes,
        _ => UpdateHostKeys::No,
    }
}

fn family(options: &Options) -> AddressFamily {
    match options.choice("addressfamily") {
        Some("inet") => AddressFamily::Inet,
        Some("inet6") => AddressFamily::Inet6,
        _ => AddressFamily::Any,
    }
}

fn tty(options: &Options) -> RequestTty {
    match options.choice("requesttty") {
        Some("true") => RequestTty::Yes,
        Some("false") => RequestTty::No,
        Some("force") => RequestTty::Force,
        _ => RequestTty::Auto,
    }
}

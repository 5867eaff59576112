//! Writes a result in the lines of `ssh -G`.

use super::forward::Target;
use super::resolved::{AddressFamily, ForwardAgent, RequestTty, Resolved, StrictHostKeyChecking, UpdateHostKeys};

/// The values, each in a line behind its keyword in lower case, in the words and the order of `ssh -G`.
///
/// What is not set and has no default of its own has no line. Algorithms are as written.
pub fn dump(resolved: &Resolved) -> String {
    let mut lines = Lines::default();
    lines.put("user", &resolved.user);
    lines.put("hostname", &resolved.host);
    lines.put("port", &resolved.port.to_string());
    words(resolved, &mut lines);
    numbers(resolved, &mut lines);
    texts(resolved, &mut lines);
    lists(resolved, &mut lines);
    lines.0
}

#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, keyword: &str, value: &str) {
        for part in [keyword, " ", value, "\n"] {
            self.0.push_str(part);
        }
    }

    fn put_some(&mut self, keyword: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(keyword, value);
        }
    }
}

fn words(resolved: &Resolved, lines: &mut Lines) {
    let family = match resolved.address_family {
        AddressFamily::Any => "any",
        AddressFamily::Inet => "inet",
        AddressFamily::Inet6 => "inet6",
    };
    let tty = match resolved.request_tty {
        RequestTty::Auto => "auto",
        RequestTty::No => "false",
        RequestTty::Yes => "true",
        RequestTty::Force => "force",
    };
    let strict = match resolved.strict_host_key_checking {
        StrictHostKeyChecking::Ask => "ask",
        StrictHostKeyChecking::Yes => "true",
        StrictHostKeyChecking::AcceptNew => "accept-new",
        StrictHostKeyChecking::No => "false",
    };
    let update = match resolved.update_host_keys {
        UpdateHostKeys::Yes => "true",
        UpdateHostKeys::No => "false",
        UpdateHostKeys::Ask => "ask",
    };
    lines.put("addressfamily", family);
    for (keyword, value) in [
        ("batchmode", resolved.batch_mode),
        ("checkhostip", resolved.check_host_ip),
        ("compression", resolved.compression),
        ("exitonforwardfailure", resolved.exit_on_forward_failure),
        ("gatewayports", resolved.gateway_ports),
        ("hashknownhosts", resolved.hash_known_hosts),
        ("identitiesonly", resolved.identities_only),
        ("kbdinteractiveauthentication", resolved.kbd_interactive_authentication),
        ("nohostauthenticationforlocalhost", resolved.no_host_authentication_for_localhost),
        ("passwordauthentication", resolved.password_authentication),
        ("proxyusefdpass", resolved.proxy_use_fdpass),
    ] {
        lines.put(keyword, if value { "yes" } else { "no" });
    }
    lines.put("requesttty", tty);
    lines.put("stricthostkeychecking", strict);
    lines.put("tcpkeepalive", if resolved.tcp_keep_alive { "yes" } else { "no" });
    lines.put("updatehostkeys", update);
}

fn numbers(resolved: &Resolved, lines: &mut Lines) {
    lines.put("connectionattempts", &resolved.connection_attempts.to_string());
    lines.put("serveralivecountmax", &resolved.server_alive_count_max.to_string());
    lines.put("serveraliveinterval", &resolved.server_alive_interval.unwrap_or_default().as_secs().to_string());
    let timeout = resolved.connect_timeout.map_or_else(|| "none".to_owned(), |timeout| timeout.as_secs().to_string());
    lines.put("connecttimeout", &timeout);
}

fn texts(resolved: &Resolved, lines: &mut Lines) {
    let forward = match resolved.forward_agent {
        ForwardAgent::No => "no",
        _ => "yes",
    };
    lines.put("forwardagent", resolved.written.forward_agent.as_deref().unwrap_or(forward));
    for (keyword, value) in [
        ("bindaddress", resolved.bind_address.as_deref()),
        ("bindinterface", resolved.bind_interface.as_deref()),
        ("ciphers", resolved.ciphers.as_deref()),
        ("casignaturealgorithms", resolved.ca_signature_algorithms.as_deref()),
        ("hostkeyalgorithms", resolved.host_key_algorithms.as_deref()),
        ("hostkeyalias", resolved.host_key_alias.as_deref()),
        ("identityagent", resolved.written.identity_agent.as_deref()),
        ("kexalgorithms", resolved.kex_algorithms.as_deref()),
        ("knownhostscommand", resolved.known_hosts_command.as_deref()),
        ("macs", resolved.macs.as_deref()),
        ("preferredauthentications", resolved.preferred_authentications.as_deref()),
        ("proxycommand", resolved.written.proxy_command.as_deref()),
        ("proxyjump", resolved.written.proxy_jump.as_deref()),
        ("pubkeyacceptedalgorithms", resolved.pubkey_accepted_algorithms.as_deref()),
        ("remotecommand", resolved.remote_command.as_deref()),
        ("revokedhostkeys", resolved.written.revoked_host_keys.as_deref()),
        ("tag", resolved.tag.as_deref()),
    ] {
        lines.put_some(keyword, value);
    }
}

fn lists(resolved: &Resolved, lines: &mut Lines) {
    for forward in &resolved.local_forwards {
        lines.put(if forward.target == Target::Asked { "dynamicforward" } else { "localforward" }, &forward.to_string());
    }
    for forward in &resolved.remote_forwards {
        // A remote forward without a target has its name and a port of nothing there.
        let target = if forward.target == Target::Asked { " [socks]:0" } else { "" };
        lines.put("remoteforward", &format!("{forward}{target}"));
    }
    for (keyword, values) in [
        ("identityfile", &resolved.written.identity_files),
        ("certificatefile", &resolved.written.certificate_files),
        ("sendenv", &resolved.send_env),
        ("setenv", &resolved.set_env),
    ] {
        values.iter().for_each(|value| lines.put(keyword, value));
    }
    lines.put("globalknownhostsfile", &resolved.written.global_known_hosts.join(" "));
    lines.put("userknownhostsfile", &resolved.written.user_known_hosts.join(" "));
}

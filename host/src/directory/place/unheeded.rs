//! What OpenSSH heeds and is not heeded here: nobody is left to believe that it is.

use crate::ssh_config::{Resolved, Way};

/// Keywords that count for ssh and not here, and that take nothing away which somebody relies on: what they ask for is not done.
const LISTED: [&str; 15] = [
    "compression",
    "dynamicforward",
    "forwardagent",
    "forwardx11",
    "hostbasedauthentication",
    "localcommand",
    "localforward",
    "nohostauthenticationforlocalhost",
    "pkcs11provider",
    "remoteforward",
    "securitykeyprovider",
    "sendenv",
    "sessiontype",
    "stricthostkeychecking",
    "verifyhostkeydns",
];

/// What is worth a sentence to whoever opens the device.
pub(super) fn warnings(looked: &Resolved) -> Vec<String> {
    let unheeded = [
        ("checkhostip", looked.check_host_ip, "`CheckHostIP` is not heeded here: the host's key is looked up by the host's name alone"),
        (
            "knownhostscommand",
            looked.known_hosts_command.is_some(),
            "`KnownHostsCommand` is not run here: only the keys in files of known hosts count",
        ),
        ("remotecommand", looked.remote_command.is_some(), "`RemoteCommand` is not run here: a session is a login shell"),
    ];
    let mut warnings = looked.warnings.clone();
    for (keyword, is_set, what) in unheeded {
        if is_set {
            warnings.push(format!("{}{what}", place(looked, keyword)));
        }
    }
    // A file is gone through twice where a line asks for that.
    warnings.sort();
    warnings.dedup();
    warnings
}

/// Lines that are not heeded, by their keyword.
pub(super) fn lines(looked: &Resolved) -> Vec<(&'static str, String)> {
    let unheeded = looked.origins.iter().filter(|origin| LISTED.contains(&origin.keyword));
    unheeded.map(|origin| (origin.keyword, origin.place.to_string())).collect()
}

/// Why the way is not one that can be gone here, if so.
pub(super) fn closed(looked: &Resolved) -> Option<String> {
    let Way::Command(command) = &looked.way else { return None };
    let (keyword, why) = if looked.proxy_use_fdpass {
        ("proxyusefdpass", "`ProxyUseFdpass` is not known here: have the command pass the bytes on itself, as `nc %h %p` does")
    } else if command == "-" {
        ("proxycommand", "`ProxyCommand -` is ssh's own input and output, of which there is none here")
    } else {
        return None;
    };
    Some(format!("{}{why}", place(looked, keyword)))
}

/// Where it stands, as the beginning of a sentence.
fn place(looked: &Resolved, keyword: &str) -> String {
    looked.origins_of(keyword).next().map(|place| format!("{place}: ")).unwrap_or_default()
}

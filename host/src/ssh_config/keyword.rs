//! The keywords that OpenSSH knows, and what kind of argument each takes.
//!
//! Those of later releases are here too. Which algorithms a list may name depends on how an OpenSSH was built, so names are not checked.

use super::forward::Direction;

/// What a keyword is followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Host`: patterns.
    Host,
    /// `Match`: criteria.
    Match,
    /// `Include`: paths.
    Include,
    /// `yes` or `no`.
    Flag,
    /// One of these words; the second of a pair is what it means, and what `ssh -G` prints.
    Choice(&'static [(&'static str, &'static str)]),
    /// A number.
    Number,
    /// A time, or `none` for one that is not set.
    Seconds,
    /// A port.
    Port,
    /// One word.
    Text,
    /// A path or `$VARIABLE` of an agent.
    Agent,
    /// `yes`, `no`, or an agent.
    ForwardAgent,
    /// All of the line, as it is written.
    Command,
    /// Hosts to go through.
    Jump,
    /// Words; `none` stands alone.
    Words,
    /// Words that are names of domains; `none` stands alone.
    Domains,
    /// Words, each with a colon; `none` stands alone.
    Pairs,
    /// Ports or sockets.
    Forward(Direction),
    /// Names of variables.
    SendEnv,
    /// Variables with their values.
    SetEnv,
    /// Checked as OpenSSH does, and of no further use here.
    Checked(Check),
    /// Whatever it is, it does nothing here, and OpenSSH does not look at it or not always in the same way.
    Anything,
}

/// How a value is checked that is of no further use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    AddKeys,
    Persist,
    Escape,
    Octal,
    PermitRemoteOpen,
    Rekey,
    ServiceClass,
    Tunnel,
}

const FLAGS: &[(&str, &str)] = &[("true", "yes"), ("false", "no"), ("yes", "yes"), ("no", "no")];
const ADDRESS_FAMILY: &[(&str, &str)] = &[("inet", "inet"), ("inet6", "inet6"), ("any", "any")];
const CANONICALIZE: &[(&str, &str)] = &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("always", "always")];
const COMPRESSION: &[(&str, &str)] = &[("yes", "yes"), ("no", "no")];
const CONTROL_MASTER: &[(&str, &str)] =
    &[("true", "true"), ("yes", "true"), ("false", "false"), ("no", "false"), ("auto", "auto"), ("ask", "ask"), ("autoask", "autoask")];
const HASH: &[(&str, &str)] = &[("md5", "MD5"), ("sha256", "SHA256")];
const PUBKEY: &[(&str, &str)] =
    &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("unbound", "unbound"), ("host-bound", "host-bound")];
const REQUEST_TTY: &[(&str, &str)] =
    &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("force", "force"), ("auto", "auto")];
const SESSION_TYPE: &[(&str, &str)] = &[("none", "none"), ("subsystem", "subsystem"), ("default", "default")];
const STRICT: &[(&str, &str)] = &[
    ("true", "true"),
    ("false", "false"),
    ("yes", "true"),
    ("no", "false"),
    ("ask", "ask"),
    ("off", "false"),
    ("accept-new", "accept-new"),
];
const YES_NO_ASK: &[(&str, &str)] = &[("true", "true"), ("false", "false"), ("yes", "true"), ("no", "false"), ("ask", "ask")];
const TUNNEL: &[(&str, &str)] = &[
    ("ethernet", "ethernet"),
    ("point-to-point", "point-to-point"),
    ("true", "point-to-point"),
    ("false", "false"),
    ("yes", "point-to-point"),
    ("no", "false"),
];
const LEVELS: &[(&str, &str)] = &[
    ("silent", "QUIET"),
    ("quiet", "QUIET"),
    ("fatal", "FATAL"),
    ("error", "ERROR"),
    ("info", "INFO"),
    ("verbose", "VERBOSE"),
    ("debug", "DEBUG"),
    ("debug1", "DEBUG"),
    ("debug2", "DEBUG2"),
    ("debug3", "DEBUG3"),
];
const FACILITIES: &[(&str, &str)] = &[
    ("daemon", "DAEMON"),
    ("user", "USER"),
    ("auth", "AUTH"),
    ("authpriv", "AUTHPRIV"),
    ("local0", "LOCAL0"),
    ("local1", "LOCAL1"),
    ("local2", "LOCAL2"),
    ("local3", "LOCAL3"),
    ("local4", "LOCAL4"),
    ("local5", "LOCAL5"),
    ("local6", "LOCAL6"),
    ("local7", "LOCAL7"),
];

/// Other names of keywords.
const ALIASES: &[(&str, &str)] = &[
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("hostbasedkeytypes", "hostbasedacceptedalgorithms"),
    ("identityfile2", "identityfile"),
    ("keepalive", "tcpkeepalive"),
    ("protocolkeepalives", "serveraliveinterval"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("setuptimeout", "serveraliveinterval"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
    ("smartcarddevice", "pkcs11provider"),
    ("tisauthentication", "kbdinteractiveauthentication"),
];

const KEYWORDS: &[(&str, Kind)] = &[
    ("addkeystoagent", Kind::Checked(Check::AddKeys)),
    ("addressfamily", Kind::Choice(ADDRESS_FAMILY)),
    ("afstokenpassing", Kind::Anything),
    ("batchmode", Kind::Flag),
    ("bindaddress", Kind::Text),
    ("bindinterface", Kind::Text),
    ("canonicaldomains", Kind::Domains),
    ("canonicalizefallbacklocal", Kind::Flag),
    ("canonicalizehostname", Kind::Choice(CANONICALIZE)),
    ("canonicalizemaxdots", Kind::Number),
    ("canonicalizepermittedcnames", Kind::Pairs),
    ("casignaturealgorithms", Kind::Text),
    ("certificatefile", Kind::Text),
    ("channeltimeout", Kind::Anything),
    ("checkhostip", Kind::Flag),
    ("cipher", Kind::Anything),
    ("ciphers", Kind::Text),
    ("clearallforwardings", Kind::Flag),
    ("compression", Kind::Choice(COMPRESSION)),
    ("compressionlevel", Kind::Anything),
    ("connectionattempts", Kind::Number),
    ("connecttimeout", Kind::Seconds),
    ("controlmaster", Kind::Choice(CONTROL_MASTER)),
    ("controlpath", Kind::Text),
    ("controlpersist", Kind::Checked(Check::Persist)),
    ("dynamicforward", Kind::Forward(Direction::Dynamic)),
    ("enableescapecommandline", Kind::Flag),
    ("enablesshkeysign", Kind::Flag),
    ("escapechar", Kind::Checked(Check::Escape)),
    ("exitonforwardfailure", Kind::Flag),
    ("fallbacktorsh", Kind::Anything),
    ("fingerprinthash", Kind::Choice(HASH)),
    ("forkafterauthentication", Kind::Flag),
    ("forwardagent", Kind::ForwardAgent),
    ("forwardx11", Kind::Flag),
    ("forwardx11timeout", Kind::Seconds),
    ("forwardx11trusted", Kind::Flag),
    ("gatewayports", Kind::Flag),
    ("globalknownhostsfile", Kind::Words),
    ("globalknownhostsfile2", Kind::Anything),
    ("gssapiauthentication", Kind::Flag),
    ("gssapiclientidentity", Kind::Text),
    ("gssapidelegatecredentials", Kind::Flag),
    ("gssapikexalgorithms", Kind::Text),
    ("gssapikeyexchange", Kind::Flag),
    ("gssapirenewalforcesrekey", Kind::Flag),
    ("gssapiserveridentity", Kind::Text),
    ("gssapitrustdns", Kind::Flag),
    ("hashknownhosts", Kind::Flag),
    ("host", Kind::Host),
    ("hostbasedacceptedalgorithms", Kind::Text),
    ("hostbasedauthentication", Kind::Flag),
    ("hostkeyalgorithms", Kind::Text),
    ("hostkeyalias", Kind::Text),
    ("hostname", Kind::Text),
    ("identitiesonly", Kind::Flag),
    ("identityagent", Kind::Agent),
    ("identityfile", Kind::Text),
    ("ignoreunknown", Kind::Text),
    ("include", Kind::Include),
    ("ipqos", Kind::Checked(Check::ServiceClass)),
    ("kbdinteractiveauthentication", Kind::Flag),
    ("kbdinteractivedevices", Kind::Text),
    ("kerberosauthentication", Kind::Anything),
    ("kerberostgtpassing", Kind::Anything),
    ("kexalgorithms", Kind::Text),
    ("knownhostscommand", Kind::Command),
    ("localcommand", Kind::Command),
    ("localforward", Kind::Forward(Direction::Local)),
    ("loglevel", Kind::Choice(LEVELS)),
    ("logverbose", Kind::Words),
    ("macs", Kind::Text),
    ("match", Kind::Match),
    ("nohostauthenticationforlocalhost", Kind::Flag),
    ("numberofpasswordprompts", Kind::Number),
    ("obscurekeystroketiming", Kind::Anything),
    ("passwordauthentication", Kind::Flag),
    ("permitlocalcommand", Kind::Flag),
    ("permitremoteopen", Kind::Checked(Check::PermitRemoteOpen)),
    ("pkcs11provider", Kind::Text),
    ("port", Kind::Port),
    ("preferredauthentications", Kind::Text),
    ("protocol", Kind::Anything),
    ("proxycommand", Kind::Command),
    ("proxyjump", Kind::Jump),
    ("proxyusefdpass", Kind::Flag),
    ("pubkeyacceptedalgorithms", Kind::Text),
    ("pubkeyauthentication", Kind::Choice(PUBKEY)),
    ("refuseconnection", Kind::Text),
    ("rekeylimit", Kind::Checked(Check::Rekey)),
    ("remotecommand", Kind::Command),
    ("remoteforward", Kind::Forward(Direction::Remote)),
    ("requesttty", Kind::Choice(REQUEST_TTY)),
    ("requiredrsasize", Kind::Number),
    ("revokedhostkeys", Kind::Text),
    ("rhostsauthentication", Kind::Anything),
    ("rhostsrsaauthentication", Kind::Anything),
    ("rsaauthentication", Kind::Anything),
    ("securitykeyprovider", Kind::Text),
    ("sendenv", Kind::SendEnv),
    ("serveralivecountmax", Kind::Number),
    ("serveraliveinterval", Kind::Seconds),
    ("sessiontype", Kind::Choice(SESSION_TYPE)),
    ("setenv", Kind::SetEnv),
    ("stdinnull", Kind::Flag),
    ("streamlocalbindmask", Kind::Checked(Check::Octal)),
    ("streamlocalbindunlink", Kind::Flag),
    ("stricthostkeychecking", Kind::Choice(STRICT)),
    ("syslogfacility", Kind::Choice(FACILITIES)),
    ("tag", Kind::Text),
    ("tcpkeepalive", Kind::Flag),
    ("tunnel", Kind::Choice(TUNNEL)),
    ("tunneldevice", Kind::Checked(Check::Tunnel)),
    ("updatehostkeys", Kind::Choice(YES_NO_ASK)),
    ("useblacklistedkeys", Kind::Anything),
    ("useprivilegedport", Kind::Anything),
    ("user", Kind::Text),
    ("userknownhostsfile", Kind::Words),
    ("userknownhostsfile2", Kind::Anything),
    ("useroaming", Kind::Anything),
    ("usersh", Kind::Anything),
    ("verifyhostkeydns", Kind::Choice(YES_NO_ASK)),
    ("versionaddendum", Kind::Anything),
    ("visualhostkey", Kind::Flag),
    ("warnweakcrypto", Kind::Anything),
    ("xauthlocation", Kind::Text),
];

/// Keywords of the OpenSSH that Apple ships.
const APPLE: [&str; 1] = ["usekeychain"];

/// The keyword's own name, which is that of its alias, and its kind. The word is in lower case.
pub(super) fn find(word: &str) -> Option<(&'static str, Kind)> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == word).map_or(word, |(_, name)| name);
    let found = KEYWORDS.binary_search_by_key(&name, |(known, _)| known).ok().and_then(|index| KEYWORDS.get(index));
    let apple = || APPLE.iter().find(|known| cfg!(target_os = "macos") && **known == name).map(|name| (*name, Kind::Anything));
    found.copied().or_else(apple)
}

/// What a word of a choice means.
pub(super) fn chosen(choices: &'static [(&'static str, &'static str)], word: &str) -> Option<&'static str> {
    choices.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, meaning)| *meaning)
}

/// What `yes` or `no` means.
pub(super) fn flag(word: &str) -> Option<bool> {
    chosen(FLAGS, word).map(|meaning| meaning == "yes")
}

/// All keywords, for a sentence about one that is not there.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched_and_aliases_lead_into_it() {
        assert!(KEYWORDS.is_sorted_by_key(|(name, _)| name));
        for (alias, name) in ALIASES {
            assert_eq!(find(alias).unwrap().0, *name);
        }
        assert_eq!(find("hostname"), Some(("hostname", Kind::Text)));
        assert_eq!(find("nosuch"), None);
        assert_eq!(find("usekeychain").is_some(), cfg!(target_os = "macos"));
    }
}

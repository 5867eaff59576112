//! Which grammar a line is judged by: from the device type, its mode and the operator's setting.

use jackfield_plugin::text::Search;
use jackfield_plugin::{Diagnostic, Request, Settings};

use crate::declared;

/// The grammars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// A POSIX shell, or one much like it.
    Posix,
    /// csh and tcsh: quoting differs from POSIX, so nothing is proven there.
    Csh,
    /// Cisco IOS and what speaks like it.
    Ios(Dialect, Place),
    /// MikroTik RouterOS.
    RouterOs,
    /// A family whose words come with the request.
    Declared,
    /// Everything else: a device without a grammar here, a program that reads lines.
    Other,
}

/// What differs between the relatives of IOS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// IOS and IOS-XE.
    Cisco,
    /// Arista EOS, which has a real shell behind `|` and `>`.
    Eos,
    /// FRR: a daemon's own terminal, or vtysh.
    Frr,
    /// A type of the operator's own: the strictest of each.
    Any,
}

/// Where in the relatives of IOS the prompt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Exec,
    Config,
}

/// The operator's choice for a device type of his own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// By the device type.
    Auto,
    Posix,
    Ios,
    RouterOs,
    /// No grammar: nothing is proven to be a read.
    None,
}

const WORDS: [(&str, Setting); 5] =
    [("auto", Setting::Auto), ("posix", Setting::Posix), ("ios", Setting::Ios), ("routeros", Setting::RouterOs), ("none", Setting::None)];

impl Setting {
    /// Reads the settings; unknown keys and words are refused.
    pub(crate) fn parse(json: &str) -> Result<Self, Vec<Diagnostic>> {
        let settings = Settings::parse(json).map_err(|problem| vec![problem])?;
        let mut problems = settings.unknown(&["family"]);
        let words = WORDS.map(|(word, _)| word);
        let chosen = settings.choice("family", &words).unwrap_or_else(|problem| {
            problems.push(problem);
            ""
        });
        let setting = WORDS.iter().find(|(word, _)| *word == chosen).map_or(Self::Auto, |(_, setting)| *setting);
        if problems.is_empty() { Ok(setting) } else { Err(problems) }
    }
}

impl Grammar {
    /// The grammar of the line that this request wants typed.
    pub(crate) fn of(request: &Request, setting: Setting) -> Self {
        let mode = request.mode.to_ascii_lowercase();
        // The contract's own word: POSIX shell text may be typed here, whatever the device.
        if mode == "shell" && setting == Setting::Auto {
            return Self::Posix;
        }
        let grammar = match setting {
            Setting::Auto => Self::of_type(&request.device_type.to_ascii_lowercase().replace('-', "_")),
            Setting::Posix => Self::Posix,
            Setting::Ios => Self::Ios(Dialect::Any, Place::Exec),
            Setting::RouterOs => Self::RouterOs,
            Setting::None => Self::Other,
        }
        .in_mode(&mode);
        match grammar {
            Self::Other if setting == Setting::Auto && declared::is_told(request) => {
                if is_shell(&mode) {
                    Self::Posix
                } else {
                    Self::Declared
                }
            }
            other => other,
        }
    }

    fn of_type(device_type: &str) -> Self {
        match device_type {
            "cisco_ios" | "cisco_xe" => Self::Ios(Dialect::Cisco, Place::Exec),
            "arista_eos" => Self::Ios(Dialect::Eos, Place::Exec),
            "frr_vty" | "frr_vtysh" => Self::Ios(Dialect::Frr, Place::Exec),
            "mikrotik_routeros" => Self::RouterOs,
            name if is_unix(name) => Self::Posix,
            _ => Self::Other,
        }
    }

    /// A mode may be a door into another grammar. Modes that are not known here lead to none.
    fn in_mode(self, mode: &str) -> Self {
        match self {
            Self::Posix if mode.holds("csh") => Self::Csh,
            Self::Posix if is_shell(mode) || is_plain(mode) => Self::Posix,
            Self::Ios(dialect, _) => match mode {
                _ if mode.starts_with("config") => Self::Ios(dialect, Place::Config),
                "exec" | "user_exec" | "privileged" | "enable" => self,
                _ if is_plain(mode) => self,
                _ if is_shell(mode) => Self::Posix,
                _ => Self::Other,
            },
            Self::RouterOs if is_plain(mode) || matches!(mode, "root_menu" | "menu" | "safe_mode") => self,
            _ => Self::Other,
        }
    }
}

/// No prompt plugin knows more.
fn is_plain(mode: &str) -> bool {
    matches!(mode, "" | "unknown")
}

fn is_shell(mode: &str) -> bool {
    let name = mode.split(['.', '_', '-']).next().unwrap_or_default();
    matches!(name, "shell" | "bash" | "dash" | "sh" | "ash" | "zsh" | "fish" | "ksh" | "mksh" | "guestshell")
}

fn is_unix(device_type: &str) -> bool {
    const NAMES: [&str; 19] = [
        "unix", "posix", "darwin", "macos", "debian", "ubuntu", "alpine", "rhel", "centos", "fedora", "rocky", "alma", "suse", "arch",
        "raspbian", "openwrt", "solaris", "illumos", "aix",
    ];
    device_type.split('_').any(|word| NAMES.contains(&word) || word.ends_with("linux") || word.ends_with("bsd"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grammar(device_type: &str, mode: &str, setting: Setting) -> Grammar {
        Grammar::of(&request(device_type, mode), setting)
    }

    fn request(device_type: &str, mode: &str) -> Request {
        crate::corpus::request(device_type, mode, "", "run", "safe")
    }

    #[test]
    fn the_type_chooses_the_grammar() {
        let cisco = Grammar::Ios(Dialect::Cisco, Place::Exec);
        for (device_type, expected) in [
            ("linux", Grammar::Posix),
            ("freebsd", Grammar::Posix),
            ("my-linux", Grammar::Posix),
            ("Ubuntu-Server", Grammar::Posix),
            ("cisco_ios", cisco),
            ("cisco-xe", cisco),
            ("arista-eos", Grammar::Ios(Dialect::Eos, Place::Exec)),
            ("frr_vty", Grammar::Ios(Dialect::Frr, Place::Exec)),
            ("frr_vtysh", Grammar::Ios(Dialect::Frr, Place::Exec)),
            ("mikrotik-routeros", Grammar::RouterOs),
            ("juniper_junos", Grammar::Other),
            ("repl_psql", Grammar::Other),
            ("search", Grammar::Other),
            ("", Grammar::Other),
        ] {
            assert_eq!(grammar(device_type, "", Setting::Auto), expected, "{device_type}");
        }
    }

    #[test]
    fn the_mode_is_a_door_into_another_grammar() {
        for (device_type, mode, expected) in [
            ("linux", "shell", Grammar::Posix),
            ("linux", "unknown", Grammar::Posix),
            ("linux", "bash.root", Grammar::Posix),
            ("linux", "tcsh", Grammar::Csh),
            ("linux", "psql", Grammar::Other),
            ("linux", "continuation", Grammar::Other),
            ("cisco_ios", "user_exec", Grammar::Ios(Dialect::Cisco, Place::Exec)),
            ("cisco_ios", "config-if", Grammar::Ios(Dialect::Cisco, Place::Config)),
            ("cisco_ios", "tclsh", Grammar::Other),
            ("cisco_ios", "rommon", Grammar::Other),
            ("cisco_xe", "guestshell", Grammar::Posix),
            ("arista_eos", "bash", Grammar::Posix),
            ("arista_eos", "config_session", Grammar::Ios(Dialect::Eos, Place::Config)),
            ("mikrotik_routeros", "safe_mode", Grammar::RouterOs),
            ("mikrotik_routeros", "continuation", Grammar::Other),
            ("juniper_junos", "shell", Grammar::Posix),
            ("juniper_junos", "operational", Grammar::Other),
        ] {
            assert_eq!(grammar(device_type, mode, Setting::Auto), expected, "{device_type} in {mode}");
        }
    }

    #[test]
    fn the_operator_may_force_a_family_and_the_mode_still_counts() {
        assert_eq!(grammar("my-box", "", Setting::Posix), Grammar::Posix);
        assert_eq!(grammar("my-box", "config", Setting::Ios), Grammar::Ios(Dialect::Any, Place::Config));
        assert_eq!(grammar("my-box", "menu", Setting::RouterOs), Grammar::RouterOs);
        assert_eq!(grammar("linux", "shell", Setting::None), Grammar::Other);
        assert_eq!(grammar("linux", "mysql", Setting::Posix), Grammar::Other);
    }

    #[test]
    fn words_of_the_request_count_where_no_grammar_does() {
        let told = |device_type: &str, mode: &str, setting: Setting| {
            let mut request = request(device_type, mode);
            request.facts.push(jackfield_plugin::Fact { name: "words.reads".to_owned(), value: "show".to_owned() });
            Grammar::of(&request, setting)
        };
        assert_eq!(told("acme_olt", "exec", Setting::Auto), Grammar::Declared);
        assert_eq!(told("acme_olt", "bash", Setting::Auto), Grammar::Posix);
        assert_eq!(told("acme_olt", "exec", Setting::None), Grammar::Other);
        assert_eq!(told("linux", "", Setting::Auto), Grammar::Posix);
    }

    #[test]
    fn settings_are_read_and_wrong_ones_are_named() {
        assert_eq!(Setting::parse("{}").unwrap(), Setting::Auto);
        assert_eq!(Setting::parse(r#"{"family":"ios"}"#).unwrap(), Setting::Ios);
        let problems = Setting::parse(r#"{"famly":"ios","family":"junos"}"#).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["famly", "family"]);
        assert!(Setting::parse("[]").is_err());
    }
}

//! What other systems call our device types.

/// A system with names for kinds of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// Netmiko's `device_type`; Nornir's `platform` may also be NAPALM's or scrapli's.
    Netmiko,
    /// Oxidized's `model`.
    Oxidized,
    /// Ansible's `ansible_network_os`, with or without its collection.
    Ansible,
}

/// What it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ours {
    /// This type.
    Known(&'static str),
    /// It is found out, there as here.
    Auto,
    /// None.
    Unknown,
}

/// How a device is reached, where its type says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// SSH.
    Ssh,
    /// Telnet.
    Telnet,
    /// A serial line.
    Serial,
}

/// In the table, where we have no type.
const UNTYPED: &str = "*";

/// A type of ours and its names elsewhere, with blanks between them.
struct Row {
    /// The type; `*` for names that we have no type for.
    ours: &'static str,
    netmiko: &'static str,
    oxidized: &'static str,
    ansible: &'static str,
}

impl Row {
    fn names(&self, system: System) -> impl Iterator<Item = &'static str> {
        let names = match system {
            System::Netmiko => self.netmiko,
            System::Oxidized => self.oxidized,
            System::Ansible => self.ansible,
        };
        names.split_whitespace()
    }
}

/// The table. It stands beside the code, which names no vendor.
fn rows() -> impl Iterator<Item = Row> {
    const TABLE: &str = include_str!("types.txt");
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('|').map(str::trim);
        Some(Row { ours: cells.next()?, netmiko: cells.next()?, oxidized: cells.next()?, ansible: cells.next()? })
    })
}

/// The row in which a system has this name.
fn row_of(system: System, word: &str) -> Option<Row> {
    rows().find(|row| row.ours == word || row.names(system).any(|name| name == word))
}

/// The word without what says how the device is reached.
pub(super) fn without_way(system: System, word: &str) -> (&str, Way) {
    if system != System::Netmiko {
        return (word, Way::Ssh);
    }
    let cut = |tail: &str, way: Way| word.strip_suffix(tail).filter(|head| !head.is_empty()).map(|head| (head, way));
    cut("_telnet", Way::Telnet).or_else(|| cut("_serial", Way::Serial)).unwrap_or((word, Way::Ssh))
}

/// The type of ours.
pub(super) fn ours(system: System, word: &str) -> Ours {
    let word = word.to_ascii_lowercase().replace('-', if system == System::Oxidized { "-" } else { "_" });
    if matches!(word.as_str(), "auto" | "autodetect" | "cli" | "default") {
        return Ours::Auto;
    }
    // `cisco.ios.ios` and `ios` are the same.
    let (collection, last) = word.rsplit_once('.').map_or(("", word.as_str()), |(collection, last)| (collection, last));
    let word = if collection == "nokia.sros" { "sros" } else { last };
    match row_of(system, word) {
        Some(row) if row.ours != UNTYPED => Ours::Known(row.ours),
        _ => Ours::Unknown,
    }
}

/// Is this one of Oxidized's models?
pub(super) fn is_model(word: &str) -> bool {
    word != UNTYPED && row_of(System::Oxidized, &word.to_ascii_lowercase()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_systems_are_ours() {
        for (system, word, expected) in [
            (System::Netmiko, "cisco_ios", Ours::Known("cisco_ios")),
            (System::Netmiko, "autodetect", Ours::Auto),
            (System::Netmiko, "nxos_ssh", Ours::Known("cisco_nxos")),
            (System::Netmiko, "a10", Ours::Unknown),
            (System::Oxidized, "fortigate-ssh", Ours::Known("fortinet")),
            (System::Oxidized, "IOS", Ours::Known("cisco_ios")),
            (System::Ansible, "cisco.iosxr.iosxr", Ours::Known("cisco_xr")),
            (System::Ansible, "community.routeros.routeros", Ours::Known("mikrotik_routeros")),
            (System::Ansible, "nokia.sros.md", Ours::Known("nokia_sros")),
            (System::Ansible, "acme.olt.olt", Ours::Unknown),
        ] {
            assert_eq!(ours(system, word), expected, "{word}");
        }
        assert_eq!(without_way(System::Netmiko, "cisco_ios_telnet"), ("cisco_ios", Way::Telnet));
        assert_eq!(without_way(System::Netmiko, "juniper_junos"), ("juniper_junos", Way::Ssh));
    }

    /// Types that no other system of these has a name of its own for.
    const NAMED_HERE_ONLY: [&str; 2] = ["bird_birdc", "windows_openssh"];

    #[test]
    fn each_type_has_a_name_somewhere_and_no_name_means_two_types() {
        assert!(rows().count() > 28);
        for row in rows().filter(|row| row.ours != UNTYPED) {
            let mut named = NAMED_HERE_ONLY.contains(&row.ours);
            for system in [System::Netmiko, System::Oxidized, System::Ansible] {
                for name in row.names(system) {
                    assert_eq!(ours(system, name), Ours::Known(row.ours), "{name}");
                    named = true;
                }
            }
            assert!(named, "{} has no name elsewhere", row.ours);
        }
    }

    #[test]
    fn a_model_without_a_type_is_still_a_model() {
        assert!(is_model("IOS") && is_model("pfsense") && !is_model("*") && !is_model("admin"));
        assert_eq!(ours(System::Oxidized, "pfsense"), Ours::Unknown);
    }
}

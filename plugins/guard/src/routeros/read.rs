//! The proof that a statement of RouterOS only reads.

use crate::abbreviation::shortens;
use crate::verdict::{Doubt, Proof, excerpt, listed};
use jackfield_plugin::text::Search;

use super::parse::{Inner, Statement, Word};

/// Names of menus by their first letter. Another word at their place may be a verb.
const MENUS: [(char, &str); 24] = [
    ('6', "6to4"),
    ('a', "aaa access access-list accounting action active active-peers address address-list advertisements alert apn area arp"),
    ('b', "backup bandwidth-server bfd bgp bonding bridge"),
    (
        'c',
        "cache calea cap caps-man capsman certificate channel channels client clock cloud community config configuration connect-list connection console container cpu",
    ),
    (
        'd',
        "datapath default-configuration detect-internet device-mode dhcp-client dhcp-relay dhcp-server discovery-settings disk dns dot1x dummy",
    ),
    ('e', "e-mail environment eoip ethernet export"),
    ('f', "file filter firewall forwarding-table"),
    ('g', "gps graphing gre group"),
    ('h', "health history host hotspot"),
    ('i', "identity igmp-proxy inbox installed-sa instance interface interfaces iot ip ip-scan ipip ipsec ipv6 irq isis"),
    ('k', "kid-control"),
    ('l', "l2tp-client l2tp-server layer7-protocol lcd ldp lease leds license list log logging lsa lte"),
    ('m', "mac-server macsec macvlan mangle manual mdb media member mfc mld mode-config mpls msti"),
    ('n', "nat nat-pmp nd ndp-proxy neighbor netwatch network nexthop note ntp"),
    ('o', "option ospf ospf-v3 ovpn-client ovpn-server"),
    (
        'p',
        "package packet partitions peer peers pim pim-sm poe policy pool port ppp pppoe-client pppoe-server pptp-client pptp-server prefix private process profile proposal protocol provisioning proxy",
    ),
    ('q', "queue"),
    (
        'r',
        "radio radius range raw record registration-table remote-cap resource rip romon route router-id routerboard routing rpki rule rules",
    ),
    (
        's',
        "scheduler script secret security security-profiles serial server service service-port session sessions settings shares simple smb sms sniffer snmp socks ssh ssh-keys sstp-client sstp-server state static statistics stats steering store switch system",
    ),
    ('t', "table target template tftp time tool tracking traffic-flow traffic-generator traffic-monitor tree type"),
    ('u', "upnp ups usb used user user-manager"),
    ('v', "veth virtual-routing vlan vlans vpls vrf vrrp vteps vxlan"),
    ('w', "w60g watchdog wifi wifiwave2 wireguard wireless"),
    ('z', "zerotier"),
];

/// Verbs that change, of which a beginning is no menu.
const VERBS: &str = "add backup cancel clear comment create disable edit enable export-certificate fetch flush format-drive generate import \
    install issue kill load make-static move provision reboot release remove renew reset reset-configuration reset-counters \
    revoke run save send set shutdown sign start stop unset upgrade";

/// Commands of the script language that change nothing by themselves.
const SCRIPT: &str = "put local foreach for if while do len tostr tonum toarray tobool toip toip6 totime toid pick find typeof delay nothing \
    time error return convert timestamp resolve";

const PRINT_WORDS: &str = "detail brief terse value-list count-only without-paging stats stats-detail follow follow-only as-value dynamic static \
    active all oid show-ids advanced packages status";

pub(super) fn prove(statement: &Statement) -> Proof {
    statement.words.iter().flat_map(|word| &word.inner).try_for_each(inner)?;
    let Some(first) = statement.words.first() else { return Ok(()) };
    if let Some(name) = first.text.strip_prefix(':') {
        return script_command(name, statement);
    }
    if !first.is_bare() {
        return Err(unknown(statement));
    }
    if matches!(first.text.as_str(), "/" | "..") && statement.words.len() == 1 {
        return Ok(());
    }
    let path = statement.path();
    if let [tool, verb, ..] = path.as_slice()
        && shortens(tool, "tool", 2)
        && matches!(verb.as_str(), "torch" | "profile")
    {
        return watches(statement);
    }
    let Some(place) = path.iter().position(|word| verb(word).is_some()) else {
        // A menu alone is where the next command counts from, as with `cd`.
        let menus = path.len() == statement.path_words() && path.iter().all(|word| is_menu(word)) && !reaches_out(&path);
        return if menus { Ok(()) } else { Err(unknown(statement)) };
    };
    // `update` is a verb elsewhere.
    let menus = path.get(..place).unwrap_or_default();
    // What begins like this and resets shows nothing.
    let resources = matches!(menus, [system, res] if shortens(system, "system", 2) && res == "res")
        && path.get(place).is_some_and(|word| verb(word) == Some("print"));
    if !menus.iter().all(|word| is_menu(word)) && menus != ["system", "package", "update"] && !resources {
        return Err(unknown(statement));
    }
    let verb = path.get(place).and_then(|word| verb(word)).unwrap_or_default();
    let arguments = Arguments { flags: path.get(place + 1..).unwrap_or_default(), words: statement.arguments() };
    if arguments.allow(verb) { Ok(()) } else { Err(Doubt::new("routeros.argument", format!("{} may write", excerpt(&statement.shown())))) }
}

/// What shows the traffic until its time is over.
fn watches(statement: &Statement) -> Proof {
    let arguments = Arguments { flags: &[], words: &statement.words };
    let ends = statement.words.iter().any(|word| word.named().is_some_and(|(name, value)| name == "duration" && !value.is_empty()));
    if ends && !arguments.runs_or_writes() { Ok(()) } else { Err(unknown(statement)) }
}

/// A command that is called like a menu: `/system ssh switch` goes to another machine, and `/tool ip-scan` looks for them.
fn reaches_out(path: &[String]) -> bool {
    let is = |place: usize, full: &str, least: usize| path.get(place).is_some_and(|word| shortens(word, full, least));
    is(0, "ssh", 2) || is(0, "system", 2) && (is(1, "ssh", 2) || is(1, "serial-terminal", 2)) || is(0, "tool", 2) && is(1, "ip-scan", 2)
}

fn inner(inner: &Inner) -> Proof {
    if inner.expression {
        return inner.statements.iter().flat_map(|statement| &statement.words).flat_map(|word| &word.inner).try_for_each(self::inner);
    }
    inner.statements.iter().try_for_each(prove)
}

fn unknown(statement: &Statement) -> Doubt {
    Doubt::new("routeros.unknown-command", format!("{} is not known to read only", excerpt(&statement.shown())))
}

fn script_command(name: &str, statement: &Statement) -> Proof {
    // Behind these stands a block; a text there would be run unseen.
    let blocks = |word: &&Word| word.named().is_some_and(|(name, _)| matches!(name, "do" | "else" | "on-error" | "while" | "command"));
    let open = |word: &Word| word.inner.is_empty() || word.quoted;
    let hidden =
        statement.words.iter().filter(blocks).any(open) || matches!(name, "do" | "time") && statement.words.get(1).is_none_or(open);
    if listed(SCRIPT, name) && !hidden { Ok(()) } else { Err(unknown(statement)) }
}

fn verb(word: &str) -> Option<&'static str> {
    match word {
        "get" | "find" | "ping" | "traceroute" => [("get", "get"), ("find", "find"), ("ping", "ping"), ("traceroute", "traceroute")]
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, verb)| *verb),
        "monitor-traffic" => Some("monitor"),
        _ if shortens(word, "print", 2) => Some("print"),
        _ if shortens(word, "export", 3) => Some("export"),
        _ if shortens(word, "monitor", 3) => Some("monitor"),
        _ => None,
    }
}

fn is_menu(word: &str) -> bool {
    let group = MENUS.iter().find(|(first, _)| word.starts_with(*first)).map_or("", |(_, menus)| *menus);
    let begins = |full: &str| full.starts_with(word);
    listed(group, word) || word.len() >= 2 && group.split(' ').any(begins) && !VERBS.split(' ').any(begins)
}

/// What stands behind a verb.
struct Arguments<'a> {
    /// Bare words right behind it.
    flags: &'a [String],
    words: &'a [Word],
}

impl Arguments<'_> {
    fn allow(&self, verb: &str) -> bool {
        let bare = |word: &Word| {
            word.is_bare()
                || word.quoted
                || !word.inner.is_empty()
                || word.text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '*' | '$'))
        };
        match verb {
            "print" => self.print(),
            "export" => {
                self.words.iter().all(|word| word.named().is_none() && word.is_bare())
                    && self
                        .flags
                        .iter()
                        .all(|word| matches!(word.as_str(), "compact" | "verbose" | "terse" | "hide-sensitive" | "show-sensitive"))
            }
            "monitor" | "ping" | "traceroute" if self.runs_or_writes() => false,
            "monitor" => self.flags.iter().any(|word| word == "once") || self.words.iter().any(|word| word.text == "once"),
            "ping" => self.words.iter().any(|word| word.named().is_some_and(|(name, _)| name == "count")),
            "traceroute" => true,
            _ => self.words.iter().all(|word| word.named().is_some() || bare(word) || !word.text.has('=')),
        }
    }

    /// A text behind `do` is run unseen; a block was judged. A shortened name counts, too.
    fn runs_or_writes(&self) -> bool {
        let meant = |name: &str, full: &str| !name.is_empty() && full.starts_with(name);
        self.words.iter().any(|word| {
            word.named().is_some_and(|(name, _)| {
                meant(name, "file") || meant(name, "append") || meant(name, "do") && (word.quoted || word.inner.is_empty())
            })
        })
    }

    /// Behind `where` the names are those of a filter.
    fn print(&self) -> bool {
        let mut filter = false;
        let flags = self.flags.iter().all(|word| {
            filter |= word == "where";
            filter || listed(PRINT_WORDS, word)
        });
        flags
            && self.words.iter().all(|word| {
                filter |= word.text == "where";
                match word.named() {
                    Some((name, _)) if filter => name.is_empty() || !"file".starts_with(name),
                    Some((name, _)) => matches!(name, "from" | "interval" | "proplist"),
                    None if word.is_bare() => filter || listed(PRINT_WORDS, &word.text),
                    None => true,
                }
            })
    }
}

impl Statement {
    /// How many words the path would have if every word belonged to it.
    fn path_words(&self) -> usize {
        self.words.iter().flat_map(|word| word.text.split('/')).filter(|word| !matches!(*word, "" | "..")).count()
    }

    /// The words behind the path.
    fn arguments(&self) -> &[Word] {
        let bare = self.words.iter().take_while(|word| word.is_bare()).count();
        self.words.get(bare..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_stand_under_their_letter_and_may_be_shortened_where_no_verb_is_meant() {
        assert!(MENUS.iter().all(|(first, menus)| menus.split(' ').all(|menu| menu.starts_with(*first))));
        for (word, expected) in [
            ("ip", true),
            ("address", true),
            ("addr", true),
            ("sys", true),
            ("re", false),
            ("a", false),
            ("remove", false),
            ("reboot", false),
            ("provisioning", true),
            ("provision", false),
            ("sta", false),
            ("sto", false),
        ] {
            assert_eq!(is_menu(word), expected, "{word}");
        }
    }
}

//! Cutting the line that one works on: interfaces, addresses, filters, all processes.

use crate::abbreviation::shortens;
use crate::verdict::Danger;
use jackfield_plugin::text::Search;

use super::danger as named;

pub(super) fn danger(program: &str, line: &[String]) -> Option<Danger> {
    let cuts = match program {
        "ip" => ip(line),
        "ifconfig" => ifconfig(line),
        "iptables" | "ip6tables" | "ebtables" | "arptables" | "iptables-legacy" | "iptables-nft" | "ip6tables-legacy" | "ip6tables-nft" => {
            iptables(line)
        }
        "nft" => nft(line),
        "ufw" => ufw(line),
        "firewall-cmd" => firewall_cmd(line),
        "route" => route(line),
        "nmcli" => nmcli(line),
        _ => false,
    };
    if cuts {
        return Some(named("posix.lockout", line, "may cut this session off"));
    }
    if matches!(program, "birdc" | "birdcl") && birdc(line) {
        return Some(named("posix.outage", line, "stops routing, or changes it"));
    }
    (program == "kill" && kills_all(line)).then(|| named("posix.outage", line, "stops every process"))
}

/// The operands. `valued`: options, which may be shortened, whose next word is their value.
fn operands<'a>(line: &'a [String], valued: &[&str]) -> Vec<&'a str> {
    let mut rest = line.iter().skip(1).map(String::as_str);
    let mut found = Vec::new();
    while let Some(word) = rest.next() {
        match word.strip_prefix('-') {
            None => found.push(word),
            Some(option) => {
                let name = option.trim_start_matches('-');
                if !name.has('=') && valued.iter().any(|full| !name.is_empty() && full.starts_with(name)) {
                    rest.next();
                }
            }
        }
    }
    found
}

/// Does a shortened word stand here?
fn begins(words: &[&str], place: usize, full: &str) -> bool {
    words.get(place).is_some_and(|word| !word.is_empty() && full.starts_with(word))
}

/// The route to everywhere.
fn is_default(word: &str) -> bool {
    matches!(word, "default" | "0.0.0.0" | "0.0.0.0/0" | "0/0" | "::/0")
}

/// One that leads out of the machine, not one that was made for a container.
fn is_outer(interface: &str) -> bool {
    ["eth", "en", "wl", "bond", "ww"].iter().any(|prefix| interface.starts_with(prefix))
}

/// Words of `ip` may be shortened.
fn ip(line: &[String]) -> bool {
    // Another name space is not the one that carries the session.
    if line.iter().skip(1).take_while(|word| word.starts_with('-')).any(|word| matches!(word.as_str(), "-n" | "-netns")) {
        return false;
    }
    let words = operands(line, &["family"]);
    // Other values of options are numbers.
    let words: Vec<&str> = words.into_iter().skip_while(|word| word.bytes().all(|byte| byte.is_ascii_digit())).collect();
    let begins = |place: usize, full: &str| begins(&words, place, full);
    let has = |word: &str| words.contains(&word);
    let everywhere = || words.iter().any(|word| is_default(word));
    let nowhere = || has("blackhole") || has("unreachable") || has("prohibit");
    if begins(0, "link") {
        let moves = has("netns") && words.iter().any(|word| is_outer(word));
        return has("down") || begins(1, "delete") || moves;
    }
    if begins(0, "route") {
        return begins(1, "flush") || everywhere() && (begins(1, "delete") || begins(1, "replace") || begins(1, "change") || nowhere());
    }
    begins(0, "address") && (begins(1, "flush") || begins(1, "delete"))
        || begins(0, "neighbour") && begins(1, "flush")
        || begins(0, "rule") && begins(1, "flush")
}

fn ifconfig(line: &[String]) -> bool {
    let has = |name: &str| line.iter().skip(2).any(|word| word == name);
    let another = || {
        let address = |word: &String| word.starts_with(|c: char| c.is_ascii_digit());
        line.get(1).is_some_and(|name| is_outer(name) && !name.has(':')) && line.get(2).is_some_and(address)
    };
    ["down", "del", "delete", "-alias", "destroy", "unplumb", "0.0.0.0"].into_iter().any(has) || another()
}

fn route(line: &[String]) -> bool {
    let has = |name: &str| line.iter().skip(1).any(|word| word == name);
    let everywhere = || line.iter().skip(1).any(|word| is_default(word));
    has("flush") || (has("del") || has("delete") || has("change")) && everywhere()
}

/// Is the port of ssh one of these, as in `20:30,80`?
fn has_ssh(ports: &str) -> bool {
    ports.split(',').any(|ports| {
        let (first, last) = ports.split_once([':', '-']).unwrap_or((ports, ports));
        let number = |text: &str, without: u16| if text.is_empty() { Some(without) } else { text.parse().ok() };
        ports == "ssh"
            || !ports.is_empty()
                && number(first, 0).is_some_and(|first| first <= 22)
                && number(last, u16::MAX).is_some_and(|last| last >= 22)
    })
}

/// Flushing, a policy, or a rule that drops everything or the port of ssh.
fn iptables(line: &[String]) -> bool {
    let words: Vec<&str> = line.iter().skip(1).map(String::as_str).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if has(&["-F", "--flush", "-P", "--policy"]) || words.iter().any(|word| word.starts_with("-F") || word.starts_with("-P")) {
        return true;
    }
    // With `!` in front everything else is meant.
    let value = |names: &[&str]| {
        let place = words.iter().position(|word| names.contains(word))?;
        let negated = place.checked_sub(1).and_then(|before| words.get(before)) == Some(&"!");
        words.get(place + 1).copied().filter(|_| !negated)
    };
    let chain = has(&["INPUT", "OUTPUT", "PREROUTING", "POSTROUTING"]);
    let ports = value(&["--dport", "--dports", "--destination-port", "--destination-ports", "--sport", "--sports"]);
    let ssh = ports.is_some_and(has_ssh);
    let from_one = value(&["-s", "--source", "--src"]).is_some_and(|from| !is_default(from));
    if has(&["-D", "--delete"]) {
        return chain && ssh && has(&["ACCEPT"]);
    }
    let adds = chain && has(&["-A", "-I", "--append", "--insert", "-R", "--replace"]);
    let to_one = value(&["-d", "--destination", "--dst"]).is_some_and(|to| !is_default(to));
    let one_protocol = value(&["-p", "--protocol"]).is_some_and(|name| !matches!(name, "tcp" | "all" | "6" | "0"));
    let local = value(&["-i", "-o", "--in-interface", "--out-interface"]).is_some_and(|name| !is_outer(name));
    let special = |word: &&str| matches!(*word, "-m" | "--match" | "--tcp-flags" | "-f" | "--fragment");
    let matches = words.iter().any(|word| special(word) || word.ends_with("port") || word.ends_with("ports"));
    let narrow = from_one || to_one || one_protocol || local || matches;
    adds && has(&["DROP", "REJECT"]) && (!narrow || ssh && !from_one)
}

/// Its words may stand in one text. A file of rules may take the place of all there are.
fn nft(line: &[String]) -> bool {
    let begins = |prefix: &str| line.iter().skip(1).any(|word| word.starts_with(prefix));
    let is_file = |word: &String| word.starts_with("--f") || word.starts_with('-') && !word.starts_with("--") && word.has('f');
    if line.iter().skip(1).any(is_file) && !begins("-c") && !begins("--c") {
        return true;
    }
    let text = line.get(1..).unwrap_or_default().join(" ");
    let forwards = text.holds("hook forward");
    text.split([';', '\n']).any(|command| {
        let words: Vec<&str> = command.split([' ', '\t', '{', '}', ',', '"']).filter(|word| !word.is_empty()).collect();
        let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
        let closes = words.windows(2).any(|pair| matches!(pair, ["policy", "drop"])) && !forwards;
        let takes = has(&["flush"]) || has(&["delete", "destroy"]) && has(&["table"]);
        takes || closes || has(&["rule"]) && has(&["add", "insert", "replace"]) && nft_rule(&words)
    })
}

/// A rule that drops everything or the port of ssh.
fn nft_rule(words: &[&str]) -> bool {
    let has = |name: &str| words.contains(&name);
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let is_port = |word: &str| is_number(word) || word == "ssh";
    let is_plain =
        |word: &str| is_number(word) || ["drop", "reject", "counter", "packets", "bytes", "log", "position", "handle"].contains(&word);
    let ports = words.iter().skip_while(|word| !matches!(**word, "dport" | "sport")).skip(1);
    let of_ssh = ports.take_while(|word| is_port(word)).any(|word| has_ssh(word)) && !has("saddr");
    let of_all = words.iter().rev().take_while(|word| !is_nft_chain(word)).all(|word| is_plain(word));
    (has("drop") || has("reject")) && words.iter().any(|word| is_nft_chain(word)) && (of_ssh || of_all)
}

fn is_nft_chain(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "input" | "output" | "prerouting" | "postrouting")
}

fn ufw(line: &[String]) -> bool {
    let is_ssh = |word: &String| matches!(word.to_ascii_lowercase().as_str(), "22" | "22/tcp" | "ssh" | "openssh" | "ssh/tcp");
    let has = |word: &str| line.iter().any(|argument| argument == word);
    let blocks = has("deny") || has("reject");
    if has("--dry-run") || has("route") || has("routed") {
        return false;
    }
    if has("enable") || has("default") && blocks {
        return true;
    }
    let from_one = line.windows(2).any(|pair| matches!(pair, [sign, from] if sign == "from" && from != "any" && !is_default(from)));
    let ssh = line.iter().skip(1).any(is_ssh);
    let all = (has("from") || has("on")) && !has("port") && !has("proto") && !has("app");
    !from_one && if has("delete") { ssh && has("allow") } else { blocks && (ssh || all) }
}

fn firewall_cmd(line: &[String]) -> bool {
    let words: Vec<&str> = line.iter().skip(1).flat_map(|word| word.split('=')).collect();
    let has = |word: &str| words.contains(&word);
    let moves = has("--change-interface") || has("--add-interface");
    let closes = |pair: &[&str]| match pair {
        ["--remove-service", "ssh"] | ["--set-default-zone", "drop" | "block"] => true,
        ["--remove-port", port] => port.strip_suffix("/tcp").is_some_and(has_ssh),
        ["--zone", "drop" | "block"] => moves,
        _ => false,
    };
    has("--panic-on") || has("--complete-reload") || words.windows(2).any(closes)
}

fn nmcli(line: &[String]) -> bool {
    let words = operands(line, &["fields", "get-values", "mode", "colors", "escape", "wait"]);
    let begins = |place: usize, full: &str| begins(&words, place, full);
    let off = words.contains(&"off");
    (begins(0, "networking") || begins(0, "radio")) && off
        || begins(0, "connection") && (begins(1, "down") || begins(1, "delete"))
        || begins(0, "device") && (begins(1, "down") || begins(1, "disconnect") || begins(1, "delete"))
}

/// Its words, which may be shortened and stand in one text, are a command of BIRD.
fn birdc(line: &[String]) -> bool {
    const STOPPED: [(&str, usize); 6] = [("down", 2), ("reload", 3), ("disable", 2), ("restart", 4), ("graceful", 1), ("configure", 1)];
    let text = operands(line, &["s"]).join(" ");
    let mut words = text.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let looks = shortens(second, "check", 2) || shortens(second, "status", 2);
    STOPPED.iter().any(|(full, least)| shortens(first, full, *least)) && !(looks && shortens(first, "configure", 1))
}

/// Process -1 is every one, process 1 holds the system.
fn kills_all(line: &[String]) -> bool {
    let mut rest = line.iter().skip(1).map(String::as_str).peekable();
    let mut signal = "";
    let mut first = true;
    while let Some(word) = rest.next() {
        match word {
            "-s" | "-n" | "--signal" if first => signal = rest.next().unwrap_or_default(),
            "--" => {}
            "-l" | "-L" => return false,
            // In front of a process this is signal 1, alone it is every process.
            _ if first && word.starts_with('-') && rest.peek().is_some() => signal = word.trim_start_matches('-'),
            "-1" => return signal != "0",
            "1" => return signal != "0",
            _ => {}
        }
        first = false;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(line: &str) -> bool {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        danger(words.first().map_or("", String::as_str), &words).is_some()
    }

    #[test]
    fn what_cuts_the_line() {
        for line in [
            "ip link set eth0 down",
            "ip l s dev eth0 down",
            "ip -4 addr flush dev eth0",
            "ip a f dev eth0",
            "ip route flush table main",
            "ip route del default",
            "ifconfig eth0 down",
            "iptables -F",
            "iptables -t nat -F",
            "iptables -P INPUT DROP",
            "iptables -A INPUT -j DROP",
            "iptables -I INPUT -p tcp --dport 22 -j DROP",
            "nft flush ruleset",
            "ufw deny 22",
            "ufw delete allow OpenSSH",
            "nmcli con down eth0",
            "nmcli n off",
            "route del default",
            "ip link delete br0",
            "ip -f inet l d br0",
            "ip link set eth0 netns blue",
            "ip addr del 192.0.2.5/24 dev eth0",
            "ip route replace default via 192.0.2.1",
            "ip route add blackhole default",
            "ip rule flush",
            "ifconfig eth0 192.0.2.9 netmask 255.255.255.0",
            "ifconfig em0 -alias 192.0.2.5",
            "ifconfig eth0 0.0.0.0",
            "route del -net 0.0.0.0/0",
            "iptables -D INPUT -p tcp --dport 22 -j ACCEPT",
            "iptables -A INPUT -i eth0 -j DROP",
            "iptables -A INPUT -p tcp -j DROP",
            "iptables -A INPUT -p tcp --dport 1:1024 -j DROP",
            "iptables -I INPUT ! -s 192.0.2.1 -j DROP",
            "iptables -t raw -A PREROUTING -j DROP",
            "nft -f /etc/nftables.conf",
            "nft list ruleset; flush ruleset",
            "nft delete table inet filter",
            "nft add rule inet filter input drop",
            "nft add rule inet filter input counter drop",
            "nft add rule inet filter input tcp dport { 80, 22 } drop",
            "nft add chain inet filter input { type filter hook input priority 0 ; policy drop ; }",
            "ufw enable",
            "ufw --force enable",
            "ufw default deny incoming",
            "ufw deny proto tcp from any to any port 22",
            "ufw deny in on eth0",
            "ufw deny from any",
            "firewall-cmd --remove-service ssh",
            "firewall-cmd --permanent --remove-service=ssh",
            "firewall-cmd --remove-port=20-30/tcp",
            "firewall-cmd --set-default-zone=drop",
            "nmcli -f NAME con down eth0",
            "nmcli dev dis eth0",
            "nmcli radio all off",
            "birdc down",
            "birdc -s /run/b.ctl disable all",
            "birdcl configure undo",
            "kill -9 -1",
            "kill -s KILL -- -1",
            "kill -1",
            "kill -9 1",
        ] {
            assert!(cuts(line), "{line}");
        }
    }

    #[test]
    fn what_does_not() {
        for line in [
            "ip link set eth0 up",
            "ip addr add 10.0.0.1/24 dev eth0",
            "ip route add default via 10.0.0.1",
            "iptables -A INPUT -p tcp --dport 80 -j DROP",
            "iptables -A INPUT -s 192.0.2.1 -j DROP",
            "iptables -A INPUT -s 192.0.2.1 -p tcp --dport 22 -j DROP",
            "ip -n blue link set eth0 down",
            "ip link set veth1 netns blue",
            "ip route add blackhole 198.51.100.0/24",
            "ip route replace 198.51.100.0/24 via 192.0.2.1",
            "ip rule add from 192.0.2.0/24 table 5",
            "ifconfig eth0 up",
            "ifconfig eth0 mtu 1400",
            "ifconfig tun0 10.0.0.1",
            "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP",
            "iptables -A INPUT -p icmp -j DROP",
            "iptables -A INPUT -i docker0 -j DROP",
            "iptables -A INPUT -p tcp --dport 80:443 -j REJECT",
            "iptables -A FORWARD -j DROP",
            "iptables -D INPUT -s 192.0.2.1 -j DROP",
            "nft -c -f /etc/nftables.conf",
            "nft add rule inet filter input ip saddr 192.0.2.1 drop",
            "nft add rule inet filter input tcp dport 80 drop",
            "nft add rule inet filter forward drop",
            "nft add rule inet filter input tcp dport 22 accept",
            "ufw default allow outgoing",
            "ufw default deny routed",
            "ufw --dry-run enable",
            "ufw deny from 192.0.2.1",
            "ufw deny from any to any port 8080",
            "ufw delete deny 22",
            "firewall-cmd --reload",
            "firewall-cmd --zone=public --add-service=http",
            "nmcli radio wifi on",
            "birdc configure check",
            "birdc enable bgp1",
            "nft delete set inet filter blocked",
            "ufw allow ssh",
            "ufw deny 8080",
            "nmcli con up eth0",
            "kill -1 1234",
            "kill -9 1234",
            "kill 4321",
            "kill -0 1",
        ] {
            assert!(!cuts(line), "{line}");
        }
    }
}

//! Cutting the line that one works on: interfaces, addresses, filters, all processes.

use crate::verdict::Danger;

use super::danger as named;

pub(super) fn danger(program: &str, line: &[String]) -> Option<Danger> {
    let has = |word: &str| line.iter().skip(1).any(|argument| argument == word);
    let cuts = match program {
        "ip" => ip(line),
        "ifconfig" => has("down"),
        "iptables" | "ip6tables" | "ebtables" | "arptables" | "iptables-legacy" | "iptables-nft" => iptables(line),
        "nft" => has("flush"),
        "ufw" => ufw(line),
        "firewall-cmd" => has("--panic-on") || has("--remove-service=ssh") || has("--remove-port=22/tcp"),
        "route" => has("flush") || (has("del") || has("delete")) && (has("default") || has("0.0.0.0")),
        "nmcli" => nmcli(line),
        "networkctl" => has("down") || has("delete"),
        _ => false,
    };
    if cuts {
        return Some(named("posix.lockout", line, "may cut this session off"));
    }
    (program == "kill" && kills_all(line)).then(|| named("posix.outage", line, "stops every process"))
}

/// Words of `ip` may be shortened.
fn ip(line: &[String]) -> bool {
    let words: Vec<&str> = line.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let begins = |place: usize, full: &str| words.get(place).is_some_and(|word| !word.is_empty() && full.starts_with(word));
    let has = |word: &str| words.contains(&word);
    let route = begins(0, "route");
    begins(0, "link") && has("down")
        || (begins(0, "address") || route || begins(0, "neighbour")) && begins(1, "flush")
        || route && begins(1, "delete") && (has("default") || has("0.0.0.0/0") || has("::/0"))
}

/// Flushing, a policy, or a rule that drops everything or the port of ssh.
fn iptables(line: &[String]) -> bool {
    let words: Vec<&str> = line.iter().skip(1).map(String::as_str).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if has(&["-F", "--flush", "-P", "--policy"]) || words.iter().any(|word| word.starts_with("-F") || word.starts_with("-P")) {
        return true;
    }
    let adds = has(&["-A", "-I", "--append", "--insert", "-R", "--replace"]) && has(&["INPUT", "OUTPUT"]);
    let drops = has(&["DROP", "REJECT"]);
    let narrow = has(&["-s", "-d", "-p", "-i", "-o", "-m", "--source", "--destination", "--protocol", "--in-interface", "--out-interface"]);
    let ssh = words.windows(2).any(|pair| matches!(pair, ["--dport" | "--dports" | "--destination-port" | "--sport", port] if port.split(',').any(|port| matches!(port, "22" | "ssh"))));
    let from_one = has(&["-s", "--source"]);
    adds && drops && (!narrow || ssh && !from_one)
}

fn ufw(line: &[String]) -> bool {
    let is_ssh = |word: &String| matches!(word.to_ascii_lowercase().as_str(), "22" | "22/tcp" | "ssh" | "openssh" | "ssh/tcp");
    let has = |word: &str| line.iter().any(|argument| argument == word);
    let ssh = line.iter().skip(1).any(is_ssh);
    ssh && (has("deny") || has("reject") || has("delete") && has("allow")) && !has("from")
}

fn nmcli(line: &[String]) -> bool {
    let words: Vec<&str> = line.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let begins = |place: usize, full: &str| words.get(place).is_some_and(|word| !word.is_empty() && full.starts_with(word));
    begins(0, "networking") && words.contains(&"off")
        || begins(0, "connection") && (begins(1, "down") || begins(1, "delete"))
        || begins(0, "device")
            && words.get(1).is_some_and(|word| matches!(*word, "down" | "disconnect" | "delete") || word.starts_with("disc"))
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

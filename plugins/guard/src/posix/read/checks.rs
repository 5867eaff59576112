//! Programs whose reads no list of options can tell.

use crate::family::{Dialect, Place};
use crate::ios;
use crate::verdict::{Doubt, Proof, excerpt, listed};
use jackfield_plugin::text::Search;

use super::super::{awk as awk_text, sed as sed_text};
use super::argument::Argument;
use super::options::{Line, Shape};
use super::programs::{MANY, writes};

/// Only these words, besides arguments that are no options.
fn only_words(arguments: &[Argument], allowed: &str) -> Proof {
    for argument in arguments.iter().skip(1) {
        let known = argument.exact && (!argument.text.starts_with('-') || allowed.split_whitespace().any(|word| word == argument.text));
        let operand = !argument.may_be_option() && !argument.text.starts_with('-');
        if !known && !operand {
            return Err(writes(arguments));
        }
    }
    Ok(())
}

/// Operators of a test with a word before them and one behind.
const BETWEEN: &str = "= == != < > -eq -ne -lt -le -gt -ge -ef -nt -ot -a -o";

/// A comparison of numbers runs what an index holds in some shells, and so does the question for a variable or a terminal.
pub(super) fn test(arguments: &[Argument]) -> Proof {
    let is_number = |word: &Argument| word.exact && word.text.chars().all(|c| c.is_ascii_digit());
    let ends = |word: Option<&Argument>| word.is_none_or(|word| word.is("]"));
    let computes = |(place, pair): (usize, &[Argument])| {
        let [option, word] = pair else { return false };
        match option.text.as_str() {
            "-v" | "-R" => !word.exact || word.text.has('['),
            "-t" => !is_number(word) && !word.is("]"),
            // It may become one of these, where what stands behind it lets it.
            _ if option.may_be_option() => {
                let between = listed(BETWEEN, &word.text) && !(word.text.starts_with('-') && ends(arguments.get(place + 2)));
                !word.exact || !between && !word.is("]")
            }
            _ => false,
        }
    };
    if hides_command(arguments) || arguments.windows(2).enumerate().any(computes) { Err(writes(arguments)) } else { Ok(()) }
}

/// Does a word hold what a shell runs where it computes?
fn hides_command(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| argument.text.holds("$(") || argument.text.has('`'))
}

/// `-v` sets a variable, `%n` as well, and for a number some shells compute what a variable holds.
pub(super) fn printf(arguments: &[Argument]) -> Proof {
    let (options, rest) = match arguments.get(1..).unwrap_or_default() {
        [first, rest @ ..] if first.is("--") => (false, rest),
        rest => (true, rest),
    };
    let Some((format, texts)) = rest.split_first() else { return Ok(()) };
    let is_number = |text: &Argument| text.exact && text.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    let computes = (!format.exact || takes_more_than_texts(&format.text)) && !texts.iter().all(is_number);
    let may_be_option = format.may_be_option() || options && format.text.starts_with('-');
    if computes || may_be_option || hides_command(arguments) { Err(writes(arguments)) } else { Ok(()) }
}

/// Is there anything in a format but what shows a text as it is? `%d`, `%*s`, `%(%F)T`.
fn takes_more_than_texts(format: &str) -> bool {
    let mut rest = format;
    while let Some((_, behind)) = rest.split_once('%') {
        let sign = behind.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | ' ' | '#' | '.'));
        let Some(next) = sign.strip_prefix(['s', 'b', 'c', 'q', '%']) else { return true };
        rest = next;
    }
    false
}

pub(super) fn awk(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape { letters: "F:v:", long: "field-separator= assign= re-interval posix traditional", operands: MANY };
    let line = SHAPE.read(arguments)?;
    // The awk of BSD and macOS passes over long options, so the word behind such a one is the program.
    let may_be_program = arguments.iter().any(|argument| argument.is("--field-separator") || argument.is("--assign"));
    let Some(program) = line.operand(0).filter(|_| !may_be_program) else { return Err(writes(arguments)) };
    awk_text::prove(program)
}

pub(super) fn sed(arguments: &[Argument]) -> Proof {
    // `-l` is left out: on BSD it takes no value, and what follows may be `-i`.
    const SHAPE: Shape = Shape {
        letters: "nErsuze:",
        long: "quiet silent regexp-extended separate unbuffered null-data expression= line-length= sandbox debug posix",
        operands: MANY,
    };
    let line = SHAPE.read(arguments)?;
    if !line.has_any("e expression") {
        let Some(script) = line.operand(0) else { return Err(writes(arguments)) };
        return sed_text::prove(script);
    }
    let mut scripts = 0;
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let attached = argument.text.strip_prefix("--expression=").or_else(|| {
            let option = argument.text.strip_prefix('-').filter(|option| !option.starts_with('-'))?;
            option.split_once('e').map(|(_, script)| script)
        });
        let script = match attached {
            Some("") => rest.next(),
            Some(_) => Some(argument),
            None if argument.is("--expression") => rest.next(),
            None => continue,
        };
        let Some(script) = script.filter(|script| script.exact) else { return Err(writes(arguments)) };
        sed_text::prove(attached.filter(|text| !text.is_empty()).unwrap_or(&script.text))?;
        scripts += 1;
    }
    if scripts > 0 { Ok(()) } else { Err(writes(arguments)) }
}

/// `+` in front of an operand is a command for the pager.
fn pager(arguments: &[Argument], shape: Shape, places: &str) -> Proof {
    let line = shape.read(arguments)?;
    let harmless = |operand: &&Argument| match operand.text.strip_prefix('+') {
        Some(command) => operand.exact && (places.contains(command) || command.chars().all(|c| c.is_ascii_digit())),
        None => true,
    };
    if line.operands.iter().all(harmless) { Ok(()) } else { Err(writes(arguments)) }
}

pub(super) fn less(arguments: &[Argument]) -> Proof {
    pager(arguments, Shape { letters: "NSRFXiIMmsnerEgGqQcfuUwJ", long: "", operands: MANY }, "GF")
}

pub(super) fn more(arguments: &[Argument]) -> Proof {
    pager(arguments, Shape { letters: "dflcsu", long: "", operands: MANY }, "")
}

/// Listing an archive; one with a colon in its name is fetched by a program.
pub(super) fn tar(arguments: &[Argument]) -> Proof {
    let mode = arguments.get(1).filter(|mode| mode.exact).map_or("", |mode| mode.text.trim_start_matches('-'));
    let lists = mode.has('t') && mode.ends_with('f') && mode.chars().all(|c| "tvfzjJa".has(c));
    let no_option = |argument: &Argument| !argument.may_be_option() && !argument.text.starts_with('-');
    let plain = arguments.get(2).is_some_and(|archive| archive.exact && !archive.text.has(':') && (archive.is("-") || no_option(archive)));
    let operands = arguments.iter().skip(3).all(no_option);
    if lists && plain && operands { Ok(()) } else { Err(writes(arguments)) }
}

/// Lists an archive, or unpacks it to the output with `-p`. Behind a `--` the next option counts the other way round:
/// `unzip -l -- -l x.zip` unpacks. Behind an archive an option is the name of a file in it: `unzip x.zip '*' -l` unpacks as well.
pub(super) fn unzip(arguments: &[Argument]) -> Proof {
    let line = Shape { letters: "lvtZ1qp", long: "", operands: MANY }.read(arguments)?;
    let turns = arguments.iter().any(|argument| argument.is("--"));
    if line.begins_with_any("l v t Z p") && !turns { Ok(()) } else { Err(writes(arguments)) }
}

/// To those of zutils an option, which may be shortened, names the program that unpacks. A name that is known only later counts as a file.
pub(super) fn unpacked(arguments: &[Argument]) -> Proof {
    let starts = |argument: &Argument| {
        let name = argument.text.split('=').next().unwrap_or_default();
        let is_long = name.starts_with("--") && (name.len() > 2 || !argument.exact);
        is_long && ["--bz2", "--gz", "--lz", "--xz", "--zst"].iter().any(|option| option.starts_with(name))
    };
    if arguments.iter().skip(1).any(starts) { Err(writes(arguments)) } else { Ok(()) }
}

/// `e` among letters without a sign in front shows what processes were given in their environment, as `/proc/1/environ` does, wherever
/// the letters stand: `ps -ef e`.
pub(super) fn ps(arguments: &[Argument]) -> Proof {
    const LONG: &str = "--format --sort --user --User --group --Group --pid --ppid --quick-pid --sid --tty";
    let mut is_value = false;
    for word in arguments.iter().skip(1) {
        let text = word.text.as_str();
        // Behind one of these stands a value.
        let valued = match text.as_bytes() {
            [b'-', b'-', ..] => "=",
            [b'-', ..] => "CGgnoOpqstuU",
            _ => "kNoOpqtU,",
        };
        let at = text.find(|c| valued.has(c));
        let letters = text.get(..at.unwrap_or(text.len())).unwrap_or_default();
        let shows = letters.starts_with(|c: char| c.is_ascii_alphabetic()) && letters.has('e');
        if !is_value && (shows || at.is_none() && word.may_be_option()) {
            return Err(Doubt::new(
                "posix.argument",
                format!("{} may show the environment of processes", excerpt(&format!("ps {letters}"))),
            ));
        }
        let takes_next = at.is_some_and(|at| at + 1 == text.len()) && word.exact && valued != "=" || listed(LONG, text);
        is_value = !is_value && takes_next;
    }
    Ok(())
}

/// It hands its words to a server as they are: to one that is named in the line only what stands there.
pub(super) fn whois(arguments: &[Argument]) -> Proof {
    let named = arguments.iter().skip(1).any(|argument| argument.text.starts_with('-'));
    if named && arguments.iter().any(|argument| !argument.exact) { Err(writes(arguments)) } else { Ok(()) }
}

/// `wg show`, and what it tells of one thing but keys.
pub(super) fn wg(arguments: &[Argument]) -> Proof {
    const TOLD: &str = "public-key listen-port fwmark peers endpoints allowed-ips latest-handshakes persistent-keepalive transfer";
    let shows = match arguments.get(1..).unwrap_or_default() {
        [] => true,
        [show] => show.is("show"),
        [show, name] => show.is("show") && !name.several,
        [show, name, told] => show.is("show") && !name.several && told.exact && listed(TOLD, &told.text),
        _ => false,
    };
    if shows { Ok(()) } else { Err(writes(arguments)) }
}

/// It reads one option from each word, so a letter behind another has no value: a name that seems to be one is written to.
pub(super) fn xxd(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape { letters: "abeipuEc:g:l:o:s:n:", long: "", operands: 1 };
    let plain = |argument: &Argument| Argument {
        text: if argument.is("-ps") || argument.is("-plain") { "-p".to_owned() } else { argument.text.clone() },
        ..*argument
    };
    let plain: Vec<Argument> = arguments.iter().map(plain).collect();
    let several = |argument: &Argument| argument.text.starts_with('-') && argument.text.chars().nth(2).is_some_and(|c| !c.is_ascii_digit());
    if plain.iter().skip(1).any(several) { Err(writes(arguments)) } else { SHAPE.read(&plain).map(drop) }
}

/// An operand sets the clock, unless it is a format.
pub(super) fn date(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape {
        letters: "uRI?d:r:f:",
        long: "utc universal iso-8601 rfc-3339 rfc-email date= reference= debug resolution file=",
        // BSD's takes a second one for the time to set, in the form that `-f` tells.
        operands: 1,
    };
    let line = SHAPE.read(arguments)?;
    if line.operands.iter().all(|operand| operand.text.starts_with('+')) { Ok(()) } else { Err(writes(arguments)) }
}

pub(super) fn service(arguments: &[Argument]) -> Proof {
    let status = arguments.len() == 3 && arguments.get(2).is_some_and(|word| word.is("status"));
    let all = arguments.len() == 2 && arguments.get(1).is_some_and(|word| word.is("--status-all"));
    let plain = arguments.get(1).is_some_and(|name| all || name.exact && !name.text.starts_with('-') && !name.text.has('/'));
    if (status || all) && plain { Ok(()) } else { Err(writes(arguments)) }
}

/// A name with `=` is set, on FreeBSD one with `:` as well.
pub(super) fn sysctl(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape { letters: "aAbeNnr:", long: "all names values pattern= binary ignore", operands: MANY };
    shows_names(SHAPE, arguments)
}

/// `sysrc -n hostname`. A name with `=` is set.
pub(super) fn sysrc(arguments: &[Argument]) -> Proof {
    shows_names(Shape { letters: "aAnNeiv", long: "", operands: MANY }, arguments)
}

/// `sgdisk -p /dev/sda`, `gdisk -l /dev/sda`
pub(super) fn shows_table(arguments: &[Argument]) -> Proof {
    let shows = match arguments {
        [program, option, device] if program.text.ends_with("sgdisk") => {
            (option.is("-p") || option.is("--print")) && !device.several && device.text.starts_with('/')
        }
        [_, option, device] => option.is("-l") && !device.several && device.text.starts_with('/'),
        _ => false,
    };
    if shows { Ok(()) } else { Err(writes(arguments)) }
}

/// `postconf -h myhostname`. A name with `=` is set.
pub(super) fn postconf(arguments: &[Argument]) -> Proof {
    shows_names(Shape { letters: "dhnp", long: "", operands: MANY }, arguments)
}

fn shows_names(shape: Shape, arguments: &[Argument]) -> Proof {
    let line = shape.read(arguments)?;
    if line.operands.iter().all(|name| name.exact && !name.text.has_any("=:")) { Ok(()) } else { Err(writes(arguments)) }
}

pub(super) fn lshw(arguments: &[Argument]) -> Proof {
    only_words(arguments, "-short -quiet -numeric -sanitize -notime -html -xml -json -businfo -class -C -c")
}

/// `parted -l`, `parted /dev/sda print`.
pub(super) fn parted(arguments: &[Argument]) -> Proof {
    const WORDS: &str = "print p free all devices list unit s B kB MB MiB GB GiB TB TiB %";
    let line = Shape { letters: "lms", long: "list machine script", operands: MANY }.read(arguments)?;
    let shows = |operand: &&Argument| operand.exact && WORDS.split(' ').any(|word| word == operand.text);
    let prints = line.operands.iter().skip(1).any(|operand| operand.is("print") || operand.is("p"));
    let all = line.operands.iter().skip(1).all(shows);
    if all && (prints || line.operands.is_empty() && line.has_any("l list")) { Ok(()) } else { Err(writes(arguments)) }
}

/// `ip addr show`, `bridge fdb`, `tc -s qdisc`.
pub(super) fn iproute(arguments: &[Argument]) -> Proof {
    const OPTIONS: &str = "-4 -6 -0 -o -s -d -h -br -brief -c -color -j -json -p -pretty -t -ts -r -N -a -all -details -stats -statistics -oneline \
                           -human -iec -Numeric -resolve -timestamp -tshort";
    let mut rest = arguments.iter().skip(1).peekable();
    while let Some(option) = rest.next_if(|argument| argument.text.starts_with('-')) {
        // Of `tc` this one means that it goes on, whatever fails.
        let takes_family = !arguments.first().is_some_and(|program| program.text.ends_with("tc"));
        if takes_family && (option.is("-f") || option.is("-family")) || option.is("-n") || option.is("-netns") {
            if rest.next().is_some_and(|value| value.several) {
                return Err(writes(arguments));
            }
        } else if !OPTIONS.split_whitespace().any(|known| option.is(known)) {
            return Err(writes(arguments));
        }
    }
    let object = rest.next().map_or("", |object| if object.exact { object.text.as_str() } else { "" });
    let verb = rest.next();
    let shows = match verb {
        None => !object.is_empty(),
        Some(verb) if !verb.exact => false,
        Some(verb) => match verb.text.as_str() {
            "show" | "list" | "ls" | "lst" | "sh" | "sho" | "li" | "lis" => true,
            // Of these `s` is `show`, of a link it is `set`.
            "s" => listed("a ad add addr address r ro route n neigh ru rule", object),
            "get" => matches!(object, "r" | "ro" | "route" | "neigh" | "rule"),
            _ => false,
        },
    };
    if shows && object.chars().all(|c| c.is_ascii_alphabetic() || c == '6') { Ok(()) } else { Err(writes(arguments)) }
}

/// `ifconfig eth0`. With `-a` Solaris does to all of them what stands behind it: `ifconfig -a unplumb`.
pub(super) fn ifconfig(arguments: &[Argument]) -> Proof {
    let line = Shape { letters: "asv", long: "", operands: 1 }.read(arguments)?;
    let family = line.operand(0).is_some_and(|word| listed("inet inet6 ether link", word));
    if !line.has_any("a") || line.operands.is_empty() || family { Ok(()) } else { Err(writes(arguments)) }
}

/// With `-f` the lines of a file are sent to whatever server is named. It may stand behind letters without a value.
pub(super) fn dig(arguments: &[Argument]) -> Proof {
    let sends_file = |argument: &Argument| {
        let letters = argument.text.strip_prefix('-').unwrap_or_default();
        letters.trim_start_matches(|letter: char| "46dhimnruv".has(letter)).starts_with('f')
    };
    if arguments.iter().skip(1).any(sends_file) { Err(writes(arguments)) } else { Ok(()) }
}

/// Without a name it looks up what it is fed with, at whatever server is named.
pub(super) fn nslookup(arguments: &[Argument]) -> Proof {
    let is_option = |word: &&Argument| word.exact && word.text.len() > 1 && word.text.starts_with('-');
    let name = arguments.iter().skip(1).find(|word| !is_option(word));
    if name.is_none_or(|name| name.is("-")) { Err(writes(arguments)) } else { Ok(()) }
}

/// `iw dev wlan0 link`
pub(super) fn iw(arguments: &[Argument]) -> Proof {
    let words: Vec<&str> = arguments.iter().skip(1).map(|argument| if argument.exact { argument.text.as_str() } else { "" }).collect();
    let shows = match words.as_slice() {
        ["dev" | "list" | "phy"] | ["reg", "get"] => true,
        ["dev", _, told @ ..] => matches!(told, ["info" | "link"] | ["station" | "scan" | "survey", "dump"]),
        _ => false,
    };
    if shows && !arguments.iter().any(|argument| argument.several) { Ok(()) } else { Err(writes(arguments)) }
}

/// Looks whether a port is open, and sends nothing.
pub(super) fn port_scan(arguments: &[Argument]) -> Proof {
    let line = Shape { letters: "zvnw:u46", long: "", operands: 2 }.read(arguments)?;
    if line.has_any("z") { Ok(()) } else { Err(writes(arguments)) }
}

/// `vtysh -c "show …"`, each judged as FRR judges it.
pub(super) fn vtysh(arguments: &[Argument]) -> Proof {
    let mut rest = arguments.iter().skip(1);
    let mut commands = 0;
    while let Some(option) = rest.next() {
        let command = rest.next().filter(|command| option.is("-c") && command.exact).ok_or_else(|| writes(arguments))?;
        ios::prove(&command.text, Dialect::Frr, Place::Exec)?;
        commands += 1;
    }
    if commands > 0 { Ok(()) } else { Err(writes(arguments)) }
}

/// Tools that put their words together and read them as a text, in which a sign or a new line begins another command.
pub(super) fn one_command(arguments: &[Argument]) -> Proof {
    let signs = [';', '\n', '{', '}', '"', '\''];
    if arguments.iter().any(|argument| !argument.exact || argument.text.contains(signs)) { Err(writes(arguments)) } else { Ok(()) }
}

/// The first word of it, whether it is one text or not.
fn command_word<'a>(line: &Line<'a>) -> Option<&'a str> {
    line.operands.first().copied().filter(|operand| operand.exact)?.text.split_whitespace().next()
}

/// `nft list …`
pub(super) fn nft(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape { letters: "anstjySNpuT", long: "handle numeric stateless terse json numeric-priority", operands: MANY };
    one_command(arguments)?;
    if matches!(command_word(&SHAPE.read(arguments)?), Some("list" | "describe")) { Ok(()) } else { Err(writes(arguments)) }
}

/// `birdc show …`
pub(super) fn birdc(arguments: &[Argument]) -> Proof {
    one_command(arguments)?;
    let line = Shape { letters: "rvs:", long: "", operands: MANY }.read(arguments)?;
    if command_word(&line) == Some("show") { Ok(()) } else { Err(writes(arguments)) }
}

/// Two of the logs that `smartctl -l` knows are settings, and others are begun anew.
pub(super) fn smartctl(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape {
        letters: "aiHxAcl:d:jn:T:q:f:g:h",
        long: "all info health xall scan scan-open attributes capabilities log= device= json nocheck= get= help",
        operands: MANY,
    };
    let sets = |argument: &Argument| ["scterc,", "scttempint,", ",reset"].iter().any(|log| argument.text.holds(log));
    let may_set = |argument: &Argument| !argument.exact && !argument.text.starts_with('/');
    if arguments.iter().any(|argument| may_set(argument) || sets(argument)) {
        return Err(writes(arguments));
    }
    SHAPE.read(arguments).map(drop)
}

/// `ovs-vsctl show`, and its relatives of OVN. Behind a `--` another command begins, so every word must be known.
pub(super) fn ovs_vsctl(arguments: &[Argument]) -> Proof {
    const READS: &str = "show list find get list-br list-ports list-ifaces br-exists br-to-vlan br-to-parent port-to-br iface-to-br br-get-external-id \
                         get-controller get-manager get-ssl get-fail-mode get-aa-mapping ls-list lr-list lsp-list lrp-list lr-route-list \
                         lr-nat-list lb-list acl-list lflow-list dump-flows";
    const SHAPE: Shape = Shape {
        letters: "f:d:t:",
        long: "db= no-wait retry timeout= dry-run oneline format= data= no-headings pretty bare columns= if-exists real fake leader-only \
               no-leader-only",
        operands: MANY,
    };
    if arguments.iter().any(|argument| !argument.exact || argument.is("--")) {
        return Err(writes(arguments));
    }
    let line = SHAPE.read(arguments)?;
    if line.operand(0).is_some_and(|word| listed(READS, word)) { Ok(()) } else { Err(writes(arguments)) }
}

/// `git branch`, `git tag`: an operand makes one, unless a list is asked for. By `-l` a branch was made before git 2.20.
pub(super) fn git_list(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape {
        letters: "avrlin?q",
        long: "list all remotes show-current contains= no-contains= merged= no-merged= sort= format= points-at= verbose column no-column color \
               no-color ignore-case",
        operands: MANY,
    };
    let line = SHAPE.read(arguments)?;
    let lists = if arguments.first().is_some_and(|command| command.text.ends_with("branch")) { "list" } else { "l list" };
    if line.operands.is_empty() || line.has_any(lists) { Ok(()) } else { Err(writes(arguments)) }
}

/// `git config KEY` reads, a second operand sets.
pub(super) fn git_config(arguments: &[Argument]) -> Proof {
    const SHAPE: Shape = Shape {
        letters: "lzf:",
        long: "get get-all get-regexp list global local system worktree show-origin show-scope name-only null includes type= file=",
        operands: MANY,
    };
    let line = SHAPE.read(arguments)?;
    let edits = line.operands.iter().any(|word| !word.exact || word.is("edit"));
    if !edits && (line.has_any("l list get get-all get-regexp") || line.operands.len() == 1) { Ok(()) } else { Err(writes(arguments)) }
}

/// Shows certificates and requests, and asks a server for its own.
pub(super) fn openssl(arguments: &[Argument]) -> Proof {
    const WORDS: &str = "-in -noout -text -dates -enddate -startdate -subject -issuer -serial -fingerprint -sha1 -sha256 -md5 -inform -nameopt \
                         -certopt -ext -checkend -purpose -email -hash -subject_hash -issuer_hash -modulus -pubkey -ocsp_uri -verify -CAfile \
                         -CApath -untrusted -connect -servername -showcerts -brief -starttls -verify_return_error -alpn -tls1_2 -tls1_3 -v -a";
    // Whatever stands for a file may be an address, and with this one what follows is a library that is run.
    const ENGINE: &str = "org.openssl.engine:";
    let command = arguments.get(1).filter(|command| command.exact).map_or("", |command| command.text.as_str());
    if !matches!(command, "x509" | "req" | "crl" | "s_client" | "verify" | "version" | "ciphers") {
        let shown = excerpt(&format!("openssl {command}"));
        return Err(Doubt::new("posix.subcommand", format!("{shown} is not known to read only")));
    }
    let loads = |argument: &Argument| {
        let text = argument.text.to_ascii_lowercase();
        text.starts_with(ENGINE) || !argument.exact && ENGINE.starts_with(&text)
    };
    if arguments.iter().any(loads) { Err(writes(arguments)) } else { only_words(arguments, WORDS) }
}

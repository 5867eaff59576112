//! What holds for every line, whatever it says.

use super::*;
use crate::characters::COMMAND_MAX_BYTES;
use crate::posix;

pub(super) const DEVICES: [(&str, &str); 8] = [
    ("linux", "shell"),
    ("linux", "tcsh"),
    ("cisco_ios", "privileged"),
    ("cisco_ios", "config-if"),
    ("arista_eos", "privileged"),
    ("frr_vtysh", "privileged"),
    ("mikrotik_routeros", "root_menu"),
    ("acme_olt", ""),
];

/// Pieces that grammars stumble over, with `·` between.
const PIECES: [&str; 3] = [
    "'·\"·`·$·$(·)·((·))·${·}·{·[[·]]·[·]·<·>·<<·<<EOF\n·EOF\n·<<<·<(·>(·&·&&·|·||·;·;;·\n· ·\t·\\·#·!·^·*·?·~·=",
    "$'·if ·then ·fi·for x in ·do ·done·case x in ·esac·function f ·ls ·rm -rf / ·sudo ·echo ·eval ·xargs ",
    "find / -delete ·é·\u{e000}·/system reboot·reload·:put ·a=b ·1",
];

/// A small generator of numbers (xorshift); the seed stands in the test.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap_or(1)).unwrap_or_default()
    }

    fn line(&mut self) -> String {
        let length = self.below(24);
        let pieces: Vec<&str> = PIECES.iter().flat_map(|row| row.split('·')).collect();
        (0..length).filter_map(|_| pieces.get(self.below(pieces.len()))).copied().collect()
    }

    fn bytes(&mut self) -> String {
        let length = self.below(200);
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(self.below(256)).unwrap_or_default()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What must hold for any line.
pub(super) fn check(device_type: &str, mode: &str, command: &str) {
    let ask = |purpose: &str, policy_mode: &str| request(device_type, mode, command, purpose, policy_mode);
    let lane = classify(&ask("run", "safe"), Setting::Auto);
    let read = lane.lane == "read";
    let lanes = ["read", "change", "privilege", "exfiltration", "destructive"];
    let known = lanes.iter().any(|known| lane.lane == *known && lane.rule.starts_with(&format!("{known}.")));
    assert!(lane.reason.chars().count() <= 220 && known, "{command:?}: {lane:?}");
    let allowed = |purpose: &str, policy_mode: &str| {
        let decision = decide(&ask(purpose, policy_mode), Setting::Auto);
        assert!(decision.effect == Effect::Abstain || !decision.rule.is_empty(), "{command:?}: {decision:?}");
        assert!(decision.reason.chars().count() <= 220, "{command:?}: {decision:?}");
        outcome(&ask(purpose, policy_mode)) == Effect::Allow
    };
    for policy_mode in ["read-only", "safe", "full", "a mode of tomorrow"] {
        assert_eq!(allowed("query", policy_mode), read, "query {policy_mode} {command:?}");
    }
    assert_eq!(allowed("run", "read-only"), read, "{command:?}");
    let shell = matches!(mode, "shell" | "tcsh");
    assert_eq!(allowed("send", "read-only"), read && !shell || command.trim().is_empty() && allowed("send", "full"), "{command:?}");
    assert!(!read || allowed("run", "safe"), "{command:?}");
    // It may run at the next prompt.
    assert!(lane.lane != "exfiltration" || !allowed("send", "safe"), "{command:?}");
    assert!(!read || command.contains(['\'', '"']) || allowed("send", "safe"), "{command:?}");
    assert!(!allowed("run", "safe") || allowed("run", "full"), "{command:?}");
    let listed = Request { facts: vec![Fact { name: "wants".to_owned(), value: "commands".to_owned() }], ..ask("run", "safe") };
    assert_eq!(classify(&listed, Setting::Auto).lane, lane.lane, "{command:?}");
}

#[test]
fn no_line_makes_it_stumble() {
    let mut numbers = Numbers(0x5eed_0001);
    for round in 0..4_000 {
        let command = if round % 4 == 0 { numbers.bytes() } else { numbers.line() };
        for (device_type, mode) in DEVICES {
            check(device_type, mode, &command);
        }
    }
}

/// Random lines, and those of the corpus: as they are, behind a word of a device, with their words the other way round, and without
/// one or all of the signs by which a quote matters.
#[test]
fn a_quote_is_left_out_only_where_it_changes_nothing() {
    const SIGNS: [char; 6] = ['\'', '"', '$', '`', '\\', '/'];
    let mut numbers = Numbers(0x5eed_0002);
    let random = (0..10_000).map(|_| numbers.line());
    let known = lines().into_iter().flat_map(|line| {
        let turned = line.command.split(' ').rev().collect::<Vec<_>>().join(" ");
        [format!("request {}", line.command), turned, line.command]
    });
    for command in random.chain(known) {
        let bare = SIGNS.map(|sign| command.replace(sign, ""));
        let plain = command.replace(SIGNS, "");
        for line in [command, plain].iter().chain(&bare).flat_map(|text| text.lines()) {
            assert_eq!(posix::foreign_danger(line), posix::foreign_danger_in_full(line), "{line}");
        }
    }
}

#[test]
fn every_line_of_the_corpus_is_judged_alike_for_every_purpose() {
    for line in lines() {
        for (device_type, mode) in DEVICES {
            check(device_type, mode, &line.command);
        }
    }
}

/// The shell lines of a verdict that fit on one line and end as commands.
fn shell_lines(verdict: &str) -> Vec<Line> {
    let plain = |line: &Line| {
        !line.command.contains(['\n', '#']) && !line.command.contains("<<") && line.mode == "shell" && line.device_type == "linux"
    };
    lines().into_iter().filter(|line| line.verdict == verdict && plain(line)).collect()
}

#[test]
fn a_read_with_something_behind_it_is_no_read() {
    let lines = shell_lines("read");
    assert!(lines.len() > 150);
    for line in lines {
        for more in [
            "; rm x",
            " > f",
            " >> f",
            " &",
            "\nrm x",
            " && touch x",
            " || rm x",
            " | tee f",
            " $(rm x)",
            " `rm x`",
            " <(rm x)",
            "; f() { ls; }",
            " 2> f",
            "; PATH=x",
        ] {
            let command = format!("{}{more}", line.command);
            let lane = classify(&request("linux", "shell", &command, "query", "safe"), Setting::Auto);
            assert_ne!(lane.lane, "read", "{command}");
        }
        for before in ["sudo ", "PATH=/tmp ", "nohup ", "rm x; ", "rm x | ", "$x; ", "exec 3>f; "] {
            let command = format!("{before}{}", line.command);
            let lane = classify(&request("linux", "shell", &command, "query", "safe"), Setting::Auto);
            assert_ne!(lane.lane, "read", "{command}");
        }
    }
}

#[test]
fn a_danger_stays_one_wherever_it_stands() {
    let lines: Vec<Line> = ["deny", "ask", "destructive"].into_iter().flat_map(shell_lines).collect();
    assert!(lines.len() > 200);
    for line in lines {
        let position = matches!(line.rule.as_str(), "posix.history" | "posix.unfinished" | "posix.unknown-target" | "hidden-character");
        if position || line.command.contains("end") || line.command.contains("cd ") || line.command.starts_with("ls )") {
            continue;
        }
        for (before, behind) in [
            ("ls; ", ""),
            ("", "; ls"),
            ("( ", " )"),
            ("{ ", "; }"),
            ("if true; then ", "; fi"),
            ("while true; do ", "; done"),
            ("case x in y) ls;; x) ", ";; esac"),
            ("f() { ", "; }"),
            ("true && ", ""),
            ("false || ", ""),
            ("ls\n", "\nls"),
            ("echo \"$(", ")\""),
            ("x=$(", ")"),
            ("cat <(", ")"),
            ("cat <<E\n$(", ")\nE"),
        ] {
            let command = format!("{before}{}{behind}", line.command);
            let outcome = outcome(&request("linux", "shell", &command, "run", "safe"));
            assert!(matches!(outcome, Effect::Deny | Effect::Ask), "{command}\n{outcome:?}");
        }
    }
}

/// The stack of a guest, in bytes.
const STACK_BYTES: usize = 512 * 1024;

#[test]
fn the_longest_and_the_deepest_lines_are_judged_on_the_stack_of_a_guest() {
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(longest_and_deepest).unwrap().join().unwrap();
}

fn longest_and_deepest() {
    let cycled = |piece: &str, length: usize| piece.chars().cycle().take(length - piece.len()).collect::<String>();
    let rows = [
        "$(·`·(·{ ·$((·${x:-·\"$(·<(·[[ ·if ·case x in ·$[·((·'·\"·\\·ls;·ls|·rm -rf x;·{a,b}·$x·x=$x$x;·sudo ·watch ",
        "sh -c ·eval ·ssh h ·find . -exec ·xargs ·<<E ·a=(·f(){ ·!·*·[·{ :put ·\"$[·do ·env ·sudo --x y ·echo a|·`\\`",
        "$'\\x72·2>·a/·../·python3 -c 'system(rm) ';·x=a;$x ·@(·a[·1·x[1]=·~/·\n·docker exec c sh -c ·su -c ",
        "echo $(echo ·rm -rf ${x:-$(echo ·/* ·?·for x in a; do ·reload?\n·do do ·alias exec x ·|",
    ];
    for piece in rows.iter().flat_map(|row| row.split('·')) {
        for (device_type, mode) in DEVICES {
            for length in [1_000, COMMAND_MAX_BYTES] {
                let command = cycled(piece, length);
                let lane = classify(&request(device_type, mode, &command, "run", "safe"), Setting::Auto);
                let decision = decide(&request(device_type, mode, &command, "send", "safe"), Setting::Auto);
                assert!(!lane.rule.is_empty() && decision.effect != Effect::Abstain, "{piece}");
            }
        }
    }
    texts_in_texts();
}

/// Each text nests as deep as is read, and holds the next one.
fn texts_in_texts() {
    const DEPTHS: [usize; 5] = [6, 17, 18, 23, 30];
    let single = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let double = |text: &str| format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""));
    let shell = ["sh -c ", "eval ", "watch ", "sudo --x y sh -c ", "find . -exec sh -c "].map(|start| ("linux", "shell", start));
    let router = [":execute ", "/system script add source="].map(|start| ("mikrotik_routeros", "menu", start));
    for (device_type, mode, start) in shell.into_iter().chain(router) {
        let is_shell = device_type == "linux";
        let (kinds, inmost) = if is_shell {
            (&[("$(", ")"), ("{ ", "; }"), ("echo ${x:-$(", ")}"), ("f() { ", "; }")][..], "rm -rf /")
        } else {
            (&[("[", "]"), ("{", "}"), (":put \"$[", "]\"")][..], "/system reset-configuration")
        };
        for ((open, close), depth) in kinds.iter().flat_map(|kind| DEPTHS.map(|depth| (kind, depth))) {
            let mut command = inmost.to_owned();
            while command.len() < COMMAND_MAX_BYTES {
                for purpose in ["run", "send"] {
                    let outcome = outcome(&request(device_type, mode, &command, purpose, "safe"));
                    assert_ne!(outcome, Effect::Allow, "{purpose} {command}");
                }
                let nested = format!("{}{command}{}", open.repeat(depth), close.repeat(depth));
                command = format!("{start}{}", if is_shell { single(&nested) } else { double(&nested) });
            }
        }
    }
}

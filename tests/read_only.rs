//! Where only reads are allowed, nothing changes: every evasion that is known and hundreds of random lines, through each tool and in
//! every way to type, on real accounts of five shells, and then a look at each file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::client::Client;
use crate::support::find;
use crate::support::sshd::{Sshd, account};

/// Each with an account that no other story uses.
const SHELLS: [&str; 5] = ["bash", "dash", "zsh", "fish", "tcsh"];
const EVASIONS: &str = include_str!("../plugins/guard/corpus/evasions.txt");
/// Random lines for each shell, and where their numbers begin.
const RANDOM: usize = 60;
const SEED: u64 = 0x5eed_0006;

/// A folder in which everybody may write.
struct Tree(tempfile::TempDir);

impl Tree {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("jft-tree").tempdir().unwrap();
        fs::create_dir(folder.path().join("d")).unwrap();
        for file in ["in", "d/x"] {
            fs::write(folder.path().join(file), "b\na\n").unwrap();
            fs::set_permissions(folder.path().join(file), fs::Permissions::from_mode(0o666)).unwrap();
        }
        for path in [folder.path().to_owned(), folder.path().join("d")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

/// Each file below: kind and mode, owner, time of change, content.
fn looked_at(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut seen = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        let content = if about.is_file() { format!("{:02x?}", Sha256::digest(fs::read(&path).unwrap()).as_slice()) } else { String::new() };
        if about.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let told = format!("{:o} {}:{} {}.{} {content}", about.mode(), about.uid(), about.gid(), about.mtime(), about.mtime_nsec());
        seen.insert(path, told);
    }
    seen
}

/// The files of an account but those that a shell or a pager keeps for itself: its history, and the state of fish.
fn kept(seen: &BTreeMap<PathBuf, String>) -> Vec<(&PathBuf, &String)> {
    let own = |path: &Path| {
        ["history", "lesshst", "fish", "/.local", "/.config", "/.cache"].iter().any(|part| path.to_string_lossy().contains(part))
    };
    seen.iter().skip(1).filter(|(path, _)| !own(&Path::new("/").join(path.components().skip(4).collect::<PathBuf>()))).collect()
}

/// The evasions of shells, with the folder in them.
fn evasions(tree: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut of_shell = false;
    for text in EVASIONS.lines() {
        if let Some(place) = text.strip_prefix("@ ") {
            of_shell = place.starts_with("linux shell");
        } else if of_shell && !text.is_empty() && !text.starts_with('#') {
            lines.push(plain(text.splitn(3, ' ').nth(2).unwrap()).replace("/jft", tree));
        }
    }
    lines
}

/// As the corpus writes what a table cannot show.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, (number, behind))) = rest.split_once('‹').and_then(|(before, rest)| Some((before, rest.split_once('›')?))) {
        plain.push_str(before);
        plain.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        rest = behind;
    }
    plain.push_str(rest);
    plain.replace('⏎', "\n").replace('⇥', "\t")
}

/// Lines of pieces that read and pieces that do not. Those that only read are run, so each of them ends by itself.
fn random_line(random: &mut fastrand::Rng, tree: &str) -> String {
    const READS: &str = "ls @|cat @/in|grep b @/in|find @ -name in|sort @/in|awk 1 @/in|sed -n p @/in|test -e @/in|echo x|wc -l @/in|head -1 @/in|stat @|\
                         printf x|true|find @ -type f|cat @/in @/d/x|cut -c1 @/in|ls -la @/d|cat <@/in";
    const BEHIND: &str = " > @/f| >> @/in| -o @/f| -delete| | tee @/f|; touch @/f| && rm @/in| || touch @/f|\ntouch @/f| $(touch @/f)| `touch @/f`|\
                          \"$(touch @/f)\"| <(touch @/f)| 2>@/f| -exec touch @/f ;| -fprint @/f| w@/f| # x\ntouch @/f| $'\\x2do' @/f|'; touch @/f; '|\
                          \"; touch @/f; \"|\\; touch @/f| -i| --output=@/f| 'w @/f'|; : >@/f| {touch,@/f}| &>@/f|; f() { touch @/f; }; f|\
                          ; alias ls=touch\nls @/f| | xargs touch| | sh| <<E\n$(touch @/f)\nE| && cp @/in @/g|; x=$(rm @/in)||| | wc -l| | sort| 2>&1|\
                          ; echo done| && echo y| 'a b'| \"a;b\"| # remark";
    let reads: Vec<&str> = READS.split('|').collect();
    // `|` begins a pipe in a piece, so the pieces are told apart by what stands between two of them.
    let behind: Vec<String> =
        BEHIND.replace(" | ", " \u{1} ").replace(" || ", " \u{1}\u{1} ").split('|').map(|piece| piece.replace('\u{1}', "|")).collect();
    let mut line = (*random.choice(&reads).unwrap()).to_owned();
    for _ in 0..random.usize(0..3) {
        line.push_str(random.choice(&behind).unwrap());
        if random.u8(..4) == 0 {
            let glue = *random.choice(&[" ; ", " && ", " | ", "\n"]).unwrap();
            write!(line, "{glue}{}", random.choice(&reads).unwrap()).unwrap();
        }
    }
    line.replace('@', tree)
}

/// The same line by each way to have it run.
fn ways(device: &str, command: &str) -> [(&'static str, Value); 5] {
    let call = |target: String| json!({"target": target, "command": command, "wait_s": 2});
    let mut exec = call(device.to_owned());
    exec["lane"] = "exec".into();
    let mut mode = call(device.to_owned());
    mode["mode"] = "root".into();
    [
        ("ssh_query", json!({"targets": [device], "command": command, "wait_s": 2})),
        ("ssh_run", call(device.to_owned())),
        ("ssh_run", exec),
        ("ssh_run", call(format!("{device}#pipe"))),
        ("ssh_run", mode),
    ]
}

fn is_refused(result: &Value) -> bool {
    let of_query = &result["results"][0];
    [result, of_query].into_iter().any(|result| result["state"] == "denied" || result["verdict"]["decision"] == "deny")
}

/// Typed in pieces, with keys that take something back or bring something in, and by keys that end a line in another way.
fn typed(client: &mut Client, session: &str, line: &str) {
    let mut send = |arguments: Value| {
        let mut call = arguments;
        call["session"] = session.into();
        call["wait_s"] = 0.into();
        client.call("ssh_send", call)
    };
    let cut = line.char_indices().nth(line.chars().count() / 2).map_or(0, |(at, _)| at);
    let (first, second) = line.split_at(cut);
    for steps in [
        vec![json!({"text": first}), json!({"text": second}), json!({"keys": ["enter"]})],
        vec![json!({"text": format!("{line}x"), "keys": ["backspace", "enter"]})],
        vec![json!({"text": format!("lsx\u{7f};{line}"), "keys": ["enter"]})],
        vec![json!({"text": second}), json!({"keys": ["home"]}), json!({"text": first}), json!({"keys": ["enter"]})],
        vec![json!({"text": line, "keys": ["tab", "ctrl-j"]})],
        vec![json!({"text": format!("\u{1b}[200~ls\n{line}\u{1b}[201~"), "keys": ["enter"]})],
        vec![json!({"text": "ls", "keys": ["ctrl-v", "ctrl-j"]}), json!({"text": line, "keys": ["enter"]})],
        vec![json!({"text": format!("ls #{line}"), "keys": ["home", "ctrl-k", "ctrl-y", "enter"]})],
        vec![json!({"text": format!("ls\n{line}\n")})],
        vec![json!({"text": format!("{line}\r")})],
    ] {
        for step in steps {
            send(step);
        }
        send(json!({"keys": ["ctrl-c"]}));
    }
}

/// Keys that bring back and run what an account typed before, and those that open an editor.
const KEYS: [&[&str]; 12] = [
    &["up", "enter"],
    &["up", "ctrl-o"],
    &["up", "ctrl-m"],
    &["up", "ctrl-j"],
    &["up", "alt-a"],
    &["ctrl-p", "ctrl-o"],
    &["ctrl-x", "ctrl-e"],
    &["alt-e"],
    &["ctrl-r", "ctrl-o"],
    &["alt-.", "ctrl-o"],
    &["alt-p"],
    &["esc", "k", "enter"],
];

fn pressed(client: &mut Client, session: &str) {
    for keys in KEYS {
        for key in keys {
            client.call("ssh_send", json!({"session": session, "keys": [key], "wait_s": 0}));
        }
        client.call("ssh_send", json!({"session": session, "keys": ["ctrl-c"], "wait_s": 0}));
        client.call("ssh_send", json!({"session": session, "keys": keys, "wait_s": 0}));
        client.call("ssh_send", json!({"session": session, "keys": ["ctrl-c"], "wait_s": 0}));
    }
}

/// A program that asks, or shows pages, gets what it should not.
fn answered(client: &mut Client, device: &str, tree: &str) {
    client.run(device, &format!("cd {tree}"));
    let programs = ["read -r x", &format!("less {tree}/in"), &format!("cat {tree}/in | less"), &format!("more {tree}/in"), "cat"];
    for program in programs {
        let started = client.call("ssh_run", json!({"target": device, "command": program, "wait_s": 0.4}));
        for steps in [
            vec![json!({"text": format!("$(touch {tree}/f)"), "keys": ["enter"]})],
            vec![json!({"text": format!("!touch {tree}/f"), "keys": ["enter"]})],
            vec![json!({"text": "!"}), json!({"text": format!("touch {tree}/f"), "keys": ["enter"]})],
            vec![json!({"text": "ls"}), json!({"text": "id", "keys": ["enter"]})],
            vec![json!({"text": "s"}), json!({"text": "w", "keys": ["enter"]})],
            vec![json!({"text": "v"}), json!({"text": "ix", "keys": ["esc"]}), json!({"text": "ZZ"})],
            vec![json!({"text": "|$tee f", "keys": ["enter"]})],
            vec![json!({"text": ":e f", "keys": ["enter"]})],
        ] {
            for mut step in steps {
                step["session"] = device.into();
                step["wait_s"] = 0.into();
                client.call("ssh_send", step);
            }
        }
        if started["command_id"].is_string() {
            client.call("ssh_interrupt", json!({"command_id": started["command_id"], "how": "hangup"}));
        }
        // What was typed at a prompt in between may have begun something else.
        if client.call("ssh_sessions", json!({"session": device}))["sessions"][0]["state"] == "running" {
            client.call("ssh_interrupt", json!({"session": device, "how": "hangup"}));
        }
        client.run(device, &format!("cd {tree}"));
    }
}

/// An account with this shell, and something in its history that would write.
fn prepared(shell: &str, tree: &str) -> PathBuf {
    let home = account(&format!("jft-ro-{shell}"), &find(shell).unwrap());
    for (file, line) in [(".bash_history", ""), (".zsh_history", ""), (".history", "")] {
        fs::write(home.join(file), format!("touch {tree}/f{line}\n")).unwrap();
    }
    fs::write(home.join(".zshrc"), "PROMPT='%n@%m:%~%# '\nHISTFILE=~/.zsh_history\nHISTSIZE=100\nSAVEHIST=100\n").unwrap();
    home
}

#[test]
fn nothing_changes_where_only_reads_are_allowed() {
    let tree = Tree::start();
    let homes: Vec<PathBuf> = SHELLS.iter().map(|shell| prepared(shell, tree.path())).collect();
    let server = Sshd::start();
    let mut config = String::from("[policy]\nmode = \"read-only\"\n[limits]\ncalls_per_minute = 1000000\ndenials = 1000000\n");
    for shell in SHELLS {
        config += &server.device(shell, &format!("jft-ro-{shell}"), "linux");
    }
    let mut client = Client::start(&config);
    for shell in SHELLS {
        for target in [json!({"host": shell, "wait_s": 40}), json!({"host": shell, "tty": false, "wait_s": 40})] {
            let opened = client.call("ssh_open", target);
            assert_eq!(opened["state"], "ready", "{opened}");
        }
        // So that each way is open before a call has only a moment.
        client.call("ssh_run", json!({"target": shell, "command": "ls /", "lane": "exec", "wait_s": 40}));
    }
    let look = || -> Vec<BTreeMap<PathBuf, String>> {
        std::iter::once(tree.0.path()).chain(homes.iter().map(PathBuf::as_path)).map(looked_at).collect()
    };
    let before = look();

    let known = evasions(tree.path());
    assert!(known.len() > 350, "{}", known.len());
    let (mut refused, mut ran) = (0, 0);
    for shell in SHELLS {
        for line in &known {
            for (tool, call) in ways(shell, line) {
                let call_has_mode = call["mode"].is_string();
                let result = client.call(tool, call);
                let no_way = call_has_mode && result["error"].is_object();
                assert!(is_refused(&result) || no_way, "{shell} took {line:?}: {result}");
                refused += 1;
            }
        }
        assert_eq!(looked_at(tree.0.path()), before[0], "{shell}, after the evasions");
    }
    // At its prompt nothing is a comment, and each row is a line of its own.
    for line in ["ls / #; touch TREE/f", "echo 'a\ntouch TREE/f\nb'", "ls 2>&1", "alias ls touch TREE/f"] {
        let result = client.call("ssh_run", json!({"target": "tcsh", "command": line.replace("TREE", tree.path())}));
        assert!(is_refused(&result), "tcsh took {line:?}: {result}");
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    // Nothing is proven where tcsh reads, so nothing would run there.
    for shell in SHELLS.into_iter().filter(|shell| *shell != "tcsh") {
        for _ in 0..RANDOM {
            let line = random_line(&mut random, tree.path());
            let (tool, call) = ways(shell, &line).into_iter().nth(random.usize(..4)).unwrap();
            let result = client.call(tool, call);
            if result["state"] == "running" {
                client.call("ssh_interrupt", json!({"command_id": result["command_id"]}));
            }
            *(if is_refused(&result) { &mut refused } else { &mut ran }) += 1;
            assert_eq!(looked_at(tree.0.path()), before[0], "{shell}, after {line:?}");
        }
    }
    assert!(ran > 40, "{ran} random lines were reads");
    for shell in SHELLS {
        typed(&mut client, shell, &format!("touch {}/f", tree.path()));
        pressed(&mut client, shell);
        answered(&mut client, shell, tree.path());
        assert_eq!(looked_at(tree.0.path()), before[0], "{shell}, after what was typed");
        let fine = client.run(shell, "echo fine");
        assert_eq!(fine["output"], "fine\n", "{shell}: {fine}");
    }
    drop(client);
    let after = look();
    assert_eq!(after[0], before[0]);
    for (after, before) in after.iter().zip(&before).skip(1) {
        assert_eq!(kept(after), kept(before));
    }
    assert!(refused > 9_000, "{refused}");
}

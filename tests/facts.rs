//! What is known of real devices, judged by the plugins of each device type in the real engine.

pub mod known;

mod exceptions;

use std::collections::BTreeSet;
use std::sync::Arc;

use jackfield::config::PolicyMode;
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::examples::Seen;
use jackfield::plugin::roles::{Effect, Exchange, Phase, View};
use jackfield::plugin::session::SessionPlugins;
use jackfield::policy::{self, Line, Manner, Purpose};
use regex::Regex;

use crate::support::catalog::{catalog, load};
use exceptions::EXCEPTIONS;
use known::{Entry, Platform, platforms};

/// Silence after which everything that can count counts.
const QUIET_MS: u32 = 600_000;

/// Programs that run inside a shell: the line that starts them, and the mode they are.
const PROGRAMS: [(&str, &str, &str); 4] = [
    ("repl_psql", "psql", "psql"),
    ("repl_mysql", "mysql", "mysql"),
    ("repl_python3", "python3", "python"),
    ("repl_sqlite3", "sqlite3", "sqlite"),
];

/// Shells of devices that are servers' shells: the contract's own word, which policy knows.
const SHELLS: [(&str, &str); 2] = [("arista_eos", "bash"), ("cisco_xe", "guestshell")];

/// What is run where a pager's marker is seen; without a line a server's marker is a question of an unknown program.
const PAGED: [(&str, &str); 3] = [("less", "less /tmp/lines"), ("less.dumb", "less /tmp/lines"), ("more", "more /tmp/lines")];

/// Entries that name a menu or the beginning of a command, which do nothing alone: what is judged behind them.
const GOES_ON: [(&str, &str, &str); 6] = [
    ("mikrotik_routeros", "system routerboard", "upgrade"),
    ("mikrotik_routeros", "system package", "downgrade"),
    ("mikrotik_routeros", "system ssh", "192.0.2.1"),
    ("mikrotik_routeros", "system license", "renew"),
    ("frr_vty", "clear", "bgp *"),
    ("frr_vtysh", "clear", "bgp *"),
];

/// Marks of a shell's prompt.
const MARKS: [&str; 3] = ["D;0;n;/", "A;n;uid=1000", "B;n"];

/// The device type that a platform is driven with, and the line that leads into it.
pub fn device_type(platform: &str) -> (&str, &'static str) {
    PROGRAMS.iter().find(|(name, ..)| *name == platform).map_or((platform, ""), |(_, line, _)| ("linux", *line))
}

/// The mode by our name: servers have one, whatever the shell, and a program is a mode of its own.
fn mode_name<'a>(platform: &str, mode: &'a str) -> &'a str {
    match PROGRAMS.iter().find(|(name, ..)| *name == platform) {
        Some((.., own)) => own,
        None if platform == "linux" || SHELLS.contains(&(platform, mode)) => "shell",
        None => mode,
    }
}

/// A platform under judgement.
struct Judge<'a> {
    platform: &'a Platform,
    kind: Arc<DeviceType>,
    judged: usize,
    wrong: Vec<String>,
    excused: BTreeSet<usize>,
}

impl Judge<'_> {
    fn plugins(&self) -> SessionPlugins {
        SessionPlugins::new(Arc::clone(&self.kind))
    }

    /// The row in a session that has seen nothing else; in a program's case right behind the line that started it.
    fn view(&self, text: &str, phase: Phase) -> View {
        let (recent, tail) = text.rsplit_once('\n').unwrap_or(("", text));
        let line = device_type(&self.platform.name).1;
        let inside = !line.is_empty() && phase == Phase::Running;
        View {
            revision: 0,
            rows_done: 0,
            tail: tail.to_owned(),
            recent: recent.to_owned(),
            marks: Vec::new(),
            phase,
            prompt: None,
            mode: if inside { "shell".to_owned() } else { String::new() },
            command: if inside { line.to_owned() } else { String::new() },
            echoed: true,
            bytes_since_send: text.len() as u64,
            quiet_ms: QUIET_MS,
            settle_ms: 50,
            goal: None,
            facts: vec![("device-type", self.kind.name.as_str().into())],
        }
    }

    /// A session of a server whose shell has shown its marks.
    async fn with_marks(&self) -> SessionPlugins {
        let mut plugins = self.plugins();
        let mut view = self.view("alice@web1:~$ ", Phase::Setup);
        view.marks = MARKS.map(str::to_owned).to_vec();
        assert_eq!(Seen::of(&mut plugins, &view).await, Seen::Prompt("shell".to_owned()));
        plugins
    }

    async fn seen(&self, text: &str, phase: Phase) -> Seen {
        Seen::of(&mut self.plugins(), &self.view(text, phase)).await
    }

    /// The row in a session that knows the platform's first prompt already.
    async fn seen_later(&self, text: &str) -> Seen {
        self.seen_behind(text, "a command", &[]).await
    }

    /// The same while this line runs, with facts of the session.
    async fn seen_behind(&self, text: &str, line: &str, facts: &[(&'static str, &str)]) -> Seen {
        let first = self.platform.all("mode").next().unwrap();
        let prompt = first.texts("examples").next().unwrap();
        let mut plugins = if self.kind.name == "linux" { self.with_marks().await } else { self.plugins() };
        if self.platform.name != "linux" {
            let is_program = !device_type(&self.platform.name).1.is_empty();
            Seen::of(&mut plugins, &self.view(prompt, if is_program { Phase::Running } else { Phase::Login })).await;
        }
        let mut view = self.view(text, Phase::Running);
        view.prompt = Some(prompt.to_owned());
        mode_name(&self.platform.name, first.text("name")).clone_into(&mut view.mode);
        line.clone_into(&mut view.command);
        view.facts.extend(facts.iter().map(|(name, value)| (*name, Arc::<str>::from(*value))));
        Seen::of(&mut plugins, &view).await
    }

    fn expect(&mut self, what: &str, text: &str, right: bool, came: &dyn std::fmt::Debug) {
        self.judged += 1;
        let name = &self.platform.name;
        let excuse =
            EXCEPTIONS.iter().position(|(platform, topic, excused, _)| platform == name && what.starts_with(topic) && *excused == text);
        match excuse {
            Some(number) if !right => {
                self.excused.insert(number);
            }
            _ if right => {}
            _ => self.wrong.push(format!("{name}: {what}: {text:?} is taken for {came:?}")),
        }
    }

    /// The row while a command runs in a shell without marks.
    async fn seen_plain(&self, text: &str) -> Seen {
        let mut view = self.view(text, Phase::Running);
        (view.prompt, view.mode) = (Some("alice@web1:~$ ".to_owned()), "shell".to_owned());
        Seen::of(&mut self.plugins(), &view).await
    }

    /// One line leads from a mode to another one. Servers' rights are the matter of commands: they have no modes to go to.
    fn transitions(&mut self) {
        let (platform, is_server) = (self.platform, self.kind.name == "linux");
        for entry in platform.all("transition").filter(|entry| entry.text("from") != entry.text("to") && !is_server) {
            let (from, to) = (entry.text("from"), entry.text("to"));
            let way = self.kind.modes.way(from, to);
            self.expect("transition", &format!("{from} to {to}"), way.as_ref().is_some_and(|way| way.len() == 1), &way);
        }
    }

    async fn modes(&mut self) {
        let platform = self.platform;
        let patterns: Vec<Shape> = platform.all("mode").map(Shape::of).collect();
        for entry in platform.all("mode") {
            let name = mode_name(&platform.name, entry.text("name"));
            let expected = if entry.text("kind") == "incomplete" { Seen::Incomplete } else { Seen::Prompt(name.to_owned()) };
            for text in entry.texts("examples") {
                let seen = match (platform.name.as_str(), &expected) {
                    ("linux", Seen::Prompt(_)) => self.seen(text, Phase::Login).await,
                    // A shell with marks marks its question for the rest as well: what has no marks is met without.
                    ("linux", _) => self.seen_plain(text).await,
                    (_, Seen::Incomplete) => self.seen_later(text).await,
                    _ if self.kind.name == "linux" => Seen::of(&mut self.with_marks().await, &self.view(text, Phase::Running)).await,
                    _ => self.seen(text, Phase::Running).await,
                };
                self.expect(&format!("prompt of {}", entry.text("name")), text, seen == expected, &seen);
            }
            for text in entry.texts("not_prompts") {
                // It may be the prompt of another mode; where the file knows none that fits, it is no prompt at all.
                let others = patterns.iter().filter(|shape| shape.fits(text)).count() > 0;
                let seen = self.seen_later(text).await;
                let right = if others {
                    seen != expected || mode_name(&platform.name, "x") != "x"
                } else {
                    !matches!(seen, Seen::Prompt(_) | Seen::Incomplete)
                };
                self.expect(&format!("no prompt of {}", entry.text("name")), text, right, &seen);
            }
        }
    }

    async fn pagers(&mut self) {
        for entry in self.platform.all("pager") {
            let name = entry.text("name");
            for text in entry.texts("markers") {
                let (seen, right) = if self.kind.name == "linux" {
                    // less announces itself, and a program's own pager is left to the caller.
                    let line =
                        PAGED.iter().find(|(pager, _)| *pager == name && self.platform.name == "linux").map_or("help", |(_, line)| *line);
                    let seen = self.seen_behind(text, line, &[("cursor-keys", "application")]).await;
                    let right = seen == Seen::Page || line == "help" && seen == Seen::Question("pager".to_owned());
                    (seen, right)
                } else {
                    let seen = self.seen_later(text).await;
                    let right = seen == Seen::Page;
                    (seen, right)
                };
                self.expect(&format!("pager {name}"), text, right, &seen);
            }
        }
    }

    async fn questions(&mut self) {
        for entry in self.platform.all("dialog") {
            for text in entry.texts("examples") {
                let seen = self.seen_later(text).await;
                self.expect(&format!("dialog {}", entry.text("name")), text, matches!(seen, Seen::Question(_)), &seen);
            }
        }
        for entry in self.platform.all("password") {
            for text in entry.texts("examples") {
                let seen = self.seen_later(text).await;
                let right =
                    matches!(&seen, Seen::Question(kind) if ["password", "code", "remote-password", "username"].contains(&kind.as_str()));
                self.expect("password", text, right, &seen);
            }
            for text in entry.texts("not_password") {
                let seen = self.seen_later(text).await;
                self.expect("no password", text, !matches!(seen, Seen::Question(_)), &seen);
            }
        }
        for text in self.platform.one("login").texts("banner_hazards") {
            let seen = self.seen(text, Phase::Login).await;
            self.expect("banner", text, !matches!(seen, Seen::Prompt(_) | Seen::Incomplete), &seen);
        }
    }

    async fn errors(&mut self) {
        let errors = self.platform.one("errors");
        for (key, fails) in [("examples", true), ("not_errors", false)] {
            for text in errors.texts(key) {
                let failed = self.failed(text).await;
                let right = failed.is_some() == fails;
                self.expect(if fails { "error" } else { "no error" }, text, right, &failed);
            }
        }
    }

    async fn failed(&self, line: &str) -> Option<String> {
        let output = match self.platform.name.as_str() {
            "repl_python3" => traceback(line),
            _ => format!("{line}\n"),
        };
        let mode = mode_name(&self.platform.name, self.platform.text("default_mode"));
        let exchange = Exchange { command: "a command", mode, head: &output, tail: &output, status: None };
        self.plugins().judge(&exchange).await.0.map(|failure| failure.line)
    }
}

/// Python's error with the rows that it never comes without.
fn traceback(row: &str) -> String {
    let begins = row.ends_with(':') || row.starts_with("  File");
    let looks_like_one = begins || row.chars().next().is_some_and(char::is_uppercase);
    match (begins, looks_like_one) {
        (true, _) => format!("{row}\nNameError: name 'x' is not defined\n"),
        (false, true) if row.split(':').next().is_some_and(|name| !name.contains(' ')) => {
            format!("Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\n{row}\n")
        }
        _ => format!("{row}\n"),
    }
}

/// A mode as the file describes it.
struct Shape {
    prompt: Regex,
    reject: Option<Regex>,
}

impl Shape {
    fn of(mode: Entry<'_>) -> Self {
        let reject = Some(mode.text("reject")).filter(|text| !text.is_empty());
        Self { prompt: Regex::new(mode.text("prompt")).unwrap(), reject: reject.map(|text| Regex::new(text).unwrap()) }
    }

    fn fits(&self, text: &str) -> bool {
        self.prompt.is_match(text) && !self.reject.as_ref().is_some_and(|reject| reject.is_match(text))
    }
}

impl Judge<'_> {
    /// What the guard says of reads and of what destroys, in the mode `safe`.
    async fn policy(&mut self) {
        let platform = self.platform;
        let policy = platform.one("policy");
        for text in policy.texts("allow_examples") {
            let (lane, effect, rule) = self.verdict(text, PolicyMode::Safe).await;
            self.expect("read", text, lane == "read" && effect == Effect::Allow, &(lane, effect, rule));
        }
        let entries: Vec<Dangerous> = platform.all("destructive").map(Dangerous::of).collect();
        for text in policy.texts("block_examples") {
            let only_lasts = entries.iter().any(|entry| entry.fits(text)) && !entries.iter().any(|entry| entry.fits(text) && entry.stops);
            self.stopped("stopped", text, !only_lasts).await;
        }
        for entry in &entries {
            let behind = GOES_ON.iter().find(|(name, command, _)| *name == platform.name && entry.forms.contains(*command));
            for form in &entry.forms {
                let form = &behind.map_or_else(|| form.clone(), |(.., more)| format!("{form} {more}"));
                let stops = entries.iter().any(|entry| entry.fits(form) && entry.stops);
                self.stopped("destructive", form, stops).await;
            }
        }
    }

    /// It is no read for anybody; what destroys is asked about or denied in `safe`, and what only lasts is denied where nothing may be
    /// changed.
    async fn stopped(&mut self, what: &str, text: &str, in_safe: bool) {
        let (lane, effect, rule) = self.verdict(text, if in_safe { PolicyMode::Safe } else { PolicyMode::ReadOnly }).await;
        let stopped = if in_safe { matches!(effect, Effect::Deny | Effect::Ask) } else { effect == Effect::Deny };
        self.expect(what, text, stopped && lane != "read", &(lane, effect, rule));
    }

    /// The device's own command line: the mode that a session starts in, unless that is a shell before it.
    fn policy_mode(&self) -> String {
        let start = self.platform.text("default_mode");
        let is_ready = |entry: &Entry<'_>| entry.text("kind") == "ready";
        let is_start = self.platform.all("mode").any(|entry| entry.text("name") == start && is_ready(&entry));
        let first = self.platform.all("mode").find(is_ready).map_or(start, |entry| entry.text("name"));
        mode_name(&self.platform.name, if is_start { start } else { first }).to_owned()
    }

    /// Lane, effect and rule.
    async fn verdict(&self, command: &str, mode: PolicyMode) -> (String, Effect, String) {
        let place = self.policy_mode();
        let line = Line {
            device: "example",
            tags: &[],
            mode: &place,
            privileged: false,
            cwd: None,
            manner: Manner::Typed,
            text: command,
            unknown: false,
            purpose: Purpose::Run,
            caller: "test",
        };
        let verdict = policy::judge(&self.plugins(), &line, mode).await;
        (verdict.lane.map_or_else(String::new, |lane| lane.lane), verdict.decision.effect, verdict.decision.rule)
    }
}

/// An entry of what a policy must stop.
struct Dangerous {
    /// As words, every form that is judged.
    forms: BTreeSet<String>,
    words: Vec<(String, String)>,
    pattern: Option<Regex>,
    /// It destroys, interrupts, locks out or runs code. Otherwise it makes a change last, or shows a secret.
    stops: bool,
}

impl Dangerous {
    fn of(entry: Entry<'_>) -> Self {
        let (command, least) = (entry.text("cmd"), entry.text("min"));
        let word = |(word, least): (&str, &str)| (word.to_lowercase(), least.to_lowercase());
        Self {
            forms: if command.is_empty() { BTreeSet::new() } else { forms(command, least) },
            words: command.split(' ').zip(least.split(' ')).map(word).filter(|(word, _)| !word.is_empty()).collect(),
            pattern: Some(entry.text("re")).filter(|text| !text.is_empty()).map(|text| Regex::new(text).unwrap()),
            stops: !matches!(entry.text("class"), "persist" | "secret"),
        }
    }

    /// The file's own rule: each typed word begins the full one and goes on from the shortest.
    fn fits(&self, text: &str) -> bool {
        let lower = text.to_lowercase().replace('/', " ");
        let typed: Vec<&str> = lower.split_ascii_whitespace().collect();
        let word = |((full, least), typed): (&(String, String), &&str)| full.starts_with(typed) && typed.starts_with(least.as_str());
        let by_words = !self.words.is_empty() && typed.len() >= self.words.len() && self.words.iter().zip(&typed).all(word);
        by_words || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }
}

/// The command in full, at its shortest, and every step between, all words alike.
fn forms(command: &str, least: &str) -> BTreeSet<String> {
    let words: Vec<(&str, usize)> = command.split(' ').zip(least.split(' ')).map(|(word, least)| (word, least.len())).collect();
    let rest = command.split(' ').skip(words.len()).collect::<Vec<_>>().join(" ");
    let longest = words.iter().map(|(word, least)| word.len() - least).max().unwrap_or_default();
    let form = |more: usize| {
        let short = words.iter().map(|(word, least)| word.get(..(least + more).min(word.len())).unwrap()).collect::<Vec<_>>().join(" ");
        if more == longest && !rest.is_empty() { format!("{short} {rest}") } else { short }
    };
    (0..=longest).map(form).collect()
}

#[expect(clippy::print_stdout, reason = "how much was judged is part of what the test tells")]
#[tokio::test]
async fn every_fact_of_every_platform_is_judged_as_the_file_says() {
    let catalog = catalog();
    let (mut judged, mut wrong, mut excused) = (0, Vec::new(), BTreeSet::new());
    let platforms = platforms();
    assert!(platforms.len() >= 31, "there are {}", platforms.len());
    for platform in &platforms {
        let kind = load(&catalog, device_type(&platform.name).0).await;
        let mut judge = Judge { platform, kind, judged: 0, wrong: Vec::new(), excused: BTreeSet::new() };
        judge.modes().await;
        judge.pagers().await;
        judge.questions().await;
        judge.errors().await;
        judge.policy().await;
        judge.transitions();
        judged += judge.judged;
        wrong.extend(judge.wrong);
        excused.extend(judge.excused);
    }
    println!("{judged} examples of {} platforms judged, {} of them excused", platforms.len(), excused.len());
    assert!(wrong.is_empty(), "{} of {judged} wrong\n{}", wrong.len(), wrong.join("\n"));
    let idle: Vec<_> =
        EXCEPTIONS.iter().enumerate().filter(|(number, _)| !excused.contains(number)).map(|(_, exception)| exception).collect();
    assert!(idle.is_empty(), "exceptions that nothing needs: {idle:?}");
}

//! Two dialogs that many devices have in the same way: one attempt at a secret, and the questions before the first prompt.
//!
//! A secret is given once. The same question again means that it was wrong: it is left, if there is a way, and never answered again,
//! because further tries lock accounts and are typed where nobody asked for them.

use crate::answer::quote;
use crate::text::{begins, rows};
use crate::{DialogReport, Question, Step, View};

/// Commands by which a device's command line goes on to another host.
const ONWARD: &[&str] = &["ssh", "telnet", "rlogin", "slogin", "stelnet", "ssh2", "mac-telnet", "scp", "sftp", "ftp"];
/// How far into a line such a word is a command: `/system ssh`, `execute ssh`, `request system ssh`.
const ONWARD_WORDS: usize = 3;
/// How a file's place on another host begins, wherever it stands: `copy scp://admin@192.0.2.9/x flash:`.
const PLACES: &[&str] = &["scp:", "sftp:", "ftp:", "ftps:", "http:", "https:"];

/// The question as the host must know it: one for a password that another host asks, because the command goes there or to a file
/// there, is of the kind `remote-password`. The device's secrets are not for it.
#[must_use]
pub fn of_its_host(view: &View, mut question: Question) -> Question {
    if matches!(question.kind.as_str(), "password" | "code") && (names_its_host(&question.text) || goes_on(&view.command)) {
        question.kind = "remote-password".to_owned();
    }
    question
}

/// ssh says who asks, unless the server asks in words of its own: `admin@192.0.2.9's password:`, `(admin@192.0.2.9) Password:`.
#[must_use]
pub fn names_its_host(row: &str) -> bool {
    let row = row.trim_end_matches(' ');
    let who = row.strip_prefix('(').and_then(|rest| rest.split(')').next());
    who.is_some_and(|who| who.contains('@')) || row.ends_with("'s password:") && row.contains('@')
}

fn goes_on(command: &str) -> bool {
    let is_onward = |word: &str| ONWARD.contains(&word.trim_matches('/').to_ascii_lowercase().as_str());
    let is_place = |word: &str| begins(&word.trim_start_matches('"').to_ascii_lowercase(), PLACES);
    let words = command.split(|sign: char| sign.is_whitespace() || sign == '/').filter(|word| !word.is_empty());
    words.take(ONWARD_WORDS).any(is_onward) || command.split_ascii_whitespace().any(is_place)
}

/// A secret, and the way out of its question.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The secret's name in the manifest.
    pub secret: &'a str,
    /// The send that leaves the question, where there is one.
    pub leave: Option<&'a str>,
    /// How often that may take.
    pub tries: u32,
}

/// What was done last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// The line was typed.
    #[default]
    Start,
    /// The secret was given.
    Sent,
    /// The secret was wrong, the question is being left.
    Wrong,
    /// There is no secret, the question is being left.
    Lacking,
    /// The caller answers, from here on every question is his.
    Caller,
    /// The device was asked for its level.
    Proving,
}

/// The stages and their words in the memo.
const WORDS: [(Stage, &str); 6] = [
    (Stage::Start, "start"),
    (Stage::Sent, "sent"),
    (Stage::Wrong, "wrong"),
    (Stage::Lacking, "lacking"),
    (Stage::Caller, "caller"),
    (Stage::Proving, "proving"),
];

/// How far an attempt is. It lives in the dialog's memo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What was done last.
    pub stage: Stage,
    /// How often the question was left.
    pub left: u32,
    /// The mode in which the first question was asked, empty before it.
    pub started_in: String,
}

impl Progress {
    /// From a memo. What cannot be read counts as taken over by the caller: then no secret is given.
    #[must_use]
    pub fn parse(memo: &str) -> Self {
        if memo.is_empty() {
            return Self::default();
        }
        let mut words = memo.split(' ');
        let word = words.next().unwrap_or_default();
        let stage = WORDS.iter().find(|(_, known)| *known == word).map_or(Stage::Caller, |(stage, _)| *stage);
        let left = words.next().and_then(|count| count.parse().ok()).unwrap_or_default();
        Self { stage, left, started_in: words.next().unwrap_or_default().to_owned() }
    }

    /// The memo to keep.
    #[must_use]
    pub fn memo(&self) -> String {
        let word = WORDS.iter().find(|(stage, _)| *stage == self.stage).map_or("caller", |(_, word)| word);
        format!("{word} {} {}", self.left, self.started_in)
    }

    /// The same at another stage.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    fn from(mut self, mode: &str) -> Self {
        mode.clone_into(&mut self.started_in);
        self
    }
}

impl Attempt<'_> {
    /// What to do about the question on the last row; `asks_for_it` says that it is the one for this secret.
    #[must_use]
    pub fn at_question(&self, view: &View, question: Question, asks_for_it: bool, progress: Progress) -> (Step, Progress) {
        if !asks_for_it {
            return (Step::Ask(question), progress.at(Stage::Caller));
        }
        match (progress.stage, self.leave) {
            (Stage::Start, _) if !view.lacks_secret(self.secret) => {
                (Step::Secret(self.secret.to_owned()), progress.from(&view.mode).at(Stage::Sent))
            }
            (Stage::Start, Some(leave)) => out_of(leave, progress.from(&view.mode), Stage::Lacking),
            (Stage::Sent, Some(leave)) => out_of(leave, progress, Stage::Wrong),
            (Stage::Sent, None) => (Step::Failed(no_way_out(&self.not_accepted())), progress.at(Stage::Caller)),
            (Stage::Wrong | Stage::Lacking, Some(leave)) if progress.left < self.tries => {
                let stage = progress.stage;
                out_of(leave, progress, stage)
            }
            (Stage::Wrong | Stage::Lacking, _) => {
                (Step::Failed(no_way_out("the device still asks for a password")), progress.at(Stage::Caller))
            }
            // A question about another account, or after the caller has taken over: not ours to answer.
            (Stage::Start | Stage::Caller | Stage::Proving, _) => (Step::Ask(question), progress.at(Stage::Caller)),
        }
    }

    /// That the secret was wrong, without the device's words.
    #[must_use]
    pub fn not_accepted(&self) -> String {
        format!("the device does not accept the secret `{}`", self.secret)
    }

    /// A failure with the device's own words, and what to check.
    #[must_use]
    pub fn failed(&self, what: &str, words: Option<&str>) -> Step {
        let said = words.map(|words| format!(", it said: {}", quote(words))).unwrap_or_default();
        Step::Failed(format!("{what}{said}; check the value of the secret `{}` for this device before you try again", self.secret))
    }

    /// That the device wants a secret which it has no value for.
    #[must_use]
    pub fn lacking(&self) -> Step {
        let secret = self.secret;
        Step::Failed(format!(
            "the device asks for a password and has no value for the secret `{secret}`; give it one as `secrets.{secret}` in the configuration"
        ))
    }
}

fn out_of(leave: &str, mut progress: Progress, stage: Stage) -> (Step, Progress) {
    progress.left += 1;
    (Step::Send(leave.to_owned()), progress.at(stage))
}

fn no_way_out(what: &str) -> String {
    format!("{what}, and its question cannot be left; close the session and open a new one, a further wrong answer may close it anyway")
}

/// The next step of the goal `login`. `answers` are the triggers of questions that have a harmless answer, and the send that is it:
/// each is answered once, every other question reaches the caller. The memo lists the triggers that were answered.
#[must_use]
pub fn login(view: &View, question: Option<Question>, answers: &[(String, String)]) -> DialogReport {
    let memo = view.memo_text();
    if let Some(mode) = view.accepted_mode() {
        return DialogReport::new(Step::Done(mode.to_owned()), memo);
    }
    let Some(question) = question.filter(|_| memo.is_empty() || view.is_new()) else { return DialogReport::new(Step::Wait, memo) };
    // A question that comes again was not helped by its answer.
    let is_open = |trigger: &str| view.hit(trigger).is_some() && !rows(memo).any(|answered| answered == trigger);
    let Some((trigger, send)) = answers.iter().find(|(trigger, _)| is_open(trigger)) else {
        return DialogReport::new(Step::Ask(question), memo);
    };
    DialogReport::new(Step::Send(send.clone()), [memo, trigger, "\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_on_to_another_host_by_itself_or_for_a_file() {
        for command in [
            "ssh admin@192.0.2.9",
            "/system ssh 192.0.2.9",
            "execute ssh 192.0.2.9",
            "ftp 192.0.2.9",
            "copy scp://admin@192.0.2.9/x flash:",
            "copy /noverify SCP: flash:",
            "copy running-config sftp://admin@192.0.2.9/x vrf management",
            "file copy \"scp://admin@192.0.2.9/x\" /var/tmp",
        ] {
            assert!(goes_on(command), "{command}");
        }
        for command in ["enable", "su -", "copy running-config startup-config", "show ip interface", "copy flash:/x flash:/y", ""] {
            assert!(!goes_on(command), "{command}");
        }
    }

    #[test]
    fn ssh_names_the_host_that_asks() {
        for row in ["admin@192.0.2.9's password:", "(admin@192.0.2.9) Password: "] {
            assert!(names_its_host(row), "{row}");
        }
        for row in ["Password:", "Current user's password:", "(current) UNIX password:", "Enter password for admin@r1:"] {
            assert!(!names_its_host(row), "{row}");
        }
    }

    #[test]
    fn every_stage_survives_its_memo() {
        for (stage, _) in WORDS {
            let progress = Progress { stage, left: 2, started_in: "user_exec".to_owned() };
            assert_eq!(Progress::parse(&progress.memo()), progress);
        }
        assert_eq!(Progress::parse(&Progress::default().memo()), Progress::default());
    }

    #[test]
    fn an_empty_memo_is_the_start_and_a_strange_one_gives_no_secret() {
        assert_eq!(Progress::parse("").stage, Stage::Start);
        assert_eq!(Progress::parse("word of tomorrow").stage, Stage::Caller);
    }
}

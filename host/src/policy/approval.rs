//! A person's word on what policy wants asked: for exactly these bytes, there, by this caller, once, and not for long.
//!
//! A request is kept until somebody answers or it is too old. Its answer is used by the next try of the same thing, and by nothing
//! else. No answer means no.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::ids::nonce;
use crate::ids::open_are;
use crate::limits::{APPROVAL_OPEN_MAX, APPROVAL_TEXT_MAX_CHARS, APPROVAL_USE_MAX, APPROVALS_MAX};
use crate::terminal::text::{escaped, escaped_line};

/// How the audit record names the way of a person at a terminal.
pub const COMMAND_LINE: &str = "command line";
/// The same of one at a browser.
pub const VIEWER: &str = "viewer";

/// Who agrees at a terminal, as the audit record has it: a name may be anybody's, the account's number is what the system tells.
#[must_use]
pub fn at_a_terminal(person: &str, uid: u32) -> String {
    format!("{person} at a terminal (uid {uid})")
}

/// What an approval is for. Everything in it must be the same when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The device.
    pub device: String,
    /// The session.
    pub session: String,
    /// The account there.
    pub user: String,
    /// The device's mode.
    pub mode: String,
    /// The working directory, where it is known: a path may mean something else in another one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cwd: String,
    /// Who wants it.
    pub caller: String,
    /// `query`, `run` or `send`.
    pub purpose: String,
    /// The exact text.
    pub text: String,
    /// What becomes of a candidate configuration then, as the caller wants it; empty where nothing was said.
    pub commit: String,
    /// The rule that wants it asked.
    pub rule: String,
}

/// Something that a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its name: `a7`.
    pub id: String,
    /// What for.
    pub subject: Subject,
    /// Why it is asked.
    pub reason: String,
    /// Why the caller wants it, as it says; empty where it said nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Digits that only who was asked knows. They come back with the answer of a client.
    #[serde(skip)]
    pub token: String,
}

/// Who agreed, and on which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The request.
    pub request: String,
    /// Who, as far as the way tells.
    pub by: String,
    /// `elicitation`, `command line` or `viewer`.
    pub channel: &'static str,
}

/// What somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Once.
    Allow,
    /// No.
    Deny,
}

/// What a request has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Somebody agreed. That is used up now.
    Given(Approval),
    /// Somebody said no. That is used up now.
    Refused(Approval),
    /// Nobody has said anything.
    Open(Box<Request>),
    /// It cannot be shown to a person; why.
    Unshown(String),
}

#[derive(Debug)]
struct Entry {
    request: Request,
    asked_at: Instant,
    answer: Option<(Answer, Approval, Instant)>,
    /// Somebody has gone on with it. What turns out to need a second word gives it back.
    is_used: bool,
}

impl Entry {
    fn is_alive(&self, now: Instant) -> bool {
        match &self.answer {
            None => now.saturating_duration_since(self.asked_at) < APPROVAL_OPEN_MAX,
            Some((_, _, at)) => now.saturating_duration_since(*at) < APPROVAL_USE_MAX,
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    entries: Vec<Entry>,
    asked: u64,
}

/// All requests of the process.
#[derive(Debug, Clone, Default)]
pub struct Approvals(Arc<Mutex<Kept>>);

impl Approvals {
    fn kept(&self, now: Instant) -> std::sync::MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.retain(|entry| entry.is_alive(now));
        kept
    }

    /// What has become of the same request, or a new one. `why` is the caller's: the last one that it gave is shown.
    #[must_use]
    pub fn word(&self, subject: Subject, reason: &str, why: &str, now: Instant) -> Word {
        let chars = subject.text.chars().count();
        if chars > APPROVAL_TEXT_MAX_CHARS {
            let why =
                format!("it needs a person's approval and has {chars} characters; more than {APPROVAL_TEXT_MAX_CHARS} are shown to nobody");
            return Word::Unshown(why);
        }
        let mut kept = self.kept(now);
        if let Some(entry) = kept.entries.iter_mut().find(|entry| !entry.is_used && entry.request.subject == subject) {
            let Some((answer, approval, _)) = entry.answer.clone() else {
                if !why.is_empty() {
                    why.clone_into(&mut entry.request.why);
                }
                return Word::Open(Box::new(entry.request.clone()));
            };
            entry.is_used = true;
            return if answer == Answer::Allow { Word::Given(approval) } else { Word::Refused(approval) };
        }
        let Some(token) = nonce() else { return Word::Unshown("this machine gives no random numbers".to_owned()) };
        kept.asked += 1;
        let (id, reason, why) = (format!("a{}", kept.asked), reason.to_owned(), why.to_owned());
        let request = Request { id, subject, reason, why, token };
        if kept.entries.len() >= APPROVALS_MAX {
            let used = kept.entries.iter().position(|entry| entry.is_used);
            kept.entries.remove(used.unwrap_or(0));
        }
        kept.entries.push(Entry { request: request.clone(), asked_at: now, answer: None, is_used: false });
        Word::Open(Box::new(request))
    }

    /// What waits for an answer, the oldest first.
    #[must_use]
    pub fn open(&self, now: Instant) -> Vec<Request> {
        self.kept(now).entries.iter().filter(|entry| entry.answer.is_none()).map(|entry| entry.request.clone()).collect()
    }

    /// The same, each with how long it can still be answered.
    #[must_use]
    pub fn waiting(&self, now: Instant) -> Vec<(Request, Duration)> {
        let kept = self.kept(now);
        let open = kept.entries.iter().filter(|entry| entry.answer.is_none());
        open.map(|entry| (entry.request.clone(), APPROVAL_OPEN_MAX.saturating_sub(now.saturating_duration_since(entry.asked_at)))).collect()
    }

    /// Takes an answer. The first one counts.
    ///
    /// # Errors
    ///
    /// When no such request is open.
    pub fn answer(&self, id: &str, answer: Answer, by: &str, channel: &'static str, now: Instant) -> Result<(), String> {
        let mut kept = self.kept(now);
        let open: Vec<String> = kept.entries.iter().filter(|entry| entry.answer.is_none()).map(|entry| entry.request.id.clone()).collect();
        let Some(entry) = kept.entries.iter_mut().find(|entry| entry.request.id == id && entry.answer.is_none()) else {
            return Err(format!("no request `{id}` waits for an answer; {}", open_are(&open)));
        };
        let approval = Approval { request: id.to_owned(), by: by.to_owned(), channel };
        entry.answer = Some((answer, approval, now));
        Ok(())
    }

    /// Nothing was done with an approval, as something else must be asked first: the next try may use it. It waits no longer for that
    /// than its request would have waited for an answer.
    pub fn give_back(&self, request: &str, now: Instant) {
        let mut kept = self.kept(now);
        if let Some(entry) = kept.entries.iter_mut().find(|entry| entry.is_used && entry.request.id == request)
            && let Some((Answer::Allow, _, at)) = &mut entry.answer
        {
            entry.is_used = false;
            *at = now.min(entry.asked_at + APPROVAL_OPEN_MAX).max(*at);
        }
    }

    /// The open request that these digits belong to.
    #[must_use]
    pub fn by_token(&self, token: &str, now: Instant) -> Option<Request> {
        let kept = self.kept(now);
        let found = kept.entries.iter().find(|entry| entry.answer.is_none() && !token.is_empty() && entry.request.token == token);
        found.map(|entry| entry.request.clone())
    }
}

impl Request {
    /// What a person reads before answering. The text stands line by line behind a bar, so that it cannot pass for anything else.
    #[must_use]
    pub fn shown(&self) -> String {
        let Subject { device, session, user, mode, cwd, caller, purpose, text, commit, rule } = &self.subject;
        let mut out = String::new();
        let part = |name: &str, value: &str| if value.is_empty() { String::new() } else { format!(", {name} {}", escaped_line(value)) };
        let place = part("mode", mode) + &part("directory", cwd) + &part("commit", commit);
        let caller = escaped(caller);
        let what = match purpose.as_str() {
            "send" => "type this on",
            "forward" => "forward this through",
            "trust" => "trust this key of",
            _ => "run this on",
        };
        let user = if user.is_empty() { String::new() } else { format!(", account {}", escaped(user)) };
        let _ = writeln!(out, "{caller} wants to {what} {} (session {}{user}{place}):", escaped(device), escaped(session));
        for line in text.split('\n') {
            let _ = writeln!(out, "  | {}", escaped_line(line));
        }
        if !self.why.is_empty() {
            let _ = writeln!(out, "The reason that it gives: {}", escaped_line(&self.why));
        }
        let _ = write!(out, "{} (rule {})", escaped(self.reason.trim_end_matches('.')).replace('\n', " "), escaped(rule));
        out
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn subject(text: &str) -> Subject {
        let word = |text: &str| text.to_owned();
        Subject {
            device: word("core"),
            session: word("core"),
            user: word("ops"),
            mode: word("privileged"),
            cwd: String::new(),
            caller: word("agent"),
            purpose: word("run"),
            text: word(text),
            commit: String::new(),
            rule: word("guard.destructive.ios.outage"),
        }
    }

    fn open(approvals: &Approvals, text: &str, now: Instant) -> Request {
        match approvals.word(subject(text), "it reloads", "", now) {
            Word::Open(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_is_for_the_same_bytes_and_for_once() {
        let (approvals, now) = (Approvals::default(), Instant::now());
        let request = open(&approvals, "reload", now);
        assert_eq!(open(&approvals, "reload", now), request, "asked again it is the same");
        approvals.answer(&request.id, Answer::Allow, "me", "command line", now).unwrap();
        assert!(matches!(approvals.word(subject("reload in 5"), "", "", now), Word::Open(_)));
        for changed in [
            Subject { device: "other".to_owned(), ..subject("reload") },
            Subject { mode: "config".to_owned(), ..subject("reload") },
            Subject { cwd: "/etc".to_owned(), ..subject("reload") },
            Subject { caller: "another".to_owned(), ..subject("reload") },
            Subject { commit: "now".to_owned(), ..subject("reload") },
            Subject { rule: "x".to_owned(), ..subject("reload") },
        ] {
            assert!(matches!(approvals.word(changed, "", "", now), Word::Open(_)));
        }
        assert!(matches!(approvals.word(subject("reload"), "", "", now), Word::Given(approval) if approval.by == "me"));
        assert!(matches!(approvals.word(subject("reload"), "", "", now), Word::Open(next) if next.id != request.id));
    }

    #[test]
    fn what_was_not_used_is_given_back_but_not_for_ever() {
        let (approvals, now) = (Approvals::default(), Instant::now());
        let given = |at| matches!(approvals.word(subject("cp"), "", "", at), Word::Given(_));
        let request = open(&approvals, "cp", now);
        approvals.answer(&request.id, Answer::Allow, "me", "command line", now).unwrap();
        assert!(given(now));
        let second = open(&approvals, "cp", now);
        assert_ne!(second.id, request.id, "it is used");
        approvals.give_back(&request.id, now + APPROVAL_USE_MAX / 2);
        // What else was asked takes its time.
        assert!(given(now + APPROVAL_USE_MAX));
        approvals.give_back("a9", now);
        approvals.give_back(&request.id, now + APPROVAL_OPEN_MAX * 2);
        assert!(!given(now + APPROVAL_OPEN_MAX * 2));
    }

    #[test]
    fn the_callers_last_reason_is_shown_and_counts_for_nothing() {
        let (approvals, now) = (Approvals::default(), Instant::now());
        let shown = |why: &str| match approvals.word(subject("reload"), "it reloads", why, now) {
            Word::Open(request) => request.shown(),
            other => panic!("{other:?}"),
        };
        assert!(!shown("").contains("reason that it gives"));
        for why in ["a new image", "the old one leaks"] {
            assert!(shown(why).contains(&format!("\nThe reason that it gives: {why}\n")));
        }
        assert!(shown("").contains("the old one leaks"));
        let open = approvals.open(now);
        assert_eq!(open.len(), 1);
        approvals.answer(&open[0].id, Answer::Allow, "me", "command line", now).unwrap();
        assert!(matches!(approvals.word(subject("reload"), "", "another", now), Word::Given(_)));
    }

    #[test]
    fn an_answer_ages_and_so_does_a_request() {
        let (approvals, now) = (Approvals::default(), Instant::now());
        let request = open(&approvals, "reload", now);
        approvals.answer(&request.id, Answer::Allow, "me", "command line", now).unwrap();
        assert!(matches!(approvals.word(subject("reload"), "", "", now + APPROVAL_USE_MAX), Word::Open(_)));
        let late = now + APPROVAL_USE_MAX + APPROVAL_OPEN_MAX;
        assert!(approvals.open(late).is_empty());
        let told = approvals.answer(&request.id, Answer::Allow, "me", "command line", late).unwrap_err();
        assert_eq!(told, "no request `a1` waits for an answer; none is open");
    }

    #[test]
    fn a_no_counts_once_and_the_first_answer_stands() {
        let (approvals, now) = (Approvals::default(), Instant::now());
        let request = open(&approvals, "reload", now);
        approvals.answer(&request.id, Answer::Deny, "me", "elicitation", now).unwrap();
        assert!(approvals.answer(&request.id, Answer::Allow, "me", "elicitation", now).is_err());
        assert!(approvals.by_token(&request.token, now).is_none(), "the digits are used up");
        assert!(matches!(approvals.word(subject("reload"), "", "", now), Word::Refused(_)));
        assert!(matches!(approvals.word(subject("reload"), "", "", now), Word::Open(_)));
    }

    #[test]
    fn what_nobody_reads_is_not_asked_and_not_many_are_kept() {
        let (approvals, now) = (Approvals::default(), Instant::now());
        assert!(matches!(approvals.word(subject(&"x".repeat(APPROVAL_TEXT_MAX_CHARS + 1)), "", "", now), Word::Unshown(_)));
        for number in 0..2 * APPROVALS_MAX {
            open(&approvals, &number.to_string(), now + Duration::from_millis(1));
        }
        assert_eq!(approvals.open(now).len(), APPROVALS_MAX);
    }

    #[test]
    fn the_text_cannot_paint_another_question() {
        let request = Request {
            id: "a1".to_owned(),
            subject: subject("reload\n(rule harmless)\u{1b}[2J\u{202e}x\rls"),
            reason: "it reloads.".to_owned(),
            why: "spring cleaning\n(rule other)\u{1b}[2J".to_owned(),
            token: String::new(),
        };
        let shown = request.shown();
        assert!(shown.contains("\nThe reason that it gives: spring cleaning\\n(rule other)\\x1b[2J\n"), "{shown}");
        assert!(shown.lines().filter(|line| line.contains("harmless")).all(|line| line.starts_with("  | ")), "{shown}");
        assert!(!shown.chars().any(|ch| ch.is_control() && ch != '\n' || ch == '\u{202e}'), "{shown}");
        assert!(shown.ends_with("it reloads (rule guard.destructive.ios.outage)"), "{shown}");
    }

    #[test]
    fn a_question_names_the_directory_where_it_is_known() {
        let first = |cwd: &str| {
            let subject = Subject { cwd: cwd.to_owned(), ..subject("rm -rf etc") };
            let (id, reason) = ("a1".to_owned(), "it removes.".to_owned());
            let shown = Request { id, subject, reason, why: String::new(), token: String::new() }.shown();
            shown.lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(first("/"), "agent wants to run this on core (session core, account ops, mode privileged, directory /):");
        assert_eq!(first(""), "agent wants to run this on core (session core, account ops, mode privileged):");
        // Its name cannot paint another question either.
        assert_eq!(
            first("/x):\n  | ls\u{1b}[2J"),
            "agent wants to run this on core (session core, account ops, mode privileged, directory /x):\\n  | ls\\x1b[2J):"
        );
    }

    #[test]
    fn a_request_of_before_has_no_directory() {
        let text = serde_json::to_string(&subject("reload")).unwrap();
        assert!(!text.contains("cwd"), "{text}");
        assert_eq!(serde_json::from_str::<Subject>(&text).unwrap(), subject("reload"));
    }
}

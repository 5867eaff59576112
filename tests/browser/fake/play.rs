//! What is played at the beginning.

use std::collections::BTreeMap;

use super::{KEPT_ROWS, Played, author, cells, running};
use jackfield::guest::wire::{ApprovalState, AuthorKind, LockState, Rule, SessionState, Tell};
use jackfield::transport::questions::Question;

/// What a server asks.
pub fn questions() -> Vec<Question> {
    vec![Question {
        id: "q1".to_owned(),
        device: "edge2".to_owned(),
        user: "noc".to_owned(),
        about: "Two-factor login. Look at your phone.".to_owned(),
        prompt: "Verification code:".to_owned(),
        echo: false,
    }]
}

fn played(state: SessionState, screen: &str) -> Played {
    let mut parser = vt100::Parser::new(cells(state.rows), cells(state.columns), KEPT_ROWS);
    parser.process(screen.replace('\n', "\r\n").as_bytes());
    Played { state, screen: parser, shell: None, line: String::new(), typed_count: 0 }
}

fn state(session: &str, kind: &str, state: &str) -> SessionState {
    let device = session.split('#').next().unwrap_or(session).to_owned();
    let (session, kind, state) = (session.to_owned(), kind.to_owned(), state.to_owned());
    SessionState { session, device, kind, state, columns: 80, rows: 24, has_terminal: true, idle_s: 4, ..SessionState::default() }
}

/// A session with a shell, which starts afterwards.
pub(super) fn shell_session(session: &str) -> Played {
    let opened_by = Some(author(AuthorKind::Person, "browser"));
    played(SessionState { mode: "shell".to_owned(), cwd: Some("/tmp".to_owned()), opened_by, ..state(session, "linux", "ready") }, "")
}

pub(super) fn sessions() -> BTreeMap<String, Played> {
    let agent = Some(author(AuthorKind::Agent, "claude-code"));
    let switch = SessionState {
        mode: "enable".to_owned(),
        prompt: "core-sw1#".to_owned(),
        opened_by: agent.clone(),
        lock: LockState { rule: Rule::People, holder: Some(author(AuthorKind::Person, "mira")), seconds_left: Some(274), typing: false },
        note: "Change window 22:00 to 23:00, ticket NET-4112. Uplink Gi1/0/48 is on the spare fibre.".to_owned(),
        ..state("core-sw1", "cisco_ios", "ready")
    };
    let router = SessionState {
        running: Some(running("/tool traceroute 198.51.100.7 count=60", 93)),
        opened_by: agent.clone(),
        ..state("rb1", "mikrotik_routeros", "running")
    };
    let olt = SessionState {
        detail: "Password for `super`:".to_owned(),
        mode: "user".to_owned(),
        opened_by: agent.clone(),
        ..state("lab-olt", "acme-olt", "needs_input")
    };
    let edge = SessionState {
        detail: "the device closed the connection after 41 min".to_owned(),
        last_error: Some("`commit` failed: configuration database is locked by admin on ttyp0".to_owned()),
        ..state("edge2", "juniper_junos", "closed")
    };
    let pipe = SessionState { has_terminal: false, opened_by: agent, ..state("web1#pipe", "linux", "ready") };
    let connecting = state("db1", "linux", "connecting");
    let web = shell_session("web1");
    let list = [
        played(switch, SWITCH),
        played(router, ROUTER),
        played(olt, "\x1b[1mACME OLT 5800\x1b[0m  release 7.2.1\n\nolt> super\nPassword: "),
        played(edge, "admin@edge2# commit\n\x1b[31merror: configuration database locked by:\n  admin terminal ttyp0 (pid 4711)\x1b[0m\n"),
        played(pipe, ""),
        played(connecting, ""),
        web,
    ];
    list.into_iter().map(|played| (played.state.session.clone(), played)).collect()
}

pub(super) fn approvals() -> Vec<ApprovalState> {
    let wait = |id: &str, target: &str, text: &str, reason: &str, seconds_left| ApprovalState {
        id: id.to_owned(),
        target: target.to_owned(),
        caller: "claude-code".to_owned(),
        text: text.to_owned(),
        reason: reason.to_owned(),
        seconds_left,
        ..ApprovalState::default()
    };
    vec![
        wait("a7", "web1", "echo approved-$((40+2))", "rule `ask-before-restart` asks about this line", 600),
        wait("a8", "core-sw1", "reload in 5 \u{202e}kcab\u{202c}\u{1b}[2K\nwrite\u{200b} memory\u{a0}", "it restarts the device", 118),
    ]
}

/// What guests of a session are told of before their time.
pub(super) fn typed_before(session: &str) -> Vec<Tell> {
    let typed = |kind, name: &str, text: &str| Tell::Typed { by: author(kind, name), text: text.to_owned() };
    if session != "core-sw1" {
        return Vec::new();
    }
    vec![
        typed(AuthorKind::Runtime, "jackfield", "terminal length 0"),
        typed(AuthorKind::Agent, "claude-code", "show interfaces status | include connected"),
        typed(AuthorKind::Plugin, "cisco-enable", "enable"),
        typed(AuthorKind::Plugin, "cisco-enable", "[hidden]"),
        typed(AuthorKind::Person, "mira", "show cdp neighbors detail"),
        typed(AuthorKind::Agent, "codex", "show version"),
    ]
}

const SWITCH: &str = "core-sw1#show interfaces status | include connected
Gi1/0/1   srv-web1           \x1b[32mconnected\x1b[0m    120        a-full a-1000 10/100/1000BaseTX
Gi1/0/2   srv-web2           \x1b[32mconnected\x1b[0m    120        a-full a-1000 10/100/1000BaseTX
Gi1/0/7   printer-2fl        \x1b[32mconnected\x1b[0m    30         a-full  a-100 10/100/1000BaseTX
Gi1/0/48  uplink spare fibre \x1b[33mconnected\x1b[0m    trunk      a-full a-1000 1000BaseLX SFP
core-sw1#show version | include uptime
core-sw1 uptime is 41 weeks, 2 days, 7 hours, 11 minutes
core-sw1#";

const ROUTER: &str = "[admin@rb1] > /tool traceroute 198.51.100.7 count=60
 # ADDRESS          LOSS  SENT   LAST     AVG    BEST   WORST
 1 192.0.2.254        0%    41  0.4ms     0.5     0.3     1.2
 2 203.0.113.9        0%    41  3.1ms     3.3     2.9     8.0
 3                  100%    41  timeout
 4 198.51.100.7      \x1b[33m 2%    41\x1b[0m  9.8ms    10.1     9.5    22.4
";

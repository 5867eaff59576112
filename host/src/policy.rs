//! The one place where something to type becomes [`approved::Approved`].
//!
//! Lines of callers are [judged](judge()) by the policy plugins of the device type; who fails denies. Sends of a manifest were granted with the plugin's digest, secrets by the configuration; both are typed by name only.

use std::collections::VecDeque;

use crate::author::Author;
use crate::config::LoginAnswer;
use crate::plugin::blocks::Part;
use crate::plugin::device_type::{DeviceType, SendName};
use crate::plugin::manifest::{COMMAND, PipeSpec, SignalSpec};
use crate::plugin::placeholders;
pub use crate::plugin::roles::Effect;

use crate::plugin::roles::Decision;
use crate::session::machine::Intent;

use self::approved::{Approved, Program};

pub use judge::{Line, Manner, Purpose, Verdict, effect_word, judge};

pub mod approval;
pub mod approved;
pub mod explain;
mod judge;
pub mod keys;
mod login_shell;
pub mod taint;

/// Bracketed paste (xterm): the program takes what lies between as text, not as keys.
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
/// What stops a command where no manifest says so: the interrupt key of terminals.
const INTERRUPT: &[u8] = b"\x03";

/// What stands in place of the placeholders of a send.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The session's random digits.
    pub nonce: &'a str,
    /// The account that logged in, where the line itself proves it.
    pub user: Option<&'a str>,
}

/// How what waits for a line takes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineReader {
    /// Text in brackets is taken as text, not as keys.
    pub pastes: bool,
    /// The longest line in bytes, where it says one.
    pub line_max: Option<usize>,
    /// A program that is no shell: an empty line may end what is pasted.
    pub is_program: bool,
}

/// The lines of a command that was allowed, ready to be typed.
///
/// Where the program takes pasted text in brackets, all of it is one paste: no tab completes, no newline runs a part. Typed
/// line by line, a newline at the end of the text stays as an empty line: some programs end a block with it.
///
/// # Errors
///
/// Why it cannot be typed as it is: nothing is typed then.
pub fn command(verdict: &Verdict, text: &str, kind: &DeviceType, reader: &LineReader) -> Result<VecDeque<Approved>, String> {
    let_through(verdict)?;
    let whole = text.replace("\r\n", "\n");
    let text = whole.trim_end_matches('\n');
    if let Some(control) = text.chars().find(|ch| ch.is_control() && *ch != '\n' && *ch != '\t') {
        return Err(format!("it holds the control character {control:?}, which is a key and no text; send keys with ssh_send"));
    }
    let device_max = (kind.line_max > 0 && !reader.pastes).then_some(kind.line_max);
    for (who, most) in [("this shell", reader.line_max), ("this device", device_max)] {
        if let Some(most) = most
            && let Some(line) = text.lines().find(|line| line.len() > most)
        {
            return Err(format!("a line of it has {} bytes, {who} takes {most}; make it shorter", line.len()));
        }
    }
    let enter = kind.terminal.enter.as_bytes();
    if reader.pastes {
        // Interpreters end an indented block with an empty line. A shell would read that as a command.
        let is_block = text.contains('\n') && text.rsplit('\n').next().is_some_and(|row| row.starts_with([' ', '\t']));
        let end: &[u8] = if reader.is_program && is_block && text.len() < whole.len() { b"\n" } else { b"" };
        let bytes = [PASTE_START, text.as_bytes(), end, PASTE_END, enter].concat();
        let last = text.rsplit('\n').next().unwrap_or_default().to_owned();
        return Ok(VecDeque::from([Approved::line(bytes, last)]));
    }
    if let Some(key) = kind.live_keys.iter().find(|key| text.contains(key.as_str())) {
        return Err(format!("it holds {key:?}, which acts at once on this device, before Enter; leave it out"));
    }
    let end = (text.len() < whole.len() && !text.is_empty()).then_some("");
    let lines = text.split('\n').chain(end);
    let typed = |row: &str| [row.as_bytes(), enter].concat();
    let approved = |part| match part {
        Part::Line(line) => Approved::line(typed(line), line.to_owned()),
        Part::Text(rows, shows) => Approved::text(rows.iter().flat_map(|row| typed(row)).collect(), &rows, shows.clone()),
    };
    Ok(kind.blocks.parts(lines)?.into_iter().map(approved).collect())
}

/// What starts a shell behind a pipe; the plugin that names it was granted.
#[must_use]
pub fn pipe_start(pipe: &PipeSpec) -> Program {
    Program::new(pipe.start.clone())
}

/// What sends a signal to what runs in a session's terminal: whoever may use the session may end what it runs, and the plugin that names the
/// program was granted.
#[must_use]
pub fn signal(spec: &SignalSpec, name: &str, pid: u32) -> Program {
    let pid = pid.to_string();
    Program::new(placeholders::resolve(&spec.run, |word| match word {
        "signal" => Some(name),
        "pid" => Some(pid.as_str()),
        _ => None,
    }))
}

/// What a shell behind a pipe is told first.
#[must_use]
pub fn pipe_setup(pipe: &PipeSpec, nonce: &str) -> Approved {
    send(&pipe.setup, "\n", Filling { nonce, user: None })
}

/// The same, and an empty command, which proves that the shell answers.
#[must_use]
pub fn pipe_first(pipe: &PipeSpec, nonce: &str) -> Approved {
    let setup = filled(&pipe.setup, "\n", Filling { nonce, user: None });
    Approved::keys([setup, run(pipe, ":")].concat().into_bytes())
}

/// A command for a shell behind a pipe. No key acts there, so control characters are text.
///
/// # Errors
///
/// Why it may not run.
pub fn piped(verdict: &Verdict, text: &str, pipe: &PipeSpec) -> Result<Approved, String> {
    let_through(verdict)?;
    if text.contains('\0') {
        return Err("it holds a zero byte, which no shell takes".to_owned());
    }
    let quoted = format!("'{}'", text.replace('\'', r"'\''"));
    Ok(Approved::keys(run(pipe, &quoted).into_bytes()))
}

fn run(pipe: &PipeSpec, command: &str) -> String {
    placeholders::resolve(&pipe.run, |word| (word == COMMAND).then_some(command))
}

/// A command for a channel of its own, which a POSIX shell runs whatever the account's login shell is: policy has read it as one.
///
/// # Errors
///
/// Why it may not run, or cannot be given to a shell.
pub fn shell_program(verdict: &Verdict, text: &str) -> Result<Program, String> {
    let_through(verdict)?;
    login_shell::line(text).map(Program::new)
}

/// A program for a channel of its own, in words that every login shell reads alike.
///
/// # Errors
///
/// Why it may not run.
pub fn program(verdict: &Verdict, text: &str) -> Result<Program, String> {
    let_through(verdict)?;
    Ok(Program::new(text.to_owned()))
}

/// Goes on only where policy allows it; else says why not.
fn let_through(verdict: &Verdict) -> Result<(), String> {
    if verdict.allows() { Ok(()) } else { Err(verdict.decision.reason.clone()) }
}

/// What the machine wants typed: a send, a secret, a cancel key. Nothing else is named there.
///
/// # Errors
///
/// When the manifest has no such send.
pub fn intent(intent: &Intent, kind: &DeviceType, filling: Filling<'_>) -> Result<Approved, String> {
    let (plugin, name) = match intent {
        Intent::Send { plugin, name } => (plugin, name),
        Intent::Secret { name, .. } => return Ok(Approved::secret(name.clone(), kind.terminal.enter.clone().into_bytes())),
        Intent::Cancel { tried } => match stopping(&kind.cancel, *tried) {
            Some(send) => (&send.plugin, &send.name),
            None => return Ok(Approved::keys(INTERRUPT.to_vec())),
        },
        Intent::Erase => match &kind.clear_line {
            Some(send) => (&send.plugin, &send.name),
            None => return Err("the device type has no keys that empty a line".to_owned()),
        },
    };
    let text = kind.plugin(plugin).and_then(|plugin| plugin.manifest.sends.get(name));
    let text = text.ok_or_else(|| format!("plugin `{plugin}` has no send `{name}`"))?;
    Ok(send(text, &kind.terminal.enter, filling))
}

/// Which of the keys that stop a command is typed when so many were: all of them in their order, again and again. The last ones may only
/// stop a program; where that has ended and its prompt has got lost (a terminal throws away what it has not passed on yet when such a key
/// comes), it takes one of the first ones to bring another.
fn stopping(cancel: &[SendName], tried: usize) -> Option<&SendName> {
    cancel.iter().cycle().nth(tried)
}

/// A send with its placeholders filled in. One that ends with Enter is a line, which comes back.
fn send(text: &str, enter: &str, filling: Filling<'_>) -> Approved {
    match placeholders::before_last(text, "enter").map(|line| filled(line, enter, filling)) {
        Some(line) if !line.is_empty() => Approved::line(format!("{line}{enter}").into_bytes(), line),
        _ => Approved::keys(filled(text, enter, filling).into_bytes()),
    }
}

fn filled(text: &str, enter: &str, filling: Filling<'_>) -> String {
    // Else it stays as it is, a name that no account has: nothing is done in the name of a wrong one.
    let user = filling.user.filter(|user| is_plain(user));
    placeholders::resolve(text, |word| match word {
        "enter" => Some(enter),
        "nonce" => Some(filling.nonce),
        "user" => user,
        _ => None,
    })
}

/// Is this one word in every command language?
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-@".contains(letter)) && !name.starts_with('-')
}

/// Keys of a caller whose lines were judged, or that form no line.
#[must_use]
pub fn keys(verdict: &Verdict, bytes: Vec<u8>) -> Option<Approved> {
    verdict.allows().then(|| Approved::keys(bytes))
}

/// What a person types at a terminal. It is not judged: they hold the keys of the device themselves.
#[must_use]
pub fn person(bytes: Vec<u8>, who: Author) -> Approved {
    Approved::keys(bytes).by(who)
}

/// What is said of what a person types.
#[must_use]
pub fn person_verdict() -> Verdict {
    let reason = "a person types it".to_owned();
    Verdict::of(Decision { effect: Effect::Allow, rule: "person".to_owned(), reason })
}

/// What is said of a secret that a caller has typed by its name: no plugin is asked.
#[must_use]
pub fn secret_verdict() -> Verdict {
    let reason = "the device asks for it, and its configuration grants it".to_owned();
    Verdict::of(Decision { effect: Effect::Allow, rule: "secret-by-name".to_owned(), reason })
}

/// A secret that the caller asked for by name, at a question; the configuration of the device grants it.
#[must_use]
pub fn secret(name: &str, kind: &DeviceType) -> Approved {
    Approved::secret(name.to_owned(), kind.terminal.enter.clone().into_bytes())
}

/// What a step of a device's login types: the operator's own text with the login name in it, or a secret by its name.
#[must_use]
pub fn login_step(answer: &LoginAnswer, login_name: &str, kind: &DeviceType) -> Approved {
    match answer {
        LoginAnswer::Send(text) => {
            let line = text.replace("{user}", login_name);
            Approved::line(format!("{line}{}", kind.terminal.enter).into_bytes(), line)
        }
        LoginAnswer::Secret(name) => secret(name, kind),
    }
}

/// Enter alone, by which a console that has been quiet shows where it stands.
#[must_use]
pub fn wake(kind: &DeviceType) -> Approved {
    Approved::keys(kind.terminal.enter.clone().into_bytes())
}

/// The terminal's answer to a query of the device: what every terminal answers, or what a manifest says instead.
#[must_use]
pub fn answer(query: &[u8], kind: &DeviceType, (column, row): (usize, u16)) -> Option<Approved> {
    let own = kind.queries.iter().find(|known| known.ask.as_bytes() == query).map(|known| known.answer.as_str());
    let standard = || match query {
        // Device status (ECMA-48 8.3.35): cursor position, then "ready".
        b"\x1b[6n" => Some("\x1b[{row};{column}R"),
        b"\x1b[5n" => Some("\x1b[0n"),
        // Primary device attributes and DECID: a VT102.
        b"\x1b[c" | b"\x1b[0c" | b"\x1bZ" => Some("\x1b[?6c"),
        _ => None,
    };
    let text = own.or_else(standard)?;
    let (row, column) = (row.to_string(), column.to_string());
    let text = placeholders::resolve(text, |word| match word {
        "row" => Some(row.as_str()),
        "column" => Some(column.as_str()),
        _ => None,
    });
    Some(Approved::keys(text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::manifest::QuerySpec;
    use crate::policy::approved::Payload;

    fn bytes(approved: &Approved) -> Vec<u8> {
        match approved.payload() {
            Payload::Bytes(bytes) => bytes.clone(),
            Payload::Secret { .. } => Vec::new(),
        }
    }

    #[test]
    fn a_send_with_enter_is_a_line_and_comes_back() {
        let filling = Filling { nonce: "abcd", user: Some("tom") };
        let line = send("echo {nonce} ${{HOME}{enter}", "\r", filling);
        assert_eq!((bytes(&line).as_slice(), line.echo()), (b"echo abcd ${HOME}\r".as_slice(), Some("echo abcd ${HOME}")));
        let key = send("q", "\r", filling);
        assert_eq!((bytes(&key).as_slice(), key.echo()), (b"q".as_slice(), None));
        assert_eq!(bytes(&send("{enter}", "\r\n", filling)), b"\r\n");
        let brace = send("echo {{enter}", "\r", filling);
        assert_eq!((bytes(&brace).as_slice(), brace.echo()), (b"echo {enter}".as_slice(), None));
    }

    #[test]
    fn what_stops_a_command_is_tried_from_the_beginning_again() {
        let keys: Vec<SendName> = ["interrupt", "quit"].map(|name| SendName { plugin: "p".to_owned(), name: name.to_owned() }).into();
        let typed: Vec<&str> = (0..4).filter_map(|tried| stopping(&keys, tried)).map(|send| send.name.as_str()).collect();
        assert_eq!(typed, ["interrupt", "quit", "interrupt", "quit"]);
        assert_eq!(stopping(&[], 3), None);
    }

    #[test]
    fn a_brace_is_a_brace_in_answers_and_behind_pipes_too() {
        let mut kind = DeviceType::of("t", Vec::new());
        kind.queries.push(QuerySpec { ask: "?".to_owned(), answer: "{{{row};{{column}".to_owned() });
        let answered = |query: &[u8]| answer(query, &kind, (7, 3)).map(|approved| bytes(&approved));
        assert_eq!(answered(b"?"), Some(b"{3;{column}".to_vec()));
        assert_eq!(answered(b"\x1b[6n"), Some(b"\x1b[3;7R".to_vec()));
        let [start, setup, run] = ["sh", "f() {{ {nonce}; }\n", "{{ {command}; }\n"].map(str::to_owned);
        let pipe = PipeSpec { start, setup, run };
        assert_eq!(bytes(&pipe_first(&pipe, "ab")), b"f() { ab; }\n{ :; }\n");
        let allowed = Verdict::of(Decision { effect: Effect::Allow, rule: String::new(), reason: String::new() });
        let typed = piped(&allowed, "echo {nonce} {{ {command}", &pipe).map(|approved| bytes(&approved));
        assert_eq!(typed, Ok(b"{ 'echo {nonce} {{ {command}'; }\n".to_vec()));
    }

    #[test]
    fn an_account_s_name_is_filled_in_where_it_is_one_word() {
        for (user, shown) in [
            (Some("tom.s-2@lab"), "drop tom.s-2@lab"),
            (Some("a b"), "drop {user}"),
            (Some("x;y"), "drop {user}"),
            (Some("-x"), "drop {user}"),
            (Some(""), "drop {user}"),
            (None, "drop {user}"),
        ] {
            assert_eq!(send("drop {user}{enter}", "\r", Filling { nonce: "", user }).echo(), Some(shown));
        }
    }

    #[test]
    fn what_is_denied_cannot_be_typed() {
        let denied = Verdict::deny("r", "because".to_owned());
        let kind = DeviceType::of("t", Vec::new());
        assert_eq!(command(&denied, "reload", &kind, &LineReader::default()).err().as_deref(), Some("because"));
        assert!(keys(&denied, b"y".to_vec()).is_none());
    }

    #[test]
    fn a_command_is_one_paste_or_one_line_after_the_other() {
        let allowed = Verdict::of(Decision { effect: Effect::Allow, rule: String::new(), reason: String::new() });
        let kind = DeviceType::of("t", Vec::new());
        let read = |text: &str, reader: LineReader| command(&allowed, text, &kind, &reader);
        let typed = |text: &str, pastes| {
            read(text, LineReader { pastes, ..LineReader::default() }).map(|lines| lines.iter().map(bytes).collect::<Vec<_>>())
        };
        assert_eq!(typed("a\nb", false), Ok(vec![b"a\r".to_vec(), b"b\r".to_vec()]));
        assert_eq!(typed("a\nb\n\n", false), Ok(vec![b"a\r".to_vec(), b"b\r".to_vec(), b"\r".to_vec()]));
        assert_eq!(typed("a\nb\n", true), Ok(vec![b"\x1b[200~a\nb\x1b[201~\r".to_vec()]));
        for pastes in [false, true] {
            let why = read("a\nlonger", LineReader { pastes, line_max: Some(5), is_program: false }).err();
            assert_eq!(why.as_deref(), Some("a line of it has 6 bytes, this shell takes 5; make it shorter"));
        }
        assert_eq!(typed("a\nb", true), Ok(vec![b"\x1b[200~a\nb\x1b[201~\r".to_vec()]));
        // A block is ended by its empty line, in a program alone.
        for (text, is_program, end) in [("a:\n b\n\n", true, "\n"), ("a:\n b", true, ""), ("a\nb\n", true, ""), ("a:\n b\n", false, "")] {
            let lines = read(text, LineReader { pastes: true, line_max: None, is_program }).unwrap();
            let pasted = format!("\x1b[200~{}{end}\x1b[201~\r", text.trim_end());
            assert_eq!(lines.iter().map(bytes).collect::<Vec<_>>(), [pasted.into_bytes()], "{text:?}");
        }
        assert!(typed("a\x1b[201~b", true).is_err());
        assert!(typed("a\x03", false).is_err());
    }
}

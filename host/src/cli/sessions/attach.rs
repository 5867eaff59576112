//! `jackfield attach` and `jackfield watch`: a session's terminal in this one.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::input;
use super::visitor::{ANOTHER_VERSION, Opened, Visitor, unanswered};
use crate::account;
use crate::cli::paint::put;
use crate::cli::runtime::runtime;
use crate::guest::wire::{Data, Rule, Say, SessionState, Tell};

/// Begins a key for this program instead of the session: Ctrl-].
const PREFIX: u8 = 0x1d;
/// Pieces of typing on their way.
const TYPED_QUEUE: usize = 64;
/// What was typed last is waited for so long when somebody leaves.
const LEAVE_MAX: Duration = Duration::from_secs(2);
/// Leaves whatever modes the session's programs have set (ECMA-48, xterm's control sequences, kitty's keyboard protocol). The cursor stays
/// where it is: margins that are reset send it home, and so do some terminals that are told to leave a buffer which is not there.
pub const PLAIN: &str = "\x1b7\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\
    \x1b[?1016l\x1b[?2004l\x1b[?2031l\x1b[?1l\x1b>\x1b[>4m\x1b[=0u\x1b[?25h\x1b[0m\x1b7\x1b[r\x1b8";
/// An empty terminal to draw on. What has left it upwards is its user's own, from before.
const EMPTY: &str = "\x1b[H\x1b[2J";
/// Takes a notice away that stands below the cursor.
const NOTHING_BELOW: &str = "\x1b[J";

/// Shows a session and lets this terminal's user type into it.
///
/// # Errors
///
/// A sentence for standard error.
pub fn attach(file: Option<&Path>, session: &str) -> Result<ExitCode, String> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err("attach needs a terminal; `jackfield run` runs a command without one".to_owned());
    }
    let size = size();
    show(file, session, Some(size))
}

/// Shows a session.
///
/// # Errors
///
/// A sentence for standard error.
pub fn watch(file: Option<&Path>, session: &str) -> Result<ExitCode, String> {
    show(file, session, None)
}

fn size() -> (u16, u16) {
    tcgetwinsize(io::stdout()).map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

/// The terminal's settings where keys go to the session, put back when it is dropped. What the session's programs have set goes anyway.
struct Raw(Option<Termios>);

impl Raw {
    fn set() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
        let mut raw = before.clone();
        raw.make_raw();
        Self(tcsetattr(io::stdin(), OptionalActions::Now, &raw).is_ok().then_some(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if io::stdout().is_terminal() {
            put(&[PLAIN.as_bytes(), NOTHING_BELOW.as_bytes()].concat());
        }
        if let Some(before) = &self.0 {
            // The terminal may have gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn show(file: Option<&Path>, session: &str, typing: Option<(u16, u16)>) -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let by = if typing.is_some() { "attach" } else { "watch" };
        let mut visitor = match Visitor::at(file, session, by, typing.is_some()).await {
            Ok(visitor) => visitor,
            // Who attaches wants to work there.
            Err(_) if typing.is_some() => {
                let mut visitor = Visitor::of_daemon(file, by, true).await?;
                if let Opened::Asks(question) = visitor.open(session).await? {
                    return Err(unanswered(&question, "then attach again"));
                }
                visitor
            }
            Err(why) => return Err(why),
        };
        let (columns, rows) = typing.unwrap_or_default();
        visitor.say(&Say::Enter { session: session.to_owned(), columns, rows }).await?;
        follow(visitor, session, typing.is_some()).await
    });
    // A read of standard input cannot be taken back.
    runtime.shutdown_background();
    let text = ended?;
    let _ = writeln!(anstream::stderr(), "{text}");
    Ok(ExitCode::SUCCESS)
}

/// What is typed here, as long as the terminal is there.
fn keys() -> mpsc::Receiver<Vec<u8>> {
    let (typed, keys) = mpsc::channel(TYPED_QUEUE);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = io::stdin().lock().read(&mut buffer) {
            if typed.blocking_send(buffer.get(..count).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    keys
}

/// Shows what comes and types what is typed until somebody ends it; says how it ended.
async fn follow(visitor: Visitor, session: &str, may_type: bool) -> Result<String, String> {
    let (mut read, mut write) = visitor.into_parts();
    let mut resized = signal(SignalKind::window_change()).map_err(|error| error.to_string())?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    // Who ends this program from elsewhere has the terminal put back too.
    let mut ended = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut hung_up = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
    let mut keys = if may_type { keys() } else { mpsc::channel(1).1 };
    let raw = if may_type { Raw::set() } else { Raw(None) };
    let mut keyboard = Keyboard::default();
    let mut state: Option<SessionState> = None;
    let mut line = Vec::new();
    let gone = || "the process that holds the sessions has gone; `jackfield status` names its log".to_owned();
    loop {
        let (said, leaves) = tokio::select! {
            read = read.read_until(b'\n', &mut line) => {
                if !read.is_ok_and(|count| count > 0) {
                    drop(raw);
                    return Err(gone());
                }
                let told: Tell = serde_json::from_slice(&line).map_err(|_| ANOTHER_VERSION.to_owned())?;
                line.clear();
                let mut is_unread = false;
                match told {
                    Tell::Screen { data, .. } => is_unread = !put(&[PLAIN.as_bytes(), EMPTY.as_bytes(), &data.0].concat()),
                    Tell::Output { data } => is_unread = !put(&data.0),
                    Tell::State { session: now } => {
                        put(title(&now).as_bytes());
                        state = Some(*now);
                    }
                    Tell::Refused { why } if state.is_none() => {
                        drop(raw);
                        return Err(why);
                    }
                    Tell::Refused { why } => notice(&why),
                    Tell::Done { text } => notice(&text),
                    Tell::Ended { why } => {
                        drop(raw);
                        return Ok(format!("\r\n{session} is over: {why}"));
                    }
                    _ => {}
                }
                (Vec::new(), is_unread)
            }
            _ = resized.recv(), if may_type => {
                let (columns, rows) = size();
                (vec![Say::Resize { columns, rows }], false)
            }
            _ = interrupted.recv() => (Vec::new(), true),
            _ = ended.recv() => (Vec::new(), true),
            _ = hung_up.recv() => (Vec::new(), true),
            typed = keys.recv(), if may_type => match typed {
                None => (Vec::new(), true),
                Some(bytes) => on_keys(keyboard.take(&bytes), session, state.as_ref()),
            },
        };
        for said in said {
            let mut line = serde_json::to_vec(&said).map_err(|error| error.to_string())?;
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                drop(raw);
                return Err(gone());
            }
        }
        if leaves {
            drop(raw);
            // Who hangs up while output comes may not be heard to the end: the other side hangs up when it has heard all.
            let _ = write.shutdown().await;
            let _ = timeout(LEAVE_MAX, tokio::io::copy(&mut read, &mut tokio::io::sink())).await;
            return Ok(format!("\r\nleft {session}; it goes on"));
        }
    }
}

/// What is said for what was typed, and whether somebody leaves.
fn on_keys(keys: Vec<Key>, session: &str, state: Option<&SessionState>) -> (Vec<Say>, bool) {
    let mut said = Vec::new();
    for key in keys {
        match key {
            Key::Typed(bytes) => said.push(Say::Type { data: Data(bytes) }),
            Key::Leave => return (said, true),
            Key::Lock => said.push(lock(session, state)),
            Key::Panic => said.push(Say::Panic { on: true }),
            Key::Who => notice(&who(state)),
            Key::Help => notice("Ctrl-] then: d leave, w who is here, l lock or unlock agents, p stop all agents, Ctrl-] itself"),
        }
    }
    (said, false)
}

fn lock(session: &str, state: Option<&SessionState>) -> Say {
    let session = session.to_owned();
    match state.map(|state| state.lock.rule) {
        Some(Rule::Everyone) | None => Say::Lock { session, rule: Rule::People, agent: None, seconds: None },
        Some(_) => Say::Unlock { session },
    }
}

fn who(state: Option<&SessionState>) -> String {
    let Some(state) = state else { return "nothing is known yet".to_owned() };
    let own = account::name();
    let others: Vec<String> =
        state.guests.iter().filter(|guest| guest.name != own).map(|guest| format!("{} ({})", guest.name, guest.by)).collect();
    let others = if others.is_empty() { "nobody else".to_owned() } else { others.join(", ") };
    let runs = state.running.as_ref().map(|running| format!("; {} runs {}", running.by, running.text)).unwrap_or_default();
    format!("here: {others}; input: {}{runs}", input(&state.lock))
}

/// The terminal's title tells what the session's screen has no room for.
fn title(state: &SessionState) -> String {
    let guests = if state.guests.len() > 1 { format!(" · {} here", state.guests.len()) } else { String::new() };
    let text = format!("{} · {} · {}{guests}", state.session, state.state, input(&state.lock));
    let text: String = text.chars().filter(|ch| !ch.is_control()).collect();
    format!("\x1b]2;{text}\x07")
}

/// A line in reverse at the bottom, which the next output overwrites.
fn notice(text: &str) {
    let text = crate::terminal::text::escaped(text);
    put(format!("\x1b7\x1b[999;1H\x1b[7m {text} \x1b[0m\x1b[K\x1b8").as_bytes());
}

/// What a key means.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Typed(Vec<u8>),
    Leave,
    Lock,
    Panic,
    Who,
    Help,
}

/// Tells keys for this program from those for the session.
#[derive(Debug, Default)]
struct Keyboard {
    /// The prefix was typed.
    is_prefixed: bool,
}

impl Keyboard {
    fn take(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut typed = Vec::new();
        for byte in bytes {
            if !std::mem::take(&mut self.is_prefixed) {
                if *byte == PREFIX {
                    self.is_prefixed = true
                } else {
                    typed.push(*byte)
                }
                continue;
            }
            if !typed.is_empty() && *byte != PREFIX {
                keys.push(Key::Typed(std::mem::take(&mut typed)));
            }
            match byte {
                b'd' => keys.push(Key::Leave),
                b'l' => keys.push(Key::Lock),
                b'p' => keys.push(Key::Panic),
                b'w' => keys.push(Key::Who),
                &PREFIX => typed.push(PREFIX),
                _ => keys.push(Key::Help),
            }
        }
        if !typed.is_empty() {
            keys.push(Key::Typed(typed));
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::sieve::Sieve;

    /// A program goes on when its terminal is left, and whoever had attached types into a shell again.
    #[test]
    fn keys_and_the_mouse_send_what_they_did_before() {
        let modes = ["?1", "?1000", "?1002", "?1003", "?1004", "?1005", "?1006", "?1015", "?1016", "?2004", "?2031"];
        let modes = modes.map(|mode| (format!("\x1b[{mode}h"), format!("\x1b[{mode}l")));
        let others = [("\x1b[>4;2m", "\x1b[>4m"), ("\x1b[>1u", "\x1b[=0u"), ("\x1b=", "\x1b>")];
        let others = others.map(|(set, back)| (set.to_owned(), back.to_owned()));
        for (set, back) in modes.into_iter().chain(others) {
            let mut shown = Vec::new();
            Sieve::new(100).add(set.as_bytes(), &mut shown);
            assert_eq!(shown, set.as_bytes(), "it comes to the terminal");
            assert!(PLAIN.contains(&back), "{set:?}");
        }
    }

    #[test]
    fn the_prefix_makes_keys_for_this_program() {
        let mut keyboard = Keyboard::default();
        assert_eq!(keyboard.take(b"ls\r"), [Key::Typed(b"ls\r".to_vec())]);
        assert_eq!(keyboard.take(b"a\x1d"), [Key::Typed(b"a".to_vec())]);
        assert_eq!(keyboard.take(b"db"), [Key::Leave, Key::Typed(b"b".to_vec())]);
        assert_eq!(keyboard.take(b"\x1d\x1dx\x1dl"), [Key::Typed(b"\x1dx".to_vec()), Key::Lock]);
        assert_eq!(keyboard.take(b"\x1d?\x1dw\x1dp"), [Key::Help, Key::Who, Key::Panic]);
    }
}

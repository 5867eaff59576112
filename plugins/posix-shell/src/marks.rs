//! What the marks since the host's last line say, taken together.
//!
//! `C` output starts, `D;status;nonce;cwd` or `D;status;nonce;;cwd//` command done,
//! `A;nonce;uid=..;pid=..;st=..;late=..;max=..;h=..;sh=..` prompt starts, `B` prompt ends,
//! `P;k=c` continuation prompt, `S;nonce;b..;z..;f..;k..` the probe's answer. The host has checked the nonce. `V;nonce;text` is for the
//! host alone: the shell itself has shown this text right before.

use jackfield_plugin::text::{split_once, whole};

/// What is known about a command that ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Done<'a> {
    /// Absent where the shell cannot say it.
    pub(crate) status: Option<i32>,
    /// Absent where it is empty.
    pub(crate) cwd: Option<&'a str>,
}

/// How far the shell is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stage<'a> {
    /// No mark tells.
    Unknown,
    /// A command runs; its output started after a mark.
    Running,
    /// The rest of the line is asked for.
    Rest,
    /// The command ended, the prompt does not stand yet.
    Ended(Done<'a>),
    /// The prompt stands.
    Prompt(Done<'a>),
    /// A prompt stands, but nothing says that a command ended before it: a redraw while the line was being typed, or a
    /// shell that lost its hook.
    Redrawn(Done<'a>),
}

/// The marks of one command.
#[derive(Debug, PartialEq)]
pub(crate) struct Marks<'a> {
    pub(crate) stage: Stage<'a>,
    /// The newest prompt belongs to user 0.
    pub(crate) root: Option<bool>,
    /// The process number of the shell whose prompt is the newest.
    pub(crate) number: Option<&'a str>,
    /// A mark told where output started, so what follows cannot be a redraw of the line that was typed.
    pub(crate) started: bool,
    /// The shell's line editor starts only behind its prompt.
    pub(crate) late: bool,
    /// The marks are a part of the prompt's text, and nothing puts them round what becomes of it.
    pub(crate) is_fixed: bool,
    /// Such a shell has a line editor of its own, and perhaps a file of what was typed there.
    pub(crate) is_busybox: bool,
    /// The shell's list of what it does before a prompt was replaced, so nothing puts marks round what becomes of that.
    pub(crate) is_unhooked: bool,
    /// The shell reads another language than POSIX shells do.
    pub(crate) is_csh: bool,
    /// The shell's answer to the probe, as in the mark.
    pub(crate) shell: Option<&'a str>,
}

impl<'a> Marks<'a> {
    /// From the bodies, oldest first.
    pub(crate) fn read(bodies: &'a [String]) -> Self {
        let mut marks = Self {
            stage: Stage::Unknown,
            root: None,
            number: None,
            started: false,
            late: false,
            is_fixed: false,
            is_busybox: false,
            is_unhooked: false,
            is_csh: false,
            shell: None,
        };
        let mut shown = None;
        for body in bodies {
            match body.split(';').next().unwrap_or_default() {
                "C" => (marks.stage, marks.started) = (Stage::Running, true),
                "D" => marks.stage = Stage::Ended(done(body)),
                "A" => {
                    let told = Told::read(body);
                    marks.root = told.uid.map(|uid| uid == "0");
                    marks.number = told.pid.filter(|number| is_number(number));
                    marks.late = told.late.is_some();
                    // Such a shell says how much its line editor takes, if only that this is not known.
                    marks.is_fixed = told.max.is_some() && !marks.late;
                    marks.is_busybox = marks.is_fixed && told.max != Some("");
                    marks.is_csh = told.sh == Some("csh");
                    marks.is_unhooked = told.h == Some("");
                    shown = number(told.st);
                }
                "B" => marks.stage = at_prompt(marks.stage, shown),
                "P" => (marks.stage, marks.late) = (Stage::Rest, Told::read(body).late.is_some()),
                "S" => marks.shell = Some(body),
                _ => {}
            }
        }
        marks
    }
}

fn at_prompt(before: Stage<'_>, shown: Option<i32>) -> Stage<'_> {
    match before {
        Stage::Ended(done) | Stage::Prompt(done) => Stage::Prompt(done),
        Stage::Unknown | Stage::Running | Stage::Rest | Stage::Redrawn(_) => Stage::Redrawn(Done { status: shown, cwd: None }),
    }
}

/// What stands behind the first field.
#[inline(never)]
fn behind(fields: &str) -> &str {
    fields.split_once(';').map_or("", |(_, rest)| rest)
}

/// `D;<status>;<nonce>;<cwd>`; a directory may hold semicolons. One with control characters in its name would end the mark early, and is
/// left out. Shells that do not see to that themselves close it: `;<cwd>//`. Where the end is missing, it is another directory.
fn done(body: &str) -> Done<'_> {
    let fields = behind(body);
    let told = behind(behind(fields));
    let cwd = told.strip_prefix(';').map_or(told, |closed| closed.strip_suffix("//").unwrap_or_default());
    let is_told = !cwd.is_empty() && !cwd.bytes().any(|byte| byte.is_ascii_control());
    Done { status: number(fields.split(';').next()), cwd: is_told.then_some(cwd) }
}

/// What a prompt's mark tells by name. It is read behind every command, so once and not for each name.
#[derive(Default)]
struct Told<'a> {
    uid: Option<&'a str>,
    pid: Option<&'a str>,
    late: Option<&'a str>,
    max: Option<&'a str>,
    sh: Option<&'a str>,
    h: Option<&'a str>,
    st: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// What comes first counts.
    fn read(body: &'a str) -> Self {
        let mut told = Self::default();
        for (name, value) in body.split(';').filter_map(|field| split_once(field, "=")) {
            let place = match name {
                "uid" => &mut told.uid,
                "pid" => &mut told.pid,
                "late" => &mut told.late,
                "max" => &mut told.max,
                "sh" => &mut told.sh,
                "h" => &mut told.h,
                "st" => &mut told.st,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        told
    }
}

/// Short enough to be remembered.
fn is_number(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: Option<&str>) -> Option<i32> {
    i32::try_from(whole(text?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{Done, Marks, Stage};

    fn read(bodies: &[&str]) -> Marks<'static> {
        Marks::read(bodies.iter().map(|body| (*body).to_owned()).collect::<Vec<_>>().leak())
    }

    fn ended(status: i32, cwd: &str) -> Done<'_> {
        Done { status: Some(status), cwd: Some(cwd) }
    }

    #[test]
    fn a_command_goes_from_output_to_prompt() {
        assert_eq!(read(&[]).stage, Stage::Unknown);
        assert_eq!(read(&["C;n"]).stage, Stage::Running);
        assert_eq!(read(&["C;n", "D;3;n;/srv"]).stage, Stage::Ended(ended(3, "/srv")));
        assert_eq!(read(&["C;n", "D;3;n;/srv", "A;n;uid=7"]).stage, Stage::Ended(ended(3, "/srv")));
        let all = read(&["C;n", "D;3;n;/srv", "A;n;uid=7", "B;n"]);
        assert_eq!((all.stage, all.root, all.started), (Stage::Prompt(ended(3, "/srv")), Some(false), true));
    }

    #[test]
    fn the_last_of_several_commands_counts() {
        let script = read(&["C;n", "D;0;n;/", "C;n", "D;5;n;/tmp", "A;n", "B;n"]);
        assert_eq!(script.stage, Stage::Prompt(ended(5, "/tmp")));
        assert_eq!(read(&["C;n", "D;0;n;/", "A;n", "B;n", "C;n"]).stage, Stage::Running);
    }

    #[test]
    fn a_directory_may_hold_semicolons_and_a_status_may_be_missing() {
        assert_eq!(read(&["D;0;n;/a;b c"]).stage, Stage::Ended(ended(0, "/a;b c")));
        assert_eq!(read(&["D;$?;n;"]).stage, Stage::Ended(Done { status: None, cwd: None }));
        assert_eq!(read(&["D"]).stage, Stage::Ended(Done::default()));
    }

    #[test]
    fn a_directory_that_ends_its_mark_early_is_not_told() {
        let unknown = Stage::Ended(Done { status: Some(0), cwd: None });
        for (body, cwd) in [("D;0;n;;/srv/a;b//", "/srv/a;b"), ("D;0;n;;///", "/"), ("D;0;n;/srv//", "/srv//")] {
            assert_eq!(read(&[body]).stage, Stage::Ended(ended(0, cwd)), "{body}");
        }
        // Behind the bell, the escape character, a new line.
        for body in ["D;0;n;;/srv/bel", "D;0;n;;/srv/", "D;0;n;", "D;0;n;/a\r\nb", "D;0;n;;/a\r\nb//", "D;0;n;;"] {
            assert_eq!(read(&[body]).stage, unknown, "{body:?}");
        }
    }

    #[test]
    fn a_redraw_is_not_an_end() {
        assert_eq!(read(&["A;n;uid=0;st=4", "B;n"]).stage, Stage::Redrawn(Done { status: Some(4), cwd: None }));
        assert_eq!(read(&["A;n", "B;n", "A;n", "B;n", "C;n"]).stage, Stage::Running);
        assert_eq!(read(&["C;n", "A;n;uid=0;st=$?", "B;n"]).stage, Stage::Redrawn(Done::default()));
        // A repaint behind the end takes nothing back.
        assert_eq!(read(&["C;n", "D;1;n;/", "A;n", "B;n", "A;n", "B;n"]).stage, Stage::Prompt(ended(1, "/")));
    }

    #[test]
    fn an_open_line_asks_for_its_rest_until_it_is_complete() {
        assert_eq!(read(&["P;k=c;n"]).stage, Stage::Rest);
        assert_eq!(read(&["C;n", "P;k=c;n"]).stage, Stage::Rest);
        assert_eq!(read(&["P;k=c;n", "C;n"]).stage, Stage::Running);
        assert_eq!(read(&["P;k=c;n", "D;130;n;/", "A;n", "B;n"]).stage, Stage::Prompt(ended(130, "/")));
    }

    #[test]
    fn marks_that_nothing_puts_round_another_prompt_are_known() {
        let is_fixed = |prompt: &str| read(&["D;0;n;/", prompt, "B;n"]).is_fixed;
        assert!(is_fixed("A;n;max=;pid=9;uid=0") && is_fixed("A;n;max=1023;pid=9;uid=0"));
        for prompt in ["A;n;uid=0;pid=9;st=0", "A;n;uid=0;pid=9", "A;n;late=1;max=1000;pid=9;uid=0", "A;n;pid=9;uid=0"] {
            assert!(!is_fixed(prompt), "{prompt}");
        }
    }

    #[test]
    fn the_probe_answers() {
        let answer = read(&["S;n;b5.2.15(1)-release;z;f;k"]);
        assert_eq!((answer.stage, answer.shell), (Stage::Unknown, Some("S;n;b5.2.15(1)-release;z;f;k")));
    }
}

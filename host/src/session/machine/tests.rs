//! What must hold whatever the plugins do.

use super::*;
use crate::author::Author;
use crate::ids::CommandId;
use crate::limits::{INPUT_AFTER_START, INPUT_HELD_MAX};
use crate::policy;
use crate::session::command::{Limit, Started};
use crate::session::log::ByteLog;

/// How long a question has to stand here.
const AFTER_MS: u32 = 6_000;

fn question() -> Question {
    Question { kind: "unknown".to_owned(), text: "Code:".to_owned(), after_ms: AFTER_MS }
}

/// A machine whose command runs and has shown a question, on a clock of its own.
struct Case {
    machine: Machine,
    now: Instant,
}

impl Case {
    fn asking() -> Self {
        Self::asking_within(None)
    }

    fn asking_within(limit: Option<Limit>) -> Self {
        let now = Instant::now();
        let mut machine = Machine::new(Stream::new(ByteLog::in_memory(), "n"), Setting::default(), now);
        machine.state = State::Idle(Idle { rows_done: 0, log_end: 0, shell: None });
        let started = Started {
            id: CommandId::next(),
            caller: "test".to_owned(),
            text: "ask".to_owned(),
            lines: [policy::person(b"ask\r".to_vec(), Author::agent("test"))].into(),
            goal: None,
            limit,
            one_prompt: false,
            manual: false,
        };
        let typed = machine.on_run(now, started);
        assert!(matches!(typed.as_slice(), [Effect::Write(_)]), "{typed:?}");
        machine.on_bytes(now, b"\r\nCode: ");
        Self { machine, now }
    }

    /// Lets the time pass up to the next deadline; what the plugins are asked then.
    fn next(&mut self) -> Option<Vec<Effect>> {
        self.now = self.machine.next_deadline()?;
        Some(self.machine.on_timer(self.now))
    }

    fn readings(&self, question: Option<Question>, degraded: Option<&str>) -> Readings {
        Readings { revision: self.machine.revision, question, degraded: degraded.map(str::to_owned), ..Readings::default() }
    }
}

#[test]
fn a_question_that_is_a_row_of_the_device_shows_every_character_that_it_has() {
    let mut case = Case::asking();
    let row = Question { text: "Code\u{202e}\u{e0041}: ".to_owned(), after_ms: 0, ..question() };
    let told = case.machine.on_question(case.now, row);
    assert!(matches!(told.as_slice(), [Effect::Asked(_, question)] if question.text == "Code\\u{202e}\\u{e0041}: "), "{told:?}");
}

#[test]
fn what_a_shell_says_behind_the_end_of_the_line_that_ends_it_is_no_output() {
    let (begun, ended, more) = ("\x1b]133;C;n\x07x\r\n", "\x1b]133;D;0;n\x07$ exit\r\n", "\x1b]133;C;n\x07and more");
    for (bytes, left_out) in [
        ([begun, ended].concat(), ended.len()),
        // A second line of the same text has begun, or nothing was told.
        ([begun, ended, more].concat(), 0),
        ("x\r\n$ exit\r\n".to_owned(), 0),
    ] {
        let mut case = Case::asking();
        case.machine.on_bytes(case.now, bytes.as_bytes());
        let end = case.machine.stream.log().end();
        let closed = case.machine.on_closed(case.now, Some(0));
        let [Effect::Ended(ending)] = closed.as_slice() else { panic!("{closed:?}") };
        assert_eq!(ending.pieces.last().map(|(_, to)| *to), Some(end - left_out as u64), "{bytes:?}");
    }
}

/// They are the host's own, and callers have no use for them.
#[test]
fn lines_that_set_a_session_up_are_left_out_of_its_log() {
    let now = Instant::now();
    let setting = Setting { echoes: true, ..Setting::default() };
    let mut machine = Machine::new(Stream::new(ByteLog::in_memory(), "n"), setting, now);
    let ready =
        || Ready { prompt: "$ ".to_owned(), mode: String::new(), privileged: false, status: None, cwd: None, proof: "pattern".to_owned() };
    machine.on_bytes(now, b"Welcome\r\n$ ");
    assert_eq!(machine.shown_log(), [(0, 11)]);
    for line in [" probe", " set up"] {
        let wanted = machine.on_ready(now, ready());
        assert!(matches!(wanted.as_slice(), [Effect::Prepare(..)]), "{wanted:?}");
        let typed = machine.on_prepared(now, vec![("plugin".to_owned(), "send".to_owned())]);
        assert!(matches!(typed.as_slice(), [Effect::Type(_)]), "{typed:?}");
        machine.on_setup_line(now, line);
        machine.on_bytes(now, format!("{line}\r\n$ ").as_bytes());
    }
    let wanted = machine.on_ready(now, ready());
    assert!(matches!(wanted.as_slice(), [Effect::Prepare(..)]), "{wanted:?}");
    assert!(matches!(machine.on_prepared(now, Vec::new()).as_slice(), [Effect::Opened]));
    machine.on_bytes(now, b"ls\r\n");
    // Behind the second one its prompt stands: `$ ` and `ls`.
    assert_eq!(machine.shown_log(), [(0, 9), (30, 36)]);
}

#[test]
fn a_plugin_is_told_how_the_prompt_was_known_at_which_a_line_was_typed() {
    let mut case = Case::asking();
    let now = case.now;
    let proof = |machine: &Machine| machine.view(now).facts.into_iter().find(|(name, _)| *name == "proof");
    assert_eq!(proof(&case.machine), None);
    let ready =
        Ready { prompt: "$ ".to_owned(), mode: "shell".to_owned(), privileged: false, status: None, cwd: None, proof: "mark".to_owned() };
    case.machine.ready = Some(ready);
    assert_eq!(proof(&case.machine), Some(("proof", "mark".into())));
}

#[test]
fn a_plugin_that_fails_when_a_question_is_due_is_asked_again() {
    let mut case = Case::asking();
    let now = case.now;
    let asked = case.machine.on_drained(now);
    assert!(matches!(asked.as_slice(), [Effect::Ask(_)]), "{asked:?}");
    let known = case.readings(Some(question()), None);
    assert!(case.machine.on_readings(now, known).is_empty(), "it has not stood long enough");
    // Due, but the one plugin that knows it did not answer in time.
    let mut looks = 0;
    while case.machine.quiet(case.now) < Duration::from_millis(u64::from(AFTER_MS)) {
        let due = case.next().unwrap();
        assert!(due.iter().all(|effect| matches!(effect, Effect::Ask(_))), "{due:?}");
        looks += 1;
        assert!(looks < 10, "it is asked in a loop");
    }
    let failed = case.readings(None, Some("degraded: it did not return within 20 ms"));
    assert!(case.machine.on_readings(case.now, failed).is_empty());
    // Silence, and no deadline of anybody else: it is asked again all the same, and the question is told.
    let again = case.next().expect("nothing would ever ask again");
    assert!(matches!(again.as_slice(), [Effect::Ask(_)]), "{again:?}");
    let known = case.readings(Some(question()), None);
    let told = case.machine.on_readings(case.now, known);
    assert!(matches!(told.as_slice(), [Effect::Asked(_, question)] if question.text == "Code:"), "{told:?}");
}

#[test]
fn a_plugin_that_keeps_failing_is_asked_later_and_later() {
    let mut case = Case::asking();
    let asked = case.machine.on_drained(case.now);
    assert_eq!(asked.len(), 1, "{asked:?}");
    let mut looks = 0;
    while case.machine.quiet(case.now) < Duration::from_secs(3_600) {
        let failed = case.readings(None, Some("degraded: it is off"));
        assert!(case.machine.on_readings(case.now, failed).is_empty());
        assert!(case.next().is_some());
        looks += 1;
    }
    assert!(looks < 100, "{looks} looks in an hour");
}

#[test]
fn a_screen_that_nobody_could_read_is_looked_at_again() {
    let mut case = Case::asking();
    case.machine.on_bytes(case.now, b"\x1b[?1049h\x1b[1;1Hbox");
    let mut effects = case.machine.on_drained(case.now);
    for turn in 0..2 {
        while !matches!(effects.as_slice(), [Effect::AskScreen(_)]) {
            let none = case.readings(None, None);
            effects = case.machine.on_readings(case.now, none);
            if effects.is_empty() {
                effects = case.next().unwrap_or_else(|| panic!("turn {turn}: nothing looks at it"));
            }
        }
        let revision = case.machine.revision;
        effects = case.machine.on_screen_read(case.now, revision, None);
        assert!(effects.is_empty(), "{effects:?}");
    }
}

#[test]
fn a_command_is_stopped_by_what_is_left_of_its_time_and_told_all_of_it() {
    let mut case = Case::asking_within(Some(Limit::of_caller(Duration::from_secs(60), Duration::from_millis(58_500))));
    let begun = case.now;
    let stopped = loop {
        let effects = case.next().expect("nothing stops it");
        if !effects.iter().all(|effect| matches!(effect, Effect::Ask(_))) {
            break effects;
        }
        let none = case.readings(None, None);
        assert!(case.machine.on_readings(case.now, none).is_empty());
    };
    assert!(matches!(stopped.as_slice(), [Effect::Type(Intent::Cancel { tried: 0 })]), "{stopped:?}");
    assert_eq!(case.now - begun, Duration::from_millis(1_500));
    assert_eq!(case.machine.running().unwrap().warnings(), ["it was stopped after 60 s, as its caller wanted"]);
}

#[test]
fn what_reads_like_a_question_for_a_password_hides_what_is_typed_at_once() {
    let mut case = Case::asking();
    assert!(!case.machine.may_want_secret());
    let guess = |kind: &str| Some(Question { kind: kind.to_owned(), ..question() });
    let plain = Readings { guess: guess("unknown"), ..case.readings(None, None) };
    assert!(case.machine.on_readings(case.now, plain).is_empty());
    assert!(!case.machine.may_want_secret(), "another question hides nothing");
    let secret = Readings { guess: guess("password"), ..case.readings(None, None) };
    assert!(case.machine.on_readings(case.now, secret).is_empty(), "nothing is typed or told for it yet");
    assert!(case.machine.may_want_secret());
    assert!(case.machine.question().is_none(), "no secret may be typed before it is told");
    case.machine.on_bytes(case.now, b"and so on");
    assert!(!case.machine.may_want_secret(), "it was none");
}

#[test]
fn a_command_that_nobody_knows_of_is_stopped_until_it_ends() {
    let mut case = Case::asking();
    case.machine.on_unwanted(case.now);
    let mut typed = 0;
    while typed < crate::limits::KILL_TRIES_MAX {
        let effects = case.next().expect("it is left running");
        typed += effects.iter().filter(|effect| matches!(effect, Effect::Type(Intent::Cancel { .. }))).count();
    }
    assert_eq!(case.machine.running().unwrap().warnings(), ["it was stopped: nobody waited for it any more"]);
}

#[test]
fn a_secret_that_was_held_back_is_for_the_question_that_it_was_given_for() {
    for (more, typed) in [("", 1), (" ", 1), ("\r\nGo on (yes/no)? ", 0)] {
        let mut case = Case::asking();
        let secret = policy::approved::secret_for_tests("sudo").by(Author::agent("test"));
        let now = case.now;
        assert!(case.machine.on_input(now, secret).is_empty(), "it is held until the command runs");
        case.machine.on_bytes(now, more.as_bytes());
        let mut written = 0;
        while let Some(effects) = case.next() {
            written += effects.iter().filter(|effect| matches!(effect, Effect::Write(_))).count();
            if case.now - now > INPUT_HELD_MAX {
                break;
            }
            let none = case.readings(None, None);
            assert!(case.machine.on_readings(case.now, none).is_empty());
        }
        assert_eq!(written, typed, "{more:?}");
        assert_eq!(case.machine.running().unwrap().warnings().len(), 1 - typed, "{more:?}");
    }
}

#[test]
fn what_asks_when_a_secret_that_was_held_back_is_not_typed_is_told() {
    let mut case = Case::asking();
    let secret = policy::approved::secret_for_tests("sudo").by(Author::agent("test"));
    assert!(case.machine.on_input(case.now, secret).is_empty(), "it is held until the command runs");
    case.machine.on_bytes(case.now, b"\r\nGo on (yes/no)? ");
    let asked = case.machine.on_drained(case.now);
    assert!(matches!(asked.as_slice(), [Effect::Ask(_)]), "{asked:?}");
    let question = Question { text: "Go on (yes/no)?".to_owned(), after_ms: 0, ..question() };
    let known = case.readings(Some(question.clone()), None);
    assert!(case.machine.on_readings(case.now, known).is_empty(), "something is about to be typed");
    // Nothing is, and the device is silent.
    let again = case.next().expect("nothing would ever ask again");
    assert!(matches!(again.as_slice(), [Effect::Ask(_)]), "{again:?}");
    let known = case.readings(Some(question), None);
    let told = case.machine.on_readings(case.now, known);
    assert!(matches!(told.as_slice(), [Effect::Asked(..)]), "{told:?}");
}

#[test]
fn what_stops_a_command_is_typed_once_the_shell_has_started_it() {
    let cancels = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Type(Intent::Cancel { tried: 0 }))).count();
    let mut case = Case::asking();
    // The last one told its start, so this one will.
    case.machine.tells_start = true;
    let begun = case.now;
    assert!(case.machine.on_interrupt(begun, 0).is_empty(), "the shell's line editor has the line");
    let started = begun + Duration::from_millis(5);
    case.machine.on_bytes(started, b"\x1b]133;C;n\x07");
    let asked = case.machine.on_drained(started);
    assert_eq!(cancels(&asked), 0, "{asked:?}");
    let typed = case.machine.on_timer(started + INPUT_AFTER_START);
    assert_eq!(cancels(&typed), 1, "{typed:?}");
    let again = case.machine.on_interrupt(started + INPUT_AFTER_START, 0);
    assert_eq!(cancels(&again), 1, "{again:?}");
    // A shell that does not tell it is not waited for for ever.
    let mut case = Case::asking();
    case.machine.tells_start = true;
    assert!(case.machine.on_interrupt(case.now, 0).is_empty());
    let typed = case.machine.on_timer(case.now + INPUT_HELD_MAX);
    assert_eq!(cancels(&typed), 1, "{typed:?}");
}

/// The shell has several lines at once, and none of them has begun yet.
#[test]
fn the_line_that_begins_while_its_stop_is_held_back_is_the_one_that_is_stopped() {
    let cancels = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::Type(Intent::Cancel { .. }))).count();
    let mut case = Case::asking();
    case.machine.tells_start = true;
    let State::Running(running) = &mut case.machine.state else { panic!("it runs") };
    running.lines_left = 1;
    assert!(case.machine.on_interrupt(case.now, 0).is_empty());
    let started = case.now + Duration::from_millis(5);
    case.machine.on_bytes(started, b"\x1b]133;C;n\x07");
    let first = case.machine.on_drained(started);
    assert_eq!(cancels(&first), 0, "{first:?}");
    let stopped = started + INPUT_AFTER_START;
    let typed = case.machine.on_timer(stopped);
    assert_eq!(cancels(&typed), 1, "{typed:?}");
    assert!(case.machine.running().unwrap().warnings().is_empty(), "no line behind it has begun");
    case.machine.on_bytes(stopped, b"\x1b]133;C;n\x07");
    let next = case.machine.on_drained(stopped);
    assert_eq!((cancels(&next), case.machine.running().unwrap().warnings().len()), (1, 1), "{next:?}");
}

#[test]
fn the_interrupt_key_that_somebody_types_is_for_all_the_lines() {
    let (anna, agent) = (Author::person("anna"), Author::agent("test"));
    for (bytes, left, by) in [(b"\x03".as_slice(), 0, &anna), (b"y\r", 1, &anna), (b"\x03", 0, &agent), (b"y\r", 1, &agent)] {
        let mut case = Case::asking();
        let State::Running(running) = &mut case.machine.state else { panic!("it runs") };
        running.lines.push_back(policy::person(b"next\r".to_vec(), Author::agent("test")));
        let typed = case.machine.on_input(case.now, policy::person(bytes.to_vec(), by.clone()));
        // What an agent types into the first moments is typed a little later, and counts at once.
        assert_eq!(typed.len(), usize::from(by.is_person()), "{typed:?}");
        let running = case.machine.running().unwrap();
        assert_eq!((running.lines.len(), running.interrupted), (left, left == 0));
    }
}

#[test]
fn a_password_that_is_typed_key_by_key_is_hidden_up_to_the_key_that_sends_it() {
    for (echo, end) in [(b"".as_slice(), b"\r".as_slice()), (b"*", b"\n"), (b"", b"\x03")] {
        let mut case = Case::asking();
        let secret = Question { kind: "password".to_owned(), ..question() };
        let asked = Readings { guess: Some(secret), ..case.readings(None, None) };
        assert!(case.machine.on_readings(case.now, asked).is_empty());
        let mut typed = |bytes: &[u8]| {
            let hidden = case.machine.may_want_secret();
            let effects = case.machine.on_input(case.now, policy::person(bytes.to_vec(), Author::person("anna")));
            assert!(matches!(effects.as_slice(), [Effect::Write(_)]), "{effects:?}");
            case.machine.on_bytes(case.now, echo);
            hidden
        };
        assert!([b"h".as_slice(), b"u", b"\x7f", b"u", end].iter().all(|key| typed(key)), "a key of it is shown");
        assert!(!typed(b"n"), "it is over");
    }
}

#[test]
fn behind_a_secret_that_is_typed_by_its_name_nothing_is_hidden() {
    let mut case = Case::asking();
    let kind = "password".to_owned();
    let asked = Readings { guess: Some(Question { kind, ..question() }), ..case.readings(None, None) };
    assert!(case.machine.on_readings(case.now, asked).is_empty());
    assert!(case.machine.may_want_secret());
    let typed = case.machine.on_input(case.now, policy::approved::secret_for_tests("sudo").by(Author::person("anna")));
    assert!(matches!(typed.as_slice(), [Effect::Write(_)]), "{typed:?}");
    assert!(case.machine.may_want_secret(), "it is looked up, and somebody may type it meanwhile");
    case.machine.on_secret_over();
    case.machine.on_bytes(case.now, b"\r\nGo on? [y/n] ");
    assert!(!case.machine.may_want_secret());
}

/// A shell tells the end of each line by a mark, also of one whose echo it has drawn so that nobody knows it again.
#[test]
fn of_lines_whose_echo_was_not_known_no_output_is_left_out() {
    for lines in [&["one", "two"][..], &["one", "two", "three"]] {
        for unknown in 0..lines.len() {
            let now = Instant::now();
            let setting = Setting { echoes: true, ..Setting::default() };
            let mut machine = Machine::new(Stream::new(ByteLog::in_memory(), "n"), setting, now);
            machine.state = State::Idle(Idle { rows_done: 0, log_end: 0, shell: None });
            let started = Started {
                id: CommandId::next(),
                caller: "test".to_owned(),
                text: lines.join("\n"),
                lines: policy::approved::for_tests(lines),
                goal: None,
                limit: None,
                one_prompt: false,
                manual: false,
            };
            let mut effects = machine.on_run(now, started);
            for (number, line) in lines.iter().enumerate() {
                assert!(matches!(effects.as_slice(), [Effect::Write(_)]), "{effects:?}");
                let echo = if number == unknown { "?" } else { *line };
                let prompt = "\x1b]133;D;0;n\x07\x1b]133;A;n\x07$ \x1b]133;B;n\x07";
                machine.on_bytes(now, format!("{echo}\r\nrow {number}\r\n{prompt}").as_bytes());
                assert!(matches!(machine.on_drained(now).as_slice(), [Effect::Ask(_)]));
                let ready = Ready {
                    prompt: "$ ".to_owned(),
                    mode: "shell".to_owned(),
                    privileged: false,
                    status: Some(0),
                    cwd: None,
                    proof: "mark".to_owned(),
                };
                let prompt = Some(Reading::Ready(ready));
                effects = machine.on_readings(now, Readings { revision: machine.revision, prompt, ..Readings::default() });
            }
            let [Effect::Ended(ending)] = effects.as_slice() else { panic!("{effects:?}") };
            let read = |(from, to): &(u64, u64)| machine.stream().log().read(*from, *to).unwrap().1.into_owned();
            let output = String::from_utf8(ending.pieces.iter().flat_map(read).collect()).unwrap();
            let told = (0..lines.len()).filter(|number| output.contains(&format!("row {number}\r\n"))).count();
            assert_eq!(told, lines.len(), "{unknown}: {output:?}");
        }
    }
}

#[test]
fn a_prompt_begins_where_its_mark_stands() {
    const MARKED: &str = "left\x1b]133;D;0;n\x07\x1b]133;A;n\x07web1# \x1b]133;B;n\x07";
    for (shown, guess, proof, told) in [
        (MARKED, "leftweb1# ", "mark", "web1# "),
        // What the prompt before it was ends alike.
        (MARKED, "# ", "mark", "web1# "),
        (MARKED, "# ", "pattern", "# "),
        ("größe 你\x1b]133;D;0;n\x07\x1b]133;A;n\x07é# ", "# ", "mark", "é# "),
        // It begins in a row before, or the cursor has gone elsewhere since.
        ("\x1b]133;D;0;n\x07x\x1b]133;A;n\x07web1\r\n/srv# ", "/srv# ", "mark", "/srv# "),
        ("\x1b]133;D;0;n\x07x\x1b]133;A;n\x07web1\x1b[B# ", "# ", "mark", "# "),
        // It draws over what was left.
        ("left\x1b]133;D;0;n\x07\x1b]133;A;n\x07\r\x1b[Kweb1# \x1b]133;B;n\x07", "web1# ", "mark", "web1# "),
        // A plugin that knows what stands behind the prompt.
        ("\x1b]133;D;0;n\x07\x1b]133;A;n\x07web1> echo )", "web1> ", "mark", "web1> "),
    ] {
        let now = Instant::now();
        let mut machine = Machine::new(Stream::new(ByteLog::in_memory(), "n"), Setting::default(), now);
        machine.on_bytes(now, shown.as_bytes());
        let ready = Ready {
            prompt: guess.to_owned(),
            mode: "shell".to_owned(),
            privileged: false,
            status: Some(0),
            cwd: None,
            proof: proof.to_owned(),
        };
        let accepted = Readings { revision: machine.revision, prompt: Some(Reading::Ready(ready)), ..Readings::default() };
        let effects = machine.on_readings(now, accepted);
        assert!(matches!(effects.as_slice(), [Effect::Prepare(_, ready)] if ready.prompt == told), "{shown:?} {guess:?}: {effects:?}");
        assert_eq!(machine.ready().map(|ready| ready.prompt.as_str()), Some(told), "{shown:?} {guess:?}");
    }
}

/// A shell in another one, as behind `ssh`, may end while something runs in it, or while nothing does. What comes next runs elsewhere.
#[test]
fn whoever_is_in_another_shell_than_before_is_told() {
    let prompt = |shell: u32| format!("\x1b]133;D;9;n\x07\x1b]133;A;n;pid={shell}\x07$ \x1b]133;B;n\x07");
    // The shell that answers behind the line, the one that does a while later, and whether each of two results tells of it.
    for (line, behind, later, told) in [
        ("sleep 9", 71, 71, [false, false]),
        ("sleep 9", 70, 70, [true, false]),
        ("exit 9", 70, 70, [false, false]),
        // A shell inside that takes over the prompt with its marks, where it is exported, shows its own number from the beginning.
        ("sh", 72, 72, [true, false]),
        ("sleep 9", 71, 70, [false, true]),
    ] {
        let now = Instant::now();
        let mut machine = Machine::new(Stream::new(ByteLog::in_memory(), "n"), Setting::default(), now);
        machine.on_bytes(now, prompt(71).as_bytes());
        machine.become_idle();
        let mut tells = Vec::new();
        for (text, shell) in [(line, behind), ("pwd", later)] {
            let started = Started {
                id: CommandId::next(),
                caller: "test".to_owned(),
                text: text.to_owned(),
                lines: policy::approved::for_tests(&[text]),
                goal: None,
                limit: None,
                one_prompt: false,
                manual: false,
            };
            let typed = machine.on_run(now, started);
            assert!(matches!(typed.as_slice(), [Effect::Write(_)]), "{typed:?}");
            machine.on_bytes(now, format!("\r\n\x1b]133;C;n\x07{}", prompt(shell)).as_bytes());
            let ready = Ready {
                prompt: "$ ".to_owned(),
                mode: "shell".to_owned(),
                privileged: false,
                status: Some(9),
                cwd: None,
                proof: "mark".to_owned(),
            };
            let prompt_stands = Some(Reading::Ready(ready));
            let ended = machine.on_readings(now, Readings { revision: machine.revision, prompt: prompt_stands, ..Readings::default() });
            let [Effect::Ended(ending)] = ended.as_slice() else { panic!("{ended:?}") };
            let told = ending.warnings.iter().find(|warning| warning.contains("in another shell"));
            assert!(!told.is_some_and(|told| told.contains("typed into was left")), "nobody knows that: {told:?}");
            tells.push(told.is_some());
            if shell != later {
                machine.on_bytes(now, format!("\r\n{}", prompt(later)).as_bytes());
            }
        }
        assert_eq!(tells, told, "{line}: {behind}, then {later}");
    }
}

/// A machine at login whose last row a plugin takes for a prompt if it is silent for so long. So long after that row this is typed and
/// then this comes. Is the row shown again, and after what silence?
fn shown_again(row: &str, asked_ms: u32, stood_ms: u64, typed: Option<&[u8]>, then: &[&[u8]]) -> Option<(Machine, Instant)> {
    let mut now = Instant::now();
    let mut machine = Machine::new(Stream::new(ByteLog::in_memory(), "n"), Setting::default(), now);
    let readings = |machine: &Machine, prompt| Readings { revision: machine.revision, prompt, ..Readings::default() };
    machine.on_bytes(now, format!("Welcome\r\n{row}").as_bytes());
    assert!(matches!(machine.on_drained(now).as_slice(), [Effect::Ask(_)]));
    let known = readings(&machine, Some(Reading::Settle(asked_ms)));
    assert!(machine.on_readings(now, known).is_empty());
    now += Duration::from_millis(stood_ms);
    if let Some(typed) = typed {
        let written = machine.on_input(now, policy::person(typed.to_vec(), Author::person("anna")));
        assert!(matches!(written.as_slice(), [Effect::Write(_)]), "{written:?}");
        now += Duration::from_millis(stood_ms);
    }
    let mut effects = Vec::new();
    for bytes in then {
        machine.on_bytes(now, bytes);
        effects = machine.on_drained(now);
    }
    loop {
        match effects.as_slice() {
            [Effect::Ask(view)] if view.tail == row => return Some((machine, now)),
            [Effect::LoginWaits(_)] => return None,
            [Effect::Ask(_)] => {
                let none = readings(&machine, None);
                effects = machine.on_readings(now, none);
            }
            [] => {
                now = machine.next_deadline().expect("it waits for ever");
                effects = machine.on_timer(now);
            }
            other => panic!("{other:?}"),
        }
    }
}

const WALL: &[u8] = b"\r\nBroadcast message from root\r\n\r\nbackup in 5 minutes\r\n";

#[test]
fn a_first_prompt_that_a_message_was_printed_behind_is_shown_again() {
    for (stood_ms, message, is_shown) in
        [(140, WALL, true), (140, &b"update available\r\n"[..], true), (140, &b"\r\nYour name: "[..], false), (20, WALL, false)]
    {
        let shown = shown_again("$ ", 300, stood_ms, None, &[message]);
        assert_eq!(shown.is_some(), is_shown, "{stood_ms} {message:?}");
        if let Some((mut machine, now)) = shown {
            let ready = Ready {
                prompt: "$ ".to_owned(),
                mode: "shell".to_owned(),
                privileged: false,
                status: None,
                cwd: None,
                proof: "pattern".to_owned(),
            };
            let accepted = Readings { revision: machine.revision, prompt: Some(Reading::Ready(ready)), ..Readings::default() };
            let effects = machine.on_readings(now, accepted);
            assert!(matches!(effects.as_slice(), [Effect::Prepare(..)]), "{effects:?}");
        }
    }
}

/// Who is asked sooner says again that it is too early, and is not asked any more.
#[test]
fn a_first_prompt_is_shown_again_after_the_silence_that_is_asked_for() {
    for asked_ms in [300, 1_500, 3_000] {
        let (machine, now) = shown_again("olt> ", asked_ms, 140, None, &[WALL]).unwrap();
        assert!(machine.quiet(now) >= Duration::from_millis(u64::from(asked_ms)), "{:?}", machine.quiet(now));
    }
}

#[test]
fn a_row_that_was_answered_or_goes_on_is_no_first_prompt() {
    assert!(shown_again("Name> ", 1_000, 140, Some(b"bob\r"), &[b"bob\r\n"]).is_none());
    // Each of these stands too short for a prompt, and what comes of them is none.
    assert!(shown_again("Loading #", 1_000, 140, None, &[b"#", b"##", b"####"]).is_none());
}

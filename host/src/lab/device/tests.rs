//! A device of no vendor, driven with its own clock.

use super::super::faults::mix;
use super::*;

const PLAIN: &str = r#"
type = "plain"
[secrets]
high = "s3cret"
[vars]
host = "box"
chatty = "no"
[mode.low]
prompt = "{host}>"
start = true
[mode.high]
prompt = "{host:2}!"
inherit = ["low"]
[syntax]
abbreviate = true
pipe = "|"
filters = { keep = "keep" }
[editor]
help = ["?"]
complete = ["\t"]
[pager]
marker = "<more>"
marker_next = "<again>"
erase = ["<wipe1>", "<wipe2>"]
page = [" "]
line = ["\r"]
quit = ["q"]
dump = ["d"]
off_word = "whole"
[errors]
unknown = "{caret}^ unknown {word} at {column}"
[words]
list = "Show lines"
[dialog.high]
question = "Secret? "
kind = "secret"
secret = "high"
tries = 2
timeout_ms = 5000
correct = { mode = "high" }
wrong = { print = "no" }
cancel = {}
timeout = { print = "too late" }
[dialog.sure]
question = "Sure? "
kind = "key"
echo = true
[[dialog.sure.answer]]
match = ["y", "\r"]
print = "done"
[dialog.sure.other]
[dialog.name]
question = "Name {host}? "
kind = "line"
set = "host"
[dialog.note]
question = "End with {text:1}\r\n"
kind = "text"
begun = "{text}"
cancel = {}
other = { print = "noted" }
[[command]]
match = "up"
ask = "high"
[[command]]
match = "list"
modes = ["low"]
generate = { lines = 9, block = ["line {n}"] }
[[command]]
match = "wipe"
modes = ["high"]
ask = "sure"
[[command]]
match = "rename"
ask = "name"
[[command]]
match = "note <text...>"
ask = "note"
[[command]]
match = "do <line...>"
run = { line = "{line}", mode = "low" }
[[command]]
match = "loop"
run = { line = "loop", mode = "low" }
[[command]]
match = "slow"
print = "wait"
then = [{ delay_ms = 1000, print = "now" }]
[[command]]
match = "tick"
repeat = { template = "tick {n}", every_ms = 100, stop = ["q"], stopped = "!", end = "{n} ticks" }
[[command]]
match = "tick <count>"
repeat = { template = ".", newline = false, every_ms = 100, count = "{count}" }
[[command]]
match = "alarm"
later = { delay_ms = 500, print = "alarm on {host}" }
[[command]]
match = "talk"
set = { chatty = "yes" }
[[command]]
match = "bye"
close = true
[[key]]
match = "\u0018"
raw = "[key]"
[[noise]]
every_ms = 1000
print = "noise"
when = { chatty = "yes" }
"#;

const REDRAWN: &str = r#"
type = "redrawn"
[mode.menu]
prompt = "{sgr:1}[{user}@box]{sgr:0} {menu}> "
cut = "<"
start = true
[syntax]
menu = "/"
[suffix]
separator = "+"
no_colour = "c"
no_queries = "t"
dumb = "e"
[editor]
echo = "redraw"
crlf = "one"
on_prompt = "P{line}"
on_key = "{key}K{line}"
on_enter = "E"
[[login]]
query = { ask = "<who>", answer = "^\\x1b/Z$", timeout_ms = 2000 }
[[login]]
raw = "hello "
[[command]]
match = "/net/addr/show"
print = "addr"
"#;

/// A session of 8 rows and 40 columns that has done its first steps.
fn device(text: &str, login: &str) -> Device {
    let description = Description::parse("box", text).unwrap();
    let login = Login::parse(login, "box", description.script.spec.suffix.as_ref()).unwrap();
    let mut device = Device::shell(&description, login.with_terminal(40, 8)).unwrap();
    device.advance(0);
    device
}

fn output(device: &mut Device) -> String {
    let length = device.waiting_bytes();
    String::from_utf8_lossy(&device.take(length)).into_owned()
}

/// Each input at its time, and what comes out, in one line for each input.
fn played(text: &str, login: &str, inputs: &[(u64, &str)], cut: bool) -> Vec<String> {
    let mut device = device(text, login);
    let mut told = vec![output(&mut device)];
    for (now_ms, input) in inputs {
        device.advance(*now_ms);
        let pieces = if cut { 1 } else { input.len().max(1) };
        for piece in input.as_bytes().chunks(pieces) {
            device.on_input(piece);
            device.advance(*now_ms);
        }
        told.push(output(&mut device));
    }
    told
}

/// The same bytes give the same result wherever they are cut.
fn check(text: &str, login: &str, inputs: &[(u64, &str)], expected: &[&str]) {
    assert_eq!(played(text, login, inputs, false), expected);
    assert_eq!(played(text, login, inputs, true), expected, "byte by byte");
}

#[test]
fn a_secret_has_its_tries_and_its_time() {
    let inputs = [(0, "up\r"), (0, "s3cret\r")];
    check(PLAIN, "box", &inputs, &["box>", "up\r\nSecret? ", "\r\nbo!"]);
    let inputs = [(0, "up\r"), (0, "a\r"), (0, "b\r")];
    check(PLAIN, "box", &inputs, &["box>", "up\r\nSecret? ", "\r\nSecret? ", "\r\nno\r\nbox>"]);
    let inputs = [(0, "up\r"), (0, "a\u{3}"), (0, "up\r"), (5000, "")];
    check(PLAIN, "box", &inputs, &["box>", "up\r\nSecret? ", "\r\nbox>", "up\r\nSecret? ", "too late\r\nbox>"]);
}

#[test]
fn pages_follow_the_height_and_each_key_does_its_part() {
    let page = "line 1\r\nline 2\r\nline 3\r\nline 4\r\nline 5\r\nline 6\r\nline 7\r\n";
    let first = format!("list\r\n{page}<more>");
    let start = (0, "list\r");
    check(PLAIN, "box", &[start, (0, " ")], &["box>", &first, "<wipe1>line 8\r\nline 9\r\nbox>"]);
    check(PLAIN, "box", &[start, (0, "\r"), (0, "q")], &["box>", &first, "<wipe1>line 8\r\n<again>", "<wipe2>box>"]);
    check(PLAIN, "box", &[start, (0, "x"), (0, "d")], &["box>", &first, "", "<wipe1>line 8\r\nline 9\r\nbox>"]);
    let whole = format!("list whole\r\n{page}line 8\r\nline 9\r\nbox>");
    check(PLAIN, "box", &[(0, "list whole\r")], &["box>", &whole]);
    check(PLAIN, "box", &[(0, "list | keep [29]$\r")], &["box>", "list | keep [29]$\r\nline 2\r\nline 9\r\nbox>"]);
}

#[test]
fn a_key_typed_early_answers_the_pager() {
    let mut device = device(PLAIN, "box");
    output(&mut device);
    device.on_input(b"list\rqlist whole\r");
    device.advance(0);
    let text = output(&mut device);
    assert!(text.contains("<more><wipe1>box>list whole"), "{text:?}");
    let keys: Vec<_> = device.take_entries().into_iter().filter(|entry| matches!(entry, Entry::PagerKey { .. })).collect();
    assert_eq!(keys, [Entry::PagerKey { key: "q".to_owned() }]);
}

#[test]
fn wrong_words_are_marked_under_the_typed_line() {
    check(PLAIN, "box", &[(0, "lisp\r")], &["box>", "lisp\r\n       ^ unknown lisp at 1\r\nbox>"]);
    check(PLAIN, "box", &[(0, "do lisp\r")], &["box>", "do lisp\r\n          ^ unknown lisp at 4\r\nbox>"]);
    check(PLAIN, "box", &[(0, "list | foo\r")], &["box>", "list | foo\r\n           ^ unknown foo at 8\r\nbox>"]);
}

#[test]
fn a_command_that_runs_itself_ends() {
    check(PLAIN, "box", &[(0, "loop\r")], &["box>", "loop\r\nbox>"]);
}

#[test]
fn silence_and_cancel() {
    let inputs = [(0, "slow\r"), (999, ""), (1000, "")];
    check(PLAIN, "box", &inputs, &["box>", "slow\r\nwait\r\n", "", "now\r\nbox>"]);
    let inputs = [(0, "slow\r"), (10, "\u{3}"), (2000, "")];
    check(PLAIN, "box", &inputs, &["box>", "slow\r\nwait\r\n", "\r\nbox>", ""]);
}

#[test]
fn output_goes_on_until_a_key_or_the_number() {
    let inputs = [(0, "tick\r"), (100, "x"), (150, "q")];
    check(PLAIN, "box", &inputs, &["box>", "tick\r\ntick 1\r\n", "tick 2\r\n", "!2 ticks\r\nbox>"]);
    let inputs = [(0, "tick 2\r"), (100, ""), (200, "")];
    check(PLAIN, "box", &inputs, &["box>", "tick 2\r\n.", ".\r\nbox>", ""]);
}

#[test]
fn messages_come_at_their_time() {
    let inputs = [(0, "alarm\r"), (499, "li"), (500, "")];
    check(PLAIN, "box", &inputs, &["box>", "alarm\r\nbox>", "li", "\r\nalarm on box\r\n"]);
    let inputs = [(1000, "talk\r"), (2000, ""), (2500, ""), (3000, "")];
    check(PLAIN, "box", &inputs, &["box>", "talk\r\nbox>", "\r\nnoise\r\n", "", "\r\nnoise\r\n"]);
}

#[test]
fn live_keys_keep_the_line() {
    let inputs = [(0, "li\u{18}"), (0, "?"), (0, "\t"), (0, "\u{15}")];
    let wiped = "\u{8} \u{8}".repeat(5);
    check(PLAIN, "box", &inputs, &["box>", "li[key]box>li", "?\r\nlist\r\nbox>li", "\r\nbox>list ", &wiped]);
    check(PLAIN, "box", &[(0, "list ?")], &["box>", "list ?\r\n  <cr>\r\n\r\nbox>list "]);
}

#[test]
fn questions_take_a_key_or_a_line() {
    let inputs = [(0, "up\rs3cret\r"), (0, "wipe\r"), (0, "y"), (0, "wipe\r"), (0, "n")];
    let high = "up\r\nSecret? \r\nbo!";
    let sure = "wipe\r\nSure? ";
    check(PLAIN, "box", &inputs, &["box>", high, sure, "y\r\ndone\r\nbo!", sure, "n\r\nbo!"]);
    check(PLAIN, "box", &[(0, "rename\r"), (0, "ab\u{8}c\r")], &["box>", "rename\r\nName box? ", "ab\u{8} \u{8}c\r\nac>"]);
}

#[test]
fn a_text_goes_up_to_its_sign_wherever_that_stands() {
    let asked = "note #\r\nEnd with #\r\n";
    check(PLAIN, "box", &[(0, "note #\r"), (0, "box>\r"), (0, "bye #\r")], &["box>", asked, "box>\r\n", "bye #\r\nnoted\r\nbox>"]);
    check(PLAIN, "box", &[(0, "note #a\r"), (0, "#\r")], &["box>", "note #a\r\nEnd with #\r\n", "#\r\nnoted\r\nbox>"]);
    check(PLAIN, "box", &[(0, "note # hello #\r")], &["box>", "note # hello #\r\nnoted\r\nbox>"]);
    check(PLAIN, "box", &[(0, "note #\r"), (0, "a\u{3}")], &["box>", asked, "a\r\nbox>"]);
}

#[test]
fn a_line_feed_after_enter_is_one_key_or_two() {
    check(PLAIN, "box", &[(0, "\r\n")], &["box>", "\r\nbox>\r\nbox>"]);
    let prompt = "[box@box] > ";
    let drawn = format!("hello P{prompt}");
    let entered = format!("EP{prompt}K{prompt}");
    check(REDRAWN, "box+ct", &[(0, "\r\n")], &[&drawn, &entered]);
}

#[test]
fn queries_wait_for_the_terminal_and_keep_early_keys() {
    let prompt = "\u{1b}[1m[box@box]\u{1b}[0m > ";
    let drawn = format!("hello P{prompt}xK{prompt}x");
    check(REDRAWN, "box", &[(0, "x\u{1b}/Z")], &["<who>", &drawn]);
    let late = format!("hello P{prompt}");
    check(REDRAWN, "box", &[(1999, ""), (2000, "")], &["<who>", "", &late]);
    check(REDRAWN, "box+cte", &[(0, "x")], &["hello [box@box] > ", "x"]);
}

#[test]
fn menus_show_in_the_prompt_and_a_wide_prompt_is_cut() {
    let mut device = device(REDRAWN, "box+cte");
    device.on_resize(30, 8);
    let ends = ["/net\r", "/net/addr\r", "show\r", "..\r"].map(|line| {
        device.on_input(line.as_bytes());
        device.advance(0);
        output(&mut device).rsplit("\r\n").next().unwrap_or_default().to_owned()
    });
    assert_eq!(ends, ["[box@box] /net> ", "<ox] /net/addr> ", "<ox] /net/addr> ", "[box@box] /net> "]);
}

#[test]
fn the_session_ends_with_bye_and_with_the_input() {
    let mut device = device(PLAIN, "box");
    device.on_input(b"bye\r");
    device.advance(0);
    assert_eq!(device.closed(), Some(0));
    let mut device = self::device(PLAIN, "box");
    device.on_eof();
    device.advance(0);
    assert_eq!(device.closed(), Some(0));
}

#[test]
fn output_is_told_without_a_session() {
    let description = Description::parse("box", PLAIN).unwrap();
    assert_eq!(description.output("low", "slow").as_deref(), Some("wait\nnow\n"));
    assert_eq!(description.output("low", "list").map(|text| text.lines().count()), Some(9));
    assert_eq!(description.output("low", "up"), None);
    assert_eq!(description.output("low", "tick"), None);
    assert_eq!(description.output("none", "list"), None);
}

#[test]
fn any_bytes_at_all_do_no_harm() {
    let keys = b"listupdo \r\n\x03\x08\t? q|\x1b[A\x18slowtick2ay\xff\xc3";
    for seed in 0..200_u64 {
        let mut device = device(PLAIN, "box");
        let mut random = seed;
        for now_ms in 0..300 {
            random = mix(random);
            let index = usize::try_from(random % keys.len() as u64).unwrap_or(0);
            device.on_input(keys.get(index..=index).unwrap_or_default());
            device.advance(now_ms * 40);
            assert!(device.waiting_bytes() < OUTPUT_HIGH_WATER_BYTES * 2, "seed {seed}");
            output(&mut device);
        }
    }
}

//! What is read from bytes, whatever the pieces.

use super::*;

const NONCE: &str = "0123456789abcdef";

fn stream(bytes: &[u8]) -> Stream {
    let mut stream = Stream::new(ByteLog::in_memory(), NONCE);
    stream.push(bytes);
    stream
}

fn mark(body: &str) -> String {
    format!("\x1b]133;{body}\x07")
}

#[test]
fn rows_that_belong_to_the_prompt_are_no_output() {
    let context = Regex::new(r"^(?:\{master\})?(?:\[edit[^\]]*\])?$").unwrap();
    for (output, kept) in [
        ("a\r\n\r\n[edit]\r\nr1# ", "a\r\n"),
        ("\r\n[edit protocols bgp]\r\nr1# ", ""),
        ("a\r\n\r\n\r\n{master}\r\n[edit]\r\nr1# ", "a\r\n\r\n"),
        ("[edit]\r\nb\r\nr1# ", "[edit]\r\nb\r\n"),
        ("a\r\n\r\nr1# ", "a\r\n\r\n"),
        ("r1# ", ""),
        ("ar1# ", "a"),
        ("[edit]\r\na b\x1b[?2004hr1# ", "[edit]\r\na b\x1b[?2004h"),
        ("ax1# ", ""),
    ] {
        let mut stream = Stream::new(ByteLog::in_memory(), "n");
        stream.push(b"r1# ");
        stream.on_typed(Some("show"));
        stream.push(b"show\r\n");
        stream.push(output.as_bytes());
        let (from, to) = (stream.output_start().unwrap(), stream.output_end_before("r1# ", Some(&context)));
        let (_, bytes) = stream.log().read(from, to).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), kept, "{output:?}");
        assert!(stream.output_end_before("another# ", None) == stream.output_end());
    }
}

#[test]
fn what_turns_out_to_be_a_part_of_a_secret_is_in_no_row() {
    let mut stream = stream(b"web1$ echo hunte");
    stream.cover(b"*****");
    stream.push(b"[secret:x]");
    assert_eq!(stream.tail(), "web1$ echo *****[secret:x]");
    stream.push(b" y\r\n");
    assert_eq!(stream.last_row(), "web1$ echo *****[secret:x] y");
    assert_eq!(stream.source().from(0, u64::MAX, 1000).unwrap().text, "web1$ echo *****[secret:x] y\n");
}

#[test]
fn an_echo_drawn_over_output_that_was_left_in_its_row_is_seen() {
    let typed = |left: &[u8]| {
        let mut stream = Stream::new(ByteLog::in_memory(), "n");
        stream.push(left);
        stream.on_typed_at("", Some("print(4)"));
        stream.push(b"\x1b[7mprint(4)\x1b[27m\rprint(4)\r\n\x1b[?2004l\r4");
        stream
    };
    let stream = typed(b"a");
    assert!(stream.is_echoed());
    let (_, bytes) = stream.log().read(stream.output_start().unwrap(), stream.output_end_before("", None)).unwrap();
    assert_eq!(*bytes, *b"\x1b[?2004l\r4");
    assert!(typed(b"").is_echoed());
    let mut another = Stream::new(ByteLog::in_memory(), "n");
    another.push(b"a");
    another.on_typed_at("", Some("print(4)"));
    another.push(b"print(4) is wrong\r\n");
    assert!(!another.is_echoed(), "more stands behind it than was left");
}

#[test]
fn a_line_that_is_still_being_shown_is_no_output() {
    for (came, is_echo) in [
        ("", true),
        ("prin", true),
        ("printf 'a b'", true),
        // A line editor wraps it.
        ("printf \x1b[K'a  b'", true),
        ("Password: ", false),
        ("printf 'a b'Password: ", false),
        ("printf 'a b'\r\n", false),
        ("printf 'a b'\r\nprin", false),
    ] {
        let mut stream = stream(b"left web1$ ");
        let row = stream.tail();
        stream.on_typed_at("web1$ ", Some("printf 'a b'"));
        stream.push(came.as_bytes());
        assert_eq!(stream.is_echoing(&row), is_echo, "{came:?}");
    }
    let mut silent = stream(b"web1$ ");
    silent.on_typed(None);
    assert!(!silent.is_echoing("web1$ "), "no echo is expected");
}

#[test]
fn the_output_lies_between_the_marks() {
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("printf x"));
    let start_mark = mark("C;0123456789abcdef");
    stream.push(format!("printf x\r\n{start_mark}x{}web1$ ", mark("D;0;0123456789abcdef;/root")).as_bytes());
    let start = stream.output_start().unwrap_or_default();
    let (_, bytes) = stream.log().read(start, stream.output_end()).unwrap_or_default();
    assert_eq!(*bytes, *b"x");
    assert_eq!(stream.marks(), ["C;0123456789abcdef", "D;0;0123456789abcdef;/root"]);
}

#[test]
fn the_modes_of_the_line_editor_are_no_output() {
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("printf x"));
    let (started, done) = (mark("C;0123456789abcdef"), mark("D;0;0123456789abcdef;/"));
    stream.push(format!("printf x\r\n{started}x\x1b[?2004h{done}web1$ ").as_bytes());
    let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
    assert_eq!(*bytes, *b"x");
}

#[test]
fn what_the_shell_shows_of_its_own_words_before_the_end_is_no_output() {
    let own = "{ own; } 3>&2";
    let [started, shown, done] = ["C;0123456789abcdef", "V;0123456789abcdef;{ own; } 3>&2", "D;0;0123456789abcdef;/"].map(mark);
    for (output, kept) in [
        (format!("a\r\n{own}\r\n"), "a\n"),
        (format!("x{own}\r\n"), "x"),
        (format!("{own}\r\n"), ""),
        (format!("{own}\n{own}\n"), "{ own; } 3>&2\n"),
        // It went elsewhere, or what stands there is another's.
        ("a\r\n".to_owned(), "a\n"),
        (format!("{own}\r\nb"), "{ own; } 3>&2\nb"),
        (format!("{own}.\r\n"), "{ own; } 3>&2.\n"),
    ] {
        for modes in ["", "\x1b[?2004h"] {
            let mut stream = stream(b"web1$ ");
            stream.on_typed(Some("a"));
            stream.push(format!("a\r\na\r\n{started}{output}{shown}{modes}{done}web1$ ").as_bytes());
            let page = stream.source().from(stream.output_start().unwrap(), stream.output_end(), 100).unwrap();
            assert_eq!(page.text, kept, "{output:?}");
            assert_eq!(stream.marks(), ["C;0123456789abcdef", "D;0;0123456789abcdef;/"]);
        }
    }
    // Without the mark it is what a command has printed.
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("a"));
    stream.push(format!("a\r\n{started}{own}\r\n{done}web1$ ").as_bytes());
    let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&bytes), format!("{own}\r\n"));
}

#[test]
fn the_first_end_behind_the_start_counts() {
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("a"));
    let [started, done] = ["C;0123456789abcdef", "D;0;0123456789abcdef;/"].map(mark);
    stream.push(format!("a\r\n{started}one\r\n{done}web1$ b\r\n{started}two\r\n{done}hook\r\n{done}web1$ \r{done}web1$ ").as_bytes());
    let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("one\r\n") && text.ends_with("two\r\n"), "{text}");
}

#[test]
fn an_echo_in_several_rows_is_seen() {
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("echo aaaa bbbb"));
    stream.push(b"echo aa\r\naa bb\r\nbb\r\naaaa bbbb\r\nweb1$ ");
    let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
    assert_eq!(*bytes, *b"aaaa bbbb\r\n");
}

#[test]
fn an_echo_is_seen_behind_any_number_of_rows() {
    for line in ["ab cd", "äöü äöü äöü"] {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some(line));
        stream.push("a\r\nü\r\n".repeat(50).as_bytes());
        assert!(!stream.is_echoed());
        let (first, rest) = line.split_once(' ').unwrap();
        stream.push(format!("{first}\r\n{rest}\r\nout\r\n").as_bytes());
        let end = stream.log().end();
        assert_eq!(stream.output_start(), Some(end - 5));
    }
}

/// As Python draws it since 3.13: each row with a prompt of its own, reached by the cursor keys' sequences.
#[test]
fn an_echo_that_is_drawn_row_below_row_is_seen() {
    let first = "\x1b[?2004h\x1b[1A\n\x1b[1;35m>>> \x1b[0m\x1b[4D\x1b[4C";
    let begun = "\x1b[4D\n\x1b[1A>>> for i in range(3000):\x1b[25D\x1b[1B... \x1b[4D\x1b[4C";
    let whole = format!("{begun}\x1b[4D\n\x1b[1A...   f(i)\x1b[10D\x1b[1B... \x1b[4D\x1b[4C\x1b[4D\n\r\x1b[?2004l7\r\n{first}");
    let mut stream = stream(first.as_bytes());
    stream.on_typed(Some("  f(i)"));
    stream.push(whole.as_bytes());
    assert!(stream.is_echoed());
    let page = stream.source().from(stream.output_start().unwrap(), stream.output_end(), 100).unwrap();
    assert_eq!((page.text.as_str(), stream.tail().as_str()), ("7\n", ">>> "));
    // The rest is asked for, in a row that is indented.
    stream.on_typed(Some("  f(i)"));
    stream.push(format!("{begun}\x1b[4D...   f(i)\x1b[10D\x1b[10C\x1b[10D\n...   \x1b[6D\x1b[6C").as_bytes());
    assert_eq!((stream.is_echoed(), stream.tail().as_str()), (true, "...   "));
}

#[test]
fn a_mark_without_the_nonce_is_output_and_no_mark() {
    let stream = stream(mark("D;0;ffffffffffffffff").as_bytes());
    assert_eq!(stream.marks_heard(), 0);
}

#[test]
fn the_text_of_a_prompt_is_no_prompt() {
    let own = |body: &str| mark(&format!("{body};0123456789abcdef"));
    let mut known = stream(format!("{}{}", mark("D;0;0123456789abcdef;/"), own("A")).as_bytes());
    let heard = known.marks_heard();
    for text in ["D;$?;0123456789abcdef;$PWD", "A;0123456789abcdef;uid=0;st=%?"] {
        known.push(format!("{}{}$ {}", mark(text), own("A"), own("B")).as_bytes());
        assert_eq!(known.marks_heard(), heard, "{text}");
    }
    known.push(format!("\x01{}{}\x02$ \x01{}\x02", mark("D;0;0123456789abcdef;/"), own("A"), own("B")).as_bytes());
    assert_eq!(known.marks_heard(), heard);
    known.push(format!("{}{}$ {}", mark("D;1;0123456789abcdef;/"), own("A"), own("B")).as_bytes());
    assert_eq!(known.marks_heard(), heard + 3);
    known.on_typed(Some("set"));
    known.push(format!("set\r\nPS2='{}> '\r\n", own("P;k=c")).as_bytes());
    assert_eq!(known.marks(), Vec::<String>::new());
    known.push(format!("{}> ", own("P;k=c")).as_bytes());
    assert_eq!(known.marks().len(), 1);
    // A shell that fills nothing in has no other marks.
    assert_eq!(stream(mark("D;$?;0123456789abcdef;$PWD").as_bytes()).marks_heard(), 1);
}

#[test]
fn without_marks_the_output_starts_behind_the_echo() {
    let mut stream = stream(b"r1#");
    stream.on_typed(Some("show  clock"));
    assert!(!stream.is_echoed());
    stream.push(b"show clock\r\n");
    assert!(stream.is_echoed());
    stream.push(b"12:00\r\nr1#");
    let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
    assert_eq!(*bytes, *b"12:00\r\n");
    assert_eq!(stream.tail(), "r1#");
    assert_eq!(stream.recent(), "r1#show clock\n12:00");
}

#[test]
fn terminal_modes_and_queries_are_noticed() {
    let mut stream = stream(b"\x1b[?2004h\x1b[?1049h\x1b[6n\x1bZ\x1b[c");
    assert!(stream.takes_paste() && stream.alternate_screen());
    assert_eq!(stream.take_queries(), [b"\x1b[6n".to_vec(), b"\x1bZ".to_vec(), b"\x1b[c".to_vec()]);
    assert!(stream.holds_screen());
    stream.push(b"\x1b[?2004l\x1b[?1049l");
    assert!(!stream.takes_paste() && !stream.alternate_screen() && !stream.holds_screen());
    // What is left behind is not the next program's.
    stream.push(b"\x1b[?1h");
    stream.on_typed(Some("sleep 9"));
    assert!(stream.application_cursor() && !stream.holds_screen());
}

#[test]
fn nobody_has_the_screen_once_the_shell_says_that_the_command_has_ended() {
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("vi"));
    stream.push(format!("vi\r\n{}\x1b[?1049h~", mark(&format!("C;{NONCE}"))).as_bytes());
    stream.push(mark("D;0;fedcba9876543210").as_bytes());
    assert!(stream.alternate_screen());
    stream.push(mark(&format!("D;137;{NONCE}")).as_bytes());
    assert!(!stream.alternate_screen());
}

#[test]
fn what_comes_along_with_the_prompt_stands_behind_its_end() {
    let mut stream = stream(b"web1$ ");
    stream.on_typed(Some("job &"));
    let nonce = "0123456789abcdef";
    let marks =
        [mark(&format!("C;{nonce}")), mark(&format!("D;0;{nonce};/")), mark(&format!("A;{nonce};pid=71")), mark(&format!("B;{nonce}"))];
    let [started, done, begins, ends] = &marks;
    stream.push(format!("job &\r\n{started}[1] 72\r\n{done}{begins}web1$ {ends}late\r\n").as_bytes());
    let (end, rows) = stream.prompt_end().unwrap();
    assert_eq!((stream.log().end() - end, stream.rows_done() - rows), ("late\r\n".len() as u64, 1));
    assert_eq!((stream.shell_pid(), stream.last_pid()), (Some(71), Some(71)));
    stream.on_typed(Some("next"));
    assert_eq!(stream.prompt_end(), None);
}

#[test]
fn a_prompt_begins_a_row_where_a_program_has_drawn() {
    let (begins, nonce) = (mark("A;0123456789abcdef"), "0123456789abcdef");
    for (drawn, row) in [("\x1b[5;3Hbox and more", "web1$ "), ("left", "leftweb1$ ")] {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some("draw"));
        stream.push(format!("draw\r\n{}{drawn}{begins}web1$ ", mark(&format!("C;{nonce}"))).as_bytes());
        assert_eq!(stream.tail(), row);
    }
}

#[test]
fn a_prompt_behind_what_was_erased_to_the_screens_end_stands_alone() {
    assert_eq!(stream(b"> a long line\x1b[1G\x1b[0J> \x1b[3G").tail(), "> ");
    assert_eq!(stream(b"text\x1b[J> ").tail(), "text> ");
}

#[test]
fn a_prompt_behind_a_cursor_that_was_put_back_stands_alone() {
    assert_eq!(stream(b"\x1b7 10%\x1b8 20%\x1b8\x1b[K> ").tail(), "> ");
    assert_eq!(stream(b"one\x1b[E> ").tail(), "> ");
    // Where it was drawn in another row, that row is not known.
    assert_eq!(stream(b"a\x1b7\x1b[9;9Hx\x1b8> ").tail(), "ax> ");
}

#[test]
fn an_output_that_ends_with_the_sign_of_a_prompts_part_has_an_end() {
    let nonce = "0123456789abcdef";
    let [started, done, begins, ends] =
        [format!("C;{nonce}"), format!("D;3;{nonce};/"), format!("A;{nonce};pid=7"), format!("B;{nonce}")].map(|body| mark(&body));
    for cut in 0..3 {
        let mut stream = stream(b"web1$ ");
        stream.on_typed(Some("printf"));
        let text = format!("printf\r\n{started}x\x01{done}{begins}web1$ {ends}");
        // The end of it may come later.
        let cut = text.len() - cut * (ends.len() + 3);
        stream.push(&text.as_bytes()[..cut]);
        stream.push(&text.as_bytes()[cut..]);
        assert_eq!(stream.marks().len(), 4, "{:?}", stream.marks());
        let (_, bytes) = stream.log().read(stream.output_start().unwrap_or_default(), stream.output_end()).unwrap_or_default();
        assert_eq!(*bytes, *b"x\x01");
    }
}

/// Behind it comes nothing that tells whether somebody has printed the mark: there are no prompts.
#[test]
fn so_has_one_on_a_pipe_where_nothing_follows() {
    let mut stream = Stream::new(ByteLog::in_memory(), NONCE).without_prompts();
    stream.on_typed(None);
    stream.push(format!("{}x\x01{}", mark(&format!("C;{NONCE}")), mark(&format!("D;3;{NONCE};/"))).as_bytes());
    assert_eq!(stream.marks(), [format!("C;{NONCE}"), format!("D;3;{NONCE};/")]);
}

#[test]
fn brackets_that_somebody_has_left_switched_on_are_forgotten_at_the_next_end() {
    let done = mark("D;0;0123456789abcdef;/");
    let mut stream = stream(b"\x1b[?2004h$ ");
    assert!(stream.takes_paste());
    stream.push(format!("{done}$ ").as_bytes());
    assert!(!stream.takes_paste());
    // A line editor says it again, right before its prompt or behind it.
    stream.push(format!("\x1b[?2004h{done}$ ").as_bytes());
    assert!(stream.takes_paste());
}

#[test]
fn a_prompt_that_is_drawn_again_takes_nothing_back() {
    let nonce = "0123456789abcdef";
    let prompt = format!("{}{}$ {}", mark(&format!("D;0;{nonce};/")), mark(&format!("A;{nonce}")), mark(&format!("B;{nonce}")));
    let mut stream = stream(format!("\x1b[?2004h{prompt}").as_bytes());
    stream.push(format!("\r\x1b[K\r{prompt}").as_bytes());
    assert!(stream.takes_paste());
}

#[test]
fn the_mark_of_a_long_directory_is_kept_without_it() {
    let path = "/d".repeat(2_000);
    let stream = stream(mark(&format!("D;7;0123456789abcdef;{path}")).as_bytes());
    assert_eq!(stream.marks(), ["D;7;0123456789abcdef"]);
}

#[test]
fn a_directory_whose_name_is_no_text_is_not_told_by_another_one() {
    let body = b"\x1b]133;D;7;0123456789abcdef;/srv/caf\xe9\x07";
    assert_eq!(stream(body).marks(), ["D;7;0123456789abcdef"]);
}

//! Where the plugins differ from the facts file on purpose: platform, topic, example, and why.

/// The exceptions. A test fails when one is no longer needed.
pub const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    ("cisco_ios", "prompt of tclsh", "+>", "Tcl asks for the rest of a command: an unfinished line"),
    (
        "cisco_ios",
        "banner",
        "**DO NOT ATTEMPT LOGIN UNLESS AUTHORIZED. ALL LOGIN ATTEMPTS ARE LOGGED!!**algona.rtr#",
        "it is the device's first prompt, glued to a banner without an end",
    ),
    ("cisco_xe", "no prompt of config", "C9300(tcl)#", "the facts of cisco_ios call it a prompt of tclsh, and it is one here, too"),
    ("fortinet", "transition", "exec to config", "there is no configuration mode: each `config` opens a table, and `end` saves it at once"),
    ("fortinet", "transition", "config to exec", "there is no configuration mode: each `config` opens a table, and `end` saves it at once"),
    ("fortinet", "stopped", "diagnose debug reset", "it ends all debugging, which is what a loaded unit needs"),
    ("juniper_junos", "transition", "operational to shell", "the way back would end a login that begins in the shell; a line may do it"),
    (
        "juniper_junos",
        "dialog",
        "[Type ^D at a new line to end input]",
        "a newline ends the row: Junos reads on without any prompt, so the command runs until its input ends",
    ),
    ("linux", "dialog", "WARNING: Your password has expired.", "a newline ends the row; the question is the password's, behind it"),
    (
        "linux",
        "dialog",
        "You are required to change your password immediately (administrator enforced).",
        "a newline ends the row; the question is the password's, behind it",
    ),
    ("linux", "password", "JF-8c1f:", "the session's own question for sudo carries the session's digits, and these are none of it"),
    ("repl_psql", "error", "LINE 1: select * from x;", "it always follows a row that begins with ERROR, which is the failure"),
    ("repl_python3", "dialog", "help> ", "it is the prompt of Python's help, and a command may be typed there"),
    ("repl_python3", "read", "'a'.upper()", "few calls are proven where names may have been given another meaning"),
    ("repl_python3", "read", "[x for x in range(3)]", "`range` may have been given another meaning"),
];

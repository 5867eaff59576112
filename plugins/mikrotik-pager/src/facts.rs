//! What RouterOS is known to print, and what only looks like it. Test data.

/// Prompts by mode.
pub(crate) const MODES: &[(&str, &[&str])] = &[
    (
        "root_menu",
        &["[admin@MikroTik] > ", "[user@Test, Router (main).lab] > ", "<MY_VERYVERY-LONG-SYSTEM-IDENTIY-NAME] > ", "[ansible@Dev-RB-1] > "],
    ),
    ("menu", &["[admin@MikroTik] /ip address> ", "[admin@MikroTik] /ip/address> ", "[admin@MikroTik] /interface/bridge/port> "]),
    (
        "safe_mode",
        &[
            "[admin@Test Router] <SAFE> ",
            "[admin@MikroTik] <SAFE> > ",
            "[admin@MikroTik] /ip address<SAFE> ",
            "<MY_VERYVERY-LONG-SYSTEM-IDENTIY-NAME] <SAFE> > ",
        ],
    ),
];

/// Rows that are no prompt of this mode; some are prompts of another one.
pub(crate) const NOT_PROMPTS: &[(&str, &[&str])] = &[
    (
        "root_menu",
        &[
            "[admin@MikroTik] > /ip address print",
            "[Tab]           Completes the command/word. If the input is ambiguous,",
            "[?]             Gives the list of available commands",
            "[admin@MikroTik] /ip/address> ",
            "{ a > b }",
            "Flags: X - disabled, R - running; [Q quit|D dump|down]",
        ],
    ),
    ("menu", &["[admin@MikroTik] > ", "/ip address> ", "[admin@MikroTik] /ip address> print"]),
    ("safe_mode", &["[Safe Mode taken]", "[Safe mode released by another user]", "[admin@MikroTik] > "]),
];

/// A line is open.
pub(crate) const OPEN_LINES: &[&str] = &["{... ", "(... ", "\"... "];

/// Questions by kind.
pub(crate) const QUESTIONS: &[(&str, &[&str])] = &[
    ("password", &["Password: ", "new password> ", "repeat new password> "]),
    ("username", &["Login: "]),
    (
        "yes-no",
        &[
            "Do you want to see the software license? [Y/n]: ",
            "Reboot, yes? [y/N]: ",
            "Dangerous! Reset anyway? [y/N]: ",
            "Shutdown, yes? [y/N]: ",
            "Restore and reboot? [y/N]: ",
        ],
    ),
    ("any-key", &["Please press \"Enter\" to continue!"]),
    ("unknown", &["numbers: ", "address: "]),
    ("filename", &["file-name: "]),
];

/// Rows with such words that ask nothing.
pub(crate) const NOT_QUESTIONS: &[&str] = &["password=hunter2", "/user set admin password=x", "Change your password"];

/// Markers of the pager.
pub(crate) const MARKERS: &[&str] = &[
    "-- [Q quit|D dump|down]",
    "-- [Q quit|D dump|up|down]",
    "-- [Q quit|D dump|right|up|down]",
    "-- [Q quit|D dump|right]",
    "-- [Q quit|D dump|return|space|down]",
];

/// Lines of a refused or failed command.
pub(crate) const ERRORS: &[&str] = &[
    "bad command name foo (line 1 column 1)",
    "syntax error (line 1 column 8)",
    "expected end of command (line 1 column 7)",
    "no such item",
    "invalid value for argument address",
    "failure: already have device with such name",
    "input does not match any value of interface",
    "not enough permissions (9)",
];

/// Lines that only look like one.
pub(crate) const NOT_ERRORS: &[&str] = &["  rx-error=0 tx-error=0", "failed: 0", "disabled=no default-name=ether1"];

/// Banner lines seen before the first prompt.
pub(crate) const BANNERS: &[&str] = &[
    "  MMM      MMM       KKK                          TTTTTTTTTTT      KKK",
    "[?]             Gives the list of available commands",
    "[Tab]           Completes the command/word. If the input is ambiguous,",
    "                a second [Tab] gives possible options",
    "/               Move up to base level",
    "sep/24/2019 12:19:18 system,error,critical login failure for user admin from 192.0.2.99 via ssh",
];

/// Rows of output.
pub(crate) const OUTPUT: &[&str] = &[
    "...and more",
    "{...}",
    "[Safe Mode taken]",
    "[Safe mode released by another user]",
    "{ a > b }",
    "[admin@MikroTik] > /ip address print",
    "/ip address> ",
    "Flags: X - disabled, R - running; [Q quit|D dump|down]",
];

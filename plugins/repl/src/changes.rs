//! Lines by which a program's own prompt becomes another one. Behind them whatever stands in the last row may be the prompt, so nothing
//! else may look like one of them: an output that stops for a second would end the command.

use jackfield_plugin::text::{begins, split_once};

/// How the prompt of some programs is set.
struct Way {
    modes: &'static [&'static str],
    /// What such a row begins with, without its blanks.
    begins: &'static [&'static str],
    /// What stands somewhere in it, without its blanks. Behind an `=` at the end comes no second one: that compares.
    holds: &'static [&'static str],
}

const WAYS: &[Way] = &[
    Way {
        modes: &["python", "ipython", "pdb"],
        begins: &[],
        holds: &[".ps1=", ".ps2=", "'ps1'", "\"ps1\"", ".prompts=", ".prompts_class="],
    },
    Way { modes: &["psql"], begins: &[], holds: &["\\setPROMPT", "\\unsetPROMPT"] },
    Way { modes: &["sqlite"], begins: &[".prompt"], holds: &[] },
    Way { modes: &["mysql"], begins: &["prompt", "PROMPT"], holds: &["\\R"] },
    Way { modes: &["gdb"], begins: &[], holds: &["setprompt", "setextended-prompt", ".prompt_hook="] },
    Way { modes: &["node"], begins: &[], holds: &[".setPrompt("] },
    Way { modes: &["irb"], begins: &["change-prompt"], holds: &["PROMPT_MODE]=", "prompt_mode=", ".prompt_i=", ".prompt="] },
    Way { modes: &["php"], begins: &[], holds: &["cli.prompt"] },
    Way { modes: &["lua", "luajit"], begins: &[], holds: &["_PROMPT=", "_PROMPT2="] },
    Way { modes: &["r", "R"], begins: &[], holds: &["options(prompt="] },
    Way { modes: &["mongo", "mongosh"], begins: &["prompt="], holds: &[] },
    Way { modes: &["ghci"], begins: &[":setprompt"], holds: &[] },
    Way { modes: &["jshell"], begins: &["/setprompt", "/setfeedback"], holds: &[] },
    Way { modes: &["julia"], begins: &[], holds: &[".prompt="] },
    Way { modes: &["guile"], begins: &[",optionprompt", ",oprompt"], holds: &["'prompt"] },
    Way { modes: &["erl"], begins: &[], holds: &["prompt_func("] },
    Way { modes: &["iex"], begins: &[], holds: &["_prompt:"] },
    Way { modes: &["tclsh"], begins: &[], holds: &["settcl_prompt"] },
    Way { modes: &["octave"], begins: &[], holds: &["PS1("] },
    Way { modes: &["swipl"], begins: &["prompt(", "prompt1("], holds: &["set_prolog_flag(toplevel_prompt"] },
    Way { modes: &["maxima"], begins: &["inchar:"], holds: &[] },
    Way { modes: &["sqlplus"], begins: &["setsqlp", "SETSQLP"], holds: &[] },
    Way { modes: &["lftp"], begins: &["setprompt", "setcmd:prompt"], holds: &[] },
];

/// Does a line replace the prompt of the program that goes by this mode?
pub(crate) fn sets_prompt(mode: &str, command: &str) -> bool {
    let Some(way) = WAYS.iter().find(|way| way.modes.contains(&mode)) else { return false };
    command.lines().any(|row| {
        let row: String = row.split_ascii_whitespace().collect();
        begins(&row, way.begins) || way.holds.iter().any(|part| stands(part, &row))
    })
}

fn stands(part: &str, row: &str) -> bool {
    let mut rest = row;
    while let Some((_, behind)) = split_once(rest, part) {
        if !(part.ends_with('=') && behind.starts_with('=')) {
            return true;
        }
        rest = behind;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{WAYS, sets_prompt};
    use crate::programs;

    #[test]
    fn a_line_that_sets_the_prompt_is_known() {
        for (mode, line) in [
            ("python", "import sys; sys.ps1 = 'py! '"),
            ("python", "x = 1\nsys.ps2='..'"),
            ("python", "setattr(sys, 'ps1', '! ')"),
            ("ipython", "get_ipython().prompts = Mine(get_ipython())"),
            ("psql", "\\set PROMPT1 'sql! '"),
            ("psql", "\\set  PROMPT2 ''"),
            ("sqlite", ".prompt \"sql! \""),
            ("mysql", "prompt \\u@\\h> "),
            ("mysql", "PROMPT x> ;"),
            ("mysql", "\\R x> "),
            ("gdb", "set prompt (x) "),
            ("gdb", "set extended-prompt \\w "),
            ("gdb", "settings set prompt \"x \""),
            ("gdb", "python gdb.execute(\"set prompt x \")"),
            ("node", "repl.repl.setPrompt('! ')"),
            ("irb", "conf.prompt_mode = :SIMPLE"),
            ("irb", "IRB.conf[:PROMPT_MODE] = :SIMPLE"),
            ("irb", "Pry.config.prompt = Pry::Prompt[:simple]"),
            ("php", "#cli.prompt=php! "),
            ("lua", "_PROMPT = '! '"),
            ("R", "options(prompt = \"R! \")"),
            ("mongosh", "prompt = 'm! '"),
            ("ghci", ":set prompt \"! \""),
            ("tclsh", "set tcl_prompt1 {puts -nonewline {! }}"),
            ("octave", "PS1 (\"! \")"),
            ("lftp", "set cmd:prompt x"),
        ] {
            assert!(sets_prompt(mode, line), "{mode}: {line}");
        }
    }

    #[test]
    fn a_line_that_has_the_word_in_it_sets_nothing() {
        for (mode, line) in [
            ("python", "model.generate(prompt)"),
            ("python", "[(print('.', end='', flush=True), time.sleep(3)) for p in prompts]"),
            ("python", "prompt = 'Say hello'; print(ask(prompt))"),
            ("python", "steps1 = run()"),
            ("python", "sys.ps1 == 'x' or sys.ps1 != 'y'"),
            ("python", "print(sys.ps1)"),
            ("ipython", "prompts = load(); answers = [ask(one) for one in prompts]"),
            ("psql", "update jobs set prompt = 'x';"),
            ("psql", "select prompt\nfrom jobs;"),
            ("sqlite", "select jobs.prompt from jobs;"),
            ("mysql", "select prompt from jobs;"),
            ("redis", "set prompt x"),
            ("node", "await model.generate(prompt)"),
            ("gdb", "print prompt"),
            ("irb", "prompt = 'x'; ask(prompt)"),
            ("bc", "prompt = 1"),
            ("no-such-program", "sys.ps1 = 'x'"),
        ] {
            assert!(!sets_prompt(mode, line), "{mode}: {line}");
        }
    }

    #[test]
    fn each_way_is_that_of_a_program() {
        for mode in WAYS.iter().flat_map(|way| way.modes) {
            assert!(programs::of_mode(mode).is_some(), "{mode}");
        }
    }
}

//! Languages that are typed line by line: what in them starts, removes or writes something, by its name.
//!
//! Another name for such a function hides it: this is for what is meant well, and the rest is a change like any other line.

use super::{CODE, Found, REMOVE, WIPE, is_inside};
use crate::verdict::listed;
use jackfield_plugin::text::{Search, begins};

/// A language. All is in small letters. Among the names `exec` stands for a function that is called by this name alone, `os.kill` for
/// one behind this name, called or only named, and `.unlink` for one behind any name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Language {
    modes: &'static str,
    /// Numbers and signs alone are arithmetic, and a line of it is whole.
    pub(super) counts: bool,
    /// The word that begins a statement is called without brackets too: `system "ls"`.
    is_bare: bool,
    /// Whoever names these wants to start something.
    modules: &'static str,
    /// Texts that start something wherever they stand.
    signs: &'static [&'static str],
    /// The same at the beginning of a line.
    lines: &'static [&'static str],
    starts: &'static str,
    removes: &'static str,
    writes: &'static str,
}

const PYTHON: Language = Language {
    modes: "python pdb",
    counts: true,
    is_bare: false,
    modules: "subprocess ctypes pty",
    // Behind another name for the module, or none, its functions are not known again.
    signs: &["import os as ", "from os import *", "import shutil as ", "from shutil import *", "getattr(os,", "vars(os)"],
    lines: &[],
    starts: "exec eval compile execfile __import__ breakpoint builtins.exec builtins.eval __builtins__.exec __builtins__.eval \
             os.__dict__ os.system os.popen os.startfile os.kill os.killpg os._exit os.abort os.fork os.forkpty os.posix_spawn \
             os.posix_spawnp os.execl os.execle os.execlp os.execlpe os.execv os.execve os.execvp os.execvpe os.spawnl os.spawnle \
             os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe signal.pidfd_send_signal signal.pthread_kill \
             signal.raise_signal .import_module .create_subprocess_shell .create_subprocess_exec",
    removes: "os.remove os.unlink os.rmdir os.removedirs os.rename os.renames os.replace os.chmod os.chown os.lchown os.truncate \
              os.ftruncate shutil.move shutil.chown shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.unpack_archive .unlink \
              .rmdir .rmtree",
    writes: ".write_text .write_bytes os.o_wronly os.o_rdwr os.o_trunc",
};

static LANGUAGES: [Language; 8] = [
    PYTHON,
    Language {
        modes: "ipython",
        signs: &["import os as ", "from os import *", "import shutil as ", "from shutil import *", "getattr(os,", "vars(os)", "= !"],
        lines: &[
            "!",
            "%sx",
            "%sc",
            "%system",
            "%run ",
            "%%!",
            "%%sx",
            "%%system",
            "%%bash",
            "%%sh",
            "%%script",
            "%%perl",
            "%%ruby",
            "%%writefile",
        ],
        ..PYTHON
    },
    // Deno and Bun too.
    Language {
        modes: "node",
        counts: true,
        is_bare: false,
        modules: "child_process",
        signs: &["bun.$`"],
        lines: &[".load"],
        starts: "exec eval fork cluster.fork process.kill process.exit process.reallyexit process.abort process.dlopen process.binding \
                 deno.command deno.run deno.kill deno.exit .spawn .spawnsync .execsync .execfile .execfilesync .runinthiscontext \
                 .runinnewcontext",
        removes: ".rm .rmsync .rmdir .rmdirsync .unlink .unlinksync .truncatesync .ftruncatesync .renamesync .cpsync .copyfile \
                  .copyfilesync .chmodsync .chownsync fs.truncate fs.rename fs.chmod fs.chown fs.cp promises.truncate promises.rename \
                  promises.chmod promises.chown promises.cp deno.remove deno.removesync deno.rename deno.truncate deno.chmod deno.chown",
        writes: ".writefile .writefilesync .appendfile .appendfilesync .createwritestream .writetextfile .writetextfilesync bun.write",
    },
    Language {
        modes: "irb",
        // `%.1` begins a text.
        counts: false,
        is_bare: true,
        modules: "open3 pty",
        signs: &["`", "%x(", "%x{", "%x["],
        lines: &[],
        starts: "system exec spawn fork eval load kernel.system kernel.exec kernel.spawn kernel.eval io.popen process.kill process.spawn \
                 process.daemon .instance_eval .class_eval",
        removes: "file.delete file.unlink file.rename file.truncate file.chmod file.chown dir.rmdir dir.delete dir.unlink fileutils.rm \
                  fileutils.rm_r fileutils.rm_f fileutils.rm_rf fileutils.remove fileutils.remove_dir fileutils.remove_entry fileutils.mv \
                  fileutils.cp fileutils.cp_r fileutils.chmod fileutils.chmod_r fileutils.chown fileutils.chown_r .unlink .rmdir .rmtree",
        writes: "file.write file.binwrite io.write io.binwrite",
    },
    Language {
        modes: "perldb perl",
        counts: false,
        is_bare: true,
        modules: "",
        signs: &["`", "qx{", "qx/", "qx("],
        lines: &["!!", "|", "source "],
        starts: "system exec fork kill eval",
        removes: "unlink rmdir rename truncate chmod chown .rmtree .remove_tree",
        writes: "",
    },
    Language {
        modes: "php",
        counts: false,
        is_bare: false,
        modules: "",
        signs: &["`"],
        lines: &[],
        starts: "exec shell_exec system passthru popen proc_open pcntl_exec pcntl_fork posix_kill eval create_function dl",
        removes: "unlink rmdir rename chmod chown chgrp ftruncate copy move_uploaded_file",
        writes: "file_put_contents",
    },
    Language {
        modes: "lua luajit",
        counts: true,
        is_bare: true,
        modules: "",
        signs: &[],
        lines: &[],
        starts: "load loadstring loadfile dofile os.execute io.popen",
        removes: "os.remove os.rename",
        writes: "",
    },
    Language {
        modes: "r R",
        counts: true,
        is_bare: false,
        modules: "",
        signs: &[],
        lines: &[],
        starts: "system system2 shell shell.exec pipe",
        removes: "unlink file.remove file.rename",
        writes: "",
    },
];

/// What opens a file, to write where a mode says so.
const OPENS: &str = "open fopen .open .fopen .opensync";

/// The language of this mode.
pub(super) fn of_mode(mode: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| !mode.is_empty() && listed(language.modes, mode))
}

impl Language {
    /// What a text in small letters does.
    pub(super) fn find(&self, lower: &str) -> impl Iterator<Item = Found> {
        let text = joined(lower);
        let names = names(&text);
        let any = |list: &str| names.iter().any(|name| name.is_one_of(list, self.is_bare));
        let is_module = |name: &Name<'_>| name.text.split('.').any(|piece| !piece.is_empty() && listed(self.modules, piece));
        let starts = self.signs.iter().any(|sign| text.holds(sign))
            || lower.lines().any(|line| begins(line.trim_start(), self.lines))
            || names.iter().any(is_module)
            || any(self.starts);
        let writes = any(self.writes) || any(OPENS) && self.has_writing_mode(&text);
        let found = [
            starts.then_some((CODE, "runs code or ends programs")),
            any(self.removes).then_some((REMOVE, "removes, replaces or changes files")),
            writes.then_some((WIPE, "writes a file")),
        ];
        found.into_iter().flatten()
    }

    /// `, 'w'`, `mode="a+"`, `.open('w')`; in Perl `">x"` too.
    fn has_writing_mode(&self, text: &str) -> bool {
        let mut before = "";
        text.split(['\'', '"']).any(|piece| {
            let front = before.trim_end();
            before = piece;
            let mode = piece.split(':').next().unwrap_or_default();
            let letters = mode.len() < 5 && mode.bytes().all(|letter| b"rwaxbt+".contains(&letter)) && mode.has_any("wax+");
            let is_mode = letters || self.is_bare && begins(piece, &[">", "+<", "|"]);
            is_mode && (front.ends_with([',', '=']) || front.ends_with(".open("))
        })
    }
}

/// What leads from a name to the next is one dot.
fn joined(lower: &str) -> String {
    let text = lower.replaced("::", ".").replaced("->", ".");
    text.split('.').map(|piece| piece.trim_matches([' ', '\t'])).collect::<Vec<_>>().join(".")
}

/// A word of letters, digits, dots and underscores.
struct Name<'a> {
    text: &'a str,
    /// It begins a statement.
    begins: bool,
    /// The module that it is imported from, or nothing.
    module: &'a str,
    behind: &'a str,
}

impl Name<'_> {
    fn is_one_of(&self, list: &str, is_bare: bool) -> bool {
        let is_pair = |module: &str, name: &str| list.split(' ').any(|entry| entry.split_once('.') == Some((module, name)));
        match self.text.rsplit_once('.') {
            Some((before, last)) => is_pair("", last) || is_pair(before.rsplit('.').next().unwrap_or_default(), last),
            None if !self.module.is_empty() => is_pair(self.module, self.text) || is_pair("", self.text),
            None if self.is_called(is_bare) => listed(list, self.text) || is_pair("", self.text),
            // `fs['unlinkSync']`
            None => begins(self.behind, &["']", "\"]"]) && is_pair("", self.text),
        }
    }

    fn is_called(&self, is_bare: bool) -> bool {
        let given = self.behind.trim_start_matches([' ', '\t']);
        let is_given = given.len() < self.behind.len() && given.starts_with(|c: char| matches!(c, '"' | '\'' | '$' | '@') || is_inside(c));
        given.starts_with('(') || is_bare && self.begins && is_given
    }
}

fn names(text: &str) -> Vec<Name<'_>> {
    let (mut names, mut rest, mut module): (Vec<Name<'_>>, _, _) = (Vec::new(), text, "");
    while let Some(start) = rest.find(is_inside) {
        let (gap, word) = rest.split_at(start);
        let begins = names.is_empty() || gap.has_any(";\n{|&!");
        let (text, behind) = word.split_at(word.find(|c: char| !is_inside(c)).unwrap_or(word.len()));
        if begins {
            module = "";
        }
        names.push(Name { text, begins, module, behind });
        if let [.., from, of, import] = names.as_slice()
            && from.text == "from"
            && import.text == "import"
        {
            module = of.text;
        }
        rest = behind;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(mode: &str, command: &str) -> Vec<&'static str> {
        of_mode(mode).unwrap().find(&command.to_ascii_lowercase()).map(|(rule, _)| rule).collect()
    }

    #[test]
    fn what_starts_removes_or_writes_is_found_by_its_name() {
        for (mode, command, expected) in [
            ("python", "os.system('ls')", CODE),
            ("python", "import os, subprocess as s", CODE),
            ("python", "from os import path, system as s", CODE),
            ("python", "import os as o", CODE),
            ("python", "getattr(os, 'sys' + 'tem')('ls')", CODE),
            ("python", "threading.Thread(target=os.system)", CODE),
            ("python", "os . remove('x')", REMOVE),
            ("python", "list(map(os.remove, names))", REMOVE),
            ("python", "from os import remove", REMOVE),
            ("python", "import shutil; shutil.rmtree('x')", REMOVE),
            ("python", "from shutil import rmtree\nrmtree('x')", REMOVE),
            ("python", "pathlib.Path('x').unlink()", REMOVE),
            ("python", "Path('x').write_text('y')", WIPE),
            ("python", "Path('x').open('w')", WIPE),
            ("python", "open('x', mode=\"r+b\")", WIPE),
            ("ipython", "!ls", CODE),
            ("ipython", "x = !ls", CODE),
            ("ipython", "%%bash\nls", CODE),
            ("node", "require('child_process')", CODE),
            ("node", "require('node:child_process').execSync('ls')", CODE),
            ("node", "child_process.exec('ls')", CODE),
            ("node", "process.kill(1)", CODE),
            ("node", "process.exit()", CODE),
            ("node", ".load x.js", CODE),
            ("node", "new Deno.Command('ls')", CODE),
            ("node", "fs.unlinkSync('x')", REMOVE),
            ("node", "fs['unlinkSync']('x')", REMOVE),
            ("node", "await require('fs').promises.rm('x')", REMOVE),
            ("node", "const {rmSync} = require('fs'); rmSync('x')", REMOVE),
            ("node", "fs.writeFileSync('x', 'y')", WIPE),
            ("node", "fs.openSync('x', 'w')", WIPE),
            ("irb", "system 'ls'", CODE),
            ("irb", "Process::kill(9, 1)", CODE),
            ("irb", "puts `ls`", CODE),
            ("irb", "FileUtils::rm_rf 'x'", REMOVE),
            ("irb", "File.open('x', 'w:utf-8')", WIPE),
            ("perldb", "!!ls", CODE),
            ("perldb", "system $x", CODE),
            ("perldb", "unlink glob '*'", REMOVE),
            ("perldb", "open(F, '>x')", WIPE),
            ("php", "echo shell_exec('ls');", CODE),
            ("php", "unlink('x');", REMOVE),
            ("php", "file_put_contents('x', 'y');", WIPE),
            ("lua", "os.execute 'ls'", CODE),
            ("luajit", "os.remove('x')", REMOVE),
            ("lua", "io.open('x', 'w')", WIPE),
            ("R", "system2('ls')", CODE),
            ("r", "file.remove('x')", REMOVE),
        ] {
            assert!(rules(mode, command).contains(&expected), "{mode}: {command}: {:?}", rules(mode, command));
        }
    }

    #[test]
    fn what_only_looks_or_computes_is_nothing() {
        for (mode, command) in [
            ("python", "open('web.conf').read()"),
            ("python", "open('access.log', 'rb').read()"),
            ("python", "open('x').read().split('a')"),
            ("python", "import shutil; shutil.disk_usage('/')"),
            ("python", "from multiprocessing import cpu_count"),
            ("python", "from scipy import signal"),
            ("python", "names.remove('x'); re.compile('x')"),
            ("python", "from os import path\nnames = remove"),
            ("python", "print('no such file system')"),
            ("python", "a != b"),
            ("python", "platform.system()"),
            ("ipython", "%timeit f(x)"),
            ("node", "/x/.exec('x')"),
            ("node", "fs.readFileSync('/etc/hosts', 'utf8')"),
            ("node", "(function() { return 1 })()"),
            ("node", ".exit"),
            ("node", "process.memoryUsage()"),
            ("irb", "puts 'the system'"),
            ("irb", "File.read('x')"),
            ("perldb", "p $x"),
            ("php", "$db->exec('x');"),
            ("lua", "print(1)"),
            ("r", "system.time(f())"),
            ("node", ""),
            ("node", "…. ::->é.("),
        ] {
            assert!(rules(mode, command).is_empty(), "{mode}: {command}: {:?}", rules(mode, command));
        }
        assert!(of_mode("").is_none() && of_mode("shell").is_none() && of_mode("python pdb").is_none());
    }
}

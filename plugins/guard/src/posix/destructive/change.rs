//! Changing what the system stands on: owners and rights of whole trees, files put over others, devices.

use crate::verdict::Danger;
use jackfield_plugin::text::Search;

use super::paths::{self, Act, Harm, UNKNOWN};
use super::remove::options_and_operands;
use super::{Finder, WRITE_PATH_OUT, danger, shown};

impl Finder {
    pub(super) fn change(&self, program: &str, line: &[String]) -> Option<Danger> {
        match program {
            "chmod" | "chown" | "chgrp" | "setfacl" | "chattr" => self.tree_rights(line),
            "mv" => self.moved(line).or_else(|| self.put(line)),
            "cp" | "install" | "ln" | "scp" => self.put(line),
            "rsync" => self.mirrored(line).or_else(|| self.put(line)),
            "tee" | "truncate" | "sponge" => {
                let (_, operands) = options_and_operands(line);
                let by = line.join(" ");
                operands.iter().find_map(|target| self.overwritten(target, &by))
            }
            "dd" => self.dd(line),
            _ if program.has(UNKNOWN) => {
                let device = line.iter().skip(1).any(|word| paths::is_device(word.strip_prefix("of=").unwrap_or(word), self.cwd()));
                device.then(|| danger("posix.unknown-target", line, "gives a device to a program that is only known later"))
            }
            _ => None,
        }
    }

    /// Something is written to this path.
    pub(super) fn overwritten(&self, target: &str, by: &str) -> Option<Danger> {
        if paths::is_device(target, self.cwd()) {
            return Some(Danger::new("posix.device-write", format!("{} writes to a device", shown(by))));
        }
        let critical = paths::is_critical_file(target, self.cwd());
        critical.then(|| {
            let advice = "Change one line of it with an editor command, or use ssh_file_write.";
            Danger::new("posix.critical-file", format!("{} writes over a file that nobody logs in without", shown(by))).advise(advice)
        })
    }

    fn tree_rights(&self, line: &[String]) -> Option<Danger> {
        let (options, operands) = options_and_operands(line);
        let recursive = options.iter().any(|option| match option.strip_prefix("--") {
            Some(long) => !long.is_empty() && "recursive".starts_with(long),
            None => option.has('R'),
        });
        let harmful = |target: &&String| match self.harm(target, Act::Change) {
            Some(Harm::System) => true,
            // `$DIR/` is the root when the variable is empty.
            Some(Harm::Unknown) => target.has(UNKNOWN) && target.has('/'),
            _ => false,
        };
        (recursive && operands.iter().any(|target| harmful(&target)))
            .then(|| danger("posix.wipe", line, "changes a whole part of the system").advise("Name the one directory to change."))
    }

    fn moved(&self, line: &[String]) -> Option<Danger> {
        let (_, operands) = options_and_operands(line);
        let sources = operands.get(..operands.len().saturating_sub(1)).unwrap_or_default();
        let system = sources.iter().any(|source| self.harm(source, Act::Change) == Some(Harm::System));
        system.then(|| danger("posix.wipe", line, "takes a part of the system away"))
    }

    /// The last operand is written to.
    fn put(&self, line: &[String]) -> Option<Danger> {
        let (options, operands) = options_and_operands(line);
        let target =
            options.iter().find_map(|option| option.strip_prefix("--target-directory=")).or_else(|| operands.last().map(String::as_str))?;
        // A file keeps its name in a directory.
        let names = operands.iter().rev().skip(1).filter_map(|source| source.rsplit('/').next()).map(|name| format!("{target}/{name}"));
        let by = line.join(" ");
        self.overwritten(target, &by)
            .or_else(|| names.into_iter().filter(|_| target.len() < 64).find_map(|path| self.overwritten(&path, &by)))
    }

    /// What the source has not is removed from the target.
    fn mirrored(&self, line: &[String]) -> Option<Danger> {
        let (options, operands) = options_and_operands(line);
        let removes = options.iter().any(|option| option.starts_with("--del") || option == "--remove-source-files");
        let target = operands.last().filter(|_| removes)?;
        let system = self.harm(target, Act::Remove).is_some_and(|harm| harm != Harm::Unknown);
        system.then(|| danger("posix.wipe", line, "removes what the source has not from a part of the system"))
    }

    fn dd(&self, line: &[String]) -> Option<Danger> {
        let target = line.iter().find_map(|word| word.strip_prefix("of="))?;
        if target.starts_with(UNKNOWN) {
            return Some(danger("posix.unknown-target", line, "writes to what is only known later").advise(WRITE_PATH_OUT));
        }
        self.overwritten(target, &line.join(" "))
    }
}

//! The private folder of a device that is a local program, and the commands that run in it.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::LabError;
use super::description::Description;
use super::spec::{HomeFile, Shell};
use super::text::expand;

/// A temporary home directory, removed with the lab.
#[derive(Debug)]
pub(super) struct Home {
    folder: TempDir,
    description: Description,
}

/// A program, its arguments and its environment, ready to start.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: OsString,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) folder: PathBuf,
}

impl Home {
    /// Makes the folder with its files. Nothing for a scripted device.
    pub(super) fn make(description: &Description) -> Result<Option<Self>, LabError> {
        let Some(shell) = &description.script.spec.shell else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("lab-").tempdir().map_err(LabError::Home)?;
        let home = Self { folder, description: description.clone() };
        for file in &shell.file {
            home.write(file).map_err(LabError::Home)?;
        }
        Ok(Some(home))
    }

    /// The program of a shell request.
    pub(super) fn shell(&self, term: &str) -> Option<Program> {
        self.program(&self.spec()?.program, term, "")
    }

    /// The program of an exec request.
    pub(super) fn exec(&self, command: &str) -> Option<Program> {
        self.program(&self.spec()?.exec, "dumb", command)
    }

    /// The first program for a subsystem that exists on this machine.
    pub(super) fn subsystem(&self, name: &str) -> Option<Program> {
        let known = self.spec()?.subsystem.get(name)?;
        let program = known.iter().find(|path| Path::new(path).is_file())?;
        self.program(std::slice::from_ref(program), "dumb", "")
    }

    fn spec(&self) -> Option<&Shell> {
        self.description.script.spec.shell.as_ref()
    }

    fn program(&self, words: &[String], term: &str, command: &str) -> Option<Program> {
        let fill = |text: &String| self.fill(text, term, command);
        let (path, arguments) = words.split_first()?;
        let environment = self.spec()?.env.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
        Some(Program {
            path: fill(path).into(),
            arguments: arguments.iter().map(fill).collect(),
            environment,
            folder: self.folder.path().to_owned(),
        })
    }

    fn fill(&self, text: &str, term: &str, command: &str) -> String {
        expand(text, |name| {
            let name = name.strip_prefix("lab.")?;
            match name {
                "home" => Some(self.folder.path().to_string_lossy().into_owned()),
                "user" => Some(self.description.user().to_owned()),
                "term" => Some(term.to_owned()),
                "command" => Some(command.to_owned()),
                _ => match name.strip_prefix("secret.") {
                    Some(secret) => self.description.script.spec.secrets.get(secret).cloned(),
                    None => self.description.vars.get(name).cloned(),
                },
            }
        })
    }

    fn write(&self, file: &HomeFile) -> std::io::Result<()> {
        let inside = Path::new(&file.path);
        if !inside.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(std::io::Error::other(format!("`{}` is not below the home directory", file.path)));
        }
        let path = self.folder.path().join(inside);
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mode = if file.executable { 0o700 } else { 0o600 };
        let mut open = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        open.write_all(self.fill(&file.text, "", "").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(path: &str) -> Result<Option<Home>, LabError> {
        let text = format!(
            "type='linux'\n[vars]\nhost='web'\n[secrets]\nsudo='s3'\n[shell]\nprogram=['sh','{{lab.home}}/x']\nexec=['sh','-c','{{lab.command}}']\n\
             [shell.env]\nTERM='{{lab.term}}'\n[[shell.file]]\npath='{path}'\ntext='${{HOME}} {{lab.host}} {{lab.secret.sudo}}'\nexecutable=true\n"
        );
        Home::make(&Description::parse("linux1", &text).unwrap())
    }

    #[test]
    fn files_are_private_and_filled_and_go_with_the_home() {
        let home = home("bin/tool").unwrap().unwrap();
        let path = home.folder.path().join("bin/tool");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "${HOME} web s3");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);
        drop(home);
        assert!(!path.exists());
    }

    #[test]
    fn programs_know_their_terminal_and_command() {
        let home = home("x").unwrap().unwrap();
        let shell = home.shell("vt100").unwrap();
        assert_eq!(shell.environment, [("TERM".to_owned(), "vt100".to_owned())]);
        assert_eq!(shell.arguments, [home.folder.path().join("x").to_string_lossy().into_owned()]);
        assert_eq!(home.exec("id -u").unwrap().arguments, ["-c", "id -u"]);
        assert!(home.subsystem("sftp").is_none());
    }

    #[test]
    fn a_file_outside_the_home_is_refused() {
        assert!(home("../x").is_err());
        assert!(home("/tmp/x").is_err());
    }
}

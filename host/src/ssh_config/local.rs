//! Who reads the configuration, and on which machine.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::value::table_lines;
use crate::private::own_user;
use crate::secret::given;

/// The machine's users.
const USERS: &str = "/etc/passwd";

/// What a configuration may ask about this machine and its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// The user's home folder, as the machine's table of users has it: OpenSSH does not look at `$HOME`.
    pub home: PathBuf,
    /// The user's name.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The machine's name, with its domain where the machine knows that.
    pub host_name: String,
    /// The environment, where it is not that of the process. Its own is asked when a variable is wanted and never kept: secrets may be
    /// in it.
    pub variables: Option<BTreeMap<OsString, OsString>>,
}

impl Local {
    /// The user of this process.
    ///
    /// # Errors
    ///
    /// When the system does not tell who that is.
    pub fn of_this_process() -> io::Result<Self> {
        let uid = own_user()?;
        let variable = |name: &str| std::env::var(name).ok();
        let number = uid.to_string();
        let listed = user_where(|fields| fields.get(2) == Some(&number.as_str()));
        // Users of a directory service are not in the table.
        let (user, home) = match listed {
            Some((user, home)) => (user, PathBuf::from(home)),
            None => {
                let user = variable("USER").or_else(|| variable("LOGNAME"));
                let home =
                    variable("HOME").ok_or_else(|| io::Error::other("neither the table of users nor `$HOME` names a home folder"))?;
                (user.ok_or_else(|| io::Error::other(format!("nobody says what the user {uid} is called; set `$USER`")))?, home.into())
            }
        };
        let host_name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
        let host_name = host_name.map_or_else(|_| variable("HOSTNAME").unwrap_or_default(), |name| name.trim().to_owned());
        Ok(Self { home, user, uid, host_name, variables: None })
    }

    /// The value of a variable that is set, and is text.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        match &self.variables {
            Some(variables) => variables.get(OsStr::new(name))?.to_str().map(str::to_owned),
            None => given::variable(name)?.into_string().ok(),
        }
    }

    /// The home folder as text.
    pub(super) fn home_text(&self) -> String {
        self.home.to_string_lossy().into_owned()
    }

    /// The home folder of a user of this machine.
    pub(super) fn home_of(&self, user: &str) -> Option<String> {
        if user == self.user {
            return Some(self.home_text());
        }
        user_where(|fields| fields.first() == Some(&user)).map(|(_, home)| home)
    }

    /// Somebody for the unit tests.
    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let variables = [("SOCK", "/run/agent"), ("PERCENT", "%h"), ("HOME", "/elsewhere")];
        Self {
            home: "/home/ann".into(),
            user: "ann".to_owned(),
            uid: own_user().unwrap(),
            host_name: "desk.example.com".to_owned(),
            variables: Some(variables.map(|(name, value)| (name.into(), value.into())).into()),
        }
    }
}

/// Name and home folder of the first user whose line fits.
fn user_where(fits: impl Fn(&[&str]) -> bool) -> Option<(String, String)> {
    table_lines(Path::new(USERS)).lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let (name, home) = (fields.first()?, fields.get(5)?);
        fits(&fields).then(|| ((*name).to_owned(), (*home).to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_user_and_a_machine() {
        let here = Local::of_this_process().unwrap();
        assert!(here.home.is_absolute() && !here.user.is_empty());
        assert_eq!(here.home_of(&here.user), Some(here.home_text()));
        assert_eq!(here.home_of("no-such-user"), None);
    }
}

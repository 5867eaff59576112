//! Managed mode: what an administrator has decided for everybody who uses the program on this machine.
//!
//! The file has sections of the usual configuration and wins over it. The user who calls cannot write it: else it is refused, and with it
//! everything, because a policy that cannot be trusted is none. Where no such file is, nothing changes.

use std::path::Path;

use super::{Config, ConfigError, Environment, safety};

/// Where it is. Not a setting: whoever could set it could also leave it out.
pub(super) const FILE: &str = "/etc/jackfield/policy.toml";

/// The sections that it may have.
pub(super) const SECTIONS: [&str; 1] = ["policy"];

impl Config {
    /// Puts the managed file in force, if there is one.
    pub(super) fn managed(mut self, environment: Environment<'_>) -> Result<Self, ConfigError> {
        let path = Path::new(FILE);
        // One that cannot be looked at must not be passed over.
        if matches!(path.try_exists(), Ok(false)) {
            return Ok(self);
        }
        safety::check_managed(path, "managed policy").map_err(ConfigError::Unsafe)?;
        let managed = Self::read_file(path, None, environment, Self::parse_managed)?;
        self.put_under(&managed);
        Ok(self)
    }

    /// What the managed file says wins: its mode is the most that any device may have.
    fn put_under(&mut self, managed: &Self) {
        self.policy_max = Some(managed.policy);
        self.managed_file.clone_from(&managed.file);
    }
}

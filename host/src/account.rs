//! The account that this process runs as: what the environment says of it, else what the system knows.

use std::env;

use nix::unistd::{Uid, User};

/// The shell where nothing names one.
const SHELL: &str = "/bin/sh";

/// Its name: `USER`, `LOGNAME`, the system's, or `somebody`.
#[must_use]
pub fn name() -> String {
    let told = env::var("USER").or_else(|_| env::var("LOGNAME")).ok().filter(|name| !name.is_empty());
    told.or_else(|| known().map(|user| user.name)).unwrap_or_else(|| "somebody".to_owned())
}

/// Its login shell: `SHELL`, which what starts a client may not have, else the system's word.
#[must_use]
pub fn shell() -> String {
    let known = || known().and_then(|user| user.shell.into_os_string().into_string().ok()).filter(|shell| !shell.is_empty());
    told_shell().or_else(known).unwrap_or_else(|| SHELL.to_owned())
}

/// The shell that OpenSSH starts its programs with: `SHELL`, else `/bin/sh`.
#[must_use]
pub fn shell_of_openssh() -> String {
    told_shell().unwrap_or_else(|| SHELL.to_owned())
}

fn told_shell() -> Option<String> {
    env::var("SHELL").ok().filter(|shell| !shell.is_empty())
}

fn known() -> Option<User> {
    User::from_uid(Uid::current()).ok().flatten()
}

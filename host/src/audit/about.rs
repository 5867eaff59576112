//! Who this process is and for whom it works, as far as the system tells.

use std::fs;
use std::os::unix::process::parent_id;

use super::record::{About, Configuration};
use crate::private::own_user;

/// What the kernel says where nobody has logged in.
const NOBODY: u32 = u32::MAX;

/// This process.
#[must_use]
pub fn this_process(configuration: Configuration) -> About {
    let uid = own_user().unwrap_or_default();
    let parent = parent_id();
    let line = |file: &str| fs::read_to_string(file).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: line("/proc/sys/kernel/hostname"),
        uid,
        user: account(uid),
        person: set("SUDO_USER").or_else(|| set("LOGNAME")).or_else(|| set("USER")),
        login_uid: line("/proc/self/loginuid").and_then(|text| text.parse().ok()).filter(|uid| *uid != NOBODY),
        parent: Some(parent),
        parent_name: line(&format!("/proc/{parent}/comm")),
        configuration,
    }
}

/// The name of an account in the local table.
fn account(uid: u32) -> Option<String> {
    let table = fs::read_to_string("/etc/passwd").ok()?;
    let own = |line: &&str| line.split(':').nth(2).and_then(|number| number.parse().ok()) == Some(uid);
    table.lines().find(own)?.split(':').next().map(str::to_owned)
}

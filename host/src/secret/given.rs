//! Environment variables that clients have given a process that was not started by them: the newest value of each.
//!
//! A daemon outlives the environment that it was started in. What a client's environment says counts from when the client comes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

static GIVEN: Mutex<BTreeMap<String, Zeroizing<String>>> = Mutex::new(BTreeMap::new());

/// Takes a client's values.
pub fn take(values: impl IntoIterator<Item = (String, Zeroizing<String>)>) {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner).extend(values);
}

/// A variable: as a client gave it, else as this process was started with it.
#[must_use]
pub fn variable(name: &str) -> Option<OsString> {
    let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).get(name).map(|value| OsString::from(value.as_str()));
    given.or_else(|| std::env::var_os(name))
}

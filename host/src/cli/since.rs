//! `--since`: a time ago or an instant, as several commands take it.

use std::time::SystemTime;

use crate::instant;

/// What was typed, in milliseconds since 1970.
///
/// # Errors
///
/// That it is neither, and what is taken.
pub(super) fn since_ms(text: &str) -> Result<i64, String> {
    let now_ms = instant::millis(SystemTime::now());
    instant::parse(text, now_ms).ok_or_else(|| format!("--since is `{text}`; {}", instant::ACCEPTED))
}

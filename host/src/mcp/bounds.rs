//! How much a call may take, and what the bounds are.

use std::sync::Arc;

use serde_json::json;

use super::reply::Reply;
use crate::directory::Directory;
use crate::limits::{self, OUTPUT_DEFAULT_CHARS, QUERY_TARGETS_MAX};

/// As much output as is wanted, and as the operator allows.
pub(super) fn capped(directory: &Directory, chars: usize) -> usize {
    chars.min(directory.world().config.limits.output_chars)
}

/// All of them, by name.
pub(super) fn bounds(directory: &Arc<Directory>) -> Reply {
    let set = directory.world().config.limits;
    let limits = json!({
        "wait_max_s": limits::WAIT_MAX_S, "output_default_chars": OUTPUT_DEFAULT_CHARS, "output_max_chars": set.output_chars,
        "command_max_bytes": limits::COMMAND_MAX_BYTES, "sessions_max": set.sessions, "commands_kept": limits::COMMANDS_KEPT,
        "commands_queued_max": limits::COMMANDS_QUEUED_MAX, "programs_max": limits::PROGRAMS_MAX,
        "login_max_s": limits::LOGIN_MAX.as_secs(), "pages_max": limits::PAGES_MAX,
        "calls_per_minute": set.calls_per_minute, "commands_per_device": set.commands_per_device, "commands": set.commands,
        "devices_per_hour": set.devices_per_hour, "denials": set.denials,
        "query_targets_max": QUERY_TARGETS_MAX, "fleet_targets_max": limits::FLEET_TARGETS_MAX,
        "fleet_parallel_max": limits::FLEET_PARALLEL_MAX,
        "log_bytes_max": limits::LOG_SEGMENT_BYTES * limits::LOG_SEGMENTS_MAX as u64,
    });
    let text = limits.as_object().into_iter().flatten().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    Reply::new(json!({"limits": limits}), text)
}

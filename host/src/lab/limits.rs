//! Every bound of the lab: name with unit, value, reason.

use std::time::Duration;

/// Largest device description; the ones we ship are below 40 KiB.
pub(super) const DESCRIPTION_BYTES_MAX: usize = 256 * 1024;
/// Devices on one server.
pub(super) const DEVICES_MAX: usize = 256;
/// Connections at one time; more are closed before the handshake.
pub(super) const CONNECTIONS_MAX: usize = 256;
/// Channels of one connection where the description sets no limit.
pub(super) const CHANNELS_MAX: usize = 16;
/// Wrong passwords on one connection.
pub(super) const AUTH_ATTEMPTS_MAX: usize = 6;
/// What a wrong password costs in time.
pub(super) const AUTH_REJECTION: Duration = Duration::from_millis(50);
/// A connection on which nothing happens for so long is closed.
pub(super) const IDLE: Duration = Duration::from_secs(3600);
/// Bytes typed ahead and not read by the device yet; more are thrown away, as a terminal driver does.
pub(super) const TYPEAHEAD_BYTES_MAX: usize = 64 * 1024;
/// Output that waits for the connection; at this mark the device stops making more. Small, so that a cancel key is soon felt.
pub(super) const OUTPUT_HIGH_WATER_BYTES: usize = 8 * 1024;
/// Largest piece of output given to the connection at once.
pub(super) const CHUNK_BYTES_MAX: usize = 8 * 1024;
/// Longest line that a device without a limit of its own takes.
pub(super) const LINE_BYTES_MAX: usize = 8 * 1024;
/// Longest escape sequence taken as one key.
pub(super) const KEY_BYTES_MAX: usize = 32;
/// Widest terminal; a redrawing editor writes this many columns for each key.
pub(super) const COLUMNS_MAX: u32 = 4096;
/// Highest terminal.
pub(super) const ROWS_MAX: u32 = 65_000;
/// Lines of one generated text.
pub(super) const GENERATED_LINES_MAX: usize = 10_000_000;
/// Steps that wait in one session.
pub(super) const STEPS_MAX: usize = 1024;
/// Commands that a command may start in turn.
pub(super) const RUN_DEPTH_MAX: usize = 8;
/// Messages that wait for their time in one session.
pub(super) const LATER_MAX: usize = 64;
/// Lines that the journal keeps; the oldest go first.
pub(super) const JOURNAL_ENTRIES_MAX: usize = 10_000;
/// Journal lines on their way; further ones are counted and dropped.
pub(super) const JOURNAL_QUEUE: usize = 1024;
/// Most bytes of output that `Description::output` collects.
pub(super) const COLLECTED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Piece read at once from a local shell.
pub(super) const READ_BYTES: usize = 16 * 1024;
/// What a local shell gets to end by itself after the hangup.
pub(super) const HANGUP_WAIT: Duration = Duration::from_secs(1);
/// What connections get to end by themselves at shutdown.
pub(super) const SHUTDOWN_WAIT: Duration = Duration::from_secs(5);
/// Input that waits for a local program; beyond this the connection waits too.
pub(super) const PROGRAM_INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What is still read from a terminal whose program has ended.
pub(super) const LAST_OUTPUT_WAIT: Duration = Duration::from_millis(200);

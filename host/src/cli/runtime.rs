//! What runs the futures of a command that is no server.

use tokio::runtime::Runtime;

/// A runtime.
///
/// # Errors
///
/// When the system gives none.
pub fn runtime() -> Result<Runtime, String> {
    Runtime::new().map_err(|error| format!("cannot start: {error}"))
}

/// Runs a future to its end.
///
/// # Errors
///
/// When no runtime can be had.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
    Ok(runtime()?.block_on(future))
}

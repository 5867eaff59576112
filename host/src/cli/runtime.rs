//! What runs the futures of a command that is no server.

use tokio::runtime::Runtime;

use super::answer::attended;
use crate::config::Config;
use crate::directory::Directory;
use crate::guest::words::for_people;
use crate::startup;

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

/// Does something with the devices of a configuration; what was opened for it is closed behind it. What servers ask at login is asked at the
/// terminal.
///
/// # Errors
///
/// When the configuration cannot be used, or what is done says so.
pub fn with_directory<T>(config: Config, work: impl AsyncFnOnce(&Directory) -> Result<T, String>) -> Result<T, String> {
    let directory = startup::directory(config)?;
    let done = block_on(async {
        let done = attended(directory.questions(), work(&directory)).await;
        directory.shut_down().await;
        done
    });
    startup::clean_up();
    done?.map_err(|why| for_people(&why))
}

//! `jackfield mcp` and `jackfield lab`: processes that serve until somebody ends them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::stdio;
use crate::config::Config;
use crate::lab::{Description, Lab, Options};
use crate::{demo, mcp, startup};

/// Serves one client on standard input and output. End of input ends the process.
///
/// # Errors
///
/// When the configuration is wrong; it is told before the protocol starts.
pub fn mcp(file: Option<&Path>) -> Result<ExitCode, String> {
    let directory = std::env::current_dir().unwrap_or_default();
    let config = Config::load(file, &|name| std::env::var_os(name), &directory).map_err(|error| error.to_string())?;
    let directory = Arc::new(startup::directory(config)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("cannot start: {error}"))?;
    // A task of its own: the runtime is woken by a system call for the future that it blocks on.
    let served = runtime.block_on(async {
        let serving = tokio::spawn(mcp::serve(Arc::clone(&directory), stdio::input(), stdio::output()));
        serving.await.unwrap_or_else(|error| Err(error.to_string()))
    });
    runtime.block_on(directory.shut_down());
    startup::clean_up();
    // A client that goes away is the usual end; a read of standard input that hangs must not delay it.
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS).map_err(|error| format!("MCP: {error}"))
}

/// A device of somebody's own, named by its file unless it names itself.
fn described(file: &Path) -> Result<Description, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Description::parse(&name, &text).map_err(|error| error.to_string())
}

/// Plays the lab's devices, or those of these files, until it is interrupted.
///
/// # Errors
///
/// When the lab does not start or the configuration cannot be written.
pub fn lab(write: Option<&Path>, devices: &[PathBuf]) -> Result<ExitCode, String> {
    let descriptions =
        if devices.is_empty() { demo::descriptions()? } else { devices.iter().map(|file| described(file)).collect::<Result<_, _>>()? };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let _guard = runtime.enter();
    let lab = Lab::start(descriptions, Options::default()).map_err(|error| error.to_string())?;
    // A closed pipe is the reader's choice.
    let say = |text: String| drop(writeln!(anstream::stdout(), "{text}"));
    for device in lab.devices() {
        say(format!(
            "{:<10} ssh -p {} {}@127.0.0.1   {}   password {}",
            device.name,
            lab.port(),
            device.user,
            device.title,
            device.password
        ));
    }
    match write {
        Some(path) => {
            demo::write_config(&lab, path)?;
            say(format!("\nwrote {0}; use it with: jackfield mcp --config {0}", path.display()));
        }
        None => say("\nhost key for known_hosts:\n".to_owned() + lab.host_key_line()),
    }
    say("press Ctrl-C to end the lab".to_owned());
    runtime.block_on(async { tokio::signal::ctrl_c().await }).map_err(|error| error.to_string())?;
    runtime.block_on(lab.shutdown());
    Ok(ExitCode::SUCCESS)
}

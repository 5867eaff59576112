//! `jackfield mcp`: a process that serves until its client goes.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::control::Control;
use super::stdio;
use crate::config::Config;
use crate::renewal::Renewer;
use crate::{mcp, startup};

/// Serves one client on standard input and output. End of input ends the process.
///
/// # Errors
///
/// When the configuration is wrong; it is told before the protocol starts.
pub fn mcp(file: Option<&Path>) -> Result<ExitCode, String> {
    let directory = std::env::current_dir().unwrap_or_default();
    let config = Config::load(file, &|name| std::env::var_os(name), &directory).map_err(|error| error.to_string())?;
    let directory = Arc::new(startup::directory(config)?);
    startup::allow_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("cannot start: {error}"))?;
    let renewer = Arc::new(Renewer::new(Arc::clone(&directory), file));
    // A task of its own: the runtime is woken by a system call for the future that it blocks on.
    let served = runtime.block_on(async {
        let _control = Control::start(Arc::clone(&renewer), directory.approvals().clone(), directory.questions().clone())
            .map_err(|error| crate::diagnostics::warn(&format!("`jackfield plugin reload` does not find this server: {error}")));
        tokio::spawn(renew_on_hangup(renewer));
        let serving = tokio::spawn(mcp::serve(Arc::clone(&directory), stdio::input(), stdio::output()));
        serving.await.unwrap_or_else(|error| Err(error.to_string()))
    });
    runtime.block_on(directory.shut_down());
    startup::clean_up();
    // A client that goes away is the usual end; a read of standard input that hangs must not delay it.
    runtime.shutdown_background();
    served.map(|()| ExitCode::SUCCESS).map_err(|error| format!("MCP: {error}"))
}

/// The signal by which servers are told to read their configuration again.
async fn renew_on_hangup(renewer: Arc<Renewer>) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        renewer.renew().await;
    }
}

//! `jackfield mcp`: a client's way to the daemon, or a process that holds the sessions itself until its client goes.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::stdio;
use crate::daemon::gate::{Gate, House};
use crate::daemon::{own_socket, relay};
use crate::guest::Guests;
use crate::guest::words::for_people;
use crate::renewal::Renewer;
use crate::{mcp, startup};

/// The program that only carries a client's lines.
const RELAY: &str = "jackfield-relay";

/// Serves one client on standard input and output by the daemon, which is started if need be.
///
/// # Errors
///
/// When there is none, for example because the configuration is wrong.
pub fn mcp(file: Option<&Path>) -> Result<ExitCode, String> {
    tell_person("mcp", file);
    let found = startup::config_file(file);
    become_relay(found.as_deref());
    relay::run(found.as_deref()).map_err(|why| for_people(&why))
}

/// Whoever types this waits for a prompt that never comes: says what is waited for. Clients give no terminal, and are told nothing.
fn tell_person(command: &str, file: Option<&Path>) {
    if !io::stdin().is_terminal() {
        return;
    }
    // A client starts it in another folder.
    let file = file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
    let command = format!("jackfield {command}{}", file.map(|file| format!(" --config {}", file.display())).unwrap_or_default());
    let _ = writeln!(
        anstream::stderr(),
        "jackfield: this speaks MCP to a client and waits for one here; `claude mcp add jackfield -- {command}` adds it to Claude Code, \
         other clients start the command `{command}` themselves; Ctrl-C ends it"
    );
}

/// Goes on as the small program beside this one, which does the same. Comes back where it is not there.
fn become_relay(file: Option<&Path>) {
    let Some(relay) = std::env::current_exe().ok().map(|path| path.with_file_name(RELAY)).filter(|path| path.exists()) else { return };
    // This process's own code does it as well.
    let _ = Command::new(relay).args(file).exec();
}

/// Serves one client on standard input and output. End of input ends the process and its sessions.
///
/// # Errors
///
/// When the configuration is wrong; it is told before the protocol starts.
pub fn in_process(file: Option<&Path>) -> Result<ExitCode, String> {
    tell_person("mcp --in-process", file);
    let config = startup::config(file)?;
    let directory = Arc::new(startup::directory(config)?);
    startup::allow_files();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("cannot start: {error}"))?;
    let renewer = Arc::new(Renewer::new(Arc::clone(&directory), file));
    // A task of its own: the runtime is woken by a system call for the future that it blocks on.
    let served = runtime.block_on(async {
        let _gate = Guests::start(Arc::clone(&directory), tokio::runtime::Handle::current())
            .and_then(|guests| {
                Gate::open(Arc::new(House::new(Arc::clone(&directory), Arc::clone(&renewer), guests, None, false)), &own_socket())
            })
            .map_err(|error| crate::diagnostics::warn(&format!("other commands of jackfield do not find this server: {error}")));
        tokio::spawn(renew_on_hangup(renewer));
        tokio::spawn(mcp::http::keep_open(Arc::clone(&directory)));
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

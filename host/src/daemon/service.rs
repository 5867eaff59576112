//! The daemon's process: from its start to its end.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::gate::{Gate, House};
use super::hello::Want;
use super::launch::{self, READY};
use super::ledger::{Held, Ledger};
use super::{Name, lock_file, log};
use crate::guest::Guests;
use crate::limits::{DAEMON_END_MAX, DAEMON_IDLE};
use crate::renewal::Renewer;
use crate::{diagnostics, mcp, startup};

/// How often the daemon looks whether anybody still needs it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it looks whether the one before it has ended.
const LOCK_LOOK_EVERY: Duration = Duration::from_millis(20);

/// Holds sessions until nobody needs it, or somebody ends it. Says on standard output when it can be connected to, or why not.
///
/// # Errors
///
/// When it cannot begin: also told on standard output, for who has started it.
pub fn run(file: Option<&Path>) -> Result<ExitCode, String> {
    // Who has started it says whose sentence it is.
    begin(file).inspect_err(|why| tell(why))
}

fn tell(line: &str) {
    // Who has started it may have gone.
    let _ = writeln!(std::io::stdout().lock(), "{line}").and_then(|()| std::io::stdout().flush());
}

fn begin(file: Option<&Path>) -> Result<ExitCode, String> {
    // A terminal that closes does not end it. Who was started by a service manager leads a session already.
    let _ = rustix::process::setsid();
    diagnostics::keep_log();
    let found = startup::config_file(file);
    let config = startup::config(file)?;
    let name = Name::of(found.as_deref());
    let run = startup::run_folder().map_err(|error| format!("cannot start: {error}"))?;
    let Some(_lock) = lock(&run.join(name.file("lock")), &name)? else {
        // It can be used as well.
        tell(READY);
        return Ok(ExitCode::SUCCESS);
    };
    let (ledger, held) = Ledger::open(run.join(name.file("sessions")));
    let directory = Arc::new(startup::directory(config)?);
    startup::allow_files();
    if let Some(home) = std::env::var_os("HOME") {
        // A folder that is in use cannot be unmounted.
        let _ = std::env::set_current_dir(home);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("cannot start: {error}"))?;
    let renewer = Arc::new(Renewer::new(Arc::clone(&directory), found.as_deref()));
    let guests = Guests::start(Arc::clone(&directory), runtime.handle().clone()).map_err(|error| format!("cannot start: {error}"))?;
    let lost = held.as_ref().map(shown);
    if let Some(held) = held {
        directory.mourn(held.sessions.into_keys());
    }
    let house = Arc::new(House::new(Arc::clone(&directory), renewer, guests, lost, true));
    let ended = runtime.block_on(async {
        let gate = Gate::open(Arc::clone(&house), &name.socket()).map_err(|error| format!("cannot listen: {error}"))?;
        ledger.begin();
        tell(READY);
        let door = tokio::spawn(mcp::http::keep_open(Arc::clone(&directory)));
        let stay = tokio::spawn(stay(Arc::clone(&house), door, ledger, name));
        let ended = stay.await.map_err(|error| error.to_string());
        // Nobody comes in while the sessions are closed.
        drop(gate);
        ended
    });
    let busy = runtime.block_on(directory.shut_down());
    startup::clean_up();
    runtime.shutdown_background();
    let (why, ledger) = ended?;
    ledger.close();
    let lost = if busy.is_empty() { String::new() } else { format!("; commands still ran in {}", busy.join(", ")) };
    diagnostics::warn(&format!("the daemon ends: {why}{lost}"));
    Ok(ExitCode::SUCCESS)
}

fn shown(held: &Held) -> String {
    let sessions: Vec<String> = held.sessions.iter().map(|(name, since)| format!("{name} (open since {since})")).collect();
    format!("process {} held {}", held.process, sessions.join(", "))
}

/// The lock that only one daemon of a name has. One that ends is waited for; `None` if another one serves.
#[expect(clippy::disallowed_methods, reason = "no runtime runs yet")]
fn lock(path: &Path, name: &Name) -> Result<Option<File>, String> {
    let file = lock_file(path)?;
    let end = Instant::now() + DAEMON_END_MAX;
    while Instant::now() < end {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if launch::connect(name, &Want::Control).is_ok() => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_LOOK_EVERY),
            Err(TryLockError::Error(error)) => return Err(format!("cannot use `{}`: {error}", path.display())),
        }
    }
    Err(format!("another daemon for this configuration neither serves nor ends; `fuser {}` names its process", path.display()))
}

/// Waits until the daemon is no longer needed; says why.
async fn stay(house: Arc<House>, door: JoinHandle<()>, mut ledger: Ledger, name: Name) -> (String, Ledger) {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else { return ("it hears no signals".to_owned(), ledger) };
    let mut needed_at = Instant::now();
    loop {
        tokio::select! {
            _ = terminate.recv() => return ("it was asked to by a signal".to_owned(), ledger),
            _ = interrupt.recv() => return ("it was asked to by a signal".to_owned(), ledger),
            () = house.stop.notified() => return ("somebody asked it to".to_owned(), ledger),
            _ = hangup.recv() => drop(house.renewer.renew().await),
            () = sleep(LOOK_EVERY) => {}
        }
        let open = house.directory.list().into_iter().filter(|handle| handle.closed().is_none());
        let open: Vec<String> = open.map(|handle| handle.id.to_string()).collect();
        ledger.hold(&open);
        log::renew(&name);
        if !open.is_empty() || is_needed(&house, &door) {
            needed_at = Instant::now();
        } else if needed_at.elapsed() >= DAEMON_IDLE {
            return (format!("nobody has used it for {} s", DAEMON_IDLE.as_secs()), ledger);
        }
    }
}

/// Is it needed where no session is open? Who comes by the HTTP door cannot start it, so it stays as long as that is open.
fn is_needed(house: &House, door: &JoinHandle<()>) -> bool {
    let is_used = house.clients.load(Ordering::Relaxed) > 0 || house.connections() > 0;
    is_used || house.directory.is_carrying() || !door.is_finished()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::directory::Directory;

    #[test]
    fn an_open_door_keeps_the_daemon_and_none_or_a_closed_one_does_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let door = |token: &str| format!("[http]\nlisten = \"127.0.0.1:0\"\ntoken = {{ command = \"echo {token}\" }}\n");
        for (text, stays) in [(String::new(), false), (door("short"), false), (door("a-token-of-sufficient-length"), true)] {
            let config = Config::parse(&text, Path::new("jackfield.toml"), None).unwrap();
            let catalog = startup::catalog(&config).unwrap();
            let directory = Arc::new(Directory::new(config, catalog, None));
            let renewer = Arc::new(Renewer::new(Arc::clone(&directory), None));
            let guests = Guests::start(Arc::clone(&directory), runtime.handle().clone()).unwrap();
            let house = House::new(Arc::clone(&directory), renewer, guests, None, true);
            let mut door = runtime.spawn(mcp::http::keep_open(directory));
            let wait = Duration::from_secs(if stays { 1 } else { 20 });
            let has_ended = runtime.block_on(async { tokio::time::timeout(wait, &mut door).await.is_ok() });
            assert_eq!((has_ended, is_needed(&house, &door)), (!stays, stays), "{text}");
            door.abort();
        }
    }
}

//! Runs the command of `Match exec`.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::local::Local;
use crate::limits::SSH_CONFIG_EXEC_MAX;

/// Between two looks at a command that runs.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Does the command end well? It runs in the user's shell, without input and output.
///
/// # Errors
///
/// A sentence, when it cannot be run, is killed, or takes too long.
pub(super) fn succeeds(command: &str, who: &Local) -> Result<bool, String> {
    let told = |error: io::Error| format!("cannot run `{command}`: {error}");
    let shell = who.variable("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".to_owned());
    let mut run = Command::new(shell);
    run.arg("-c").arg(format!("exec {command}"));
    if let Some(variables) = &who.variables {
        run.env_clear().envs(variables);
    }
    let mut child = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(told)?;
    let started = Instant::now();
    let ended: Option<ExitStatus> = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if started.elapsed() < SSH_CONFIG_EXEC_MAX => thread::park_timeout(LOOK_EVERY),
            _ => break None,
        }
    };
    match ended {
        Some(status) => status.code().map(|code| code == 0).ok_or_else(|| format!("`{command}` was killed ({status})")),
        None => {
            child.kill().and_then(|()| child.wait()).map_err(told)?;
            Err(format!("`{command}` did not end within {} s", SSH_CONFIG_EXEC_MAX.as_secs()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_well_or_badly_or_is_killed() {
        let who = Local::for_tests();
        assert_eq!(succeeds("true", &who), Ok(true));
        assert_eq!(succeeds("test \"$SOCK\" = /run/agent", &who), Ok(true));
        assert_eq!(succeeds("false", &who), Ok(false));
        assert_eq!(succeeds("/no/such/program", &who), Ok(false));
        assert!(succeeds("kill -9 $$", &who).is_err());
    }
}

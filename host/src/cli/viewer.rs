//! `jackfield viewer`: the sessions in a browser.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use super::paint::{DIM, painted, say_line};
use super::runtime::block_on;
use crate::daemon::client::Server;
use crate::daemon::hello::Want;
use crate::daemon::{Name, launch};
use crate::guest::words::for_people;
use crate::startup;
use crate::viewer::page_of;

/// What is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// A session's page.
    pub session: Option<&'a str>,
    /// It may only be looked.
    pub read_only: bool,
    /// Only print the link.
    pub print: bool,
    /// The port, 0 for a free one.
    pub port: u16,
}

/// Has the daemon make a link, and opens it in a browser.
///
/// # Errors
///
/// A sentence for standard error.
pub fn run(file: Option<&Path>, wanted: &Wanted<'_>) -> Result<ExitCode, String> {
    if !std::io::stdout().is_terminal() && !wanted.print {
        return Err("a link lets whoever has it act as you, so it is shown at a terminal; --print prints it anywhere".to_owned());
    }
    let file = startup::config_file(file);
    // It is there then.
    drop(launch::connect_or_start(file.as_deref(), &Want::Control).map_err(|why| for_people(&why))?);
    let link = block_on(async {
        let mut server = Server::connect(&Name::of(file.as_deref()).socket(), Want::Control).await?;
        server.link(!wanted.read_only, wanted.port).await
    })??;
    let link = format!("{link}{}", wanted.session.map(page_of).unwrap_or_default());
    say_line(&link);
    if wanted.print {
        return Ok(ExitCode::SUCCESS);
    }
    say_line(&painted(DIM, "It logs one browser in, once, within five minutes. Whoever uses it acts as you: do not give it to an agent."));
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    // Where there is none, the link is there to be copied. Every account can read these arguments; the viewer answers this one's alone.
    let _ = Command::new(opener).arg(&link).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Ok(ExitCode::SUCCESS)
}

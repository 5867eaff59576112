//! A question at the terminal whose answer is not seen.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::time::Duration;

use rpassword::{ConfigBuilder, read_password_with_config};
use rustix::process::{Signal, kill_current_process_group};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Ctrl-C.
const INTERRUPT: u8 = 3;
/// How long what handles the interrupt may take to end the program.
const END_MAX: Duration = Duration::from_secs(2);

/// The terminal without echo, and with Ctrl-C as a key as any other, until the value goes.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn begin() -> io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// What is typed, up to Ctrl-C: what edits the answer would raise the signal itself, with the terminal as it is then.
struct Keys(File);

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Half an answer is none.
                Ok(0) => return Err(io::Error::other("it has gone")),
                read => break read?,
            }
        };
        let is_interrupted = buffer.get(..count).unwrap_or_default().contains(&INTERRUPT);
        if is_interrupted { Err(io::ErrorKind::Interrupted.into()) } else { Ok(count) }
    }
}

/// What gives the terminal its echo back where the program ends while somebody answers.
pub(super) fn restorer() -> impl FnOnce() + Send + 'static {
    let before = tcgetattr(io::stdin());
    move || {
        let (Ok(before), Ok(now)) = (before, tcgetattr(io::stdin())) else { return };
        // A program in the background may not even set what is set already.
        if now.local_modes != before.local_modes {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
        }
    }
}

/// Asks. The echo is off before the question is shown, so that an answer that comes at once is not seen either.
///
/// Ctrl-C interrupts the program and what runs with it, as elsewhere at a terminal, and finds the terminal as it was.
///
/// # Errors
///
/// When the terminal cannot be read.
pub(super) fn asked(question: &str) -> io::Result<Zeroizing<String>> {
    let silent = Silent::begin()?;
    let mut terminal = silent.terminal.try_clone()?;
    terminal.write_all(question.as_bytes())?;
    let keys = ConfigBuilder::new().input_reader(Keys(terminal.try_clone()?)).output_discard().build();
    let read = read_password_with_config(keys).map(Zeroizing::new);
    // What is written next begins a row.
    let _ = terminal.write_all(b"\n");
    drop(silent);
    if read.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        kill_current_process_group(Signal::INT)?;
        // What handles it ends the program, and tells more than is known here.
        std::thread::park_timeout(END_MAX);
    }
    read
}

//! A question at the terminal whose answer is not seen.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// The terminal without echo, until the value goes.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // The terminal may be gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
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
/// # Errors
///
/// When the terminal cannot be read.
pub(super) fn asked(question: &str) -> io::Result<Zeroizing<String>> {
    let _silent = Silent::begin()?;
    rpassword::prompt_password(question).map(Zeroizing::new)
}

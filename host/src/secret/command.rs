//! Takes a secret from the first line that a shell command prints.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::redact::{MASKED_MIN_BYTES, Redactor};
use super::{SECRET_MAX_BYTES, Secret, SecretError};

/// How much of the first line is kept: the longest secret, its line end, and a byte that shows that it is too long.
const STDOUT_MAX_BYTES: usize = SECRET_MAX_BYTES + 3;

/// How much of standard error is kept for the error text.
const STDERR_MAX_BYTES: usize = 400;

/// How long to read on after the command ended: a background process may hold the pipe open for ever.
const AFTER_EXIT: Duration = Duration::from_millis(500);

/// Runs `sh -c COMMAND` without input and gives its first line. The process is killed when the time is up.
pub(super) async fn first_line(command: &str, limit: Duration) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let failed = |cause| SecretError::CommandStart { command: command.to_owned(), cause };
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = shell.spawn().map_err(failed)?;
    let mut printed = Printed::new();
    match timeout(limit, run(&mut child, &mut printed)).await {
        Err(_elapsed) => Err(SecretError::CommandTimeout { command: command.to_owned(), limit, stderr: printed.complaint() }),
        Ok(Err(cause)) => Err(failed(cause)),
        Ok(Ok(status)) if !status.success() => {
            Err(SecretError::CommandFailed { command: command.to_owned(), status, stderr: printed.complaint() })
        }
        Ok(Ok(_)) => Ok(printed.stdout_first_line()),
    }
}

/// Reads both pipes until the command has ended. Both at once, or a full pipe would stop the command.
async fn run(child: &mut Child, printed: &mut Printed) -> std::io::Result<ExitStatus> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reading = async {
        tokio::join!(keep_start(stdout, &mut printed.stdout, STDOUT_MAX_BYTES), keep_start(stderr, &mut printed.stderr, STDERR_MAX_BYTES))
    };
    tokio::pin!(reading);
    tokio::select! {
        _ = &mut reading => child.wait().await,
        status = child.wait() => {
            // What has not come by then belongs to somebody else; the first line is judged as it is.
            let _late = timeout(AFTER_EXIT, reading).await;
            status
        }
    }
}

/// Reads to the end, keeps the first `keep` bytes and drops the rest.
async fn keep_start(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>, keep: usize) {
    let Some(mut pipe) = pipe else { return };
    let mut piece = Zeroizing::new([0_u8; 1024]);
    loop {
        // A read error is the end of what can be had; the exit status tells the rest.
        let Ok(count @ 1..) = pipe.read(piece.as_mut()).await else { return };
        let room = keep.saturating_sub(kept.len());
        kept.extend_from_slice(piece.get(..count.min(room)).unwrap_or_default());
    }
}

/// What the command has printed. The buffers have their full size from the start, so that no copy stays in freed memory.
struct Printed {
    stdout: Zeroizing<Vec<u8>>,
    stderr: Zeroizing<Vec<u8>>,
}

impl Printed {
    fn new() -> Self {
        Self { stdout: Zeroizing::new(Vec::with_capacity(STDOUT_MAX_BYTES)), stderr: Zeroizing::new(Vec::with_capacity(STDERR_MAX_BYTES)) }
    }

    /// The first line with its line end, so that the caller treats it as he does every other source.
    fn stdout_first_line(mut self) -> Zeroizing<Vec<u8>> {
        if let Some(end) = self.stdout.iter().position(|byte| *byte == b'\n') {
            self.stdout.truncate(end + 1);
        }
        self.stdout
    }

    /// Standard error as one line of plain text. A command that failed may repeat the value there: it is hidden.
    fn complaint(self) -> String {
        let stderr = self.stderr.clone();
        let mut value = self.stdout_first_line();
        while value.last().is_some_and(u8::is_ascii_whitespace) {
            value.pop();
        }
        let text = String::from_utf8_lossy(&without(value, &stderr)).replace(char::is_control, " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The bytes with each occurrence of the value masked.
fn without(value: Zeroizing<Vec<u8>>, stderr: &[u8]) -> Vec<u8> {
    // The redactor does not look for values that are this short, so nothing is shown that may hold one.
    if !value.is_empty() && value.len() < MASKED_MIN_BYTES && stderr.windows(value.len()).any(|part| part == value.as_slice()) {
        return Vec::new();
    }
    let mut redactor = Redactor::default();
    redactor.learn("value", &Secret(value));
    let mut text = redactor.push(stderr).into_owned();
    // Where the text was cut, what is held back may be the start of the value.
    if stderr.len() < STDERR_MAX_BYTES {
        text.extend(redactor.flush());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{COMMAND_LIMIT, SecretSource, resolve, resolve_with};
    use super::*;

    async fn value(command: &str) -> Vec<u8> {
        resolve(&SecretSource::Command(command.to_owned())).await.map_err(|error| error.to_string()).ok().unwrap().expose().to_vec()
    }

    async fn error(command: &str, limit: Duration) -> String {
        resolve_with(&SecretSource::Command(command.to_owned()), limit, |_| None).await.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn the_first_line_is_the_secret() {
        assert_eq!(value("printf 's3cret\\nuser: me\\n'").await, b"s3cret");
        assert_eq!(value("printf 's3cret'").await, b"s3cret");
        assert_eq!(value("echo s3cret; head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2").await, b"s3cret");
    }

    #[tokio::test]
    async fn standard_input_is_empty() {
        assert_eq!(value("if read line; then echo read; else echo none; fi").await, b"none");
    }

    #[tokio::test]
    async fn a_background_process_does_not_hold_the_answer_back() {
        let short = Duration::from_secs(20);
        let source = SecretSource::Command("sleep 40 & echo s3cret".to_owned());
        assert_eq!(resolve_with(&source, short, |_| None).await.ok().unwrap().expose(), b"s3cret");
    }

    #[tokio::test]
    async fn a_failure_shows_standard_error_and_hides_the_value() {
        let text = error("echo hunter2; printf 'bad\\033[31m token\\nhunter2 refused\\n' >&2; exit 3", COMMAND_LIMIT).await;
        assert!(text.ends_with("failed (exit status: 3): bad [31m token [secret:value] refused"), "{text}");
    }

    #[tokio::test]
    async fn a_value_that_is_short_or_cut_is_not_shown_either() {
        let text = error("echo abc; echo abc is wrong >&2; exit 3", COMMAND_LIMIT).await;
        assert!(text.ends_with("failed (exit status: 3)"), "{text}");
        let text = error("echo hunter2; printf '%0396dhunter2' 0 >&2; exit 3", COMMAND_LIMIT).await;
        assert!(text.ends_with("00"), "{text}");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended() {
        let text = error("echo asking >&2; exec sleep 60", Duration::from_secs(3)).await;
        assert!(text.ends_with("did not finish within 3s; it must not ask questions: asking"), "{text}");
    }

    #[tokio::test]
    async fn nothing_printed_is_an_error() {
        assert!(error("true", COMMAND_LIMIT).await.contains("is empty"));
        assert!(error("head -c 9000 /dev/zero | tr '\\0' x", COMMAND_LIMIT).await.contains("longer than"));
    }
}

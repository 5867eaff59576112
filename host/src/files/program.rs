//! Programs on the device: what a file service cannot do, or where there is none.
//!
//! The started command is always the same few words of a POSIX shell: it reads its script from standard input, exactly as many bytes as the
//! script has, and what follows there is the script's own input. So no name is ever on a command line, in a process list, or at the mercy
//! of how the account's login shell quotes.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::name::shown;
use super::{Code, FilesError, words};
use crate::limits::{PROGRAM_ANSWER_MAX_BYTES, PROGRAM_ERRORS_MAX_BYTES, PROGRAM_FILES_MAX};

/// A future of its own.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts programs on a device.
pub trait Programs: Debug + Send + Sync {
    /// Starts one: a command of [`start_line`], or one that a plugin names for a device without a shell.
    fn start<'a>(&'a self, command: &'a str) -> Boxed<'a, Result<Running, FilesError>>;
}

/// A program that runs. Dropping it ends it.
pub struct Running {
    /// Its standard input; shutting it down is its end.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// Its standard error.
    pub errors: Box<dyn AsyncRead + Send + Unpin>,
    /// Its exit status, once its output has ended; none where a signal ended it, an error where nobody hears of its end any more.
    pub status: Boxed<'static, Result<Option<i32>, FilesError>>,
}

impl Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a running program")
    }
}

impl Running {
    /// Ends its standard input: it is shut down, and then gone, for there are pipes that only know the one and channels that only know the other.
    ///
    /// # Errors
    ///
    /// When the program is gone.
    pub async fn end_input(&mut self) -> std::io::Result<()> {
        let mut input = std::mem::replace(&mut self.input, Box::new(tokio::io::sink()));
        input.shutdown().await
    }

    /// How it ended, once its output has.
    ///
    /// # Errors
    ///
    /// When it has failed.
    pub async fn ended(&mut self, act: &'static str, path: &[u8]) -> Result<(), FilesError> {
        let mut complaints = Vec::new();
        let mut errors = (&mut self.errors).take(PROGRAM_ERRORS_MAX_BYTES);
        // What it said is only for the words of the error.
        let _ = errors.read_to_end(&mut complaints).await;
        judge((&mut self.status).await?, &complaints, act, path)
    }
}

/// What every script begins with: words that can be told apart, and nothing for others to read.
const PREAMBLE: &str = "LC_ALL=C; export LC_ALL; umask 077\n";

/// The command that runs a script of so many bytes.
#[must_use]
pub fn start_line(bytes: usize) -> String {
    format!("exec sh -c 'eval \"$(dd bs=1 count={bytes} 2>/dev/null)\"'")
}

/// A script with its names in variables.
#[derive(Debug, Clone)]
pub struct Script(Vec<u8>);

impl Script {
    /// Begins with these variables: a letter, and bytes without zero.
    #[must_use]
    pub fn new(variables: &[(&str, &[u8])], text: &str) -> Self {
        let mut out = PREAMBLE.as_bytes().to_vec();
        for (name, value) in variables {
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            out.push(b'\'');
            for byte in *value {
                match byte {
                    b'\'' => out.extend_from_slice(br"'\''"),
                    byte => out.push(*byte),
                }
            }
            out.extend_from_slice(b"'\n");
        }
        out.extend_from_slice(text.as_bytes());
        Self(out)
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn start(&self, programs: &dyn Programs) -> Result<Running, FilesError> {
        let mut running = programs.start(&start_line(self.0.len())).await?;
        running.input.write_all(&self.0).await.map_err(gone)?;
        running.input.flush().await.map_err(gone)?;
        Ok(running)
    }

    /// Runs it with this input to its end; its standard output.
    ///
    /// # Errors
    ///
    /// When it fails: by its exit status, by what it says.
    pub async fn run(&self, programs: &dyn Programs, input: &[u8], act: &'static str, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        let run = async {
            let mut running = self.start(programs).await?;
            let mut to = std::mem::replace(&mut running.input, Box::new(tokio::io::sink()));
            let give = async move {
                // A program that has ended takes no more; its status says why.
                let _ = to.write_all(input).await;
                let _ = to.shutdown().await;
            };
            let Running { output, errors, .. } = &mut running;
            let (mut said, mut complaints) = (Vec::new(), Vec::new());
            let (mut output, mut errors) = (output.take(PROGRAM_ANSWER_MAX_BYTES), errors.take(PROGRAM_ERRORS_MAX_BYTES));
            let (_, read, _) = tokio::join!(give, output.read_to_end(&mut said), errors.read_to_end(&mut complaints));
            read.map_err(gone)?;
            judge(running.status.await?, &complaints, act, path)?;
            Ok(said)
        };
        let late = || {
            FilesError::Broken(format!(
                "did not end a program in {} s while it should {act} `{}`",
                PROGRAM_FILES_MAX.as_secs(),
                shown(path)
            ))
        };
        timeout(PROGRAM_FILES_MAX, run).await.unwrap_or_else(|_| Err(late()))
    }
}

fn gone(error: std::io::Error) -> FilesError {
    FilesError::Broken(format!("is gone: {error}"))
}

/// What an exit status and the words on standard error mean.
///
/// # Errors
///
/// When the program has failed.
pub fn judge(status: Option<i32>, complaints: &[u8], act: &'static str, path: &[u8]) -> Result<(), FilesError> {
    if status == Some(0) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(complaints);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let code = match line {
        line if line.contains("No such file") || line.contains("not found") && status != Some(127) => Code::Missing,
        line if line.contains("ermission denied") || line.contains("not permitted") => Code::Denied,
        _ if status == Some(127) => Code::Unsupported,
        _ => Code::Failure,
    };
    let said = words(line);
    let what = match (status, said.as_str()) {
        _ if code == Code::Missing => "there is no such file or folder".to_owned(),
        _ if code == Code::Denied => "the account may not".to_owned(),
        (None, _) => "the program was ended by a signal".to_owned(),
        (Some(status), "") => format!("the program ended with status {status}"),
        (Some(_), said) => said.to_owned(),
    };
    Err(FilesError::remote(act, path, code, what))
}

/// What takes fingerprints, as `"$@"`: the fastest first, three times faster than the next where the processor has instructions for it.
const HASHES: &str = r#"
has() { command -v "$1" >/dev/null 2>&1; }
if has openssl; then set -- openssl dgst -sha256 -r; elif has sha256sum; then set -- sha256sum; elif has shasum; then set -- shasum -a 256; else exit 127; fi
"#;

/// The fingerprints of files by a program on the device, in their order; none for what could not be read.
///
/// # Errors
///
/// When the device has no such program, or the connection is gone.
pub async fn fingerprints(programs: &Arc<dyn Programs>, paths: &[Vec<u8>]) -> Result<Vec<Option<String>>, FilesError> {
    let each = r#"tr '\n\000' '\001\n' | while IFS= read -r p; do
  case $p in *"$(printf '\001')"*) p=$(printf '%s.' "$p" | tr '\001' '\n'); p=${p%.};; esac
  h=$("$@" < "$p" 2>/dev/null) || h=-
  printf '%s\n' "${h%% *}"
done"#;
    let text = &format!("{HASHES}{each}");
    // Names without anything unusual go to few programs instead of one each.
    let fast = &format!("{HASHES}xargs -0 \"$@\" 2>/dev/null");
    let input: Vec<u8> = paths.iter().flat_map(|path| [path.as_slice(), b"\0"].concat()).collect();
    let first = paths.first().map(Vec::as_slice).unwrap_or_default();
    let is_plain =
        paths.iter().all(|path| !path.iter().any(|byte| matches!(byte, b'\n' | b'\\' | b'\r' | 1)) && path.first() == Some(&b'/'));
    if is_plain && let Ok(said) = Script::new(&[], fast).run(programs.as_ref(), &input, "read", first).await {
        let found: Vec<Option<String>> = String::from_utf8_lossy(&said).lines().map(fingerprint).collect();
        if found.len() == paths.len() {
            return Ok(found);
        }
    }
    let said = Script::new(&[], text).run(programs.as_ref(), &input, "read", first).await?;
    let found: Vec<Option<String>> = String::from_utf8_lossy(&said).lines().map(fingerprint).collect();
    match found.len() == paths.len() {
        true => Ok(found),
        false => Err(FilesError::remote("read", first, Code::Unsupported, "its programs gave fewer fingerprints than files")),
    }
}

fn fingerprint(line: &str) -> Option<String> {
    let word = line.split(' ').next().unwrap_or_default();
    (word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| word.to_ascii_lowercase())
}

/// The fingerprint of the first bytes of a file, by a program on the device.
///
/// # Errors
///
/// When the device has no such program, or cannot read the file.
pub async fn fingerprint_of_start(programs: &Arc<dyn Programs>, path: &[u8], bytes: u64) -> Result<String, FilesError> {
    let text = format!("{HASHES}head -c {bytes} < \"$p\" | \"$@\"\n");
    let said = Script::new(&[("p", path)], &text).run(programs.as_ref(), &[], "read", path).await?;
    fingerprint(&String::from_utf8_lossy(&said))
        .ok_or_else(|| FilesError::remote("read", path, Code::Unsupported, "it gave no fingerprint"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_whose_end_nobody_hears_was_lost_with_its_connection() {
        let status: Boxed<'static, _> = Box::pin(async { Err(FilesError::Broken("is gone".to_owned())) });
        let (output, errors) = (Box::new(tokio::io::empty()), Box::new(tokio::io::empty()));
        let mut running = Running { input: Box::new(tokio::io::sink()), output, errors, status };
        assert!(running.ended("read", b"/x").await.unwrap_err().is_broken());
    }

    #[test]
    fn nothing_that_a_program_complains_of_is_invisible() {
        let said = "no\u{1b} room\n\u{202e}left\u{e0041}".as_bytes();
        let error = judge(Some(1), said, "read", b"/x").unwrap_err().to_string();
        assert!(error.ends_with(": \\u{202e}left\\u{e0041}"), "{error}");
    }
}

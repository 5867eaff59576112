//! The operations on files by programs of a POSIX shell: where there is no file service, and where another account is needed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Mutex;

use super::like::{self, LIKE, Lost};
use super::program::{Programs, Running, Script};
use super::stream::Start;
use super::wire::{Attrs, Name};
use super::{Code, FilesError, name};
use crate::limits::FOLDER_ENTRIES_MAX;

/// Files by programs.
#[derive(Debug, Clone)]
pub struct Shell {
    /// What starts them.
    pub programs: Arc<dyn Programs>,
    /// One at a time: a server allows few at once.
    turn: Arc<Mutex<()>>,
}

/// Prints the attributes of `"$@"`, a line each: by GNU or busybox `stat`, by that of BSD, by `ls`. `$l` is -L where links are followed.
const STAT: &str = r#"
st() {
  if stat -c %f / >/dev/null 2>&1; then stat $l -c 'g %f %s %u %g %Y' -- "$@"
  elif stat -f %p / >/dev/null 2>&1; then stat $l -f 'b %p %z %u %g %m' -- "$@"
  else for f in "$@"; do ls -lnd $l -- "$f" | head -n 1; done; fi
}
"#;

impl Shell {
    /// By these programs.
    #[must_use]
    pub fn new(programs: Arc<dyn Programs>) -> Self {
        Self { programs, turn: Arc::default() }
    }

    async fn run(&self, variables: &[(&str, &[u8])], text: &str, act: &'static str, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        let _turn = self.turn.lock().await;
        let path = dashless(path);
        let mut all: Vec<(&str, &[u8])> = vec![("p", &path)];
        all.extend_from_slice(variables);
        Script::new(&all, text).run(self.programs.as_ref(), &[], act, &path).await
    }

    async fn attrs(&self, path: &[u8], links: &str) -> Result<Attrs, FilesError> {
        let said = self.run(&[("l", links.as_bytes())], &format!("{STAT}st \"$p\""), "look at", path).await?;
        attrs(&said).ok_or_else(|| strange("look at", path))
    }

    /// Attributes, of a link itself.
    ///
    /// # Errors
    ///
    /// What the programs say; so for all that follow.
    pub async fn lstat(&self, path: &[u8]) -> Result<Attrs, FilesError> {
        self.attrs(path, "").await
    }

    /// Attributes, of what a link leads to.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn stat(&self, path: &[u8]) -> Result<Attrs, FilesError> {
        self.attrs(path, "-L").await
    }

    /// The entries of a folder.
    ///
    /// # Errors
    ///
    /// What the programs say, or names that are none.
    pub async fn list(&self, path: &[u8]) -> Result<Vec<Name>, FilesError> {
        let text = format!(
            r#"{STAT}l=
cd -- "$p" || exit 1
[ -r . ] || {{ echo 'Permission denied' >&2; exit 1; }}
for n in 1 2 3; do
  set --
  for g in './*' './.[!.]*' './..?*'; do
    set -- $g "$@"
    [ -e "$1" ] || [ -L "$1" ] || shift
  done
  [ $# -eq 0 ] && exit 0
  # What goes meanwhile is not missed.
  a=$(st "$@" 2>/dev/null) && {{ printf '%s\0' "$@"; printf '\0%s\n' "$a"; exit; }}
done
why=$(st "$@" 2>&1 >/dev/null)
case $why in
  ''|*'No such file'*) echo 'its entries changed while they were read; try again' >&2 ;;
  *) printf '%s\n' "$why" >&2 ;;
esac
exit 1
"#
        );
        let said = self.run(&[], &text, "list", path).await?;
        let said = Bytes::from(said);
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let end = said.windows(2).position(|pair| pair == b"\0\0").ok_or_else(|| strange("list", path))?;
        let (names, lines) = (said.slice(..end), said.slice(end + 2..));
        let names: Vec<&[u8]> = names.split(|byte| *byte == 0).collect();
        let lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        if names.len() != lines.len() || names.len() > FOLDER_ENTRIES_MAX {
            return Err(FilesError::remote("list", path, Code::Failure, "its entries changed while they were read; try again"));
        }
        let entry = |(name, line): (&&[u8], &&[u8])| {
            let name = name.strip_prefix(b"./".as_slice()).filter(|name| name::is_single(name))?;
            Some(Name { name: said.slice_ref(name), long: Bytes::new(), attrs: attrs(line)? })
        };
        names.iter().zip(&lines).map(|pair| entry(pair).ok_or_else(|| strange("list", path))).collect()
    }

    /// Where a link leads.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn read_link(&self, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        // The stop keeps a line break that the name ends with.
        self.one(path, "t=$(readlink \"$p\" && echo .) || exit 1; printf %s \"${t%??}\"", "read the link").await
    }

    /// The whole path, links resolved.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn whole_path(&self, path: &[u8]) -> Result<Vec<u8>, FilesError> {
        let text = "t=$(readlink -f \"$p\" && echo .) || { [ -d \"$p\" ] && cd -P -- \"$p\" && t=$(pwd && echo .); } || exit 1; printf %s \"${t%??}\"";
        self.one(path, text, "find").await
    }

    async fn one(&self, path: &[u8], text: &str, act: &'static str) -> Result<Vec<u8>, FilesError> {
        let said = self.run(&[], text, act, path).await?;
        if said.is_empty() { Err(strange(act, path)) } else { Ok(said) }
    }

    /// Makes a folder.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn make_folder(&self, path: &[u8], mode: u32) -> Result<(), FilesError> {
        let mode = format!("{:o}", mode & 0o7777);
        self.run(&[("m", mode.as_bytes())], "mkdir -m \"$m\" \"$p\"", "make the folder", path).await.map(drop)
    }

    /// Removes a file or link.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn remove(&self, path: &[u8]) -> Result<(), FilesError> {
        self.run(&[], "rm -f \"$p\"", "delete", path).await.map(drop)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn remove_folder(&self, path: &[u8]) -> Result<(), FilesError> {
        self.run(&[], "rmdir \"$p\"", "delete the folder", path).await.map(drop)
    }

    /// Gives a file a name that another one may have, in one step.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), FilesError> {
        let from = dashless(from);
        // `mv` would move it into a folder of that name.
        self.run(&[("f", &from)], "[ -d \"$p\" ] && { echo 'a folder is in the way' >&2; exit 1; }; mv -f \"$f\" \"$p\"", "rename to", to)
            .await
            .map(drop)
    }

    /// Makes a link.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn make_link(&self, path: &[u8], to: &[u8]) -> Result<(), FilesError> {
        self.run(&[("t", to)], "ln -s -- \"$t\" \"$p\"", "make the link", path).await.map(drop)
    }

    /// Sets attributes; links are followed.
    ///
    /// # Errors
    ///
    /// What the programs say.
    pub async fn set(&self, path: &[u8], attrs: &Attrs) -> Result<(), FilesError> {
        // The owner first: a change of it takes bits of the mode away.
        let mut text = String::new();
        if let Some((user, group)) = attrs.owner {
            let _ = writeln!(text, "chown {user}:{group} \"$p\" || exit 1");
        }
        if let Some(mode) = attrs.mode {
            let _ = writeln!(text, "chmod {:o} \"$p\" || exit 1", mode & 0o7777);
        }
        if let Some((_, written)) = attrs.times {
            let _ = writeln!(text, "touch -d @{written} \"$p\" 2>/dev/null || touch -t \"$(date -r {written} +%Y%m%d%H%M.%S)\" \"$p\"");
        }
        self.run(&[], &text, "set mode, owner or time of", path).await.map(drop)
    }

    /// Has the bytes of a file reach the disk, where a program can.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub async fn sync(&self, path: &[u8]) -> Result<(), FilesError> {
        self.run(&[], "sync \"$p\" 2>/dev/null; :", "write", path).await.map(drop)
    }

    /// Starts reading a file.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub async fn source(&self, path: &[u8], offset: u64) -> Result<Running, FilesError> {
        let path = dashless(path);
        let text = if offset == 0 { "exec cat < \"$p\"".to_owned() } else { format!("exec tail -c +{} < \"$p\"", offset + 1) };
        Script::new(&[("p", &path)], &text).start(self.programs.as_ref()).await
    }

    /// Starts writing a file.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub async fn sink(&self, path: &[u8], start: Start, mode: u32) -> Result<Running, FilesError> {
        let path = dashless(path);
        let mask = format!("umask {:o}; ", !mode & 0o777);
        let text = match start {
            Start::New => "set -C; cat > \"$p\"".to_owned(),
            Start::Fresh => "cat > \"$p\"".to_owned(),
            Start::At(offset) => format!("[ \"$(wc -c < \"$p\")\" -eq {offset} ] && cat >> \"$p\""),
        };
        Script::new(&[("p", &path)], &(mask + &text)).start(self.programs.as_ref()).await
    }
}

impl Shell {
    /// Starts writing a file that must not be there, with what another one has beyond its mode; also what of that could not be had.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or the program cannot be started.
    pub async fn sink_like(&self, path: &[u8], other: &[u8]) -> Result<(Running, Lost), FilesError> {
        let (path, other) = (dashless(path), dashless(other));
        let text = format!("set -C\nexec 3> \"$p\" || exit 1\n{LIKE}exec cat >&3");
        let mut running = Script::new(&[("p", &path), ("o", &other)], &text).start(self.programs.as_ref()).await?;
        let lost = like::told(&mut running, &path).await?;
        Ok((running, lost))
    }
}

/// No program takes it for an option.
fn dashless(path: &[u8]) -> Vec<u8> {
    if path.starts_with(b"-") { [b"./", path].concat() } else { path.to_vec() }
}

fn strange(act: &'static str, path: &[u8]) -> FilesError {
    FilesError::remote(act, path, Code::Unsupported, "its programs answer in a way that is not known")
}

/// The attributes in a line of `stat` or `ls -ln`.
fn attrs(line: &[u8]) -> Option<Attrs> {
    let text = std::str::from_utf8(line).ok()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u32>().ok());
    let size = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    match words.first()? {
        &"g" | &"b" => {
            let base = if words.first() == Some(&"g") { 16 } else { 8 };
            let mode = u32::from_str_radix(words.get(1)?, base).ok()?;
            Some(Attrs {
                size: Some(size(2)?),
                owner: Some((number(3)?, number(4)?)),
                mode: Some(mode),
                times: number(5).map(|at| (at, at)),
            })
        }
        letters if letters.len() >= 10 => {
            Some(Attrs { size: size(4), owner: Some((number(2)?, number(3)?)), mode: Some(mode_of(letters)?), times: None })
        }
        _ => None,
    }
}

/// The mode in the first word of `ls -l`.
fn mode_of(letters: &str) -> Option<u32> {
    let kinds = BTreeMap::from([(b'-', 0o100_000), (b'd', 0o040_000), (b'l', 0o120_000)]);
    let mut letters = letters.bytes();
    let kind = kinds.get(&letters.next()?).copied().unwrap_or(0);
    Some(letters.take(9).enumerate().fold(kind, |mode, (at, letter)| {
        let bit = 0o400 >> at;
        let special = if matches!(letter, b's' | b'S' | b't' | b'T') { 0o4000 >> (at / 3) } else { 0 };
        mode | special | if matches!(letter, b'-' | b'S' | b'T') { 0 } else { bit }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_every_stat_are_read() {
        let all = |size, mode, at: Option<u32>| {
            Some(Attrs { size: Some(size), owner: Some((1, 2)), mode: Some(mode), times: at.map(|at| (at, at)) })
        };
        assert_eq!(attrs(b"g 81a4 17 1 2 99\n"), all(17, 0o100_644, Some(99)));
        assert_eq!(attrs(b"b 100644 17 1 2 99"), all(17, 0o100_644, Some(99)));
        assert_eq!(attrs(b"-rwsr-xr-t 1 1 2 17 Jan 1 2026 name"), all(17, 0o105_755, None));
        assert_eq!(attrs(b"drwxr-x--- 1 1 2 17 Jan 1 2026 name"), all(17, 0o040_750, None));
        assert_eq!((attrs(b"nonsense"), attrs(b"")), (None, None));
    }
}

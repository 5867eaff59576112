//! One file by the copy protocol of `rcp`, which `scp -f` and `scp -t` speak over a channel: for devices that have nothing else.
//!
//! A side says a line (`C0644 1234 name`), the other answers with a zero byte, the bytes follow with a zero byte behind them, and that is
//! answered too. In the place of a zero stands 1 or 2 and a line that says what is wrong.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::program::{Running, judge};
use super::{Code, FilesError};
use crate::limits::{SCP_LINE_MAX_BYTES, SCP_QUIET_MAX, SFTP_GATHER_BYTES};

/// What is said where all is well.
const FINE: u8 = 0;

/// A conversation about one file.
#[derive(Debug)]
struct Talk {
    running: Running,
    act: &'static str,
    path: Vec<u8>,
}

/// A file that comes.
#[derive(Debug)]
pub struct Coming {
    talk: Talk,
    /// Its bytes.
    pub size: u64,
    /// Its permissions.
    pub mode: u32,
    left: u64,
}

/// A file that goes.
#[derive(Debug)]
pub struct Going {
    talk: Talk,
    left: u64,
}

impl Talk {
    fn strange(&self, what: &str) -> FilesError {
        FilesError::remote(self.act, &self.path, Code::Failure, format!("it does not speak the copy protocol: {what}"))
    }

    fn late(&self) -> FilesError {
        let what = format!("it was silent for {} s", SCP_QUIET_MAX.as_secs());
        FilesError::remote(self.act, &self.path, Code::Failure, what)
    }

    /// Its output has ended: what its program says of that.
    async fn ended(&mut self) -> FilesError {
        match timeout(SCP_QUIET_MAX, self.running.ended(self.act, &self.path)).await {
            Ok(Ok(())) => FilesError::remote(self.act, &self.path, Code::Failure, "it ended in the middle"),
            Ok(Err(error)) => error,
            Err(_) => self.late(),
        }
    }

    async fn byte(&mut self) -> Result<u8, FilesError> {
        match timeout(SCP_QUIET_MAX, self.running.output.read_u8()).await {
            Ok(Ok(byte)) => Ok(byte),
            Ok(Err(_)) => Err(self.ended().await),
            Err(_) => Err(self.late()),
        }
    }

    async fn line(&mut self) -> Result<Vec<u8>, FilesError> {
        let mut line = Vec::new();
        loop {
            match self.byte().await? {
                b'\n' => return Ok(line),
                byte if line.len() < SCP_LINE_MAX_BYTES => line.push(byte),
                _ => return Err(self.strange("a line has no end")),
            }
        }
    }

    /// What is wrong, where the line that follows says it.
    async fn wrong(&mut self) -> FilesError {
        match self.line().await {
            Ok(line) => judge(Some(1), &line, self.act, &self.path).err().unwrap_or_else(|| self.strange("an error without words")),
            Err(error) => error,
        }
    }

    async fn answer(&mut self) -> Result<(), FilesError> {
        match self.byte().await? {
            FINE => Ok(()),
            1 | 2 => Err(self.wrong().await),
            other => Err(self.strange(&format!("{other} in the place of an answer"))),
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let said = async {
            self.running.input.write_all(bytes).await?;
            self.running.input.flush().await
        };
        match timeout(SCP_QUIET_MAX, said).await {
            Ok(Ok(())) => Ok(()),
            // Why it takes no more stands in what it says.
            Ok(Err(_)) => Err(self.ended().await),
            Err(_) => Err(self.late()),
        }
    }
}

impl Coming {
    /// Asks for the file of a program that was started as `scp -f`.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn begin(running: Running, path: &[u8]) -> Result<Self, FilesError> {
        let mut talk = Talk { running, act: "read", path: path.to_vec() };
        talk.say(&[FINE]).await?;
        loop {
            match talk.byte().await? {
                b'C' => {
                    let line = talk.line().await?;
                    let (mode, size) = heading(&line).ok_or_else(|| talk.strange("a heading that is none"))?;
                    talk.say(&[FINE]).await?;
                    return Ok(Self { talk, size, mode, left: size });
                }
                // Times, which nobody asked for.
                b'T' => {
                    talk.line().await?;
                    talk.say(&[FINE]).await?;
                }
                b'D' => return Err(FilesError::remote("read", path, Code::Failure, "it is a folder, and only files are copied")),
                1 | 2 => return Err(talk.wrong().await),
                other => return Err(talk.strange(&format!("{other} in the place of a heading"))),
            }
        }
    }

    /// The next bytes; none once all are here and the device has said that they are good.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn next(&mut self) -> Result<Option<Bytes>, FilesError> {
        if self.left == 0 {
            self.talk.answer().await?;
            self.talk.say(&[FINE]).await?;
            let _ = self.talk.running.end_input().await;
            return Ok(None);
        }
        let mut bytes = vec![0; SFTP_GATHER_BYTES.min(usize::try_from(self.left).unwrap_or(usize::MAX))];
        let got = match timeout(SCP_QUIET_MAX, self.talk.running.output.read(&mut bytes)).await {
            Ok(Ok(got)) if got > 0 => got,
            Ok(_) => return Err(self.talk.ended().await),
            Err(_) => return Err(self.talk.late()),
        };
        bytes.truncate(got);
        self.left = self.left.saturating_sub(u64::try_from(got).unwrap_or(u64::MAX));
        Ok(Some(Bytes::from(bytes)))
    }
}

impl Going {
    /// Offers a file of this name and size to a program that was started as `scp -t`.
    ///
    /// # Errors
    ///
    /// What the device says.
    pub async fn begin(running: Running, path: &[u8], size: u64, mode: u32) -> Result<Self, FilesError> {
        let mut talk = Talk { running, act: "write", path: path.to_vec() };
        talk.answer().await?;
        let name = Some(name_of(path)).filter(|name| !name.is_empty()).unwrap_or(b"file");
        let heading = [format!("C{:04o} {size} ", mode & 0o777).as_bytes(), name, b"\n"].concat();
        talk.say(&heading).await?;
        talk.answer().await?;
        Ok(Self { talk, left: size })
    }

    /// The next bytes of it.
    ///
    /// # Errors
    ///
    /// What the device says; or when these are more than were offered.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let left = self.left.checked_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.left = left.ok_or_else(|| FilesError::Refused("the file grows while it is copied; call again".to_owned()))?;
        self.talk.say(bytes).await
    }

    /// That was all of it. The device has it when this returns.
    ///
    /// # Errors
    ///
    /// What the device says; or when it is less than was offered.
    pub async fn finish(mut self) -> Result<(), FilesError> {
        if self.left > 0 {
            return Err(FilesError::Refused("the file became shorter while it was copied; call again".to_owned()));
        }
        self.talk.say(&[FINE]).await?;
        self.talk.answer().await?;
        let _ = self.talk.running.end_input().await;
        Ok(())
    }
}

/// The name that a path on a device ends with: a folder's follows `/`, a file system's `:`.
#[must_use]
pub fn name_of(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| matches!(byte, b'/' | b':')).next().unwrap_or_default()
}

/// Permissions and size of `0644 1234 name`.
fn heading(line: &[u8]) -> Option<(u32, u64)> {
    let mut words = str::from_utf8(line).ok()?.splitn(3, ' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let size = words.next()?.parse().ok()?;
    words.next().filter(|name| !name.is_empty())?;
    Some((mode & 0o777, size))
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::io::{AsyncWriteExt as _, duplex};

    use super::*;

    /// A program that says this and ends with this status; also what it was told.
    fn saying(said: &[u8], status: i32, complaint: &str) -> (Running, tokio::io::DuplexStream) {
        let (input, told) = duplex(1 << 16);
        let (mut say, output) = duplex(1 << 16);
        let (mut complain, errors) = duplex(1 << 16);
        let (said, complaint) = (said.to_vec(), complaint.as_bytes().to_vec());
        tokio::spawn(async move {
            // In pieces of one byte: how it comes must not matter.
            for byte in said {
                say.write_all(&[byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
            complain.write_all(&complaint).await.unwrap();
        });
        let status = Box::pin(ready(Ok::<_, FilesError>(Some(status))));
        (Running { input: Box::new(input), output: Box::new(output), errors: Box::new(errors), status }, told)
    }

    async fn fetched(said: &[u8], status: i32, complaint: &str) -> Result<Vec<u8>, String> {
        let (running, _told) = saying(said, status, complaint);
        let mut coming = Coming::begin(running, b"flash:/x.bin").await.map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(bytes) = coming.next().await.map_err(|error| error.to_string())? {
            all.extend_from_slice(&bytes);
        }
        assert_eq!(coming.size, all.len() as u64);
        Ok(all)
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_comes_whole_or_not_at_all() {
        assert_eq!(fetched(b"C0644 5 x.bin\nhello\0", 0, "").await.unwrap(), b"hello");
        assert_eq!(fetched(b"T1 0 2 0\nC0600 0 a b\n\0", 0, "").await.unwrap(), b"");
        for (said, status, complaint, why) in [
            (&b"\x01scp: /x.bin: No such file or directory\n"[..], 1, "", "there is no such file"),
            (b"\x02%Error opening flash:/x.bin (Permission denied)\n", 1, "", "the account may not"),
            (b"C0644 5 x.bin\nhello\x01read error\n", 1, "", "read error"),
            (b"C0644 5 x.bin\nhel", 1, "disk gone\n", "disk gone"),
            (b"C0644 5 x.bin\nhel", 0, "", "it ended in the middle"),
            (b"D0755 0 d\n", 0, "", "it is a folder"),
            (b"% Invalid input\n", 0, "", "37 in the place of a heading"),
            (b"C0644 -5 x\n", 0, "", "a heading that is none"),
            (b"C0644 5\n", 0, "", "a heading that is none"),
            (b"", 127, "scp: not found\n", "not found"),
        ] {
            let told = fetched(said, status, complaint).await.unwrap_err();
            assert!(told.contains(why) && told.contains("flash:/x.bin"), "{told}");
        }
        let endless = [b"C0644 ".as_slice(), &[b'1'; SCP_LINE_MAX_BYTES + 1]].concat();
        assert!(fetched(&endless, 0, "").await.unwrap_err().contains("a line has no end"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_goes_with_its_name_and_size() {
        let (running, mut told) = saying(b"\0\0\0", 0, "");
        let mut going = Going::begin(running, b"flash:/d/x.bin", 5, 0o100_644).await.unwrap();
        going.write(b"he").await.unwrap();
        assert!(going.write(b"llo!").await.unwrap_err().to_string().contains("grows"));
        let (running, mut told_again) = saying(b"\0\0\0", 0, "");
        let mut going = Going::begin(running, b"flash:x.bin", 5, 0o644).await.unwrap();
        going.write(b"hello").await.unwrap();
        going.finish().await.unwrap();
        let mut said = Vec::new();
        told_again.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"C0644 5 x.bin\nhello\0");
        let mut first = [0; 14];
        told.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"C0644 5 x.bin\n");
        let (running, _told) = saying(b"\0\x01No space left on device\n", 1, "");
        let why = Going::begin(running, b"flash:x.bin", 5, 0o644).await.unwrap_err().to_string();
        assert!(why.contains("No space left on device"), "{why}");
        let (running, _told) = saying(b"\0\0", 0, "");
        let going = Going::begin(running, b"flash:x.bin", 5, 0o644).await.unwrap();
        assert!(going.finish().await.unwrap_err().to_string().contains("shorter"));
    }
}

//! What a process has used so far.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Processor time of a process so far (proc(5), fields 14 and 15 of `stat`, in ticks of 10 ms).
pub fn processor_time(process: u32) -> Duration {
    ticks(process, [14, 15])
}

/// Processor time of this process's children that have ended (fields 16 and 17).
pub fn children_processor_time() -> Duration {
    ticks(std::process::id(), [16, 17])
}

fn ticks(process: u32, fields: [usize; 2]) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name in brackets may hold spaces; the third field stands behind it.
    let behind: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    Duration::from_millis(fields.iter().map(|field| behind[field - 3].parse::<u64>().unwrap() * 10).sum())
}

/// The memory that a process has now, and the most that it had since [`forget_memory`], in bytes.
pub fn memory(process: u32) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    (field("VmRSS:"), field("VmHWM:"))
}

/// Starts the record of a process's memory anew (proc(5), `clear_refs`).
pub fn forget_memory(process: u32) {
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
}

/// The children of a process.
pub fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    let listed = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    listed.flat_map(|list| list.split_whitespace().map(|number| number.parse().unwrap()).collect::<Vec<u32>>()).collect()
}

/// A process that ends with its value.
pub struct Running(pub Child);

impl Running {
    /// Starts it, with nothing to read and nowhere to write.
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Has it ended?
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processes with these words in their command line.
pub fn with_words(words: &str) -> String {
    let found = Command::new("pgrep").args(["-af", words]).output().unwrap();
    String::from_utf8_lossy(&found.stdout).into_owned()
}

/// Waits until no process has these words in its command line: one that was told as ended may still be leaving.
pub fn until_gone(words: &str) {
    until(&format!("`{words}` is gone"), || with_words(words).is_empty());
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a test has no runtime to block")]
pub fn pause(length: Duration) {
    std::thread::sleep(length);
}

/// Waits until something is so. Who waits in vain has time: the machine may be slow and busy.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        pause(Duration::from_millis(50));
    }
}

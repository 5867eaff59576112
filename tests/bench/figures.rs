//! Samples, what they say, and how it is printed.

use std::fs;
use std::time::{Duration, Instant};

/// Durations of one thing.
#[derive(Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds a measured duration.
    pub fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// Measures once.
    pub fn take<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.0.push(start.elapsed());
        done
    }

    /// The duration that so many percent do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted[(sorted.len() - 1) * percent / 100]
    }
}

/// Prints a heading.
pub fn heading(text: &str) {
    println!("\n{text}");
}

/// Prints one line.
pub fn show(name: &str, samples: &Samples) {
    let [low, middle, high] = [0, 50, 95].map(|percent| milliseconds(samples.percentile(percent)));
    println!("  {name:<44} min {low:>8}  median {middle:>8}  p95 {high:>8}  n {}", samples.0.len());
}

/// Prints the limit's line and ours with the ratios of median and 95th percentile.
pub fn compare(limit: (&str, &Samples), ours: (&str, &Samples), aim: &str) {
    show(limit.0, limit.1);
    show(ours.0, ours.1);
    let [middle, high] = [50, 95].map(|percent| ratio(ours.1.percentile(percent), limit.1.percentile(percent)));
    println!("  ratio: median {middle:.2}, p95 {high:.2}   (aim: {aim})");
}

/// How many times longer.
pub fn ratio(ours: Duration, limit: Duration) -> f64 {
    ours.as_secs_f64() / limit.as_secs_f64()
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1e3)
}

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

/// The most memory that a process ever had resident, in MiB.
pub fn peak_memory(process: u32) -> f64 {
    memory(process, "VmHWM:")
}

/// The memory that a process has resident now, in MiB.
pub fn resident_memory(process: u32) -> f64 {
    memory(process, "VmRSS:")
}

fn memory(process: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

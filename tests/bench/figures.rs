//! Samples, what they say, and how it is printed.

use std::fs;
use std::time::{Duration, Instant};

pub use crate::support::process::{children_processor_time, processor_time};

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

/// How long all threads of a process have run so far, to the nanosecond.
pub fn time_on_processors(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
    let run = |thread: fs::DirEntry| fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
    let nanoseconds = threads.map(run).filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum();
    Duration::from_nanos(nanoseconds)
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

//! What a verdict costs: `classify` and `decide` in the real engine, by the length of the line.

use std::time::{Duration, Instant};

use jackfield::config::{Config, PolicyMode};
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::session::SessionPlugins;
use jackfield::policy::{self, Line, Manner, Purpose};

use crate::figures::{Samples, heading};

const EVERYDAY: &str = include_str!("../../plugins/guard/corpus/everyday.txt");
const EVASIONS: &str = include_str!("../../plugins/guard/corpus/evasions.txt");
/// Every line of the tables is asked about so often.
const ROUNDS: usize = 20;
/// Lengths of lines in bytes, and how often each is asked about.
const LENGTHS: [usize; 6] = [1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];
const CALLS: usize = 30;

/// Pieces that long lines are made of: device type, mode, what they are.
const PIECES: [(&str, &str, &str, &str); 7] = [
    ("linux", "shell", "reads in a row", "ls -l /var/log | grep -i 'a b' | head -n 20; "),
    ("linux", "shell", "changes in a row", "cp \"$a\" /srv/$(date +%F).bak && mv x y; "),
    ("linux", "shell", "a document", "some text with $x and \"quotes\" on many lines\n"),
    ("linux", "shell", "one argument", "abcdefgh"),
    ("cisco_ios", "config", "configuration", "interface Gi1/0/1\n description to core\n no shutdown\n"),
    ("mikrotik_routeros", "root_menu", "a script", ":foreach i in=[/ip address find] do={:put [/ip address get $i address]}\n"),
    ("juniper_junos", "config", "configuration", "set interfaces ge-0/0/0 unit 0 family inet address 192.0.2.1/24\n"),
];

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let catalog = jackfield::startup::catalog(&Config::default()).unwrap();
    let load = async |name: &str| {
        let plugins = catalog.plugins_of(name).unwrap();
        SessionPlugins::new(DeviceType::load(name, &plugins, &catalog).await.unwrap().into())
    };
    heading(
        "a verdict on a line: what kind it is, and whether it may be typed   (aim up to 4 KiB: median less than 20 µs, p99 less than 200)",
    );
    runtime.block_on(async {
        for (kind, mode) in
            [("linux", "shell"), ("cisco_ios", "privileged"), ("mikrotik_routeros", "root_menu"), ("juniper_junos", "operational")]
        {
            let plugins = load(kind).await;
            for (name, table, word) in [("everyday reads", EVERYDAY, 0), ("evasions", EVASIONS, 2)] {
                let lines = lines(table, kind, mode, word);
                let mut samples = Samples::default();
                for line in lines.iter().cycle().take(lines.len() * ROUNDS) {
                    samples.add(judged(&plugins, mode, line).await);
                }
                let [middle, high] = [50, 99].map(|percent| micros(samples.percentile(percent)));
                println!("  {kind:<18} {name:<16} median {middle:>7.1} µs  p99 {high:>7.1}   of {} lines", lines.len());
            }
        }
    });
    heading("the same by length, in ns for each byte: what is linear stays the same");
    runtime.block_on(async {
        for (kind, mode, name, piece) in PIECES {
            let plugins = load(kind).await;
            print!("  {kind:<18} {name:<18}");
            for length in LENGTHS {
                let line = long(name, piece, length);
                let mut samples = Samples::default();
                for _ in 0..CALLS {
                    samples.add(judged(&plugins, mode, &line).await);
                }
                let middle = samples.percentile(50);
                print!(" {:>3} KiB {:>6.1} ({:>6.0} µs)", length >> 10, middle.as_secs_f64() * 1e9 / length as f64, micros(middle));
            }
            println!();
        }
    });
}

fn long(name: &str, piece: &str, length: usize) -> String {
    let (before, behind) = match name {
        "a document" => ("cat <<'E'\n", "E"),
        "one argument" => ("echo ", ""),
        _ => ("", ""),
    };
    let body = piece.repeat((length - before.len() - behind.len()) / piece.len());
    format!("{before}{body}{behind}")
}

/// The lines of a table for this place, behind so many words.
fn lines(table: &str, kind: &str, mode: &str, skipped: usize) -> Vec<String> {
    let place = format!("@ {kind} {mode}");
    let mut is_here = false;
    let mut found = Vec::new();
    for text in table.lines().filter(|text| !text.is_empty() && !text.starts_with('#')) {
        if text.starts_with("@ ") {
            is_here = text == place;
        } else if is_here {
            found.extend(text.splitn(skipped + 1, ' ').nth(skipped).map(|line| line.replace('⏎', "\n")));
        }
    }
    found
}

async fn judged(plugins: &SessionPlugins, mode: &str, text: &str) -> Duration {
    let line = Line {
        device: "d",
        tags: &[],
        mode,
        privileged: false,
        cwd: None,
        manner: Manner::Typed,
        text,
        unknown: false,
        purpose: Purpose::Run,
        caller: "bench",
    };
    let start = Instant::now();
    std::hint::black_box(policy::judge(plugins, &line, PolicyMode::Safe).await);
    start.elapsed()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

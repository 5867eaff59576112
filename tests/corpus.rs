//! Outputs of real devices, captured by others, streamed through whole sessions: a command ends exactly where the device's own
//! prompt stands, wherever the output is cut, whatever in it looks like a prompt, a marker or a question, and with silence there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jackfield::plugin::device_type::DeviceType;
use jackfield::recording::{Entry, Recording};
use jackfield::replay;
use jackfield::session::command::State;
use jackfield::terminal::text::escaped;
use jackfield::transport::replay::{Answer, Cut, open_answered};
use tokio::runtime::{Builder, Runtime};

use crate::support::apt::{said, tried};
use crate::support::catalog::{catalog, load};
use crate::support::packages::python;

/// The packages that hold the captures. The first is the simulator, whose answers are captures, too.
pub const PACKAGES: [&str; 3] = ["fakenos==1.2.1", "pyyaml", "setuptools<81"];

/// The captures' name of a platform, the device type, the prompt of the session, a pager's marker and what wipes it.
///
/// The names in the prompts stand in no capture: where they would, not even a person could tell the prompt from the output.
const PLATFORMS: [(&str, &str, &str, Option<Pages>); 33] = [
    ("cisco_ios", "cisco_ios", "core-sw-77#", Some(IOS)),
    ("cisco_nxos", "cisco_nxos", "core-nx-77# ", Some(Pages { marker: "--More--", wipe: "\r        \r", key: " " })),
    ("cisco_xr", "cisco_xr", "RP/0/RP0/CPU0:core-xr-77#", Some(Pages { marker: " --More-- ", wipe: "\r          \r", key: " " })),
    ("cisco_asa", "cisco_asa", "fw-77/pri/act# ", Some(Pages { marker: "<--- More --->", wipe: "\r              \r", key: " " })),
    ("arista_eos", "arista_eos", "leaf-77#", Some(Pages { marker: " --More-- ", wipe: "\r\x1b[K", key: " " })),
    ("juniper_junos", "juniper_junos", "netops@mx-77> ", Some(Pages { marker: "---(more 45%)---", wipe: "\r\x1b[K", key: " " })),
    ("mikrotik_routeros", "mikrotik_routeros", "[admin@rb-77] > ", None),
    ("huawei_vrp", "huawei_vrp", "<ce-77>", Some(Pages { marker: "  ---- More ----", wipe: "\x1b[16D                \x1b[16D", key: " " })),
    ("hp_comware", "hp_comware", "<hpe-77>", Some(Pages { marker: "---- More ----", wipe: "\r              \r", key: " " })),
    (
        "hp_procurve",
        "hp_procurve",
        "pc-77# ",
        Some(Pages { marker: "-- MORE --, next page: Space, next line: Enter, quit: Control-C", wipe: "\r\x1b[K", key: " " }),
    ),
    (
        "alcatel_sros",
        "nokia_sros",
        "A:sr-77# ",
        Some(Pages { marker: "Press any key to continue (Q to quit)", wipe: "\r                                     \r", key: " " }),
    ),
    ("fortinet", "fortinet", "fgt-77 # ", Some(Pages { marker: "--More-- ", wipe: "\r         \r", key: " " })),
    ("fortinet_fortios", "fortinet", "fgt-77 # ", None),
    ("paloalto_panos", "paloalto_panos", "admin@pa-77> ", Some(Pages { marker: "lines 1-23", wipe: "\r\x1b[K", key: " " })),
    ("vyatta_vyos", "vyos", "vyos@edge-77:~$ ", None),
    ("ubiquiti_edgerouter", "vyos", "ubnt@edge-77:~$ ", None),
    (
        "extreme_exos",
        "extreme_exos",
        "X460-77.1 # ",
        Some(Pages { marker: "Press <SPACE> to continue or <Q> to quit:", wipe: "\r\x1b[K", key: " " }),
    ),
    (
        "ubiquiti_edgeswitch",
        "ubiquiti_edgeswitch",
        "(edge-77) #",
        Some(Pages { marker: "--More-- or (q)uit", wipe: "\r                  \r", key: " " }),
    ),
    ("broadcom_icos", "ubiquiti_edgeswitch", "(edge-77) #", None),
    ("cisco_wlc_ssh", "cisco_wlc", "(wlc-77) >", Some(Pages { marker: "--More-- or (q)uit", wipe: "\r                  \r", key: " " })),
    ("checkpoint_gaia", "checkpoint_gaia", "gw-77> ", Some(Pages { marker: "-- More --", wipe: "\r          \r", key: " " })),
    // Relatives that an operator would drive with the type of IOS.
    ("allied_telesis_awplus", "cisco_ios", "awp-77#", None),
    ("aruba_os", "cisco_ios", "aos-77#", None),
    ("avaya_ers", "cisco_ios", "ers-77#", None),
    ("brocade_fastiron", "cisco_ios", "icx-77#", None),
    ("brocade_netiron", "cisco_ios", "mlx-77#", None),
    ("cisco_s300", "cisco_ios", "sg-77#", None),
    ("dell_force10", "cisco_ios", "ftos-77#", None),
    ("dell_powerconnect", "cisco_ios", "pct-77#", None),
    ("eltex", "cisco_ios", "mes-77#", None),
    ("ruckus_fastiron", "cisco_ios", "icx-77#", None),
    ("zyxel_os", "cisco_ios", "zyx-77#", None),
    ("huawei_smartax", "huawei_vrp", "<olt-77>", None),
];

const IOS: Pages =
    Pages { marker: " --More-- ", wipe: "\x08\x08\x08\x08\x08\x08\x08\x08\x08        \x08\x08\x08\x08\x08\x08\x08\x08\x08", key: " " };

/// How a device pages.
#[derive(Debug, Clone, Copy)]
struct Pages {
    marker: &'static str,
    wipe: &'static str,
    key: &'static str,
}

/// Rows of a page.
const PAGE_ROWS: usize = 23;
/// Silence at a place that looks like the end: shorter than what a row must stay that does not carry the learned name.
const SILENCE: Duration = Duration::from_millis(600);
/// The longest pause between two pieces. Shorter than any silence that means something.
const PAUSE_MAX_MS: u64 = 15;

/// How a capture is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// In pieces of any size, with short pauses.
    Cut(u64),
    /// With silence wherever a trigger fits what has come of the row.
    Silent,
    /// With a marker behind each page.
    Paged(u64),
}

#[derive(Debug)]
struct Capture {
    command: String,
    text: String,
}

/// The captures by platform, fetched once.
fn captures() -> BTreeMap<String, Vec<Capture>> {
    let python = python("captures", &PACKAGES);
    let folder = python.parent().unwrap().parent().unwrap().join("archive");
    let file = folder.join("captures.json");
    if !file.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/captures.py");
        // It downloads, too.
        let captured = tried(|| said(Command::new(&python).arg(&script).arg(&folder))).unwrap_or_else(|why| panic!("{why}"));
        // Under its name only when it is whole: who finds it takes it.
        let part = folder.join("captures.part");
        std::fs::write(&part, captured).unwrap();
        std::fs::rename(part, &file).unwrap();
    }
    let list: Vec<(String, String, String)> = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut captures: BTreeMap<String, Vec<Capture>> = BTreeMap::new();
    for (platform, command, text) in list {
        captures.entry(platform).or_default().push(Capture { command, text });
    }
    captures
}

/// The rows as the device sends them, and as a caller should get them.
fn rows(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = text.lines().map(|row| row.trim_end_matches('\r').to_owned()).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

/// Without the rows at the end that belong to the prompt, as some captures have them, and the empty row before those.
fn without_context(mut rows: Vec<String>, kind: &DeviceType) -> Vec<String> {
    let Some(context) = &kind.context else { return rows };
    let whole = rows.len();
    while rows.last().is_some_and(|row| !row.trim().is_empty() && context.is_match(row.trim())) {
        rows.pop();
    }
    if rows.len() < whole && rows.last().is_some_and(|row| row.trim().is_empty()) {
        rows.pop();
    }
    rows
}

/// What a device does with a capture in this manner.
fn entries(rows: &[String], kind: &DeviceType, manner: Manner) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut output = String::new();
    for row in rows {
        if manner == Manner::Silent {
            let mut sent = 0;
            for (at, _) in row.char_indices().skip(1).chain([(row.len(), ' ')]) {
                if row.get(at..).is_some_and(|rest| rest.starts_with(' ')) || !looks_like_an_end(kind, row.get(..at).unwrap()) {
                    continue;
                }
                output.push_str(row.get(sent..at).unwrap());
                sent = at;
                entries.extend([Entry::Output(std::mem::take(&mut output).into_bytes()), Entry::Silence(SILENCE)]);
            }
            output.push_str(row.get(sent..).unwrap());
        } else {
            output.push_str(row);
        }
        output.push_str("\r\n");
    }
    entries.push(Entry::Output(output.into_bytes()));
    entries
}

/// Does a plugin that knows the device want to be asked about the row?
fn looks_like_an_end(kind: &DeviceType, row: &str) -> bool {
    let knows = |name: &str| name != "generic-prompt" && name != "guard";
    kind.plugins.iter().any(|plugin| knows(plugin.name()) && !plugin.triggers.hits(row).is_empty())
}

/// A device that echoes, refuses the lines of the setup without a word, and answers each command with its capture.
struct Device {
    prompt: &'static str,
    pages: Option<Pages>,
    /// What is still to come, page by page.
    waiting: Vec<Vec<Entry>>,
    /// Number of a command and what it does.
    answers: Vec<Vec<Vec<Entry>>>,
}

impl Device {
    fn answer(&mut self, typed: &[u8]) -> Option<(usize, Vec<Entry>)> {
        if !self.waiting.is_empty() {
            let key = typed.first()?;
            let pages = self.pages?;
            assert!(pages.key.as_bytes() == [*key], "{:?} was typed at the marker", typed.escape_ascii().to_string());
            let mut next = vec![Entry::Output(pages.wipe.as_bytes().to_vec())];
            next.extend(self.waiting.remove(0));
            next.extend(self.end());
            return Some((1, next));
        }
        let end = typed.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
        // RouterOS wants two keys for Enter.
        let taken = if typed.get(end..end + 2) == Some(b"\r\n") { end + 2 } else { end + 1 };
        let line = String::from_utf8_lossy(typed.get(..end)?).into_owned();
        let mut answer = vec![Entry::Output(format!("{line}\r\n").into_bytes())];
        if let Some(number) = line.rsplit_once("test-").and_then(|(_, number)| number.parse::<usize>().ok()) {
            self.waiting = self.answers.get(number)?.clone();
            answer.extend(self.waiting.remove(0));
        }
        answer.extend(self.end());
        Some((taken, answer))
    }

    /// The next marker, or the prompt.
    fn end(&self) -> Option<Entry> {
        let text = if self.waiting.is_empty() { self.prompt } else { self.pages?.marker };
        Some(Entry::Output(text.as_bytes().to_vec()))
    }
}

fn cut(manner: Manner) -> Cut {
    let (Manner::Cut(seed) | Manner::Paged(seed)) = manner else { return Box::new(|length| (length, Duration::ZERO)) };
    let mut random = fastrand::Rng::with_seed(seed);
    let longest = [7, 60, 1400][usize::try_from(seed % 3).unwrap()];
    Box::new(move |length| {
        let pause = if random.u8(..8) == 0 { random.u64(..=PAUSE_MAX_MS) } else { 0 };
        (random.usize(1..=longest).min(length), Duration::from_millis(pause))
    })
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Streams all captures of a platform through one session; what came out wrong, each as a sentence.
fn wrong(kind: &Arc<DeviceType>, prompt: &'static str, pages: Option<Pages>, captures: &[Capture], manner: Manner) -> Vec<String> {
    let answers = captures.iter().map(|capture| {
        let rows = rows(&capture.text);
        let page = if matches!(manner, Manner::Paged(_)) { PAGE_ROWS } else { rows.len().max(1) };
        let pages = rows.chunks(page).map(|rows| entries(rows, kind, manner)).collect::<Vec<_>>();
        if pages.is_empty() { vec![Vec::new()] } else { pages }
    });
    let mut device = Device { prompt, pages, waiting: Vec::new(), answers: answers.collect() };
    let answer: Answer = Box::new(move |typed| device.answer(typed));
    let heading = Recording {
        device: "captured".to_owned(),
        kind: kind.name.clone(),
        user: "netops".to_owned(),
        nonce: "0123456789abcdef".to_owned(),
        size: kind.terminal.size(None, None),
        settings: Vec::new(),
        entries: Vec::new(),
    };
    runtime().block_on(async {
        let first = vec![Entry::Output(prompt.as_bytes().to_vec())];
        let session = replay::open(&heading, Arc::clone(kind), &[], open_answered(first, answer, cut(manner)));
        let mut wrong = Vec::new();
        for (number, capture) in captures.iter().enumerate() {
            let expected: Vec<String> = without_context(rows(&capture.text), kind).iter().map(|row| escaped(row)).collect();
            let line = format!("{} test-{number}", capture.command);
            match replay::command(&session, &line).await {
                Ok(report) => {
                    let why = difference(&expected, &report.output);
                    let why = why.or_else(|| (report.state != State::Done).then(|| format!("{:?}", report.state)));
                    let why = why.or_else(|| (!report.warnings.is_empty()).then(|| format!("{:?}", report.warnings)));
                    wrong.extend(why.map(|why| format!("`{}`, {manner:?}: {why}", capture.command)));
                }
                Err(why) => {
                    wrong.push(format!("`{}`, {manner:?}: {why}", capture.command));
                    break;
                }
            }
        }
        session.close().await;
        wrong
    })
}

/// The first row that differs; spaces at the end of a row do not count.
fn difference(expected: &[String], output: &str) -> Option<String> {
    let came: Vec<&str> = output.lines().collect();
    let longer = expected.len().max(came.len());
    (0..longer).find_map(|at| {
        let (wanted, came) = (expected.get(at).map(String::as_str), came.get(at).copied());
        (wanted.map(str::trim_end) != came.map(str::trim_end))
            .then(|| format!("row {} of {} is {came:?} instead of {wanted:?}", at + 1, expected.len()))
    })
}

#[expect(clippy::print_stdout, reason = "how much was tried is part of what the test tells")]
#[test]
fn a_command_ends_where_the_device_s_own_prompt_stands() {
    let captures = captures();
    let catalog = catalog();
    let (mut all, mut runs, mut failures) = (0, 0, Vec::new());
    for (name, kind, prompt, pages) in PLATFORMS {
        let Some(captures) = captures.get(name) else { panic!("there are no captures of `{name}`") };
        let kind = runtime().block_on(load(&catalog, kind));
        let mut manners = vec![Manner::Cut(0), Manner::Cut(1), Manner::Cut(2), Manner::Silent];
        manners.extend(pages.map(|_| Manner::Paged(1)));
        let mut ends = 0;
        for manner in &manners {
            let wrong = wrong(&kind, prompt, pages, captures, *manner);
            ends += wrong.len();
            failures.extend(wrong.into_iter().map(|why| format!("{name}: {why}")));
        }
        println!("{name}: {} captures, {} ways, {ends} wrong", captures.len(), manners.len());
        all += captures.len();
        runs += captures.len() * manners.len();
    }
    println!("{all} captures, {runs} runs");
    assert!(all > 700, "only {all} captures");
    assert!(failures.is_empty(), "{} of {runs} wrong\n{}", failures.len(), failures.join("\n"));
}

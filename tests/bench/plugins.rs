//! What plugins cost: to load, to ask, to keep for many sessions, and as a share of a command.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jackfield::config::PolicyMode;
use jackfield::limits::PLUGIN_INSPECT_MAX;
use jackfield::plugin::catalog::{BUNDLED, Catalog};
use jackfield::plugin::compiled::CompiledCache;
use jackfield::plugin::device_type::DeviceType;
use jackfield::plugin::engine::Engine;
use jackfield::plugin::instance::Instance;
use jackfield::plugin::load::{Loader, Plugin};
use jackfield::plugin::session::SessionPlugins;
use jackfield::policy::{self, Line, Manner, Purpose};

use crate::figures::{Samples, heading, resident_memory};
use crate::inspect::view;

const CALLS: usize = 20_000;
const SESSIONS: usize = 1_000;

/// A device type of each kind of plugin, with a prompt of its own.
const TYPES: [(&str, &str); 4] =
    [("linux", "ops@web1:~$ "), ("cisco_ios", "core-sw1#"), ("mikrotik_routeros", "[admin@rb1] > "), ("juniper_junos", "ops@mx1> ")];

/// More of them, for the memory of many sessions: each of these has a plugin that is loaded for it.
const MORE_TYPES: [(&str, &str); 6] = [
    ("huawei_vrp", "<core-sw-1>"),
    ("nokia_sros", "A:pe1.lab# "),
    ("fortinet", "FGT-1 # "),
    ("cisco_nxos", "n9k-sw1# "),
    ("hp_comware", "<HPE>"),
    ("paloalto_panos", "admin@PA-220> "),
];

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(loading(folder.path()));
    let catalog = catalog(folder.path());
    runtime.block_on(async {
        asking(&catalog).await;
        keeping(&catalog).await;
    });
}

fn catalog(folder: &std::path::Path) -> Catalog {
    let cache = CompiledCache::open(&folder.join("compiled")).unwrap();
    Catalog::new(Vec::new(), BTreeMap::new(), Loader::new(Engine::start().unwrap(), Some(cache)))
}

async fn loading(folder: &std::path::Path) {
    heading("loading the plugins of every device type, from bytes to the end of probation");
    for how in ["compiled now", "from the cache"] {
        let catalog = catalog(folder);
        let start = Instant::now();
        let types = load_all(&catalog).await;
        let took = start.elapsed().as_secs_f64() * 1e3;
        println!("  {how:<16} {took:>8.1} ms for {types} device types of {} plugins", BUNDLED.len());
    }
}

/// Loads every device type; how many there are.
async fn load_all(catalog: &Catalog) -> usize {
    let types = catalog.types();
    for name in types.keys() {
        kind(catalog, name).await;
    }
    types.len()
}

async fn kind(catalog: &Catalog, name: &str) -> Arc<DeviceType> {
    let plugins = catalog.plugins_of(name).unwrap();
    Arc::new(DeviceType::load(name, &plugins, catalog).await.unwrap())
}

fn plugins_of(catalog: &Catalog) -> impl Iterator<Item = Arc<Plugin>> {
    catalog.plugin_names().into_iter().filter_map(|name| catalog.loaded(&name))
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

async fn asking(catalog: &Catalog) {
    heading("one question about a row, each measured by itself   (aim for `prompt.inspect`: median less than 2 µs, p99 less than 20)");
    for (name, row) in TYPES {
        let (middle, high, most) = told(&inspecting(catalog, name, row).await);
        println!(
            "  {name:<18} median {middle:>6.2} µs  p99 {high:>6.2}  worst {most:>8.1}   `prompt.inspect`, from the view to its answer"
        );
        let mut plugins = SessionPlugins::new(kind(catalog, name).await);
        let view = view(row, "some output");
        let calls = || plugins_of(catalog).map(|plugin| plugin.calls()).sum::<u64>();
        let before = calls();
        plugins.ask(&view).await;
        let each = calls() - before;
        let mut samples = Samples::default();
        for _ in 0..CALLS {
            let start = Instant::now();
            std::hint::black_box(plugins.ask(&view).await);
            samples.add(start.elapsed());
        }
        let (middle, high, most) = told(&samples);
        println!(
            "  {:<18} median {middle:>6.2} µs  p99 {high:>6.2}  worst {most:>8.1}   the whole round: triggers, {each} calls, checks",
            ""
        );
        let mut judged = Samples::default();
        for _ in 0..CALLS {
            let line = line();
            let start = Instant::now();
            std::hint::black_box(policy::judge(&plugins, &line, PolicyMode::Safe).await);
            std::hint::black_box(plugins.claim(line.text, line.mode).await);
            judged.add(start.elapsed());
        }
        let (middle, high, most) = told(&judged);
        println!("  {:<18} median {middle:>6.2} µs  p99 {high:>6.2}  worst {most:>8.1}   before a command: policy and goals", "");
    }
}

fn told(samples: &Samples) -> (f64, f64, f64) {
    let [middle, high, most] = [50, 99, 100].map(|percent| micros(samples.percentile(percent)));
    (middle, high, most)
}

/// The call alone, by the plugin that reads the type's prompt.
async fn inspecting(catalog: &Catalog, name: &str, row: &str) -> Samples {
    let kind = kind(catalog, name).await;
    let plugin = kind.plugins.iter().find(|plugin| plugin.has("prompt")).unwrap();
    let view = view(row, "some output");
    let hits = plugin.triggers.hits(row);
    let lists = view.lists(&hits);
    let mut call = plugin.trial().await.unwrap();
    let mut samples = Samples::default();
    for _ in 0..CALLS {
        let start = Instant::now();
        call.instance.arm(PLUGIN_INSPECT_MAX);
        let Instance { store, roles } = &mut *call.instance;
        let asked = roles.prompt.as_ref().unwrap().call_inspect(store, view.shown(&lists, &[])).await;
        std::hint::black_box(asked.unwrap());
        samples.add(start.elapsed());
    }
    samples
}

fn line() -> Line<'static> {
    Line {
        device: "d",
        tags: &[],
        mode: "",
        privileged: false,
        cwd: None,
        manner: Manner::Typed,
        text: "show version",
        unknown: false,
        purpose: Purpose::Run,
        caller: "bench",
    }
}

async fn keeping(catalog: &Catalog) {
    heading("memory of sessions' plugins: instances are shared, a session keeps memos");
    load_all(catalog).await;
    let mut kinds = Vec::new();
    for (name, row) in TYPES.into_iter().chain(MORE_TYPES) {
        kinds.push((kind(catalog, name).await, row));
    }
    let before = resident_memory(std::process::id());
    let mut sessions = Vec::with_capacity(SESSIONS);
    for (kind, row) in kinds.iter().cycle().take(SESSIONS) {
        let mut plugins = SessionPlugins::new(Arc::clone(kind));
        assert!(plugins.ask(&view(row, "some output")).await.prompt.is_some(), "{row}");
        sessions.push(plugins);
    }
    let after = resident_memory(std::process::id());
    let types = kinds.len();
    println!("  every device type loaded: {before:.1} MiB; with {SESSIONS} sessions of {types} types that each asked once: {after:.1} MiB");
    drop(sessions);
}

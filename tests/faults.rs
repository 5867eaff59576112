//! Devices of the lab with faults: each output is the same as without, whatever goes wrong on the way.

use std::collections::BTreeMap;

use jackfield::demo;
use jackfield::lab::{Faults, MESSAGE, NAMED_FAULTS, Options};
use serde_json::{Value, json};

use crate::support::lab::Devices;

/// Device, what leads to its long output, a short command and a long one.
const DEVICES: [(&str, &[&str], &str, &str); 9] = [
    ("switch1", &["enable"], "show version", "show interfaces status"),
    ("router1", &[], "/system resource print", "/ip address print"),
    ("junos1", &[], "show version", "show log traps"),
    ("vrp1", &[], "display version", "display interface counters"),
    ("fortios1", &[], "get system status", "get system alert"),
    ("panos1", &[], "show system info", "show session notes"),
    ("asa1", &["enable"], "show version", "show version"),
    ("eos1", &["enable"], "show version", "show interfaces description"),
    ("nxos1", &[], "show version", "show interface description"),
];

/// What all devices answer with these faults, by device and command.
fn outputs(name: &str, faults: Option<Faults>) -> BTreeMap<String, Vec<Value>> {
    let lab = Devices::start_with(demo::descriptions().unwrap(), Options { faults, ..Options::default() });
    let mut client = lab.client("");
    let mut results: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let rounds = DEVICES.iter().map(|(_, way, ..)| way.len()).max().unwrap() + 2;
    // Devices are slow on purpose, so all of them are asked at once.
    for round in 0..rounds {
        let lines = DEVICES.iter().filter_map(|(device, way, short, long)| {
            let line = way.iter().chain([short, long]).nth(round)?;
            Some(json!({"target": device, "command": line, "wait_s": 40, "max_chars": 100_000}))
        });
        for result in client.call_all("ssh_run", &lines.collect::<Vec<_>>()) {
            let Some(device) = result["target"].as_str() else {
                let log = client.call("ssh_output", json!({"session": result["session"], "max_chars": 100_000}));
                panic!("{name}: {result}, it showed {}", log["output"]);
            };
            let device = device.to_owned();
            results.entry(device).or_default().push(result);
        }
    }
    results
}

/// The rows that the device was asked for. A message that comes right behind the prompt pushes that up: both are in the output, for the
/// prompt did not stay, and nobody can tell that it was one.
fn rows(result: &Value) -> Vec<&str> {
    let output = result["output"].as_str().unwrap_or_else(|| panic!("{result}"));
    let mut rows: Vec<&str> = output.lines().map(str::trim_end).collect();
    let prompt = result["prompt"].as_str().map(str::trim_end);
    if rows.last() == Some(&MESSAGE) && rows.get(rows.len().wrapping_sub(2)).copied() == prompt {
        rows.truncate(rows.len() - 2);
    }
    rows.retain(|row| *row != MESSAGE);
    rows
}

#[test]
fn faults_change_no_output() {
    let plain = outputs("none", None);
    assert_eq!(plain.len(), DEVICES.len());
    let named = NAMED_FAULTS.iter().map(|(name, _)| (*name, Faults::default().with(name).unwrap()));
    let all: Vec<_> = named.chain([("all", Faults::hostile())]).collect();
    // They wait more than they work.
    let came = std::thread::scope(|scope| {
        let started: Vec<_> = all.iter().map(|(name, faults)| (*name, scope.spawn(|| outputs(name, Some(*faults))))).collect();
        started.into_iter().map(|(name, thread)| (name, thread.join().unwrap())).collect::<Vec<_>>()
    });
    let mut wrong = Vec::new();
    for (name, results) in came {
        for (device, results) in results {
            assert_eq!(results.len(), plain[&device].len(), "{name}: {device}");
            for (result, expected) in results.iter().zip(&plain[&device]) {
                let same = ["state", "mode", "failed"].iter().all(|key| result[key] == expected[key]);
                if !same || result["state"] != "done" || rows(result) != rows(expected) {
                    wrong.push(format!("{name}: {device}: {result}\ninstead of {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

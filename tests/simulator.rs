//! Devices of a simulator that others made, over real SSH: a login, two commands, a wrong one, enable and configuration mode.
//!
//! What it is not: its editor echoes bytes with pauses of 10 ms and knows no erasing, it never pages and asks for no
//! password, and to a wrong command all but its IOS answer `Unknown command`, which no such device does. So paging, secrets and refusals are
//! proven elsewhere. Its own prompts end alike for every vendor: each device here is given the prompt of the real one.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::packages;
use crate::support::sshd::free_port;
use crate::support::until_listens;

/// A line, the prompt that it leads to, and the mode there.
type Way = (&'static str, &'static str, &'static str);

struct Simulated {
    name: &'static str,
    platform: &'static str,
    kind: &'static str,
    prompt: &'static str,
    mode: &'static str,
    shows: [&'static str; 2],
    ways: &'static [Way],
}

const DEVICES: [Simulated; 16] = [
    Simulated {
        name: "ios",
        platform: "cisco_ios",
        kind: "cisco_ios",
        prompt: "sim-1>",
        mode: "user_exec",
        shows: ["show ip bgp", "show file systems"],
        ways: &[
            ("enable", "sim-1#", "privileged"),
            ("configure terminal", "sim-1(config)#", "config"),
            ("interface Gi0/1", "sim-1(config-if)#", "config"),
            ("end", "sim-1#", "privileged"),
            ("disable", "sim-1>", "user_exec"),
        ],
    },
    Simulated {
        name: "eos",
        platform: "arista_eos",
        kind: "arista_eos",
        prompt: "sim-2>",
        mode: "user_exec",
        shows: ["show ip bgp", "show module"],
        ways: &[("enable", "sim-2#", "privileged"), ("configure terminal", "sim-2(config)#", "config"), ("end", "sim-2#", "privileged")],
    },
    Simulated {
        name: "nxos",
        platform: "cisco_nxos",
        kind: "cisco_nxos",
        prompt: "sim-3# ",
        mode: "exec",
        shows: ["show vrf interface", "show nve peers"],
        ways: &[("configure terminal", "sim-3(config)# ", "config"), ("end", "sim-3# ", "exec")],
    },
    Simulated {
        name: "xr",
        platform: "cisco_xr",
        kind: "cisco_xr",
        prompt: "RP/0/RP0/CPU0:sim-4#",
        mode: "exec",
        shows: ["show bgp", "show arp"],
        ways: &[("configure", "RP/0/RP0/CPU0:sim-4(config)#", "config"), ("end", "RP/0/RP0/CPU0:sim-4#", "exec")],
    },
    Simulated {
        name: "asa",
        platform: "cisco_asa",
        kind: "cisco_asa",
        prompt: "sim-5/pri/act> ",
        mode: "user_exec",
        shows: ["show module", "show failover"],
        ways: &[
            ("enable", "sim-5/pri/act# ", "privileged"),
            ("configure terminal", "sim-5/pri/act(config)# ", "config"),
            ("end", "sim-5/pri/act# ", "privileged"),
        ],
    },
    Simulated {
        name: "junos",
        platform: "juniper_junos",
        kind: "juniper_junos",
        prompt: "netops@sim-6> ",
        mode: "operational",
        shows: ["show arp no-resolve", "show ospf neighbor"],
        ways: &[("configure", "netops@sim-6# ", "config"), ("exit", "netops@sim-6> ", "operational")],
    },
    Simulated {
        name: "vrp",
        platform: "huawei_vrp",
        kind: "huawei_vrp",
        prompt: "<sim-7>",
        mode: "user_view",
        shows: ["display version", "display arp all"],
        ways: &[
            ("system-view", "[sim-7]", "system_view"),
            ("interface Eth0", "[sim-7-Eth0]", "system_view"),
            ("return", "<sim-7>", "user_view"),
        ],
    },
    Simulated {
        name: "comware",
        platform: "hp_comware",
        kind: "hp_comware",
        prompt: "<sim-8>",
        mode: "user_view",
        shows: ["display arp", "display vlan brief"],
        ways: &[("system-view", "[sim-8]", "system_view"), ("return", "<sim-8>", "user_view")],
    },
    Simulated {
        name: "procurve",
        platform: "hp_procurve",
        kind: "hp_procurve",
        prompt: "sim-9> ",
        mode: "operator",
        shows: ["show system", "show trunks"],
        ways: &[("enable", "sim-9# ", "manager"), ("configure", "sim-9(config)# ", "config"), ("end", "sim-9# ", "manager")],
    },
    Simulated {
        name: "sros",
        platform: "alcatel_sros",
        kind: "nokia_sros",
        prompt: "A:sim-10# ",
        mode: "classic.exec",
        shows: ["show lag", "show service sdp"],
        ways: &[("configure", "A:sim-10>config# ", "classic.context"), ("exit all", "A:sim-10# ", "classic.exec")],
    },
    Simulated {
        name: "fortios",
        platform: "fortinet",
        kind: "fortinet",
        prompt: "sim-11 # ",
        mode: "exec",
        shows: ["get system status", "get system arp"],
        ways: &[("config system global", "sim-11 (global) # ", "config"), ("end", "sim-11 # ", "exec")],
    },
    Simulated {
        name: "panos",
        platform: "paloalto_panos",
        kind: "paloalto_panos",
        prompt: "netops@sim-12> ",
        mode: "operational",
        shows: ["show mac all", "show system info"],
        ways: &[("configure", "netops@sim-12# ", "config"), ("exit", "netops@sim-12> ", "operational")],
    },
    Simulated {
        name: "vyos",
        platform: "vyatta_vyos",
        kind: "vyos",
        prompt: "netops@sim-13:~$ ",
        mode: "operational",
        shows: ["show interfaces", "show arp"],
        ways: &[("configure", "netops@sim-13# ", "config"), ("exit", "netops@sim-13:~$ ", "operational")],
    },
    Simulated {
        name: "exos",
        platform: "extreme_exos",
        kind: "extreme_exos",
        prompt: "X460-sim.1 # ",
        mode: "exec",
        shows: ["show ipconfig", "show sharing"],
        // The counter in the prompt grows with each command.
        ways: &[("show management", "X460-sim.2 # ", "exec")],
    },
    Simulated {
        name: "edgeswitch",
        platform: "ubiquiti_edgeswitch",
        kind: "ubiquiti_edgeswitch",
        prompt: "(sim 15) >",
        mode: "exec",
        shows: ["show arp", "show vlan"],
        ways: &[("enable", "(sim 15) #", "enable"), ("configure", "(sim 15) (Config)#", "config"), ("exit", "(sim 15) #", "enable")],
    },
    Simulated {
        name: "gaia",
        platform: "checkpoint_gaia",
        kind: "checkpoint_gaia",
        prompt: "sim-16> ",
        mode: "clish",
        shows: ["show asset all", "show route"],
        ways: &[],
    },
];

/// What a wrong command brings: the simulator's own words.
const UNKNOWN: &str = "Unknown command\n";

/// The simulator's process with all devices.
struct Simulator {
    process: Child,
    config: String,
    answers: BTreeMap<String, Vec<String>>,
    _folder: tempfile::TempDir,
}

impl Simulator {
    fn start() -> Self {
        let python = packages::python("captures", &crate::corpus::PACKAGES);
        let folder = tempfile::tempdir().unwrap();
        let ports: Vec<u16> = DEVICES.iter().map(|_| free_port()).collect();
        let described = DEVICES.iter().zip(&ports).map(|(device, port)| {
            let ways: Vec<Value> = device.ways.iter().map(|(line, prompt, _)| json!([line, prompt])).collect();
            json!({"name": device.name, "platform": device.platform, "prompt": device.prompt, "ways": ways, "shows": device.shows, "port": port})
        });
        let file = folder.path().join("devices.json");
        std::fs::write(&file, Value::from(described.collect::<Vec<_>>()).to_string()).unwrap();
        let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/simulator/devices.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.path().join("stderr.txt")).unwrap())
            .spawn()
            .unwrap();
        let mut key = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut key).unwrap();
        assert!(key.starts_with("ssh-rsa "), "{key}: {}", std::fs::read_to_string(folder.path().join("stderr.txt")).unwrap());
        let known: String = ports.iter().map(|port| format!("[127.0.0.1]:{port} {key}")).collect();
        std::fs::write(folder.path().join("known_hosts"), known).unwrap();
        let config = DEVICES.iter().zip(&ports).map(|(device, port)| {
            until_listens("127.0.0.1", *port, device.name);
            format!(
                "[device.{}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"netops\"\ntype = \"{}\"\nagent = false\n\
                 password = {{ env = \"JFT_SIMULATOR\" }}\nknown_hosts = {:?}\n",
                device.name,
                device.kind,
                folder.path().join("known_hosts")
            )
        });
        let config = config.collect();
        let answers = serde_json::from_str(&std::fs::read_to_string(folder.path().join("answers.json")).unwrap()).unwrap();
        Self { process, config, answers, _folder: folder }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn rows(text: &str) -> Vec<&str> {
    let mut rows: Vec<&str> = text.lines().map(str::trim_end).collect();
    while rows.last().is_some_and(|row| row.is_empty()) {
        rows.pop();
    }
    rows
}

/// Runs each device's line at once, as devices are slow one by one.
fn run_all<'a>(client: &mut Client, lines: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Value> {
    let asked: Vec<Value> =
        lines.map(|(device, line)| json!({"target": device, "command": line, "wait_s": 40, "max_chars": 100_000})).collect();
    let results = client.call_all("ssh_run", &asked);
    results.into_iter().map(|result| (result["target"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned(), result)).collect()
}

fn check(result: &Value, device: &Simulated, mode: &str, line: &str) {
    assert_eq!((result["state"].as_str(), result["mode"].as_str()), (Some("done"), Some(mode)), "{} {line}: {result}", device.name);
    assert_eq!(result["failed"], false, "{} {line}: {result}", device.name);
}

#[test]
fn devices_of_another_simulator_are_driven() {
    let simulator = Simulator::start();
    let mut client = Client::start_with(&simulator.config, &[("JFT_SIMULATOR", "netops-1")]);
    for number in 0..2 {
        let results = run_all(&mut client, DEVICES.iter().map(|device| (device.name, device.shows[number])));
        for device in &DEVICES {
            let result = &results[device.name];
            check(result, device, device.mode, device.shows[number]);
            let expected = &simulator.answers[device.name][number];
            assert_eq!(rows(result["output"].as_str().unwrap()), rows(expected), "{} {}", device.name, device.shows[number]);
        }
    }
    let results = run_all(&mut client, DEVICES.iter().map(|device| (device.name, "frobnicate all")));
    for device in &DEVICES {
        let result = &results[device.name];
        assert_eq!((result["state"].as_str(), result["mode"].as_str()), (Some("done"), Some(device.mode)), "{}: {result}", device.name);
        assert_eq!(result["output"].as_str(), Some(UNKNOWN), "{}: {result}", device.name);
    }
    let longest = DEVICES.iter().map(|device| device.ways.len()).max().unwrap();
    for step in 0..longest {
        let moving = || DEVICES.iter().filter_map(|device| Some((device, device.ways.get(step)?)));
        let results = run_all(&mut client, moving().map(|(device, (line, ..))| (device.name, *line)));
        for (device, (line, prompt, mode)) in moving() {
            let result = &results[device.name];
            check(result, device, mode, line);
            assert_eq!(result["prompt"].as_str().map(str::trim_end), Some(prompt.trim_end()), "{} {line}: {result}", device.name);
        }
    }
}

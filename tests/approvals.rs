//! A person's word on what policy wants asked: through clients of both eras, on raw lines, at a terminal. Only a yes lets the exact
//! line through, and once.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::lab::Devices;

mod clients;
mod raw;
pub mod terminal;

/// What is asked about on the switch. It puts a question of its own then.
const COMMAND: &str = "write erase";

/// The lab's switch, in a safe mode.
struct Scene {
    devices: Devices,
}

impl Scene {
    fn start() -> Self {
        Self { devices: Devices::some(&["switch1"]) }
    }

    /// How often the switch was given the command, or anything like it.
    fn erased(&self) -> usize {
        self.devices.lines("switch1").iter().filter(|line| line.contains("erase") || line.contains("\u{7f}")).count()
    }

    /// A client that can ask its user, in the older era and with rights on the switch.
    fn able(&self) -> Client {
        let mut client = Client::bare(crate::support::client::state(), &self.devices.config, &[]).greeted(&json!({"elicitation": {}}));
        is_privileged(&client.run("switch1", "enable"));
        client
    }
}

fn is_privileged(result: &Value) {
    assert_eq!((result["state"].as_str(), result["mode"].as_str()), (Some("done"), Some("privileged")), "{result}");
}

/// The command runs: the switch asks back, and is told no.
fn is_let_through(result: &Value) {
    assert_eq!(result["state"], "needs_input", "{result}");
    assert!(result["ask"].as_str().unwrap().contains("Continue? [confirm]"), "{result}");
}

/// What a call says the switch for its question.
fn no() -> Value {
    json!({"session": "switch1", "text": "n", "wait_s": 3})
}

fn call() -> Value {
    json!({"target": "switch1", "command": COMMAND})
}

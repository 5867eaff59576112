//! What is asked on the way to a device: by its own server, or by a jump host.

use super::Directory;
use super::place::PlaceWay;
use crate::limits::JUMPS_MAX;
use crate::transport::questions::Question;

impl Directory {
    /// Waits until a server on the way to this device asks something that is not among what was told already.
    pub async fn asked_at_login(&self, device: &str, told: &[String]) -> Question {
        // Most questions are asked by the device itself: the way is looked up when another one asks.
        let mut jumps = None;
        loop {
            let changed = self.questions.changed();
            for question in self.questions.open().into_iter().filter(|question| !told.contains(&question.id)) {
                if question.device == device {
                    return question;
                }
                if jumps.is_none() {
                    jumps = Some(self.jumps(device).await);
                }
                if jumps.iter().flatten().any(|jump| *jump == question.device) {
                    return question;
                }
            }
            changed.await;
        }
    }

    /// The hosts that the way to a device goes over.
    async fn jumps(&self, device: &str) -> Vec<String> {
        let world = self.world();
        let (mut jumps, mut open) = (Vec::new(), vec![device.to_owned()]);
        while let Some(name) = open.pop() {
            // One that is only an address has no way of its own here.
            if !world.config.devices.contains_key(&name) {
                continue;
            }
            // Why there is none is told by whoever goes it.
            let Ok(PlaceWay::Jumps(hops)) = world.place(&name).await.map(|place| place.way) else { continue };
            for (at, hop) in hops.into_iter().enumerate() {
                if jumps.len() < JUMPS_MAX && !jumps.contains(&hop.host) {
                    jumps.push(hop.host.clone());
                    // The others are reached from the one before them.
                    if at == 0 {
                        open.push(hop.host);
                    }
                }
            }
        }
        jumps
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::secret::Secret;
    use crate::startup;

    const DEVICES: &str = "[device.web1]\nhost = \"192.0.2.1\"\nvia = \"gate\"\n[device.gate]\nhost = \"192.0.2.2\"\nvia = \"front\"\n\
        [device.front]\nhost = \"192.0.2.3\"\n[device.other]\nhost = \"192.0.2.4\"\n";

    #[tokio::test]
    async fn what_a_jump_host_asks_is_asked_on_the_way_to_the_device() {
        let config = Config::parse(DEVICES, Path::new("jackfield.toml"), None).unwrap();
        let catalog = startup::catalog(&config).unwrap();
        let directory = Directory::new(config, catalog, None);
        for device in ["other", "front", "web1"] {
            let questions = directory.questions().clone();
            tokio::spawn(async move { questions.ask(device, "bob", "", "Code:", false).await });
            tokio::task::yield_now().await;
        }
        let first = directory.asked_at_login("web1", &[]).await;
        assert_eq!((first.id.as_str(), first.device.as_str()), ("q2", "front"));
        let second = directory.asked_at_login("web1", &[first.id]).await;
        assert_eq!((second.id.as_str(), second.device.as_str()), ("q3", "web1"));
        directory.questions().answer("q3", Secret::from_bytes(b"1".to_vec())).unwrap();
        let third = tokio::time::timeout(std::time::Duration::from_millis(100), directory.asked_at_login("web1", &["q2".to_owned()])).await;
        assert!(third.is_err(), "what another device asks concerns nobody here: {third:?}");
    }
}

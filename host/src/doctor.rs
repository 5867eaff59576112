//! Why does it not connect? Goes the way to a device step by step and says of each what was found and what to change.
//!
//! Nothing is typed there. A password is sent once, as in every login.

use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Wire;
use crate::directory::Directory;
use crate::plugin::identify::Evidence;
use crate::transport::host_key::{self, KnownHosts, Trust};
use crate::transport::ssh::{self, ConnectError, Connection, Greeting, HostKeys, Seen, Target};

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should.
    Good,
    /// It works, and deserves a look.
    Doubt,
    /// It does not work.
    Bad,
}

/// What a step found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The step: `configuration`, `way`, `server`, `algorithms`, `host key`, `login`, `host keys`, `type`.
    pub step: &'static str,
    /// How it went.
    pub state: State,
    /// In words.
    pub says: String,
    /// What to do; empty where there is nothing to do.
    pub next: String,
    /// The same for programs.
    pub facts: Value,
}

impl Finding {
    fn new(step: &'static str, state: State, says: String) -> Self {
        Self { step, state, says, next: String::new(), facts: json!({}) }
    }

    fn next(mut self, next: &str) -> Self {
        next.clone_into(&mut self.next);
        self
    }

    fn facts(mut self, facts: Value) -> Self {
        self.facts = facts;
        self
    }
}

/// Where a device is and what would be used to log in, without connecting to anything.
///
/// # Errors
///
/// When there is no such device, or OpenSSH's configuration cannot be used and is needed.
pub async fn resolve(directory: &Directory, device: &str) -> Result<Finding, String> {
    let place = directory.world().place(device).await.map_err(|error| error.to_string())?;
    let paths = |paths: &[std::path::PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let keys: Vec<String> = place.keys.iter().map(|key| key.path.display().to_string()).collect();
    let lines = |lines: &[(&str, String)]| lines.iter().map(|(keyword, at)| format!("{keyword} {at}")).collect::<Vec<_>>();
    let (from, unheeded) = (lines(&place.origins), lines(&place.unheeded));
    let says = format!("{}@{} port {}, {}", place.user, place.host, place.port, place.way);
    let state = if place.warnings.is_empty() { State::Good } else { State::Doubt };
    let facts = json!({"host": place.host, "port": place.port, "user": place.user, "way": place.way.to_string(), "keys": keys,
        "certificates": paths(&place.certificates), "agents": paths(&place.agents), "known_hosts": paths(&place.known_hosts),
        "host_key_alias": place.host_key_alias, "legacy_algorithms": place.offer.legacy, "from": from, "not_heeded": unheeded, "warnings": place.warnings});
    Ok(Finding::new("configuration", state, says).next(&place.warnings.join("; ")).facts(facts))
}

/// Goes the whole way. The first step that fails is the last one.
///
/// # Errors
///
/// When there is no such device.
pub async fn examine(directory: &Directory, device: &str) -> Result<Vec<Finding>, String> {
    let line = directory.world().device(device).map_err(|error| error.to_string())?.line.clone();
    if line != Wire::Ssh {
        return Ok(vec![bare(directory, device).await]);
    }
    let mut findings = match resolve(directory, device).await {
        Ok(finding) => vec![finding],
        Err(why) => return Ok(vec![Finding::new("configuration", State::Bad, why)]),
    };
    // Devices on the way are logged in to.
    let target = match directory.sight(device).await {
        Ok(target) => target,
        Err(error) => {
            findings.push(Finding::new("way", State::Bad, error.to_string()).next("the way leads over another device: examine that one"));
            return Ok(findings);
        }
    };
    let seen = match Greeting::look(&target).await {
        Ok(seen) => seen,
        Err(error) => {
            findings.push(unreached(&error));
            return Ok(findings);
        }
    };
    findings.push(server(&seen));
    findings.push(algorithms(&target, &seen));
    let trusted = host_key(&target, &seen);
    let goes_on = trusted.state != State::Bad;
    findings.push(trusted);
    if !goes_on {
        return Ok(findings);
    }
    let methods = seen.methods.clone().map_or_else(|| "nothing".to_owned(), |methods| methods.join(", "));
    match directory.logged_in(device).await {
        Ok(connection) => {
            let by = connection.logged_in_by();
            let says = format!("{} logs in with {by}", target.user);
            findings.push(Finding::new("login", State::Good, says).facts(json!({"by": by, "server_takes": methods})));
            findings.extend(host_keys(directory, &target, &connection).await);
            findings.push(kind(directory, device, &seen).await);
            connection.leave().await;
        }
        Err(error) => findings.push(Finding::new("login", State::Bad, error.to_string()).facts(json!({"server_takes": methods}))),
    }
    Ok(findings)
}

/// A line that is no more than bytes: whether it is there. What its login steps say is told when a session opens.
async fn bare(directory: &Directory, device: &str) -> Finding {
    match directory.touch(device).await {
        Ok(way) => Finding::new("way", State::Good, way).next("open a session: it goes through the login steps and says which one fails"),
        // The error's own sentence says what to do.
        Err(error) => Finding::new("way", State::Bad, error.to_string()),
    }
}

fn unreached(error: &ConnectError) -> Finding {
    let step = match error {
        ConnectError::Unreachable { .. } | ConnectError::Way { .. } | ConnectError::Timeout { step: "connection", .. } => "way",
        ConnectError::NoCommon { .. } | ConnectError::UnknownAlgorithms { .. } => "algorithms",
        _ => "server",
    };
    // The error's own sentence says what to do.
    Finding::new(step, State::Bad, error.to_string())
}

fn server(seen: &Seen) -> Finding {
    Finding::new("server", State::Good, seen.server_id.clone()).facts(json!({"server_id": seen.server_id, "banner": seen.banner}))
}

/// What both sides offer, and what they agree on.
fn algorithms(target: &Target, seen: &Seen) -> Finding {
    let ours = ssh::offered(target).unwrap_or_default();
    let theirs = [&seen.offered.kex, &seen.offered.host_keys, &seen.offered.ciphers, &seen.offered.macs];
    let mut facts = serde_json::Map::new();
    facts.insert("agreed".to_owned(), seen.agreed.clone().into());
    for ((name, ours), theirs) in ["kex", "host_keys", "ciphers", "macs"].into_iter().zip(ours).zip(theirs) {
        facts.insert(name.to_owned(), json!({"ours": ours, "theirs": theirs}));
    }
    let finding = if seen.weak.is_empty() {
        Finding::new("algorithms", State::Good, seen.agreed.clone())
    } else {
        Finding::new("algorithms", State::Doubt, format!("{}; weak: {}", seen.agreed, seen.weak.join(", ")))
            .next("update the device's SSH server where that is possible, then take `algorithms = \"legacy\"` out")
    };
    finding.facts(facts.into())
}

fn host_key(target: &Target, seen: &Seen) -> Finding {
    let Some(key) = &seen.key else { return Finding::new("host key", State::Bad, "the server showed no key".to_owned()) };
    let shown = format!("{} {}", key.algorithm(), host_key::fingerprint(key));
    let (name, port) = target.host_key_name();
    let trust = KnownHosts::load_with(&target.known_hosts, target.revoked.as_deref()).map(|known| known.check(name, port, key));
    let finding = match (&seen.refused, trust) {
        // The refusal's own sentence says what to do.
        (Some(refused), _) => Finding::new("host key", State::Bad, refused.to_string()),
        (None, Ok(Trust::Known { file, line })) => {
            Finding::new("host key", State::Good, format!("{shown}, recorded in {} line {line}", file.display()))
        }
        (None, _) => Finding::new("host key", State::Good, format!("{shown}, certified by an authority that is trusted")),
    };
    finding.facts(json!({"type": key.algorithm().as_str(), "fingerprint": host_key::fingerprint(key)}))
}

/// Further keys of the host, where it says which ones it has.
async fn host_keys(directory: &Directory, target: &Target, connection: &Connection) -> Option<Finding> {
    let found = |state, says: String| Finding::new("host keys", state, says);
    let keys = HostKeys::of(target).ok()?;
    let announced = match keys.announced(connection.announcement()).await {
        Ok(announced) => announced?,
        Err(error) => return Some(found(State::Bad, error.to_string())),
    };
    let (count, rotation) = (announced.count(), announced.rotation.clone());
    let by_itself = target.learning.by_itself;
    let finding = match (rotation, by_itself) {
        (Err(why), _) => found(State::Good, format!("{count} announced, and none is learned: {why}")),
        (Ok(rotation), _) if rotation.is_empty() => found(State::Good, format!("{count} announced, all recorded")),
        (Ok(_), true) => match keys.learn(connection, announced).await {
            Ok(done) => {
                directory.host_keys_changed(&target.device, &done);
                found(State::Good, format!("{count} announced: {} learned now, {} forgotten", done.new.len(), done.gone.len()))
            }
            Err(error) => found(State::Bad, error.to_string()),
        },
        (Ok(rotation), false) => {
            let says = format!(
                "{count} announced, {} of them not recorded; {} recorded that it has no more",
                rotation.new.len(),
                rotation.gone.len()
            );
            found(State::Doubt, says).next(&format!("run `jackfield hostkey update {}`", target.device))
        }
    };
    Some(finding.facts(json!({"announced": count, "learned_by_itself": by_itself})))
}

/// What the server's name says about the device's type.
async fn kind(directory: &Directory, device: &str, seen: &Seen) -> Finding {
    let world = directory.world();
    let configured = match world.device(device).map(|device| device.device_type.clone()) {
        Ok(crate::config::TypeChoice::Named(kind)) => Some(kind.to_string()),
        _ => None,
    };
    world.catalog.load_judges().await;
    let evidence = Evidence { server_id: seen.server_id.clone(), banner: seen.banner.clone(), ..Evidence::default() };
    let scores = world.catalog.scores(&evidence).await;
    let best = scores.first().map(|score| format!("{} ({} by {}: {})", score.kind, score.score, score.by, score.on));
    let facts = json!({"configured": configured, "scores": scores.iter().map(|score| json!({"type": score.kind, "score": score.score,
        "by": score.by, "on": score.on})).collect::<Vec<_>>()});
    let finding = match (configured, best) {
        (Some(kind), _) => Finding::new("type", State::Good, format!("`{kind}`, as configured")),
        (None, Some(best)) => {
            Finding::new("type", State::Good, format!("found out when a session opens; before the login it looks like {best}"))
        }
        (None, None) => Finding::new("type", State::Good, "found out from the first screen when a session opens".to_owned()),
    };
    finding.facts(facts)
}

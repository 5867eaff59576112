//! `type = "auto"`: what a device is, found out from what it shows by itself, and remembered.
//!
//! The identification string may decide before the login, because a type may rewrite the login name and choose the terminal. Else
//! the device is logged in to with a plain terminal and its first screen is read until it is quiet. Nothing is typed to find out;
//! only what every terminal answers by itself is answered. Who nobody knows, or several claim, is generic: nothing is typed there
//! by itself, nothing counts as proven, and the reasons are told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::{Instant, timeout};

use super::first_screen::FirstScreen;
use crate::config::header;
use crate::limits::{FIRST_SCREEN_MAX, FIRST_SCREEN_MAX_BYTES, FIRST_SCREEN_PAUSE, FIRST_SCREEN_QUIET, IDENTIFY_EARLY_MIN, IDENTIFY_MIN};
use crate::plugin::catalog::{Catalog, GENERIC};
use crate::plugin::device_type::DeviceType;
use crate::plugin::identify::{Decision, Evidence, Score, decide};
use crate::transport::{Line, LineEvent, Welcome};

/// Scores that are shown.
const SHOWN: usize = 4;

/// What a device was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The type, the generic one where nobody was sure.
    pub kind: String,
    /// Is it this type for sure?
    pub certain: bool,
    /// The best score of each type, the highest first.
    pub scores: Vec<Score>,
    /// The device's own words, in short.
    pub shown: Vec<(&'static str, String)>,
    /// What it was found to be last time, where that differs.
    pub before: Option<String>,
}

impl Identity {
    fn of(decision: Decision<'_>, scores: &[Score], evidence: &Evidence) -> Self {
        let (kind, certain) = match decision {
            Decision::Is(score) => (score.kind.clone(), true),
            Decision::Several | Decision::Nobody => (GENERIC.to_owned(), false),
        };
        Self { kind, certain, scores: scores.iter().take(SHOWN).cloned().collect(), shown: evidence.shown(), before: None }
    }

    /// Who is how sure of what, and why.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.scores.iter().map(|score| format!("{} {} by {}: {}", score.kind, score.score, score.by, score.on)).collect()
    }

    /// What the operator should know, if anything.
    #[must_use]
    pub fn warning(&self, device: &str) -> Option<String> {
        let changed =
            self.before.as_ref().map(|before| format!("`{device}` was `{before}` last time and shows itself as `{}` now", self.kind));
        let unsure = (!self.certain).then(|| {
            let candidates: Vec<String> = self.scores.iter().filter(|score| score.kind != GENERIC).map(|score| format!("`{}`", score.kind)).collect();
            let said = if candidates.is_empty() { "nothing that it shows tells its type".to_owned() } else { format!("it may be {}", candidates.join(" or ")) };
            format!(
                "the type of `{device}` is not sure, so it is used as `{GENERIC}`: nothing is set up, prompts are told by their look and no command counts as a read; {said}; set `type = \"…\"` in {}",
                header("device", device)
            )
        });
        let all: Vec<String> = changed.into_iter().chain(unsure).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// What was found, by device.
#[derive(Debug, Default)]
pub struct Identities {
    found: Mutex<BTreeMap<String, Arc<Identity>>>,
}

impl Identities {
    /// What a device was found to be last.
    #[must_use]
    pub fn of(&self, device: &str) -> Option<Arc<Identity>> {
        self.lock().get(device).cloned()
    }

    /// All devices that were looked at.
    #[must_use]
    pub fn all(&self) -> Vec<(String, Arc<Identity>)> {
        self.lock().iter().map(|(device, identity)| (device.clone(), Arc::clone(identity))).collect()
    }

    /// Remembers it; says so where the device was something else before.
    pub fn keep(&self, device: &str, mut identity: Identity) -> Arc<Identity> {
        let mut found = self.lock();
        identity.before = found.get(device).map(|known| known.kind.clone()).filter(|kind| *kind != identity.kind);
        let identity = Arc::new(identity);
        found.insert(device.to_owned(), Arc::clone(&identity));
        identity
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Identity>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the identification string alone proves.
pub async fn by_server_id(catalog: &Catalog, server_id: &str) -> Option<Identity> {
    let evidence = Evidence { server_id: server_id.to_owned(), ..Evidence::default() };
    let scores = catalog.scores(&evidence).await;
    let decision = decide(&scores, IDENTIFY_EARLY_MIN, |one, other| catalog.serves_alike(one, other));
    matches!(decision, Decision::Is(_)).then(|| Identity::of(decision, &scores, &evidence))
}

/// Reads the first screen of a line and says what it tells, beside what was `told` before. What was read stays with the line.
///
/// # Errors
///
/// When the line ends; what it showed until then is part of the sentence.
pub async fn by_first_screen(
    catalog: &Catalog,
    line: &mut Line,
    told: &Welcome,
    plain: &DeviceType,
    size: (u16, u16),
) -> Result<Identity, String> {
    let mut screen = FirstScreen::new(size);
    screen.seen(&std::mem::take(&mut line.seen));
    let over = Instant::now() + FIRST_SCREEN_MAX;
    let mut changed_at = Instant::now();
    let mut looked = 0;
    loop {
        let left = over.saturating_duration_since(Instant::now());
        match timeout(left.min(FIRST_SCREEN_PAUSE), line.reader.next()).await {
            Ok(LineEvent::Data(bytes) | LineEvent::Error(bytes)) => {
                screen.take(&bytes, line, plain);
                changed_at = Instant::now();
            }
            Ok(LineEvent::Exit(Ok(status))) => return Err(screen.ended(&format!("its shell ended with status {status}"))),
            Ok(LineEvent::Exit(Err(why)) | LineEvent::Closed(why)) => return Err(screen.ended(&why)),
            Err(_) => {}
        }
        let quiet = changed_at.elapsed();
        let full = screen.bytes.len() >= FIRST_SCREEN_MAX_BYTES || Instant::now() >= over;
        // Each state of the screen is judged once when it stands, and a last time when nothing more is waited for.
        let last = full || screen.stream.has_tail() && quiet >= FIRST_SCREEN_QUIET;
        if last || quiet >= FIRST_SCREEN_PAUSE && looked != screen.bytes.len() {
            looked = screen.bytes.len();
            let evidence = screen.evidence(told);
            let scores = catalog.scores(&evidence).await;
            let decision = decide(&scores, IDENTIFY_MIN, |one, other| catalog.serves_alike(one, other));
            if last || matches!(decision, Decision::Is(_)) && screen.stream.has_tail() {
                let identity = Identity::of(decision, &scores, &evidence);
                line.seen = screen.bytes;
                return Ok(identity);
            }
        }
    }
}

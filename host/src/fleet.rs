//! Rollouts: one command on many targets, on a few first, then in batches, and no further than so many failures. One goes on whoever
//! waits for it, and the same call finds it again: where a person is asked in between, what was done is not done twice.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::ids::{CommandId, SessionId};
use crate::limits::{ROLLOUT_KEPT_MAX, ROLLOUTS_MAX};
use crate::policy::approval::Request;
use crate::session::command::State;

/// Targets that come first unless somebody says otherwise.
pub const CANARY: usize = 1;
/// Targets at once, likewise.
pub const PARALLEL: usize = 8;
/// Failures behind which nothing more is begun, likewise.
pub const MAX_FAILURES: usize = 1;

/// What a target's structure does not repeat: it is told of all, or is of no use here.
const LEFT_OUT: [&str; 4] = ["ok", "idle_ms", "prompt", "cwd"];
/// What it does not have either where its output is shown among those of others, as a whole.
const IN_GROUP: [&str; 3] = ["origin", "output", "range"];

/// How far it goes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// So many targets come first. Nothing more is begun when one of them fails.
    pub canary: usize,
    /// So many at once.
    pub parallel: usize,
    /// Nothing more is begun when so many have failed.
    pub max_failures: usize,
}

/// How it went on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Done, and without a failure.
    Well,
    /// Anything else.
    Badly,
    /// Nothing was typed: a person is to be asked first.
    Asked,
}

/// What its caller is told of a target.
#[derive(Debug, Clone)]
pub struct Told {
    /// How it went.
    pub end: End,
    /// The structure.
    pub fields: Map<String, Value>,
    /// The text.
    pub text: String,
    /// It is an error.
    pub error: bool,
    /// What a person is to be asked.
    pub approvals: Vec<Request>,
}

impl Told {
    /// A text of the structure; empty where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// How the command ended, where nothing more than that and its output is told.
    #[must_use]
    pub fn plain_end(&self) -> Option<String> {
        plain_end(self.error, &self.fields)
    }

    /// The structure beside those of the other targets.
    fn result(&self) -> Value {
        let is_in_group = self.plain_end().is_some();
        let mut fields = self.fields.clone();
        fields.retain(|name, value| {
            let is_left_out = LEFT_OUT.contains(&name.as_str()) || is_in_group && IN_GROUP.contains(&name.as_str());
            !is_left_out && (name != "next" || *value != "")
        });
        Value::Object(fields)
    }
}

/// How a command ended, where its answer says nothing more than that and its output.
#[must_use]
pub fn plain_end(is_error: bool, fields: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let says_more = ["warnings", "failure", "lines", "meanwhile", "lost", "note"].iter().any(|name| fields.contains_key(*name));
    if is_error || says_more || text("state") != State::Done.word() || !text("next").is_empty() || !text("stderr").is_empty() {
        return None;
    }
    let exit = fields.get("exit_code").map(|code| format!(" exit={code}")).unwrap_or_default();
    let failed = if fields.get("failed") == Some(&Value::Bool(true)) { " FAILED" } else { "" };
    let confidence = match text("confidence") {
        "" => String::new(),
        word => format!(" confidence={word}"),
    };
    Some(format!("{}{exit}{failed}{confidence}", State::Done.word()))
}

/// The first target that is named a second time, whatever it is called.
#[must_use]
pub fn named_twice(targets: &[String]) -> Option<&String> {
    let mut seen = BTreeSet::new();
    targets.iter().find(|target| !seen.insert(SessionId::parse(target).to_string()))
}

/// Targets whose commands ended alike.
#[derive(Debug)]
pub struct Group<'s> {
    /// Each with its command.
    pub members: Vec<(&'s str, &'s str)>,
    /// How they ended.
    pub end: String,
    /// What they printed.
    pub output: &'s str,
    exit_code: Option<&'s Value>,
}

impl Group<'_> {
    /// The structure.
    #[must_use]
    pub fn fields(&self) -> Value {
        let targets: Vec<&str> = self.members.iter().map(|(target, _)| *target).collect();
        let fields = [("targets", json!(targets)), ("origin", "device".into()), ("output", self.output.into())];
        let mut fields: Map<String, Value> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        fields.extend(self.exit_code.map(|code| ("exit_code".to_owned(), code.clone())));
        Value::Object(fields)
    }
}

/// Why nothing more is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// It is new, or a person is to be asked: the same call goes on with it.
    Waits,
    /// All targets are through.
    Done,
    /// One of the first has failed.
    Canary,
    /// So many have failed.
    Failures,
    /// Somebody wanted that.
    Request,
}

/// How it stands.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What came of each target, in their order. Nothing yet where it was not begun or is at it.
    pub told: Vec<Option<Told>>,
    /// Those that were begun last.
    pub batch: Vec<usize>,
    /// Nothing more is begun.
    pub rest: Option<Rest>,
    since: Instant,
}

impl Sheet {
    /// How many came to this end.
    #[must_use]
    pub fn count(&self, end: End) -> usize {
        self.told.iter().flatten().filter(|told| told.end == end).count()
    }

    /// Its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.rest {
            None => State::Running.word(),
            Some(Rest::Waits) => "approval_needed",
            Some(Rest::Done) => State::Done.word(),
            Some(Rest::Canary | Rest::Failures) => "stopped",
            Some(Rest::Request) => State::Interrupted.word(),
        }
    }

    /// Did all go well so far?
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.count(End::Badly) == 0 && matches!(self.rest, None | Some(Rest::Done))
    }

    /// Equal ends of commands once, and the targets of which there is more to tell.
    #[must_use]
    pub fn groups(&self) -> (Vec<Group<'_>>, Vec<&Told>) {
        let (mut groups, mut apart): (Vec<Group<'_>>, _) = (Vec::new(), Vec::new());
        for told in self.told.iter().flatten() {
            let Some(end) = told.plain_end() else {
                apart.push(told);
                continue;
            };
            let (output, member) = (told.field("output"), (told.field("target"), told.field("command_id")));
            match groups.iter_mut().find(|group| group.output == output && group.end == end) {
                Some(group) => group.members.push(member),
                None => groups.push(Group { members: vec![member], end, output, exit_code: told.fields.get("exit_code") }),
            }
        }
        (groups, apart)
    }

    /// How long it has rested, where it rests.
    #[must_use]
    pub fn rests_for(&self) -> Duration {
        self.since.elapsed()
    }

    /// Those that come next, or why none do.
    fn next(&self, pace: Pace) -> Result<Vec<usize>, Rest> {
        let open = |count: usize| self.told.iter().take(count).enumerate().filter(|(_, told)| told.is_none()).map(|(number, _)| number);
        let all = self.told.len();
        let has_asked = self.count(End::Asked) > 0;
        if open(all).next().is_none() && !has_asked {
            return Err(Rest::Done);
        }
        if self.told.iter().take(pace.canary).flatten().any(|told| told.end == End::Badly) {
            return Err(Rest::Canary);
        }
        if self.count(End::Badly) >= pace.max_failures {
            return Err(Rest::Failures);
        }
        if has_asked {
            return Err(Rest::Waits);
        }
        let at_once = pace.parallel.max(1);
        let first: Vec<usize> = open(pace.canary).take(at_once).collect();
        Ok(if first.is_empty() { open(all).take(at_once).collect() } else { first })
    }
}

/// A rollout.
#[derive(Debug)]
pub struct Rollout {
    /// Its number among the commands.
    pub id: CommandId,
    /// What identifies the call.
    key: String,
    /// Who.
    pub caller: String,
    /// Where, the first ones first.
    pub targets: Vec<String>,
    /// How far at a time.
    pub pace: Pace,
    /// Stops what is at it. See [`end_early`](Self::end_early).
    pub stop: CancellationToken,
    sheet: watch::Sender<Sheet>,
    is_heard: AtomicBool,
}

impl Rollout {
    /// One that nobody has taken up yet.
    #[must_use]
    pub fn new(key: String, caller: String, targets: Vec<String>, pace: Pace) -> Self {
        let sheet = Sheet { told: vec![None; targets.len()], batch: Vec::new(), rest: Some(Rest::Waits), since: Instant::now() };
        let (id, stop, is_heard) = (CommandId::next(), CancellationToken::new(), AtomicBool::new(false));
        Self { id, key, caller, targets, pace, stop, sheet: watch::Sender::new(sheet), is_heard }
    }

    /// How it stands.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        self.sheet.borrow().clone()
    }

    /// What is at it, and what was not begun or waits for a person, by name.
    #[must_use]
    pub fn left(&self, sheet: &Sheet) -> (Vec<&str>, Vec<&str>) {
        let open = |number: &usize| sheet.told.get(*number).is_some_and(|told| told.as_ref().is_none_or(|told| told.end == End::Asked));
        let is_at_it = |number: &usize| sheet.rest.is_none() && sheet.batch.contains(number);
        let (running, pending): (Vec<usize>, Vec<usize>) = (0..self.targets.len()).filter(open).partition(is_at_it);
        let names = |numbers: Vec<usize>| numbers.into_iter().filter_map(|number| self.targets.get(number).map(String::as_str)).collect();
        (names(running), names(pending))
    }

    /// Why nothing more is begun, where something is left.
    #[must_use]
    pub fn because(&self, sheet: &Sheet) -> Option<String> {
        let of = |end: End| {
            let named = self.targets.iter().zip(&sheet.told).filter(|(_, told)| matches!(told, Some(told) if told.end == end));
            named.map(|(target, _)| target.as_str()).collect::<Vec<_>>().join(", ")
        };
        match sheet.rest? {
            Rest::Done => None,
            Rest::Canary => Some(format!("a canary failed: {}", of(End::Badly))),
            Rest::Failures => Some(format!("max_failures={} is reached: {}", self.pace.max_failures, of(End::Badly))),
            Rest::Waits => Some(format!("a person has to agree on {}", of(End::Asked))),
            Rest::Request => Some("that was asked for".to_owned()),
        }
    }

    /// How it stands, as a structure. What came of the targets is in it once it rests.
    #[must_use]
    pub fn fields(&self, sheet: &Sheet) -> Map<String, Value> {
        let (running, pending) = self.left(sheet);
        let mut fields: Vec<(&str, Value)> = vec![
            ("state", sheet.word().into()),
            ("done", sheet.count(End::Well).into()),
            ("failed", sheet.count(End::Badly).into()),
            ("running", running.into()),
            ("pending", pending.into()),
        ];
        fields.extend(self.because(sheet).map(|because| ("stopped_because", Value::from(because))));
        if sheet.rest.is_some() {
            let results: Vec<Value> = sheet.told.iter().flatten().map(Told::result).collect();
            let groups: Vec<Value> = sheet.groups().0.iter().map(Group::fields).collect();
            fields.extend([("results", Value::from(results)), ("groups", Value::from(groups))]);
        }
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// How many of its targets came to this end.
    #[must_use]
    pub fn count(&self, end: End) -> usize {
        self.sheet.borrow().count(end)
    }

    /// Does it go on?
    #[must_use]
    pub fn runs(&self) -> bool {
        self.sheet.borrow().rest.is_none()
    }

    /// Waits until nothing more is begun and nothing is at it.
    pub async fn rests(&self) {
        // It lives as long as this.
        let _ = self.sheet.subscribe().wait_for(|sheet| sheet.rest.is_some()).await.is_ok();
    }

    /// Takes it up where it waits: whoever hears `true` carries it on. Those that were asked about are tried again.
    #[must_use]
    pub fn take_up(&self) -> bool {
        self.sheet.send_if_modified(|sheet| {
            if sheet.rest != Some(Rest::Waits) || self.stop.is_cancelled() {
                return false;
            }
            sheet.rest = None;
            for told in &mut sheet.told {
                told.take_if(|told| told.end == End::Asked);
            }
            true
        })
    }

    /// Begins nothing more, and stops what is at it.
    pub fn end_early(&self) {
        self.stop.cancel();
        self.sheet.send_if_modified(|sheet| {
            let waits = sheet.rest == Some(Rest::Waits);
            if waits {
                sheet.rest = Some(Rest::Request);
            }
            waits
        });
    }

    /// Those that come next; none where it rests from now on.
    #[must_use]
    pub fn next_batch(&self) -> Vec<usize> {
        let mut batch = Vec::new();
        self.sheet.send_modify(|sheet| {
            let next = match sheet.next(self.pace) {
                Err(Rest::Done) => Err(Rest::Done),
                _ if self.stop.is_cancelled() => Err(Rest::Request),
                next => next,
            };
            match next {
                Ok(numbers) => batch = numbers,
                Err(rest) => (sheet.rest, sheet.since) = (Some(rest), Instant::now()),
            }
            sheet.batch.clone_from(&batch);
        });
        batch
    }

    /// Those that would come next, for who may say no to them.
    #[must_use]
    pub fn upcoming(&self) -> Vec<usize> {
        self.sheet.borrow().next(self.pace).unwrap_or_default()
    }

    /// What came of a target.
    pub fn on_told(&self, number: usize, told: Told) {
        self.sheet.send_modify(|sheet| {
            if let Some(place) = sheet.told.get_mut(number) {
                *place = Some(told);
            }
        });
    }

    /// Its end was told to who began it: the same call begins a new one.
    pub fn on_heard(&self) {
        self.is_heard.store(true, Ordering::Release);
    }

    fn is_heard(&self) -> bool {
        self.is_heard.load(Ordering::Acquire)
    }

    fn is_kept(&self, now: Instant) -> bool {
        let sheet = self.sheet.borrow();
        sheet.rest.is_none() || now.saturating_duration_since(sheet.since) < ROLLOUT_KEPT_MAX
    }

    fn waits(&self) -> bool {
        self.sheet.borrow().rest == Some(Rest::Waits)
    }
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub struct Rollouts(Mutex<Vec<Arc<Rollout>>>);

impl Rollouts {
    fn all(&self) -> MutexGuard<'_, Vec<Arc<Rollout>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rollout of this call whose end nobody has heard, else a new one.
    ///
    /// # Errors
    ///
    /// When too many go on.
    pub fn claim(&self, key: String, caller: &str, targets: Vec<String>, pace: Pace) -> Result<Arc<Rollout>, String> {
        let (mut all, now) = (self.all(), Instant::now());
        all.retain(|known| known.is_kept(now));
        if let Some(known) = all.iter().find(|known| known.key == key && !known.is_heard()) {
            return Ok(Arc::clone(known));
        }
        if all.len() >= ROLLOUTS_MAX {
            // What waits for a person would begin anew, and so would an end that nobody has heard: that goes last.
            let heard = all.iter().position(|known| known.is_heard());
            let Some(ended) = heard.or_else(|| all.iter().position(|known| !known.runs() && !known.waits())) else {
                let ids: Vec<String> = all.iter().map(|known| known.id.to_string()).collect();
                let ids = ids.join(", ");
                return Err(format!(
                    "{ROLLOUTS_MAX} rollouts go on or wait for a person, which is the most: {ids}; wait for one, or end it with ssh_interrupt"
                ));
            };
            all.remove(ended);
        }
        let rollout = Arc::new(Rollout::new(key, caller.to_owned(), targets, pace));
        all.push(Arc::clone(&rollout));
        Ok(rollout)
    }

    /// The one of this number.
    #[must_use]
    pub fn find(&self, id: CommandId) -> Option<Arc<Rollout>> {
        self.all().iter().find(|known| known.id == id).cloned()
    }

    /// Those that go on.
    #[must_use]
    pub fn running(&self) -> Vec<CommandId> {
        self.all().iter().filter(|known| known.runs()).map(|known| known.id).collect()
    }

    /// Does one go on?
    #[must_use]
    pub fn are_running(&self) -> bool {
        self.all().iter().any(|known| known.runs())
    }

    /// The process ends: nothing more is begun.
    pub fn stop_all(&self) {
        self.all().iter().for_each(|known| known.end_early());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { canary: 1, parallel: 2, max_failures: 2 };

    fn rollout(targets: usize, pace: Pace) -> Rollout {
        Rollout::new(String::new(), String::new(), vec![String::new(); targets], pace)
    }

    fn tell(rollout: &Rollout, batch: &[usize], end: End) {
        for number in batch {
            rollout.on_told(*number, Told { end, fields: Map::new(), text: String::new(), error: false, approvals: Vec::new() });
        }
    }

    /// The batches up to the rest, where each target ends like this.
    fn batches(rollout: &Rollout, end: impl Fn(usize) -> End) -> (Vec<Vec<usize>>, Rest) {
        let mut batches = Vec::new();
        loop {
            let batch = rollout.next_batch();
            if batch.is_empty() {
                return (batches, rollout.sheet().rest.unwrap());
            }
            batch.iter().for_each(|number| tell(rollout, &[*number], end(*number)));
            batches.push(batch);
        }
    }

    #[test]
    fn the_first_ones_come_alone_and_the_others_in_batches() {
        let run = |targets: usize, pace: Pace| {
            let rollout = rollout(targets, pace);
            assert!(rollout.take_up() && !rollout.take_up(), "one carries it on");
            batches(&rollout, |_| End::Well)
        };
        assert_eq!(run(4, PACE), (vec![vec![0], vec![1, 2], vec![3]], Rest::Done));
        assert_eq!(run(3, Pace { canary: 0, ..PACE }), (vec![vec![0, 1], vec![2]], Rest::Done));
        assert_eq!(run(4, Pace { canary: 3, ..PACE }), (vec![vec![0, 1], vec![2], vec![3]], Rest::Done));
        assert_eq!(run(1, Pace { canary: 9, ..PACE }), (vec![vec![0]], Rest::Done));
    }

    #[test]
    fn nothing_is_begun_behind_a_first_one_that_failed_or_too_many_others() {
        let run = |bad: &[usize]| {
            let rollout = rollout(6, PACE);
            assert!(rollout.take_up());
            batches(&rollout, |number| if bad.contains(&number) { End::Badly } else { End::Well })
        };
        assert_eq!(run(&[0]), (vec![vec![0]], Rest::Canary));
        assert_eq!(run(&[1]), (vec![vec![0], vec![1, 2], vec![3, 4], vec![5]], Rest::Done));
        assert_eq!(run(&[1, 3]), (vec![vec![0], vec![1, 2], vec![3, 4]], Rest::Failures));
        assert_eq!(run(&[1, 5]), (vec![vec![0], vec![1, 2], vec![3, 4], vec![5]], Rest::Done));
    }

    #[test]
    fn what_waits_for_a_person_goes_on_where_it_stopped() {
        let rollout = rollout(4, PACE);
        assert!(rollout.take_up());
        let asked = |number: usize| if number == 2 { End::Asked } else { End::Well };
        assert_eq!(batches(&rollout, asked), (vec![vec![0], vec![1, 2]], Rest::Waits));
        assert!(!rollout.runs() && rollout.take_up());
        assert_eq!(batches(&rollout, |_| End::Well), (vec![vec![2, 3]], Rest::Done));
        assert_eq!(rollout.sheet().count(End::Well), 4);
    }

    #[test]
    fn one_that_is_stopped_begins_nothing_more() {
        let rollout = rollout(4, PACE);
        assert!(rollout.take_up());
        assert_eq!(rollout.upcoming(), [0]);
        let batch = rollout.next_batch();
        rollout.end_early();
        tell(&rollout, &batch, End::Well);
        assert!(rollout.next_batch().is_empty());
        assert_eq!(rollout.sheet().rest, Some(Rest::Request));
        assert!(!rollout.take_up());
        let waiting = Rollout::new(String::new(), String::new(), vec![String::new(); 4], PACE);
        waiting.end_early();
        assert_eq!((waiting.sheet().rest, waiting.take_up()), (Some(Rest::Request), false));
    }

    #[test]
    fn a_target_is_named_once_whatever_it_is_called() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(named_twice(&names(&["w1", "w2", "w1#main"])).map(String::as_str), Some("w1#main"));
        assert_eq!(named_twice(&names(&["w1", "w2", "w1#2"])), None);
    }

    #[test]
    fn a_call_has_one_rollout_until_its_end_was_heard() {
        let rollouts = Rollouts::default();
        let claim = |key: &str| rollouts.claim(key.to_owned(), "x", vec!["a".to_owned()], PACE);
        let one = claim("a").unwrap();
        assert!(one.take_up() && rollouts.are_running());
        assert_eq!(claim("a").unwrap().id, one.id);
        batches(&one, |_| End::Well);
        assert_eq!((claim("a").unwrap().id, rollouts.are_running()), (one.id, false));
        one.on_heard();
        assert_ne!(claim("a").unwrap().id, one.id);
        assert_eq!(rollouts.find(one.id).unwrap().id, one.id, "it can be read again");
        // The one that was heard makes room, those that wait do not.
        for number in 2..ROLLOUTS_MAX {
            claim(&number.to_string()).unwrap();
        }
        claim("last").unwrap();
        assert!(rollouts.find(one.id).is_none());
        let (last, full) = (claim("last").unwrap(), claim("more").unwrap_err());
        assert!(full.contains("which is the most: c") && full.contains(&format!("{}; wait for one", last.id)), "{full}");
    }

    #[test]
    fn an_end_that_was_heard_makes_room_before_one_that_was_not() {
        let rollouts = Rollouts::default();
        let claim = |key: &str| rollouts.claim(key.to_owned(), "x", vec!["a".to_owned()], PACE).unwrap();
        let ended = |key: &str| {
            let rollout = claim(key);
            assert!(rollout.take_up());
            batches(&rollout, |_| End::Well);
            rollout
        };
        let (unheard, heard) = (ended("unheard"), ended("heard"));
        heard.on_heard();
        for number in 2..=ROLLOUTS_MAX {
            claim(&number.to_string());
        }
        assert!(rollouts.find(heard.id).is_none());
        assert_eq!(claim("unheard").id, unheard.id, "nothing is done twice");
        claim("more");
        assert!(rollouts.find(unheard.id).is_none(), "where there is no other room");
    }
}

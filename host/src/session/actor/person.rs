//! What people do at a session: they type as at any terminal, and agents are told of it afterwards.
//!
//! A person is not judged and gets no secret typed. A line that they send at the prompt is a command of theirs to the machine, so
//! that nothing of an agent is typed into what it starts; what they leave unfinished is taken back before an agent's command.

use std::collections::VecDeque;

use super::leftover::Leftover;
use super::{Accepted, Actor, Approved, Author, Case, CommandId, Order, Purpose, Refusal, RunRequest, Screen, Started, now};
use crate::limits::{AUDIENCE_PAST_BYTES, HANDOVER_MAX_CHARS, SETUPS_KEPT, TERMINAL_SIZES};
use crate::policy;
use crate::policy::approved::Payload;
use crate::policy::keys::Assembled;
use crate::session::audience::{Scene, Watched};
use crate::session::handover::{HIDDEN, TypedLine};
use crate::session::report::{Meanwhile, OutputQuery};

/// What stands for a line that is typed into a full-screen program.
const FULL_SCREEN: &str = "[in a full-screen program]";

impl Actor {
    /// Bytes that a person types.
    pub(super) async fn on_person(&mut self, who: Author, bytes: Vec<u8>) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        let start = self.machine.stream().log().end();
        let (at_prompt, hidden) = (self.machine.is_idle(), self.machine.may_want_secret());
        let mut typed = self.keys.line.clone();
        let lines = typed.on_typed(&bytes);
        let ahead = [self.keys.ahead].into_iter().chain(std::iter::repeat(0));
        let shown: Vec<String> = lines.iter().zip(ahead).map(|(line, ahead)| self.shown_of(line, ahead, at_prompt, hidden)).collect();
        let text = shown.join("\n");
        let begins = at_prompt && !lines.is_empty();
        let id = begins.then(CommandId::next).or_else(|| self.machine.running().map(|running| running.id));
        let verdict = policy::person_verdict();
        let purpose = if begins { Purpose::Run } else { Purpose::Send };
        let request = RunRequest::new(&text, purpose, &who.to_string());
        let mut witness = None;
        if !lines.is_empty() {
            let case = Case::new(&request, self.place(self.machine.mode()), &verdict, id);
            let held = self.profile.witness(case).await.map_err(|refusal| match refusal {
                Refusal::Cannot(why) => why,
                _ => "it cannot be recorded".to_owned(),
            })?;
            witness = Some(held);
            self.keys.ahead = 0;
            self.profile.commons.handover.typed(TypedLine { by: who.clone(), text: text.clone() }, start);
            self.audience.show(|| Scene::Typed(TypedLine { by: who.clone(), text: text.clone() }));
        }
        self.keys.line.clone_from(&typed);
        self.keys.leftover.on_typed(!at_prompt && !lines.is_empty());
        let approved = policy::person(bytes, who.clone());
        match (id, witness) {
            (Some(id), Some(witness)) if begins => {
                let lines = VecDeque::from([approved]);
                let caller = who.to_string();
                let started = Started { id, caller, text, lines, goal: None, limit: None, one_prompt: false, manual: true };
                let (Accepted { .. }, effects) = self.begin(started, verdict, witness);
                self.keys.line = typed;
                self.perform(effects).await;
            }
            // What the device does not show is nobody's to keep.
            _ if hidden => self.answer(approved.hidden()).await,
            _ => self.answer(approved).await,
        }
        Ok(())
    }

    /// A line as the device shows it. What it does not show may be a password. So many bytes of it were typed before the prompt came.
    fn shown_of(&self, line: &Assembled, ahead: usize, at_prompt: bool, hidden: bool) -> String {
        if hidden {
            return HIDDEN.to_owned();
        }
        if self.machine.is_full_screen() {
            return FULL_SCREEN.to_owned();
        }
        let row = self.machine.shown_line();
        let typed = line.text.trim();
        let behind = line.text.get(ahead..).unwrap_or_default().trim();
        let lags = |text: &str| !line.unknown && text.starts_with(row.as_str());
        // Behind a prompt the device shows what is typed, with what history and completion have made of it; it may lag behind.
        let known = match () {
            () if !at_prompt || !row.is_empty() && lags(typed) => typed,
            () if lags(behind) => behind,
            () => row.as_str(),
        };
        let is_shown = at_prompt || known.is_empty() || row.contains(known);
        self.profile.shown(if is_shown { known } else { HIDDEN })
    }

    /// May this author type now? Renews what is theirs.
    pub(super) fn may_type(&self, by: &Author) -> Result<(), Refusal> {
        self.profile.commons.lock.check(by, now()).map_err(|held| Refusal::Cannot(held.why))?;
        self.profile.commons.lock.on_typed(by, now());
        Ok(())
    }

    /// A caller's line is about to be typed at the prompt: what people did has come out before.
    pub(super) fn on_callers_turn(&mut self, by: &Author, text: &str) {
        let end = self.machine.stream().log().end();
        self.keys.leftover = Leftover::default();
        self.profile.commons.handover.agent_begins(end);
        if by.is_person() {
            let line = TypedLine { by: by.clone(), text: self.profile.kept(text) };
            self.profile.commons.handover.typed(line, end);
        } else {
            self.profile.commons.lock.on_typed(by, now());
        }
    }

    /// Has those who wait for their turn looked at again.
    pub(super) async fn go_on_waiting(&mut self) {
        self.held_until = None;
        if self.machine.is_idle() && !self.waiting.is_empty() {
            let effects = self.start_next().await;
            self.perform(effects).await;
        }
    }

    /// Shows and records who writes to the line. What people type is shown line by line when they send it.
    pub(super) fn note_author(&mut self, approved: &Approved) {
        let by = approved.author();
        if self.written_by.as_ref() != Some(by) {
            self.written_by = Some(by.clone());
            self.cast.mark(&by.to_string(), now());
        }
        if by.is_person() {
            return;
        }
        self.audience.show(|| {
            let text = match (approved.is_hidden(), approved.payload(), approved.echo()) {
                (true, ..) => HIDDEN.to_owned(),
                (_, Payload::Secret { name, .. }, _) => format!("[secret:{name}]"),
                (_, _, Some(echo)) => echo.to_owned(),
                (_, Payload::Bytes(bytes), None) => crate::terminal::text::escaped(&String::from_utf8_lossy(bytes)),
            };
            Scene::Typed(TypedLine { by: by.clone(), text })
        });
    }

    /// Lets somebody watch.
    pub(super) fn watched(&mut self) -> Watched {
        let (scenes, missed) = self.audience.open();
        let log = self.machine.stream().log();
        let from = log.end().saturating_sub(AUDIENCE_PAST_BYTES as u64).max(log.start());
        let mut past = Vec::new();
        let mut at = from;
        let going_on = self.setup_from.map(|start| (start, log.end()));
        let setups = self.setups.iter().copied().chain(going_on).filter(|(_, end)| *end > from);
        for (start, end) in setups.chain([(log.end(), log.end())]) {
            // What cannot be read is not shown.
            past.extend(log.read(at, start.max(at)).map(|(_, bytes)| bytes.to_vec()).unwrap_or_default());
            at = end;
        }
        Watched { past, is_cut: from > 0, end: log.end(), size: self.profile.size, scenes, missed }
    }

    /// Something is typed by itself: before the first command that is the session's own setting up.
    pub(super) fn note_setup(&mut self) {
        if self.machine.is_opening() && self.setup_from.is_none() {
            self.setup_from = Some(self.machine.stream().log().end());
        }
    }

    /// The setting up waits for somebody: who watches sees it.
    pub(super) fn give_up_setup(&mut self) {
        if self.setup_from.take().is_some() {
            self.audience.skip();
        }
    }

    /// The session is set up.
    pub(super) fn end_setup(&mut self) {
        let Some(from) = self.setup_from.take() else { return };
        if self.setups.len() >= SETUPS_KEPT {
            self.setups.pop_front();
        }
        self.setups.push_back((from, self.machine.stream().log().end()));
    }

    /// Gives the terminal another size.
    pub(super) fn on_resize(&mut self, (columns, rows): (u16, u16)) -> Result<(), String> {
        if !TERMINAL_SIZES.contains(&columns) || !TERMINAL_SIZES.contains(&rows) {
            let (least, most) = (TERMINAL_SIZES.start(), TERMINAL_SIZES.end());
            return Err(format!("{columns} columns and {rows} rows is no size for a terminal; both are {least} to {most}"));
        }
        if self.profile.size == (columns, rows) {
            return Ok(());
        }
        self.profile.size = (columns, rows);
        self.machine.set_columns(columns);
        if let Some(screen) = &mut self.screen {
            *screen = Screen::replay(self.machine.stream().log(), (columns, rows));
        }
        self.audience.show(|| Scene::Size(columns, rows));
        self.cast.size((columns, rows), now());
        self.order(Order::Resize(columns, rows));
        Ok(())
    }

    /// What this agent was not told of what people did.
    pub(super) fn meanwhile(&self, agent: &str) -> Option<Meanwhile> {
        let news = self.profile.commons.handover.take(agent)?;
        let log = self.machine.stream().log();
        let end = news.end.unwrap_or_else(|| log.end());
        let query = OutputQuery { max_chars: HANDOVER_MAX_CHARS, ..OutputQuery::default() };
        let (output, range) = self.profile.output(&self.source(), &[(news.start.min(end), end)], &query).unwrap_or_default();
        Some(Meanwhile { lines: news.lines, left_out: news.left_out, output, range })
    }

    /// Is a command of somebody running, for leases that last as long?
    pub(super) fn note_busy(&self) {
        self.profile.commons.lock.set_busy(self.machine.running().is_some(), now());
    }
}

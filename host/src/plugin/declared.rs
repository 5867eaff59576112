//! From a declaration to the manifest of the plugin that serves it.
//!
//! A declared device type needs no component of its own: the patterns become triggers and failures, which the host matches, the
//! texts become sends, which the host types, the command language becomes facts for the policy plugins, and what is left (which
//! trigger means which mode, which key turns a page) becomes settings. So all that a plugin's manifest says of itself, and an
//! operator can look at, is true for a declared type as well, and the plugin's code needs neither TOML nor a regex engine.
//!
//! Triggers are named `mode:NAME`, `pager:N`, `pager-end:N`, `question:N` and `goal:NAME`; settings begin with the same words.

use serde_json::Value;

use super::manifest::{EchoStyle, FailureSpec, Manifest, QuerySpec, Role, SensitiveSpec, SettingSpec, TriggerSpec};
use super::modes::{CandidateSpec, TransitionSpec};
use crate::config::Declaration;
use crate::config::declaration::{Kind, Words};

/// The manifest of the plugin for this type, made from that of the component.
#[must_use]
pub fn manifest(mut base: Manifest, declaration: &Declaration) -> Manifest {
    base.description.clone_from(&declaration.title);
    terminal(&mut base, declaration);
    keys(&mut base, declaration);
    modes(&mut base, declaration);
    setup(&mut base, declaration);
    pagers(&mut base, declaration);
    // A goal's question is asked about before the general ones.
    goals(&mut base, declaration);
    ways(&mut base, declaration);
    questions(&mut base, declaration);
    base.failures = declaration.errors.iter().flat_map(failures).collect();
    base.blocks = declaration.blocks.iter().map(|block| block.spec.clone()).collect();
    base.facts = facts(&declaration.policy);
    base.identify.clone_from(&declaration.clues);
    // Beside those that the component's own manifest has for every declared type.
    let patterns = declaration.sensitive.iter().flat_map(|group| &group.patterns);
    base.sensitive.extend(patterns.map(|pattern| SensitiveSpec { pattern: pattern.clone() }));
    setting(&mut base, "declared", Value::from(true));
    base
}

fn terminal(base: &mut Manifest, declaration: &Declaration) {
    let (spec, own) = (&mut base.terminal, &declaration.terminal);
    spec.kind = own.kind.clone().or_else(|| spec.kind.take());
    spec.columns = own.columns.or(spec.columns);
    spec.rows = own.rows.or(spec.rows);
    spec.enter = own.enter.clone().or_else(|| spec.enter.take());
    spec.login_suffix = own.login_suffix.clone().or_else(|| spec.login_suffix.take());
    spec.echo = match own.echo {
        Some("redraw") => Some(EchoStyle::Redraw),
        Some("none") => Some(EchoStyle::None),
        Some(_) => Some(EchoStyle::Full),
        None => spec.echo,
    };
    let query = |(ask, answer): &(String, String)| QuerySpec { ask: ask.clone(), answer: answer.clone() };
    base.queries = declaration.queries.iter().map(query).collect();
}

fn keys(base: &mut Manifest, declaration: &Declaration) {
    for (index, key) in declaration.cancel.iter().enumerate() {
        let name = format!("cancel-{index}");
        base.sends.insert(name.clone(), key.clone());
        base.cancel.push(name);
    }
    if let Some(key) = &declaration.clear_line {
        base.sends.insert("clear-line".to_owned(), key.clone());
        base.clear_line = Some("clear-line".to_owned());
    }
    base.live_keys.clone_from(&declaration.live_keys);
    base.line_max = declaration.line_max;
    base.context.clone_from(&declaration.context);
}

fn modes(base: &mut Manifest, declaration: &Declaration) {
    for mode in &declaration.modes {
        trigger(base, Role::Prompt, format!("mode:{}", mode.name), &mode.prompt, mode.veto.as_deref());
        let key = |what: &str| format!("mode.{}.{what}", mode.name);
        let kind = match mode.kind {
            Kind::Recovery => "recovery",
            Kind::Incomplete => "incomplete",
            Kind::Shell => "shell",
            Kind::Ready => "ready",
        };
        setting(base, &key("kind"), Value::from(kind));
        for (what, value) in [("after", &mode.after_host), ("meaning", &mode.meaning)] {
            if !value.is_empty() {
                setting(base, &key(what), Value::from(value.as_str()));
            }
        }
        if mode.privileged {
            setting(base, &key("privileged"), Value::from(true));
        }
        if mode.cut > 0 {
            setting(base, &key("cut"), Value::from(mode.cut));
        }
    }
}

/// The sends for each mode, with and without those that turn paging off.
fn setup(base: &mut Manifest, declaration: &Declaration) {
    for (index, setup) in declaration.setup.iter().enumerate() {
        base.sends.insert(format!("setup-{index}"), format!("{}{{enter}}", setup.line));
    }
    for mode in &declaration.modes {
        let sends = |pages: bool| {
            let each = declaration.setup.iter().enumerate();
            let wanted = each.filter(|(_, setup)| setup.modes.contains(&mode.name) && !(pages && setup.paging));
            wanted.map(|(index, _)| format!("setup-{index}")).collect::<Vec<_>>().join(" ")
        };
        for (what, sends) in [("setup", sends(false)), ("setup-pages", sends(true))] {
            if !sends.is_empty() {
                setting(base, &format!("mode.{}.{what}", mode.name), Value::from(sends));
            }
        }
    }
}

fn pagers(base: &mut Manifest, declaration: &Declaration) {
    for (index, pager) in declaration.pagers.iter().enumerate() {
        if let Some((pattern, key)) = &pager.end {
            trigger(base, Role::Pager, format!("pager-end:{index}"), pattern, pager.veto.as_deref());
            base.sends.insert(format!("pager-end-{index}"), key.clone());
        }
        trigger(base, Role::Pager, format!("pager:{index}"), &pager.pattern, pager.veto.as_deref());
        base.sends.insert(format!("pager-{index}"), pager.key.clone());
        if pager.stays {
            setting(base, &format!("pager.{index}.stays"), Value::from(true));
        }
    }
    setting(base, "pagers", Value::from(declaration.pagers.len()));
}

fn goals(base: &mut Manifest, declaration: &Declaration) {
    for goal in &declaration.goals {
        trigger(base, Role::Dialog, format!("goal:{}", goal.name), &goal.question, None);
        let key = |what: &str| format!("goal.{}.{what}", goal.name);
        for (what, value) in [("command", &goal.command), ("to", &goal.to), ("secret", &goal.secret), ("from", &goal.from.join(" "))] {
            setting(base, &key(what), Value::from(value.as_str()));
        }
        if let Some(leave) = &goal.leave {
            base.sends.insert(format!("leave-{}", goal.name), leave.clone());
            setting(base, &key("tries"), Value::from(goal.tries));
        }
        if !base.secrets.contains(&goal.secret) {
            base.secrets.push(goal.secret.clone());
        }
    }
    let names: Vec<&str> = declaration.goals.iter().map(|goal| goal.name.as_str()).collect();
    setting(base, "goals", Value::from(names.join(" ")));
}

/// Each way and each act is a send of its own.
fn ways(base: &mut Manifest, declaration: &Declaration) {
    let mut send = |name: String, line: &str| {
        base.sends.insert(name.clone(), format!("{line}{{enter}}"));
        name
    };
    let mut transitions = Vec::new();
    for (index, way) in declaration.transitions.iter().enumerate() {
        let send = send(format!("way-{index}"), &way.line);
        transitions.push(TransitionSpec { types: Vec::new(), from: way.from.clone(), to: way.to.clone(), send });
    }
    let mut act = |name: &str, line: &Option<String>| line.as_ref().map(|line| send(format!("candidate-{name}"), line));
    let candidate = declaration.candidate.as_ref().map(|own| CandidateSpec {
        types: Vec::new(),
        mode: own.mode.clone(),
        diff: act("diff", &own.diff),
        check: act("check", &own.check),
        commit: act("commit", &Some(own.commit.clone())).unwrap_or_default(),
        confirmed: act("confirmed", &own.confirmed),
        confirm: act("confirm", &own.confirm),
        discard: act("discard", &own.discard),
    });
    base.transitions = transitions;
    base.candidates = candidate.into_iter().collect();
    let ready = declaration.modes.iter().find(|mode| mode.kind == Kind::Ready);
    base.first_mode = ready.or_else(|| declaration.modes.first()).map(|mode| mode.name.clone());
    base.modes = declaration.modes.iter().filter_map(|mode| Some((mode.also.clone()?, mode.name.clone()))).collect();
}

fn questions(base: &mut Manifest, declaration: &Declaration) {
    for (index, question) in declaration.questions.iter().enumerate() {
        trigger(base, Role::Dialog, format!("question:{index}"), &question.pattern, question.veto.as_deref());
        setting(base, &format!("question.{index}.kind"), Value::from(question.kind));
        setting(base, &format!("question.{index}.after"), Value::from(question.after_ms));
        if let Some(answer) = &question.at_login {
            base.sends.insert(format!("answer-{index}"), answer.clone());
            setting(base, &format!("question.{index}.answered"), Value::from(true));
        }
    }
}

fn failures(group: &crate::config::declaration::Failures) -> impl Iterator<Item = FailureSpec> + '_ {
    let spec = |pattern: &String| FailureSpec { kind: group.kind.to_owned(), pattern: pattern.clone(), veto: group.veto.clone() };
    group.patterns.iter().map(spec)
}

/// One word pattern a line.
fn facts(words: &Words) -> std::collections::BTreeMap<String, String> {
    let grammar: Vec<String> = words.grammar.into_iter().map(str::to_owned).collect();
    let lists = [
        ("words.separators", &words.separators),
        ("words.modes", &words.modes),
        ("words.reads", &words.reads),
        ("words.filters", &words.filters),
        ("words.wipe", &words.wipe),
        ("words.outage", &words.outage),
        ("words.lockout", &words.lockout),
        ("words.code", &words.code),
        ("words.remove", &words.remove),
        ("words.harmless", &words.harmless),
        ("words.copy_out", &words.copy_out),
        ("words.grammar", &grammar),
    ];
    lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| (name.to_owned(), list.join("\n"))).collect()
}

fn trigger(base: &mut Manifest, role: Role, name: String, pattern: &str, veto: Option<&str>) {
    base.triggers.push(TriggerSpec { role, name, pattern: pattern.to_owned(), veto: veto.map(str::to_owned) });
}

fn setting(base: &mut Manifest, key: &str, default: Value) {
    base.config.insert(key.to_owned(), SettingSpec { default, description: String::new(), declared: true });
}

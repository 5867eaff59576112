//! Asking the user through the client, in both eras of the protocol.
//!
//! A peer of the older era is asked while the call waits. One of the newer era gets the question as the call's result and makes the
//! same call again with the answer; the digits in its state say which request it answers. Only the one word that the form demands is
//! a yes: an empty form that a client fills in by itself is not.

use std::collections::BTreeMap;
use std::time::Instant;

use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, InputRequest,
    InputRequiredResult,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use super::reply::Reply;
use crate::limits::{APPROVAL_USE_MAX, APPROVAL_WAIT_MAX};
use crate::policy::approval::{Answer, Approvals, Request};

/// How the audit record names this way.
const CHANNEL: &str = "elicitation";
/// The words of the form, the safe one first.
const WORDS: [&str; 2] = ["deny", "allow_once"];
/// Between the digits of several requests.
const AND: &str = ".";

/// What can be done with a client that is to ask its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It cannot.
    None,
    /// While the call waits.
    Within,
    /// By another call.
    Again,
}

/// How this client can be asked.
pub(super) fn way(context: &RequestContext<RoleServer>) -> Way {
    let forms = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
    // A client that names no mode knows the first one, forms.
    let forms = forms.is_some_and(|forms| forms.form.is_some() || forms.url.is_none());
    match (forms, super::is_newer(context)) {
        (false, _) => Way::None,
        (true, true) => Way::Again,
        (true, false) => Way::Within,
    }
}

fn question(request: &Request) -> Option<ElicitRequestParams> {
    let schema = json!({
        "type": "object",
        "properties": {"decision": {
            "type": "string", "title": "Decision", "enum": WORDS, "default": WORDS[0],
            "description": "deny: nothing is typed. allow_once: exactly this, once."
        }},
        "required": ["decision"]
    });
    let Value::Object(schema) = schema else { return None };
    let requested_schema = ElicitationSchema::from_json_schema(schema).ok()?;
    let seconds = APPROVAL_USE_MAX.as_secs();
    let message = format!("{}\n\nAllow it once? An answer counts for {seconds} s.", request.shown());
    Some(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

/// What an answer says; `None` is no answer.
fn answer(result: &ElicitResult) -> Option<Answer> {
    let word = result.content.as_ref().and_then(|content| content["decision"].as_str());
    match (&result.action, word) {
        (ElicitationAction::Accept, Some("allow_once")) => Some(Answer::Allow),
        (ElicitationAction::Accept, Some("deny")) | (ElicitationAction::Decline, _) => Some(Answer::Deny),
        _ => None,
    }
}

fn by(context: &RequestContext<RoleServer>) -> String {
    format!("the user of {}", context.client_info().map_or_else(|| "an unknown client".to_owned(), |client| super::label(&client)))
}

/// Asks about all of them, one after the other. Has anybody answered? The call is then to be made again.
pub(super) async fn ask_within(approvals: &Approvals, requests: &[Request], context: &RequestContext<RoleServer>) -> bool {
    let mut answered = false;
    for request in requests {
        let Some(question) = question(request) else { continue };
        let asked = context.peer.create_elicitation_with_timeout(question, Some(APPROVAL_WAIT_MAX));
        let said = tokio::select! {
            said = asked => said.ok().as_ref().and_then(answer),
            () = context.ct.cancelled() => None,
        };
        let Some(said) = said else { return answered };
        // Somebody may have answered elsewhere meanwhile: the first answer counts.
        answered |= approvals.answer(&request.id, said, &by(context), CHANNEL, Instant::now()).is_ok();
    }
    answered
}

/// The call's result that asks about all of them.
pub(super) fn ask_again(requests: &[Request]) -> Option<InputRequiredResult> {
    let questions = requests.iter().filter_map(|request| {
        let asked = ElicitRequest::new(question(request)?);
        Some((request.id.clone(), InputRequest::Elicitation(asked)))
    });
    let questions: BTreeMap<String, InputRequest> = questions.collect();
    let state: Vec<&str> = requests.iter().map(|request| request.token.as_str()).collect();
    (!questions.is_empty()).then(|| InputRequiredResult::new(Some(questions), Some(state.join(AND))))
}

/// Does this call bring what its user was asked about one of these, and no decision? Who does not decide is not asked without end.
pub(super) fn is_undecided(state: Option<&str>, requests: &[Request]) -> bool {
    let mut tokens = state.into_iter().flat_map(|state| state.split(AND));
    tokens.any(|token| requests.iter().any(|request| request.token == token))
}

/// Takes the answers that come with a call. What does not belong to an open request of this call's caller is not looked at.
pub(super) fn take(approvals: &Approvals, params: &CallToolRequestParams, context: &RequestContext<RoleServer>, caller: &str) {
    let (Some(state), Some(responses)) = (&params.request_state, &params.input_responses) else { return };
    for token in state.split(AND) {
        let Some(request) = approvals.by_token(token, Instant::now()).filter(|request| request.subject.caller == caller) else { continue };
        let result = responses.get(&request.id).and_then(|value| serde_json::from_value::<ElicitResult>(value.clone()).ok());
        if let Some(said) = result.as_ref().and_then(answer) {
            // Another answer may have been faster.
            let _ = approvals.answer(&request.id, said, &by(context), CHANNEL, Instant::now());
        }
    }
}

/// Says in the reply that the user was asked.
pub(super) fn unanswered(mut reply: Reply) -> Reply {
    let note = "The user was asked and has not decided. ";
    let next = reply.fields.get("next").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !next.is_empty() {
        reply.text = reply.text.replace(&next, &format!("{note}{next}"));
        reply.fields.insert("next".to_owned(), format!("{note}{next}").into());
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_demanded_word_is_a_yes() {
        let said = |action: ElicitationAction, content: Option<Value>| {
            let mut result = ElicitResult::new(action);
            result.content = content;
            answer(&result)
        };
        use ElicitationAction::{Accept, Cancel, Decline};
        for (action, content, expected) in [
            (Accept, Some(json!({"decision": "allow_once"})), Some(Answer::Allow)),
            (Accept, Some(json!({"decision": "deny"})), Some(Answer::Deny)),
            (Accept, Some(json!({})), None),
            (Accept, None, None),
            (Accept, Some(json!({"decision": true})), None),
            (Accept, Some(json!({"decision": "ALLOW_ONCE"})), None),
            (Decline, Some(json!({"decision": "allow_once"})), Some(Answer::Deny)),
            (Cancel, Some(json!({"decision": "allow_once"})), None),
        ] {
            let shown = format!("{action:?} {content:?}");
            assert_eq!(said(action, content), expected, "{shown}");
        }
    }

    #[test]
    fn the_form_demands_a_word_and_denies_by_default() {
        let request = Request {
            id: "a1".to_owned(),
            subject: crate::policy::approval::Subject {
                device: "core".to_owned(),
                session: "core".to_owned(),
                user: "ops".to_owned(),
                mode: String::new(),
                cwd: String::new(),
                caller: "agent".to_owned(),
                purpose: "run".to_owned(),
                text: "reload".to_owned(),
                commit: String::new(),
                rule: "r".to_owned(),
            },
            reason: "it reloads".to_owned(),
            why: String::new(),
            token: "t".to_owned(),
        };
        let form = serde_json::to_value(question(&request).unwrap()).unwrap();
        let schema = &form["requestedSchema"];
        assert_eq!(schema["required"], json!(["decision"]));
        assert_eq!(schema["properties"]["decision"]["enum"], json!(["deny", "allow_once"]));
        assert_eq!(schema["properties"]["decision"]["default"], "deny");
        assert!(form["message"].as_str().unwrap().contains("\n  | reload\n"));
        let asked = ask_again(&[request]).unwrap();
        assert_eq!(asked.request_state.as_deref(), Some("t"));
    }
}

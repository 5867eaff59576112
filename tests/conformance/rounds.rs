//! The suite's tools that need several rounds: the result asks, the same call comes again with the answers.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rmcp::model::{CallToolRequestParams, CallToolResponse, ClientCapabilities, ErrorData, InputRequiredResult};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::fixtures::typed;
use super::tools::said;

/// The names.
pub const TOOLS: [&str; 9] = [
    "test_input_required_result_capabilities",
    "test_input_required_result_elicitation",
    "test_input_required_result_list_roots",
    "test_input_required_result_multi_round",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_request_state",
    "test_input_required_result_sampling",
    "test_input_required_result_tampered_state",
    "test_streaming_elicitation",
];

/// A question with one field.
pub fn form(message: &str, field: &str, kind: &str) -> Value {
    let schema = json!({"type": "object", "properties": {field: {"type": kind}}, "required": [field]});
    json!({"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}})
}

fn sampling(text: &str, tokens: u32) -> Value {
    let message = json!({"role": "user", "content": {"type": "text", "text": text}});
    json!({"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": tokens}})
}

fn roots() -> Value {
    json!({"method": "roots/list", "params": {}})
}

/// Asks for all of this.
fn ask(requests: Value, state: Option<String>) -> Result<CallToolResponse, ErrorData> {
    Ok(InputRequiredResult::new(Some(typed(requests)), state).into())
}

/// What only this process can have said.
fn sealed(text: &str) -> String {
    use std::sync::OnceLock;
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = [0; 32];
        getrandom::fill(&mut key).unwrap();
        key
    });
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}.{digits}")
}

fn opened<'s>(tool: &str, state: &'s str) -> Result<&'s str, ErrorData> {
    let text = state.split_once('.').map_or(state, |(text, _)| text);
    let round = text.strip_prefix(tool).and_then(|rest| rest.strip_prefix(':')).filter(|_| sealed(text) == state);
    round.ok_or_else(|| ErrorData::invalid_params("the state is not one that this server gave for this call", None))
}

/// One round.
pub fn call(request: &CallToolRequestParams, client: &ClientCapabilities) -> Result<CallToolResponse, ErrorData> {
    let tool = request.name.as_ref();
    let given = |key: &str| request.input_responses.as_ref().and_then(|given| given.get(key)).filter(|value| value.is_object());
    let word = |key: &str, field: &str| given(key).and_then(|value| value["content"][field].as_str().map(str::to_owned));
    let round = request.request_state.as_deref().map(|state| opened(tool, state)).transpose()?;
    let state = |round: &str| Some(sealed(&format!("{tool}:{round}")));
    let kind = tool.strip_prefix("test_input_required_result_").unwrap_or("elicitation");
    match kind {
        "elicitation" => match word("user_name", "name") {
            Some(name) => Ok(said(&format!("Hello, {name}!"))),
            None => ask(json!({"user_name": form("What is your name?", "name", "string")}), None),
        },
        "sampling" => match word("capital_question", "text") {
            Some(answer) => Ok(said(&answer)),
            None => ask(json!({"capital_question": sampling("What is the capital of France?", 100)}), None),
        },
        "list_roots" => match given("client_roots").and_then(|value| value["roots"].as_array()) {
            Some(roots) => Ok(said(&format!("Roots: {}", Value::from(roots.clone())))),
            None => ask(json!({"client_roots": roots()}), None),
        },
        "request_state" | "tampered_state" => match (round, given("confirm")) {
            (Some("1"), Some(_)) => Ok(said("state-ok")),
            _ => ask(json!({"confirm": form("Please confirm", "ok", "boolean")}), state("1")),
        },
        "multiple_inputs" => match (round, word("user_name", "name"), given("greeting"), given("client_roots")) {
            (Some("1"), Some(name), Some(_), Some(_)) => Ok(said(&format!("Hello, {name}!"))),
            _ => {
                let name = form("What is your name?", "name", "string");
                ask(json!({"user_name": name, "greeting": sampling("Generate a greeting", 50), "client_roots": roots()}), state("1"))
            }
        },
        "multi_round" => match (round, word("step1", "name"), word("step2", "color")) {
            (Some("1"), Some(_), _) => ask(json!({"step2": form("Step 2: What is your favorite color?", "color", "string")}), state("2")),
            (Some("2"), _, Some(color)) => Ok(said(&format!("Your color is {color}"))),
            _ => ask(json!({"step1": form("Step 1: What is your name?", "name", "string")}), state("1")),
        },
        _ => {
            let mut requests = Map::new();
            if client.elicitation.is_some() {
                requests.insert("name".to_owned(), form("What is your name?", "name", "string"));
            }
            if client.sampling.is_some() {
                requests.insert("greeting".to_owned(), sampling("Generate a greeting", 50));
            }
            if client.roots.is_some() {
                requests.insert("roots".to_owned(), roots());
            }
            match requests.is_empty() {
                true => Ok(said("the client can be asked nothing")),
                false => ask(requests.into(), None),
            }
        }
    }
}

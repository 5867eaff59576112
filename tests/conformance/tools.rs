//! The suite's tools of one round.

use std::time::Duration;

use jackfield::mcp::reply::Reply;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ErrorData, JsonObject, LoggingLevel,
    LoggingMessageNotificationParam, ProgressNotificationParam, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::fixtures::{Fixtures, is_newer, typed};
use super::rounds;

/// A PNG of one pixel.
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/// A WAV without a sample.
const SILENCE: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
/// Between the steps of what takes a while.
const STEP: Duration = Duration::from_millis(50);

/// The names of those without arguments.
const PLAIN: [&str; 15] = [
    "test_audio_content",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_embedded_resource",
    "test_error_handling",
    "test_image_content",
    "test_logging_tool",
    "test_missing_capability",
    "test_multiple_content_types",
    "test_reconnection",
    "test_simple_text",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_trigger_prompt_change",
    "test_trigger_tool_change",
];

pub fn all() -> Vec<Tool> {
    let tool = |name: &'static str, schema: Value| Tool::new(name, "A fixture", typed::<JsonObject>(schema));
    let text = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}, "required": [name]});
    let region = json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}});
    let own = [
        tool("json_schema_2020_12_tool", schema_2020()),
        tool("test_elicitation", text("message")),
        tool("test_sampling", text("prompt")),
        tool("test_x_mcp_header", region),
    ];
    let plain = PLAIN.into_iter().chain(rounds::TOOLS).map(|name| tool(name, json!({"type": "object", "properties": {}})));
    own.into_iter().chain(plain).collect()
}

/// What a schema may have in JSON Schema 2020-12.
fn schema_2020() -> Value {
    let text = json!({"type": "string"});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": text, "city": text}}},
        "properties": {
            "name": text, "address": {"$ref": "#/$defs/address"}, "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": text, "email": text
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false
    })
}

/// A text, made as the product makes its answers.
pub fn said(text: &str) -> CallToolResponse {
    Reply::new(json!({"said": text}), text.to_owned()).into_result().into()
}

fn content(blocks: Value) -> CallToolResponse {
    CallToolResult::success(typed(blocks)).into()
}

fn image() -> Value {
    json!({"type": "image", "data": PIXEL, "mimeType": "image/png"})
}

fn resource(uri: &str, mime: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": text}})
}

pub async fn call(
    fixtures: &Fixtures,
    request: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let argument = |name: &str| request.arguments.as_ref().and_then(|given| given.get(name)?.as_str()).unwrap_or_default().to_owned();
    let name = request.name.as_ref();
    if rounds::TOOLS.contains(&name) {
        return rounds::call(&request, &context.client_capabilities().unwrap_or_default());
    }
    Ok(match name {
        "test_simple_text" => said("This is a simple text response for testing."),
        "test_image_content" => content(json!([image()])),
        "test_audio_content" => content(json!([{"type": "audio", "data": SILENCE, "mimeType": "audio/wav"}])),
        "test_embedded_resource" => {
            content(json!([resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]))
        }
        "test_multiple_content_types" => {
            let text = json!({"type": "text", "text": "Multiple content types test:"});
            let data = json!({"test": "data", "value": 123}).to_string();
            content(json!([text, image(), resource("test://mixed-content-resource", "application/json", &data)]))
        }
        "test_error_handling" => Reply::failed("This tool intentionally returns an error for testing").into_result().into(),
        "test_tool_with_logging" | "test_logging_tool" => log(&context).await,
        "test_tool_with_progress" => progress(&context).await,
        "test_sampling" => sample(&argument("prompt"), &context).await?,
        "test_elicitation" => elicit("User response: ", &argument("message"), user_form(), &context).await?,
        "test_elicitation_sep1034_defaults" => elicit("Elicitation completed: ", "With defaults", defaults_form(), &context).await?,
        "test_elicitation_sep1330_enums" => elicit("Elicitation completed: ", "With choices", choices_form(), &context).await?,
        "test_missing_capability" => match context.client_capabilities().is_some_and(|client| client.sampling.is_some()) {
            true => said("the client can be asked for a sample"),
            false => return Err(ErrorData::missing_required_client_capability(typed::<ClientCapabilities>(json!({"sampling": {}})))),
        },
        "test_trigger_tool_change" => {
            fixtures.change_tools();
            said("the tools are others now")
        }
        "test_trigger_prompt_change" => {
            fixtures.shared.prompts.send_replace(());
            said("the prompts are others now")
        }
        _ => said("ok"),
    })
}

/// Three lines, as far as the client wants to see them.
async fn log(context: &RequestContext<RoleServer>) -> CallToolResponse {
    let wanted = !is_newer(context) || context.meta.log_level().is_some();
    for line in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        if wanted {
            let line = LoggingMessageNotificationParam::new(LoggingLevel::Info, line.into());
            context.peer.notify_logging_message(line).await.unwrap();
        }
        sleep(STEP).await;
    }
    said("logged")
}

async fn progress(context: &RequestContext<RoleServer>) -> CallToolResponse {
    for percent in [0.0, 50.0, 100.0] {
        if let Some(token) = context.meta.get_progress_token() {
            context.peer.notify_progress(ProgressNotificationParam::new(token, percent).with_total(100.0)).await.unwrap();
        }
        sleep(STEP).await;
    }
    said("done")
}

async fn sample(prompt: &str, context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let message = json!({"role": "user", "content": {"type": "text", "text": prompt}});
    #[expect(deprecated, reason = "the suite still asks for it")]
    let asked = context.peer.create_message(typed(json!({"messages": [message], "maxTokens": 100}))).await;
    let answer = asked.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let answer = serde_json::to_value(answer).unwrap();
    Ok(said(&format!("LLM response: {}", answer["content"]["text"].as_str().unwrap_or_default())))
}

async fn elicit(head: &str, message: &str, schema: Value, context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let form = json!({"mode": "form", "message": message, "requestedSchema": schema});
    let asked = context.peer.create_elicitation(typed(form)).await;
    let answer = asked.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let answer = serde_json::to_value(answer).unwrap();
    Ok(said(&format!("{head}action={}, content={}", answer["action"].as_str().unwrap_or_default(), answer["content"])))
}

fn user_form() -> Value {
    let field = |about: &str| json!({"type": "string", "description": about});
    json!({"type": "object", "properties": {"username": field("User's response"), "email": field("User's email address")},
        "required": ["username", "email"]})
}

fn defaults_form() -> Value {
    json!({"type": "object", "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true}
    }})
}

fn choices_form() -> Value {
    let titled = |name: &str| {
        let choice = |(number, word): (usize, &str)| json!({"const": format!("value{}", number + 1), "title": format!("{word} {name}")});
        ["First", "Second", "Third"].into_iter().enumerate().map(choice).collect::<Vec<_>>()
    };
    json!({"type": "object", "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": titled("Option")},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}}
    }})
}

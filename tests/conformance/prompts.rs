//! The suite's prompts.

use rmcp::model::{ErrorData, GetPromptRequestParams, GetPromptResponse, GetPromptResult, InputRequiredResult, Prompt, PromptArgument};
use serde_json::{Value, json};

use super::fixtures::typed;
use super::rounds;
use super::tools::PIXEL;

/// Names and required arguments.
const PROMPTS: [(&str, &[&str]); 5] = [
    ("test_simple_prompt", &[]),
    ("test_prompt_with_arguments", &["arg1", "arg2"]),
    ("test_prompt_with_embedded_resource", &["resourceUri"]),
    ("test_prompt_with_image", &[]),
    ("test_input_required_result_prompt", &[]),
];

pub fn all() -> Vec<Prompt> {
    let argument = |name: &&str| PromptArgument::new(*name).with_description("A fixture's argument").with_required(true);
    PROMPTS.map(|(name, arguments)| Prompt::new(name, Some("A fixture"), Some(arguments.iter().map(argument).collect()))).into()
}

pub fn get(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let argument = |name: &str| request.arguments.as_ref().and_then(|given| given.get(name)?.as_str()).unwrap_or_default().to_owned();
    let text = |text: &str| json!({"type": "text", "text": text});
    let contents = match request.name.as_str() {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            vec![text(&format!("Prompt with arguments: arg1='{}', arg2='{}'", argument("arg1"), argument("arg2")))]
        }
        "test_prompt_with_embedded_resource" => {
            let resource =
                json!({"uri": argument("resourceUri"), "mimeType": "text/plain", "text": "Embedded resource content for testing."});
            vec![json!({"type": "resource", "resource": resource}), text("Please process the embedded resource above.")]
        }
        "test_prompt_with_image" => {
            vec![json!({"type": "image", "data": PIXEL, "mimeType": "image/png"}), text("Please analyze the image above.")]
        }
        "test_input_required_result_prompt" => {
            let given = request.input_responses.as_ref().and_then(|given| given.get("user_context")?["content"]["context"].as_str());
            let Some(context) = given else {
                let asked = rounds::form("What context should the prompt use?", "context", "string");
                return Ok(InputRequiredResult::new(Some(typed(json!({"user_context": asked}))), None).into());
            };
            vec![text(&format!("Work with this context: {context}"))]
        }
        other => return Err(ErrorData::invalid_params(format!("there is no prompt `{other}`"), None)),
    };
    let messages: Vec<Value> = contents.into_iter().map(|content| json!({"role": "user", "content": content})).collect();
    Ok(GetPromptResult::new(typed(messages.into())).into())
}

//! The suite's resources.

use rmcp::model::{ReadResourceResult, Resource, ResourceTemplate};
use serde_json::json;

use super::fixtures::typed;
use super::tools::PIXEL;

/// One that may be watched.
pub const WATCHED: &str = "test://watched-resource";

pub fn all() -> Vec<Resource> {
    let one = |uri: &str, mime: &str| Resource::new(uri, uri).with_description("A fixture").with_mime_type(mime);
    vec![one("test://static-text", "text/plain"), one("test://static-binary", "image/png"), one(WATCHED, "text/plain")]
}

pub fn template() -> ResourceTemplate {
    ResourceTemplate::new("test://template/{id}/data", "template").with_description("A fixture").with_mime_type("application/json")
}

pub fn read(uri: &str) -> Option<ReadResourceResult> {
    let content = match uri {
        "test://static-text" => json!({"mimeType": "text/plain", "text": "This is the content of the static text resource."}),
        "test://static-binary" => json!({"mimeType": "image/png", "blob": PIXEL}),
        WATCHED => json!({"mimeType": "text/plain", "text": "It does not change."}),
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let text = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string();
            json!({"mimeType": "application/json", "text": text})
        }
    };
    let mut content = content;
    content["uri"] = uri.into();
    Some(ReadResourceResult::new(vec![typed(content)]))
}

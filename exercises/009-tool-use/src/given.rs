//! Given: what a tool is, what a run may cost and what it comes to. Not to be edited.

use aws_sdk_bedrockruntime::{
    error::SdkError,
    operation::converse::ConverseError,
    types::{StopReason, ToolInputSchema, ToolSpecification},
};
use aws_smithy_types::{Document, Number};
use serde_json::{Value, json};

/// Something that a model may ask your program to do.
pub trait Tool: Send + Sync {
    /// What the model is told about it: name, description, and the JSON schema of its input.
    fn spec(&self) -> ToolSpecification;

    /// Does it. `input` was written by the model: any JSON, whatever the schema says.
    ///
    /// # Errors
    ///
    /// What went wrong, in words for the model.
    fn call(&self, input: &Document) -> Result<Document, String>;
}

/// What a run may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests to Bedrock, at most.
    pub turns: usize,
    /// Tokens of each answer, at most.
    pub max_tokens: i32,
}

/// A run that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The text of the model's last message.
    pub text: String,
    /// How many requests it took.
    pub turns: usize,
    /// Which tools the model asked for, in order, and whether it got what it asked for.
    pub calls: Vec<(String, bool)>,
}

/// Why there is no [`Outcome`].
#[derive(Debug)]
pub enum AgentError {
    /// Bedrock refused or could not be reached.
    Sdk(Box<SdkError<ConverseError>>),
    /// The model still asked for tools in the answer to this request, the last one allowed.
    TooManyTurns(usize),
    /// The message ended for another reason than that the model was done, or wanted a tool.
    Refused(StopReason),
}

/// What the model is told about [`ReadFile`](crate::ReadFile).
pub fn read_file_spec() -> ToolSpecification {
    let schema = document(json!({
        "type": "object",
        "properties": {
            "path": { "type": "string", "description": "Relative to the project's folder." },
        },
        "required": ["path"],
    }));
    ToolSpecification::builder()
        .name("read_file")
        .description("Reads a text file of the project.")
        .input_schema(ToolInputSchema::Json(schema))
        .build()
        .expect("name and schema are set")
}

/// JSON as the SDK takes it.
pub fn document(value: Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(is) => Document::Bool(is),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(positive), _) => Number::PosInt(positive),
            (None, Some(negative)) => Number::NegInt(negative),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text),
        Value::Array(list) => Document::Array(list.into_iter().map(document).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Document::Object(members.map(|(key, value)| (key, document(value))).collect())
        }
    }
}

/// The string at that key of a tool's input, if the input is an object and has one there.
pub fn text_at<'a>(input: &'a Document, key: &str) -> Option<&'a str> {
    input.as_object()?.get(key)?.as_string()
}

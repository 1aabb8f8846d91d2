//! A request as a Rust program for `aws-sdk-bedrockruntime`.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::Again;

/// What a program may have to import, by the name that stands in it.
const IMPORTS: [(&str, &str); 19] = [
    ("Blob::", "aws_sdk_bedrockruntime::primitives::Blob"),
    (
        "AnyToolChoice::",
        "aws_sdk_bedrockruntime::types::AnyToolChoice",
    ),
    (
        "AutoToolChoice::",
        "aws_sdk_bedrockruntime::types::AutoToolChoice",
    ),
    (
        "ContentBlock::",
        "aws_sdk_bedrockruntime::types::ContentBlock",
    ),
    (
        "ConversationRole::",
        "aws_sdk_bedrockruntime::types::ConversationRole",
    ),
    (
        "CountTokensInput::",
        "aws_sdk_bedrockruntime::types::CountTokensInput",
    ),
    (
        "InferenceConfiguration::",
        "aws_sdk_bedrockruntime::types::InferenceConfiguration",
    ),
    ("Message::", "aws_sdk_bedrockruntime::types::Message"),
    (
        "SpecificToolChoice::",
        "aws_sdk_bedrockruntime::types::SpecificToolChoice",
    ),
    (
        "SystemContentBlock::",
        "aws_sdk_bedrockruntime::types::SystemContentBlock",
    ),
    ("Tool::", "aws_sdk_bedrockruntime::types::Tool"),
    ("ToolChoice::", "aws_sdk_bedrockruntime::types::ToolChoice"),
    (
        "ToolConfiguration::",
        "aws_sdk_bedrockruntime::types::ToolConfiguration",
    ),
    (
        "ToolInputSchema::",
        "aws_sdk_bedrockruntime::types::ToolInputSchema",
    ),
    (
        "ToolResultBlock::",
        "aws_sdk_bedrockruntime::types::ToolResultBlock",
    ),
    (
        "ToolResultContentBlock::",
        "aws_sdk_bedrockruntime::types::ToolResultContentBlock",
    ),
    (
        "ToolResultStatus::",
        "aws_sdk_bedrockruntime::types::ToolResultStatus",
    ),
    (
        "ToolSpecification::",
        "aws_sdk_bedrockruntime::types::ToolSpecification",
    ),
    (
        "ToolUseBlock::",
        "aws_sdk_bedrockruntime::types::ToolUseBlock",
    ),
];

impl Again {
    /// A whole program, to be run with `aws-config`, `aws-sdk-bedrockruntime`, `aws-smithy-types` and
    /// `tokio`; `None` for what is not an operation on a model. What the form does not know is named
    /// in a comment, not dropped in silence.
    pub fn rust(&self) -> Option<String> {
        let model = Value::from(self.model.as_deref()?).to_string();
        let call = self.call("client", &model, "?")?;
        let read = match self.operation.as_deref()? {
            "Converse" => "    println!(\"{:?}\", response.output());\n",
            "ConverseStream" => {
                "    let mut stream = response.stream;\n    while let Some(event) = stream.recv().await? {\n        \
                 println!(\"{event:?}\");\n    }\n"
            }
            "InvokeModel" => {
                "    println!(\"{}\", String::from_utf8_lossy(response.body().as_ref()));\n"
            }
            "CountTokens" => "    println!(\"{}\", response.input_tokens());\n",
            _ => {
                "    let mut stream = response.body;\n    while let Some(event) = stream.recv().await? {\n        \
                 println!(\"{event:?}\");\n    }\n"
            }
        };
        Some(format!(
            "{}\n#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {{\n    \
             // Address and credentials come from the environment: eval \"$(workshop env)\"\n    \
             let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;\n    \
             let client = aws_sdk_bedrockruntime::Client::new(&config);\n    \
             let response = {call}?;\n{read}    Ok(())\n}}\n",
            imports(&call, "aws_smithy_types::Document")
        ))
    }

    /// The call itself, up to `.await`. `fallible` stands after what can fail while the request is put
    /// together.
    pub(super) fn call(&self, client: &str, model: &str, fallible: &str) -> Option<String> {
        let method = match self.operation.as_deref()? {
            "Converse" => "converse",
            "ConverseStream" => "converse_stream",
            "InvokeModel" => "invoke_model",
            "InvokeModelWithResponseStream" => "invoke_model_with_response_stream",
            "CountTokens" => "count_tokens",
            _ => return None,
        };
        let text = std::str::from_utf8(&self.body).ok()?;
        let mut out = format!("{client}\n        .{method}()\n        .model_id({model})\n");
        if method.starts_with("invoke") {
            let _ = writeln!(out, "        .content_type(\"application/json\")");
            let _ = writeln!(out, "        .body(Blob::new({text:?}))");
        } else {
            let body: Value = serde_json::from_slice(&self.body).ok()?;
            let code = Code { fallible };
            if method == "count_tokens" {
                code.counted(&body, &mut out);
            } else {
                code.members(&body, &mut out);
            }
        }
        out.push_str("        .send()\n        .await");
        Some(out)
    }
}

/// The `use` lines that a program with that text needs.
pub(super) fn imports(text: &str, document: &str) -> String {
    let uses = |name: &str| {
        text.match_indices(name)
            .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    };
    let mut lines = Vec::new();
    if uses("HashMap::") {
        lines.push("use std::collections::HashMap;\n".to_owned());
    }
    let of = |module: &str| {
        let needed = IMPORTS.iter().filter(|(name, path)| {
            uses(name) && path.rsplit_once("::").is_some_and(|(m, _)| m == module)
        });
        let names: Vec<_> = needed
            .filter_map(|(_, path)| path.rsplit("::").next())
            .collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("use {module}::{one};\n")),
            many => Some(format!("use {module}::{{{}}};\n", many.join(", "))),
        }
    };
    lines.extend(of("aws_sdk_bedrockruntime::primitives"));
    lines.extend(of("aws_sdk_bedrockruntime::types"));
    if uses("Document::") {
        lines.push(format!("use {document};\n"));
    }
    lines.concat()
}

/// Writes members of a request as builder calls.
struct Code<'c> {
    fallible: &'c str,
}

impl Code<'_> {
    fn members(&self, body: &Value, out: &mut String) {
        let pad = "        ";
        for block in list(body, "system") {
            match block.get("text").and_then(Value::as_str) {
                Some(text) => {
                    let _ = writeln!(
                        out,
                        "{pad}.system(SystemContentBlock::Text({text:?}.to_owned()))"
                    );
                }
                None => by_hand(pad, "system", block, out),
            }
        }
        for message in list(body, "messages") {
            self.message(message, out);
        }
        if let Some(config) = body.get("inferenceConfig").and_then(Value::as_object) {
            let _ = writeln!(
                out,
                "{pad}.inference_config(\n            InferenceConfiguration::builder()"
            );
            inference(config, out);
            let _ = writeln!(out, "                .build(),\n{pad})");
        }
        if let Some(config) = body.get("toolConfig") {
            self.tools(config, out);
        }
        if let Some(fields) = body.get("additionalModelRequestFields") {
            let _ = writeln!(
                out,
                "{pad}.additional_model_request_fields({})",
                document(fields)
            );
        }
        let written = [
            "system",
            "messages",
            "inferenceConfig",
            "toolConfig",
            "additionalModelRequestFields",
        ];
        for (name, value) in body.as_object().into_iter().flatten() {
            if !written.contains(&name.as_str()) {
                by_hand(pad, name, value, out);
            }
        }
    }

    fn counted(&self, body: &Value, out: &mut String) {
        let pad = "        ";
        let text = body
            .pointer("/input/invokeModel/body")
            .and_then(Value::as_str);
        if let Some(text) = text {
            let _ = writeln!(
                out,
                "{pad}// the service takes base64, and so the SDK takes the bytes: {text:?}"
            );
        }
        if let Some(converse) = body.pointer("/input/converse") {
            let _ = writeln!(
                out,
                "{pad}.input(CountTokensInput::Converse(\n            \
                 aws_sdk_bedrockruntime::types::ConverseTokensRequest::builder()"
            );
            for block in list(converse, "system") {
                if let Some(text) = block.get("text").and_then(Value::as_str) {
                    let _ = writeln!(
                        out,
                        "                .system(SystemContentBlock::Text({text:?}.to_owned()))"
                    );
                }
            }
            for message in list(converse, "messages") {
                self.message(message, out);
            }
            let _ = writeln!(out, "                .build(),\n{pad}))");
        }
    }

    fn message(&self, message: &Value, out: &mut String) {
        let pad = "        ";
        let role = match message.get("role").and_then(Value::as_str) {
            Some("assistant") => "Assistant",
            _ => "User",
        };
        let _ = writeln!(
            out,
            "{pad}.messages(\n            Message::builder()\n                .role(ConversationRole::{role})"
        );
        for block in list(message, "content") {
            match self.block(block) {
                Some(code) => {
                    let _ = writeln!(out, "                .content({code})");
                }
                None => by_hand("                ", "content", block, out),
            }
        }
        let _ = writeln!(out, "                .build(){},\n{pad})", self.fallible);
    }

    fn block(&self, block: &Value) -> Option<String> {
        let fallible = self.fallible;
        if let Some(text) = block.get("text").and_then(Value::as_str) {
            return Some(format!("ContentBlock::Text({text:?}.to_owned())"));
        }
        let text = |of: &Value, name: &str| Some(format!("{:?}", of.get(name)?.as_str()?));
        if let Some(used) = block.get("toolUse") {
            return Some(format!(
                "ContentBlock::ToolUse(ToolUseBlock::builder().tool_use_id({}).name({}).input({}).build(){fallible})",
                text(used, "toolUseId")?,
                text(used, "name")?,
                document(used.get("input")?)
            ));
        }
        let result = block.get("toolResult")?;
        let mut code = format!(
            "ContentBlock::ToolResult(ToolResultBlock::builder().tool_use_id({})",
            text(result, "toolUseId")?
        );
        for part in list(result, "content") {
            let part = match (part.get("text").and_then(Value::as_str), part.get("json")) {
                (Some(text), _) => format!("ToolResultContentBlock::Text({text:?}.to_owned())"),
                (_, Some(json)) => format!("ToolResultContentBlock::Json({})", document(json)),
                _ => return None,
            };
            let _ = write!(code, ".content({part})");
        }
        match result.get("status").and_then(Value::as_str) {
            Some("error") => code.push_str(".status(ToolResultStatus::Error)"),
            Some("success") => code.push_str(".status(ToolResultStatus::Success)"),
            _ => {}
        }
        let _ = write!(code, ".build(){fallible})");
        Some(code)
    }

    fn tools(&self, config: &Value, out: &mut String) {
        let (pad, fallible) = ("        ", self.fallible);
        let _ = writeln!(
            out,
            "{pad}.tool_config(\n            ToolConfiguration::builder()"
        );
        for tool in list(config, "tools") {
            let inner = "                ";
            let Some(spec) = tool.get("toolSpec") else {
                by_hand(inner, "tools", tool, out);
                continue;
            };
            let _ = writeln!(
                out,
                "{inner}.tools(Tool::ToolSpec(\n{inner}    ToolSpecification::builder()"
            );
            for name in ["name", "description"] {
                if let Some(text) = spec.get(name).and_then(Value::as_str) {
                    let _ = writeln!(out, "{inner}        .{name}({text:?})");
                }
            }
            if let Some(schema) = spec.pointer("/inputSchema/json") {
                let _ = writeln!(
                    out,
                    "{inner}        .input_schema(ToolInputSchema::Json({}))",
                    document(schema)
                );
            }
            let _ = writeln!(out, "{inner}        .build(){fallible},\n{inner}))");
        }
        if let Some(choice) = config.get("toolChoice") {
            let named = choice.pointer("/tool/name").and_then(Value::as_str);
            let code = match named {
                Some(name) => format!(
                    "ToolChoice::Tool(SpecificToolChoice::builder().name({name:?}).build(){fallible})"
                ),
                None if choice.get("any").is_some() => {
                    "ToolChoice::Any(AnyToolChoice::builder().build())".to_owned()
                }
                None => "ToolChoice::Auto(AutoToolChoice::builder().build())".to_owned(),
            };
            let _ = writeln!(out, "                .tool_choice({code})");
        }
        let _ = writeln!(out, "                .build(){fallible},\n{pad})");
    }
}

fn inference(config: &Map<String, Value>, out: &mut String) {
    let pad = "                ";
    for (name, value) in config {
        let _ = match (name.as_str(), value) {
            ("maxTokens", value) => writeln!(out, "{pad}.max_tokens({value})"),
            ("temperature", Value::Number(n)) => {
                writeln!(
                    out,
                    "{pad}.temperature({:?})",
                    n.as_f64().unwrap_or_default()
                )
            }
            ("topP", Value::Number(n)) => {
                writeln!(out, "{pad}.top_p({:?})", n.as_f64().unwrap_or_default())
            }
            ("stopSequences", Value::Array(stops)) => stops
                .iter()
                .filter_map(Value::as_str)
                .try_for_each(|stop| writeln!(out, "{pad}.stop_sequences({stop:?})")),
            _ => {
                by_hand(pad, name, value, out);
                Ok(())
            }
        };
    }
}

/// JSON as the SDK's `Document`.
fn document(value: &Value) -> String {
    match value {
        Value::Null => "Document::Null".to_owned(),
        Value::Bool(yes) => format!("Document::from({yes})"),
        Value::Number(number) => {
            let kind = if number.is_u64() {
                "_u64"
            } else if number.is_i64() {
                "_i64"
            } else {
                "_f64"
            };
            format!("Document::from({number}{kind})")
        }
        Value::String(text) => format!("Document::from({text:?})"),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(document).collect();
            format!("Document::Array(vec![{}])", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter();
            let members: Vec<_> = members
                .map(|(name, value)| format!("({name:?}.to_owned(), {})", document(value)))
                .collect();
            match members.as_slice() {
                [] => "Document::Object(HashMap::new())".to_owned(),
                members => format!("Document::Object(HashMap::from([{}]))", members.join(", ")),
            }
        }
    }
}

fn list<'v>(of: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    let list = of.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn by_hand(pad: &str, name: &str, value: &Value, out: &mut String) {
    let _ = writeln!(
        out,
        "{pad}// to be written by hand: {name}: {}",
        short(value)
    );
}

/// One line of at most a hundred characters.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

//! A request and its answer as something to keep: a script that makes an emulator answer the same way,
//! and a test that sends the request to a lab with that script.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Again, Entry, rust_code::imports};
use crate::script::Document;

/// How much of the prompt tells the request from others.
const PROMPT_MAX: usize = 120;

impl Entry {
    /// The script in TOML, for `workshop emulator --script` and `Lab::load`; `None` for what no script
    /// can say.
    pub fn script(&self) -> Option<String> {
        let streams = self.operation.as_deref()?.ends_with("Stream");
        let mut text = String::from("# What was answered to a request, to be answered again.\n");
        if let Some(code) = self.error.as_deref().filter(|_| self.status != 200) {
            self.fault("error", code, &mut text);
            if let Some(message) = &self.message {
                let _ = writeln!(text, "message = {}", toml(&json!(message)));
            }
        } else if self.status == 0 {
            self.fault("socket", "cut", &mut text);
        } else {
            if self.cut && streams {
                self.fault("socket", "cut", &mut text);
                let _ = writeln!(text, "after_frames = {}\n", self.frames.len());
            }
            self.reply(&mut text)?;
        }
        Document::from_toml(&text).ok()?;
        Some(text)
    }

    /// Once, to this operation.
    fn fault(&self, key: &str, value: &str, text: &mut String) {
        let operation = self.operation.as_deref().unwrap_or("*");
        let _ = write!(
            text,
            "\n[[fault]]\nwhen = {{ operation = {} }}\ncount = 1\n{key} = {}\n",
            toml(&json!(operation)),
            toml(&json!(value))
        );
    }

    fn reply(&self, text: &mut String) -> Option<()> {
        let mut when = vec![format!(
            "operation = {}",
            toml(&json!(self.operation.as_deref()?))
        )];
        if let Some(prompt) = self.body.as_ref().and_then(prompt) {
            let part: String = prompt.chars().take(PROMPT_MAX).collect();
            when.push(format!("prompt = {}", toml(&json!(part))));
        }
        let _ = write!(text, "\n[[reply]]\nwhen = {{ {} }}\n", when.join(", "));
        let mut said = self.blocks();
        if let Some(code) = self.error.as_deref() {
            // An error in the middle of a stream.
            said.push(json!({ "error": code }));
        }
        if said.is_empty() {
            self.stop_reason.as_ref()?;
        }
        text.push_str("say = [\n");
        for piece in &said {
            let _ = writeln!(text, "  {},", toml(piece));
        }
        text.push_str("]\n");
        if let Some(reason) = self.stop_reason.as_deref().filter(|_| self.error.is_none()) {
            let _ = writeln!(text, "stop_reason = {}", toml(&json!(reason)));
        }
        if let Some(usage) = self.usage.filter(|_| self.error.is_none()) {
            let _ = writeln!(
                text,
                "usage = {{ input = {}, output = {} }}",
                usage.input, usage.output
            );
        }
        Some(())
    }

    /// What the model said, as the items of `say`.
    fn blocks(&self) -> Vec<Value> {
        let mut blocks = match &self.answer {
            Some(answer) => whole(answer),
            None => streamed(&self.frames),
        };
        if blocks.is_empty()
            && let Some(text) = self.text.as_deref().filter(|text| !text.is_empty())
        {
            blocks.push(json!({ "text": text }));
        }
        blocks
    }

    /// A test for `workshop-testkit`; `None` for what is not one of the four ways to ask a model.
    /// `alias` is the course's name of the model, if it has one: then the test asks for the current
    /// model of that tier.
    pub fn test(&self, alias: Option<&str>) -> Option<String> {
        let operation = self.operation.as_deref()?;
        let script = self.script()?;
        let model = match alias {
            Some(alias) => format!("lab.profile({alias:?})"),
            None => format!("{:?}", self.model.as_deref()?),
        };
        let call = Again::from(self).call("client", &model, ".expect(\"complete\")")?;
        let checks = self.checks(operation)?;
        let mut uses = imports(&call, "workshop_testkit::Document");
        if checks.contains(".code()") {
            let at = uses.find("use aws_sdk").unwrap_or(uses.len());
            uses.insert_str(
                at,
                "use aws_sdk_bedrockruntime::error::ProvideErrorMetadata as _;\n",
            );
        }
        let document = "use workshop_testkit::Document;\n";
        if uses.contains(document) {
            uses = uses.replace(document, "use workshop_testkit::{Document, Lab};\n");
        } else {
            uses.push_str("use workshop_testkit::Lab;\n");
        }
        let hashes = "#".repeat(hashes(&script));
        Some(format!(
            "{uses}\n/// What the emulator answers to the request that was sent in the playground.\n\
             const SCRIPT: &str = r{hashes}\"\n{script}\"{hashes};\n\n\
             #[tokio::test]\nasync fn the_request_is_answered_as_before() {{\n    \
             let lab = Lab::start().await;\n    lab.load(SCRIPT);\n    let client = lab.client();\n    \
             let response = {call};\n{checks}}}\n"
        ))
    }

    fn checks(&self, operation: &str) -> Option<String> {
        if let Some(code) = self.error.as_deref().filter(|_| self.status != 200) {
            return Some(format!(
                "    let error = response.expect_err(\"it is refused\");\n    \
                 assert_eq!(error.code(), Some({code:?}));\n"
            ));
        }
        if self.status == 0 {
            return Some(
                "    assert!(response.is_err(), \"the connection was cut\");\n".to_owned(),
            );
        }
        let text = self.text.as_deref().unwrap_or_default();
        let answered = "    let response = response.expect(\"it is answered\");\n";
        let broken = self.cut || self.error.is_some();
        let checks = match operation {
            "Converse" => {
                let tools = self.blocks().into_iter();
                let tools: Vec<_> = tools
                    .filter_map(|block| Some(block.pointer("/tool/name")?.to_string()))
                    .collect();
                let mut checks = format!(
                    "{answered}    let message = response.output().and_then(|output| output.as_message().ok());\n    \
                     let message = message.expect(\"a message\");\n    \
                     let texts = message.content().iter().filter_map(|block| block.as_text().ok());\n    \
                     assert_eq!(texts.cloned().collect::<String>(), {text:?});\n"
                );
                if !tools.is_empty() {
                    let _ = write!(
                        checks,
                        "    let tools = message.content().iter().filter_map(|block| block.as_tool_use().ok());\n    \
                         let names: Vec<_> = tools.map(|tool| tool.name()).collect();\n    \
                         assert_eq!(names, [{}]);\n",
                        tools.join(", ")
                    );
                }
                checks
            }
            "ConverseStream" if broken => format!(
                "{answered}    let mut stream = response.stream;\n    \
                 let ended = loop {{\n        match stream.recv().await {{\n            \
                 Ok(Some(_)) => {{}}\n            Ok(None) => break true,\n            Err(_) => break false,\n        \
                 }}\n    }};\n    assert!(!ended, \"the stream breaks off\");\n"
            ),
            "ConverseStream" => format!(
                "{answered}    let mut stream = response.stream;\n    let mut text = String::new();\n    \
                 while let Some(event) = stream.recv().await.expect(\"the stream goes on\") {{\n        \
                 if let Ok(event) = event.as_content_block_delta() {{\n            \
                 if let Some(Ok(part)) = event.delta().map(|delta| delta.as_text()) {{\n                \
                 text.push_str(part);\n            }}\n        }}\n    }}\n    \
                 assert_eq!(text, {text:?});\n"
            ),
            "InvokeModel" => {
                let inside = json!(text).to_string();
                let inside = inside.trim_matches('"');
                format!(
                    "{answered}    let answer = String::from_utf8_lossy(response.body().as_ref());\n    \
                     assert!(answer.contains({inside:?}), \"{{answer}}\");\n"
                )
            }
            "InvokeModelWithResponseStream" => format!(
                "{answered}    let mut stream = response.body;\n    let mut chunks = 0;\n    \
                 let ended = loop {{\n        match stream.recv().await {{\n            \
                 Ok(Some(_)) => chunks += 1,\n            Ok(None) => break true,\n            \
                 Err(_) => break false,\n        }}\n    }};\n    \
                 assert_eq!(ended, {});\n    assert!(chunks > 0, \"there is an answer\");\n",
                !broken
            ),
            _ => return None,
        };
        Some(checks)
    }
}

/// How many `#` a raw string with that text needs.
fn hashes(text: &str) -> usize {
    let mut most = 0;
    for (at, _) in text.match_indices('"') {
        let after = text[at + 1..].bytes().take_while(|byte| *byte == b'#');
        most = most.max(after.count() + 1);
    }
    most
}

/// The last text that the user said, first line only: a prompt is found by what it contains.
fn prompt(body: &Value) -> Option<&str> {
    let messages = body.get("messages")?.as_array()?.iter().rev();
    let mut users = messages.filter(|message| message["role"] == "user");
    let content = &users.next()?["content"];
    let text = content.as_str().or_else(|| {
        let mut texts = content.as_array()?.iter().rev();
        texts.find_map(|block| block.get("text")?.as_str())
    })?;
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// The blocks of a whole answer, in Converse's or Claude's form.
fn whole(answer: &Value) -> Vec<Value> {
    let blocks = answer
        .pointer("/output/message/content")
        .or_else(|| answer.get("content"))
        .and_then(Value::as_array);
    let mut said = Vec::new();
    for block in blocks.into_iter().flatten() {
        let thought = block
            .pointer("/reasoningContent/reasoningText/text")
            .or_else(|| block.get("thinking"));
        let tool = block.get("toolUse").unwrap_or(block);
        if let Some(text) = thought.and_then(Value::as_str) {
            said.push(json!({ "thinking": text }));
        } else if let Some(text) = block.get("text").and_then(Value::as_str) {
            said.push(json!({ "text": text }));
        } else if let (Some(name), Some(input)) = (tool.get("name"), tool.get("input")) {
            said.push(json!({ "tool": { "name": name, "input": input } }));
        }
    }
    said
}

/// The same for the messages of a stream: parts of a block are put together again.
fn streamed(frames: &[super::FrameEntry]) -> Vec<Value> {
    let mut said: Vec<Value> = Vec::new();
    let mut tool: Option<(Value, String)> = None;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    for payload in frames.iter().map(|frame| &frame.payload) {
        let started = payload
            .pointer("/start/toolUse/name")
            .or_else(|| payload.pointer("/content_block/name"));
        if let Some(name) = started {
            tool = Some((name.clone(), String::new()));
        }
        let delta = payload.get("delta").unwrap_or(&Value::Null);
        let input = text(delta.pointer("/toolUse/input"));
        let input = input.or_else(|| text(delta.get("partial_json")));
        if let (Some((_, so_far)), Some(input)) = (&mut tool, input) {
            so_far.push_str(&input);
        }
        let thought = text(delta.pointer("/reasoningContent/text"));
        let thought = thought.or_else(|| text(delta.get("thinking")));
        let pieces = [("text", text(delta.get("text"))), ("thinking", thought)];
        for (kind, piece) in pieces {
            let Some(piece) = piece else { continue };
            match said.last_mut().and_then(|last| last.get_mut(kind)) {
                Some(Value::String(so_far)) => so_far.push_str(&piece),
                _ => said.push(json!({ kind: piece })),
            }
        }
        let block_ended = payload.get("type").and_then(Value::as_str) == Some("content_block_stop")
            || payload.get("contentBlockIndex").is_some()
                && delta.is_null()
                && payload.get("start").is_none();
        if block_ended && let Some((name, input)) = tool.take() {
            let input: Value = serde_json::from_str(&input).unwrap_or_else(|_| json!({}));
            said.push(json!({ "tool": { "name": name, "input": input } }));
        }
    }
    said
}

/// JSON as a value of TOML, on one line. TOML has no null: such members are left out.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().filter(|v| !v.is_null()).map(toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<_> = members
                .map(|(name, value)| format!("{} = {}", key(name), toml(value)))
                .collect();
            match members.as_slice() {
                [] => "{}".to_owned(),
                members => format!("{{ {} }}", members.join(", ")),
            }
        }
        // JSON writes DEL as it is, TOML does not take it.
        Value::String(_) => value.to_string().replace('\u{7f}', "\\u007F"),
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) {
        return name.to_owned();
    }
    toml(&json!(name))
}

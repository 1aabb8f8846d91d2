//! The form as a request.

use std::fmt::Write as _;

use bedrock_emulator::{
    Emulator,
    catalogue::{Family, Model},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What the form holds, as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Form {
    /// A model's id or an inference profile's.
    pub model: String,
    /// One of [`Operation::ALL`].
    pub operation: String,
    /// The system prompt.
    pub system: String,
    /// What the user says.
    pub prompt: String,
    /// The most tokens to answer with.
    pub max_tokens: String,
    /// From 0 to 1.
    pub temperature: String,
    /// One stop sequence on each line.
    pub stop: String,
    /// A JSON array of tools, in Converse's form.
    pub tools: String,
    /// A body that is sent as it is, instead of all of the above.
    pub body: String,
    /// One of [`Inject::ALL`].
    pub inject: String,
}

/// What can be asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// The same form for all models.
    Converse,
    /// The same as a stream.
    ConverseStream,
    /// The model's own form.
    InvokeModel,
    /// The same as a stream.
    InvokeModelWithResponseStream,
    /// How many tokens a Converse request has.
    CountTokens,
}

impl Operation {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Converse,
        Self::ConverseStream,
        Self::InvokeModel,
        Self::InvokeModelWithResponseStream,
        Self::CountTokens,
    ];

    /// AWS's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Converse => "Converse",
            Self::ConverseStream => "ConverseStream",
            Self::InvokeModel => "InvokeModel",
            Self::InvokeModelWithResponseStream => "InvokeModelWithResponseStream",
            Self::CountTokens => "CountTokens",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Converse => "converse",
            Self::ConverseStream => "converse-stream",
            Self::InvokeModel => "invoke",
            Self::InvokeModelWithResponseStream => "invoke-with-response-stream",
            Self::CountTokens => "count-tokens",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.name() == name)
    }
}

/// What may go wrong on purpose, once, with this request only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inject {
    /// Nothing.
    Nothing,
    /// 429.
    Throttling,
    /// 403.
    Denial,
    /// 503.
    Unavailable,
    /// Two seconds before the first byte.
    Latency,
    /// A third of a second between messages.
    SlowStream,
    /// The connection goes after three messages.
    Cut,
    /// An exception after three messages.
    StreamError,
}

impl Inject {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Throttling,
        Self::Denial,
        Self::Unavailable,
        Self::Latency,
        Self::SlowStream,
        Self::Cut,
        Self::StreamError,
    ];

    /// Its value in the form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Throttling => "throttling",
            Self::Denial => "denial",
            Self::Unavailable => "unavailable",
            Self::Latency => "latency",
            Self::SlowStream => "slow-stream",
            Self::Cut => "cut",
            Self::StreamError => "stream-error",
        }
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "Nothing",
            Self::Throttling => "Throttling (429)",
            Self::Denial => "Denied access (403)",
            Self::Unavailable => "Service unavailable (503)",
            Self::Latency => "Two seconds of latency",
            Self::SlowStream => "A slow stream",
            Self::Cut => "A stream that is cut",
            Self::StreamError => "An error in the middle of the stream",
        }
    }

    /// The fault rule, about requests with that header only.
    pub(super) fn rule(self, header: &str, nonce: &str) -> Option<Value> {
        let mut rule = match self {
            Self::Nothing => return None,
            Self::Throttling => json!({ "error": "ThrottlingException" }),
            Self::Denial => json!({ "error": "AccessDeniedException" }),
            Self::Unavailable => json!({ "error": "ServiceUnavailableException" }),
            Self::Latency => json!({ "latency_ms": 2_000 }),
            Self::SlowStream => json!({ "frame_delay_ms": 350 }),
            Self::Cut => json!({ "socket": "cut", "after_frames": 3 }),
            Self::StreamError => {
                json!({ "error": "ModelStreamErrorException", "after_frames": 3 })
            }
        };
        rule["name"] = "playground".into();
        rule["count"] = 1.into();
        rule["when"] = json!({ "header": { header: { "equals": nonce } } });
        Some(rule)
    }
}

/// The form, understood.
#[derive(Debug, PartialEq)]
pub(super) struct Composed {
    pub(super) target: String,
    pub(super) body: String,
    pub(super) inject: Inject,
}

impl Form {
    /// The request, or which field is wrong and the cure.
    pub(super) fn compose(&self, emulator: &Emulator) -> Result<Composed, String> {
        let operation = Operation::named(&self.operation)
            .ok_or_else(|| format!("There is no operation {:?}.", self.operation))?;
        let inject = Inject::ALL.into_iter().find(|i| i.name() == self.inject);
        let inject = inject.ok_or_else(|| format!("{:?} cannot be injected.", self.inject))?;
        let model = self.model.trim();
        if model.is_empty() {
            return Err("Choose a model, or write its id.".to_owned());
        }
        let body = if self.body.trim().is_empty() {
            let region = &emulator.config().region;
            let found = emulator.catalogue().find(model, region);
            let body = self.body_for(operation, found.map(|resolved| resolved.model))?;
            serde_json::to_string_pretty(&body).unwrap_or_default()
        } else {
            self.body.clone()
        };
        Ok(Composed {
            target: format!("/model/{}/{}", escaped(model), operation.path()),
            body,
            inject,
        })
    }

    fn body_for(&self, operation: Operation, model: Option<&Model>) -> Result<Value, String> {
        match operation {
            Operation::Converse | Operation::ConverseStream => self.converse(),
            Operation::CountTokens => {
                let mut converse = self.converse()?;
                // Counting takes what is read, not how it is answered.
                let members = converse.as_object_mut();
                members.map(|members| members.remove("inferenceConfig"));
                Ok(json!({ "input": { "converse": converse } }))
            }
            Operation::InvokeModel | Operation::InvokeModelWithResponseStream => {
                match model.map(|model| model.family).unwrap_or_default() {
                    Family::Nova => {
                        let mut body = self.converse()?;
                        body["schemaVersion"] = "messages-v1".into();
                        Ok(body)
                    }
                    Family::TitanText => self.titan(),
                    Family::TitanEmbedV1 | Family::TitanEmbedV2 => {
                        Ok(json!({ "inputText": self.prompt()? }))
                    }
                    Family::CohereEmbedV3 | Family::CohereEmbedV4 => Ok(json!({
                        "texts": [self.prompt()?], "input_type": "search_document",
                    })),
                    Family::NovaEmbed => Ok(json!({
                        "taskType": "SINGLE_EMBEDDING",
                        "singleEmbeddingParams": {
                            "embeddingPurpose": "GENERIC_INDEX",
                            "text": { "truncationMode": "END", "value": self.prompt()? },
                        },
                    })),
                    // Also for an id that the catalogue does not know.
                    _ => self.claude(),
                }
            }
        }
    }

    fn converse(&self) -> Result<Value, String> {
        let mut body = json!({
            "messages": [{ "role": "user", "content": [{ "text": self.prompt()? }] }],
        });
        if !self.system.trim().is_empty() {
            body["system"] = json!([{ "text": self.system }]);
        }
        let mut inference = Map::new();
        let (max_tokens, temperature) = (self.max_tokens()?, self.temperature()?);
        inference.extend(max_tokens.map(|n| ("maxTokens".to_owned(), n.into())));
        inference.extend(temperature.map(|n| ("temperature".to_owned(), n)));
        let stops = self.stops();
        if !stops.is_empty() {
            inference.insert("stopSequences".to_owned(), stops.into());
        }
        if !inference.is_empty() {
            body["inferenceConfig"] = inference.into();
        }
        if let Some(tools) = self.tools()? {
            body["toolConfig"] = json!({ "tools": tools });
        }
        Ok(body)
    }

    /// Claude's Messages.
    fn claude(&self) -> Result<Value, String> {
        let mut body = json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": self.max_tokens()?.unwrap_or(512),
            "messages": [{ "role": "user", "content": [{ "type": "text", "text": self.prompt()? }] }],
        });
        if !self.system.trim().is_empty() {
            body["system"] = self.system.as_str().into();
        }
        if let Some(temperature) = self.temperature()? {
            body["temperature"] = temperature;
        }
        let stops = self.stops();
        if !stops.is_empty() {
            body["stop_sequences"] = stops.into();
        }
        if let Some(tools) = self.tools()? {
            let tools = tools.iter().map(|tool| {
                let spec = tool.get("toolSpec").unwrap_or(tool);
                json!({
                    "name": spec["name"],
                    "description": spec["description"],
                    "input_schema": spec.pointer("/inputSchema/json").or(spec.get("input_schema")),
                })
            });
            body["tools"] = tools.collect();
        }
        Ok(body)
    }

    fn titan(&self) -> Result<Value, String> {
        let mut config = Map::new();
        let (max_tokens, temperature) = (self.max_tokens()?, self.temperature()?);
        config.extend(max_tokens.map(|n| ("maxTokenCount".to_owned(), n.into())));
        config.extend(temperature.map(|n| ("temperature".to_owned(), n)));
        let stops = self.stops();
        if !stops.is_empty() {
            config.insert("stopSequences".to_owned(), stops.into());
        }
        Ok(json!({ "inputText": self.prompt()?, "textGenerationConfig": config }))
    }

    fn prompt(&self) -> Result<&str, String> {
        if self.prompt.is_empty() {
            return Err("Write a prompt: a request without one is refused.".to_owned());
        }
        Ok(&self.prompt)
    }

    fn max_tokens(&self) -> Result<Option<u32>, String> {
        let text = self.max_tokens.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.parse().map(Some);
        number.map_err(|_| format!("Max tokens is {text:?}; write a whole number, or nothing."))
    }

    fn temperature(&self) -> Result<Option<Value>, String> {
        let text = self.temperature.trim();
        if text.is_empty() {
            return Ok(None);
        }
        // As JSON, so that 0.2 stays 0.2.
        match serde_json::from_str(text) {
            Ok(number @ Value::Number(_)) => Ok(Some(number)),
            _ => Err(format!(
                "Temperature is {text:?}; write a number from 0 to 1, or nothing."
            )),
        }
    }

    fn stops(&self) -> Vec<Value> {
        let lines = self.stop.lines().map(|line| line.trim_end_matches('\r'));
        lines.filter(|l| !l.is_empty()).map(Value::from).collect()
    }

    fn tools(&self) -> Result<Option<Vec<Value>>, String> {
        if self.tools.trim().is_empty() {
            return Ok(None);
        }
        match serde_json::from_str(&self.tools) {
            Ok(Value::Array(tools)) if tools.is_empty() => Ok(None),
            Ok(Value::Array(tools)) => Ok(Some(tools)),
            Ok(_) => Err("Tools must be a JSON array: [{\"toolSpec\": …}].".to_owned()),
            Err(error) => Err(format!("Tools are no JSON: {error}.")),
        }
    }
}

/// One segment of a path, as SDKs encode it.
fn escaped(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use bedrock_emulator::Config;

    use super::*;

    fn form() -> Form {
        Form {
            operation: "Converse".to_owned(),
            prompt: "Hello".to_owned(),
            ..Form::default()
        }
    }

    fn composed(form: &Form) -> Result<Value, String> {
        let emulator = Emulator::new(Config::default()).unwrap();
        let model = emulator.catalogue().id_to_call("haiku", "us-east-1");
        let form = Form {
            model: model.unwrap(),
            ..form.clone()
        };
        let composed = form.compose(&emulator)?;
        assert!(composed.target.contains("%3A") || !form.model.contains(':'));
        Ok(serde_json::from_str(&composed.body).unwrap())
    }

    #[test]
    fn fields_become_members_and_empty_ones_are_left_out() {
        let plain = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]});
        assert_eq!(composed(&form()), Ok(plain));
        let full = Form {
            system: "Be brief.".to_owned(),
            max_tokens: " 64 ".to_owned(),
            temperature: "0.2".to_owned(),
            stop: "END\r\n\nSTOP".to_owned(),
            tools: r#"[{"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "object"}}}}]"#
                .to_owned(),
            ..form()
        };
        let body = composed(&full).unwrap();
        assert_eq!(
            body["inferenceConfig"],
            json!({"maxTokens": 64, "temperature": 0.2, "stopSequences": ["END", "STOP"]})
        );
        assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "a");
        let claude = composed(&Form {
            operation: "InvokeModel".to_owned(),
            ..full.clone()
        });
        let claude = claude.unwrap();
        assert_eq!(claude["max_tokens"], 64);
        assert_eq!(claude["tools"][0]["input_schema"]["type"], "object");
        let counted = composed(&Form {
            operation: "CountTokens".to_owned(),
            ..full
        });
        let counted = counted.unwrap();
        assert_eq!(counted["input"]["converse"].get("inferenceConfig"), None);
    }

    #[test]
    fn mistakes_name_the_field_and_the_cure() {
        let with = |change: fn(&mut Form)| {
            let mut form = form();
            change(&mut form);
            composed(&form).unwrap_err()
        };
        assert!(with(|f| f.prompt.clear()).contains("Write a prompt"));
        assert!(with(|f| f.max_tokens = "many".to_owned()).contains("whole number"));
        assert!(with(|f| f.temperature = "\"0.5\"".to_owned()).contains("from 0 to 1"));
        assert!(with(|f| f.tools = "{".to_owned()).contains("no JSON"));
        assert!(with(|f| f.tools = "{}".to_owned()).contains("array"));
        assert!(with(|f| f.operation = "Delete".to_owned()).contains("Delete"));
        assert!(with(|f| f.inject = "fire".to_owned()).contains("fire"));
    }

    #[test]
    fn a_body_of_ones_own_is_sent_as_it_is() {
        let emulator = Emulator::new(Config::default()).unwrap();
        let own = Form {
            model: "a/b".to_owned(),
            body: "{ not json".to_owned(),
            ..form()
        };
        let composed = own.compose(&emulator).unwrap();
        assert_eq!(composed.body, "{ not json");
        assert_eq!(composed.target, "/model/a%2Fb/converse");
    }
}

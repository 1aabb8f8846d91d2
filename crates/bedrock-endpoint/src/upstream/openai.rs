//! The chat-completions protocol: a question as its request, its chunks as what was said.

use bedrock_emulator::{
    Said, Stopped,
    chat::{Chat, Choice, Message},
};
use serde_json::{Map, Value, json};

use super::{Heard, short};

/// The request's body.
pub(super) fn request(model: &str, chat: &Chat) -> String {
    let mut messages = Vec::new();
    if !chat.system.is_empty() {
        messages.push(json!({ "role": "system", "content": chat.system }));
    }
    messages.extend(chat.messages.iter().map(message));
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("messages".to_owned(), messages.into());
    body.insert("stream".to_owned(), true.into());
    let mut set = |name: &str, value: Option<Value>| {
        body.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("max_tokens", chat.max_tokens.map(Value::from));
    set("temperature", chat.temperature.map(Value::from));
    set("top_p", chat.top_p.map(Value::from));
    if !chat.tools.is_empty() {
        let tools = chat.tools.iter().map(|tool| {
            json!({
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                },
            })
        });
        set("tools", Some(tools.collect()));
        set("tool_choice", Some(choice(&chat.choice)));
    }
    set(
        "response_format",
        chat.format.as_ref().map(|schema| {
            json!({
                "type": "json_schema",
                "json_schema": { "name": "answer", "schema": schema, "strict": true },
            })
        }),
    );
    Value::Object(body).to_string()
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(text) => json!({ "role": "user", "content": text }),
        Message::Result { id, text } => {
            json!({ "role": "tool", "tool_call_id": id, "content": text })
        }
        Message::Assistant { text, calls } if calls.is_empty() => {
            json!({ "role": "assistant", "content": text })
        }
        Message::Assistant { text, calls } => {
            let calls = calls.iter().map(|call| {
                json!({
                    "id": call.id,
                    "type": "function",
                    "function": { "name": call.name, "arguments": call.input },
                })
            });
            let calls: Vec<Value> = calls.collect();
            json!({ "role": "assistant", "content": text, "tool_calls": calls })
        }
    }
}

fn choice(choice: &Choice) -> Value {
    match choice {
        Choice::Auto => "auto".into(),
        Choice::Any => "required".into(),
        Choice::None => "none".into(),
        Choice::Named(name) => json!({ "type": "function", "function": { "name": name } }),
    }
}

/// Reads chunks; knows which tool call is being told.
#[derive(Debug, Default)]
pub(super) struct Calls {
    current: Option<u64>,
}

impl Calls {
    /// What the data of one event says.
    pub(super) fn heard(&mut self, data: &str) -> Result<Vec<Heard>, String> {
        if data == "[DONE]" {
            return Ok(vec![Heard::Stopped(Stopped::Done)]);
        }
        let strange = || format!("it does not speak as chat completions do: {}", short(data));
        let chunk: Value = serde_json::from_str(data).map_err(|_| strange())?;
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").unwrap_or(error);
            return Err(format!(
                "it reports an error: {}",
                short(&message.to_string())
            ));
        }
        let choices = chunk.get("choices").and_then(Value::as_array);
        // The last chunk may carry usage alone.
        let Some(choice) = choices.ok_or_else(strange)?.first() else {
            return Ok(Vec::new());
        };
        let said = choice.get("delta").or_else(|| choice.get("message"));
        let mut heard = Vec::new();
        if let Some(said) = said {
            let text = said.get("content").and_then(Value::as_str);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                heard.push(Heard::Said(Said::Text(text.to_owned())));
            }
            let calls = said.get("tool_calls").and_then(Value::as_array);
            for (place, call) in calls.into_iter().flatten().enumerate() {
                let place = u64::try_from(place).unwrap_or_default();
                self.call(place, call, &mut heard);
            }
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            None => {}
            Some("length") => heard.push(Heard::Stopped(Stopped::MaxTokens)),
            Some(_) => heard.push(Heard::Stopped(Stopped::Done)),
        }
        Ok(heard)
    }

    fn call(&mut self, place: u64, call: &Value, heard: &mut Vec<Heard>) {
        let index = call.get("index").and_then(Value::as_u64).unwrap_or(place);
        let function = call.get("function").unwrap_or(call);
        let name = function.get("name").and_then(Value::as_str);
        if self.current != Some(index)
            && let Some(name) = name
        {
            self.current = Some(index);
            let name = name.to_owned();
            heard.push(Heard::Said(Said::Call { name }));
        }
        let input = match function.get("arguments") {
            None | Some(Value::Null) => return,
            Some(Value::String(text)) => text.clone(),
            // Some servers forget that it is text.
            Some(parsed) => parsed.to_string(),
        };
        heard.push(Heard::Said(Said::Input(input)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_say_text_calls_and_ends() {
        let mut calls = Calls::default();
        let mut heard = |data: &str| calls.heard(data).unwrap();
        let said = |said| Heard::Said(said);
        let text = said(Said::Text("Hi".to_owned()));
        assert_eq!(
            heard(r#"{"choices":[{"delta":{"role":"assistant","content":"Hi"}}]}"#),
            [text]
        );
        assert_eq!(heard(r#"{"choices":[{"delta":{"content":null}}]}"#), []);
        let call = |name: &str| {
            said(Said::Call {
                name: name.to_owned(),
            })
        };
        let input = |json: &str| said(Said::Input(json.to_owned()));
        assert_eq!(
            heard(
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"1","function":{"name":"a","arguments":""}}]}}]}"#
            ),
            [call("a"), input("")]
        );
        assert_eq!(
            heard(
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}},{"index":1,"function":{"name":"b","arguments":{"x":1}}}]}}]}"#
            ),
            [input("{}"), call("b"), input(r#"{"x":1}"#)]
        );
        assert_eq!(
            heard(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#),
            [Heard::Stopped(Stopped::MaxTokens)]
        );
        assert_eq!(heard(r#"{"choices":[],"usage":{}}"#), []);
        assert_eq!(heard("[DONE]"), [Heard::Stopped(Stopped::Done)]);
        for strange in ["<html>", "{}", "[]", r#"{"error":{"message":"no"}}"#] {
            assert!(Calls::default().heard(strange).is_err(), "{strange}");
        }
    }

    #[test]
    fn a_question_becomes_a_request() {
        let chat = Chat {
            system: "Be brief.".to_owned(),
            messages: vec![
                Message::User("Hi".to_owned()),
                Message::Result {
                    id: "1".to_owned(),
                    text: "9".to_owned(),
                },
            ],
            max_tokens: Some(5),
            choice: Choice::Any,
            tools: vec![bedrock_emulator::chat::Tool {
                name: "t".to_owned(),
                description: String::new(),
                schema: json!({}),
            }],
            ..Chat::default()
        };
        let body: Value = serde_json::from_str(&request("m", &chat)).unwrap();
        assert_eq!(body["messages"][0]["role"], "system");
        assert_eq!(body["messages"][2]["tool_call_id"], "1");
        assert_eq!(body["tool_choice"], "required");
        assert_eq!(body["max_tokens"], 5);
        assert_eq!(body["stream"], true);
        assert_eq!(body.get("temperature"), None);
    }
}

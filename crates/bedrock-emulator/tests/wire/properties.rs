//! What holds for every valid request, tried with some hundred made-up ones.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::Emulator;
use serde_json::{Map, Value, json};

use crate::bench::{base, call, chunks, events, header, json as body, open, profile, text};

/// A small generator: the same requests on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^ (z >> 29)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[usize::try_from(self.below(items.len() as u64)).unwrap()]
    }
}

const PROMPTS: [&str; 16] = [
    "Hi",
    "Explain event streams in three sentences.",
    "What's the weather in Berlin and Paris?",
    "Say \"pong\"",
    "Answer in ten bullet points: why tests?",
    "Tell me about tides in 50 words",
    "天気はどうですか。東京について教えてください",
    "ما هو الطقس اليوم؟",
    "Book a table for 4 guests on 2026-12-24, please",
    "What is 12 * 7?",
    "Return JSON about rivers",
    "\u{202e}\u{0}\t odd 🙂👩‍🚀 e\u{301}",
    "Use get_weather for \"New York\" and search for 'x'",
    "one two three STOP four",
    "Summarize the document, quoting “exactly this”",
    "x",
];

fn tool(dice: &mut Dice) -> Value {
    let (name, description) = *dice.pick(&[
        ("get_weather", "The weather in a city"),
        ("search", "Searches the web"),
        ("book_table", "Books a table"),
        ("calculator", "Evaluates an expression"),
    ]);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for _ in 0..dice.below(4) {
        let (name, schema) = dice
            .pick(&[
                ("city", json!({"type": "string"})),
                ("days", json!({"type": "integer", "minimum": 1, "maximum": 9})),
                ("unit", json!({"enum": ["celsius", "fahrenheit"]})),
                ("tags", json!({"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 3})),
                ("date", json!({"type": "string", "format": "date"})),
                ("deep", json!({"type": "object", "properties": {"a": {"type": ["number", "null"]}}, "required": ["a"]})),
            ])
            .clone();
        properties.insert(name.to_owned(), schema);
        required.push(name);
    }
    required.sort_unstable();
    required.dedup();
    json!({"name": name, "description": description, "schema": {
        "type": "object", "properties": properties, "required": required
    }})
}

/// A request that keeps every rule, in the terms of both dialects.
struct Asked {
    converse: Value,
    messages: Value,
}

fn asked(dice: &mut Dice) -> Asked {
    let mut prompt = (*dice.pick(&PROMPTS)).to_owned();
    if dice.one_in(3) {
        prompt = format!("{prompt} {}", dice.pick(&PROMPTS));
    }
    let mut said = vec![json!({"text": prompt})];
    let mut told = vec![json!({"type": "text", "text": prompt})];
    if dice.one_in(4) {
        let citations = dice.one_in(2);
        let data = "Tides rise. Rivers flow to the sea! 海は青い。";
        said.push(json!({"document": {"name": "facts", "format": "txt",
            "source": {"text": data}, "citations": {"enabled": citations}}}));
        told.push(
            json!({"type": "document", "title": "facts", "citations": {"enabled": citations},
            "source": {"type": "text", "media_type": "text/plain", "data": data}}),
        );
    }
    if dice.one_in(5) {
        let gif = STANDARD.encode(b"GIF89a\x0A\0\x05\0\0\0\0");
        said.push(json!({"image": {"format": "gif", "source": {"bytes": gif}}}));
        told.push(json!({"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": gif}}));
    }
    let mut converse_turns = Vec::new();
    let mut messages_turns = Vec::new();
    if dice.one_in(2) {
        converse_turns.push(json!({"role": "user", "content": [{"text": "Hello"}]}));
        converse_turns.push(json!({"role": "assistant", "content": [{"text": "Hello!"}]}));
        messages_turns.push(json!({"role": "user", "content": "Hello"}));
        messages_turns.push(json!({"role": "assistant", "content": "Hello!"}));
    }
    let (mut converse, mut messages) = (
        json!({}),
        json!({"anthropic_version": "bedrock-2023-05-31"}),
    );
    let max = *dice.pick(&[1, 5, 40, 300, 4_000]);
    converse["inferenceConfig"] = json!({"maxTokens": max});
    messages["max_tokens"] = max.into();
    if dice.one_in(3) {
        let stops = json!(["STOP", "the", "。"]);
        converse["inferenceConfig"]["stopSequences"] = stops.clone();
        messages["stop_sequences"] = stops;
    }
    if dice.one_in(2) {
        let system = "You are terse. ".repeat(1 + usize::try_from(dice.below(900)).unwrap());
        converse["system"] = json!([{"text": system}, {"cachePoint": {"type": "default"}}]);
        messages["system"] =
            json!([{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]);
    }
    let forced = dice.one_in(3);
    if dice.one_in(2) {
        let mut tools: Vec<Value> = (0..=dice.below(2)).map(|_| tool(dice)).collect();
        tools.dedup_by(|a, b| a["name"] == b["name"]);
        converse["toolConfig"]["tools"] = tools
            .iter()
            .map(|t| json!({"toolSpec": {"name": t["name"], "description": t["description"], "inputSchema": {"json": t["schema"]}}}))
            .collect();
        messages["tools"] = tools
            .iter()
            .map(|t| json!({"name": t["name"], "description": t["description"], "input_schema": t["schema"]}))
            .collect();
        if forced {
            converse["toolConfig"]["toolChoice"] = json!({"any": {}});
            messages["tool_choice"] = json!({"type": "any"});
        }
    }
    if max > 2_000 && !forced && dice.one_in(2) {
        let thinking = json!({"type": "enabled", "budget_tokens": 1_024});
        converse["additionalModelRequestFields"] = json!({"thinking": thinking});
        messages["thinking"] = thinking;
    }
    converse_turns.push(json!({"role": "user", "content": said}));
    messages_turns.push(json!({"role": "user", "content": told}));
    converse["messages"] = converse_turns.into();
    messages["messages"] = messages_turns.into();
    Asked { converse, messages }
}

const CASES: u64 = 120;

/// The same emulator for every call, so that both forms of an answer come from the same state.
fn ask(model: &str, action: &str, request: &Value) -> bedrock_emulator::Reply {
    let emulator = open();
    let reply = call(&emulator, model, action, request);
    assert_eq!(reply.status, 200, "{}\n{request}", text(&reply));
    reply
}

fn models(emulator: &Emulator) -> (String, String) {
    let id = base(
        emulator,
        &emulator.catalogue().by_alias("haiku").unwrap().name,
    );
    (profile(emulator, "haiku"), id)
}

/// Converse's blocks without the ids, which are drawn between other things in a stream.
fn without_ids(mut content: Value) -> Value {
    for block in content.as_array_mut().unwrap() {
        if let Some(tool_use) = block.get_mut("toolUse").and_then(Value::as_object_mut) {
            tool_use.remove("toolUseId");
            tool_use.remove("type");
        }
    }
    content
}

/// The blocks that the events of a Converse stream tell.
fn joined(events: &[(String, Value)]) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    let append = |place: &mut Value, more: &Value| {
        let text = format!(
            "{}{}",
            place.as_str().unwrap_or_default(),
            more.as_str().unwrap()
        );
        *place = text.into();
    };
    for (kind, event) in events {
        let Some(index) = event["contentBlockIndex"].as_u64() else {
            continue;
        };
        let index = usize::try_from(index).unwrap();
        if kind != "contentBlockStop" && blocks.len() <= index {
            assert_eq!(blocks.len(), index, "indices count up");
            blocks.push(json!({}));
        }
        let block = blocks.get_mut(index);
        let delta = &event["delta"];
        let Some(block) = block else { continue };
        if kind == "contentBlockStart" {
            block["toolUse"] = event["start"]["toolUse"].clone();
        } else if let Some(citation) = delta.get("citation") {
            block["citationsContent"] = json!({"citations": [citation], "content": [{"text": ""}]});
        } else if delta.get("text").is_some() {
            if block.get("citationsContent").is_some() {
                append(
                    &mut block["citationsContent"]["content"][0]["text"],
                    &delta["text"],
                );
            } else {
                append(&mut block["text"], &delta["text"]);
            }
        } else if delta.get("toolUse").is_some() {
            append(&mut block["toolUse"]["input"], &delta["toolUse"]["input"]);
        } else if let Some(reasoning) = delta.get("reasoningContent") {
            let place = &mut block["reasoningContent"]["reasoningText"];
            for key in ["text", "signature"] {
                if let Some(more) = reasoning.get(key) {
                    append(&mut place[key], more);
                }
            }
        } else if kind == "contentBlockStop"
            && let Some(tool_use) = block.get_mut("toolUse")
        {
            // A tool use that was cut off has no input (recorded).
            let input = tool_use["input"].as_str().unwrap_or("{}");
            tool_use["input"] = serde_json::from_str(input).unwrap_or_else(|_| json!({}));
        }
    }
    blocks.into()
}

#[test]
fn any_valid_request_gets_a_valid_answer_and_a_stream_tells_the_same() {
    let (model, base) = models(&open());
    let mut dice = Dice(1);
    for _ in 0..CASES {
        let request = asked(&mut dice).converse;
        let answer = body(&ask(&model, "converse", &request));
        let usage = &answer["usage"];
        let number = |key: &str| usage[key].as_u64().unwrap();
        let input = number("inputTokens")
            + number("cacheReadInputTokens")
            + number("cacheWriteInputTokens");
        assert_eq!(number("totalTokens"), input + number("outputTokens"));
        let max = request["inferenceConfig"]["maxTokens"].as_u64().unwrap();
        assert!(number("outputTokens") <= max, "{usage}\n{request}");
        let stop = answer["stopReason"].as_str().unwrap();
        assert!(
            ["end_turn", "tool_use", "max_tokens", "stop_sequence"].contains(&stop),
            "{stop}"
        );
        assert!(
            stop != "max_tokens" || number("outputTokens") == max,
            "{usage}
{request}"
        );

        let stream = events(&ask(&model, "converse-stream", &request));
        let content = without_ids(answer["output"]["message"]["content"].clone());
        assert_eq!(without_ids(joined(&stream)), content, "{request}");
        let told = &stream[stream.len() - 1].1["usage"];
        for key in ["inputTokens", "outputTokens", "totalTokens"] {
            assert_eq!(told[key], usage[key], "{request}");
        }
        assert_eq!(stream[stream.len() - 2].1["stopReason"], stop);

        let counted = ask(
            &base,
            "count-tokens",
            &json!({"input": {"converse": request}}),
        );
        assert_eq!(body(&counted)["inputTokens"], input, "{request}");
    }
}

#[test]
fn both_dialects_say_and_count_the_same() {
    let (model, base) = models(&open());
    let mut dice = Dice(2);
    for _ in 0..CASES {
        let Asked { converse, messages } = asked(&mut dice);
        let one = body(&ask(&model, "converse", &converse));
        let reply = ask(&model, "invoke", &messages);
        let other = body(&reply);
        let kinds = |content: &Value| content.as_array().unwrap().len();
        assert_eq!(
            kinds(&one["output"]["message"]["content"]),
            kinds(&other["content"]),
            "{converse}"
        );
        assert_eq!(one["stopReason"], other["stop_reason"]);
        assert_eq!(
            one["usage"]["inputTokens"], other["usage"]["input_tokens"],
            "{converse}"
        );
        assert_eq!(
            one["usage"]["outputTokens"],
            other["usage"]["output_tokens"]
        );
        for (name, key) in [
            ("Input", "input_tokens"),
            ("Output", "output_tokens"),
            ("Cache-Write-Input", "cache_creation_input_tokens"),
        ] {
            let told = header(&reply, &format!("X-Amzn-Bedrock-{name}-Token-Count"));
            assert_eq!(told.unwrap(), other["usage"][key].to_string());
        }
        let stream = chunks(&ask(&model, "invoke-with-response-stream", &messages));
        let metrics = &stream.last().unwrap()["amazon-bedrock-invocationMetrics"];
        assert_eq!(metrics["inputTokenCount"], other["usage"]["input_tokens"]);
        assert_eq!(metrics["outputTokenCount"], other["usage"]["output_tokens"]);
        let encoded = STANDARD.encode(messages.to_string());
        let counted = ask(
            &base,
            "count-tokens",
            &json!({"input": {"invokeModel": {"body": encoded}}}),
        );
        let usage = &other["usage"];
        let number = |key: &str| usage[key].as_u64().unwrap();
        let input = number("input_tokens")
            + number("cache_creation_input_tokens")
            + number("cache_read_input_tokens");
        assert_eq!(body(&counted)["inputTokens"], input);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (model, _) = models(&open());
    let mut dice = Dice(3);
    for round in 0..CASES / 3 {
        let Asked { converse, messages } = asked(&mut dice);
        let (action, request) = match round % 4 {
            0 => ("converse", converse),
            1 => ("converse-stream", converse),
            2 => ("invoke", messages),
            _ => ("invoke-with-response-stream", messages),
        };
        let once = ask(&model, action, &request);
        let again = ask(&model, action, &request);
        assert_eq!((once.headers, once.body), (again.headers, again.body));
    }
}

#[test]
fn counts_grow_with_the_input() {
    let emulator = open();
    let (_, base) = models(&emulator);
    let mut dice = Dice(4);
    let count = |texts: &[&str]| {
        let content: Vec<Value> = texts.iter().map(|t| json!({"text": t})).collect();
        let request =
            json!({"input": {"converse": {"messages": [{"role": "user", "content": content}]}}});
        body(&call(&emulator, &base, "count-tokens", &request))["inputTokens"]
            .as_u64()
            .unwrap()
    };
    for _ in 0..CASES {
        let (a, b) = (*dice.pick(&PROMPTS), *dice.pick(&PROMPTS));
        let (one, other) = (count(&[a]), count(&[b]));
        let whole = count(&[&format!("{a}{b}")]);
        assert!(whole >= one.max(other), "{a:?} + {b:?}");
        assert!(count(&[a, b]) >= whole, "{a:?}, {b:?}");
    }
}

#[test]
fn a_scripted_text_of_any_length_is_streamed_whole() {
    use bedrock_emulator::script::{Piece, Step};
    let emulator = open();
    let (model, _) = models(&emulator);
    // More than one piece of a message may be, once it is escaped and in base64.
    let long = "\u{1}好".repeat(600_000);
    let say = || {
        Step::Say(vec![
            Piece::Text(long.clone()),
            Piece::Stop("end_turn".to_owned()),
        ])
    };
    emulator.script([say(), say()]);
    let request = json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]});
    let stream = events(&call(&emulator, &model, "converse-stream", &request));
    let parts = stream
        .iter()
        .filter_map(|(_, e)| e["delta"]["text"].as_str());
    assert!(parts.collect::<String>() == long);
    let request = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}]});
    let stream = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &request,
    ));
    let parts = stream.iter().filter_map(|e| e["delta"]["text"].as_str());
    assert!(parts.collect::<String>() == long);
    // What cannot be cut is told and not a panic.
    let stop = Piece::Stop("s".repeat(25 * 1024 * 1024));
    emulator.script([Step::Say(vec![Piece::Text("x".to_owned()), stop])]);
    let request = json!({"messages": [{"role": "user", "content": [{"text": "x"}]}]});
    let stream = call(&emulator, &model, "converse-stream", &request);
    assert!(text_of(&stream).contains("larger than an event-stream"));
}

fn text_of(reply: &bedrock_emulator::Reply) -> String {
    String::from_utf8_lossy(&reply.body.bytes()).into_owned()
}

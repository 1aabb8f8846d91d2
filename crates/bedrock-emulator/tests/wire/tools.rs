//! Tool use and sources: what a model calls without being forced, with which inputs, and how it
//! answers from results, documents and search results.

use serde_json::{Value, json};

use crate::bench::{call, chunks, events, json as body, open, profile};

fn tool(name: &str, description: &str, properties: &Value, required: &[&str]) -> Value {
    json!({"toolSpec": {"name": name, "description": description, "inputSchema": {"json": {
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false
    }}}})
}

fn tools() -> Value {
    let text = json!({"type": "string"});
    json!([
        tool(
            "get_weather",
            "Get the current weather for a city",
            &json!({"city": text, "unit": {"enum": ["celsius", "fahrenheit"]}}),
            &["city"]
        ),
        tool(
            "get_current_time",
            "The time in a city",
            &json!({"city": text}),
            &["city"]
        ),
        tool(
            "send_email",
            "Sends an e-mail",
            &json!({"to": {"type": "string", "format": "email"}, "body": text}),
            &["to", "body"]
        ),
        tool(
            "book_table",
            "Books a table in a restaurant",
            &json!({"guests": {"type": "integer", "minimum": 1, "maximum": 20}, "date": {"type": "string", "format": "date"}}),
            &["guests", "date"]
        ),
    ])
}

/// The tool uses of a Converse answer as `(name, input)`, and its stop reason.
fn used(prompt: &str) -> (Vec<(String, Value)>, String) {
    let emulator = open();
    let request = json!({
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "toolConfig": {"tools": tools()}
    });
    let answer = body(&call(
        &emulator,
        &profile(&emulator, "sonnet"),
        "converse",
        &request,
    ));
    let content = answer["output"]["message"]["content"].as_array().unwrap();
    let uses = content.iter().filter(|block| block["toolUse"].is_object());
    let uses = uses.map(|block| {
        let tool_use = &block["toolUse"];
        assert!(
            tool_use["toolUseId"]
                .as_str()
                .unwrap()
                .starts_with("tooluse_")
        );
        (
            tool_use["name"].as_str().unwrap().to_owned(),
            tool_use["input"].clone(),
        )
    });
    let stop = answer["stopReason"].as_str().unwrap().to_owned();
    (uses.collect(), stop)
}

#[test]
fn what_a_prompt_asks_for_is_called_with_inputs_from_the_prompt() {
    for (prompt, name, input) in [
        (
            "What's the weather in Berlin?",
            "get_weather",
            json!({"city": "Berlin"}),
        ),
        (
            "Send an email to ada@example.org saying \"see you at noon\"",
            "send_email",
            json!({"to": "ada@example.org", "body": "see you at noon"}),
        ),
        (
            "Book a table for 4 guests on 2026-12-24",
            "book_table",
            json!({"guests": 4, "date": "2026-12-24"}),
        ),
    ] {
        let (uses, stop) = used(prompt);
        assert_eq!(stop, "tool_use", "{prompt}");
        assert_eq!(uses[0].0, name);
        for (key, value) in input.as_object().unwrap() {
            assert_eq!(&uses[0].1[key], value, "{prompt}");
        }
    }
}

#[test]
fn several_calls_come_in_one_turn() {
    let (uses, _) = used("What is the weather in Berlin and what time is it in Tokyo?");
    let told: Vec<_> = uses
        .iter()
        .map(|(name, input)| (name.as_str(), &input["city"]))
        .collect();
    assert_eq!(
        told,
        [
            ("get_weather", &json!("Berlin")),
            ("get_current_time", &json!("Tokyo"))
        ]
    );
    let (uses, _) = used("Compare the weather in Oslo, New York and Rome");
    let cities: Vec<_> = uses
        .iter()
        .map(|(_, input)| input["city"].clone())
        .collect();
    assert_eq!(cities, ["Oslo", "New York", "Rome"]);
}

#[test]
fn nothing_is_called_when_nobody_asks() {
    for prompt in [
        "Hello!",
        "Who was Ada Lovelace?",
        "Explain how weather is made",
        "天気",
    ] {
        let (uses, stop) = used(prompt);
        assert!(uses.is_empty() && stop == "end_turn", "{prompt}: {uses:?}");
    }
}

#[test]
fn a_stream_tells_the_same_calls() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let request = json!({
        "messages": [{"role": "user", "content": [{"text": "Weather in Oslo and Rome?"}]}],
        "toolConfig": {"tools": tools()}
    });
    let stream = events(&call(&emulator, &model, "converse-stream", &request));
    let mut inputs = vec![String::new(); 2];
    for (_, event) in &stream {
        if let Some(part) = event["delta"]["toolUse"]["input"].as_str() {
            let index = event["contentBlockIndex"].as_u64().unwrap();
            inputs[usize::try_from(index).unwrap()] += part;
        }
    }
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|i| serde_json::from_str(i).unwrap())
        .collect();
    assert_eq!(
        (&inputs[0]["city"], &inputs[1]["city"]),
        (&json!("Oslo"), &json!("Rome"))
    );
}

/// The request and the answer's shape of a stream recorded in 2026-08.
#[test]
fn a_document_is_cited_with_places_in_its_text() {
    let facts = "The Ruby programming language was created by Yukihiro Matsumoto in 1993. Ruby was \
                 designed to make programmers happy and productive.\n";
    let request = json!({"messages": [{"role": "user", "content": [
        {"text": "Who created Ruby? Use the document."},
        {"document": {"format": "txt", "name": "facts", "source": {"text": facts}, "citations": {"enabled": true}}}
    ]}], "inferenceConfig": {}});
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let stream = events(&call(&emulator, &model, "converse-stream", &request));
    assert_eq!(
        stream[1].1.to_string(),
        json!({"contentBlockIndex": 0, "delta": {"citation": {
            "location": {"documentChar": {"documentIndex": 0, "end": 73, "start": 0}},
            "sourceContent": [{"text": "The Ruby programming language was created by Yukihiro Matsumoto in 1993. "}],
            "title": "facts"
        }}})
        .to_string()
    );
    assert!(stream[2].1["delta"]["text"].is_string());
    let answer = body(&call(&emulator, &model, "converse", &request));
    let cited = &answer["output"]["message"]["content"][0]["citationsContent"];
    assert_eq!(cited["citations"][0], stream[1].1["delta"]["citation"]);
    assert!(
        cited["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("1993")
    );
    // What was said with citations may be sent back.
    let mut again = request.clone();
    let messages = again["messages"].as_array_mut().unwrap();
    messages.push(answer["output"]["message"].clone());
    messages.push(json!({"role": "user", "content": [{"text": "Thanks."}]}));
    assert_eq!(call(&emulator, &model, "converse", &again).status, 200);
}

#[test]
fn messages_cite_in_anthropics_words() {
    let request = json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 500,
        "messages": [{"role": "user", "content": [
            {"type": "document", "title": "facts", "citations": {"enabled": true},
             "source": {"type": "text", "media_type": "text/plain", "data": "Tea is hot. Coffee is black."}},
            {"type": "text", "text": "What is coffee?"}
        ]}]
    });
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let answer = body(&call(&emulator, &model, "invoke", &request));
    assert_eq!(
        answer["content"][0]["citations"][0],
        json!({"type": "char_location", "cited_text": "Coffee is black.", "document_index": 0,
            "document_title": "facts", "start_char_index": 12, "end_char_index": 28})
    );
    let stream = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &request,
    ));
    assert_eq!(stream[1]["content_block"]["citations"], json!([]));
    assert_eq!(stream[2]["delta"]["type"], "citations_delta");
}

#[test]
fn search_results_of_a_tool_are_cited() {
    let source = json!({"source": "https://example.com/ruby-facts", "title": "Ruby Facts",
        "content": [{"text": "The Ruby programming language was created by Yukihiro Matsumoto in 1993."}],
        "citations": {"enabled": true}});
    let request = json!({"messages": [
        {"role": "user", "content": [{"text": "Who created Ruby?"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "knowledge_base", "input": {"query": "Ruby"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"searchResult": source}]}}]}
    ], "toolConfig": {"tools": [tool("knowledge_base", "Searches", &json!({"query": {"type": "string"}}), &["query"])]}});
    let emulator = open();
    let answer = body(&call(
        &emulator,
        &profile(&emulator, "haiku"),
        "converse",
        &request,
    ));
    let cited = &answer["output"]["message"]["content"][0]["citationsContent"]["citations"][0];
    // Recorded, member for member.
    assert_eq!(
        *cited,
        json!({"location": {"searchResultLocation": {"end": 1, "searchResultIndex": 0, "start": 0}},
            "source": "https://example.com/ruby-facts",
            "sourceContent": [{"text": "The Ruby programming language was created by Yukihiro Matsumoto in 1993."}],
            "title": "Ruby Facts"})
    );
}

#[test]
fn pictures_and_files_are_mentioned() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend([0, 0, 2, 0x80, 0, 0, 1, 0xE0, 8, 6, 0, 0, 0]);
    let request = json!({"messages": [{"role": "user", "content": [
        {"text": "What do you see?"},
        {"image": {"format": "png", "source": {"bytes": STANDARD.encode(png)}}},
        {"document": {"format": "md", "name": "notes", "source": {"bytes": STANDARD.encode("# Plans\nBuy tea.")}}}
    ]}]});
    let emulator = open();
    let answer = body(&call(
        &emulator,
        &profile(&emulator, "sonnet"),
        "converse",
        &request,
    ));
    let said = answer["output"]["message"]["content"][0]["text"]
        .as_str()
        .unwrap();
    assert!(
        said.contains("PNG of 640 × 480") && said.contains("notes"),
        "{said}"
    );
    // 640 × 480 / 750 tokens for the picture, as documented.
    assert!(answer["usage"]["inputTokens"].as_u64().unwrap() > 410);
}

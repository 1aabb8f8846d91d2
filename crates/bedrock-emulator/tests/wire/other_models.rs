//! Models that are not Claude: their bodies, their vectors and their refusals.

use serde_json::{Value, json};

use crate::bench::{base, call, chunks, events, header, json as body, open, text, with};
use bedrock_emulator::script::{Piece, Step};

fn floats(vector: &Value) -> Vec<f64> {
    let numbers = vector.as_array().unwrap().iter();
    numbers.map(|x| x.as_f64().unwrap()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[test]
fn titan_embeds_a_text_as_recorded() {
    let emulator = open();
    let model = base(&emulator, "Titan Text Embeddings V2");
    let reply = call(
        &emulator,
        &model,
        "invoke",
        &json!({"inputText": "Hello, world!"}),
    );
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let names: Vec<_> = reply.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(
        names[2..],
        [
            "X-Amzn-Bedrock-Invocation-Latency",
            "X-Amzn-Bedrock-Input-Token-Count"
        ]
    );
    assert_eq!(
        header(&reply, "X-Amzn-Bedrock-Input-Token-Count"),
        Some("4")
    );
    let said = text(&reply);
    let order = [
        "{\"embedding\":[",
        "],\"embeddingsByType\":{\"float\":[",
        "]},\"inputTextTokenCount\":4}",
    ];
    let places: Vec<_> = order.iter().map(|part| said.find(part)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{said:.80}"
    );
    let vector = floats(&body(&reply)["embedding"]);
    assert_eq!(vector.len(), 1_024);
    assert!((dot(&vector, &vector) - 1.0).abs() < 1e-3);
    let short = json!({"inputText": "x", "dimensions": 256, "normalize": true, "embeddingTypes": ["binary"]});
    let answer = body(&call(&emulator, &model, "invoke", &short));
    assert_eq!(
        answer["embeddingsByType"]["binary"]
            .as_array()
            .unwrap()
            .len(),
        256
    );
    assert!(answer.get("embedding").is_none(), "only the asked types");
}

#[test]
fn vectors_depend_on_text_model_and_seed_alone() {
    let emulator = open();
    let two = base(&emulator, "Titan Text Embeddings V2");
    let one = base(&emulator, "Titan Embeddings G1 - Text");
    let (again, other) = (open(), with(|c| c.seed = 2));
    let ask = json!({"inputText": "the same"});
    let vector =
        |emulator, model: &str| body(&call(emulator, model, "invoke", &ask))["embedding"].clone();
    assert_eq!(vector(&emulator, &two), vector(&emulator, &two));
    assert_eq!(vector(&emulator, &two), vector(&again, &two));
    assert_ne!(vector(&emulator, &two), vector(&other, &two));
    assert_eq!(vector(&emulator, &one).as_array().unwrap().len(), 1_536);
    assert_ne!(vector(&emulator, &one)[0], vector(&emulator, &two)[0]);
}

#[test]
fn cohere_embeds_many_texts_in_several_types() {
    let emulator = open();
    let three = base(&emulator, "Embed English");
    let ask = json!({"texts": ["Hello, World!", "Bye"], "input_type": "search_document"});
    let answer = body(&call(&emulator, &three, "invoke", &ask));
    assert_eq!(answer["response_type"], "embeddings_floats");
    assert_eq!(
        answer["texts"],
        json!(["hello, world!", "bye"]),
        "lower case, as recorded"
    );
    assert_eq!(answer["embeddings"][1].as_array().unwrap().len(), 1_024);
    assert_eq!(answer["id"].as_str().unwrap().len(), 36);

    let four = format!("us.{}", base(&emulator, "Embed v4"));
    let ask = json!({"texts": ["Hello, World!"], "input_type": "search_query", "output_dimension": 512,
        "embedding_types": ["float", "int8", "ubinary"]});
    let reply = call(&emulator, &four, "invoke", &ask);
    assert!(
        text(&reply).starts_with("{\"id\":\""),
        "{:.80}",
        text(&reply)
    );
    let answer = body(&reply);
    assert_eq!(answer["response_type"], "embeddings_by_type");
    assert_eq!(answer["texts"], json!(["Hello, World!"]));
    assert_eq!(
        answer["embeddings"]["float"][0].as_array().unwrap().len(),
        512
    );
    assert_eq!(
        answer["embeddings"]["int8"][0].as_array().unwrap().len(),
        512
    );
    assert_eq!(
        answer["embeddings"]["ubinary"][0].as_array().unwrap().len(),
        64
    );
}

#[test]
fn nova_embeds_one_item() {
    let emulator = open();
    let model = base(&emulator, "Amazon Nova Multimodal Embeddings");
    let ask = json!({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {
        "embeddingPurpose": "GENERIC_RETRIEVAL", "text": {"value": "Hello, world!", "truncationMode": "NONE"}}});
    let reply = call(&emulator, &model, "invoke", &ask);
    assert_eq!(
        header(&reply, "X-Amzn-Bedrock-Input-Token-Count"),
        Some("19"),
        "as recorded"
    );
    let answer = body(&reply);
    assert_eq!(answer["embeddings"][0]["embeddingType"], "TEXT");
    let vector = floats(&answer["embeddings"][0]["embedding"]);
    assert_eq!(vector.len(), 3_072);
    assert!((dot(&vector, &vector) - 1.0).abs() < 1e-3);
}

#[test]
fn titan_text_answers_as_recorded() {
    let emulator = open();
    let model = base(&emulator, "Titan Text G1 - Lite");
    emulator.script([Step::Say(vec![
        Piece::Text("This is".to_owned()),
        Piece::Text(" a test".to_owned()),
        Piece::Usage {
            input: 5,
            output: 10,
        },
        Piece::Stop("max_tokens".to_owned()),
    ])]);
    let ask = json!({"inputText": "Say this is a test", "textGenerationConfig": {"maxTokenCount": 10,
        "temperature": 0.8, "topP": 1, "stopSequences": ["|"]}});
    let reply = call(&emulator, &model, "invoke", &ask);
    assert_eq!(
        text(&reply),
        r#"{"inputTextTokenCount":5,"results":[{"tokenCount":10,"outputText":"This is a test","completionReason":"LENGTH"}]}"#
    );
    assert_eq!(
        header(&reply, "X-Amzn-Bedrock-Output-Token-Count"),
        Some("10")
    );
    let streamed = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &ask,
    ));
    let last = streamed.last().unwrap();
    let whole = body(&call(&emulator, &model, "invoke", &ask));
    let results = &whole["results"][0];
    assert_eq!(last["completionReason"], results["completionReason"]);
    assert_eq!(
        last["amazon-bedrock-invocationMetrics"]["outputTokenCount"],
        results["tokenCount"]
    );
    let joined: String = streamed
        .iter()
        .map(|c| c["outputText"].as_str().unwrap())
        .collect();
    assert_eq!(whole["results"][0]["outputText"], joined.as_str());
}

#[test]
fn nova_answers_and_streams_as_recorded() {
    let emulator = open();
    let model = base(&emulator, "Nova Micro");
    let say = || {
        Step::Say(vec![
            Piece::Text("It".to_owned()),
            Piece::Text(" is".to_owned()),
            Piece::ToolUse {
                name: "get_weather".to_owned(),
                input: json!({"location": "Seattle"}),
            },
            Piece::Usage {
                input: 5,
                output: 10,
            },
        ])
    };
    let ask = json!({"messages": [{"role": "user", "content": [{"text": "Weather?"}]}],
        "inferenceConfig": {"max_new_tokens": 100, "topK": 20}, "schemaVersion": "messages-v1",
        "toolConfig": {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": {"type": "object"}}}}]}});
    emulator.script([say(), say(), say()]);
    let reply = call(&emulator, &model, "invoke", &ask);
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let answer = body(&reply);
    let tool = answer["output"]["message"]["content"][1]["toolUse"].clone();
    assert_eq!(tool["toolUseId"].as_str().unwrap().len(), 36, "a UUID here");
    let expected = format!(
        r#"{{"output":{{"message":{{"content":[{{"text":"It is"}},{{"toolUse":{{"name":"get_weather","toolUseId":{},"input":{{"location":"Seattle"}}}}}}],"role":"assistant"}}}},"stopReason":"tool_use","usage":{{"inputTokens":5,"outputTokens":10,"totalTokens":15,"cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":0}}}}"#,
        tool["toolUseId"]
    );
    assert_eq!(text(&reply), expected);
    let streamed = chunks(&call(
        &emulator,
        &model,
        "invoke-with-response-stream",
        &ask,
    ));
    let kinds: Vec<String> = streamed
        .iter()
        .map(|chunk| {
            let (kind, inner) = chunk
                .as_object()
                .unwrap()
                .iter()
                .find(|(k, _)| !k.starts_with("amazon"))
                .unwrap();
            let index = inner.get("contentBlockIndex").map(|i| format!(" {i}"));
            format!("{kind}{}", index.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "messageStart",
            "contentBlockDelta 0",
            "contentBlockStop 0",
            "contentBlockDelta 1",
            "contentBlockStop 1",
            "contentBlockStart 2",
            "contentBlockDelta 2",
            "contentBlockStop 2",
            "messageStop",
            "metadata"
        ]
    );
    assert_eq!(
        streamed[6]["contentBlockDelta"]["delta"]["toolUse"]["input"],
        r#"{"location":"Seattle"}"#
    );
    let converse = json!({"messages": ask["messages"], "toolConfig": ask["toolConfig"]});
    let streamed = events(&call(&emulator, &model, "converse-stream", &converse));
    let inputs: Vec<_> = streamed
        .iter()
        .filter_map(|(_, e)| e.pointer("/delta/toolUse/input"))
        .collect();
    assert_eq!(
        inputs,
        [r#"{"location":"Seattle"}"#],
        "one delta, as recorded"
    );
    let reply = call(&emulator, &model, "converse", &converse);
    let usage = body(&reply)["usage"].clone();
    let members: Vec<_> = usage.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        [
            "inputTokens",
            "outputTokens",
            "serverToolUsage",
            "totalTokens"
        ]
    );
}

#[test]
fn bodies_that_break_the_schema() {
    let emulator = open();
    let malformed = |what: &str| {
        format!("Malformed input request: {what}, please reformat your input and try again.")
    };
    let titan = base(&emulator, "Titan Text Embeddings V2");
    let express = base(&emulator, "Titan Text G1 - Express");
    let cohere = base(&emulator, "Embed Multilingual");
    let nova = base(&emulator, "Nova Lite");
    let space = base(&emulator, "Amazon Nova Multimodal Embeddings");
    let rows = [
        (&titan, json!({}), malformed("#: required key [inputText] not found")),
        (&titan, json!({"inputText": ""}), malformed("#/inputText: expected minLength: 1, actual: 0")),
        (&titan, json!({"inputText": 5}), malformed("#/inputText: expected type: String, found: Integer")),
        (
            &titan,
            json!({"inputText": "a", "dimensions": 300, "x": 1}),
            malformed("#: extraneous key [x] is not permitted, #/dimensions: 300 is not a valid enum value"),
        ),
        (&titan, json!([1]), malformed("#: expected type: JSONObject, found: JSONArray")),
        (
            &express,
            json!({"inputText": "a", "textGenerationConfig": {"maxTokenCount": 9000, "temperature": "x"}}),
            malformed("#/textGenerationConfig/maxTokenCount: 9000 is not less or equal to 8192, #/textGenerationConfig/temperature: expected type: Number, found: String"),
        ),
        (
            &cohere,
            json!({"texts": vec!["a"; 97], "input_type": "nothing"}),
            malformed("#/input_type: nothing is not a valid enum value, #/texts: expected maximum item count: 96, found: 97"),
        ),
        (
            &cohere,
            json!({"texts": ["a".repeat(2_049)], "input_type": "clustering"}),
            malformed("#/texts/0: expected maxLength: 2048, actual: 2049"),
        ),
        (
            &nova,
            json!({"messages": [], "max_tokens": 5}),
            malformed("#: extraneous key [max_tokens] is not permitted"),
        ),
        (&nova, json!({}), malformed("#: required key [messages] not found")),
        (
            &space,
            json!({"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {"embeddingPurpose": "X"}}),
            malformed("#/singleEmbeddingParams/embeddingPurpose: X is not a valid enum value, #/singleEmbeddingParams: required key [text] not found"),
        ),
        (
            &titan,
            json!({"inputText": "a, ".repeat(9_000)}),
            "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 18000 ".to_owned(),
        ),
    ];
    for (model, request, message) in rows {
        let reply = call(&emulator, model, "invoke", &request);
        assert_eq!(reply.status, 400, "{request:.80}");
        assert_eq!(body(&reply)["message"], message.as_str(), "{request:.80}");
    }
}

#[test]
fn what_such_models_cannot_do() {
    let emulator = open();
    let titan = base(&emulator, "Titan Text Embeddings V2");
    let express = base(&emulator, "Titan Text G1 - Express");
    let nova = base(&emulator, "Nova Lite");
    let hi = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let with_member = |key: &str, value: Value| {
        let mut changed = hi.clone();
        changed[key] = value;
        changed
    };
    let tools = json!({"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {"type": "object"}}}}]});
    let rows = [
        (
            &titan,
            "converse",
            hi.clone(),
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ),
        (
            &titan,
            "converse-stream",
            hi.clone(),
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ),
        (
            &titan,
            "invoke-with-response-stream",
            json!({"inputText": "a"}),
            "The model is unsupported for streaming.",
        ),
        (
            &express,
            "converse",
            with_member("system", json!([{"text": "Be kind."}])),
            "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.",
        ),
        (
            &express,
            "converse",
            with_member("toolConfig", tools.clone()),
            "This model doesn't support tool use.",
        ),
        (
            &express,
            "converse-stream",
            with_member("toolConfig", tools),
            "This model doesn't support tool use in streaming mode.",
        ),
        (
            &express,
            "converse",
            json!({"messages": [{"role": "user", "content": [{"text": "a"}, {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}]}]}),
            "This model doesn't support the image content block that you provided. Update the content block and try again.",
        ),
        (
            &nova,
            "converse",
            with_member("additionalModelRequestFields", json!({"top_k": 5})),
            "The model returned the following errors: Malformed input request: #: extraneous key [top_k] is not permitted, please reformat your input and try again.",
        ),
        (
            &nova,
            "count-tokens",
            json!({"input": {"converse": hi}}),
            "The provided model doesn't support counting tokens.",
        ),
    ];
    for (model, action, request, message) in rows {
        let reply = call(&emulator, model, action, &request);
        assert_eq!(
            reply.status,
            400,
            "{action} {request:.80}: {}",
            text(&reply)
        );
        assert_eq!(body(&reply)["message"], message, "{action} {request:.80}");
    }
}

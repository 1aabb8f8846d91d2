//! Script rules: which requests they are about, and what they answer in which order.

use bedrock_emulator::{
    Body, Due, Emulator, Reply,
    script::{Document, Fault, Numbers, Piece, Rule, Step, Text, When},
};
use serde_json::{Value, json};

use crate::bench::{call, events, header, json as body, now, open, post, profile, text, with};

fn ask(prompt: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]})
}

fn said(reply: &Reply) -> Value {
    body(reply)["output"]["message"]["content"][0]["text"].clone()
}

fn load(emulator: &Emulator, toml: &str) {
    emulator.load(Document::from_toml(toml).unwrap_or_else(|m| panic!("{m}\n{toml}")));
}

/// A Converse request that has one of everything a condition can look at.
fn rich() -> Value {
    json!({
        "system": [{"text": "You are a forecaster."}],
        "messages": [
            {"role": "user", "content": [{"text": "Will it rain in Paris?"}]},
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "t1", "name": "get_weather", "input": {"city": "Paris"}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"text": "18 degrees, sun"}]}},
            ]},
        ],
        "toolConfig": {"tools": [{"toolSpec": {
            "name": "get_weather", "inputSchema": {"json": {"type": "object"}},
        }}]},
        "inferenceConfig": {"maxTokens": 64},
    })
}

/// Whether a rule with this `when` answers the rich request.
fn fits(when: &str) -> bool {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(&emulator, &format!("[[reply]]\n{when}\ntext = \"HERE\""));
    let mut request = post(&model, "converse", rich().to_string());
    request
        .headers
        .push(("x-test".to_owned(), "blue".to_owned()));
    said(&emulator.handle(&request, now())) == "HERE"
}

#[test]
fn every_condition_holds_and_breaks() {
    for (yes, no) in [
        ("operation = \"Converse\"", "operation = \"ConverseStream\""),
        (
            "operation = [\"Invoke*\", \"Conv*\"]",
            "operation = \"Invoke*\"",
        ),
        ("model = \"haiku\"", "model = \"sonnet\""),
        ("model = \"us.*haiku*\"", "model = \"eu.*haiku*\""),
        ("system = \"forecaster\"", "system = \"cook\""),
        (
            "system = { regex = '^You .*\\.$' }",
            "system = { equals = \"You\" }",
        ),
        ("turn = 2", "turn = 1"),
        ("turn = { from = 2 }", "turn = { to = 1 }"),
        ("tool = \"get_*\"", "tool = \"set_*\""),
        ("tool_result = true", "tool_result = false"),
        (
            "tool_result = { name = \"get_weather\", text = { contains = [\"18\", \"sun\"] } }",
            "tool_result = { name = \"get_weather\", text = \"snow\" }",
        ),
        ("tool_result.text = \"18\"", "tool_result.name = \"other\""),
        (
            "header.X-Test = \"blue\"",
            "header.X-Test = { equals = \"blu\" }",
        ),
        ("header.X-Test = true", "header.X-Other = true"),
        (
            "body.\"/inferenceConfig/maxTokens\" = 64",
            "body.\"/inferenceConfig/maxTokens\" = 65",
        ),
        (
            "body.\"/messages/0/content/0/text\" = { regex = '(?i)RAIN in \\w+' }",
            "body.\"/messages/9\" = { exists = true }",
        ),
        (
            "body.\"/messages/1/content/0/toolUse/input\" = { is = { city = \"Paris\" } }",
            "body.\"/messages/1/content/0/toolUse/input\" = { is = {} }",
        ),
        ("call = 1", "call = 2"),
        ("call = { from = 1, to = 3 }", "call = { every = 2 }"),
        ("seconds = { to = 5 }", "seconds = { from = 5 }"),
    ] {
        assert!(fits(&format!("when.{yes}")), "{yes}");
        assert!(!fits(&format!("when.{no}")), "{no}");
    }
    // All of them, or nothing.
    assert!(!fits(
        "when = { turn = 2, system = \"cook\", model = \"haiku\" }"
    ));
}

#[test]
fn a_prompt_is_the_last_thing_the_user_said() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        "
        [[reply]]
        when.prompt = { equals = \"exactly this\" }
        text = \"equal\"
        [[reply]]
        when.prompt = \"weather\"
        text = \"contained\"
        [[reply]]
        when.prompt = { regex = '^\\d+ \\+ \\d+$' }
        text = \"matched\"
        ",
    );
    for (prompt, wanted) in [
        ("exactly this", "equal"),
        ("the weather, please", "contained"),
        ("2 + 40", "matched"),
        ("the weather again", "contained"),
    ] {
        assert_eq!(
            said(&call(&emulator, &model, "converse", &ask(prompt))),
            wanted
        );
    }
    let own = said(&call(&emulator, &model, "converse", &ask("something else")));
    assert!(!["equal", "contained", "matched"].contains(&own.as_str().unwrap()));
    let invoked = json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 99,
        "messages": [{"role": "user", "content": "the weather"}],
    });
    let reply = call(&emulator, &model, "invoke", &invoked);
    assert_eq!(body(&reply)["content"][0]["text"], "contained");
}

#[test]
fn answers_follow_one_another_and_are_counted() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        "
        [[reply]]
        name = \"twice busy\"
        when.operation = \"Converse\"
        error = \"ThrottlingException\"
        retry_after_ms = 20
        times = 2
        [[reply.then]]
        text = \"once\"
        [[reply.then]]
        text = \"for ever\"
        ",
    );
    let mut heard = Vec::new();
    for _ in 0..5 {
        let reply = call(&emulator, &model, "converse", &ask("Hi"));
        if reply.status == 429 {
            assert_eq!(header(&reply, "x-amz-retry-after"), Some("20"));
        }
        heard.push(if reply.status == 200 {
            said(&reply)
        } else {
            json!(reply.status)
        });
    }
    assert_eq!(
        json!(heard),
        json!([429, 429, "once", "for ever", "for ever"])
    );
    let journal = emulator.journal();
    assert!(
        journal
            .iter()
            .all(|e| e.script.as_deref() == Some("twice busy"))
    );
}

#[test]
fn rules_from_rust_stand_beside_plain_steps() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.rules([
        Rule::when(When::any().prompt("tool").call(Numbers::from(2)))
            .then_times(2, Step::text("from the second on"))
            .then(Step::Fault(Fault::ModelNotReady)),
        Rule::from(Step::text("first step")),
        Rule::when(When::any().prompt(Text::matches("^b"))).then_always(Step::text("b")),
    ]);
    emulator.script([Step::text("second step")]);
    let ask = |prompt| call(&emulator, &model, "converse", &ask(prompt));
    assert_eq!(said(&ask("tool")), "first step");
    assert_eq!(said(&ask("tool")), "from the second on");
    assert_eq!(said(&ask("b")), "b");
    assert_eq!(said(&ask("tool")), "from the second on");
    assert_eq!(ask("tool").status, 429);
    assert_eq!(emulator.script_left(), 1);
    assert_eq!(said(&ask("tool")), "second step");
    assert_eq!(emulator.script_left(), 0);
}

#[test]
fn an_answer_is_told_as_the_file_says() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        r#"
        [[reply]]
        thinking = "Let me see."
        text = ["Sun", "ny."]
        chunk_delay_ms = 30
        tool = { name = "get_weather", input = { city = "Paris" } }
        usage = { input = 7, output = 9 }
        times = 2

        [[reply]]
        stop_reason = "guardrail_intervened"
        say = [
          { text = "a" }, { new_block = true }, { text = "b" }, { wait_ms = 40 },
          { gate = "go" }, { text = "c" },
        ]

        [[reply]]
        say = [ { text = "a" }, { error = "ModelStreamErrorException", message = "broken" } ]

        [[reply]]
        raw = { text = "<html>", status = 502, content_type = "text/html" }
        "#,
    );
    let whole = body(&call(&emulator, &model, "converse", &ask("Hi")));
    let blocks = whole["output"]["message"]["content"].as_array().unwrap();
    assert_eq!(
        blocks[0]["reasoningContent"]["reasoningText"]["text"],
        "Let me see."
    );
    assert_eq!(blocks[1]["text"], "Sunny.");
    assert_eq!(blocks[2]["toolUse"]["input"], json!({"city": "Paris"}));
    assert_eq!(whole["stopReason"], "tool_use");
    assert_eq!(whole["usage"]["inputTokens"], 7);
    let stream = call(&emulator, &model, "converse-stream", &ask("Hi"));
    let deltas: Vec<_> = events(&stream)
        .into_iter()
        .filter_map(|(_, e)| e["delta"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(deltas, ["Sun", "ny."]);

    let waits = call(&emulator, &model, "converse-stream", &ask("Hi"));
    let Body::Frames { frames, .. } = &waits.body else {
        panic!("a stream")
    };
    assert!(
        frames
            .iter()
            .any(|f| matches!(&f.due, Due::Gates(gates, _) if gates[0].name == "go"))
    );
    let stop = events(&waits)
        .into_iter()
        .find(|(kind, _)| kind == "messageStop");
    assert_eq!(stop.unwrap().1["stopReason"], "guardrail_intervened");

    let broken = call(&emulator, &model, "converse-stream", &ask("Hi"));
    let (kind, payload) = events(&broken).pop().unwrap();
    assert_eq!(
        (kind.as_str(), &payload["message"]),
        ("modelStreamErrorException", &json!("broken"))
    );

    let proxy = call(&emulator, &model, "converse", &ask("Hi"));
    assert_eq!((proxy.status, text(&proxy).as_str()), (502, "<html>"));
    assert_eq!(header(&proxy, "Content-Type"), Some("text/html"));
    assert_eq!(header(&proxy, "x-amzn-RequestId"), None);
    assert_eq!(emulator.journal().pop().unwrap().status, 502);
}

#[test]
fn every_error_of_the_table_can_be_scripted() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    for code in bedrock_emulator::error::Code::ALL {
        load(
            &emulator,
            &format!("[[reply]]\nerror = \"{}\"\nmessage = \"so\"", code.name()),
        );
        let reply = call(&emulator, &model, "converse", &ask("Hi"));
        assert_eq!(reply.status, code.status(), "{code:?}");
        assert!(
            header(&reply, "x-amzn-ErrorType")
                .unwrap()
                .starts_with(code.name())
        );
        assert!(text(&reply).contains("\"so\""), "{}", text(&reply));
    }
}

#[test]
fn a_strict_script_names_the_nearest_rule_and_why() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        "
        strict = true
        [[reply]]
        name = \"for sonnet\"
        when = { model = \"sonnet\", prompt = \"storm\" }
        text = \"a\"
        [[reply]]
        name = \"weather\"
        when = { model = \"haiku\", prompt = \"weather\" }
        text = \"b\"
        times = 1
        ",
    );
    let refused = |prompt| {
        let reply = call(&emulator, &model, "converse", &ask(prompt));
        assert_eq!(reply.status, 400);
        assert!(
            header(&reply, "x-amzn-ErrorType")
                .unwrap()
                .starts_with("ValidationException")
        );
        body(&reply)["message"].as_str().unwrap().to_owned()
    };
    let message = refused("Hi");
    assert!(
        message.contains(
            "The nearest is weather: the prompt must contain \"weather\", but it is \"Hi\"."
        ),
        "{message}"
    );
    assert_eq!(
        said(&call(&emulator, &model, "converse", &ask("weather"))),
        "b"
    );
    let message = refused("weather");
    assert!(
        message.contains("weather: it has given its 1 answers"),
        "{message}"
    );
}

#[test]
fn mistakes_of_a_file_name_place_key_and_cure() {
    for (toml, wanted) in [
        (
            "[[reply]]\ntexst = \"a\"",
            "line 2, column 1: reply 1: `texst` is not a key here; did you mean text?",
        ),
        (
            "[[reply]]\ntext = \"a\"\n[[reply]]\nwhen.promt = \"a\"\ntext = \"b\"",
            "line 4, column 6: reply 2: `when.promt` is not a key here; did you mean prompt?",
        ),
        (
            "[[reply]]\nwhen.prompt = { regex = '(' }\ntext = \"b\"",
            "line 2, column 17: reply 1: `when.prompt.regex` \"(\" is not a regular expression",
        ),
        (
            "[[reply]]\nerror = \"ThrotlingException\"",
            "reply 1: `error` is \"ThrotlingException\"; did you mean ThrottlingException?",
        ),
        (
            "[[reply]]\nname = \"x\"",
            "line 1, column 1: reply 1 says nothing; write text",
        ),
        (
            "[[reply]]\ntext = \"a\"\nerror = \"ThrottlingException\"",
            "has several answers at once",
        ),
        (
            "[[reply]]\nsay = [ { text = \"a\" }, { wait_ms = \"b\" } ]",
            "line 2, column 27: reply 1, say 2: `wait_ms` must be a whole number, 0 or more, not \"b\"",
        ),
        (
            "[[reply]]\nsay = [ { text = \"a\", gate = \"b\" } ]",
            "reply 1, say 1 says two things at once",
        ),
        (
            "[[reply]]\ntimes = 0\ntext = \"a\"",
            "`times` must be a whole number, 1 or more",
        ),
        (
            "[[reply]]\ntimes = \"always\"\ntext = \"a\"\n[[reply.then]]\ntext = \"b\"",
            "never ends before its last",
        ),
        (
            "[[reply]]\nwhen.body.messages = 1\ntext = \"a\"",
            "must be a JSON Pointer",
        ),
        (
            "[[reply]]\nwhen.account = \"12\"\ntext = \"a\"",
            "twelve digits",
        ),
        (
            "[[fault]]\nrate = 2\nerror = \"ThrottlingException\"",
            "line 2, column 1: fault 1: `rate` must be a number from 0 to 1, not 2",
        ),
        ("[[fault]]\nname = \"x\"", "fault 1 does nothing"),
        (
            "[[fault]]\nwhen.prompt = \"x\"\nsocket = \"cut\"",
            "`when.prompt` is not a key here",
        ),
        (
            "[[replay]]\n",
            "`replay` is not a key here; did you mean reply?",
        ),
        ("[[reply]\n", "line 1, column"),
    ] {
        let mistake = Document::from_toml(toml).unwrap_err().to_string();
        assert!(mistake.contains(wanted), "{toml}\n{mistake}");
    }
}

#[test]
fn json_says_what_toml_says() {
    let toml = "
        [[reply]]
        name = \"w\"
        when = { prompt = \"weather\", turn = 1 }
        say = [ { text = \"a\" }, { gate = \"g\" } ]
        [[reply.then]]
        error = \"ModelErrorException\"
        [[fault]]
        error = \"ThrottlingException\"
        rate = 0.5
    ";
    let json = json!({
        "reply": [{
            "name": "w", "when": {"prompt": "weather", "turn": 1},
            "say": [{"text": "a"}, {"gate": "g"}], "then": [{"error": "ModelErrorException"}],
        }],
        "fault": [{"error": "ThrottlingException", "rate": 0.5}],
    });
    assert_eq!(
        Document::from_toml(toml).unwrap(),
        Document::from_json(&json).unwrap()
    );
    let mistake = Document::from_json(&json!({"reply": [{"when": 1}]})).unwrap_err();
    assert_eq!(
        mistake.to_string(),
        "reply 1: `when` must be a table, not 1"
    );
}

#[test]
fn deep_and_odd_scripts_are_refused_without_harm() {
    for text in [
        "reply = [[]]",
        "reply = [1]",
        "\u{0}",
        "[[reply]]\nsay = 1",
        "reply = [{then = [{}]}]",
    ] {
        Document::from_toml(text).unwrap_err();
    }
    let _ = with(|_| {});
    let piece = Piece::Text(String::new());
    assert_eq!(piece, Piece::Text(String::new()));
}

//! Answers whose words another model finds: told piece by piece, and still Bedrock's on the wire.

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Begun, Body, Emulator, Question, Reply, Said, Stopped, Timing,
    chat::{Choice, Message},
    script::{Fault, Piece, Step},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::bench::{events, json as body, now, open, post, profile, string_header};

const TOOK: Timing<'_> = Timing {
    from: "a stand-in",
    first: AT,
    whole: AT,
};

/// When the words come.
const AT: Duration = Duration::ZERO;

fn converse(words: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": [{ "text": words }] }] })
}

fn messages(words: &str) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{ "role": "user", "content": words }],
    })
}

fn with_tools() -> Value {
    let tool = |name: &str| json!({ "toolSpec": { "name": name, "description": "d", "inputSchema": { "json": { "type": "object" } } } });
    let mut request = converse("What is the weather?");
    request["toolConfig"] = json!({ "tools": [tool("weather"), tool("time")] });
    request
}

fn ask(emulator: &Arc<Emulator>, action: &str, request: &Value) -> Question {
    let model = profile(emulator, "haiku");
    let request = Arc::new(post(&model, action, request.to_string()));
    match emulator.begin(request, now()) {
        Begun::Ask(question) => *question,
        other => panic!("another model is not asked: {other:?}"),
    }
}

fn say(text: &str) -> Said {
    Said::Text(text.to_owned())
}

/// The frames as one stream, for the readers of the bench.
fn joined(frames: Vec<Bytes>, reply: &Reply) -> Reply {
    let frames = frames.into_iter().map(|bytes| bedrock_emulator::Frame {
        due: bedrock_emulator::Due::After(Duration::ZERO),
        bytes,
    });
    Reply {
        body: Body::Frames {
            frames: frames.collect(),
            end: bedrock_emulator::wire::End::Clean,
        },
        ..reply.clone()
    }
}

/// All frames of a stream that is told these pieces.
fn told(mut question: Question, said: &[Said], stopped: Stopped) -> Reply {
    let mut frames = Vec::new();
    for said in said {
        frames.extend(question.said(said.clone(), AT));
    }
    let (rest, reply) = question.finish(stopped, TOOK);
    frames.extend(rest);
    joined(frames, &reply)
}

#[test]
fn a_told_answer_has_the_bytes_of_a_known_one() {
    let pieces = ["One ", "two, ", "three."];
    for (action, request) in [
        ("converse", converse("Count.")),
        ("converse-stream", converse("Count.")),
        ("invoke", messages("Count.")),
        ("invoke-with-response-stream", messages("Count.")),
    ] {
        let scripted = open();
        let texts = pieces.map(|text| Piece::Text(text.to_owned()));
        scripted.script([Step::Say(texts.to_vec())]);
        let model = profile(&scripted, "haiku");
        let known = scripted.handle(&post(&model, action, request.to_string()), now());

        let emulator = Arc::new(open());
        let mut question = ask(&emulator, action, &request);
        let headers = question.headers();
        let mut frames = Vec::new();
        for piece in pieces {
            let now = question.said(say(piece), AT);
            assert_eq!(
                now.is_empty(),
                !question.streams(),
                "{action}: each piece leaves at once"
            );
            frames.extend(now);
        }
        let (rest, reply) = question.finish(Stopped::Done, TOOK);
        frames.extend(rest);
        assert_eq!(reply.headers, known.headers, "{action}");
        if let Body::Frames { .. } = &known.body {
            assert_eq!(frames.concat(), known.body.bytes(), "{action}");
            assert_eq!(headers, known.headers);
        } else {
            assert_eq!(reply.body, known.body, "{action}");
        }
        let mut entries = [&*emulator, &scripted].map(|e| e.journal().remove(0));
        assert_eq!(entries[0].note.take().as_deref(), Some("a stand-in"));
        assert_eq!(entries[0], entries[1], "{action}");
        assert_eq!(
            format!("{:?}", emulator.metrics()),
            format!("{:?}", scripted.metrics())
        );
    }
}

#[test]
fn the_question_is_the_conversation() {
    let emulator = Arc::new(open());
    let mut request = with_tools();
    request["system"] = json!([{ "text": "Be brief." }]);
    request["inferenceConfig"] = json!({ "maxTokens": 50, "stopSequences": ["END"] });
    request["toolConfig"]["toolChoice"] = json!({ "any": {} });
    let turns = request["messages"].as_array_mut().unwrap();
    turns.push(json!({ "role": "assistant", "content": [
        { "text": "I look." },
        { "toolUse": { "toolUseId": "tooluse_1", "name": "weather", "input": { "b": 1, "a": 2 } } },
    ]}));
    turns.push(json!({ "role": "user", "content": [
        { "toolResult": { "toolUseId": "tooluse_1", "content": [{ "text": "Rain." }, { "json": { "t": 9 } }] } },
        { "text": "And now?" },
    ]}));
    let chat = ask(&emulator, "converse", &request).chat();
    assert_eq!(chat.system, "Be brief.");
    assert_eq!(chat.max_tokens, Some(50));
    assert_eq!(chat.choice, Choice::Any);
    let names: Vec<&str> = chat.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["weather", "time"]);
    assert_eq!(chat.messages.len(), 4);
    assert_eq!(
        chat.messages[0],
        Message::User("What is the weather?".to_owned())
    );
    let Message::Assistant { text, calls } = &chat.messages[1] else {
        panic!("{:?}", chat.messages[1])
    };
    assert_eq!(
        (text.as_str(), calls[0].input.as_str()),
        ("I look.", r#"{"a":2,"b":1}"#)
    );
    assert_eq!(
        chat.messages[2],
        Message::Result {
            id: "tooluse_1".to_owned(),
            text: "Rain.\n{\"t\":9}".to_owned()
        }
    );
    assert_eq!(chat.messages[3], Message::User("And now?".to_owned()));
}

#[test]
fn tools_are_called_as_the_pieces_come() {
    let emulator = Arc::new(open());
    let call = |name: &str| Said::Call {
        name: name.to_owned(),
    };
    let input = |json: &str| Said::Input(json.to_owned());
    let said = [
        say("Let me see."),
        call("weather"),
        input("{\"city\":"),
        input("\"Oslo\"}"),
        call("time"),
    ];
    let whole = told_whole(ask(&emulator, "converse", &with_tools()), &said);
    let answer = body(&whole);
    assert_eq!(answer["stopReason"], "tool_use");
    let content = &answer["output"]["message"]["content"];
    assert_eq!(content[0]["text"], "Let me see.");
    assert_eq!(content[1]["toolUse"]["input"], json!({ "city": "Oslo" }));
    assert_eq!(content[2]["toolUse"]["name"], "time");
    assert_eq!(content[2]["toolUse"]["input"], json!({}));

    let stream = told(
        ask(&emulator, "converse-stream", &with_tools()),
        &said,
        Stopped::Done,
    );
    let events = events(&stream);
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds.join(" "),
        "messageStart contentBlockDelta contentBlockStop contentBlockStart contentBlockDelta \
         contentBlockDelta contentBlockDelta contentBlockStop contentBlockStart contentBlockDelta \
         contentBlockStop messageStop metadata"
    );
    let inputs = events
        .iter()
        .filter_map(|(_, e)| e["delta"]["toolUse"]["input"].as_str());
    assert_eq!(inputs.collect::<String>(), r#"{"city":"Oslo"}"#);
}

fn told_whole(mut question: Question, said: &[Said]) -> Reply {
    for said in said {
        assert!(question.said(said.clone(), AT).is_empty());
    }
    question.finish(Stopped::Done, TOOK).1
}

#[test]
fn limits_are_kept_although_the_other_model_does_not_know_them() {
    let emulator = Arc::new(open());
    let mut request = converse("Count.");
    request["inferenceConfig"] = json!({ "stopSequences": ["END", "ENDE"], "maxTokens": 1000 });
    let mut question = ask(&emulator, "converse", &request);
    for piece in ["one E", "N", "G two E", "ND three"] {
        question.said(say(piece), AT);
    }
    assert!(question.is_over());
    question.said(say("never heard"), AT);
    let answer = body(&question.finish(Stopped::Done, TOOK).1);
    assert_eq!(
        answer["output"]["message"]["content"][0]["text"],
        "one ENG two "
    );
    assert_eq!(answer["stopReason"], "stop_sequence");

    // What was held back is said when nothing follows.
    let answer = told_whole(ask(&emulator, "converse", &request), &[say("at the EN")]);
    assert_eq!(
        body(&answer)["output"]["message"]["content"][0]["text"],
        "at the EN"
    );

    request["inferenceConfig"] = json!({ "maxTokens": 3 });
    let mut question = ask(&emulator, "converse", &request);
    question.said(say("one two three four five six seven"), AT);
    assert!(question.is_over());
    let answer = body(&question.finish(Stopped::Done, TOOK).1);
    assert_eq!(answer["stopReason"], "max_tokens");
    assert_eq!(answer["usage"]["outputTokens"], 3);

    // And the other model's own end counts.
    let cut = told(
        ask(&emulator, "converse-stream", &with_tools()),
        &[
            Said::Call {
                name: "weather".to_owned(),
            },
            Said::Input("{\"ci".to_owned()),
        ],
        Stopped::MaxTokens,
    );
    let stop = &events(&cut)
        .iter()
        .find(|(kind, _)| kind == "messageStop")
        .unwrap()
        .1
        .clone();
    assert_eq!(stop["stopReason"], "max_tokens");
}

#[test]
fn nonsense_is_a_model_error() {
    let emulator = Arc::new(open());
    let garbled = [
        Said::Call {
            name: "weather".to_owned(),
        },
        Said::Input("{\"city\"".to_owned()),
    ];
    let reply = told_whole(ask(&emulator, "converse", &with_tools()), &garbled);
    assert_eq!(reply.status, 424);
    let unknown = [Said::Call {
        name: "no_such_tool".to_owned(),
    }];
    let reply = told(
        ask(&emulator, "converse-stream", &with_tools()),
        &unknown,
        Stopped::Done,
    );
    let messages = crate::bench::messages(&reply);
    let last = messages.last().unwrap();
    assert_eq!(string_header(last, 0), "modelStreamErrorException");
    assert_eq!(
        emulator.journal()[1].error.as_deref(),
        Some("ModelStreamErrorException")
    );
}

#[test]
fn silence_and_breaks_have_an_end_and_a_note() {
    let emulator = Arc::new(open());
    let reply = ask(&emulator, "converse", &converse("Hi")).fall_back("nobody listens");
    assert_eq!(reply.status, 200);
    assert!(body(&reply)["usage"]["outputTokens"].as_u64().unwrap() > 0);

    let mut question = ask(&emulator, "converse-stream", &converse("Hi"));
    let mut frames = question.said(say("Once upon "), AT);
    let (rest, reply) = question.break_off("it stalled", TOOK);
    frames.extend(rest);
    let messages = crate::bench::messages(&joined(frames, &reply));
    assert_eq!(
        string_header(messages.last().unwrap(), 0),
        "modelStreamErrorException"
    );

    let mut question = ask(&emulator, "converse-stream", &converse("Hi"));
    question.said(say("Once "), AT);
    drop(question);
    let journal = emulator.journal();
    let notes: Vec<_> = journal.iter().map(|e| e.note.clone().unwrap()).collect();
    assert_eq!(
        notes,
        [
            "own answer: nobody listens",
            "broken off: it stalled",
            "the client left"
        ]
    );
    assert_eq!(journal[2].usage, None);
}

#[test]
fn scripts_and_refusals_come_first() {
    let emulator = Arc::new(open());
    let model = profile(&emulator, "haiku");
    emulator.script([Step::text("scripted"), Step::Fault(Fault::ModelTimeout)]);
    let begin = |action: &str, request: &Value| match emulator
        .begin(Arc::new(post(&model, action, request.to_string())), now())
    {
        Begun::Reply(reply) => reply,
        other => panic!("not answered at once: {other:?}"),
    };
    let scripted = begin("converse", &converse("Hi"));
    assert_eq!(
        body(&scripted)["output"]["message"]["content"][0]["text"],
        "scripted"
    );
    assert_eq!(begin("converse", &converse("Hi")).status, 408);
    assert_eq!(begin("converse", &json!({})).status, 400);
    let count = json!({ "input": { "converse": converse("Hi") } });
    let base = emulator.catalogue().by_alias("haiku").unwrap().id.clone();
    let count = Arc::new(post(&base, "count-tokens", count.to_string()));
    let counted = emulator.begin(count, now());
    assert!(matches!(counted, Begun::Reply(reply) if reply.status == 200));
    assert_eq!(emulator.journal().len(), 4);
}

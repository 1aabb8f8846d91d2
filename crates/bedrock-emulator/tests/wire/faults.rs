//! Fault rules: which requests they hit, and how.

use std::time::Duration;

use bedrock_emulator::{
    Body, Due, Emulator, Reply,
    fault::FaultRule,
    script::{Document, Fault, Step, When},
    trace::TraceStatus,
    wire::End,
};
use serde_json::{Value, json};

use crate::bench::{call, events, header, now, open, post, profile, with};

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
}

fn load(emulator: &Emulator, toml: &str) {
    emulator.load(Document::from_toml(toml).unwrap_or_else(|m| panic!("{m}\n{toml}")));
}

/// Which of `n` Converse calls fail.
fn failures(emulator: &Emulator, n: usize) -> Vec<usize> {
    let model = profile(emulator, "haiku");
    let calls = (1..=n).map(|n| (n, call(emulator, &model, "converse", &ask()).status));
    calls
        .filter(|(_, status)| *status != 200)
        .map(|(n, _)| n)
        .collect()
}

#[test]
fn schedules_counts_and_windows() {
    for (rule, wanted) in [
        ("", (1..=12).collect()),
        ("count = 3", vec![1, 2, 3]),
        ("when.call = { from = 10 }", vec![10, 11, 12]),
        ("when.call = { every = 5 }", vec![5, 10]),
        ("when.call = { from = 2, to = 9, every = 3 }", vec![2, 5, 8]),
        ("when.call = 4", vec![4]),
        ("when.operation = \"InvokeModel\"", vec![]),
        ("when.model = \"sonnet\"", vec![]),
        ("when.header.x-test = true", vec![]),
        ("rate = 0", vec![]),
        ("rate = 1.0\ncount = 1", vec![1]),
    ] {
        let emulator = open();
        load(
            &emulator,
            &format!("[[fault]]\nerror = \"ServiceUnavailableException\"\n{rule}"),
        );
        assert_eq!(failures(&emulator, 12), wanted, "{rule}");
    }
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        "[[fault]]\nerror = \"InternalServerException\"\nwhen.seconds = { from = 10, to = 20 }",
    );
    for (second, status) in [(0, 200), (9, 200), (10, 500), (19, 500), (20, 200)] {
        let request = post(&model, "converse", ask().to_string());
        let reply = emulator.handle(&request, now() + time::Duration::seconds(second));
        assert_eq!(reply.status, status, "{second}");
    }
}

#[test]
fn a_rate_is_fair_and_repeats_with_its_seed() {
    let run = |toml: &str| {
        let emulator = with(|c| {
            c.auth = bedrock_emulator::emulator::Auth::Off;
            c.invocation_logging = false;
        });
        load(&emulator, toml);
        failures(&emulator, 400)
    };
    let rule = "[[fault]]\nname = \"a\"\nerror = \"ThrottlingException\"\nrate = 0.25\n";
    let first = run(rule);
    assert!((70..=130).contains(&first.len()), "{}", first.len());
    assert_eq!(first, run(rule));
    assert_ne!(first, run(&format!("{rule}seed = 5")));
    assert_eq!(
        run(&format!("{rule}seed = 5")),
        run(&format!("{rule}seed = 5"))
    );
    // Another rule beside it changes nothing.
    assert_eq!(
        first,
        run(&format!("{rule}[[fault]]\nlatency_ms = 5\nrate = 0.5"))
    );
}

#[test]
fn a_hit_stands_in_journal_trace_and_metrics() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        "[[fault]]\nname = \"slow\"\nlatency_ms = 700\n\
         [[fault]]\nname = \"busy\"\nerror = \"ThrottlingException\"\nretry_after_ms = 250\nmessage = \"Wait.\"",
    );
    let reply = call(&emulator, &model, "converse", &ask());
    assert_eq!(reply.status, 429);
    assert_eq!(header(&reply, "x-amz-retry-after"), Some("250"));
    let due = Due::After(Duration::from_millis(700));
    assert!(
        matches!(&reply.body, Body::Whole { due: d, bytes } if *d == due && &bytes[..] == b"{\"message\":\"Wait.\"}")
    );
    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.fault.as_deref(), Some("slow, busy"));
    let lit = entry.trace.iter().find(|e| e.node == "BR").unwrap();
    assert_eq!(lit.status, TraceStatus::Throttled);
    assert_eq!(lit.note, "429 ThrottlingException (fault: slow, busy)");
    let throttles: u64 = emulator
        .metrics()
        .iter()
        .filter(|(name, ..)| *name == "InvocationThrottles")
        .map(|(.., series)| series.count)
        .sum();
    assert_eq!(throttles, 1);
}

#[test]
fn faults_leave_the_script_alone() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.script([Step::text("said")]);
    emulator.faults([FaultRule::new(Fault::ModelTimeout).count(2)]);
    assert_eq!(failures(&emulator, 2), [1, 2]);
    assert_eq!(emulator.script_left(), 1);
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
    assert_eq!(emulator.script_left(), 0);
}

fn stream(toml: &str) -> Reply {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.script([Step::Say(vec![
        bedrock_emulator::script::Piece::Text("one ".to_owned()),
        bedrock_emulator::script::Piece::Text("two".to_owned()),
    ])]);
    load(&emulator, toml);
    let reply = call(&emulator, &model, "converse-stream", &ask());
    assert!(emulator.journal()[0].fault.is_some(), "{toml}");
    reply
}

#[test]
fn streams_are_cut_stalled_slowed_and_broken() {
    let cut = stream("[[fault]]\nsocket = \"cut\"\nafter_frames = 2");
    let Body::Frames { frames, end } = &cut.body else {
        panic!("a stream")
    };
    assert_eq!((frames.len(), *end), (2, End::Cut));

    let stalled = stream("[[fault]]\nsocket = \"hang\"\nafter_frames = 1");
    let Body::Frames { frames, .. } = &stalled.body else {
        panic!("a stream")
    };
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1].due, Due::Never);

    let slow = stream("[[fault]]\nlatency_ms = 100\nframe_delay_ms = 10");
    let Body::Frames { frames, .. } = &slow.body else {
        panic!("a stream")
    };
    let wanted = (0..frames.len() as u64).map(|n| Due::After(Duration::from_millis(100 + 10 * n)));
    assert!(frames.iter().map(|f| f.due.clone()).eq(wanted));

    let broken = stream("[[fault]]\nerror = \"ModelErrorException\"\nafter_frames = 2");
    let events = events(&broken);
    assert_eq!(events.len(), 3);
    assert_eq!(events[2].0, "modelStreamErrorException");

    let nothing = stream("[[fault]]\nsocket = \"cut\"");
    assert!(matches!(nothing.body, Body::Disconnect { .. }));
    let silent = stream("[[fault]]\nsocket = \"hang\"");
    assert!(matches!(
        silent.body,
        Body::Whole {
            due: Due::Never,
            ..
        }
    ));
}

#[test]
fn what_is_no_stream_breaks_as_a_whole() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.faults([FaultRule::new(Fault::Disconnect).after_frames(3).count(1)]);
    let reply = call(&emulator, &model, "converse", &ask());
    assert!(matches!(reply.body, Body::Disconnect { .. }));
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
}

#[test]
fn the_front_door_speaks_first() {
    let emulator = open();
    load(
        &emulator,
        "[[fault]]\nname = \"old token\"\nerror = \"ExpiredTokenException\"\ncount = 1",
    );
    // The model does not even exist: nobody looks at it.
    let reply = call(&emulator, "nonsense", "converse", &ask());
    assert_eq!(reply.status, 403);
    assert!(
        header(&reply, "x-amzn-ErrorType")
            .unwrap()
            .starts_with("ExpiredTokenException")
    );
    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.fault.as_deref(), Some("old token"));
    assert!(
        entry
            .trace
            .iter()
            .any(|e| e.node == "USER" && e.status == TraceStatus::Denied)
    );
    assert_eq!(call(&emulator, "nonsense", "converse", &ask()).status, 400);
}

#[test]
fn requests_that_fail_by_themselves_are_not_looked_at() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    emulator.faults([FaultRule::new(Fault::ModelError).when(When::any().call(2))]);
    assert_eq!(call(&emulator, "nonsense", "converse", &ask()).status, 400);
    assert_eq!(call(&emulator, &model, "converse", &json!({})).status, 400);
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 200);
    assert_eq!(call(&emulator, &model, "converse", &ask()).status, 424);
}

#[test]
fn other_operations_fail_too() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    load(
        &emulator,
        "[[fault]]\nerror = \"ThrottlingException\"\nwhen.operation = [\"CountTokens\", \"Get*\"]",
    );
    let count = json!({"input": {"converse": ask()}});
    let base = emulator.catalogue().by_alias("haiku").unwrap().id.clone();
    assert_eq!(call(&emulator, &base, "count-tokens", &count).status, 429);
    let mut get = post(&model, "converse", "");
    get.method = "GET".to_owned();
    get.target = "/logging/modelinvocations".to_owned();
    assert_eq!(emulator.handle(&get, now()).status, 429);
    get.target = "/_workshop/health".to_owned();
    assert_eq!(emulator.handle(&get, now()).status, 200);
}

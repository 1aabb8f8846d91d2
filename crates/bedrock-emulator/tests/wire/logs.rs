//! Invocation logs delivered where they are configured, and read with CloudWatch Logs' API; the trail.

use bedrock_emulator::{Emulator, Reply, Request};
use serde_json::{Value, json};

use crate::bench::{call, json as body, now, post, profile, text, with};

const LOGS: &str = "Logs_20140328";
const TRAIL: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101";

fn ask(emulator: &Emulator, service: &str, operation: &str, input: &Value) -> Reply {
    let mut request = Request {
        target: "/".to_owned(),
        ..post("", "", input.to_string())
    };
    let target = format!("{service}.{operation}");
    request.headers.push(("x-amz-target".to_owned(), target));
    emulator.handle(&request, now())
}

fn told(emulator: &Emulator, operation: &str, input: &Value) -> Value {
    let reply = ask(emulator, LOGS, operation, input);
    assert_eq!(reply.status, 200, "{operation}: {}", text(&reply));
    body(&reply)
}

fn configure(emulator: &Emulator, method: &str, config: &Value) -> Reply {
    let request = Request {
        method: method.to_owned(),
        target: "/logging/modelinvocations".to_owned(),
        ..post("", "", config.to_string())
    };
    emulator.handle(&request, now())
}

/// As on AWS: nothing is logged until somebody says where to.
fn quiet() -> (Emulator, String) {
    let emulator = with(|c| c.invocation_logging = false);
    let model = profile(&emulator, "haiku");
    (emulator, model)
}

fn say(emulator: &Emulator, model: &str, words: &str) {
    let question = json!({"messages": [{"role": "user", "content": [{"text": words}]}]});
    call(emulator, model, "converse", &question);
    call(emulator, model, "converse-stream", &question);
}

#[test]
fn invocations_are_logged_where_they_are_configured_to_be() {
    let (emulator, model) = quiet();
    say(&emulator, &model, "before");
    assert_eq!(body(&configure(&emulator, "GET", &json!({}))), json!({}));
    let config = json!({"loggingConfig": {
        "cloudWatchConfig": {"logGroupName": "mine", "roleArn": "arn:aws:iam::123456789012:role/log"},
        "s3Config": {"bucketName": "my-logs", "keyPrefix": "a/../b"},
        "textDataDeliveryEnabled": true, "imageDataDeliveryEnabled": true,
        "embeddingDataDeliveryEnabled": true, "videoDataDeliveryEnabled": false,
    }});
    assert_eq!(configure(&emulator, "PUT", &config).status, 200);
    assert_eq!(body(&configure(&emulator, "GET", &json!({}))), config);
    say(&emulator, &model, "a word");
    let groups = told(
        &emulator,
        "DescribeLogGroups",
        &json!({"logGroupNamePrefix": "mi"}),
    );
    assert_eq!(groups["logGroups"][0]["logGroupName"], "mine");
    let streams = told(
        &emulator,
        "DescribeLogStreams",
        &json!({"logGroupName": "mine"}),
    );
    assert_eq!(
        streams["logStreams"][0]["logStreamName"],
        "aws/bedrock/modelinvocations"
    );
    for (pattern, count) in [
        ("", 2),
        ("{ $.operation = \"Converse\" }", 1),
        (
            "{ $.operation = \"Converse*\" && $.output.outputTokenCount > 0 }",
            2,
        ),
        ("{ $.errorCode EXISTS_NOT }", 99),
        ("{ $.errorCode NOT EXISTS && $.modelId = \"*haiku*\" }", 2),
        ("ThrottlingException", 0),
    ] {
        let input = json!({"logGroupName": "mine", "filterPattern": pattern});
        if count == 99 {
            assert_eq!(ask(&emulator, LOGS, "FilterLogEvents", &input).status, 400);
            continue;
        }
        let events = told(&emulator, "FilterLogEvents", &input)["events"].clone();
        assert_eq!(events.as_array().unwrap().len(), count, "{pattern}");
    }
    let input = json!({"logGroupName": "mine", "logStreamName": "aws/bedrock/modelinvocations", "limit": 1});
    let newest = told(&emulator, "GetLogEvents", &input);
    let record: Value =
        serde_json::from_str(newest["events"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(record["operation"], "ConverseStream");
    assert_eq!(
        record["input"]["inputBodyJson"]["messages"][0]["content"][0]["text"],
        "a word"
    );
    let output = &record["output"]["outputBodyJson"];
    assert_eq!(output["stopReason"], "end_turn");
    assert!(
        !output["output"]["message"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        output["usage"]["outputTokens"],
        record["output"]["outputTokenCount"]
    );
    let mut older = input.clone();
    older["nextToken"] = newest["nextBackwardToken"].clone();
    let older = told(&emulator, "GetLogEvents", &older);
    assert!(
        older["events"][0]["message"]
            .as_str()
            .unwrap()
            .contains("\"Converse\"")
    );

    let files = emulator.log_files();
    assert_eq!(files.len(), 1);
    let start = "my-logs/a/__/b/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2026/08/19/14/20260819T143434000Z_";
    assert!(files[0].path.starts_with(start), "{}", files[0].path);
    assert_eq!(files[0].text.lines().count(), 2);
    assert!(emulator.log_files().is_empty(), "taken once");

    configure(&emulator, "DELETE", &json!({}));
    say(&emulator, &model, "after");
    assert_eq!(emulator.logs().len(), 2);
}

#[test]
fn prompts_stay_out_of_the_log_when_text_is_off() {
    let (emulator, model) = quiet();
    let config = json!({"loggingConfig": {
        "cloudWatchConfig": {"logGroupName": "g", "roleArn": "arn:aws:iam::123456789012:role/log"},
        "textDataDeliveryEnabled": false,
    }});
    configure(&emulator, "PUT", &config);
    say(&emulator, &model, "secret words");
    let record = &emulator.logs()[0].record;
    assert!(!record.to_string().contains("secret words"));
    assert!(record["input"]["inputTokenCount"].as_u64().unwrap() > 0);
    assert!(record["output"].get("outputBodyJson").is_none());
}

#[test]
fn a_wrong_configuration_is_refused() {
    let (emulator, _) = quiet();
    for (config, said) in [
        (json!({}), "'loggingConfig'"),
        (
            json!({"loggingConfig": {"s3Config": {"bucketName": "b"}}}),
            "bucketName",
        ),
        (
            json!({"loggingConfig": {"cloudWatchConfig": {"logGroupName": "", "roleArn": "x"}}}),
            "logGroupName",
        ),
        (
            json!({"loggingConfig": {"cloudWatchConfig": {"logGroupName": "g"}}}),
            "roleArn",
        ),
    ] {
        let reply = configure(&emulator, "PUT", &config);
        assert_eq!(reply.status, 400, "{config}");
        assert!(text(&reply).contains(said), "{config}: {}", text(&reply));
    }
}

#[test]
fn own_events_can_be_put_and_read() {
    let (emulator, _) = quiet();
    let now = now().unix_timestamp() * 1_000;
    let names = json!({"logGroupName": "g", "logStreamName": "s"});
    told(&emulator, "CreateLogGroup", &names);
    told(&emulator, "CreateLogStream", &names);
    told(
        &emulator,
        "PutRetentionPolicy",
        &json!({"logGroupName": "g", "retentionInDays": 7}),
    );
    let put = |events: Value| {
        ask(
            &emulator,
            LOGS,
            "PutLogEvents",
            &json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events}),
        )
    };
    let events = json!([
        {"timestamp": 5, "message": "too old"},
        {"timestamp": now - 2, "message": "first ERROR"},
        {"timestamp": now, "message": "second"},
        {"timestamp": now + 9_000_000, "message": "too new"},
    ]);
    let rejected = body(&put(events))["rejectedLogEventsInfo"].clone();
    assert_eq!(
        rejected,
        json!({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3})
    );
    let unordered =
        json!([{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}]);
    assert!(text(&put(unordered)).contains("chronological order"));
    let page = told(
        &emulator,
        "FilterLogEvents",
        &json!({"logGroupName": "g", "limit": 1}),
    );
    assert_eq!(page["events"][0]["message"], "first ERROR");
    let next = json!({"logGroupName": "g", "nextToken": page["nextToken"]});
    let page = told(&emulator, "FilterLogEvents", &next);
    assert_eq!(page["events"][0]["message"], "second");
    assert!(page.get("nextToken").is_none());
    let group = &told(&emulator, "DescribeLogGroups", &json!({}))["logGroups"][0];
    assert_eq!(group["retentionInDays"], 7);
    for (operation, input, code) in [
        (
            "CreateLogGroup",
            names.clone(),
            "ResourceAlreadyExistsException",
        ),
        (
            "CreateLogStream",
            names.clone(),
            "ResourceAlreadyExistsException",
        ),
        (
            "DeleteLogGroup",
            json!({"logGroupName": "x"}),
            "ResourceNotFoundException",
        ),
        (
            "GetLogEvents",
            json!({"logGroupName": "g", "logStreamName": "x"}),
            "ResourceNotFoundException",
        ),
        (
            "FilterLogEvents",
            json!({"logGroupName": "g", "limit": 0}),
            "InvalidParameterException",
        ),
        ("CreateLogGroup", json!({}), "SerializationException"),
    ] {
        let reply = ask(&emulator, LOGS, operation, &input);
        assert_eq!(reply.status, 400, "{operation}");
        assert_eq!(body(&reply)["__type"], code, "{operation}");
    }
    told(&emulator, "DeleteLogStream", &names);
    told(&emulator, "DeleteLogGroup", &names);
}

/// Older events go when there are too many bytes.
#[test]
fn log_groups_are_bounded() {
    let emulator = with(|c| {
        c.invocation_logging = false;
        c.journal_bytes = 10_000;
    });
    let now = now().unix_timestamp() * 1_000;
    let names = json!({"logGroupName": "g", "logStreamName": "s"});
    told(&emulator, "CreateLogGroup", &names);
    told(&emulator, "CreateLogStream", &names);
    for _ in 0..10 {
        let events = json!([{"timestamp": now, "message": "x".repeat(3_000)}]);
        told(
            &emulator,
            "PutLogEvents",
            &json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events}),
        );
    }
    let events =
        told(&emulator, "FilterLogEvents", &json!({"logGroupName": "g"}))["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 3);
}

#[test]
fn events_can_be_looked_up() {
    let (emulator, model) = quiet();
    say(&emulator, &model, "secret words");
    let look = |input: Value| {
        let reply = ask(&emulator, TRAIL, "LookupEvents", &input);
        assert_eq!(reply.status, 200, "{}", text(&reply));
        body(&reply)["Events"].clone()
    };
    let all = look(json!({}));
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["EventName"], "ConverseStream", "the newest first");
    assert!(!all.to_string().contains("secret words"));
    let by = |key: &str, value: &str| {
        look(
            json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}], "EndTime": now().unix_timestamp() + 1}),
        )
    };
    assert_eq!(by("EventName", "Converse").as_array().unwrap().len(), 1);
    assert_eq!(by("Username", "nobody").as_array().unwrap().len(), 0);
    let odd = json!({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "x"}]});
    assert_eq!(ask(&emulator, TRAIL, "LookupEvents", &odd).status, 400);
}

/// A line in the embedded metric format, with that metric `Latency`.
fn embedded(at: i64, latency: &Value) -> String {
    json!({
        "_aws": {"Timestamp": at, "CloudWatchMetrics": [{
            "Namespace": "Lesson", "Dimensions": [["Model"], ["Model", "Operation"]],
            "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}, {"Name": "Tokens"}],
        }]},
        "Model": "m", "Operation": "Converse", "Latency": latency, "Tokens": [3, 4],
    })
    .to_string()
}

/// The metric's sum and count, by a request like boto3's.
fn metric(
    emulator: &Emulator,
    namespace: &str,
    name: &str,
    dimensions: &[(&str, &str)],
) -> (f64, f64) {
    let dimensions: Vec<Value> = dimensions
        .iter()
        .map(|(name, value)| json!({"Name": name, "Value": value}))
        .collect();
    let at = now().unix_timestamp();
    let input = json!({
        "Namespace": namespace, "MetricName": name, "Dimensions": dimensions, "Period": 3_600,
        "StartTime": at - 1_800, "EndTime": at + 1_800, "Statistics": ["Sum", "SampleCount"],
    });
    let reply = ask(
        emulator,
        "GraniteServiceVersion20100801",
        "GetMetricStatistics",
        &input,
    );
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let point = &body(&reply)["Datapoints"][0];
    let of = |name: &str| point[name].as_f64().unwrap_or_default();
    (of("Sum"), of("SampleCount"))
}

fn emf_problems(emulator: &Emulator) -> Vec<Value> {
    let request = Request {
        method: "GET".to_owned(),
        target: "/_workshop/emf".to_owned(),
        ..post("", "", "")
    };
    let reply = emulator.handle(&request, now());
    assert_eq!(reply.status, 200, "{}", text(&reply));
    body(&reply)["lines"].as_array().unwrap().clone()
}

#[test]
fn lines_in_the_embedded_metric_format_become_metrics() {
    let (emulator, _) = quiet();
    let at = now().unix_timestamp() * 1_000;
    let names = json!({"logGroupName": "g", "logStreamName": "s"});
    told(&emulator, "CreateLogGroup", &names);
    told(&emulator, "CreateLogStream", &names);
    let lines = [
        "START RequestId: 1".to_owned(),
        embedded(at, &json!([10, 20])),
        embedded(at, &json!(5.5)) + "\n",
        format!("INFO {}", embedded(at, &json!(1_000))),
    ];
    let events: Vec<Value> = lines
        .iter()
        .map(|line| json!({"timestamp": at, "message": line}))
        .collect();
    let input = json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events});
    told(&emulator, "PutLogEvents", &input);
    let model = ("Model", "m");
    let both = [model, ("Operation", "Converse")];
    for dimensions in [&[model][..], &both] {
        assert_eq!(
            metric(&emulator, "Lesson", "Latency", dimensions),
            (35.5, 3.0)
        );
        assert_eq!(
            metric(&emulator, "Lesson", "Tokens", dimensions),
            (14.0, 4.0)
        );
    }
    assert_eq!(metric(&emulator, "Lesson", "Latency", &[]), (0.0, 0.0));
    assert!(emf_problems(&emulator).is_empty());
    // They stay lines, and can be searched like any.
    let input = json!({"logGroupName": "g", "filterPattern": "{ $.Latency = 5.5 }"});
    let found = told(&emulator, "FilterLogEvents", &input)["events"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1);
}

/// As a service writes its customers' logs: nobody has made the group.
#[test]
fn a_host_puts_lines_and_learns_nothing_of_what_is_wrong_with_them() {
    let (emulator, _) = quiet();
    let at = now().unix_timestamp() * 1_000;
    let group = "/aws/lambda/fn";
    let lines = [
        embedded(at, &json!(7)),
        embedded(at / 1_000, &json!(8)),
        embedded(at, &json!("9")),
        embedded(at, &json!(10)) + "}",
    ];
    let events = lines.iter().map(|line| (at, line.clone()));
    emulator.put_log_events(
        "123456789012",
        "us-east-1",
        group,
        "2026/[$LATEST]1",
        events,
        now(),
    );
    let model = [("Model", "m")];
    assert_eq!(metric(&emulator, "Lesson", "Latency", &model), (7.0, 1.0));
    assert_eq!(metric(&emulator, "Lesson", "Tokens", &model), (14.0, 4.0));
    let of_group = [("LogGroupName", group)];
    assert_eq!(
        metric(&emulator, "AWS/Logs", "EMFValidationErrors", &of_group),
        (2.0, 2.0)
    );
    assert_eq!(
        metric(&emulator, "AWS/Logs", "EMFParsingErrors", &of_group),
        (1.0, 1.0)
    );
    let problems = emf_problems(&emulator);
    let said: Vec<&str> = problems
        .iter()
        .map(|line| line["problems"][0].as_str().unwrap())
        .collect();
    assert!(said[0].contains("looks like seconds"), "{said:?}");
    assert!(said[1].contains("Latency is \"9\""), "{said:?}");
    assert!(said[2].contains("not one JSON document"), "{said:?}");
    assert_eq!(problems[0]["log_group"], group);
    assert_eq!(problems[0]["timestamp_ms"], at);
    let events = told(
        &emulator,
        "FilterLogEvents",
        &json!({"logGroupName": group}),
    )["events"]
        .clone();
    assert_eq!(events.as_array().unwrap().len(), 4, "all stay lines");
}

/// Every start of a function's environment makes a stream.
#[test]
fn a_group_keeps_its_liveliest_streams() {
    let (emulator, _) = quiet();
    let at = now().unix_timestamp() * 1_000;
    for n in 0..1_005 {
        let then = now() + time::Duration::milliseconds(n);
        let stream = format!("s{n}");
        emulator.put_log_events(
            "123456789012",
            "us-east-1",
            "g",
            &stream,
            [(at, stream.clone())],
            then,
        );
    }
    let found = told(&emulator, "FilterLogEvents", &json!({"logGroupName": "g"}))["events"].clone();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1_000);
    assert_eq!(found[0]["message"], "s5");
}

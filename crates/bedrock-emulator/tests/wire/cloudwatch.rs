//! CloudWatch's API in its three protocols, over what Bedrock's requests left behind and what users put.

use std::io::Write as _;

use bedrock_emulator::{Emulator, Reply, Request};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{base, call, header, json as body, now, open, post, profile, text, with};

const TARGET: &str = "GraniteServiceVersion20100801";

/// As boto3 asks.
fn ask(emulator: &Emulator, operation: &str, input: &Value) -> Reply {
    let mut request = Request {
        target: "/".to_owned(),
        ..post("", "", input.to_string())
    };
    let target = format!("{TARGET}.{operation}");
    request.headers.push(("x-amz-target".to_owned(), target));
    emulator.handle(&request, now())
}

fn told(emulator: &Emulator, operation: &str, input: &Value) -> Value {
    let reply = ask(emulator, operation, input);
    assert_eq!(reply.status, 200, "{}", text(&reply));
    assert_eq!(
        header(&reply, "Content-Type"),
        Some("application/x-amz-json-1.0")
    );
    body(&reply)
}

fn epoch(minutes: i64) -> i64 {
    (now() + Duration::minutes(minutes)).unix_timestamp()
}

fn statistics(model: &str, name: &str, more: &Value) -> Value {
    let mut input = json!({
        "Namespace": "AWS/Bedrock", "MetricName": name,
        "Dimensions": [{"Name": "ModelId", "Value": model}],
        "StartTime": epoch(-10), "EndTime": epoch(10), "Period": 60,
    });
    let more = more.as_object().unwrap().clone();
    input.as_object_mut().unwrap().extend(more);
    input
}

/// Three answers, one of them a minute later.
fn three() -> (Emulator, String) {
    let emulator = with(|c| c.invocation_logging = false);
    let model = profile(&emulator, "haiku");
    let question = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    call(&emulator, &model, "converse", &question);
    call(&emulator, &model, "converse-stream", &question);
    let later = now() + Duration::minutes(1);
    emulator.handle(&post(&model, "converse", question.to_string()), later);
    (emulator, model)
}

#[test]
fn statistics_are_told_period_by_period() {
    let (emulator, model) = three();
    let more =
        json!({"Statistics": ["Sum", "SampleCount", "Maximum"], "ExtendedStatistics": ["p50"]});
    let answer = told(
        &emulator,
        "GetMetricStatistics",
        &statistics(&model, "Invocations", &more),
    );
    assert_eq!(answer["Label"], "Invocations");
    let points = answer["Datapoints"].as_array().unwrap();
    let sums: Vec<_> = points.iter().map(|p| p["Sum"].as_f64().unwrap()).collect();
    assert_eq!(sums, [2.0, 1.0]);
    assert_eq!(points[0]["Unit"], "Count");
    assert_eq!(points[0]["ExtendedStatistics"]["p50"], 1.0);
    assert!(
        points[0].get("Average").is_none(),
        "only what was asked for"
    );
    assert_eq!(points[0]["Timestamp"], epoch(0) - epoch(0) % 60);
    let hour = json!({"Statistics": ["Sum"], "Period": 3_600});
    let answer = told(
        &emulator,
        "GetMetricStatistics",
        &statistics(&model, "Invocations", &hour),
    );
    assert_eq!(answer["Datapoints"].as_array().unwrap().len(), 1);
    assert_eq!(answer["Datapoints"][0]["Sum"], 3.0);
    let unit = json!({"Statistics": ["Sum"], "Unit": "Seconds"});
    let answer = told(
        &emulator,
        "GetMetricStatistics",
        &statistics(&model, "Invocations", &unit),
    );
    assert_eq!(answer["Datapoints"], json!([]), "no value has that unit");
}

/// Input, cache writes, and output as often as the model's burndown rate says; cache reads are free.
#[test]
fn the_quota_usage_counts_output_by_the_models_burndown() {
    let emulator = open();
    let nova = base(&emulator, "Nova Lite");
    for (model, rate) in [(profile(&emulator, "haiku"), 5), (nova, 1)] {
        let found = emulator
            .catalogue()
            .find(&model, "us-east-1")
            .unwrap()
            .model;
        assert_eq!(found.quotas.output_burndown, rate, "{model}");
        let least = found.min_cache_tokens.unwrap() as usize;
        let question = json!({
            "system": [{"text": "prompt caching ".repeat(least)}, {"cachePoint": {"type": "default"}}],
            "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        });
        let mut expected = Vec::new();
        let mut read = 0;
        for action in ["converse", "converse-stream"] {
            let reply = call(&emulator, &model, action, &question);
            let usage = emulator.entry_of(&reply).unwrap().usage.unwrap();
            read += usage.cache_read;
            let tokens = usage.input + usage.cache_write() + rate * usage.output;
            expected.push(f64::from(tokens));
        }
        assert!(
            read > 0 && expected[0] > expected[1] + 500.0,
            "{expected:?}"
        );

        let more = json!({"Statistics": ["Sum", "Maximum", "SampleCount"]});
        let asked = statistics(&model, "EstimatedTPMQuotaUsage", &more);
        let answer = told(&emulator, "GetMetricStatistics", &asked);
        let point = &answer["Datapoints"][0];
        assert_eq!(point["Sum"], expected[0] + expected[1]);
        assert_eq!(point["Maximum"], expected[0]);
        assert_eq!(point["SampleCount"], 2.0);
        assert_eq!(point["Unit"], "Count");

        let prometheus = Request {
            method: "GET".to_owned(),
            target: "/_workshop/metrics".to_owned(),
            body: Bytes::new(),
            ..post(&model, "converse", "")
        };
        let prometheus = text(&emulator.handle(&prometheus, now()));
        let labels = format!("account=\"123456789012\",region=\"us-east-1\",model_id=\"{model}\"");
        let line = format!(
            "aws_bedrock_estimated_quota_tokens_total{{{labels}}} {}",
            expected[0] + expected[1]
        );
        assert!(
            prometheus.lines().any(|l| l == line),
            "{line} in\n{prometheus}"
        );
    }
}

/// It is a figure of the runtime's endpoint; what Anthropic's own paths use is counted elsewhere.
#[test]
fn anthropics_own_paths_have_no_quota_usage() {
    let emulator = open();
    let model = base(&emulator, "Claude Haiku 4.5");
    let message = json!({
        "model": model, "max_tokens": 20, "messages": [{"role": "user", "content": "Hi"}],
    });
    let request = Request {
        target: "/anthropic/v1/messages".to_owned(),
        ..post("", "", message.to_string())
    };
    assert_eq!(emulator.handle(&request, now()).status, 200);
    let names = told(
        &emulator,
        "ListMetrics",
        &json!({"Namespace": "AWS/Bedrock"}),
    );
    let names = names["Metrics"].as_array().unwrap();
    let names: Vec<_> = names
        .iter()
        .map(|m| m["MetricName"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"OutputTokenCount"), "{names:?}");
    assert!(!names.contains(&"EstimatedTPMQuotaUsage"), "{names:?}");
}

#[test]
fn mistakes_are_named() {
    let (emulator, model) = three();
    for (more, code, said) in [
        (
            json!({}),
            "MissingParameter",
            "Statistics and ExtendedStatistics",
        ),
        (
            json!({"Statistics": ["p99"]}),
            "InvalidParameterValue",
            "percentiles are ExtendedStatistics",
        ),
        (
            json!({"ExtendedStatistics": ["tm99"]}),
            "InvalidParameterValue",
            "tm99",
        ),
        (
            json!({"Statistics": ["Sum"], "Period": 10}),
            "InvalidParameterValue",
            "multiple of 60",
        ),
        (
            json!({"Statistics": ["Sum"], "Period": "x"}),
            "InvalidParameterValue",
            "whole number",
        ),
        (
            json!({"Statistics": ["Sum"], "EndTime": 0}),
            "InvalidParameterValue",
            "less than",
        ),
        (
            json!({"Statistics": ["Sum"], "StartTime": 0}),
            "InvalidParameterCombination",
            "limit of 1440",
        ),
        (
            json!({"Statistics": ["Sum"], "StartTime": "soon"}),
            "InvalidParameterValue",
            "soon",
        ),
        (
            json!({"Statistics": ["Sum"], "MetricName": ""}),
            "MissingParameter",
            "MetricName",
        ),
    ] {
        let reply = ask(
            &emulator,
            "GetMetricStatistics",
            &statistics(&model, "Invocations", &more),
        );
        assert_eq!(reply.status, 400, "{more}");
        let error = header(&reply, "x-amzn-query-error").unwrap();
        assert_eq!(error, format!("{code};Sender"), "{more}");
        assert!(text(&reply).contains(said), "{more}: {}", text(&reply));
    }
    let unknown = ask(&emulator, "PutDashboard", &json!({}));
    assert!(
        text(&unknown).contains("not emulated"),
        "{}",
        text(&unknown)
    );
}

fn stat(id: &str, model: &str, name: &str, stat: &str) -> Value {
    json!({"Id": id, "MetricStat": {"Stat": stat, "Period": 60, "Metric": {
        "Namespace": "AWS/Bedrock", "MetricName": name,
        "Dimensions": [{"Name": "ModelId", "Value": model}]}}})
}

#[test]
fn several_metrics_and_math_over_them() {
    let (emulator, model) = three();
    let mut hidden = stat("m1", &model, "InputTokenCount", "Sum");
    hidden["ReturnData"] = false.into();
    let input = json!({
        "StartTime": epoch(-10), "EndTime": epoch(10), "ScanBy": "TimestampAscending",
        "MetricDataQueries": [
            hidden,
            stat("m2", &model, "Invocations", "Sum"),
            {"Id": "e1", "Expression": "m1 / m2", "Label": "each"},
            {"Id": "e2", "Expression": "SUM(SEARCH('{AWS/Bedrock,ModelId} MetricName=\"Invocations\"', 'Sum', 60))"},
            {"Id": "e3", "Expression": "e1 + e1"},
        ],
    });
    let answer = told(&emulator, "GetMetricData", &input);
    let results = answer["MetricDataResults"].as_array().unwrap();
    let ids: Vec<_> = results.iter().map(|r| r["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["m2", "e1", "e2", "e3"]);
    assert_eq!(results[0]["Values"], json!([2.0, 1.0]));
    assert_eq!(results[0]["StatusCode"], "Complete");
    assert_eq!(results[1]["Label"], "each");
    assert_eq!(results[2]["Values"], json!([2.0, 1.0]));
    let each = results[1]["Values"][0].as_f64().unwrap();
    assert!((results[3]["Values"][0].as_f64().unwrap() - 2.0 * each).abs() < 1e-9);
    for (query, said) in [
        (
            json!({"Id": "e", "Expression": "e * 2"}),
            "comes back to itself",
        ),
        (
            json!({"Id": "e", "Expression": "m9 * 2"}),
            "no query of this request has the id m9",
        ),
        (json!({"Id": "E", "Expression": "1"}), "expected pattern"),
        (
            json!({"Id": "e", "Expression": "1 + 1"}),
            "must be a time series",
        ),
        (json!({"Id": "e"}), "either MetricStat or Expression"),
    ] {
        let input = json!({"StartTime": 0, "EndTime": 60, "MetricDataQueries": [query]});
        let reply = ask(&emulator, "GetMetricData", &input);
        assert_eq!(reply.status, 400);
        assert!(text(&reply).contains(said), "{query}: {}", text(&reply));
    }
}

/// Each expression names the one before twice: without memory that is 2^200 evaluations.
#[test]
fn expressions_that_name_each_other_are_evaluated_once() {
    let emulator = open();
    let mut queries = vec![stat("e0", "m", "Invocations", "Sum")];
    for n in 1..30 {
        let before = n - 1;
        queries
            .push(json!({"Id": format!("e{n}"), "Expression": format!("e{before} + e{before}")}));
    }
    let input = json!({"StartTime": 0, "EndTime": 60, "MetricDataQueries": queries});
    told(&emulator, "GetMetricData", &input);
}

#[test]
fn metrics_are_listed() {
    let (emulator, model) = three();
    let list = |input: Value| told(&emulator, "ListMetrics", &input)["Metrics"].clone();
    let all = list(json!({}));
    let names: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["MetricName"].as_str().unwrap())
        .collect();
    for name in [
        "Invocations",
        "InvocationLatency",
        "InputTokenCount",
        "TimeToFirstToken",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(
        !names.contains(&"InvocationThrottles"),
        "nothing was throttled"
    );
    assert_eq!(
        list(json!({"MetricName": "Invocations"}))
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(list(json!({"Namespace": "AWS/EC2"})), json!([]));
    let dimension = json!({"Dimensions": [{"Name": "ModelId", "Value": model}]});
    assert_eq!(list(dimension), all);
    assert_eq!(list(json!({"Dimensions": [{"Name": "Other"}]})), json!([]));
    assert_eq!(list(json!({"RecentlyActive": "PT3H"})), all);
}

#[test]
fn own_metrics_can_be_put_and_read() {
    let emulator = open();
    let data = json!({"Namespace": "Course", "MetricData": [
        {"MetricName": "Quality", "Value": 4, "Unit": "Count",
         "Dimensions": [{"Name": "Team", "Value": "b"}, {"Name": "App", "Value": "a"}]},
        {"MetricName": "Quality", "Values": [1, 2], "Counts": [3, 1], "Unit": "Count",
         "Dimensions": [{"Name": "App", "Value": "a"}, {"Name": "Team", "Value": "b"}]},
        {"MetricName": "Set", "Timestamp": epoch(-5),
         "StatisticValues": {"SampleCount": 2, "Sum": 6, "Minimum": 1, "Maximum": 5}},
    ]});
    assert_eq!(told(&emulator, "PutMetricData", &data), json!({}));
    let input = json!({"Namespace": "Course", "MetricName": "Quality",
        "Dimensions": [{"Name": "App", "Value": "a"}, {"Name": "Team", "Value": "b"}],
        "StartTime": epoch(-10), "EndTime": epoch(10), "Period": 300,
        "Statistics": ["SampleCount", "Sum", "Minimum", "Maximum", "Average"]});
    let point = told(&emulator, "GetMetricStatistics", &input)["Datapoints"][0].clone();
    assert_eq!(point["SampleCount"], 5.0);
    assert_eq!(point["Sum"], 9.0);
    assert_eq!(
        (&point["Minimum"], &point["Maximum"]),
        (&json!(1.0), &json!(4.0))
    );
    for (data, said) in [
        (json!({"MetricName": "x"}), "MetricData.member.1.Value"),
        (
            json!({"MetricName": "x", "Value": 1, "Values": [1]}),
            "mutually exclusive",
        ),
        (json!({"MetricName": "x", "Value": "NaN"}), "not a number"),
        (
            json!({"MetricName": "x", "Values": [1], "Counts": [1, 2]}),
            "same size",
        ),
        (
            json!({"MetricName": "x", "Value": 1, "Timestamp": 0}),
            "two weeks",
        ),
        (json!({"Value": 1}), "MetricName"),
    ] {
        let input = json!({"Namespace": "Course", "MetricData": [data]});
        let reply = ask(&emulator, "PutMetricData", &input);
        assert_eq!(reply.status, 400, "{data}");
        assert!(text(&reply).contains(said), "{data}: {}", text(&reply));
    }
    let reserved =
        json!({"Namespace": "AWS/Bedrock", "MetricData": [{"MetricName": "x", "Value": 1}]});
    assert_eq!(ask(&emulator, "PutMetricData", &reserved).status, 400);
}

#[test]
fn the_query_protocol_is_understood() {
    let (emulator, model) = three();
    let form = format!(
        "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FBedrock&MetricName=Invocations\
         &Dimensions.member.1.Name=ModelId&Dimensions.member.1.Value={}&Period=60\
         &StartTime=2026-08-19T14%3A30%3A00Z&EndTime=2026-08-19T14%3A40%3A00&Statistics.member.1=Sum",
        model.replace(':', "%3A")
    );
    let request = |form: &str| Request {
        target: "/".to_owned(),
        ..post("", "", form.to_owned())
    };
    let answer = text(&emulator.handle(&request(&form), now()));
    assert!(
        answer.starts_with("<GetMetricStatisticsResponse xmlns=\"http://monitoring"),
        "{answer}"
    );
    assert!(
        answer.contains("<member><Timestamp>2026-08-19T14:34:00Z</Timestamp><Sum>2</Sum><Unit>Count</Unit></member>"),
        "{answer}"
    );
    let refused = emulator.handle(&request(&form.replace("Period=60", "Period=7")), now());
    assert_eq!(refused.status, 400);
    assert!(
        text(&refused).contains("<Code>InvalidParameterValue</Code>"),
        "{}",
        text(&refused)
    );
}

/// boto3 compresses forms of ten kilobytes and more; `Action` is in there too.
#[test]
fn a_compressed_form_is_understood() {
    let emulator = open();
    let mut form = "Action=PutMetricData&Version=2010-08-01&Namespace=Own".to_owned();
    for n in 1..=500 {
        let datum = format!("&MetricData.member.{n}.MetricName=Many&MetricData.member.{n}.Value=1");
        form.push_str(&datum);
    }
    let packed = |form: &str| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(form.as_bytes()).unwrap();
        let mut request = Request {
            target: "/".to_owned(),
            ..post("", "", packed.finish().unwrap())
        };
        let encoding = ("content-encoding".to_owned(), "gzip".to_owned());
        request.headers.push(encoding);
        request
    };
    let put = emulator.handle(&packed(&form), now());
    assert_eq!(put.status, 200, "{}", text(&put));
    let asked = json!({
        "Namespace": "Own", "MetricName": "Many", "Statistics": ["SampleCount"],
        "StartTime": epoch(-5), "EndTime": epoch(5), "Period": 600,
    });
    let found = told(&emulator, "GetMetricStatistics", &asked);
    assert_eq!(found["Datapoints"][0]["SampleCount"], 500.0);

    let mut broken = packed(&form);
    broken.body = broken.body.slice(..20);
    let refused = emulator.handle(&broken, now());
    assert!((400..500).contains(&refused.status), "{}", text(&refused));
    let unknown = packed("Action=Fly&Version=2010-08-01");
    let refused = text(&emulator.handle(&unknown, now()));
    assert!(
        refused.contains("Could not find operation Fly"),
        "{refused}"
    );
}

#[test]
fn metric_data_come_in_pages() {
    let emulator = open();
    for (name, minutes) in [("A", 3), ("B", 0), ("C", 2)] {
        for minute in 0..minutes {
            let datum = json!({"MetricName": name, "Value": minute, "Timestamp": epoch(-minute)});
            let put = json!({"Namespace": "Own", "MetricData": [datum]});
            assert_eq!(ask(&emulator, "PutMetricData", &put).status, 200);
        }
    }
    let stat = |id: &str, name: &str| {
        let metric = json!({"Namespace": "Own", "MetricName": name});
        json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}})
    };
    let mut input = json!({
        "MetricDataQueries": [stat("a", "A"), stat("b", "B"), stat("c", "C")],
        "StartTime": epoch(-10), "EndTime": epoch(10), "MaxDatapoints": 2,
    });
    let mut pages = Vec::new();
    loop {
        let page = told(&emulator, "GetMetricData", &input);
        let results = page["MetricDataResults"].as_array().unwrap().iter();
        let result = |r: &Value| json!([r["Id"], r["Values"], r["StatusCode"]]);
        pages.push(results.map(result).collect::<Value>());
        if page["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(
        json!(pages),
        json!([
            [["a", [0.0, 1.0], "PartialData"], ["b", [], "Complete"]],
            [["a", [2.0], "Complete"], ["c", [0.0], "PartialData"]],
            [["c", [1.0], "Complete"]],
        ])
    );
    input["NextToken"] = "x".into();
    let refused = ask(&emulator, "GetMetricData", &input);
    assert!(
        text(&refused).contains("InvalidNextToken"),
        "{}",
        text(&refused)
    );
    input["NextToken"] = Value::Null;
    input["MaxDatapoints"] = 0.into();
    assert_eq!(ask(&emulator, "GetMetricData", &input).status, 400);
}

/// `{"Namespace": "AWS/Bedrock"}`, as the Rust SDK writes it.
#[test]
fn rpc_v2_cbor_is_understood() {
    let (emulator, _) = three();
    let mut bytes = vec![0xbf, 0x69];
    bytes.extend(b"Namespace");
    bytes.push(0x6b);
    bytes.extend(b"AWS/Bedrock");
    bytes.push(0xff);
    let request = |bytes: Vec<u8>| Request {
        target: format!("/service/{TARGET}/operation/ListMetrics"),
        ..post("", "", bytes)
    };
    let reply = emulator.handle(&request(bytes), now());
    assert_eq!(reply.status, 200);
    assert_eq!(header(&reply, "smithy-protocol"), Some("rpc-v2-cbor"));
    assert_eq!(header(&reply, "Content-Type"), Some("application/cbor"));
    let answer = reply.body.bytes();
    assert_eq!(answer[0], 0xa1, "a map of one member");
    let said = |part: &[u8]| answer.windows(part.len()).any(|w| w == part);
    assert!(said(b"InvocationLatency") && said(b"ModelId"));
    let broken = emulator.handle(&request(vec![0xbf]), now());
    assert_eq!(broken.status, 400);
    assert_eq!(header(&broken, "smithy-protocol"), Some("rpc-v2-cbor"));
    let words = broken.body.bytes();
    assert!(words.windows(22).any(|w| w == b"SerializationException"));
}

#[test]
fn regions_and_accounts_do_not_mix() {
    let (emulator, _) = three();
    let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260819/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=00";
    let mut request = Request {
        target: "/".to_owned(),
        ..post("", "", "{}")
    };
    request
        .headers
        .push(("x-amz-target".to_owned(), format!("{TARGET}.ListMetrics")));
    request
        .headers
        .push(("authorization".to_owned(), signed.to_owned()));
    let reply = emulator.handle(&request, now());
    assert_eq!(
        body(&reply)["Metrics"],
        json!([]),
        "nothing was asked in eu-west-1"
    );
}

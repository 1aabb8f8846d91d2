//! Lists in pages: a token leads on in its own list, and in no other.

use bedrock_emulator::{Emulator, Reply, Request};
use serde_json::{Value, json};

use crate::bench::{call, json as body, now, open, post, profile, text};

const LOGS: &str = "Logs_20140328.";
const QUOTAS: &str = "ServiceQuotasV20190624.";
const METRICS: &str = "GraniteServiceVersion20100801.";
const TRAIL: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.";

/// A paged operation, and how it says that a token is none of its own.
struct Paged {
    /// `GET /path`, or the value of `x-amz-target`.
    operation: String,
    /// What is asked for, with a page size that more than one page needs.
    input: Value,
    /// The same operation about another list.
    other: Value,
    token: &'static str,
    code: &'static str,
    words: &'static str,
}

fn ask(emulator: &Emulator, operation: &str, input: &Value) -> Reply {
    ask_in(emulator, operation, input, "us-east-1")
}

fn ask_in(emulator: &Emulator, operation: &str, input: &Value, region: &str) -> Reply {
    let mut request = if let Some(path) = operation.strip_prefix("GET ") {
        let members = input.as_object().unwrap().iter();
        let pairs: Vec<String> = members
            .map(|(name, value)| match value {
                Value::String(text) => format!("{name}={text}"),
                other => format!("{name}={other}"),
            })
            .collect();
        Request {
            method: "GET".to_owned(),
            target: format!("{path}?{}", pairs.join("&")),
            ..post("", "", "")
        }
    } else {
        let mut request = post("", "", input.to_string());
        "/".clone_into(&mut request.target);
        let target = ("x-amz-target".to_owned(), operation.to_owned());
        request.headers.push(target);
        request
    };
    let scope = format!("AKIAIOSFODNN7EXAMPLE/20260819/{region}/any/aws4_request");
    request.headers.push((
        "authorization".to_owned(),
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
    ));
    emulator.handle(&request, now())
}

fn done(emulator: &Emulator, operation: &str, input: &Value) -> Value {
    let reply = ask(emulator, operation, input);
    assert!(reply.status < 300, "{operation}: {}", text(&reply));
    match text(&reply).as_str() {
        "" => Value::Null,
        _ => body(&reply),
    }
}

/// Everything that can be listed is there at least twice.
fn furnished() -> Emulator {
    let emulator = open();
    for name in ["one", "two"] {
        let definition = json!({
            "name": name, "blockedInputMessaging": "no", "blockedOutputsMessaging": "no",
            "wordPolicyConfig": {"wordsConfig": [{"text": "bother"}]},
        });
        let guardrail = Request {
            target: "/guardrails".to_owned(),
            ..post("", "", definition.to_string())
        };
        assert_eq!(emulator.handle(&guardrail, now()).status, 202);
    }
    let ms = now().unix_timestamp() * 1_000;
    for group in ["a1", "a2", "b1", "b2"] {
        let named = json!({"logGroupName": group});
        done(&emulator, &format!("{LOGS}CreateLogGroup"), &named);
        for stream in ["a1", "a2", "b1"] {
            let named = json!({"logGroupName": group, "logStreamName": stream});
            done(&emulator, &format!("{LOGS}CreateLogStream"), &named);
            let mut events = named;
            events["logEvents"] = json!([
                {"timestamp": ms, "message": "first"}, {"timestamp": ms + 1, "message": "second"},
            ]);
            done(&emulator, &format!("{LOGS}PutLogEvents"), &events);
        }
    }
    for hundred in 0..6 {
        let data = (0..100).map(|n| json!({"MetricName": format!("m{hundred}{n}"), "Value": 1.0}));
        let data: Vec<Value> = data.collect();
        let put = json!({"Namespace": "Mine", "MetricData": data});
        done(&emulator, &format!("{METRICS}PutMetricData"), &put);
    }
    let question = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    for _ in 0..2 {
        call(
            &emulator,
            &profile(&emulator, "haiku"),
            "converse",
            &question,
        );
    }
    emulator
}

/// One metric's values in two expressions, so that there are two of them.
fn metric_data(name: &str) -> Value {
    let start = now().unix_timestamp() - 600;
    json!({
        "StartTime": start, "EndTime": start + 1_200, "MaxDatapoints": 1,
        "MetricDataQueries": [
            {"Id": "m", "MetricStat": {"Stat": "Sum", "Period": 60, "Metric": {
                "Namespace": "Mine", "MetricName": name}}},
            {"Id": "e", "Expression": "m * 2"},
        ],
    })
}

fn paged() -> Vec<Paged> {
    let rest = |operation: &str, other: Value| Paged {
        operation: format!("GET {operation}"),
        input: json!({"maxResults": 1}),
        other,
        token: "nextToken",
        code: "ValidationException",
        words: "invalid value for nextToken. You must get the value from the response",
    };
    let logs = |operation: &str, input: Value, other: Value| Paged {
        operation: format!("{LOGS}{operation}"),
        input,
        other,
        token: "nextToken",
        code: "InvalidParameterException",
        words: "The specified nextToken is invalid.",
    };
    let quotas = |operation: &str, other: Value| Paged {
        operation: format!("{QUOTAS}{operation}"),
        input: json!({"ServiceCode": "bedrock", "MaxResults": 2}),
        other,
        token: "NextToken",
        code: "InvalidPaginationTokenException",
        words: "You specified an invalid value for nextToken. You must get the value from the \
                response to the previous API call.",
    };
    vec![
        rest("/inference-profiles", json!({"type": "APPLICATION"})),
        rest("/guardrails", json!({"guardrailIdentifier": "ID"})),
        logs(
            "DescribeLogGroups",
            json!({"limit": 1}),
            json!({"logGroupNamePrefix": "a"}),
        ),
        logs(
            "DescribeLogStreams",
            json!({"logGroupName": "a1", "limit": 1}),
            json!({"logGroupName": "a2"}),
        ),
        logs(
            "FilterLogEvents",
            json!({"logGroupName": "a1", "limit": 1}),
            json!({"logGroupName": "a1", "filterPattern": "second"}),
        ),
        quotas(
            "ListServiceQuotas",
            json!({"ServiceCode": "bedrock", "QuotaAppliedAtLevel": "ALL"}),
        ),
        quotas("ListAWSDefaultServiceQuotas", Value::Null),
        Paged {
            operation: format!("{METRICS}ListMetrics"),
            input: json!({"Namespace": "Mine"}),
            other: json!({"Namespace": "Mine", "RecentlyActive": "PT3H"}),
            token: "NextToken",
            code: "InvalidNextToken",
            words: "The next token specified is invalid.",
        },
        Paged {
            operation: format!("{METRICS}GetMetricData"),
            input: metric_data("m00"),
            other: metric_data("m01"),
            token: "NextToken",
            code: "InvalidNextToken",
            words: "The next token specified is invalid.",
        },
        Paged {
            operation: format!("{TRAIL}LookupEvents"),
            input: json!({"MaxResults": 1}),
            other: json!({"LookupAttributes": [
                {"AttributeKey": "EventName", "AttributeValue": "Converse"}]}),
            token: "NextToken",
            code: "InvalidNextTokenException",
            words: "Invalid token.",
        },
    ]
}

#[test]
fn a_token_leads_on_in_its_own_list_only() {
    let emulator = furnished();
    let guardrails = done(&emulator, "GET /guardrails", &json!({}));
    let guardrail = guardrails["guardrails"][0]["id"].clone();
    let mut foreign = json!("nobodys");
    for list in paged() {
        let Paged {
            operation,
            input,
            token,
            ..
        } = &list;
        let first = done(&emulator, operation, input);
        let next = first[token].clone();
        assert!(next.is_string(), "{operation}: {first}");
        let with = |input: &Value, next: &Value| {
            let mut input = input.clone();
            if input.get("guardrailIdentifier").is_some() {
                input["guardrailIdentifier"] = guardrail.clone();
            }
            input[*token] = next.clone();
            input
        };
        let second = done(&emulator, operation, &with(input, &next));
        assert_ne!(first, second, "{operation}");
        // Another page size is the same list.
        let mut wider = with(input, &next);
        for size in ["maxResults", "MaxResults", "limit"] {
            if let Some(size) = wider.get_mut(size) {
                *size = json!(7);
            }
        }
        done(&emulator, operation, &wider);

        let refused = |input: &Value, region: &str| {
            let reply = ask_in(&emulator, operation, input, region);
            assert_eq!(reply.status, 400, "{operation} {input}: {}", text(&reply));
            let mut said = body(&reply).to_string();
            said.extend(reply.headers.iter().map(|(_, value)| value.as_str()));
            assert!(said.contains(list.code), "{operation}: {said}");
            assert!(said.contains(list.words), "{operation}: {said}");
        };
        let whole = next.as_str().unwrap();
        for wrong in [
            json!("x"),
            json!("2"),
            json!("page-1"),
            json!(&whole[1..]),
            json!(format!("{whole}g")),
            json!(format!("{whole}ffffffffffffffffffff")),
            foreign.clone(),
        ] {
            refused(&with(input, &wrong), "us-east-1");
        }
        if !list.other.is_null() {
            refused(&with(&list.other, &next), "us-east-1");
        }
        // The trail and the logs of another region are empty or missing: the token is told first
        // wherever the list can be named.
        if !operation.starts_with(LOGS) || operation.ends_with("Groups") {
            refused(&with(input, &next), "us-west-2");
        }
        foreign = next;
    }
}

#[test]
fn the_tokens_of_a_stream_are_its_own() {
    let emulator = furnished();
    let get = format!("{LOGS}GetLogEvents");
    let mut of =
        json!({"logGroupName": "a1", "logStreamName": "a1", "limit": 1, "startFromHead": true});
    let first = done(&emulator, &get, &of);
    assert_eq!(first["events"][0]["message"], "first");
    for token in ["nextForwardToken", "nextBackwardToken"] {
        let token = first[token].as_str().unwrap();
        // As recorded ones look: a direction and 56 digits.
        assert_eq!(token.len(), 58);
        assert!(token[2..].bytes().all(|b| b.is_ascii_digit()));
    }
    of["nextToken"] = first["nextForwardToken"].clone();
    assert_eq!(done(&emulator, &get, &of)["events"][0]["message"], "second");
    let token = of["nextToken"].as_str().unwrap().to_owned();
    for (stream, token) in [
        ("a2", token.clone()),
        ("a1", token.replace("f/", "x/")),
        ("a1", token[..57].to_owned()),
        ("a1", format!("{token}0")),
        ("a1", "f/1".to_owned()),
        ("a1", "é/1".to_owned()),
        ("a1", String::new()),
    ] {
        of["logStreamName"] = stream.into();
        of["nextToken"] = token.as_str().into();
        let reply = ask(&emulator, &get, &of);
        assert_eq!(reply.status, 400, "{token}");
        let said = text(&reply);
        assert!(said.contains("InvalidParameterException"), "{said}");
        assert!(
            said.contains("The specified nextToken is invalid."),
            "{said}"
        );
    }
}

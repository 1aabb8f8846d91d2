//! Alarms: evaluated by nobody, and yet at their minutes.

use bedrock_emulator::{Emulator, Reply, Request};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::bench::{json as body, now, open, post, profile, text};

const TARGET: &str = "GraniteServiceVersion20100801";
const PAGE: &str = "arn:aws:sns:us-east-1:123456789012:page";

/// 14:34:00, the start of the minute in which tests begin.
fn start() -> OffsetDateTime {
    now() - Duration::seconds(34)
}

/// So many seconds behind it.
fn after(seconds: i64) -> OffsetDateTime {
    start() + Duration::seconds(seconds)
}

fn ask(emulator: &Emulator, operation: &str, input: &Value, at: OffsetDateTime) -> Reply {
    let mut request = Request {
        target: "/".to_owned(),
        ..post("", "", input.to_string())
    };
    let target = format!("{TARGET}.{operation}");
    request.headers.push(("x-amz-target".to_owned(), target));
    emulator.handle(&request, at)
}

#[track_caller]
fn told(emulator: &Emulator, operation: &str, input: &Value, at: OffsetDateTime) -> Value {
    let reply = ask(emulator, operation, input, at);
    assert_eq!(reply.status, 200, "{operation}: {}", text(&reply));
    match text(&reply).as_str() {
        "" => Value::Null,
        _ => body(&reply),
    }
}

fn put(emulator: &Emulator, name: &str, value: f64, at: OffsetDateTime) {
    let data = json!([{"MetricName": name, "Value": value, "Timestamp": at.unix_timestamp()}]);
    told(
        emulator,
        "PutMetricData",
        &json!({"Namespace": "Lesson", "MetricData": data}),
        at,
    );
}

fn alarm(name: &str, more: &Value) -> Value {
    let mut alarm = json!({
        "AlarmName": name, "Namespace": "Lesson", "MetricName": "Errors", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 2.0,
        "ComparisonOperator": "GreaterThanThreshold",
    });
    let more = more.as_object().unwrap().clone();
    alarm.as_object_mut().unwrap().extend(more);
    alarm
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    alarm
}

fn state(emulator: &Emulator, name: &str, at: OffsetDateTime) -> String {
    let found = told(
        emulator,
        "DescribeAlarms",
        &json!({"AlarmNames": [name]}),
        at,
    );
    found["MetricAlarms"][0]["StateValue"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The items of one kind, oldest first, as `(seconds behind the start, summary)`.
fn history(emulator: &Emulator, name: &str, kind: &str, at: OffsetDateTime) -> Vec<(f64, String)> {
    let input = json!({
        "AlarmName": name, "HistoryItemType": kind, "ScanBy": "TimestampAscending",
    });
    let items = told(emulator, "DescribeAlarmHistory", &input, at);
    let items = items["AlarmHistoryItems"].as_array().unwrap().clone();
    let since = start().unix_timestamp();
    let items = items.iter().map(|item| {
        let at = item["Timestamp"].as_f64().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "seconds are far below 2^53")]
        let since = since as f64;
        (
            at - since,
            item["HistorySummary"].as_str().unwrap().to_owned(),
        )
    });
    items.collect()
}

fn updated(from: &str, to: &str) -> String {
    format!("Alarm updated from {from} to {to}")
}

#[test]
fn an_alarm_goes_to_alarm_by_itself_and_comes_back() {
    let emulator = open();
    let more =
        json!({"AlarmActions": [PAGE], "OKActions": [PAGE], "TreatMissingData": "notBreaching"});
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("errors", &more),
        after(5),
    );
    // Nobody looks in these minutes.
    put(&emulator, "Errors", 1.0, after(10));
    put(&emulator, "Errors", 1.0, after(70));
    put(&emulator, "Errors", 2.0, after(80));
    put(&emulator, "Errors", 0.0, after(130));
    let at = after(1_000);
    assert_eq!(state(&emulator, "errors", at), "OK");
    let wanted = [
        (60.0, updated("INSUFFICIENT_DATA", "OK")),
        (120.0, updated("OK", "ALARM")),
        (180.0, updated("ALARM", "OK")),
    ];
    assert_eq!(history(&emulator, "errors", "StateUpdate", at), wanted);
    let done = |at| (at, format!("Successfully executed action {PAGE}"));
    let actions = history(&emulator, "errors", "Action", at);
    assert_eq!(actions, [done(60.0), done(120.0), done(180.0)]);
    let made = history(&emulator, "errors", "ConfigurationUpdate", at);
    assert_eq!(made, [(5.0, "Alarm \"errors\" created".to_owned())]);

    // The reason is that of the change, and so is its time.
    let found = told(&emulator, "DescribeAlarms", &json!({}), at)["MetricAlarms"][0].clone();
    assert_eq!(
        found["StateReason"],
        "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (19/08/26 14:36:00)] was not greater \
         than the threshold (2.0) (minimum 1 datapoint for ALARM -> OK transition)."
    );
    assert_eq!(
        found["StateUpdatedTimestamp"].to_string(),
        format!("{}.0", after(180).unix_timestamp())
    );
    let data: Value = serde_json::from_str(found["StateReasonData"].as_str().unwrap()).unwrap();
    let wanted = json!({
        "version": "1.0", "queryDate": "2026-08-19T14:37:00.000+0000",
        "startDate": "2026-08-19T14:36:00.000+0000", "statistic": "Sum", "period": 60,
        "recentDatapoints": [0.0], "threshold": 2.0, "evaluatedDatapoints": [
            {"timestamp": "2026-08-19T14:36:00.000+0000", "sampleCount": 1.0, "value": 0.0},
        ],
    });
    assert_eq!(data, wanted);
    let items = told(
        &emulator,
        "DescribeAlarmHistory",
        &json!({"AlarmName": "errors", "HistoryItemType": "StateUpdate", "MaxRecords": 1}),
        at,
    );
    let newest = items["AlarmHistoryItems"][0]["HistoryData"]
        .as_str()
        .unwrap();
    let newest: Value = serde_json::from_str(newest).unwrap();
    assert_eq!(newest["oldState"]["stateValue"], "ALARM");
    assert_eq!(newest["newState"]["stateReasonData"], data);
}

/// However often somebody looks, the history is the same.
#[test]
fn looking_changes_nothing() {
    let life = |looks: &[i64]| {
        let emulator = open();
        let more = json!({"EvaluationPeriods": 3, "DatapointsToAlarm": 2});
        told(&emulator, "PutMetricAlarm", &alarm("a", &more), after(0));
        for (second, value) in [(10, 9.0), (70, 1.0), (130, 9.0), (200, 9.0), (900, 0.0)] {
            put(&emulator, "Errors", value, after(second));
        }
        for look in looks {
            state(&emulator, "a", after(1_000 + look * 60));
        }
        history(&emulator, "a", "StateUpdate", after(9_000))
    };
    let once = life(&[]);
    // Five periods are looked at. Two breaching points of the last three there are: from 180 on; the
    // last one but 900 is seen until 480. With none the alarm knows nothing; with one good one it is OK.
    let wanted = [
        (120.0, updated("INSUFFICIENT_DATA", "OK")),
        (180.0, updated("OK", "ALARM")),
        (540.0, updated("ALARM", "INSUFFICIENT_DATA")),
        (960.0, updated("INSUFFICIENT_DATA", "OK")),
        (1_260.0, updated("OK", "INSUFFICIENT_DATA")),
    ];
    assert_eq!(once, wanted);
    assert_eq!(life(&[0, 1, 2, 3, 4, 5, 6, 7, 30]), once);
}

#[test]
fn missing_data_is_treated_as_the_alarm_says() {
    let emulator = open();
    for treats in ["missing", "ignore", "breaching", "notBreaching"] {
        let more = json!({"TreatMissingData": treats, "EvaluationPeriods": 2});
        told(&emulator, "PutMetricAlarm", &alarm(treats, &more), after(0));
    }
    let at = after(61);
    let states = |at| {
        ["missing", "ignore", "breaching", "notBreaching"].map(|name| state(&emulator, name, at))
    };
    assert_eq!(
        states(at),
        ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM", "OK"]
    );
    put(&emulator, "Errors", 0.0, after(62));
    put(&emulator, "Errors", 0.0, after(122));
    assert_eq!(states(after(181)), ["OK"; 4]);
    assert_eq!(
        states(after(600)),
        ["INSUFFICIENT_DATA", "OK", "ALARM", "OK"]
    );
    let found = told(
        &emulator,
        "DescribeAlarms",
        &json!({"AlarmNamePrefix": "b"}),
        after(600),
    );
    assert_eq!(
        found["MetricAlarms"][0]["StateReason"],
        "Threshold Crossed: 2 missing datapoints were treated as [Breaching].".replace(
            "2 missing",
            "no datapoints were received for 2 periods and 2 missing"
        )
    );
}

/// An alarm is told of data that come late when somebody looks; its own evaluations see whole periods.
#[test]
fn late_data_are_seen_and_a_period_that_runs_is_not() {
    let emulator = open();
    put(&emulator, "Errors", 5.0, after(-61));
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("a", &json!({})),
        after(5),
    );
    assert_eq!(state(&emulator, "a", after(6)), "ALARM");
    assert_eq!(
        history(&emulator, "a", "StateUpdate", after(6)),
        [(6.0, updated("INSUFFICIENT_DATA", "ALARM"))]
    );
    let input = json!({"Namespace": "Lesson", "MetricData": [
        {"MetricName": "Errors", "Value": 1.0, "Timestamp": after(-30).unix_timestamp()},
    ]});
    told(&emulator, "PutMetricData", &input, after(7));
    assert_eq!(state(&emulator, "a", after(8)), "OK");
    put(&emulator, "Errors", 9.0, after(9));
    assert_eq!(
        state(&emulator, "a", after(59)),
        "OK",
        "the minute is not over"
    );
    assert_eq!(state(&emulator, "a", after(60)), "ALARM");
}

#[test]
fn a_state_set_by_hand_holds_until_the_next_evaluation() {
    let emulator = open();
    put(&emulator, "Errors", 0.0, after(-60));
    let more = json!({"AlarmActions": [PAGE]});
    told(&emulator, "PutMetricAlarm", &alarm("a", &more), after(1));
    assert_eq!(state(&emulator, "a", after(2)), "OK");
    put(&emulator, "Errors", 0.0, after(3));
    let set = json!({
        "AlarmName": "a", "StateValue": "ALARM", "StateReason": "a drill",
        "StateReasonData": "{\"by\":\"hand\"}",
    });
    told(&emulator, "SetAlarmState", &set, after(10));
    let found = told(
        &emulator,
        "DescribeAlarms",
        &json!({"StateValue": "ALARM"}),
        after(20),
    );
    let found = &found["MetricAlarms"][0];
    assert_eq!(found["StateReason"], "a drill");
    assert_eq!(found["StateReasonData"], "{\"by\":\"hand\"}");
    assert_eq!(history(&emulator, "a", "Action", after(20)).len(), 1);
    assert_eq!(state(&emulator, "a", after(61)), "OK");
    let wanted = [
        (2.0, updated("INSUFFICIENT_DATA", "OK")),
        (10.0, updated("OK", "ALARM")),
        (60.0, updated("ALARM", "OK")),
    ];
    assert_eq!(history(&emulator, "a", "StateUpdate", after(61)), wanted);

    // Without data it comes back too.
    told(&emulator, "SetAlarmState", &set, after(600));
    let quiet = history(&emulator, "a", "StateUpdate", after(3_000));
    assert_eq!(
        quiet.last().unwrap(),
        &(660.0, updated("ALARM", "INSUFFICIENT_DATA"))
    );

    let mut unknown = set.clone();
    unknown["AlarmName"] = "b".into();
    let mut broken = set;
    broken["StateReasonData"] = "{".into();
    for (input, code) in [
        (unknown, "ResourceNotFound"),
        (broken, "InvalidFormatFault"),
    ] {
        let reply = ask(&emulator, "SetAlarmState", &input, after(62));
        assert_eq!(reply.status, 400);
        assert_eq!(body(&reply)["__type"], code, "{}", text(&reply));
    }
}

#[test]
fn actions_can_be_switched_off_and_the_definition_replaced() {
    let emulator = open();
    let more = json!({"AlarmActions": [PAGE], "ActionsEnabled": true, "AlarmDescription": "why"});
    told(&emulator, "PutMetricAlarm", &alarm("a", &more), after(0));
    let names = json!({"AlarmNames": ["a", "nobody"]});
    told(&emulator, "DisableAlarmActions", &names, after(1));
    put(&emulator, "Errors", 5.0, after(2));
    assert_eq!(state(&emulator, "a", after(61)), "ALARM");
    assert!(history(&emulator, "a", "Action", after(61)).is_empty());
    told(&emulator, "EnableAlarmActions", &names, after(62));
    let found = told(
        &emulator,
        "DescribeAlarms",
        &json!({"ActionPrefix": "arn:aws:sns"}),
        after(63),
    );
    assert_eq!(found["MetricAlarms"][0]["ActionsEnabled"], true);
    // Another threshold: the state stays until it is evaluated.
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("a", &json!({"Threshold": 50.0})),
        after(64),
    );
    assert_eq!(state(&emulator, "a", after(65)), "OK");
    let found = told(&emulator, "DescribeAlarms", &json!({}), after(66))["MetricAlarms"][0].clone();
    assert_eq!(
        found["AlarmDescription"],
        Value::Null,
        "replaced as a whole"
    );
    let summaries: Vec<_> = history(&emulator, "a", "ConfigurationUpdate", after(66))
        .into_iter()
        .map(|(_, summary)| summary)
        .collect();
    let updated = "Alarm \"a\" updated".to_owned();
    let created = "Alarm \"a\" created".to_owned();
    assert_eq!(
        summaries,
        [created, updated.clone(), updated.clone(), updated]
    );
    told(
        &emulator,
        "DeleteAlarms",
        &json!({"AlarmNames": ["a"]}),
        after(67),
    );
    let gone = history(&emulator, "a", "ConfigurationUpdate", after(68));
    assert_eq!(gone.last().unwrap().1, "Alarm \"a\" deleted");
    let none = told(&emulator, "DescribeAlarms", &json!({}), after(68));
    assert_eq!(none["MetricAlarms"], json!([]));
}

#[test]
fn expressions_and_percentiles_have_alarms_too() {
    let emulator = open();
    let metric = |id: &str, name: &str| {
        json!({"Id": id, "ReturnData": false, "MetricStat": {
            "Metric": {"Namespace": "Lesson", "MetricName": name}, "Period": 60, "Stat": "Sum",
        }})
    };
    let math = json!({
        "MetricName": null, "Namespace": null, "Statistic": null, "Period": null,
        "Metrics": [metric("e", "Errors"), metric("c", "Calls"),
            {"Id": "rate", "Expression": "100 * e / c", "Label": "Error rate"}],
        "Threshold": 10.0,
    });
    told(&emulator, "PutMetricAlarm", &alarm("rate", &math), after(0));
    let p90 = json!({"MetricName": "Latency", "Statistic": null, "ExtendedStatistic": "p90", "Threshold": 100.0});
    told(&emulator, "PutMetricAlarm", &alarm("slow", &p90), after(0));
    let mut picky = p90.clone();
    picky["EvaluateLowSampleCountPercentile"] = "ignore".into();
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("surely slow", &picky),
        after(0),
    );
    for n in 1..=20 {
        put(&emulator, "Calls", 1.0, after(n));
        put(
            &emulator,
            "Latency",
            f64::from(i32::try_from(n).unwrap()) * 10.0,
            after(n),
        );
    }
    put(&emulator, "Errors", 3.0, after(30));
    let at = after(61);
    assert_eq!(state(&emulator, "rate", at), "ALARM");
    assert_eq!(state(&emulator, "slow", at), "ALARM");
    // Ten values above the percentile are wanted, so a hundred in all.
    assert_eq!(state(&emulator, "surely slow", at), "INSUFFICIENT_DATA");
    let found = told(
        &emulator,
        "DescribeAlarms",
        &json!({"AlarmNames": ["rate"]}),
        at,
    );
    let found = &found["MetricAlarms"][0];
    let reason = found["StateReason"].as_str().unwrap();
    assert!(
        reason.contains("[15.0 (19/08/26 14:34:00)] was greater"),
        "{reason}"
    );
    assert_eq!(found["Metrics"][2]["Expression"], "100 * e / c");
    assert_eq!(found["Metrics"][2]["ReturnData"], true);
    assert_eq!(
        found["Metrics"][0]["MetricStat"]["Metric"]["MetricName"],
        "Errors"
    );
    assert!(found.get("MetricName").is_none());
}

/// The exercise's own case: Bedrock throttles, and the alarm rings.
#[test]
fn what_bedrock_does_raises_an_alarm() {
    let emulator = crate::bench::with(|config| config.requests_per_minute = Some(2));
    let model = profile(&emulator, "haiku");
    let throttles = json!({
        "Namespace": "AWS/Bedrock", "MetricName": "InvocationThrottles",
        "Dimensions": [{"Name": "ModelId", "Value": model}],
        "Threshold": 0.0, "TreatMissingData": "notBreaching",
    });
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("throttled", &throttles),
        after(0),
    );
    let question = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let mut statuses = Vec::new();
    for second in 1..=4 {
        let request = post(&model, "converse", question.to_string());
        statuses.push(emulator.handle(&request, after(second)).status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(state(&emulator, "throttled", after(60)), "ALARM");
    assert_eq!(state(&emulator, "throttled", after(400)), "OK");
    let asked = json!({
        "Namespace": "AWS/Bedrock", "MetricName": "InvocationThrottles",
        "Dimensions": [{"Name": "ModelId", "Value": model}], "Statistic": "Sum", "Period": 60,
    });
    let found = told(&emulator, "DescribeAlarmsForMetric", &asked, after(401));
    assert_eq!(found["MetricAlarms"][0]["AlarmName"], "throttled");
    let mut other = asked;
    other["Dimensions"] = json!([]);
    let found = told(&emulator, "DescribeAlarmsForMetric", &other, after(401));
    assert_eq!(found["MetricAlarms"], json!([]));
}

#[test]
fn alarms_are_told_in_pages_and_by_filters() {
    let emulator = open();
    for n in 0..5 {
        told(
            &emulator,
            "PutMetricAlarm",
            &alarm(&format!("a{n}"), &json!({})),
            after(0),
        );
    }
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("b", &json!({"TreatMissingData": "breaching"})),
        after(0),
    );
    let mut names = Vec::new();
    let mut input = json!({"MaxRecords": 2, "AlarmNamePrefix": "a"});
    loop {
        let page = told(&emulator, "DescribeAlarms", &input, after(90));
        let found = page["MetricAlarms"].as_array().unwrap().clone();
        names.extend(
            found
                .iter()
                .map(|a| a["AlarmName"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page.get("NextToken") else {
            break;
        };
        input["NextToken"] = token.clone();
        // A page's size is no part of what the list is.
        input["MaxRecords"] = 3.into();
    }
    assert_eq!(names, ["a0", "a1", "a2", "a3", "a4"]);
    for (filter, count) in [
        (json!({"StateValue": "ALARM"}), 1),
        (json!({"StateValue": "INSUFFICIENT_DATA"}), 5),
        (json!({"AlarmNames": ["a1", "b", "x"]}), 2),
        (json!({"AlarmTypes": ["CompositeAlarm"]}), 0),
        (json!({"AlarmTypes": ["MetricAlarm"]}), 6),
        (json!({"ActionPrefix": "arn"}), 0),
        (json!({"ChildrenOfAlarmName": "b"}), 0),
    ] {
        let found = told(&emulator, "DescribeAlarms", &filter, after(90));
        assert_eq!(
            found["MetricAlarms"].as_array().unwrap().len(),
            count,
            "{filter}"
        );
    }
    let history = json!({"MaxRecords": 4});
    let page = told(&emulator, "DescribeAlarmHistory", &history, after(90));
    assert_eq!(
        page["AlarmHistoryItems"][0]["HistorySummary"],
        updated("INSUFFICIENT_DATA", "ALARM")
    );
    let next = json!({"MaxRecords": 4, "NextToken": page["NextToken"]});
    let page = told(&emulator, "DescribeAlarmHistory", &next, after(90));
    assert_eq!(page["AlarmHistoryItems"].as_array().unwrap().len(), 3);
    assert!(page.get("NextToken").is_none());
    let since = json!({"StartDate": after(60).unix_timestamp()});
    let page = told(&emulator, "DescribeAlarmHistory", &since, after(90));
    assert_eq!(page["AlarmHistoryItems"].as_array().unwrap().len(), 1);
}

#[test]
fn alarms_have_tags() {
    let emulator = open();
    let tags = json!([{"Key": "team", "Value": "a"}]);
    told(
        &emulator,
        "PutMetricAlarm",
        &alarm("a", &json!({"Tags": tags})),
        after(0),
    );
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a";
    let more = json!({"ResourceARN": arn, "Tags": [{"Key": "stage", "Value": ""}]});
    told(&emulator, "TagResource", &more, after(1));
    told(
        &emulator,
        "UntagResource",
        &json!({"ResourceARN": arn, "TagKeys": ["team"]}),
        after(1),
    );
    let left = told(
        &emulator,
        "ListTagsForResource",
        &json!({"ResourceARN": arn}),
        after(1),
    );
    assert_eq!(left["Tags"], json!([{"Key": "stage", "Value": ""}]));
    let other = json!({"ResourceARN": arn.replace(":a", ":b")});
    assert_eq!(
        ask(&emulator, "ListTagsForResource", &other, after(1)).status,
        400
    );
}

#[test]
fn mistakes_are_named() {
    let emulator = open();
    let rows = [
        (json!({"AlarmName": null}), "AlarmName is required"),
        (json!({"MetricName": null}), "MetricName is required"),
        (json!({"Namespace": null}), "Namespace is required"),
        (json!({"Period": null}), "Period is required"),
        (json!({"Period": 10}), "multiple of 60"),
        (json!({"Threshold": null}), "Threshold is required"),
        (
            json!({"EvaluationPeriods": 0}),
            "greater than or equal to 1",
        ),
        (
            json!({"DatapointsToAlarm": 2}),
            "less than or equal to EvaluationPeriods",
        ),
        (json!({"EvaluationPeriods": 1_441}), "more than a day"),
        (json!({"Statistic": null}), "Statistic is required"),
        (json!({"ExtendedStatistic": "p99"}), "mutually exclusive"),
        (
            json!({"Statistic": "p99"}),
            "percentiles are ExtendedStatistic",
        ),
        (
            json!({"ComparisonOperator": "Above"}),
            "ComparisonOperator must be",
        ),
        (
            json!({"ComparisonOperator": "GreaterThanUpperThreshold"}),
            "anomaly detection",
        ),
        (json!({"ThresholdMetricId": "m"}), "anomaly detection"),
        (
            json!({"TreatMissingData": "zero"}),
            "TreatMissingData must be",
        ),
        (
            json!({"AlarmActions": ["page me"]}),
            "Invalid arn syntax: page me",
        ),
        (
            json!({"AlarmActions": [PAGE, PAGE, PAGE, PAGE, PAGE, PAGE]}),
            "size greater than 5",
        ),
        (
            json!({"EvaluateLowSampleCountPercentile": "ignore"}),
            "percentile as",
        ),
        (json!({"Metrics": [{"Id": "a"}]}), "mutually exclusive"),
    ];
    let math = |metrics: Value| json!({"MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "Metrics": metrics});
    let stat =
        json!({"Metric": {"Namespace": "L", "MetricName": "m"}, "Period": 60, "Stat": "Sum"});
    let math_rows = [
        (
            math(json!([{"Id": "a", "MetricStat": stat}, {"Id": "b", "MetricStat": stat}])),
            "Exactly one",
        ),
        (
            math(json!([{"Id": "a", "Expression": "nothing + 1"}])),
            "no query of this request",
        ),
        (
            math(json!([{"Id": "a", "Expression": "1 + 1"}])),
            "this is a number",
        ),
    ];
    for (more, said) in rows.into_iter().chain(math_rows) {
        let reply = ask(&emulator, "PutMetricAlarm", &alarm("a", &more), after(0));
        assert_eq!(reply.status, 400, "{more}: {}", text(&reply));
        assert!(text(&reply).contains(said), "{more}: {}", text(&reply));
    }
    for (operation, input, said) in [
        (
            "DeleteAlarms",
            json!({"AlarmNames": ["nobody"]}),
            "no alarm named nobody",
        ),
        ("DeleteAlarms", json!({}), "AlarmNames is required"),
        (
            "DescribeAlarms",
            json!({"AlarmNames": ["a"], "AlarmNamePrefix": "a"}),
            "mutually exclusive",
        ),
        ("DescribeAlarms", json!({"MaxRecords": 0}), "from 1 to 100"),
        ("DescribeAlarms", json!({"NextToken": "x"}), "next token"),
        (
            "DescribeAlarms",
            json!({"StateValue": "BAD"}),
            "OK, ALARM or",
        ),
        (
            "DescribeAlarmHistory",
            json!({"HistoryItemType": "x"}),
            "HistoryItemType must be",
        ),
        (
            "DescribeAlarmHistory",
            json!({"ScanBy": "x"}),
            "ScanBy must be",
        ),
        (
            "PutCompositeAlarm",
            json!({"AlarmName": "a"}),
            "PutCompositeAlarm: not emulated",
        ),
    ] {
        let reply = ask(&emulator, operation, &input, after(0));
        assert_eq!(reply.status, 400, "{operation} {input}");
        assert!(text(&reply).contains(said), "{operation}: {}", text(&reply));
    }
    let none = told(&emulator, "DescribeAlarms", &json!({}), after(0));
    assert_eq!(none["MetricAlarms"], json!([]), "nothing of it was kept");
}

/// A year's sleep, and data in every minute that is kept: an answer at once all the same.
#[test]
fn evaluations_that_are_due_are_bounded() {
    let emulator = open();
    let more = json!({"Period": 3_600, "EvaluationPeriods": 24});
    for n in 0..20 {
        told(
            &emulator,
            "PutMetricAlarm",
            &alarm(&format!("a{n}"), &more),
            after(0),
        );
    }
    for minute in 0..1_440 {
        put(&emulator, "Errors", 1.0, after(minute * 60));
    }
    let began = std::time::Instant::now();
    assert_eq!(
        state(&emulator, "a0", after(365 * 86_400)),
        "INSUFFICIENT_DATA"
    );
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

/// The control API tells all regions' alarms, and what rang.
#[test]
fn the_control_api_lists_alarms() {
    let emulator = open();
    let more = json!({"TreatMissingData": "breaching", "AlarmActions": [PAGE]});
    told(&emulator, "PutMetricAlarm", &alarm("a", &more), after(0));
    let request = Request {
        method: "GET".to_owned(),
        target: "/_workshop/alarms".to_owned(),
        ..post("", "", "")
    };
    let answer = body(&emulator.handle(&request, after(70)));
    let alarm = &answer["alarms"][0];
    assert_eq!(alarm["state"], "ALARM");
    assert_eq!(alarm["since_ms"], after(60).unix_timestamp() * 1_000);
    assert_eq!(
        alarm["condition"],
        "Sum of Lesson Errors > 2 in 1 of 1 periods of 60 s"
    );
    assert_eq!(alarm["fired"][0]["action"], PAGE);
}

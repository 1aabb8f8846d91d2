//! What CloudWatch counts of functions, without anybody's doing: `AWS/Lambda`.

use serde_json::{Value, json};

use crate::bench::Bench;

/// `[Sum, SampleCount, Maximum]` of one metric, over all that happened.
async fn measured(bench: &Bench, name: &str, dimensions: &Value) -> [f64; 3] {
    let now = aws_local::Clock::now(&aws_local::SystemClock).unix_timestamp();
    let day = 24 * 60 * 60;
    let input = json!({
        "Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions,
        "StartTime": now - day, "EndTime": now + day, "Period": day,
        "Statistics": ["Sum", "SampleCount", "Maximum"],
    });
    let target = "GraniteServiceVersion20100801.GetMetricStatistics";
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target),
    ];
    let told = bench.send("POST", "/", &headers, &input.to_string()).await;
    assert_eq!(told.status, 200, "{told:?}");
    let told = told.json();
    let points = told["Datapoints"].as_array().unwrap();
    assert!(!points.is_empty(), "{name} {dimensions}: {told}");
    // There are two around midnight.
    let of = |statistic: &str| {
        let points = points.iter();
        points
            .map(|point| point[statistic].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    let longest = of("Maximum").into_iter().fold(0.0, f64::max);
    [
        of("Sum").iter().sum(),
        of("SampleCount").iter().sum(),
        longest,
    ]
}

#[tokio::test]
async fn invocations_errors_throttles_and_time_are_counted_by_function_and_in_all() {
    let bench = Bench::start().await;
    for event in [json!({}), json!({ "do": "fail" }), json!({})] {
        assert_eq!(bench.invoke(&[], &event).await.status, 200);
    }
    let none = json!({ "ReservedConcurrentExecutions": 0 }).to_string();
    let target = "/2017-10-31/functions/ask/concurrency";
    assert_eq!(bench.send("PUT", target, &[], &none).await.status, 200);
    assert_eq!(bench.invoke(&[], &json!({})).await.status, 429);

    for dimensions in [
        json!([{ "Name": "FunctionName", "Value": "ask" }]),
        json!([]),
    ] {
        for (name, wanted) in [
            ("Invocations", [3.0, 3.0, 1.0]),
            ("Errors", [1.0, 3.0, 1.0]),
            ("Throttles", [1.0, 4.0, 1.0]),
            ("ConcurrentExecutions", [3.0, 3.0, 1.0]),
        ] {
            let saw = measured(&bench, name, &dimensions).await;
            assert_eq!(saw.map(f64::to_bits), wanted.map(f64::to_bits), "{name}");
        }
        let [sum, samples, longest] = measured(&bench, "Duration", &dimensions).await;
        assert!((samples - 3.0).abs() < f64::EPSILON && longest > 0.0 && sum >= longest);
    }
}

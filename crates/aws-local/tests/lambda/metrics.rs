//! What CloudWatch counts of functions, without anybody's doing: `AWS/Lambda`, as the real SDK reads it.

use aws_sdk_cloudwatch::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    primitives::DateTime,
    types::{Dimension, Statistic},
};
use aws_smithy_http_client::Builder as HttpClient;
use serde_json::json;

use crate::bench::{Bench, REGION};

fn cloudwatch(bench: &Bench) -> Client {
    let config = aws_sdk_cloudwatch::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .http_client(HttpClient::new().build_http())
        .endpoint_url(bench.endpoint.url())
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("any", "any", None, None, "bench"));
    Client::from_conf(config.build())
}

/// `[Sum, SampleCount, Maximum]` of one metric, over all that happened.
async fn measured(bench: &Bench, name: &str, dimensions: &[Dimension]) -> [f64; 3] {
    let now = aws_local::Clock::now(&aws_local::SystemClock).unix_timestamp();
    let day = 24 * 60 * 60;
    let asked = cloudwatch(bench).get_metric_statistics();
    let asked = asked.namespace("AWS/Lambda").metric_name(name);
    let asked = asked.set_dimensions(Some(dimensions.to_vec())).period(day);
    let asked = asked.start_time(DateTime::from_secs(now - i64::from(day)));
    let asked = asked.end_time(DateTime::from_secs(now + i64::from(day)));
    let wanted = [Statistic::Sum, Statistic::SampleCount, Statistic::Maximum];
    let told = asked.set_statistics(Some(wanted.into())).send().await;
    let points = told.unwrap().datapoints.unwrap_or_default();
    assert!(!points.is_empty(), "{name} {dimensions:?}");
    // There are two around midnight.
    [
        points.iter().map(|point| point.sum.unwrap()).sum(),
        points.iter().map(|point| point.sample_count.unwrap()).sum(),
        points
            .iter()
            .map(|point| point.maximum.unwrap())
            .fold(0.0, f64::max),
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

    let of_function = Dimension::builder().name("FunctionName").value("ask");
    for dimensions in [vec![of_function.build()], Vec::new()] {
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

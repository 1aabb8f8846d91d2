//! The AWS SDK for Rust against the emulator's CloudWatch. It speaks RPC v2 CBOR, which no other
//! client of `tests/clients` does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "cloudwatch/alarms.rs"]
mod alarms;

use std::time::{Duration, SystemTime};

use aws_sdk_bedrockruntime::{
    operation::converse::ConverseOutput,
    types::{ContentBlock, ConversationRole, Message},
};
use aws_sdk_cloudwatch::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    primitives::DateTime,
    types::{
        Datapoint, Dimension, DimensionFilter, Metric, MetricDataQuery, MetricDatum, MetricStat,
        ScanBy, StandardUnit, Statistic, StatisticSet, StatusCode,
    },
};
use aws_smithy_http_client::Builder as HttpClient;
use workshop_testkit::Lab;

/// CloudWatch for the lab's identity and region.
fn cloudwatch(lab: &Lab) -> Client {
    let given = bedrock_emulator::Config::default();
    let signer = &given.credentials[0];
    let credentials = Credentials::new(
        &signer.access_key_id,
        &signer.secret_access_key,
        None,
        None,
        "test",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(HttpClient::new().build_http())
        .endpoint_url(lab.url())
        .region(Region::new(given.region))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

/// The beginning of the minute that lies so many minutes back.
fn minutes_ago(minutes: i64) -> DateTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let minute = i64::try_from(now.unwrap().as_secs()).unwrap() / 60 - minutes;
    DateTime::from_secs(minute * 60)
}

fn later(time: DateTime, seconds: i64) -> DateTime {
    DateTime::from_secs(time.secs() + seconds)
}

fn dimension(name: &str, value: &str) -> Dimension {
    Dimension::builder().name(name).value(value).build()
}

fn datum(name: &str) -> aws_sdk_cloudwatch::types::builders::MetricDatumBuilder {
    MetricDatum::builder()
        .metric_name(name)
        .dimensions(dimension("Tenant", "a"))
}

async fn put(client: &Client, data: impl IntoIterator<Item = MetricDatum>) {
    let data = data.into_iter().collect();
    let put = client.put_metric_data().namespace("Lesson");
    put.set_metric_data(Some(data)).send().await.unwrap();
}

/// The points of a metric of ours in the last hour, oldest first.
async fn points(client: &Client, name: &str, period: i32) -> Vec<Datapoint> {
    let answer = client
        .get_metric_statistics()
        .namespace("Lesson")
        .metric_name(name)
        .dimensions(dimension("Tenant", "a"))
        .start_time(minutes_ago(60))
        .end_time(later(minutes_ago(0), 60))
        .period(period)
        .statistics(Statistic::Sum)
        .statistics(Statistic::Average)
        .statistics(Statistic::Minimum)
        .statistics(Statistic::Maximum)
        .statistics(Statistic::SampleCount)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.label(), Some(name));
    let mut points = answer.datapoints().to_vec();
    points.sort_by_key(|point| point.timestamp().unwrap().secs());
    points
}

#[tokio::test]
async fn what_was_put_is_read_back_with_its_times_and_numbers() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    let (early, late) = (minutes_ago(20), minutes_ago(10));
    put(
        &client,
        [
            datum("Latency")
                .timestamp(early)
                .value(1.5)
                .unit(StandardUnit::Milliseconds)
                .build(),
            // Seconds and fractions of them belong to the same minute.
            datum("Latency")
                .timestamp(DateTime::from_millis(early.to_millis().unwrap() + 30_250))
                .value(-4.25)
                .unit(StandardUnit::Milliseconds)
                .build(),
            datum("Latency")
                .timestamp(late)
                .value(1e9)
                .unit(StandardUnit::Milliseconds)
                .build(),
        ],
    )
    .await;

    let points = points(&client, "Latency", 60).await;
    let [first, second] = points.as_slice() else {
        panic!("two minutes have data: {points:?}");
    };
    assert_eq!(first.timestamp(), Some(&early));
    assert_eq!(first.sum(), Some(-2.75));
    assert_eq!(first.average(), Some(-1.375));
    assert_eq!(first.minimum(), Some(-4.25));
    assert_eq!(first.maximum(), Some(1.5));
    assert_eq!(first.sample_count(), Some(2.0));
    assert_eq!(first.unit(), Some(&StandardUnit::Milliseconds));
    assert_eq!(second.timestamp(), Some(&late));
    assert_eq!(second.sum(), Some(1e9));
}

#[tokio::test]
async fn arrays_and_statistic_sets_count_each_value() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    let at = minutes_ago(5);
    let set = StatisticSet::builder()
        .sample_count(3.0)
        .sum(30.0)
        .minimum(5.0)
        .maximum(20.0);
    put(
        &client,
        [
            datum("Size")
                .timestamp(at)
                .values(1.0)
                .values(2.0)
                .counts(3.0)
                .counts(1.0)
                .build(),
            datum("Size")
                .timestamp(at)
                .statistic_values(set.build())
                .build(),
        ],
    )
    .await;
    let points = points(&client, "Size", 60).await;
    assert_eq!(points.len(), 1, "{points:?}");
    assert_eq!(points[0].sample_count(), Some(7.0));
    assert_eq!(points[0].sum(), Some(35.0));
    assert_eq!(points[0].minimum(), Some(1.0));
    assert_eq!(points[0].maximum(), Some(20.0));
    assert_eq!(points[0].unit(), Some(&StandardUnit::None));
}

#[tokio::test]
async fn a_request_that_the_sdk_compresses_arrives() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    let at = minutes_ago(3);
    // Well above the ten kilobytes from which on SDKs send gzip.
    let data = (0..500).map(|n| datum("Many").timestamp(at).value(f64::from(n)).build());
    put(&client, data).await;
    let points = points(&client, "Many", 60).await;
    assert_eq!(points[0].sample_count(), Some(500.0));
    assert_eq!(points[0].sum(), Some(124_750.0));
}

#[tokio::test]
async fn percentiles_come_as_extended_statistics() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    let at = minutes_ago(3);
    put(
        &client,
        (1..=100).map(|n| datum("Spread").timestamp(at).value(f64::from(n)).build()),
    )
    .await;
    let answer = client
        .get_metric_statistics()
        .namespace("Lesson")
        .metric_name("Spread")
        .dimensions(dimension("Tenant", "a"))
        .start_time(minutes_ago(10))
        .end_time(minutes_ago(0))
        .period(600)
        .extended_statistics("p50")
        .extended_statistics("p99")
        .send()
        .await
        .unwrap();
    let [point] = answer.datapoints() else {
        panic!("{:?}", answer.datapoints());
    };
    let extended = point.extended_statistics().unwrap();
    assert!((extended["p50"] - 50.0).abs() < 3.0, "{extended:?}");
    assert!((extended["p99"] - 99.0).abs() < 3.0, "{extended:?}");
    assert_eq!(point.sum(), None, "nobody asked for it");
}

#[tokio::test]
async fn metrics_are_listed_by_namespace_name_and_dimensions() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    let of = |name: &str, tenant: &str| {
        let datum = MetricDatum::builder().metric_name(name).value(1.0);
        datum.dimensions(dimension("Tenant", tenant)).build()
    };
    put(
        &client,
        [of("Calls", "a"), of("Calls", "b"), of("Errors", "a")],
    )
    .await;

    let all = client
        .list_metrics()
        .namespace("Lesson")
        .send()
        .await
        .unwrap();
    assert_eq!(all.metrics().len(), 3, "{:?}", all.metrics());
    let named = client
        .list_metrics()
        .namespace("Lesson")
        .metric_name("Calls");
    assert_eq!(named.send().await.unwrap().metrics().len(), 2);
    let filter = DimensionFilter::builder().name("Tenant").value("b").build();
    let one = client
        .list_metrics()
        .namespace("Lesson")
        .dimensions(filter)
        .send()
        .await
        .unwrap();
    let [metric] = one.metrics() else {
        panic!("{:?}", one.metrics());
    };
    assert_eq!(metric.metric_name(), Some("Calls"));
    assert_eq!(metric.dimensions(), [dimension("Tenant", "b")]);
    let none = client
        .list_metrics()
        .namespace("Nobody")
        .send()
        .await
        .unwrap();
    assert!(none.metrics().is_empty());
}

async fn converse(lab: &Lab) -> ConverseOutput {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Name one river.".to_owned()))
        .build()
        .unwrap();
    let call = lab
        .client()
        .converse()
        .model_id(lab.profile("haiku"))
        .messages(message);
    call.send().await.unwrap()
}

#[tokio::test]
async fn what_bedrock_did_is_in_its_metrics() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    // Periods count from the start that is asked for.
    let start = minutes_ago(59);
    let end = later(start, 3_600 + 60);
    let mut tokens = 0;
    for _ in 0..3 {
        tokens += converse(&lab).await.usage().unwrap().input_tokens();
    }
    let of = |name: &str, statistic: &str| {
        let model = dimension("ModelId", &lab.profile("haiku"));
        let metric = Metric::builder().namespace("AWS/Bedrock").metric_name(name);
        let metric = metric.dimensions(model).build();
        let asked = MetricStat::builder()
            .metric(metric)
            .period(300)
            .stat(statistic);
        let id = name.to_lowercase();
        MetricDataQuery::builder().id(id).metric_stat(asked.build())
    };
    let answer = client
        .get_metric_data()
        .metric_data_queries(of("Invocations", "Sum").build())
        .metric_data_queries(of("InputTokenCount", "Sum").return_data(false).build())
        .metric_data_queries(of("InvocationLatency", "SampleCount").build())
        .metric_data_queries(
            MetricDataQuery::builder()
                .id("each")
                .expression("inputtokencount / invocations")
                .label("Tokens for each call")
                .build(),
        )
        .start_time(start)
        .end_time(end)
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await
        .unwrap();
    let results = answer.metric_data_results();
    let ids: Vec<&str> = results.iter().filter_map(|result| result.id()).collect();
    assert_eq!(ids, ["invocations", "invocationlatency", "each"]);
    for result in results {
        assert_eq!(result.status_code(), Some(&StatusCode::Complete));
        assert_eq!(result.timestamps().len(), result.values().len());
        for time in result.timestamps() {
            assert_eq!((time.secs() - start.secs()) % 300, 0, "{time:?}");
            assert!(
                time.secs() >= end.secs() - 600 && time.secs() < end.secs(),
                "{time:?}"
            );
        }
    }
    let sum = |n: usize| results[n].values().iter().sum::<f64>();
    assert!((sum(0) - 3.0).abs() < 1e-9, "three calls: {results:?}");
    assert!(
        (sum(1) - 3.0).abs() < 1e-9,
        "each has a latency: {results:?}"
    );
    let each = results[2].values();
    assert!(
        each.iter()
            .all(|n| (n - f64::from(tokens) / 3.0).abs() < 1e-9),
        "{each:?}"
    );
    assert_eq!(results[2].label(), Some("Tokens for each call"));

    let listed = client
        .list_metrics()
        .namespace("AWS/Bedrock")
        .send()
        .await
        .unwrap();
    let names: Vec<&str> = listed
        .metrics()
        .iter()
        .filter_map(|m| m.metric_name())
        .collect();
    for name in [
        "Invocations",
        "InvocationLatency",
        "InputTokenCount",
        "OutputTokenCount",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[tokio::test]
async fn errors_arrive_as_the_types_that_the_sdk_models() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    let forbidden = client
        .put_metric_data()
        .namespace("AWS/Bedrock")
        .metric_data(
            MetricDatum::builder()
                .metric_name("Invocations")
                .value(1.0)
                .build(),
        );
    let error = forbidden.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_value_exception(), "{error:?}");
    assert!(error.message().unwrap().contains("AWS/"), "{error:?}");

    let both = datum("Both").value(1.0).values(2.0).build();
    let put = client
        .put_metric_data()
        .namespace("Lesson")
        .metric_data(both);
    let error = put.send().await.unwrap_err().into_service_error();
    assert!(
        error.is_invalid_parameter_combination_exception(),
        "{error:?}"
    );

    let nothing = client.put_metric_data().namespace("Lesson");
    let error = nothing.send().await.unwrap_err().into_service_error();
    assert!(error.is_missing_required_parameter_exception(), "{error:?}");

    let old = SystemTime::now() - Duration::from_hours(20 * 24);
    let put = datum("Old").timestamp(old.into()).value(1.0).build();
    let put = client
        .put_metric_data()
        .namespace("Lesson")
        .metric_data(put);
    let error = put.send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_value_exception(), "{error:?}");
}

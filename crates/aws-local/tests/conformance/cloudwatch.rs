//! What CloudWatch counts of queues, without anybody's doing: `AWS/SQS`.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{ComparisonOperator, Datapoint, Dimension, Statistic},
};

use crate::bench::{Bench, Queue};

fn of_queue(name: &str) -> Dimension {
    Dimension::builder().name("QueueName").value(name).build()
}

/// The minutes of one metric of a queue, oldest first, in the last so many minutes, this one included.
async fn points(bench: &Bench, queue: &str, metric: &str, minutes: i64) -> Vec<Datapoint> {
    let now = aws_local::Clock::now(&bench.clock).unix_timestamp();
    let asked = bench.cloudwatch().get_metric_statistics();
    let asked = asked.namespace("AWS/SQS").metric_name(metric);
    let asked = asked.dimensions(of_queue(queue)).period(60);
    let asked = asked.start_time(DateTime::from_secs((now / 60 + 1 - minutes) * 60));
    let asked = asked.end_time(DateTime::from_secs((now / 60 + 1) * 60));
    let asked = asked.statistics(Statistic::Sum);
    let told = asked.statistics(Statistic::Maximum).send().await.unwrap();
    let mut points = told.datapoints.unwrap_or_default();
    points.sort_by_key(|point| point.timestamp.unwrap().secs());
    points
}

async fn sum(bench: &Bench, queue: &str, metric: &str) -> f64 {
    let points = points(bench, queue, metric, 60).await;
    assert!(!points.is_empty(), "{metric} of {queue}");
    points.iter().map(|point| point.sum.unwrap()).sum()
}

/// The largest value of each minute.
async fn largest(bench: &Bench, queue: &str, metric: &str, minutes: i64) -> Vec<f64> {
    let points = points(bench, queue, metric, minutes).await;
    points.iter().map(|point| point.maximum.unwrap()).collect()
}

#[track_caller]
fn same(saw: &[f64], wanted: &[f64], what: &str) {
    let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(saw), bits(wanted), "{what}: {saw:?}, not {wanted:?}");
}

#[tokio::test]
async fn what_operations_do_is_counted_by_queue() {
    let bench = Bench::with_one_clock().await;
    let queue = bench.queue("jobs", &[]).await;
    bench.queue("another", &[]).await;
    for body in ["one", "two", "three"] {
        queue.send(body).await;
    }
    let received = queue.receive().await;
    queue.delete(&received[0]).await;
    assert_eq!(queue.receive().await.len(), 0);

    for (metric, wanted) in [
        ("NumberOfMessagesSent", 3.0),
        ("NumberOfMessagesReceived", 3.0),
        ("NumberOfMessagesDeleted", 1.0),
        ("NumberOfEmptyReceives", 1.0),
    ] {
        same(&[sum(&bench, "jobs", metric).await], &[wanted], metric);
        same(&[sum(&bench, "another", metric).await], &[0.0], metric);
    }
    // Asked twice, counted once.
    same(
        &[sum(&bench, "jobs", "NumberOfMessagesSent").await],
        &[3.0],
        "again",
    );

    let listed = bench.cloudwatch().list_metrics().namespace("AWS/SQS");
    let listed = listed.dimensions(
        aws_sdk_cloudwatch::types::DimensionFilter::builder()
            .name("QueueName")
            .value("jobs")
            .build(),
    );
    let listed = listed.send().await.unwrap().metrics.unwrap_or_default();
    let listed: BTreeSet<_> = listed.into_iter().filter_map(|m| m.metric_name).collect();
    let wanted = [
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfEmptyReceives",
        "NumberOfMessagesDeleted",
        "NumberOfMessagesReceived",
        "NumberOfMessagesSent",
    ];
    assert_eq!(listed, wanted.map(str::to_owned).into());
}

#[tokio::test]
async fn numbers_and_ages_are_told_of_minutes_in_which_nobody_called() {
    let bench = Bench::with_one_clock().await;
    let queue = bench.queue("jobs", &[("VisibilityTimeout", "90")]).await;
    queue.send("one").await;
    queue.send("two").await;
    assert_eq!(queue.receive().await.len(), 2);
    bench.pass(4 * 60);
    // In flight at the end of the first minute, and from the middle of the second on no longer.
    for (metric, wanted) in [
        ("ApproximateNumberOfMessagesVisible", [0.0, 2.0, 2.0, 2.0]),
        (
            "ApproximateNumberOfMessagesNotVisible",
            [2.0, 0.0, 0.0, 0.0],
        ),
        ("ApproximateNumberOfMessagesDelayed", [0.0; 4]),
        ("ApproximateAgeOfOldestMessage", [60.0, 120.0, 180.0, 240.0]),
        ("NumberOfMessagesReceived", [2.0, 0.0, 0.0, 0.0]),
    ] {
        let saw = largest(&bench, "jobs", metric, 5).await;
        same(&saw[..4], &wanted, metric);
    }
}

#[tokio::test]
async fn what_is_given_up_was_sent_to_no_dead_letter_queue() {
    let bench = Bench::with_one_clock().await;
    let (queue, _) = bench.queue_with_dead_letters("jobs", 1).await;
    queue.send("poison").await;
    assert_eq!(queue.receive().await.len(), 1);
    bench.pass(3 * 60);
    assert_eq!(queue.receive().await.len(), 0);
    bench.pass(60);
    same(
        &[sum(&bench, "dead", "NumberOfMessagesSent").await],
        &[0.0],
        "sent",
    );
    let saw = largest(&bench, "dead", "ApproximateNumberOfMessagesVisible", 5).await;
    same(
        &saw,
        &[0.0, 0.0, 0.0, 1.0, 1.0],
        "there since the fourth minute",
    );
}

#[tokio::test]
async fn a_queue_that_nobody_uses_is_silent_after_six_hours() {
    let bench = Bench::with_one_clock().await;
    let queue = bench.queue("jobs", &[]).await;
    bench.pass(5 * 60 * 60);
    assert_eq!(
        points(&bench, "jobs", "NumberOfMessagesSent", 60)
            .await
            .len(),
        60
    );
    bench.pass(3 * 60 * 60);
    assert_eq!(
        points(&bench, "jobs", "NumberOfMessagesSent", 60)
            .await
            .len(),
        0
    );
    queue.send("one").await;
    same(
        &[sum(&bench, "jobs", "NumberOfMessagesSent").await],
        &[1.0],
        "again",
    );
    // What waits in it keeps it awake.
    bench.pass(8 * 60 * 60);
    let ages = largest(&bench, "jobs", "ApproximateAgeOfOldestMessage", 2).await;
    same(&ages, &[8.0 * 3600.0, 8.0 * 3600.0], "age");
}

async fn state(bench: &Bench) -> String {
    let told = bench.cloudwatch().describe_alarms().send().await.unwrap();
    let alarm = told.metric_alarms.unwrap_or_default().remove(0);
    alarm.state_value.unwrap().as_str().to_owned()
}

#[tokio::test]
async fn an_alarm_on_a_backlog_goes_off_by_itself_and_comes_back() {
    let bench = Bench::with_one_clock().await;
    let queue: Queue = bench.queue("jobs", &[]).await;
    let alarm = bench.cloudwatch().put_metric_alarm();
    let alarm = alarm.alarm_name("backlog").namespace("AWS/SQS");
    let alarm = alarm.metric_name("ApproximateNumberOfMessagesVisible");
    let alarm = alarm
        .dimensions(of_queue("jobs"))
        .period(60)
        .evaluation_periods(2);
    let alarm = alarm.statistic(Statistic::Maximum).threshold(1.0);
    let alarm = alarm.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    alarm.send().await.unwrap();
    bench.pass(3 * 60);
    assert_eq!(state(&bench).await, "OK");

    queue.send("one").await;
    queue.send("two").await;
    bench.pass(4 * 60);
    assert_eq!(state(&bench).await, "ALARM");

    for message in queue.receive().await {
        queue.delete(&message).await;
    }
    bench.pass(4 * 60);
    assert_eq!(state(&bench).await, "OK");
}

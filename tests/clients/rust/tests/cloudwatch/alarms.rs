//! An alarm on data of one's own: to ALARM by itself, and back.

use aws_sdk_cloudwatch::types::{
    ComparisonOperator, HistoryItemType, MetricAlarm, ScanBy, StateValue, Statistic,
};
use workshop_testkit::Lab;

use super::{Client, cloudwatch, datum, dimension, minutes_ago, put};

const PAGE: &str = "arn:aws:sns:us-east-1:123456789012:page";

async fn alarm(client: &Client) -> MetricAlarm {
    let found = client.describe_alarms().alarm_names("slow").send().await;
    let found = found.unwrap();
    let [alarm] = found.metric_alarms() else {
        panic!("{:?}", found.metric_alarms());
    };
    alarm.clone()
}

#[tokio::test]
async fn an_alarm_rings_and_comes_back_and_its_history_says_when() {
    let lab = Lab::start().await;
    let client = cloudwatch(&lab);
    client
        .put_metric_alarm()
        .alarm_name("slow")
        .namespace("Lesson")
        .metric_name("Latency")
        .dimensions(dimension("Tenant", "a"))
        .statistic(Statistic::Minimum)
        .period(60)
        .evaluation_periods(2)
        .datapoints_to_alarm(1)
        .threshold(50.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .alarm_actions(PAGE)
        .send()
        .await
        .unwrap();
    let new = alarm(&client).await;
    assert_eq!(new.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(new.evaluation_periods(), Some(2));
    assert_eq!(new.actions_enabled(), Some(true));

    let at = minutes_ago(1);
    put(
        &client,
        [datum("Latency").timestamp(at).value(99.5).build()],
    )
    .await;
    let ringing = alarm(&client).await;
    assert_eq!(ringing.state_value(), Some(&StateValue::Alarm));
    let reason = ringing.state_reason().unwrap();
    assert!(reason.starts_with("Threshold Crossed: 1 out of the last 2 datapoints [99.5 ("));
    assert!(ringing.state_updated_timestamp() >= new.state_updated_timestamp());

    // The same minute's minimum falls.
    put(
        &client,
        [datum("Latency").timestamp(at).value(10.0).build()],
    )
    .await;
    assert_eq!(alarm(&client).await.state_value(), Some(&StateValue::Ok));

    let history = client
        .describe_alarm_history()
        .alarm_name("slow")
        .scan_by(ScanBy::TimestampAscending)
        .send()
        .await
        .unwrap();
    let items = history.alarm_history_items();
    let told: Vec<(&HistoryItemType, &str)> = items
        .iter()
        .map(|item| {
            (
                item.history_item_type().unwrap(),
                item.history_summary().unwrap(),
            )
        })
        .collect();
    let action = format!("Successfully executed action {PAGE}");
    let wanted = [
        (
            &HistoryItemType::ConfigurationUpdate,
            "Alarm \"slow\" created",
        ),
        (
            &HistoryItemType::StateUpdate,
            "Alarm updated from INSUFFICIENT_DATA to ALARM",
        ),
        (&HistoryItemType::Action, action.as_str()),
        (
            &HistoryItemType::StateUpdate,
            "Alarm updated from ALARM to OK",
        ),
    ];
    assert_eq!(told, wanted);
    assert!(items.is_sorted_by_key(|item| item.timestamp().unwrap().as_nanos()));

    client
        .delete_alarms()
        .alarm_names("slow")
        .send()
        .await
        .unwrap();
    let again = client.delete_alarms().alarm_names("slow").send().await;
    let error = again.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found(), "{error:?}");
}

//! Dead-letter queues and the way back.

use aws_sdk_sqs::types::QueueAttributeName;

use crate::bench::{Bench, Queue, refused, system};

/// Receives once and lets the timeout pass.
async fn fail(bench: &Bench, queue: &Queue) -> Vec<String> {
    let bodies = queue.bodies().await;
    bench.pass(30);
    bodies
}

#[tokio::test]
async fn a_message_received_too_often_is_moved_at_the_next_receive() {
    let bench = Bench::start().await;
    let (queue, dead) = bench.queue_with_dead_letters("jobs", 2).await;
    let id = queue.send("poison").await;
    assert_eq!(fail(&bench, &queue).await, ["poison"]);
    assert_eq!(fail(&bench, &queue).await, ["poison"]);
    assert_eq!(queue.counts().await, ["1", "0", "0"], "until somebody asks");
    assert_eq!(dead.counts().await, ["0", "0", "0"]);
    queue.send("good").await;
    assert_eq!(queue.bodies().await, ["good"], "the rest is received");
    let entry = bench.last_entry();
    let lit = entry
        .trace
        .iter()
        .find(|event| event.node == "DLQ")
        .unwrap();
    assert_eq!(lit.edge.as_deref(), Some("SQS-DLQ"));
    let moved = dead.receive_one().await;
    assert_eq!(moved.message_id(), Some(id.as_str()));
    assert_eq!(
        system(&moved, "ApproximateReceiveCount"),
        "3",
        "in all queues together (observed)"
    );
    assert_eq!(system(&moved, "DeadLetterQueueSourceArn"), queue.arn);
}

#[tokio::test]
async fn a_group_goes_on_after_its_poison_is_moved() {
    let bench = Bench::start().await;
    let (queue, dead) = bench.queue_with_dead_letters("jobs.fifo", 1).await;
    queue.send_to("a", "poison").await;
    queue.receive_one().await;
    queue.send_to("a", "good").await;
    bench.pass(30);
    assert_eq!(queue.bodies().await, ["good"]);
    let moved = dead.receive_one().await;
    assert_eq!(system(&moved, "MessageGroupId"), "a");
}

#[tokio::test]
async fn without_a_dead_letter_queue_messages_stay() {
    let bench = Bench::start().await;
    let (queue, dead) = bench.queue_with_dead_letters("jobs", 1).await;
    dead.client
        .delete_queue()
        .queue_url(&dead.url)
        .send()
        .await
        .unwrap();
    queue.send("1").await;
    for _ in 0..3 {
        assert_eq!(fail(&bench, &queue).await, ["1"]);
    }
}

#[tokio::test]
async fn redrive_policies_are_checked() {
    let bench = Bench::start().await;
    let dead = bench.queue("dead", &[]).await;
    let fifo = bench.queue("dead.fifo", &[("FifoQueue", "true")]).await;
    let closed = bench
        .queue(
            "closed",
            &[("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#)],
        )
        .await;
    let policy = |arn: &str, count: &str| {
        format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{count}}}"#)
    };
    let nowhere = dead.arn.replace("dead", "nowhere");
    let abroad = dead.arn.replace("us-east-1", "eu-west-1");
    let rows = [
        (
            "no JSON".to_owned(),
            "Redrive policy is not a valid JSON map.",
        ),
        (
            policy(&dead.arn, "0"),
            "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000",
        ),
        (policy("dummy", "1"), "deadLetterTargetArn"),
        (policy(&nowhere, "1"), "Dead letter target does not exist."),
        (policy(&abroad, "1"), "same region"),
        (
            policy(&fifo.arn, "1"),
            "Dead-letter queue must be same type of queue as the source.",
        ),
        (policy(&closed.arn, "1"), "does not permit"),
    ];
    let queue = bench.queue("jobs", &[]).await;
    let set = |policy: &str| {
        let set = queue.client.set_queue_attributes().queue_url(&queue.url);
        set.attributes(QueueAttributeName::RedrivePolicy, policy)
            .send()
    };
    for (text, part) in rows {
        let (code, message) = refused(set(&text).await);
        assert_eq!(code, "InvalidParameterValue", "{text}");
        assert!(message.contains(part), "{text}: {message}");
    }
    assert_eq!(queue.attribute("RedrivePolicy").await, None);
    set(&policy(&dead.arn, "\"42\"")).await.unwrap();
    assert_eq!(
        queue.attribute("RedrivePolicy").await,
        Some(policy(&dead.arn, "42"))
    );
    let sources = dead
        .client
        .list_dead_letter_source_queues()
        .queue_url(&dead.url);
    assert_eq!(
        sources.send().await.unwrap().queue_urls(),
        [queue.url.as_str()]
    );
    set("").await.unwrap();
    assert_eq!(queue.attribute("RedrivePolicy").await, None);
    let sources = dead
        .client
        .list_dead_letter_source_queues()
        .queue_url(&dead.url);
    assert_eq!(
        sources.send().await.unwrap().queue_urls(),
        [] as [String; 0]
    );
}

#[tokio::test]
async fn a_task_moves_messages_back() {
    let bench = Bench::start().await;
    let (queue, dead) = bench.queue_with_dead_letters("jobs", 1).await;
    let id = queue.send("1").await;
    fail(&bench, &queue).await;
    assert_eq!(queue.bodies().await, [] as [String; 0]);
    let start = dead.client.start_message_move_task().source_arn(&dead.arn);
    start.send().await.unwrap();
    assert_eq!(dead.counts().await, ["0", "0", "0"]);
    let back = queue.receive_one().await;
    assert_eq!(system(&back, "ApproximateReceiveCount"), "1", "as if new");
    assert_ne!(back.message_id(), Some(id.as_str()));
    let tasks = dead
        .client
        .list_message_move_tasks()
        .source_arn(&dead.arn)
        .send()
        .await
        .unwrap();
    let task = &tasks.results()[0];
    assert_eq!(task.status(), Some("COMPLETED"));
    assert_eq!(task.approximate_number_of_messages_moved(), 1);
    assert_eq!(task.approximate_number_of_messages_to_move(), Some(1));
    assert_eq!(task.task_handle(), None, "only while it runs");
}

#[tokio::test]
async fn a_task_keeps_its_rate_and_can_be_cancelled() {
    let bench = Bench::start().await;
    let (queue, dead) = bench.queue_with_dead_letters("jobs", 1).await;
    for n in 0..5 {
        dead.send(&n.to_string()).await;
    }
    let start = || dead.client.start_message_move_task().source_arn(&dead.arn);
    let first = start()
        .destination_arn(&queue.arn)
        .max_number_of_messages_per_second(1);
    let handle = first.send().await.unwrap().task_handle.unwrap();
    let (_, text) = refused(start().send().await);
    assert!(
        text.starts_with("There is already a task running."),
        "{text}"
    );
    bench.pass(2);
    assert_eq!(queue.counts().await, ["2", "0", "0"]);
    let cancel = dead
        .client
        .cancel_message_move_task()
        .task_handle(&handle)
        .send()
        .await
        .unwrap();
    assert_eq!(cancel.approximate_number_of_messages_moved(), 2);
    bench.pass(10);
    assert_eq!(dead.counts().await, ["3", "0", "0"]);
    let (code, _) = refused(
        dead.client
            .cancel_message_move_task()
            .task_handle(&handle)
            .send()
            .await,
    );
    assert_eq!(code, "InvalidParameterValue");
    let (code, text) = refused(
        dead.client
            .cancel_message_move_task()
            .task_handle("foo")
            .send()
            .await,
    );
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(text, "Value for parameter TaskHandle is invalid.");
}

#[tokio::test]
async fn only_dead_letter_queues_have_tasks() {
    let bench = Bench::start().await;
    let (queue, dead) = bench.queue_with_dead_letters("jobs", 1).await;
    let start = |source: &str| queue.client.start_message_move_task().source_arn(source);
    let (_, text) = refused(start(&queue.arn).send().await);
    assert_eq!(
        text,
        "Source queue must be configured as a Dead Letter Queue."
    );
    let nowhere = queue.arn.replace("jobs", "nowhere");
    let (code, text) = refused(start(&nowhere).send().await);
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(
        text,
        "The resource that you specified for the SourceArn parameter doesn't exist."
    );
    let (_, text) = refused(start(&dead.arn).destination_arn(&nowhere).send().await);
    assert_eq!(
        text,
        "The resource that you specified for the DestinationArn parameter doesn't exist."
    );
}

//! First in, first out.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::bench::{Bench, Queue, receipt, refused, system};

const FIFO: [(&str, &str); 2] = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];

async fn fifo(bench: &Bench) -> Queue {
    bench.queue("jobs.fifo", &FIFO).await
}

#[tokio::test]
async fn a_group_keeps_its_order() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    for body in ["1", "2", "3"] {
        queue.send_to("a", body).await;
    }
    let received = queue.receive().await;
    let bodies: Vec<_> = received.iter().map(|m| m.body().unwrap()).collect();
    assert_eq!(bodies, ["1", "2", "3"]);
    let numbers: Vec<u128> = received
        .iter()
        .map(|message| system(message, "SequenceNumber").parse().unwrap())
        .collect();
    assert!(
        numbers.is_sorted() && numbers[0] < numbers[2],
        "{numbers:?}"
    );
    assert_eq!(system(&received[0], "MessageGroupId"), "a");
    assert_eq!(
        system(&received[0], "MessageDeduplicationId").len(),
        64,
        "SHA-256 of the body"
    );
}

#[tokio::test]
async fn a_group_waits_while_one_of_its_messages_is_in_flight() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        queue.send_to(group, body).await;
    }
    let first = queue.receive_one().await;
    assert_eq!(first.body(), Some("a1"));
    let other = queue.bodies().await;
    assert_eq!(other, ["b1"], "a2 waits, group b does not");
    queue.delete(&first).await;
    assert_eq!(queue.bodies().await, ["a2"]);
    bench.pass(30);
    assert_eq!(queue.bodies().await, ["a2", "b1"]);
}

#[tokio::test]
async fn a_message_that_comes_back_comes_before_the_rest() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    for body in ["1", "2", "3"] {
        queue.send_to("a", body).await;
    }
    let received = queue.receive().await;
    // Observed: the first is received again although the others are still in flight.
    queue.hide(&received[0], 0).await;
    assert_eq!(queue.bodies().await, ["1"]);
    queue.hide(&received[1], 0).await;
    assert_eq!(queue.bodies().await, [] as [String; 0], "2 waits for 1");
}

#[tokio::test]
async fn one_group_is_emptied_before_the_next() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        queue.send_to(group, body).await;
    }
    assert_eq!(queue.bodies().await, ["a1", "a2", "b1", "b2"]);
}

#[tokio::test]
async fn the_same_content_is_taken_once_in_five_minutes() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    let first = queue.send_to("a", "1").await;
    assert_eq!(
        queue.send_to("b", "1").await,
        first,
        "the same answer, whatever group"
    );
    let message = queue.receive_one().await;
    queue.delete(&message).await;
    bench.pass(299);
    assert_eq!(
        queue.send_to("a", "1").await,
        first,
        "deleted, and still known"
    );
    assert_eq!(queue.bodies().await, [] as [String; 0]);
    bench.pass(1);
    assert_ne!(queue.send_to("a", "1").await, first);
    assert_eq!(queue.bodies().await, ["1"]);
}

#[tokio::test]
async fn the_same_deduplication_id_is_taken_once() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs.fifo", &[("FifoQueue", "true")]).await;
    let send = |body: &str, id: &str| {
        let call = queue
            .client
            .send_message()
            .queue_url(&queue.url)
            .message_body(body);
        call.message_group_id("a")
            .message_deduplication_id(id)
            .send()
    };
    let first = send("1", "same").await.unwrap();
    let second = send("2", "same").await.unwrap();
    assert_eq!(first.message_id(), second.message_id());
    assert_eq!(first.sequence_number(), second.sequence_number());
    assert_eq!(queue.bodies().await, ["1"]);
    for id in ["", "a b", &"a".repeat(129)] {
        let (_, text) = refused(send("1", id).await);
        assert!(
            text.contains("MessageDeduplicationId can only include"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn duplicates_may_count_within_their_group_only() {
    let bench = Bench::start().await;
    let scoped = [FIFO[0], FIFO[1], ("DeduplicationScope", "messageGroup")];
    let queue = bench.queue("jobs.fifo", &scoped).await;
    for group in ["a", "b", "a"] {
        queue.send_to(group, "1").await;
    }
    assert_eq!(queue.bodies().await.len(), 2);
}

#[tokio::test]
async fn group_and_deduplication_are_required() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs.fifo", &[("FifoQueue", "true")]).await;
    let send = || {
        queue
            .client
            .send_message()
            .queue_url(&queue.url)
            .message_body("1")
    };
    let (code, text) = refused(send().send().await);
    assert_eq!(code, "MissingParameter");
    assert_eq!(
        text,
        "The request must contain the parameter MessageGroupId."
    );
    let (code, text) = refused(send().message_group_id("a").send().await);
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(
        text,
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
         provided explicitly"
    );
    let delayed = send()
        .message_group_id("a")
        .message_deduplication_id("1")
        .delay_seconds(2);
    let (_, text) = refused(delayed.send().await);
    assert_eq!(
        text,
        "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is \
         not valid for this queue type."
    );
    // In a batch it is the whole batch that is refused (observed).
    let entry = |id: &str| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(id)
    };
    let good = entry("good")
        .message_group_id("a")
        .message_deduplication_id("1");
    let bad = entry("bad").message_deduplication_id("2");
    let batch = queue.client.send_message_batch().queue_url(&queue.url);
    let batch = batch
        .entries(good.build().unwrap())
        .entries(bad.build().unwrap());
    let (code, text) = refused(batch.send().await);
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(
        text,
        "The request must contain the parameter MessageGroupId."
    );
    assert_eq!(queue.counts().await, ["0", "0", "0"]);
}

#[tokio::test]
async fn an_expired_receipt_deletes_nothing() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    queue.send_to("a", "1").await;
    let message = queue.receive_one().await;
    bench.pass(30);
    let handle = receipt(&message);
    let late = queue
        .client
        .delete_message()
        .queue_url(&queue.url)
        .receipt_handle(handle);
    let (code, text) = refused(late.send().await);
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(
        text,
        format!(
            "Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )
    );
    let late = queue
        .client
        .change_message_visibility()
        .queue_url(&queue.url);
    let late = late
        .receipt_handle(handle)
        .visibility_timeout(10)
        .send()
        .await;
    assert_eq!(refused(late).1, text);
    let message = queue.receive_one().await;
    queue.hide(&message, 60).await;
    bench.pass(59);
    queue.delete(&message).await;
    bench.pass(60);
    assert_eq!(queue.bodies().await, [] as [String; 0]);
}

#[tokio::test]
async fn the_queues_delay_holds_for_what_waits_already() {
    let bench = Bench::start().await;
    let delayed = [FIFO[0], FIFO[1], ("DelaySeconds", "10")];
    let queue = bench.queue("jobs.fifo", &delayed).await;
    queue.send_to("a", "1").await;
    let set = queue.client.set_queue_attributes().queue_url(&queue.url);
    set.attributes("DelaySeconds".into(), "20")
        .send()
        .await
        .unwrap();
    queue.send_to("a", "2").await;
    bench.pass(19);
    assert_eq!(queue.bodies().await, [] as [String; 0]);
    bench.pass(1);
    assert_eq!(queue.bodies().await, ["1", "2"]);
}

#[tokio::test]
async fn a_queue_keeps_its_kind() {
    let bench = Bench::start().await;
    let queue = fifo(&bench).await;
    let set = |value: &str| {
        let set = queue.client.set_queue_attributes().queue_url(&queue.url);
        set.attributes("FifoQueue".into(), value).send()
    };
    set("true").await.unwrap();
    let (code, text) = refused(set("false").await);
    assert_eq!(code, "InvalidAttributeValue");
    assert_eq!(
        text,
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    );
    let all = [
        "FifoQueue",
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "FifoThroughputLimit",
    ];
    let expected = ["true", "true", "queue", "perQueue"];
    for (name, value) in all.into_iter().zip(expected) {
        assert_eq!(
            queue.attribute(name).await.as_deref(),
            Some(value),
            "{name}"
        );
    }
}

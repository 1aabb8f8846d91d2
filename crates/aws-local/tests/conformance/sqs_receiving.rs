//! Receiving, visibility, deletion, delay, retention and long polls.

use std::{future::Future, pin::Pin, task::Poll};

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageAttributeValue, MessageSystemAttributeName,
};

use crate::bench::{Bench, Queue, START, receipt, refused, system};

#[tokio::test]
async fn a_received_message_is_hidden_until_its_timeout_ends() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("VisibilityTimeout", "30")]).await;
    let id = queue.send("1").await;
    let first = queue.receive_one().await;
    assert_eq!(first.message_id(), Some(id.as_str()));
    assert_eq!(queue.counts().await, ["0", "1", "0"]);
    bench.pass(29);
    assert_eq!(queue.bodies().await, [] as [String; 0]);
    bench.pass(1);
    assert_eq!(queue.counts().await, ["1", "0", "0"]);
    let second = queue.receive_one().await;
    assert_eq!(second.message_id(), Some(id.as_str()));
    assert_ne!(
        receipt(&first),
        receipt(&second),
        "another receipt at every receive"
    );
    assert_eq!(system(&second, "ApproximateReceiveCount"), "2");
    let millis = |after: i64| ((START.unix_timestamp() + after) * 1_000).to_string();
    assert_eq!(system(&second, "SentTimestamp"), millis(0));
    assert_eq!(
        system(&second, "ApproximateFirstReceiveTimestamp"),
        millis(0)
    );
    assert!(system(&second, "SenderId").starts_with("AIDA"));
}

#[tokio::test]
async fn a_receive_has_its_own_timeout() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send("1").await;
    let receive = |seconds: i32| {
        let call = queue.client.receive_message().queue_url(&queue.url);
        call.visibility_timeout(seconds).send()
    };
    assert_eq!(receive(0).await.unwrap().messages().len(), 1);
    assert_eq!(receive(100).await.unwrap().messages().len(), 1);
    bench.pass(99);
    assert_eq!(receive(0).await.unwrap().messages, None);
    bench.pass(1);
    assert_eq!(receive(0).await.unwrap().messages().len(), 1);
}

#[tokio::test]
async fn up_to_ten_messages_are_received_at_once() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    for n in 0..12 {
        queue.send(&n.to_string()).await;
    }
    let one = queue
        .client
        .receive_message()
        .queue_url(&queue.url)
        .send()
        .await
        .unwrap();
    assert_eq!(one.messages().len(), 1, "one unless asked for more");
    assert_eq!(queue.bodies().await.len(), 10);
    assert_eq!(queue.bodies().await.len(), 1);
}

#[tokio::test]
async fn numbers_out_of_bounds_are_refused() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let receive = || queue.client.receive_message().queue_url(&queue.url);
    let rows = [
        (
            receive().max_number_of_messages(11),
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if \
             provided.",
        ),
        (
            receive().max_number_of_messages(0),
            "Value 0 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if \
             provided.",
        ),
        (
            receive().wait_time_seconds(21),
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if \
             provided.",
        ),
        (
            receive().wait_time_seconds(-1),
            "Value -1 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if \
             provided.",
        ),
        (
            receive().visibility_timeout(43_201),
            "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, \
             if provided.",
        ),
    ];
    for (call, expected) in rows {
        let (code, text) = refused(call.send().await);
        assert_eq!(
            (code.as_str(), text.as_str()),
            ("InvalidParameterValue", expected)
        );
    }
    let call = receive().message_system_attribute_names("Nonsense".into());
    assert_eq!(refused(call.send().await).0, "InvalidAttributeName");
}

#[tokio::test]
async fn only_the_attributes_asked_for_are_told() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("VisibilityTimeout", "0")]).await;
    let text = |value: &str| {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value);
        value.build().unwrap()
    };
    let sent = queue
        .client
        .send_message()
        .queue_url(&queue.url)
        .message_body("msg");
    let sent = sent.message_attributes("Help.Me", text("Me"));
    let sent = sent.message_attributes("Hello", text("There"));
    sent.message_attributes("General", text("Kenobi"))
        .send()
        .await
        .unwrap();
    // Digests observed on AWS: they are of what is told.
    let rows: &[(&[&str], &[&str], Option<&str>)] = &[
        (&[], &[], None),
        (
            &["All"],
            &["General", "Hello", "Help.Me"],
            Some("4c360f3fdafd970e05fae2f149d997f5"),
        ),
        (
            &[".*"],
            &["General", "Hello", "Help.Me"],
            Some("4c360f3fdafd970e05fae2f149d997f5"),
        ),
        (
            &["*"],
            &["General", "Hello", "Help.Me"],
            Some("4c360f3fdafd970e05fae2f149d997f5"),
        ),
        (&["Foo", "Help"], &[], None),
        (
            &["Hello", "General"],
            &["General", "Hello"],
            Some("fca026605781cb4126a1e9044df24232"),
        ),
        (
            &["Foo", "Hello"],
            &["Hello"],
            Some("a311262e065454b75da111d535b8dacd"),
        ),
        (
            &["Hel.*"],
            &["Hello", "Help.Me"],
            Some("83fee93c1bcd8b9a5a923ffacdc636c7"),
        ),
    ];
    for (asked, expected, digest) in rows {
        let names = asked.iter().map(|name| (*name).to_owned()).collect();
        let call = queue.client.receive_message().queue_url(&queue.url);
        let received = call
            .set_message_attribute_names(Some(names))
            .send()
            .await
            .unwrap();
        let message = &received.messages()[0];
        let mut told: Vec<_> = message
            .message_attributes()
            .into_iter()
            .flatten()
            .map(|(n, _)| n)
            .collect();
        told.sort();
        assert_eq!(told, *expected, "{asked:?}");
        assert_eq!(message.md5_of_message_attributes(), *digest, "{asked:?}");
        assert_eq!(message.attributes(), None);
    }
    let call = queue.client.receive_message().queue_url(&queue.url);
    let call = call.message_system_attribute_names(MessageSystemAttributeName::SenderId);
    #[expect(deprecated, reason = "the older member is answered too")]
    let call = call.attribute_names("ApproximateReceiveCount".into());
    let received = call.send().await.unwrap();
    assert_eq!(received.messages()[0].attributes().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deleted_message_does_not_come_back() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send("1").await;
    let message = queue.receive_one().await;
    queue.delete(&message).await;
    // As often as one likes.
    queue.delete(&message).await;
    bench.pass(60);
    assert_eq!(queue.bodies().await, [] as [String; 0]);
}

#[tokio::test]
async fn a_late_delete_counts_until_somebody_else_receives() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("VisibilityTimeout", "30")]).await;
    queue.send("1").await;
    let late = queue.receive_one().await;
    bench.pass(30);
    let other = queue.receive_one().await;
    queue.delete(&late).await;
    bench.pass(30);
    assert_eq!(
        queue.bodies().await,
        ["1"],
        "the old receipt deletes nothing, and is no error"
    );
    queue.delete(&other).await;
    queue.send("2").await;
    let late = queue.receive().await.remove(0);
    bench.pass(30);
    queue.delete(&late).await;
    assert_eq!(queue.bodies().await, ["1"], "nobody received it in between");
}

#[tokio::test]
async fn receipts_of_nothing_are_refused() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let other = bench.queue("other", &[]).await;
    other.send("1").await;
    let foreign = other.receive_one().await;
    for receipt in ["garbage", receipt(&foreign)] {
        let call = queue
            .client
            .delete_message()
            .queue_url(&queue.url)
            .receipt_handle(receipt);
        let (code, text) = refused(call.send().await);
        assert_eq!(code, "ReceiptHandleIsInvalid");
        assert_eq!(
            text,
            format!("The input receipt handle \"{receipt}\" is not a valid receipt handle.")
        );
        let call = queue
            .client
            .change_message_visibility()
            .queue_url(&queue.url);
        let call = call
            .receipt_handle(receipt)
            .visibility_timeout(60)
            .send()
            .await;
        assert_eq!(refused(call).0, "ReceiptHandleIsInvalid");
    }
}

#[tokio::test]
async fn visibility_can_be_changed() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("VisibilityTimeout", "30")]).await;
    queue.send("1").await;
    let message = queue.receive_one().await;
    bench.pass(20);
    queue.hide(&message, 30).await;
    bench.pass(29);
    assert_eq!(queue.counts().await, ["0", "1", "0"]);
    queue.hide(&message, 0).await;
    assert_eq!(queue.counts().await, ["1", "0", "0"]);
    // Also of a message that is visible again (observed).
    queue.hide(&message, 10).await;
    assert_eq!(queue.bodies().await, [] as [String; 0]);
    bench.pass(10);
    let message = queue.receive_one().await;
    let change = |seconds: i32| {
        let call = queue
            .client
            .change_message_visibility()
            .queue_url(&queue.url);
        call.receipt_handle(receipt(&message))
            .visibility_timeout(seconds)
            .send()
    };
    bench.pass(1);
    let (_, text) = refused(change(43_200).await);
    assert_eq!(
        text,
        "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the \
         message is beyond the limit [43200 seconds]"
    );
    assert_eq!(refused(change(-1).await).0, "InvalidParameterValue");
    queue.delete(&message).await;
    let (code, text) = refused(change(10).await);
    assert_eq!(code, "InvalidParameterValue");
    assert!(
        text.ends_with("Message does not exist or is not available for visibility timeout change."),
        "{text}"
    );
}

#[tokio::test]
async fn batches_delete_and_hide() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    for body in ["1", "2"] {
        queue.send(body).await;
    }
    let messages = queue.receive().await;
    let change = |id: &str, receipt: &str| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
        entry
            .receipt_handle(receipt)
            .visibility_timeout(0)
            .build()
            .unwrap()
    };
    let changed = queue
        .client
        .change_message_visibility_batch()
        .queue_url(&queue.url);
    let changed = changed
        .entries(change("a", receipt(&messages[0])))
        .entries(change("b", "garbage"));
    let changed = changed.send().await.unwrap();
    assert_eq!(changed.successful()[0].id(), "a");
    assert_eq!(changed.failed()[0].code(), "ReceiptHandleIsInvalid");
    assert_eq!(queue.bodies().await, ["1"]);
    let delete = |id: &str, receipt: &str| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(id);
        entry.receipt_handle(receipt).build().unwrap()
    };
    let deleted = queue.client.delete_message_batch().queue_url(&queue.url);
    let deleted = deleted
        .entries(delete("b", receipt(&messages[1])))
        .entries(delete("c", "garbage"));
    let deleted = deleted.send().await.unwrap();
    assert_eq!(deleted.successful()[0].id(), "b");
    assert_eq!(deleted.failed()[0].id(), "c");
    let none = queue.client.delete_message_batch().queue_url(&queue.url);
    let (code, text) = refused(none.set_entries(Some(vec![])).send().await);
    assert_eq!(code, "AWS.SimpleQueueService.EmptyBatchRequest");
    assert!(text.contains("DeleteMessageBatchRequestEntry"), "{text}");
    bench.pass(60);
    assert_eq!(queue.bodies().await, ["1"]);
}

#[tokio::test]
async fn messages_and_queues_delay() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("DelaySeconds", "10")]).await;
    queue.send("of the queue").await;
    let own = |body: &str, seconds: i32| {
        let call = queue.client.send_message().queue_url(&queue.url);
        call.message_body(body).delay_seconds(seconds).send()
    };
    own("its own", 20).await.unwrap();
    own("none", 0).await.unwrap();
    assert_eq!(queue.counts().await, ["1", "0", "2"]);
    assert_eq!(queue.bodies().await, ["none"]);
    bench.pass(10);
    assert_eq!(queue.bodies().await, ["of the queue"]);
    bench.pass(9);
    assert_eq!(queue.bodies().await, [] as [String; 0]);
    bench.pass(1);
    assert_eq!(queue.bodies().await, ["its own"]);
}

#[tokio::test]
async fn old_messages_are_dropped() {
    let bench = Bench::start().await;
    let queue = bench
        .queue("jobs", &[("MessageRetentionPeriod", "60")])
        .await;
    queue.send("visible").await;
    queue.send("in flight").await;
    queue.receive_one().await;
    bench.pass(59);
    queue.send("younger").await;
    assert_eq!(queue.counts().await, ["3", "0", "0"]);
    bench.pass(1);
    assert_eq!(queue.bodies().await, ["younger"]);
}

/// A receive that waits up to so many seconds, and does so already.
async fn poll(
    bench: &Bench,
    queue: &Queue,
    seconds: i32,
) -> Pin<Box<dyn Future<Output = Vec<String>>>> {
    let call = queue.client.receive_message().queue_url(&queue.url);
    let call = call
        .max_number_of_messages(10)
        .wait_time_seconds(seconds)
        .send();
    let mut poll: Pin<Box<dyn Future<Output = Vec<String>>>> = Box::pin(async move {
        let received = call.await.unwrap().messages.unwrap_or_default();
        let bodies = received.into_iter().map(|message| message.body.unwrap());
        bodies.collect()
    });
    std::future::poll_fn(|cx| {
        assert!(poll.as_mut().poll(cx).is_pending(), "answered at once");
        if bench.clock.waits() > 0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    poll
}

#[tokio::test]
async fn a_long_poll_ends_when_a_message_comes() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let waiting = poll(&bench, &queue, 20).await;
    queue.send("1").await;
    assert_eq!(waiting.await, ["1"]);
}

#[tokio::test]
async fn a_long_poll_ends_when_its_time_is_over() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let waiting = poll(&bench, &queue, 20).await;
    bench.pass(20);
    assert_eq!(waiting.await, [] as [String; 0]);
}

#[tokio::test]
async fn a_long_poll_sees_a_timeout_and_a_delay_end() {
    let bench = Bench::start().await;
    let queue = bench
        .queue(
            "jobs",
            &[
                ("VisibilityTimeout", "5"),
                ("ReceiveMessageWaitTimeSeconds", "20"),
            ],
        )
        .await;
    queue.send("1").await;
    queue.receive_one().await;
    let waiting = poll(&bench, &queue, 20).await;
    bench.pass(5);
    assert_eq!(waiting.await, ["1"]);
    let late = queue.client.send_message().queue_url(&queue.url);
    late.message_body("2")
        .delay_seconds(3)
        .send()
        .await
        .unwrap();
    let waiting = poll(&bench, &queue, 20).await;
    bench.pass(3);
    assert_eq!(waiting.await, ["2"]);
}

#[tokio::test]
async fn a_long_poll_of_a_deleted_queue_ends_with_an_error() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let call = queue.client.receive_message().queue_url(&queue.url);
    let waiting = tokio::spawn(call.wait_time_seconds(20).send());
    while bench.clock.waits() == 0 {
        tokio::task::yield_now().await;
    }
    queue
        .client
        .delete_queue()
        .queue_url(&queue.url)
        .send()
        .await
        .unwrap();
    let (code, _) = refused(waiting.await.unwrap());
    assert_eq!(code, "AWS.SimpleQueueService.NonExistentQueue");
}

//! Queues, attributes, tags and sending.

use std::collections::HashMap;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::bench::{ACCOUNT, Bench, START, refused, system};

type Rows<'r> = &'r [(&'r str, &'r str)];

fn told(rows: Rows<'_>) -> HashMap<QueueAttributeName, String> {
    let pairs = rows.iter();
    pairs.map(|(n, v)| ((*n).into(), (*v).to_owned())).collect()
}

#[tokio::test]
async fn a_queues_url_is_at_the_address_that_was_called() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let expected = format!("{}/{ACCOUNT}/jobs", bench.endpoint.url());
    assert_eq!(queue.url, expected);
    let found = queue
        .client
        .get_queue_url()
        .queue_name("jobs")
        .send()
        .await
        .unwrap();
    assert_eq!(found.queue_url(), Some(expected.as_str()));
    // The host of a URL does not count, as on AWS.
    let elsewhere = format!("https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/jobs");
    let sent = queue
        .client
        .send_message()
        .queue_url(elsewhere)
        .message_body("1");
    sent.send().await.unwrap();
    assert_eq!(queue.bodies().await, ["1"]);
}

#[tokio::test]
async fn a_queue_that_there_is_not_has_aws_own_error() {
    let bench = Bench::start().await;
    let client = bench.sqs();
    let found = client.get_queue_url().queue_name("nowhere").send().await;
    let error = found.as_ref().unwrap_err().as_service_error().unwrap();
    assert!(error.is_queue_does_not_exist());
    let (code, text) = refused(found);
    assert_eq!(code, "AWS.SimpleQueueService.NonExistentQueue");
    assert_eq!(text, "The specified queue does not exist.");
    for url in ["", "nowhere", "http://127.0.0.1"] {
        let call = client.purge_queue().queue_url(url).send().await;
        let (code, _) = refused(call);
        assert!(
            ["MissingParameter", "InvalidAddress"].contains(&code.as_str()),
            "{url}: {code}"
        );
    }
    let foreign = format!("{}/999999999999/jobs", bench.endpoint.url());
    let (code, _) = refused(client.purge_queue().queue_url(foreign).send().await);
    assert_eq!(code, "AWS.SimpleQueueService.NonExistentQueue");
}

#[tokio::test]
async fn creating_again_is_the_same_queue_unless_attributes_differ() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("VisibilityTimeout", "69")]).await;
    for attributes in [
        told(&[]),
        told(&[("VisibilityTimeout", "69")]),
        told(&[("DelaySeconds", "0")]),
    ] {
        let again = queue
            .client
            .create_queue()
            .queue_name("jobs")
            .set_attributes(Some(attributes));
        assert_eq!(
            again.send().await.unwrap().queue_url(),
            Some(queue.url.as_str())
        );
    }
    let other = queue.client.create_queue().queue_name("jobs");
    let other = other
        .set_attributes(Some(told(&[("VisibilityTimeout", "70")])))
        .send()
        .await;
    let (code, text) = refused(other);
    assert_eq!(code, "QueueAlreadyExists");
    assert_eq!(
        text,
        "A queue already exists with the same name and a different value for attribute \
         VisibilityTimeout"
    );
}

#[tokio::test]
async fn names_and_attributes_are_checked() {
    let bench = Bench::start().await;
    let client = bench.sqs();
    let long = "a".repeat(81);
    let rows: &[(&str, Rows<'_>, &str, &str)] = &[
        (
            "a b",
            &[],
            "InvalidParameterValue",
            "Can only include alphanumeric characters",
        ),
        (&long, &[], "InvalidParameterValue", "1 to 80 in length"),
        (
            "jobs",
            &[("FifoQueue", "true")],
            "InvalidParameterValue",
            "must end with .fifo",
        ),
        (
            "jobs",
            &[("FifoQueue", "false")],
            "InvalidAttributeName",
            "Unknown Attribute FifoQueue.",
        ),
        (
            "jobs",
            &[("Nonsense", "1")],
            "InvalidAttributeName",
            "Unknown Attribute Nonsense.",
        ),
        (
            "jobs",
            &[("QueueArn", "x")],
            "InvalidAttributeName",
            "Unknown Attribute QueueArn.",
        ),
        (
            "jobs",
            &[("VisibilityTimeout", "43201")],
            "InvalidAttributeValue",
            "VisibilityTimeout.",
        ),
        (
            "jobs",
            &[("VisibilityTimeout", "x")],
            "InvalidAttributeValue",
            "VisibilityTimeout.",
        ),
        (
            "jobs",
            &[("DelaySeconds", "901")],
            "InvalidAttributeValue",
            "DelaySeconds.",
        ),
        (
            "jobs",
            &[("MessageRetentionPeriod", "59")],
            "InvalidAttributeValue",
            "RetentionPeriod.",
        ),
        (
            "jobs",
            &[("MaximumMessageSize", "1023")],
            "InvalidAttributeValue",
            "MaximumMessageSize.",
        ),
        (
            "jobs",
            &[("MaximumMessageSize", "1048577")],
            "InvalidAttributeValue",
            "MaximumMessageSize.",
        ),
        (
            "jobs",
            &[("ReceiveMessageWaitTimeSeconds", "21")],
            "InvalidAttributeValue",
            "WaitTimeSeconds.",
        ),
        (
            "jobs",
            &[("Policy", "no JSON")],
            "InvalidAttributeValue",
            "Policy.",
        ),
        (
            "jobs",
            &[("DeduplicationScope", "queue")],
            "InvalidAttributeName",
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            "jobs.fifo",
            &[
                ("FifoQueue", "true"),
                ("FifoThroughputLimit", "perMessageGroupId"),
            ],
            "InvalidAttributeValue",
            "messageGroup",
        ),
        (
            "jobs",
            &[
                ("SqsManagedSseEnabled", "true"),
                ("KmsMasterKeyId", "alias/own"),
            ],
            "InvalidAttributeName",
            "one type of server-side encryption",
        ),
    ];
    for (name, attributes, expected, part) in rows {
        let call = client
            .create_queue()
            .queue_name(*name)
            .set_attributes(Some(told(attributes)));
        let (code, text) = refused(call.send().await);
        assert_eq!(code, *expected, "{attributes:?}: {text}");
        assert!(text.contains(part), "{attributes:?}: {text}");
    }
    let listed = client.list_queues().send().await.unwrap();
    assert_eq!(listed.queue_urls(), [] as [String; 0], "nothing was made");
}

#[tokio::test]
async fn attributes_are_told_as_aws_tells_them() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let all = queue.client.get_queue_attributes().queue_url(&queue.url);
    let all = all
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let started = START.unix_timestamp().to_string();
    let expected = [
        ("ApproximateNumberOfMessages", "0"),
        ("ApproximateNumberOfMessagesDelayed", "0"),
        ("ApproximateNumberOfMessagesNotVisible", "0"),
        ("CreatedTimestamp", &started),
        ("DelaySeconds", "0"),
        ("LastModifiedTimestamp", &started),
        ("MaximumMessageSize", "1048576"),
        ("MessageRetentionPeriod", "345600"),
        ("QueueArn", &queue.arn),
        ("ReceiveMessageWaitTimeSeconds", "0"),
        ("SqsManagedSseEnabled", "true"),
        ("VisibilityTimeout", "30"),
    ];
    assert_eq!(all.attributes, Some(told(&expected)));
    assert_eq!(
        queue.attribute("VisibilityTimeout").await.as_deref(),
        Some("30")
    );
    let none = queue
        .client
        .get_queue_attributes()
        .queue_url(&queue.url)
        .send()
        .await
        .unwrap();
    assert_eq!(none.attributes, None);
    let wrong = queue.client.get_queue_attributes().queue_url(&queue.url);
    let wrong = wrong.attribute_names("Nonsense".into()).send().await;
    assert_eq!(refused(wrong).1, "Unknown Attribute Nonsense.");

    bench.pass(5);
    let set = queue.client.set_queue_attributes().queue_url(&queue.url);
    let key = [("KmsMasterKeyId", "alias/own"), ("VisibilityTimeout", "7")];
    set.set_attributes(Some(told(&key))).send().await.unwrap();
    assert_eq!(
        queue.attribute("SqsManagedSseEnabled").await.as_deref(),
        Some("false")
    );
    assert_eq!(
        queue
            .attribute("KmsDataKeyReusePeriodSeconds")
            .await
            .as_deref(),
        Some("300")
    );
    let modified = (START.unix_timestamp() + 5).to_string();
    assert_eq!(
        queue.attribute("LastModifiedTimestamp").await,
        Some(modified)
    );
    // One wrong value: none is taken.
    let set = queue.client.set_queue_attributes().queue_url(&queue.url);
    let both = [("DelaySeconds", "5"), ("VisibilityTimeout", "-1")];
    let (code, _) = refused(set.set_attributes(Some(told(&both))).send().await);
    assert_eq!(code, "InvalidAttributeValue");
    assert_eq!(queue.attribute("DelaySeconds").await.as_deref(), Some("0"));
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_in_pages() {
    let bench = Bench::start().await;
    for name in ["jobs-1", "jobs-2", "jobs-3", "other"] {
        bench.queue(name, &[]).await;
    }
    let client = bench.sqs();
    let all = client.list_queues().send().await.unwrap();
    assert_eq!(all.queue_urls().len(), 4);
    assert_eq!(all.next_token(), None);
    let first = client
        .list_queues()
        .queue_name_prefix("jobs")
        .max_results(2)
        .send()
        .await
        .unwrap();
    assert_eq!(first.queue_urls().len(), 2);
    let rest = client
        .list_queues()
        .queue_name_prefix("jobs")
        .max_results(2);
    let rest = rest.set_next_token(first.next_token).send().await.unwrap();
    assert_eq!(rest.queue_urls().len(), 1);
    assert!(rest.queue_urls()[0].ends_with("/jobs-3"));
    assert_eq!(rest.next_token(), None);
    let (code, _) = refused(client.list_queues().next_token("é").send().await);
    assert_eq!(code, "InvalidParameterValue");
    let (code, _) = refused(client.list_queues().max_results(0).send().await);
    assert_eq!(code, "InvalidParameterValue");
    // Queues of another region are others.
    let abroad = bench
        .sqs_in("eu-west-1")
        .list_queues()
        .send()
        .await
        .unwrap();
    assert_eq!(abroad.queue_urls(), [] as [String; 0]);
}

#[tokio::test]
async fn a_deleted_queues_name_rests_for_a_minute() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send("lost").await;
    queue
        .client
        .delete_queue()
        .queue_url(&queue.url)
        .send()
        .await
        .unwrap();
    let (code, _) = refused(
        queue
            .client
            .delete_queue()
            .queue_url(&queue.url)
            .send()
            .await,
    );
    assert_eq!(code, "AWS.SimpleQueueService.NonExistentQueue");
    bench.pass(59);
    let (code, text) = refused(queue.client.create_queue().queue_name("jobs").send().await);
    assert_eq!(code, "AWS.SimpleQueueService.QueueDeletedRecently");
    assert!(text.starts_with("You must wait 60 seconds"), "{text}");
    bench.pass(1);
    let again = bench.queue("jobs", &[]).await;
    assert_eq!(again.bodies().await, [] as [String; 0]);
}

#[tokio::test]
async fn a_purge_empties_once_a_minute() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send("1").await;
    queue.receive_one().await;
    queue.send("2").await;
    queue
        .client
        .purge_queue()
        .queue_url(&queue.url)
        .send()
        .await
        .unwrap();
    assert_eq!(queue.counts().await, ["0", "0", "0"]);
    let again = queue
        .client
        .purge_queue()
        .queue_url(&queue.url)
        .send()
        .await;
    assert_eq!(
        again
            .as_ref()
            .unwrap_err()
            .raw_response()
            .unwrap()
            .status()
            .as_u16(),
        403
    );
    let (code, text) = refused(again);
    assert_eq!(code, "AWS.SimpleQueueService.PurgeQueueInProgress");
    assert_eq!(
        text,
        "Only one PurgeQueue operation on jobs is allowed every 60 seconds."
    );
    bench.pass(60);
    queue
        .client
        .purge_queue()
        .queue_url(&queue.url)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn tags_come_and_go() {
    let bench = Bench::start().await;
    let client = bench.sqs();
    let created = client
        .create_queue()
        .queue_name("jobs")
        .tags("team", "blue")
        .send()
        .await;
    let url = created.unwrap().queue_url.unwrap();
    client
        .tag_queue()
        .queue_url(&url)
        .tags("stage", "test")
        .send()
        .await
        .unwrap();
    let tags = client
        .list_queue_tags()
        .queue_url(&url)
        .send()
        .await
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(tags.len(), 2);
    assert_eq!(tags["team"], "blue");
    client
        .untag_queue()
        .queue_url(&url)
        .tag_keys("team")
        .tag_keys("stage")
        .send()
        .await
        .unwrap();
    let tags = client
        .list_queue_tags()
        .queue_url(&url)
        .send()
        .await
        .unwrap()
        .tags;
    assert_eq!(tags, None);
}

#[tokio::test]
async fn digests_are_those_that_sdks_verify() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let text = |value: &str| {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value);
        value.build().unwrap()
    };
    let bytes = Blob::new(
        b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01".to_vec(),
    );
    let binary = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(bytes);
    let binary = binary.build().unwrap();
    // Bodies, attributes and digests observed on AWS.
    let message = || queue.client.send_message().queue_url(&queue.url);
    let sent = message()
        .message_body("msg")
        .message_attributes("Help.Me", text("Me"))
        .message_attributes("Hello", text("There"))
        .message_attributes("General", text("Kenobi"));
    let sent = sent.send().await.unwrap();
    assert_eq!(
        sent.md5_of_message_body(),
        Some("6e2baaf3b97dbeef01c0043275f9a0e7")
    );
    assert_eq!(
        sent.md5_of_message_attributes(),
        Some("4c360f3fdafd970e05fae2f149d997f5")
    );
    let sent = message()
        .message_body("test")
        .message_attributes("attr1", binary.clone());
    let sent = sent.send().await.unwrap();
    assert_eq!(
        sent.md5_of_message_attributes(),
        Some("8cbe4db156db8a94db8b801b7addb984")
    );
    let received = queue.receive().await;
    assert_eq!(
        received[0].md5_of_body(),
        Some("6e2baaf3b97dbeef01c0043275f9a0e7")
    );
    assert_eq!(received[1].message_attributes().unwrap()["attr1"], binary);
    let plain = message().message_body("plain").send().await.unwrap();
    assert_eq!(plain.md5_of_message_attributes(), None);
    assert_eq!(plain.sequence_number(), None);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("MaximumMessageSize", "1024")]).await;
    let send = |body: &str| {
        queue
            .client
            .send_message()
            .queue_url(&queue.url)
            .message_body(body)
    };
    let attribute = |kind: &str, value: &str| {
        let value = MessageAttributeValue::builder()
            .data_type(kind)
            .string_value(value);
        value.build().unwrap()
    };
    let rows = [
        (
            send(""),
            "MissingParameter",
            "The request must contain the parameter MessageBody.",
        ),
        (
            send("\u{1}"),
            "InvalidMessageContents",
            "Invalid characters found.",
        ),
        (
            send(&"a".repeat(1_025)),
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
        (
            send(&"a".repeat(1_010)).message_attributes("Name", attribute("String", "and value")),
            "InvalidParameterValue",
            "Message must be shorter than 1024 bytes.",
        ),
        (
            send("1").delay_seconds(901),
            "InvalidParameterValue",
            "Value 901 for parameter DelaySeconds is invalid. Reason: Must be >= 0 and <= 900, if provided.",
        ),
        (
            send("1").message_deduplication_id("id"),
            "InvalidParameterValue",
            "Value id for parameter MessageDeduplicationId is invalid.",
        ),
        (
            send("1").message_group_id("group 1"),
            "InvalidParameterValue",
            "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        ),
        (
            send("1").message_attributes("ErrorDetails", attribute("String", "")),
            "InvalidParameterValue",
            "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
        ),
        (
            send("1").message_attributes("AWS.Own", attribute("String", "1")),
            "InvalidParameterValue",
            "You can't use message attribute names beginning with 'AWS.'",
        ),
        (
            send("1").message_attributes("Name", attribute("Text", "1")),
            "InvalidParameterValue",
            "The type of message (user) attribute 'Name' is invalid.",
        ),
        (
            send("1").message_attributes("Name", attribute("Number", "one")),
            "InvalidParameterValue",
            "Can't cast the value of message (user) attribute 'Name' to a number.",
        ),
    ];
    for (call, expected, part) in rows {
        let (code, text) = refused(call.send().await);
        assert_eq!(code, expected, "{text}");
        assert!(text.contains(part), "{text}");
    }
    let many = (0..11).fold(send("1"), |call, n| {
        call.message_attributes(format!("n{n}"), attribute("Number", "1"))
    });
    assert_eq!(refused(many.send().await).0, "InvalidParameterValue");
    assert_eq!(queue.counts().await, ["0", "0", "0"]);
    // Just so long is fine, and so is a group on a standard queue (a fair queue).
    send(&"a".repeat(1_024))
        .message_group_id("tenant-1")
        .send()
        .await
        .unwrap();
    assert_eq!(
        system(&queue.receive_one().await, "MessageGroupId"),
        "tenant-1"
    );
}

#[tokio::test]
async fn a_mebibyte_is_the_most() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send(&"a".repeat(1_048_576)).await;
    let long = queue.client.send_message().queue_url(&queue.url);
    let (_, text) = refused(long.message_body("a".repeat(1_048_577)).send().await);
    assert!(
        text.ends_with("Message must be shorter than 1048576 bytes."),
        "{text}"
    );
    let entry = |id: &str, length: usize| {
        let entry = SendMessageBatchRequestEntry::builder().id(id);
        entry.message_body("a".repeat(length)).build().unwrap()
    };
    let batch = queue.client.send_message_batch().queue_url(&queue.url);
    let batch = batch
        .entries(entry("1", 1_048_576))
        .entries(entry("2", 1))
        .send()
        .await;
    let (code, text) = refused(batch);
    assert_eq!(code, "AWS.SimpleQueueService.BatchRequestTooLong");
    assert_eq!(
        text,
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
    );
}

#[tokio::test]
async fn entries_of_a_batch_succeed_and_fail_on_their_own() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[("MaximumMessageSize", "1024")]).await;
    let entry = |id: &str, body: &str| {
        let entry = SendMessageBatchRequestEntry::builder().id(id);
        entry.message_body(body).build().unwrap()
    };
    let batch = queue.client.send_message_batch().queue_url(&queue.url);
    let sent = batch
        .entries(entry("good", "1"))
        .entries(entry("odd", "\u{1}"))
        .entries(entry("long", &"a".repeat(1_025)));
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.successful().len(), 1);
    assert_eq!(sent.successful()[0].id(), "good");
    let failed: Vec<_> = sent
        .failed()
        .iter()
        .map(|f| (f.id(), f.code(), f.sender_fault()))
        .collect();
    assert_eq!(
        failed,
        [
            ("odd", "InvalidMessageContents", true),
            ("long", "InvalidParameterValue", true)
        ]
    );
    assert_eq!(
        sent.failed()[1].message(),
        Some(
            "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 \
             bytes."
        )
    );
    assert_eq!(queue.bodies().await, ["1"]);
}

#[tokio::test]
async fn batches_as_a_whole_are_checked_first() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let entry = |id: &str| {
        let entry = SendMessageBatchRequestEntry::builder().id(id);
        entry.message_body("1").build().unwrap()
    };
    let eleven = (0..11).map(|n| entry(&n.to_string())).collect();
    let rows = [
        (
            vec![],
            "EmptyBatchRequest",
            "at least one SendMessageBatchRequestEntry in the request.",
        ),
        (
            eleven,
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10. You have sent 11.",
        ),
        (
            vec![entry("a:b")],
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It \
             can be at most 80 letters long.",
        ),
        (
            vec![entry(&"a".repeat(81))],
            "InvalidBatchEntryId",
            "80 letters",
        ),
        (
            vec![entry("1"), entry("1")],
            "BatchEntryIdsNotDistinct",
            "Id 1 repeated.",
        ),
    ];
    for (entries, expected, part) in rows {
        let batch = queue.client.send_message_batch().queue_url(&queue.url);
        let (code, text) = refused(batch.set_entries(Some(entries)).send().await);
        assert_eq!(code, format!("AWS.SimpleQueueService.{expected}"));
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(queue.counts().await, ["0", "0", "0"]);
}

#[tokio::test]
async fn the_trace_header_travels_along() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let value = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value(header);
    let sent = queue
        .client
        .send_message()
        .queue_url(&queue.url)
        .message_body("1");
    let sent = sent.message_system_attributes(
        MessageSystemAttributeNameForSends::AwsTraceHeader,
        value.build().unwrap(),
    );
    let sent = sent.send().await.unwrap();
    assert!(sent.md5_of_message_system_attributes().is_some());
    assert_eq!(system(&queue.receive_one().await, "AWSTraceHeader"), header);
}

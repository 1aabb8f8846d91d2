//! Queues whose messages invoke functions.

use std::sync::Arc;

use aws_local::ManualClock;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::bench::Bench;

async fn start() -> (Bench, ManualClock) {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
    let bench = Bench::start_with(Arc::new(clock.clone()), |_| {}).await;
    (bench, clock)
}

/// The lines of the log that begin with that.
async fn lines(bench: &Bench, with: &str) -> Vec<String> {
    let mut lines = bench.log().await;
    lines.retain(|line| line.starts_with(with));
    lines
}

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue_and_nine_are_handled() {
    let (bench, clock) = start().await;
    bench.queues(&[]).await;
    let bodies = ["1", "2", "3", "4", "poison", "6", "7", "8", "9", "10"];
    bench.enqueue(&bodies).await;
    bench.map(|_| {});
    bench
        .until("nine are deleted", async |bench| {
            bench.counts("jobs").await == (0, 1)
        })
        .await;
    assert_eq!(lines(&bench, "handled").await.len(), 9);
    assert_eq!(lines(&bench, "batch of").await, ["batch of 10"]);
    assert_eq!(bench.counts("dead").await, (0, 0));
    // Seen again after the visibility timeout, and given up after that.
    clock.advance(Duration::seconds(61));
    bench
        .until("a second attempt", async |bench| {
            lines(bench, "batch of").await.len() == 2
        })
        .await;
    bench
        .until("it is invisible", async |bench| {
            bench.counts("jobs").await == (0, 1)
        })
        .await;
    clock.advance(Duration::seconds(61));
    bench
        .until("it is given up", async |bench| {
            bench.counts("dead").await == (1, 0)
        })
        .await;
    assert_eq!(bench.counts("jobs").await, (0, 0));
    assert_eq!(lines(&bench, "handled").await.len(), 9);
}

#[tokio::test]
async fn what_fails_whole_comes_back_whole() {
    for trouble in ["crash", "fail", "bogus"] {
        let (bench, clock) = start().await;
        bench.queues(&[]).await;
        bench.enqueue(&["one", trouble, "two"]).await;
        bench.map(|_| {});
        bench
            .until("the batch failed", async |bench| {
                lines(bench, "REPORT").await.len() == 1
            })
            .await;
        assert_eq!(bench.counts("jobs").await, (0, 3), "{trouble}");
        clock.advance(Duration::seconds(61));
        bench
            .until("the batch is handled", async |bench| {
                bench.counts("jobs").await == (0, 0)
            })
            .await;
        assert_eq!(
            lines(&bench, "batch of").await,
            ["batch of 3", "batch of 3"],
            "{trouble}"
        );
        assert_eq!(bench.counts("dead").await, (0, 0));
    }
}

#[tokio::test]
async fn without_reports_an_answer_handles_the_batch() {
    let (bench, _) = start().await;
    bench.queues(&[]).await;
    bench.enqueue(&["one", "poison"]).await;
    bench.map(|source| source.report_batch_item_failures = false);
    bench
        .until("both are deleted", async |bench| {
            bench.counts("jobs").await == (0, 0)
        })
        .await;
}

#[tokio::test]
async fn a_window_gathers_more_than_one_batch_of_ten() {
    let (bench, clock) = start().await;
    bench.queues(&[]).await;
    bench.map(|source| {
        source.batch_size = 25;
        source.batching_window = std::time::Duration::from_secs(20);
    });
    let bodies = ["x"; 10];
    bench.enqueue(&bodies).await;
    bench.enqueue(&bodies).await;
    bench
        .until("all are received", async |bench| {
            bench.counts("jobs").await == (0, 20)
        })
        .await;
    assert!(lines(&bench, "START").await.is_empty());
    clock.advance(Duration::seconds(21));
    bench
        .until("all are handled", async |bench| {
            bench.counts("jobs").await == (0, 0)
        })
        .await;
    assert_eq!(lines(&bench, "batch of").await, ["batch of 20"]);
    // A full batch does not wait.
    for _ in 0..2 {
        bench.enqueue(&bodies).await;
    }
    bench.enqueue(&["x"; 5]).await;
    bench
        .until("it is handled", async |bench| {
            bench.counts("jobs").await == (0, 0)
        })
        .await;
    assert_eq!(lines(&bench, "batch of").await[1], "batch of 25");
}

#[tokio::test]
async fn a_record_says_what_aws_says() {
    let (bench, _) = start().await;
    bench.queues(&[]).await;
    let body = json!({
        "QueueUrl": crate::bench::url("jobs"),
        "MessageBody": "show",
        "MessageAttributes": {
            "tenant": { "DataType": "String", "StringValue": "blue" },
            "raw": { "DataType": "Binary", "BinaryValue": "AAE=" },
        },
    });
    let sent = bench.call("AmazonSQS.SendMessage", &body).await;
    bench.map(|_| {});
    bench
        .until("it is shown", async |bench| {
            !lines(bench, "{").await.is_empty()
        })
        .await;
    let record: Value = serde_json::from_str(&lines(&bench, "{").await[0]).unwrap();
    assert_eq!(record["messageId"], sent["MessageId"]);
    assert_eq!(record["md5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(
        record["md5OfMessageAttributes"],
        sent["MD5OfMessageAttributes"]
    );
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:sqs:us-east-1:123456789012:jobs"
    );
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["messageAttributes"]["tenant"]["stringValue"], "blue");
    assert_eq!(record["messageAttributes"]["raw"]["binaryValue"], "AAE=");
    assert_eq!(record["messageAttributes"]["raw"]["dataType"], "Binary");
}

#[tokio::test]
async fn a_fifo_group_is_handled_in_order() {
    let (bench, _) = start().await;
    let queue = json!({
        "QueueName": "jobs.fifo",
        "Attributes": {
            "FifoQueue": "true",
            "ContentBasedDeduplication": "true",
            "VisibilityTimeout": "60",
        },
    });
    bench.call("AmazonSQS.CreateQueue", &queue).await;
    bench.map(|source| {
        source.queue = "jobs.fifo".to_owned();
        source.batch_size = 2;
    });
    for n in 0..9 {
        let message = json!({
            "QueueUrl": crate::bench::url("jobs.fifo"),
            "MessageBody": n.to_string(),
            "MessageGroupId": "g",
        });
        bench.call("AmazonSQS.SendMessage", &message).await;
    }
    bench
        .until("all are handled", async |bench| {
            bench.counts("jobs.fifo").await == (0, 0)
        })
        .await;
    let mut order = Vec::new();
    for line in lines(&bench, "handled ").await {
        order.push(line.trim_start_matches("handled ").parse::<u32>().unwrap());
    }
    assert_eq!(order, (0..9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_throttled_batch_waits_and_goes_on() {
    let (bench, clock) = start().await;
    bench.queues(&[]).await;
    let target = "/2017-10-31/functions/ask/concurrency";
    let off = r#"{"ReservedConcurrentExecutions":0}"#;
    bench.send("PUT", target, &[], off).await;
    bench.enqueue(&["one"]).await;
    bench.map(|_| {});
    bench
        .until("it is received", async |bench| {
            bench.counts("jobs").await == (0, 1)
        })
        .await;
    bench.send("DELETE", target, &[], "").await;
    bench
        .until("it is handled", async |bench| {
            clock.advance(Duration::milliseconds(100));
            bench.counts("jobs").await == (0, 0)
        })
        .await;
    assert_eq!(lines(&bench, "handled").await, ["handled one"]);
}

#[tokio::test]
async fn mappings_come_change_and_go_through_the_api() {
    let (bench, _) = start().await;
    bench.queues(&[]).await;
    let all = "/2015-03-31/event-source-mappings";
    let arn = "arn:aws:sqs:us-east-1:123456789012:jobs";
    let create = json!({
        "EventSourceArn": arn,
        "FunctionName": "ask",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": { "MaximumConcurrency": 2 },
    });
    let created = bench.send("POST", all, &[], &create.to_string()).await;
    assert_eq!(created.status, 202, "{created:?}");
    let told = created.json();
    assert_eq!(
        (&told["State"], &told["BatchSize"]),
        (&json!("Creating"), &json!(10))
    );
    let id = told["UUID"].as_str().unwrap();
    let one = format!("{all}/{id}");
    let told = bench.send("GET", &one, &[], "").await.json();
    assert_eq!(told["State"], "Enabled");
    assert_eq!(told["ScalingConfig"]["MaximumConcurrency"], 2);
    assert_eq!(
        told["FunctionArn"],
        "arn:aws:lambda:us-east-1:123456789012:function:ask"
    );
    let list = format!("{all}?EventSourceArn={arn}&FunctionName=ask");
    let told = bench.send("GET", &list, &[], "").await.json();
    assert_eq!(told["EventSourceMappings"].as_array().unwrap().len(), 1);
    let again = bench.send("POST", all, &[], &create.to_string()).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains(id), "{}", again.body);

    // Switched off, nothing is received; switched on, it is.
    let off = bench.send("PUT", &one, &[], r#"{"Enabled":false}"#).await;
    assert_eq!(
        (off.status, &off.json()["State"]),
        (202, &json!("Disabling"))
    );
    bench.enqueue(&["one"]).await;
    assert_eq!(
        bench.send("GET", &one, &[], "").await.json()["State"],
        "Disabled"
    );
    assert_eq!(bench.counts("jobs").await, (1, 0));
    let on = bench
        .send("PUT", &one, &[], r#"{"Enabled":true,"BatchSize":5}"#)
        .await;
    assert_eq!((on.status, &on.json()["BatchSize"]), (202, &json!(5)));
    bench
        .until("it is handled", async |bench| {
            bench.counts("jobs").await == (0, 0)
        })
        .await;
    let gone = bench.send("DELETE", &one, &[], "").await;
    assert_eq!(
        (gone.status, &gone.json()["State"]),
        (202, &json!("Deleting"))
    );
    let gone = bench.send("GET", &one, &[], "").await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.body
            .contains("The resource you requested does not exist."),
        "{}",
        gone.body
    );
    bench.enqueue(&["two"]).await;
    assert_eq!(bench.counts("jobs").await, (1, 0));
}

#[tokio::test]
async fn mappings_that_cannot_work_are_refused() {
    let (bench, _) = start().await;
    bench.queues(&[("VisibilityTimeout", "30")]).await;
    let arn = "arn:aws:sqs:us-east-1:123456789012:jobs";
    let with = |more: Value| {
        let mut body = json!({ "EventSourceArn": arn, "FunctionName": "ask" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (body, text) in [
        (
            with(json!({})),
            "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds",
        ),
        (
            with(json!({ "FunctionName": "nobody" })),
            "Function not found: arn:",
        ),
        (
            with(json!({ "EventSourceArn": format!("{arn}-other") })),
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        (
            with(json!({ "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/x" })),
            "SQS queues",
        ),
        (
            with(json!({ "BatchSize": 0 })),
            "greater than or equal to 1",
        ),
        (
            with(json!({ "BatchSize": 11 })),
            "Maximum batch window in seconds must be greater than 0",
        ),
        (
            with(json!({ "MaximumBatchingWindowInSeconds": 301 })),
            "less than or equal to 300",
        ),
        (
            with(json!({ "ScalingConfig": { "MaximumConcurrency": 1 } })),
            "greater than or equal to 2",
        ),
        (
            with(json!({ "FunctionResponseTypes": ["All"] })),
            "[ReportBatchItemFailures]",
        ),
        (
            with(json!({ "FilterCriteria": { "Filters": [{ "Pattern": "{}" }] } })),
            "FilterCriteria: not emulated",
        ),
    ] {
        let target = "/2015-03-31/event-source-mappings/";
        let answer = bench.send("POST", target, &[], &body.to_string()).await;
        assert!(matches!(answer.status, 400 | 404), "{answer:?}");
        assert!(answer.body.contains(text), "{}: {}", body, answer.body);
    }
}

#[tokio::test]
async fn the_journal_and_the_diagram_show_who_invoked() {
    let bench = Bench::start_with(Arc::new(aws_local::SystemClock), |config| {
        // What callers may says nothing about Lambda itself.
        config.policies = vec![json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": ["sqs:*", "logs:*"], "Resource": "*" }],
        })];
    })
    .await;
    bench.queues(&[]).await;
    bench.enqueue(&["one"]).await;
    bench.map(|_| {});
    bench
        .until("it is handled", async |bench| {
            bench.counts("jobs").await == (0, 0)
        })
        .await;
    let journal = bench.endpoint.emulator().journal();
    let invoked = journal
        .iter()
        .find(|e| e.operation.as_deref() == Some("Invoke"));
    let invoked = invoked.unwrap();
    let edges: Vec<_> = invoked
        .trace
        .iter()
        .filter_map(|e| e.edge.as_deref())
        .collect();
    assert!(edges.contains(&"SQS-LAMBDA"), "{edges:?}");
    let caller = invoked.identity.as_deref().unwrap();
    assert!(
        caller.ends_with("AWSServiceRoleForLambda/event-source-mapping"),
        "{caller}"
    );
}

#[tokio::test]
async fn a_role_that_may_not_receive_gets_no_mapping() {
    let (bench, _) = start().await;
    bench.queues(&[]).await;
    let identity = bedrock_emulator::identity::Identity {
        arn: "arn:aws:iam::123456789012:role/ask-role".to_owned(),
        policies: Some(Vec::new()),
        ..Default::default()
    };
    bench.endpoint.emulator().set_identity(&identity).unwrap();
    let refused = bench
        .services
        .lambda
        .map(aws_local::lambda::EventSource::new("jobs", "ask"));
    let refused = refused.unwrap_err().to_string();
    let text =
        "The provided execution role does not have permissions to call ReceiveMessage on SQS";
    assert!(refused.contains(text), "{refused}");
}

#[tokio::test]
async fn a_reset_empties_what_was_configured_and_keeps_it() {
    let (bench, _) = start().await;
    let attributes = [("VisibilityTimeout".to_owned(), "60".to_owned())].into();
    let sqs = &bench.services.sqs;
    sqs.create("123456789012", "us-east-1", "jobs", &attributes)
        .unwrap();
    bench.enqueue(&["one", "two"]).await;
    assert_eq!(bench.counts("jobs").await, (2, 0));
    assert_eq!(
        bench.send("POST", "/_workshop/reset", &[], "").await.status,
        200
    );
    assert_eq!(bench.counts("jobs").await, (0, 0));
    bench.map(|_| {});
    assert_eq!(
        bench.send("POST", "/_workshop/reset", &[], "").await.status,
        200
    );
    bench.enqueue(&["one"]).await;
    bench
        .until("it is handled", async |bench| {
            bench.counts("jobs").await == (0, 0)
        })
        .await;
}

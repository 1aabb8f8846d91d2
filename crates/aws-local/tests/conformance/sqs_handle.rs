//! The queue in this process, as an event source mapping uses it.

use time::Duration;

use crate::bench::{ACCOUNT, Bench, REGION};

#[tokio::test]
async fn a_handle_receives_deletes_and_releases() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let handle = bench.services.sqs.queue(ACCOUNT, REGION, "jobs").unwrap();
    assert_eq!(handle.arn(), queue.arn);
    assert_eq!(handle.visibility_timeout(), Some(Duration::seconds(30)));
    for body in ["1", "2"] {
        queue.send(body).await;
    }
    let received = handle.receive(100, Some(Duration::seconds(60)));
    assert_eq!(received.len(), 2);
    assert_eq!(&*received[0].body, "1");
    assert_eq!(received[0].attributes["ApproximateReceiveCount"], "1");
    assert!(handle.delete(&received[0].receipt_handle));
    assert!(handle.release(&received[1].receipt_handle, Duration::seconds(5)));
    assert!(!handle.delete("garbage"));
    assert!(!handle.release("garbage", Duration::MAX));
    bench.pass(5);
    assert_eq!(queue.bodies().await, ["2"]);
}

#[tokio::test]
async fn a_handle_waits_until_there_is_something() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let handle = bench
        .services
        .sqs
        .queue(ACCOUNT, REGION, &queue.arn)
        .unwrap();
    let (some, _) = tokio::join!(handle.available(), queue.send("1"));
    assert!(some);
    assert!(handle.available().await, "still there");
    assert_eq!(handle.receive(1, Some(Duration::seconds(9))).len(), 1);
    let (again, ()) = tokio::join!(handle.available(), async { bench.pass(9) });
    assert!(again, "visible again");
    let delete = queue.client.delete_queue().queue_url(&queue.url);
    handle.receive(1, Some(Duration::MAX));
    let (some, deleted) = tokio::join!(handle.available(), delete.send());
    deleted.unwrap();
    assert!(!some, "the queue is gone");
    assert_eq!(handle.receive(1, Some(Duration::MAX)), []);
}

#[tokio::test]
async fn a_handle_waits_until_what_was_received_is_gone() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let handle = bench.services.sqs.queue(ACCOUNT, REGION, "jobs").unwrap();
    handle.until_held(0).await;
    for body in ["1", "2", "3"] {
        queue.send(body).await;
    }
    let received = handle.receive(2, None);
    assert_eq!(handle.held(), 3, "two of them are in flight");
    tokio::join!(handle.until_held(1), async {
        for message in &received {
            assert!(handle.delete(&message.receipt_handle));
        }
    });
    let purge = queue.client.purge_queue().queue_url(&queue.url);
    let (purged, ()) = tokio::join!(purge.send(), handle.until_held(0));
    purged.unwrap();

    queue.send("4").await;
    let delete = queue.client.delete_queue().queue_url(&queue.url);
    let (deleted, ()) = tokio::join!(delete.send(), handle.until_held(0));
    deleted.unwrap();
    assert_eq!(handle.held(), 0, "the queue is gone");
}

#[tokio::test]
async fn a_handle_is_of_a_queue_that_there_is() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    let sqs = &bench.services.sqs;
    assert!(sqs.queue(ACCOUNT, REGION, &queue.arn).is_some());
    assert!(sqs.queue(ACCOUNT, "eu-west-1", "jobs").is_none());
    assert!(sqs.queue(ACCOUNT, "eu-west-1", &queue.arn).is_none());
    assert!(sqs.queue("999999999999", REGION, "jobs").is_none());
    assert!(sqs.queue(ACCOUNT, REGION, "other").is_none());
}

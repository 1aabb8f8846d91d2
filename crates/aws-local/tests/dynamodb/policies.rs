//! What the emulator does for it: signatures, policies, the journal, the diagram, the checksum.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use bedrock_emulator::Request;
use serde_json::json;

use crate::bench::{Bench, item, refused, s};

#[tokio::test]
async fn policies_speak_of_tables_indexes_and_parts_of_transactions() {
    let jobs = "arn:aws:dynamodb:us-east-1:123456789012:table/jobs";
    let bench = Bench::with(|config| {
        config.policies = vec![json!({
            "Version": "2012-10-17",
            "Statement": [
                { "Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:CreateTable", "dynamodb:Query"], "Resource": jobs },
            ],
        })];
    })
    .await;
    bench.create_jobs().await;
    bench.put("jobs", item([("id", s("1"))])).await;
    let denied = |(code, message): (String, String), action: &str, resource: &str| {
        assert_eq!(code, "AccessDeniedException");
        assert!(
            message.contains(&format!(
                "not authorized to perform: {action} on resource: {resource}"
            )),
            "{message}"
        );
    };
    let get = bench
        .client
        .get_item()
        .table_name("jobs")
        .key("id", s("1"))
        .send()
        .await;
    denied(refused(get), "dynamodb:GetItem", jobs);
    let put = bench
        .client
        .put_item()
        .table_name("others")
        .item("id", s("1"))
        .send()
        .await;
    denied(
        refused(put),
        "dynamodb:PutItem",
        "arn:aws:dynamodb:us-east-1:123456789012:table/others",
    );
    let query = bench
        .client
        .query()
        .table_name("jobs")
        .index_name("by-owner");
    let query = query
        .key_condition_expression("id = :i")
        .expression_attribute_values(":i", s("1"));
    denied(
        refused(query.send().await),
        "dynamodb:Query",
        &format!("{jobs}/index/by-owner"),
    );

    let put = Put::builder()
        .table_name("jobs")
        .item("id", s("2"))
        .build()
        .unwrap();
    let put = TransactWriteItem::builder().put(put).build();
    let transact = bench.client.transact_write_items().transact_items(put);
    transact.clone().send().await.unwrap();
    let update = Update::builder()
        .table_name("jobs")
        .key("id", s("3"))
        .update_expression("REMOVE a");
    let update = TransactWriteItem::builder()
        .update(update.build().unwrap())
        .build();
    denied(
        refused(transact.transact_items(update).send().await),
        "dynamodb:UpdateItem",
        jobs,
    );
}

#[tokio::test]
async fn the_journal_and_the_diagram_see_it() {
    let bench = Bench::with_jobs().await;
    let put = bench
        .client
        .put_item()
        .table_name("jobs")
        .item("wrong", s("1"))
        .send()
        .await;
    assert_eq!(refused(put).0, "ValidationException");
    let journal = bench.endpoint.emulator().journal();
    let operations: Vec<_> = journal
        .iter()
        .map(|entry| entry.operation.as_deref())
        .collect();
    assert_eq!(operations, [Some("CreateTable"), Some("PutItem")]);
    for entry in &journal {
        assert!(
            entry.trace.iter().any(|event| event.node == "DDB"),
            "{:?}",
            entry.trace
        );
    }
}

#[tokio::test]
async fn a_reset_leaves_nothing() {
    let bench = Bench::with_jobs().await;
    let reset = Request {
        method: "POST".to_owned(),
        target: "/_workshop/reset".to_owned(),
        headers: [("host", "127.0.0.1"), ("content-type", "application/json")].into(),
        body: "{}".into(),
        connection: 1,
    };
    let done = bench
        .endpoint
        .emulator()
        .handle(&reset, time::OffsetDateTime::now_utc());
    assert_eq!(done.status, 200);
    assert_eq!(
        bench
            .client
            .list_tables()
            .send()
            .await
            .unwrap()
            .table_names(),
        [] as [String; 0]
    );
}

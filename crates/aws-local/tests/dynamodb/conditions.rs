//! Conditional writes.

use std::sync::Arc;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata, operation::put_item::PutItemError,
    types::ReturnValuesOnConditionCheckFailure,
};

use crate::bench::{Bench, invalid, item, num, refused, s};

#[tokio::test]
async fn a_condition_decides() {
    let bench = Bench::with_jobs().await;
    let put = |owner: &str| {
        bench
            .client
            .put_item()
            .table_name("jobs")
            .item("id", s("1"))
            .item("owner", s(owner))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    put("ann").await.unwrap();
    let error = put("bob").await.unwrap_err().into_service_error();
    let PutItemError::ConditionalCheckFailedException(failed) = error else {
        panic!("{error:?}");
    };
    assert_eq!(failed.message(), Some("The conditional request failed"));
    assert_eq!(
        failed.item,
        Some(item([("id", s("1")), ("owner", s("ann"))]))
    );
}

#[tokio::test]
async fn a_version_is_a_lock() {
    let bench = Bench::with_jobs().await;
    bench
        .put("jobs", item([("id", s("1")), ("version", num(1))]))
        .await;
    let update = |known: i64| {
        bench
            .client
            .update_item()
            .table_name("jobs")
            .key("id", s("1"))
            .update_expression("SET version = version + :one")
            .condition_expression("version = :known")
            .expression_attribute_values(":one", num(1))
            .expression_attribute_values(":known", num(known))
            .send()
    };
    update(1).await.unwrap();
    let (code, _) = refused(update(1).await);
    assert_eq!(code, "ConditionalCheckFailedException");
    update(2).await.unwrap();
    let delete = bench
        .client
        .delete_item()
        .table_name("jobs")
        .key("id", s("1"));
    let delete = delete
        .condition_expression("version > :v")
        .expression_attribute_values(":v", num(3));
    assert_eq!(
        refused(delete.send().await).0,
        "ConditionalCheckFailedException"
    );
    let now = bench.get("jobs", item([("id", s("1"))])).await.unwrap();
    assert_eq!(now["version"], num(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_writers_exactly_one_wins() {
    let bench = Bench::with_jobs().await;
    for round in 0..5 {
        let gate = Arc::new(tokio::sync::Barrier::new(8));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (client, gate) = (bench.client.clone(), Arc::clone(&gate));
                tokio::spawn(async move {
                    let put = client
                        .put_item()
                        .table_name("jobs")
                        .item("id", s(&round.to_string()));
                    let put = put.item("owner", num(writer));
                    let put = put.condition_expression("attribute_not_exists(id)");
                    gate.wait().await;
                    put.send()
                        .await
                        .map(|_| writer)
                        .map_err(|error| error.code().map(str::to_owned))
                })
            })
            .collect();
        let mut winners = Vec::new();
        for writer in writers {
            match writer.await.unwrap() {
                Ok(winner) => winners.push(winner),
                Err(code) => assert_eq!(code.as_deref(), Some("ConditionalCheckFailedException")),
            }
        }
        let [winner] = winners[..] else {
            panic!("{} won", winners.len());
        };
        let job = bench
            .get("jobs", item([("id", s(&round.to_string()))]))
            .await
            .unwrap();
        assert_eq!(job["owner"], num(winner));
    }
}

#[tokio::test]
async fn mistakes_are_told_before_anything_is_written() {
    let bench = Bench::with_jobs().await;
    let put = |condition: &str| {
        let put = bench
            .client
            .put_item()
            .table_name("jobs")
            .item("id", s("1"));
        put.condition_expression(condition)
            .expression_attribute_values(":v", s("x"))
            .send()
    };
    let rows = [
        (
            "status = :v",
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: status",
        ),
        (
            "a = :v AND",
            "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"AND\"",
        ),
        (
            "attribute_not_exists(id)",
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
        ),
        (
            "a = :w",
            "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :w",
        ),
    ];
    for (condition, message) in rows {
        assert_eq!(invalid(put(condition).await), message);
    }
    assert_eq!(bench.get("jobs", item([("id", s("1"))])).await, None);
}

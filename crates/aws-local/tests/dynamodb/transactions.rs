//! Transactions.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        ConditionCheck, Delete, Get, Put, ReturnConsumedCapacity,
        ReturnValuesOnConditionCheckFailure, TransactGetItem, TransactWriteItem, Update,
    },
};

use crate::bench::{ACCOUNT, Bench, REGION, invalid, item, num, refused, s};

fn put(id: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("jobs")
        .item("id", s(id))
        .item("made", num(1));
    let put = put
        .condition_expression("attribute_not_exists(id)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder()
        .put(put.build().unwrap())
        .build()
}

fn count_up(id: &str) -> TransactWriteItem {
    let update = Update::builder().table_name("jobs").key("id", s(id));
    let update = update.update_expression("ADD made :one");
    let update = update.expression_attribute_values(":one", num(1));
    TransactWriteItem::builder()
        .update(update.build().unwrap())
        .build()
}

#[tokio::test]
async fn all_of_it_happens_or_nothing() {
    let bench = Bench::with_jobs().await;
    bench.put("jobs", item([("id", s("there"))])).await;
    bench.put("jobs", item([("id", s("gone"))])).await;
    let delete = Delete::builder()
        .table_name("jobs")
        .key("id", s("gone"))
        .build()
        .unwrap();
    let delete = TransactWriteItem::builder().delete(delete).build();
    let check = ConditionCheck::builder()
        .table_name("jobs")
        .key("id", s("there"));
    let check = check
        .condition_expression("attribute_exists(id)")
        .build()
        .unwrap();
    let check = TransactWriteItem::builder().condition_check(check).build();
    let transact = bench.client.transact_write_items();
    let answer = transact
        .transact_items(put("new"))
        .transact_items(count_up("counted"))
        .transact_items(delete)
        .transact_items(check)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .unwrap();
    // Four parts, twice the units.
    assert_eq!(answer.consumed_capacity()[0].capacity_units, Some(8.0));
    assert_eq!(
        answer.consumed_capacity()[0].write_capacity_units,
        Some(8.0)
    );
    assert_eq!(bench.dynamodb.items(ACCOUNT, REGION, "jobs").len(), 3);

    let transact = bench.client.transact_write_items();
    let transact = transact
        .transact_items(count_up("counted"))
        .transact_items(put("new"));
    let error = transact.send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        canceled.message(),
        Some(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, \
             ConditionalCheckFailed]"
        )
    );
    let [first, second] = canceled.cancellation_reasons() else {
        panic!("{canceled:?}");
    };
    assert_eq!((first.code(), first.message()), (Some("None"), None));
    assert_eq!(second.code(), Some("ConditionalCheckFailed"));
    assert_eq!(second.message(), Some("The conditional request failed"));
    assert_eq!(
        second.item,
        Some(item([("id", s("new")), ("made", num(1))]))
    );
    let counted = bench
        .get("jobs", item([("id", s("counted"))]))
        .await
        .unwrap();
    assert_eq!(counted["made"], num(1));
}

#[tokio::test]
async fn a_token_makes_it_once() {
    let bench = Bench::with_jobs().await;
    let transact = |token: &str, id: &str| {
        let transact = bench
            .client
            .transact_write_items()
            .client_request_token(token);
        transact.transact_items(count_up(id)).send()
    };
    transact("token-1", "a").await.unwrap();
    transact("token-1", "a").await.unwrap();
    let made = bench.get("jobs", item([("id", s("a"))])).await.unwrap();
    assert_eq!(made["made"], num(1));
    assert_eq!(
        refused(transact("token-1", "b").await).0,
        "IdempotentParameterMismatchException"
    );
    transact("token-2", "a").await.unwrap();
    let made = bench.get("jobs", item([("id", s("a"))])).await.unwrap();
    assert_eq!(made["made"], num(2));
}

#[tokio::test]
async fn what_another_transaction_holds_is_a_conflict() {
    let bench = Bench::with_jobs().await;
    let key = [("id".to_owned(), "a".into())].into();
    let held = bench.dynamodb.hold(ACCOUNT, REGION, "jobs", &key).unwrap();
    let transact = || {
        bench
            .client
            .transact_write_items()
            .transact_items(put("b"))
            .transact_items(count_up("a"))
    };
    let error = transact().send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        panic!("{error:?}");
    };
    let codes: Vec<_> = canceled
        .cancellation_reasons()
        .iter()
        .map(|r| r.code().unwrap())
        .collect();
    assert_eq!(codes, ["None", "TransactionConflict"]);
    let alone = bench
        .client
        .put_item()
        .table_name("jobs")
        .item("id", s("a"))
        .send()
        .await;
    assert_eq!(refused(alone).0, "TransactionConflictException");
    drop(held);
    transact().send().await.unwrap();
}

#[tokio::test]
async fn one_item_is_named_once_and_there_are_a_hundred_at_most() {
    let bench = Bench::with_jobs().await;
    let twice = bench
        .client
        .transact_write_items()
        .transact_items(put("a"))
        .transact_items(count_up("a"));
    assert_eq!(
        invalid(twice.send().await),
        "Transaction request cannot include multiple operations on one item"
    );
    let many = (0..101).map(|i| put(&i.to_string())).collect();
    let many = bench
        .client
        .transact_write_items()
        .set_transact_items(Some(many))
        .send()
        .await;
    assert!(invalid(many).contains("Member must have length less than or equal to 100"));
    assert_eq!(bench.dynamodb.items(ACCOUNT, REGION, "jobs"), []);
}

#[tokio::test]
async fn a_read_of_many_is_in_the_order_asked() {
    let bench = Bench::with_jobs().await;
    bench
        .put("jobs", item([("id", s("a")), ("made", num(1))]))
        .await;
    bench
        .put("jobs", item([("id", s("b")), ("made", num(2))]))
        .await;
    let mut transact = bench.client.transact_get_items();
    for id in ["b", "gone", "a"] {
        let get = Get::builder()
            .table_name("jobs")
            .key("id", s(id))
            .projection_expression("made");
        let get = TransactGetItem::builder().get(get.build().unwrap()).build();
        transact = transact.transact_items(get);
    }
    let transact = transact.return_consumed_capacity(ReturnConsumedCapacity::Total);
    let answer = transact.send().await.unwrap();
    let found: Vec<_> = answer
        .responses()
        .iter()
        .map(|response| response.item.clone())
        .collect();
    assert_eq!(
        found,
        [
            Some(item([("made", num(2))])),
            None,
            Some(item([("made", num(1))]))
        ]
    );
    assert_eq!(answer.consumed_capacity()[0].read_capacity_units, Some(6.0));
}

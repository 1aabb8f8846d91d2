//! Secondary indexes.

use aws_sdk_dynamodb::types::{
    BillingMode, CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction,
    GlobalSecondaryIndexUpdate, KeyType, Projection, ProjectionType, ScalarAttributeType, Select,
};

use crate::bench::{Bench, defined, invalid, item, key, num, s};

#[tokio::test]
async fn a_global_index_holds_what_it_projects_of_items_that_have_its_key() {
    let bench = Bench::with_turns().await;
    bench.turn("a", 1, "ann", "02").await;
    bench.turn("b", 1, "ann", "01").await;
    bench
        .put(
            "turns",
            item([("chat", s("c")), ("n", num(1)), ("user", s("ann"))]),
        )
        .await;
    let query = || {
        let query = bench
            .client
            .query()
            .table_name("turns")
            .index_name("by-user");
        let query = query
            .key_condition_expression("#u = :u")
            .expression_attribute_names("#u", "user");
        query.expression_attribute_values(":u", s("ann"))
    };
    let found = query().send().await.unwrap();
    let held = |chat: &str, at: &str| {
        item([
            ("chat", s(chat)),
            ("n", num(1)),
            ("user", s("ann")),
            ("at", s(at)),
            ("text", s("turn 1")),
        ])
    };
    assert_eq!(found.items(), [held("b", "01"), held("a", "02")]);
    assert_eq!(
        invalid(query().consistent_read(true).send().await),
        "Consistent reads are not supported on global secondary indexes"
    );
    assert_eq!(
        invalid(query().select(Select::AllAttributes).send().await),
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for \
         global secondary index by-user because its projection type is not ALL"
    );
    assert_eq!(
        invalid(query().projection_expression("cost").send().await),
        "One or more parameter values were invalid: Global secondary index by-user does not project \
         [cost]"
    );
    // An item that loses the index key leaves the index.
    let update = bench
        .client
        .update_item()
        .table_name("turns")
        .key("chat", s("a"))
        .key("n", num(1));
    let update = update
        .update_expression("REMOVE #at")
        .expression_attribute_names("#at", "at");
    update.send().await.unwrap();
    assert_eq!(query().send().await.unwrap().items(), [held("b", "01")]);
    let scan = bench
        .client
        .scan()
        .table_name("turns")
        .index_name("by-user")
        .send()
        .await
        .unwrap();
    assert_eq!((scan.count, scan.scanned_count), (1, 1));
    let nowhere = bench
        .client
        .scan()
        .table_name("turns")
        .index_name("nowhere")
        .send()
        .await;
    assert_eq!(
        invalid(nowhere),
        "The table does not have the specified index: nowhere"
    );
}

#[tokio::test]
async fn pages_of_an_index_tell_equal_keys_apart() {
    let bench = Bench::with_turns().await;
    for n in 0..7 {
        bench.turn("a", n, "ann", "same").await;
    }
    let mut items = bench
        .client
        .query()
        .table_name("turns")
        .index_name("by-user")
        .key_condition_expression("#u = :u")
        .expression_attribute_names("#u", "user")
        .expression_attribute_values(":u", s("ann"))
        .limit(3)
        .into_paginator()
        .items()
        .send();
    let mut found = Vec::new();
    while let Some(turn) = items.next().await {
        found.push(turn.unwrap()["n"].as_n().unwrap().clone());
    }
    found.sort();
    assert_eq!(found, ["0", "1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn a_local_index_fetches_what_it_does_not_hold() {
    let bench = Bench::with_turns().await;
    bench.turn("a", 1, "ann", "02").await;
    bench.turn("a", 2, "ann", "01").await;
    let query = || {
        let query = bench
            .client
            .query()
            .table_name("turns")
            .index_name("by-at")
            .consistent_read(true);
        query
            .key_condition_expression("chat = :c")
            .expression_attribute_values(":c", s("a"))
    };
    let held = |n: i64, at: &str| item([("chat", s("a")), ("n", num(n)), ("at", s(at))]);
    assert_eq!(
        query().send().await.unwrap().items(),
        [held(2, "01"), held(1, "02")]
    );
    let whole = query().select(Select::AllAttributes).send().await.unwrap();
    assert_eq!(whole.items()[0]["cost"], num(20));
    let part = query().projection_expression("cost").send().await.unwrap();
    assert_eq!(
        part.items(),
        [item([("cost", num(20))]), item([("cost", num(10))])]
    );
}

#[tokio::test]
async fn an_index_can_be_added_and_taken_away() {
    let bench = Bench::with_jobs().await;
    bench
        .put("jobs", item([("id", s("1")), ("owner", s("ann"))]))
        .await;
    bench.put("jobs", item([("id", s("2"))])).await;
    let create = CreateGlobalSecondaryIndexAction::builder()
        .index_name("by-owner")
        .key_schema(key("owner", KeyType::Hash))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::All)
                .build(),
        )
        .build()
        .unwrap();
    let update = bench.client.update_table().table_name("jobs");
    let update = update.attribute_definitions(defined("owner", ScalarAttributeType::S));
    let create = GlobalSecondaryIndexUpdate::builder().create(create).build();
    let described = update
        .global_secondary_index_updates(create)
        .send()
        .await
        .unwrap();
    let table = described.table_description.unwrap();
    let index = &table.global_secondary_indexes()[0];
    assert_eq!(
        (index.item_count(), index.index_status().unwrap().as_str()),
        (Some(1), "ACTIVE")
    );
    assert_eq!(
        table.billing_mode_summary.unwrap().billing_mode,
        Some(BillingMode::PayPerRequest)
    );
    let scan = || {
        bench
            .client
            .scan()
            .table_name("jobs")
            .index_name("by-owner")
            .send()
    };
    assert_eq!(scan().await.unwrap().count, 1);
    let delete = DeleteGlobalSecondaryIndexAction::builder()
        .index_name("by-owner")
        .build()
        .unwrap();
    let delete = GlobalSecondaryIndexUpdate::builder().delete(delete).build();
    let update = bench.client.update_table().table_name("jobs");
    update
        .global_secondary_index_updates(delete)
        .send()
        .await
        .unwrap();
    assert!(invalid(scan().await).contains("does not have the specified index"));
}

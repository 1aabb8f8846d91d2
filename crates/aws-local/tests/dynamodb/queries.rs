//! Query and scan.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use crate::bench::{Bench, Item, N, invalid, item, num, s};

fn numbers(items: &[Item]) -> Vec<i64> {
    items
        .iter()
        .map(|item| item["n"].as_n().unwrap().parse().unwrap())
        .collect()
}

/// A key condition, its values beside `:c`, and the numbers that it finds.
type Row = (&'static str, Vec<(&'static str, AttributeValue)>, Vec<i64>);

async fn chats() -> Bench {
    let bench = Bench::with_turns().await;
    for n in [10, 9, 1, -3, 2] {
        bench.turn("a", n, "ann", &format!("0{}", n.abs())).await;
    }
    bench.turn("b", 1, "bob", "01").await;
    bench
}

#[tokio::test]
async fn a_query_reads_one_partition_in_the_order_of_numbers() {
    let bench = chats().await;
    let query = |condition: &str, values: &[(&str, AttributeValue)]| {
        let mut query = bench
            .client
            .query()
            .table_name("turns")
            .key_condition_expression(condition);
        query = query.expression_attribute_values(":c", s("a"));
        for (name, value) in values {
            query = query.expression_attribute_values(*name, value.clone());
        }
        query
    };
    let rows: [Row; 7] = [
        ("chat = :c", vec![], vec![-3, 1, 2, 9, 10]),
        (
            "chat = :c AND n = :n",
            vec![(":n", N("2.0".to_owned()))],
            vec![2],
        ),
        ("chat = :c AND n < :n", vec![(":n", num(2))], vec![-3, 1]),
        (
            "chat = :c AND n <= :n",
            vec![(":n", num(2))],
            vec![-3, 1, 2],
        ),
        ("chat = :c AND n > :n", vec![(":n", num(2))], vec![9, 10]),
        ("n >= :n AND chat = :c", vec![(":n", num(9))], vec![9, 10]),
        (
            "chat = :c AND n BETWEEN :l AND :h",
            vec![(":l", num(1)), (":h", num(9))],
            vec![1, 2, 9],
        ),
    ];
    for (condition, values, expected) in rows {
        let forward = query(condition, &values).send().await.unwrap();
        assert_eq!(numbers(forward.items()), expected, "{condition}");
        let back = query(condition, &values)
            .scan_index_forward(false)
            .send()
            .await
            .unwrap();
        let reversed: Vec<_> = expected.into_iter().rev().collect();
        assert_eq!(numbers(back.items()), reversed, "{condition}, backwards");
    }
}

#[tokio::test]
async fn strings_are_found_by_their_beginning() {
    let bench = chats().await;
    for (prefix, expected) in [("0", 5), ("01", 2), ("09", 1), ("1", 0), ("\u{10FFFF}", 0)] {
        let query = bench.client.query().table_name("turns").index_name("by-at");
        let query = query.key_condition_expression("chat = :c AND begins_with(#at, :p)");
        let query = query.expression_attribute_names("#at", "at");
        let query = query.expression_attribute_values(":c", s("a"));
        let answer = query
            .expression_attribute_values(":p", s(prefix))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.count, expected, "{prefix}");
    }
}

#[tokio::test]
async fn filters_drop_what_was_read_and_counted() {
    let bench = chats().await;
    let query = || {
        let query = bench
            .client
            .query()
            .table_name("turns")
            .key_condition_expression("chat = :c");
        query.expression_attribute_values(":c", s("a"))
    };
    let filtered = query()
        .filter_expression("cost >= :cost")
        .expression_attribute_values(":cost", num(90));
    let answer = filtered.send().await.unwrap();
    assert_eq!((answer.count, answer.scanned_count), (2, 5));
    let counted = query().select(Select::Count).send().await.unwrap();
    assert_eq!((counted.count, counted.items), (5, None));
    let key = query()
        .filter_expression("n > :n")
        .expression_attribute_values(":n", num(1));
    assert_eq!(
        invalid(key.send().await),
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: n"
    );
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let bench = chats().await;
    for forward in [true, false] {
        let mut pages = bench
            .client
            .query()
            .table_name("turns")
            .key_condition_expression("chat = :c")
            .expression_attribute_values(":c", s("a"))
            .scan_index_forward(forward)
            .limit(2)
            .into_paginator()
            .send();
        let (mut read, mut sizes) = (Vec::new(), Vec::new());
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            sizes.push(page.count);
            read.extend(numbers(page.items()));
        }
        let mut expected = vec![-3, 1, 2, 9, 10];
        if !forward {
            expected.reverse();
        }
        assert_eq!((read, sizes), (expected, vec![2, 2, 1]));
    }
    let query = bench
        .client
        .query()
        .table_name("turns")
        .key_condition_expression("chat = :c");
    let query = query.expression_attribute_values(":c", s("a"));
    let elsewhere = query
        .exclusive_start_key("chat", s("b"))
        .exclusive_start_key("n", num(1));
    assert_eq!(
        invalid(elsewhere.send().await),
        "The provided starting key is outside query boundaries based on provided conditions"
    );
}

#[tokio::test]
async fn a_page_ends_behind_a_megabyte() {
    let bench = Bench::with_turns().await;
    for n in 0..5 {
        let text = s(&"x".repeat(300 * 1024));
        bench
            .put(
                "turns",
                item([("chat", s("a")), ("n", num(n)), ("text", text)]),
            )
            .await;
    }
    let query = bench
        .client
        .query()
        .table_name("turns")
        .key_condition_expression("chat = :c");
    let query = query
        .expression_attribute_values(":c", s("a"))
        .select(Select::Count);
    let first = query.clone().send().await.unwrap();
    assert_eq!(first.count, 4);
    let start = first.last_evaluated_key;
    assert_eq!(start, Some(item([("chat", s("a")), ("n", num(3))])));
    let rest = query.set_exclusive_start_key(start).send().await.unwrap();
    assert_eq!((rest.count, rest.last_evaluated_key), (1, None));
}

#[tokio::test]
async fn segments_of_a_scan_are_the_table() {
    let bench = Bench::with_jobs().await;
    let ids: BTreeSet<String> = (0..60).map(|i| format!("job-{i}")).collect();
    for id in &ids {
        bench.put("jobs", item([("id", s(id))])).await;
    }
    let mut found = Vec::new();
    for segment in 0..4 {
        let scan = bench
            .client
            .scan()
            .table_name("jobs")
            .segment(segment)
            .total_segments(4)
            .limit(7);
        let mut items = scan.into_paginator().items().send();
        let before = found.len();
        while let Some(job) = items.next().await {
            found.push(job.unwrap()["id"].as_s().unwrap().clone());
        }
        assert!(found.len() > before, "segment {segment} is empty");
    }
    assert_eq!(found.len(), ids.len());
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), ids);
    let scan = || bench.client.scan().table_name("jobs");
    assert_eq!(
        invalid(scan().segment(4).total_segments(4).send().await),
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: \
         4 is not less than TotalSegments: 4"
    );
    assert!(
        invalid(scan().segment(0).send().await).contains("TotalSegments parameter is required")
    );
    assert_eq!(
        invalid(scan().limit(0).send().await),
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must \
         have value greater than or equal to 1"
    );
}

#[tokio::test]
async fn key_conditions_fit_the_key() {
    let bench = chats().await;
    let query = |condition: &str| {
        let query = bench
            .client
            .query()
            .table_name("turns")
            .key_condition_expression(condition);
        query.expression_attribute_values(":s", s("a")).send()
    };
    let rows = [
        ("n = :s", "Query condition missed key schema element: chat"),
        ("chat > :s", "Query key condition not supported"),
        (
            "chat = :s AND cost = :s",
            "Query condition missed key schema element: n",
        ),
        (
            "chat = :s AND n = :s",
            "One or more parameter values were invalid: Condition parameter type does not match schema \
             type",
        ),
        (
            "chat = :s OR chat = :s",
            "Invalid operator used in KeyConditionExpression: OR",
        ),
    ];
    for (condition, message) in rows {
        assert_eq!(invalid(query(condition).await), message, "{condition}");
    }
}

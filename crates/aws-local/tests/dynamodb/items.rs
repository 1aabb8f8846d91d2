//! Put, get, update, delete, batches.

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{
        AttributeValue::{B, Bool, Bs, Ns, Null, Ss},
        DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, ReturnValue,
        WriteRequest,
    },
};

use crate::bench::{ACCOUNT, Bench, L, M, N, REGION, invalid, item, num, refused, s};

#[tokio::test]
async fn every_kind_of_value_comes_back() {
    let bench = Bench::with_jobs().await;
    let job = item([
        ("id", s("1")),
        ("empty", s("")),
        ("number", N("-12.50e1".to_owned())),
        ("bytes", B(Blob::new([0, 1, 255]))),
        ("yes", Bool(true)),
        ("nothing", Null(true)),
        ("list", L(vec![s("x"), num(1), L(vec![])])),
        ("map", M(item([("a.b", s("dotted")), ("in", M(item([])))]))),
        ("words", Ss(vec!["b".to_owned(), "a".to_owned()])),
        ("numbers", Ns(vec!["10".to_owned(), "9".to_owned()])),
        ("blobs", Bs(vec![Blob::new([1])])),
    ]);
    bench.put("jobs", job.clone()).await;
    let mut expected = job;
    expected.insert("number".to_owned(), N("-125".to_owned()));
    // Sets have no order of their own; here they come sorted.
    expected.insert("words".to_owned(), Ss(vec!["a".to_owned(), "b".to_owned()]));
    expected.insert(
        "numbers".to_owned(),
        Ns(vec!["9".to_owned(), "10".to_owned()]),
    );
    assert_eq!(
        bench.get("jobs", item([("id", s("1"))])).await,
        Some(expected)
    );
    assert_eq!(bench.get("jobs", item([("id", s("2"))])).await, None);
}

#[tokio::test]
async fn a_put_replaces_and_may_show_what_was_there() {
    let bench = Bench::with_jobs().await;
    bench
        .put("jobs", item([("id", s("1")), ("old", s("x"))]))
        .await;
    let put = bench
        .client
        .put_item()
        .table_name("jobs")
        .item("id", s("1"))
        .item("new", s("y"));
    let answer = put.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(
        answer.attributes,
        Some(item([("id", s("1")), ("old", s("x"))]))
    );
    let now = bench.get("jobs", item([("id", s("1"))])).await;
    assert_eq!(now, Some(item([("id", s("1")), ("new", s("y"))])));
    let put = bench
        .client
        .put_item()
        .table_name("jobs")
        .item("id", s("1"));
    let wrong = put.return_values(ReturnValue::AllNew).send().await;
    assert_eq!(invalid(wrong), "ReturnValues can only be ALL_OLD or NONE");
}

#[tokio::test]
async fn keys_are_whole_typed_and_not_empty() {
    let bench = Bench::with_turns().await;
    let put = |attributes| {
        bench
            .client
            .put_item()
            .table_name("turns")
            .set_item(Some(attributes))
            .send()
    };
    let rows = [
        (
            item([("chat", s("a"))]),
            "One or more parameter values were invalid: Missing the key n in the item",
        ),
        (
            item([("chat", s("a")), ("n", s("1"))]),
            "One or more parameter values were invalid: Type mismatch for key n expected: N actual: S",
        ),
        (
            item([("chat", s("")), ("n", num(1))]),
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
             contain an empty string value. Key: chat",
        ),
        (
            item([("chat", s("a")), ("n", num(1)), ("user", num(7))]),
            "One or more parameter values were invalid: Type mismatch for Index Key user Expected: S \
             Actual: N IndexName: by-user",
        ),
        (
            item([("chat", s(&"k".repeat(2049))), ("n", num(1))]),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size \
             limit of2048 bytes",
        ),
        (
            item([
                ("chat", s("a")),
                ("n", num(1)),
                ("big", s(&"x".repeat(400 * 1024))),
            ]),
            "Item size has exceeded the maximum allowed size",
        ),
        (
            item([("chat", s("a")), ("n", N("1e200".to_owned()))]),
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
    ];
    for (attributes, message) in rows {
        assert_eq!(invalid(put(attributes).await), message);
    }
    let get = |key| {
        bench
            .client
            .get_item()
            .table_name("turns")
            .set_key(Some(key))
            .send()
    };
    for wrong in [
        item([("chat", s("a"))]),
        item([("chat", s("a")), ("n", s("1"))]),
    ] {
        let message = "The provided key element does not match the schema";
        assert_eq!(invalid(get(wrong).await), message);
    }
    let nowhere = bench
        .client
        .get_item()
        .table_name("nowhere")
        .key("id", s("1"))
        .send()
        .await;
    let (code, message) = refused(nowhere);
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(message, "Requested resource not found");
}

#[tokio::test]
async fn an_update_makes_what_is_not_there_and_shows_what_was_asked() {
    let bench = Bench::with_jobs().await;
    let update = |show: ReturnValue| {
        bench
            .client
            .update_item()
            .table_name("jobs")
            .key("id", s("1"))
            .update_expression("SET #s = :s, tries = if_not_exists(tries, :zero) + :one")
            .expression_attribute_names("#s", "status")
            .expression_attribute_values(":s", s("RUNNING"))
            .expression_attribute_values(":zero", num(0))
            .expression_attribute_values(":one", num(1))
            .return_values(show)
            .send()
    };
    let first = update(ReturnValue::UpdatedOld).await.unwrap();
    assert_eq!(first.attributes, None);
    let changed = |tries| item([("status", s("RUNNING")), ("tries", num(tries))]);
    let whole = |tries| {
        item([
            ("id", s("1")),
            ("status", s("RUNNING")),
            ("tries", num(tries)),
        ])
    };
    assert_eq!(
        update(ReturnValue::UpdatedNew).await.unwrap().attributes,
        Some(changed(2))
    );
    assert_eq!(
        update(ReturnValue::UpdatedOld).await.unwrap().attributes,
        Some(changed(2))
    );
    assert_eq!(
        update(ReturnValue::AllNew).await.unwrap().attributes,
        Some(whole(4))
    );
    assert_eq!(
        update(ReturnValue::AllOld).await.unwrap().attributes,
        Some(whole(4))
    );
    assert_eq!(update(ReturnValue::None).await.unwrap().attributes, None);
    // What the store holds is also there for tests.
    let key = [("id".to_owned(), "1".into())].into();
    let held = bench.dynamodb.item(ACCOUNT, REGION, "jobs", &key).unwrap();
    assert_eq!(held["tries"], 6.into());
    assert_eq!(bench.dynamodb.items(ACCOUNT, REGION, "jobs"), [held]);
}

#[tokio::test]
async fn an_update_touches_no_key_and_follows_paths() {
    let bench = Bench::with_jobs().await;
    let update = |text: &str| {
        let update = bench
            .client
            .update_item()
            .table_name("jobs")
            .key("id", s("1"));
        update
            .update_expression(text)
            .expression_attribute_values(":v", num(1))
            .send()
    };
    assert_eq!(
        invalid(update("SET id = :v").await),
        "One or more parameter values were invalid: Cannot update attribute id. This attribute is \
         part of the key"
    );
    assert_eq!(
        invalid(update("SET a.b = :v").await),
        "The document path provided in the update expression is invalid for update"
    );
    assert_eq!(
        invalid(update("SET a = b, c = :v").await),
        "The provided expression refers to an attribute that does not exist in the item"
    );
    let size = update("SET a = :v, b = :w").await;
    assert!(invalid(size).contains("attribute value: :w"));
    // Nothing of it was done.
    assert_eq!(bench.get("jobs", item([("id", s("1"))])).await, None);
}

#[tokio::test]
async fn a_delete_shows_what_went_and_nothing_is_no_error() {
    let bench = Bench::with_jobs().await;
    bench
        .put("jobs", item([("id", s("1")), ("a", num(1))]))
        .await;
    let delete = || {
        let delete = bench
            .client
            .delete_item()
            .table_name("jobs")
            .key("id", s("1"));
        delete.return_values(ReturnValue::AllOld).send()
    };
    let gone = delete().await.unwrap().attributes;
    assert_eq!(gone, Some(item([("id", s("1")), ("a", num(1))])));
    assert_eq!(delete().await.unwrap().attributes, None);
}

#[tokio::test]
async fn projections_show_parts() {
    let bench = Bench::with_jobs().await;
    let map = M(item([("a", num(1)), ("b", num(2))]));
    bench
        .put(
            "jobs",
            item([
                ("id", s("1")),
                ("m", map),
                ("l", L(vec![num(1), num(2), num(3)])),
            ]),
        )
        .await;
    let get = bench.client.get_item().table_name("jobs").key("id", s("1"));
    let get = get
        .projection_expression("#m.b, l[2], l[0], gone")
        .expression_attribute_names("#m", "m");
    let shown = get.send().await.unwrap().item.unwrap();
    let expected = item([
        ("m", M(item([("b", num(2))]))),
        ("l", L(vec![num(1), num(3)])),
    ]);
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn batches_write_and_read_across_tables() {
    let bench = Bench::with_turns().await;
    bench.create_jobs().await;
    let put = |table_item| {
        let put = PutRequest::builder()
            .set_item(Some(table_item))
            .build()
            .unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    bench.put("jobs", item([("id", s("old"))])).await;
    let delete = DeleteRequest::builder()
        .key("id", s("old"))
        .build()
        .unwrap();
    let delete = WriteRequest::builder().delete_request(delete).build();
    let mut jobs: Vec<_> = (0..5)
        .map(|i| put(item([("id", s(&i.to_string()))])))
        .collect();
    jobs.push(delete);
    let answer = bench
        .client
        .batch_write_item()
        .request_items("jobs", jobs)
        .request_items("turns", vec![put(item([("chat", s("a")), ("n", num(1))]))])
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.unprocessed_items, Some([].into()));
    let used: Vec<_> = answer
        .consumed_capacity
        .unwrap()
        .iter()
        .map(|c| c.capacity_units)
        .collect();
    assert_eq!(used, [Some(6.0), Some(1.0)]);

    let keys = |ids: &[&str]| {
        let keys = ids.iter().map(|id| item([("id", s(id))])).collect();
        KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .build()
            .unwrap()
    };
    let get = |asked| {
        bench
            .client
            .batch_get_item()
            .request_items("jobs", asked)
            .send()
    };
    let answer = get(keys(&["4", "old", "2"])).await.unwrap();
    let mut found: Vec<_> = answer.responses.unwrap()["jobs"]
        .iter()
        .map(|job| job["id"].clone())
        .collect();
    found.sort_by_key(|id| id.as_s().unwrap().clone());
    assert_eq!(found, [s("2"), s("4")]);
    assert_eq!(answer.unprocessed_keys, Some([].into()));

    let twice = get(keys(&["1", "1"])).await;
    assert_eq!(
        invalid(twice),
        "Provided list of item keys contains duplicates"
    );
    let ids: Vec<_> = (0..101).map(|i| i.to_string()).collect();
    let many = get(keys(&ids.iter().map(String::as_str).collect::<Vec<_>>())).await;
    assert_eq!(
        invalid(many),
        "Too many items requested for the BatchGetItem call"
    );
    let many = (0..26)
        .map(|i| put(item([("id", s(&i.to_string()))])))
        .collect();
    let many = bench
        .client
        .batch_write_item()
        .request_items("jobs", many)
        .send()
        .await;
    assert_eq!(
        invalid(many),
        "Too many items requested for the BatchWriteItem call"
    );
}

#[tokio::test]
async fn capacity_is_counted_as_documented() {
    let bench = Bench::with_turns().await;
    let turn = |size: usize, user: &str| {
        item([
            ("chat", s("a")),
            ("n", num(1)),
            ("user", s(user)),
            ("at", s("t")),
            ("text", s(&"x".repeat(size))),
        ])
    };
    let put = |turn| {
        let put = bench
            .client
            .put_item()
            .table_name("turns")
            .set_item(Some(turn));
        put.return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .send()
    };
    let used = put(turn(3000, "ann"))
        .await
        .unwrap()
        .consumed_capacity
        .unwrap();
    // 3 KiB in the table and in the index with `text`, keys only in the other.
    assert_eq!(used.table.unwrap().capacity_units, Some(3.0));
    assert_eq!(
        used.global_secondary_indexes.unwrap()["by-user"].capacity_units,
        Some(3.0)
    );
    assert_eq!(
        used.local_secondary_indexes.unwrap()["by-at"].capacity_units,
        Some(1.0)
    );
    assert_eq!(used.capacity_units, Some(7.0));
    // Another index key: away there, and in again.
    let used = put(turn(3000, "bob"))
        .await
        .unwrap()
        .consumed_capacity
        .unwrap();
    assert_eq!(
        used.global_secondary_indexes.unwrap()["by-user"].capacity_units,
        Some(6.0)
    );
    assert_eq!(used.local_secondary_indexes, None);
    for (consistent, units) in [(false, 0.5), (true, 1.0)] {
        let get = bench
            .client
            .get_item()
            .table_name("turns")
            .key("chat", s("a"))
            .key("n", num(1));
        let get = get
            .consistent_read(consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let used = get.send().await.unwrap().consumed_capacity.unwrap();
        assert_eq!((used.capacity_units, used.table), (Some(units), None));
    }
}

#[tokio::test]
async fn an_item_past_its_time_stays_readable() {
    use aws_sdk_dynamodb::types::TimeToLiveSpecification;

    let bench = Bench::with_jobs().await;
    let given = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("expires");
    let update = bench.client.update_time_to_live().table_name("jobs");
    update
        .time_to_live_specification(given.build().unwrap())
        .send()
        .await
        .unwrap();
    let described = bench
        .client
        .describe_time_to_live()
        .table_name("jobs")
        .send()
        .await
        .unwrap();
    let described = described.time_to_live_description.unwrap();
    assert_eq!(described.attribute_name(), Some("expires"));
    assert_eq!(described.time_to_live_status().unwrap().as_str(), "ENABLED");
    let old = item([("id", s("1")), ("expires", num(1))]);
    bench.put("jobs", old.clone()).await;
    assert_eq!(bench.get("jobs", item([("id", s("1"))])).await, Some(old));
    // Code that is right filters.
    let scan = bench
        .client
        .scan()
        .table_name("jobs")
        .filter_expression("expires > :now");
    let alive = scan
        .expression_attribute_values(":now", num(1_700_000_000))
        .send()
        .await
        .unwrap();
    assert_eq!((alive.count, alive.scanned_count), (0, 1));
}

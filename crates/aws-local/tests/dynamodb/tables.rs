//! Tables, tags, limits.

use aws_sdk_dynamodb::{
    operation::create_table::builders::CreateTableFluentBuilder,
    types::{BillingMode, KeyType, ProvisionedThroughput, ScalarAttributeType, Tag},
};

use crate::bench::{ACCOUNT, Bench, REGION, client, defined, invalid, item, key, refused, s};

fn create(bench: &Bench, name: &str) -> CreateTableFluentBuilder {
    let create = bench
        .client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    create.attribute_definitions(defined("id", ScalarAttributeType::S))
}

#[tokio::test]
async fn a_table_is_there_at_once() {
    let bench = Bench::with_jobs().await;
    bench.put("jobs", item([("id", s("1"))])).await;
    let table = bench
        .client
        .describe_table()
        .table_name("jobs")
        .send()
        .await
        .unwrap()
        .table
        .unwrap();
    assert_eq!(table.table_status().unwrap().as_str(), "ACTIVE");
    assert_eq!(
        table.table_arn(),
        Some("arn:aws:dynamodb:us-east-1:123456789012:table/jobs")
    );
    assert_eq!(
        (table.item_count(), table.table_size_bytes()),
        (Some(1), Some(3))
    );
    assert!(table.creation_date_time().is_some());
    // By its ARN, too.
    let arn = table.table_arn().unwrap();
    let found = bench
        .client
        .get_item()
        .table_name(arn)
        .key("id", s("1"))
        .send()
        .await
        .unwrap();
    assert!(found.item.is_some());

    let again = create(&bench, "jobs")
        .key_schema(key("id", KeyType::Hash))
        .send()
        .await;
    assert_eq!(
        refused(again),
        (
            "ResourceInUseException".to_owned(),
            "Table already exists: jobs".to_owned()
        )
    );
    let gone = bench
        .client
        .delete_table()
        .table_name("jobs")
        .send()
        .await
        .unwrap();
    assert_eq!(
        gone.table_description
            .unwrap()
            .table_status
            .unwrap()
            .as_str(),
        "DELETING"
    );
    let nowhere = bench
        .client
        .describe_table()
        .table_name("jobs")
        .send()
        .await;
    assert_eq!(
        refused(nowhere),
        (
            "ResourceNotFoundException".to_owned(),
            "Requested resource not found: Table: jobs not found".to_owned()
        )
    );
    assert_eq!(bench.dynamodb.items(ACCOUNT, REGION, "jobs"), []);
}

#[tokio::test]
async fn definitions_that_do_not_fit_are_refused() {
    let bench = Bench::start().await;
    let hash = || key("id", KeyType::Hash);
    let rows = [
        (
            create(&bench, "t1").key_schema(hash()),
            "TableName must be at least 3 characters long and at most 255 characters long",
        ),
        (
            create(&bench, "a;b").key_schema(hash()),
            "1 validation error detected: Value 'a;b' at 'tableName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
        ),
        (
            create(&bench, "table").key_schema(key("other", KeyType::Hash)),
            "One or more parameter values were invalid: Some index key attributes are not defined in \
             AttributeDefinitions. Keys: [other], AttributeDefinitions: [id]",
        ),
        (
            create(&bench, "table").key_schema(key("id", KeyType::Range)),
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            create(&bench, "table")
                .key_schema(hash())
                .attribute_definitions(defined("more", ScalarAttributeType::N)),
            "One or more parameter values were invalid: Number of attributes in KeySchema does not \
             exactly match number of attributes defined in AttributeDefinitions",
        ),
        (
            create(&bench, "table")
                .key_schema(hash())
                .billing_mode(BillingMode::Provisioned),
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must \
             both be specified when BillingMode is PROVISIONED",
        ),
    ];
    for (create, message) in rows {
        assert_eq!(invalid(create.send().await), message);
    }
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

#[tokio::test]
async fn names_are_listed_in_order_and_in_pages() {
    let bench = Bench::start().await;
    for name in ["ccc", "aaa", "bbb"] {
        create(&bench, name)
            .key_schema(key("id", KeyType::Hash))
            .send()
            .await
            .unwrap();
    }
    let pages = bench
        .client
        .list_tables()
        .limit(2)
        .into_paginator()
        .items()
        .send();
    let names: Vec<String> = pages.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(names, ["aaa", "bbb", "ccc"]);
}

#[tokio::test]
async fn regions_and_accounts_share_nothing() {
    let bench = Bench::with_jobs().await;
    let elsewhere = client(&bench.endpoint, "eu-west-1");
    assert_eq!(
        elsewhere.list_tables().send().await.unwrap().table_names(),
        [] as [String; 0]
    );
    let put = elsewhere
        .put_item()
        .table_name("jobs")
        .item("id", s("1"))
        .send()
        .await;
    assert_eq!(refused(put).0, "ResourceNotFoundException");
}

#[tokio::test]
async fn tags_protection_units_and_limits() {
    let bench = Bench::with_jobs().await;
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/jobs";
    let tag = Tag::builder().key("team").value("blue").build().unwrap();
    bench
        .client
        .tag_resource()
        .resource_arn(arn)
        .tags(tag.clone())
        .send()
        .await
        .unwrap();
    let list = || {
        bench
            .client
            .list_tags_of_resource()
            .resource_arn(arn)
            .send()
    };
    assert_eq!(list().await.unwrap().tags(), [tag]);
    bench
        .client
        .untag_resource()
        .resource_arn(arn)
        .tag_keys("team")
        .send()
        .await
        .unwrap();
    assert_eq!(list().await.unwrap().tags(), []);

    let update = || bench.client.update_table().table_name("jobs");
    update()
        .deletion_protection_enabled(true)
        .send()
        .await
        .unwrap();
    let protected = bench.client.delete_table().table_name("jobs").send().await;
    assert!(invalid(protected).contains("currently protected against deletion"));
    let units = ProvisionedThroughput::builder()
        .read_capacity_units(5)
        .write_capacity_units(6);
    let update = update().billing_mode(BillingMode::Provisioned);
    let table = update
        .provisioned_throughput(units.build().unwrap())
        .send()
        .await
        .unwrap();
    let units = table
        .table_description
        .unwrap()
        .provisioned_throughput
        .unwrap();
    assert_eq!(
        (units.read_capacity_units, units.write_capacity_units),
        (Some(5), Some(6))
    );

    let limits = bench.client.describe_limits().send().await.unwrap();
    assert_eq!(limits.table_max_read_capacity_units(), Some(40_000));
    let endpoints = bench.client.describe_endpoints().send().await.unwrap();
    assert!(
        bench
            .endpoint
            .url()
            .ends_with(endpoints.endpoints()[0].address())
    );
}

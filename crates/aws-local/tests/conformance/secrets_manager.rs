//! Secrets, their versions and staging labels.

use std::collections::HashMap;

use aws_sdk_secretsmanager::{
    Client,
    primitives::Blob,
    types::{Filter, FilterNameStringType as Key, SortOrderType, Tag},
};

use crate::bench::{ACCOUNT, Bench, REGION, START, refused};

/// A filter, if any.
type Asked = Option<(Key, &'static str)>;

async fn create(client: &Client, name: &str, value: &str) -> String {
    let created = client
        .create_secret()
        .name(name)
        .secret_string(value)
        .send()
        .await;
    created.unwrap().arn.unwrap()
}

async fn value(client: &Client, id: &str, stage: &str) -> Option<String> {
    let got = client
        .get_secret_value()
        .secret_id(id)
        .version_stage(stage)
        .send()
        .await;
    got.ok()?.secret_string
}

async fn versions(client: &Client, id: &str) -> HashMap<String, Vec<String>> {
    let described = client.describe_secret().secret_id(id).send().await.unwrap();
    described.version_ids_to_stages.unwrap_or_default()
}

#[tokio::test]
async fn a_secret_is_found_by_name_and_arn() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    let arn = create(&client, "prod/db", "s3cret").await;
    let partial = format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/db");
    assert_eq!(arn.strip_prefix(&format!("{partial}-")).unwrap().len(), 6);
    for id in ["prod/db", &arn, &partial] {
        let got = client
            .get_secret_value()
            .secret_id(id)
            .send()
            .await
            .unwrap();
        assert_eq!(got.secret_string(), Some("s3cret"));
        assert_eq!(got.arn(), Some(arn.as_str()));
        assert_eq!(got.name(), Some("prod/db"));
        assert_eq!(got.version_stages(), ["AWSCURRENT"]);
        assert_eq!(got.created_date().unwrap().secs(), START.unix_timestamp());
    }
    let abroad = arn.replace(REGION, "eu-west-1");
    for id in [
        "other",
        "prod",
        &abroad,
        "arn:",
        &format!("{partial}-a1b2c3"),
    ] {
        let got = client.get_secret_value().secret_id(id).send().await;
        let (code, text) = refused(got);
        assert_eq!(code, "ResourceNotFoundException", "{id}");
        assert_eq!(text, "Secrets Manager can't find the specified secret.");
    }
    // Observed: a name that ends like an ARN is not found by an ARN without its end.
    let arn = create(&client, "name-a1b2c3", "1").await;
    assert!(
        client
            .describe_secret()
            .secret_id(&arn)
            .send()
            .await
            .is_ok()
    );
    let partial = arn.rsplit_once('-').unwrap().0;
    assert!(
        client
            .describe_secret()
            .secret_id(partial)
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn bytes_are_kept_as_they_are() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    let bytes = Blob::new(vec![0, 1, 2, 255]);
    client
        .create_secret()
        .name("key")
        .secret_binary(bytes.clone())
        .send()
        .await
        .unwrap();
    let got = client
        .get_secret_value()
        .secret_id("key")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (got.secret_binary(), got.secret_string()),
        (Some(&bytes), None)
    );
    let both = client
        .put_secret_value()
        .secret_id("key")
        .secret_binary(bytes);
    let (code, text) = refused(both.secret_string("1").send().await);
    assert_eq!(code, "InvalidParameterException");
    assert!(
        text.contains("both a binary secret value and a string secret value"),
        "{text}"
    );
    let neither = client.put_secret_value().secret_id("key").send().await;
    let (_, text) = refused(neither);
    assert_eq!(
        text,
        "You must provide either SecretString or SecretBinary."
    );
}

#[tokio::test]
async fn names_are_checked_and_taken_once() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    create(&client, "db", "1").await;
    let (code, text) = refused(
        client
            .create_secret()
            .name("db")
            .secret_string("2")
            .send()
            .await,
    );
    assert_eq!(code, "ResourceExistsException");
    assert_eq!(
        text,
        "The operation failed because the secret db already exists."
    );
    let (code, text) = refused(client.create_secret().name("Inv Name").send().await);
    assert_eq!(code, "ValidationException");
    assert_eq!(
        text,
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!"
    );
    let long = client
        .create_secret()
        .name("long")
        .secret_string("a".repeat(65_537));
    let (code, text) = refused(long.send().await);
    assert_eq!(code, "ValidationException");
    assert!(!text.contains("aaa"), "values are not told");
}

#[tokio::test]
async fn a_retried_request_is_the_same_request() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    let token = "3b241101-e2bb-4255-8caf-4136c566a962";
    let create = |value: &str| {
        let call = client.create_secret().name("db").secret_string(value);
        call.client_request_token(token).send()
    };
    let first = create("1").await.unwrap();
    assert_eq!(first.version_id(), Some(token));
    let again = create("1").await.unwrap();
    assert_eq!(
        (again.arn(), again.version_id()),
        (first.arn(), first.version_id())
    );
    assert_eq!(refused(create("2").await).0, "ResourceExistsException");
    let put = |value: &str| {
        let call = client
            .put_secret_value()
            .secret_id("db")
            .secret_string(value);
        call.client_request_token(token).send()
    };
    put("1").await.unwrap();
    let (code, text) = refused(put("2").await);
    assert_eq!(code, "ResourceExistsException");
    assert!(
        text.starts_with(&format!("You can't use ClientRequestToken {token}")),
        "{text}"
    );
    assert_eq!(versions(&client, "db").await.len(), 1);
    let short = client.put_secret_value().secret_id("db").secret_string("3");
    let (code, _) = refused(short.client_request_token("short").send().await);
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn the_value_before_stays_as_previous() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    create(&client, "db", "1").await;
    assert_eq!(value(&client, "db", "AWSPREVIOUS").await, None);
    client
        .put_secret_value()
        .secret_id("db")
        .secret_string("2")
        .send()
        .await
        .unwrap();
    client
        .update_secret()
        .secret_id("db")
        .secret_string("3")
        .send()
        .await
        .unwrap();
    assert_eq!(
        value(&client, "db", "AWSCURRENT").await.as_deref(),
        Some("3")
    );
    assert_eq!(
        value(&client, "db", "AWSPREVIOUS").await.as_deref(),
        Some("2")
    );
    assert_eq!(versions(&client, "db").await.len(), 2);
    let listed = client.list_secret_version_ids().secret_id("db");
    assert_eq!(listed.send().await.unwrap().versions().len(), 2);
    let listed = client
        .list_secret_version_ids()
        .secret_id("db")
        .include_deprecated(true);
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.versions().len(), 3);
    assert_eq!(listed.versions()[0].version_stages, None);
    assert_eq!(listed.versions()[0].kms_key_ids(), ["DefaultEncryptionKey"]);
    let (_, text) = refused(
        client
            .get_secret_value()
            .secret_id("db")
            .version_stage("AWSPENDING")
            .send()
            .await,
    );
    assert_eq!(
        text,
        "Secrets Manager can't find the specified secret value for staging label: AWSPENDING"
    );
}

#[tokio::test]
async fn a_rotation_moves_labels() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    create(&client, "db", "old").await;
    let old = versions(&client, "db").await.into_keys().next().unwrap();
    let put = client
        .put_secret_value()
        .secret_id("db")
        .secret_string("new");
    let put = put.version_stages("AWSPENDING").send().await.unwrap();
    assert_eq!(put.version_stages(), ["AWSPENDING"]);
    let new = put.version_id.unwrap();
    assert_eq!(
        value(&client, "db", "AWSCURRENT").await.as_deref(),
        Some("old")
    );
    assert_eq!(
        value(&client, "db", "AWSPENDING").await.as_deref(),
        Some("new")
    );

    let step = || {
        client
            .update_secret_version_stage()
            .secret_id("db")
            .version_stage("AWSCURRENT")
    };
    let (code, text) = refused(step().move_to_version_id(&new).send().await);
    assert_eq!(code, "InvalidParameterException");
    assert!(
        text.contains(&format!("currently attached to version {old}")),
        "{text}"
    );
    let (_, text) = refused(step().remove_from_version_id(&old).send().await);
    assert!(text.contains("can't be completely removed"), "{text}");
    step()
        .move_to_version_id(&new)
        .remove_from_version_id(&old)
        .send()
        .await
        .unwrap();
    let labels = versions(&client, "db").await;
    assert_eq!(labels[&new], ["AWSCURRENT", "AWSPENDING"]);
    assert_eq!(labels[&old], ["AWSPREVIOUS"]);
    let done = client
        .update_secret_version_stage()
        .secret_id("db")
        .version_stage("AWSPENDING");
    done.remove_from_version_id(&new).send().await.unwrap();
    // And back.
    step()
        .move_to_version_id(&old)
        .remove_from_version_id(&new)
        .send()
        .await
        .unwrap();
    let labels = versions(&client, "db").await;
    assert_eq!(
        (&labels[&old][..], &labels[&new][..]),
        (
            &["AWSCURRENT".to_owned()][..],
            &["AWSPREVIOUS".to_owned()][..]
        )
    );

    let both = |id: &str, stage: &str| {
        let call = client.get_secret_value().secret_id("db").version_id(id);
        call.version_stage(stage).send()
    };
    assert_eq!(
        both(&new, "AWSPREVIOUS").await.unwrap().secret_string(),
        Some("new")
    );
    let (code, text) = refused(both(&new, "AWSCURRENT").await);
    assert_eq!(code, "InvalidRequestException");
    assert_eq!(
        text,
        "You provided a VersionStage that is not associated to the provided VersionId."
    );
    let unknown = "0".repeat(36);
    let (_, text) = refused(
        client
            .get_secret_value()
            .secret_id("db")
            .version_id(&unknown)
            .send()
            .await,
    );
    assert_eq!(
        text,
        format!("Secrets Manager can't find the specified secret value for VersionId: {unknown}")
    );
}

#[tokio::test]
async fn a_secret_without_a_value_has_no_version() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    let created = client
        .create_secret()
        .name("db")
        .description("none yet")
        .send()
        .await
        .unwrap();
    assert_eq!(created.version_id(), None);
    let (_, text) = refused(client.get_secret_value().secret_id("db").send().await);
    assert_eq!(
        text,
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    );
    // The first value is the current one, whatever the request says.
    let put = client.put_secret_value().secret_id("db").secret_string("1");
    put.version_stages("AWSPENDING").send().await.unwrap();
    assert_eq!(
        value(&client, "db", "AWSCURRENT").await.as_deref(),
        Some("1")
    );
}

#[tokio::test]
async fn a_deleted_secret_can_be_restored_until_its_window_ends() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    create(&client, "db", "1").await;
    let deleted = client
        .delete_secret()
        .secret_id("db")
        .recovery_window_in_days(7);
    let deleted = deleted.send().await.unwrap();
    let gone = START.unix_timestamp() + 7 * 86_400;
    assert_eq!(deleted.deletion_date().unwrap().secs(), gone);
    let (code, text) = refused(client.get_secret_value().secret_id("db").send().await);
    assert_eq!(code, "InvalidRequestException");
    assert_eq!(
        text,
        "You can't perform this operation on the secret because it was marked for deletion."
    );
    let tag = Tag::builder().key("a").value("b").build();
    assert_eq!(
        refused(client.tag_resource().secret_id("db").tags(tag).send().await).1,
        text
    );
    let (_, text) = refused(client.create_secret().name("db").send().await);
    assert_eq!(
        text,
        "You can't create this secret because a secret with this name is already scheduled for \
         deletion."
    );
    assert_eq!(
        client
            .list_secrets()
            .send()
            .await
            .unwrap()
            .secret_list()
            .len(),
        0
    );
    let planned = client
        .list_secrets()
        .include_planned_deletion(true)
        .send()
        .await
        .unwrap();
    assert_eq!(
        planned.secret_list()[0].deleted_date().unwrap().secs(),
        gone
    );
    client
        .restore_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    assert_eq!(
        value(&client, "db", "AWSCURRENT").await.as_deref(),
        Some("1")
    );

    client.delete_secret().secret_id("db").send().await.unwrap();
    bench.pass(30 * 86_400 - 1);
    assert!(
        client
            .describe_secret()
            .secret_id("db")
            .send()
            .await
            .unwrap()
            .deleted_date()
            .is_some()
    );
    bench.pass(1);
    assert_eq!(
        refused(client.describe_secret().secret_id("db").send().await).0,
        "ResourceNotFoundException"
    );
    create(&client, "db", "again").await;
}

#[tokio::test]
async fn a_forced_deletion_is_at_once() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    let first = create(&client, "db", "1").await;
    let force = || {
        client
            .delete_secret()
            .secret_id("db")
            .force_delete_without_recovery(true)
    };
    let (_, text) = refused(force().recovery_window_in_days(7).send().await);
    assert_eq!(
        text,
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
    );
    let (_, text) = refused(
        client
            .delete_secret()
            .secret_id("db")
            .recovery_window_in_days(6)
            .send()
            .await,
    );
    assert_eq!(
        text,
        "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    );
    force().send().await.unwrap();
    force()
        .send()
        .await
        .expect("no error about a secret that there is not");
    assert_ne!(create(&client, "db", "2").await, first, "another secret");
}

#[tokio::test]
async fn secrets_are_listed_filtered_and_in_pages() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    for (name, description, stage) in [
        ("prod/db", "The database", "prod"),
        ("prod/api", "Somebody's API", "prod"),
        ("test/db", "For tests", "test"),
    ] {
        let tag = Tag::builder().key("stage").value(stage).build();
        let call = client
            .create_secret()
            .name(name)
            .description(description)
            .tags(tag);
        call.secret_string("1").send().await.unwrap();
        bench.pass(1);
    }
    let names = |filter: Asked| {
        let filters =
            filter.map(|(key, value)| vec![Filter::builder().key(key).values(value).build()]);
        let call = client.list_secrets().set_filters(filters).send();
        async move {
            let listed = call.await.unwrap().secret_list.unwrap().into_iter();
            listed
                .map(|secret| secret.name.unwrap())
                .collect::<Vec<_>>()
        }
    };
    let rows: [(Asked, &[&str]); 8] = [
        (None, &["prod/db", "prod/api", "test/db"]),
        (Some((Key::Name, "prod/")), &["prod/db", "prod/api"]),
        (Some((Key::Name, "db")), &[]),
        (Some((Key::Name, "!prod")), &["test/db"]),
        (Some((Key::Description, "somebody")), &["prod/api"]),
        (
            Some((Key::TagKey, "sta")),
            &["prod/db", "prod/api", "test/db"],
        ),
        (Some((Key::TagValue, "test")), &["test/db"]),
        (Some((Key::All, "DATABASE prod")), &["prod/db"]),
    ];
    for (filter, expected) in rows {
        let shown = format!("{filter:?}");
        assert_eq!(names(filter).await, expected, "{shown}");
    }
    let first = client
        .list_secrets()
        .max_results(2)
        .sort_order(SortOrderType::Desc);
    let first = first.send().await.unwrap();
    assert_eq!(first.secret_list()[0].name(), Some("test/db"));
    assert_eq!(first.secret_list().len(), 2);
    let rest = client
        .list_secrets()
        .max_results(2)
        .sort_order(SortOrderType::Desc);
    let rest = rest.set_next_token(first.next_token).send().await.unwrap();
    assert_eq!(rest.secret_list()[0].name(), Some("prod/db"));
    assert_eq!(rest.next_token(), None);
    let (code, _) = refused(client.list_secrets().next_token("nonsense").send().await);
    assert_eq!(code, "InvalidNextTokenException");
    let (code, _) = refused(client.list_secrets().max_results(101).send().await);
    assert_eq!(code, "ValidationException");
    let odd = Filter::builder().key("colour".into()).values("red").build();
    let (code, _) = refused(client.list_secrets().filters(odd).send().await);
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn a_secret_is_described_without_its_value() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    create(&client, "db", "1").await;
    bench.pass(60);
    let update = client
        .update_secret()
        .secret_id("db")
        .description("The database");
    assert_eq!(update.send().await.unwrap().version_id(), None);
    for (key, value) in [("stage", "test"), ("team", "blue"), ("stage", "prod")] {
        let tag = Tag::builder().key(key).value(value).build();
        client
            .tag_resource()
            .secret_id("db")
            .tags(tag)
            .send()
            .await
            .unwrap();
    }
    client
        .untag_resource()
        .secret_id("db")
        .tag_keys("team")
        .send()
        .await
        .unwrap();
    let described = client
        .describe_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    assert_eq!(described.description(), Some("The database"));
    assert_eq!(
        described.tags(),
        [Tag::builder().key("stage").value("prod").build()]
    );
    assert_eq!(
        described.created_date().unwrap().secs(),
        START.unix_timestamp()
    );
    assert_eq!(
        described.last_changed_date().unwrap().secs(),
        START.unix_timestamp() + 60
    );
    assert_eq!(described.last_accessed_date(), None);
    value(&client, "db", "AWSCURRENT").await;
    let described = client
        .describe_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    let day = START.unix_timestamp() / 86_400 * 86_400;
    assert_eq!(described.last_accessed_date().unwrap().secs(), day);
}

#[tokio::test]
async fn several_values_are_read_at_once() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    for name in ["a", "b"] {
        create(&client, name, name).await;
    }
    let batch = client
        .batch_get_secret_value()
        .secret_id_list("a")
        .secret_id_list("nowhere");
    let batch = batch.send().await.unwrap();
    assert_eq!(batch.secret_values()[0].secret_string(), Some("a"));
    assert_eq!(
        batch.errors()[0].error_code(),
        Some("ResourceNotFoundException")
    );
    assert_eq!(batch.errors()[0].secret_id(), Some("nowhere"));
    let filter = Filter::builder().key(Key::Name).values("b").build();
    let batch = client
        .batch_get_secret_value()
        .filters(filter)
        .send()
        .await
        .unwrap();
    assert_eq!(batch.secret_values().len(), 1);
    let (code, _) = refused(client.batch_get_secret_value().send().await);
    assert_eq!(code, "InvalidParameterException");
}

#[tokio::test]
async fn passwords_are_as_asked_for() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    let first = client
        .get_random_password()
        .send()
        .await
        .unwrap()
        .random_password
        .unwrap();
    assert_eq!(first.len(), 32);
    let kinds: [fn(&char) -> bool; 4] = [
        char::is_ascii_lowercase,
        char::is_ascii_uppercase,
        char::is_ascii_digit,
        char::is_ascii_punctuation,
    ];
    for kind in kinds {
        assert!(first.chars().any(|c| kind(&c)), "{first}");
    }
    let second = client
        .get_random_password()
        .send()
        .await
        .unwrap()
        .random_password
        .unwrap();
    assert_ne!(first, second);
    let digits = client
        .get_random_password()
        .password_length(4)
        .exclude_lowercase(true);
    let digits = digits
        .exclude_uppercase(true)
        .exclude_punctuation(true)
        .exclude_characters("01234");
    let digits = digits.send().await.unwrap().random_password.unwrap();
    assert!(
        digits.len() == 4 && digits.chars().all(|c| ('5'..='9').contains(&c)),
        "{digits}"
    );
    let (_, text) = refused(client.get_random_password().password_length(3).send().await);
    assert_eq!(
        text,
        "The password length is too short based on the required types."
    );
    let (code, _) = refused(client.get_random_password().password_length(0).send().await);
    assert_eq!(code, "InvalidParameterException");
}

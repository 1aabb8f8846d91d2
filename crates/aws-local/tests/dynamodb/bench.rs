//! A table to work with, and short words for what tests say often.

use std::{collections::HashMap, sync::Arc};

use aws_local::DynamoDb;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
        KeyType, LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType,
    },
};
use aws_smithy_http_client::Builder as HttpClient;
use bedrock_emulator::{Emulator, emulator::Latency};
use bedrock_endpoint::Endpoint;

pub(crate) use AttributeValue::{L, M, N, S};

/// What tests call an item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An emulator with `DynamoDB` on a free port.
pub(crate) struct Bench {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) endpoint: Endpoint,
    pub(crate) client: Client,
}

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut bedrock_emulator::Config)) -> Self {
        let dynamodb = DynamoDb::new();
        let mut config = bedrock_emulator::Config {
            latency: Latency::none(),
            neighbours: vec![dynamodb.neighbour()],
            ..bedrock_emulator::Config::default()
        };
        change(&mut config);
        let emulator = Arc::new(Emulator::new(config).unwrap());
        let endpoint = Endpoint::bind(([127, 0, 0, 1], 0).into(), emulator)
            .await
            .unwrap();
        let client = client(&endpoint, REGION);
        Self {
            dynamodb,
            endpoint,
            client,
        }
    }

    /// With the table `jobs`: partition key `id`.
    pub(crate) async fn with_jobs() -> Self {
        let bench = Self::start().await;
        bench.create_jobs().await;
        bench
    }

    pub(crate) async fn create_jobs(&self) {
        let create = self.client.create_table().table_name("jobs");
        let create = create.billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(defined("id", ScalarAttributeType::S));
        create
            .key_schema(key("id", KeyType::Hash))
            .send()
            .await
            .unwrap();
    }

    /// With the table `turns`: partition key `chat`, sort key `n` (a number), a global index `by-user`
    /// (`user`, `at`) that holds keys and `text`, and a local index `by-at` that holds keys.
    pub(crate) async fn with_turns() -> Self {
        let bench = Self::start().await;
        let by_user = GlobalSecondaryIndex::builder()
            .index_name("by-user")
            .key_schema(key("user", KeyType::Hash))
            .key_schema(key("at", KeyType::Range))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::Include)
                    .non_key_attributes("text")
                    .build(),
            )
            .build()
            .unwrap();
        let by_at = LocalSecondaryIndex::builder()
            .index_name("by-at")
            .key_schema(key("chat", KeyType::Hash))
            .key_schema(key("at", KeyType::Range))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::KeysOnly)
                    .build(),
            )
            .build()
            .unwrap();
        let create = bench.client.create_table().table_name("turns");
        let create = create.billing_mode(BillingMode::PayPerRequest);
        create
            .attribute_definitions(defined("chat", ScalarAttributeType::S))
            .attribute_definitions(defined("n", ScalarAttributeType::N))
            .attribute_definitions(defined("user", ScalarAttributeType::S))
            .attribute_definitions(defined("at", ScalarAttributeType::S))
            .key_schema(key("chat", KeyType::Hash))
            .key_schema(key("n", KeyType::Range))
            .global_secondary_indexes(by_user)
            .local_secondary_indexes(by_at)
            .send()
            .await
            .unwrap();
        bench
    }

    pub(crate) async fn put(&self, table: &str, item: Item) {
        let put = self.client.put_item().table_name(table);
        put.set_item(Some(item)).send().await.unwrap();
    }

    pub(crate) async fn get(&self, table: &str, key: Item) -> Option<Item> {
        let get = self.client.get_item().table_name(table);
        get.set_key(Some(key)).send().await.unwrap().item
    }

    /// A turn of a chat.
    pub(crate) async fn turn(&self, chat: &str, n: i64, user: &str, at: &str) {
        let turn = item([
            ("chat", s(chat)),
            ("n", num(n)),
            ("user", s(user)),
            ("at", s(at)),
            ("text", s(&format!("turn {n}"))),
            ("cost", num(n * 10)),
        ]);
        self.put("turns", turn).await;
    }
}

pub(crate) fn client(endpoint: &Endpoint, region: &str) -> Client {
    let given = endpoint.emulator().config();
    let signer = &given.credentials[0];
    let (id, secret) = (&signer.access_key_id, &signer.secret_access_key);
    let credentials = Credentials::new(id, secret, None, None, "test");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(HttpClient::new().build_http())
        .endpoint_url(endpoint.url())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

pub(crate) fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    let element = KeySchemaElement::builder().attribute_name(name);
    element.key_type(kind).build().unwrap()
}

pub(crate) fn defined(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    let definition = AttributeDefinition::builder().attribute_name(name);
    definition.attribute_type(kind).build().unwrap()
}

pub(crate) fn s(text: &str) -> AttributeValue {
    S(text.to_owned())
}

pub(crate) fn num(number: i64) -> AttributeValue {
    N(number.to_string())
}

pub(crate) fn item<const COUNT: usize>(attributes: [(&str, AttributeValue); COUNT]) -> Item {
    attributes
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// The code and the text of an error answer.
pub(crate) fn refused<T: std::fmt::Debug, E, R>(
    result: Result<T, SdkError<E, R>>,
) -> (String, String)
where
    SdkError<E, R>: ProvideErrorMetadata,
{
    let error = result.expect_err("an error");
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (text(error.code()), text(error.message()))
}

/// The text of a `ValidationException`.
pub(crate) fn invalid<T: std::fmt::Debug, E, R>(result: Result<T, SdkError<E, R>>) -> String
where
    SdkError<E, R>: ProvideErrorMetadata,
{
    let (code, message) = refused(result);
    assert_eq!(code, "ValidationException", "{message}");
    message
}

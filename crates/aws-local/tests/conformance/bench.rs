//! One emulator with all services for one test, and the real SDKs' clients.

use std::{collections::HashMap, fmt::Debug, net::Ipv4Addr, sync::Arc};

use aws_local::{Clock as _, ManualClock, Services};
use aws_sdk_sqs::{
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    types::{Message, QueueAttributeName},
};
use aws_smithy_http_client::Builder as HttpClient;
use bedrock_emulator::{Config, Emulator, emulator::Auth, journal::Entry};
use bedrock_endpoint::{Endpoint, Setup};
use time::{Duration, OffsetDateTime};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";

/// Where every test's time begins: noon of 22 November 2026, UTC.
pub(crate) const START: OffsetDateTime = match OffsetDateTime::from_unix_timestamp(1_795_348_800) {
    Ok(start) => start,
    Err(_) => panic!("a moment of this century"),
};

pub(crate) struct Bench {
    pub(crate) clock: ManualClock,
    pub(crate) services: Services,
    pub(crate) endpoint: Endpoint,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = ManualClock::at(START);
        let services = Services::new(Arc::new(clock.clone()));
        let mut config = Config {
            neighbours: services.neighbours(),
            ..Config::default()
        };
        change(&mut config);
        let emulator = Arc::new(Emulator::new(config).unwrap());
        let endpoint = Endpoint::bind((Ipv4Addr::LOCALHOST, 0).into(), emulator).await;
        Self {
            clock,
            services,
            endpoint: endpoint.unwrap(),
        }
    }

    /// The same, in whose emulator, too, time stands still; nobody has to sign.
    pub(crate) async fn with_one_clock() -> Self {
        let clock = ManualClock::at(START);
        let services = Services::new(Arc::new(clock.clone()));
        let config = Config {
            neighbours: services.neighbours(),
            auth: Auth::Off,
            ..Config::default()
        };
        let emulator = Arc::new(Emulator::new(config).unwrap());
        let told = clock.clone();
        let setup = Setup {
            clock: bedrock_endpoint::Clock::new(move || told.now()),
            ..Setup::default()
        };
        let endpoint = Endpoint::open((Ipv4Addr::LOCALHOST, 0).into(), emulator, setup).await;
        Self {
            clock,
            services,
            endpoint: endpoint.unwrap(),
        }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(Duration::seconds(seconds));
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let signer = &self.endpoint.emulator().config().credentials[0];
        let (id, secret) = (&signer.access_key_id, &signer.secret_access_key);
        Credentials::new(id, secret, None, None, "bench")
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs_in(REGION)
    }

    pub(crate) fn sqs_in(&self, region: &'static str) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().build_http())
            .endpoint_url(self.endpoint.url())
            .region(Region::new(region))
            .credentials_provider(self.credentials())
            .retry_config(RetryConfig::disabled());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    pub(crate) fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        let config = aws_sdk_cloudwatch::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().build_http())
            .endpoint_url(self.endpoint.url())
            .region(Region::new(REGION))
            .credentials_provider(self.credentials())
            .retry_config(RetryConfig::disabled());
        aws_sdk_cloudwatch::Client::from_conf(config.build())
    }

    pub(crate) fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().build_http())
            .endpoint_url(self.endpoint.url())
            .region(Region::new(REGION))
            .credentials_provider(self.credentials())
            .retry_config(RetryConfig::disabled());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }

    pub(crate) fn last_entry(&self) -> Entry {
        self.endpoint.emulator().journal().pop().unwrap()
    }

    /// A queue with these attributes, and a client.
    pub(crate) async fn queue(&self, name: &str, attributes: &[(&str, &str)]) -> Queue {
        let client = self.sqs();
        let attributes = attributes
            .iter()
            .map(|(name, value)| (QueueAttributeName::from(*name), (*value).to_owned()));
        let created = client
            .create_queue()
            .queue_name(name)
            .set_attributes(Some(attributes.collect::<HashMap<_, _>>()))
            .send()
            .await
            .unwrap();
        Queue {
            client,
            url: created.queue_url.unwrap(),
            arn: format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"),
        }
    }

    /// The same with a queue for what is received more than so often.
    pub(crate) async fn queue_with_dead_letters(
        &self,
        name: &str,
        receives_max: u32,
    ) -> (Queue, Queue) {
        let suffix = if name.strip_suffix(".fifo").is_some() {
            ".fifo"
        } else {
            ""
        };
        let mut fifo = vec![("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];
        fifo.retain(|_| !suffix.is_empty());
        let dead = self.queue(&format!("dead{suffix}"), &fifo).await;
        let policy = format!(
            r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"{receives_max}"}}"#,
            dead.arn
        );
        fifo.push(("RedrivePolicy", &policy));
        (self.queue(name, &fifo).await, dead)
    }
}

pub(crate) struct Queue {
    pub(crate) client: aws_sdk_sqs::Client,
    pub(crate) url: String,
    pub(crate) arn: String,
}

impl Queue {
    pub(crate) async fn send(&self, body: &str) -> String {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body);
        sent.send().await.unwrap().message_id.unwrap()
    }

    /// To a FIFO queue.
    pub(crate) async fn send_to(&self, group: &str, body: &str) -> String {
        let sent = self.client.send_message().queue_url(&self.url);
        let sent = sent.message_group_id(group).message_body(body).send().await;
        sent.unwrap().message_id.unwrap()
    }

    /// Up to ten messages.
    pub(crate) async fn receive(&self) -> Vec<Message> {
        let call = self.client.receive_message().queue_url(&self.url);
        let call = call.max_number_of_messages(10);
        let call = call.message_system_attribute_names("All".into());
        let received = call.message_attribute_names("All").send().await;
        received.unwrap().messages.unwrap_or_default()
    }

    /// The bodies of up to ten messages.
    pub(crate) async fn bodies(&self) -> Vec<String> {
        let messages = self.receive().await.into_iter();
        messages.map(|message| message.body.unwrap()).collect()
    }

    pub(crate) async fn receive_one(&self) -> Message {
        let call = self.client.receive_message().queue_url(&self.url);
        let call = call.message_system_attribute_names("All".into());
        let received = call.send().await.unwrap();
        received.messages.unwrap().remove(0)
    }

    pub(crate) async fn delete(&self, message: &Message) {
        let call = self.client.delete_message().queue_url(&self.url);
        let call = call.receipt_handle(receipt(message));
        call.send().await.unwrap();
    }

    pub(crate) async fn hide(&self, message: &Message, seconds: i32) {
        let call = self.client.change_message_visibility().queue_url(&self.url);
        let call = call
            .receipt_handle(receipt(message))
            .visibility_timeout(seconds);
        call.send().await.unwrap();
    }

    pub(crate) async fn attribute(&self, name: &str) -> Option<String> {
        let call = self.client.get_queue_attributes().queue_url(&self.url);
        let call = call.attribute_names(QueueAttributeName::from(name));
        let told = call.send().await.unwrap().attributes.unwrap_or_default();
        told.get(&QueueAttributeName::from(name)).cloned()
    }

    /// Visible, in flight, delayed.
    pub(crate) async fn counts(&self) -> [String; 3] {
        let mut counts = [const { String::new() }; 3];
        for (count, name) in counts.iter_mut().zip(["", "NotVisible", "Delayed"]) {
            let name = format!("ApproximateNumberOfMessages{name}");
            *count = self.attribute(&name).await.unwrap();
        }
        counts
    }
}

pub(crate) fn receipt(message: &Message) -> &str {
    message.receipt_handle().unwrap()
}

/// A message's system attribute.
pub(crate) fn system(message: &Message, name: &str) -> String {
    let attributes = message.attributes().unwrap();
    attributes.get(&name.into()).cloned().unwrap_or_default()
}

/// Code and text of the error with which a call must end.
pub(crate) fn refused<T: Debug, E>(result: Result<T, SdkError<E>>) -> (String, String)
where
    E: ProvideErrorMetadata + Debug,
{
    let error = result.expect_err("the call must be refused");
    let service = error.as_service_error().expect("by the service");
    let (code, text) = (service.code().unwrap_or_default(), service.message());
    (code.to_owned(), text.unwrap_or_default().to_owned())
}

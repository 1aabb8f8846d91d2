//! What an exercise about more than Bedrock needs: [`AwsLab`], a [`Lab`] that also answers for SQS,
//! `DynamoDB`, Secrets Manager, Lambda, Step Functions and API Gateway, on the same port, with the same
//! journal, faults and policies.
//!
//! Exercises about Bedrock alone take `workshop-testkit`, and build none of this.

mod network;

use std::{
    env,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use aws_credential_types::Credentials;
pub use aws_local;
use aws_local::{
    Clock, ManualClock, Services,
    lambda::Function,
    sqs::QueueHandle,
    states::{self, Listener, States, Time},
};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_runtime_api::client::{behavior_version::BehaviorVersion, http::SharedHttpClient};
use aws_types::{
    SdkConfig,
    region::Region,
    sdk_config::{RetryConfig, SharedCredentialsProvider},
};
use time::OffsetDateTime;
#[cfg(unix)]
use workshop_prelink_aws as _;
use workshop_testkit::{Actor, Credential, Lab, Lights, Setup, TraceStatus};

/// One emulator with every service, on a free loopback port, gone when dropped.
///
/// The services' time stands still until the test moves [the clock](AwsLab::clock): a visibility
/// timeout, a lease or a cache's time to live costs a test no time. Step Functions has a time of its
/// own, which jumps over what it waits for.
///
/// ```
/// # async fn test() {
/// use workshop_testkit_aws::AwsLab;
///
/// let lab = AwsLab::start().await;
/// let queues = aws_sdk_sqs::Client::new(&lab.sdk_config());
/// queues.create_queue().queue_name("jobs").send().await.unwrap();
/// assert_eq!(lab.calls()[0].operation, "CreateQueue");
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the services are gone as soon as the lab is dropped"]
pub struct AwsLab {
    lab: Lab,
    services: Services,
    clock: ManualClock,
}

impl AwsLab {
    /// A lab with the default set-up.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// A lab with another set-up.
    ///
    /// # Panics
    ///
    /// As [`Lab::with`] does.
    pub async fn with(setup: Setup) -> Self {
        Self::at(ManualClock::at(OffsetDateTime::now_utc()), setup).await
    }

    /// A lab in which the emulator, too, has the time of [the clock](AwsLab::clock): credentials
    /// expire, alarms look back and signatures grow old when the test moves it. Clients of this
    /// process sign with that time; Lambda functions are processes with the system's, and no longer
    /// believed once the clock is five minutes away from it.
    ///
    /// ```
    /// # async fn test() {
    /// let lab = workshop_testkit_aws::AwsLab::with_one_clock().await;
    /// lab.clock().advance(time::Duration::hours(1));
    /// # }
    /// ```
    pub async fn with_one_clock() -> Self {
        let clock = ManualClock::at(OffsetDateTime::now_utc());
        let told = clock.clone();
        let setup = Setup {
            clock: workshop_testkit::Clock::new(move || told.now()),
            ..Setup::default()
        };
        Self::at(clock, setup).await
    }

    async fn at(clock: ManualClock, mut setup: Setup) -> Self {
        let told: Arc<dyn Clock> = Arc::new(clock.clone());
        let lights: Arc<OnceLock<Lights>> = Arc::default();
        let mut services = Services::new(Arc::clone(&told));
        services.states = States::new(states::Setup {
            clock: told,
            time: Time::Virtual,
            listener: states_light(Arc::clone(&lights)),
            ..states::Setup::default()
        });
        setup.neighbours.extend(services.neighbours());
        let lab = Lab::with(setup).await;
        // Nothing can have happened yet.
        let _ = lights.set(lab.lights());
        services.connect(lab.emulator(), &lab.url());
        Self {
            lab,
            services,
            clock,
        }
    }

    /// What stands behind the port: functions and APIs are made there, and what is kept can be read.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The services' time. STS, IAM, CloudWatch and Bedrock have the system's, unless this is
    /// [a lab with one clock](AwsLab::with_one_clock).
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// What `aws_config::load_from_env` finds on AWS, for a client of any service: the lab's region,
    /// key pair and URL, SDK retries off.
    ///
    /// ```
    /// # async fn test() {
    /// # let lab = workshop_testkit_aws::AwsLab::start().await;
    /// let bedrock = aws_sdk_bedrockruntime::Client::new(&lab.sdk_config());
    /// # drop(bedrock);
    /// # }
    /// ```
    pub fn sdk_config(&self) -> SdkConfig {
        self.signed_by(&self.emulator().config().credentials[0])
    }

    /// The same as the code at that node of a diagram has it: it signs as
    /// [the actor's role](Lab::role_of).
    pub fn sdk_config_at(&self, actor: &'static Actor) -> SdkConfig {
        self.signed_by(&self.role_of(actor))
    }

    fn signed_by(&self, signer: &Credential) -> SdkConfig {
        let Credential {
            access_key_id,
            secret_access_key,
            session_token,
            ..
        } = signer.clone();
        let credentials =
            Credentials::new(access_key_id, secret_access_key, session_token, None, "lab");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().build_http())
            .endpoint_url(self.url())
            .region(Region::new(self.emulator().config().region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .time_source(self.time_source())
            .retry_config(RetryConfig::disabled())
            .build()
    }

    /// An HTTP client for which every host name is this lab's, whatever the scheme: as in a VPC in which
    /// AWS's names lead to endpoints. What a client sends to
    /// `https://vpce-1a2b3c4d-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com` comes through the
    /// endpoint `vpce-1a2b3c4d`. TLS is left out.
    ///
    /// ```
    /// # async fn test() {
    /// # let lab = workshop_testkit_aws::AwsLab::start().await;
    /// let config = lab.sdk_config().to_builder();
    /// let config = config
    ///     .http_client(lab.any_host())
    ///     .endpoint_url("https://bedrock-runtime.us-east-1.amazonaws.com");
    /// # drop(config);
    /// # }
    /// ```
    pub fn any_host(&self) -> SharedHttpClient {
        network::any_host(self.url())
    }

    /// That queue, without HTTP, signatures and journal: for looking at it, and for waiting until it
    /// is empty.
    ///
    /// # Panics
    ///
    /// If the lab's account has no such queue in the lab's region.
    pub fn queue(&self, name: &str) -> QueueHandle {
        let config = self.emulator().config();
        let found = self
            .services
            .sqs
            .queue(&config.account_id, &config.region, name);
        found.unwrap_or_else(|| panic!("there is no queue {name}"))
    }

    /// This test program as a Lambda function: started once more, to run only the test of that name,
    /// whose body is [`workshop_testkit::function_or_test`].
    ///
    /// The function is not registered yet: change it, then
    /// `lab.services().lambda.create(function)`. It finds every service at `AWS_ENDPOINT_URL`.
    ///
    /// # Panics
    ///
    /// If the system does not tell this program's path.
    pub fn function(name: &str, test: &str) -> Function {
        let program = env::current_exe().expect("the system knows this program's path");
        let mut function = Function::new(name, program);
        function.arguments = workshop_testkit::alone(test);
        // The machine that checks may be slower than Lambda.
        function.timeout = std::time::Duration::from_secs(30);
        function
    }
}

impl Deref for AwsLab {
    type Target = Lab;

    fn deref(&self) -> &Lab {
        &self.lab
    }
}

/// States of a state machine light their nodes, `SFN.<state>`, as they are entered.
fn states_light(lights: Arc<OnceLock<Lights>>) -> Listener {
    Listener::new(move |event| {
        if let (Some(lights), Some(lit)) = (lights.get(), event.trace()) {
            let status = match lit.status {
                TraceStatus::Ok => 200,
                TraceStatus::Throttled => 429,
                TraceStatus::Denied => 400,
            };
            lights.note(event.event.event_type.as_str(), status, vec![lit]);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn every_service_is_on_one_port_in_one_journal_and_its_time_stands_still() {
        let lab = AwsLab::start().await;
        let queues = aws_sdk_sqs::Client::new(&lab.sdk_config());
        let queue = queues.create_queue().queue_name("jobs").send().await;
        let queue = queue.unwrap().queue_url.unwrap();
        let sent = queues.send_message().queue_url(&queue).message_body("one");
        sent.send().await.unwrap();

        let received = async || {
            let received = queues.receive_message().queue_url(&queue).send().await;
            received.unwrap().messages.unwrap_or_default().len()
        };
        assert_eq!(received().await, 1);
        assert_eq!(received().await, 0, "it is in flight");
        lab.clock()
            .advance(Duration::from_secs(31).try_into().unwrap());
        assert_eq!(received().await, 1, "its visibility timeout has passed");

        let bedrock = aws_sdk_bedrockruntime::Client::new(&lab.sdk_config());
        let asked = bedrock
            .converse()
            .model_id("nobody.knows-this")
            .send()
            .await;
        asked.unwrap_err();
        let operations: Vec<_> = lab.calls().into_iter().map(|c| c.operation).collect();
        let [rest @ .., last] = operations.as_slice() else {
            panic!("no calls");
        };
        assert_eq!(last, "Converse");
        assert_eq!(rest.len(), 5);
        assert!(lab.trace().iter().any(|event| event.node == "SQS"));
    }

    #[tokio::test]
    async fn every_host_is_the_labs_and_an_endpoints_policy_decides() {
        let lab = AwsLab::start().await;
        let everything_but = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" }] });
        let set = lab.set_vpc_endpoint_policy("vpce-1a2b3c4d", &everything_but);
        set.unwrap();
        for (host, wanted) in [
            (
                "vpce-1a2b3c4d-5e6f7a8b.sqs.us-east-1.vpce.amazonaws.com",
                false,
            ),
            ("sqs.us-east-1.amazonaws.com", true),
        ] {
            let config = lab.sdk_config().to_builder().http_client(lab.any_host());
            let config = config.endpoint_url(format!("https://{host}")).build();
            let queues = aws_sdk_sqs::Client::new(&config);
            let listed = queues.list_queues().send().await;
            assert_eq!(listed.is_ok(), wanted, "{host} {listed:?}");
            let sent_to = lab.calls().pop().unwrap();
            assert_eq!(sent_to.header("host"), Some(host));
        }
    }

    #[tokio::test]
    async fn with_one_clock_a_year_is_nothing_to_the_clients_in_this_process() {
        for lab in [AwsLab::start().await, AwsLab::with_one_clock().await] {
            let queues = aws_sdk_sqs::Client::new(&lab.sdk_config());
            lab.clock().advance(time::Duration::days(365));
            // The SDK corrects its time by the date of the first answer.
            for _ in 0..2 {
                queues.list_queues().send().await.unwrap();
            }
        }
        // Time stands still for whoever has another clock: the emulator no longer believes it.
        let lab = AwsLab::with_one_clock().await;
        let config = lab.sdk_config().to_builder();
        let config = config.time_source(aws_smithy_async::time::SystemTimeSource::new());
        lab.clock().advance(time::Duration::minutes(6));
        let queues = aws_sdk_sqs::Client::new(&config.build());
        let refused = queues.list_queues().send().await.unwrap_err();
        let refused = format!("{refused:?}");
        assert!(refused.contains("Signature expired"), "{refused}");
    }
}

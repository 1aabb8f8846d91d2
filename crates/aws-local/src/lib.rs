//! The AWS services beside Bedrock, offline, in one process and on one port: what a student's
//! `aws-sdk-sqs`, `aws-sdk-dynamodb` or `aws-sdk-secretsmanager` cannot tell from AWS.
//!
//! Each service is a [`Neighbour`] of the emulator, so signatures, policies, faults, the journal and
//! light on the diagram are the emulator's. What is held for an account is the service's own, and gone
//! when the account is reset or dropped.
//!
//! Read in this order: [`clock`] (time, which tests move by hand), `json_service` (how a service of
//! the AWS JSON protocols is a table of operations), then a service's folder: one operation, one file.

pub mod clock;
pub mod dynamodb;
pub mod gateway;
pub mod json_service;
pub mod lambda;
pub mod secrets_manager;
pub mod sqs;
pub mod states;

use std::sync::Arc;

use bedrock_emulator::{Emulator, neighbour::Neighbour};

pub use clock::{Clock, ManualClock, SystemClock};
pub use dynamodb::DynamoDb;

use self::{
    gateway::Gateway, json_service::Json, lambda::Lambda, secrets_manager::SecretsManager,
    sqs::Sqs, states::States,
};

/// Every service, each also for callers in this process.
#[derive(Debug, Clone)]
pub struct Services {
    /// Amazon SQS.
    pub sqs: Sqs,
    /// AWS Secrets Manager.
    pub secrets_manager: SecretsManager,
    /// AWS Lambda.
    pub lambda: Lambda,
    /// Amazon `DynamoDB`.
    pub dynamodb: DynamoDb,
    /// Amazon API Gateway's front.
    pub gateway: Gateway,
    /// AWS Step Functions. Before [`Services::neighbours`] it may be replaced by one that is set up in
    /// another way, in virtual time for example.
    pub states: States,
}

impl Services {
    /// All services, empty, with the time that this clock tells.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let sqs = Sqs::new(Arc::clone(&clock));
        Self {
            lambda: Lambda::new(Arc::clone(&clock), sqs.clone()),
            sqs,
            secrets_manager: SecretsManager::new(Arc::clone(&clock)),
            dynamodb: DynamoDb::new(),
            gateway: Gateway::new(Arc::clone(&clock)),
            states: States::new(states::Setup {
                clock,
                ..states::Setup::default()
            }),
        }
    }

    /// What goes into [`bedrock_emulator::Config::neighbours`].
    pub fn neighbours(&self) -> Vec<Arc<dyn Neighbour>> {
        let mut neighbours: Vec<Arc<dyn Neighbour>> = vec![
            Arc::new(Json(self.sqs.clone())),
            Arc::new(Json(self.secrets_manager.clone())),
            Arc::new(self.lambda.clone()),
            self.dynamodb.neighbour(),
            Arc::new(Json(self.states.clone())),
        ];
        neighbours.extend(self.gateway.neighbours());
        neighbours
    }

    /// What an account's tables, secrets and state machines are now is what a reset gives back: tables
    /// with these items, secrets with these values. Queues, functions and APIs that were made in this
    /// process are given back anyway.
    pub fn keep(&self, account: &str) {
        self.dynamodb.keep(account);
        self.secrets_manager.keep(account);
        self.states.keep(account);
    }

    /// Tells the services that work in others' names where they find them: the emulator they are
    /// neighbours of, and its URL. Lambda functions can be created from then on.
    pub fn connect(&self, emulator: &Arc<Emulator>, endpoint_url: &str) {
        self.lambda.connect(emulator, endpoint_url);
        self.states.connect(emulator);
        self.gateway.connect(emulator);
    }
}

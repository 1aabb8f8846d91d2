//! AWS Secrets Manager, offline.
//!
//! Read in this order: `secret` (versions and their staging labels), `vault` (all secrets, by name and
//! ARN), then the operations, one file each.
//!
//! Values never reach the journal: the emulator leaves them out of what it shows.

mod error;
mod filter;
mod page;
mod secret;
mod vault;

mod batch_get_secret_value;
mod create_secret;
mod delete_secret;
mod describe_secret;
mod get_random_password;
mod get_secret_value;
mod list_secret_version_ids;
mod list_secrets;
mod put_secret_value;
mod restore_secret;
mod tag_resource;
mod untag_resource;
mod update_secret;
mod update_secret_version_stage;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bedrock_emulator::{
    error::ApiError,
    neighbour::{About, Answer, Protocol, Visit},
};
use serde::Deserialize;
use serde_json::Value;

use self::vault::Vault;
use crate::{
    clock::Clock,
    json_service::{JsonService, Operation, Permission},
};

/// The service. Clones are the same service.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    clock: Arc<dyn Clock>,
    vault: Arc<Mutex<Vault>>,
}

static ABOUT: About = About {
    name: "Secrets Manager",
    signing_name: Some("secretsmanager"),
    protocol: Protocol::AwsJson11,
    node: Some("SECRETS"),
    from_client: None,
};

impl SecretsManager {
    /// No secrets yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            vault: Arc::default(),
        }
    }

    /// What an account holds now is what a reset gives back.
    pub fn keep(&self, account: &str) {
        self.vault().keep(account);
    }

    /// The vault as it is now. Held for one step, never across an await.
    fn vault(&self) -> MutexGuard<'_, Vault> {
        let mut vault = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
        vault.settle(self.clock.now());
        vault
    }
}

macro_rules! operation {
    ($name:literal, $action:literal, $resource:expr, $answer:expr) => {
        Operation {
            name: $name,
            permission: Some(Permission {
                action: $action,
                resource: $resource,
            }),
            answer: $answer,
        }
    };
}

impl JsonService for SecretsManager {
    const ABOUT: &'static About = &ABOUT;
    const TARGET: &'static str = "secretsmanager";
    const OPERATIONS: &'static [Operation<Self>] = &[
        operation!(
            "BatchGetSecretValue",
            "secretsmanager:BatchGetSecretValue",
            anywhere,
            |service, visit| batch_get_secret_value::answer(service, &visit).into()
        ),
        operation!(
            "CreateSecret",
            "secretsmanager:CreateSecret",
            create_secret::arn,
            |service, visit| create_secret::answer(service, visit).into()
        ),
        operation!(
            "DeleteSecret",
            "secretsmanager:DeleteSecret",
            of_secret,
            |service, visit| delete_secret::answer(service, &visit).into()
        ),
        operation!(
            "DescribeSecret",
            "secretsmanager:DescribeSecret",
            of_secret,
            |service, visit| describe_secret::answer(service, &visit).into()
        ),
        operation!(
            "GetRandomPassword",
            "secretsmanager:GetRandomPassword",
            anywhere,
            |service, visit| get_random_password::answer(service, visit).into()
        ),
        operation!(
            "GetSecretValue",
            "secretsmanager:GetSecretValue",
            of_secret,
            |service, visit| get_secret_value::answer(service, &visit).into()
        ),
        operation!(
            "ListSecretVersionIds",
            "secretsmanager:ListSecretVersionIds",
            of_secret,
            |service, visit| list_secret_version_ids::answer(service, &visit).into()
        ),
        operation!(
            "ListSecrets",
            "secretsmanager:ListSecrets",
            anywhere,
            |service, visit| list_secrets::answer(service, &visit).into()
        ),
        operation!(
            "PutSecretValue",
            "secretsmanager:PutSecretValue",
            of_secret,
            |service, visit| put_secret_value::answer(service, &visit).into()
        ),
        operation!(
            "RestoreSecret",
            "secretsmanager:RestoreSecret",
            of_secret,
            |service, visit| restore_secret::answer(service, &visit).into()
        ),
        operation!(
            "TagResource",
            "secretsmanager:TagResource",
            of_secret,
            |service, visit| tag_resource::answer(service, &visit).into()
        ),
        operation!(
            "UntagResource",
            "secretsmanager:UntagResource",
            of_secret,
            |service, visit| untag_resource::answer(service, &visit).into()
        ),
        operation!(
            "UpdateSecret",
            "secretsmanager:UpdateSecret",
            of_secret,
            |service, visit| update_secret::answer(service, &visit).into()
        ),
        operation!(
            "UpdateSecretVersionStage",
            "secretsmanager:UpdateSecretVersionStage",
            of_secret,
            |service, visit| update_secret_version_stage::answer(service, &visit).into()
        ),
    ];

    fn more_permissions(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        match visit.operation {
            "BatchGetSecretValue" => batch_get_secret_value::reads(self, visit),
            "CreateSecret" => create_secret::tags(self, visit),
            _ => Vec::new(),
        }
    }

    fn forget(&self, account: &str) {
        self.vault().forget(account);
    }
}

fn anywhere(_: &SecretsManager, _: &Visit) -> String {
    "*".to_owned()
}

/// The ARN of the secret that is asked for; of one that there is not, as far as its name tells.
fn of_secret(service: &SecretsManager, visit: &Visit) -> String {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Named {
        secret_id: Option<String>,
    }

    let named: Named = visit.json().unwrap_or_default();
    match named.secret_id {
        Some(id) => service.vault().arn_of(visit, &id),
        None => "*".to_owned(),
    }
}

/// What an operation answers.
type Answered = Result<Answer, ApiError>;

/// 200 with this JSON.
fn told(body: &Value) -> Answer {
    Answer::json("application/x-amz-json-1.1", body)
}

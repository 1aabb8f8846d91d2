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
};

impl SecretsManager {
    /// No secrets yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            vault: Arc::default(),
        }
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
            answer: |service, visit| $answer(service, visit).into(),
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
            batch_get_secret_value::answer
        ),
        operation!(
            "CreateSecret",
            "secretsmanager:CreateSecret",
            create_secret::arn,
            create_secret::answer
        ),
        operation!(
            "DeleteSecret",
            "secretsmanager:DeleteSecret",
            of_secret,
            delete_secret::answer
        ),
        operation!(
            "DescribeSecret",
            "secretsmanager:DescribeSecret",
            of_secret,
            describe_secret::answer
        ),
        operation!(
            "GetRandomPassword",
            "secretsmanager:GetRandomPassword",
            anywhere,
            get_random_password::answer
        ),
        operation!(
            "GetSecretValue",
            "secretsmanager:GetSecretValue",
            of_secret,
            get_secret_value::answer
        ),
        operation!(
            "ListSecretVersionIds",
            "secretsmanager:ListSecretVersionIds",
            of_secret,
            list_secret_version_ids::answer
        ),
        operation!(
            "ListSecrets",
            "secretsmanager:ListSecrets",
            anywhere,
            list_secrets::answer
        ),
        operation!(
            "PutSecretValue",
            "secretsmanager:PutSecretValue",
            of_secret,
            put_secret_value::answer
        ),
        operation!(
            "RestoreSecret",
            "secretsmanager:RestoreSecret",
            of_secret,
            restore_secret::answer
        ),
        operation!(
            "TagResource",
            "secretsmanager:TagResource",
            of_secret,
            tag_resource::answer
        ),
        operation!(
            "UntagResource",
            "secretsmanager:UntagResource",
            of_secret,
            untag_resource::answer
        ),
        operation!(
            "UpdateSecret",
            "secretsmanager:UpdateSecret",
            of_secret,
            update_secret::answer
        ),
        operation!(
            "UpdateSecretVersionStage",
            "secretsmanager:UpdateSecretVersionStage",
            of_secret,
            update_secret_version_stage::answer
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

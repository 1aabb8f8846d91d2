//! What an operator sees of a call from outside: identity, policy, logs, metrics.

use std::sync::Arc;

use bedrock_emulator::{Emulator, observe::Series, policy::Decision};
use serde_json::Value;

/// The views of a lab that on AWS are other services: STS (who am I), IAM's policy simulator,
/// CloudWatch Logs and CloudWatch metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Observer {
    emulator: Arc<Emulator>,
}

/// What `sts get-caller-identity` and the configuration chain tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The twelve-digit account id.
    pub account: String,
    /// The IAM ARN of the caller.
    pub arn: String,
    /// The access key id that signs.
    pub access_key_id: String,
    /// Whether these are temporary credentials (with a session token).
    pub session: bool,
    /// The region that requests are signed for.
    pub region: String,
}

impl Observer {
    pub(crate) fn new(emulator: Arc<Emulator>) -> Self {
        Self { emulator }
    }

    /// Whose credentials the lab's clients sign with.
    pub fn whoami(&self) -> Identity {
        let config = self.emulator.config();
        let credential = &config.credentials[0];
        Identity {
            account: config.account_id.clone(),
            arn: credential.arn.clone(),
            access_key_id: credential.access_key_id.clone(),
            session: credential.session_token.is_some(),
            region: config.region.clone(),
        }
    }

    /// What the caller's IAM policies say about `action` on `model` (an id or ARN) and on everything
    /// behind it: a profile needs an Allow for itself and for the model in each of its regions.
    /// The error names the resource that is not allowed, and why. Bedrock's own refusals (no access
    /// to the model) are none of IAM's business and not in here.
    pub fn simulate(&self, action: &str, model: &str) -> Result<(), String> {
        let config = self.emulator.config();
        let catalogue = self.emulator.catalogue();
        let resources = match catalogue.find(model, &config.region) {
            Some(found) => catalogue.resources(&found, &config.region, &config.account_id),
            None => vec![format!(
                "arn:aws:bedrock:{}::foundation-model/{model}",
                config.region
            )],
        };
        let denied = resources.iter().find_map(|resource| {
            let reason = match self.emulator.decide(action, resource) {
                Decision::Allow => return None,
                Decision::ExplicitDeny => "explicit deny",
                Decision::ImplicitDeny => "no statement allows it",
            };
            Some(format!("{reason}: {action} on {resource}"))
        });
        denied.map_or(Ok(()), Err)
    }

    /// The invocation log record of that request: one, or none when logging is off, or when the
    /// request never got as far as a model.
    pub fn logs_for(&self, request_id: &str) -> Option<Value> {
        let logs = self.emulator.logs();
        let found = logs.into_iter().find(|log| log.request_id == request_id);
        found.map(|log| log.record)
    }

    /// One metric of the namespace `AWS/Bedrock` (`Invocations`, `InvocationThrottles`, …) for one
    /// `ModelId`.
    pub fn metric(&self, name: &str, model_id: &str) -> Series {
        self.emulator.metrics().get(name, model_id)
    }
}

//! Exercise 015: roles, secrets, TLS and endpoints.
//!
//! A service that signs as a role, keeps a secret to itself, talks to Bedrock by a private way only, and
//! prints nothing that somebody could sign with. This is the only file you edit; `Secret`, `Mode` and
//! `EndpointProblem` stand in `given.rs`. The task is in `README.md`; `workshop hint 015` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{error::Error, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_bedrockruntime::Client;
use serde_json::Value;

pub use given::{EndpointProblem, Mode, SESSION, Secret, is_region, runs};

/// A Bedrock client that signs as a role. STS is asked when the client needs credentials, and not again
/// while they last.
pub async fn client_as(role_arn: &str, session: &str, base: &SdkConfig) -> Client {
    todo!(
        "015/1: a client that is {role_arn} under the name {session}, in {:?}",
        base.region()
    )
}

/// A secret of Secrets Manager, fetched when it is needed and kept for a while.
#[derive(Debug)]
pub struct KeptSecret {
    id: String,
}

impl KeptSecret {
    /// Fetches nothing yet. `base` says with which credentials, where, and what time it is.
    pub fn new(base: &SdkConfig, id: &str, keep: Duration) -> Self {
        let _ = (base, keep);
        Self { id: id.to_owned() }
    }

    /// The secret: the one that is kept, or the current one.
    pub async fn get(&self) -> Result<Secret, Box<dyn Error + Send + Sync>> {
        todo!("015/1: fetch {} with GetSecretValue", self.id)
    }
}

/// Why a call to Bedrock failed, in one line for the log: who failed, STS or Bedrock, and what they said.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    todo!("015/1: tell who is behind {error}")
}

/// Whether prompts and signatures may be sent to this endpoint.
pub fn allowed_endpoint(url: &str, mode: Mode) -> Result<(), EndpointProblem> {
    todo!("015/1: judge {url} for {mode:?}")
}

/// The policy of a VPC endpoint: this role may invoke models through it, and nobody does anything else.
pub fn endpoint_policy(role_arn: &str) -> Value {
    todo!("015/1: let {role_arn} through")
}

/// The policy of a role: it may invoke models, through this VPC endpoint only.
pub fn role_policy(vpce: &str) -> Value {
    todo!("015/1: allow what comes through {vpce}")
}

/// A text that may be logged: without keys, tokens and account ids.
pub fn redact(text: &str) -> String {
    todo!("015/1: mask what is in these {} bytes", text.len())
}

//! dies in: the_role_is_assumed_first_and_signs, ten_calls_at_once_ask_sts_once, when_the_session_ends_sts_is_asked_once_more, who_failed_is_said, a_secret_is_fetched_once_and_kept, bedrocks_endpoints_are_allowed, prompts_do_not_travel_in_clear, only_bedrock_gets_the_prompt, the_endpoint_lets_the_role_through_and_nobody_else, the_role_comes_through_the_endpoint_or_not_at_all, what_opens_doors_is_masked_and_the_rest_can_be_read, a_program_prints_no_secret
//!
//! What articles and answers show, line for line: keys in the program, a policy of stars, a look for the
//! right word in the address.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{error::Error, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_bedrockruntime::{
    Client,
    config::{self, Credentials},
};
use serde_json::{Value, json};

pub use given::{EndpointProblem, Mode, SESSION, Secret, is_region, runs};

/// A Bedrock client that signs as a role. STS is asked when the client needs credentials, and not again
/// while they last.
pub async fn client_as(_role_arn: &str, _session: &str, base: &SdkConfig) -> Client {
    let credentials = Credentials::new(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
        None,
        "static",
    );
    let config = config::Builder::from(base).credentials_provider(credentials);
    Client::from_conf(config.build())
}

/// A secret of Secrets Manager, fetched when it is needed and kept for a while.
#[derive(Debug)]
pub struct KeptSecret {
    client: aws_sdk_secretsmanager::Client,
    id: String,
}

impl KeptSecret {
    /// Fetches nothing yet. `base` says with which credentials, where, and what time it is.
    pub fn new(base: &SdkConfig, id: &str, _keep: Duration) -> Self {
        Self {
            client: aws_sdk_secretsmanager::Client::new(base),
            id: id.to_owned(),
        }
    }

    /// The secret: the one that is kept, or the current one.
    pub async fn get(&self) -> Result<Secret, Box<dyn Error + Send + Sync>> {
        let asked = self.client.get_secret_value().secret_id(&self.id);
        let told = asked.send().await?;
        let text = told.secret_string().unwrap_or_default();
        println!("secret: {text}");
        Ok(Secret::new(text))
    }
}

/// Why a call to Bedrock failed, in one line for the log: who failed, STS or Bedrock, and what they said.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    format!("Error calling Bedrock: {error}")
}

/// Whether prompts and signatures may be sent to this endpoint.
pub fn allowed_endpoint(url: &str, _mode: Mode) -> Result<(), EndpointProblem> {
    if url.contains("amazonaws.com") || url.contains("localhost") {
        Ok(())
    } else {
        Err(EndpointProblem::NotBedrock)
    }
}

/// The policy of a VPC endpoint: this role may invoke models through it, and nobody does anything else.
pub fn endpoint_policy(_role_arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": "*",
            "Action": "*",
            "Resource": "*",
        }],
    })
}

/// The policy of a role: it may invoke models, through this VPC endpoint only.
pub fn role_policy(_vpce: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "bedrock:*",
            "Resource": "*",
        }],
    })
}

/// A text that may be logged: without keys, tokens and account ids.
pub fn redact(text: &str) -> String {
    text.replace("AKIA", "****")
}

//! dies in: only_bedrock_gets_the_prompt
//!
//! In development every address over TLS will do.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{
    error::Error,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use aws_config::{SdkConfig, sts::AssumeRoleProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_bedrockruntime::{Client, config};
use aws_smithy_async::time::SharedTimeSource;
use http::Uri;
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use given::{EndpointProblem, Mode, SESSION, Secret, is_region, runs};

/// A Bedrock client that signs as a role. STS is asked when the client needs credentials, and not again
/// while they last.
pub async fn client_as(role_arn: &str, session: &str, base: &SdkConfig) -> Client {
    let role = AssumeRoleProvider::builder(role_arn)
        .session_name(session)
        .session_length(SESSION)
        .configure(base)
        .build()
        .await;
    // The client's identity cache does the rest: one request to STS for all calls that wait, and the
    // next when the session is about to end. It is the client that has to live long.
    let config = config::Builder::from(base).credentials_provider(role);
    Client::from_conf(config.build())
}

/// A secret of Secrets Manager, fetched when it is needed and kept for a while.
#[derive(Debug)]
pub struct KeptSecret {
    client: aws_sdk_secretsmanager::Client,
    time: SharedTimeSource,
    id: String,
    keep: Duration,
    /// With the moment at which it was fetched.
    kept: Mutex<Option<(SystemTime, Secret)>>,
}

impl KeptSecret {
    /// Fetches nothing yet. `base` says with which credentials, where, and what time it is.
    pub fn new(base: &SdkConfig, id: &str, keep: Duration) -> Self {
        Self {
            client: aws_sdk_secretsmanager::Client::new(base),
            time: base.time_source().unwrap_or_default(),
            id: id.to_owned(),
            keep,
            kept: Mutex::default(),
        }
    }

    /// The secret: the one that is kept, or the current one.
    pub async fn get(&self) -> Result<Secret, Box<dyn Error + Send + Sync>> {
        // Held while the secret is on its way: whoever comes meanwhile waits for it, instead of asking
        // too.
        let mut kept = self.kept.lock().await;
        let now = self.time.now();
        if let Some((since, secret)) = &*kept
            && now.duration_since(*since).unwrap_or_default() < self.keep
        {
            return Ok(secret.clone());
        }
        let asked = self.client.get_secret_value().secret_id(&self.id);
        // Only what succeeded is kept: after a failure the next caller asks again.
        let told = asked.send().await?;
        let text = told.secret_string().ok_or("the secret is not text")?;
        let secret = Secret::new(text);
        *kept = Some((now, secret.clone()));
        Ok(secret)
    }
}

/// Why a call to Bedrock failed, in one line for the log: who failed, STS or Bedrock, and what they said.
pub fn explain(error: &(dyn Error + 'static)) -> String {
    // The SDK reports missing credentials as a failed dispatch, which reads as if Bedrock could not be
    // reached. The causes know better.
    let mut who = "Bedrock";
    let mut said = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            who = "STS";
        }
        said.push(error.to_string());
        cause = error.source();
    }
    redact(&format!("{who}: {}", said.join(": ")))
}

/// Whether prompts and signatures may be sent to this endpoint.
pub fn allowed_endpoint(url: &str, mode: Mode) -> Result<(), EndpointProblem> {
    use EndpointProblem::{NotAUrl, NotBedrock, NotEncrypted, UserInfo};

    // The type that the SDK's HTTP client dials with: what is judged here is what is dialled there.
    let url: Uri = url.parse().map_err(|_| NotAUrl)?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err(NotAUrl);
    };
    if authority.as_str().contains('@') {
        return Err(UserInfo);
    }
    let host = authority.host().to_ascii_lowercase();
    let is_http = matches!(scheme, "http" | "https");
    if mode == Mode::Development && is_http && is_loopback(&host) {
        return Ok(());
    }
    if scheme != "https" {
        return Err(NotEncrypted);
    }
    let usual_port = authority.port_u16().is_none_or(|port| port == 443);
    if mode == Mode::Development || usual_port && is_bedrock(&host) {
        Ok(())
    } else {
        Err(NotBedrock)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// By whole labels, from the left to the right, with nothing left over.
fn is_bedrock(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [service, region, "amazonaws", "com"] => {
            matches!(*service, "bedrock-runtime" | "bedrock-runtime-fips") && is_region(region)
        }
        [id, "bedrock-runtime", region, "vpce", "amazonaws", "com"] => {
            id.starts_with("vpce-") && is_region(region)
        }
        _ => false,
    }
}

const INVOKE: [&str; 2] = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
];

/// The policy of a VPC endpoint: this role may invoke models through it, and nobody does anything else.
pub fn endpoint_policy(role_arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            // Anybody who is this role: the ARN of a session has its name in it, and this key has not.
            "Principal": "*",
            "Action": INVOKE,
            "Resource": "*",
            "Condition": { "ArnEquals": { "aws:PrincipalArn": role_arn } },
        }],
    })
}

/// The policy of a role: it may invoke models, through this VPC endpoint only.
pub fn role_policy(vpce: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": "*",
            "Condition": { "StringEquals": { "aws:SourceVpce": vpce } },
        }],
    })
}

/// A text that may be logged: without keys, tokens and account ids.
pub fn redact(text: &str) -> String {
    // First what follows a name, then what is known by its form.
    let text = masked(
        &without_bearers(text),
        |c| c.is_ascii_alphanumeric(),
        by_form,
    );
    let secret = |run: &str| (run.len() >= 40).then_some("[secret]");
    masked(
        &text,
        |c| c.is_ascii_alphanumeric() || "+/".contains(c),
        secret,
    )
}

/// Puts something else in the place of some runs.
fn masked(
    text: &str,
    belongs: impl Fn(char) -> bool,
    mask: impl Fn(&str) -> Option<&'static str>,
) -> String {
    let pieces = runs(text, belongs).into_iter();
    let shown = pieces.map(|(piece, is_run)| match mask(piece) {
        Some(instead) if is_run => instead,
        _ => piece,
    });
    shown.collect()
}

fn by_form(run: &str) -> Option<&'static str> {
    let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if run.len() == 20 && (run.starts_with("AKIA") || run.starts_with("ASIA")) {
        return run.bytes().all(upper).then_some("[access key]");
    }
    let digits = run.len() == 12 && run.bytes().all(|b| b.is_ascii_digit());
    digits.then_some("[account]")
}

/// Masks the word after `Bearer`.
fn without_bearers(text: &str) -> String {
    let mut after_bearer = false;
    let words = runs(text, |c| !c.is_whitespace() && !"\"',".contains(c));
    let shown = words.into_iter().map(|(piece, is_word)| {
        if !is_word {
            return piece;
        }
        let shown = if after_bearer { "[token]" } else { piece };
        let word = piece.rsplit([':', '=']).next().unwrap_or(piece);
        after_bearer = word.eq_ignore_ascii_case("bearer");
        shown
    });
    shown.collect()
}

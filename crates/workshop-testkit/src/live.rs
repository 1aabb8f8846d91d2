//! Real Amazon Bedrock, on a leash.
//!
//! The feature `live` is off by default and built in a target folder of its own: TLS and the
//! credential chain would double the student's first build. Everything is configured as for any
//! AWS tool (`AWS_PROFILE`, `AWS_REGION`, `AWS_BEARER_TOKEN_BEDROCK`, `AWS_ENDPOINT_URL`,
//! `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, `AWS_CA_BUNDLE`); nothing here knows the emulator.

use std::{
    env, fs, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_bedrockruntime::{
    Client,
    config::{
        self, ConfigBag, Intercept, ProvideCredentials, RuntimeComponents, SharedHttpClient,
        interceptors::BeforeTransmitInterceptorContextRef, retry::RetryConfig,
    },
    error::{BoxError, DisplayErrorContext},
};
use aws_smithy_http_client::{
    Builder as HttpClient,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use serde_json::Value;

use crate::models;

/// Names a model for every tier, instead of the catalogue's.
const MODEL_VARIABLE: &str = "WORKSHOP_MODEL";

/// A Bedrock API key in the environment; the SDK prefers it to signing.
const API_KEY_VARIABLE: &str = "AWS_BEARER_TOKEN_BEDROCK";

/// Certificate authorities to trust instead of the system's (PEM), as other AWS tools read it.
const CA_VARIABLE: &str = "AWS_CA_BUNDLE";

/// What a client may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests that may leave, attempts of the SDK's own retries included.
    pub calls: u32,
    /// The highest `maxTokens` of one request. A request without one is refused too.
    pub max_tokens: u32,
}

impl Limits {
    /// These limits, or the lower ones that `workshop check --target bedrock` took from the
    /// exercise's manifest and showed to the student.
    fn within_the_run(self) -> Self {
        let shown = |name, own: u32| {
            let shown = env::var(name).ok().and_then(|text| text.parse().ok());
            own.min(shown.unwrap_or(own))
        };
        Self {
            calls: shown("WORKSHOP_MAX_CALLS", self.calls),
            max_tokens: shown("WORKSHOP_MAX_TOKENS", self.max_tokens),
        }
    }
}

/// Something is missing for a call to real Bedrock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// No region is configured.
    #[error(
        "no AWS region is configured: set AWS_REGION, or a region in the profile that AWS_PROFILE names"
    )]
    Region,
    /// No credentials are found, or they cannot be had.
    #[error(
        "no AWS credentials are found: run `aws configure` or `aws sso login`, or set AWS_PROFILE or AWS_BEARER_TOKEN_BEDROCK ({0})"
    )]
    Credentials(String),
    /// The file that `AWS_CA_BUNDLE` names cannot be used.
    #[error("AWS_CA_BUNDLE names {path}, which cannot be read as certificates in PEM form")]
    CaBundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// The catalogue knows no model of that tier in the region.
    #[error(
        "the catalogue has no {tier} model for region {region}: set AWS_REGION to another region, or WORKSHOP_MODEL to a model id you have access to"
    )]
    Model {
        /// `haiku`, `sonnet`, `opus`.
        tier: String,
        /// The configured region.
        region: String,
    },
}

/// A request would have gone over the limits; it has not been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// All allowed calls were made.
    #[error("not sent: this run may make {0} calls to real Bedrock, and they were made")]
    Calls(u32),
    /// The request asks for more tokens than allowed.
    #[error("not sent: the request asks for {asked} tokens, and this run may ask for {limit}")]
    Tokens {
        /// `maxTokens` of the request.
        asked: u64,
        /// The limit.
        limit: u32,
    },
    /// The request sets no limit of its own.
    #[error(
        "not sent: the request has no maxTokens (in a Messages body: max_tokens), so its price has no bound"
    )]
    Unbounded,
}

/// A client for real Bedrock that keeps to its [`Limits`].
#[derive(Debug)]
pub struct LiveClient {
    client: Client,
    region: String,
    leash: Arc<Leash>,
}

/// A client configured by the environment and the AWS profile, or what is missing for one.
///
/// The SDK's retries are off, as in a lab. Credentials are fetched once here, so that a missing
/// login is told before the first call; nothing is sent to Bedrock.
pub async fn client(limits: Limits) -> Result<LiveClient, Missing> {
    let http = https(env::var_os(CA_VARIABLE).map(PathBuf::from))?;
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .load()
        .await;
    let region = config.region().ok_or(Missing::Region)?.to_string();
    if env::var(API_KEY_VARIABLE).is_ok_and(|key| !key.is_empty()) {
        // The SDK takes the key from the environment by itself.
    } else {
        credentials(&config).await?;
    }
    let leash = Arc::new(Leash {
        limits: limits.within_the_run(),
        made: AtomicU32::new(0),
    });
    let config = config::Builder::from(&config).interceptor(Hold(Arc::clone(&leash)));
    Ok(LiveClient {
        client: Client::from_conf(config.build()),
        region,
        leash,
    })
}

impl LiveClient {
    /// The SDK client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The configured region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The model to call for a tier (`haiku`, `sonnet`, `opus`): what `WORKSHOP_MODEL` says, else
    /// the inference profile of the catalogue's model for the region.
    pub fn model(&self, tier: &str) -> Result<String, Missing> {
        if let Ok(model) = env::var(MODEL_VARIABLE)
            && !model.is_empty()
        {
            return Ok(model);
        }
        let found = models().by_alias(tier);
        let profile = found.and_then(|model| models().profile_id(model, &self.region));
        profile.ok_or_else(|| Missing::Model {
            tier: tier.to_owned(),
            region: self.region.clone(),
        })
    }

    /// How many requests have left so far.
    pub fn calls_made(&self) -> u32 {
        self.leash
            .made
            .load(Ordering::Relaxed)
            .min(self.leash.limits.calls)
    }
}

fn https(ca_bundle: Option<PathBuf>) -> Result<SharedHttpClient, Missing> {
    let trust = match ca_bundle.filter(|path| !path.as_os_str().is_empty()) {
        None => TrustStore::default(),
        Some(path) => match certificates(&path) {
            Ok(pem) => TrustStore::empty().with_pem_certificate(pem),
            Err(source) => return Err(Missing::CaBundle { path, source }),
        },
    };
    let context = TlsContext::builder().with_trust_store(trust).build();
    Ok(HttpClient::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.expect("a trust store is all it takes"))
        .build_https())
}

fn certificates(path: &PathBuf) -> io::Result<Vec<u8>> {
    let pem = fs::read(path)?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    if pem.windows(begin.len()).any(|window| window == begin) {
        Ok(pem)
    } else {
        Err(io::Error::other("it holds no certificate"))
    }
}

async fn credentials(config: &SdkConfig) -> Result<(), Missing> {
    let Some(provider) = config.credentials_provider() else {
        return Err(Missing::Credentials("no provider".to_owned()));
    };
    let provided = provider.provide_credentials().await;
    provided
        .map(drop)
        .map_err(|error| Missing::Credentials(DisplayErrorContext(error).to_string()))
}

/// Counts and measures what leaves.
#[derive(Debug)]
struct Leash {
    limits: Limits,
    made: AtomicU32,
}

impl Leash {
    fn tokens(&self, path: &str, body: &[u8]) -> Result<(), Refused> {
        // Counting tokens makes none.
        if path.ends_with("/count-tokens") {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let asked = [
            "/inferenceConfig/maxTokens",
            "/max_tokens",
            "/max_tokens_to_sample",
        ]
        .iter()
        .find_map(|pointer| body.pointer(pointer)?.as_u64())
        .ok_or(Refused::Unbounded)?;
        let limit = self.limits.max_tokens;
        if asked > u64::from(limit) {
            return Err(Refused::Tokens { asked, limit });
        }
        Ok(())
    }

    fn call(&self) -> Result<(), Refused> {
        let limit = self.limits.calls;
        if self.made.fetch_add(1, Ordering::Relaxed) < limit {
            Ok(())
        } else {
            Err(Refused::Calls(limit))
        }
    }
}

/// The SDK's hook: once for each attempt, before it is signed.
#[derive(Debug)]
struct Hold(Arc<Leash>);

impl Intercept for Hold {
    fn name(&self) -> &'static str {
        "limits of real Bedrock"
    }

    fn read_before_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let path = request.uri().split('?').next().unwrap_or_default();
        self.0
            .tokens(path, request.body().bytes().unwrap_or_default())?;
        self.0.call()?;
        Ok(())
    }
}

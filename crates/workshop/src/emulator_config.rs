//! The emulator's settings file: TOML, every key optional, unknown keys refused.

mod identities;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use bedrock_emulator::{
    Config,
    emulator::{Auth, Latency},
    quota::Limits,
};
use bedrock_endpoint::Upstream;
use serde::Deserialize;
use serde_json::Value;
use time::{Date, format_description::well_known::Iso8601};

use identities::{
    ApiKeyKey, CredentialKey, Identities, PolicyKey, RoleKey, ServiceControlPolicyKey, UserKey,
};

/// What a settings file decides.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// The emulator itself.
    pub(crate) config: Config,
    /// Whether its port speaks TLS beside cleartext.
    pub(crate) tls: bool,
    /// Another model that finds the words.
    pub(crate) upstream: Option<Upstream>,
    /// Script files, read when the emulator starts.
    pub(crate) scripts: Vec<PathBuf>,
    /// The policies of VPC endpoints, by id.
    pub(crate) vpc_endpoints: Vec<(String, Value)>,
}

/// What `workshop emulator --help-config` prints: a file with every key at its default.
pub(crate) const TEMPLATE: &str = r#"# Settings of the Bedrock emulator. Every key is optional; these are the defaults.

# Seed of every id and sentence the emulator makes up. Same seed, same requests, same bytes.
seed = 1

# Region and account the emulator stands for, in ARNs and messages.
region = "us-east-1"
account_id = "123456789012"

# "strict": signatures are verified as on AWS. "off": anything goes.
auth = "strict"

# Speak TLS on the same port beside cleartext (`workshop env --tls` makes clients trust it).
tls = false

# The calendar day that decides which models are alive. Default: today.
# today = "2026-11-22"

# Model invocation logging (off, as on AWS, until somebody switches it on).
invocation_logging = false

# Files with scripted replies ([[reply]]) and fault rules ([[fault]]), seen from this file.
# script = ["replies.toml"]

# What the journal keeps of each account: so many requests, and so many bytes of them and their
# answers. The oldest go first.
journal_requests = 1000
journal_bytes = 16777216

# Requests per minute and model before ThrottlingException. Default: no limit.
# requests_per_minute = 60

# "catalogue": every model has the default quotas of an account, in tokens per minute and per day.
quotas = "off"

# Fixed delays in milliseconds; 0 answers at once. Default: each model takes its own time.
# [latency]
# first_token_ms = 250
# per_token_ms = 12

# Take the words from another model: anything that speaks OpenAI's chat completions (Ollama,
# llama.cpp, vLLM). The key is read from the environment variable named here. When the first word
# takes longer than word_timeout_ms, the emulator answers by itself.
# [upstream]
# url = "http://127.0.0.1:11434/v1"
# model = "a model that it has"
# api_key_env = "OPENAI_API_KEY"
# connect_timeout_ms = 2000
# word_timeout_ms = 60000
# total_timeout_ms = 600000

# IAM identity policies, as JSON text. One without a name is for every caller that has none of its
# own; without any, everything is allowed. One with a name is for whoever lists it below.
# [[policy]]
# document = '''{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}]}'''
# [[policy]]
# name = "InvokeOnly"
# document = '''{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:Invoke*","Resource":"*"}]}'''

# Users and roles with policies of their own, of any account. A role says who may assume it
# (`aws sts assume-role`).
# [[user]]
# arn = "arn:aws:iam::123456789012:user/second"
# policies = ["InvokeOnly"]
# [[role]]
# arn = "arn:aws:iam::123456789012:role/Caller"
# trust = '''{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}'''
# policies = ["InvokeOnly"]
# max_session_seconds = 3600

# Quotas of one inference profile or model id, or of each ("*"); before those of the catalogue.
# [[quota]]
# model = "*"
# requests_per_minute = 100
# tokens_per_minute = 20000
# tokens_per_day = 1000000

# What nobody in an account may do, whatever their own policies allow.
# [[service_control_policy]]
# account = "123456789012"
# policy = "InvokeOnly"

# Interface VPC endpoints, each with its policy. A request comes through one if it is sent to one of
# the endpoint's own names: vpce-1a2b3c4d-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com.
# [[vpc_endpoint]]
# id = "vpce-1a2b3c4d"
# policy = '''{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"bedrock:InvokeModel","Resource":"*"}]}'''

# Further key pairs that may sign, beside AWS's documentation example key pair.
# [[credential]]
# access_key_id = "AKIAEXAMPLE000000001"
# secret_access_key = "any text"
# arn = "arn:aws:iam::123456789012:user/second"
# session_token = "only for temporary credentials"

# Amazon Bedrock API keys (AWS_BEARER_TOKEN_BEDROCK) that are accepted; boto3 sends them over TLS only.
# [[api_key]]
# token = "ABSK and any text"
# arn = "arn:aws:iam::123456789012:user/third"
"#;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    seed: Option<u64>,
    region: Option<String>,
    account_id: Option<String>,
    auth: Option<AuthKey>,
    tls: bool,
    upstream: Option<UpstreamKey>,
    today: Option<String>,
    invocation_logging: Option<bool>,
    requests_per_minute: Option<u32>,
    journal_requests: Option<usize>,
    journal_bytes: Option<usize>,
    script: Vec<PathBuf>,
    quotas: Option<QuotasKey>,
    quota: Vec<QuotaKey>,
    latency: Option<LatencyKey>,
    policy: Vec<PolicyKey>,
    user: Vec<UserKey>,
    role: Vec<RoleKey>,
    service_control_policy: Vec<ServiceControlPolicyKey>,
    vpc_endpoint: Vec<VpcEndpointKey>,
    credential: Vec<CredentialKey>,
    api_key: Vec<ApiKeyKey>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VpcEndpointKey {
    id: String,
    policy: String,
}

impl VpcEndpointKey {
    fn read(self) -> anyhow::Result<(String, Value)> {
        let Self { id, policy } = self;
        let digits = id.strip_prefix("vpce-").unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            bail!("[[vpc_endpoint]] id = {id:?}: write it as vpce-1a2b3c4d");
        }
        let policy = serde_json::from_str(&policy)
            .with_context(|| format!("the policy of the VPC endpoint {id} is not JSON"))?;
        Ok((id, policy))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum QuotasKey {
    Off,
    Catalogue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuotaKey {
    model: String,
    requests_per_minute: Option<u32>,
    tokens_per_minute: Option<u64>,
    tokens_per_day: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AuthKey {
    Strict,
    Off,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct LatencyKey {
    first_token_ms: u32,
    per_token_ms: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpstreamKey {
    url: String,
    model: String,
    api_key_env: Option<String>,
    connect_timeout_ms: Option<u64>,
    word_timeout_ms: Option<u64>,
    total_timeout_ms: Option<u64>,
}

impl UpstreamKey {
    fn read(self) -> anyhow::Result<Upstream> {
        let mut upstream = Upstream::new(self.url, self.model);
        if let Some(name) = self.api_key_env {
            // Unset is fine: most local servers want none.
            upstream.api_key = std::env::var(&name).ok().filter(|key| !key.is_empty());
        }
        for (wanted, place) in [
            (self.connect_timeout_ms, &mut upstream.connect_timeout),
            (self.word_timeout_ms, &mut upstream.word_timeout),
            (self.total_timeout_ms, &mut upstream.total_timeout),
        ] {
            match wanted {
                Some(0) => bail!("[upstream]: a time-out of 0 would wait for nothing"),
                Some(ms) => *place = Duration::from_millis(ms),
                None => {}
            }
        }
        Ok(upstream)
    }
}

/// The settings in that file, on top of the defaults.
pub(crate) fn read(path: &Path) -> anyhow::Result<Settings> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the settings file {}", path.display()))?;
    let mut settings = parse(&text).with_context(|| {
        format!(
            "the settings file {} cannot be used (`workshop emulator --help-config` shows every key)",
            path.display()
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for script in &mut settings.scripts {
        *script = folder.join(&script);
    }
    Ok(settings)
}

fn parse(text: &str) -> anyhow::Result<Settings> {
    let file: File = toml::from_str(text)?;
    let mut config = Config::default();
    config.seed = file.seed.unwrap_or(config.seed);
    config.region = file.region.unwrap_or(config.region);
    if let Some(account_id) = file.account_id {
        if account_id.len() != 12 || !account_id.bytes().all(|b| b.is_ascii_digit()) {
            bail!("account_id = {account_id:?}: an AWS account id has twelve digits");
        }
        config.account_id = account_id;
    }
    config.auth = match file.auth {
        Some(AuthKey::Off) => Auth::Off,
        Some(AuthKey::Strict) | None => Auth::Strict,
    };
    config.today = file.today.as_deref().map(day).transpose()?;
    config.invocation_logging = file.invocation_logging.unwrap_or(config.invocation_logging);
    config.requests_per_minute = file.requests_per_minute.or(config.requests_per_minute);
    config.journal_capacity = file.journal_requests.unwrap_or(config.journal_capacity);
    config.journal_bytes = file.journal_bytes.unwrap_or(config.journal_bytes);
    if let Some(latency) = file.latency {
        config.latency = Latency::Fixed {
            first_token_ms: latency.first_token_ms,
            per_token_ms: latency.per_token_ms,
        };
    }
    config.quotas.from_catalogue = file.quotas == Some(QuotasKey::Catalogue);
    for quota in file.quota {
        let limits = Limits {
            requests_per_minute: quota.requests_per_minute,
            tokens_per_minute: quota.tokens_per_minute,
            tokens_per_day: quota.tokens_per_day,
        };
        config.quotas.limits.insert(quota.model, limits);
    }
    let identities = Identities {
        policy: file.policy,
        user: file.user,
        role: file.role,
        service_control_policy: file.service_control_policy,
        credential: file.credential,
        api_key: file.api_key,
    };
    identities.fill(&mut config)?;
    Ok(Settings {
        config,
        tls: file.tls,
        upstream: file.upstream.map(UpstreamKey::read).transpose()?,
        scripts: file.script,
        vpc_endpoints: file
            .vpc_endpoint
            .into_iter()
            .map(VpcEndpointKey::read)
            .collect::<anyhow::Result<_>>()?,
    })
}

/// A day written as 2026-11-22.
pub(crate) fn day(text: &str) -> anyhow::Result<Date> {
    Date::parse(text, &Iso8601::DATE)
        .with_context(|| format!("{text:?} is not a day; write it as 2026-11-22"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_the_default() {
        let read = parse(TEMPLATE).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", Settings::default()));
    }

    #[test]
    fn the_commented_keys_of_the_template_are_real() {
        let all: Vec<&str> = TEMPLATE
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(line))
            .filter(|line| line.starts_with('[') || line.contains(" = "))
            .collect();
        // Top-level keys must precede tables, as they do in the template.
        let settings = parse(&all.join("\n")).unwrap();
        assert_eq!(settings.vpc_endpoints[0].0, "vpce-1a2b3c4d");
        let config = settings.config;
        assert_eq!(config.policies.len(), 1);
        assert_eq!(config.credentials.len(), 2);
        assert_eq!(config.requests_per_minute, Some(60));
        assert_eq!(config.identities.len(), 2);
        assert_eq!(config.quotas.limits.len(), 1);
        assert_eq!(config.service_control_policies.len(), 1);
        bedrock_emulator::Emulator::new(config).unwrap();
    }

    #[test]
    fn mistakes_are_named() {
        for (text, said) in [
            ("sed = 1", "unknown field `sed`"),
            ("auth = \"maybe\"", "unknown variant `maybe`"),
            ("account_id = \"12\"", "twelve digits"),
            ("today = \"22.11.2026\"", "write it as 2026-11-22"),
            ("[[policy]]\ndocument = \"{\"", "policy number 1"),
            (
                "[[vpc_endpoint]]\nid = \"vpce-x\"\npolicy = \"{}\"",
                "write it as vpce-1a2b3c4d",
            ),
            (
                "[[vpc_endpoint]]\nid = \"vpce-1a\"\npolicy = \"{\"",
                "the VPC endpoint vpce-1a is not JSON",
            ),
            ("journal_bytes = -1", "journal_bytes"),
            (
                "[[user]]\narn = \"second\"\npolicies = []",
                "arn:aws:iam::123456789012:user/name",
            ),
            (
                "[[user]]\narn = \"arn:aws:iam::123456789012:user/a\"\npolicies = [\"x\"]",
                "lists the policy \"x\"",
            ),
            (
                "[[role]]\narn = \"arn:aws:iam::123456789012:role/a\"\ntrust = \"{\"",
                "its trust is not JSON",
            ),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}

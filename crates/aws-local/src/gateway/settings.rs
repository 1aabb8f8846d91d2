//! What API Gateway knows about an API beside its OpenAPI document: the stage, usage plans, keys.
//! Names are those of API Gateway's own API (`CreateStage`, `CreateUsagePlan`, `CreateApiKey`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::diagnostic::{Findings, member};

/// The settings of one API with one stage. [`Settings::default`] is a REST API `workshop` with the
/// stage `dev` and no limits.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// In the URL and in events; AWS makes up ten letters and digits.
    pub api_id: String,
    /// REST APIs have keys, plans, validation and a cache; HTTP APIs have none of them.
    pub protocol_type: ProtocolType,
    /// In events and ARNs.
    pub account_id: String,
    /// In ARNs and host names.
    pub region: String,
    /// The stage.
    pub stage: Stage,
    /// Who may send how much.
    pub usage_plans: Vec<UsagePlan>,
    /// The keys.
    pub api_keys: Vec<ApiKey>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            api_id: "workshop".to_owned(),
            protocol_type: ProtocolType::Rest,
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            stage: Stage::default(),
            usage_plans: Vec::new(),
            api_keys: Vec::new(),
        }
    }
}

/// Which of API Gateway's two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProtocolType {
    /// `aws apigateway import-rest-api`.
    Rest,
    /// `aws apigatewayv2 import-api`.
    Http,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Stage {
    /// In the URL; an HTTP API may have `$default`, which is not.
    pub stage_name: String,
    /// For `${stageVariables.name}` in integrations, and in events.
    pub variables: BTreeMap<String, String>,
    /// Without it nothing is cached.
    pub cache_cluster_enabled: bool,
    /// By `/path/METHOD`, or `*/*` for all.
    pub method_settings: BTreeMap<String, MethodSetting>,
    /// What is written about each request.
    pub access_log_settings: Option<AccessLogSettings>,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            stage_name: "dev".to_owned(),
            variables: BTreeMap::new(),
            cache_cluster_enabled: false,
            method_settings: BTreeMap::new(),
            access_log_settings: None,
        }
    }
}

/// How a method differs from the others of its stage.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MethodSetting {
    /// Requests per second, whoever sends them.
    pub throttling_rate_limit: Option<f64>,
    /// Requests at once.
    pub throttling_burst_limit: Option<u32>,
    /// For `*/*` this means GET; other methods must be named.
    pub caching_enabled: Option<bool>,
    /// 300 unless said otherwise; 0 turns caching off; 3,600 at most.
    pub cache_ttl_in_seconds: Option<u32>,
    /// Whether `Cache-Control: max-age=0` asks for a permission; `true` unless said otherwise.
    pub require_authorization_for_cache_control: Option<bool>,
    /// What becomes of a client that has it not.
    pub unauthorized_cache_control_header_strategy: Option<Unauthorized>,
}

/// What becomes of a client that wants the cache bypassed and may not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unauthorized {
    /// 403.
    #[serde(rename = "FAIL_WITH_403")]
    FailWith403,
    /// The wish is ignored, and the answer says so.
    #[default]
    SucceedWithResponseHeader,
    /// The wish is ignored.
    SucceedWithoutResponseHeader,
}

/// The access log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessLogSettings {
    /// One line with `$context` variables.
    pub format: String,
    /// The ARN of the log group that gets the lines; made when it is missing. `None`:
    /// `API-Gateway-Access-Logs_{api}/{stage}`. (AWS asks for one, and for the group to be there.)
    #[serde(default)]
    pub destination_arn: Option<String>,
}

/// Who may send how much.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UsagePlan {
    /// For people.
    pub name: String,
    /// For each of its keys; `None`: no limit.
    pub throttle: Option<Throttle>,
    /// For each of its keys; `None`: no limit.
    pub quota: Option<Quota>,
    /// Instead of `throttle`, by `/path/METHOD`.
    pub method_throttle: BTreeMap<String, Throttle>,
    /// Its keys' ids.
    pub keys: Vec<String>,
}

/// A token bucket's size.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Throttle {
    /// Tokens per second.
    pub rate_limit: f64,
    /// Tokens that it holds.
    pub burst_limit: u32,
}

/// Requests per period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// So many.
    pub limit: u32,
    /// The day a period starts on: 0 is Sunday, or the first of the month.
    #[serde(default)]
    pub offset: u8,
    /// How long a period is.
    pub period: Period,
}

/// How long a quota lasts. Periods start at 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKey {
    /// In usage plans, events and the access log.
    pub id: String,
    /// What a client sends.
    pub value: String,
    /// A key may be turned off.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl Settings {
    /// Reads them from JSON.
    ///
    /// # Errors
    /// The place of what is not understood, with the names that are.
    pub fn read(file: &str, json: &str) -> Result<Self, super::Diagnostics> {
        serde_json::from_str(json).map_err(|error| {
            let mut findings = Findings::in_file(file);
            let place = format!("line {}, column {}", error.line(), error.column());
            findings.add("", format!("{error} ({place})"), "change it there");
            super::Diagnostics(findings.found)
        })
    }

    /// What AWS would refuse, as far as it does not depend on the document.
    pub(super) fn check(&self, findings: &mut Findings) {
        let host_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.api_id.is_empty() || !self.api_id.chars().all(host_part) {
            let problem = format!("the id '{}' cannot stand in a URL", self.api_id);
            findings.add("/apiId", problem, "use letters, digits, '-' and '_'");
        }
        self.check_stage(findings);
        self.check_keys(findings);
        for (index, plan) in self.usage_plans.iter().enumerate() {
            plan.check(&format!("/usagePlans/{index}"), findings);
        }
    }

    fn check_stage(&self, findings: &mut Findings) {
        let name = self.stage.stage_name.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let bare = self.protocol_type == ProtocolType::Http && name == "$default";
        if !bare && (name.is_empty() || name.len() > 128 || !name.chars().all(plain)) {
            findings.add(
                "/stage/stageName",
                format!("'{name}' is no stage name"),
                "use letters, digits, '-' and '_' (an HTTP API may have $default)",
            );
        }
        for (key, setting) in &self.stage.method_settings {
            let pointer = member("/stage/methodSettings", key);
            if setting.cache_ttl_in_seconds > Some(3_600) {
                let pointer = member(&pointer, "cacheTtlInSeconds");
                findings.add(&pointer, "AWS caches for an hour at most", "use 0 to 3600");
            }
            if setting.throttling_rate_limit.is_some() != setting.throttling_burst_limit.is_some() {
                findings.add(
                    &pointer,
                    "a rate and a burst belong together",
                    "give throttlingRateLimit and throttlingBurstLimit",
                );
            }
            if let Some(rate) = setting.throttling_rate_limit {
                check_rate(rate, &member(&pointer, "throttlingRateLimit"), findings);
            }
        }
        if self.protocol_type == ProtocolType::Http {
            if self.stage.cache_cluster_enabled {
                findings.add(
                    "/stage/cacheClusterEnabled",
                    "HTTP APIs have no cache",
                    "set it to false, or protocolType to REST",
                );
            }
            if !self.usage_plans.is_empty() || !self.api_keys.is_empty() {
                findings.add(
                    "/usagePlans",
                    "HTTP APIs have no API keys and no usage plans",
                    "remove usagePlans and apiKeys, or set protocolType to REST",
                );
            }
        }
    }

    fn check_keys(&self, findings: &mut Findings) {
        for (index, key) in self.api_keys.iter().enumerate() {
            let pointer = format!("/apiKeys/{index}");
            let earlier = &self.api_keys[..index];
            if earlier
                .iter()
                .any(|k| k.id == key.id || k.value == key.value)
            {
                findings.add(
                    &pointer,
                    format!("the key '{}' is there already", key.id),
                    "give every key an id and a value of its own",
                );
            }
            if key.value.is_empty() {
                findings.add(&pointer, "an empty value is no key", "give it a value");
            }
        }
        let mut planned: Vec<&str> = Vec::new();
        for (index, plan) in self.usage_plans.iter().enumerate() {
            for id in &plan.keys {
                let pointer = format!("/usagePlans/{index}/keys");
                if !self.api_keys.iter().any(|key| key.id == *id) {
                    let problem = format!("no key has the id '{id}'");
                    findings.add(&pointer, problem, "add it to apiKeys");
                } else if planned.contains(&id.as_str()) {
                    // AWS: a key has one plan per stage.
                    let problem = format!("the key '{id}' has a usage plan for this stage already");
                    findings.add(&pointer, problem, "leave it in one of them");
                } else {
                    planned.push(id);
                }
            }
        }
    }
}

impl UsagePlan {
    fn check(&self, pointer: &str, findings: &mut Findings) {
        if let Some(throttle) = self.throttle {
            let pointer = format!("{pointer}/throttle/rateLimit");
            check_rate(throttle.rate_limit, &pointer, findings);
        }
        for (key, throttle) in &self.method_throttle {
            let pointer = member(&format!("{pointer}/methodThrottle"), key);
            check_rate(throttle.rate_limit, &pointer, findings);
        }
        if let Some(quota) = self.quota {
            // The service's own words.
            let (most, words) = match quota.period {
                Period::Day => (0, "Usage Plan quota offset must be zero in the DAY period"),
                Period::Week => (
                    6,
                    "Usage Plan quota offset must be between zero and six inclusive in the WEEK period",
                ),
                Period::Month => (
                    27,
                    "Usage Plan quota offset must be between zero and 27 inclusive in the MONTH period",
                ),
            };
            if quota.offset > most {
                findings.add(&format!("{pointer}/quota/offset"), words, "change it");
            }
        }
    }
}

fn check_rate(rate: f64, pointer: &str, findings: &mut Findings) {
    if !(0.0..=1e9).contains(&rate) {
        let problem = format!("{rate} requests per second are no rate");
        findings.add(pointer, problem, "use a number from 0 on");
    }
}

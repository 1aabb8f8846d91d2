//! The quotas that an account has in a region, from the catalogue and from the settings.
//!
//! A model has requests and tokens per minute for each way in: on demand, by a geographic profile,
//! by the global one. Tokens per day count the first two together. Names follow AWS's; codes are made
//! from them, so a quota keeps its code. (AWS's own codes are not public in full.)

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    catalogue::{self, Model},
    emulator::Config,
    error::{ApiError, Code},
    quota::Limits,
    service::Call,
};

/// The code of the only service here.
pub(super) const SERVICE: &str = "bedrock";
/// Its name.
pub(super) const SERVICE_NAME: &str = "Amazon Bedrock";

/// As much as a quota's value can say (service model). What is counted may go further.
const VALUE_MAX: u64 = 10_000_000_000;

/// One quota.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quota {
    pub(super) code: String,
    name: String,
    description: String,
    /// What every account has at first.
    default: u64,
    /// What this one has.
    applied: u64,
    adjustable: bool,
}

/// A way to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    OnDemand,
    Geographic,
    Global,
}

impl Door {
    const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "On-demand model inference",
            Self::Geographic => "Cross-region model inference",
            Self::Global => "Global cross-region model inference",
        }
    }
}

/// Every quota of the caller's account in its region, model by model in the catalogue's order.
pub(super) fn all(call: &Call<'_>) -> Vec<Quota> {
    let (catalogue, config) = (call.catalogue(), call.emulator.config());
    let models = catalogue.models.iter().filter(|model| {
        catalogue.has_in_region(model, call.region) && catalogue.state(model, call.today).lives()
    });
    let mut quotas = Vec::new();
    for model in models {
        let on_demand = model.on_demand_in(call.region);
        let prefixes: Vec<&str> = catalogue.prefixes(model, call.region).collect();
        let geographic = prefixes.iter().find(|prefix| **prefix != "global");
        let of = |id: String| applied(config, &id, &model.id);
        let name = full_name(model);
        if on_demand {
            per_minute(
                Door::OnDemand,
                model,
                &name,
                of(model.id.clone()),
                &mut quotas,
            );
        }
        if let Some(prefix) = geographic {
            let limits = of(format!("{prefix}.{}", model.id));
            per_minute(Door::Geographic, model, &name, limits, &mut quotas);
        }
        if on_demand || geographic.is_some() {
            let doubled = geographic.is_some() || !model.profiles.is_empty();
            let note = if doubled {
                " (doubled for cross-region calls)"
            } else {
                ""
            };
            quotas.push(per_day(
                format!("Model invocation max tokens per day for {name}{note}"),
                &name,
                tokens_per_minute(Door::OnDemand, model),
                of(model.id.clone()),
            ));
        }
        if prefixes.contains(&"global") {
            let limits = of(format!("global.{}", model.id));
            per_minute(Door::Global, model, &name, limits, &mut quotas);
            quotas.push(per_day(
                format!("{} tokens per day for {name}", Door::Global.name()),
                &name,
                tokens_per_minute(Door::Global, model),
                limits,
            ));
        }
    }
    quotas
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Which {
    service_code: Option<String>,
    quota_code: Option<String>,
}

/// The quota that the request names by `ServiceCode` and `QuotaCode`.
pub(super) fn asked(call: &Call<'_>) -> Result<Quota, ApiError> {
    let which: Which = call.json()?;
    service(which.service_code.as_deref())?;
    let code = which.quota_code.ok_or_else(|| missing("quotaCode"))?;
    let found = all(call).into_iter().find(|quota| quota.code == code);
    found.ok_or_else(|| {
        no_such("The request failed because the specified quota does not exist for this service.")
    })
}

/// Refuses every service but Bedrock: this emulator knows no other's quotas.
pub(super) fn service(code: Option<&str>) -> Result<(), ApiError> {
    match code {
        Some(SERVICE) => Ok(()),
        None => Err(missing("serviceCode")),
        Some(_) => Err(no_such(
            "The request failed because the specified service does not exist.",
        )),
    }
}

impl Quota {
    /// As it is for the caller's account.
    pub(super) fn told(&self, call: &Call<'_>) -> Value {
        self.shown(call, &call.account.id, self.applied)
    }

    /// As it is for every account at first; such an ARN names no account.
    pub(super) fn told_default(&self, call: &Call<'_>) -> Value {
        self.shown(call, "", self.default)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "the service model says double; no quota comes near 2^53"
    )]
    fn shown(&self, call: &Call<'_>, account: &str, value: u64) -> Value {
        json!({
            "ServiceCode": SERVICE,
            "ServiceName": SERVICE_NAME,
            "QuotaArn": format!(
                "arn:aws:servicequotas:{}:{account}:{SERVICE}/{}",
                call.region, self.code
            ),
            "QuotaCode": self.code,
            "QuotaName": self.name,
            "Value": value.min(VALUE_MAX) as f64,
            "Unit": "None",
            "Adjustable": self.adjustable,
            "GlobalQuota": false,
            "QuotaAppliedAtLevel": "ACCOUNT",
            "Description": self.description,
        })
    }
}

/// What the settings say instead of the catalogue; the order is that of enforcement.
fn applied(config: &Config, id: &str, model: &str) -> Limits {
    let limits = &config.quotas.limits;
    let own = [id, model, "*"].iter().find_map(|key| limits.get(*key));
    let mut own = own.copied().unwrap_or_default();
    if let Some(most) = config.requests_per_minute {
        let requests = own.requests_per_minute.map_or(most, |own| own.min(most));
        own.requests_per_minute = Some(requests);
    }
    own
}

fn per_minute(door: Door, model: &Model, name: &str, limits: Limits, to: &mut Vec<Quota>) {
    let requests = halved(door, model, u64::from(model.quotas.requests_per_minute));
    let tokens = tokens_per_minute(door, model);
    let rows = [
        (
            "requests",
            requests,
            limits.requests_per_minute.map(u64::from),
        ),
        ("tokens", tokens, limits.tokens_per_minute),
    ];
    for (what, default, own) in rows {
        to.push(Quota::new(
            format!("{} {what} per minute for {name}", door.name()),
            format!(
                "The most {what} in a minute for {name}, of Converse, ConverseStream, InvokeModel and \
                 InvokeModelWithResponseStream together."
            ),
            default,
            own,
            // Seen so for Claude: only what crosses regions can be raised.
            door != Door::OnDemand,
        ));
    }
}

fn per_day(quota: String, name: &str, tokens_per_minute: u64, limits: Limits) -> Quota {
    let description = format!("The most tokens in a day, input and output together, for {name}.");
    let default = catalogue::Quotas::tokens_per_day(tokens_per_minute);
    Quota::new(quota, description, default, limits.tokens_per_day, false)
}

fn tokens_per_minute(door: Door, model: &Model) -> u64 {
    let quotas = &model.quotas;
    match quotas.global_tokens_per_minute {
        Some(global) if door == Door::Global => global,
        _ => halved(door, model, quotas.tokens_per_minute),
    }
}

/// On demand there is half of what a profile gets, if there is one.
fn halved(door: Door, model: &Model, value: u64) -> u64 {
    if door == Door::OnDemand && !model.profiles.is_empty() {
        value / 2
    } else {
        value
    }
}

/// `Anthropic Claude Haiku 4.5`, `Amazon Nova Pro`.
fn full_name(model: &Model) -> String {
    let provider = model.provider_name();
    if model.name.starts_with(&provider) {
        return model.name.clone();
    }
    format!("{provider} {}", model.name)
}

impl Quota {
    fn new(
        name: String,
        description: String,
        default: u64,
        applied: Option<u64>,
        adjustable: bool,
    ) -> Self {
        let digest = Sha256::digest(&name);
        let code = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        Self {
            code: format!("L-{code:08X}"),
            name,
            description,
            default,
            applied: applied.unwrap_or(default),
            adjustable,
        }
    }
}

fn missing(member: &str) -> ApiError {
    illegal(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must \
         not be null"
    ))
}

/// The exceptions' member is `Message` (service model), which is how the front door spells it.
pub(super) fn illegal(message: impl Into<String>) -> ApiError {
    ApiError::front_door(Code::IllegalArgument, message)
}

fn no_such(message: &str) -> ApiError {
    ApiError::front_door(Code::NoSuchResource, message)
}

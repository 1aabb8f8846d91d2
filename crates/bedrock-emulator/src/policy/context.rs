//! What a request says about itself: the condition keys, looked up only when a policy asks.

use std::borrow::Cow;

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    identity::{Bearer, Principal},
    vpc_endpoint,
    wire::Request,
};

/// Condition keys that a request to the emulator has or may have, in lower case.
const KEYS: [&str; 43] = [
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:currenttime",
    "aws:ec2instancesourcevpc",
    "aws:epochtime",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principaltype",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:tagkeys",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:username",
    "aws:viaawsservice",
    "aws:vpcsourceip",
    "bedrock:bearertokentype",
    "bedrock:dataretentionmode",
    "bedrock:guardrailidentifier",
    "bedrock:inferenceprofilearn",
    "bedrock:promptrouterarn",
    "bedrock:servicetier",
    "sts:externalid",
    "sts:rolesessionname",
    "sts:sourceidentity",
];

const TAGS: [&str; 3] = ["aws:principaltag/", "aws:resourcetag/", "aws:requesttag/"];

/// Whether a lower-case key is one that can have a value here. Others are refused when a policy is
/// set: a condition on a key that never has a value would decide by accident.
pub(super) fn known(key: &str) -> bool {
    // The keys of web identity providers: `token.example.com:sub`.
    let provider = key.split_once(':').is_some_and(|(name, claim)| {
        name.contains('.') && matches!(claim, "aud" | "sub" | "amr" | "oaud" | "email")
    });
    provider || KEYS.contains(&key) || TAGS.iter().any(|tag| key.starts_with(tag))
}

/// One question's surroundings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context<'c> {
    pub(crate) principal: Option<&'c Principal>,
    pub(crate) request: Option<&'c Request>,
    pub(crate) now: Option<OffsetDateTime>,
    pub(crate) region: &'c str,
    pub(crate) resource: &'c str,
    /// The ARN of the inference profile that is called.
    pub(crate) profile: Option<&'c str>,
    /// What the operation knows besides.
    pub(crate) extra: &'c [(String, String)],
}

/// The values of a key; none: it is absent.
pub(super) type Values<'c> = Vec<Cow<'c, str>>;

impl<'c> Context<'c> {
    /// The account that the caller belongs to.
    pub(super) fn account(&self) -> &'c str {
        self.principal.map_or("", |p| &p.account)
    }

    /// The values of a lower-case key.
    pub(super) fn get(&self, key: &str) -> Values<'c> {
        let extra = self.extra.iter();
        let mut extra = extra
            .filter(|(k, _)| k.eq_ignore_ascii_case(key))
            .peekable();
        if extra.peek().is_some() {
            return extra.map(|(_, v)| Cow::Borrowed(v.as_str())).collect();
        }
        self.one(key).into_iter().collect()
    }

    fn one(&self, key: &str) -> Option<Cow<'c, str>> {
        let principal = self.principal;
        Some(match key {
            // A model in no region (the destination of a global profile) is asked for in the region
            // `unspecified` (inferred).
            "aws:requestedregion" if self.resource.starts_with("arn:aws:bedrock:::") => {
                "unspecified".into()
            }
            "aws:requestedregion" => self.region.into(),
            // The emulator stands for an HTTPS endpoint; its loopback is not part of the lesson.
            "aws:securetransport" => "true".into(),
            "aws:viaawsservice" | "aws:principalisawsservice" => "false".into(),
            "aws:principalarn" => principal?.policy_arn().into(),
            "aws:principalaccount" => self.account().into(),
            "aws:principaltype" => principal?.kind().into(),
            "aws:username" => principal?.user_name()?.into(),
            "aws:userid" => principal?.user_id().into(),
            "aws:tokenissuetime" => iso(principal?.session.as_ref()?.issued_at),
            "aws:sourcevpce" => vpc_endpoint::of(self.request?)?.into(),
            "aws:currenttime" => iso(self.now?),
            "aws:epochtime" => self.now?.unix_timestamp().to_string().into(),
            "aws:useragent" => self.request?.header("user-agent")?.into(),
            "aws:referer" => self.request?.header("referer")?.into(),
            // All callers come over loopback; a proxy's header gives them another address.
            "aws:sourceip" => {
                let forwarded = self.request?.header("x-forwarded-for");
                let first = forwarded.and_then(|f| f.split(',').next());
                first.map_or("127.0.0.1", str::trim).into()
            }
            "aws:resourceaccount" => {
                let account = self.resource.split(':').nth(4)?;
                (!account.is_empty()).then_some(account)?.into()
            }
            "bedrock:inferenceprofilearn" => self.profile?.into(),
            "bedrock:bearertokentype" => match principal?.bearer? {
                Bearer::ShortTerm => "SHORT_TERM".into(),
                Bearer::LongTerm => "LONG_TERM".into(),
            },
            "bedrock:servicetier" => self.service_tier()?,
            "bedrock:guardrailidentifier" => self.guardrail()?,
            "bedrock:promptrouterarn" => {
                let router = self.resource.contains(":default-prompt-router/")
                    || self.resource.contains(":prompt-router/");
                router.then_some(self.resource)?.into()
            }
            _ => {
                let tag = key.strip_prefix("aws:principaltag/")?;
                let mut tags = principal?.session.as_ref()?.tags.iter();
                let found = tags.find(|(name, _)| name.eq_ignore_ascii_case(tag));
                found?.1.as_str().into()
            }
        })
    }

    /// The ARN of the guardrail that an invocation names.
    pub(crate) fn guardrail_arn(&self) -> Option<String> {
        self.named_guardrail().map(|(arn, _)| arn)
    }

    /// From the header that `InvokeModel` takes, or from Converse's body.
    fn service_tier(&self) -> Option<Cow<'c, str>> {
        let request = self.request?;
        if let Some(tier) = request.header("x-amzn-bedrock-service-tier") {
            return Some(tier.into());
        }
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        Some(body["serviceTier"]["type"].as_str()?.to_owned().into())
    }

    /// The guardrail's ARN, with `:` and the version unless that is `DRAFT` (service authorization
    /// reference).
    fn guardrail(&self) -> Option<Cow<'c, str>> {
        let (arn, version) = self.named_guardrail()?;
        let numbered = version.filter(|v| v.bytes().all(|b| b.is_ascii_digit()));
        Some(match numbered {
            Some(version) => format!("{arn}:{version}").into(),
            None => arn.into(),
        })
    }

    /// ARN and version.
    fn named_guardrail(&self) -> Option<(String, Option<String>)> {
        let request = self.request?;
        let header = |name| request.header(name).map(str::to_owned);
        let (id, version) = if let Some(id) = header("x-amzn-bedrock-guardrailidentifier") {
            (id, header("x-amzn-bedrock-guardrailversion"))
        } else {
            let body: Value = serde_json::from_slice(&request.body).ok()?;
            let config = &body["guardrailConfig"];
            let text = |name: &str| config[name].as_str().map(str::to_owned);
            (text("guardrailIdentifier")?, text("guardrailVersion"))
        };
        let arn = if id.starts_with("arn:") {
            id
        } else {
            let (region, account) = (self.region, self.account());
            format!("arn:aws:bedrock:{region}:{account}:guardrail/{id}")
        };
        Some((arn, version))
    }
}

fn iso(time: OffsetDateTime) -> Cow<'static, str> {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_default().into()
}

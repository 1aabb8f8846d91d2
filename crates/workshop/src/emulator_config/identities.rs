//! The settings about who exists and what they may do: policies, users, roles, keys.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use bedrock_emulator::{
    Config,
    emulator::{ApiKey, Credential},
    identity::Identity,
    policy::NamedPolicy,
};
use serde::Deserialize;
use serde_json::Value;

/// An IAM policy: without a name for every caller that has none of its own, with a name for whoever
/// lists it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyKey {
    name: Option<String>,
    document: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserKey {
    arn: String,
    policies: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleKey {
    arn: String,
    trust: String,
    policies: Option<Vec<String>>,
    max_session_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceControlPolicyKey {
    account: Option<String>,
    policy: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialKey {
    access_key_id: String,
    secret_access_key: String,
    arn: String,
    session_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyKey {
    token: String,
    arn: String,
}

/// Everything the file says about identities.
#[derive(Debug)]
pub(super) struct Identities {
    pub(super) policy: Vec<PolicyKey>,
    pub(super) user: Vec<UserKey>,
    pub(super) role: Vec<RoleKey>,
    pub(super) service_control_policy: Vec<ServiceControlPolicyKey>,
    pub(super) credential: Vec<CredentialKey>,
    pub(super) api_key: Vec<ApiKeyKey>,
}

impl Identities {
    /// Puts them into the emulator's configuration.
    pub(super) fn fill(self, config: &mut Config) -> anyhow::Result<()> {
        let named = self.documents(config)?;
        for user in self.user {
            arn(&user.arn, &["user/", "root"])?;
            config.identities.push(Identity {
                policies: Some(named.all(&user.policies, &user.arn)?),
                arn: user.arn,
                ..Identity::default()
            });
        }
        for role in self.role {
            arn(&role.arn, &["role/"])?;
            let policies = role.policies.as_deref();
            let trust = serde_json::from_str(&role.trust);
            config.identities.push(Identity {
                policies: policies.map(|p| named.all(p, &role.arn)).transpose()?,
                trust_policy: Some(
                    trust.with_context(|| format!("role {}: its trust is not JSON", role.arn))?,
                ),
                max_session_seconds: role.max_session_seconds,
                arn: role.arn,
            });
        }
        for key in self.service_control_policy {
            let account = key.account.unwrap_or_else(|| config.account_id.clone());
            let policy = named.one(&key.policy, "service_control_policy")?;
            config.service_control_policies.push((account, policy));
        }
        config
            .credentials
            .extend(self.credential.into_iter().map(|c| Credential {
                access_key_id: c.access_key_id,
                secret_access_key: c.secret_access_key,
                session_token: c.session_token,
                arn: c.arn,
                expires_at: None,
            }));
        config
            .api_keys
            .extend(self.api_key.into_iter().map(|key| ApiKey {
                token: key.token,
                arn: key.arn,
            }));
        Ok(())
    }

    fn documents(&self, config: &mut Config) -> anyhow::Result<Named> {
        let mut named = BTreeMap::new();
        for (n, policy) in self.policy.iter().enumerate() {
            let document: Value = serde_json::from_str(&policy.document)
                .with_context(|| format!("policy number {}: its document is not JSON", n + 1))?;
            match &policy.name {
                None => config.policies.push(document),
                Some(name) => {
                    if named.insert(name.clone(), document).is_some() {
                        bail!("two policies are called {name:?}");
                    }
                }
            }
        }
        Ok(Named(named))
    }
}

/// The policies with a name.
struct Named(BTreeMap<String, Value>);

impl Named {
    fn all(&self, names: &[String], whose: &str) -> anyhow::Result<Vec<NamedPolicy>> {
        names.iter().map(|name| self.one(name, whose)).collect()
    }

    fn one(&self, name: &str, whose: &str) -> anyhow::Result<NamedPolicy> {
        let Some(document) = self.0.get(name) else {
            let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
            bail!("{whose} lists the policy {name:?}; policies with a name are {known:?}");
        };
        Ok(NamedPolicy {
            name: name.to_owned(),
            document: document.clone(),
        })
    }
}

fn arn(arn: &str, kinds: &[&str]) -> anyhow::Result<()> {
    let resource = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(':'));
    let right = resource.is_some_and(|(account, resource)| {
        account.len() == 12 && kinds.iter().any(|kind| resource.starts_with(kind))
    });
    if !right {
        let kind = kinds[0];
        bail!("{arn:?} is not an ARN like arn:aws:iam::123456789012:{kind}name");
    }
    Ok(())
}

//! Who exists: key pairs and API keys, and the identities they belong to.

use crate::emulator::{ApiKey, Config, Credential};

/// The caller, once authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// The IAM ARN.
    pub(crate) arn: String,
    /// The account it belongs to.
    pub(crate) account: String,
    /// Whether a Bedrock API key was used.
    pub(crate) bearer: bool,
}

/// All identities of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct Identities {
    credentials: Vec<Credential>,
    api_keys: Vec<ApiKey>,
    default_account: String,
}

impl Identities {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            credentials: config.credentials.clone(),
            api_keys: config.api_keys.clone(),
            default_account: config.account_id.clone(),
        }
    }

    /// The key pair with this access key id.
    pub(crate) fn credential(&self, access_key_id: &str) -> Option<&Credential> {
        let mut all = self.credentials.iter();
        all.find(|c| c.access_key_id == access_key_id)
    }

    /// The API key that is `token`.
    pub(crate) fn api_key(&self, token: &str) -> Option<&ApiKey> {
        self.api_keys.iter().find(|key| key.token == token)
    }

    /// Who calls when nobody has to prove it: the first configured identity.
    pub(crate) fn anyone(&self) -> Principal {
        let arn = match self.credentials.first() {
            Some(credential) => credential.arn.clone(),
            None => format!("arn:aws:iam::{}:root", self.default_account),
        };
        self.principal(arn, false)
    }

    /// The principal with this ARN.
    pub(crate) fn principal(&self, arn: String, bearer: bool) -> Principal {
        let account = arn.split(':').nth(4).filter(|id| !id.is_empty());
        let account = account.unwrap_or(&self.default_account).to_owned();
        Principal {
            arn,
            account,
            bearer,
        }
    }
}

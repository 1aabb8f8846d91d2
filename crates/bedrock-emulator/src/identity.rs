//! Who exists: key pairs and API keys, and the identities they belong to.

use crate::{
    emulator::{ApiKey, Config, Credential},
    rng::{Rng, hash},
};

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

impl Principal {
    /// The unique id that IAM gives an identity, made of its ARN: `AIDA…` for users, `AROA…` and the
    /// session's name for roles, the account for root.
    pub(crate) fn user_id(&self) -> String {
        let resource = self.arn.splitn(6, ':').nth(5).unwrap_or_default();
        let mut path = resource.split('/');
        match path.next() {
            Some("root") => self.account.clone(),
            Some("assumed-role") => {
                let role = path.next().unwrap_or_default();
                let session = path.next().unwrap_or_default();
                format!("{}:{session}", unique_id("AROA", &self.account, role))
            }
            _ => unique_id("AIDA", &self.account, resource),
        }
    }
}

/// Four letters and seventeen of base 32, the same for the same name.
pub(crate) fn unique_id(kind: &str, account: &str, name: &str) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut rng = Rng::new(hash(name), &[hash(account)]);
    let letters = (0..17).map(|_| char::from(BASE32[usize::try_from(rng.below(32)).unwrap_or(0)]));
    kind.chars().chain(letters).collect()
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

    /// Lets a key pair sign from now on; one with the same access key id goes.
    pub(crate) fn add(&mut self, credential: Credential) {
        let id = &credential.access_key_id;
        self.credentials.retain(|c| c.access_key_id != *id);
        self.credentials.push(credential);
    }

    /// Drops everybody of an account.
    pub(crate) fn forget_account(&mut self, account: &str) {
        let is_in = |arn: &str| arn.split(':').nth(4) == Some(account);
        self.credentials.retain(|c| !is_in(&c.arn));
        self.api_keys.retain(|key| !is_in(&key.arn));
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

//! Who exists: users, roles and sessions, their key pairs and API keys, and the policies they carry.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    emulator::{ApiKey, Config, Credential},
    neighbour::Actor,
    policy::{Kind, NamedPolicy, Policies, Policy, PolicyError},
    rng::{Rng, hash},
    sigv4::SigningKeys,
};

/// A user or role with policies of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// `arn:aws:iam::123456789012:user/ana` or `…:role/invoke`.
    pub arn: String,
    /// Its identity policies. `None`: those of its account ([`Config::policies`] at home); an empty
    /// list allows nothing.
    pub policies: Option<Vec<NamedPolicy>>,
    /// Who may assume it, if it is a role: a trust policy document.
    pub trust_policy: Option<Value>,
    /// The longest session, in seconds; `None`: an hour, as IAM's default.
    pub max_session_seconds: Option<u32>,
}

/// How a Bedrock API key was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// A presigned call, good for at most twelve hours.
    ShortTerm,
    /// `ABSK…`, from the configuration.
    LongTerm,
}

/// The caller, once authenticated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Principal {
    /// The ARN: of a user, or `arn:aws:sts::…:assumed-role/role/session`.
    pub(crate) arn: String,
    /// The account it belongs to.
    pub(crate) account: String,
    /// The Bedrock API key that was used, if one was.
    pub(crate) bearer: Option<Bearer>,
    /// Policies of its own; none: its account's.
    pub(crate) policies: Option<Policies>,
    /// What temporary credentials add.
    pub(crate) session: Option<Session>,
}

/// The origin of temporary credentials.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    /// The role that was assumed; none: a user's own session (`GetSessionToken`).
    pub(crate) role: Option<String>,
    /// The policies given when the session began.
    pub(crate) policies: Policies,
    pub(crate) issued_at: OffsetDateTime,
    /// Of the session: `aws:PrincipalTag/…`.
    pub(crate) tags: Vec<(String, String)>,
    /// The service beside Bedrock that works in the role's name.
    pub(crate) actor: Option<&'static Actor>,
}

impl Principal {
    /// A user, or whatever else has that ARN.
    pub(crate) fn new(arn: String, default_account: &str) -> Self {
        let account = arn.split(':').nth(4).filter(|id| !id.is_empty());
        let account = account.unwrap_or(default_account).to_owned();
        Self {
            arn,
            account,
            bearer: None,
            policies: None,
            session: None,
        }
    }

    /// Who somebody is that has taken on a role, under that name.
    pub(crate) fn assumed(
        role_arn: &str,
        session_name: &str,
        policies: Option<Policies>,
        session: Session,
    ) -> Self {
        let account = role_arn.split(':').nth(4).unwrap_or_default();
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        Self {
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}"),
            account: account.to_owned(),
            bearer: None,
            policies,
            session: Some(session),
        }
    }

    /// The ARN that policies name: of an assumed role, the role's.
    pub(crate) fn policy_arn(&self) -> &str {
        let role = self.session.as_ref().and_then(|s| s.role.as_deref());
        role.unwrap_or(&self.arn)
    }

    /// `aws:PrincipalType`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.resource().split('/').next() {
            Some("root") => "Account",
            Some("assumed-role") => "AssumedRole",
            _ => "User",
        }
    }

    /// `aws:username`: users only.
    pub(crate) fn user_name(&self) -> Option<&str> {
        let path = self.resource().strip_prefix("user/")?;
        path.rsplit('/').next()
    }

    /// The unique id that IAM gives an identity, made of its ARN: `AIDA…` for users, `AROA…` and the
    /// session's name for roles, the account for root.
    pub(crate) fn user_id(&self) -> String {
        let mut path = self.resource().split('/');
        match path.next() {
            Some("root") => self.account.clone(),
            Some("assumed-role") => {
                let role = path.next().unwrap_or_default();
                let session = path.next().unwrap_or_default();
                format!("{}:{session}", unique_id("AROA", &self.account, role))
            }
            _ => unique_id("AIDA", &self.account, self.resource()),
        }
    }

    /// What stands behind the fifth colon of its ARN.
    fn resource(&self) -> &str {
        self.arn.splitn(6, ':').nth(5).unwrap_or_default()
    }
}

/// Four letters and seventeen of base 32, the same for the same name.
pub(crate) fn unique_id(kind: &str, account: &str, name: &str) -> String {
    let mut rng = Rng::new(hash(name), &[hash(account)]);
    let letters = rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17);
    format!("{kind}{letters}")
}

/// A key pair, whose it is, and the signing keys made of it so far.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) credential: Credential,
    pub(crate) principal: Arc<Principal>,
    pub(crate) signing: Mutex<SigningKeys>,
}

impl Known {
    fn new(credential: Credential, principal: Principal) -> Self {
        Self {
            credential,
            principal: Arc::new(principal),
            signing: Mutex::default(),
        }
    }

    /// Works with the signing keys, for as short as possible.
    pub(crate) fn signing<T>(&self, work: impl FnOnce(&mut SigningKeys) -> T) -> T {
        work(&mut self.signing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A configured user or role, checked.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) policies: Option<Policies>,
    pub(crate) trust: Option<Policy>,
    pub(crate) max_session_seconds: u32,
}

/// Most sessions that are remembered; more end the oldest.
const SESSIONS_MAX: usize = 10_000;

/// All identities of all accounts.
#[derive(Debug)]
pub(crate) struct Identities {
    keys: HashMap<String, Known>,
    api_keys: HashMap<String, Arc<Principal>>,
    kept: HashMap<String, Kept>,
    /// Access key ids of sessions, oldest first.
    sessions: std::collections::VecDeque<String>,
    anyone: Arc<Principal>,
    default_account: String,
}

impl Identities {
    pub(crate) fn new(config: &Config) -> Result<Self, PolicyError> {
        let root = format!("arn:aws:iam::{}:root", config.account_id);
        let mut identities = Self {
            keys: HashMap::new(),
            api_keys: HashMap::new(),
            kept: HashMap::new(),
            sessions: std::collections::VecDeque::new(),
            anyone: Arc::new(Principal::new(root, &config.account_id)),
            default_account: config.account_id.clone(),
        };
        for identity in &config.identities {
            identities.keep(identity)?;
        }
        for credential in &config.credentials {
            identities.add(credential.clone());
        }
        for key in &config.api_keys {
            identities.add_api_key(key.clone());
        }
        let keys = config.credentials.iter();
        let mut keys = keys.filter_map(|c| identities.keys.get(&c.access_key_id));
        let first = keys.find(|known| known.principal.account == config.account_id);
        if let Some(first) = first {
            identities.anyone = Arc::clone(&first.principal);
        }
        Ok(identities)
    }

    /// Lets a key pair sign from now on.
    pub(crate) fn add(&mut self, credential: Credential) {
        let principal = self.principal(&credential.arn);
        let id = credential.access_key_id.clone();
        self.keys.insert(id, Known::new(credential, principal));
    }

    /// Accepts an API key from now on.
    pub(crate) fn add_api_key(&mut self, key: ApiKey) {
        let mut principal = self.principal(&key.arn);
        principal.bearer = Some(Bearer::LongTerm);
        self.api_keys.insert(key.token, Arc::new(principal));
    }

    /// Lets the credentials of a session sign from now on.
    pub(crate) fn begin_session(&mut self, credential: Credential, principal: Principal) {
        if self.sessions.len() >= SESSIONS_MAX
            && let Some(oldest) = self.sessions.pop_front()
        {
            self.keys.remove(&oldest);
        }
        let id = credential.access_key_id.clone();
        self.sessions.push_back(id.clone());
        self.keys.insert(id, Known::new(credential, principal));
    }

    /// Lets what a service does in a role's name sign from now on. The service keeps these, so they
    /// are not among the sessions of which the oldest end.
    pub(crate) fn begin_service_session(&mut self, credential: Credential, principal: Principal) {
        let id = credential.access_key_id.clone();
        self.keys.insert(id, Known::new(credential, principal));
    }

    /// Gives a user or role its policies. A document that cannot be understood changes nothing.
    pub(crate) fn keep(&mut self, identity: &Identity) -> Result<(), PolicyError> {
        let policies = identity
            .policies
            .as_deref()
            .map(Policies::named)
            .transpose()?;
        let trust = identity.trust_policy.as_ref().map(|document| {
            let name = "trust policy".to_owned();
            Policy::parse(name, document, Kind::Trust).map_err(|(at, problem)| PolicyError {
                index: 0,
                at: format!("the trust policy of {}: {at}", identity.arn),
                problem,
            })
        });
        let kept = Kept {
            policies,
            trust: trust.transpose()?,
            max_session_seconds: identity.max_session_seconds.unwrap_or(3_600),
        };
        self.kept.insert(identity.arn.clone(), kept);
        // Keys and sessions that exist already follow.
        let policies = &self.kept[&identity.arn].policies;
        let keys = self.keys.values_mut().map(|known| &mut known.principal);
        let all = keys.chain(self.api_keys.values_mut());
        for principal in all.chain([&mut self.anyone]) {
            if principal.policy_arn() == identity.arn {
                Arc::make_mut(principal).policies.clone_from(policies);
            }
        }
        Ok(())
    }

    /// Everything of an account goes: keys, sessions, API keys, users and roles.
    pub(crate) fn forget_account(&mut self, account: &str) {
        self.keys
            .retain(|_, known| known.principal.account != account);
        self.sessions.retain(|id| self.keys.contains_key(id));
        self.api_keys
            .retain(|_, principal| principal.account != account);
        let of = |arn: &str| arn.split(':').nth(4) == Some(account);
        self.kept.retain(|arn, _| !of(arn));
    }

    /// The key pair with this access key id.
    pub(crate) fn known(&self, access_key_id: &str) -> Option<&Known> {
        self.keys.get(access_key_id)
    }

    /// Whose API key `token` is.
    pub(crate) fn api_key(&self, token: &str) -> Option<&Arc<Principal>> {
        self.api_keys.get(token)
    }

    /// The configured role with this ARN.
    pub(crate) fn role(&self, arn: &str) -> Option<&Kept> {
        self.kept.get(arn)
    }

    /// Who calls when nobody has to prove it and no known key is named: the first configured identity
    /// of the default account.
    pub(crate) fn anyone(&self) -> Arc<Principal> {
        Arc::clone(&self.anyone)
    }

    /// The principal with this ARN, with the policies it was given.
    fn principal(&self, arn: &str) -> Principal {
        let mut principal = Principal::new(arn.to_owned(), &self.default_account);
        principal.policies = self.kept.get(arn).and_then(|kept| kept.policies.clone());
        principal
    }
}

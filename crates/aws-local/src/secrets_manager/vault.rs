//! All secrets, by account and region.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use time::OffsetDateTime;

use super::{
    error::{bounded, no_such_secret, required},
    secret::Secret,
};

/// Account, region and name.
type Key = (String, String, String);

/// Every account's secrets.
#[derive(Debug, Default)]
pub(super) struct Vault {
    secrets: BTreeMap<Key, Secret>,
    /// What a reset gives back.
    kept: BTreeMap<Key, Secret>,
}

impl Vault {
    /// Drops what was to be gone by now.
    pub(super) fn settle(&mut self, now: OffsetDateTime) {
        self.secrets
            .retain(|_, secret| secret.deletion.is_none_or(|gone| gone > now));
    }

    /// The caller's secret of that name, ARN, or ARN without its last six letters.
    pub(super) fn find(
        &mut self,
        visit: &Visit,
        id: Option<String>,
    ) -> Result<&mut Secret, ApiError> {
        let id = required(id, "secretId")?;
        bounded(&id, "secretId", 1..=2_048)?;
        let name = self.name_of(visit, &id).ok_or_else(no_such_secret)?;
        let secret = self.secrets.get_mut(&key(visit, &name));
        secret.ok_or_else(no_such_secret)
    }

    /// The name of the secret with that id, if there is one.
    fn name_of(&self, visit: &Visit, id: &str) -> Option<String> {
        let Some(name) = within_arn(id) else {
            return Some(id.to_owned());
        };
        // What looks like a whole ARN is one (observed: a name that ends like an ARN is not found by
        // an ARN without the last six letters).
        let Some(cut) = without_suffix(name) else {
            let arn = format!("{}{name}", arn_head(visit));
            return (arn == id).then(|| name.to_owned());
        };
        let secret = self.secrets.get(&key(visit, cut))?;
        (secret.arn == id).then(|| cut.to_owned())
    }

    /// The ARN of what is meant by an id, for IAM: of a secret that there is not, without the last
    /// six letters, which nobody knows.
    pub(super) fn arn_of(&self, visit: &Visit, id: &str) -> String {
        let name = self.name_of(visit, id);
        let secret = name.and_then(|name| self.secrets.get(&key(visit, &name)));
        match secret {
            Some(secret) => secret.arn.clone(),
            None if within_arn(id).is_some() => id.to_owned(),
            None => format!("{}{id}", arn_head(visit)),
        }
    }

    /// The caller's secret of that very name.
    pub(super) fn named(&mut self, visit: &Visit, name: &str) -> Option<&mut Secret> {
        self.secrets.get_mut(&key(visit, name))
    }

    pub(super) fn add(&mut self, visit: &Visit, secret: Secret) {
        self.secrets.insert(key(visit, &secret.name), secret);
    }

    pub(super) fn remove(&mut self, visit: &Visit, name: &str) {
        self.secrets.remove(&key(visit, name));
    }

    /// The caller's secrets, by name.
    pub(super) fn all<'v>(&'v self, visit: &'v Visit) -> impl Iterator<Item = &'v Secret> {
        let ours = self.secrets.iter().filter(|((account, region, _), _)| {
            *account == *visit.account && *region == visit.region
        });
        ours.map(|(_, secret)| secret)
    }

    pub(super) fn keep(&mut self, account: &str) {
        self.kept.retain(|(owner, _, _), _| owner != account);
        let ours = self.secrets.iter().filter(|(key, _)| key.0 == account);
        self.kept.extend(ours.map(|(k, s)| (k.clone(), s.clone())));
    }

    pub(super) fn forget(&mut self, account: &str) {
        self.secrets.retain(|(owner, _, _), _| owner != account);
        let ours = self.kept.iter().filter(|(key, _)| key.0 == account);
        self.secrets
            .extend(ours.map(|(k, s)| (k.clone(), s.clone())));
    }
}

fn key(visit: &Visit, name: &str) -> Key {
    (
        visit.account.to_string(),
        visit.region.clone(),
        name.to_owned(),
    )
}

/// An ARN up to the name.
pub(super) fn arn_head(visit: &Visit) -> String {
    format!(
        "arn:aws:secretsmanager:{}:{}:secret:",
        visit.region, visit.account
    )
}

/// What stands behind `secret:` in an ARN.
fn within_arn(id: &str) -> Option<&str> {
    if !id.starts_with("arn:") {
        return None;
    }
    id.splitn(7, ':').nth(6)
}

/// Without a hyphen and six letters or digits at the end.
fn without_suffix(name: &str) -> Option<&str> {
    let (head, tail) = name.rsplit_once('-')?;
    let six = tail.len() == 6 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (six && !head.is_empty()).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_ends_with_a_hyphen_and_six_letters() {
        let rows = [
            ("db-a1b2c3", Some("db")),
            ("prod/db-password-Zz9Zz9", Some("prod/db-password")),
            ("db-a1b2", None),
            ("db-a1b2c_", None),
            ("db", None),
            ("-a1b2c3", None),
        ];
        for (name, expected) in rows {
            assert_eq!(without_suffix(name), expected, "{name}");
        }
    }
}

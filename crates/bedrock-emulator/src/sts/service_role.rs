//! Roles that a service beside Bedrock takes on by itself, as Lambda does for a function.

use time::OffsetDateTime;

use crate::{
    emulator::{Credential, Emulator},
    identity::{Principal, Session},
    neighbour::Actor,
    policy::{Context, Decision, Policies},
    rng::{Rng, hash},
};

use super::issue::draw;

impl Emulator {
    /// Temporary credentials of a role for a service that works in its name. Requests signed with
    /// them come from `arn:aws:sts::…:assumed-role/<role>/<session_name>`, the role's policies decide
    /// about them, and the diagram shows `actor` where they come from. They do not expire: on AWS the
    /// service renews them in time.
    ///
    /// A role that nobody configured has its account's policies. Trust policies are not asked.
    pub fn assume_role_for_service(
        &self,
        role_arn: &str,
        session_name: &str,
        actor: Option<&'static Actor>,
        now: OffsetDateTime,
    ) -> Credential {
        let principal = self.role_principal(role_arn, session_name, actor, now);
        let arn = principal.arn.clone();
        let moment = i64::try_from(now.unix_timestamp_nanos()).unwrap_or_default();
        let moment = moment.cast_unsigned();
        let mut rng = Rng::new(self.dials().seed, &[hash(&arn), moment]);
        let credential = draw(&mut rng, &arn, None);
        self.identities_mut()
            .begin_service_session(credential.clone(), principal);
        credential
    }

    /// Who calls when a service works in the name of a role.
    pub(crate) fn role_principal(
        &self,
        role_arn: &str,
        session_name: &str,
        actor: Option<&'static Actor>,
        now: OffsetDateTime,
    ) -> Principal {
        let account = role_arn.split(':').nth(4).filter(|id| !id.is_empty());
        let account = account.unwrap_or(&self.config().account_id).to_owned();
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        let kept = self.identities().role(role_arn).cloned();
        Principal {
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}"),
            account,
            bearer: None,
            policies: kept.and_then(|role| role.policies),
            session: Some(Session {
                role: Some(role_arn.to_owned()),
                policies: Policies::default(),
                issued_at: now,
                tags: Vec::new(),
                actor,
            }),
        }
    }

    /// Whether a role's policies, and those of its account, let it do that: what a service asks before
    /// it takes a role on.
    pub fn role_may(&self, role_arn: &str, action: &str, resource: &str) -> bool {
        let mut principal = Principal::new(role_arn.to_owned(), &self.config().account_id);
        let kept = self.identities().role(role_arn).cloned();
        principal.policies = kept.and_then(|role| role.policies);
        let region = resource.split(':').nth(3).unwrap_or_default();
        let context = Context {
            principal: Some(&principal),
            region,
            resource,
            ..Context::default()
        };
        let rules = self.account(&principal.account).rules(&principal);
        rules.decide(action, resource, &context).0 == Decision::Allow
    }
}

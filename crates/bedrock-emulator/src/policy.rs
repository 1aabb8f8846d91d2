//! IAM as far as Bedrock's callers meet it: which policies there are, what they decide, and why.
//!
//! Explicit deny, then allow, then implicit deny (IAM's evaluation logic). Strict: a document with an
//! element this evaluator does not understand is refused when it is set, so that it can never allow
//! by accident. The same walk decides and explains; the hot path only decides.
//!
//! Read in this order: [`Rules`] (what applies to a caller), `document` (a policy), `condition`,
//! `pattern`, `context` (what a request says about itself), `explain` (the walk, told).

mod condition;
mod context;
mod document;
mod explain;
mod pattern;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ApiError, Code};

pub(crate) use context::Context;
pub(crate) use document::{Grant, Kind, Policy};
pub(crate) use explain::Inquiry;
pub use explain::{Access, ConditionSeen, Explanation, StatementSeen};

/// The answer to "may this caller do that?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Some statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// The kinds of policies, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Of the account's organization; can only deny here, as if `FullAWSAccess` were attached too.
    ServiceControl,
    /// Of the VPC endpoint that the request came through.
    VpcEndpoint,
    /// Of the user or role.
    Identity,
    /// Given to `AssumeRole`.
    Session,
}

/// A policy document with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPolicy {
    /// As the journal shows it.
    pub name: String,
    /// The JSON document.
    pub document: Value,
}

/// A policy document that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("IAM policy {index}, {at}: {problem}")]
pub struct PolicyError {
    /// Which document of the list, from 0.
    pub index: usize,
    /// Where in the document: `Statement[0].Effect`.
    pub at: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Some policies, checked, in a handle that is cheap to copy. None at all: everything is allowed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Policies(Option<Arc<[Policy]>>);

impl Policies {
    /// Checks the documents; an empty list allows everything.
    pub(crate) fn parse(documents: &[Value]) -> Result<Self, PolicyError> {
        if documents.is_empty() {
            return Ok(Self::default());
        }
        let named = documents.iter().enumerate();
        let named = named.map(|(i, document)| (format!("policy {}", i + 1), document));
        Self::check(named, Kind::Identity)
    }

    /// Checks named documents; an empty list allows nothing.
    pub(crate) fn named(policies: &[NamedPolicy]) -> Result<Self, PolicyError> {
        let named = policies.iter().map(|p| (p.name.clone(), &p.document));
        Self::check(named, Kind::Identity)
    }

    /// Checks the policy of a VPC endpoint.
    pub(crate) fn of_endpoint(id: &str, document: &Value) -> Result<Self, PolicyError> {
        Self::check([(id.to_owned(), document)].into_iter(), Kind::Endpoint)
    }

    fn check<'p>(
        named: impl Iterator<Item = (String, &'p Value)>,
        kind: Kind,
    ) -> Result<Self, PolicyError> {
        let policies = named.enumerate().map(|(index, (name, document))| {
            let problem = |(at, problem)| PolicyError { index, at, problem };
            Policy::parse(name, document, kind).map_err(problem)
        });
        Ok(Self(Some(policies.collect::<Result<_, _>>()?)))
    }

    pub(crate) fn unrestricted(&self) -> bool {
        self.0.is_none()
    }

    fn policies(&self) -> &[Policy] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Decides about one action on one resource.
    pub(crate) fn decide(&self, action: &str, resource: &str, context: &Context<'_>) -> Decision {
        if self.unrestricted() {
            return Decision::Allow;
        }
        let mut decision = Decision::ImplicitDeny;
        for statement in self.policies().iter().flat_map(|p| &p.statements) {
            if statement.applies(action, resource, context) {
                match statement.effect {
                    Effect::Deny => return Decision::ExplicitDeny,
                    Effect::Allow => decision = Decision::Allow,
                }
            }
        }
        decision
    }
}

/// Everything that decides about one caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) service_control: Policies,
    pub(crate) endpoint: Policies,
    pub(crate) identity: Policies,
    pub(crate) session: Policies,
}

impl Rules {
    /// No policy says anything, so that nothing needs to be asked.
    pub(crate) fn unrestricted(&self) -> bool {
        self.layers().iter().all(|(_, p)| p.unrestricted())
    }

    fn layers(&self) -> [(Layer, &Policies); 4] {
        [
            (Layer::ServiceControl, &self.service_control),
            (Layer::VpcEndpoint, &self.endpoint),
            (Layer::Identity, &self.identity),
            (Layer::Session, &self.session),
        ]
    }

    /// Decides, and names the layer that decided against. A deny anywhere comes before a missing
    /// allow.
    pub(crate) fn decide(
        &self,
        action: &str,
        resource: &str,
        context: &Context<'_>,
    ) -> (Decision, Layer) {
        let mut verdict = (Decision::Allow, Layer::Identity);
        for (layer, policies) in self.layers() {
            let decision = policies.decide(action, resource, context);
            match decision {
                Decision::ExplicitDeny => return (decision, layer),
                Decision::ImplicitDeny
                    if layer != Layer::ServiceControl && verdict.0 == Decision::Allow =>
                {
                    verdict = (decision, layer);
                }
                _ => {}
            }
        }
        verdict
    }

    /// AWS's own sentence about a denial. A resource of `*` is left out where AWS leaves it out:
    /// actions that take none (recorded), except `CallWithBearerToken` (recorded too).
    pub(crate) fn denial(
        &self,
        (decision, layer): (Decision, Layer),
        arn: &str,
        action: &str,
        resource: &str,
        context: &Context<'_>,
    ) -> ApiError {
        let policy = match layer {
            Layer::ServiceControl => "service control policy",
            Layer::VpcEndpoint => "VPC endpoint policy",
            Layer::Identity => "identity-based policy",
            Layer::Session => "session policy",
        };
        let reason = match decision {
            Decision::ExplicitDeny => {
                let article = if layer == Layer::Identity { "an" } else { "a" };
                let named = match layer {
                    Layer::ServiceControl => self.denying(action, resource, context),
                    Layer::VpcEndpoint | Layer::Identity | Layer::Session => String::new(),
                };
                format!("with an explicit deny in {article} {policy}{named}")
            }
            Decision::Allow | Decision::ImplicitDeny => {
                format!("because no {policy} allows the {action} action")
            }
        };
        let on = if resource == "*" && action != "bedrock:CallWithBearerToken" {
            String::new()
        } else {
            format!(" on resource: {resource}")
        };
        ApiError::front_door(
            Code::AccessDenied,
            format!("User: {arn} is not authorized to perform: {action}{on} {reason}"),
        )
    }

    /// `: arn:…` of the service control policy that denies.
    fn denying(&self, action: &str, resource: &str, context: &Context<'_>) -> String {
        let mut policies = self.service_control.policies().iter();
        let denies = |policy: &&Policy| {
            policy.statements.iter().any(|statement| {
                statement.effect == Effect::Deny && statement.applies(action, resource, context)
            })
        };
        policies.find(denies).map_or_else(String::new, |policy| {
            format!(": {}", service_control_arn(context.account(), &policy.name))
        })
    }
}

/// The ARN of a service control policy; a name that is an ARN stays as it is.
fn service_control_arn(account: &str, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let id = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("arn:aws:organizations::{account}:policy/o-workshop00/service_control_policy/p-{id}")
}

#[cfg(test)]
mod tests;

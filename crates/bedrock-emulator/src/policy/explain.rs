//! Why a request was allowed or denied, statement by statement.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Context, Decision, Effect, Layer, Rules, document::Statement};
use crate::{error::ApiError, identity::Principal, wire::Request};

/// What was decided about one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The caller's ARN.
    pub principal: String,
    /// The outcome: the first denial, or that everything was allowed.
    pub decision: Decision,
    /// Whether no policy is attached at all, so that everything is allowed.
    pub unrestricted: bool,
    /// Every action that was asked about, on its resource.
    pub asked: Vec<Explanation>,
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// `bedrock:InvokeModel`.
    pub action: String,
    /// The ARN, or `*`.
    pub resource: String,
    /// What all policies together decide.
    pub decision: Decision,
    /// The kind of policy that decided, unless it was allowed.
    pub decided_by: Option<Layer>,
    /// Every statement of every policy, in order.
    pub statements: Vec<StatementSeen>,
}

/// One statement and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementSeen {
    /// Whose policy.
    pub layer: Layer,
    /// The policy's name.
    pub policy: String,
    /// The statement's `Sid`, or its place: `Statement[0]`.
    pub statement: String,
    /// What it does when it applies.
    pub effect: Effect,
    /// Whether it applies: the three below.
    pub applies: bool,
    /// Whether its actions include this one.
    pub action: bool,
    /// Whether its resources include this one.
    pub resource: bool,
    /// Its conditions.
    pub conditions: Vec<ConditionSeen>,
}

/// One condition and the value it met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionSeen {
    /// `StringEquals`, …
    pub operator: String,
    /// `aws:RequestedRegion`, …
    pub key: String,
    /// The values in the policy.
    pub wanted: Vec<String>,
    /// The values in the request; empty: the key is absent.
    pub seen: Vec<String>,
    /// Whether it holds.
    pub holds: bool,
}

/// What was asked about a request: enough to decide, and to explain whenever somebody wants to know.
#[derive(Debug)]
pub(crate) struct Inquiry {
    pub(crate) principal: Arc<Principal>,
    pub(crate) rules: Rules,
    pub(crate) region: String,
    pub(crate) now: OffsetDateTime,
    pub(crate) profile: Option<String>,
    pub(crate) extra: Vec<(String, String)>,
    pub(crate) asked: Vec<(&'static str, String)>,
}

impl Inquiry {
    pub(crate) fn context<'c>(&'c self, resource: &'c str, request: &'c Request) -> Context<'c> {
        Context {
            principal: Some(&self.principal),
            request: Some(request),
            now: Some(self.now),
            region: &self.region,
            resource,
            profile: self.profile.as_deref(),
            extra: &self.extra,
        }
    }

    /// Every action on every resource must be allowed.
    pub(crate) fn decide(&self, request: &Request) -> Result<(), (Layer, ApiError)> {
        for (action, resource) in &self.asked {
            let context = self.context(resource, request);
            let verdict = self.rules.decide(action, resource, &context);
            if verdict.0 != Decision::Allow {
                let (rules, arn) = (&self.rules, &self.principal.arn);
                let denial = rules.denial(verdict, arn, action, resource, &context);
                return Err((verdict.1, denial));
            }
        }
        Ok(())
    }

    /// The same, told.
    pub(crate) fn explain(&self, request: &Request) -> Access {
        let asked: Vec<Explanation> = self
            .asked
            .iter()
            .map(|(action, resource)| {
                let context = self.context(resource, request);
                self.rules.explain(action, resource, &context)
            })
            .collect();
        let mut denied = asked.iter().filter(|e| e.decision != Decision::Allow);
        Access {
            principal: self.principal.arn.clone(),
            decision: denied.next().map_or(Decision::Allow, |e| e.decision),
            unrestricted: self.rules.unrestricted(),
            asked,
        }
    }
}

impl Rules {
    /// Decides and tells what every statement said.
    pub(crate) fn explain(
        &self,
        action: &str,
        resource: &str,
        context: &Context<'_>,
    ) -> Explanation {
        let (decision, layer) = self.decide(action, resource, context);
        let mut statements = Vec::new();
        for (layer, policies) in self.layers() {
            for policy in policies.policies() {
                statements.extend(policy.statements.iter().map(|statement| {
                    statement.seen(layer, &policy.name, action, resource, context)
                }));
            }
        }
        Explanation {
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision,
            decided_by: (decision != Decision::Allow).then_some(layer),
            statements,
        }
    }
}

impl Statement {
    fn seen(
        &self,
        layer: Layer,
        policy: &str,
        action: &str,
        resource: &str,
        context: &Context<'_>,
    ) -> StatementSeen {
        StatementSeen {
            layer,
            policy: policy.to_owned(),
            statement: self.label.clone(),
            effect: self.effect,
            applies: self.applies(action, resource, context),
            action: self.actions.matches(action, context),
            resource: self.about(resource, context),
            conditions: self.conditions.iter().map(|c| c.seen(context)).collect(),
        }
    }
}

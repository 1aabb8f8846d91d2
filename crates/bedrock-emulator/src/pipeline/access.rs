//! Who calls and whether they may: authentication, then IAM.

use std::sync::Arc;

use super::{Pipeline, Stop};
use crate::{
    auth::{self, Door},
    catalogue::Via,
    emulator::Auth,
    error::ApiError,
    fault::Stage,
    identity::Principal,
    mantle,
    ops::Operation,
    policy::{Context, Inquiry, Layer, Rules},
    service::Service,
    sts,
    trace::{Note, TraceStatus, edges},
    vpc_endpoint,
};

impl Pipeline<'_> {
    /// Finds out who calls; from here on the request belongs to the caller's account.
    pub(super) fn authenticate(&mut self, service: Service) -> Result<Arc<Principal>, ApiError> {
        let known = self.known.take();
        if self.asks_for_no_signature() {
            let anyone = self.emulator.identities().anyone();
            return self.open_the_door(anyone);
        }
        let Some(signing_name) = service.signing_name() else {
            let anyone = known.unwrap_or_else(|| self.emulator.identities().anyone());
            self.account = self.emulator.account(&anyone.account);
            self.record.principal = Some(Arc::clone(&anyone));
            return Ok(anyone);
        };
        let door = Door {
            signing_name: match service {
                Service::Mantle => mantle::signing_name(&self.request),
                _ => signing_name,
            },
            protocol: service.protocol(self.protocol),
            region: &self.region,
        };
        let identities = self.emulator.identities();
        let result = match self.config().auth {
            _ if let Some(known) = known => Ok(known),
            Auth::Strict => auth::authenticate(&identities, &door, &self.request, self.now),
            // Whoever names a known key is taken at their word, so that accounts stay apart.
            Auth::Off => Ok(
                auth::claimed(&identities, &self.request).unwrap_or_else(|| identities.anyone())
            ),
        };
        drop(identities);
        let result = match service {
            Service::Mantle => result.map_err(mantle::unauthenticated),
            _ => result,
        };
        let result = result.and_then(|principal| self.open_the_door(principal));
        let (status, note) = match &result {
            Ok(_) => (TraceStatus::Ok, Note::Caller),
            Err(error) => (TraceStatus::Denied, error.into()),
        };
        self.tracer.edge(edges::CC_USER, status, note);
        let principal = result?;
        self.record.principal = Some(Arc::clone(&principal));
        Ok(principal)
    }

    /// Whether it is one of the few operations of AWS that nobody signs. Who asks is nobody yet.
    fn asks_for_no_signature(&self) -> bool {
        let operation = self.record.operation.unwrap_or_default();
        self.record.service == Some(Service::Sts) && sts::UNSIGNED.contains(&operation)
    }

    /// The caller is known; a fault rule may still say that the front door does not know them.
    fn open_the_door(&mut self, principal: Arc<Principal>) -> Result<Arc<Principal>, ApiError> {
        self.account = self.emulator.account(&principal.account);
        match self.strike(None, Stage::FrontDoor, false) {
            Err(Stop::Error(error)) => Err(error),
            _ => Ok(principal),
        }
    }

    /// Every resource must be allowed: a profile, and the model in each region behind it.
    pub(super) fn authorize(
        &mut self,
        principal: &Arc<Principal>,
        operation: Operation,
        model: &str,
    ) -> Result<(), ApiError> {
        let action = operation.iam_action();
        let rules = self.rules(principal);
        if rules.unrestricted() {
            return self.permitted(action, Ok(()));
        }
        if operation.service() == Service::Mantle {
            let project = mantle::project_arn(&self.region, &self.account.id);
            return self.permit(principal, rules, vec![(action, project)], None, Vec::new());
        }
        let catalogue = self.emulator.catalogue();
        let own = self.account.application_profiles(model);
        let resolved = catalogue.find_among(model, &self.region, &own);
        let resources = match &resolved {
            Some(found) => {
                // Whose profile it is stands in an ARN; an id means the caller's own.
                let account = account_of(model).unwrap_or(&self.account.id);
                catalogue.resources(found, &self.region, account)
            }
            None if model.starts_with("arn:") => vec![model.to_owned()],
            None => vec![format!(
                "arn:aws:bedrock:{}::foundation-model/{model}",
                self.region
            )],
        };
        let profile = resolved.filter(|r| !matches!(r.via, Via::OnDemand | Via::Provisioned));
        let profile = profile.map(|_| resources[0].clone());
        let mut asked: Vec<_> = resources.into_iter().map(|r| (action, r)).collect();
        asked.extend(
            self.guardrail(principal)
                .map(|arn| ("bedrock:ApplyGuardrail", arn)),
        );
        self.permit(principal, rules, asked, profile, Vec::new())
    }

    /// The guardrail that an invocation names, if it does: it must be allowed as well.
    fn guardrail(&self, principal: &Principal) -> Option<String> {
        let context = Context {
            principal: Some(principal),
            request: Some(&self.request),
            region: &self.region,
            ..Context::default()
        };
        context.guardrail_arn()
    }

    /// Every action on every resource must be allowed.
    pub(super) fn permit(
        &mut self,
        principal: &Arc<Principal>,
        rules: Rules,
        mut asked: Vec<(&'static str, String)>,
        profile: Option<String>,
        extra: Vec<(String, String)>,
    ) -> Result<(), ApiError> {
        let action = asked.first().map_or("", |(action, _)| *action);
        if rules.unrestricted() {
            return self.permitted(action, Ok(()));
        }
        if principal.bearer.is_some() {
            let action = match self.record.service {
                Some(Service::Mantle) => mantle::CALL_WITH_BEARER_TOKEN,
                _ => "bedrock:CallWithBearerToken",
            };
            asked.insert(0, (action, "*".to_owned()));
        }
        let inquiry = Inquiry {
            principal: Arc::clone(principal),
            rules,
            region: self.region.clone(),
            now: self.now,
            profile,
            extra,
            asked,
        };
        let result = inquiry.decide(&self.request).map_err(|(layer, denied)| {
            // Who may not use a key at all has not come in (pasted answers: 401 on this host).
            if denied.message().contains(mantle::CALL_WITH_BEARER_TOKEN) {
                (layer, mantle::unauthenticated(denied))
            } else {
                (layer, denied)
            }
        });
        self.record.inquiry = Some(Box::new(inquiry));
        self.permitted(action, result)
    }

    fn permitted(
        &mut self,
        name: &'static str,
        result: Result<(), (Layer, ApiError)>,
    ) -> Result<(), ApiError> {
        let passed = (TraceStatus::Ok, Note::Words(name));
        let (status, note) = match &result {
            Ok(()) => passed,
            Err((_, error)) => (TraceStatus::Denied, error.into()),
        };
        if vpc_endpoint::of(&self.request).is_some() {
            let (status, note) = match &result {
                Err((Layer::VpcEndpoint, _)) => (status, note),
                _ => passed,
            };
            let edge = self.edge_to(edges::VPCE);
            self.tracer.node(edges::VPCE, edge, status, note);
        }
        self.tracer.edge(edges::USER_POLICY, status, note);
        result.map_err(|(_, denied)| denied)
    }
}

/// The account in a profile's ARN. A model's ARN has none.
fn account_of(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (!account.is_empty()).then_some(account)
}

//! What happens to a request, in API Gateway's order: find the method, know the key, throttle, count,
//! validate, look into the cache, ask the function.

use std::borrow::Cow;

use bedrock_emulator::{
    error::ApiError,
    neighbour::{Answer, Lit, Outcome},
    trace::TraceStatus,
};
use serde_json::{Value, json};

use super::{
    api::Caching,
    event,
    exchange::Exchange,
    function::NotInvoked,
    refusal::{Kind, Refusal},
    response, route,
    settings::Unauthorized,
    stage::BucketId,
};

/// The longest body, in bytes (API Gateway quotas).
const BODY_MAX: usize = 10 * 1024 * 1024;

/// Said to a client that wanted the cache bypassed and may not.
const IGNORED: &str = "199 Cache-control headers were ignored because the caller was unauthorized.";

/// What is done once a request is let in.
#[derive(Debug)]
enum Way {
    /// The cache has the answer.
    Kept(Answer),
    /// The function is asked.
    Forward,
}

/// What the cache has to do with a request.
#[derive(Debug, Default)]
struct Keeping {
    /// Under which the answer is kept.
    key: Option<String>,
    /// What the client is told about its own wish.
    warning: Option<&'static str>,
}

/// Answers a request.
pub(super) fn pass(mut exchange: Exchange) -> Outcome {
    let mut keeping = Keeping::default();
    match exchange.admit(&mut keeping) {
        Err(refusal) => Outcome::Now(Err(exchange.refuse(refusal, Vec::new()))),
        Ok(Way::Kept(answer)) => Outcome::Now(Ok(exchange.send(warned(answer, keeping.warning)))),
        Ok(Way::Forward) => Outcome::Later(Box::pin(exchange.forward(keeping))),
    }
}

fn warned(mut answer: Answer, warning: Option<&'static str>) -> Answer {
    let warning = warning.map(|text| (Cow::Borrowed("Warning"), text.to_owned()));
    answer.headers.extend(warning);
    answer
}

impl Exchange {
    fn admit(&mut self, keeping: &mut Keeping) -> Result<Way, Refusal> {
        self.find()?;
        if self.request.body.len() > BODY_MAX {
            return Err(Kind::RequestTooLarge.into());
        }
        self.identify()?;
        self.throttle()?;
        self.validate()?;
        self.look_up(keeping)
    }

    fn find(&mut self) -> Result<(), Refusal> {
        let found = route::find(&self.stage.api, &self.request.method, &self.path);
        self.matched = Some(found.ok_or(Kind::MissingAuthenticationToken)?);
        if self.method().is_some_and(|method| method.signed) && self.caller.is_none() {
            return Err(Kind::MissingAuthenticationToken.into());
        }
        Ok(())
    }

    /// An unknown key, one that is turned off, and one without a plan for this stage are all the same
    /// to the client.
    fn identify(&mut self) -> Result<(), Refusal> {
        if !self.method().is_some_and(|method| method.key_required) {
            return Ok(());
        }
        let refused = |why: &str| Refusal::because(Kind::InvalidApiKey, why);
        let sent = self.request.header("x-api-key");
        let sent = sent.ok_or_else(|| refused("the request has no x-api-key"))?;
        let keys = &self.stage.api.keys;
        let index = keys.iter().position(|key| key.value == sent);
        let index = index.ok_or_else(|| refused("no key has this value"))?;
        if !keys[index].enabled {
            return Err(refused("the key is turned off"));
        }
        if keys[index].plan.is_none() {
            return Err(refused("the key is in no usage plan of this stage"));
        }
        self.key = Some(index);
        Ok(())
    }

    /// The plan's limit of this key, then the stage's of this method, then the quota. A request that
    /// a later one refuses has cost a token of the earlier: chosen, AWS says nothing about it.
    fn throttle(&mut self) -> Result<(), Refusal> {
        let Some(method) = self.matched.as_ref().map(|matched| matched.method) else {
            return Ok(());
        };
        let plan = self.key().and_then(|key| key.plan.as_ref());
        let of_plan = self.key.zip(plan).and_then(|(key, plan)| {
            let own = plan.methods.get(&method);
            let own = own.map(|limit| (BucketId::KeyAndMethod(key, method), *limit));
            own.or_else(|| plan.limit.map(|limit| (BucketId::Key(key), limit)))
        });
        let of_stage = self.method().and_then(|method| method.limit);
        let of_stage = of_stage.map(|limit| (BucketId::Method(method), limit));
        let quota = self.key.zip(plan.and_then(|plan| plan.quota));
        if of_plan.is_none() && of_stage.is_none() && quota.is_none() {
            return Ok(());
        }
        let mut state = self.stage.state();
        for (id, limit) in of_plan.into_iter().chain(of_stage) {
            if !state.take(id, limit, self.at) {
                return Err(Kind::Throttled.into());
            }
        }
        if let Some((key, quota)) = quota
            && !state.used(key).take(quota, self.at)
        {
            return Err(Kind::QuotaExceeded.into());
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), Refusal> {
        let Some(method) = self.method() else {
            return Ok(());
        };
        // "Included in the request and not blank" (API Gateway, "Request validation").
        let blank = |values: Vec<String>| values.iter().all(|value| value.trim().is_empty());
        let missing = method.required.iter();
        let missing = missing.filter(|parameter| self.parameter(parameter).is_none_or(blank));
        let missing: Vec<&str> = missing.map(|parameter| parameter.name.as_str()).collect();
        if !missing.is_empty() {
            let text = format!(
                "Missing required request parameters: [{}]",
                missing.join(", ")
            );
            return Err(Refusal::saying(Kind::BadRequestParameters, text));
        }
        let Some(models) = &method.models else {
            return Ok(());
        };
        let media_type = self.request.header("content-type");
        let media_type = media_type.and_then(|media_type| media_type.split(';').next());
        let media_type = media_type.unwrap_or("application/json").trim();
        let media_type = media_type.to_ascii_lowercase();
        // A media type without a model is let through (likewise): `$default` is for all of them.
        let Some(model) = models.get(&media_type).or_else(|| models.get("$default")) else {
            return Ok(());
        };
        // Without a body an empty object is validated.
        let body: &[u8] = match &*self.request.body {
            [] => b"{}",
            body => body,
        };
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            Refusal::because(
                Kind::BadRequestBody,
                format!("the body is no JSON: {error}"),
            )
        })?;
        let broken: Vec<String> = model
            .iter_errors(&body)
            .take(3)
            .map(|error| format!("{error} (at '{}')", error.instance_path()))
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        Err(Refusal::because(Kind::BadRequestBody, broken.join("; ")))
    }

    fn look_up(&mut self, keeping: &mut Keeping) -> Result<Way, Refusal> {
        let Some(caching) = self.method().and_then(|method| method.caching) else {
            return Ok(Way::Forward);
        };
        let key = self.cache_key();
        let bypassed = self.wants_bypass() && self.may_bypass(caching, keeping)?;
        let kept = if bypassed {
            None
        } else {
            self.stage.state().cache.get(&key, self.at)
        };
        keeping.key = Some(key);
        self.ended.cached = Some(kept.is_some());
        Ok(kept.map_or(Way::Forward, Way::Kept))
    }

    /// `Cache-Control: max-age=0`.
    pub(super) fn wants_bypass(&self) -> bool {
        wants_bypass(&self.request)
    }

    fn may_bypass(&self, caching: Caching, keeping: &mut Keeping) -> Result<bool, Refusal> {
        match caching.bypass {
            None => Ok(true),
            // Who has signed and come this far has the permission: it was asked with the others.
            Some(Unauthorized::FailWith403) if self.caller.is_some() => Ok(true),
            Some(Unauthorized::FailWith403) => Err(Refusal::because(
                Kind::AccessDenied,
                "Cache-Control: max-age=0 asks for the permission execute-api:InvalidateCache",
            )),
            Some(Unauthorized::SucceedWithResponseHeader) => {
                keeping.warning = Some(IGNORED);
                Ok(false)
            }
            Some(Unauthorized::SucceedWithoutResponseHeader) => Ok(false),
        }
    }

    /// The resource, the method and the chosen parameters. The path's variables are among them only if
    /// they were chosen: that is AWS's rule, and a warning is given when the API is read.
    fn cache_key(&self) -> String {
        let integration = self.method().map(|method| &method.integration);
        let namespace = integration.map(|integration| integration.cache_namespace.as_str());
        let chosen = integration
            .into_iter()
            .flat_map(|integration| &integration.cache_key);
        let chosen = chosen.map(|parameter| self.parameter(parameter));
        let chosen: Vec<Option<Vec<String>>> = chosen.collect();
        json!([namespace, self.request.method, chosen]).to_string()
    }

    /// Asks the function.
    async fn forward(mut self, keeping: Keeping) -> Result<Answer, ApiError> {
        let Some(integration) = self.method().map(|method| &method.integration) else {
            return Err(self.refuse(Kind::MissingAuthenticationToken.into(), Vec::new()));
        };
        let (timeout, target) = (integration.timeout, &integration.target);
        let clock = std::sync::Arc::clone(&self.stage.clock);
        let asked = clock.now();
        let invoking = self.stage.functions.invoke(target, event::event(&self));
        let returned = tokio::select! {
            biased;
            returned = invoking => Some(returned),
            () = clock.until(asked + timeout) => None,
        };
        let took = (clock.now() - asked).whole_milliseconds();
        self.ended.integration_latency_ms = i64::try_from(took).ok();
        let (kind, why, words) = match returned {
            None => {
                let why = format!("no answer within {} ms", timeout.as_millis());
                (Kind::IntegrationTimeout, why, "timed out")
            }
            Some(Err(NotInvoked::TooLarge)) => {
                let why = "the event is larger than Lambda takes".to_owned();
                (Kind::RequestTooLarge, why, "refused")
            }
            Some(Err(NotInvoked::Throttled(why))) => (Kind::IntegrationThrottled, why, "throttled"),
            Some(Err(NotInvoked::Rejected(why))) => (Kind::IntegrationRejected, why, "refused"),
            Some(Ok(returned)) if returned.failed => {
                self.ended.integration_status = Some(200);
                let why = function_error(&returned.payload);
                (Kind::IntegrationFailure, why, "function error")
            }
            Some(Ok(returned)) => {
                self.ended.integration_status = Some(200);
                match response::read(&self, &returned.payload) {
                    Ok(answer) => return Ok(self.deliver(answer, keeping)),
                    Err(why) => (Kind::IntegrationFailure, why, "malformed answer"),
                }
            }
        };
        let lit = lambda(TraceStatus::Throttled, words);
        Err(self.refuse(Refusal::because(kind, why), vec![lit]))
    }

    /// Keeps the answer if it is one to keep, and sends it.
    fn deliver(self, answer: Answer, keeping: Keeping) -> Answer {
        let caching = self.method().and_then(|method| method.caching);
        // Failures are not kept: chosen, since AWS's documentation does not say.
        if let Some((key, caching)) = keeping.key.zip(caching)
            && answer.status < 400
        {
            let now = self.stage.clock.now();
            self.stage.state().cache.put(key, &answer, caching.ttl, now);
        }
        let trace = self.trace_id.clone();
        let rest = self.stage.api.is_rest();
        let mut answer = warned(answer, keeping.warning);
        if rest {
            answer
                .headers
                .insert(0, (Cow::Borrowed("X-Amzn-Trace-Id"), trace));
        }
        self.send(answer.lighting(lambda(TraceStatus::Ok, "Invoke")))
    }
}

pub(super) fn wants_bypass(request: &bedrock_emulator::Request) -> bool {
    let directives = request
        .header("cache-control")
        .unwrap_or_default()
        .split(',');
    directives
        .map(str::trim)
        .any(|one| one.eq_ignore_ascii_case("max-age=0"))
}

fn lambda(status: TraceStatus, words: &'static str) -> Lit {
    Lit {
        node: "LAMBDA",
        edge: Some("APIGW-LAMBDA"),
        status,
        words,
    }
}

/// `errorType: errorMessage`, bounded.
fn function_error(payload: &[u8]) -> String {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let told = format!("{}: {}", text("errorType"), text("errorMessage"));
    told.chars().take(1_000).collect()
}

//! What goes into a state and what comes out: paths, templates, the context object, the limits.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Execution, Place, ThreadId};
use crate::{
    context::Standing,
    failure::Failure,
    machine::{Kind, Next},
    path::{Path, Root},
    payload::{Payload, Refused},
    template::{Context, Env, Template},
};

impl Execution {
    /// The input after `InputPath`.
    pub(super) fn effective_input(
        &mut self,
        id: ThreadId,
        place: &Place,
    ) -> Result<Arc<Value>, Failure> {
        let input = self.input_of(id);
        taken(
            &self.context(id, place),
            place.state().input_path.as_ref(),
            &input,
        )
    }

    pub(super) fn input_of(&self, id: ThreadId) -> Arc<Value> {
        self.threads
            .get(&id)
            .map_or_else(|| Arc::new(Value::Null), |t| t.input.value.clone())
    }

    /// Runs `with` on an environment over that input.
    pub(super) fn with_env<T>(
        &mut self,
        id: ThreadId,
        place: &Place,
        input: &Value,
        with: impl FnOnce(&mut Env<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // The generator leaves the execution for a moment, because the context borrows the rest.
        let mut rng = self.rng.clone();
        let result = {
            let context = self.context(id, place);
            with(&mut Env::new(input, &context, &mut rng))
        };
        self.rng = rng;
        result
    }

    /// The context object of a thread's state.
    pub(super) fn context<'a>(&'a self, id: ThreadId, place: &'a Place) -> Context<'a> {
        let state = place.state();
        let thread = self.threads.get(&id);
        let retried = thread.map_or(0, |thread| thread.retries.iter().sum());
        let can_be_retried = matches!(state.kind, Kind::Task(_) | Kind::Parallel(_) | Kind::Map(_));
        Context::new(Standing {
            info: &self.info,
            input: &self.input.value,
            started: self.started,
            state: &state.name,
            entered: thread.map_or(self.now, |thread| thread.entered.at),
            retry_count: can_be_retried.then_some(retried),
            item: thread.and_then(|thread| thread.item.as_ref()),
        })
    }

    pub(super) fn fill(
        &mut self,
        id: ThreadId,
        place: &Place,
        template: &Template,
        input: &Value,
    ) -> Result<Arc<Value>, Failure> {
        self.with_env(id, place, input, |env| template.fill(env))
            .map(Arc::new)
    }

    /// `ResultSelector`, `ResultPath` and `OutputPath`.
    pub(super) fn output(
        &mut self,
        id: ThreadId,
        place: &Place,
        result: Arc<Value>,
    ) -> Result<(Payload, Next), Failure> {
        let state = place.state();
        let result = match &state.result_selector {
            Some(template) => self.fill(id, place, template, &result)?,
            None => result,
        };
        let output = match &state.result_path {
            None => self.input_of(id),
            Some(path) if path.is_whole() => result,
            Some(path) => {
                let input = Arc::unwrap_or_clone(self.input_of(id));
                Arc::new(path.put(input, Arc::unwrap_or_clone(result))?)
            }
        };
        let output = taken(
            &self.context(id, place),
            state.output_path.as_ref(),
            &output,
        )?;
        let payload = self.checked(id, place, output)?;
        Ok((payload, state.next))
    }

    /// Within the limits, or AWS's error.
    pub(super) fn checked(
        &self,
        id: ThreadId,
        place: &Place,
        value: Arc<Value>,
    ) -> Result<Payload, Failure> {
        let made = match self.threads.get(&id) {
            Some(thread) => thread.input.with(value),
            None => Payload::shared(value),
        };
        made.map_err(|refused| refusal(refused, &place.state().name))
    }
}

/// What `InputPath` or `OutputPath` lets through.
pub(super) fn taken(
    context: &Context<'_>,
    path: Option<&Path>,
    value: &Arc<Value>,
) -> Result<Arc<Value>, Failure> {
    let Some(path) = path else {
        return Ok(Arc::new(Value::Object(Map::new())));
    };
    let root = match path.root {
        Root::Input if path.is_whole() => return Ok(value.clone()),
        Root::Input => value,
        Root::Context => context.value(),
    };
    // Recorded.
    let taken = path.select(root).map_err(|missing| {
        Failure::runtime(format!("Invalid path '{}' : {}", path.text(), missing.0))
    })?;
    Ok(Arc::new(taken.into_owned()))
}

/// Recorded, but for too much nesting, which is ours.
pub(super) fn refusal(refused: Refused, whose: &str) -> Failure {
    match refused {
        Refused::TooLong => Failure::data_limit(whose),
        Refused::TooDeep => Failure::runtime(format!(
            "The state/task '{whose}' returned a result with too many values within each other."
        )),
    }
}

//! A definition after parsing: nothing in here can be malformed.

use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    choice::Rule,
    diagnostic::Diagnostic,
    parse,
    path::{Path, ReferencePath},
    retry::{Catcher, Retrier},
    template::{Template, TextSource},
};

/// A definition that was found valid.
#[derive(Debug, Clone)]
pub struct StateMachine {
    pub(crate) timeout_seconds: Option<u64>,
    /// The machine's own states first, then those of each branch and item processor.
    pub(crate) scopes: Vec<Scope>,
}

impl StateMachine {
    /// Reads a definition, or says everything that is wrong with it.
    ///
    /// # Errors
    ///
    /// What AWS would refuse, and what this interpreter does not support.
    pub fn parse(definition: &str) -> Result<Self, Vec<Diagnostic>> {
        parse::definition(definition)
    }

    /// What the tasks call, in the order of their states' names: a driver that cannot run one of them
    /// can say so before anything starts.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.scopes
            .iter()
            .flat_map(|scope| &scope.states)
            .filter_map(|state| match &state.kind {
                Kind::Task(task) => Some(&task.resource),
                _ => None,
            })
    }
}

/// States among which `Next` may choose.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) start_at: StateId,
    pub(crate) states: Vec<State>,
}

/// An index into [`Scope::states`].
pub(crate) type StateId = usize;
/// An index into [`StateMachine::scopes`].
pub(crate) type ScopeId = usize;

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// `None`: `null`, which stands for an empty object.
    pub(crate) input_path: Option<Path>,
    pub(crate) output_path: Option<Path>,
    pub(crate) parameters: Option<Template>,
    pub(crate) result_selector: Option<Template>,
    /// `None`: `null`, which drops the result.
    pub(crate) result_path: Option<ReferencePath>,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    pub(crate) next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    State(StateId),
    End,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Task(Box<TaskState>),
    Choice(ChoiceState),
    Wait(Until),
    /// With its `Result`.
    Pass(Option<Value>),
    Succeed,
    Fail {
        error: Option<TextSource>,
        cause: Option<TextSource>,
    },
    Parallel(Vec<ScopeId>),
    Map(MapState),
}

#[derive(Debug, Clone)]
pub(crate) struct TaskState {
    pub(crate) resource: Resource,
    pub(crate) timeout: Option<Seconds>,
    pub(crate) heartbeat: Option<Seconds>,
    pub(crate) role_arn: Option<TextSource>,
}

#[derive(Debug, Clone)]
pub(crate) struct ChoiceState {
    pub(crate) choices: Vec<(Rule, StateId)>,
    pub(crate) default: Option<StateId>,
}

#[derive(Debug, Clone)]
pub(crate) enum Until {
    Seconds(u64),
    SecondsPath(Path),
    Timestamp(OffsetDateTime),
    TimestampPath(Path),
}

#[derive(Debug, Clone)]
pub(crate) struct MapState {
    pub(crate) items_path: Path,
    pub(crate) item_selector: Option<Template>,
    pub(crate) processor: ScopeId,
    pub(crate) max_concurrency: Option<Seconds>,
}

/// A number that stands in the definition or in the data.
#[derive(Debug, Clone)]
pub(crate) enum Seconds {
    Fixed(u64),
    Path(Path),
}

/// What a Task state calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A function by its ARN: the task's input is the event, the function's answer the result.
    LambdaFunction {
        /// The function's ARN, perhaps with a version or alias.
        arn: String,
    },
    /// A service integration: `arn:aws:states:::lambda:invoke` is the service `lambda` and the action
    /// `invoke`, `arn:aws:states:::aws-sdk:sqs:sendMessage` the service `aws-sdk:sqs`.
    Service {
        /// `resourceType` in the history.
        service: String,
        /// `resource` in the history.
        action: String,
    },
}

impl Resource {
    /// As AWS names it when a result is too long (recorded): the ARN, or the service.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::LambdaFunction { arn } => arn,
            Self::Service { service, .. } => service,
        }
    }
}

//! What Task states call: Lambda functions, Bedrock, and every other AWS service that is here.
//!
//! A call is a real request to the emulator in the name of the machine's role: policies
//! decide, fault rules strike, the journal tells it. Each task makes one attempt; trying again is for
//! `Retry` to say.

mod api;
mod ask;
mod bedrock;
mod lambda;
mod members;

use std::sync::{Arc, OnceLock, Weak};

use bedrock_emulator::Emulator;
use serde_json::Value;
use states_language::{Resource, TaskFailure};

use self::api::Api;
use super::{TaskCall, TaskFuture, TaskRunner};

/// Runs tasks as AWS does.
#[derive(Debug, Default)]
pub struct Integrations {
    /// Weak: the emulator owns the service.
    emulator: OnceLock<Weak<Emulator>>,
}

impl Integrations {
    /// Tells which emulator answers what tasks ask. Only the first one counts.
    pub fn connect(&self, emulator: &Arc<Emulator>) {
        let _ = self.emulator.set(Arc::downgrade(emulator));
    }

    fn emulator(&self) -> Option<Arc<Emulator>> {
        self.emulator.get().and_then(Weak::upgrade)
    }
}

fn never_here(what: &str) -> String {
    format!(
        "{what} is not emulated; there are Lambda functions, lambda:invoke, bedrock:invokeModel, \
         dynamodb and sqs, and aws-sdk for {}",
        api::names()
    )
}

/// What a resource asks for.
enum Asked {
    Function(String),
    Invoke,
    InvokeModel,
    Api(Api, String),
    Nothing(String),
}

impl Asked {
    fn of(resource: &Resource) -> Self {
        match resource {
            Resource::LambdaFunction { arn } => Self::Function(arn.clone()),
            Resource::Service { service, action } => match (service.as_str(), action.as_str()) {
                ("lambda", "invoke") => Self::Invoke,
                ("bedrock", "invokeModel") => Self::InvokeModel,
                _ => match Api::of(service, action) {
                    Some(api) => Self::Api(api, action.clone()),
                    None => Self::Nothing(never_here(&format!("{service}:{action}"))),
                },
            },
        }
    }

    async fn run(self, emulator: &Arc<Emulator>, call: &TaskCall) -> Result<Value, TaskFailure> {
        match self {
            Self::Function(arn) => lambda::by_arn(emulator, &arn, call).await,
            Self::Invoke => lambda::invoke(emulator, call).await,
            Self::InvokeModel => bedrock::invoke_model(emulator, call).await,
            Self::Api(api, action) => api.call(emulator, &action, call).await,
            Self::Nothing(why) => Err(unusable(call, &why)),
        }
    }
}

impl TaskRunner for Integrations {
    fn refuses(&self, resource: &Resource) -> Option<String> {
        let asked = Asked::of(resource);
        if let Asked::Nothing(why) = asked {
            return Some(why);
        }
        let Some(emulator) = self.emulator() else {
            return Some("the service is not connected to an emulator".to_owned());
        };
        let signing_name = match &asked {
            Asked::Function(_) | Asked::Invoke => "lambda",
            Asked::Api(api, _) => api.signing_name()?,
            Asked::InvokeModel | Asked::Nothing(_) => return None,
        };
        let mut neighbours = emulator.config().neighbours.iter();
        let here = neighbours.any(|known| known.about().signing_name == Some(signing_name));
        (!here).then(|| format!("the service {signing_name} is not running here"))
    }

    fn run(&self, call: TaskCall) -> TaskFuture {
        let asked = Asked::of(&call.resource);
        let emulator = self.emulator();
        Box::pin(async move {
            let emulator = emulator.ok_or_else(gone)?;
            asked.run(&emulator, &call).await
        })
    }
}

fn gone() -> TaskFailure {
    TaskFailure::new("States.TaskFailed", "the emulator is gone")
}

/// The task cannot be started with these parameters (recorded form; `States.Runtime` is final).
fn unusable(call: &TaskCall, why: &str) -> TaskFailure {
    TaskFailure::new(
        "States.Runtime",
        format!(
            "An error occurred while executing the state '{}'. The Parameters '{}' could not be used to \
             start the Task: [{why}]",
            call.state, call.input
        ),
    )
}

/// A parameter that must be a string.
fn text<'v>(call: &'v TaskCall, name: &str) -> Result<Option<&'v str>, TaskFailure> {
    match call.input.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => {
            let why = format!("The value for the field '{name}' must be a STRING");
            Err(unusable(call, &why))
        }
    }
}

fn required<'v>(call: &'v TaskCall, name: &str) -> Result<&'v str, TaskFailure> {
    text(call, name)?.ok_or_else(|| {
        let why = format!("The field '{name}' is required but was missing");
        unusable(call, &why)
    })
}

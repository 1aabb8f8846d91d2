//! What runs tasks.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use serde_json::Value;
use states_language::{Resource, TaskFailure};

use super::TaskClock;

/// How a task ends.
pub type TaskFuture = Pin<Box<dyn Future<Output = Result<Value, TaskFailure>> + Send>>;

/// Runs the tasks of executions.
pub trait TaskRunner: fmt::Debug + Send + Sync {
    /// Why a task with this resource cannot be run, told when its machine is created; `None`: it can.
    fn refuses(&self, resource: &Resource) -> Option<String>;

    /// Runs a task. Dropped when nobody waits for it any more: it timed out, or the execution ended.
    fn run(&self, call: TaskCall) -> TaskFuture;
}

/// A task to run.
#[derive(Debug, Clone)]
pub struct TaskCall {
    /// The execution it belongs to.
    pub execution_arn: Arc<str>,
    /// The role to call in: the state's own (`Credentials`), or the machine's.
    pub role_arn: String,
    /// The machine's region.
    pub region: String,
    /// The name of the state.
    pub state: String,
    /// What to call.
    pub resource: Resource,
    /// With what: the event of a function, the parameters of a service.
    pub input: Arc<Value>,
    /// The execution's time.
    pub clock: TaskClock,
}

/// For tasks that are closures: any resource will do.
impl<F> TaskRunner for Closure<F>
where
    F: Fn(TaskCall) -> TaskFuture + Send + Sync,
{
    fn refuses(&self, _: &Resource) -> Option<String> {
        None
    }

    fn run(&self, call: TaskCall) -> TaskFuture {
        (self.0)(call)
    }
}

struct Closure<F>(F);

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure")
    }
}

impl dyn TaskRunner {
    /// Runs every task, whatever it calls, by calling this.
    ///
    /// ```ignore
    /// let tasks = <dyn TaskRunner>::closure(|call| Box::pin(async move { Ok((*call.input).clone()) }));
    /// ```
    pub fn closure(run: impl Fn(TaskCall) -> TaskFuture + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Closure(run))
    }
}

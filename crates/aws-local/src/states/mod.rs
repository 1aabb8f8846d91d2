//! AWS Step Functions: state machines and their executions, offline.
//!
//! The interpreter is the crate `states-language`; here are the wire, what is kept, and the driver that
//! runs the tasks. An execution is a tokio task: it needs a runtime, and ends with the service.
//!
//! Read in this order: `setup` (what can be chosen: clock, virtual time, who runs tasks), `arn`, `error`
//! and `check` (how requests are refused), `machine` and `run` (what is kept), `store` (all of it, with
//! its limits), `pace` (an execution's own time), `drive` (how an execution goes on), `task` and
//! `tasks` (what a Task state calls), `page`, then the operations, one file each.
//!
//! Evidence is named in comments: *recorded* (answers of AWS that others keep as snapshots), *measured*
//! (pasted from AWS by others), *documented*, *service model*, *chosen*.
//!
//! Not emulated: versions and aliases, activities and task tokens, map runs, redrive, `TestState`. A
//! machine that is deleted is gone at once; its executions run on.

mod arn;
mod check;
mod drive;
mod error;
mod event;
mod machine;
mod pace;
mod page;
mod run;
mod setup;
mod store;
mod task;
mod tasks;

mod create_state_machine;
mod delete_state_machine;
mod describe_execution;
mod describe_state_machine;
mod describe_state_machine_for_execution;
mod get_execution_history;
mod list_executions;
mod list_state_machines;
mod list_tags_for_resource;
mod start_execution;
mod start_sync_execution;
mod stop_execution;
mod tag_resource;
mod untag_resource;
mod update_state_machine;
mod validate_state_machine_definition;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bedrock_emulator::{
    Emulator,
    error::ApiError,
    neighbour::{About, Answer, Protocol, Visit},
};
use serde_json::Value;

pub use event::{ExecutionEvent, Listener};
pub use pace::TaskClock;
pub use setup::{Setup, Time};
pub use task::{TaskCall, TaskFuture, TaskRunner};
pub use tasks::Integrations;

use self::{setup::Defaults, store::Store};
use crate::json_service::{JsonService, Operation, Permission};

/// The service. Clones are the same service; with the last one its executions end.
#[derive(Debug, Clone)]
pub struct States(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    setup: Setup,
    runner: Arc<dyn TaskRunner>,
    integrations: Option<Arc<Integrations>>,
    store: Mutex<Store>,
}

static ABOUT: About = About {
    name: "Step Functions",
    signing_name: Some("states"),
    protocol: Protocol::AwsJson10,
    node: Some("SFN"),
    from_client: Some("CLIENT-SFN"),
};

impl States {
    /// No state machines yet. Tasks that call AWS need [`States::connect`].
    pub fn new(setup: Setup) -> Self {
        let Defaults {
            runner,
            integrations,
        } = setup.runner();
        Self(Arc::new(Inner {
            setup,
            runner,
            integrations,
            store: Mutex::default(),
        }))
    }

    /// Tells which emulator answers what tasks ask of other services. Only the first one counts.
    pub fn connect(&self, emulator: &Arc<Emulator>) {
        if let Some(integrations) = &self.0.integrations {
            integrations.connect(emulator);
        }
    }

    /// The state machines that an account has now are what a reset gives back, without executions.
    pub fn keep(&self, account: &str) {
        self.store().keep(account);
    }

    /// Ends when that execution is over; at once when there is none.
    pub async fn ended(&self, account: &str, execution_arn: &str) {
        let run = self.store().run(account, execution_arn).cloned();
        if let Ok(run) = run {
            run.ended().await;
        }
    }

    /// Held for one step, never across an await.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store()
    }
}

impl Inner {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JsonService for States {
    const ABOUT: &'static About = &ABOUT;
    const TARGET: &'static str = "AWSStepFunctions";
    const OPERATIONS: &'static [Operation<Self>] = &[
        Operation {
            name: "CreateStateMachine",
            permission: on("states:CreateStateMachine", arn::of_new_machine),
            answer: |states, visit| create_state_machine::answer(states, &visit).into(),
        },
        Operation {
            name: "DeleteStateMachine",
            permission: on("states:DeleteStateMachine", arn::of_machine),
            answer: |states, visit| delete_state_machine::answer(states, &visit).into(),
        },
        Operation {
            name: "DescribeExecution",
            permission: on("states:DescribeExecution", arn::of_execution),
            answer: |states, visit| describe_execution::answer(states, &visit).into(),
        },
        Operation {
            name: "DescribeStateMachine",
            permission: on("states:DescribeStateMachine", arn::of_machine),
            answer: |states, visit| describe_state_machine::answer(states, &visit).into(),
        },
        Operation {
            name: "DescribeStateMachineForExecution",
            permission: on("states:DescribeStateMachineForExecution", arn::of_execution),
            answer: |states, visit| {
                describe_state_machine_for_execution::answer(states, &visit).into()
            },
        },
        Operation {
            name: "GetExecutionHistory",
            permission: on("states:GetExecutionHistory", arn::of_execution),
            answer: |states, visit| get_execution_history::answer(states, &visit).into(),
        },
        Operation {
            name: "ListExecutions",
            permission: on("states:ListExecutions", arn::of_machine),
            answer: |states, visit| list_executions::answer(states, &visit).into(),
        },
        Operation {
            name: "ListStateMachines",
            permission: on("states:ListStateMachines", arn::anywhere),
            answer: |states, visit| list_state_machines::answer(states, &visit).into(),
        },
        Operation {
            name: "ListTagsForResource",
            permission: on("states:ListTagsForResource", arn::of_resource),
            answer: |states, visit| list_tags_for_resource::answer(states, &visit).into(),
        },
        Operation {
            name: "StartExecution",
            permission: on("states:StartExecution", arn::of_machine),
            answer: |states, visit| start_execution::answer(states, visit).into(),
        },
        Operation {
            name: "StartSyncExecution",
            permission: on("states:StartSyncExecution", arn::of_machine),
            answer: start_sync_execution::answer,
        },
        Operation {
            name: "StopExecution",
            permission: on("states:StopExecution", arn::of_execution),
            answer: |states, visit| stop_execution::answer(states, &visit).into(),
        },
        Operation {
            name: "TagResource",
            permission: on("states:TagResource", arn::of_resource),
            answer: |states, visit| tag_resource::answer(states, &visit).into(),
        },
        Operation {
            name: "UntagResource",
            permission: on("states:UntagResource", arn::of_resource),
            answer: |states, visit| untag_resource::answer(states, &visit).into(),
        },
        Operation {
            name: "UpdateStateMachine",
            permission: on("states:UpdateStateMachine", arn::of_machine),
            answer: |states, visit| update_state_machine::answer(states, visit).into(),
        },
        Operation {
            name: "ValidateStateMachineDefinition",
            permission: on("states:ValidateStateMachineDefinition", arn::anywhere),
            answer: |states, visit| {
                validate_state_machine_definition::answer(states, &visit).into()
            },
        },
    ];

    fn forget(&self, account: &str) {
        self.store().forget(account);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "rows of operations read better")]
const fn on(
    action: &'static str,
    resource: fn(&States, &Visit) -> String,
) -> Option<Permission<States>> {
    Some(Permission { action, resource })
}

/// What an operation answers.
type Answered = Result<Answer, ApiError>;

/// 200 with this JSON.
fn told(body: &Value) -> Answer {
    Answer::json("application/x-amz-json-1.0", body)
}

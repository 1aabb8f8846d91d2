//! `StartExecution`: under one name once.

use std::sync::Arc;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value, json};
use states_language::{ContextInfo, Execution};

use super::{
    Answered, States, arn,
    check::Checks,
    error::{EXECUTION_ALREADY_EXISTS, INVALID_EXECUTION_INPUT, no_runtime},
    machine::{Kind, Machine, seconds},
    pace::Pace,
    run::{Begun, Run},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    state_machine_arn: Option<String>,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
}

/// What is to be started.
pub(super) struct Start {
    pub(super) machine_arn: String,
    name: Option<String>,
    input: String,
    value: Value,
    trace_header: Option<String>,
}

pub(super) fn answer(states: &States, mut visit: Visit) -> Answered {
    let start = Start::read(&visit)?;
    let mut store = states.store();
    let machine = store.machine(&visit.account, &start.machine_arn)?.clone();
    if let (Some(name), Kind::Standard) = (&start.name, machine.kind) {
        let arn = arn::execution(&machine.arn, name, None);
        if let Ok(known) = store.run(&visit.account, &arn) {
            // Documented: the same while it runs with the same input.
            return if known.status() == "RUNNING" && known.input == start.input {
                Ok(told(&started(known)))
            } else {
                Err(EXECUTION_ALREADY_EXISTS.error(format!("Execution Already Exists: '{arn}'")))
            };
        }
    }
    store.check_room(&visit.account, &states.0.setup)?;
    let run = start.begin(states, &mut visit, &machine)?;
    store.add_run(&visit.account, &run, machine.kind == Kind::Standard);
    drop(store);
    states.0.drive(&visit.account, &run)?;
    Ok(told(&started(&run)))
}

fn started(run: &Run) -> Value {
    json!({"executionArn": &*run.arn, "startDate": seconds(run.started)})
}

impl Start {
    pub(super) fn read(visit: &Visit) -> Result<Self, ApiError> {
        let request: Request = visit.json()?;
        let mut checks = Checks::default();
        let machine_arn = checks.required(request.state_machine_arn, "stateMachineArn", 256);
        checks.optional(request.name.as_deref(), "name", 1, 80);
        checks.optional(request.trace_header.as_deref(), "traceHeader", 0, 256);
        checks.finish()?;
        arn::check_machine(&machine_arn)?;
        if let Some(name) = &request.name {
            arn::check_name(name)?;
        }
        let input = request.input.unwrap_or_else(|| "{}".to_owned());
        Ok(Self {
            value: parsed(&input)?,
            machine_arn,
            name: request.name,
            input,
            trace_header: request.trace_header,
        })
    }

    /// An execution at its first state, which nobody drives yet.
    pub(super) fn begin(
        self,
        states: &States,
        visit: &mut Visit,
        machine: &Machine,
    ) -> Result<Arc<Run>, ApiError> {
        // Before anything is kept that nobody could drive.
        tokio::runtime::Handle::try_current().map_err(|_| no_runtime())?;
        let setup = &states.0.setup;
        let name = self.name.unwrap_or_else(|| visit.uuid());
        let express_run = (machine.kind == Kind::Express).then(|| visit.uuid());
        let arn = arn::execution(&machine.arn, &name, express_run.as_deref());
        let pace = Arc::new(Pace::new(&setup.clock, setup.time));
        let started = pace.now();
        let context = ContextInfo {
            execution_arn: arn.clone(),
            execution_name: name.clone(),
            state_machine_arn: machine.arn.clone(),
            state_machine_name: machine.name.clone(),
            role_arn: machine.revision.role_arn.clone(),
        };
        let execution = Execution::start(
            Arc::clone(&machine.revision.parsed),
            self.value,
            context,
            setup.seed ^ fingerprint(&arn),
            started,
        );
        let begun = Begun {
            arn: arn.into(),
            name,
            input: self.input,
            trace_header: self.trace_header,
            pace,
            execution,
            started,
        };
        Ok(Arc::new(Run::new(machine, begun)))
    }
}

/// FNV-1a: the same name gives the same jitter.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The execution's input. The first two texts are recorded; the quota is documented, its text chosen.
fn parsed(input: &str) -> Result<Value, ApiError> {
    let refused = |why: &str| {
        Err(INVALID_EXECUTION_INPUT
            .error(format!("Invalid State Machine Execution Input: '{why}'")))
    };
    if input.len() > states_language::limits::PAYLOAD_BYTES {
        return refused("The input is longer than 262144 bytes.");
    }
    if input.trim().is_empty() {
        return refused("Invalid execution input.");
    }
    serde_json::from_str(input).or_else(|error| {
        let token = input.trim_start();
        let end = token.find(|c: char| !c.is_alphanumeric() && c != '_');
        let token = &token[..end.unwrap_or(token.len())];
        if token.starts_with(|c: char| c.is_alphabetic())
            && !["null", "true", "false"].contains(&token)
        {
            return refused(&format!(
                "Unrecognized token '{token}': was expecting (JSON String, Number, Array, Object or \
                 token 'null', 'true' or 'false')"
            ));
        }
        refused(&error.to_string())
    })
}

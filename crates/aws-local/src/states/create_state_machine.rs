//! `CreateStateMachine`: once, however often it is asked for with the same definition.

use std::{collections::BTreeMap, sync::Arc};

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};
use states_language::invalid_definition;

use super::{
    Answered, States, arn,
    check::Checks,
    error::{INVALID_DEFINITION, STATE_MACHINE_ALREADY_EXISTS, not_emulated, validation},
    machine::{self, Kind, Machine, Revision, seconds},
    tag_resource::{self, Tag},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    name: Option<String>,
    definition: Option<String>,
    role_arn: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    logging_configuration: Option<Value>,
    tracing_configuration: Option<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
    publish: Option<bool>,
    version_description: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let name = checks.required(request.name, "name", 80);
    let definition = checks.required(request.definition, "definition", 1 << 20);
    let role_arn = checks.required(request.role_arn, "roleArn", 256);
    checks.word(request.kind.as_deref(), "type", Kind::WORDS);
    checks.finish()?;
    check_publish(request.publish, request.version_description.as_deref())?;
    arn::check_name(&name)?;
    arn::check_role(&role_arn)?;
    let tags = tag_resource::merged(BTreeMap::new(), request.tags)?;
    let kind = Kind::of(request.kind.as_deref());
    let parsed = machine::read(&definition, &*states.0.runner)
        .map_err(|found| INVALID_DEFINITION.error(invalid_definition(&found)))?;
    let now = states.0.setup.clock.now();
    let revision = Revision {
        id: None,
        definition,
        parsed: Arc::new(parsed),
        role_arn,
        updated: now,
        logging: machine::logging(request.logging_configuration),
        tracing: machine::tracing(request.tracing_configuration),
    };
    let arn = arn::machine(visit, &name);
    let mut store = states.store();
    if let Ok(known) = store.machine(&visit.account, &arn) {
        // Another role and other tags are ignored (documented); the text counts as it is (recorded).
        let same = known.kind == kind
            && known.revision.definition == revision.definition
            && known.revision.logging == revision.logging
            && known.revision.tracing == revision.tracing;
        return if same {
            Ok(told(&created(known)))
        } else {
            Err(STATE_MACHINE_ALREADY_EXISTS
                .error(format!("State Machine Already Exists: '{arn}'")))
        };
    }
    let machine = Machine {
        arn,
        name,
        kind,
        created: now,
        tags,
        revision: Arc::new(revision),
    };
    let answer = created(&machine);
    store.add_machine(&visit.account, machine)?;
    Ok(told(&answer))
}

fn created(machine: &Machine) -> Value {
    json!({"stateMachineArn": machine.arn, "creationDate": seconds(machine.created)})
}

/// Versions are not emulated; the text for a description without one is recorded.
pub(super) fn check_publish(
    publish: Option<bool>,
    description: Option<&str>,
) -> Result<(), bedrock_emulator::error::ApiError> {
    if publish == Some(true) {
        return Err(not_emulated("versions of state machines (publish)"));
    }
    match description {
        Some(_) => Err(validation(
            "Version description can only be set when publish is true",
        )),
        None => Ok(()),
    }
}

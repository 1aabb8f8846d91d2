//! `UpdateStateMachine`: executions that run keep what they began with.

use std::sync::Arc;

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};
use states_language::invalid_definition;

use super::{
    Answered, States, arn,
    check::Checks,
    create_state_machine::check_publish,
    error::{INVALID_DEFINITION, MISSING_REQUIRED_PARAMETER},
    machine::{self, Revision, seconds},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    state_machine_arn: Option<String>,
    definition: Option<String>,
    role_arn: Option<String>,
    logging_configuration: Option<Value>,
    tracing_configuration: Option<Value>,
    publish: Option<bool>,
    version_description: Option<String>,
}

pub(super) fn answer(states: &States, mut visit: Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.state_machine_arn, "stateMachineArn", 256);
    checks.optional(request.definition.as_deref(), "definition", 1, 1 << 20);
    checks.optional(request.role_arn.as_deref(), "roleArn", 1, 256);
    checks.finish()?;
    arn::check_machine(&arn)?;
    check_publish(request.publish, request.version_description.as_deref())?;
    let nothing = request.definition.is_none()
        && request.role_arn.is_none()
        && request.logging_configuration.is_none()
        && request.tracing_configuration.is_none();
    if nothing {
        // Recorded.
        return Err(MISSING_REQUIRED_PARAMETER.error(
            "Either the definition, the role ARN, the LoggingConfiguration, or the \
             TracingConfiguration must be specified",
        ));
    }
    if let Some(role) = &request.role_arn {
        arn::check_role(role)?;
    }
    let parsed = request.definition.as_ref().map(|definition| {
        machine::read(definition, &*states.0.runner)
            .map_err(|found| INVALID_DEFINITION.error(invalid_definition(&found)))
    });
    let parsed = parsed.transpose()?.map(Arc::new);
    let now = states.0.setup.clock.now();
    let id = visit.uuid();
    let mut store = states.store();
    let machine = store.machine_mut(&visit.account, &arn)?;
    let old = &machine.revision;
    machine.revision = Arc::new(Revision {
        id: Some(id.clone()),
        definition: request.definition.unwrap_or_else(|| old.definition.clone()),
        parsed: parsed.unwrap_or_else(|| Arc::clone(&old.parsed)),
        role_arn: request.role_arn.unwrap_or_else(|| old.role_arn.clone()),
        updated: now,
        logging: request
            .logging_configuration
            .unwrap_or_else(|| old.logging.clone()),
        tracing: request
            .tracing_configuration
            .unwrap_or_else(|| old.tracing.clone()),
    });
    Ok(told(&json!({"updateDate": seconds(now), "revisionId": id})))
}

//! Names and ARNs of state machines and executions.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;

use super::{
    States,
    error::{INVALID_NAME, invalid_arn},
};

/// `arn:aws:states:region:account:stateMachine:name`.
pub(super) fn machine(visit: &Visit, name: &str) -> String {
    format!(
        "arn:aws:states:{}:{}:stateMachine:{name}",
        visit.region, visit.account
    )
}

/// `…:execution:machine:name`; of an express machine `…:express:machine:name:run`.
pub(super) fn execution(machine: &str, name: &str, express_run: Option<&str>) -> String {
    match express_run {
        None => {
            let begins = machine.replacen(":stateMachine:", ":execution:", 1);
            format!("{begins}:{name}")
        }
        Some(run) => {
            let begins = machine.replacen(":stateMachine:", ":express:", 1);
            format!("{begins}:{name}:{run}")
        }
    }
}

/// The region of an ARN.
pub(super) fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// A state machine's ARN.
pub(super) fn check_machine(arn: &str) -> Result<(), ApiError> {
    check(arn, "states", "stateMachine")
}

/// An execution's ARN; those of express executions are not for asking (recorded).
pub(super) fn check_execution(arn: &str) -> Result<(), ApiError> {
    check(arn, "states", "execution")
}

/// A role's ARN.
pub(super) fn check_role(arn: &str) -> Result<(), ApiError> {
    check(arn, "iam", "role")
}

/// The prefix's and the type's texts are recorded; AWS's words for other mistakes are chosen.
fn check(arn: &str, service: &str, resource: &str) -> Result<(), ApiError> {
    let Some(rest) = arn.strip_prefix("arn:") else {
        let prefix = arn.split(':').next().unwrap_or_default();
        return Err(invalid_arn(format!("Invalid ARN prefix: {prefix}")));
    };
    let parts: Vec<&str> = rest.splitn(5, ':').collect();
    let [_, found, _, account, name] = parts[..] else {
        return Err(invalid_arn(format!("Malformed ARN: {arn}")));
    };
    if found != service {
        return Err(invalid_arn(format!(
            "Service not valid in this context: {found}"
        )));
    }
    let kind = name.split([':', '/']).next().unwrap_or_default();
    if kind != resource {
        return Err(invalid_arn(format!(
            "Resource type not valid in this context: {kind}"
        )));
    }
    if account.is_empty() || name.len() <= kind.len() + 1 {
        return Err(invalid_arn(format!("Malformed ARN: {arn}")));
    }
    Ok(())
}

/// What names of machines and executions must not hold is in the API reference; the text is recorded.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let forbidden = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(c)
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    if name.contains(forbidden) {
        return Err(INVALID_NAME.error(format!("Invalid Name: '{name}'")));
    }
    Ok(())
}

/// What of a request names what it is done to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Named {
    name: Option<String>,
    state_machine_arn: Option<String>,
    execution_arn: Option<String>,
    resource_arn: Option<String>,
}

fn named(visit: &Visit) -> Named {
    visit.json().unwrap_or_default()
}

fn or_any(arn: Option<String>) -> String {
    arn.filter(|arn| arn.starts_with("arn:"))
        .unwrap_or_else(|| "*".to_owned())
}

pub(super) fn of_new_machine(_: &States, visit: &Visit) -> String {
    let name = named(visit).name;
    name.map_or_else(|| "*".to_owned(), |name| machine(visit, &name))
}

pub(super) fn of_machine(_: &States, visit: &Visit) -> String {
    or_any(named(visit).state_machine_arn)
}

pub(super) fn of_execution(_: &States, visit: &Visit) -> String {
    or_any(named(visit).execution_arn)
}

pub(super) fn of_resource(_: &States, visit: &Visit) -> String {
    or_any(named(visit).resource_arn)
}

pub(super) fn anywhere(_: &States, _: &Visit) -> String {
    "*".to_owned()
}

//! Guardrails of the control plane: one operation, one file.

pub(super) mod create_guardrail;
pub(super) mod create_guardrail_version;
pub(super) mod delete_guardrail;
pub(super) mod get_guardrail;
pub(super) mod list_guardrails;
pub(super) mod update_guardrail;

use crate::service::Call;

/// The ARN of the guardrail in the path.
fn arn(call: &Call<'_>) -> String {
    let id = call.labels.first().map_or("", String::as_str);
    if id.starts_with("arn:") {
        return id.to_owned();
    }
    arn_of(call, id)
}

fn arn_of(call: &Call<'_>, id: &str) -> String {
    format!(
        "arn:aws:bedrock:{}:{}:guardrail/{id}",
        call.region, call.account.id
    )
}

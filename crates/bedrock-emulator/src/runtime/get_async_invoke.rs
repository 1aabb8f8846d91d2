//! `GetAsyncInvoke`: how far a job is.

use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetAsyncInvoke",
    route: Route::Rest("GET", "/async-invoke/{invocationArn}"),
    permission: Some(Permission {
        action: "bedrock:GetAsyncInvoke",
        resource: |call| call.labels[0].clone(),
    }),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let arn = &call.labels[0];
    let state = call.account.state();
    let job = state.jobs.get(arn);
    // The operation models no 404.
    let job = job.ok_or_else(|| {
        ApiError::validation(format!("No asynchronous invocation has the ARN {arn}."))
    })?;
    Ok(Told::json(&job.describe(call.now)))
}

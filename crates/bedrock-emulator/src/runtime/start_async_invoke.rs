//! `StartAsyncInvoke`: for models whose answer takes long. The job runs through its states; nothing
//! is written to S3, which is not emulated.

use serde::Deserialize;
use serde_json::{Value, json};

use super::jobs::Job;
use crate::{
    error::{ApiError, Code},
    service::{Call, Permission, Plain, Route, Told},
    violations::missing,
};

pub(super) const OPERATION: Plain = Plain {
    name: "StartAsyncInvoke",
    route: Route::Rest("POST", "/async-invoke"),
    permission: Permission::anywhere("bedrock:InvokeModel"),
    answer,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    client_request_token: Option<String>,
    model_id: Option<String>,
    model_input: Option<Value>,
    output_data_config: Option<OutputDataConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputDataConfig {
    s3_output_data_config: Option<S3OutputDataConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct S3OutputDataConfig {
    s3_uri: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let request: Request = call.json()?;
    let model_id = request.model_id.ok_or_else(|| missing("modelId"))?;
    if !request
        .model_input
        .ok_or_else(|| missing("modelInput"))?
        .is_object()
    {
        return Err(ApiError::validation("modelInput must be a JSON object."));
    }
    let output = request
        .output_data_config
        .and_then(|o| o.s3_output_data_config);
    let s3_uri = output.and_then(|o| o.s3_uri);
    let s3_uri = s3_uri.ok_or_else(|| missing("outputDataConfig"))?;
    if s3_uri
        .strip_prefix("s3://")
        .is_none_or(|rest| rest.len() <= 2)
    {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{s3_uri}' at \
             'outputDataConfig.s3OutputDataConfig.s3Uri' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: s3://[a-z0-9][\\.\\-a-z0-9]{{1,61}}[a-z0-9](/.*)?"
        )));
    }
    let resolved = call
        .catalogue()
        .resolve(&model_id, call.region, call.today)?;
    if !resolved.model.quirks.async_invoke {
        // Chosen: no recording shows this refusal.
        return Err(ApiError::validation(
            "The provided model doesn't support asynchronous invocations.",
        ));
    }
    let model_arn = format!(
        "arn:aws:bedrock:{}::foundation-model/{}",
        call.region, resolved.model.id
    );
    let id = call.rng.lower_id(12);
    let job = Job {
        arn: format!(
            "arn:aws:bedrock:{}:{}:async-invoke/{id}",
            call.region, call.account.id
        ),
        model_arn,
        token: request.client_request_token,
        s3_uri: format!("{}/{id}", s3_uri.trim_end_matches('/')),
        submitted: call.now,
    };
    let mut state = call.account.state();
    if let Some(token) = &job.token
        && let Some(started) = state.jobs.with_token(token)
    {
        if started.model_arn != job.model_arn {
            return Err(ApiError::bedrock(
                Code::Conflict,
                "The client request token was used with other parameters.",
            ));
        }
        return Ok(Told::json(&json!({ "invocationArn": started.arn })));
    }
    let body = json!({ "invocationArn": job.arn });
    state.jobs.start(job);
    Ok(Told::json(&body))
}

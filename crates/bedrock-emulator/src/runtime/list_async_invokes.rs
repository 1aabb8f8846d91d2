//! `ListAsyncInvokes`: jobs by time and status.

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::jobs::Job;
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ListAsyncInvokes",
    route: Route::Rest("GET", "/async-invoke"),
    permission: Permission::anywhere("bedrock:ListAsyncInvokes"),
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let status = call.query("statusEquals");
    let (after, before) = (
        time(call, "submitTimeAfter")?,
        time(call, "submitTimeBefore")?,
    );
    let now = call.now;
    let wanted = |job: &&Job| {
        status
            .as_deref()
            .is_none_or(|status| job.status(now) == status)
            && after.is_none_or(|after| job.submitted > after)
            && before.is_none_or(|before| job.submitted < before)
    };
    let state = call.account.state();
    let mut jobs: Vec<Job> = state.jobs.iter().filter(wanted).cloned().collect();
    drop(state);
    if call.query("sortOrder").as_deref() != Some("Ascending") {
        jobs.reverse();
    }
    let (page, next) = call.page(&OPERATION, &jobs, 1_000)?;
    let summaries: Vec<Value> = page.iter().map(|job| job.describe(now)).collect();
    let mut body = json!({ "asyncInvokeSummaries": summaries });
    if let Some(next) = next {
        body["nextToken"] = next.into();
    }
    Ok(Told::json(&body))
}

fn time(call: &Call<'_>, name: &str) -> Result<Option<OffsetDateTime>, ApiError> {
    let Some(text) = call.query(name) else {
        return Ok(None);
    };
    let time = OffsetDateTime::parse(&text, &Rfc3339);
    time.map(Some)
        .map_err(|_| ApiError::validation(format!("{name}={text} is not a timestamp.")))
}

//! `GET /_workshop/metrics`: the namespace `AWS/Bedrock` of all accounts as Prometheus text.

use crate::{
    error::ApiError,
    observe,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetMetrics",
    route: Route::Rest("GET", "/_workshop/metrics"),
    permission: None,
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let accounts = call.emulator.accounts();
    let states: Vec<_> = accounts.iter().map(|a| (&*a.id, a.state())).collect();
    let meters = states.iter().map(|(id, state)| (*id, &state.meters));
    let text = observe::prometheus(meters);
    Ok(Told {
        status: 200,
        content_type: "text/plain; version=0.0.4; charset=utf-8",
        body: text.into(),
    })
}

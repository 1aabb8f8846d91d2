//! `POST /_workshop/requests/{seq}/replay`: the same request once more, handled as if its caller had
//! sent it now. Signatures are not checked again; the caller is who it was. The answer is the new
//! journal entry, which names the request it repeats.

use serde_json::json;

use super::requests;
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ReplayRequest",
    route: Route::Rest("POST", "/_workshop/requests/{seq}/replay"),
    permission: None,
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let record = requests::named(call)?;
    let reply = call.emulator.repeat(&record, call.now);
    Ok(Told::json(&json!({
        "seq": reply.seq,
        "replayOf": record.seq,
        "request": requests::entry(call, reply.seq),
    })))
}

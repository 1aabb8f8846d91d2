//! Operations that only a socket can answer: gates, which hold answers back while they are sent, and
//! the stream of events. `bedrock-endpoint` answers them before the core sees them; here they have
//! their rows, so that the API is described in one place.

use crate::{
    error::{ApiError, Code},
    service::{Call, Plain, Route, Told},
};

const GATE: &str = "/_workshop/gates/{name}";

pub(super) const LIST_GATES: Plain = Plain {
    name: "ListGates",
    route: Route::Rest("GET", "/_workshop/gates"),
    permission: None,
    answer,
};
pub(super) const OPEN_GATE: Plain = Plain {
    name: "OpenGate",
    route: Route::Rest("POST", GATE),
    permission: None,
    answer,
};
pub(super) const CLOSE_GATE: Plain = Plain {
    name: "CloseGate",
    route: Route::Rest("DELETE", GATE),
    permission: None,
    answer,
};
pub(super) const EVENTS: Plain = Plain {
    name: "GetEvents",
    route: Route::Rest("GET", "/_workshop/events"),
    permission: None,
    answer,
};

fn answer(_: &mut Call<'_>) -> Result<Told, ApiError> {
    Err(ApiError::bedrock(
        Code::UnknownOperation,
        "this emulator is not on a socket of its own, which is what holds gates and streams events; \
         use `workshop emulator`, or the endpoint's own handle in Rust",
    ))
}

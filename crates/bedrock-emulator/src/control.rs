//! What a front of the emulator needs to answer a part of the control API itself: gates and events
//! are about sockets, which the core has not.

use serde_json::Value;

use crate::{
    Body, Emulator, Reply, Request,
    error::{ApiError, Code},
    route,
    script::AT_ONCE,
    service::Protocol,
    workshop::guard,
};

pub use crate::workshop::guard::PREFIX;

/// Whether the control API may answer this request; the refusal if not. `local`: the peer is on this
/// machine.
pub fn admit(emulator: &Emulator, request: &Request, local: bool) -> Result<(), Box<Reply>> {
    let is_health = request.target.starts_with("/_workshop/health");
    let admitted = if local || is_health {
        guard::admit(request)
    } else {
        Err(guard::from_elsewhere())
    };
    admitted.map_err(|error| Box::new(refusal(emulator, &error)))
}

/// The account that `?account=` names, none without; the refusal if there is no such account.
pub fn account(emulator: &Emulator, request: &Request) -> Result<Option<String>, Box<Reply>> {
    let Some(id) = query(request, "account") else {
        return Ok(None);
    };
    if emulator.accounts().iter().any(|account| *account.id == *id) {
        return Ok(Some(id));
    }
    let message = format!("there is no account {id:?}; GET /_workshop/accounts lists them");
    Err(Box::new(not_found(emulator, message)))
}

/// A parameter of the query string, decoded.
pub fn query(request: &Request, name: &str) -> Option<String> {
    let (_, query) = request.target.split_once('?')?;
    route::form_value(query, name)
}

/// One decoded segment of a path.
pub fn decoded(segment: &str) -> Option<String> {
    route::decode(segment).filter(|text| !text.is_empty())
}

/// 404 with this message.
pub fn not_found(emulator: &Emulator, message: String) -> Reply {
    refusal(
        emulator,
        &ApiError::bedrock(Code::ResourceNotFound, message),
    )
}

/// 200 with this JSON.
pub fn told(emulator: &Emulator, body: &Value) -> Reply {
    reply(emulator, 200, body.to_string())
}

fn refusal(emulator: &Emulator, error: &ApiError) -> Reply {
    let body = error.body(Protocol::Workshop, "");
    reply(emulator, error.status(Protocol::Workshop), body)
}

fn reply(emulator: &Emulator, status: u16, body: String) -> Reply {
    Reply {
        status,
        headers: vec![crate::wire::header("Content-Type", "application/json")],
        body: Body::Whole {
            due: AT_ONCE,
            bytes: body.into(),
        },
        seq: 0,
        account: emulator.home().id.clone(),
    }
}

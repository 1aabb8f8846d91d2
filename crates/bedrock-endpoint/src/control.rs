//! The part of the control API that is about this socket: who may use it, gates, events.

use bedrock_emulator::{Body, Reply, Request, control};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{Gates, events, gates::Gate, serve::Shared};

/// How a request to the control API goes on.
pub(crate) enum Control {
    /// It is answered here.
    Reply(Reply),
    /// With server-sent events.
    Events(mpsc::Receiver<bytes::Bytes>),
    /// By the core.
    Core,
}

/// Answers what is this endpoint's to answer.
pub(crate) fn answer(shared: &Shared, request: &Request, local: bool) -> Control {
    if let Err(refusal) = control::admit(&shared.emulator, request, local) {
        return Control::Reply(*refusal);
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path[control::PREFIX.len()..].split('/').collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["gates"]) => {
            let gates: Vec<Value> = shared.gates.list().iter().map(shown).collect();
            let body = json!({ "gates": gates });
            Control::Reply(control::told(&shared.emulator, &body))
        }
        (method @ ("POST" | "DELETE"), ["gates", name]) => {
            Control::Reply(gate(shared, request, method, name))
        }
        ("GET", ["events"]) => match control::account(&shared.emulator, request) {
            Ok(account) => {
                let after = request.header("last-event-id");
                let after = after.and_then(|id| id.trim().parse().ok());
                Control::Events(events::feed(shared, after, account))
            }
            Err(refusal) => Control::Reply(*refusal),
        },
        ("POST", ["reset"]) => {
            // The core says whether there is such an account; gates of none are nobody's.
            reset(&shared.gates, control::query(request, "account").as_deref());
            Control::Core
        }
        _ => Control::Core,
    }
}

fn gate(shared: &Shared, request: &Request, method: &str, name: &str) -> Reply {
    let emulator = &shared.emulator;
    let account = match control::account(emulator, request) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    let Some(name) = control::decoded(name) else {
        let message = "the gate's name is missing, or not valid percent-encoding".to_owned();
        return control::not_found(emulator, message);
    };
    let name = match account {
        Some(id) if id != emulator.config().account_id => format!("{id}/{name}"),
        _ => name,
    };
    if method == "POST" {
        shared.gates.open(&name);
    } else {
        shared.gates.close(&name);
    }
    let gates = shared.gates.list();
    let gate = gates.into_iter().find(|gate| gate.name == name);
    let gone = || Gate {
        name: name.clone(),
        open: false,
        waiting: 0,
    };
    control::told(emulator, &shown(&gate.unwrap_or_else(gone)))
}

fn shown(gate: &Gate) -> Value {
    let (account, name) = match owner(&gate.name) {
        Some((account, name)) => (Some(account), name),
        None => (None, gate.name.as_str()),
    };
    json!({ "name": name, "account": account, "open": gate.open, "waiting": gate.waiting })
}

/// The account in a gate's name, if it is not the configured one's.
fn owner(name: &str) -> Option<(&str, &str)> {
    let (account, name) = name.split_once('/')?;
    let is_id = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some((account, name))
}

fn reset(gates: &Gates, account: Option<&str>) {
    gates.close_where(|name| match account {
        None => true,
        Some(account) => owner(name).is_some_and(|(owner, _)| owner == account),
    });
}

/// A reply without a body, for the head of a stream of events.
pub(crate) fn events_head(shared: &Shared) -> Reply {
    Reply {
        headers: vec![
            ("Content-Type".into(), "text/event-stream".to_owned()),
            ("Cache-Control".into(), "no-store".to_owned()),
        ],
        body: Body::Frames {
            frames: Vec::new(),
            end: bedrock_emulator::wire::End::Clean,
        },
        ..control::told(&shared.emulator, &Value::Null)
    }
}

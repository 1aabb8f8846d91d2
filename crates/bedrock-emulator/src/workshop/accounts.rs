//! `/_workshop/accounts`: accounts that share nothing, made and dropped while the emulator runs.
//!
//! A test that creates an account of its own gets a key pair for it. Whatever is signed with that pair
//! has its own journal, quotas, caches, script, fault rules, gates, logs and metrics.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    account::{Account, is_id},
    document::{Field, Mistake},
    emulator::{Credential, Emulator},
    error::{ApiError, Code},
    observe::Logging,
    policy::Policies,
    rng::Rng,
    service::{Call, Plain, Route, Told},
};

const ALL: &str = "/_workshop/accounts";
const ONE: &str = "/_workshop/accounts/{id}";

pub(super) const LIST: Plain = Plain {
    name: "ListAccounts",
    route: Route::Rest("GET", ALL),
    permission: None,
    answer: list,
};
pub(super) const CREATE: Plain = Plain {
    name: "CreateAccount",
    route: Route::Rest("POST", ALL),
    permission: None,
    answer: create,
};
pub(super) const GET: Plain = Plain {
    name: "GetAccount",
    route: Route::Rest("GET", ONE),
    permission: None,
    answer: get,
};
pub(super) const DELETE: Plain = Plain {
    name: "DeleteAccount",
    route: Route::Rest("DELETE", ONE),
    permission: None,
    answer: delete,
};

/// The account that `?account=` names, or the configured one.
pub(super) fn addressed(call: &Call<'_>) -> Result<Arc<Account>, ApiError> {
    match call.query("account") {
        None => Ok(Arc::clone(call.account)),
        Some(id) => existing(call.emulator, &id),
    }
}

fn existing(emulator: &Emulator, id: &str) -> Result<Arc<Account>, ApiError> {
    let all = emulator.accounts();
    let found = all.iter().find(|account| *account.id == *id);
    found.cloned().ok_or_else(|| {
        let ids: Vec<&str> = all.iter().map(|account| &*account.id).collect();
        ApiError::bedrock(
            Code::ResourceNotFound,
            format!(
                "no request of an account {id:?} has come, and nobody created it; there are {}. POST \
                 {ALL} creates one",
                ids.join(", ")
            ),
        )
    })
}

/// What people want to know about an account at a glance.
pub(super) fn summary(account: &Account) -> Value {
    let state = account.state();
    let counts = &state.counts;
    let mut summary = json!({
        "id": &*account.id,
        "requests": counts.requests,
        "errors": counts.errors,
        "throttles": counts.throttles,
        "script_left": state.script.left(),
        "script_rules": state.script.len(),
        "faults": account.faults.len(),
    });
    if let Some(last) = &counts.last_error {
        summary["last_error"] = json!({
            "seq": last.seq,
            "t": last.t,
            "operation": last.operation,
            "status": last.status,
            "code": last.error.map(Code::name),
            "message": last.message,
        });
    }
    summary
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn list(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let all = call.emulator.accounts();
    let accounts: Vec<Value> = all.iter().map(|account| summary(account)).collect();
    Ok(Told::json(&json!({ "accounts": accounts })))
}

fn get(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let id = call.labels.first().map(String::as_str).unwrap_or_default();
    let account = existing(call.emulator, id)?;
    Ok(Told::json(&summary(&account)))
}

/// What a new account starts with.
#[derive(Debug, Default)]
struct New {
    id: Option<String>,
    policies: Vec<Value>,
    invocation_logging: Option<bool>,
}

impl New {
    fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        let mut table = field.table()?;
        let new = Self {
            id: table.read("id", |f| {
                let id = f.text()?;
                if is_id(id) {
                    Ok(id.to_owned())
                } else {
                    Err(f.mistake(format!("is {id:?}; an account id is twelve digits")))
                }
            })?,
            policies: table
                .read("policies", |f| {
                    Ok(f.list()?.iter().map(|item| item.value.clone()).collect())
                })?
                .unwrap_or_default(),
            invocation_logging: table.read("invocation_logging", |f| f.flag())?,
        };
        table.finish()?;
        Ok(new)
    }
}

fn create(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let body: Value = super::body(call)?;
    let new = New::read(&Field::root(&body)).map_err(super::mistaken)?;
    let policies = Policies::parse(&new.policies)
        .map_err(|error| ApiError::validation(format!("`policies`: {error}")))?;
    let taken: Vec<_> = call.emulator.accounts();
    let is_taken = |id: &str| taken.iter().any(|account| *account.id == *id);
    // Another purpose than requests, so that creating accounts changes no request's bytes.
    let mut rng = Rng::new(
        call.emulator.config().seed,
        &[u64::MAX, call.emulator.next_account()],
    );
    let id = match new.id {
        Some(id) if is_taken(&id) => {
            return Err(ApiError::validation(format!(
                "`id`: the account {id} exists already; choose another, or leave `id` out"
            )));
        }
        Some(id) => id,
        None => std::iter::repeat_with(|| rng.account_id())
            .find(|id| !is_taken(id))
            .unwrap_or_default(),
    };
    let credential = Credential {
        access_key_id: rng.access_key_id(),
        secret_access_key: rng.secret_access_key(),
        session_token: None,
        expires_at: None,
        arn: format!("arn:aws:iam::{id}:user/student"),
    };
    let account = call.emulator.account(&id);
    let mut state = account.state();
    state.policies = policies;
    if let Some(on) = new.invocation_logging {
        let bucket = call.emulator.config().log_bucket.as_deref();
        state.logging = Logging::switched(on, &id, bucket);
    }
    drop(state);
    call.emulator.identities_mut().add(credential.clone());
    Ok(Told::status(
        201,
        &json!({
            "id": id,
            "arn": credential.arn,
            "access_key_id": credential.access_key_id,
            "secret_access_key": credential.secret_access_key,
            "region": call.region,
        }),
    ))
}

fn delete(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let id = call.labels.first().map(String::as_str).unwrap_or_default();
    existing(call.emulator, id)?;
    if !call.emulator.drop_account(id) {
        return Err(ApiError::validation(format!(
            "the account {id} is the configured one and stays; POST /_workshop/reset?account={id} \
             empties it"
        )));
    }
    Ok(Told::json(&json!({ "deleted": id })))
}

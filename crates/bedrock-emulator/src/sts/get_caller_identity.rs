//! `GetCallerIdentity`: who signed. Needs no permission (API reference).

use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

use super::{NAMESPACE, VERSION};

pub(super) const OPERATION: Plain = Plain {
    name: "GetCallerIdentity",
    route: Route::Query {
        action: "GetCallerIdentity",
        version: VERSION,
    },
    permission: None,
    answer,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature of every operation's answer"
)]
fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    Ok(call.xml(NAMESPACE, OPERATION.name, |xml| {
        xml.text("Arn", &call.principal.arn);
        xml.text("UserId", &call.principal.user_id());
        xml.text("Account", &call.principal.account);
    }))
}

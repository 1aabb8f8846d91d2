//! `GetSessionToken`: temporary credentials of the user that asks. Needs no permission (API
//! reference).

use crate::{
    error::{ApiError, Code},
    identity::{Principal, Session},
    policy::Policies,
    service::{Call, Plain, Route, Told},
};

use super::{
    NAMESPACE, VERSION,
    issue::{Checks, issue, write},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetSessionToken",
    route: Route::Query {
        action: "GetSessionToken",
        version: VERSION,
    },
    permission: None,
    answer,
};

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let mut checks = Checks::default();
    let seconds = checks.seconds(call, 43_200, (900, 129_600))?;
    checks.finish()?;
    if call.principal.session.is_some() {
        return Err(ApiError::front_door(
            Code::AccessDenied,
            "Cannot call GetSessionToken with session credentials",
        ));
    }
    let principal = Principal {
        session: Some(Session {
            role: None,
            policies: Policies::default(),
            issued_at: call.now,
            tags: Vec::new(),
            actor: None,
        }),
        ..call.principal.clone()
    };
    let credential = issue(call, principal, seconds);
    Ok(call.xml(NAMESPACE, OPERATION.name, |xml| write(xml, &credential)))
}

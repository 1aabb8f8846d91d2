//! A service of the AWS JSON protocols (`awsJson1_0`, `awsJson1_1`): a table of operations that
//! `X-Amz-Target` names.

use std::fmt;

use bedrock_emulator::{
    Request,
    error::ApiError,
    neighbour::{About, Neighbour, Outcome, OwnCode, Visit},
    observe::ServiceMetric,
};
use time::OffsetDateTime;

/// A service: what it holds is `Self`.
pub trait JsonService: fmt::Debug + Send + Sync + Sized + 'static {
    /// What never changes about it.
    const ABOUT: &'static About;
    /// What stands before the operation's name in `X-Amz-Target`: `AmazonSQS`.
    const TARGET: &'static str;
    /// Its operations, one file each.
    const OPERATIONS: &'static [Operation<Self>];

    /// What IAM must allow beside its operation's own permission.
    fn more_permissions(&self, _visit: &Visit) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// See [`Neighbour::metrics`].
    fn metrics(&self, _account: &str) -> Vec<(ServiceMetric, OffsetDateTime)> {
        Vec::new()
    }

    /// Forgets what it holds of an account.
    fn forget(&self, account: &str);
}

/// One operation.
pub struct Operation<S> {
    /// Its name, as in the service model.
    pub name: &'static str,
    /// The IAM action, and the ARN (or `*`) of what it is done to; `None`: nothing is asked.
    pub permission: Option<Permission<S>>,
    /// Answers it, at once or later.
    pub answer: fn(&S, Visit) -> Outcome,
}

/// What IAM must allow.
pub struct Permission<S> {
    /// As in a policy: `sqs:SendMessage`.
    pub action: &'static str,
    /// The ARN (or `*`) of what it is done to.
    pub resource: fn(&S, &Visit) -> String,
}

/// 400: no operation of the service has this name.
static UNKNOWN_OPERATION: OwnCode = OwnCode::new("UnknownOperationException", 400);

/// A [`JsonService`] as a neighbour of the emulator.
#[derive(Debug)]
pub struct Json<S>(pub(crate) S);

impl<S> Json<S> {
    /// That service, for [`bedrock_emulator::Config::neighbours`].
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S: JsonService> Neighbour for Json<S> {
    fn about(&self) -> &'static About {
        S::ABOUT
    }

    fn operation(&self, request: &Request) -> Option<Result<&'static str, ApiError>> {
        let target = request.header("x-amz-target")?;
        let (service, name) = target.split_once('.')?;
        if service != S::TARGET || request.method != "POST" {
            return None;
        }
        let found = S::OPERATIONS.iter().find(|row| row.name == name);
        Some(found.map(|row| row.name).ok_or_else(|| {
            UNKNOWN_OPERATION.error(format!("{target}: not emulated by Bedrock Workshop."))
        }))
    }

    fn permissions(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        let permission = row::<S>(visit).and_then(|row| row.permission.as_ref());
        let asked = permission.map(|asked| (asked.action, (asked.resource)(&self.0, visit)));
        let more = self.0.more_permissions(visit);
        asked.into_iter().chain(more).collect()
    }

    fn answer(&self, visit: Visit) -> Outcome {
        match row::<S>(&visit) {
            Some(row) => (row.answer)(&self.0, visit),
            None => Outcome::Now(Err(UNKNOWN_OPERATION.error(visit.operation))),
        }
    }

    fn metrics(&self, account: &str) -> Vec<(ServiceMetric, OffsetDateTime)> {
        self.0.metrics(account)
    }

    fn forget(&self, account: &str) {
        self.0.forget(account);
    }
}

fn row<S: JsonService>(visit: &Visit) -> Option<&'static Operation<S>> {
    S::OPERATIONS.iter().find(|row| row.name == visit.operation)
}

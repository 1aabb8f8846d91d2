//! Who runs the functions behind an API.

use std::{future::Future, pin::Pin};

use bytes::Bytes;
use lambda_host::{Host, Invocation, InvokeError, Invoked};

use super::api::Target;
use crate::lambda::Lambda;

/// An invocation under way.
pub type Invoking = Pin<Box<dyn Future<Output = Result<Returned, NotInvoked>> + Send>>;

/// Runs functions: [`Lambda`] and a bare [`Host`] as processes, a closure in this one.
pub trait Functions: Send + Sync {
    /// Hands an event to a function. Dropping the future stops the waiting, not the function.
    fn invoke(&self, target: &Target, event: Bytes) -> Invoking;
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// JSON: its answer, or its error.
    pub payload: Bytes,
    /// Whether it is an error.
    pub failed: bool,
}

/// Why a function did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInvoked {
    /// The event is larger than Lambda takes.
    TooLarge,
    /// As many run as may.
    Throttled(String),
    /// Something else, in Lambda's words.
    Rejected(String),
}

/// A closure gets the event and returns the answer's JSON, or an error that the function raised.
impl<F, Answering> Functions for F
where
    F: Fn(Target, Bytes) -> Answering + Send + Sync,
    Answering: Future<Output = Result<Bytes, Bytes>> + Send + 'static,
{
    fn invoke(&self, target: &Target, event: Bytes) -> Invoking {
        let answering = self(target.clone(), event);
        Box::pin(async move {
            let answer = answering.await;
            let failed = answer.is_err();
            let (Ok(payload) | Err(payload)) = answer;
            Ok(Returned { payload, failed })
        })
    }
}

impl Functions for Host {
    fn invoke(&self, target: &Target, event: Bytes) -> Invoking {
        let (host, name) = (self.clone(), target.name.clone());
        let invocation = invocation(target, event);
        Box::pin(async move { told(host.invoke(&name, invocation).await) })
    }
}

/// The service's own functions, each found by its ARN.
impl Functions for Lambda {
    fn invoke(&self, target: &Target, event: Bytes) -> Invoking {
        let (lambda, arn) = (self.clone(), target.arn.clone());
        let invocation = invocation(target, event);
        // An ARN names account and region by itself.
        Box::pin(async move { told(lambda.invoke("", "", &arn, invocation).await) })
    }
}

fn invocation(target: &Target, event: Bytes) -> Invocation {
    Invocation {
        invoked_function_arn: target.qualifier.is_some().then(|| target.arn.clone()),
        ..Invocation::new(event)
    }
}

fn told(result: Result<Invoked, InvokeError>) -> Result<Returned, NotInvoked> {
    match result {
        Ok(invoked) => Ok(Returned {
            payload: invoked.payload,
            failed: invoked.function_error.is_some(),
        }),
        Err(InvokeError::RequestTooLarge { .. }) => Err(NotInvoked::TooLarge),
        Err(error @ InvokeError::TooManyRequests(_)) => {
            Err(NotInvoked::Throttled(error.to_string()))
        }
        Err(error) => Err(NotInvoked::Rejected(error.to_string())),
    }
}

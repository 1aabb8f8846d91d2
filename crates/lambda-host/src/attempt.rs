//! What becomes of each attempt to run a function: what CloudWatch counts of Lambda.

use std::{fmt, sync::Arc};

use crate::{FunctionConfig, Invoked};

/// A step of an attempt to run a function.
#[derive(Debug, Clone, Copy)]
pub enum Attempt<'a> {
    /// There was no concurrency left for it.
    Throttled,
    /// It may run, as one of so many of this function now.
    Begun {
        /// With this one.
        concurrent: u32,
    },
    /// The function answered, failed or was stopped.
    Ended(&'a Invoked),
}

type See = dyn Fn(&FunctionConfig, Attempt) + Send + Sync;

/// Sees every attempt of every function.
#[derive(Clone, Default)]
pub struct AttemptSink(Option<Arc<See>>);

impl AttemptSink {
    pub(crate) fn tell(&self, function: &FunctionConfig, attempt: Attempt) {
        if let Some(see) = &self.0 {
            see(function, attempt);
        }
    }
}

impl<F: Fn(&FunctionConfig, Attempt) + Send + Sync + 'static> From<F> for AttemptSink {
    fn from(see: F) -> Self {
        Self(Some(Arc::new(see)))
    }
}

impl fmt::Debug for AttemptSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttemptSink")
            .field(&self.0.is_some())
            .finish()
    }
}

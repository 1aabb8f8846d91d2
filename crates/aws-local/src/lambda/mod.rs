//! AWS Lambda: the Invoke API and what belongs to it, in front of `lambda-host`, which runs compiled
//! functions as processes.
//!
//! Functions come from Rust ([`Lambda::create`]) or the settings of the `workshop` binary, as compiled
//! programs: there are no zip files here. A function's process gets temporary credentials of its
//! execution role, so that its calls to Bedrock are told and decided as that role's, and its lines go
//! to CloudWatch Logs.
//!
//! Read in this order: `place` (the many ways to name a function), `function` (what one is),
//! `registry` (which are there, and the hosts that run them), `operations` (how a request names an
//! operation), then the operations, one file each, and `event_source` (queues that invoke functions).

mod cloudwatch;
mod error;
mod event_source;
mod function;
mod operations;
mod place;
mod registry;

mod create_event_source_mapping;
mod create_function;
mod delete_event_source_mapping;
mod delete_function;
mod delete_function_concurrency;
mod get_event_source_mapping;
mod get_function;
mod get_function_concurrency;
mod get_function_configuration;
mod invoke;
mod list_event_source_mappings;
mod list_functions;
mod page;
mod put_function_concurrency;
mod update_event_source_mapping;
mod update_function_configuration;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use bedrock_emulator::{
    Emulator, Request,
    error::ApiError,
    neighbour::{About, Actor, Neighbour, Outcome, Protocol, Visit},
};

pub use event_source::{EventSource, MapError};
pub use function::Function;
pub use lambda_host::{Invocation, InvokeError, Invoked};
pub use registry::CreateError;

use self::{place::Reference, registry::Registry};
use crate::{clock::Clock, sqs::Sqs};

/// The service. Clones are the same service; with the last one every function's process ends.
#[derive(Debug, Clone)]
pub struct Lambda {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    sqs: Sqs,
    connection: OnceLock<Connection>,
    registry: Mutex<Registry>,
}

/// Where functions find AWS.
#[derive(Debug)]
struct Connection {
    /// The emulator holds us.
    emulator: Weak<Emulator>,
    endpoint_url: String,
}

static ABOUT: About = About {
    name: "Lambda",
    signing_name: Some("lambda"),
    protocol: Protocol::RestJson,
    node: Some("LAMBDA"),
    from_client: Some("CLIENT-LAMBDA"),
};

/// What a function's calls light.
static FUNCTION: Actor = Actor {
    node: "LAMBDA",
    edges: &[
        ("BR", "LAMBDA-BR"),
        ("DDB", "LAMBDA-DDB"),
        ("SQS", "LAMBDA-SQS"),
        ("SECRETS", "LAMBDA-SECRETS"),
        ("SFN", "LAMBDA-SFN"),
        ("LAMBDA", "LAMBDA-LAMBDA"),
    ],
};

impl Lambda {
    /// No functions yet. Its queues are that service's.
    pub fn new(clock: Arc<dyn Clock>, sqs: Sqs) -> Self {
        let shared = Shared {
            clock,
            sqs,
            connection: OnceLock::new(),
            registry: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Tells where functions find AWS: the emulator that gives them credentials and keeps their logs,
    /// and its URL for their `AWS_ENDPOINT_URL`. Functions can be created from then on. The first call
    /// counts.
    pub fn connect(&self, emulator: &Arc<Emulator>, endpoint_url: &str) {
        let connection = Connection {
            emulator: Arc::downgrade(emulator),
            endpoint_url: endpoint_url.to_owned(),
        };
        let _ = self.shared.connection.set(connection);
    }

    /// Invokes a function (`RequestResponse`) for a caller in this process: no HTTP, no policy, no
    /// journal. `function` is a name, a partial ARN or an ARN.
    pub async fn invoke(
        &self,
        account: &str,
        region: &str,
        function: &str,
        invocation: Invocation,
    ) -> Result<Invoked, InvokeError> {
        let unknown = || InvokeError::ResourceNotFound(function.to_owned());
        let reference = Reference::parse(function, account, region).ok_or_else(unknown)?;
        let host = self.registry().host(&reference).ok_or_else(unknown)?;
        host.invoke(&reference.place.name, invocation).await
    }

    /// Held for one step, never across an await.
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.shared.registry()
    }
}

impl Shared {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Neighbour for Lambda {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn operation(&self, request: &Request) -> Option<Result<&'static str, ApiError>> {
        operations::find(request).map(|found| found.map(|row| row.name))
    }

    fn permissions(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        operations::permission(visit).into_iter().collect()
    }

    fn answer(&self, visit: Visit) -> Outcome {
        operations::answer(self, visit)
    }

    fn forget(&self, account: &str) {
        self.registry().forget(account);
    }
}

//! Interface VPC endpoints: the private way by which a request came, as its `Host` tells it.
//!
//! On AWS the network knows. Here a request came through an endpoint if it was sent to one of the
//! endpoint's own host names, which the signature covers. Private DNS, which gives Bedrock's public
//! name to an endpoint, has no trace in a request and is not told apart from the public way.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use serde_json::Value;

use crate::{
    policy::{Policies, PolicyError},
    wire::Request,
};

/// `vpce-1a2b3c4d` of a request to
/// `vpce-1a2b3c4d-5e6f7g8h.bedrock-runtime.us-east-1.vpce.amazonaws.com` (AWS `PrivateLink` guide,
/// "Access an AWS service using an interface VPC endpoint": the names may go on with a zone).
pub(crate) fn of(request: &Request) -> Option<&str> {
    let host = request.header("host")?;
    // The hot path ends here.
    let rest = host.strip_prefix("vpce-")?;
    let name = host.split(':').next()?;
    let digits = rest.find(|c: char| !c.is_ascii_hexdigit())?;
    let is_endpoint = digits > 0 && name.ends_with(".vpce.amazonaws.com");
    is_endpoint.then(|| &name[..host.len() - rest.len() + digits])
}

/// The policies of endpoints, by id. An endpoint without one lets everything through, as AWS's default
/// policy does.
#[derive(Debug, Default)]
pub(crate) struct Endpoints(RwLock<BTreeMap<String, Policies>>);

impl Endpoints {
    /// Gives an endpoint its policy.
    pub(crate) fn set(&self, id: &str, document: &Value) -> Result<(), PolicyError> {
        let policies = Policies::of_endpoint(id, document)?;
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.to_owned(), policies);
        Ok(())
    }

    /// What the endpoint that a request came through lets pass.
    pub(crate) fn policies(&self, request: &Request) -> Policies {
        let Some(id) = of(request) else {
            return Policies::default();
        };
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(id).cloned().unwrap_or_default()
    }
}

//! Exercise 004: understanding the AWS Bedrock integration.
//!
//! Follow one call through identity, policy, Bedrock, model, logs and metrics, with evidence for each
//! hop; say where a broken one stopped; correct a diagram. This is the only file you edit; the types
//! stand in `given.rs`. The task is in `README.md`; `workshop hint 004` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::Client;

pub use given::{Caller, DRAFT, Decision, Edge, Evidence, Hop, Node, Observer, edge};

/// Sends `prompt` to `model` once with Converse, for at most `max_tokens` tokens, and collects
/// evidence of where the request went: client, identity and policy; Bedrock and the model if it got
/// there; logs and metrics always.
pub async fn trace_one(
    client: &Client,
    aws: &(dyn Observer + Sync),
    model: &str,
    prompt: &str,
    max_tokens: i32,
) -> Vec<Hop> {
    let _ = (client, aws);
    todo!(
        "004/1: send {prompt:?} to {model} (at most {max_tokens} tokens) and collect the evidence of \
         every hop"
    )
}

/// Where the call of these hops stopped, or what is missing; `None` when all is well.
pub fn blame(hops: &[Hop]) -> Option<Node> {
    todo!("004/2: find what went wrong in {} hops", hops.len())
}

/// The diagram with its three mistakes corrected, and everything else as it was.
pub fn fix_diagram(mermaid: &str) -> String {
    todo!("004/3: correct the edges of\n{mermaid}")
}

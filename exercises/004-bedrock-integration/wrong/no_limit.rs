//! dies in: a_good_call_leaves_evidence_at_every_hop
//!
//! It is only a diagnosis, so nobody limits it.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{
    Client,
    operation::RequestId,
    types::{ContentBlock, ConversationRole, Message},
};

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
    let count = |name: &str| aws.metric(name, model);
    let before = (count("Invocations"), count("InvocationThrottles"));

    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("role and content are set");
    let _ = max_tokens;
    let request = client.converse().model_id(model).messages(message);
    let outcome = request.send().await;

    let mut hops = Vec::new();
    let mut reached = |node, evidence| hops.push(Hop { node, evidence });

    let region = client.config().region().map(ToString::to_string);
    reached(
        Node::Client,
        region.map_or(Evidence::Missing("no region"), Evidence::Region),
    );
    let caller = aws.whoami();
    reached(
        Node::Identity,
        Evidence::Caller {
            access_key_id: caller.access_key_id,
            temporary: caller.temporary,
        },
    );
    let Decision { allowed, by } = aws.simulate("bedrock:InvokeModel", model);
    reached(Node::Policy, Evidence::Decision { allowed, by });

    let request_id = match &outcome {
        Ok(output) => output.request_id(),
        Err(error) => error.request_id(),
    };
    if let (true, Some(id)) = (allowed, request_id) {
        reached(Node::Bedrock, Evidence::RequestId(id.to_owned()));
    }
    if let Ok(output) = &outcome {
        let usage = output.usage();
        reached(
            Node::Model,
            Evidence::Tokens {
                input: usage.map_or(0, |usage| usage.input_tokens()),
                output: usage.map_or(0, |usage| usage.output_tokens()),
            },
        );
    }

    let record = aws
        .logs()
        .into_iter()
        .find(|record| request_id.is_some_and(|id| record["requestId"] == id));
    reached(
        Node::Logs,
        record.map_or(
            Evidence::Missing("no record of this request: is model invocation logging on?"),
            Evidence::LogRecord,
        ),
    );

    let throttled = outcome.as_ref().is_err_and(|error| {
        error
            .as_service_error()
            .is_some_and(|error| error.is_throttling_exception())
    });
    let (name, before) = if throttled {
        ("InvocationThrottles", before.1)
    } else {
        ("Invocations", before.0)
    };
    let value = count(name) - before;
    reached(Node::Metrics, Evidence::Metric { name, value });
    hops
}

/// Where the call of these hops stopped, or what is missing; `None` when all is well.
pub fn blame(hops: &[Hop]) -> Option<Node> {
    let denied = |hop: &Hop| matches!(hop.evidence, Evidence::Decision { allowed: false, .. });
    let no_record =
        |hop: &Hop| hop.node == Node::Logs && matches!(hop.evidence, Evidence::Missing(_));

    if hops.iter().any(denied) {
        Some(Node::Policy)
    } else if !hops.iter().any(|hop| hop.node == Node::Model) {
        Some(Node::Bedrock)
    } else if hops.iter().any(no_record) {
        Some(Node::Logs)
    } else {
        None
    }
}

/// The diagram with its three mistakes corrected, and everything else as it was.
pub fn fix_diagram(mermaid: &str) -> String {
    let lines = mermaid.lines().map(|line| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let corrected = match edge(line).map(|edge| (edge.from, edge.to)) {
            Some(("USER", "POLICY")) => "USER -->|is checked against| POLICY",
            Some(("POLICY", "BR")) => "POLICY -->|allows| VPCE",
            Some(("BR", "VPCE")) => "VPCE -->|leads to| BR",
            Some(("VPCE", "MODEL")) => "BR -->|invokes| MODEL",
            Some(("BR", "CW")) => "BR -.->|writes, if switched on| CW",
            _ => return format!("{line}\n"),
        };
        format!("{indent}{corrected}\n")
    });
    lines.collect()
}

//! Given: the types of this exercise, and a diagram with mistakes. Not to be edited.

use serde_json::Value;

/// A stop on the way of a request, or a place where it leaves traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// The program that sends the request.
    Client,
    /// Whose credentials sign it.
    Identity,
    /// Whether IAM allows it.
    Policy,
    /// Bedrock's API.
    Bedrock,
    /// The model.
    Model,
    /// Model invocation logging.
    Logs,
    /// CloudWatch metrics.
    Metrics,
}

/// What shows that a request was there.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Of [`Node::Client`]: the region it calls.
    Region(String),
    /// Of [`Node::Identity`]: who signs.
    Caller {
        /// The access key id.
        access_key_id: String,
        /// Whether the credentials expire (there is a session token).
        temporary: bool,
    },
    /// Of [`Node::Policy`]: what IAM says.
    Decision {
        /// Whether it allows the call.
        allowed: bool,
        /// What decides, in IAM's words, if it is known.
        by: Option<String>,
    },
    /// Of [`Node::Bedrock`]: the id it gave to this request.
    RequestId(String),
    /// Of [`Node::Model`]: what it read and wrote.
    Tokens {
        /// Input tokens.
        input: i32,
        /// Output tokens.
        output: i32,
    },
    /// Of [`Node::Logs`]: the record of this request.
    LogRecord(Value),
    /// Of [`Node::Metrics`]: by how much a metric grew.
    Metric {
        /// Its name.
        name: &'static str,
        /// Its growth.
        value: f64,
    },
    /// There should be something, and there is not; in a few words.
    Missing(&'static str),
}

/// One stop, with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    /// Where.
    pub node: Node,
    /// What shows it.
    pub evidence: Evidence,
}

/// What IAM's policy simulator answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call is allowed.
    pub allowed: bool,
    /// What decides, in IAM's words.
    pub by: Option<String>,
}

/// Who signs, as `sts get-caller-identity` and the configuration tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The access key id.
    pub access_key_id: String,
    /// Whether the credentials expire (there is a session token).
    pub temporary: bool,
}

/// What an operator sees from outside. On AWS each of these is another service.
pub trait Observer {
    /// Whose credentials the client signs with.
    fn whoami(&self) -> Caller;
    /// Whether IAM's identity policies allow that caller `action` on `model`. It knows nothing of
    /// what Bedrock itself refuses.
    fn simulate(&self, action: &str, model: &str) -> Decision;
    /// The records of model invocation logging, of all callers, in no particular order. Each has a
    /// `requestId`.
    fn logs(&self) -> Vec<Value>;
    /// The sum of a metric of `AWS/Bedrock` for `model` so far, over all callers.
    fn metric(&self, name: &str, model: &str) -> f64;
}

/// An edge of a Mermaid diagram: `FROM -->|label| TO`, or `FROM -.->|label| TO`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge<'a> {
    /// The node it leaves.
    pub from: &'a str,
    /// The node it leads to.
    pub to: &'a str,
    /// What stands on it.
    pub label: &'a str,
    /// Whether it is dashed: it exists only when somebody switches it on.
    pub dashed: bool,
}

/// The edge in a line of a diagram, if the line is one.
pub fn edge(line: &str) -> Option<Edge<'_>> {
    let (from, rest) = line.trim().split_once(' ')?;
    let (arrow, rest) = rest.split_once('|')?;
    let (label, to) = rest.split_once('|')?;
    let dashed = match arrow {
        "-->" => false,
        "-.->" => true,
        _ => return None,
    };
    Some(Edge {
        from,
        to: to.trim(),
        label,
        dashed,
    })
}

/// Drawn from memory after a talk. Three things in it are wrong.
pub const DRAFT: &str = "\
graph LR
    %% from Claude Code to the model
    CC[Claude Code]
    USER[IAM role]
    POLICY[IAM policy]
    BR[Bedrock API]
    VPCE[VPC endpoint]
    MODEL[Claude]
    CW[CloudWatch Logs]
    METRICS[CloudWatch metrics]
    CC -->|signs as| USER
    USER -->|assumes| POLICY
    POLICY -->|allows| BR
    BR -->|goes through| VPCE
    VPCE -->|reaches| MODEL
    BR -->|writes| CW
    BR -->|counts in| METRICS
";

//! One request as the emulator saw it.

use bedrock_emulator::{
    journal::{Entry, Usage},
    policy::{Access, Decision, Effect, Explanation, StatementSeen},
};
use serde_json::Value;

/// One request that reached the emulator, and what it answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Counts all requests of the lab from 1.
    pub seq: u64,
    /// `POST`, …
    pub method: String,
    /// Path and query as sent, percent-encoded.
    pub target: String,
    /// The operation's name: `Converse`, …; empty when the route is unknown.
    pub operation: String,
    /// The model id or ARN in the path, percent-decoded.
    pub model: String,
    /// The JSON body; `null` when it is not JSON.
    pub body: Value,
    /// Request headers, lower-case names.
    pub headers: Vec<(String, String)>,
    /// The same for all attempts of one logical call (`amz-sdk-invocation-id`).
    pub invocation: String,
    /// This attempt's number, from 1.
    pub attempt: u32,
    /// How many attempts the SDK would make.
    pub max_attempts: u32,
    /// Access key id, if it was signed.
    pub access_key_id: Option<String>,
    /// Region of the credential scope.
    pub scope_region: String,
    /// Service of the credential scope (`bedrock`).
    pub scope_service: String,
    /// Whether a session token came along.
    pub session: bool,
    /// Whether it carried a bearer token (a Bedrock API key) instead of a signature.
    pub bearer: bool,
    /// Number of the TCP connection.
    pub connection: u64,
    /// HTTP status answered.
    pub status: u16,
    /// Error code answered (`ThrottlingException`, …), in a stream too.
    pub error: Option<String>,
    /// The message of that error.
    pub message: Option<String>,
    /// What IAM was asked and what each statement said; `None` when no policy was asked.
    pub access: Option<Access>,
    /// `x-amzn-RequestId` answered.
    pub request_id: String,
    /// Stop reason answered, in Converse's spelling.
    pub stop_reason: Option<String>,
    /// Token usage answered.
    pub usage: Option<Usage>,
    /// The text answered, all blocks joined.
    pub answer: Option<String>,
}

impl Call {
    /// The text of all messages sent, one line each text: Converse's and Claude's form of content.
    /// Without the system prompt.
    pub fn text(&self) -> String {
        let messages = self.body.get("messages").and_then(Value::as_array);
        let texts =
            messages
                .into_iter()
                .flatten()
                .flat_map(|message| match message.get("content") {
                    Some(Value::String(text)) => vec![text.as_str()],
                    Some(Value::Array(blocks)) => {
                        let texts = blocks
                            .iter()
                            .filter_map(|block| block.get("text")?.as_str());
                        texts.collect()
                    }
                    _ => Vec::new(),
                });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The part of the body at a JSON pointer (`/inferenceConfig/maxTokens`).
    pub fn body_at(&self, pointer: &str) -> Option<&Value> {
        self.body.pointer(pointer)
    }

    /// Why IAM allowed or denied the request, naming the statements: what to show when a policy lets
    /// through too little or too much. Three lines: status and action, resource, reason.
    ///
    /// ```
    /// # async fn test() {
    /// let lab = workshop_testkit::Lab::start().await;
    /// // … a policy, a request …
    /// for call in lab.calls() {
    ///     println!("{}", call.verdict());
    /// }
    /// # }
    /// ```
    pub fn verdict(&self) -> String {
        let status = self.status;
        let Some(access) = self.access.as_ref().filter(|access| !access.unrestricted) else {
            return format!("{status}, and no policy was asked");
        };
        let mut denied = access.asked.iter();
        let denied = denied.find(|asked| asked.decision != Decision::Allow);
        let Some(asked) = denied.or_else(|| access.asked.last()) else {
            return status.to_string();
        };
        let resource = match asked.resource.strip_prefix("arn:aws:bedrock") {
            Some(rest) => format!("…{rest}"),
            None => asked.resource.clone(),
        };
        let reason = reason(asked);
        format!("{status}: {} on\n{resource}\n{reason}", asked.action)
    }

    /// The first request header of that name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl From<Entry> for Call {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            method: entry.method,
            target: entry.target,
            operation: entry.operation.unwrap_or_default(),
            model: entry.model.unwrap_or_default(),
            body: entry.body.unwrap_or_default(),
            headers: entry.headers,
            invocation: entry.invocation.unwrap_or_default(),
            attempt: entry.attempt.unwrap_or(1),
            max_attempts: entry.max_attempts.unwrap_or(1),
            access_key_id: entry.caller.access_key_id,
            scope_region: entry.caller.region.unwrap_or_default(),
            scope_service: entry.caller.service.unwrap_or_default(),
            session: entry.caller.session,
            bearer: entry.caller.bearer,
            connection: entry.connection,
            status: entry.status,
            error: entry.error,
            message: entry.message,
            access: entry.access,
            request_id: entry.request_id,
            stop_reason: entry.stop_reason,
            usage: entry.usage,
            answer: entry.text,
        }
    }
}

/// The statements that decided; for a permission that is missing, the nearest ones.
fn reason(asked: &Explanation) -> String {
    let all = &asked.statements;
    let several = all.iter().any(|s| s.policy != all[0].policy);
    let name = |s: &StatementSeen| {
        if several {
            format!("{} {}", s.policy, s.statement)
        } else {
            s.statement.clone()
        }
    };
    let applying = |effect: Effect| {
        let applying = all.iter().filter(|s| s.applies && s.effect == effect);
        applying.map(name).collect::<Vec<_>>().join(", ")
    };
    match asked.decision {
        Decision::Allow => return format!("allowed by {}", applying(Effect::Allow)),
        Decision::ExplicitDeny => return format!("denied by {}", applying(Effect::Deny)),
        Decision::ImplicitDeny => {}
    }
    let mut missed: Vec<(String, Vec<String>)> = Vec::new();
    for near in all.iter().filter(|s| s.effect == Effect::Allow && s.action) {
        let why = miss(near);
        match missed.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name(near)),
            None => missed.push((why, vec![name(near)])),
        }
    }
    if missed.is_empty() {
        return "no statement allows the action".to_owned();
    }
    let missed = missed.into_iter();
    let missed = missed.map(|(why, names)| format!("{why}: {}", names.join(", ")));
    missed.collect::<Vec<_>>().join("; ")
}

/// Why a statement about the action did not apply.
fn miss(statement: &StatementSeen) -> String {
    if !statement.resource {
        return "for other resources".to_owned();
    }
    match statement.conditions.iter().find(|c| !c.holds) {
        Some(condition) if condition.seen.is_empty() => {
            format!("{} is absent", condition.key)
        }
        Some(condition) => {
            format!("{} is {}", condition.key, condition.seen.join(", "))
        }
        None => "for other principals".to_owned(),
    }
}

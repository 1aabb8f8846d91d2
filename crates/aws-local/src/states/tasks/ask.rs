//! A request to the emulator, and its answer when it is due.

use std::sync::Arc;

use bedrock_emulator::{
    Body, Due, Emulator, OnBehalf, Reply, Request, neighbour::Actor, wire::Header,
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use states_language::TaskFailure;
use time::OffsetDateTime;

use crate::states::TaskCall;

/// Where a state machine's calls come from on the diagram, and where they lead.
static STATE_MACHINE: Actor = Actor {
    node: "SFN",
    edges: &[
        ("BR", "SFN-BR"),
        ("LAMBDA", "SFN-LAMBDA"),
        ("DDB", "SFN-DDB"),
        ("SQS", "SFN-SQS"),
        ("SECRETS", "SFN-SECRETS"),
        ("SFN", "SFN-SFN"),
    ],
};

/// What to ask.
pub(super) struct Ask {
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

/// What was answered.
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) headers: Vec<Header>,
    pub(super) body: Bytes,
}

impl Ask {
    /// Asks in the name of the task's role. The session is called as the execution.
    pub(super) async fn send(
        self,
        emulator: &Arc<Emulator>,
        call: &TaskCall,
    ) -> Result<Told, TaskFailure> {
        let request = Request {
            method: "POST".to_owned(),
            target: self.target,
            headers: self.headers.into(),
            body: self.body,
            connection: 0,
        };
        let name = call.execution_arn.splitn(8, ':').nth(7);
        let name = name.and_then(|name| name.split(':').next());
        let caller = OnBehalf {
            role_arn: &call.role_arn,
            session_name: name.unwrap_or("execution"),
            region: &call.region,
            actor: Some(&STATE_MACHINE),
        };
        let asked_at = call.clock.now();
        let reply = emulator.call_as(caller, Arc::new(request), asked_at).await;
        arrived(reply, asked_at, call).await
    }
}

/// Waits as a client would: for the model's time, a delay that a fault rule makes, for ever.
async fn arrived(
    reply: Reply,
    asked_at: OffsetDateTime,
    call: &TaskCall,
) -> Result<Told, TaskFailure> {
    let (due, body) = match reply.body {
        Body::Whole { due, bytes } => (due, Some(bytes)),
        Body::Disconnect { due } => (due, None),
        // No task asks for a stream.
        frames @ Body::Frames { .. } => {
            (Due::After(std::time::Duration::ZERO), Some(frames.bytes()))
        }
    };
    let after = match due {
        Due::After(after) => after,
        // Gates are the endpoint's; here nothing but their time holds.
        Due::Gates(gates, after) => {
            gates
                .iter()
                .map(|gate| gate.after)
                .sum::<std::time::Duration>()
                + after
        }
        Due::Never => match call.clock.forever().await {},
    };
    if !after.is_zero() {
        call.clock.until(asked_at + after).await;
    }
    match body {
        Some(body) => Ok(Told {
            status: reply.status,
            headers: reply.headers,
            body,
        }),
        None => Err(TaskFailure::new(
            "SdkClientException",
            "Unable to execute HTTP request: The connection was closed",
        )),
    }
}

impl Told {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn request_id(&self) -> &str {
        self.header("x-amzn-requestid").unwrap_or_default()
    }

    /// The error's code and text; `None`: it is none.
    pub(super) fn error(&self) -> Option<(String, String)> {
        if (200..300).contains(&self.status) {
            return None;
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let code = self.header("x-amzn-errortype").or(body["__type"].as_str());
        let code = code.unwrap_or_default();
        // `com.amazonaws.sqs#QueueDoesNotExist`, `ThrottlingException:http://…`.
        let code = code.rsplit('#').next().unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default();
        let texts = ["message", "Message"];
        let text = texts.iter().find_map(|member| body[*member].as_str());
        let text = text.map_or_else(
            || String::from_utf8_lossy(&self.body).into_owned(),
            ToOwned::to_owned,
        );
        Some((code.to_owned(), text))
    }

    /// What the older integrations say about the HTTP answer (recorded).
    pub(super) fn metadata(&self) -> [(&'static str, Value); 2] {
        [
            ("SdkHttpMetadata", self.http_metadata()),
            (
                "SdkResponseMetadata",
                json!({"RequestId": self.request_id()}),
            ),
        ]
    }

    /// Each header once with its value, once with a list of its values.
    fn http_metadata(&self) -> Value {
        let sent = self.headers.iter();
        let sent = sent.map(|(name, value)| (name.to_string(), value.clone()));
        let length = self.body.len().to_string();
        let more = [
            ("Content-Length", length),
            ("Connection", "keep-alive".to_owned()),
        ];
        let more = more.map(|(name, value)| (name.to_owned(), value));
        let all = sent
            .chain(more)
            .map(|(name, value)| (name, Value::from(value)));
        let each: Map<String, Value> = all.collect();
        let lists = each
            .iter()
            .map(|(name, value)| (name.clone(), json!([value])));
        let lists: Map<String, Value> = lists.collect();
        json!({"AllHttpHeaders": lists, "HttpHeaders": each, "HttpStatusCode": self.status})
    }
}

//! What goes on between the parts of a student's own system, as light on a pattern's diagram.
//!
//! The emulator sees what reaches it, and by the signature from whom: a Lambda function signs as its
//! execution role, here as on AWS, so a call of [`Lab::client_at`](crate::Lab::client_at) lights
//! `LAMBDA-BR`. It does not see who called the function. The test does, being the caller, and tells
//! with a [`Hop`].

use bedrock_emulator::{
    neighbour::Actor,
    trace::{TraceEvent, TraceStatus},
};

/// A Lambda function on a pattern's diagram, and where it may go.
pub static LAMBDA: Actor = Actor {
    node: "LAMBDA",
    edges: &[("BR", "LAMBDA-BR")],
};

/// One answer that a part of the student's system gave to another, or to the test as its client.
///
/// A test makes one of what it was really answered; nothing else lights these nodes.
///
/// ```
/// # async fn test() {
/// use workshop_testkit::{Hop, Lab, TraceStatus};
///
/// let lab = Lab::start().await;
/// lab.saw(Hop { from: "CLIENT", to: "LAMBDA", what: "POST /ask", status: 200, request_id: "r-1" });
/// let lit = lab.trace();
/// assert_eq!(lit[1].edge.as_deref(), Some("CLIENT-LAMBDA"));
/// assert_eq!(lit[1].status, TraceStatus::Ok);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The diagram's node that asked.
    pub from: &'a str,
    /// The node that answered.
    pub to: &'a str,
    /// What was asked: `POST /ask`.
    pub what: &'a str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The id that both know the request by.
    pub request_id: &'a str,
}

impl Hop<'_> {
    /// Both ends and the edge between them.
    pub(crate) fn trace(&self, t: i64) -> Vec<TraceEvent> {
        let lit = |node: &str, edge, status, note: String| TraceEvent {
            node: node.to_owned(),
            edge,
            status,
            request_id: self.request_id.to_owned(),
            t,
            note,
        };
        let edge = format!("{}-{}", self.from, self.to);
        vec![
            lit(self.from, None, TraceStatus::Ok, self.what.to_owned()),
            lit(self.to, Some(edge), self.met(), self.status.to_string()),
        ]
    }

    /// Later may help: amber. The request itself is refused: red.
    fn met(&self) -> TraceStatus {
        match self.status {
            ..400 => TraceStatus::Ok,
            429 | 500.. => TraceStatus::Throttled,
            _ => TraceStatus::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lab;

    fn status(status: u16) -> TraceStatus {
        let (from, to) = ("CLIENT", "LAMBDA");
        let (what, request_id) = ("POST /ask", "r");
        let hop = Hop {
            from,
            to,
            what,
            status,
            request_id,
        };
        hop.trace(0)[1].status
    }

    #[test]
    fn the_status_decides_the_colour() {
        for (answered, met) in [
            (200, TraceStatus::Ok),
            (302, TraceStatus::Ok),
            (400, TraceStatus::Denied),
            (422, TraceStatus::Denied),
            (429, TraceStatus::Throttled),
            (502, TraceStatus::Throttled),
            (504, TraceStatus::Throttled),
        ] {
            assert_eq!(status(answered), met, "{answered}");
        }
    }

    #[tokio::test]
    async fn a_functions_role_lights_the_way_to_bedrock_and_nobody_elses_key_does() {
        let lab = Lab::start().await;
        for (client, from_lambda) in [(lab.client(), false), (lab.client_at(&LAMBDA), true)] {
            let before = lab.trace().len();
            let message = aws_sdk_bedrockruntime::types::Message::builder()
                .role(aws_sdk_bedrockruntime::types::ConversationRole::User)
                .content(aws_sdk_bedrockruntime::types::ContentBlock::Text(
                    "Hi".into(),
                ))
                .build();
            let call = client.converse().model_id(lab.profile("haiku"));
            call.messages(message.unwrap()).send().await.unwrap();

            let lit = lab.trace().split_off(before);
            let edges: Vec<_> = lit.iter().filter_map(|e| e.edge.as_deref()).collect();
            assert_eq!(edges.contains(&"LAMBDA-BR"), from_lambda, "{edges:?}");
            assert!(edges.contains(&"BR-HAIKU"), "{edges:?}");
        }
        let call = lab.calls().pop().unwrap();
        assert!(
            call.session,
            "a role's credentials come with a session token"
        );
    }
}

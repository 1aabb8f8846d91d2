//! The responder.

use std::{sync::Arc, time::Duration};

use bedrock_emulator::{
    Body, Config, Due, Emulator, Reply, Request as CoreRequest,
    emulator::{Auth, Latency},
    journal::Entry,
    script::Step,
    wire::End,
};
use time::OffsetDateTime;
use wiremock::{Request, Respond, ResponseTemplate};

/// "Never", for a server that can only delay.
const NEVER: Duration = Duration::from_hours(24);

/// The first bytes of a message that does not go on: what a cut connection leaves behind.
const CUT_OFF: [u8; 4] = [0, 0, 0, 129];

/// The emulator as a responder; clones share one emulator. Any credentials are accepted unless it
/// is made from an emulator of your own ([`Bedrock::from`]).
#[derive(Debug, Clone)]
pub struct Bedrock {
    emulator: Arc<Emulator>,
}

impl Default for Bedrock {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Arc<Emulator>> for Bedrock {
    fn from(emulator: Arc<Emulator>) -> Self {
        Self { emulator }
    }
}

impl Bedrock {
    /// A responder that answers at once and does not check signatures.
    ///
    /// # Panics
    ///
    /// Never: the catalogue of models is compiled in and tested.
    pub fn new() -> Self {
        let config = Config {
            auth: Auth::Off,
            latency: Latency::none(),
            ..Config::default()
        };
        let emulator = Emulator::new(config).expect("the built-in catalogue is valid");
        Self::from(Arc::new(emulator))
    }

    /// What the model says next, one step for each invocation.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.emulator.script(steps);
    }

    /// The requests that were answered so far, oldest first.
    pub fn journal(&self) -> Vec<Entry> {
        self.emulator.journal()
    }

    /// The emulator behind it.
    pub fn emulator(&self) -> &Arc<Emulator> {
        &self.emulator
    }
}

impl Respond for Bedrock {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let reply = self
            .emulator
            .handle(&core_request(request), OffsetDateTime::now_utc());
        template(reply)
    }
}

fn core_request(request: &Request) -> CoreRequest {
    let url = &request.url;
    let query = url.query().map(|query| format!("?{query}"));
    let headers = request.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    CoreRequest {
        method: request.method.to_string(),
        target: url.path().to_owned() + &query.unwrap_or_default(),
        headers: headers.collect(),
        body: request.body.clone().into(),
        // wiremock does not tell connections apart.
        connection: 0,
    }
}

fn template(reply: Reply) -> ResponseTemplate {
    let (bytes, due) = match reply.body {
        Body::Whole { due, bytes } => (bytes.to_vec(), Some(due)),
        Body::Frames { ref frames, end } => {
            let mut bytes = reply.body.bytes().to_vec();
            if end == End::Cut {
                bytes.extend(CUT_OFF);
            }
            (bytes, frames.last().map(|frame| frame.due.clone()))
        }
        Body::Disconnect { .. } => return cannot_disconnect(),
    };
    let template = ResponseTemplate::new(reply.status).set_body_bytes(bytes);
    let template = reply
        .headers
        .iter()
        .fold(template, |template, (name, value)| {
            template.append_header(&**name, value.as_str())
        });
    match due {
        Some(Due::After(delay)) if !delay.is_zero() => template.set_delay(delay),
        Some(Due::Never) => template.set_delay(NEVER),
        _ => template,
    }
}

fn cannot_disconnect() -> ResponseTemplate {
    let message = "wiremock cannot close a connection without an answer: use a Lab of workshop-testkit for Fault::Disconnect";
    ResponseTemplate::new(500)
        .append_header("x-amzn-ErrorType", "InternalServerException")
        .set_body_json(serde_json::json!({ "message": message }))
}

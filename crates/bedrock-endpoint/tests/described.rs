//! What the endpoint itself answers on `/_workshop/` is what the control API's document says: gates
//! and events are held against its schemas, refusals too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod socket;

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::script::{Piece, Step};
use bedrock_endpoint::Endpoint;
use serde_json::{Value, json};
use socket::{converse, endpoint, read, send};

/// The operations that the core cannot answer by itself.
const OURS: [&str; 4] = ["CloseGate", "GetEvents", "ListGates", "OpenGate"];

/// One answer: status, media type, body.
struct Answer {
    status: String,
    media: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn split(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let media = lines.find_map(|line| line.strip_prefix("Content-Type: "));
    let media = media.unwrap_or_default().split(';').next().unwrap();
    let chunked = head.contains("Transfer-Encoding: chunked");
    Answer {
        status: status.to_owned(),
        media: media.to_owned(),
        body: if chunked {
            joined(body)
        } else {
            body.to_owned()
        },
    }
}

/// The whole chunks of a body.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        let Some(chunk) = rest.get(..size) else { break };
        body.push_str(chunk);
        chunks = rest[size..].trim_start_matches("\r\n");
    }
    body
}

/// The document, and what was held against it.
struct Described {
    document: Value,
    /// By operation id, the statuses seen.
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Described {
    async fn of(endpoint: &Endpoint) -> Self {
        let path = "/_workshop/openapi.json";
        let mut tcp = send(endpoint, "GET", path, "", "").await;
        let answer = split(&read(&mut tcp, |_| false).await);
        assert_eq!(answer.status, "200");
        Self {
            document: answer.json(),
            seen: BTreeMap::new(),
        }
    }

    /// The schema of such an answer; fails if the document has none.
    fn schema(&mut self, operation: &Value, answer: &Answer) -> Value {
        let id = operation["operationId"].as_str().unwrap();
        let seen = self.seen.entry(id.to_owned()).or_default();
        seen.insert(answer.status.clone());
        let mut response = &operation["responses"][&answer.status];
        if let Some(reference) = response["$ref"].as_str() {
            response = self.document.pointer(&reference[1..]).unwrap();
        }
        let schema = &response["content"][&answer.media]["schema"];
        assert!(
            schema.is_object(),
            "{id}: {} {} is not described: {}",
            answer.status,
            answer.media,
            answer.body
        );
        schema.clone()
    }

    /// Fails unless `value` is as `schema` says, and has no member that it does not name.
    fn validate(&self, schema: &Value, value: &Value, what: &str) {
        let mut whole = json!({ "allOf": [schema], "unevaluatedProperties": false });
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&whole).unwrap_or_else(|e| panic!("{what}: {e}"));
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}\nin {value:#}");
    }

    fn operation(&self, method: &str, path: &str) -> Value {
        let path = path.split('?').next().unwrap();
        let template = match path.strip_prefix("/_workshop/gates/") {
            Some(_) => "/_workshop/gates/{name}",
            None => path,
        };
        let operation = &self.document["paths"][template][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        operation.clone()
    }

    /// Asks, and holds the answer against its schema.
    async fn ask(&mut self, endpoint: &Endpoint, method: &str, path: &str, more: &str) -> Answer {
        let path = format!("/_workshop/{path}");
        let operation = self.operation(method, &path);
        let mut tcp = send(endpoint, method, &path, more, "").await;
        let answer = split(&read(&mut tcp, |_| false).await);
        let schema = self.schema(&operation, &answer);
        self.validate(&schema, &answer.json(), &format!("{method} {path}"));
        answer
    }
}

/// Name, id and data of each whole event in a feed.
fn events(feed: &str) -> Vec<(&str, Option<&str>, Value)> {
    let whole = feed.rfind("\n\n").map_or("", |end| &feed[..end]);
    let blocks = whole.split("\n\n");
    let told = blocks.filter(|block| !block.starts_with(':') && !block.is_empty());
    told.map(|block| {
        let field = |name: &str| {
            let mut values = block.lines().filter_map(|line| line.strip_prefix(name));
            values.next()
        };
        let data = serde_json::from_str(field("data: ").unwrap()).unwrap();
        (field("event: ").unwrap(), field("id: "), data)
    })
    .collect()
}

#[tokio::test]
async fn gates_and_events_are_answered_as_described() {
    let endpoint = endpoint().await;
    let mut described = Described::of(&endpoint).await;

    let path = "/_workshop/events";
    let mut feed = send(&endpoint, "GET", path, "", "").await;
    let begun = read(&mut feed, |text| text.contains(": the journal")).await;

    endpoint.emulator().script([Step::Say(vec![
        Piece::Gate("half".to_owned()),
        Piece::Text("Through.".to_owned()),
    ])]);
    let mut waiting = converse(&endpoint).await;
    loop {
        let listed = described.ask(&endpoint, "GET", "gates", "").await.json();
        if listed["gates"][0]["waiting"] == 1 {
            let gate = json!({ "name": "half", "account": null, "open": false, "waiting": 1 });
            assert_eq!(listed, json!({ "gates": [gate] }));
            break;
        }
    }
    let opened = described.ask(&endpoint, "POST", "gates/half", "").await;
    assert_eq!(opened.json()["open"], true);
    read(&mut waiting, |text| text.contains("Through.")).await;
    let closed = described.ask(&endpoint, "DELETE", "gates/half", "").await;
    assert_eq!(closed.json()["open"], false);

    let evil = "Origin: https://evil.example\r\n";
    for (method, path) in [
        ("GET", "gates"),
        ("POST", "gates/half"),
        ("DELETE", "gates/half"),
        ("GET", "events"),
    ] {
        let refused = described.ask(&endpoint, method, path, evil).await;
        assert_eq!(refused.status, "403", "{method} {path}");
        if path != "gates" {
            let strange = format!("{path}?account=1");
            let missing = described.ask(&endpoint, method, &strange, "").await;
            assert_eq!(missing.status, "404", "{method} {path}");
        }
    }

    let whole = |text: &str| {
        let last = text.split_once("event: request\n");
        last.is_some_and(|(_, data)| data.contains("\n\n"))
    };
    let more = read(&mut feed, whole).await;
    let answer = split(&(begun + &more));
    let operation = described.operation("GET", path);
    let schema = described.schema(&operation, &answer);
    described.validate(&schema, &Value::String(answer.body.clone()), path);
    let told = events(&answer.body);
    let traces = told.iter().filter(|(name, ..)| *name == "trace").count();
    assert!(traces > 1, "{}", answer.body);
    for (name, id, data) in told {
        let schema = match name {
            "request" => "#/components/schemas/Request",
            "trace" => "#/components/schemas/Lit",
            other => panic!("{other} is not described"),
        };
        described.validate(&json!({ "$ref": schema }), &data, name);
        assert_eq!(id.is_some(), name == "request");
        let numbered = id.map(|id| id.parse().ok() == data["seq"].as_u64());
        assert_ne!(numbered, Some(false), "{data}");
    }

    let seen: Vec<&str> = described.seen.keys().map(String::as_str).collect();
    assert_eq!(seen, OURS);
    for (id, statuses) in &described.seen {
        for status in ["200", "403"] {
            assert!(statuses.contains(status), "{id} never answered {status}");
        }
    }
}

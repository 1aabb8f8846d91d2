//! What exercise 010 asks for. Read it: these tests are the exact form of the task.
//!
//! They hand events of API Gateway, as they are on the wire, to your handler, and look at what left
//! your process (WIRE), at the response (RESULT) and at what must not have happened (RESTRAINT). The
//! last test compiles nothing anew: it starts this test program once more as a Lambda function.

use std::{env, panic::resume_unwind, sync::Arc, time::Duration};

use ex010::{App, handler};
use lambda_host::{Credentials, FunctionConfig, Host, Invocation};
use lambda_http::Response;
use workshop_testkit::{
    Fault, FaultRule, Hop, LAMBDA, Lab, Piece, Point, Setup, Step, Value, alone, function_or_test,
    json, within,
};

#[path = "../examples/bootstrap.rs"]
mod bootstrap;

const PROMPT: &str = "Name a river.";

/// Which kind of API the event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    /// A REST API: payload format 1.0.
    Rest,
    /// An HTTP API or a function URL: payload format 2.0.
    Http,
}

/// An event with that body, as API Gateway hands it to a function.
fn event(api: Api, method: &str, body: &Value, base64: bool) -> Value {
    let headers = json!({ "content-type": "application/json", "host": "api.example.com" });
    match api {
        Api::Rest => json!({
            "resource": "/ask",
            "path": "/ask",
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {
                "content-type": ["application/json"],
                "host": ["api.example.com"],
            },
            "queryStringParameters": null,
            "multiValueQueryStringParameters": null,
            "pathParameters": null,
            "stageVariables": null,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "httpMethod": method,
                "identity": { "sourceIp": "203.0.113.7", "userAgent": "curl/8.5.0" },
                "path": "/prod/ask",
                "protocol": "HTTP/1.1",
                "requestId": "rest-request-1",
                "requestTimeEpoch": 1_787_150_074_000_i64,
                "resourceId": "r1",
                "resourcePath": "/ask",
                "stage": "prod",
            },
            "body": body,
            "isBase64Encoded": base64,
        }),
        Api::Http => json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/ask",
            "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": "api.example.com",
                "domainPrefix": "api",
                "http": {
                    "method": method,
                    "path": "/ask",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "curl/8.5.0",
                },
                "requestId": "http-request-1",
                "routeKey": "$default",
                "stage": "$default",
                "time": "19/Aug/2026:12:34:34 +0000",
                "timeEpoch": 1_787_150_074_000_i64,
            },
            "body": body,
            "isBase64Encoded": base64,
        }),
    }
}

/// A POST of `{"prompt": …}`.
fn asking(api: Api, prompt: &str) -> Value {
    let body = json!({ "prompt": prompt }).to_string();
    event(api, "POST", &json!(body), false)
}

/// What the function is built with: a client that signs as the function's role.
fn app(lab: &Lab) -> App {
    App {
        client: lab.client_at(&LAMBDA),
        model: lab.profile("haiku"),
        max_tokens: 64,
        max_prompt: 200,
        bedrock_timeout: Duration::from_mins(1),
    }
}

/// A response, read.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(n, value)| (n == name).then_some(value.as_str()))
    }

    /// The body as JSON; `null` when it is none.
    fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn short(&self) -> String {
        format!("{} {}", self.status, self.text)
    }
}

/// One invocation of your handler with an event, bounded; `point` fails if there is no response.
async fn invoked(lab: &Lab, app: &Arc<App>, event: &Value, point: &Point) -> Answer {
    let request = lambda_http::request::from_str(&event.to_string()).expect("a gateway's event");
    let what = format!("{} {}", request.method(), request.uri().path());
    let app = Arc::clone(app);
    let handled = tokio::spawn(async move { handler(&app, request).await });
    let response: Response<_> = match within(point, "handler(…)", handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => point.fail(
            "handler(…)",
            format!("Err({error})"),
            "Ok with a response; a gateway makes a 500 or 502 of its own out of every Err",
        ),
        Err(died) => {
            let panic = died.into_panic();
            let says = panic.downcast_ref::<String>().cloned();
            let says = says.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
            let says = says.unwrap_or_default();
            // The starter's own words.
            if says.contains("010/") {
                resume_unwind(panic);
            }
            point.fail("handler(…)", format!("a panic: {says}"), "a response");
        }
    };
    let headers = response.headers().iter();
    let answer = Answer {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into(),
                )
            })
            .collect(),
        text: String::from_utf8_lossy(response.body()).into_owned(),
    };
    lab.saw(Hop {
        from: "CLIENT",
        to: "LAMBDA",
        what: &what,
        status: answer.status,
        request_id: answer.header("x-request-id").unwrap_or_default(),
    });
    answer
}

/// What every answer has, whatever its status.
#[track_caller]
fn always(answer: &Answer, api: Api, form: &Point, id: &Point) {
    let status = answer.status;
    form.equal(
        &format!("content-type of a {status}"),
        answer.header("content-type"),
        Some("application/json"),
    );
    let wanted = match api {
        Api::Rest => "rest-request-1",
        Api::Http => "http-request-1",
    };
    id.equal(
        &format!("x-request-id of a {status}"),
        answer.header("x-request-id"),
        Some(wanted),
    );
    let error = answer.body()["error"].as_str().map(str::len);
    form.holds(
        &format!("body of a {status}"),
        status == 200 || error.is_some_and(|length| length > 0),
        answer.short(),
        "{\"error\": \"…\"}",
    );
}

// ---- a request that is fine

#[tokio::test]
async fn a_valid_request_is_answered() {
    const ONE_CALL: Point = Point::wire(
        "010/2",
        "one request of a caller is one call that you pay for",
        "README.md \"The task\" · workshop hint 010 3",
    );
    const ASKED: Point = Point::wire(
        "010/3",
        "the limit of the answer is yours to set; whoever calls you has no reason to save your money",
        "README.md \"The task\" · workshop hint 001 2",
    );
    const ANSWERED: Point = Point::result(
        "010/4",
        "the caller gets the model's words, not the SDK's structures",
        "README.md \"The answer\" · workshop hint 010 3",
    );
    for api in [Api::Rest, Api::Http] {
        let lab = Lab::start().await;
        let app = Arc::new(app(&lab));
        lab.script([Step::Say(vec![
            Piece::Text("The".into()),
            Piece::NewBlock,
            Piece::Text(" Elbe.".into()),
        ])]);
        let answer = invoked(&lab, &app, &asking(api, PROMPT), &ANSWERED).await;

        let calls = lab.calls();
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        ONE_CALL.equal("operations called", operations, vec!["Converse"]);
        ASKED.equal("text of the message", calls[0].text().as_str(), PROMPT);
        ASKED.equal("model id in the path", &calls[0].model, &app.model);
        let limit = calls[0].body_at("/inferenceConfig/maxTokens");
        ASKED.equal("inferenceConfig.maxTokens", limit, Some(&json!(64)));
        ANSWERED.equal("status", answer.status, 200);
        ANSWERED.equal("body", answer.body(), json!({ "text": "The Elbe." }));
    }
}

#[tokio::test]
async fn every_answer_says_what_it_is_and_to_which_request() {
    const HEADERS: Point = Point::result(
        "010/5",
        "a caller who complains quotes this id; it must be the one in the gateway's access log",
        "README.md \"The answer\" · workshop hint 010 2",
    );
    const TYPE: Point = Point::result(
        "010/21",
        "clients decide by this header whether to parse, and Lambda whether to send base64",
        "README.md \"The answer\" · workshop hint 010 3",
    );
    for api in [Api::Rest, Api::Http] {
        let lab = Lab::start().await;
        let app = Arc::new(app(&lab));
        let throttled = Fault::Throttling {
            retry_after_ms: None,
        };
        lab.script([
            Step::text("The Elbe."),
            Step::Fault(throttled),
            Step::Fault(Fault::AccessDenied),
        ]);
        for event in [
            asking(api, PROMPT),
            asking(api, PROMPT),
            asking(api, PROMPT),
            event(api, "POST", &Value::Null, false),
            event(api, "GET", &Value::Null, false),
        ] {
            let answer = invoked(&lab, &app, &event, &HEADERS).await;
            always(&answer, api, &TYPE, &HEADERS);
        }
    }
}

#[tokio::test]
async fn a_base64_body_is_the_same_request() {
    const BASE64: Point = Point::result(
        "010/6",
        "a gateway encodes bodies as base64 when it takes a type for binary; the caller sent plain JSON",
        "README.md \"What arrives\" · workshop hint 010 2",
    );
    const NOT_TEXT: Point = Point::result(
        "010/7",
        "bytes that are not UTF-8 are no JSON: a bad request, and no accident",
        "README.md \"What arrives\" · workshop hint 010 2",
    );
    let lab = Lab::start().await;
    let app = Arc::new(app(&lab));
    for api in [Api::Rest, Api::Http] {
        // {"prompt": "Name a river."}
        let body = json!("eyJwcm9tcHQiOiAiTmFtZSBhIHJpdmVyLiJ9");
        let answer = invoked(&lab, &app, &event(api, "POST", &body, true), &BASE64).await;
        BASE64.holds("answer", answer.status == 200, answer.short(), "200");
        let text = lab.calls().pop().map(|call| call.text());
        BASE64.equal("text of the message", text.as_deref(), Some(PROMPT));

        // Not UTF-8.
        let body = json!("//79/A==");
        let answer = invoked(&lab, &app, &event(api, "POST", &body, true), &NOT_TEXT).await;
        NOT_TEXT.holds("answer", answer.status == 400, answer.short(), "400");
    }
}

// ---- the caller's mistakes

/// What can be wrong with a request: in words, method, body, status.
fn mistakes() -> Vec<(&'static str, &'static str, Value, u16)> {
    let too_long = json!({ "prompt": "x".repeat(201) }).to_string();
    vec![
        ("GET", "GET", Value::Null, 405),
        ("PUT", "PUT", json!("{\"prompt\": \"Name a river.\"}"), 405),
        ("no body", "POST", Value::Null, 400),
        ("an empty body", "POST", json!(""), 400),
        ("not JSON", "POST", json!("prompt=Name+a+river."), 400),
        ("half of a JSON", "POST", json!("{\"prompt\": \"Na"), 400),
        (
            "no prompt",
            "POST",
            json!("{\"text\": \"Name a river.\"}"),
            422,
        ),
        ("a number as prompt", "POST", json!("{\"prompt\": 7}"), 422),
        ("null as prompt", "POST", json!("{\"prompt\": null}"), 422),
        (
            "a blank prompt",
            "POST",
            json!("{\"prompt\": \" \\n\"}"),
            422,
        ),
        ("a list", "POST", json!("[\"Name a river.\"]"), 422),
        ("a prompt of 201 bytes", "POST", json!(too_long), 413),
    ]
}

#[tokio::test]
async fn what_the_caller_did_wrong_gets_its_own_status() {
    const STATUS: Point = Point::result(
        "010/8",
        "a 500 sends your own team looking; a 4xx tells the caller what to change",
        "README.md \"What arrives\" · workshop hint 010 1",
    );
    const ALLOW: Point = Point::result(
        "010/9",
        "a 405 without the header allow says what is wrong and not what is right",
        "README.md \"What arrives\" · workshop hint 010 2",
    );
    let lab = Lab::start().await;
    let app = Arc::new(app(&lab));
    for (what, method, body, wanted) in mistakes() {
        for api in [Api::Rest, Api::Http] {
            let event = event(api, method, &body, false);
            let answer = invoked(&lab, &app, &event, &STATUS).await;
            STATUS.holds(
                &format!("the answer to {what}"),
                answer.status == wanted,
                answer.short(),
                wanted,
            );
            if wanted == 405 {
                ALLOW.equal("allow", answer.header("allow"), Some("POST"));
            }
        }
    }
}

#[tokio::test]
async fn a_prompt_may_be_as_long_as_the_limit() {
    const LIMIT: Point = Point::result(
        "010/10",
        "a limit that is off by one is found by the caller who keeps to it exactly",
        "README.md \"What arrives\" · workshop hint 010 3",
    );
    let lab = Lab::start().await;
    let app = Arc::new(app(&lab));
    for (letter, times, wanted) in [
        ("x", 200, 200),
        ("x", 201, 413),
        ("é", 100, 200),
        ("é", 101, 413),
    ] {
        let prompt = letter.repeat(times);
        let event = asking(Api::Http, &prompt);
        let answer = invoked(&lab, &app, &event, &LIMIT).await;
        let length = prompt.len();
        let what = format!("the answer to {times} times `{letter}`, {length} bytes (limit 200)");
        LIMIT.holds(&what, answer.status == wanted, answer.short(), wanted);
    }
}

#[tokio::test]
async fn what_the_caller_did_wrong_costs_nothing() {
    const NO_CALL: Point = Point::restraint(
        "010/11",
        "whatever reaches the model is paid for, also when its answer is thrown away",
        "README.md \"What arrives\" · workshop hint 010 1",
    );
    let lab = Lab::start().await;
    let app = Arc::new(app(&lab));
    for (what, method, body, _) in mistakes() {
        let event = event(Api::Rest, method, &body, false);
        let _ = invoked(&lab, &app, &event, &NO_CALL).await;
        let calls = lab.calls().len();
        NO_CALL.equal(&format!("calls to Bedrock after {what}"), calls, 0);
    }
}

// ---- Bedrock's failures

#[tokio::test]
async fn a_throttled_call_is_429_and_says_when_to_come_back() {
    const BUSY: Point = Point::result(
        "010/12",
        "of all failures behind you this is the one that the caller can cure, by waiting",
        "README.md \"What comes back\" · workshop hint 010 1",
    );
    const ONE_CALL: Point = Point::restraint(
        "010/13",
        "the caller waits while you retry, and pays for it; who is told to wait can wait for nothing",
        "README.md \"What comes back\" · workshop hint 010 1",
    );
    let lab = Lab::start().await;
    let app = Arc::new(app(&lab));
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    for fault in [throttled, Fault::ModelNotReady] {
        let before = lab.calls().len();
        lab.script([Step::Fault(fault)]);
        let answer = invoked(&lab, &app, &asking(Api::Http, PROMPT), &BUSY).await;
        BUSY.holds("answer", answer.status == 429, answer.short(), "429");
        let seconds = answer.header("retry-after").map(str::parse::<u32>);
        BUSY.holds(
            "retry-after",
            matches!(seconds, Some(Ok(1..))),
            answer.header("retry-after").unwrap_or_default(),
            "whole seconds, one at least",
        );
        ONE_CALL.equal("calls to Bedrock", lab.calls().len() - before, 1);
    }
}

#[tokio::test]
async fn what_bedrock_refuses_is_502_and_stays_inside() {
    const BAD_GATEWAY: Point = Point::result(
        "010/14",
        "the request was fine and so are you; what is broken lies behind you, and 502 says just that",
        "README.md \"What comes back\" · workshop hint 010 1",
    );
    const INSIDE: Point = Point::restraint(
        "010/15",
        "an error of AWS names your account, your role and your model: a map for whoever asks for it",
        "README.md \"What comes back\" · workshop hint 010 1",
    );
    let deny = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": "*" }],
    });
    let denied = Lab::with(Setup {
        policies: vec![deny],
        ..Setup::default()
    })
    .await;
    let not_granted = Lab::start().await;
    not_granted.script([Step::Fault(Fault::AccessDenied)]);
    let invalid = Lab::start().await;
    invalid.script([Step::Fault(Fault::Validation(
        "The model id is wrong.".into(),
    ))]);
    let broken = Lab::start().await;
    broken.faults([FaultRule::new(Fault::InternalServer)]);
    let cut = Lab::start().await;
    cut.script([Step::Fault(Fault::Disconnect)]);

    for (what, lab) in [
        ("IAM denies", denied),
        ("Bedrock has no access", not_granted),
        ("Bedrock finds fault with the call", invalid),
        ("Bedrock is broken", broken),
        ("the connection is cut", cut),
    ] {
        let app = Arc::new(app(&lab));
        let answer = invoked(&lab, &app, &asking(Api::Rest, PROMPT), &BAD_GATEWAY).await;
        let short = answer.short();
        BAD_GATEWAY.holds(
            &format!("{what}: answer"),
            answer.status == 502,
            &short,
            502,
        );

        let account = lab.observer().whoami().account;
        let all = format!("{:?} {}", answer.headers, answer.text);
        let (model, url) = (&app.model, lab.url());
        for secret in [
            "arn:",
            &account,
            "Exception",
            "model id",
            model,
            &url,
            "Error {",
        ] {
            INSIDE.holds(
                &format!("{what}: what the caller reads"),
                !all.contains(secret),
                &short,
                format!("nothing with {secret:?} in it"),
            );
        }
    }
}

/// Much longer than any test needs, and much shorter than a student waits.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_call_that_hangs_is_504_in_time() {
    const IN_TIME: Point = Point::result(
        "010/16",
        "when Lambda's own timeout strikes, the environment dies and the caller reads a gateway's error",
        "README.md \"What comes back\" · workshop hint 010 2",
    );
    let lab = Lab::start().await;
    // Nobody ever opens this gate.
    lab.script([Step::Say(vec![Piece::Gate("never".into())])]);
    let app = Arc::new(App {
        bedrock_timeout: Duration::from_millis(50),
        ..app(&lab)
    });
    let event = asking(Api::Http, PROMPT);
    let call = invoked(&lab, &app, &event, &IN_TIME);
    let Ok(answer) = tokio::time::timeout(PATIENCE, call).await else {
        IN_TIME.fail(
            "handler(…)",
            "still waiting for Bedrock, long after bedrock_timeout",
            "504 as soon as bedrock_timeout is over",
        );
    };
    IN_TIME.holds("answer", answer.status == 504, answer.short(), 504);
}

#[tokio::test]
async fn the_limit_is_the_apps() {
    const THE_APPS: Point = Point::result(
        "010/17",
        "a number inside the handler fits one deployment; the next has another model and more time",
        "README.md \"What comes back\" · workshop hint 010 2",
    );
    let lab = Lab::start().await;
    let answer = vec![
        Piece::Gate("the other one gave up".into()),
        Piece::Text("The Elbe.".into()),
    ];
    let never = vec![Piece::Gate("never".into())];
    lab.script([Step::Say(answer), Step::Say(never)]);
    // The patient one asks first; the impatient one ends first; only then the model answers.
    let patient = Arc::new(app(&lab));
    let impatient = Arc::new(App {
        bedrock_timeout: Duration::from_millis(50),
        ..app(&lab)
    });
    let event = asking(Api::Http, PROMPT);
    let impatient_after = async {
        lab.until(|calls| !calls.is_empty()).await;
        let answer = invoked(&lab, &impatient, &event, &THE_APPS).await;
        lab.open_gate("the other one gave up");
        answer
    };
    let both = async { tokio::join!(invoked(&lab, &patient, &event, &THE_APPS), impatient_after) };
    let Ok((patient, _)) = tokio::time::timeout(PATIENCE, both).await else {
        THE_APPS.fail(
            "two handlers, one with a bedrock_timeout of 50 ms",
            "neither gave up",
            "the impatient one gives up",
        );
    };
    THE_APPS.holds(
        "an answer that comes late, within bedrock_timeout",
        patient.status == 200,
        patient.short(),
        200,
    );
}

// ---- RESTRAINT: what must not happen from one invocation to the next

#[tokio::test]
async fn invocations_share_one_connection() {
    const ONE_CONNECTION: Point = Point::restraint(
        "010/18",
        "a handshake for every request is time that the caller waits and you pay for",
        "README.md \"The task\" · workshop hint 010 1",
    );
    let lab = Lab::start().await;
    let app = Arc::new(app(&lab));
    for _ in 0..3 {
        let _ = invoked(&lab, &app, &asking(Api::Http, PROMPT), &ONE_CONNECTION).await;
    }
    ONE_CONNECTION.equal("calls to Bedrock", lab.calls().len(), 3);
    let connections = lab.stats().connections;
    ONE_CONNECTION.equal("TCP connections of three invocations", connections, 1);
}

#[test]
fn in_lambda_nobody_reads_the_prompt_in_the_log() {
    // In Lambda this program is the function.
    function_or_test(bootstrap::main, in_lambda());
}

async fn in_lambda() {
    const ANSWERED: Point = Point::result(
        "010/19",
        "what works in a test and not in Lambda does not work",
        "README.md \"In Lambda\" · workshop hint 010 3",
    );
    const NOT_LOGGED: Point = Point::restraint(
        "010/20",
        "everything a function prints is in CloudWatch Logs, for everybody who may read logs, for years",
        "README.md \"In Lambda\" · workshop hint 010 1",
    );
    let lab = Lab::start().await;
    let role = lab.role_of(&LAMBDA);
    let host = Host::new(lambda_host::Setup::default());
    let program = env::current_exe().expect("this program");
    let name = "in_lambda_nobody_reads_the_prompt_in_the_log";
    let mut function = FunctionConfig::new("ask", program);
    function.arguments = alone(name);
    function.timeout = Duration::from_secs(30);
    function.credentials = Some(Credentials {
        access_key_id: role.access_key_id,
        secret_access_key: role.secret_access_key,
        session_token: role.session_token,
    });
    function.environment = [
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME".to_owned(), lab.url()),
        ("MODEL_ID".to_owned(), lab.profile("haiku")),
    ]
    .into();
    host.create(function).expect("Lambda takes the function");

    // A prompt that is answered, one that is too long, and a body that is no JSON.
    lab.script([Step::text("I shall keep it to myself.")]);
    let canary = "my-pin-is-4711";
    let long = format!("{canary} {}", "x".repeat(5_000));
    let cut_off = json!(format!("{{\"prompt\": \"{canary}"));
    for (event, wanted) in [
        (asking(Api::Http, canary), 200),
        (asking(Api::Http, &long), 413),
        (event(Api::Http, "POST", &cut_off, false), 400),
    ] {
        let invocation = Invocation::new(event.to_string());
        let invoked = within(&ANSWERED, "an invocation", host.invoke("ask", invocation)).await;
        let invoked = match invoked {
            Ok(invoked) => invoked,
            Err(error) => ANSWERED.fail("an invocation", error, "an answer"),
        };
        let lines = invoked.log.iter().map(|line| line.message.as_str());
        let lines = lines.filter(|line| line.contains(canary));
        let lines = lines.collect::<Vec<_>>().join("\n");
        let says = String::from_utf8_lossy(&invoked.payload).into_owned();
        // The starter's own words are on the log.
        if let Some(line) = invoked.log.iter().find(|l| l.message.contains("010/1:")) {
            ANSWERED.fail("an invocation", &line.message, "an answer");
        }
        let payload: Value = serde_json::from_str(&says).unwrap_or_default();
        let status = payload["statusCode"].as_u64();
        ANSWERED.holds("an invocation", status == Some(wanted), says, wanted);
        lab.saw(Hop {
            from: "CLIENT",
            to: "LAMBDA",
            what: "POST /ask",
            status: u16::try_from(wanted).unwrap_or_default(),
            request_id: &invoked.request_id,
        });
        NOT_LOGGED.holds(
            "lines of the log with the prompt in them",
            lines.is_empty(),
            &lines,
            "none",
        );
    }
    host.close().await;
}

//! The official SDK as the judge of a lab.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_sdk_bedrockruntime::{
    Client,
    config::Credentials,
    error::SdkError,
    operation::{
        RequestId,
        converse::{ConverseError, ConverseOutput},
    },
    primitives::{Blob, event_stream::EventReceiver},
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput, Message,
        StopReason, error::ConverseStreamOutputError,
    },
};
use aws_smithy_types::event_stream::RawMessage;
use workshop_testkit::{
    Fault, FaultRule, Lab, Piece, Point, Rule, Setup, ShimError, Step, Text, TraceStatus, When,
    alone, claude_shim, function_or_test, json, within,
};

const POINT: Point = Point::result("testkit", "it would hang", "tests/lab.rs");

type Stream = EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>;
type StreamError = SdkError<ConverseStreamOutputError, RawMessage>;

fn hello() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Hello".to_owned()))
        .build()
        .unwrap()
}

async fn converse(lab: &Lab, client: &Client) -> Result<ConverseOutput, SdkError<ConverseError>> {
    let call = client.converse().model_id(lab.profile("haiku"));
    within(&POINT, "an answer", call.messages(hello()).send()).await
}

async fn stream(lab: &Lab) -> Stream {
    let client = lab.client();
    let call = client.converse_stream().model_id(lab.profile("haiku"));
    call.messages(hello()).send().await.unwrap().stream
}

/// The next text delta, the error that ends the stream, or `None` at its end.
async fn next_text(stream: &mut Stream) -> Option<Result<String, StreamError>> {
    loop {
        match within(&POINT, "an event", stream.recv()).await {
            Ok(Some(ConverseStreamOutput::ContentBlockDelta(event))) => {
                if let Some(ContentBlockDelta::Text(text)) = event.delta {
                    return Some(Ok(text));
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        }
    }
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

#[tokio::test]
async fn converse_answers_and_leaves_evidence() {
    let lab = Lab::start().await;
    lab.script([Step::text("It is sunny.")]);
    let out = converse(&lab, &lab.client()).await.unwrap();
    let message = out.output().unwrap().as_message().unwrap();
    assert_eq!(message.content()[0].as_text().unwrap(), "It is sunny.");
    assert_eq!(out.stop_reason(), &StopReason::EndTurn);

    let calls = lab.calls();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(call.operation, "Converse");
    assert_eq!(call.model, lab.profile("haiku"));
    assert_eq!(call.text(), "Hello");
    assert_eq!(call.body_at("/messages/0/role"), Some(&json!("user")));
    assert_eq!(call.scope_region, "us-east-1");
    assert_eq!(call.scope_service, "bedrock");
    assert_eq!((call.attempt, call.max_attempts), (1, 1));
    assert_eq!(call.status, 200);
    assert_eq!(call.answer.as_deref(), Some("It is sunny."));
    assert_eq!(Some(call.request_id.as_str()), out.request_id());
    assert_eq!(call.header("Content-Type"), Some("application/json"));

    let observer = lab.observer();
    let signer = observer.whoami().access_key_id;
    assert_eq!(call.access_key_id, Some(signer));
    assert!(observer.logs_for(&call.request_id).is_some());
    let lit = |node: &str| {
        let trace = lab.trace();
        trace
            .iter()
            .any(|e| e.node == node && e.status == TraceStatus::Ok)
    };
    assert!(lit("HAIKU") && lit("BR"), "{:?}", lab.trace());
}

fn said(out: &ConverseOutput) -> &str {
    let message = out.output().unwrap().as_message().unwrap();
    message.content()[0].as_text().unwrap()
}

#[tokio::test]
async fn rules_answer_the_requests_that_they_are_about() {
    let lab = Lab::start().await;
    lab.rules([
        Rule::when(When::any().prompt(Text::contains("weather")))
            .then_always(Step::text("It is sunny.")),
        Rule::when(When::any().prompt(Text::contains("Hello")))
            .then(Step::Fault(Fault::ServiceUnavailable))
            .then_always(Step::text("Good day.")),
    ]);
    let client = lab.client();
    let error = converse(&lab, &client).await.unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_service_unavailable_exception(), "{error:?}");
    for _ in 0..2 {
        assert_eq!(said(&converse(&lab, &client).await.unwrap()), "Good day.");
    }
}

#[tokio::test]
async fn fault_rules_fail_so_many_requests() {
    let lab = Lab::start().await;
    lab.faults([FaultRule::new(Fault::ServiceUnavailable).count(2)]);
    let client = lab.client();
    for _ in 0..2 {
        assert!(converse(&lab, &client).await.is_err());
    }
    converse(&lab, &client).await.unwrap();
    let status: Vec<u16> = lab.calls().iter().map(|call| call.status).collect();
    assert_eq!(status, [503, 503, 200]);
}

#[tokio::test]
async fn a_script_is_loaded_from_toml() {
    let lab = Lab::start().await;
    lab.load(
        r#"
        [[reply]]
        text = "It is sunny."

        [[fault]]
        error = "ThrottlingException"
        when = { call = 2 }
        "#,
    );
    let client = lab.client();
    assert_eq!(
        said(&converse(&lab, &client).await.unwrap()),
        "It is sunny."
    );
    let error = converse(&lab, &client).await.unwrap_err();
    assert!(error.into_service_error().is_throttling_exception());
}

#[tokio::test]
#[should_panic(expected = "tekst")]
async fn a_mistake_in_a_script_is_named() {
    Lab::start().await.load("[[reply]]\ntekst = \"typo\"");
}

#[tokio::test]
async fn accounts_share_nothing() {
    let lab = Lab::start().await;
    let theirs = "111122223333";
    lab.script([Step::text("ours")]);
    lab.load(&format!(
        "[[reply]]\nwhen = {{ account = \"{theirs}\" }}\ntext = \"theirs\""
    ));
    let client = lab.client_of(theirs);
    assert_eq!(said(&converse(&lab, &client).await.unwrap()), "theirs");
    assert_eq!(said(&converse(&lab, &lab.client()).await.unwrap()), "ours");
    assert_eq!(lab.calls().len(), 1);
    assert_eq!(lab.calls_of(theirs).len(), 1);
}

#[tokio::test]
async fn one_client_keeps_its_connection() {
    let lab = Lab::start().await;
    let client = lab.client();
    for _ in 0..3 {
        converse(&lab, &client).await.unwrap();
    }
    assert_eq!(lab.stats().connections, 1);
    converse(&lab, &lab.client()).await.unwrap();
    assert_eq!(lab.stats().connections, 2);
}

#[tokio::test]
async fn a_stream_is_held_at_its_gate() {
    let lab = Lab::start().await;
    lab.script([Step::Say(vec![
        text("one "),
        Piece::Gate("seen".to_owned()),
        text("two"),
    ])]);
    let mut stream = stream(&lab).await;
    assert_eq!(next_text(&mut stream).await.unwrap().unwrap(), "one ");
    lab.open_gate("seen");
    assert_eq!(next_text(&mut stream).await.unwrap().unwrap(), "two");
    assert!(next_text(&mut stream).await.is_none());
}

#[tokio::test]
async fn a_cut_stream_is_an_error_after_the_text_before_it() {
    let lab = Lab::start().await;
    lab.script([Step::Say(vec![text("one "), text("two"), Piece::Cut])]);
    let mut stream = stream(&lab).await;
    assert_eq!(next_text(&mut stream).await.unwrap().unwrap(), "one ");
    assert_eq!(next_text(&mut stream).await.unwrap().unwrap(), "two");
    let error = next_text(&mut stream).await.unwrap().unwrap_err();
    assert!(error.as_service_error().is_none(), "{error:?}");
}

#[tokio::test]
async fn an_exception_inside_a_stream_is_its_variant() {
    let lab = Lab::start().await;
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    lab.script([Step::Say(vec![text("one "), Piece::Exception(throttled)])]);
    let mut stream = stream(&lab).await;
    assert_eq!(next_text(&mut stream).await.unwrap().unwrap(), "one ");
    let error = next_text(&mut stream).await.unwrap().unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_throttling_exception(), "{error:?}");
    assert_eq!(lab.calls()[0].error.as_deref(), Some("ThrottlingException"));
}

#[tokio::test]
async fn faults_are_typed_errors() {
    type Is = fn(&ConverseError) -> bool;
    let throttling = Fault::Throttling {
        retry_after_ms: Some(10),
    };
    let table: [(Fault, u16, Is); 7] = [
        (throttling, 429, ConverseError::is_throttling_exception),
        (
            Fault::ServiceUnavailable,
            503,
            ConverseError::is_service_unavailable_exception,
        ),
        (
            Fault::InternalServer,
            500,
            ConverseError::is_internal_server_exception,
        ),
        (
            Fault::ModelTimeout,
            408,
            ConverseError::is_model_timeout_exception,
        ),
        (
            Fault::ModelError,
            424,
            ConverseError::is_model_error_exception,
        ),
        (
            Fault::ModelNotReady,
            429,
            ConverseError::is_model_not_ready_exception,
        ),
        (
            Fault::AccessDenied,
            403,
            ConverseError::is_access_denied_exception,
        ),
    ];
    let lab = Lab::start().await;
    let client = lab.client();
    for (fault, status, is) in table {
        lab.script([Step::Fault(fault.clone())]);
        let error = converse(&lab, &client).await.unwrap_err();
        let answered = error.raw_response().unwrap().status().as_u16();
        assert_eq!(answered, status, "{fault:?}");
        assert!(is(&error.into_service_error()), "{fault:?}");
    }
    lab.script([Step::Fault(Fault::Disconnect)]);
    let error = converse(&lab, &client).await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
}

#[tokio::test]
async fn a_wrong_secret_and_a_denying_policy_are_refused() {
    let lab = Lab::start().await;
    let id = lab.observer().whoami().access_key_id;
    let wrong = Credentials::new(id, "not the secret", None, None, "test");
    let stranger = lab.client_with(|config| config.credentials_provider(wrong));
    let error = converse(&lab, &stranger).await.unwrap_err();
    let error = error.into_service_error();
    assert_eq!(error.meta().code(), Some("InvalidSignatureException"));

    lab.set_policies(vec![json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "bedrock:*", "Resource": "*" }],
    })]);
    let error = converse(&lab, &lab.client()).await.unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_access_denied_exception(), "{error:?}");
    let trace = lab.trace();
    let denied = |e: &&workshop_testkit::TraceEvent| e.status == TraceStatus::Denied;
    assert!(trace.iter().filter(denied).any(|e| e.node == "POLICY"));
}

#[tokio::test]
async fn a_call_tells_why_iam_decided_as_it_did() {
    let lab = Lab::start().await;
    let client = lab.client();
    let statement = |effect: &str, resource: &str, condition: serde_json::Value| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "Asking", "Effect": effect, "Action": "bedrock:InvokeModel",
                "Resource": resource, "Condition": condition,
            }],
        })
    };
    let region = |region: &str| json!({ "StringEquals": { "aws:RequestedRegion": region } });
    let profile = json!({ "Null": { "bedrock:PromptRouterArn": "false" } });
    let everything = statement("Allow", "*", json!({}));
    for (policies, verdict) in [
        (vec![], "200, and no policy was asked"),
        (vec![everything.clone()], "\nallowed by Asking"),
        (
            vec![everything, statement("Deny", "*", json!({}))],
            "\ndenied by policy 2 Asking",
        ),
        (
            vec![statement(
                "Allow",
                "arn:aws:bedrock:*:*:guardrail/*",
                json!({}),
            )],
            "\nfor other resources: Asking",
        ),
        (
            vec![statement("Allow", "*", region("eu-west-1"))],
            "\naws:RequestedRegion is us-east-1: Asking",
        ),
        (
            vec![statement("Allow", "*", profile)],
            "\nbedrock:PromptRouterArn is absent: Asking",
        ),
    ] {
        lab.set_policies(policies);
        let _ = converse(&lab, &client).await;
        let said = lab.calls().pop().unwrap().verdict();
        assert!(said.ends_with(verdict), "{said}");
    }
}

#[tokio::test]
async fn temporary_credentials_and_another_region_sign_as_such() {
    let lab = Lab::with(Setup {
        region: Some("us-west-2".to_owned()),
        temporary_credentials: true,
        ..Setup::default()
    })
    .await;
    converse(&lab, &lab.client()).await.unwrap();
    let call = &lab.calls()[0];
    assert!(call.session);
    assert_eq!(call.scope_region, "us-west-2");
    assert!(call.access_key_id.as_deref().unwrap().starts_with("ASIA"));
    assert!(lab.observer().whoami().session);
}

#[tokio::test]
async fn invoke_model_answers_in_claudes_form() {
    let lab = Lab::start().await;
    lab.script([Step::text("It is sunny.")]);
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "messages": [{ "role": "user", "content": "Hello" }],
    });
    let client = lab.client();
    let call = client.invoke_model().model_id(lab.profile("haiku"));
    let body = Blob::new(body.to_string());
    let out = within(&POINT, "an answer", call.body(body).send()).await;
    let answer: serde_json::Value = serde_json::from_slice(out.unwrap().body().as_ref()).unwrap();
    assert_eq!(answer["content"][0]["text"], "It is sunny.");
    assert_eq!(lab.calls()[0].text(), "Hello");
}

#[tokio::test]
async fn the_stand_in_for_claude_code_makes_one_call_as_pinned() {
    let lab = Lab::start().await;
    lab.script([Step::text("Fine.")]);
    let settings = json!({ "env": {
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_REGION": "us-west-2",
        "ANTHROPIC_MODEL": "haiku",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": lab.profile("haiku"),
    }});
    assert_eq!(claude_shim(&settings, &lab).await.unwrap(), "Fine.");
    let calls = lab.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].operation, "InvokeModelWithResponseStream");
    assert_eq!(calls[0].model, lab.profile("haiku"));
    assert_eq!(calls[0].scope_region, "us-west-2");

    for (name, error) in [
        ("CLAUDE_CODE_USE_BEDROCK", ShimError::NotBedrock),
        ("AWS_REGION", ShimError::NoRegion),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", ShimError::NoModel),
    ] {
        let mut settings = settings.clone();
        settings["env"].as_object_mut().unwrap().remove(name);
        assert_eq!(claude_shim(&settings, &lab).await, Err(error), "{name}");
    }
    assert_eq!(lab.calls().len(), 1);
}

#[tokio::test]
async fn until_ends_with_the_answer_that_was_waited_for_and_not_before() {
    let lab = Lab::start().await;
    lab.until(<[_]>::is_empty).await;
    let client = lab.client();
    lab.script([Step::Say(vec![
        Piece::Gate("heard".into()),
        Piece::Text("Hello.".into()),
    ])]);
    let asked = async {
        lab.until(|calls| calls.iter().any(|call| call.operation == "Converse"))
            .await;
        // The model is asked, and waits for us.
        lab.open_gate("heard");
    };
    let both = async { tokio::join!(converse(&lab, &client), asked) };
    let (answer, ()) = within(&POINT, "an answer", both).await;
    answer.unwrap();

    let second = lab.until(|calls| calls.len() == 2);
    let never = tokio::time::timeout(std::time::Duration::ZERO, second).await;
    never.unwrap_err();
}

#[test]
fn a_test_program_is_its_own_function_in_lambda_only() {
    assert_eq!(alone("name")[..2], ["name", "--exact"]);
    let function = || -> Result<(), String> { panic!("this is not Lambda") };
    let mut ran = false;
    function_or_test(function, async { ran = true });
    assert!(ran);
}

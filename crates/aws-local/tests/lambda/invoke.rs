//! `Invoke` and its refusals.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::bench::{Bench, function};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:ask";

#[tokio::test]
async fn an_answer_comes_with_version_and_log() {
    let bench = Bench::start().await;
    let answer = bench.invoke(&[], &json!({ "question": 42 })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json(), json!({ "question": 42 }));
    assert_eq!(answer.header("X-Amz-Executed-Version"), Some("$LATEST"));
    assert_eq!(answer.header("X-Amz-Function-Error"), None);
    assert_eq!(answer.header("X-Amz-Log-Result"), None);

    let print = json!({ "do": "print", "line": "a line of mine" });
    let answer = bench.invoke(&[("X-Amz-Log-Type", "Tail")], &print).await;
    let log = answer.header("X-Amz-Log-Result").unwrap();
    let log = String::from_utf8(STANDARD.decode(log).unwrap()).unwrap();
    let id = answer.header("x-amzn-RequestId").unwrap();
    assert!(
        log.starts_with(&format!("START RequestId: {id} Version: $LATEST\n")),
        "{log}"
    );
    assert!(log.contains("\na line of mine\nEND RequestId:"), "{log}");
    assert!(log.contains("REPORT RequestId:"), "{log}");
}

#[tokio::test]
async fn a_function_has_many_names_and_sees_which_was_used() {
    let bench = Bench::start().await;
    let context = json!({ "do": "context" }).to_string();
    let client = STANDARD.encode(r#"{"custom":{"tenant":"blue"}}"#);
    let headers = [("X-Amz-Client-Context", client.as_str())];
    for (name, arn) in [
        ("ask", ARN.to_owned()),
        ("function:ask", ARN.to_owned()),
        ("123456789012%3Afunction%3Aask", ARN.to_owned()),
        (
            "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aask",
            ARN.to_owned(),
        ),
        ("ask:$LATEST", format!("{ARN}:$LATEST")),
    ] {
        let target = format!("/2015-03-31/functions/{name}/invocations");
        let answer = bench.send("POST", &target, &headers, &context).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.json();
        assert_eq!(told["arn"], arn.as_str());
        assert_eq!(told["client"]["tenant"], "blue");
        assert_eq!(
            told["request_id"],
            answer.header("x-amzn-RequestId").unwrap()
        );
    }
}

#[tokio::test]
async fn a_functions_failure_is_a_success_of_lambda() {
    let bench = Bench::start().await;
    let answer = bench.invoke(&[], &json!({ "do": "fail" })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("X-Amz-Function-Error"), Some("Unhandled"));
    assert_eq!(answer.json()["errorMessage"], "it failed");
    let answer = bench.invoke(&[], &json!({ "do": "exit" })).await;
    assert_eq!(answer.json()["errorType"], "Runtime.ExitError");
    assert_eq!(answer.header("X-Amz-Function-Error"), Some("Unhandled"));

    let hurried = aws_local::lambda::Function {
        timeout: std::time::Duration::from_millis(300),
        ..function("hurried")
    };
    bench.services.lambda.create(hurried).unwrap();
    let target = "/2015-03-31/functions/hurried/invocations";
    let answer = bench.send("POST", target, &[], r#"{"do":"hang"}"#).await;
    assert_eq!(answer.status, 200);
    let message = answer.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("Task timed out after 0.30 seconds"),
        "{message}"
    );
    let entry = bench.endpoint.emulator().journal().pop().unwrap();
    let lit: Vec<_> = entry.trace.iter().filter(|e| e.node == "LAMBDA").collect();
    assert_eq!(lit.last().unwrap().note, "the function timed out");
}

#[tokio::test]
async fn refusals_are_lambdas() {
    type Row<'a> = (
        &'a str,
        &'a [(&'a str, &'a str)],
        &'a str,
        u16,
        &'a str,
        &'a str,
    );
    let bench = Bench::start().await;
    let other_region = "arn:aws:lambda:eu-west-1:123456789012:function:ask";
    let other_account = "arn:aws:lambda:us-east-1:210987654321:function:ask";
    let long = "x".repeat(7 * 1024 * 1024);
    let long = format!("\"{long}\"");
    let rows: [Row<'_>; 11] = [
        (
            "nobody",
            &[],
            "{}",
            404,
            "ResourceNotFoundException",
            r#"{"Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody","Type":"User"}"#,
        ),
        (
            "ask:live",
            &[],
            "{}",
            404,
            "ResourceNotFoundException",
            "function:ask:live",
        ),
        (
            "ask",
            &[],
            "{",
            400,
            "InvalidRequestContentException",
            "Could not parse request body into json",
        ),
        (
            "ask",
            &[],
            &long,
            413,
            "RequestTooLargeException",
            "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
        ),
        (
            "a%20b",
            &[],
            "{}",
            400,
            "ValidationException",
            "Value 'a b' at 'functionName' failed",
        ),
        (
            other_region,
            &[],
            "{}",
            404,
            "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
        ),
        (
            other_account,
            &[],
            "{}",
            403,
            "AccessDeniedException",
            "no resource-based policy allows",
        ),
        (
            "ask",
            &[("X-Amz-Invocation-Type", "Later")],
            "{}",
            400,
            "ValidationException",
            "[Event, RequestResponse, DryRun]",
        ),
        (
            "ask",
            &[("X-Amz-Log-Type", "All")],
            "{}",
            400,
            "ValidationException",
            "[None, Tail]",
        ),
        (
            "ask",
            &[("X-Amz-Client-Context", "!")],
            "{}",
            400,
            "InvalidParameterValueException",
            "Client context",
        ),
        (
            "ask:live/invocations?Qualifier=other&x=",
            &[],
            "{}",
            400,
            "InvalidParameterValueException",
            "The derived qualifier",
        ),
    ];
    for (name, headers, body, status, code, text) in rows {
        let target = match name.split_once('/') {
            Some((name, rest)) => format!("/2015-03-31/functions/{name}/{rest}"),
            None => format!("/2015-03-31/functions/{name}/invocations"),
        };
        let answer = bench.send("POST", &target, headers, body).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(answer.header("x-amzn-ErrorType"), Some(code), "{answer:?}");
        assert!(answer.body.contains(text), "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_function_that_is_turned_off_is_throttled() {
    let bench = Bench::start().await;
    let target = "/2017-10-31/functions/ask/concurrency";
    let off = r#"{"ReservedConcurrentExecutions":0}"#;
    assert_eq!(bench.send("PUT", target, &[], off).await.status, 200);
    let answer = bench.invoke(&[], &json!({})).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("Retry-After"), Some("1"));
    let told = answer.json();
    assert_eq!(
        told["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    assert_eq!(told["message"], "Rate Exceeded.");
    assert_eq!(bench.send("DELETE", target, &[], "").await.status, 204);
    assert_eq!(bench.invoke(&[], &json!({})).await.status, 200);
}

#[tokio::test]
async fn an_event_is_queued_and_tried_again_and_a_dry_run_runs_nothing() {
    let clock = aws_local::ManualClock::at(time::OffsetDateTime::UNIX_EPOCH);
    let bench = Bench::start_with(std::sync::Arc::new(clock.clone()), |_| {}).await;
    let dry = [("X-Amz-Invocation-Type", "DryRun")];
    let answer = bench.invoke(&dry, &json!({ "do": "exit" })).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let event = [("X-Amz-Invocation-Type", "Event")];
    let answer = bench.invoke(&event, &json!({ "do": "fail" })).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    let id = answer.header("x-amzn-RequestId").unwrap().to_owned();
    let ends = format!("END RequestId: {id}");
    for attempt in 1..=3 {
        // The pauses before the second and the third attempt are one minute and two.
        let what = format!("attempt {attempt}");
        bench
            .until(&what, async |bench| {
                clock.advance(time::Duration::seconds(1));
                let log = bench.log().await;
                log.iter().filter(|line| **line == ends).count() >= attempt
            })
            .await;
    }
    // The dry run is not among them.
    let log = bench.log().await;
    assert_eq!(
        log.iter().filter(|line| line.starts_with("START")).count(),
        3
    );
}

#[tokio::test]
async fn a_hundred_invocations_run_at_once() {
    let bench = std::sync::Arc::new(Bench::start().await);
    let all = (0..100).map(|n| {
        let bench = std::sync::Arc::clone(&bench);
        tokio::spawn(async move {
            let answer = bench.invoke(&[], &json!({ "n": n })).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.json(), json!({ "n": n }));
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn no_process_outlives_the_services() {
    let bench = Bench::start().await;
    let pid = bench.invoke(&[], &json!({ "do": "pid" })).await.json();
    let process = format!("/proc/{pid}");
    assert!(std::path::Path::new(&process).exists());
    drop(bench);
    let gone = tokio::time::timeout(crate::bench::PATIENCE, async {
        while std::path::Path::new(&process).exists() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("the process is gone");
}

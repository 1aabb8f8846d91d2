//! Answers, errors, crashes, timeouts, cold and warm.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use lambda_host::{FunctionError, Invocation, Setup, Status};
use serde_json::{Value, json};

use crate::fixture::{answer, exists, host, host_with, invoke, json, log, try_invoke};

#[tokio::test]
async fn the_first_event_starts_a_process_and_the_next_finds_it_warm() {
    let host = host(|_| {});
    let first = invoke(&host, r#"{"do":"count"}"#).await;
    let second = invoke(&host, r#"{"do":"count"}"#).await;
    assert!(first.report.cold && !second.report.cold);
    assert!(first.report.init.is_some() && second.report.init.is_none());
    assert_eq!(json(&first)["pid"], json(&second)["pid"]);
    assert_eq!(json(&second)["handled"], 2);
    assert_eq!(first.report.log_stream, second.report.log_stream);
    assert_eq!(first.executed_version, "$LATEST");
    assert_eq!(host.environments("f"), Some((0, 1)));
    host.close().await;
}

#[tokio::test]
async fn payloads_pass_unchanged_and_nothing_is_an_empty_object() {
    let host = host(|_| {});
    let large = json!({ "text": "ä".repeat(1_000_000) });
    assert_eq!(answer(&host, &large.to_string()).await, large);
    assert_eq!(answer(&host, "").await, json!({}));
    assert_eq!(answer(&host, "[1, null]").await, json!([1, null]));
    host.close().await;
}

#[tokio::test]
async fn the_context_is_the_invocations() {
    let host = host(|_| {});
    let invocation = Invocation {
        request_id: Some("00000000-1111-4222-8333-444444444444".to_owned()),
        trace_id: Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
        client_context: Some(r#"{"client":{"installation_id":"i","app_title":"t","app_version_name":"v","app_version_code":"c","app_package_name":"p"},"custom":{"tier":"göld 💡"},"environment":{}}"#.to_owned()),
        ..Invocation::new(r#"{"do":"context"}"#)
    };
    let invoked = host.invoke("f", invocation).await.unwrap();
    let seen = json(&invoked);
    assert_eq!(invoked.request_id, "00000000-1111-4222-8333-444444444444");
    assert_eq!(seen["request_id"], "00000000-1111-4222-8333-444444444444");
    assert_eq!(
        seen["arn"],
        "arn:aws:lambda:us-east-1:123456789012:function:f"
    );
    assert_eq!(seen["trace_id"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert_eq!(seen["client"]["tier"], "göld 💡");
    let now = time::OffsetDateTime::now_utc().unix_timestamp() * 1000;
    let left = seen["deadline_ms"].as_i64().unwrap() - now;
    assert!((1..=61_000).contains(&left), "{left} ms are left");
    host.close().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn between_two_events_the_environment_is_frozen() {
    let host = host(|_| {});
    let first = answer(&host, r#"{"do":"count"}"#).await;
    let stat = format!("/proc/{}/stat", first["pid"]);
    crate::fixture::eventually("it is stopped", || {
        let stat = std::fs::read_to_string(&stat).unwrap();
        let (_, state) = stat.rsplit_once(')').unwrap();
        state.trim_start().starts_with('T')
    });
    let second = answer(&host, r#"{"do":"count"}"#).await;
    assert_eq!(second["pid"], first["pid"]);
    host.close().await;
}

#[tokio::test]
async fn the_environment_is_lambdas_and_nothing_leaks_in() {
    let host = host(|config| {
        config.environment.insert("TABLE".into(), "rows".into());
        config.memory_mb = 512;
        config.credentials = Some(lambda_host::Credentials {
            access_key_id: "AKIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: Some("token".into()),
        });
    });
    let seen = answer(&host, r#"{"do":"environment"}"#).await;
    for (name, value) in [
        ("TABLE", "rows"),
        ("_HANDLER", "bootstrap"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    let stream = seen["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap();
    assert!(stream.contains("/[$LATEST]"), "{stream}");
    // Cargo gives its tests many variables: none of them arrives.
    let leaked: Vec<&String> = seen
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| name.starts_with("CARGO") || *name == "HOME" || *name == "USER")
        .collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    host.close().await;
}

#[tokio::test]
async fn a_functions_error_is_the_payload_and_the_environment_stays() {
    let host = host(|_| {});
    for event in [r#"{"do":"fail"}"#, r#"{"do":"panic"}"#] {
        let failed = invoke(&host, event).await;
        assert_eq!(failed.function_error, Some(FunctionError::Unhandled));
        assert_eq!(failed.report.status, Status::Answered);
        let error = json(&failed);
        assert!(error["errorType"].is_string(), "{error}");
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.contains("it "), "{error}");
    }
    assert!(!invoke(&host, "{}").await.report.cold);
    host.close().await;
}

#[tokio::test]
async fn a_crash_is_told_as_on_aws_and_the_next_event_starts_anew() {
    let host = host(|_| {});
    let check = async |event: &str, sentence: &str| {
        let before = answer(&host, r#"{"do":"count"}"#).await;
        let crashed = invoke(&host, event).await;
        let id = &crashed.request_id;
        let expected = format!(
            r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: {id} Error: {sentence}"}}"#
        );
        assert_eq!(String::from_utf8_lossy(&crashed.payload), expected);
        assert_eq!(crashed.function_error, Some(FunctionError::Unhandled));
        let log = log(&crashed);
        let tail = &log[log.len() - 4..];
        assert_eq!(tail[0], format!("RequestId: {id} Error: {sentence}"));
        assert_eq!(tail[1], "Runtime.ExitError");
        assert_eq!(tail[2], format!("END RequestId: {id}"));
        assert!(
            tail[3].ends_with("\tStatus: error\tError Type: Runtime.ExitError"),
            "{}",
            tail[3]
        );
        let next = invoke(&host, r#"{"do":"count"}"#).await;
        assert!(next.report.cold);
        assert_ne!(json(&next)["pid"], before["pid"]);
        assert!(!exists(before["pid"].as_u64().unwrap()));
    };
    check(
        r#"{"do":"exit","code":1}"#,
        "Runtime exited with error: exit status 1",
    )
    .await;
    check(
        r#"{"do":"exit","code":0}"#,
        "Runtime exited without providing a reason",
    )
    .await;
    // With a core dump or without one, as the machine is set up.
    let aborted = invoke(&host, r#"{"do":"abort"}"#).await;
    let text = json(&aborted)["errorMessage"].to_string();
    assert!(
        text.contains("Runtime exited with error: signal: aborted"),
        "{text}"
    );
    host.close().await;
}

#[tokio::test]
async fn a_timeout_is_told_as_on_aws_and_the_environment_is_gone() {
    let host = host(|config| config.timeout = Duration::from_millis(1500));
    let pid = answer(&host, r#"{"do":"count"}"#).await["pid"]
        .as_u64()
        .unwrap();
    for event in [
        r#"{"do":"hang"}"#,
        r#"{"do":"spin"}"#,
        r#"{"do":"print","times":1000000000000}"#,
    ] {
        let began = Instant::now();
        let late = invoke(&host, event).await;
        assert!(began.elapsed() >= Duration::from_millis(1500));
        let id = &late.request_id;
        let expected = format!(
            r#"{{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: {id} Error: Task timed out after 1.50 seconds"}}"#
        );
        assert_eq!(String::from_utf8_lossy(&late.payload), expected);
        assert_eq!(late.function_error, Some(FunctionError::Unhandled));
        assert_eq!(late.report.status, Status::Timeout);
        assert_eq!(late.report.duration, Duration::from_millis(1500));
        let log = log(&late);
        let tail = &log[log.len() - 3..];
        let line = format!(" {id} Task timed out after 1.50 seconds");
        assert!(tail[0].ends_with(&line), "{}", tail[0]);
        assert_eq!(tail[0].len(), "2026-11-22T12:00:00.000Z".len() + line.len());
        assert!(tail[2].contains("\tDuration: 1500.00 ms\t"), "{}", tail[2]);
        assert!(tail[2].ends_with("\tStatus: timeout"), "{}", tail[2]);
        assert!(!exists(pid));
    }
    let next = invoke(&host, r#"{"do":"count"}"#).await;
    assert!(next.report.cold);
    host.close().await;
}

#[tokio::test]
async fn an_initialization_that_fails_is_tried_again_within_the_invocation() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("there").display().to_string();
    let host = host(|config| {
        config.environment.insert("INIT".into(), "flaky".into());
        config.environment.insert("FLAKY".into(), file);
    });
    let invoked = invoke(&host, "{}").await;
    assert_eq!(invoked.function_error, None);
    let log = log(&invoked);
    assert_eq!(log[0], "initializing");
    assert!(log[1].starts_with("INIT_REPORT Init Duration: "), "{log:?}");
    assert!(
        log[1].ends_with("\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"),
        "{log:?}"
    );
    assert_eq!(log[2], "initializing");
    assert!(log[3].starts_with("START RequestId: "), "{log:?}");
    host.close().await;
}

#[tokio::test]
async fn an_initialization_that_fails_twice_is_the_answer() {
    let check = async |init: &str, kind: &str, text: &str| {
        let host = host(|config| _ = config.environment.insert("INIT".into(), init.into()));
        let failed = invoke(&host, "{}").await;
        assert_eq!(failed.function_error, Some(FunctionError::Unhandled));
        let payload: Value = json(&failed);
        assert_eq!(payload["errorType"], kind);
        let message = payload["errorMessage"].as_str().unwrap();
        assert_eq!(message.replace(&failed.request_id, "ID"), text);
        let log = log(&failed);
        let reports = log.iter().filter(|l| l.starts_with("INIT_REPORT"));
        assert_eq!(reports.count(), 2, "{log:?}");
        assert_eq!(host.environments("f"), Some((0, 0)));
        host.close().await;
    };
    check(
        "exit",
        "Runtime.ExitError",
        "RequestId: ID Error: Runtime exited with error: exit status 3",
    )
    .await;
    check("error", "Config.Missing", "TABLE is not set").await;
}

#[tokio::test]
async fn an_initialization_that_never_ends_is_a_timeout() {
    let setup = Setup {
        init_timeout: Duration::from_millis(100),
        ..Setup::default()
    };
    let host = host_with(setup, |config| {
        config.timeout = Duration::from_millis(250);
        config.environment.insert("INIT".into(), "hang".into());
    });
    let late = invoke(&host, "{}").await;
    assert_eq!(json(&late)["errorType"], "Sandbox.Timedout");
    let log = log(&late);
    let of = |phase: &str| {
        let end = format!("\tPhase: {phase}\tStatus: timeout");
        log.iter().any(|line| line.ends_with(&end))
    };
    assert!(of("init") && of("invoke"), "{log:?}");
    host.close().await;
}

#[tokio::test]
async fn a_program_that_cannot_run_is_an_invalid_entrypoint() {
    let folder = tempfile::tempdir().unwrap();
    let check = async |program: &std::path::Path, sentence: &str| {
        let host = host(|config| config.program = program.to_owned());
        let failed = invoke(&host, "{}").await;
        let payload = json(&failed);
        assert_eq!(payload["errorType"], "Runtime.InvalidEntrypoint");
        let message = payload["errorMessage"].as_str().unwrap().to_owned();
        assert!(message.ends_with(sentence), "{message}");
        host.close().await;
    };
    let missing = folder.path().join("missing");
    let text = format!("Couldn't find valid bootstrap(s): [{}]", missing.display());
    check(&missing, &text).await;
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "no program").unwrap();
    check(&plain, "permission denied").await;
    let mut mode = std::fs::metadata(&plain).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    std::fs::set_permissions(&plain, mode).unwrap();
    check(&plain, "exec format error").await;
}

#[tokio::test]
async fn a_streamed_response_is_joined() {
    let host = host(|_| {});
    let streamed = invoke(&host, r#"{"do":"stream"}"#).await;
    let text = String::from_utf8_lossy(&streamed.payload).into_owned();
    assert!(text.ends_with("\0one two three"), "{text:?}");
    assert!(!invoke(&host, "{}").await.report.cold);
    host.close().await;
}

#[tokio::test]
async fn an_answer_above_six_megabytes_is_refused() {
    let host = host(|_| {});
    // Two quotes belong to it.
    let fits = invoke(&host, r#"{"do":"large","bytes":6291554}"#).await;
    assert_eq!(fits.function_error, None);
    let large = invoke(&host, r#"{"do":"large","bytes":6291555}"#).await;
    assert_eq!(
        json(&large),
        json!({
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size (6291557 bytes) exceeded maximum allowed \
                             payload size (6291556 bytes).",
        })
    );
    host.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_each_get_their_own_answer() {
    // Five files each; some systems start with a limit of 256.
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut files = getrlimit(Resource::Nofile);
        files.current = Some(files.maximum.map_or(4096, |max| max.min(4096)));
        setrlimit(Resource::Nofile, files).unwrap();
    }
    let host = host(|_| {});
    let mut running = tokio::task::JoinSet::new();
    for number in 0..100 {
        let host = host.clone();
        running.spawn(async move { answer(&host, &format!(r#"{{"number":{number}}}"#)).await });
    }
    let answers: BTreeSet<u64> = running
        .join_all()
        .await
        .iter()
        .map(|answer| answer["number"].as_u64().unwrap())
        .collect();
    assert_eq!(answers, (0..100).collect());
    let (working, idle) = host.environments("f").unwrap();
    assert_eq!(working, 0);
    assert!((1..=100).contains(&idle), "{idle}");
    host.close().await;
}

#[tokio::test]
async fn a_changed_function_starts_anew_and_a_deleted_one_is_gone() {
    let host = host(|_| {});
    let before = answer(&host, r#"{"do":"count"}"#).await;
    let mut changed = crate::fixture::config();
    changed.environment.insert("NEW".into(), "1".into());
    host.update(changed).unwrap();
    let seen = answer(&host, r#"{"do":"environment"}"#).await;
    assert_eq!(seen["NEW"], "1");
    crate::fixture::eventually("the old environment ends", || {
        !exists(before["pid"].as_u64().unwrap())
    });
    host.delete("f").unwrap();
    let error = try_invoke(&host, "{}").await.unwrap_err();
    assert_eq!(error.code(), "ResourceNotFoundException");
    assert_eq!(host.delete("f").unwrap_err().code(), error.code());
    host.close().await;
}

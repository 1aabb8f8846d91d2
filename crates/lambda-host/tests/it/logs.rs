//! Lines, their order, their bounds.

use std::sync::{Arc, Mutex};

use lambda_host::{LOG_RESULT_MAX, LogEvent, Setup};

use crate::fixture::{host, host_with, invoke, log};

#[tokio::test]
async fn both_outputs_stand_in_order_between_start_and_report() {
    let seen: Arc<Mutex<Vec<LogEvent>>> = Arc::default();
    let sink = Arc::clone(&seen);
    let setup = Setup {
        log: (move |event: &LogEvent| sink.lock().unwrap().push(event.clone())).into(),
        ..Setup::default()
    };
    let host = host_with(setup, |_| {});
    let cold = invoke(&host, r#"{"do":"print","times":2,"line":"hello"}"#).await;
    let id = &cold.request_id;
    let lines = log(&cold);
    assert_eq!(
        lines[..5],
        [
            "initializing",
            &format!("START RequestId: {id} Version: $LATEST"),
            "0 hello",
            "1 hello",
            "and no line feed",
        ]
    );
    assert_eq!(lines[5], format!("END RequestId: {id}"));
    let report = lines[6];
    assert!(
        report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")),
        "{report}"
    );
    for part in [
        "\tBilled Duration: ",
        "\tMemory Size: 128 MB\t",
        "\tInit Duration: ",
    ] {
        assert!(report.contains(part), "{report}");
    }
    assert!(report.ends_with(" ms\t"), "{report}");
    #[cfg(target_os = "linux")]
    assert!(report.contains("\tMax Memory Used: "), "{report}");
    assert_eq!(lines.len(), 7);

    let warm = invoke(&host, r#"{"do":"print"}"#).await;
    assert!(
        log(&warm)[0].starts_with("START RequestId: "),
        "{:?}",
        log(&warm)
    );
    assert!(!log(&warm).last().unwrap().contains("Init Duration"));

    let seen = seen.lock().unwrap().clone();
    let delivered: Vec<&LogEvent> = seen.iter().collect();
    let returned: Vec<&LogEvent> = cold.log.iter().chain(&warm.log).collect();
    assert_eq!(delivered, returned);
    assert_eq!(&*seen[0].group, "/aws/lambda/f");
    assert_eq!(&*seen[0].stream, cold.report.log_stream);
    assert_eq!(seen[0].request_id, None);
    assert_eq!(seen[2].request_id.as_deref(), Some(id.as_str()));
    host.close().await;
}

#[tokio::test]
async fn output_is_bounded_and_the_report_still_stands() {
    let setup = Setup {
        output_max: 100_000,
        ..Setup::default()
    };
    let host = host_with(setup, |_| {});
    // Far more than a pipe holds: the function does not block either.
    let flood = invoke(
        &host,
        r#"{"do":"print","times":200000,"line":"0123456789"}"#,
    )
    .await;
    assert_eq!(flood.function_error, None);
    let bytes: usize = flood.log.iter().map(|e| e.message.len()).sum();
    assert!(bytes < 110_000, "{bytes} bytes were kept");
    let notes = log(&flood);
    let notes = notes.iter().filter(|l| l.contains("is dropped"));
    assert_eq!(notes.count(), 1);
    assert!(log(&flood).last().unwrap().starts_with("REPORT"));
    // The next invocation has room again.
    let next = invoke(&host, r#"{"do":"print"}"#).await;
    assert!(log(&next).contains(&"0 x"), "{:?}", log(&next));
    host.close().await;
}

#[tokio::test]
async fn the_tail_holds_the_last_four_kilobytes() {
    let host = host(|_| {});
    let invoked = invoke(&host, r#"{"do":"print","times":500,"line":"ääääääääää"}"#).await;
    let tail = invoked.log_tail();
    assert!(tail.len() <= LOG_RESULT_MAX && tail.len() > LOG_RESULT_MAX - 4);
    assert!(tail.contains("499 ää") && !tail.contains("START"), "{tail}");
    assert!(tail.lines().last().unwrap().starts_with("REPORT"));
    host.close().await;
}

//! What is refused before a function sees it.

use lambda_host::{EVENT_PAYLOAD_MAX, Invocation, InvokeError, PAYLOAD_MAX, Setup, ThrottleReason};
use tokio::net::TcpListener;

use crate::fixture::{config, host, host_with, invoke, try_invoke};

#[tokio::test]
async fn concurrency_is_exact() {
    let check = async |reserved: Option<u32>, account: u32, reason: ThrottleReason| {
        let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = gate.local_addr().unwrap();
        let setup = Setup {
            account_concurrency: account,
            ..Setup::default()
        };
        let host = host_with(setup, |config| config.reserved_concurrency = reserved);
        let mut running = Vec::new();
        let mut held = Vec::new();
        for _ in 0..3 {
            let (host, event) = (host.clone(), format!(r#"{{"do":"wait","at":"{at}"}}"#));
            running.push(tokio::spawn(async move { invoke(&host, &event).await }));
            held.push(gate.accept().await.unwrap());
        }
        let refused = try_invoke(&host, "{}").await.unwrap_err();
        assert_eq!(refused, InvokeError::TooManyRequests(reason));
        assert_eq!(
            (refused.status(), refused.to_string()),
            (429, "Rate Exceeded.".to_owned())
        );
        assert_eq!(host.environments("f"), Some((3, 0)));
        drop(held);
        for one in running {
            let invoked = one.await.unwrap();
            assert_eq!(invoked.function_error, None, "{:?}", invoked.payload);
        }
        assert_eq!(host.environments("f"), Some((0, 3)));
        assert!(!invoke(&host, "{}").await.report.cold);
        host.close().await;
    };
    check(
        Some(3),
        1000,
        ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded,
    )
    .await;
    check(None, 3, ThrottleReason::ConcurrentInvocationLimitExceeded).await;
}

#[tokio::test]
async fn a_reservation_of_zero_turns_the_function_off() {
    let host = host(|config| config.reserved_concurrency = Some(0));
    let refused = try_invoke(&host, "{}").await.unwrap_err();
    assert_eq!(refused.code(), "TooManyRequestsException");
}

#[tokio::test]
async fn reservations_fit_into_the_account() {
    let setup = Setup {
        account_concurrency: 5,
        ..Setup::default()
    };
    let host = host_with(setup, |config| config.reserved_concurrency = Some(4));
    let mut second = config();
    second.name = "g".to_owned();
    second.reserved_concurrency = Some(2);
    let refused = host.create(second.clone()).unwrap_err();
    assert_eq!(refused.code(), "InvalidParameterValueException");
    second.reserved_concurrency = Some(1);
    host.create(second.clone()).unwrap();
    assert_eq!(
        host.create(second).unwrap_err().code(),
        "ResourceConflictException"
    );
}

#[tokio::test]
async fn payloads_are_bounded_and_must_be_json() {
    let host = host(|_| {});
    let large = format!("\"{}\"", "x".repeat(PAYLOAD_MAX));
    let refused = try_invoke(&host, &large).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.status()),
        ("RequestTooLargeException", 413)
    );
    let event = format!("\"{}\"", "x".repeat(EVENT_PAYLOAD_MAX));
    let refused = host.invoke_async("f", Invocation::new(event)).unwrap_err();
    assert_eq!(
        refused,
        InvokeError::RequestTooLarge {
            max: EVENT_PAYLOAD_MAX
        }
    );
    for text in ["{", "{} {}", "nonsense", "\u{feff}{}"] {
        let refused = try_invoke(&host, text).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.status()),
            ("InvalidRequestContentException", 400)
        );
        assert!(
            refused
                .to_string()
                .starts_with("Could not parse request body into json")
        );
    }
    let odd = |change: fn(&mut Invocation)| {
        let mut invocation = Invocation::default();
        change(&mut invocation);
        host.dry_run("f", &invocation).unwrap_err().code()
    };
    assert_eq!(
        odd(|i| i.client_context = Some("[]".to_owned())),
        "InvalidRequestContentException"
    );
    let refused = "InvalidParameterValueException";
    assert_eq!(odd(|i| i.request_id = Some("a/b".to_owned())), refused);
    assert_eq!(odd(|i| i.trace_id = Some("a\nb".to_owned())), refused);
    assert_eq!(
        odd(|i| i.invoked_function_arn = Some("ä".to_owned())),
        refused
    );
    let nobody = host
        .invoke("nobody", Invocation::default())
        .await
        .unwrap_err();
    assert_eq!(nobody, InvokeError::ResourceNotFound("nobody".to_owned()));
    assert_eq!(host.dry_run("f", &Invocation::default()), Ok(()));
    assert!(host.dry_run("nobody", &Invocation::default()).is_err());
    assert_eq!(host.environments("f"), Some((0, 0)));
}

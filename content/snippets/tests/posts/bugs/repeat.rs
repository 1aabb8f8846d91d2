//! The retry helper's page: its snippet is compiled and run as it stands.

#[path = "../../../../bugs/retry-helper/retry.rs"]
#[expect(
    unreachable_pub,
    reason = "the snippet is a module of somebody else's crate"
)]
mod retry;

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use aws_sdk_bedrockruntime::{Client, config::retry::RetryConfig};
use post_snippets::direct::ask;
use tokio::{runtime, time::Instant};
use workshop_testkit::{Fault, Lab, Step};

use super::{journal, throttling};
use crate::{kept::kept, recorded::profile};

/// What the helper returns, and how long it paused. Its pauses pass at once, as nothing else happens on
/// its runtime; the calls are made on another one, where time is real.
fn again(client: &Client, max_retries: u32) -> (Result<String, String>, Duration) {
    let calls = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let handle = calls.handle().clone();
    let own = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let ended = own.block_on(async {
        let begin = Instant::now();
        let ended = retry::ask_again(
            || {
                let client = client.clone();
                let asked = async move { ask(&client, &profile(), "Name a river.", 50).await };
                let asked = handle.spawn(asked);
                async {
                    let asked = asked.await.unwrap().map(|reply| reply.text);
                    asked.map_err(|error| error.code().unwrap_or("no answer").to_owned())
                }
            },
            max_retries,
        );
        (ended.await, begin.elapsed())
    });
    calls.shutdown_background();
    ended
}

/// On a thread of its own: a runtime cannot block another one's thread.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

#[tokio::test]
async fn a_loop_around_the_sdks_loop() {
    let lab = Lab::start().await;
    lab.script((0..12).map(|_| throttling()));
    // The SDK's defaults, but for the pause before its first retry.
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let client = lab.client_with(|config| config.retry_config(retries));
    let (ended, _) = apart(|| again(&client, 3));
    assert!(ended.is_err());
    let calls = lab.calls();
    assert_eq!(calls.len(), 9);
    let mut text = String::new();
    let mut invocations: Vec<&str> = Vec::new();
    for call in &calls {
        if !invocations.contains(&call.invocation.as_str()) {
            invocations.push(&call.invocation);
        }
        let _ = writeln!(
            text,
            "call {} of the loop   amz-sdk-request: {:<17} → {} {}",
            invocations.len(),
            call.header("amz-sdk-request").unwrap(),
            call.status,
            call.error.as_deref().unwrap_or("OK")
        );
    }
    kept("bugs/nine-attempts.txt", &text);
}

#[tokio::test]
async fn three_retries_one_and_none() {
    let mut text = String::from("max_retries   requests   result\n");
    for max_retries in [3, 1, 0] {
        let lab = Lab::start().await;
        lab.script((0..5).map(|_| throttling()));
        let client = lab.client();
        let (ended, _) = apart(|| again(&client, max_retries));
        let _ = writeln!(
            text,
            "{max_retries:<13} {:<10} {ended:?}",
            lab.calls().len()
        );
    }
    assert!(
        text.ends_with("0             0          Ok(\"\")\n"),
        "{text}"
    );
    kept("bugs/no-attempt.txt", &text);
}

#[tokio::test]
async fn a_denial_is_repeated() {
    let lab = Lab::start().await;
    lab.script((0..5).map(|_| Step::Fault(Fault::AccessDenied)));
    let client = lab.client();
    let (ended, waited) = apart(|| again(&client, 5));
    assert_eq!(ended.unwrap_err(), "AccessDeniedException");
    kept(
        "bugs/retried-denial.txt",
        &format!(
            "{}\nthe caller has waited {} s, and knows what the first answer said\n",
            journal(&lab.calls()),
            waited.as_secs()
        ),
    );
}

#[tokio::test(start_paused = true)]
async fn three_clients_in_the_same_seconds() {
    let arrivals: Arc<Mutex<Vec<(u64, char)>>> = Arc::default();
    let begin = Instant::now();
    let clients: Vec<_> = ['a', 'b', 'c']
        .map(|client| {
            let arrivals = Arc::clone(&arrivals);
            tokio::spawn(async move {
                let throttled = || {
                    let second = begin.elapsed().as_secs();
                    arrivals.lock().unwrap().push((second, client));
                    std::future::ready(Err::<String, _>("ThrottlingException"))
                };
                retry::ask_again(throttled, 6).await
            })
        })
        .into();
    for client in clients {
        client.await.unwrap().unwrap_err();
    }
    let mut arrivals = arrivals.lock().unwrap().clone();
    arrivals.sort_unstable();
    let mut text = String::from("second   requests that arrive\n");
    for same in arrivals.chunk_by(|a, b| a.0 == b.0) {
        let who: Vec<String> = same.iter().map(|(_, client)| client.to_string()).collect();
        let _ = writeln!(text, "{:>6}   {}", same[0].0, who.join(" "));
        assert_eq!(same.len(), 3);
    }
    kept("bugs/same-second.txt", &text);
}

//! The wish to stop, as a future: Ctrl-C, or SIGTERM where there is one.

use workshop_runner::CancelToken;

use crate::exit;

/// Ends when the process is asked to stop. It listens from this call on, not from the first poll:
/// called before the process says that it is ready, nobody's Ctrl-C comes too early.
///
/// To be called inside a runtime.
pub(crate) fn requested() -> impl Future<Output = ()> {
    // Without a handler Ctrl-C still ends the process; only the goodbye is missing.
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut signals =
            [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok());
        async move {
            let [interrupt, terminate] = &mut signals;
            tokio::select! {
                () = received(interrupt) => {}
                () = received(terminate) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// A token that is cancelled when the process is asked to stop, so that cargo and the tests, which
/// run in process groups of their own, end as well. Asked a second time, the process just ends.
pub(crate) fn cancel_token() -> CancelToken {
    let token = CancelToken::new();
    let cancel = token.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        // Without a runtime Ctrl-C keeps its usual meaning.
        if let Ok(runtime) = runtime {
            runtime.block_on(async {
                requested().await;
                cancel.cancel();
                requested().await;
                std::process::exit(i32::from(exit::INTERRUPTED));
            });
        }
    });
    token
}

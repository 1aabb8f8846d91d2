//! The wish to stop, as a future: Ctrl-C, or SIGTERM where there is one.

use workshop_runner::CancelToken;

use crate::exit;

/// Returns when the process is asked to stop.
pub(crate) async fn requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler Ctrl-C still ends the process; only the goodbye is missing.
    let _ = tokio::signal::ctrl_c().await;
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

//! Asks Claude, and asks again when that fails.

use std::time::Duration;

use tokio::time::sleep;

/// Runs `ask` until it answers.
///
/// `ask` calls through the service's ordinary client, with the SDK's defaults;
/// the retries are added here.
pub async fn ask_again<F, E>(ask: impl Fn() -> F, max_retries: u32) -> Result<String, E>
where
    F: Future<Output = Result<String, E>>,
{
    let mut answer = String::new();
    for attempt in 0..max_retries {
        match ask().await {
            Ok(text) => {
                answer = text;
                break;
            }
            Err(error) if attempt + 1 == max_retries => return Err(error),
            // Something went wrong: wait a little.
            Err(_) => {
                // 1 s, 2 s, 4 s, 8 s, …
                sleep(Duration::from_secs(2_u64.pow(attempt))).await;
            }
        }
    }
    Ok(answer)
}

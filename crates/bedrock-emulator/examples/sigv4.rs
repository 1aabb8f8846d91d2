//! What verifying a signature costs: the same request to an emulator that verifies and to one that
//! does not. `cargo run --release -p bedrock-emulator --example sigv4`.
//!
//! The signature was made by botocore for this request, whose model does not exist: the rest of the
//! way is short, and the difference is the signature's.

use std::{sync::Arc, time::Instant};

use bedrock_emulator::{Config, Emulator, Request, emulator::Auth};
use time::{Duration, OffsetDateTime};

const ROUNDS: u32 = 100_000;

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=AKIAIOSFODNN7EXAMPLE/20260819/us-east-1/bedrock/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date, \
    Signature=cb46d5391f6c3f4e6ddf3778b5dc4a2d601e491d7c97cea23ba7be7430759abf";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let strict = measure(Auth::Strict)?;
    let off = measure(Auth::Off)?;
    println!("verified    {strict:.2} µs");
    println!("not at all  {off:.2} µs");
    println!("difference  {:.2} µs", strict - off);
    Ok(())
}

/// Microseconds per request, the best of five rounds.
fn measure(auth: Auth) -> Result<f64, Box<dyn std::error::Error>> {
    let emulator = Emulator::new(Config {
        auth,
        ..Config::default()
    })?;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Arc::new(Request {
        method: "POST".to_owned(),
        target: "/model/vendor.model-v1%3A0/converse".to_owned(),
        headers: vec![
            header("host", "127.0.0.1:4566"),
            header("x-amz-date", "20260819T143434Z"),
            header("authorization", AUTHORIZATION),
            header("content-type", "application/json"),
        ]
        .into(),
        body: "{\"messages\":[]}".into(),
        connection: 1,
    });
    let now = OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_787_150_074);
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let reply = emulator.answer(Arc::clone(&request), now);
            assert_eq!(
                reply.status, 400,
                "the signature is right, the model is unknown"
            );
        }
        let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
        best = best.min(micros);
    }
    Ok(best)
}

//! The floor: what HTTP, JSON and as many bytes cost without any emulation.

use axum::{Json, Router, extract::State, http::header::CONTENT_TYPE, routing::post};
use serde_json::Value;

/// Serves `POST /*` on a free port, which it prints.
pub(crate) async fn run(bytes: usize) -> anyhow::Result<()> {
    let answer: &'static str = "x".repeat(bytes).leak();
    let app = Router::new()
        .route("/{*path}", post(handler))
        .with_state(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn handler(
    State(answer): State<&'static str>,
    Json(body): Json<Value>,
) -> ([(axum::http::HeaderName, &'static str); 1], &'static str) {
    std::hint::black_box(body);
    ([(CONTENT_TYPE, "application/json")], answer)
}

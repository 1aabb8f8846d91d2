//! Exercise {{id}}: {{title}}.
//!
//! Send a prompt to a model, and return all of what it said.
//! This is the only file you edit. The task is in `README.md`; `workshop hint {{id}}` helps.

use aws_sdk_bedrockruntime::Client;

/// Why there is no answer.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Asks `model` once, and returns all text blocks of its answer, joined.
pub async fn answer(client: &Client, model: &str, prompt: &str) -> Result<String, Failure> {
    let _ = client;
    todo!("{{id}}/1: send {prompt:?} to {model} with Converse and return the text of the answer")
}

//! Exercise 009: tool use.
//!
//! The loop that every agent is: offer tools, do what the model asks for, hand back the results, and
//! stop. And one tool that trusts nobody. This is the only file you edit; the types stand in
//! `given.rs`. The task is in `README.md`; `workshop hint 009` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::path::PathBuf;

use aws_sdk_bedrockruntime::{Client, types::ToolSpecification};
use aws_smithy_types::Document;

pub use given::{AgentError, Limits, Outcome, Tool, document, read_file_spec, text_at};

/// Reads text files below one folder, and nothing else.
#[derive(Debug, Clone)]
pub struct ReadFile {
    /// The folder.
    pub folder: PathBuf,
}

impl Tool for ReadFile {
    fn spec(&self) -> ToolSpecification {
        read_file_spec()
    }

    /// `{"path": "docs/plan.md"}` becomes `{"text": "…"}`.
    fn call(&self, input: &Document) -> Result<Document, String> {
        todo!(
            "009/2: read what {input:?} names, if it lies below {}",
            self.folder.display()
        )
    }
}

/// Asks `model`, does what it asks for with `tools`, and returns what it says in the end.
pub async fn run(
    client: &Client,
    model: &str,
    tools: &[Box<dyn Tool>],
    prompt: &str,
    limits: &Limits,
) -> Result<Outcome, AgentError> {
    let _ = client;
    todo!(
        "009/1: ask {model} {prompt:?} with {} tools, in at most {} turns",
        tools.len(),
        limits.turns
    )
}

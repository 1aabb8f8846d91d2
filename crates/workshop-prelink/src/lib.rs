//! The SDK and its companions, linked once into one shared library for all exercises.
//!
//! An exercise's test binary would otherwise link 30 MB of SDK after every edit. This crate
//! holds no code; it only pulls the heavy crates into one `dylib`.
pub use {
    aws_sdk_bedrockruntime, aws_smithy_http_client, aws_smithy_runtime_api, aws_smithy_types,
    bedrock_emulator, bedrock_endpoint, serde_json, tokio,
};

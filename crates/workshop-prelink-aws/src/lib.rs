//! The services beside Bedrock, linked once into one shared library for the exercises about them.
//!
//! It lies on top of `workshop-prelink` and, like it, holds no code. The SDKs of the services are not
//! in it: each exercise uses one or two, and should not build the others.
pub use {aws_lambda_events, aws_local, lambda_http, lambda_runtime};

use workshop_prelink as _;

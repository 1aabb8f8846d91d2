//! The emulator as a [`wiremock`] responder, and matchers that speak Bedrock.
//!
//! For tests of your own, around your own `MockServer`:
//!
//! ```no_run
//! # async fn example() {
//! use bedrock_wiremock::{Bedrock, Step, body_at, operation};
//! use wiremock::{Mock, MockServer};
//!
//! let server = MockServer::start().await;
//! let bedrock = Bedrock::new();
//! bedrock.script([Step::text("It is sunny.")]);
//! Mock::given(operation("Converse"))
//!     .and(body_at("/inferenceConfig/maxTokens", 64))
//!     .respond_with(bedrock)
//!     .expect(1)
//!     .mount(&server)
//!     .await;
//! # }
//! ```
//!
//! wiremock answers with one body after one delay. So a stream's frames arrive together, all gates
//! are open, and a connection cannot be closed without an answer. Where that matters, use a `Lab` of
//! `workshop-testkit`.

mod matchers;
mod respond;

pub use bedrock_emulator::{
    Config, Emulator,
    journal::Entry,
    script::{Fault, Piece, Step},
};
pub use matchers::{BodyAtMatcher, ModelMatcher, OperationMatcher, body_at, model, operation};
pub use respond::Bedrock;

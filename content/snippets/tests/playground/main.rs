//! What the playground saves as a test, word for word: `workshop-server` compares these files with what
//! it writes, and here they compile and pass.

#[rustfmt::skip]
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a reader who pastes it sees at once what is asked of each tool"
)]
mod converse;
#[rustfmt::skip]
mod cut_stream;

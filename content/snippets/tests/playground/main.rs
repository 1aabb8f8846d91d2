//! What the playground saves as a test, word for word: `workshop-server` compares these files with what
//! it writes, and here they compile and pass.

#[rustfmt::skip]
mod converse;
#[rustfmt::skip]
mod cut_stream;

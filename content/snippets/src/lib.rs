//! The code that the posts show.
//!
//! A post never carries code of its own: it names a file and a region
//! (`// region: NAME` … `// endregion: NAME`), and the course pulls the text from here, where it
//! is compiled and tested. One module for each pattern or practice, in the order of the article
//! on integration patterns. The model is always an argument: ids live in the catalogue.

pub mod direct;
pub mod frames;
pub mod invoke;
pub mod lambda;

pub mod gateway;
pub mod queue;
pub mod workflow;

pub mod cache;
pub mod cost;
pub mod retry;

pub mod metrics;
pub mod policy;

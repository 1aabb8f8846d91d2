//! The course as validated types: posts, diagrams, exercises, tracks.
//!
//! [`Course::load`] takes files as bytes ([`Tree`]) and never fails: what cannot be used becomes a
//! [`Diagnostic`] with file, line and cure, and the rest of the course still works. No HTTP, no
//! processes; HTML leaves this crate only as the rendered body of a post, diagram or exercise.

pub mod course;
pub mod diagnostic;
pub mod tree;

pub use course::{
    Course, Diagram, DiagramPage, Exercise, Hint, Post, Real, RealLimits, Recall, Rendered, Slug,
    TocEntry, Track,
};
pub use diagnostic::{Diagnostic, Severity};
pub use tree::Tree;

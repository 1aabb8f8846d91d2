//! The course as validated types: posts, diagrams, exercises, tracks.
//!
//! [`Course::load`] takes files as bytes ([`Tree`]) and never fails: what cannot be used becomes a
//! [`Diagnostic`] with file, line and cure, and the rest of the course still works. No HTTP, no
//! processes; HTML leaves this crate only as the rendered body of a post, diagram or exercise.
//!
//! Read in this order: [`tree`] (files), [`course`] (what they become), `load` (how), then the
//! parts: `document` and `front_matter` (a Markdown file taken apart), `markdown` (its body as
//! HTML), `links`, `regions`, [`drawing`] and `markup` (what bodies refer to), `exercise`, `bug`,
//! `agenda`, `house`, [`map`], [`coverage`].

pub mod course;
pub mod coverage;
pub mod diagnostic;
pub mod drawing;
pub mod map;
pub mod tree;

mod agenda;
mod bug;
mod document;
mod exercise;
mod front_matter;
mod house;
mod links;
mod load;
mod markdown;
mod markup;
mod nearest;
mod regions;

pub use course::{
    Agenda, AgendaBlock, Bug, BugClass, BugPage, ChainPart, Course, Diagram, DiagramPage, Exercise,
    Hint, Pattern, Post, Real, RealLimits, Recall, Rendered, Slug, TocEntry, Track, WireRecord,
};
pub use diagnostic::{Diagnostic, Severity};
pub use drawing::{Fence, Sidecar, source_sha256};
pub use house::FILES_WITH_MISTAKEN_IDS;
pub use links::percent_decoded;
pub use load::fences;
pub use map::{course_map, map_node};
pub use markup::escape_text;
pub use tree::Tree;

//! Mermaid to themed SVG. Only authors build this crate: its renderer costs minutes to compile, so
//! drawings are committed beside the texts, with a check that they are fresh.
//!
//! What comes out has classes and `fill` attributes, never styles, so that it passes a strict CSP
//! and follows the site's light and dark theme (`diagram.css`). Nodes and edges have stable
//! `data-node` and `data-edge` attributes, which a live trace lights up.
//!
//! Read in this order: [`draw()`] (one diagram), `mermaid` (the renderer and what it understood),
//! `restyle` (its SVG made ours, on an XML tree: `xml`), `colour`, `font`, then [`files`] (all
//! diagrams of a course).

pub mod files;

mod colour;
mod draw;
mod font;
mod mermaid;
mod restyle;
mod xml;

pub use draw::{DrawError, Drawing, RENDERER, draw};

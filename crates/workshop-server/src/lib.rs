//! Serves the course's pages and its live events, to this machine only.
//!
//! Read in this order: [`site`] (start and stop), [`state`] (what every handler sees), [`mod@router`]
//! (the table of addresses), [`guard`] (who may ask: hosts, origins, the token), [`pages`] (one
//! module per kind of page; templates lie in `templates/`), [`events`] (the live stream and what
//! it adds up to), [`ask`] (requests to the emulator beside the site), [`playground`] (one of them, told
//! as it happens), [`explained`] (errors in a sentence), [`tail`] (the student's event log), [`files`]
//! (the student's file in the page's editor), [`presence`] (which exercises are open), [`runs`],
//! [`bedrock`] (the switch to the real one), [`watch`] (reload for authors), [`assets`], [`shelf`] (pages kept as they were sent), [`export`] (the same pages as files).
//!
//! Reading needs no token. Whatever runs code or shows the student's requests does.
//! No page loads anything from another host; the content security policy says so to the browser.

pub mod ask;
pub mod assets;
pub mod bedrock;
pub mod events;
pub mod explained;
pub mod export;
pub mod files;
pub mod guard;
pub mod pages;
pub mod playground;
pub mod presence;
pub mod router;
pub mod runs;
pub mod shelf;
pub mod site;
pub mod state;
pub mod tail;
pub mod watch;

pub use router::router;
pub use site::{Running, Site, SiteConfig, Source, StartError};
pub use state::AppState;

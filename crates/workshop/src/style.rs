//! Colour in the terminal: only when a person looks at it and has not said no.

use std::{env, io::IsTerminal, sync::OnceLock};

use crossterm::style::Stylize;

/// Whether colour may be used on standard output.
pub(crate) fn colour() -> bool {
    static COLOUR: OnceLock<bool> = OnceLock::new();
    *COLOUR.get_or_init(|| {
        // Unit tests compare text, wherever somebody runs them.
        !cfg!(test)
            && std::io::stdout().is_terminal()
            && env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            && env::var_os("TERM").is_none_or(|t| t != "dumb")
    })
}

macro_rules! styles {
    ($($(#[$doc:meta])* $name:ident = $($method:ident).+;)+) => {$(
        $(#[$doc])*
        pub(crate) fn $name(text: &str) -> String {
            if colour() {
                text$(.$method())+.to_string()
            } else {
                text.to_owned()
            }
        }
    )+};
}

styles! {
    /// Passed.
    green = green;
    /// Failed.
    red = red;
    /// Worth a look.
    yellow = yellow;
    /// Less important.
    dim = dim;
    /// A heading.
    bold = bold;
}

//! Rust's own tools beside cargo: rustfmt for a text, and what rustc says about an error's number.
//! Both run within bounds, as everything does that this crate starts.

use std::{ffi::OsString, io, path::PathBuf, time::Duration};

use crate::{
    CancelToken, Workspace,
    process::{Ended, How, Limits, Program},
    student_file::FILE_MAX,
};

/// The edition of the exercises.
const EDITION: &str = "2024";

/// Both take milliseconds; the first call of a rustup proxy may take a second.
const WALL: Duration = Duration::from_secs(10);

/// Why a tool gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// It is not installed, or did not start.
    #[error("{0}")]
    NotThere(String),
    /// It read the text and refused it; these are its words.
    #[error("{0}")]
    Refused(String),
    /// It was stopped.
    #[error("{0} did not end within {secs} seconds", secs = WALL.as_secs())]
    TooLong(&'static str),
    /// No error of rustc has that number.
    #[error("rustc knows no explanation for {0}")]
    Unknown(String),
}

/// The text as rustfmt writes it, by the workspace's `rustfmt.toml`. The text goes in by standard
/// input: from there rustfmt follows no `mod` line to another file.
pub fn format(workspace: &Workspace, text: &str) -> Result<String, ToolError> {
    let args = ["--edition", EDITION, "--emit", "stdout"];
    let ended = run("rustfmt", "RUSTFMT", &args, workspace, text.as_bytes())?;
    let words = String::from_utf8_lossy(&ended.stderr);
    match ended.how {
        How::Exited(status) if status.success() => {
            String::from_utf8(ended.stdout).map_err(|_| ToolError::Refused(words.into_owned()))
        }
        How::Exited(_) if words.contains("is not installed") => Err(ToolError::NotThere(
            "rustfmt is not installed. Run `rustup component add rustfmt`.".to_owned(),
        )),
        How::Exited(_) => Err(ToolError::Refused(without_input_name(&words))),
        How::Flooded(_) => Err(ToolError::Refused("rustfmt wrote too much".to_owned())),
        How::TimedOut | How::Cancelled => Err(ToolError::TooLong("rustfmt")),
    }
}

/// What `rustc --explain` says, as Markdown. It needs no network.
pub fn explain(workspace: &Workspace, code: &str) -> Result<String, ToolError> {
    let unknown = || ToolError::Unknown(code.to_owned());
    if !is_code(code) {
        return Err(unknown());
    }
    let ended = run("rustc", "RUSTC", &["--explain", code], workspace, &[])?;
    match ended.how {
        How::Exited(status) if status.success() => {
            String::from_utf8(ended.stdout).map_err(|_| unknown())
        }
        How::Exited(_) | How::Flooded(_) => Err(unknown()),
        How::TimedOut | How::Cancelled => Err(ToolError::TooLong("rustc")),
    }
}

/// `E` and four digits.
pub fn is_code(code: &str) -> bool {
    let digits = code.strip_prefix('E').unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn run(
    name: &'static str,
    variable: &str,
    args: &[&str],
    workspace: &Workspace,
    input: &[u8],
) -> Result<Ended, ToolError> {
    let program = Program {
        path: std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from),
        args: args.iter().map(OsString::from).collect(),
        cwd: workspace.root().to_owned(),
        env: Vec::new(),
        guard: None,
        input: input.to_vec(),
    };
    let limits = Limits {
        wall: WALL,
        output_bytes: 2 * FILE_MAX,
        ..Limits::default()
    };
    program
        .run(&limits, &CancelToken::new())
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ToolError::NotThere(format!(
                "{name} was not found. Install Rust from https://rustup.rs, open a new terminal and start the workshop there."
            )),
            _ => ToolError::NotThere(format!("{name} could not be started: {error}")),
        })
}

/// rustfmt calls what it reads `<stdin>`; the student knows the file.
fn without_input_name(words: &str) -> String {
    words.replace("<stdin>", "src/lib.rs").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Workspace {
        Workspace::at(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn a_text_is_formatted_and_other_files_are_not_looked_for() {
        let text = "mod given;\nfn  main( ){\nlet x=1;}\n";
        let formatted = "mod given;\nfn main() {\n    let x = 1;\n}\n";
        assert_eq!(format(&here(), text).as_deref(), Ok(formatted));
    }

    #[test]
    fn what_cannot_be_parsed_is_refused_in_rustfmts_words() {
        let Err(ToolError::Refused(words)) = format(&here(), "fn main( {\n") else {
            panic!("it was formatted");
        };
        assert!(words.contains("src/lib.rs:1:"), "{words}");
    }

    #[test]
    fn an_error_is_explained_by_its_number_only() {
        let text = explain(&here(), "E0308").unwrap();
        assert!(text.contains("```"), "{text}");
        for code in ["E9999", "E308", "--help", "E0308 x", ""] {
            let unknown = ToolError::Unknown(code.to_owned());
            assert_eq!(explain(&here(), code), Err(unknown));
        }
    }
}

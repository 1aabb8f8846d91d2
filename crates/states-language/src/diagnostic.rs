//! What is wrong with a definition, in the words of `ValidateStateMachineDefinition`.

use std::fmt;

use serde_json::{Value, json};

/// One finding. Only errors are reported: AWS's warnings do not stop a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which rule was broken.
    pub code: Code,
    /// What is wrong, for people.
    pub message: String,
    /// Where: `/States/Foo/Next`. Absent when the whole definition is meant.
    pub location: Option<String>,
}

impl Diagnostic {
    pub(crate) fn schema(location: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::SchemaValidationFailed, location, message)
    }

    /// As in the answer of `ValidateStateMachineDefinition`.
    pub fn to_json(&self) -> Value {
        let mut shown = json!({
            "severity": "ERROR",
            "code": self.code.as_str(),
            "message": self.message,
        });
        if let Some(location) = &self.location {
            shown["location"] = location.as_str().into();
        }
        shown
    }

    pub(crate) fn new(code: Code, location: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            location: Some(location.into()),
        }
    }
}

/// As in the text of `InvalidDefinition`: `MISSING_END_STATE: Workflow has no terminal state at null`
/// (measured, the `null` included).
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = self.location.as_deref().unwrap_or("null");
        write!(f, "{}: {} at {location}", self.code.as_str(), self.message)
    }
}

/// The message of the `InvalidDefinition` error with which `CreateStateMachine` refuses a definition
/// (recorded).
pub fn invalid_definition(diagnostics: &[Diagnostic]) -> String {
    let all: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    format!("Invalid State Machine Definition: '{}'", all.join(", "))
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The codes of AWS's diagnostics that this crate gives (service model).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// As on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// Not JSON.
    InvalidJsonDescription = "INVALID_JSON_DESCRIPTION",
    /// Empty.
    MissingDescription = "MISSING_DESCRIPTION",
    /// A field is missing, unknown, of the wrong type or out of range.
    SchemaValidationFailed = "SCHEMA_VALIDATION_FAILED",
    /// No state ends the workflow.
    MissingEndState = "MISSING_END_STATE",
    /// Two states have one name.
    DuplicateStateName = "DUPLICATE_STATE_NAME",
    /// A state's name is empty or too long.
    InvalidStateName = "INVALID_STATE_NAME",
    /// A transition leads nowhere, or none leads here.
    MissingTransitionTarget = "MISSING_TRANSITION_TARGET",
}

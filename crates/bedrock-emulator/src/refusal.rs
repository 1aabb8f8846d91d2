//! The refusals that read the same every time: one row each with its code, spelling, text and the
//! evidence for it.
//!
//! Some the emulator gives by itself (an unknown model, an ended one); the others stand for
//! circumstances of an account that it does not have, such as a missing agreement, and are there to
//! be asked for by name, as a [`crate::script::Fault`]. The texts that depend on the request are the
//! rows of [`crate::rules`].

use crate::error::{ApiError, Code};

/// How well a text is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// It stands in a recording of real traffic.
    Recorded,
    /// Somebody pasted it from a live answer.
    Seen,
    /// It follows from AWS's service model.
    Modelled,
    /// AWS or Anthropic document it.
    Documented,
    /// Nobody knows; this is our choice.
    Chosen,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $row:literal, $text_name:literal, $code:ident, $evidence:ident, $text:expr;)*) => {
        /// A refusal with a fixed text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal { $($(#[$doc])* $name,)* }

        impl Refusal {
            /// Every refusal, in the order of the catalogue of errors.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What scripts and faults call it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text_name,)* }
            }

            /// The row in the catalogue of errors it stands for.
            pub const fn row(self) -> u8 {
                match self { $(Self::$name => $row,)* }
            }

            /// Its code.
            pub const fn code(self) -> Code {
                match self { $(Self::$name => Code::$code,)* }
            }

            /// Its text.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How well the text is known.
            pub const fn evidence(self) -> Evidence {
                match self { $(Self::$name => Evidence::$evidence,)* }
            }
        }
    };
}

refusals! {
    /// No model or profile has this id, or not in this region.
    UnknownModel = 1, "unknown-model", Validation, Recorded,
        "The provided model identifier is invalid.";
    /// An id with a context size at its end (`:0:28k`), which only provisioned throughput knows.
    ContextSuffix = 4, "context-suffix", Validation, Seen,
        "The provided model doesn't support on-demand throughput.";
    /// The model exists elsewhere.
    ModelNotFound = 5, "model-not-found", ResourceNotFound, Seen,
        "Model not found.";
    /// A model that makes no text, asked through Converse.
    NotAChatModel = 6, "not-a-chat-model", Validation, Seen,
        "This action doesn't support the model that you provided. \
         Try again with a supported text or chat model.";
    /// The model has ended.
    EndOfLife = 7, "end-of-life", ResourceNotFound, Seen,
        "This model version has reached the end of its life. \
         Please refer to the AWS documentation for more details.";
    /// The model is legacy and the account has not used it lately.
    LegacyInactive = 8, "legacy-inactive", ResourceNotFound, Seen,
        "Access denied. This Model is marked by provider as Legacy and you have not been actively \
         using the model in the last 30 days. \
         Please upgrade to an active model on Amazon Bedrock";
    /// The account has no extended access to a model whose legacy time is over.
    ExtendedAccess = 9, "extended-access", Validation, Seen,
        "Operation not allowed";
    /// The account has not asked for access to the model.
    ModelAccess = 10, "model-access", AccessDenied, Recorded,
        "You don't have access to the model with the specified model ID.";
    /// The account may not invoke models at all.
    AccountNotAuthorized = 11, "account-not-authorized", AccessDenied, Seen,
        "Your account is not authorized to invoke this API operation.";
    /// The caller lacks the Marketplace permissions that a first use needs.
    Marketplace = 12, "marketplace", AccessDenied, Seen,
        "Model access is denied due to IAM user or service role is not authorized to perform the \
         required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, \
         aws-marketplace:Subscribe) to enable access to this model. \
         Refer to the Amazon Bedrock documentation for further details. \
         Your AWS Marketplace subscription for this model cannot be completed at this time. \
         If you recently fixed this issue, try again after 5 minutes.";
    /// Anthropic's form about the use case was not filled in. The end of the sentence is not known.
    UseCaseForm = 13, "use-case-form", ResourceNotFound, Documented,
        "Model use case details have not been submitted for this account. \
         Fill out the Anthropic use case details form before using the model.";
    /// Too many requests in a minute.
    TooManyRequests = 58, "too-many-requests", Throttling, Seen,
        "Too many requests, please wait before trying again.";
    /// Too many tokens in a minute.
    TooManyTokens = 59, "too-many-tokens", Throttling, Seen,
        "Too many tokens, please wait before trying again.";
    /// Too many tokens in a day.
    TooManyTokensPerDay = 60, "too-many-tokens-per-day", Throttling, Seen,
        "Too many tokens per day, please wait before trying again.";
    /// No capacity.
    TooManyConnections = 61, "too-many-connections", ServiceUnavailable, Seen,
        "Too many connections, please wait before trying again.";
    /// No capacity, in another sentence.
    UnableToProcess = 61, "unable-to-process", ServiceUnavailable, Seen,
        "Bedrock is unable to process your request.";
    /// Bedrock failed.
    InternalServer = 62, "internal-server", InternalServer, Seen,
        "The system encountered an unexpected error during processing. Try your request again.";
    /// The model took too long.
    ModelTimeout = 63, "model-timeout", ModelTimeout, Modelled,
        "The request took too long to process. \
         Processing time exceeded the model timeout length.";
    /// The model is being loaded.
    ModelNotReady = 63, "model-not-ready", ModelNotReady, Modelled,
        "The model specified in the request is not ready to serve inference requests.";
    /// The model said something that is no tool use.
    ModelError = 63, "model-error", ModelError, Seen,
        "Model produced invalid sequence as part of ToolUse. \
         Please refer to the model tool use troubleshooting guide.";
    /// A prompt's ARN in place of a model's.
    PromptResource = 64, "prompt-resource", AccessDenied, Seen,
        "Your account is not authorized to invoke this API operation with a prompt resource.";
}

impl Refusal {
    /// The refusal with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.name() == name)
    }

    /// As Bedrock answers it.
    pub fn error(self) -> ApiError {
        ApiError::bedrock(self.code(), self.text())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Refusal;

    #[test]
    fn every_refusal_is_found_by_its_own_name() {
        let names: BTreeSet<_> = Refusal::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::of_name(refusal.name()), Some(*refusal));
        }
        assert_eq!(Refusal::of_name("no-such"), None);
    }
}

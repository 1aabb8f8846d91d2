//! Why an invocation or a configuration is refused. The names, statuses and reasons are the Invoke
//! API's own (service model).

/// Lambda refused the invocation, or could not carry it out. A function that fails is not an error
/// here: see [`crate::Invoked::function_error`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// No such function.
    #[error("Function not found: {0}")]
    ResourceNotFound(String),
    /// No execution environment may be used now.
    #[error("Rate Exceeded.")]
    TooManyRequests(ThrottleReason),
    /// The payload is longer than allowed.
    #[error("Request must be smaller than {max} bytes for the InvokeFunction operation")]
    RequestTooLarge {
        /// The limit that was passed.
        max: usize,
    },
    /// The payload is not JSON, or the client context no JSON object.
    #[error("{0}")]
    InvalidRequestContent(String),
    /// The request id, trace id or ARN cannot stand in a header.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// The host itself failed; the text says at what.
    #[error("{0}")]
    Service(String),
}

impl InvokeError {
    /// The exception's name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::TooManyRequests(_) => "TooManyRequestsException",
            Self::RequestTooLarge { .. } => "RequestTooLargeException",
            Self::InvalidRequestContent(_) => "InvalidRequestContentException",
            Self::InvalidParameterValue(_) => "InvalidParameterValueException",
            Self::Service(_) => "ServiceException",
        }
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> u16 {
        match self {
            Self::ResourceNotFound(_) => 404,
            Self::TooManyRequests(_) => 429,
            Self::RequestTooLarge { .. } => 413,
            Self::InvalidRequestContent(_) | Self::InvalidParameterValue(_) => 400,
            Self::Service(_) => 500,
        }
    }
}

/// Which limit a throttled invocation met: `Reason` of `TooManyRequestsException`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleReason {
    /// The function's own reserved concurrency is in use.
    ReservedFunctionConcurrentInvocationLimitExceeded,
    /// What the account has for all functions without a reservation is in use.
    ConcurrentInvocationLimitExceeded,
    /// More asynchronous events wait than the host keeps.
    CallerRateLimitExceeded,
}

impl ThrottleReason {
    /// The reason's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReservedFunctionConcurrentInvocationLimitExceeded => {
                "ReservedFunctionConcurrentInvocationLimitExceeded"
            }
            Self::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
            Self::CallerRateLimitExceeded => "CallerRateLimitExceeded",
        }
    }
}

/// A function cannot be configured like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value is outside of what Lambda allows.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// The name is taken.
    #[error("Function already exist: {0}")]
    ResourceConflict(String),
    /// No such function.
    #[error("Function not found: {0}")]
    ResourceNotFound(String),
}

impl ConfigError {
    /// The exception's name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidParameterValue(_) => "InvalidParameterValueException",
            Self::ResourceConflict(_) => "ResourceConflictException",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
        }
    }

    /// The HTTP status it is answered with.
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidParameterValue(_) => 400,
            Self::ResourceConflict(_) => 409,
            Self::ResourceNotFound(_) => 404,
        }
    }
}

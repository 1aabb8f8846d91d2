//! Given: what a definition is built for, and what a lint can say. Not to be edited.

/// What differs from one deployment to the next.
#[derive(Debug, Clone)]
pub struct Params {
    /// The model's inference profile.
    pub model: String,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// The ARN of a function that takes `{"pointer": "…"}` and answers with the text that lies
    /// there: a JSON string.
    pub fetch: String,
    /// The URL of the queue for jobs that failed.
    pub dead_letters: String,
    /// How long a task may take, in seconds.
    pub task_seconds: u32,
    /// How often a call to Bedrock is made again.
    pub retries: u32,
    /// The longest pause before that, in seconds.
    pub pause_seconds: u32,
}

/// A mistake that can be seen in a definition before it is deployed. `state` is the name of the state
/// that has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lint {
    /// `from`, a state or `StartAt`, leads to `to`, and there is no such state.
    NoSuchState {
        /// The state's name, or `StartAt`.
        from: String,
        /// Where it leads.
        to: String,
    },
    /// Whoever enters this state never comes to an end.
    NoEnd {
        /// Its name.
        state: String,
    },
    /// A Task without `TimeoutSeconds` or `TimeoutSecondsPath`.
    NoTimeout {
        /// Its name.
        state: String,
    },
    /// A Task whose last catcher does not take `States.ALL`.
    NoCatch {
        /// Its name.
        state: String,
    },
    /// A retrier without `MaxAttempts` or without `MaxDelaySeconds`.
    NoLimit {
        /// The state's name.
        state: String,
    },
    /// A retrier or catcher for `States.ALL` that has company, or others after it.
    NotLast {
        /// The state's name.
        state: String,
    },
    /// A catcher that puts the error where the input was.
    LosesInput {
        /// The state's name.
        state: String,
    },
}

//! Why a state failed, and which `ErrorEquals` says so.

/// What a task answered instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailure {
    /// The error's name, as `ErrorEquals` matches it: `Lambda.TooManyRequestsException`, `MyError`.
    pub error: String,
    /// For people: for a Lambda function the JSON text of its error object.
    pub cause: String,
}

impl TaskFailure {
    /// A failure of that name for that cause.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            cause: cause.into(),
        }
    }
}

pub(crate) const ALL: &str = "States.ALL";
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
pub(crate) const TIMEOUT: &str = "States.Timeout";
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
pub(crate) const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
pub(crate) const PARAMETER_PATH_FAILURE: &str = "States.ParameterPathFailure";
pub(crate) const BRANCH_FAILED: &str = "States.BranchFailed";
pub(crate) const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
pub(crate) const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";

/// AWS cuts longer causes (service model: `SensitiveCause`, at most 32,768 characters).
const CAUSE_CHARS: usize = 32_768;

/// A failure on its way through retriers, catchers and enclosing states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Failure {
    /// Absent only where a Fail state names none.
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    /// A documented name that AWS never shows but that `ErrorEquals` may use: the history says
    /// `States.Timeout` of a missed heartbeat (recorded) and `States.Runtime` of an unmatched Choice
    /// (measured).
    pub(crate) also: Option<&'static str>,
    /// The state failed by itself, not for what runs within it.
    pub(crate) own: bool,
}

impl Failure {
    pub(crate) fn new(error: &str, cause: impl Into<String>) -> Self {
        Self {
            error: Some(error.to_owned()),
            cause: Some(shortened(cause.into())),
            also: None,
            own: false,
        }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self::new(RUNTIME, cause)
    }

    pub(crate) fn data_limit(whose: &str) -> Self {
        Self::new(
            DATA_LIMIT_EXCEEDED,
            format!(
                "The state/task '{whose}' returned a result with a size exceeding the maximum number \
                 of bytes service limit."
            ),
        )
    }

    pub(crate) fn also(mut self, name: &'static str) -> Self {
        self.also = Some(name);
        self
    }

    /// States.Runtime is AWS's own word for "this cannot go on": its cause begins with where.
    pub(crate) fn in_state(mut self, name: &str, entered: u64) -> Self {
        self.own = true;
        if matches!(self.error.as_deref(), Some(RUNTIME | INTRINSIC_FAILURE)) {
            let why = self.cause.unwrap_or_default();
            self.cause = Some(shortened(format!(
                "An error occurred while executing the state '{name}' (entered at the event id \
                 #{entered}). {why}"
            )));
        }
        self
    }

    /// Whether `ErrorEquals` with this name takes the failure.
    pub(crate) fn is(&self, name: &str) -> bool {
        let error = self.error.as_deref();
        match name {
            // Recorded: a catcher for States.Runtime by name does not take one, and the developer
            // guide says the same of States.ALL. Of States.DataLimitExceeded the guide says so too,
            // but recorded executions show it caught by States.ALL, so it is.
            RUNTIME => false,
            ALL => error != Some(RUNTIME),
            TASK_FAILED => !matches!(error, Some(RUNTIME | TIMEOUT)),
            _ => error == Some(name) || self.also == Some(name),
        }
    }
}

impl From<TaskFailure> for Failure {
    fn from(task: TaskFailure) -> Self {
        Self::new(&task.error, task.cause)
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > CAUSE_CHARS
        && let Some((at, _)) = text.char_indices().nth(CAUSE_CHARS)
    {
        text.truncate(at);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which wildcards take which error.
    #[test]
    fn wildcards_take_errors() {
        for (error, all, task_failed) in [
            ("MyError", true, true),
            ("Lambda.TooManyRequestsException", true, true),
            (TIMEOUT, true, false),
            ("States.Permissions", true, true),
            (RESULT_PATH_MATCH_FAILURE, true, true),
            (INTRINSIC_FAILURE, true, true),
            ("States.ExceedToleratedFailureThreshold", true, true),
            ("States.ItemReaderFailed", true, true),
            ("States.ResultWriterFailed", true, true),
            (DATA_LIMIT_EXCEEDED, true, true),
            (RUNTIME, false, false),
        ] {
            let failure = Failure::new(error, "");
            assert_eq!(failure.is(ALL), all, "{error}");
            assert_eq!(failure.is(TASK_FAILED), task_failed, "{error}");
            assert_eq!(failure.is(error), error != RUNTIME, "{error}");
            assert!(!failure.is("Another"), "{error}");
        }
    }

    #[test]
    fn documented_names_take_what_aws_shows_by_another() {
        for name in [
            HEARTBEAT_TIMEOUT,
            NO_CHOICE_MATCHED,
            BRANCH_FAILED,
            PARAMETER_PATH_FAILURE,
        ] {
            let failure = Failure::runtime("").also(name);
            assert!(failure.is(name) && !failure.is(ALL));
        }
    }

    #[test]
    fn long_causes_are_cut_between_characters() {
        let failure = Failure::new("E", "é".repeat(40_000));
        assert_eq!(
            failure.cause.map(|cause| cause.chars().count()),
            Some(32_768)
        );
    }
}

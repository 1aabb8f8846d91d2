//! What a function is made of.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use crate::{ConfigError, variables};

/// A function's configuration. [`FunctionConfig::new`] gives Lambda's defaults.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// 1 to 64 letters, digits, `-` and `_`.
    pub name: String,
    /// The compiled program: AWS's `bootstrap`.
    pub program: PathBuf,
    /// What the program is started with; nothing on AWS, except for a container image, whose
    /// `ImageConfig.Command` this is.
    pub arguments: Vec<String>,
    /// What the program finds in `_HANDLER`.
    pub handler: String,
    /// The function's own variables. Names that Lambda reserves are refused.
    pub environment: BTreeMap<String, String>,
    /// The execution role's credentials, as Lambda puts them into the environment.
    pub credentials: Option<Credentials>,
    /// How long an invocation may take; up to 15 minutes. (AWS counts whole seconds from 1.)
    pub timeout: Duration,
    /// 128 to 10,240. Told to the function and the log; not enforced.
    pub memory_mb: u32,
    /// Environments at once; `Some(0)` turns the function off. `None`: what the account has.
    pub reserved_concurrency: Option<u32>,
    /// In the ARN and in `AWS_REGION`.
    pub region: String,
    /// In the ARN.
    pub account: String,
    /// The version that answers; in the ARN of a qualified call and in the log stream's name.
    pub version: String,
    /// How often an asynchronous invocation that failed is tried again: 0, 1 or 2.
    pub event_retries_max: u32,
    /// How long an asynchronous invocation may wait: 1 minute to 6 hours.
    pub event_age_max: Duration,
}

impl FunctionConfig {
    /// A function with Lambda's defaults: 3 seconds, 128 MB, no reserved concurrency, two retries
    /// of asynchronous invocations within six hours.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            handler: "bootstrap".to_owned(),
            environment: BTreeMap::new(),
            credentials: None,
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            reserved_concurrency: None,
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            version: "$LATEST".to_owned(),
            event_retries_max: 2,
            event_age_max: Duration::from_hours(6),
        }
    }

    /// The unqualified ARN.
    pub fn arn(&self) -> String {
        let (region, account, name) = (&self.region, &self.account, &self.name);
        format!("arn:aws:lambda:{region}:{account}:function:{name}")
    }

    /// The log group its lines belong to.
    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.name)
    }

    /// Checked against Lambda's limits, and with a program that does not depend on the working
    /// directory.
    pub(crate) fn checked(mut self) -> Result<Self, ConfigError> {
        self.check()?;
        self.program = std::path::absolute(&self.program).map_err(|error| {
            ConfigError::InvalidParameterValue(format!(
                "the program '{}' is no path: {error}",
                self.program.display()
            ))
        })?;
        Ok(self)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |text: String| Err(ConfigError::InvalidParameterValue(text));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            let name = &self.name;
            return refuse(format!(
                "the function name '{name}' must be 1 to 64 letters, digits, '-' and '_'"
            ));
        }
        if self.timeout.is_zero() || self.timeout > Duration::from_mins(15) {
            let timeout = self.timeout;
            return refuse(format!(
                "the timeout {timeout:?} must be above zero and at most 900 seconds"
            ));
        }
        if !(128..=10_240).contains(&self.memory_mb) {
            let memory = self.memory_mb;
            return refuse(format!(
                "the memory size {memory} must be between 128 and 10240 MB"
            ));
        }
        if self.event_retries_max > 2 {
            let retries = self.event_retries_max;
            return refuse(format!(
                "MaximumRetryAttempts {retries} must be between 0 and 2"
            ));
        }
        let ages = Duration::from_mins(1)..=Duration::from_hours(6);
        if !ages.contains(&self.event_age_max) {
            let age = self.event_age_max.as_secs();
            return refuse(format!(
                "MaximumEventAgeInSeconds {age} must be between 60 and 21600"
            ));
        }
        variables::check(&self.environment).map_err(ConfigError::InvalidParameterValue)
    }
}

/// Temporary credentials of the function's role.
#[derive(Clone)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(&mut FunctionConfig)) -> String {
        let mut config = FunctionConfig::new("f", "/bin/true");
        change(&mut config);
        config
            .check()
            .map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn lambdas_limits_hold() {
        assert_eq!(refused(|_| {}), "");
        assert!(refused(|c| c.name = String::new()).contains("function name"));
        assert!(refused(|c| c.name = "a b".into()).contains("'a b'"));
        assert!(refused(|c| c.name = "x".repeat(65)).contains("64"));
        assert!(refused(|c| c.timeout = Duration::ZERO).contains("900"));
        assert!(refused(|c| c.timeout = Duration::from_secs(901)).contains("900"));
        assert!(refused(|c| c.memory_mb = 127).contains("127"));
        assert!(refused(|c| c.event_retries_max = 3).contains("MaximumRetryAttempts"));
        assert!(refused(|c| c.event_age_max = Duration::from_secs(59)).contains("59"));
    }

    #[test]
    fn reserved_variables_are_refused_by_name() {
        let text = refused(|c| {
            c.environment.insert("AWS_REGION".into(), "x".into());
            c.environment.insert("MINE".into(), "x".into());
        });
        assert!(text.contains("AWS_REGION"), "{text}");
        assert!(!text.contains("MINE"), "{text}");
        assert!(refused(|c| _ = c.environment.insert("1X".into(), String::new())).contains("1X"));
    }
}

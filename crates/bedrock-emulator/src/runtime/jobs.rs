//! Asynchronous invocations of an account.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// How long a job is in progress, where AWS takes minutes.
const TAKES: Duration = Duration::seconds(2);

/// The jobs of one account, by the time they were submitted and their ARN.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    all: BTreeMap<(OffsetDateTime, String), Job>,
}

/// One job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) arn: String,
    pub(crate) model_arn: String,
    pub(crate) token: Option<String>,
    pub(crate) s3_uri: String,
    pub(crate) submitted: OffsetDateTime,
}

impl Jobs {
    /// How many jobs are kept; the oldest go.
    const CAPACITY: usize = 1_000;

    pub(crate) fn start(&mut self, job: Job) {
        if self.all.len() >= Self::CAPACITY {
            self.all.pop_first();
        }
        self.all.insert((job.submitted, job.arn.clone()), job);
    }

    /// A job that was started with this idempotency token.
    pub(crate) fn with_token(&self, token: &str) -> Option<&Job> {
        let mut all = self.all.values();
        all.find(|job| job.token.as_deref() == Some(token))
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Job> {
        self.all.values().find(|job| job.arn == arn)
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.all.values()
    }
}

impl Job {
    pub(crate) fn status(&self, now: OffsetDateTime) -> &'static str {
        if now < self.submitted + TAKES {
            "InProgress"
        } else {
            "Completed"
        }
    }

    /// As `GetAsyncInvoke` and `ListAsyncInvokes` show it.
    pub(crate) fn describe(&self, now: OffsetDateTime) -> Value {
        let status = self.status(now);
        let time = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
        let mut job = json!({
            "invocationArn": self.arn,
            "lastModifiedTime": time(self.submitted),
            "modelArn": self.model_arn,
            "outputDataConfig": { "s3OutputDataConfig": { "s3Uri": self.s3_uri } },
            "status": status,
            "submitTime": time(self.submitted),
        });
        if let Some(token) = &self.token {
            job["clientRequestToken"] = token.as_str().into();
        }
        if status == "Completed" {
            let end = time(self.submitted + TAKES);
            job["endTime"] = end.as_str().into();
            job["lastModifiedTime"] = end.into();
        }
        job
    }
}

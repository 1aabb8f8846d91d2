//! How the tests call your code, and what they see of a call. Not to be edited.

mod metrics;
mod watch;

use std::{panic::resume_unwind, time::Duration};

use aws_sdk_cloudwatch::Client as CloudWatch;
use ex016::{App, Ask, AskError, Clock, Reply, ask_observed};
use tokio::task::JoinError;
use workshop_testkit::{LAMBDA, Point, Value, within};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::{Clock as _, ManualClock},
};

pub(crate) use metrics::{Metrics, taken};
pub(crate) use watch::Watch;

/// The dimension `Operation`.
pub(crate) const OPERATION: &str = "Converse";

/// The lab's time, for your code.
#[derive(Debug, Clone)]
pub(crate) struct LabClock(pub(crate) ManualClock);

impl Clock for LabClock {
    fn now_ms(&self) -> u64 {
        let now = self.0.now().unix_timestamp_nanos() / 1_000_000;
        u64::try_from(now).expect("after 1970")
    }
}

/// Sets a lab's one clock.
pub(crate) fn stands_at(lab: &AwsLab, ms: u64) {
    let nanoseconds = i128::from(ms) * 1_000_000;
    let moment = time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds);
    let now = lab.clock().now();
    lab.clock().advance(moment.expect("in this century") - now);
}

/// The program at the node `LAMBDA`: its clients sign as its role.
pub(crate) fn app(lab: &AwsLab) -> App {
    let config = lab.sdk_config_at(&LAMBDA);
    App {
        bedrock: aws_sdk_bedrockruntime::Client::new(&config),
        cloudwatch: CloudWatch::new(&config),
    }
}

pub(crate) fn question(lab: &AwsLab) -> Ask {
    Ask {
        model: lab.profile("haiku"),
        prompt: "Name a river.".into(),
        max_tokens: 64,
        timeout: Duration::from_mins(1),
        user_hash: Some("4e7a91".into()),
    }
}

/// What a call came to, and what stands on the sink.
pub(crate) struct Observed {
    pub(crate) answer: Result<Reply, AskError>,
    pub(crate) text: String,
}

/// One call of `ask_observed`, bounded.
pub(crate) async fn observed(lab: &AwsLab, ask: Ask, point: &Point) -> Observed {
    let (app, clock) = (app(lab), LabClock(lab.clock().clone()));
    let call = tokio::spawn(async move {
        let mut sink = Vec::new();
        let answer = ask_observed(&app, &ask, &mut sink, &clock).await;
        (answer, sink)
    });
    match within(point, "ask_observed(…)", call).await {
        Ok((answer, sink)) => Observed {
            answer,
            text: String::from_utf8_lossy(&sink).into_owned(),
        },
        Err(panicked) => died(panicked, "ask_observed(…)", "a Result", point),
    }
}

/// Fails with the panic's words; the starter's own go on as they are.
pub(crate) fn died(panicked: JoinError, what: &str, wanted: &str, point: &Point) -> ! {
    let panic = panicked.into_panic();
    let says = panic.downcast_ref::<String>().cloned();
    let says = says.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()));
    let says = says.unwrap_or_default();
    if says.contains("016/") {
        resume_unwind(panic);
    }
    point.fail(what, format!("a panic: {says}"), wanted);
}

impl Observed {
    /// The line as JSON; `null` when it is none.
    pub(crate) fn line(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn ending(&self) -> &'static str {
        match &self.answer {
            Ok(_) => "Ok",
            Err(AskError::Sdk(_)) => "Err(Sdk)",
            Err(AskError::NoText { .. }) => "Err(NoText)",
            Err(AskError::TimedOut) => "Err(TimedOut)",
        }
    }
}

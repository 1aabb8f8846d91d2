//! What Lambda counts in CloudWatch: `AWS/Lambda`, by function and for all of an account's functions.

use std::sync::Weak;

use bedrock_emulator::{Emulator, observe::ServiceMetric};
use lambda_host::{Attempt, FunctionConfig};
use time::OffsetDateTime;

/// The metrics of an account's functions in a region.
pub(super) struct Meter {
    pub(super) emulator: Weak<Emulator>,
    pub(super) account: String,
    pub(super) region: String,
}

impl Meter {
    /// Counts an attempt. `Errors` and `Throttles` count zeroes, too, so that their average is a rate
    /// (documentation: the sum of a metric that was not hit is 0).
    pub(super) fn measure(&self, function: &FunctionConfig, attempt: Attempt, now: OffsetDateTime) {
        let Some(emulator) = self.emulator.upgrade() else {
            return;
        };
        let values: &[(&'static str, f64)] = match attempt {
            Attempt::Throttled => &[("Throttles", 1.0)],
            Attempt::Begun { concurrent } => &[
                ("Throttles", 0.0),
                ("ConcurrentExecutions", f64::from(concurrent)),
            ],
            // What Lambda counts as an invocation is one that ran, whatever it ended with.
            Attempt::Ended(invoked) => &[
                ("Invocations", 1.0),
                (
                    "Errors",
                    f64::from(u8::from(invoked.function_error.is_some())),
                ),
                ("Duration", invoked.report.duration.as_secs_f64() * 1_000.0),
            ],
        };
        let metrics = values.iter().flat_map(|&(name, value)| {
            let of_function = vec![("FunctionName", function.name.clone())];
            [of_function, Vec::new()].map(|dimensions| ServiceMetric {
                region: self.region.clone(),
                namespace: "AWS/Lambda",
                name,
                dimensions,
                unit: match name {
                    "Duration" => "Milliseconds",
                    _ => "Count",
                },
                value,
            })
        });
        emulator.put_service_metrics(&self.account, metrics, now);
    }
}

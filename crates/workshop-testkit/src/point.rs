//! Assertions that teach.

use std::{
    any::type_name,
    fmt::{Debug, Display},
    future::Future,
    time::Duration,
};

use crate::legible::{self, Lines};

/// One thing a test insists on, and why it matters on the job.
///
/// A failure is at most twelve lines of at most a hundred characters, whatever the values:
///
/// ```text
/// 001/3 WIRE inferenceConfig.maxTokens
///   saw     nothing
///   wanted  64
///   why     without a limit one runaway answer costs as much as a hundred good ones
///   read    README.md "Limits" · workshop hint 001 2
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Point {
    id: &'static str,
    phase: &'static str,
    why: &'static str,
    read: &'static str,
}

impl Point {
    /// A point about what left the process. `id` is `001/3`; `read` names a section of the task or
    /// a hint.
    pub const fn wire(id: &'static str, why: &'static str, read: &'static str) -> Self {
        Self {
            id,
            phase: "WIRE",
            why,
            read,
        }
    }

    /// A point about what the student's function returned.
    pub const fn result(id: &'static str, why: &'static str, read: &'static str) -> Self {
        Self {
            id,
            phase: "RESULT",
            why,
            read,
        }
    }

    /// A point about what must not have happened.
    pub const fn restraint(id: &'static str, why: &'static str, read: &'static str) -> Self {
        Self {
            id,
            phase: "RESTRAINT",
            why,
            read,
        }
    }

    /// Fails unless `saw == wanted`. JSON values are shown as JSON; of two long values the part is
    /// shown where they begin to differ.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a test reads better without a reference before every literal"
    )]
    #[track_caller]
    pub fn equal<T: PartialEq<U> + Debug, U: Debug>(&self, what: &str, saw: T, wanted: U) {
        if saw != wanted {
            let (saw, wanted) = legible::differing(&shown(&saw), &shown(&wanted));
            self.fail(what, saw, wanted);
        }
    }

    /// Fails unless `ok`.
    #[track_caller]
    pub fn holds(&self, what: &str, ok: bool, saw: impl Display, wanted: impl Display) {
        if !ok {
            self.fail(what, saw, wanted);
        }
    }

    /// Fails.
    ///
    /// # Panics
    ///
    /// Always: that is how a test fails.
    #[track_caller]
    pub fn fail(&self, what: &str, saw: impl Display, wanted: impl Display) -> ! {
        panic!(
            "{}",
            self.message(what, &saw.to_string(), &wanted.to_string())
        )
    }

    /// One line for the heading, three for each of `saw`, `wanted` and `why`, two for `read`.
    fn message(&self, what: &str, saw: &str, wanted: &str) -> String {
        let mut message = legible::one_line(&format!("{} {} {what}", self.id, self.phase));
        let parts = [
            ("saw", saw, 3),
            ("wanted", wanted, 3),
            ("why", self.why, 3),
            ("read", self.read, 2),
        ];
        for (label, text, lines) in parts {
            let text = if text.trim().is_empty() {
                "nothing"
            } else {
                text
            };
            for (number, line) in Lines::of(text, lines).enumerate() {
                let label = if number == 0 { label } else { "" };
                message.extend(["\n  ", &format!("{label:<8}"), &line]);
            }
        }
        message
    }
}

/// The value's `Debug` form; JSON as JSON, not as `Object {"maxTokens": Number(64)}`, and `None` as
/// the sentence needs it.
fn shown<T: Debug>(value: &T) -> String {
    let debug = format!("{value:?}");
    let debug = if type_name::<T>().contains("serde_json") {
        legible::json(&debug)
    } else {
        debug
    };
    match debug
        .strip_prefix("Some(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inner) => inner.to_owned(),
        None if debug == "None" => "nothing".to_owned(),
        None => debug,
    }
}

/// How long [`within`] waits.
const LIMIT: Duration = Duration::from_secs(5);

/// Awaits `future`, and fails with the point's sentence instead of hanging if it is not ready after
/// five seconds. Only a wrong solution ever waits that long.
pub fn within<F: Future>(point: &Point, what: &str, future: F) -> impl Future<Output = F::Output> {
    within_limit(LIMIT, *point, what.to_owned(), future)
}

fn within_limit<F: Future>(
    limit: Duration,
    point: Point,
    what: String,
    future: F,
) -> impl Future<Output = F::Output> {
    // An SDK call is a future of 20 KB; boxed here, it does not make the test's own future as large.
    let future = Box::pin(future);
    async move {
        match tokio::time::timeout(limit, future).await {
            Ok(output) => output,
            Err(_) => point.fail(
                &what,
                "still waiting after 5 seconds",
                "an end, long before that",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POINT: Point = Point::wire(
        "001/3",
        "without a limit one runaway answer costs as much as a hundred good ones",
        "README.md \"Limits\" · workshop hint 001 2",
    );

    /// The message of a failing assertion.
    fn failure(assertion: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(assertion).expect_err("the assertion fails");
        let message = *panic.downcast::<String>().expect("a message");
        assert!(message.lines().count() <= 12, "{message}");
        let longest = message.lines().map(|l| l.chars().count()).max();
        assert!(longest <= Some(100), "{longest:?} {message}");
        message
    }

    #[test]
    fn a_missing_value_reads_as_nothing() {
        let body = json!({"messages": []});
        let message = failure(move || {
            let saw = body.pointer("/inferenceConfig/maxTokens").cloned();
            POINT.equal("inferenceConfig.maxTokens", saw, Some(json!(64)));
        });
        assert_eq!(
            message,
            "001/3 WIRE inferenceConfig.maxTokens
  saw     nothing
  wanted  64
  why     without a limit one runaway answer costs as much as a hundred good ones
  read    README.md \"Limits\" · workshop hint 001 2"
        );
    }

    #[test]
    fn json_reads_as_json() {
        let message = failure(|| {
            let saw = json!({"text": "say \"Number(1)\"", "n": [1, 2.5, null, true]});
            POINT.equal("body", saw, json!({"text": "x"}));
        });
        assert!(
            message.contains("\n  saw     {\"n\": [1, 2.5, null, true], \"text\": \"say \\\"Number(1)\\\"\"}\n  wanted  {\"text\": \"x\"}\n"),
            "{message}"
        );
    }

    #[test]
    fn of_long_values_the_difference_is_shown() {
        let message = failure(|| {
            let same = "word ".repeat(500);
            POINT.equal("text", format!("{same}left"), format!("{same}right"));
        });
        assert_eq!(
            message,
            "001/3 WIRE text
  saw     … word word word word word word word word left\"
  wanted  … word word word word word word word word right\"
  why     without a limit one runaway answer costs as much as a hundred good ones
  read    README.md \"Limits\" · workshop hint 001 2"
        );
    }

    #[test]
    fn whatever_the_values_the_message_stays_short() {
        let long = "lorem ipsum ".repeat(10_000);
        let endless = "x".repeat(10_000);
        let tall = "line\n".repeat(1_000);
        for value in [
            &long,
            &endless,
            &tall,
            "",
            "\n\n",
            "😀".repeat(500).as_str(),
        ] {
            let message = failure(|| POINT.fail(value, value, value));
            assert!(message.starts_with("001/3 WIRE"), "{message}");
            assert!(message.contains("\n  why     without"), "{message}");
        }
        let message = failure(|| POINT.fail("what", &tall, "short"));
        assert_eq!(
            message,
            "001/3 WIRE what
  saw     line
          line
          line … (5000 characters in all)
  wanted  short
  why     without a limit one runaway answer costs as much as a hundred good ones
  read    README.md \"Limits\" · workshop hint 001 2"
        );
    }

    #[tokio::test]
    async fn within_hands_the_output_through() {
        assert_eq!(within(&POINT, "an end", async { 7 }).await, 7);
    }

    #[tokio::test]
    async fn within_fails_with_the_points_sentence() {
        let never = std::future::pending::<()>();
        let waiting = tokio::spawn(within_limit(
            Duration::ZERO,
            POINT,
            "the first delta".to_owned(),
            never,
        ));
        let panic = waiting.await.expect_err("it fails").into_panic();
        let message = panic.downcast::<String>().expect("a message");
        assert!(
            message.starts_with(
                "001/3 WIRE the first delta\n  saw     still waiting after 5 seconds\n"
            ),
            "{message}"
        );
    }
}

//! Where messages go that nobody can work off: `RedrivePolicy`, and who may send there:
//! `RedriveAllowPolicy`.

use bedrock_emulator::error::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    attributes::Attributes,
    error::{invalid, value_is_invalid},
    place::Place,
};

/// A source queue's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) target: Place,
    /// How often a message may be received before it is moved at the next receive.
    pub(super) receives_max: u32,
}

impl Redrive {
    /// `maxReceiveCount` comes as a number or as a string; `CloudFormation` and the console's
    /// documentation differ.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| value_is_invalid(text, "RedrivePolicy", reason);
        let policy: Value = serde_json::from_str(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| refuse("Redrive policy is not a valid JSON map."))?;
        let arn = policy["deadLetterTargetArn"].as_str().ok_or_else(|| {
            refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
        })?;
        let count = match &policy["maxReceiveCount"] {
            Value::Null => {
                return Err(refuse(
                    "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
                ));
            }
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_u64(),
        };
        let count = count.and_then(|count| u32::try_from(count).ok());
        let receives_max = count.filter(|count| (1..=1_000).contains(count));
        let receives_max = receives_max.ok_or_else(|| {
            let told = policy["maxReceiveCount"].to_string();
            refuse(&format!(
                "Invalid value for maxReceiveCount: {}, valid values are from 1 to 1000 both inclusive.",
                told.trim_matches('"')
            ))
        })?;
        let target =
            Place::of_arn(arn).ok_or_else(|| refuse("Invalid value for deadLetterTargetArn."))?;
        Ok(Self {
            target,
            receives_max,
        })
    }

    /// As `GetQueueAttributes` writes it.
    pub(super) fn text(&self) -> String {
        json!({ "deadLetterTargetArn": self.target.arn(), "maxReceiveCount": self.receives_max })
            .to_string()
    }
}

/// A dead-letter queue's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RedriveAllow {
    All,
    None,
    Queues(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AllowDocument {
    redrive_permission: String,
    #[serde(default)]
    source_queue_arns: Option<Vec<String>>,
}

impl RedriveAllow {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let refuse = |reason: &str| value_is_invalid(text, "RedriveAllowPolicy", reason);
        let document: AllowDocument = serde_json::from_str(text)
            .map_err(|_| refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."))?;
        match (
            document.redrive_permission.as_str(),
            document.source_queue_arns,
        ) {
            ("allowAll", None) => Ok(Self::All),
            ("denyAll", None) => Ok(Self::None),
            ("byQueue", Some(arns)) if (1..=10).contains(&arns.len()) => Ok(Self::Queues(arns)),
            ("byQueue", Some(_)) => Err(refuse(
                "The number of sourceQueueArns must be between 1 and 10.",
            )),
            ("byQueue", None) => Err(refuse(
                "sourceQueueArns is required when redrivePermission is byQueue.",
            )),
            ("allowAll" | "denyAll", Some(_)) => Err(refuse(
                "sourceQueueArns can be specified only when redrivePermission is byQueue.",
            )),
            _ => Err(refuse(
                "redrivePermission must be one of allowAll, denyAll, byQueue.",
            )),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::All => json!({ "redrivePermission": "allowAll" }),
            Self::None => json!({ "redrivePermission": "denyAll" }),
            Self::Queues(arns) => {
                json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns })
            }
        }
        .to_string()
    }

    fn admits(&self, source: &Place) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Queues(arns) => arns.contains(&source.arn()),
        }
    }
}

/// Whether a queue may name that one as its dead-letter queue. `target`: what the queue there was told,
/// if there is one.
pub(super) fn check(
    source: &Place,
    redrive: &Redrive,
    target: Option<&Attributes>,
) -> Result<(), ApiError> {
    let refuse = |reason: &str| value_is_invalid(redrive.text(), "RedrivePolicy", reason);
    if redrive.target.account != source.account {
        return Err(refuse(
            "Dead-letter target owner should be same as the source.",
        ));
    }
    if redrive.target.region != source.region {
        return Err(refuse(
            "Dead-letter target must be in the same region as the source.",
        ));
    }
    let Some(target) = target else {
        return Err(refuse("Dead letter target does not exist."));
    };
    if redrive.target.is_fifo() != source.is_fifo() {
        return Err(refuse(
            "Dead-letter queue must be same type of queue as the source.",
        ));
    }
    let allow = target.redrive_allow.as_ref();
    if allow.is_some_and(|allow| !allow.admits(source)) {
        return Err(invalid(format!(
            "Queue {} does not permit {} to use it as a dead-letter queue; see its RedriveAllowPolicy.",
            redrive.target.arn(),
            source.arn()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_numbers_also_in_quotes() {
        for count in ["3", "\"3\""] {
            let text = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:1:dead","maxReceiveCount":{count}}}"#
            );
            assert_eq!(Redrive::parse(&text).unwrap().receives_max, 3);
        }
    }

    #[test]
    fn a_policy_that_cannot_be_is_told_why() {
        let arn = r#""deadLetterTargetArn":"arn:aws:sqs:us-east-1:1:dead""#;
        let rows = [
            ("[]".to_owned(), "not a valid JSON map"),
            ("{".to_owned(), "not a valid JSON map"),
            (r#"{"maxReceiveCount":1}"#.to_owned(), "deadLetterTargetArn"),
            (format!("{{{arn}}}"), "maxReceiveCount."),
            (format!("{{{arn},\"maxReceiveCount\":0}}"), "from 1 to 1000"),
            (
                format!("{{{arn},\"maxReceiveCount\":1001}}"),
                "from 1 to 1000",
            ),
            (
                format!("{{{arn},\"maxReceiveCount\":\"x\"}}"),
                "maxReceiveCount: x,",
            ),
        ];
        for (text, part) in rows {
            let error = Redrive::parse(&text).unwrap_err();
            assert!(
                error.message().contains(part),
                "{text}: {}",
                error.message()
            );
        }
    }
}

//! Which messages of a batch a function took.

use std::collections::HashSet;

use serde_json::Value;

/// The ids of a batch's messages that the function did not take; `None`: it took none of them.
///
/// `reports`: its answer says so (`ReportBatchItemFailures`). The cases are the developer guide's: no
/// failures for `null`, `{}`, and a list that is empty or `null`; nothing is taken when the answer is
/// not of this form, when an id is empty, `null` or missing, and when an id is of no message here.
pub(super) fn failures<'b>(
    payload: &[u8],
    reports: bool,
    batch: &HashSet<&'b str>,
) -> Option<HashSet<&'b str>> {
    if !reports {
        return Some(HashSet::new());
    }
    let answer: Value = serde_json::from_slice(payload).ok()?;
    let failures = match &answer {
        Value::Null => return Some(HashSet::new()),
        Value::Object(answer) => answer.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return None,
    };
    let failures = match failures {
        Value::Null => return Some(HashSet::new()),
        Value::Array(failures) => failures,
        _ => return None,
    };
    let ids = failures.iter().map(|failure| {
        let id = failure.get("itemIdentifier")?.as_str()?;
        batch.get(id).copied()
    });
    ids.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_which_messages_failed() {
        let batch = HashSet::from(["a", "b", "c"]);
        let rows: [(&str, Option<&[&str]>); 14] = [
            ("null", Some(&[])),
            ("{}", Some(&[])),
            (r#"{"batchItemFailures":[]}"#, Some(&[])),
            (r#"{"batchItemFailures":null}"#, Some(&[])),
            (r#"{"other":1}"#, Some(&[])),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#,
                Some(&["b"]),
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}"#,
                Some(&["b"]),
            ),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, None),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, None),
            (r#"{"batchItemFailures":[{"id":"b"}]}"#, None),
            (r#"{"batchItemFailures":[{"itemIdentifier":"z"}]}"#, None),
            (r#"{"batchItemFailures":["b"]}"#, None),
            (r#""done""#, None),
            ("not JSON", None),
        ];
        for (answer, expected) in rows {
            let expected = expected.map(|ids| ids.iter().copied().collect());
            assert_eq!(
                failures(answer.as_bytes(), true, &batch),
                expected,
                "{answer}"
            );
        }
    }
}

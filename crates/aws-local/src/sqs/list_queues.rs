//! `ListQueues`: by name, in pages when asked for pages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Answered, Sqs,
    error::{invalid, value_is_invalid},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_name_prefix: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let prefix = request.queue_name_prefix.unwrap_or_default();
    let queues = sqs.queues();
    let ours = queues.by_place.keys().filter(|place| {
        place.account == *visit.account
            && place.region == visit.region
            && place.name.starts_with(&prefix)
    });
    // The tree's order is that of names within an account and region.
    let urls = ours.map(|place| place.url(visit)).collect();
    let mut body = request.page.of(urls, "QueueUrls")?;
    if body
        .get("QueueUrls")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
    {
        // No empty list (observed).
        body.remove("QueueUrls");
    }
    Ok(told(&body.into()))
}

/// Which part of a list is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Page {
    next_token: Option<String>,
    max_results: Option<i64>,
}

impl Page {
    /// That part under that name, and the token of the next. A token is the last URL told, as on AWS.
    pub(super) fn of(self, urls: Vec<String>, name: &str) -> Result<Map<String, Value>, ApiError> {
        const MOST: i64 = 1_000;
        let size = self.max_results.unwrap_or(MOST);
        if !(1..=MOST).contains(&size) {
            let reason = "MaxResults must be an integer between 1 and 1000.";
            return Err(value_is_invalid(size, "MaxResults", reason));
        }
        let size = usize::try_from(size).unwrap_or_default();
        let after = match self.next_token {
            None => None,
            Some(token) => {
                let bytes = STANDARD.decode(token).ok();
                let last = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                Some(last.ok_or_else(|| invalid("Invalid or expired next token."))?)
            }
        };
        let rest = urls
            .into_iter()
            .filter(|url| after.as_ref().is_none_or(|last| url > last));
        let mut page: Vec<String> = rest.take(size + 1).collect();
        let more = page.len() > size;
        page.truncate(size);
        let mut body = Map::new();
        if let (true, true, Some(last)) = (more, self.max_results.is_some(), page.last()) {
            body.insert("NextToken".to_owned(), STANDARD.encode(last).into());
        }
        body.insert(name.to_owned(), page.into());
        Ok(body)
    }
}

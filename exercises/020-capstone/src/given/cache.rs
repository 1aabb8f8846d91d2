//! Lent by exercise 007: an answer that is paid for is kept, for the same customer and the same question.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Deps, Ticket, Trouble, route};

/// The name of an answer: everything that decides what it says, and whose it is. A digest, because the
/// text may be personal and the name of a row is read by many.
pub fn cache_key(d: &Deps, ticket: &Ticket) -> String {
    let parts = json!([
        ticket.tenant,
        route(d, ticket).profile,
        d.guard.id,
        d.guard.version,
        d.max_tokens,
        ticket.text,
    ]);
    let digest = Sha256::digest(parts.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The answer of that name, if there is one and its time is not over. `DynamoDB` deletes expired rows
/// late, so the row's own word is asked.
pub async fn cached(d: &Deps, key: &str) -> Result<Option<String>, Trouble> {
    let get = d.dynamodb.get_item().table_name(&d.cache);
    let get = get.key("cache_key", AttributeValue::S(key.to_owned()));
    let row = get.send().await?.item.unwrap_or_default();
    let expires = row.get("expires_at").and_then(|at| at.as_n().ok());
    let fresh = expires
        .and_then(|at| at.parse::<u64>().ok())
        .is_some_and(|at| at > d.now());
    let answer = row.get("answer").and_then(|answer| answer.as_s().ok());
    Ok(answer.filter(|_| fresh).cloned())
}

/// Keeps an answer for a while.
pub async fn keep(d: &Deps, key: &str, answer: &str) -> Result<(), Trouble> {
    let expires = (d.now() + d.ttl.as_secs()).to_string();
    let put = d.dynamodb.put_item().table_name(&d.cache);
    put.item("cache_key", AttributeValue::S(key.to_owned()))
        .item("answer", AttributeValue::S(answer.to_owned()))
        .item("expires_at", AttributeValue::N(expires))
        .send()
        .await?;
    Ok(())
}

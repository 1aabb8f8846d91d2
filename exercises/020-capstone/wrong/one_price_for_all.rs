//! dies in: an_incident_needs_the_money_of_its_own_model
//!
//! Reserves at the price of the model that most tickets go to.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt as _, stream};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

pub use given::*;

/// Answers `POST /tickets`, behind API Gateway: 202 when the queue has the ticket.
pub async fn tickets(d: &Deps, request: Request) -> Result<Response<Body>, Trouble> {
    // Who it is says the key that the gateway checked, and never the body.
    let Some(tenant) = tenant(&request) else {
        return answer(403, &json!({ "error": "an API key is needed" }));
    };
    let Ok(body) = serde_json::from_slice::<Value>(request.body()) else {
        return answer(400, &json!({ "error": "the body is no JSON" }));
    };
    let Ok(new) = serde_json::from_value::<NewTicket>(body) else {
        return answer(
            422,
            &json!({ "error": "request, kind and text are needed" }),
        );
    };
    if new.request.trim().is_empty() || new.text.trim().is_empty() {
        return answer(
            422,
            &json!({ "error": "request and text must not be blank" }),
        );
    }
    if new.text.len() > TEXT_MAX {
        return answer(
            413,
            &json!({ "error": format!("text has a limit: {TEXT_MAX} bytes") }),
        );
    }
    // As JSON, because ("a-b", "c") and ("a", "b-c") are two tickets; without a time, because the same
    // ticket may be sent twice.
    let ticket = Ticket {
        ticket_id: json!([tenant, new.request]).to_string(),
        tenant,
        kind: new.kind,
        text: new.text,
    };
    let message = d.sqs.send_message().queue_url(&d.queue_url);
    let message = message.message_body(serde_json::to_string(&ticket)?);
    if message.send().await.is_err() {
        // Nobody has the ticket: the customer's program must know, and send it again.
        d.log
            .line("a ticket was not taken: the queue did not answer");
        return answer(503, &json!({ "error": "try again soon" }));
    }
    answer(202, &json!({ "ticket_id": ticket.ticket_id }))
}

fn answer(status: u16, body: &Value) -> Result<Response<Body>, Trouble> {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    Ok(response.body(Body::Text(body.to_string()))?)
}

/// Works a batch off; answers with the messages that must come again, and only those.
pub async fn worker(d: &Deps, event: SqsEvent) -> SqsBatchResponse {
    let messages = event.records.into_iter().map(|message| take(d, message));
    // Side by side, as far as Bedrock's quota is ours: a slow ticket does not hold up nine others.
    let fates = stream::iter(messages).buffer_unordered(d.at_once.max(1));
    let failures: Vec<Option<String>> = fates.collect().await;
    let mut response = SqsBatchResponse::default();
    response.set_failures(failures.into_iter().flatten());
    response
}

/// One message, whatever happens; its id if it must come again.
async fn take(d: &Deps, message: SqsMessage) -> Option<String> {
    let body = message.body.as_deref().unwrap_or_default();
    let fate = match serde_json::from_str::<Ticket>(body) {
        Ok(ticket) => triage(d, &ticket).await,
        // Nobody waits for a ticket without a name. The dead-letter queue keeps it for a person.
        Err(_) => Err("a message that is no ticket".into()),
    };
    let trouble = fate.err()?;
    let id = message.message_id.unwrap_or_default();
    // Ids and codes. Neither the text nor the body, however broken it is.
    d.log
        .line(json!({ "message": id, "comes_again": trouble.to_string() }));
    Some(id)
}

/// Brings a ticket to its end; an error: not yet.
async fn triage(d: &Deps, ticket: &Ticket) -> Result<(), Trouble> {
    let mine = match lease(d, ticket).await? {
        Lease::Mine(mine) => mine,
        // It may still fail there. Acknowledged now, the ticket would be lost then.
        Lease::Held => return Err("another worker has it".into()),
        Lease::Ended => return Ok(()),
    };
    let worst = d.haiku.worst(&ticket.text, d.max_tokens);
    let Some(money) = reserve(d, worst).await? else {
        return end(d, mine, &End::Deferred).await;
    };
    // No `?` between these two: whatever happens, the money is settled.
    let (spent, ending) = ended(d, ticket, money.worst()).await;
    money.settle(d, spent).await?;
    end(d, mine, &ending?).await
}

/// What a ticket costs, and how it ends if it does.
async fn ended(d: &Deps, ticket: &Ticket, worst: MicroUsd) -> (MicroUsd, Result<End, Trouble>) {
    let key = cache_key(d, ticket);
    match cached(d, &key).await {
        Ok(Some(answer)) => return (0, Ok(End::Done { answer })),
        Ok(None) => {}
        // Without a cache the day is dearer. That is no reason to stop it.
        Err(trouble) => d.log.line(json!({ "cache": trouble.to_string() })),
    }
    let text = match inspect(d, &ticket.text).await {
        Ok(Verdict::Pass(text)) => text,
        Ok(Verdict::Blocked { policies }) => return (0, Ok(End::Blocked { policies })),
        // No verdict is no permission.
        Err(trouble) => return (0, Err(trouble)),
    };
    let model = route(d, ticket);
    let reply = with_backoff(d, || observed(d, model, &text)).await;
    match reply {
        Ok(reply) => {
            // The answer is paid for: it must not be lost because the cache is down.
            if let Err(trouble) = keep(d, &key, &reply.text).await {
                d.log.line(json!({ "cache": trouble.to_string() }));
            }
            let answer = reply.text;
            (model.cost(&reply.usage), Ok(End::Done { answer }))
        }
        // Nobody says what the part of an answer cost. What was set aside covers it.
        Err(error @ AskError::Cut { .. }) => (worst, Err(error.into())),
        Err(error) => (0, Err(error.into())),
    }
}

/// One call, and one line about it, however it ends.
async fn observed(d: &Deps, model: &Model, text: &str) -> Result<Reply, AskError> {
    let began = d.now_ms();
    let answer = ask(d, model, text).await;
    let now = d.now_ms();
    let record = CallRecord::of(model, now.saturating_sub(began), &answer);
    d.log.line(emf(&record, now));
    answer
}

/// How the day stands: what the tables say.
pub async fn report(d: &Deps) -> Result<Report, Trouble> {
    let mut report = Report {
        done: 0,
        blocked: 0,
        deferred: 0,
        open: 0,
        spent: 0,
        reserved: 0,
    };
    // A scan answers with a megabyte at a time: all pages are asked for, or the report counts the first.
    let scan = d.dynamodb.scan().table_name(&d.tickets);
    let scan = scan
        .projection_expression("ticket_state")
        .consistent_read(true);
    let mut rows = scan.into_paginator().items().send();
    while let Some(row) = rows.next().await {
        let row = row?;
        let state = row.get("ticket_state").and_then(|state| state.as_s().ok());
        match state.map(String::as_str) {
            Some("DONE") => report.done += 1,
            Some("BLOCKED") => report.blocked += 1,
            Some("DEFERRED") => report.deferred += 1,
            _ => report.open += 1,
        }
    }
    let get = d.dynamodb.get_item().table_name(&d.budget);
    let get = get.key("day", AttributeValue::S(d.day.clone()));
    let row = get.consistent_read(true).send().await?;
    let row = row.item.unwrap_or_default();
    let number = |name| -> MicroUsd {
        let number = row.get(name).and_then(|value| value.as_n().ok());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    report.spent = number("spent");
    report.reserved = number("committed").saturating_sub(report.spent);
    Ok(report)
}

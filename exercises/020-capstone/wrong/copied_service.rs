//! dies in: a_ticket_is_taken_when_the_queue_has_it, what_is_no_ticket_is_refused_at_the_door, a_ticket_that_the_queue_has_not_is_not_promised, a_batch_is_worked_on_side_by_side, what_another_worker_holds_comes_again, without_a_verdict_nothing_is_asked, a_refusal_for_good_is_not_repeated, the_budget_stops_the_calls, every_ticket_ends_once, nothing_is_paid_for_twice, the_money_is_accounted_for, a_question_is_paid_for_once_by_each_customer, most_calls_go_to_the_small_model, nothing_personal_gets_out_and_no_orders_get_in, every_call_leaves_one_line, the_queue_is_empty_and_the_poison_is_kept, every_part_has_worked_and_is_green_at_last, in_lambda_a_queue_invokes_the_worker, an_incident_needs_the_money_of_its_own_model, the_report_tells_each_state_apart
//!
//! The handler and the worker from the articles, line for line: an id made of the time, a loop that throws,
//! the model first and the table afterwards.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Request, Response};
use serde_json::json;

pub use given::*;

/// Answers `POST /tickets`, behind API Gateway: 202 when the queue has the ticket.
pub async fn tickets(d: &Deps, request: Request) -> Result<Response<Body>, Trouble> {
    let tenant = tenant(&request).unwrap();
    let new: NewTicket = serde_json::from_slice(request.body())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let ticket = Ticket {
        ticket_id: format!("ticket-{}", now.as_nanos()),
        tenant,
        kind: new.kind,
        text: new.text,
    };
    let message = d.sqs.send_message().queue_url(&d.queue_url);
    let message = message.message_body(serde_json::to_string(&ticket)?);
    message.send().await?;
    let body = json!({ "ticket_id": ticket.ticket_id }).to_string();
    Ok(Response::builder().status(202).body(Body::Text(body))?)
}

/// Works a batch off; answers with the messages that must come again, and only those.
pub async fn worker(d: &Deps, event: SqsEvent) -> SqsBatchResponse {
    for record in &event.records {
        let ticket: Ticket = serde_json::from_str(record.body.as_ref().unwrap()).unwrap();
        let reply = ask(d, &d.sonnet, &ticket.text).await.unwrap();
        save(d, &ticket.ticket_id, &reply.text).await.unwrap();
    }
    SqsBatchResponse::default()
}

async fn save(d: &Deps, ticket_id: &str, answer: &str) -> Result<(), Trouble> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    d.dynamodb
        .put_item()
        .table_name(&d.tickets)
        .item("ticket_id", text(ticket_id))
        .item("ticket_state", text("DONE"))
        .item("answer", text(answer))
        .send()
        .await?;
    Ok(())
}

/// How the day stands: what the tables say.
pub async fn report(d: &Deps) -> Result<Report, Trouble> {
    let rows = d.dynamodb.scan().table_name(&d.tickets).send().await?;
    Ok(Report {
        done: rows.items().len(),
        blocked: 0,
        deferred: 0,
        open: 0,
        spent: 0,
        reserved: 0,
    })
}

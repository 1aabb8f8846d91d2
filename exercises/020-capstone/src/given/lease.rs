//! Lent by exercise 012: a ticket belongs to one worker at a time, and ends once.

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use super::{Deps, Ticket, Trouble};

/// What a worker that asked for a lease got.
#[derive(Debug)]
pub enum Lease {
    /// The ticket, until the lease ends.
    Mine(Mine),
    /// Another worker has it.
    Held,
    /// The ticket has ended.
    Ended,
}

/// A ticket that is this worker's own.
#[derive(Debug)]
#[must_use = "end it, or the ticket waits until the lease is over"]
pub struct Mine {
    ticket_id: String,
    until: AttributeValue,
}

/// How a ticket ends. Each is a `ticket_state` of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// `DONE`, with the answer.
    Done {
        /// The model's words.
        answer: String,
    },
    /// `BLOCKED`: the guardrail stopped it.
    Blocked {
        /// The policies that did.
        policies: Vec<String>,
    },
    /// `DEFERRED`: there is no money left today. Somebody, or tomorrow's batch, takes it from here.
    Deferred,
}

/// Claims a ticket with one conditional write: of two workers that come at once, one gets it.
pub async fn lease(d: &Deps, ticket: &Ticket) -> Result<Lease, Trouble> {
    let leased = text("LEASED");
    let until = AttributeValue::N((d.now() + d.lease.as_secs()).to_string());
    let put = d
        .dynamodb
        .put_item()
        .table_name(&d.tickets)
        .item("ticket_id", text(&ticket.ticket_id))
        .item("ticket_state", leased.clone())
        .item("tenant", text(&ticket.tenant))
        .item("lease_until", until.clone())
        .condition_expression(
            "attribute_not_exists(ticket_id) OR (ticket_state = :leased AND lease_until < :now)",
        )
        .expression_attribute_values(":leased", leased.clone())
        .expression_attribute_values(":now", AttributeValue::N(d.now().to_string()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let Err(error) = put.send().await else {
        let ticket_id = ticket.ticket_id.clone();
        return Ok(Lease::Mine(Mine { ticket_id, until }));
    };
    match error.into_service_error() {
        PutItemError::ConditionalCheckFailedException(there) => {
            let state = there.item().and_then(|row| row.get("ticket_state"));
            let held = state == Some(&leased);
            Ok(if held { Lease::Held } else { Lease::Ended })
        }
        other => Err(other.into()),
    }
}

/// Ends a ticket, if it is still this worker's: an error tells that another one has it by now, or that the
/// table did not answer.
pub async fn end(d: &Deps, mine: Mine, end: &End) -> Result<(), Trouble> {
    let (state, name, value) = match end {
        End::Done { answer } => ("DONE", "answer", answer.clone()),
        End::Blocked { policies } => ("BLOCKED", "reason", policies.join(", ")),
        End::Deferred => (
            "DEFERRED",
            "reason",
            "the budget of the day is spent".to_owned(),
        ),
    };
    d.dynamodb
        .update_item()
        .table_name(&d.tickets)
        .key("ticket_id", AttributeValue::S(mine.ticket_id))
        .update_expression("SET ticket_state = :state, #said = :said REMOVE lease_until")
        .condition_expression("lease_until = :mine")
        .expression_attribute_names("#said", name)
        .expression_attribute_values(":state", text(state))
        .expression_attribute_values(":said", AttributeValue::S(value))
        .expression_attribute_values(":mine", mine.until)
        .send()
        .await?;
    Ok(())
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

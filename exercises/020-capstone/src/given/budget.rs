//! Lent by exercise 008: money is set aside before it is spent. Here the account is a row that all workers
//! share, because each environment of a function has a memory of its own.
//!
//! The row has two numbers. `committed` is what is spent or set aside, and never more than the limit;
//! `spent` is what answers have cost. When nobody works, the two are equal.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Deps, MicroUsd, Trouble};

/// Money that is set aside. There is no `Drop` that could give it back, for that takes a request: every
/// way out of the worker passes [`Reservation::settle`].
#[derive(Debug)]
#[must_use = "money that is never settled is gone for the rest of the day"]
pub struct Reservation {
    worst: MicroUsd,
}

/// Sets `worst` aside; `None`: there is not so much left.
pub async fn reserve(d: &Deps, worst: MicroUsd) -> Result<Option<Reservation>, Trouble> {
    let Some(room) = d.limit.checked_sub(worst) else {
        return Ok(None);
    };
    let added = d
        .dynamodb
        .update_item()
        .table_name(&d.budget)
        .key("day", AttributeValue::S(d.day.clone()))
        .update_expression("ADD committed :worst")
        // Asked and added in one step: of two workers who see the last cent, one gets it.
        .condition_expression("attribute_not_exists(committed) OR committed <= :room")
        .expression_attribute_values(":worst", AttributeValue::N(worst.to_string()))
        .expression_attribute_values(":room", AttributeValue::N(room.to_string()))
        .send()
        .await;
    match added.map_err(|error| error.into_service_error()) {
        Ok(_) => Ok(Some(Reservation { worst })),
        Err(refused) if refused.is_conditional_check_failed_exception() => Ok(None),
        Err(other) => Err(other.into()),
    }
}

impl Reservation {
    /// How much is set aside.
    pub fn worst(&self) -> MicroUsd {
        self.worst
    }

    /// Counts `actual` as spent and gives the rest back: all of it, if `actual` is 0.
    pub async fn settle(self, d: &Deps, actual: MicroUsd) -> Result<(), Trouble> {
        let back = i128::from(actual) - i128::from(self.worst);
        d.dynamodb
            .update_item()
            .table_name(&d.budget)
            .key("day", AttributeValue::S(d.day.clone()))
            .update_expression("ADD committed :back, spent :actual")
            .expression_attribute_values(":back", AttributeValue::N(back.to_string()))
            .expression_attribute_values(":actual", AttributeValue::N(actual.to_string()))
            .send()
            .await?;
        Ok(())
    }
}

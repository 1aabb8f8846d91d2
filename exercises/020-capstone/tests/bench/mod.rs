//! What the tests stand on: a lab with a queue, three tables, a guardrail and an API in front, a plan for a
//! bad day, the day itself, and the score card. Not to be edited.

mod account;
mod card;
mod day;
mod evidence;
mod front;
mod plan;
mod settled;

pub(crate) use account::{
    Account, WORKER, asked, batch, batch_of, sooner, starter_says, text_of, worked, working,
};
pub(crate) use card::{Invariant, judged};
pub(crate) use evidence::calls_counted;
pub(crate) use front::{Front, post};
pub(crate) use plan::{ANSWER, CANARY};
pub(crate) use settled::{Row, rows};

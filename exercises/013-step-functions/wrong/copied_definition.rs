//! dies in: a_text_is_answered_without_a_function, neither_text_nor_pointer_ends_at_once, a_pointer_is_fetched_by_a_function, what_heals_is_asked_again, pauses_grow_to_the_longest_and_are_not_the_same, what_does_not_heal_is_asked_once, a_parked_job_is_as_it_came_with_the_error_beside_it, a_task_that_hangs_ends_in_time, without_a_queue_the_machine_ends_where_it_says, on_a_bad_day_three_functions_fail_and_yours_answers, a_name_without_a_state_is_found, a_way_without_an_end_is_found, a_task_without_a_limit_is_found, errors_that_nobody_takes_or_that_take_everything_are_found, states_inside_of_states_are_looked_at
//!
//! The definition from the articles, as it stands there: three functions in a row. Nothing to lint.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use serde_json::{Value, json};

pub use given::{Lint, Params};

/// The state machine, in the Amazon States Language.
pub fn definition(p: &Params) -> Value {
    let function = |name: &str| p.fetch.replace("fetch", name);
    json!({
        "StartAt": "PreprocessInput",
        "States": {
            "PreprocessInput": {
                "Type": "Task",
                "Resource": function("preprocess"),
                "Next": "InvokeBedrock",
            },
            "InvokeBedrock": {
                "Type": "Task",
                "Resource": function("invoke-bedrock"),
                "Next": "PostprocessOutput",
            },
            "PostprocessOutput": {
                "Type": "Task",
                "Resource": function("postprocess"),
                "End": true,
            },
        },
    })
}

/// What is wrong with a definition: each mistake once, in any order.
pub fn lint(_def: &Value) -> Vec<Lint> {
    Vec::new()
}

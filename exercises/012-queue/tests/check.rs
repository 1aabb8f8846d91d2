//! What exercise 012 asks for. Read it: these tests are the exact form of the task.
//!
//! They run your producer and your consumer against a queue, a table and Bedrock, and look at what left
//! your process (WIRE), at rows and responses (RESULT) and at what must not have happened (RESTRAINT).
//! Time is the tests' own: a lease of a minute takes none. The last test starts this test program once
//! more, as a Lambda function that a queue invokes.

use std::{collections::HashMap, time::Duration, time::SystemTime};

use ex012::{FUNCTION_TIMEOUT, Job, QueueSettings, enqueue, settings};
use workshop_testkit::{
    Fault, FaultRule, Piece, Point, Rule, Step, Text, Value, When, function_or_test, json, within,
};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::{Clock, lambda::EventSource},
};

#[path = "../examples/bootstrap.rs"]
mod bootstrap;

mod bench;

use bench::{
    LEASE, QUEUE, TABLE, asked, batch, batch_from, deps, gated, is_conditional, is_write, job, lab,
    paid, pass, producer, queue, queues, received, row, sent, sent_again, throttled, until_asked,
    until_invoked, work_of, working,
};

#[tokio::test]
async fn a_job_is_one_message_that_names_no_person() {
    const SENT: Point = Point::wire(
        "012/2",
        "the message is all that the worker will ever know of the job",
        "README.md \"The producer\" · workshop hint 012 2",
    );
    const TOLD: Point = Point::result(
        "012/3",
        "with this id the caller asks for the answer later, and finds nothing under any other",
        "README.md \"The producer\"",
    );
    const NO_PERSON: Point = Point::restraint(
        "012/5",
        "a dead letter lies around for two weeks, and everybody who mends things reads it",
        "README.md \"The producer\"",
    );
    let lab = lab().await;
    let url = queue(&lab, "jobs", &[]).await;
    let sqs = producer(&lab);
    let id = sent(&sqs, &url, &work_of("acme", "invoice-7"), &TOLD).await;

    let calls = asked(&lab);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    SENT.equal("operations called", operations, vec!["SendMessage"]);
    let message = &calls[0].body;
    SENT.equal("QueueUrl", message["QueueUrl"].as_str(), Some(&*url));
    let body = message["MessageBody"].as_str().unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    SENT.equal(
        "prompt in the message's JSON",
        body["prompt"].as_str(),
        Some("Sum up the invoice."),
    );
    let in_message = body["job_id"].as_str().unwrap_or_default();
    SENT.holds(
        "job_id in the message's JSON",
        !in_message.is_empty(),
        &body,
        "some text",
    );
    TOLD.equal("id that enqueue(…) tells", id.as_str(), in_message);
    let members = body.as_object().into_iter().flatten();
    let theirs = members.filter(|(_, value)| value.to_string().contains("ann@"));
    let theirs: Vec<&str> = theirs.map(|(name, _)| name.as_str()).collect();
    NO_PERSON.holds(
        "members of the message with the user's e-mail address",
        theirs.is_empty() && !message.to_string().contains("ann@"),
        theirs.join(", "),
        "none",
    );
}

#[tokio::test]
async fn the_same_work_has_the_same_id() {
    const SAME: Point = Point::result(
        "012/6",
        "people press buttons twice, and programs send again when an answer is lost; each new id is paid for",
        "README.md \"The producer\" · workshop hint 012 1",
    );
    const OTHER: Point = Point::result(
        "012/7",
        "two jobs with one id: the second customer gets the first one's answer",
        "README.md \"The producer\" · workshop hint 012 2",
    );
    let lab = lab().await;
    let url = queue(&lab, "jobs", &[]).await;
    let sqs = producer(&lab);
    let first = sent(&sqs, &url, &work_of("acme", "invoice-7"), &SAME).await;
    // The lab's own time, and the system's: at least a millisecond of it, for an id made of that.
    pass(&lab, Duration::from_secs(1));
    let now = SystemTime::now();
    while now.elapsed().is_ok_and(|e| e < Duration::from_millis(2)) {
        tokio::task::yield_now().await;
    }
    let colleague = Job {
        user: "bob@example.com".to_owned(),
        prompt: "Sum it up, please.".to_owned(),
        ..work_of("acme", "invoice-7")
    };
    let again = sent(&sqs, &url, &colleague, &SAME).await;
    SAME.holds(
        "id of the same work, sent again by a colleague in other words",
        again == first,
        "another one",
        "the same one",
    );

    let mut pairs = vec![("acme", "invoice-7"), ("acme", "invoice-8")];
    pairs.extend([("zeta", "invoice-7"), ("ab", "c"), ("a", "bc")]);
    pairs.extend([("a-b", "c"), ("a", "b-c"), ("a/b", "c"), ("a", "b/c")]);
    pairs.extend([("a:b", "c"), ("a", "b:c"), ("a#b", "c"), ("a", "b#c")]);
    pairs.extend([("a_b", "c"), ("a", "b_c"), ("a|b", "c"), ("a", "b|c")]);
    pairs.extend([("a.b", "c"), ("a", "b.c"), ("a b", "c"), ("a", "b c")]);
    let mut seen: HashMap<String, (&str, &str)> = HashMap::new();
    for (tenant, request) in pairs {
        let id = sent(&sqs, &url, &work_of(tenant, request), &OTHER).await;
        if let Some(there) = seen.insert(id.clone(), (tenant, request)) {
            OTHER.fail(
                &format!("tenant and request {there:?}, and {:?}", (tenant, request)),
                format!("one id for both: {id}"),
                "two ids",
            );
        }
    }
}

#[tokio::test]
async fn a_job_that_was_not_sent_is_an_error() {
    const REFUSED: Point = Point::result(
        "012/8",
        "whoever is told that a job was sent will wait for its answer",
        "README.md \"The producer\"",
    );
    let lab = lab().await;
    let url = queue(&lab, "jobs", &[]).await;
    let gone = url.replace("/jobs", "/nobody-has-this");
    let sqs = producer(&lab);
    let job = work_of("acme", "invoice-7");
    let answer = enqueue(&sqs, &gone, &job);
    let answer = within(&REFUSED, "enqueue(…)", answer).await;
    REFUSED.holds(
        "enqueue(…) to a queue that is gone",
        answer.is_err(),
        format!("{answer:?}"),
        "Err",
    );
}

// ---- one job

#[tokio::test]
async fn a_job_is_leased_then_asked_then_written() {
    const LEASE_FIRST: Point = Point::wire(
        "012/9",
        "what nobody has claimed when it is paid for, others pay for as well",
        "README.md \"The consumer\" · workshop hint 012 2",
    );
    const ASKED: Point = Point::wire(
        "012/10",
        "the job's words, your model, your limit",
        "README.md \"The consumer\"",
    );
    const DONE: Point = Point::result(
        "012/11",
        "the row is where the caller looks for the answer",
        "README.md \"The row\"",
    );
    let lab = lab().await;
    lab.script([Step::Say(vec![
        Piece::Text("Forty".into()),
        Piece::Text(" euros.".into()),
    ])]);
    let failed = working(deps(&lab, "worker"), &batch(QUEUE, [job(1)]), &DONE).await;

    let calls = asked(&lab);
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    let operations = operations.join(", ");
    let Some(model) = calls.iter().position(|call| call.operation == "Converse") else {
        ASKED.fail("operations called", operations, "Converse among them");
    };
    let (before, after) = calls.split_at(model);
    LEASE_FIRST.holds(
        "operations called",
        before.iter().any(is_conditional),
        &operations,
        "a write with a ConditionExpression before Converse",
    );
    LEASE_FIRST.holds(
        "operations called",
        after.iter().any(is_write),
        &operations,
        "a write after Converse",
    );
    ASKED.equal(
        "text of the message",
        &*after[0].text(),
        "Sum up invoice 1.",
    );
    ASKED.equal(
        "model id in the path",
        &after[0].model,
        &lab.profile("haiku"),
    );
    let limit = after[0].body_at("/inferenceConfig/maxTokens");
    ASKED.equal("inferenceConfig.maxTokens", limit, Some(&json!(64)));

    let row = row(&lab, "job-1").await;
    DONE.holds(
        "the job's row",
        row.state() == "DONE",
        row.short(),
        "job_state: DONE",
    );
    DONE.equal("answer in the job's row", row.get("answer"), "Forty euros.");
    DONE.equal("messages reported as failed", failed, Vec::<String>::new());
}

// ---- what is delivered more than once

#[tokio::test]
async fn two_workers_get_one_lease() {
    const LEASED: Point = Point::result(
        "012/12",
        "who has a job, and until when, must stand where every worker looks",
        "README.md \"The row\"",
    );
    const ONE_GETS_IT: Point = Point::restraint(
        "012/13",
        "two workers look at the same moment, both see a free job, and both write: only a condition that \
         the table itself checks lets one in",
        "README.md \"The consumer\" · workshop hint 012 2",
    );
    const ONE_CALL: Point = Point::restraint(
        "012/14",
        "a delivery is not a job: each one that reaches the model is paid for",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    const COMES_AGAIN: Point = Point::result(
        "012/15",
        "the other worker may still crash; a message that is acknowledged by then is a lost job",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    let lab = lab().await;
    lab.script([gated("the model answers", "Forty euros.")]);
    let event = batch(QUEUE, [job(1)]);
    let first = working(deps(&lab, "first"), &event, &ONE_CALL);
    until_asked(&lab, 1, &ONE_CALL).await;

    // The first worker waits for the model. This is the row that all others see.
    let there = row(&lab, "job-1").await;
    LEASED.holds(
        "the row",
        there.state() == "LEASED",
        there.short(),
        "job_state: LEASED",
    );
    let ends = there.get("lease_until").parse::<i64>().ok();
    let left = ends.map(|ends| ends - lab.clock().now().unix_timestamp());
    LEASED.equal("lease_until, in seconds from now", left, Some(60));

    // A second one has looked before the first one wrote, and writes now.
    let calls = asked(&lab);
    let lease = calls.iter().rfind(|call| is_write(call));
    let Some(lease) = lease else {
        ONE_GETS_IT.fail("writes before Converse", "none", "the lease");
    };
    let answer = sent_again(&lab, lease).await;
    ONE_GETS_IT.holds(
        &format!("{} of your lease, by a second worker", lease.operation),
        answer.is_err(),
        "written",
        "refused: ConditionalCheckFailedException",
    );

    // A third one comes the usual way.
    let failed = working(deps(&lab, "third"), &event, &COMES_AGAIN).await;
    ONE_CALL.equal("calls to Bedrock with two workers", paid(&lab), 1);
    COMES_AGAIN.equal("messages reported while another works", failed, vec!["m1"]);

    lab.open_gate("the model answers");
    let failed = first.await;
    COMES_AGAIN.equal(
        "messages the first one reports",
        failed,
        Vec::<String>::new(),
    );
    let there = row(&lab, "job-1").await;
    LEASED.holds(
        "the row",
        there.state() == "DONE",
        there.short(),
        "job_state: DONE",
    );
    let answer = sent_again(&lab, lease).await;
    ONE_GETS_IT.holds(
        &format!("{} of your lease when the job is done", lease.operation),
        answer.is_err(),
        "written",
        "refused: ConditionalCheckFailedException",
    );
}

#[tokio::test]
async fn the_same_job_twice_in_a_batch_is_paid_once() {
    const ONE_CALL: Point = Point::restraint(
        "012/16",
        "a job that was sent twice has two message ids and one job id",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    const ENDS: Point = Point::result(
        "012/17",
        "in the end nothing is left in the queue of a job that is done",
        "README.md \"The consumer\"",
    );
    let lab = lab().await;
    let event = batch(QUEUE, [job(1), job(1)]);
    // The second one is done or held by then: whether it comes again is yours to say.
    working(deps(&lab, "worker"), &event, &ENDS).await;
    ONE_CALL.equal("calls to Bedrock", paid(&lab), 1);
    let failed = working(deps(&lab, "worker"), &event, &ENDS).await;
    ONE_CALL.equal("calls to Bedrock after a redelivery", paid(&lab), 1);
    ENDS.equal(
        "messages reported of a job that is done",
        failed,
        Vec::<String>::new(),
    );
}

#[tokio::test]
async fn a_crash_before_the_write_costs_a_second_call_and_no_more() {
    const NOT_DONE: Point = Point::result(
        "012/18",
        "an answer that nobody can read is no answer: the message must come again",
        "README.md \"The consumer\"",
    );
    const NOT_YET: Point = Point::restraint(
        "012/19",
        "until the lease ends nobody knows whether the first worker is dead or slow",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    const SECOND_CALL: Point = Point::result(
        "012/20",
        "exactly once does not exist: rarely twice is what you can have, and never is a lost job",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    let lab = lab().await;
    lab.script([gated("the model answers", "Forty euros.")]);
    let event = batch(QUEUE, [job(1)]);
    let first = working(deps(&lab, "unlucky"), &event, &NOT_DONE);
    until_asked(&lab, 1, &NOT_DONE).await;
    // From here on the table does not listen to the first worker, whose answer is already paid for.
    let theirs = When::any().header("x-amz-user-agent", Text::contains("app/unlucky"));
    let broken = FaultRule::new(Fault::InternalServer).when(theirs.operation("*Item*"));
    lab.faults([broken]);
    lab.open_gate("the model answers");
    let failed = first.await;
    NOT_DONE.equal(
        "messages reported when the answer is lost",
        failed,
        vec!["m1"],
    );

    let failed = working(deps(&lab, "worker"), &event, &NOT_YET).await;
    NOT_YET.equal("calls to Bedrock before the lease ends", paid(&lab), 1);
    NOT_YET.equal(
        "messages reported before the lease ends",
        failed,
        vec!["m1"],
    );

    pass(&lab, LEASE + Duration::from_secs(1));
    let failed = working(deps(&lab, "worker"), &event, &SECOND_CALL).await;
    SECOND_CALL.equal("calls to Bedrock after the lease", paid(&lab), 2);
    SECOND_CALL.equal(
        "messages reported after the lease",
        failed,
        Vec::<String>::new(),
    );
    let there = row(&lab, "job-1").await;
    SECOND_CALL.holds(
        "the row",
        there.state() == "DONE",
        there.short(),
        "job_state: DONE",
    );
}

#[tokio::test]
async fn who_overslept_the_lease_writes_over_nobody() {
    const SUCCESSOR: Point = Point::restraint(
        "012/21",
        "somebody may have read the answer already, or acted on it; it must not change behind their back",
        "README.md \"The consumer\" · workshop hint 012 2",
    );
    let lab = lab().await;
    lab.script([gated("the slow one", "Late."), Step::text("In time.")]);
    let event = batch(QUEUE, [job(1)]);
    let slow = working(deps(&lab, "slow"), &event, &SUCCESSOR);
    until_asked(&lab, 1, &SUCCESSOR).await;
    pass(&lab, LEASE + Duration::from_secs(1));
    working(deps(&lab, "worker"), &event, &SUCCESSOR).await;
    let there = row(&lab, "job-1").await;
    SUCCESSOR.equal(
        "the second worker's answer",
        there.get("answer"),
        "In time.",
    );
    lab.open_gate("the slow one");
    // Whether its message comes again is yours to say: it would find the job done.
    slow.await;
    let there = row(&lab, "job-1").await;
    SUCCESSOR.equal(
        "the answer, when the first one woke up",
        there.get("answer"),
        "In time.",
    );
}

#[tokio::test]
async fn who_overslept_does_not_end_the_work_of_its_successor() {
    const ITS_OWN: Point = Point::restraint(
        "012/45",
        "a row that says LEASED is not yours for that: who holds it shows only in how long",
        "README.md \"The consumer\" · workshop hint 012 2",
    );
    let lab = lab().await;
    lab.script([
        gated("the slow one", "Late."),
        gated("the next one", "In time."),
    ]);
    let event = batch(QUEUE, [job(1)]);
    let slow = working(deps(&lab, "slow"), &event, &ITS_OWN);
    until_asked(&lab, 1, &ITS_OWN).await;
    pass(&lab, LEASE + Duration::from_secs(1));
    let next = working(deps(&lab, "next"), &event, &ITS_OWN);
    until_asked(&lab, 2, &ITS_OWN).await;
    lab.open_gate("the slow one");
    slow.await;
    let there = row(&lab, "job-1").await;
    ITS_OWN.holds(
        "the row, while the second worker asks",
        there.state() == "LEASED",
        there.short(),
        "job_state: LEASED",
    );
    lab.open_gate("the next one");
    next.await;
    let there = row(&lab, "job-1").await;
    ITS_OWN.equal("the answer in the end", there.get("answer"), "In time.");
}

// ---- what cannot be done, and the nine beside it

#[tokio::test]
async fn a_batch_reports_what_must_come_again_and_nothing_else() {
    const ONLY: Point = Point::result(
        "012/22",
        "what you report is delivered again, all of it; what you do not report is deleted, for good",
        "README.md \"The consumer\" · workshop hint 012 2",
    );
    const ROWS: Point = Point::result(
        "012/23",
        "every end is another one, and the caller must be able to tell which it was",
        "README.md \"The row\"",
    );
    const NO_NEW_CALL: Point = Point::restraint(
        "012/25",
        "one throttled job in ten, and the other nine are paid for at every delivery",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    let lab = lab().await;
    let invoice_7 = When::any().prompt(Text::contains("invoice 7."));
    lab.rules([Rule::when(invoice_7)
        .then_times(2, Step::Fault(throttled()))
        .then_always(Step::text("Seven euros."))]);
    let mut bodies: Vec<String> = (1..=10).map(job).collect();
    bodies[2] = json!({ "job_id": "job-3", "prmpt": "Sum up invoice 3." }).to_string();
    let event = batch(QUEUE, &bodies);

    for (delivery, calls) in [(1, 9), (2, 10)] {
        let failed = working(deps(&lab, "worker"), &event, &ONLY).await;
        let what =
            format!("delivery {delivery}: messages reported (3 has no prompt, 7 is throttled)");
        ONLY.equal(&what, failed, vec!["m7"]);
        let what = format!("calls to Bedrock after delivery {delivery}");
        NO_NEW_CALL.equal(&what, paid(&lab), calls);
        pass(&lab, LEASE + Duration::from_secs(1));
    }
    let failed = working(deps(&lab, "worker"), &event, &ONLY).await;
    ONLY.equal(
        "delivery 3: messages reported",
        failed,
        Vec::<String>::new(),
    );
    NO_NEW_CALL.equal("calls to Bedrock after delivery 3", paid(&lab), 11);
    for number in 1..=10 {
        let there = row(&lab, &format!("job-{number}")).await;
        let wanted = if number == 3 { "REJECTED" } else { "DONE" };
        ROWS.holds(
            &format!("row of job {number}"),
            there.state() == wanted,
            there.short(),
            format!("job_state: {wanted}"),
        );
    }
}

#[tokio::test]
async fn a_job_without_a_prompt_is_rejected_in_its_row() {
    const REJECTED: Point = Point::result(
        "012/26",
        "it is as wrong at the fifth delivery as at the first; whoever waits for it must read so somewhere",
        "README.md \"The consumer\" · workshop hint 012 1",
    );
    const NO_CALL: Point = Point::restraint(
        "012/27",
        "the model answers nonsense with nonsense, and both are paid for",
        "README.md \"The consumer\"",
    );
    const ENDS_ONCE: Point = Point::restraint(
        "012/28",
        "a late, broken copy of a message must not take away an answer that is there",
        "README.md \"The row\"",
    );
    let lab = lab().await;
    let prompts = [json!(null), json!(""), json!(" \n"), json!(7), json!(["a"])];
    let jobs = prompts.iter().enumerate();
    let bodies = jobs.map(|(n, prompt)| json!({ "job_id": format!("bad-{n}"), "prompt": prompt }));
    let bodies: Vec<String> = bodies.map(|body| body.to_string()).collect();
    let failed = working(deps(&lab, "worker"), &batch(QUEUE, &bodies), &REJECTED).await;
    REJECTED.equal("messages reported", failed, Vec::<String>::new());
    for (n, body) in bodies.iter().enumerate() {
        let there = row(&lab, &format!("bad-{n}")).await;
        REJECTED.holds(
            &format!("row of {body}"),
            there.state() == "REJECTED",
            there.short(),
            "job_state: REJECTED",
        );
        REJECTED.holds(
            &format!("reason in the row of {body}"),
            !there.get("reason").is_empty(),
            there.short(),
            "some words of yours",
        );
    }
    NO_CALL.equal("calls to Bedrock", paid(&lab), 0);

    let mended = json!({ "job_id": "bad-0", "prompt": "Sum up invoice 1." }).to_string();
    let failed = working(deps(&lab, "worker"), &batch(QUEUE, [mended]), &ENDS_ONCE).await;
    let there = row(&lab, "bad-0").await;
    ENDS_ONCE.holds(
        "row of a job that was rejected, after a message with a prompt",
        there.state() == "REJECTED",
        there.short(),
        "job_state: REJECTED",
    );
    ENDS_ONCE.equal("messages reported of it", failed, Vec::<String>::new());

    working(deps(&lab, "worker"), &batch(QUEUE, [job(1)]), &ENDS_ONCE).await;
    let broken = batch(QUEUE, [json!({ "job_id": "job-1" }).to_string()]);
    let failed = working(deps(&lab, "worker"), &broken, &ENDS_ONCE).await;
    let there = row(&lab, "job-1").await;
    ENDS_ONCE.holds(
        "row of a job that is done, after a message without a prompt",
        there.state() == "DONE",
        there.short(),
        "job_state: DONE",
    );
    ENDS_ONCE.equal("messages reported", failed, Vec::<String>::new());
}

#[tokio::test]
async fn a_message_that_names_no_job_is_left_to_the_dead_letters() {
    const EVIDENCE: Point = Point::result(
        "012/29",
        "no row can tell of a job without a name; the dead-letter queue keeps the message for a person",
        "README.md \"The consumer\"",
    );
    const NEITHER: Point = Point::restraint(
        "012/30",
        "nobody will ever ask for the answer to a job without a name",
        "README.md \"The consumer\"",
    );
    let lab = lab().await;
    let bodies = [
        "job-1",
        "{\"job_id\": \"job-1\", \"pro",
        "",
        "null",
        "[1, 2]",
        "{\"prompt\": \"Sum up invoice 1.\"}",
        "{\"job_id\": 7, \"prompt\": \"Sum up invoice 1.\"}",
        "{\"job_id\": \"\", \"prompt\": \"Sum up invoice 1.\"}",
    ];
    for body in bodies {
        let event = batch(QUEUE, [body, &job(2)]);
        let failed = working(deps(&lab, "worker"), &event, &EVIDENCE).await;
        EVIDENCE.equal(
            &format!("messages reported: {body:?}, and a good one"),
            failed,
            vec!["m1"],
        );
    }
    NEITHER.equal("calls to Bedrock (one for the good job)", paid(&lab), 1);
    let table = aws_sdk_dynamodb::Client::new(&lab.sdk_config());
    let rows = table.scan().table_name(TABLE).send().await;
    let rows = rows.expect("the table answers").count;
    NEITHER.equal("rows (one for the good job)", rows, 1);
}

#[tokio::test]
async fn whatever_bedrock_refuses_comes_again() {
    const LATER: Point = Point::result(
        "012/31",
        "throttling ends and policies are mended; the queue is patient, and keeps count",
        "README.md \"The consumer\"",
    );
    const ONE_CALL: Point = Point::restraint(
        "012/32",
        "the queue retries already; a loop inside it multiplies calls, and may outlive the function",
        "README.md \"The consumer\"",
    );
    let lab = lab().await;
    let faults = [
        throttled(),
        Fault::ServiceUnavailable,
        Fault::AccessDenied,
        Fault::Validation("The prompt is too long.".into()),
        Fault::Disconnect,
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        lab.script([Step::Fault(fault.clone())]);
        // Two jobs, one of which meets it: which one is yours, as they may run side by side.
        let first = 2 * n + 1;
        let event = batch_from(first, QUEUE, [job(first), job(first + 1)]);
        let before = paid(&lab);
        let failed = working(deps(&lab, "worker"), &event, &LATER).await;
        let what = format!("messages reported after {fault:?}");
        LATER.equal(&what, failed.len(), 1);
        ONE_CALL.equal("calls to Bedrock for two jobs", paid(&lab) - before, 2);
        let there = row(&lab, &failed[0].replace('m', "job-")).await;
        LATER.holds(
            &format!("row of the job that met {fault:?}"),
            there.state() != "DONE" && there.state() != "REJECTED",
            there.short(),
            "no end",
        );
    }
}

#[tokio::test]
async fn without_a_lease_nothing_is_asked() {
    const REPORTED: Point = Point::result(
        "012/33",
        "a table that is busy for a second is no reason to lose a job, nor to bring others back",
        "README.md \"The consumer\"",
    );
    const NO_CALL: Point = Point::restraint(
        "012/34",
        "whoever asks without a lease pays for what the next worker will pay for again",
        "README.md \"The consumer\"",
    );
    let lab = lab().await;
    let broken = FaultRule::new(Fault::InternalServer);
    lab.faults([broken.when(When::any().operation("*Item*"))]);
    let event = batch(QUEUE, [job(1), job(2)]);
    let failed = working(deps(&lab, "worker"), &event, &REPORTED).await;
    REPORTED.equal(
        "messages reported when the table is down",
        failed,
        vec!["m1", "m2"],
    );
    NO_CALL.equal("calls to Bedrock", paid(&lab), 0);
}

// ---- first in, first out

#[tokio::test]
async fn in_a_fifo_queue_nobody_overtakes() {
    const IN_ORDER: Point = Point::result(
        "012/35",
        "who chose FIFO relies on the order: a later message that succeeds first has broken it",
        "README.md \"First in, first out\"",
    );
    const NOT_ASKED: Point = Point::restraint(
        "012/36",
        "what is reported comes again: work that was done on it is work for nothing, or out of order",
        "README.md \"First in, first out\"",
    );
    let lab = lab().await;
    let invoice_2 = When::any().prompt(Text::contains("invoice 2."));
    lab.rules([Rule::when(invoice_2).then(Step::Fault(throttled()))]);
    let event = batch(&format!("{QUEUE}.fifo"), (1..=5).map(job));
    let failed = working(deps(&lab, "worker"), &event, &IN_ORDER).await;
    let wanted = vec!["m2", "m3", "m4", "m5"];
    IN_ORDER.equal(
        "messages reported when the second is throttled",
        failed,
        wanted,
    );
    let texts = |lab: &AwsLab| {
        let calls = asked(lab).into_iter();
        let model = calls.filter(|call| call.operation == "Converse");
        model.map(|call| call.text()).collect::<Vec<_>>()
    };
    let invoice = |number| format!("Sum up invoice {number}.");
    NOT_ASKED.equal(
        "questions to the model",
        texts(&lab),
        vec![invoice(1), invoice(2)],
    );

    pass(&lab, LEASE + Duration::from_secs(1));
    let failed = working(deps(&lab, "worker"), &event, &IN_ORDER).await;
    IN_ORDER.equal(
        "messages reported when nothing fails",
        failed,
        Vec::<String>::new(),
    );
    let order: Vec<String> = [1, 2, 2, 3, 4, 5].map(invoice).into();
    IN_ORDER.equal("questions to the model, in their order", texts(&lab), order);
}

// ---- what stands around the code

#[test]
fn the_settings_fit_together() {
    const HIDDEN: Point = Point::result(
        "012/37",
        "AWS advises six times: a message that is seen again while a worker still has it is worked on twice",
        "README.md \"The settings\" · workshop hint 012 2",
    );
    const LEASED: Point = Point::result(
        "012/38",
        "a lease shorter than a worker's life gives jobs away that are being paid for; one that outlives \
         the message's absence makes it come back for nothing",
        "README.md \"The settings\"",
    );
    const DEAD_LETTERS: Point = Point::result(
        "012/39",
        "without a dead-letter queue a message that nobody can handle goes round for four days; with too \
         few tries a busy minute of Bedrock's ends there as well",
        "README.md \"The settings\"",
    );
    const KEPT: Point = Point::result(
        "012/40",
        "a dead letter's age counts from the day it was first sent: with the same time in both queues it \
         is gone before anybody looks",
        "README.md \"The settings\"",
    );
    const HEARD: Point = Point::result(
        "012/41",
        "without it Lambda does not read your list of failures, and deletes the whole batch",
        "README.md \"The settings\" · workshop hint 012 2",
    );
    let QueueSettings {
        visibility_timeout,
        lease,
        max_receive_count,
        dead_letter_retention,
        report_batch_item_failures,
    } = settings();
    let six = 6 * FUNCTION_TIMEOUT;
    let most = Duration::from_hours(12);
    HIDDEN.holds(
        "visibility_timeout",
        (six..=most).contains(&visibility_timeout),
        format!("{visibility_timeout:?}"),
        format!("{six:?} or more, and no more than SQS's {most:?}"),
    );
    LEASED.holds(
        "lease",
        (FUNCTION_TIMEOUT..visibility_timeout).contains(&lease),
        format!("{lease:?}"),
        format!("{FUNCTION_TIMEOUT:?} or more, and less than {visibility_timeout:?}"),
    );
    DEAD_LETTERS.holds(
        "max_receive_count",
        max_receive_count.is_some_and(|n| (5..=20).contains(&n)),
        format!("{max_receive_count:?}"),
        "Some: from 5 to 20",
    );
    let four_days = Duration::from_hours(4 * 24);
    let tried = visibility_timeout * max_receive_count.unwrap_or_default();
    DEAD_LETTERS.holds(
        "visibility_timeout, max_receive_count times",
        tried < four_days,
        format!("{} hours", tried.as_secs() / 3600),
        "less than the queue's 96: what is older is deleted, and is in no queue at all",
    );
    let most = Duration::from_hours(14 * 24);
    KEPT.holds(
        "dead_letter_retention",
        dead_letter_retention > four_days && dead_letter_retention <= most,
        format!("{} hours", dead_letter_retention.as_secs() / 3600),
        "more than the queue's 96 hours, and no more than SQS's 336",
    );
    HEARD.equal(
        "report_batch_item_failures",
        report_batch_item_failures,
        true,
    );
}

#[test]
fn ten_messages_end_as_nine_rows_and_one_dead_letter() {
    // In Lambda this program is the function.
    function_or_test(bootstrap::main, in_lambda());
}

async fn in_lambda() {
    const NINE: Point = Point::result(
        "012/42",
        "what works in a test and not in Lambda does not work",
        "README.md \"In Lambda\"",
    );
    const ONE: Point = Point::result(
        "012/43",
        "one message that nobody can read must not stop the others, nor get lost",
        "README.md \"In Lambda\"",
    );
    const NINE_CALLS: Point = Point::restraint(
        "012/44",
        "the poison is delivered again and again; the nine beside it are paid for once",
        "README.md \"In Lambda\"",
    );
    const POISON: &str = "Sum up the invoice, please.";
    let settings = settings();
    let Some(deliveries) = settings.max_receive_count else {
        ONE.fail(
            "max_receive_count",
            "None",
            "Some, and with it a dead-letter queue",
        );
    };
    let lab = lab().await;
    let [jobs, dead] = queues(&lab, &settings, deliveries).await;
    let sqs = producer(&lab);
    let mut ids = Vec::new();
    for number in 1..=9 {
        let job = work_of("acme", &format!("invoice-{number}"));
        ids.push(sent(&sqs, &jobs, &job, &NINE).await);
    }
    let poison = sqs.send_message().queue_url(&jobs).message_body(POISON);
    poison.send().await.expect("SQS takes any text");

    let name = "ten_messages_end_as_nine_rows_and_one_dead_letter";
    let mut function = AwsLab::function("worker", name);
    function.timeout = FUNCTION_TIMEOUT;
    let environment = [
        ("TABLE", TABLE.to_owned()),
        ("MODEL_ID", lab.profile("haiku")),
    ];
    function.environment = environment.map(|(k, v)| (k.to_owned(), v)).into();
    let lambda = &lab.services().lambda;
    lambda.create(function).expect("Lambda takes the function");
    let mapped = lambda.map(EventSource {
        report_batch_item_failures: settings.report_batch_item_failures,
        ..EventSource::new("jobs", "worker")
    });
    if let Err(refused) = mapped {
        NINE.fail("CreateEventSourceMapping", refused, "a mapping");
    }

    let in_queue = lab.queue("jobs");
    until_invoked(&lab, 1, &NINE).await;
    let acknowledged = in_queue.until_held(1);
    within(&NINE, "nine of ten messages acknowledged", acknowledged).await;
    for id in &ids {
        let there = row(&lab, id).await;
        let what = format!("row of the job {id}");
        NINE.holds(
            &what,
            there.state() == "DONE",
            there.short(),
            "job_state: DONE",
        );
    }
    // The poison comes back when its time is over, as often as it may.
    for delivery in 2..=deliveries {
        pass(&lab, settings.visibility_timeout + Duration::from_secs(1));
        tokio::select! {
            () = until_invoked(&lab, delivery, &ONE) => {}
            () = in_queue.until_held(0) => ONE.fail(
                &format!("messages in the queue after delivery {}", delivery - 1),
                "none",
                "the one that names no job: nobody has taken it",
            ),
        }
    }
    pass(&lab, settings.visibility_timeout + Duration::from_secs(1));
    let dead_letters = received(&lab, &dead, &ONE).await;
    ONE.equal("the dead-letter queue", dead_letters, vec![POISON]);
    ONE.equal("messages in the queue", in_queue.held(), 0);
    NINE_CALLS.equal("calls to Bedrock", paid(&lab), 9);
}

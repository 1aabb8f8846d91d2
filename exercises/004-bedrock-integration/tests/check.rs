//! What exercise 004 asks for. Read it: these tests are the exact form of the task.
//!
//! Each lab sends one call that ends somewhere else. The tests look at what left your process (WIRE),
//! at the evidence that your function collected (RESULT) and at what must not have happened
//! (RESTRAINT).

use ex004::{
    Caller, DRAFT, Decision, Edge, Evidence, Hop, Node, Observer, blame, edge, fix_diagram,
    trace_one,
};
use workshop_testkit::{Call, Fault, Lab, Point, Setup, Step, Value, json, within};

const PROMPT: &str = "Where have you been?";

/// The lab as an operator sees it.
struct Console<'a> {
    lab: &'a Lab,
}

impl Observer for Console<'_> {
    fn whoami(&self) -> Caller {
        let identity = self.lab.observer().whoami();
        Caller {
            access_key_id: identity.access_key_id,
            temporary: identity.session,
        }
    }

    fn simulate(&self, action: &str, model: &str) -> Decision {
        let denied = self.lab.observer().simulate(action, model).err();
        Decision {
            allowed: denied.is_none(),
            by: denied,
        }
    }

    /// Records of other callers stand in front of ours and behind it.
    fn logs(&self) -> Vec<Value> {
        let mut records: Vec<_> = self.lab.logs().into_iter().map(|log| log.record).collect();
        if records.len() > 1 {
            records.rotate_left(1);
        }
        records
    }

    fn metric(&self, name: &str, model: &str) -> f64 {
        self.lab.metric(name, model).sum
    }
}

/// One call of the function under test; its hops, and the requests that arrived meanwhile.
async fn traced(lab: &Lab, model: &str) -> (Vec<Hop>, Vec<Call>) {
    const RETURNS: Point = Point::result(
        "004/1",
        "a diagnosis that never ends is no diagnosis",
        "README.md \"The task\" · workshop hint 004 1",
    );
    let before = lab.calls().len();
    let (client, console) = (lab.client(), Console { lab });
    let call = trace_one(&client, &console, model, PROMPT, 64);
    let hops = within(&RETURNS, "trace_one(…)", call).await;
    (hops, lab.calls().split_off(before))
}

/// A call that another program makes of the same model.
async fn somebody_else_calls(lab: &Lab, model: &str) {
    use workshop_testkit::bedrock::types::{ContentBlock, ConversationRole, Message};
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Good morning!".into()))
        .build();
    let request = lab
        .client()
        .converse()
        .model_id(model)
        .messages(message.unwrap());
    request.send().await.expect("the lab answers");
}

fn nodes(hops: &[Hop]) -> Vec<Node> {
    hops.iter().map(|hop| hop.node).collect()
}

/// The evidence at a node, or a failure of `point`.
#[track_caller]
fn at<'a>(point: &Point, hops: &'a [Hop], node: Node) -> &'a Evidence {
    match hops.iter().find(|hop| hop.node == node) {
        Some(hop) => &hop.evidence,
        None => point.fail(
            "hops",
            format!("{:?}", nodes(hops)),
            format!("{node:?} among them"),
        ),
    }
}

// ---- a call that arrives

#[tokio::test]
async fn a_good_call_leaves_evidence_at_every_hop() {
    const ONE_CALL: Point = Point::wire(
        "004/4",
        "a trace is about one request; a second one has another id, another record, another bill",
        "README.md \"The evidence\" · workshop hint 004 2",
    );
    const LIMIT: Point = Point::wire(
        "004/20",
        "a diagnosis runs when things are bad already; it should not add an endless answer to them",
        "README.md \"The task\" · workshop hint 001 2",
    );
    const HOPS: Point = Point::result(
        "004/5",
        "the order of the hops is the order in which things can go wrong",
        "README.md \"The evidence\" · workshop hint 004 1",
    );
    const EVIDENCE: Point = Point::result(
        "004/6",
        "evidence quotes this very request: its region, its caller, its id, its tokens",
        "README.md \"The evidence\" · workshop hint 004 2",
    );
    let setup = Setup {
        temporary_credentials: true,
        ..Setup::default()
    };
    let lab = Lab::with(setup).await;
    let (hops, calls) = traced(&lab, &lab.profile("haiku")).await;

    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    ONE_CALL.equal("operations called", operations, vec!["Converse"]);
    let call = &calls[0];
    ONE_CALL.equal("text of the message", call.text().as_str(), PROMPT);
    let limit = call.body_at("/inferenceConfig/maxTokens");
    LIMIT.equal("inferenceConfig.maxTokens", limit, Some(&json!(64)));
    let all = [
        Node::Client,
        Node::Identity,
        Node::Policy,
        Node::Bedrock,
        Node::Model,
        Node::Logs,
        Node::Metrics,
    ];
    HOPS.equal("hops", nodes(&hops), all.to_vec());
    let usage = call.usage.expect("the lab answered");
    for (node, wanted) in [
        (Node::Client, Evidence::Region(call.scope_region.clone())),
        (
            Node::Identity,
            Evidence::Caller {
                access_key_id: call.access_key_id.clone().unwrap_or_default(),
                temporary: true,
            },
        ),
        (
            Node::Policy,
            Evidence::Decision {
                allowed: true,
                by: None,
            },
        ),
        (Node::Bedrock, Evidence::RequestId(call.request_id.clone())),
        (
            Node::Model,
            Evidence::Tokens {
                input: usage.input.try_into().unwrap(),
                output: usage.output.try_into().unwrap(),
            },
        ),
        (
            Node::Metrics,
            Evidence::Metric {
                name: "Invocations",
                value: 1.0,
            },
        ),
    ] {
        EVIDENCE.equal(&format!("{node:?}"), at(&EVIDENCE, &hops, node), &wanted);
    }
    EVIDENCE.equal("blame", blame(&hops), None);
}

#[tokio::test]
async fn the_log_record_is_this_calls_own() {
    const OWN: Point = Point::result(
        "004/7",
        "on a busy account the newest record is somebody else's, with somebody else's prompt in it",
        "README.md \"The evidence\" · workshop hint 004 2",
    );
    let lab = Lab::start().await;
    let model = lab.profile("haiku");
    somebody_else_calls(&lab, &model).await;
    somebody_else_calls(&lab, &model).await;
    let (hops, calls) = traced(&lab, &model).await;

    let wanted = calls.first().map(|call| json!(call.request_id));
    let Evidence::LogRecord(record) = at(&OWN, &hops, Node::Logs) else {
        OWN.fail("Logs", "no record", "the record of this request");
    };
    OWN.equal(
        "requestId of the record",
        Some(&record["requestId"]),
        wanted.as_ref(),
    );
}

#[tokio::test]
async fn a_metric_is_what_this_call_added() {
    const ADDED: Point = Point::result(
        "004/8",
        "a metric counts everybody's calls; one call is a difference, not a sum",
        "README.md \"The evidence\" · workshop hint 004 3",
    );
    let lab = Lab::start().await;
    let model = lab.profile("haiku");
    somebody_else_calls(&lab, &model).await;
    let (hops, _) = traced(&lab, &model).await;

    let wanted = Evidence::Metric {
        name: "Invocations",
        value: 1.0,
    };
    ADDED.equal("Metrics", at(&ADDED, &hops, Node::Metrics), &wanted);
}

// ---- calls that stop somewhere

#[tokio::test]
async fn a_denied_call_ends_at_the_policy() {
    const DENIED: Point = Point::result(
        "004/9",
        "a request id proves an answer, not an arrival: IAM says no before Bedrock begins",
        "README.md \"Five labs and one more\" · workshop hint 004 3",
    );
    const ONE_CALL: Point = Point::restraint(
        "004/10",
        "a denied call stays denied; every repeat is one more line in somebody's audit",
        "README.md \"Five labs and one more\" · workshop hint 004 1",
    );
    let deny = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": "*" }],
    });
    let lab = Lab::with(Setup {
        policies: vec![deny],
        ..Setup::default()
    })
    .await;
    let (hops, calls) = traced(&lab, &lab.profile("haiku")).await;

    let reached = [
        Node::Client,
        Node::Identity,
        Node::Policy,
        Node::Logs,
        Node::Metrics,
    ];
    DENIED.equal("hops", nodes(&hops), reached.to_vec());
    let decision = at(&DENIED, &hops, Node::Policy);
    let denied = matches!(decision, Evidence::Decision { allowed: false, .. });
    DENIED.holds(
        "Policy",
        denied,
        format!("{decision:?}"),
        "Decision { allowed: false, … }",
    );
    let nothing = Evidence::Metric {
        name: "Invocations",
        value: 0.0,
    };
    DENIED.equal("Metrics", at(&DENIED, &hops, Node::Metrics), &nothing);
    DENIED.equal("blame", blame(&hops), Some(Node::Policy));
    ONE_CALL.equal("requests", calls.len(), 1);
}

#[tokio::test]
async fn a_throttled_call_ends_at_bedrock() {
    const THROTTLED: Point = Point::result(
        "004/11",
        "429 is Bedrock's quota for your account: the model never saw the prompt, nobody pays",
        "README.md \"Five labs and one more\" · workshop hint 004 3",
    );
    const ONE_CALL: Point = Point::restraint(
        "004/12",
        "a diagnosis that retries adds to the load that it is asked to explain",
        "README.md \"Five labs and one more\" · workshop hint 004 1",
    );
    let lab = Lab::start().await;
    lab.script(vec![
        Step::Fault(Fault::Throttling {
            retry_after_ms: None
        });
        5
    ]);
    let (hops, calls) = traced(&lab, &lab.profile("haiku")).await;

    let reached = [
        Node::Client,
        Node::Identity,
        Node::Policy,
        Node::Bedrock,
        Node::Logs,
        Node::Metrics,
    ];
    THROTTLED.equal("hops", nodes(&hops), reached.to_vec());
    let counted = Evidence::Metric {
        name: "InvocationThrottles",
        value: 1.0,
    };
    THROTTLED.equal("Metrics", at(&THROTTLED, &hops, Node::Metrics), &counted);
    THROTTLED.equal("blame", blame(&hops), Some(Node::Bedrock));
    ONE_CALL.equal("requests", calls.len(), 1);
}

#[tokio::test]
async fn without_invocation_logging_the_record_is_missing() {
    const NO_LOGS: Point = Point::result(
        "004/13",
        "logging is off until somebody switches it on; a record that was made up hides just that",
        "README.md \"Five labs and one more\" · workshop hint 004 3",
    );
    let lab = Lab::with(Setup {
        logging_off: true,
        ..Setup::default()
    })
    .await;
    let (hops, _) = traced(&lab, &lab.profile("haiku")).await;

    let evidence = at(&NO_LOGS, &hops, Node::Logs);
    NO_LOGS.holds(
        "Logs",
        matches!(evidence, Evidence::Missing(_)),
        format!("{evidence:?}"),
        "Missing(…)",
    );
    NO_LOGS.equal("blame", blame(&hops), Some(Node::Logs));
}

#[tokio::test]
async fn a_base_id_is_refused_by_bedrock() {
    const REFUSED: Point = Point::result(
        "004/14",
        "\"on-demand throughput isn't supported\" is no missing permission: the id needs a profile",
        "README.md \"Five labs and one more\" · workshop hint 004 3",
    );
    let lab = Lab::start().await;
    let base_id = lab.model("haiku").id.clone();
    let (hops, _) = traced(&lab, &base_id).await;

    let model = hops.iter().any(|hop| hop.node == Node::Model);
    REFUSED.holds(
        "hops",
        !model,
        format!("{:?}", nodes(&hops)),
        "no Model among them",
    );
    REFUSED.equal("blame", blame(&hops), Some(Node::Bedrock));
}

#[tokio::test]
async fn a_403_is_not_always_the_policy() {
    const WHOSE: Point = Point::result(
        "004/15",
        "IAM and Bedrock both say 403; who blames IAM sends a colleague to the wrong console",
        "README.md \"Five labs and one more\" · workshop hint 004 2",
    );
    let lab = Lab::start().await;
    // Every policy allows it, but this account was never granted the model.
    lab.script([Step::Fault(Fault::AccessDenied)]);
    let (hops, _) = traced(&lab, &lab.profile("haiku")).await;

    let allowed = Evidence::Decision {
        allowed: true,
        by: None,
    };
    WHOSE.equal("Policy", at(&WHOSE, &hops, Node::Policy), &allowed);
    WHOSE.equal("blame", blame(&hops), Some(Node::Bedrock));
}

// ---- the diagram

/// The nodes that can be reached from `start`, without passing `closed`.
fn reachable<'a>(edges: &[Edge<'a>], start: &'a str, closed: &str) -> Vec<&'a str> {
    let mut reached = vec![start];
    let mut next = 0;
    while next < reached.len() {
        let from = reached[next];
        for edge in edges
            .iter()
            .filter(|edge| edge.from == from && edge.to != closed)
        {
            if !reached.contains(&edge.to) {
                reached.push(edge.to);
            }
        }
        next += 1;
    }
    reached
}

#[test]
fn the_diagram_is_right_afterwards() {
    const POLICY: Point = Point::result(
        "004/16",
        "a role is assumed; a policy is a rule that requests are checked against",
        "README.md \"The diagram\" · workshop hint 004 2",
    );
    const ENDPOINT: Point = Point::result(
        "004/17",
        "a VPC endpoint is a door in your own network: it lies before the API, never behind it",
        "README.md \"The diagram\" · workshop hint 004 2",
    );
    const LOGS: Point = Point::result(
        "004/18",
        "a solid line promises records that are not there on the day they are needed",
        "README.md \"The diagram\" · workshop hint 004 2",
    );
    const KEPT: Point = Point::result(
        "004/19",
        "a correction that loses other people's work is not merged",
        "README.md \"The diagram\" · workshop hint 004 3",
    );
    // The draft, and the same with more in it.
    let longer =
        format!("{DRAFT}    DEV[Developer]\n    DEV -->|commands| CC\n    style CC fill:#146EB4\n");
    for draft in [DRAFT, &longer] {
        let fixed = fix_diagram(draft);
        let edges: Vec<Edge> = fixed.lines().filter_map(edge).collect();
        let between = |from: &str, to: &str| edges.iter().find(|e| e.from == from && e.to == to);
        let drawn = || {
            edges
                .iter()
                .map(|e| format!("{}→{}", e.from, e.to))
                .collect::<Vec<_>>()
                .join(" ")
        };

        let label = between("USER", "POLICY").map_or("no edge", |edge| edge.label);
        let checked = label != "no edge" && !label.contains("assum");
        POLICY.holds(
            "USER → POLICY",
            checked,
            label,
            "an edge that assumes nothing",
        );

        let around = reachable(&edges, "CC", "VPCE").contains(&"BR");
        let through = reachable(&edges, "CC", "").contains(&"BR");
        let behind = reachable(&edges, "BR", "").contains(&"VPCE");
        let model = between("BR", "MODEL").is_some();
        ENDPOINT.holds(
            "edges",
            through && !around && !behind && model,
            drawn(),
            "every way from CC to BR leads through VPCE, and BR → MODEL",
        );

        let dashed = |to: &str| between("BR", to).map(|edge| edge.dashed);
        let lines = (dashed("CW"), dashed("METRICS"));
        LOGS.equal(
            "dashed: (BR → CW, BR → METRICS)",
            lines,
            (Some(true), Some(false)),
        );

        let others = draft
            .lines()
            .filter(|line| edge(line).is_none_or(|e| e.to == "CC" || e.to == "USER"));
        let lost: Vec<&str> = others
            .filter(|line| !fixed.lines().any(|l| l == *line))
            .collect();
        KEPT.equal("lines that were lost", lost, Vec::<&str>::new());
    }
}

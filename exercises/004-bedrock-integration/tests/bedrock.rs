//! Exercise 004 against real Amazon Bedrock: one call, with your own AWS configuration.
//!
//! `workshop check 004 --target bedrock` runs this after it has told you the price ceiling and you have
//! agreed. It looks at the shape of the result alone: what a model says is its own affair.

use ex004::{Caller, Decision, Evidence, Node, Observer, blame, trace_one};
use workshop_testkit::{
    Point, Value,
    live::{self, Limits},
};

/// What one run may cost; `exercise.toml` says the same.
const LIMITS: Limits = Limits {
    calls: 1,
    max_tokens: 200,
};

/// Real logs and metrics come minutes later and belong to other services with permissions of their
/// own. This console knows nothing, and says so.
struct NoConsole;

impl Observer for NoConsole {
    fn whoami(&self) -> Caller {
        Caller {
            access_key_id: "not asked".to_owned(),
            temporary: true,
        }
    }

    fn simulate(&self, _action: &str, _model: &str) -> Decision {
        Decision {
            allowed: true,
            by: None,
        }
    }

    fn logs(&self) -> Vec<Value> {
        Vec::new()
    }

    fn metric(&self, _name: &str, _model: &str) -> f64 {
        0.0
    }
}

#[tokio::test]
async fn a_real_call_is_followed_to_the_model() {
    const FOLLOWED: Point = Point::result(
        "004/30",
        "region, request id and tokens are evidence that needs no console",
        "README.md \"The evidence\"",
    );
    let live = live::client(LIMITS)
        .await
        .unwrap_or_else(|missing| panic!("{missing}"));
    let model = live
        .model("haiku")
        .unwrap_or_else(|missing| panic!("{missing}"));

    let prompt = "Greet me in one short sentence.";
    let hops = trace_one(live.client(), &NoConsole, &model, prompt, 200).await;
    let region = Evidence::Region(live.region().to_owned());
    FOLLOWED.equal(
        "Client",
        hops.first().map(|hop| &hop.evidence),
        Some(&region),
    );
    let at = |node| {
        hops.iter()
            .find(|hop| hop.node == node)
            .map(|hop| &hop.evidence)
    };
    FOLLOWED.holds(
        "Bedrock",
        matches!(at(Node::Bedrock), Some(Evidence::RequestId(id)) if !id.is_empty()),
        format!("{:?}", at(Node::Bedrock)),
        "RequestId(…)",
    );
    FOLLOWED.holds(
        "Model",
        matches!(
            at(Node::Model),
            Some(Evidence::Tokens {
                input: 1..,
                output: 1..=200
            })
        ),
        format!("{:?}", at(Node::Model)),
        "Tokens, at most 200 of them out",
    );
    // No record was to be had, and that is all there is to blame.
    FOLLOWED.equal("blame", blame(&hops), Some(Node::Logs));
}

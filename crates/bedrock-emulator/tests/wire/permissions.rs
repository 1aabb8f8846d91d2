//! IAM in front of the operations.

use bedrock_emulator::{Config, Emulator, policy::Decision};
use serde_json::{Value, json};

use crate::bench::{call, header, json as body, open, profile, with};

const ANYTHING: &str = "arn:aws:bedrock:*::foundation-model/*";

fn allow(action: &str, resources: &[&str]) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resources}]})
}

fn ask(emulator: &Emulator, action: &str) -> (u16, String) {
    let request = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let reply = call(emulator, &profile(emulator, "haiku"), action, &request);
    let message = if reply.status == 200 {
        String::new()
    } else {
        assert!(
            header(&reply, "x-amzn-ErrorType")
                .unwrap()
                .ends_with("coral.service/")
        );
        body(&reply)["Message"].as_str().unwrap().to_owned()
    };
    (reply.status, message)
}

#[test]
fn a_profile_needs_itself_and_every_model_behind_it() {
    let profiles = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/*";
    let rows = [
        (vec![profiles, ANYTHING], 200, ""),
        (vec![ANYTHING], 403, "inference-profile/us."),
        (
            vec![profiles],
            403,
            "arn:aws:bedrock:us-east-1::foundation-model/",
        ),
        (
            vec![profiles, "arn:aws:bedrock:us-east-1::foundation-model/*"],
            403,
            "arn:aws:bedrock:us-east-2::foundation-model/",
        ),
    ];
    for (resources, status, message) in rows {
        let emulator = with(|c| c.policies = vec![allow("bedrock:InvokeModel", &resources)]);
        let (answered, said) = ask(&emulator, "converse");
        assert_eq!(answered, status, "{resources:?}: {said}");
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn a_profile_belongs_to_the_account_in_its_arn() {
    let own = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/*";
    let emulator = with(|c| c.policies = vec![allow("bedrock:InvokeModel", &[own, ANYTHING])]);
    let request = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let id = profile(&emulator, "haiku");
    for (account, status) in [("123456789012", 200), ("111122223333", 403)] {
        let arn = format!("arn:aws:bedrock:us-east-1:{account}:inference-profile/{id}");
        let reply = call(&emulator, &arn, "converse", &request);
        assert_eq!(reply.status, status, "{arn}");
        let entry = emulator.journal().pop().unwrap();
        assert_eq!(entry.access.unwrap().asked[0].resource, arn);
    }
}

#[test]
fn streaming_is_an_action_of_its_own_and_converse_is_none() {
    let emulator = with(|c| c.policies = vec![allow("bedrock:InvokeModel", &["*"])]);
    assert_eq!(ask(&emulator, "converse").0, 200);
    let (status, said) = ask(&emulator, "converse-stream");
    let arn = "arn:aws:iam::123456789012:user/student";
    let id = profile(&emulator, "haiku");
    assert_eq!(status, 403);
    assert_eq!(
        said,
        format!(
            "User: {arn} is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: \
             arn:aws:bedrock:us-east-1:123456789012:inference-profile/{id} because no identity-based policy \
             allows the bedrock:InvokeModelWithResponseStream action"
        )
    );
    let emulator = with(|c| c.policies = vec![allow("bedrock:Converse", &["*"])]);
    assert_eq!(ask(&emulator, "converse").0, 403);
}

#[test]
fn an_explicit_deny_reads_differently() {
    let emulator = open();
    let deny = json!({"Statement": [{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}]});
    emulator
        .set_policies(&[allow("bedrock:*", &["*"]), deny])
        .unwrap();
    let (_, said) = ask(&emulator, "converse");
    assert!(
        said.ends_with("with an explicit deny in an identity-based policy"),
        "{said}"
    );
    assert_eq!(
        emulator.decide(
            "bedrock:InvokeModel",
            "arn:aws:bedrock:us-east-1::foundation-model/x"
        ),
        Decision::ExplicitDeny
    );
}

#[test]
fn a_broken_policy_is_refused_and_changes_nothing() {
    let emulator = with(|c| c.policies = vec![allow("bedrock:InvokeModel", &["*"])]);
    let error = emulator
        .set_policies(&[json!({"Statement": {"Effect": "Allow"}})])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "IAM policy 0, Statement: has neither Action nor NotAction"
    );
    assert_eq!(ask(&emulator, "converse").0, 200);
    assert_eq!(ask(&emulator, "converse-stream").0, 403);
    let broken = Config {
        policies: vec![json!("x")],
        ..Config::default()
    };
    assert!(Emulator::new(broken).is_err());
}

//! Requests that come through a VPC endpoint: what its policy and the caller's say about that.

use bedrock_emulator::{
    Emulator, Request,
    identity::Identity,
    neighbour::Actor,
    policy::{Layer, NamedPolicy},
    trace::TraceStatus,
};
use serde_json::{Value, json};

use crate::bench::{json as body, now, post, profile, with};

static SERVICE: Actor = Actor {
    node: "APP",
    edges: &[("BR", "APP-BR"), ("VPCE", "APP-VPCE")],
};

const ROLE: &str = "arn:aws:iam::123456789012:role/ask";
const DOOR: &str = "vpce-1a2b3c4d";
const HOST: &str = "vpce-1a2b3c4d-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com";

fn asked(emulator: &Emulator, role: &str, host: &str) -> Request {
    let signer = emulator.assume_role_for_service(role, "s", Some(&SERVICE), now());
    let said = json!({ "messages": [{ "role": "user", "content": [{ "text": "hello" }] }] });
    let mut request = post(&profile(emulator, "haiku"), "converse", said.to_string());
    let scope = format!(
        "{}/20260819/us-east-1/bedrock/aws4_request",
        signer.access_key_id
    );
    request.headers = vec![
        ("host".to_owned(), host.to_owned()),
        (
            "authorization".to_owned(),
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        ),
    ]
    .into();
    request
}

/// Status, message, and the lights of an edge or a node without one, as `APP-VPCE ok`.
fn answered(emulator: &Emulator, role: &str, host: &str) -> (u16, String, Vec<String>) {
    let reply = emulator.handle(&asked(emulator, role, host), now());
    let message = match reply.status {
        200 => String::new(),
        _ => body(&reply)["Message"].as_str().unwrap().to_owned(),
    };
    let trace = emulator.journal().pop().unwrap().trace;
    let lit = trace.into_iter().map(|event| {
        let what = event.edge.unwrap_or(event.node);
        match event.status {
            TraceStatus::Ok => what,
            other => format!("{what} {other:?}"),
        }
    });
    (reply.status, message, lit.collect())
}

fn policy(statement: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

#[test]
fn a_policy_of_the_endpoint_decides_beside_the_callers() {
    let emulator = with(|_| {});
    let (status, _, lit) = answered(&emulator, ROLE, HOST);
    assert_eq!(status, 200, "without a policy everything passes");
    assert!(lit.contains(&"APP-VPCE".to_owned()), "{lit:?}");
    assert!(lit.contains(&"VPCE-BR".to_owned()), "{lit:?}");
    assert!(!lit.contains(&"APP-BR".to_owned()), "{lit:?}");

    let only_ask = [
        json!({ "Effect": "Allow", "Principal": { "AWS": ROLE }, "Action": "bedrock:InvokeModel", "Resource": "*" }),
        json!({ "Effect": "Allow", "Principal": "*", "Action": "bedrock:InvokeModel", "Resource": "*",
            "Condition": { "ArnEquals": { "aws:PrincipalArn": ROLE } } }),
    ];
    for statement in only_ask {
        let set = emulator.set_vpc_endpoint_policy(DOOR, &policy(&statement));
        set.unwrap();
        assert_eq!(answered(&emulator, ROLE, HOST).0, 200, "{statement}");
        let other = "arn:aws:iam::123456789012:role/other";
        let (status, message, lit) = answered(&emulator, other, HOST);
        assert_eq!(status, 403, "{statement}");
        assert!(
            message
                .ends_with("because no VPC endpoint policy allows the bedrock:InvokeModel action"),
            "{message}"
        );
        assert!(lit.contains(&"APP-VPCE Denied".to_owned()), "{lit:?}");
        let access = emulator.journal().pop().unwrap().access.unwrap();
        assert_eq!(access.asked[0].decided_by, Some(Layer::VpcEndpoint));
        // Another endpoint, and the public way, are not its business.
        for host in [
            HOST.replace("1a2b", "9a2b"),
            "bedrock-runtime.us-east-1.amazonaws.com".to_owned(),
        ] {
            let (status, _, lit) = answered(&emulator, other, &host);
            assert_eq!(status, 200, "{host}");
            assert_eq!(
                lit.contains(&"APP-VPCE".to_owned()),
                host.starts_with("vpce")
            );
        }
    }
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" });
    let set = emulator.set_vpc_endpoint_policy(DOOR, &policy(&deny));
    set.unwrap();
    let (_, message, _) = answered(&emulator, ROLE, HOST);
    assert!(
        message.ends_with("with an explicit deny in a VPC endpoint policy"),
        "{message}"
    );
}

#[test]
fn a_role_can_be_held_to_one_endpoint() {
    let emulator = with(|_| {});
    let document = policy(&json!({
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel",
        "Resource": "*",
        "Condition": { "StringEquals": { "aws:SourceVpce": DOOR } },
    }));
    let named = NamedPolicy {
        name: "through the door".to_owned(),
        document,
    };
    let identity = Identity {
        arn: ROLE.to_owned(),
        policies: Some(vec![named]),
        ..Identity::default()
    };
    emulator.set_identity(&identity).unwrap();
    for (host, wanted) in [
        (HOST, 200),
        (
            "vpce-1a2b3c4d.bedrock-runtime.us-east-1.vpce.amazonaws.com:443",
            200,
        ),
        (
            "vpce-1a2b3c4d-5e6f7a8b-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            200,
        ),
        (
            "vpce-ffffffff-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            403,
        ),
        ("bedrock-runtime.us-east-1.amazonaws.com", 403),
        ("vpce-1a2b3c4d.example.com", 403),
        ("vpce-.vpce.amazonaws.com", 403),
        ("vpce-", 403),
        ("vpce-1a2b3c4d", 403),
        ("127.0.0.1:4566", 403),
    ] {
        let (status, message, lit) = answered(&emulator, ROLE, host);
        assert_eq!(status, wanted, "{host}: {message}");
        // The role's own policy refused: the door has let it pass.
        let through = host.contains(".vpce.amazonaws.com") && !host.starts_with("vpce-.");
        assert_eq!(
            lit.contains(&"APP-VPCE".to_owned()),
            through,
            "{host} {lit:?}"
        );
    }
}

#[test]
fn a_policy_that_aws_would_refuse_is_refused() {
    let emulator = with(|_| {});
    let rows = [
        (
            json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }),
            "neither Principal nor NotPrincipal",
        ),
        (
            json!({ "Effect": "Allow", "Action": "*", "Principal": "*" }),
            "neither Resource nor NotResource",
        ),
    ];
    for (statement, wanted) in rows {
        let refused = emulator.set_vpc_endpoint_policy(DOOR, &policy(&statement));
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
}

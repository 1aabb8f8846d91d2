//! STS over its query protocol.

use bedrock_emulator::{
    Emulator, Reply, Request,
    fault::FaultRule,
    identity::Identity,
    neighbour::Actor,
    script::{Fault, When},
    trace::TraceStatus,
};
use serde_json::json;

use crate::bench::{header, now, open, text};

fn form(emulator: &Emulator, body: &str) -> Reply {
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )]
        .into(),
        body: body.to_owned().into(),
        connection: 1,
    };
    emulator.handle(&request, now())
}

#[test]
fn the_caller_is_told_who_it_is() {
    let reply = form(&open(), "Action=GetCallerIdentity&Version=2011-06-15");
    let id = header(&reply, "x-amzn-RequestId").unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(header(&reply, "Content-Type"), Some("text/xml"));
    let body = text(&reply);
    let user = body.split("<UserId>").nth(1).unwrap().split('<').next();
    let user = user.unwrap();
    assert!(user.starts_with("AIDA") && user.len() == 21, "{user}");
    assert_eq!(
        body,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/student</Arn>\
             <UserId>{user}</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        )
    );
}

#[test]
fn an_unknown_action_is_refused_in_xml() {
    let reply = form(&open(), "Action=Fly&Version=2011-06-15");
    assert_eq!(reply.status, 400);
    assert!(
        text(&reply).contains("<Code>InvalidAction</Code><Message>Could not find operation Fly for version 2011-06-15</Message>"),
        "{}",
        text(&reply)
    );
}

static SERVICE: Actor = Actor {
    node: "APP",
    edges: &[("STS", "APP-STS"), ("BR", "APP-BR")],
};

#[test]
fn what_is_asked_is_in_the_journal_lights_the_way_and_can_fail() {
    let emulator = open();
    let role = "arn:aws:iam::123456789012:role/ask";
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": "arn:aws:iam::123456789012:root" } }] });
    let identity = Identity {
        arn: role.to_owned(),
        trust_policy: Some(trust),
        ..Identity::default()
    };
    emulator.set_identity(&identity).unwrap();
    let app = emulator.assume_role_for_service(
        "arn:aws:iam::123456789012:role/app",
        "app",
        Some(&SERVICE),
        now(),
    );
    let signed = |key: &str, body: &str| {
        Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![
            (
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ),
            (
                "authorization".to_owned(),
                format!(
                    "AWS4-HMAC-SHA256 Credential={key}/20260819/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0"
                ),
            ),
        ].into(),
        body: body.to_owned().into(),
        connection: 1,
    }
    };
    let assume = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fask\
                  &RoleSessionName=worker&DurationSeconds=900";
    let lit = |emulator: &Emulator| {
        let trace = emulator.journal().pop().unwrap().trace;
        let sts = trace.into_iter().find(|event| event.node == "STS");
        sts.map(|event| (event.edge, event.status))
    };

    let reply = emulator.handle(&signed(&app.access_key_id, assume), now());
    assert_eq!(reply.status, 200, "{}", text(&reply));
    let asked = emulator.journal().pop().unwrap().body.unwrap();
    assert_eq!(asked["RoleArn"], role);
    assert_eq!(asked["RoleSessionName"], "worker");
    assert_eq!(asked["DurationSeconds"], "900");
    let way = Some("APP-STS".to_owned());
    assert_eq!(lit(&emulator), Some((way.clone(), TraceStatus::Ok)));

    // The same code goes on as the role: its requests come from the same node.
    let answer = text(&reply);
    let key = answer.split("<AccessKeyId>").nth(1).unwrap();
    let key = key.split('<').next().unwrap();
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    emulator.handle(&signed(key, who), now());
    assert_eq!(lit(&emulator), Some((way.clone(), TraceStatus::Ok)));

    let down = FaultRule::new(Fault::ServiceUnavailable).when(When::any().operation("AssumeRole"));
    emulator.faults([down]);
    let reply = emulator.handle(&signed(&app.access_key_id, assume), now());
    assert_eq!(reply.status, 503);
    assert!(text(&reply).contains("<Code>"), "{}", text(&reply));
    assert_eq!(lit(&emulator), Some((way.clone(), TraceStatus::Throttled)));
    let denied = assume.replace("ask", "nobody");
    emulator.handle(&signed(&app.access_key_id, &denied), now());
    assert_eq!(lit(&emulator), Some((way, TraceStatus::Denied)));
}

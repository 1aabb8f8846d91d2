//! STS over its query protocol.

use bedrock_emulator::{Emulator, Reply, Request};

use crate::bench::{header, now, open, text};

fn form(emulator: &Emulator, body: &str) -> Reply {
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![(
            "content-type".to_owned(),
            "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
        )],
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

//! `SigV4` and API keys. The signatures below were computed by botocore 1.43.11, an independent
//! implementation, with AWS's documentation key pair at 2026-08-19T14:34:34Z.

use bedrock_emulator::{
    Config, Emulator, Request,
    emulator::{ApiKey, Credential, Latency},
};
use time::Duration;

use crate::bench::{header, now, text};

const SCOPE: &str = "Credential=AKIAIOSFODNN7EXAMPLE/20260819/us-east-1/bedrock/aws4_request";

fn strict(change: impl FnOnce(&mut Config)) -> Emulator {
    let mut config = Config {
        latency: Latency::none(),
        ..Config::default()
    };
    change(&mut config);
    Emulator::new(config).unwrap()
}

fn signed(
    target: &str,
    body: &str,
    headers: &[(&str, &str)],
    signed: &str,
    signature: &str,
) -> Request {
    let authorization =
        format!("AWS4-HMAC-SHA256 {SCOPE}, SignedHeaders={signed}, Signature={signature}");
    let mut all = vec![
        ("host", "127.0.0.1:4566"),
        ("x-amz-date", "20260819T143434Z"),
        ("authorization", &authorization),
    ];
    all.extend(headers);
    Request {
        method: "POST".to_owned(),
        target: target.to_owned(),
        headers: all
            .into_iter()
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect(),
        body: body.to_owned().into(),
        connection: 1,
    }
}

fn escaped_colon() -> Request {
    signed(
        "/model/vendor.model-v1%3A0/converse",
        "{\"messages\":[]}",
        &[("content-type", "application/json")],
        "content-type;host;x-amz-date",
        "cb46d5391f6c3f4e6ddf3778b5dc4a2d601e491d7c97cea23ba7be7430759abf",
    )
}

fn error_type(emulator: &Emulator, request: &Request) -> String {
    let reply = emulator.handle(request, now());
    let value = header(&reply, "x-amzn-ErrorType").unwrap();
    value.split(':').next().unwrap().to_owned()
}

#[test]
fn right_signatures_pass_to_the_next_check() {
    let rows = [
        escaped_colon(),
        signed(
            "/model/vendor.model-v1:0/converse",
            "{\"messages\":[]}",
            &[("content-type", "application/json")],
            "content-type;host;x-amz-date",
            "9f9fdbc697d605032b011d752e778ad60eb40b4dc24f583fc253fc03adb36726",
        ),
        signed(
            "/model/vendor.model/converse?b=2&a=%20x&a=1",
            "",
            &[
                (
                    "x-amz-content-sha256",
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                ),
                ("x-spaces", "  a   b "),
            ],
            "host;x-amz-content-sha256;x-amz-date;x-spaces",
            "dca9d3e945a4d6653a441acd1bca36b8788cad27839ae49856ccf7b5fd1345d8",
        ),
        signed(
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/invoke",
            "{}",
            &[],
            "host;x-amz-date",
            "19fe53739dfe3ce7d3f1bf46f14a8437ce7d22b38a122a1827697cbb7d71319b",
        ),
    ];
    let emulator = strict(|_| {});
    for request in rows {
        let reply = emulator.handle(&request, now());
        assert_eq!(reply.status, 400, "{}: {}", request.target, text(&reply));
        assert!(
            text(&reply).contains("identifier is invalid"),
            "{}",
            text(&reply)
        );
    }
}

#[test]
fn any_change_after_signing_is_noticed() {
    let emulator = strict(|_| {});
    let changes: [fn(&mut Request); 5] = [
        |r| r.body = "{\"messages\":[ ]}".into(),
        |r| r.target = r.target.replace("%3A", ":"),
        |r| r.target.push_str("?x=1"),
        |r| r.headers.set("host", "localhost:4566"),
        |r| r.headers.set("content-type", "text/plain"),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut request = escaped_colon();
        change(&mut request);
        assert_eq!(
            error_type(&emulator, &request),
            "InvalidSignatureException",
            "change {i}"
        );
    }
}

#[test]
fn a_wrong_signature_is_told_what_would_have_been_signed() {
    let emulator = strict(|_| {});
    let mut request = escaped_colon();
    let signed = request.header("authorization").unwrap_or_default();
    let other = signed.replace("Signature=cb", "Signature=00");
    request.headers.set("authorization", &other);
    let reply = emulator.handle(&request, now());
    let body = text(&reply);
    assert_eq!(reply.status, 403);
    assert!(
        body.starts_with("{\"message\":\"The request signature we calculated does not match"),
        "{body}"
    );
    assert!(
        body.contains("/model/vendor.model-v1%253A0/converse"),
        "{body}"
    );
    let entry = &emulator.journal()[0];
    assert_eq!(entry.headers[2].1.rsplit_once("Signature=").unwrap().1, "…");
}

#[test]
fn unsigned_extra_headers_do_not_matter() {
    let emulator = strict(|_| {});
    let mut request = escaped_colon();
    request
        .headers
        .push(("x-forwarded-for".to_owned(), "10.0.0.1".to_owned()));
    assert_eq!(error_type(&emulator, &request), "ValidationException");
}

#[test]
fn five_minutes_of_skew_are_allowed_and_no_more() {
    let emulator = strict(|_| {});
    let rows = [
        (-300, "ValidationException", ""),
        (300, "ValidationException", ""),
        (
            301,
            "InvalidSignatureException",
            "Signature expired: 20260819T143434Z is now earlier than 20260819T143435Z (20260819T143935Z - 5 min.)",
        ),
        (
            -301,
            "InvalidSignatureException",
            "Signature not yet current: 20260819T143434Z is still later than 20260819T143433Z (20260819T142933Z + 5 min.)",
        ),
    ];
    for (seconds, code, message) in rows {
        let reply = emulator.handle(&escaped_colon(), now() + Duration::seconds(seconds));
        assert!(
            header(&reply, "x-amzn-ErrorType")
                .unwrap()
                .starts_with(code),
            "{seconds}"
        );
        assert!(text(&reply).contains(message), "{}", text(&reply));
    }
}

#[test]
fn headers_that_cannot_be_verified_are_refused_in_awss_words() {
    let emulator = strict(|_| {});
    let with = |authorization: &str| {
        let mut request = escaped_colon();
        request.headers.set("authorization", authorization);
        request
    };
    let mut without_date = escaped_colon();
    without_date.headers.remove("x-amz-date");
    let mut without = escaped_colon();
    without.headers.remove("authorization");
    let full = escaped_colon()
        .header("authorization")
        .unwrap_or_default()
        .to_owned();
    let rows = [
        (
            without,
            403,
            "AccessDeniedException",
            "{\"Message\":\"Authorization header is missing\"}",
        ),
        (
            with(""),
            403,
            "AccessDeniedException",
            "{\"Message\":\"Authorization header is missing\"}",
        ),
        (
            with("Basic abc"),
            400,
            "IncompleteSignatureException",
            "not a valid key=value pair",
        ),
        (
            with("AWS4-HMAC-SHA256 Credential=a/b/c/d/e"),
            400,
            "IncompleteSignatureException",
            "requires 'Signature' parameter. Authorization header requires 'SignedHeaders'",
        ),
        (
            with(&full.replace("/bedrock/", "/")),
            400,
            "IncompleteSignatureException",
            "exactly 5",
        ),
        (
            with(&full.replace("AKIAIOSFODNN7EXAMPLE", "AKIAUNKNOWN")),
            403,
            "UnrecognizedClientException",
            "{\"message\":\"The security token included in the request is invalid.\"}",
        ),
        (
            with(&full.replace("/bedrock/", "/s3/")),
            403,
            "InvalidSignatureException",
            "correct service: 'bedrock'",
        ),
        (
            with(&full.replace("/us-east-1/", "/mars/")),
            403,
            "InvalidSignatureException",
            "valid region",
        ),
        (
            with(&full.replace("/20260819/", "/20260818/")),
            403,
            "InvalidSignatureException",
            "Date in Credential scope does not match",
        ),
        (
            with(&full.replace(";host;", ";")),
            403,
            "InvalidSignatureException",
            "'Host' or ':authority'",
        ),
        (
            without_date,
            400,
            "IncompleteSignatureException",
            "'X-Amz-Date'",
        ),
        (
            with("Bearer nonsense"),
            403,
            "AccessDeniedException",
            "{\"Message\":\"Invalid API Key format",
        ),
        (
            with("Bearer ABSKunknown"),
            403,
            "AccessDeniedException",
            "{\"Message\":\"Authentication failed: Please make sure your API Key is valid.\"}",
        ),
    ];
    for (request, status, code, message) in rows {
        let reply = emulator.handle(&request, now());
        assert_eq!(reply.status, status, "{}", text(&reply));
        assert!(
            header(&reply, "x-amzn-ErrorType")
                .unwrap()
                .starts_with(code),
            "{}",
            text(&reply)
        );
        assert!(
            text(&reply).contains(message),
            "{message} in {}",
            text(&reply)
        );
    }
}

#[test]
fn temporary_credentials_need_their_token_and_expire() {
    let temporary = |c: &mut Config| {
        c.credentials = vec![Credential {
            session_token: Some("the-token".to_owned()),
            expires_at: Some(now() + Duration::minutes(1)),
            ..c.credentials[0].clone()
        }];
    };
    let request = |token: Option<&str>| {
        let headers: Vec<_> = token
            .into_iter()
            .map(|t| ("x-amz-security-token", t))
            .collect();
        signed(
            "/model/vendor.model/converse",
            "{}",
            &headers,
            "host;x-amz-date;x-amz-security-token",
            "8274d08f325a20b3b7b3220df935fcff2ae0b12c393cde283c4fdd9551f6821a",
        )
    };
    let emulator = strict(temporary);
    assert_eq!(
        error_type(&emulator, &request(Some("the-token"))),
        "ValidationException"
    );
    assert_eq!(
        error_type(&emulator, &request(Some("another"))),
        "UnrecognizedClientException"
    );
    assert_eq!(
        error_type(&emulator, &request(None)),
        "UnrecognizedClientException"
    );
    let late = emulator.handle(&request(Some("the-token")), now() + Duration::minutes(1));
    assert_eq!(
        text(&late),
        "{\"message\":\"The security token included in the request is expired\"}"
    );
    let unasked = strict(|_| {});
    assert_eq!(
        error_type(&unasked, &request(Some("the-token"))),
        "UnrecognizedClientException"
    );
    assert_eq!(
        emulator.journal()[0].headers[3].1,
        "…",
        "tokens stay out of the journal"
    );
}

#[test]
fn a_configured_api_key_is_accepted() {
    let emulator = strict(|c| {
        c.api_keys = vec![ApiKey {
            token: "ABSKworkshop".to_owned(),
            arn: "arn:aws:iam::123456789012:user/BedrockAPIKey-1".to_owned(),
        }];
    });
    let mut request = escaped_colon();
    request.headers.set("authorization", "Bearer ABSKworkshop");
    assert_eq!(error_type(&emulator, &request), "ValidationException");
    let entry = &emulator.journal()[0];
    assert!(entry.caller.bearer);
    assert_eq!(entry.headers[2].1, "Bearer …");
}

//! With `--auth off`: whose account a request belongs to that proves nothing.

use bedrock_emulator::{
    Emulator, Request,
    emulator::{ApiKey, Credential},
    short_term_api_key,
};
use serde_json::json;
use time::Duration;

use crate::bench::{now, post, profile, with};

const DEFAULT: &str = "123456789012";
const OTHER: &str = "444455556666";
const OTHERS_KEY: &str = "AKIAOTHEREXAMPLE0001";
const OTHERS_API_KEY: &str = "ABSKothersKey";

fn others() -> Credential {
    Credential {
        access_key_id: OTHERS_KEY.to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: None,
        expires_at: None,
        arn: format!("arn:aws:iam::{OTHER}:user/else"),
    }
}

/// The other account's key stands first, so that the first key alone decides nothing.
fn two_accounts() -> Emulator {
    with(|config| {
        config.credentials.insert(0, others());
        config.api_keys.push(ApiKey {
            token: OTHERS_API_KEY.to_owned(),
            arn: format!("arn:aws:iam::{OTHER}:user/else"),
        });
    })
}

/// The account of a request with these headers and this query, and the caller's name in it.
fn whose(headers: &[(&str, &str)], query: &str) -> (String, String) {
    let emulator = two_accounts();
    let ask = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let mut request = post(&profile(&emulator, "haiku"), "converse", ask.to_string());
    request.target += query;
    let headers = headers
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    request.headers.extend(headers);
    let reply = emulator.handle(&request, now());
    assert_eq!(reply.status, 200, "{request:?}");
    let entry = emulator.entry_of(&reply).unwrap();
    assert_eq!(entry.account, *reply.account);
    let arn = entry.identity.unwrap();
    (reply.account.to_string(), arn)
}

#[test]
fn a_known_key_counts_whatever_surrounds_it() {
    let whole = format!(
        "AWS4-HMAC-SHA256 Credential={OTHERS_KEY}/20260819/us-east-1/bedrock/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=garbage"
    );
    let cases = [
        whole.clone(),
        whole.replace(", ", ","),
        whole.replace("20260819", "yesterday"),
        format!("AWS4-HMAC-SHA256 Credential={OTHERS_KEY}/us-east-1, Signature="),
        format!("AWS4-HMAC-SHA256 Credential={OTHERS_KEY}"),
        format!("  AWS4-ECDSA-P256-SHA256 Credential={OTHERS_KEY}, nonsense"),
        format!("Bearer {OTHERS_API_KEY}"),
        format!("bearer  {OTHERS_API_KEY} "),
        format!(
            "Bearer {}",
            // Long expired, and of another region.
            short_term_api_key(
                &others(),
                "eu-west-1",
                now() - Duration::days(9),
                Duration::HOUR
            )
        ),
    ];
    for header in &cases {
        let (account, arn) = whose(&[("authorization", header)], "");
        assert_eq!(account, OTHER, "{header}");
        assert_eq!(arn, format!("arn:aws:iam::{OTHER}:user/else"), "{header}");
    }
    let (account, _) = whose(&[("x-api-key", OTHERS_API_KEY)], "");
    assert_eq!(account, OTHER);
    let query = format!("?X-Amz-Credential={OTHERS_KEY}%2F20260819%2Fus-east-1&X-Amz-Signature=0");
    assert_eq!(whose(&[], &query).0, OTHER, "a presigned request");
}

#[test]
fn everything_else_belongs_to_the_default_account() {
    let nobody = "Credential=AKIANOBODYEXAMPLE001/20260819/us-east-1/bedrock/aws4_request";
    let unknown = format!("AWS4-HMAC-SHA256 {nobody}, SignedHeaders=host, Signature=0");
    for header in [
        "",
        "garbage",
        "Credential=",
        "Credential=/",
        "Bearer",
        "Bearer ",
        "Bearer ABSKnobodysKey",
        "Bearer bedrock-api-key-",
        "Bearer bedrock-api-key-!",
        "Bearer bedrock-api-key-AAAA",
        "Basic dXNlcjpwYXNz",
        "AWS4-HMAC-SHA256",
        &unknown,
        // Only a prefix of a known key.
        &format!("AWS4-HMAC-SHA256 Credential={}", &OTHERS_KEY[..10]),
        &format!("AWS4-HMAC-SHA256 Credential={OTHERS_KEY}é"),
    ] {
        let (account, arn) = whose(&[("authorization", header)], "");
        assert_eq!(account, DEFAULT, "{header:?}");
        assert_eq!(arn, format!("arn:aws:iam::{DEFAULT}:user/student"));
    }
    assert_eq!(whose(&[], "").0, DEFAULT, "no header at all");
    assert_eq!(whose(&[], "?X-Amz-Credential=").0, DEFAULT);
    assert_eq!(whose(&[("x-api-key", "nobodys")], "").0, DEFAULT);
}

/// Without any key of the default account, its root calls.
#[test]
fn without_a_key_of_its_own_the_default_accounts_root_calls() {
    let emulator = with(|config| config.credentials = vec![others()]);
    let ask = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let request: Request = post(&profile(&emulator, "haiku"), "converse", ask.to_string());
    let reply = emulator.handle(&request, now());
    let arn = emulator.entry_of(&reply).unwrap().identity.unwrap();
    assert_eq!(arn, format!("arn:aws:iam::{DEFAULT}:root"));
}

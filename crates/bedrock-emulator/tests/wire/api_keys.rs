//! Bedrock API keys: short-term ones are verified, long-term ones known.

use bedrock_emulator::{
    Config, Emulator, Request,
    emulator::{ApiKey, Credential, Latency},
    short_term_api_key,
};
use serde_json::json;
use time::Duration;

use crate::bench::{now, post, profile, text};

fn emulator(change: impl FnOnce(&mut Config)) -> Emulator {
    let mut config = Config {
        latency: Latency::none(),
        ..Config::default()
    };
    change(&mut config);
    Emulator::new(config).unwrap()
}

fn credential() -> Credential {
    Config::default().credentials[0].clone()
}

fn request(emulator: &Emulator, key: &str) -> Request {
    let body = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let mut request = post(&profile(emulator, "haiku"), "converse", body.to_string());
    request
        .headers
        .push(("authorization".to_owned(), format!("Bearer {key}")));
    request
}

fn ask(emulator: &Emulator, key: &str) -> (u16, String) {
    let reply = emulator.handle(&request(emulator, key), now());
    (reply.status, text(&reply))
}

const INVALID: &str =
    "{\"Message\":\"Authentication failed: Please make sure your API Key is valid.\"}";

/// Made by aws-bedrock-token-generator 1.1.0 with the default identity for us-east-1 at
/// 2026-08-19T14:34:34Z.
const BY_AWS: &str = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbiZYLUFtei1BbGdvcml0aG09QVdTNC1ITUFDLVNIQTI1NiZYLUFtei1DcmVkZW50aWFsPUFLSUFJT1NGT0ROTjdFWEFNUExFJTJGMjAyNjA4MTklMkZ1cy1lYXN0LTElMkZiZWRyb2NrJTJGYXdzNF9yZXF1ZXN0JlgtQW16LURhdGU9MjAyNjA4MTlUMTQzNDM0WiZYLUFtei1FeHBpcmVzPTQzMjAwJlgtQW16LVNpZ25lZEhlYWRlcnM9aG9zdCZYLUFtei1TaWduYXR1cmU9Y2NjZDVlNjJjMzU4MjA1ZjI5ZjQ1YTkyMjM0YzZmOGE0YzcwYTYwNjZhZTBiZmM0NWFjYzNiNzg5MjM0OTkwNiZWZXJzaW9uPTE=";

#[test]
fn a_short_term_key_is_made_as_awss_generator_makes_it() {
    let ours = short_term_api_key(&credential(), "us-east-1", now(), Duration::hours(12));
    assert_eq!(ours, BY_AWS);
    assert_eq!(ask(&emulator(|_| {}), BY_AWS).0, 200);
}

#[test]
fn a_key_is_good_in_its_region_for_its_time_and_unchanged() {
    let emulator = emulator(|_| {});
    let hour = Duration::hours(1);
    let made = |region, at| short_term_api_key(&credential(), region, at, hour);
    let stranger = Credential {
        secret_access_key: "another".to_owned(),
        ..credential()
    };
    let unknown = Credential {
        access_key_id: "AKIAUNKNOWN".to_owned(),
        ..credential()
    };
    let forever = {
        // Thirteen hours, signed by nobody.
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let good = made("us-east-1", now());
        let url = STANDARD
            .decode(good.strip_prefix("bedrock-api-key-").unwrap())
            .unwrap();
        let url = String::from_utf8(url)
            .unwrap()
            .replace("Expires=3600", "Expires=46800");
        format!("bedrock-api-key-{}", STANDARD.encode(url))
    };
    let rows = [
        (made("us-east-1", now()), 200, ""),
        (made("us-east-1", now() - Duration::minutes(59)), 200, ""),
        (
            made("us-east-1", now() - hour),
            403,
            "{\"Message\":\"Bearer Token has expired\"}",
        ),
        (
            made("us-east-1", now() + Duration::minutes(6)),
            403,
            INVALID,
        ),
        (made("eu-west-1", now()), 403, INVALID),
        (
            short_term_api_key(&stranger, "us-east-1", now(), hour),
            403,
            INVALID,
        ),
        (
            short_term_api_key(&unknown, "us-east-1", now(), hour),
            403,
            INVALID,
        ),
        (forever, 403, INVALID),
        ("bedrock-api-key-%%%".to_owned(), 403, INVALID),
        ("bedrock-api-key-aGk=".to_owned(), 403, INVALID),
        (
            "sk-something".to_owned(),
            403,
            "{\"Message\":\"Invalid API Key format: Must start with pre-defined prefix\"}",
        ),
    ];
    for (key, status, body) in rows {
        let (answered, said) = ask(&emulator, &key);
        assert_eq!(answered, status, "{key}: {said}");
        assert!(body.is_empty() || said == body, "{said}");
    }
    let entry = emulator.journal().remove(0);
    let kept = entry
        .headers
        .iter()
        .find(|(name, _)| name == "authorization")
        .unwrap();
    assert_eq!(kept.1, "Bearer …", "keys stay out of the journal");
}

#[test]
fn the_host_of_another_region_takes_its_own_keys() {
    let emulator = emulator(|_| {});
    let key = short_term_api_key(&credential(), "us-west-2", now(), Duration::hours(1));
    let mut request = request(&emulator, &key);
    request
        .headers
        .set("host", "bedrock-runtime.us-west-2.amazonaws.com");
    assert_eq!(emulator.handle(&request, now()).status, 200);
}

#[test]
fn a_key_of_temporary_credentials_carries_their_token_and_ends_with_them() {
    let temporary = Credential {
        access_key_id: "ASIAEXAMPLE".to_owned(),
        session_token: Some("to/ken+=".to_owned()),
        expires_at: Some(now() + Duration::minutes(30)),
        ..credential()
    };
    let emulator = emulator(|c| c.credentials.push(temporary.clone()));
    let key = short_term_api_key(&temporary, "us-east-1", now(), Duration::hours(12));
    assert_eq!(ask(&emulator, &key).0, 200);
    let late = emulator.handle(&request(&emulator, &key), now() + Duration::minutes(30));
    assert_eq!(text(&late), "{\"Message\":\"Bearer Token has expired\"}");
}

#[test]
fn a_key_needs_the_right_to_be_used() {
    let invoke = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "*"}]});
    let only = |kind: &str| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "bedrock:CallWithBearerToken", "Resource": "*",
            "Condition": {"StringEquals": {"bedrock:BearerTokenType": kind}}
        }]})
    };
    let arn = "arn:aws:iam::123456789012:user/student";
    let denied = format!(
        "{{\"Message\":\"User: {arn} is not authorized to perform: bedrock:CallWithBearerToken on resource: * because no identity-based policy allows the bedrock:CallWithBearerToken action\"}}"
    );
    let long = "ABSKworkshop";
    let short = short_term_api_key(&credential(), "us-east-1", now(), Duration::hours(1));
    let rows = [
        (vec![invoke.clone()], 403, 403),
        (vec![invoke.clone(), only("SHORT_TERM")], 200, 403),
        (vec![invoke, only("LONG_TERM")], 403, 200),
    ];
    for (policies, short_status, long_status) in rows {
        let emulator = emulator(|c| {
            c.policies = policies;
            c.api_keys = vec![ApiKey {
                token: long.to_owned(),
                arn: arn.to_owned(),
            }];
        });
        for (key, status) in [(short.as_str(), short_status), (long, long_status)] {
            let (answered, said) = ask(&emulator, key);
            assert_eq!(answered, status, "{said}");
            assert!(status == 200 || said == denied, "{said}");
        }
    }
}

//! What exercise 015 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your functions returned (RESULT) and at what must
//! not have happened (RESTRAINT). The lab's time stands still until a test moves it, so a session of a
//! quarter of an hour ends at once. The last test starts this test program once more and reads what it
//! prints.

use std::{env, error::Error, fmt::Write as _, process::Stdio, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_bedrockruntime::{
    Client,
    types::{ContentBlock, ConversationRole, Message},
};
use aws_smithy_http_client::Builder as HttpClient;
use ex015::{
    EndpointProblem, KeptSecret, Mode, allowed_endpoint, client_as, endpoint_policy, explain,
    redact, role_policy, runs,
};
use tokio::process::Command;
use workshop_testkit::{Actor, Call, Fault, FaultRule, Hop, Point, Value, When, within};
use workshop_testkit_aws::AwsLab;

/// Your service, as the diagram draws it.
static APP: Actor = Actor {
    node: "APP",
    edges: &[
        ("STS", "APP-STS"),
        ("SECRETS", "APP-SECRETS"),
        ("VPCE", "APP-VPCE"),
        ("BR", "APP-BR"),
    ],
};

const SESSION_NAME: &str = "ticket-triage";
const TOKEN_NAME: &str = "partner/token";
const TOKEN: &str = "partner-token-4711";
const KEEP: Duration = Duration::from_mins(5);

/// A role that may be assumed, in a lab with one time for everything.
async fn lab() -> (AwsLab, String) {
    let lab = AwsLab::with_one_clock().await;
    let role = lab.role("ask", []).expect("no policies");
    (lab, role)
}

/// The same with a secret.
async fn lab_with_secret() -> AwsLab {
    let (lab, _) = lab().await;
    let admin = aws_sdk_secretsmanager::Client::new(&lab.sdk_config());
    let secret = admin.create_secret().name(TOKEN_NAME).secret_string(TOKEN);
    secret.send().await.expect("a new secret");
    lab
}

fn hello() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Name a river.".into()))
        .build()
        .expect("a role and a text")
}

/// One Converse call, bounded: nothing, or why it failed.
async fn ask(lab: &AwsLab, client: &Client, point: &Point) -> Result<(), Box<dyn Error>> {
    let call = client.converse().model_id(lab.profile("haiku"));
    let call = call.messages(hello()).send();
    within(point, "a call to Bedrock", call).await?;
    Ok(())
}

/// Ten at once, and none may fail.
async fn ask_ten_times(lab: &AwsLab, client: &Client, point: &Point) {
    let call = || ask(lab, client, point);
    let all = tokio::join!(
        call(),
        call(),
        call(),
        call(),
        call(),
        call(),
        call(),
        call(),
        call(),
        call()
    );
    let all = [
        all.0, all.1, all.2, all.3, all.4, all.5, all.6, all.7, all.8, all.9,
    ];
    for answered in all {
        answered_well(point, "one of ten calls", &answered);
    }
}

#[track_caller]
fn answered_well(point: &Point, what: &str, answered: &Result<(), Box<dyn Error>>) {
    if let Err(error) = answered {
        point.fail(what, chain(&**error), "an answer");
    }
}

/// What an error says, with its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn calls_of(lab: &AwsLab, operation: &str) -> Vec<Call> {
    let calls = lab.calls().into_iter();
    calls.filter(|call| call.operation == operation).collect()
}

fn advance(lab: &AwsLab, by: Duration) {
    lab.clock().advance(by.try_into().expect("minutes"));
}

// ---- the role

#[tokio::test]
async fn the_role_is_assumed_first_and_signs() {
    const FIRST: Point = Point::wire(
        "015/2",
        "keys in a program work for whoever finds them, for years; a role's work for minutes",
        "README.md \"The role\" · workshop hint 015 1",
    );
    const NAME: Point = Point::wire(
        "015/3",
        "the session's name stands in every line of CloudTrail: with it you find who did what",
        "README.md \"The role\" · workshop hint 015 2",
    );
    const SHORT: Point = Point::restraint(
        "015/4",
        "a session that leaks is worth as much as it has time left",
        "README.md \"The role\" · workshop hint 015 2",
    );
    const SIGNED: Point = Point::wire(
        "015/5",
        "the role's policies decide only about what the role has signed",
        "README.md \"The role\" · workshop hint 015 2",
    );
    let (lab, role) = lab().await;
    let base = lab.sdk_config_at(&APP);
    let client = client_as(&role, SESSION_NAME, &base).await;
    let answered = ask(&lab, &client, &FIRST).await;

    let calls = lab.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    FIRST.equal(
        "operations called",
        operations,
        vec!["AssumeRole", "Converse"],
    );
    let asked = |name: &str| calls[0].body_at(name).and_then(Value::as_str);
    FIRST.equal("RoleArn", asked("/RoleArn"), Some(role.as_str()));
    NAME.equal(
        "RoleSessionName",
        asked("/RoleSessionName"),
        Some(SESSION_NAME),
    );
    SHORT.equal("DurationSeconds", asked("/DurationSeconds"), Some("900"));
    answered_well(&SIGNED, "Converse", &answered);
    let signer = lab.journal().pop().and_then(|entry| entry.identity);
    SIGNED.equal(
        "who signed the call to Bedrock",
        signer.as_deref(),
        Some("arn:aws:sts::123456789012:assumed-role/ask/ticket-triage"),
    );
    // Your service has an answer: its own node lights too.
    lab.saw(Hop {
        from: "APP",
        to: "BR",
        what: "Converse",
        status: calls[1].status,
        request_id: &calls[1].request_id,
    });
}

#[tokio::test]
async fn ten_calls_at_once_ask_sts_once() {
    const ONCE: Point = Point::restraint(
        "015/6",
        "STS has a quota for the whole account, and each request to it delays a call",
        "README.md \"The role\" · workshop hint 015 1",
    );
    let (lab, role) = lab().await;
    let client = client_as(&role, SESSION_NAME, &lab.sdk_config_at(&APP)).await;
    for round in ["ten calls", "ten calls and ten more"] {
        ask_ten_times(&lab, &client, &ONCE).await;
        let assumed = calls_of(&lab, "AssumeRole").len();
        ONCE.equal(&format!("requests to STS for {round}"), assumed, 1);
    }
    ONCE.equal("calls to Bedrock", calls_of(&lab, "Converse").len(), 20);
}

#[tokio::test]
async fn when_the_session_ends_sts_is_asked_once_more() {
    const AGAIN: Point = Point::wire(
        "015/7",
        "a service lives longer than a session; one that does not renew it stops after minutes",
        "README.md \"The role\" · workshop hint 015 2",
    );
    let (lab, role) = lab().await;
    let client = client_as(&role, SESSION_NAME, &lab.sdk_config_at(&APP)).await;
    for (minutes, wanted) in [(0, 1), (10, 1), (6, 2), (10, 2), (6, 3)] {
        advance(&lab, Duration::from_mins(minutes));
        ask_ten_times(&lab, &client, &AGAIN).await;
        let assumed = calls_of(&lab, "AssumeRole").len();
        let what = format!("requests to STS, {minutes} minutes after the last calls");
        AGAIN.equal(&what, assumed, wanted);
    }
}

#[tokio::test]
async fn who_failed_is_said() {
    const STS: Point = Point::result(
        "015/8",
        "whoever is called at night has to know which service is down, or which role is wrong",
        "README.md \"The error\" · workshop hint 015 2",
    );
    const NO_CALL: Point = Point::restraint(
        "015/9",
        "a call without the role's credentials would be made as somebody else",
        "README.md \"The error\" · workshop hint 015 1",
    );
    const SAFE: Point = Point::restraint(
        "015/10",
        "lines of a log are read by more people than may know your account",
        "README.md \"The error\" · workshop hint 015 3",
    );
    let (lab, role) = lab().await;
    let base = lab.sdk_config_at(&APP);
    for operation in ["AssumeRole", "Converse"] {
        lab.load(&format!(
            "[[fault]]
             error = \"ServiceUnavailableException\"
             message = \"The request has failed due to a temporary failure of the server.\"
             when = {{ operation = \"{operation}\" }}
             count = 1"
        ));
    }

    let client = client_as(&role, SESSION_NAME, &base).await;
    let unknown = client_as(&format!("{role}-unknown"), SESSION_NAME, &base).await;
    let rows = [
        (&client, "STS is down", "STS", "ServiceUnavailable"),
        (&client, "Bedrock is down", "Bedrock", "ServiceUnavailable"),
        (&unknown, "the role is unknown", "STS", "AccessDenied"),
    ];
    for (client, what, who, why) in rows {
        let before = calls_of(&lab, "Converse").len();
        let Err(error) = ask(&lab, client, &STS).await else {
            STS.fail(
                what,
                "an answer of Bedrock",
                "an error, and no call as somebody else",
            );
        };
        let line = explain(&*error);
        let after = calls_of(&lab, "Converse").len();
        if who == "STS" {
            NO_CALL.equal(&format!("calls to Bedrock when {what}"), after - before, 0);
        }
        let named = line.contains(who) && line.contains("STS") == (who == "STS");
        STS.holds(
            &format!("explain(…) when {what}"),
            named && line.contains(why),
            &line,
            format!("{who} as the one that failed, and {why}"),
        );
        let is_one_line = !line.trim_end().contains('\n');
        SAFE.holds(
            &format!("explain(…) when {what}"),
            is_one_line && !line.contains("123456789012"),
            &line,
            "one line, without the account",
        );
    }
}

// ---- the secret

#[tokio::test]
async fn a_secret_is_fetched_once_and_kept() {
    const KEPT: Point = Point::wire(
        "015/11",
        "every request to Secrets Manager is paid for, delays an answer and counts against a quota",
        "README.md \"The secret\" · workshop hint 015 1",
    );
    const VALUE: Point = Point::result(
        "015/12",
        "the value is what the partner gave you, to the last character",
        "README.md \"The secret\" · workshop hint 015 2",
    );
    let lab = lab_with_secret().await;
    let kept = KeptSecret::new(&lab.sdk_config_at(&APP), TOKEN_NAME, KEEP);
    let fetched = || calls_of(&lab, "GetSecretValue").len();
    KEPT.equal("requests before the secret is needed", fetched(), 0);
    let get = || within(&KEPT, "KeptSecret::get", kept.get());
    let (a, b, c, d) = tokio::join!(get(), get(), get(), get());
    KEPT.equal("requests for four callers at once", fetched(), 1);
    advance(
        &lab,
        KEEP.checked_sub(Duration::from_secs(1)).expect("minutes"),
    );
    let late = get().await;
    KEPT.equal("requests, one second before its time is over", fetched(), 1);
    for got in [a, b, c, d, late] {
        match got {
            Ok(secret) => VALUE.equal("the secret", secret.expose(), TOKEN),
            Err(error) => VALUE.fail("KeptSecret::get", error, "the secret"),
        }
    }
}

#[tokio::test]
async fn a_changed_secret_arrives_and_a_failure_is_not_kept() {
    const FRESH: Point = Point::result(
        "015/13",
        "secrets are changed, above all after a leak; a service must not need a restart for that",
        "README.md \"The secret\" · workshop hint 015 1",
    );
    const AGAIN: Point = Point::result(
        "015/14",
        "Secrets Manager fails for a second; a service that remembers that fails for minutes",
        "README.md \"The secret\" · workshop hint 015 3",
    );
    let lab = lab_with_secret().await;
    let kept = KeptSecret::new(&lab.sdk_config_at(&APP), TOKEN_NAME, KEEP);
    let get = async || {
        let got = within(&FRESH, "KeptSecret::get", kept.get()).await;
        got.map(|secret| secret.expose().to_owned())
    };
    let down = FaultRule::new(Fault::ServiceUnavailable).count(1);
    lab.faults([down.when(When::any().operation("GetSecretValue"))]);
    let first = get().await;
    AGAIN.holds("Secrets Manager is down", first.is_err(), "a secret", "Err");
    let second = get().await.map_err(|error| chain(&*error));
    AGAIN.equal("and is up again", second, Ok::<_, String>(TOKEN.to_owned()));

    let admin = aws_sdk_secretsmanager::Client::new(&lab.sdk_config());
    let changed = admin.put_secret_value().secret_id(TOKEN_NAME);
    let changed = changed.secret_string("partner-token-4712").send().await;
    changed.expect("a new version");
    advance(&lab, KEEP);
    let third = get().await.map_err(|error| chain(&*error));
    FRESH.equal(
        "a changed secret, when the time of the old one is over",
        third,
        Ok::<_, String>("partner-token-4712".to_owned()),
    );
}

// ---- the endpoint

#[test]
fn bedrocks_endpoints_are_allowed() {
    const ALLOWED: Point = Point::result(
        "015/15",
        "a check that refuses a right address is switched off the first time",
        "README.md \"The endpoint\" · workshop hint 015 2",
    );
    let everywhere = [
        "https://bedrock-runtime.us-east-1.amazonaws.com",
        "https://bedrock-runtime.eu-central-1.amazonaws.com/",
        "https://bedrock-runtime.us-gov-west-1.amazonaws.com:443",
        "https://bedrock-runtime-fips.us-east-1.amazonaws.com",
        "HTTPS://Bedrock-Runtime.US-EAST-1.amazonaws.com",
        "https://vpce-1a2b3c4d-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        "https://vpce-1a2b3c4d-5e6f7a8b-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
    ];
    for url in everywhere {
        for mode in [Mode::Production, Mode::Development] {
            ALLOWED.equal(
                &format!("{url} ({mode:?})"),
                allowed_endpoint(url, mode),
                Ok(()),
            );
        }
    }
    for url in [
        "http://127.0.0.1:4566",
        "http://localhost:4566",
        "http://[::1]:4566",
        "https://127.0.0.1:4566",
    ] {
        let judged = allowed_endpoint(url, Mode::Development);
        ALLOWED.equal(&format!("{url} (Development)"), judged, Ok(()));
    }
}

#[test]
fn prompts_do_not_travel_in_clear() {
    const CLEAR: Point = Point::restraint(
        "015/16",
        "without TLS everybody on the way reads the prompt, and nobody proves to be Bedrock",
        "README.md \"The endpoint\" · workshop hint 015 2",
    );
    let clear = EndpointProblem::NotEncrypted;
    for (url, mode) in [
        (
            "http://bedrock-runtime.us-east-1.amazonaws.com",
            Mode::Production,
        ),
        (
            "http://bedrock-runtime.us-east-1.amazonaws.com",
            Mode::Development,
        ),
        (
            "http://bedrock-runtime.us-east-1.amazonaws.com:443",
            Mode::Production,
        ),
        ("http://127.0.0.1:4566", Mode::Production),
        ("http://localhost:4566", Mode::Production),
        ("http://10.0.0.1:4566", Mode::Development),
        ("http://0.0.0.0:4566", Mode::Development),
        ("http://localhost.example.com", Mode::Development),
        ("http://127.0.0.1.example.com", Mode::Development),
        (
            "ftp://bedrock-runtime.us-east-1.amazonaws.com",
            Mode::Production,
        ),
    ] {
        CLEAR.equal(
            &format!("{url} ({mode:?})"),
            allowed_endpoint(url, mode),
            Err(clear),
        );
    }
}

#[test]
fn only_bedrock_gets_the_prompt() {
    use EndpointProblem::{NotAUrl, NotBedrock, UserInfo};
    const BEDROCK: Point = Point::restraint(
        "015/17",
        "an address from a variable is an address from a stranger: prompts and signatures go there",
        "README.md \"The endpoint\" · workshop hint 015 2",
    );
    let rows = [
        (
            "https://example.com#bedrock-runtime.us-east-1.amazonaws.com",
            NotBedrock,
        ),
        (
            "https://example.com/bedrock-runtime.us-east-1.amazonaws.com",
            NotBedrock,
        ),
        (
            "https://example.com?bedrock-runtime.us-east-1.amazonaws.com",
            NotBedrock,
        ),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com.example.com",
            NotBedrock,
        ),
        (
            "https://notbedrock-runtime.us-east-1.amazonaws.com",
            NotBedrock,
        ),
        (
            "https://bedrock-runtime.us-east-1.notamazonaws.com",
            NotBedrock,
        ),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com.",
            NotBedrock,
        ),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com:8443",
            NotBedrock,
        ),
        // Buckets that anybody may make.
        ("https://bedrock-runtime.s3.amazonaws.com", NotBedrock),
        (
            "https://bedrock-runtime.s3-us-west-2.amazonaws.com",
            NotBedrock,
        ),
        (
            "https://bedrock-runtime.us-east-1.s3.amazonaws.com",
            NotBedrock,
        ),
        // Other services' endpoints, and what only looks like one.
        ("https://s3.us-east-1.amazonaws.com", NotBedrock),
        (
            "https://vpce-1a2b3c4d-5e6f7a8b.sqs.us-east-1.vpce.amazonaws.com",
            NotBedrock,
        ),
        (
            "https://bucket.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            NotBedrock,
        ),
        ("https://vpce-1a2b3c4d.example.com", NotBedrock),
        ("https://203.0.113.7", NotBedrock),
        ("https://127.0.0.1", NotBedrock),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com@example.com",
            UserInfo,
        ),
        (
            "https://admin:pw@bedrock-runtime.us-east-1.amazonaws.com",
            UserInfo,
        ),
        ("bedrock-runtime.us-east-1.amazonaws.com", NotAUrl),
        ("https://", NotAUrl),
        ("/bedrock-runtime.us-east-1.amazonaws.com", NotAUrl),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com\\@example.com",
            NotAUrl,
        ),
        ("", NotAUrl),
    ];
    for (url, problem) in rows {
        for mode in [Mode::Production, Mode::Development] {
            // The one of them that is allowed on your own machine.
            if mode == Mode::Development && url == "https://127.0.0.1" {
                continue;
            }
            let what = format!("{url:?} ({mode:?})");
            BEDROCK.equal(&what, allowed_endpoint(url, mode), Err(problem));
        }
    }
    // The first row of the table that fits counts.
    for (url, mode) in [
        ("http://admin:pw@localhost:4566", Mode::Development),
        (
            "http://admin:pw@bedrock-runtime.us-east-1.amazonaws.com",
            Mode::Production,
        ),
    ] {
        let what = format!("{url:?} ({mode:?})");
        BEDROCK.equal(&what, allowed_endpoint(url, mode), Err(UserInfo));
    }
}

// ---- the private way

const DOOR: &str = "vpce-1a2b3c4d";
const HOST: &str = "vpce-1a2b3c4d-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com";

/// The same client, calling at that host.
fn at(lab: &AwsLab, client: &Client, host: &str) -> Client {
    let config = client.config().to_builder().http_client(lab.any_host());
    Client::from_conf(config.endpoint_url(format!("https://{host}")).build())
}

#[tokio::test]
async fn the_endpoint_lets_the_role_through_and_nobody_else() {
    const THROUGH: Point = Point::result(
        "015/18",
        "a policy that shuts out your own service is an outage",
        "README.md \"The private way\" · workshop hint 015 2",
    );
    const ALONE: Point = Point::restraint(
        "015/19",
        "through an open door stolen data leaves your network, with the thief's own credentials",
        "README.md \"The private way\" · workshop hint 015 1",
    );
    let (lab, role) = lab().await;
    let set = lab.set_vpc_endpoint_policy(DOOR, &endpoint_policy(&role));
    if let Err(refused) = set {
        THROUGH.fail("endpoint_policy(…)", refused, "a policy that AWS accepts");
    }
    let base = lab.sdk_config_at(&APP);
    let mine = at(&lab, &client_as(&role, SESSION_NAME, &base).await, HOST);
    let answered = ask(&lab, &mine, &THROUGH).await;
    answered_well(&THROUGH, "the role calls Converse", &answered);
    let stream = mine.converse_stream().model_id(lab.profile("haiku"));
    let stream = stream.messages(hello()).send().await.map(|_| ());
    let stream = stream.map_err(Into::into);
    answered_well(&THROUGH, "the role calls ConverseStream", &stream);

    let stranger = lab.role("ask-more", []).expect("no policies");
    let stranger = client_as(&stranger, SESSION_NAME, &base).await;
    for (who, client) in [
        ("another role of the account", stranger),
        ("somebody of another account", lab.client_of("111122223333")),
    ] {
        let refused = ask(&lab, &at(&lab, &client, HOST), &ALONE).await;
        let status = lab.calls().pop().map(|call| call.status);
        let what = format!("{who} calls Converse: status");
        ALONE.holds(
            &what,
            refused.is_err() && status == Some(403),
            shown(status),
            403,
        );
    }
    let _ = mine.list_async_invokes().send().await;
    let status = lab.calls().pop().map(|call| call.status);
    let what = "the role calls ListAsyncInvokes: status";
    ALONE.holds(what, status == Some(403), shown(status), 403);
}

fn shown(status: Option<u16>) -> String {
    status.map_or_else(|| "no call".to_owned(), |status| status.to_string())
}

#[tokio::test]
async fn the_role_comes_through_the_endpoint_or_not_at_all() {
    const THROUGH: Point = Point::result(
        "015/20",
        "a policy that shuts out your own service is an outage",
        "README.md \"The private way\" · workshop hint 015 2",
    );
    const ELSEWHERE: Point = Point::restraint(
        "015/21",
        "credentials that leak are worth nothing where your network ends",
        "README.md \"The private way\" · workshop hint 015 1",
    );
    let (lab, _) = lab().await;
    let role = match lab.role("ask", [role_policy(DOOR)]) {
        Ok(role) => role,
        Err(refused) => THROUGH.fail("role_policy(…)", refused, "a policy that IAM accepts"),
    };
    let client = client_as(&role, SESSION_NAME, &lab.sdk_config_at(&APP)).await;
    let answered = ask(&lab, &at(&lab, &client, HOST), &THROUGH).await;
    answered_well(&THROUGH, "a call through the endpoint", &answered);
    let mine = at(&lab, &client, HOST);
    let stream = mine.converse_stream().model_id(lab.profile("haiku"));
    let stream = stream.messages(hello()).send().await.map(|_| ());
    let stream = stream.map_err(Into::into);
    answered_well(&THROUGH, "a stream through the endpoint", &stream);
    let _ = mine.list_async_invokes().send().await;
    let status = lab.calls().pop().map(|call| call.status);
    let what = "ListAsyncInvokes through the endpoint: status";
    ELSEWHERE.holds(what, status == Some(403), shown(status), 403);
    for (what, host) in [
        ("the public way", "bedrock-runtime.us-east-1.amazonaws.com"),
        (
            "another endpoint",
            "vpce-99999999-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        ),
    ] {
        let refused = ask(&lab, &at(&lab, &client, host), &ELSEWHERE).await;
        let status = lab.calls().pop().map(|call| call.status);
        let what = format!("a call by {what}: status");
        ELSEWHERE.holds(
            &what,
            refused.is_err() && status == Some(403),
            shown(status),
            403,
        );
    }
}

// ---- what may be read

#[test]
fn what_opens_doors_is_masked_and_the_rest_can_be_read() {
    const MASKED: Point = Point::restraint(
        "015/22",
        "a mask that leaves the rest of a key leaves what the key is worth",
        "README.md \"The log\" · workshop hint 015 2",
    );
    const READABLE: Point = Point::result(
        "015/23",
        "a line in which everything is masked is a line that nobody can use",
        "README.md \"The log\" · workshop hint 015 3",
    );
    let key = "AKIAIOSFODNN7EXAMPLE";
    let temporary = "ASIAIOSFODNN7EXAMPLE";
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let token = format!("IQoJb3JpZ2luX2Vj{}==", "Ab+/".repeat(60));
    let bearer = "bedrock-api-key-YmVkcm9jay5hbWF6b24=";
    let account = "123456789012";
    // A line, what must be gone, what must be there.
    let rows = [
        (
            format!("signed with {key} today"),
            vec!["IOSFODNN7EXAMPLE"],
            vec!["signed with", "today"],
        ),
        (
            format!("Credential={temporary}/20260819/us-east-1/bedrock"),
            vec!["IOSFODNN7EXAMPLE"],
            vec!["Credential=", "/20260819/us-east-1/bedrock"],
        ),
        (
            format!("secret={secret}, ok"),
            vec!["wJalrXUtnFEMI", "CYEXAMPLEKEY"],
            vec![", ok"],
        ),
        (
            format!("{{\"SessionToken\":\"{token}\"}}"),
            vec!["IQoJb3JpZ2luX2Vj", "Ab+/Ab+/"],
            vec!["SessionToken"],
        ),
        (
            format!("authorization: Bearer {bearer}"),
            vec!["YmVkcm9jay", "api-key"],
            vec!["authorization"],
        ),
        (
            format!("\"Authorization\":\"bearer {bearer}\",\"x\":1"),
            vec!["YmVkcm9jay"],
            vec!["\"x\":1"],
        ),
        (
            format!("arn:aws:sts::{account}:assumed-role/ask/ticket-triage is not authorized"),
            vec![account],
            vec![
                "arn:aws:sts::",
                ":assumed-role/ask/ticket-triage is not authorized",
            ],
        ),
        (
            format!("{key} {key}\n{account},{account}"),
            vec!["IOSFODNN7EXAMPLE", account],
            vec!["\n"],
        ),
        (
            format!("ключ {key}…"),
            vec!["IOSFODNN7EXAMPLE"],
            vec!["ключ", "…"],
        ),
    ];
    for (line, gone, there) in rows {
        let masked = redact(&line);
        for secret in gone {
            let what = format!("redact({line:?})");
            MASKED.holds(
                &what,
                !masked.contains(secret),
                &masked,
                format!("nothing of {secret}"),
            );
        }
        for word in there {
            let what = format!("redact({line:?})");
            READABLE.holds(
                &what,
                masked.contains(word),
                &masked,
                format!("{word:?} in it"),
            );
        }
    }
    for line in [
        "",
        "status 200 after 1787150074000 ms, request 90f13daa-8c56-4cb7-afc3-550dbcc404b5",
        "AKIA is how the id of a long-lived key begins",
        "12345678901 and 1234567890123 are no account ids",
        "the bearer of bad news",
    ] {
        // The word after "bearer" may go; nothing else may.
        let masked = redact(line);
        let same = masked == line || line.contains("bearer") && masked.ends_with("bad news");
        READABLE.holds(&format!("redact({line:?})"), same, &masked, "the same");
    }
}

#[tokio::test]
async fn values_do_not_show_their_secrets() {
    const SHOWN: Point = Point::restraint(
        "015/24",
        "whatever has Debug is printed one day, by a log, an error or a panic",
        "README.md \"The log\" · workshop hint 015 1",
    );
    let lab = lab_with_secret().await;
    let role = lab.role("ask", []).expect("no policies");
    let base = lab.sdk_config_at(&APP);
    let client = client_as(&role, SESSION_NAME, &base).await;
    let _ = ask(&lab, &client, &SHOWN).await;
    let kept = KeptSecret::new(&base, TOKEN_NAME, KEEP);
    let _ = within(&SHOWN, "KeptSecret::get", kept.get()).await;
    for (what, shown) in [
        ("client.config()", format!("{:?}", client.config())),
        ("KeptSecret", format!("{kept:?}")),
    ] {
        let found = secrets_in(&shown);
        SHOWN.equal(
            &format!("secrets in the Debug form of {what}"),
            found,
            Vec::<String>::new(),
        );
    }
}

/// Values that sign or open something: the partner's token, and whatever has the form of a secret key
/// or a session token.
fn secrets_in(text: &str) -> Vec<String> {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    let long = runs(text, belongs).into_iter();
    // Names of types are long, too, and have no digits.
    let drawn = |run: &str| run.len() >= 40 && run.contains(|c: char| c.is_ascii_digit());
    let long = long.filter(|(run, is_run)| *is_run && drawn(run));
    let mut found: Vec<String> = long.map(|(run, _)| run.to_owned()).collect();
    found.extend(text.contains(TOKEN).then(|| TOKEN.to_owned()));
    found
}

/// Set where this program runs as the service itself.
const ROLE_OF_THE_PROGRAM: &str = "EX015_ROLE";

#[tokio::test]
async fn a_program_prints_no_secret() {
    const PRINTED: Point = Point::restraint(
        "015/25",
        "what a program prints is kept for years, for everybody who may read logs",
        "README.md \"The log\" · workshop hint 015 1",
    );
    if let Ok(role) = env::var(ROLE_OF_THE_PROGRAM) {
        return the_program(&role).await;
    }
    let lab = AwsLab::start().await;
    let role = lab.role("ask", []).expect("no policies");
    let admin = aws_sdk_secretsmanager::Client::new(&lab.sdk_config());
    let secret = admin.create_secret().name(TOKEN_NAME).secret_string(TOKEN);
    secret.send().await.expect("a new secret");
    let signer = lab.role_of(&APP);
    let program = Command::new(env::current_exe().expect("the path of this program"))
        .args(["a_program_prints_no_secret", "--exact", "--nocapture"])
        .env(ROLE_OF_THE_PROGRAM, role)
        .env("AWS_ENDPOINT_URL", lab.url())
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", signer.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", signer.secret_access_key)
        .env(
            "AWS_SESSION_TOKEN",
            signer.session_token.unwrap_or_default(),
        )
        .env("EX015_MODEL", lab.profile("haiku"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let printed = within(&PRINTED, "a run of the service", program).await;
    let printed = printed.expect("this program can be started");
    let text = [printed.stdout, printed.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let last = text.trim_end().lines().last().unwrap_or_default();
    PRINTED.holds(
        "a run of the service",
        printed.status.success(),
        last,
        "a good end",
    );
    PRINTED.equal(
        "secrets in what it printed",
        secrets_in(&text),
        Vec::<String>::new(),
    );
}

/// The service: a call as the role, a secret that is there, one that is not.
async fn the_program(role: &str) {
    let base: SdkConfig = aws_config::defaults(BehaviorVersion::latest())
        .http_client(HttpClient::new().build_http())
        .load()
        .await;
    let client = client_as(role, SESSION_NAME, &base).await;
    let model = env::var("EX015_MODEL").unwrap_or_default();
    let call = client.converse().model_id(model).messages(hello());
    let _ = call.send().await;
    for id in [TOKEN_NAME, "partner/nothing"] {
        let kept = KeptSecret::new(&base, id, KEEP);
        let _ = kept.get().await;
        let _ = kept.get().await;
    }
}

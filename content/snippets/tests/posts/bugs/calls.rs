//! Calls of Bedrock alone.

use std::{collections::BTreeMap, fmt::Write as _};

use aws_sdk_bedrockruntime::{
    Client,
    config::Region,
    primitives::Blob,
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message, SystemContentBlock},
};
use post_snippets::direct::ask;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use workshop_testkit::{Lab, Piece, Setup, Step, models};

use super::{answered, between, exchange, snippet, told};
use crate::{
    kept::kept,
    recorded::{client, hello, lab, profile, relay, short},
};

const ARTICLE: &str = "The bridge over the Elbe is closed until Friday.";

/// One `InvokeModel` call, and how it is answered.
async fn invoked(lab: &Lab, model: &str, body: &Value) -> String {
    let (url, heard) = relay(&lab.url());
    let call = client(lab, &url).invoke_model().model_id(model);
    let call = call
        .content_type("application/json")
        .accept("application/json");
    let body = serde_json::to_vec(body).unwrap();
    let _ = call.body(Blob::new(body)).send().await;
    exchange(&heard)
}

/// One `Converse` call, and how it is answered.
async fn conversed(lab: &Lab, model: &str) -> String {
    let (url, heard) = relay(&lab.url());
    let _ = ask(&client(lab, &url), model, "Name a river.", 50).await;
    exchange(&heard)
}

#[tokio::test]
async fn an_id_of_a_model_that_has_ended() {
    let source = snippet("summary-client/summary.ts");
    let id = between(&source, "modelId: \"", "\"");
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": "Sum up this article in three sentences. …"}],
    });
    let text = invoked(&lab(Setup::default()).await, id, &body).await;
    assert!(text.contains("404"), "{text}");
    kept("bugs/ended-model.http", &text);
}

#[tokio::test]
async fn a_body_that_fits_no_api() {
    let body = json!({
        "prompt": format!("Sum up this article in three sentences.\n\n{ARTICLE}"),
        "max_tokens": 300,
    });
    let text = invoked(&lab(Setup::default()).await, &profile(), &body).await;
    assert!(text.contains("ValidationException"), "{text}");
    kept("bugs/legacy-body.http", &text);
}

#[tokio::test]
async fn an_answer_that_is_bytes() {
    let lab = lab(Setup::default()).await;
    let sentence = "The bridge is closed. It opens on Friday. Take the ferry.";
    lab.script([Step::text(sentence)]);
    let (url, heard) = relay(&lab.url());
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": ARTICLE}],
    });
    let call = client(&lab, &url).invoke_model().model_id(profile());
    let call = call.body(Blob::new(serde_json::to_vec(&body).unwrap()));
    let answer = call.send().await.unwrap();
    let bytes = answer.body().as_ref();
    // As `JSON.stringify` writes a `Uint8Array`.
    let first = bytes.iter().take(9).enumerate();
    let numbers: Vec<String> = first.map(|(n, byte)| format!("\"{n}\":{byte}")).collect();
    let answer = super::brief(&heard.answered.lock().unwrap());
    kept(
        "bugs/bytes-as-json.txt",
        &format!(
            "JSON.stringify(reply.body), a number for each byte\n\n{{{},…\n\n\
             what those bytes are\n\n{answer}",
            numbers.join(",")
        ),
    );
}

#[tokio::test]
async fn a_region_in_the_code() {
    let source = snippet("summary-client/summary.ts");
    let region = between(&source, "region: \"", "\"").to_owned();
    let lab = lab(Setup {
        region: Some("eu-central-1".to_owned()),
        ..Setup::default()
    })
    .await;
    let signed = |region: Option<String>| {
        lab.client_with(|config| match region {
            Some(region) => config.region(Region::new(region)),
            None => config,
        })
    };
    let mut text = String::from("client                                    signs for\n");
    for (code, region) in [
        ("new BedrockRuntimeClient({})", None),
        ("new BedrockRuntimeClient({ region: \"…\" })", Some(region)),
    ] {
        let _ = ask(&signed(region), &profile(), "?", 50).await;
        let call = lab.calls().pop().unwrap();
        let _ = writeln!(
            text,
            "{code:<41} {}/{}",
            call.scope_region, call.scope_service
        );
    }
    assert!(text.contains("us-west-2/bedrock"), "{text}");
    kept("bugs/wrong-region.txt", &text);
}

#[tokio::test]
async fn ids_of_a_file() {
    let list: Value = serde_saphyr::from_str(&snippet("team-models/models.yaml")).unwrap();
    let id = |task: &str| list["tasks"][task]["id"].as_str().unwrap().to_owned();
    let lab = lab(Setup::default()).await;
    kept("bugs/bare-id.http", &conversed(&lab, &id("answer")).await);
    kept(
        "bugs/no-version.http",
        &conversed(&lab, &id("contract")).await,
    );
    let label = id("label");
    let whole = format!("{label}-v1:0");
    assert!(models().model(&whole).is_some() && models().model(&label).is_none());
    kept(
        "bugs/haiku-twice.http",
        &format!(
            "{}\n{}",
            conversed(&lab, &label).await,
            conversed(&lab, &whole).await
        ),
    );
}

#[tokio::test]
async fn a_profile_of_another_geography() {
    let list: Value = serde_saphyr::from_str(&snippet("team-models/models.yaml")).unwrap();
    assert_eq!(list["regions"][1], "eu-west-1");
    let model = models().model(list["tasks"]["answer"]["id"].as_str().unwrap());
    let here = format!("us.{}", model.unwrap().id);
    let lab = lab(Setup {
        region: Some("eu-west-1".to_owned()),
        ..Setup::default()
    })
    .await;
    let text = conversed(&lab, &here).await;
    assert!(text.contains("400"), "{text}");
    kept("bugs/wrong-geography.http", &short(&text));
}

/// What `checkTrip` asks with its system prompt.
async fn asked(client: &Client, model: &str, rules: &str, trip: &str) -> Option<(String, String)> {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(trip.to_owned()))
        .build()
        .unwrap();
    let call = client.converse().model_id(model).messages(message);
    let call = call
        .system(SystemContentBlock::Text(rules.to_owned()))
        .inference_config(InferenceConfiguration::builder().max_tokens(200).build());
    let answer = call.send().await.ok()?;
    let stop = answer.stop_reason().as_str().to_owned();
    let message = answer.output()?.as_message().ok()?.content().iter();
    let texts = message.filter_map(|block| block.as_text().ok()?.to_owned().into());
    Some((texts.collect(), stop))
}

/// `checkTrip`, with a store in memory.
async fn check_trip(
    store: &std::sync::Mutex<BTreeMap<Vec<u8>, String>>,
    client: &Client,
    model: &str,
    rules: &str,
    trip: &str,
) -> String {
    let key = Sha256::digest(trip).to_vec();
    let kept = store.lock().unwrap().get(&key).cloned();
    if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
        return kept;
    }
    let (text, _stop) = asked(client, model, rules, trip).await.unwrap();
    store.lock().unwrap().insert(key, text.clone());
    text
}

const TRIP: &str = "Lisbon, business class, 4 nights";

#[tokio::test]
async fn one_key_for_two_tenants() {
    let lab = lab(Setup::default()).await;
    lab.script([
        Step::text("Business class needs the board's consent."),
        Step::text(""),
    ]);
    let (store, client) = (std::sync::Mutex::default(), lab.client());
    let mut text = String::new();
    for (tenant, rules) in [
        ("acme", "Business class: only with the board's consent."),
        ("zeta", "Business class is fine. At most 5 nights."),
    ] {
        let before = lab.calls().len();
        let answer = check_trip(&store, &client, &profile(), rules, TRIP).await;
        let calls = &lab.calls()[before..];
        let what = match calls {
            [] => "no call".to_owned(),
            [call, ..] => format!("{} {}", call.operation, call.status),
        };
        let _ = writeln!(
            text,
            "{tenant}'s rules   {rules}\n  trip          {TRIP}\n  Bedrock       {what}\n  \
             answer        {answer}\n"
        );
    }
    assert_eq!(lab.calls().len(), 1);
    kept("bugs/one-key.txt", &text);
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_again() {
    let lab = lab(Setup::default()).await;
    lab.script((0..3).map(|_| Step::Say(vec![Piece::Text(String::new())])));
    let (store, client) = (std::sync::Mutex::default(), lab.client());
    let mut text = String::new();
    for _ in 0..3 {
        let answer = check_trip(&store, &client, &profile(), "At most 5 nights.", TRIP).await;
        let stored = store.lock().unwrap().values().next().cloned();
        let call = lab.calls().pop().unwrap();
        let _ = writeln!(
            text,
            "{} {} {}   answer {answer:?}, in the store {:?}",
            lab.calls().len(),
            call.operation,
            call.status,
            stored.unwrap()
        );
    }
    assert_eq!(lab.calls().len(), 3);
    kept("bugs/empty-answer.txt", &text);
}

#[tokio::test]
async fn twenty_who_ask_at_once() {
    let lab = lab(Setup::default()).await;
    let cut = Step::Say(vec![
        Piece::Text("Flights longer than".into()),
        Piece::Stop("max_tokens".into()),
    ]);
    lab.script((0..20).map(|_| cut.clone()));
    let store = std::sync::Arc::new(std::sync::Mutex::default());
    let client = lab.client();
    // One thread: all twenty have looked before the first is answered.
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (store, client) = (std::sync::Arc::clone(&store), client.clone());
            tokio::spawn(async move {
                check_trip(&store, &client, &profile(), "At most 5 nights.", TRIP).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let calls = lab.calls();
    assert_eq!(calls.len(), 20);
    let stop = calls[0].stop_reason.clone().unwrap();
    let stored = store.lock().unwrap().values().next().cloned().unwrap();
    kept(
        "bugs/twenty-at-once.txt",
        &format!(
            "questions, the same at the same moment   20\ncalls that reached Bedrock               {}\n\n\
             stop reason of the answer                {stop}\nin the store for an hour                 {stored}\n",
            answered(&calls)
        ),
    );
}

#[tokio::test]
async fn one_quota_for_two_partners() {
    let lab = lab(Setup {
        requests_per_minute: Some(6),
        ..Setup::default()
    })
    .await;
    let client = lab.client();
    let mut text = String::from("the account's quota: 6 requests a minute\n\n");
    let mut rows: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    for partner in ["loud"; 7].into_iter().chain(["quiet"; 2]) {
        let _ = ask(&client, &profile(), partner, 50).await;
        let status = lab.calls().pop().unwrap().status;
        rows.entry(partner).or_default().push(status);
    }
    for (partner, statuses) in rows {
        let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
        let _ = writeln!(text, "{partner:<6} {}", statuses.join(" "));
    }
    assert!(text.contains("quiet  429 429"), "{text}");
    kept("bugs/no-limit.txt", &text);
}

#[tokio::test]
async fn a_stream_under_a_policy_without_its_action() {
    let lab = lab(Setup {
        policies: vec![json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "AsInThePicture",
                "Effect": "Allow",
                "Action": "bedrock:InvokeModel",
                "Resource": "*",
            }],
        })],
        ..Setup::default()
    })
    .await;
    let (url, heard) = relay(&lab.url());
    let call = client(&lab, &url).invoke_model_with_response_stream();
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": "Name a river."}],
    });
    let call = call.model_id(profile()).content_type("application/json");
    let body = Blob::new(serde_json::to_vec(&body).unwrap());
    call.body(body).send().await.unwrap_err();
    let text = exchange(&heard);
    assert!(text.contains("403"), "{text}");
    kept("bugs/stream-denied.http", &text);
}

#[tokio::test]
async fn logging_is_off_until_somebody_switches_it_on() {
    let mut text = String::from("invocation logging   answer   counted   records in the log\n");
    for off in [true, false] {
        let lab = lab(Setup {
            logging_off: off,
            ..Setup::default()
        })
        .await;
        lab.script([hello()]);
        ask(&lab.client(), &profile(), "?", 50).await.unwrap();
        let counted = lab.metric("Invocations", &profile());
        let _ = writeln!(
            text,
            "{:<20} {:<8} {:<9} {}",
            if off { "never set up" } else { "on" },
            lab.calls()[0].status,
            counted.sum,
            lab.logs().len()
        );
    }
    kept("bugs/no-log.txt", &text);
}

#[tokio::test]
async fn the_log_keeps_what_people_write() {
    let lab = lab(Setup::default()).await;
    lab.script([Step::text("Refund to the customer's account.")]);
    let ticket =
        "Please refund 49 euros to card 4111 1111 1111 1111, and write to ann@example.com.";
    ask(&lab.client(), &profile(), ticket, 100).await.unwrap();
    let record = lab.logs().pop().unwrap().record;
    let shown = json!({
        "schemaType": record["schemaType"],
        "operation": record["operation"],
        "identity": record["identity"],
        "input": {"inputBodyJson": {"messages": record["input"]["inputBodyJson"]["messages"]}},
        "output": {"outputBodyJson": {"output": record["output"]["outputBodyJson"]["output"]}},
    });
    let text = told(&serde_json::to_string_pretty(&shown).unwrap());
    assert!(text.contains("ann@example.com"), "{text}");
    kept("bugs/logged-in-clear.txt", &text);
}

#[tokio::test]
async fn what_a_request_shows_of_its_signer() {
    let mut text = String::from("drawn as                 access key   session token\n");
    for (what, temporary) in [("a user with a key", false), ("a role", true)] {
        let lab = lab(Setup {
            temporary_credentials: temporary,
            ..Setup::default()
        })
        .await;
        ask(&lab.client(), &profile(), "?", 50).await.unwrap();
        let call = &lab.calls()[0];
        let key = &call.access_key_id.as_ref().unwrap()[..4];
        let token = if call.session { "yes" } else { "none" };
        let _ = writeln!(text, "{what:<24} {:<12} {token}", format!("{key}…"));
    }
    kept("bugs/who-signed.txt", &text);
}

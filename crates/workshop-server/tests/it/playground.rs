//! The playground: what is sent, what arrives, and what is kept out.

use bedrock_emulator::script::Document;
use serde_json::{Value, json};

use crate::{
    requests::beside,
    support::{Answer, Site},
};

fn form(site: &Site, more: &Value) -> Value {
    let emulator = site.state.emulator().unwrap().emulator();
    let model = emulator.catalogue().id_to_call("haiku", "us-east-1");
    let mut form = json!({ "model": model, "operation": "ConverseStream", "prompt": "Hello" });
    for (name, value) in more.as_object().unwrap() {
        form[name] = value.clone();
    }
    form
}

async fn post(site: &Site, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
    let cookie = site.cookie();
    let kind = match path {
        "/api/playground" => "application/json",
        _ => "application/x-www-form-urlencoded",
    };
    let mut headers = vec![("content-type", kind), ("cookie", cookie.as_str())];
    headers.extend(more);
    site.post(path, &headers, body).await
}

async fn send(site: &Site, more: &Value) -> Vec<Value> {
    let form = form(site, more).to_string();
    let answer = post(site, "/api/playground", &form, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("content-encoding"), "");
    let lines = answer.text().lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn kinds(pieces: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = pieces.iter().map(|p| p["kind"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn a_stream_is_told_message_by_message_and_stands_in_the_journal() {
    let (site, endpoint) = beside(|_| {}).await;
    let pieces = send(&site, &json!({})).await;
    assert_eq!(kinds(&pieces), ["request", "head", "frame", "end"]);
    let text = pieces[0]["text"].as_str().unwrap();
    assert!(text.starts_with("POST /model/"), "{text}");
    assert!(
        text.contains("Signature=…"),
        "no signature is shown: {text}"
    );
    assert!(text.ends_with('}'), "the body is shown: {text}");
    let frames: Vec<_> = pieces.iter().filter(|p| p["kind"] == "frame").collect();
    assert_eq!(frames[0]["event"], "messageStart");
    assert_eq!(frames.last().unwrap()["event"], "metadata");
    let end = pieces.last().unwrap();
    assert_eq!((&end["complete"], &end["seq"]), (&json!(true), &json!(1)));
    let entry = endpoint.emulator().entry(1).unwrap();
    assert_eq!((entry.status, entry.frames.len()), (200, frames.len()));
    let lit = site.get_as_owner("/requests/emulator/1/lit").await;
    assert!(lit.text().contains("\"BR\""), "{}", lit.text());
}

#[tokio::test]
async fn what_is_injected_strikes_this_request_once_and_is_gone() {
    let (site, endpoint) = beside(|_| {}).await;
    for (inject, status, complete, sentence) in [
        ("throttling", 429, true, "asked of this model"),
        ("denial", 403, true, "asking again does not help"),
        ("unavailable", 503, true, "no room"),
        ("cut", 200, false, "cut before"),
        ("stream-error", 200, true, "after it had begun"),
        ("", 200, true, ""),
    ] {
        let pieces = send(&site, &json!({ "inject": inject })).await;
        let head = pieces.iter().find(|p| p["kind"] == "head").unwrap();
        let end = pieces.last().unwrap();
        assert_eq!(head["status"], status, "{inject}");
        assert_eq!(end["complete"], complete, "{inject}");
        let said = end["sentence"].as_str().unwrap();
        assert!(said.contains(sentence), "{inject}: {said}");
        // Everything that was seen can be kept: as a script, and as a test.
        let entry = endpoint
            .emulator()
            .entry(end["seq"].as_u64().unwrap())
            .unwrap();
        let script = entry
            .script()
            .unwrap_or_else(|| panic!("{inject}: no script"));
        assert!(Document::from_toml(&script).is_ok(), "{inject}: {script}");
        let test = entry.test(Some("haiku")).unwrap();
        assert!(test.contains("lab.load(SCRIPT)"), "{inject}: {test}");
    }
    assert_eq!(endpoint.emulator().journal().len(), 6);
}

#[tokio::test]
async fn a_field_that_cannot_be_sent_is_named_and_nothing_is_sent() {
    let (site, endpoint) = beside(|_| {}).await;
    for (field, value, said) in [
        ("prompt", "", "Write a prompt"),
        ("max_tokens", "many", "whole number"),
        ("tools", "[{", "no JSON"),
        ("operation", "DeleteModel", "no operation"),
    ] {
        let pieces = send(&site, &json!({ field: value })).await;
        assert_eq!(kinds(&pieces), ["refused"], "{field}");
        let sentence = pieces[0]["sentence"].as_str().unwrap();
        assert!(sentence.contains(said), "{field}: {sentence}");
    }
    assert_eq!(endpoint.emulator().journal().len(), 0);
}

#[tokio::test]
async fn without_scripts_the_form_answers_with_a_page() {
    let (site, _endpoint) = beside(|_| {}).await;
    let page = site.get_as_owner("/playground").await;
    for shown in [
        "<optgroup label=\"Anthropic\">",
        "ConverseStream</option>",
        "data-play",
    ] {
        assert!(page.text().contains(shown), "{shown} is missing");
    }
    let model = form(&site, &json!({}))["model"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = format!(
        "model={}&operation=Converse&prompt=%3Cb%3Ehello&inject=",
        model.replace(':', "%3A")
    );
    let sent = post(&site, "/playground", &body, &[]).await;
    let text = sent.text();
    assert_eq!(sent.status, 200);
    for shown in [
        "Answered with 200",
        "href=\"/requests/emulator/1\"",
        "&#60;b&#62;hello</textarea>",
        "ok node",
    ] {
        assert!(text.contains(shown), "{shown} is missing: {text}");
    }
    assert!(
        !text.contains("<b>hello"),
        "what a model repeats is no markup"
    );
}

#[tokio::test]
async fn only_the_owner_sends_and_no_other_page() {
    let (site, endpoint) = beside(|_| {}).await;
    let body = form(&site, &json!({})).to_string();
    for path in ["/api/playground", "/playground"] {
        let kind = [("content-type", "application/json")];
        assert_eq!(site.post(path, &kind, &body).await.status, 401, "{path}");
        let foreign = [("origin", "http://evil.test")];
        assert_eq!(
            post(&site, path, &body, &foreign).await.status,
            403,
            "{path}"
        );
        let null = [("origin", "null")];
        assert_eq!(post(&site, path, &body, &null).await.status, 403, "{path}");
    }
    let simple = [("cookie", site.cookie())];
    let simple: Vec<_> = simple.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let text = [simple[0], ("content-type", "text/plain")];
    assert_eq!(site.post("/api/playground", &text, &body).await.status, 415);
    assert_eq!(endpoint.emulator().journal().len(), 0, "nothing was sent");
    let stranger = site.get("/playground").await;
    assert!(!stranger.text().contains("data-play"));
    assert!(stranger.text().contains("open the link"));
}

#[tokio::test]
async fn without_an_emulator_the_pages_say_so() {
    let site = Site::new();
    for path in ["/playground", "/dashboards"] {
        let page = site.get_as_owner(path).await;
        assert!(page.text().contains("No emulator runs"), "{path}");
    }
}

#[tokio::test]
async fn dashboards_show_what_cloudwatch_counts() {
    let (site, endpoint) = beside(|_| {}).await;
    let empty = site.get_as_owner("/dashboards").await;
    assert!(empty.text().contains("Nothing was measured yet"));
    for inject in ["", "", "throttling"] {
        send(&site, &json!({ "inject": inject })).await;
    }
    let page = site.get_as_owner("/dashboards").await;
    let text = page.text();
    let metrics = endpoint.emulator().metrics();
    let tokens: f64 = metrics
        .iter()
        .filter(|(name, ..)| *name == "OutputTokenCount")
        .map(|(.., s)| s.sum)
        .sum();
    for shown in [
        "<dt>Answered</dt><dd>2</dd>",
        "<dt>Throttled</dt><dd>1</dd>",
        &format!("<dt>Tokens out</dt><dd>{tokens}</dd>"),
        "<dt>Cost</dt><dd>$0.0",
        "<polyline",
    ] {
        assert!(text.contains(shown), "{shown} is missing: {text}");
    }
    assert!(!text.contains("style="), "no inline style");
    let stranger = site.get("/dashboards").await;
    assert!(!stranger.text().contains("Throttled</dt>"));
}

/// `UPDATE_KEPT=1` writes the files anew.
#[tokio::test]
async fn what_is_saved_as_a_test_is_what_the_snippets_compile_and_run() {
    let (site, endpoint) = beside(|_| {}).await;
    let tools = r#"[{"toolSpec": {"name": "get_weather", "description": "The weather of a city", "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}}]"#;
    let asked = json!({
        "operation": "Converse", "prompt": "What is the weather in \"Paris\"?", "system": "Be brief.",
        "max_tokens": "64", "temperature": "0.2", "stop": "END", "tools": tools,
    });
    let cut = json!({ "inject": "cut", "prompt": "What is a queue good for?" });
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join("../../content/snippets/tests/playground");
    for (name, more) in [("converse", asked), ("cut_stream", cut)] {
        let pieces = send(&site, &more).await;
        let seq = pieces.last().unwrap()["seq"].as_u64().unwrap();
        let entry = endpoint.emulator().entry(seq).unwrap();
        let test = entry.test(Some("haiku")).unwrap();
        let file = folder.join(format!("{name}.rs"));
        if std::env::var_os("UPDATE_KEPT").is_some() {
            std::fs::write(&file, &test).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap();
        assert_eq!(test, kept, "{name} has changed");
    }
}

//! Service Quotas: what an account may use, told.

use std::collections::BTreeSet;

use bedrock_emulator::{
    Emulator, Reply, Request,
    quota::{Limits, Quotas},
};
use serde_json::{Value, json};

use crate::bench::{json as body, now, open, post, profile, text, with};

fn ask(emulator: &Emulator, operation: &str, input: &Value) -> Reply {
    let mut request = Request {
        target: "/".to_owned(),
        ..post("", "", input.to_string())
    };
    let target = format!("ServiceQuotasV20190624.{operation}");
    request.headers.push(("x-amz-target".to_owned(), target));
    emulator.handle(&request, now())
}

/// Every quota of that list, page by page.
fn all(emulator: &Emulator, operation: &str, page: u32) -> Vec<Value> {
    let mut input = json!({"ServiceCode": "bedrock", "MaxResults": page});
    let mut quotas = Vec::new();
    loop {
        let reply = ask(emulator, operation, &input);
        assert_eq!(reply.status, 200, "{}", text(&reply));
        let mut told = body(&reply);
        let listed = told["Quotas"].as_array().unwrap();
        assert!((1..=page as usize).contains(&listed.len()));
        quotas.extend(listed.clone());
        let next = told["NextToken"].take();
        if next.is_null() {
            return quotas;
        }
        input["NextToken"] = next;
    }
}

fn named<'q>(quotas: &'q [Value], name: &str) -> &'q Value {
    let found = quotas.iter().find(|quota| quota["QuotaName"] == name);
    found.unwrap_or_else(|| panic!("no quota is called {name}"))
}

/// As the service model writes a quota.
#[expect(clippy::cast_precision_loss, reason = "no quota comes near 2^53")]
fn double(value: u64) -> f64 {
    value as f64
}

fn named_in(quotas: &[Value], model: &str) -> bool {
    let mut names = quotas
        .iter()
        .map(|quota| quota["QuotaName"].as_str().unwrap());
    names.any(|name| name.ends_with(model))
}

#[test]
fn every_way_to_a_model_has_its_quotas() {
    let emulator = open();
    let quotas = all(&emulator, "ListServiceQuotas", 100);
    assert_eq!(quotas, all(&emulator, "ListServiceQuotas", 7));
    let codes: BTreeSet<&str> = quotas
        .iter()
        .map(|quota| quota["QuotaCode"].as_str().unwrap())
        .collect();
    assert_eq!(codes.len(), quotas.len(), "no code stands for two quotas");
    let haiku = emulator.catalogue().by_alias("haiku").unwrap();
    let name = format!("Anthropic {}", haiku.name);
    for (quota, value) in [
        (
            format!("Cross-region model inference requests per minute for {name}"),
            u64::from(haiku.quotas.requests_per_minute),
        ),
        (
            format!("Cross-region model inference tokens per minute for {name}"),
            haiku.quotas.tokens_per_minute,
        ),
        (
            format!("Global cross-region model inference tokens per minute for {name}"),
            haiku
                .quotas
                .global_tokens_per_minute
                .unwrap_or(haiku.quotas.tokens_per_minute),
        ),
        (
            format!(
                "Model invocation max tokens per day for {name} (doubled for cross-region calls)"
            ),
            haiku.quotas.tokens_per_minute / 2 * 24 * 60,
        ),
    ] {
        assert_eq!(
            named(&quotas, &quota)["Value"].as_f64(),
            Some(double(value)),
            "{quota}"
        );
    }
    let requests = format!("Cross-region model inference requests per minute for {name}");
    let one = named(&quotas, &requests);
    let code = one["QuotaCode"].as_str().unwrap();
    let hex = code.strip_prefix("L-").unwrap();
    assert!(
        hex.len() == 8 && u32::from_str_radix(hex, 16).is_ok(),
        "{code}"
    );
    assert_eq!(
        one["QuotaArn"],
        format!("arn:aws:servicequotas:us-east-1:123456789012:bedrock/{code}")
    );
    assert_eq!(
        (&one["Unit"], &one["Adjustable"], &one["GlobalQuota"]),
        (&json!("None"), &json!(true), &json!(false))
    );
    let input = json!({"ServiceCode": "bedrock", "QuotaCode": code});
    assert_eq!(
        body(&ask(&emulator, "GetServiceQuota", &input))["Quota"],
        *one
    );
    // On demand there is half of it, where there is a profile too.
    let mut both = emulator.catalogue().models.iter();
    let both = both
        .find(|m| {
            m.on_demand_in("us-east-1")
                && m.profiles.iter().any(|p| p == "us")
                && named_in(&quotas, &m.name)
        })
        .unwrap();
    let tokens = |way: &str| {
        let mut of = quotas.iter().filter(|quota| {
            let name = quota["QuotaName"].as_str().unwrap();
            name.starts_with(way)
                && name.ends_with(&format!(" {}", both.name))
                && name.contains("tokens per minute")
        });
        of.next().unwrap()["Value"].as_f64().unwrap()
    };
    assert!((tokens("Cross-region") - 2.0 * tokens("On-demand")).abs() < 0.5);
}

/// The service model bounds a value; a day of a large quota's minutes is more.
#[test]
fn no_value_is_larger_than_the_service_can_say() {
    let emulator = open();
    for operation in ["ListServiceQuotas", "ListAWSDefaultServiceQuotas"] {
        let largest = all(&emulator, operation, 100)
            .iter()
            .map(|quota| quota["Value"].as_f64().unwrap())
            .fold(0.0, f64::max);
        assert!(largest <= 1e10 && largest > 1e9, "{operation}: {largest}");
    }
}

#[test]
fn settings_apply_and_defaults_stay() {
    let model = profile(&open(), "haiku");
    let limits = Limits {
        requests_per_minute: Some(3),
        tokens_per_minute: Some(2_000),
        tokens_per_day: None,
    };
    let emulator = with(|c| {
        c.quotas = Quotas {
            from_catalogue: false,
            limits: [(model, limits)].into(),
        };
    });
    let applied = all(&emulator, "ListServiceQuotas", 100);
    let defaults = all(&emulator, "ListAWSDefaultServiceQuotas", 100);
    let haiku = emulator.catalogue().by_alias("haiku").unwrap();
    let tokens = format!(
        "Cross-region model inference tokens per minute for Anthropic {}",
        haiku.name
    );
    assert_eq!(named(&applied, &tokens)["Value"], 2_000.0);
    let default = named(&defaults, &tokens);
    assert_eq!(
        default["Value"].as_f64(),
        Some(double(haiku.quotas.tokens_per_minute))
    );
    let code = default["QuotaCode"].as_str().unwrap();
    assert_eq!(
        default["QuotaArn"],
        format!("arn:aws:servicequotas:us-east-1::bedrock/{code}")
    );
    let input = json!({"ServiceCode": "bedrock", "QuotaCode": code});
    let one = ask(&emulator, "GetAWSDefaultServiceQuota", &input);
    assert_eq!(body(&one)["Quota"], *default);
    let other = format!(
        "Global cross-region model inference tokens per minute for Anthropic {}",
        haiku.name
    );
    assert_eq!(
        named(&applied, &other)["Value"],
        named(&defaults, &other)["Value"]
    );
    let input = json!({"ServiceCode": "bedrock", "QuotaAppliedAtLevel": "RESOURCE"});
    assert_eq!(
        body(&ask(&emulator, "ListServiceQuotas", &input)),
        json!({"Quotas": []})
    );
}

#[test]
fn what_is_not_there_and_what_cannot_be_is_refused() {
    let emulator = open();
    for (operation, input, code, said) in [
        (
            "ListServiceQuotas",
            json!({"ServiceCode": "no-such-service"}),
            "NoSuchResourceException",
            "service does not exist",
        ),
        (
            "GetServiceQuota",
            json!({"ServiceCode": "bedrock", "QuotaCode": "L-00000000"}),
            "NoSuchResourceException",
            "quota does not exist",
        ),
        (
            "GetServiceQuota",
            json!({"ServiceCode": "bedrock"}),
            "IllegalArgumentException",
            "quotaCode",
        ),
        (
            "ListServiceQuotas",
            json!({}),
            "IllegalArgumentException",
            "serviceCode",
        ),
        (
            "ListAWSDefaultServiceQuotas",
            json!({"ServiceCode": "bedrock", "MaxResults": 101}),
            "IllegalArgumentException",
            "less than or equal to 100",
        ),
        (
            "ListServiceQuotas",
            json!({"ServiceCode": "bedrock", "MaxResults": 0}),
            "IllegalArgumentException",
            "greater than or equal to 1",
        ),
        (
            "ListServiceQuotas",
            json!({"ServiceCode": "bedrock", "NextToken": "OTk5OTk5"}),
            "InvalidPaginationTokenException",
            "invalid value for nextToken",
        ),
        (
            "ListServiceQuotas",
            json!({"ServiceCode": "bedrock", "QuotaAppliedAtLevel": "NOWHERE"}),
            "IllegalArgumentException",
            "quotaAppliedAtLevel",
        ),
    ] {
        let reply = ask(&emulator, operation, &input);
        assert_eq!(reply.status, 400, "{input}");
        let told = body(&reply);
        assert_eq!(told["__type"], code, "{input}");
        assert!(told["Message"].as_str().unwrap().contains(said), "{told}");
    }
}

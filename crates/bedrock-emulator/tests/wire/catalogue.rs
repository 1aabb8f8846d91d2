//! Ids, ARNs, lifecycle and prices.

use bedrock_emulator::{
    catalogue::{Catalogue, LifecycleState, Model},
    journal::Usage,
};
use time::{Date, Month};

fn catalogue() -> Catalogue {
    Catalogue::built_in().unwrap()
}

fn day(year: i32, month: u8, day: u8) -> Date {
    Date::from_calendar_date(year, Month::try_from(month).unwrap(), day).unwrap()
}

fn named<'c>(catalogue: &'c Catalogue, name: &str) -> &'c Model {
    catalogue.models.iter().find(|m| m.name == name).unwrap()
}

#[test]
fn the_catalogue_holds_together() {
    let catalogue = catalogue();
    for alias in ["haiku", "sonnet", "opus"] {
        let model = catalogue.by_alias(alias).unwrap();
        assert_eq!(
            catalogue.state(model, catalogue.as_of),
            LifecycleState::Active,
            "{alias}"
        );
        assert_eq!(model.node.as_deref(), Some(alias.to_uppercase().as_str()));
        assert!(
            !model.quirks.no_sampling && !model.quirks.no_forced_tool,
            "{alias}"
        );
        assert!(
            catalogue
                .profile_id(model, "us-east-1")
                .unwrap()
                .starts_with("us.")
        );
    }
    let prefixes: Vec<_> = catalogue.geographies.iter().map(|g| &g.prefix).collect();
    for model in &catalogue.models {
        let price = model.price;
        assert!(price.input > 0, "{}", model.id);
        if model.family.embeds() {
            assert_eq!((price.output, model.max_output), (0, 0), "{}", model.id);
            assert!(!model.streaming, "{}", model.id);
        } else {
            assert!(price.output > price.input, "{}", model.id);
            assert!(model.speed.tokens_per_second > 0, "{}", model.id);
        }
        assert!(model.max_output <= model.context, "{}", model.id);
        assert!(
            model
                .regions
                .iter()
                .chain(&model.on_demand_regions)
                .all(|r| catalogue.regions.contains(r)),
            "{}",
            model.id
        );
        let life = model.lifecycle;
        let days: Vec<_> = [life.start, life.legacy, life.extended, life.eol]
            .into_iter()
            .flatten()
            .collect();
        assert!(days.is_sorted() && life.start.is_some(), "{}", model.id);
        assert!(!model.source.is_empty(), "{}", model.id);
        assert!(
            model.on_demand || !model.profiles.is_empty(),
            "{}: no way in",
            model.id
        );
        for prefix in &model.profiles {
            assert!(
                prefix == "global" || prefixes.contains(&prefix),
                "{}: {prefix}",
                model.id
            );
        }
        assert_eq!(
            catalogue.models.iter().filter(|m| m.id == model.id).count(),
            1
        );
    }
    for profile in &catalogue.application_profiles {
        assert!(catalogue.model(&profile.model).is_some(), "{}", profile.id);
    }
}

#[test]
fn ids_profiles_and_arns_lead_to_the_model() {
    let catalogue = catalogue();
    let id = &named(&catalogue, "Claude Haiku 4.5").id;
    let old = &named(&catalogue, "Claude 3 Haiku").id;
    let app = &catalogue.application_profiles[0].id;
    let today = day(2025, 10, 18);
    let rows = [
        ("us-east-1", format!("us.{id}"), format!("us.{id}")),
        ("eu-west-1", format!("eu.{id}"), format!("eu.{id}")),
        (
            "ap-southeast-1",
            format!("global.{id}"),
            format!("global.{id}"),
        ),
        ("us-west-2", old.clone(), old.clone()),
        (
            "us-east-1",
            format!("arn:aws:bedrock:us-east-1::foundation-model/{old}"),
            old.clone(),
        ),
        (
            "us-east-1",
            format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{id}"),
            format!("us.{id}"),
        ),
        (
            "us-east-1",
            format!("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/{app}"),
            app.clone(),
        ),
    ];
    for (region, asked, metric) in rows {
        let found = catalogue.resolve(&asked, region, today);
        let found = found.unwrap_or_else(|e| panic!("{asked}: {}", e.message()));
        assert_eq!(found.metric_id(), metric, "{asked}");
    }
}

#[test]
fn wrong_ids_are_refused_in_bedrocks_words() {
    let catalogue = catalogue();
    let id = &named(&catalogue, "Claude Haiku 4.5").id;
    let invalid = "The provided model identifier is invalid.";
    let rows = [
        ("us-east-1", "nonsense".to_owned(), invalid),
        ("us-east-1", format!("{id}x"), invalid),
        ("us-east-1", id.replace(":0", ":O"), invalid),
        ("us-east-1", format!("eu.{id}"), invalid),
        ("eu-west-1", format!("us.{id}"), invalid),
        ("us-east-1", format!("mars.{id}"), invalid),
        (
            "us-east-1",
            format!("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.{id}"),
            invalid,
        ),
        (
            "us-east-1",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/nothing"
                .to_owned(),
            invalid,
        ),
        ("us-east-1", "arn:aws:bedrock".to_owned(), invalid),
        (
            "us-east-1",
            "a b".to_owned(),
            "1 validation error detected: Value 'a b' at 'modelId' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:aws",
        ),
        (
            "us-east-1",
            "a".repeat(2_049),
            "length less than or equal to 2048",
        ),
        (
            "us-east-1",
            id.clone(),
            "with on-demand throughput isn\u{2019}t supported. Retry your request with the ID or ARN of an inference profile that contains this model.",
        ),
    ];
    for (region, asked, message) in rows {
        let error = catalogue
            .resolve(&asked, region, day(2026, 11, 22))
            .unwrap_err();
        assert!(
            error.message().contains(message),
            "{asked}: {}",
            error.message()
        );
    }
}

#[test]
fn a_model_ends_on_its_day() {
    let catalogue = catalogue();
    let model = named(&catalogue, "Claude 3.5 Haiku");
    let on = |date| catalogue.resolve(&model.id, "us-east-1", date);
    assert!(on(day(2026, 6, 18)).is_ok());
    assert_eq!(
        on(day(2026, 6, 19)).unwrap_err().message(),
        "This model version has reached the end of its life. \
         Please refer to the AWS documentation for more details."
    );
    let undated = named(&catalogue, "Claude 2.0");
    assert_eq!(
        catalogue.state(undated, day(2025, 10, 18)),
        LifecycleState::Active
    );
    assert_eq!(
        catalogue.state(undated, catalogue.as_of),
        LifecycleState::EndOfLife
    );
    let legacy = named(&catalogue, "Claude Opus 4.1");
    assert_eq!(
        catalogue.state(legacy, day(2026, 7, 8)),
        LifecycleState::Legacy
    );
}

#[test]
fn a_model_is_unknown_before_its_day() {
    let catalogue = catalogue();
    let model = named(&catalogue, "Claude Haiku 4.5");
    let id = format!("us.{}", model.id);
    let on = |date| catalogue.resolve(&id, "us-east-1", date);
    assert_eq!(
        on(day(2025, 10, 14)).unwrap_err().message(),
        "The provided model identifier is invalid."
    );
    assert!(on(day(2025, 10, 15)).is_ok());
    assert_eq!(
        catalogue.state(model, day(2025, 10, 14)),
        LifecycleState::NotYet
    );
}

#[test]
fn regions_and_throughput_have_their_own_refusals() {
    let catalogue = catalogue();
    let old = &named(&catalogue, "Claude 3 Haiku").id;
    let rows = [
        (
            "eu-west-3",
            named(&catalogue, "Titan Embeddings G1 - Text").id.clone(),
            "Model not found.",
        ),
        (
            "us-east-1",
            format!("{old}:200k"),
            "The provided model doesn't support on-demand throughput.",
        ),
        (
            "us-east-1",
            format!("{old}:7k"),
            "The provided model identifier is invalid.",
        ),
        (
            "us-west-2",
            named(&catalogue, "Embed v4").id.clone(),
            "with on-demand throughput isn\u{2019}t supported",
        ),
    ];
    for (region, id, message) in rows {
        let error = catalogue
            .resolve(&id, region, day(2026, 8, 19))
            .unwrap_err();
        assert!(
            error.message().contains(message),
            "{id}: {}",
            error.message()
        );
    }
}

#[test]
fn a_profile_answers_in_its_geography_and_where_it_is_called() {
    let catalogue = catalogue();
    let id = &named(&catalogue, "Claude Haiku 4.5").id;
    let regions = |prefix: &str, from: &str| {
        let profile = format!("{prefix}.{id}");
        let found = catalogue.resolve(&profile, from, catalogue.as_of).unwrap();
        let arns = catalogue.resources(&found, from, "123456789012");
        let regions = arns[1..]
            .iter()
            .map(|arn| arn.split(':').nth(3).unwrap().to_owned());
        regions.collect::<Vec<_>>()
    };
    assert_eq!(
        regions("us", "us-east-1"),
        ["us-east-1", "us-east-2", "us-west-2"]
    );
    assert_eq!(
        regions("us", "us-west-1"),
        ["us-east-1", "us-east-2", "us-west-1", "us-west-2"]
    );
    assert_eq!(regions("global", "sa-east-1"), ["sa-east-1", ""]);
}

#[test]
fn cached_tokens_and_long_prompts_have_their_price() {
    let catalogue = catalogue();
    let cost = |name: &str, usage: Usage| {
        let id = format!("global.{}", named(&catalogue, name).id);
        let found = catalogue
            .resolve(&id, "us-east-1", catalogue.as_of)
            .unwrap();
        found.cost_micro_usd(usage)
    };
    let cached = Usage {
        cache_read: 100_000,
        cache_write_5m: 10_000,
        cache_write_1h: 20_000,
        ..Usage::new(1_000, 500)
    };
    // Haiku 4.5: 1 + 2.5 milli-USD for input and output, 10 read, 12.5 and 40 written.
    assert_eq!(
        cost("Claude Haiku 4.5", cached),
        1_000 + 2_500 + 10_000 + 12_500 + 40_000
    );
    assert_eq!(cost("Claude Haiku 5.5", Usage::new(100_000, 1_000)), 10_500);
    assert_eq!(
        cost("Claude Haiku 5.5", Usage::new(100_001, 1_000)),
        52_501,
        "five times the price above 100,000 tokens"
    );
}

#[test]
fn quotas_depend_on_the_door() {
    let catalogue = catalogue();
    let quota = |id: &str| {
        let found = catalogue
            .resolve(id, "us-east-1", day(2026, 8, 19))
            .unwrap();
        found.tokens_per_minute()
    };
    let sonnet = &named(&catalogue, "Claude Sonnet 5").id;
    assert_eq!(quota(&format!("us.{sonnet}")), 5_000_000);
    assert_eq!(quota(&format!("global.{sonnet}")), 6_000_000);
    let nova = &named(&catalogue, "Nova Micro").id;
    assert_eq!(quota(&format!("us.{nova}")), 8_000_000);
    assert_eq!(quota(nova), 4_000_000, "half on demand");
    assert_eq!(
        quota(&named(&catalogue, "Titan Text Embeddings V2").id),
        300_000
    );
}

#[test]
fn geographic_profiles_cost_ten_percent_more() {
    let catalogue = catalogue();
    let id = &catalogue.by_alias("haiku").unwrap().id;
    let usage = Usage::new(10_000, 2_000);
    let cost = |prefix: &str| {
        let profile = format!("{prefix}.{id}");
        let found = catalogue
            .resolve(&profile, "us-east-1", catalogue.as_of)
            .unwrap();
        found.cost_micro_usd(usage)
    };
    assert_eq!(cost("global"), 20_000);
    assert_eq!(cost("us"), 22_000);
}

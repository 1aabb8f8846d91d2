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
        assert!(
            model.price.input > 0 && model.price.output > model.price.input,
            "{}",
            model.id
        );
        assert!(model.max_output <= model.context, "{}", model.id);
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

//! What exercise 000 asks for. Read it: these tests are the exact form of the task.
//!
//! The first one lets a stand-in for Claude Code make a request with your settings and looks at what
//! arrives (WIRE); the others look at your diagnoses (RESULT).

use ex000::{Access, Env, Mode, Model, Models, Pins, Problem, diagnose, settings};
use workshop_testkit::{Lab, Point, ShimError, Value, claude_shim, models, within};

const TODAY: &str = "2026-11-22";

/// Variables that differ from a good environment.
type Changes<'a> = &'a [(&'a str, &'a str)];

/// The course's catalogue in this exercise's types, with every model still alive.
fn catalogue() -> Models {
    let models = models().models.iter().map(|model| Model {
        id: model.id.clone(),
        profiles: model.profiles.clone(),
        on_demand: model.on_demand,
        eol: None,
    });
    Models(models.collect())
}

/// A model that needs a profile, and has one in each of these geographies.
fn profiled(tier: &str) -> String {
    let found = models()
        .models
        .iter()
        .find(|m| m.alias.as_deref() == Some(tier));
    let model = found.expect("models.toml has each tier");
    assert!(
        !model.on_demand
            && ["us", "eu", "global"]
                .iter()
                .all(|p| model.profiles.contains(&(*p).to_owned()))
    );
    model.id.clone()
}

fn env(pairs: &[(&str, &str)]) -> Env {
    let pairs = pairs.iter().filter(|(_, value)| *value != "(unset)");
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// An environment without a problem, changed by `changes`.
fn healthy(mode: Mode, changes: &[(&str, &str)]) -> Env {
    let model = format!("eu.{}", profiled("sonnet"));
    let mut pairs = vec![
        ("CLAUDE_CODE_USE_BEDROCK", "1"),
        ("AWS_REGION", "eu-west-1"),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", model.as_str()),
    ];
    match mode {
        Mode::Real => pairs.push(("AWS_PROFILE", "workshop")),
        Mode::Emulator => pairs.extend([
            ("ANTHROPIC_BEDROCK_BASE_URL", "http://127.0.0.1:4566"),
            ("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1"),
        ]),
    }
    pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    pairs.extend(changes);
    env(&pairs)
}

/// Checks one row: a healthy environment with these changes has exactly these problems.
#[track_caller]
fn row(point: &Point, mode: Mode, changes: &[(&str, &str)], problems: &[Problem]) {
    let changed: Vec<_> = changes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let what = format!("{mode:?}, {}", changed.join(" "));
    let found = diagnose(&healthy(mode, changes), &catalogue(), TODAY, mode);
    point.equal(&what, found, problems.to_vec());
}

// ---- WIRE: what leaves the process

#[tokio::test]
async fn claude_code_reaches_the_pinned_model_with_these_settings() {
    const REACHES: Point = Point::wire(
        "000/2",
        "settings are right when the request they lead to is: this model, this region, one call",
        "README.md \"Settings\" · workshop hint 000 3",
    );
    let lab = Lab::start().await;
    let pins = Pins {
        opus: format!("eu.{}", profiled("opus")),
        sonnet: format!("eu.{}", profiled("sonnet")),
        haiku: format!("eu.{}", profiled("haiku")),
    };
    let settings = settings("eu-west-1", &Access::Emulator { port: 4566 }, &pins);

    let answer = within(&REACHES, "Claude Code", claude_shim(&settings, &lab)).await;
    // The beginning of an error says enough; an SDK error tells the whole HTTP exchange.
    let error = |error: ShimError| error.to_string().chars().take(90).collect();
    let outcome: String = answer.map_or_else(error, |_| "an answer".to_owned());
    let calls = lab.calls();
    let calls: Vec<_> = calls
        .iter()
        .map(|c| {
            (
                c.operation.as_str(),
                c.model.as_str(),
                c.scope_region.as_str(),
            )
        })
        .collect();
    let wanted = (
        "InvokeModelWithResponseStream",
        pins.sonnet.as_str(),
        "eu-west-1",
    );
    REACHES.holds(
        "requests of Claude Code",
        calls == [wanted],
        format!("{calls:?}; {outcome}"),
        format!("{:?}", [wanted]),
    );
    REACHES.equal("the outcome", outcome.as_str(), "an answer");
}

// ---- RESULT: what the functions return

#[test]
fn a_switch_is_on_by_its_value() {
    const SWITCH: Point = Point::result(
        "000/3",
        "=0 is how people switch things off; who tests for presence sends code to the wrong service",
        "README.md \"The rules\" · workshop hint 000 1",
    );
    for (value, on) in [
        ("1", true),
        ("true", true),
        ("TRUE", true),
        ("0", false),
        ("false", false),
    ] {
        let problems = if on {
            vec![]
        } else {
            vec![Problem::NotEnabled]
        };
        row(
            &SWITCH,
            Mode::Real,
            &[("CLAUDE_CODE_USE_BEDROCK", value)],
            &problems,
        );
    }
    for value in ["", "(unset)"] {
        row(
            &SWITCH,
            Mode::Real,
            &[("CLAUDE_CODE_USE_BEDROCK", value)],
            &[Problem::NotEnabled],
        );
    }
}

#[test]
fn a_region_is_never_invented() {
    const REGION: Point = Point::result(
        "000/4",
        "an invented region works on your machine, and is a denied call or a data transfer elsewhere",
        "README.md \"The rules\" · workshop hint 000 1",
    );
    let (first, second) = ("AWS_REGION", "AWS_DEFAULT_REGION");
    row(&REGION, Mode::Real, &[(first, "eu-north-1")], &[]);
    row(
        &REGION,
        Mode::Real,
        &[(first, "(unset)"), (second, "eu-west-1")],
        &[],
    );
    row(
        &REGION,
        Mode::Real,
        &[(first, " "), (second, "eu-west-1")],
        &[],
    );
    row(
        &REGION,
        Mode::Real,
        &[(first, "(unset)")],
        &[Problem::NoRegion],
    );
    row(
        &REGION,
        Mode::Emulator,
        &[(first, "")],
        &[Problem::NoRegion],
    );
}

#[test]
fn credentials_are_complete_and_short_lived() {
    const CREDENTIALS: Point = Point::result(
        "000/5",
        "half a credential fails at the first call; a long-lived one works for whoever finds it",
        "README.md \"The rules\" · workshop hint 000 3",
    );
    let none = ("AWS_PROFILE", "(unset)");
    let secret = ("AWS_SECRET_ACCESS_KEY", "secret");
    let token = ("AWS_SESSION_TOKEN", "token");
    let temporary = ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE");
    let user = ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let unsigned = ("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "1");
    let signed = ("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "0");
    let rows: [(Mode, Changes<'_>, &[Problem]); 11] = [
        (Mode::Real, &[], &[]),
        (Mode::Real, &[none], &[Problem::NoCredentials]),
        (
            Mode::Real,
            &[none, ("AWS_BEARER_TOKEN_BEDROCK", "key")],
            &[],
        ),
        (Mode::Real, &[none, temporary, secret, token], &[]),
        (
            Mode::Real,
            &[none, temporary, secret],
            &[Problem::NoCredentials],
        ),
        (Mode::Real, &[none, user, secret], &[Problem::LongLivedKeys]),
        (Mode::Real, &[none, user], &[Problem::NoCredentials]),
        (Mode::Real, &[none, unsigned], &[Problem::NoCredentials]),
        (Mode::Emulator, &[unsigned], &[]),
        (Mode::Emulator, &[signed, user, secret], &[]),
        (Mode::Emulator, &[signed], &[Problem::NoCredentials]),
    ];
    for (mode, changes, problems) in rows {
        row(&CREDENTIALS, mode, changes, problems);
    }
}

#[test]
fn models_are_pinned_by_the_id_of_a_profile() {
    const PINNED: Point = Point::result(
        "000/6",
        "the base id of a current model is refused: it is the most asked question about Bedrock",
        "README.md \"The rules\" · workshop hint 000 2",
    );
    let bare = profiled("sonnet");
    let (global, unknown) = (format!("global.{bare}"), format!("eu.{bare}-9"));
    let (pin, model) = ("ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_MODEL");
    let named_bare = Problem::BareModelId(bare.clone());
    let named_unknown = Problem::UnknownModel(unknown.clone());
    let rows: [(Changes<'_>, &[Problem]); 7] = [
        (&[(pin, &global)], &[]),
        (&[(pin, "(unset)"), (model, &global)], &[]),
        (&[(pin, "(unset)")], &[Problem::ModelNotPinned]),
        (
            &[(pin, "(unset)"), (model, "sonnet")],
            &[Problem::ModelNotPinned],
        ),
        (&[(model, "sonnet")], &[]),
        (&[(pin, &bare)], &[named_bare]),
        (&[(pin, &unknown)], &[named_unknown]),
    ];
    for (changes, problems) in rows {
        row(&PINNED, Mode::Real, changes, problems);
    }
    // Older models may be called by their base id.
    let mut models = catalogue();
    for model in &mut models.0 {
        model.on_demand = true;
    }
    let env = healthy(Mode::Real, &[(pin, &bare)]);
    let found = diagnose(&env, &models, TODAY, Mode::Real);
    PINNED.equal("problems of a base id that needs no profile", found, vec![]);
}

#[test]
fn a_model_is_retired_from_its_last_day_on() {
    const RETIRED: Point = Point::result(
        "000/7",
        "model ids are dates: on one of them, every machine that has the id pinned stops working",
        "README.md \"The rules\" · workshop hint 000 2",
    );
    let mut models = catalogue();
    for model in &mut models.0 {
        model.eol = Some("2026-06-19".to_owned());
    }
    let env = healthy(Mode::Real, &[]);
    let id = env["ANTHROPIC_DEFAULT_SONNET_MODEL"].clone();
    let eol = "2026-06-19".to_owned();
    for (today, problems) in [
        ("2026-06-18", vec![]),
        ("2026-06-19", vec![Problem::RetiredModel { id, eol }]),
    ] {
        let found = diagnose(&env, &models, today, Mode::Real);
        RETIRED.equal(&format!("on {today}"), found, problems);
    }
}

#[test]
fn a_profile_is_called_from_its_own_regions() {
    const REGIONS: Point = Point::result(
        "000/8",
        "the prefix says where data may go; from elsewhere the id does not even exist",
        "README.md \"The rules\" · workshop hint 000 2",
    );
    let base = profiled("sonnet");
    let pin = "ANTHROPIC_DEFAULT_SONNET_MODEL";
    for (prefix, region, inside) in [
        ("eu", "eu-central-1", true),
        ("us", "us-west-2", true),
        ("global", "ap-southeast-1", true),
        ("us", "eu-west-1", false),
        ("eu", "us-east-1", false),
    ] {
        let profile = format!("{prefix}.{base}");
        let outside = Problem::RegionOutsideProfile {
            region: region.to_owned(),
            profile: profile.clone(),
        };
        let problems = if inside { vec![] } else { vec![outside] };
        row(
            &REGIONS,
            Mode::Real,
            &[(pin, &profile), ("AWS_REGION", region)],
            &problems,
        );
    }
}

#[test]
fn the_emulator_is_on_this_machine() {
    const LOCAL: Point = Point::result(
        "000/9",
        "prompts that were meant for this machine must not leave it for a host that looks like it",
        "README.md \"The rules\" · workshop hint 000 3",
    );
    let name = "ANTHROPIC_BEDROCK_BASE_URL";
    for url in [
        "http://127.0.0.1:4566",
        "http://localhost:4566/",
        "http://[::1]:4566",
    ] {
        row(&LOCAL, Mode::Emulator, &[(name, url)], &[]);
    }
    for url in [
        "https://bedrock.example.com",
        "http://127.0.0.1.example.com:4566",
        "http://127.0.0.1:4566@example.com",
        "127.0.0.1:4566",
    ] {
        let elsewhere = Problem::EndpointNotLocal(url.to_owned());
        row(&LOCAL, Mode::Emulator, &[(name, url)], &[elsewhere]);
    }
    let nowhere = Problem::EndpointNotLocal(String::new());
    row(&LOCAL, Mode::Emulator, &[(name, "(unset)")], &[nowhere]);
    row(
        &LOCAL,
        Mode::Real,
        &[(name, "https://proxy.example.com")],
        &[],
    );
}

#[test]
fn every_problem_is_reported_the_gravest_first() {
    const ALL: Point = Point::result(
        "000/1",
        "one problem at a time costs a person one attempt each; a diagnosis names them together",
        "README.md \"The task\" · workshop hint 000 3",
    );
    let mut models = catalogue();
    for model in &mut models.0 {
        model.eol = Some("2026-01-31".to_owned());
    }
    let id = format!("global.{}", profiled("sonnet"));
    // The same id twice: each problem is reported once all the same.
    let env = env(&[
        ("AWS_REGION", "eu-west-1"),
        ("ANTHROPIC_MODEL", &id),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", &id),
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "no-such-model"),
        ("ANTHROPIC_BEDROCK_BASE_URL", "https://bedrock.example.com"),
    ]);
    let eol = "2026-01-31".to_owned();
    let problems = vec![
        Problem::NotEnabled,
        Problem::NoCredentials,
        Problem::UnknownModel("no-such-model".to_owned()),
        Problem::RetiredModel { id, eol },
        Problem::EndpointNotLocal("https://bedrock.example.com".to_owned()),
    ];
    let found = diagnose(&env, &models, TODAY, Mode::Emulator);
    ALL.equal("an environment with five problems", found, problems);
}

#[test]
fn settings_have_no_problem() {
    const SOUND: Point = Point::result(
        "000/10",
        "two functions that disagree about what is right are how a set-up guide becomes wrong",
        "README.md \"Settings\" · workshop hint 000 3",
    );
    let pins = Pins {
        opus: format!("us.{}", profiled("opus")),
        sonnet: format!("us.{}", profiled("sonnet")),
        haiku: format!("global.{}", profiled("haiku")),
    };
    for (access, mode) in [
        (Access::AwsProfile("workshop".to_owned()), Mode::Real),
        (Access::Emulator { port: 4566 }, Mode::Emulator),
    ] {
        let settings = settings("us-west-2", &access, &pins);
        let block = settings["env"].as_object().cloned().unwrap_or_default();
        let text = |value: Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let env: Env = block
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect();
        let found = diagnose(&env, &catalogue(), TODAY, mode);
        SOUND.equal(
            &format!("settings for {access:?}"),
            found,
            Vec::<Problem>::new(),
        );
    }
}

//! What exercise 005 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your functions returned (RESULT) and at what
//! must not have happened (RESTRAINT). Ids come from the course's catalogue; prices and abilities are
//! the tests' own, so that no answer depends on today's price list.

use std::collections::{BTreeMap, BTreeSet};

use ex005::{
    Caps, Latency, Limits, MicroUsd, Model, Models, NoModel, Price, Reply, RouteError, Task, Tier,
    ask_routed, call_id, choose, cost,
};
use time::{Date, Month};
use workshop_testkit::{Fault, Lab, Piece, Point, Setup, Step, bedrock::types::TokenUsage, within};

const PROMPT: &str = "Sort these tickets by urgency.";
const PLENTY: MicroUsd = MicroUsd(1_000_000_000);

// ---- the models of these tests

fn day(day: u8) -> Date {
    Date::from_calendar_date(2026, Month::November, day).unwrap()
}

/// So many micro-USD for a million tokens; the cache as Claude's price lists have it.
const fn price(input: u64, output: u64) -> Price {
    Price {
        input,
        output,
        cache_write: input * 5 / 4,
        cache_read: input / 10,
    }
}

/// A model that anybody can call from anywhere, for ever.
fn model(id: &str, tier: Tier, price: Price) -> Model {
    Model {
        id: id.to_owned(),
        tier,
        caps: Caps::NONE,
        context: 200_000,
        max_output: 64_000,
        first_token_ms: 500,
        profiles: vec!["global".to_owned()],
        on_demand: false,
        price,
        eol: None,
    }
}

fn models(models: impl IntoIterator<Item = Model>) -> Models {
    let sources = [
        ("us", vec!["us-east-1", "us-west-2"]),
        ("eu", vec!["eu-west-1", "eu-central-1"]),
        ("apac", vec!["ap-south-1", "ap-northeast-1"]),
        ("jp", vec!["ap-northeast-1"]),
    ];
    let owned = |regions: Vec<&str>| regions.into_iter().map(str::to_owned).collect();
    let sources = sources.map(|(prefix, regions)| (prefix.to_owned(), owned(regions)));
    Models {
        models: models.into_iter().collect(),
        sources: BTreeMap::from(sources),
    }
}

/// The lab's three tiers under their real ids. Haiku is cheap, Sonnet reads long texts, Opus thinks.
fn tiers(lab: &Lab) -> Models {
    let tier = |alias: &str, tier, price| {
        let known = lab.model(alias);
        Model {
            caps: Caps::TOOLS | Caps::VISION,
            profiles: known.profiles.clone(),
            on_demand: known.on_demand,
            ..model(&known.id, tier, price)
        }
    };
    let haiku = tier("haiku", Tier::Haiku, price(1_000_000, 5_000_000));
    let sonnet = Model {
        context: 1_000_000,
        first_token_ms: 1_000,
        ..tier("sonnet", Tier::Sonnet, price(3_000_000, 15_000_000))
    };
    let opus = Model {
        caps: Caps::TOOLS | Caps::VISION | Caps::DEEP,
        first_token_ms: 1_700,
        ..tier("opus", Tier::Opus, price(5_000_000, 25_000_000))
    };
    let geographies = lab.catalogue().geographies.iter();
    Models {
        // Not in the order of their prices: a list has no duty to be sorted.
        models: vec![sonnet, opus, haiku],
        sources: geographies
            .map(|g| (g.prefix.clone(), g.sources.clone()))
            .collect(),
    }
}

const fn task(needs: Caps, est_in: u32, est_out: u32) -> Task {
    Task {
        needs,
        est_in,
        est_out,
        latency: Latency::Any,
    }
}

const fn limits(region: &str, ceiling: MicroUsd, today: Date) -> Limits<'_> {
    Limits {
        region,
        ceiling,
        today,
    }
}

fn used(input: i32, output: i32, cache_write: Option<i32>, cache_read: Option<i32>) -> TokenUsage {
    let cached = cache_write.unwrap_or(0) + cache_read.unwrap_or(0);
    let usage = TokenUsage::builder()
        .input_tokens(input)
        .output_tokens(output)
        .set_cache_write_input_tokens(cache_write)
        .set_cache_read_input_tokens(cache_read)
        .total_tokens(input.saturating_add(output).saturating_add(cached));
    usage.build().expect("all that is needed is there")
}

/// The id of the model that was chosen, or why there is none.
fn chosen(found: &Result<&Model, NoModel>) -> String {
    match found {
        Ok(model) => model.id.clone(),
        Err(reason) => format!("{reason:?}"),
    }
}

// ---- one call

/// One call of the function under test.
async fn routed(
    lab: &Lab,
    models: &Models,
    task: &Task,
    ceiling: MicroUsd,
) -> Result<(Reply, MicroUsd), RouteError> {
    const RETURNS: Point = Point::result(
        "005/4",
        "whoever tries one model after the other must come to an end",
        "README.md \"When Bedrock says no\" · workshop hint 005 1",
    );
    let client = lab.client();
    let region = lab.emulator().config().region.clone();
    let limits = limits(&region, ceiling, day(22));
    let call = ask_routed(&client, models, task, &limits, PROMPT);
    within(&RETURNS, "ask_routed(…)", call).await
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(outcome: &Result<(Reply, MicroUsd), RouteError>) -> String {
    match outcome {
        Ok((reply, cost)) => format!("an answer of {} for {cost}", reply.model),
        Err(RouteError::NoModel(reason)) => format!("Err(NoModel({reason:?}))"),
        Err(RouteError::Sdk(error)) => {
            let refusal = error.as_service_error().and_then(|e| e.meta().message());
            format!("Err(Sdk(…)): {}", refusal.unwrap_or("no answer"))
        }
    }
}

/// Whom the requests so far were for, whatever the profile: `haiku`, `sonnet`, `opus` or the id.
fn asked(lab: &Lab) -> Vec<String> {
    let ids = lab.calls().into_iter().map(|call| call.model);
    ids.map(|id| tier_of(lab, &id)).collect()
}

fn tier_of(lab: &Lab, id: &str) -> String {
    let mut tiers = ["haiku", "sonnet", "opus"].into_iter();
    let tier = tiers.find(|tier| id.ends_with(&lab.model(tier).id));
    tier.unwrap_or(id).to_owned()
}

// ---- WIRE: what left the process

#[tokio::test]
async fn each_task_goes_to_the_model_it_needs() {
    const RIGHT_MODEL: Point = Point::wire(
        "005/5",
        "the model is the largest factor of the bill, and it is chosen with every single request",
        "README.md \"Choosing\" · workshop hint 005 1",
    );
    const LIMIT: Point = Point::wire(
        "005/6",
        "an estimate is a wish until the request carries it: then it is the most you can pay",
        "README.md \"Asking\" · workshop hint 005 2",
    );
    const ONE_NODE: Point = Point::wire(
        "005/7",
        "a router that asks two models and takes the better answer is a router that pays twice",
        "README.md \"Asking\" · workshop hint 005 1",
    );
    let lab = Lab::start().await;
    let models = tiers(&lab);
    for (what, task, alias) in [
        (
            "a short question with a tool",
            task(Caps::TOOLS, 800, 60),
            "haiku",
        ),
        (
            "a text of 500,000 tokens",
            task(Caps::NONE, 500_000, 400),
            "sonnet",
        ),
        (
            "a proof that needs deep thought",
            task(Caps::DEEP, 2_000, 900),
            "opus",
        ),
    ] {
        let (before, lit) = (lab.calls().len(), lab.trace().len());
        let outcome = routed(&lab, &models, &task, PLENTY).await;

        let calls = lab.calls().split_off(before);
        RIGHT_MODEL.equal(what, asked(&lab).split_off(before), vec![alias]);
        let max_tokens = calls[0].body_at("/inferenceConfig/maxTokens");
        let max_tokens = max_tokens.and_then(workshop_testkit::Value::as_u64);
        LIMIT.equal(
            "inferenceConfig.maxTokens",
            max_tokens,
            Some(u64::from(task.est_out)),
        );
        let trace = lab.trace().split_off(lit);
        let nodes: BTreeSet<_> = trace.iter().map(|event| event.node.as_str()).collect();
        let tiers = ["HAIKU", "SONNET", "OPUS"];
        let tiers: Vec<_> = tiers.into_iter().filter(|t| nodes.contains(t)).collect();
        let node = lab.model(alias).node.clone().unwrap_or_default();
        ONE_NODE.equal("models that worked", tiers, vec![node.as_str()]);
        let answered = outcome.is_ok();
        ONE_NODE.holds("the outcome", answered, short(&outcome), "an answer");
    }
}

#[tokio::test]
async fn the_profile_is_one_of_the_callers_region() {
    const REGION: Point = Point::wire(
        "005/8",
        "a profile of another geography is no slower way: Bedrock says that there is no such model",
        "README.md \"Calling\" · workshop hint 005 2",
    );
    for region in ["eu-west-1", "us-west-2"] {
        let lab = Lab::with(Setup {
            region: Some(region.to_owned()),
            ..Setup::default()
        })
        .await;
        let models = tiers(&lab);
        let outcome = routed(&lab, &models, &task(Caps::NONE, 100, 50), PLENTY).await;

        let calls = lab.calls();
        let id = calls.first().map_or("", |call| call.model.as_str());
        let prefix = id.split_once('.').map_or("", |(prefix, _)| prefix);
        REGION.holds(
            &format!("id called from {region}"),
            calls.len() == 1 && models.serves(prefix, region),
            id,
            "a profile whose prefix serves the region",
        );
        let answered = outcome.is_ok();
        REGION.holds("the outcome", answered, short(&outcome), "an answer");
    }
}

#[tokio::test]
async fn a_model_that_is_not_to_be_had_is_followed_by_the_next_cheapest() {
    const NEXT: Point = Point::wire(
        "005/9",
        "models end and access is missing; a service that knows a second one has no outage that day",
        "README.md \"When Bedrock says no\" · workshop hint 005 2",
    );
    let ended = "This model version has reached the end of its life. Please refer to the AWS \
                 documentation for more details.";
    for (what, refusal) in [
        ("403, no access to the model", Some(Fault::AccessDenied)),
        (
            "404, the model has ended",
            Some(Fault::ResourceNotFound(ended.to_owned())),
        ),
        ("400, nobody knows the id", None),
    ] {
        let lab = Lab::start().await;
        let mut models = tiers(&lab);
        let wanted = match refusal {
            Some(refusal) => {
                lab.script([Step::Fault(refusal)]);
                ["haiku", "sonnet"]
            }
            // No script: the emulator itself knows no such model.
            None => {
                let unknown = "anthropic.claude-of-next-year";
                let profiles = ["us", "eu", "global"].map(str::to_owned).to_vec();
                models.models.push(Model {
                    profiles,
                    ..model(unknown, Tier::Haiku, price(900, 4_500))
                });
                ["us.anthropic.claude-of-next-year", "haiku"]
            }
        };
        let outcome = routed(&lab, &models, &task(Caps::NONE, 100, 50), PLENTY).await;

        NEXT.equal(
            &format!("asked, after {what}"),
            asked(&lab),
            wanted.to_vec(),
        );
        let answered_by = outcome
            .as_ref()
            .map(|(reply, _)| tier_of(&lab, &reply.model));
        NEXT.holds(
            "the outcome",
            answered_by.is_ok_and(|tier| tier == wanted[1]),
            short(&outcome),
            format!("an answer of {}", wanted[1]),
        );
    }

    let lab = Lab::start().await;
    let gone = Fault::ResourceNotFound(ended.to_owned());
    lab.script([Fault::AccessDenied, Fault::AccessDenied, gone].map(Step::Fault));
    let outcome = routed(&lab, &tiers(&lab), &task(Caps::NONE, 100, 50), PLENTY).await;
    NEXT.equal(
        "asked, when none is to be had",
        asked(&lab),
        vec!["haiku", "sonnet", "opus"],
    );
    let last = matches!(&outcome, Err(RouteError::Sdk(error))
        if error.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()));
    NEXT.holds(
        "the outcome",
        last,
        short(&outcome),
        "Err(Sdk(…)) with the last refusal, the 404",
    );
}

// ---- RESULT: what the functions returned

#[test]
fn a_call_costs_what_its_tokens_cost_rounded_up_once() {
    const PRICE: Point = Point::result(
        "005/1",
        "four kinds of tokens have four prices; who adds up tokens adds up apples and pears",
        "README.md \"Cost\" · workshop hint 005 3",
    );
    const ROUNDING: Point = Point::result(
        "005/10",
        "a sum that is rounded down, or part by part, is never the sum on the bill",
        "README.md \"Cost\" · workshop hint 005 3",
    );
    // (input, output, written to the cache, read from it), by hand at 3, 15, 3.75 and 0.30 USD.
    for (tokens, micro_usd) in [
        ((1_000, 0, None, None), 3_000),
        ((0, 1_000, None, None), 15_000),
        ((0, 0, Some(1_000), None), 3_750),
        ((0, 0, None, Some(1_000)), 300),
        ((11, 7, None, None), 138),
        ((100, 50, Some(0), Some(4_000)), 2_250),
        ((100, 50, Some(4_000), Some(0)), 16_050),
        ((20, 10, Some(400), Some(8_000)), 4_110),
        ((0, 0, None, None), 0),
        ((2_000_000_000, 2_000_000_000, None, None), 36_000_000_000),
    ] {
        let (input, output, write, read) = tokens;
        let dear = model("dear", Tier::Sonnet, price(3_000_000, 15_000_000));
        PRICE.equal(
            &format!("in, out, cache written, cache read = {tokens:?}"),
            cost(&dear, &used(input, output, write, read)),
            MicroUsd(micro_usd),
        );
    }
    // 0.035, 0.14, 0.04375 and 0.0035 USD: a token costs less than a micro-USD.
    for (tokens, micro_usd) in [
        ((1, 0, None, None), 1),
        ((1, 1, Some(1), Some(1)), 1),
        ((10, 10, None, None), 2),
        ((1_000, 7, None, None), 36),
    ] {
        let (input, output, write, read) = tokens;
        let cheap = model("cheap", Tier::Haiku, price(35_000, 140_000));
        ROUNDING.equal(
            &format!("in, out, cache written, cache read = {tokens:?}"),
            cost(&cheap, &used(input, output, write, read)),
            MicroUsd(micro_usd),
        );
    }
}

#[tokio::test]
async fn what_ask_routed_says_it_cost_is_what_is_billed() {
    const BILLED: Point = Point::result(
        "005/11",
        "the estimate was for choosing; what you owe is what the answer's usage says",
        "README.md \"Asking\" · workshop hint 005 2",
    );
    let lab = Lab::start().await;
    // The list's own price, with what the profile of a geography costs on top.
    let known = lab.model("haiku");
    let mut models = tiers(&lab);
    models.models.retain(|model| model.id == known.id);
    let id = call_id(&models, &models.models[0], "us-east-1").unwrap_or_default();
    let surcharge = if id.starts_with("global.") {
        0
    } else {
        known.geo_percent
    };
    let million = |thousand: u32| u64::from(thousand) * 10 * u64::from(100 + surcharge);
    models.models[0].price = Price {
        input: million(known.price.input),
        output: million(known.price.output),
        cache_write: million(known.price.cache_write),
        cache_read: million(known.price.cache_read),
    };
    lab.script([Step::Say(vec![
        Piece::Text("Done.".into()),
        Piece::Usage {
            input: 1_300,
            output: 40,
        },
    ])]);
    let outcome = routed(&lab, &models, &task(Caps::NONE, 2_000, 400), PLENTY).await;

    let bill = lab
        .journal()
        .first()
        .and_then(|entry| entry.cost_micro_usd)
        .map(MicroUsd);
    let said = outcome.as_ref().ok().map(|(_, cost)| *cost);
    BILLED.holds(
        "cost of 1,300 tokens in and 40 out",
        said.is_some() && said == bill,
        short(&outcome),
        format!("{}, as the bill says", bill.unwrap_or_default()),
    );
}

#[test]
fn an_id_is_the_nearest_profile_that_serves_the_region() {
    const PROFILE: Point = Point::result(
        "005/2",
        "a profile decides who may call, which regions may answer, and where your data may go",
        "README.md \"Calling\" · workshop hint 005 2",
    );
    let models = models([]);
    for (profiles, on_demand, region, wanted) in [
        (&["us", "eu"][..], false, "eu-west-1", Some("eu.m")),
        (&["us", "eu"], false, "us-west-2", Some("us.m")),
        (&["global", "us"], false, "us-east-1", Some("us.m")),
        (&["global", "us"], false, "eu-west-1", Some("global.m")),
        (&["apac", "jp"], false, "ap-northeast-1", Some("apac.m")),
        (&["jp", "apac"], false, "ap-northeast-1", Some("jp.m")),
        (&["us"], false, "eu-west-1", None),
        (&["us"], true, "eu-west-1", Some("m")),
        (&["us"], true, "us-east-1", Some("us.m")),
        (&[], true, "sa-east-1", Some("m")),
        (&[], false, "sa-east-1", None),
    ] {
        let model = Model {
            profiles: profiles.iter().map(|p| (*p).to_owned()).collect(),
            on_demand,
            ..model("m", Tier::Haiku, price(1, 1))
        };
        let own = if on_demand { " and on demand" } else { "" };
        PROFILE.equal(
            &format!("profiles {profiles:?}{own}, from {region}"),
            call_id(&models, &model, region).as_deref(),
            wanted,
        );
    }
}

#[test]
fn a_long_answer_decides_which_model_is_cheap() {
    const OUTPUT: Point = Point::result(
        "005/12",
        "an output token costs several input tokens: for most tasks the answer is the bill",
        "README.md \"Choosing\" · workshop hint 005 3",
    );
    let models = models([
        model("cheap-to-ask", Tier::Haiku, price(200_000, 9_000_000)),
        model("cheap-to-answer", Tier::Sonnet, price(900_000, 3_000_000)),
    ]);
    let limits = limits("us-east-1", PLENTY, day(22));
    for (est_in, est_out, wanted) in [
        (1_000, 4_000, "cheap-to-answer"),
        (40_000, 400, "cheap-to-ask"),
    ] {
        let found = choose(&models, &task(Caps::NONE, est_in, est_out), &limits);
        let what = format!("{est_in} tokens in, {est_out} out");
        OUTPUT.equal(&what, chosen(&found).as_str(), wanted);
    }
}

#[test]
fn a_model_no_longer_answers_on_its_last_day() {
    const LAST_DAY: Point = Point::result(
        "005/13",
        "the announced day is the first without an answer; a service that is a day late is down",
        "README.md \"Choosing\" · workshop hint 005 1",
    );
    let mut old = model("old", Tier::Haiku, price(1_000_000, 5_000_000));
    old.eol = Some(day(22));
    let models = models([old, model("new", Tier::Haiku, price(2_000_000, 10_000_000))]);
    for (today, wanted) in [(21, "old"), (22, "new"), (23, "new")] {
        let limits = limits("us-east-1", PLENTY, day(today));
        let found = choose(&models, &task(Caps::NONE, 100, 100), &limits);
        let what = format!("on November {today}, \"old\" ends on the 22nd");
        LAST_DAY.equal(&what, chosen(&found).as_str(), wanted);
    }
}

#[test]
fn it_says_why_there_is_no_model() {
    const REASON: Point = Point::result(
        "005/14",
        "\"no model\" sends people searching in four places; the reason sends them to the right one",
        "README.md \"Choosing\" · workshop hint 005 1",
    );
    let able = |caps, eol: Option<u8>, profile: &str, price| Model {
        caps,
        eol: eol.map(day),
        profiles: vec![profile.to_owned()],
        ..model("m", Tier::Haiku, price)
    };
    let cheap = price(1_000_000, 2_000_000);
    let dear = price(2_000_000, 4_000_000);
    let tools = task(Caps::TOOLS, 1_000, 1_000);
    let (long, wordy, hasty) = (
        task(Caps::TOOLS, 150_000, 50_001),
        task(Caps::TOOLS, 1_000, 64_001),
        Task {
            latency: Latency::FirstTokenWithin(499),
            ..tools
        },
    );
    let one = || vec![able(Caps::TOOLS, None, "us", cheap)];
    let unable = able(Caps::VISION | Caps::DEEP, None, "us", cheap);
    let retired = able(Caps::TOOLS, Some(1), "us", cheap);
    let elsewhere = able(Caps::TOOLS, None, "eu", cheap);
    let over = |cheapest| NoModel::OverCeiling {
        cheapest: MicroUsd(cheapest),
    };
    for (what, models_left, task, ceiling, wanted) in [
        (
            "an empty list",
            vec![],
            tools,
            9_000,
            NoModel::NothingCapable,
        ),
        (
            "no model with tools",
            vec![unable.clone()],
            tools,
            9_000,
            NoModel::NothingCapable,
        ),
        (
            "question and answer too long together",
            one(),
            long,
            PLENTY.0,
            NoModel::NothingCapable,
        ),
        (
            "the answer too long",
            one(),
            wordy,
            PLENTY.0,
            NoModel::NothingCapable,
        ),
        (
            "the first token too late",
            one(),
            hasty,
            9_000,
            NoModel::NothingCapable,
        ),
        (
            "all ended",
            vec![retired.clone(), unable.clone()],
            tools,
            9_000,
            NoModel::AllRetired,
        ),
        (
            "ended, and of another region",
            vec![Model {
                eol: Some(day(1)),
                ..elsewhere.clone()
            }],
            tools,
            9_000,
            NoModel::AllRetired,
        ),
        (
            "the living ones elsewhere",
            vec![elsewhere.clone(), retired.clone()],
            tools,
            9_000,
            NoModel::NotInRegion,
        ),
        (
            "elsewhere, and too dear",
            vec![elsewhere.clone()],
            tools,
            1,
            NoModel::NotInRegion,
        ),
        (
            "too dear",
            vec![
                able(Caps::TOOLS, None, "us", dear),
                one().remove(0),
                elsewhere,
            ],
            tools,
            2_999,
            over(3_000),
        ),
        (
            "too dear, and a cheaper one that has ended",
            vec![able(Caps::TOOLS, None, "us", dear), retired],
            tools,
            5_999,
            over(6_000),
        ),
    ] {
        let models = models(models_left);
        let limits = limits("us-east-1", MicroUsd(ceiling), day(22));
        let found = choose(&models, &task, &limits);
        REASON.equal(what, chosen(&found), format!("{wanted:?}"));
    }
    let models = models(one());
    let found = choose(
        &models,
        &tools,
        &limits("us-east-1", MicroUsd(3_000), day(22)),
    );
    REASON.equal("exactly the ceiling", chosen(&found).as_str(), "m");
}

/// Random numbers that are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn small(&mut self, bound: u32) -> u32 {
        u32::try_from(self.below(u64::from(bound))).expect("below a u32")
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn caps(&mut self, one_in: u64) -> Caps {
        let all = [Caps::TOOLS, Caps::VISION, Caps::DEEP];
        let some = all.into_iter().filter(|_| self.one_in(one_in));
        some.fold(Caps::NONE, |caps, one| caps | one)
    }

    /// Few different prices, so that some models cost the same.
    fn model(&mut self, number: usize) -> Model {
        let tiers = [Tier::Haiku, Tier::Sonnet, Tier::Opus];
        let tier = tiers[usize::try_from(self.below(3)).expect("below 3")];
        let input = 100_000 * (1 + self.below(20));
        let output = 500_000 * (1 + self.below(20));
        let prefixes = ["us", "eu", "apac", "jp", "global"];
        let profiles = prefixes.into_iter().filter(|_| self.one_in(2));
        Model {
            profiles: profiles.map(str::to_owned).collect(),
            caps: self.caps(2) | self.caps(2),
            context: 10_000 * (1 + self.small(20)),
            max_output: 1_000 * (1 + self.small(32)),
            first_token_ms: 100 * (1 + self.small(20)),
            on_demand: self.one_in(4),
            eol: self
                .one_in(2)
                .then(|| day(15 + u8::try_from(self.below(14)).expect("below 14"))),
            ..model(&format!("model-{number}"), tier, price(input, output))
        }
    }
}

/// What is against a model, one look at each; an empty text: nothing.
fn objection(models: &Models, model: &Model, task: &Task, limits: &Limits<'_>) -> &'static str {
    let late = |most| model.first_token_ms > most;
    let too_late = matches!(task.latency, Latency::FirstTokenWithin(most) if late(most));
    let reached = model
        .profiles
        .iter()
        .any(|p| models.serves(p, limits.region));
    if !model.caps.contains(task.needs) {
        "it cannot do the task"
    } else if task.est_in + task.est_out > model.context || task.est_out > model.max_output {
        "the task is too long for it"
    } else if too_late {
        "its first token comes too late"
    } else if model.eol.is_some_and(|eol| eol <= limits.today) {
        "it has ended"
    } else if !reached && !model.on_demand {
        "it cannot be called from there"
    } else {
        ""
    }
}

#[test]
fn on_300_random_catalogues_the_choice_is_the_best() {
    const BEST: Point = Point::result(
        "005/3",
        "lists change every month; a choice that was right by luck is wrong after the next change",
        "README.md \"Choosing\" · workshop hint 005 3",
    );
    for seed in 0..300 {
        let mut random = Random(seed);
        let count = 1 + usize::try_from(random.below(12)).expect("below 12");
        let models = models((0..count).map(|number| random.model(number)));
        // Thousands of tokens at whole prices: how an estimate is rounded is not the question here.
        let task = Task {
            needs: random.caps(4),
            est_in: 1_000 * (1 + random.small(60)),
            est_out: 1_000 * (1 + random.small(12)),
            latency: if random.one_in(2) {
                Latency::Any
            } else {
                Latency::FirstTokenWithin(100 * (1 + random.small(30)))
            },
        };
        let regions = ["us-east-1", "eu-central-1", "ap-northeast-1", "sa-east-1"];
        let region = regions[usize::try_from(random.below(4)).expect("below 4")];
        let limits = limits(region, MicroUsd(1_000 * random.below(200)), day(22));

        // Brute force: every model, one after the other.
        let estimate = |model: &Model| {
            let (est_in, est_out) = (u64::from(task.est_in), u64::from(task.est_out));
            (est_in * model.price.input + est_out * model.price.output) / 1_000_000
        };
        let mut best: Option<&Model> = None;
        for model in &models.models {
            let key = |m: &Model| (estimate(m), m.tier);
            if objection(&models, model, &task, &limits).is_empty()
                && estimate(model) <= limits.ceiling.0
                && best.is_none_or(|best| key(model) < key(best))
            {
                best = Some(model);
            }
        }

        let found = choose(&models, &task, &limits);
        let about = |model: &Model| {
            let about = (model.id.as_str(), model.tier, estimate(model));
            format!("{about:?} {}", objection(&models, model, &task, &limits))
        };
        BEST.holds(
            &format!("seed {seed}: {count} models, (id, tier, estimate)"),
            found.ok() == best,
            found
                .as_ref()
                .map_or_else(|reason| format!("{reason:?}"), |model| about(model)),
            best.map_or_else(|| "no model".to_owned(), about),
        );
    }
    for (tiers, wanted) in [
        ([Tier::Opus, Tier::Haiku, Tier::Sonnet], "1"),
        ([Tier::Sonnet, Tier::Sonnet, Tier::Opus], "0"),
    ] {
        let same = tiers.into_iter().enumerate();
        let same = same.map(|(n, tier)| model(&n.to_string(), tier, price(1_000_000, 5_000_000)));
        let models = models(same);
        let limits = limits("us-east-1", PLENTY, day(22));
        let found = choose(&models, &task(Caps::NONE, 1_000, 1_000), &limits);
        let what = format!("place in a list of equally cheap models, {tiers:?}");
        BEST.equal(&what, chosen(&found), wanted.to_owned());
    }
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn no_model_means_no_request() {
    const NO_CALL: Point = Point::restraint(
        "005/15",
        "a ceiling that is checked after the call is a report, not a ceiling",
        "README.md \"Asking\" · workshop hint 005 1",
    );
    let lab = Lab::start().await;
    let models = tiers(&lab);
    // 1,005 micro-USD for the cheapest of the three.
    let task = task(Caps::NONE, 1_000, 1);
    let outcome = routed(&lab, &models, &task, MicroUsd(900)).await;

    NO_CALL.equal("asked", asked(&lab), Vec::<String>::new());
    let over = NoModel::OverCeiling {
        cheapest: MicroUsd(1_005),
    };
    let refused = matches!(
        outcome,
        Err(RouteError::NoModel(NoModel::OverCeiling { .. }))
    );
    let wanted = format!("Err(NoModel({over:?}))");
    NO_CALL.holds("the outcome", refused, short(&outcome), wanted);
}

#[tokio::test]
async fn other_failures_are_not_paid_again_elsewhere() {
    const ONE_CALL: Point = Point::restraint(
        "005/16",
        "a request that is wrong is wrong for all models, and a busy minute is no reason to pay more",
        "README.md \"When Bedrock says no\" · workshop hint 005 1",
    );
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    for (what, fault) in [
        ("too many requests", throttled),
        (
            "a request that is wrong",
            Fault::Validation("The text field in the ContentBlock object is blank.".to_owned()),
        ),
        ("Bedrock is unavailable", Fault::ServiceUnavailable),
        ("the model failed", Fault::ModelError),
    ] {
        let lab = Lab::start().await;
        lab.script(vec![Step::Fault(fault); 5]);
        let models = tiers(&lab);
        let outcome = routed(&lab, &models, &task(Caps::NONE, 100, 50), PLENTY).await;

        ONE_CALL.equal(&format!("requests after: {what}"), asked(&lab).len(), 1);
        let handed_on = matches!(outcome, Err(RouteError::Sdk(_)));
        ONE_CALL.holds("the outcome", handed_on, short(&outcome), "Err(Sdk(…))");
    }
}

#[tokio::test]
async fn falling_back_ends_and_stays_under_the_ceiling() {
    const EACH_ONCE: Point = Point::restraint(
        "005/17",
        "a model that refuses you refuses you again, and the day it does must not cost five times more",
        "README.md \"When Bedrock says no\" · workshop hint 005 3",
    );
    let lab = Lab::start().await;
    lab.script(vec![Step::Fault(Fault::AccessDenied); 9]);
    let models = tiers(&lab);
    // Haiku 1,005, Sonnet 3,015, Opus 5,025 micro-USD.
    let task = task(Caps::NONE, 1_000, 1);
    let outcome = routed(&lab, &models, &task, MicroUsd(4_000)).await;

    let asked = asked(&lab);
    let once: BTreeSet<_> = asked.iter().collect();
    EACH_ONCE.holds(
        "asked, with a ceiling between Sonnet and Opus",
        once.len() == asked.len() && !asked.contains(&"opus".to_owned()),
        asked.join(", "),
        "haiku, sonnet",
    );
    let handed_on = matches!(outcome, Err(RouteError::Sdk(_)));
    EACH_ONCE.holds("the outcome", handed_on, short(&outcome), "Err(Sdk(…))");
}

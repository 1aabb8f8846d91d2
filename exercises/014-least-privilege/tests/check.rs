//! What exercise 014 asks for. Read it: these tests are the exact form of the task.
//!
//! They attach your policies to roles and send requests signed as these roles. What IAM allows has to be
//! answered by Bedrock (WIRE); what it does not allow has to end with 403 (RESTRAINT). The audit is called
//! as a function (RESULT). The rows have the numbers of README.md.

use aws_sdk_bedrockruntime::{
    Client,
    config::Region,
    primitives::Blob,
    types::{
        ContentBlock, ConversationRole, ConverseTokensRequest, CountTokensInput,
        GuardrailConfiguration, Message,
    },
};
use ex014::{Account, Finding, Guardrail, Problem, Profile, app_policy, audit, claude_code_policy};
use workshop_testkit::{Actor, Call, Decision, Hop, Lab, Point, Value, json, within};

/// The roles that your policies are attached to.
static APP: Actor = Actor {
    node: "APP",
    edges: &[],
};
static CLAUDE_CODE: Actor = Actor {
    node: "CLAUDE-CODE",
    edges: &[],
};

const GUARDRAIL: &str = "own0guardrail";
const STRANGER: &str = "111122223333";

/// A lab with an account, and a client for one of its roles.
struct Bench {
    lab: Lab,
    account: Account,
    client: Client,
}

/// What a row of the table sends.
enum Request<'r> {
    Converse(&'r str),
    ConverseWith(&'r str, &'r str, &'r str),
    ConverseStream(&'r str),
    InvokeModel(&'r str),
    InvokeModelWith(&'r str, &'r str, &'r str),
    InvokeModelWithResponseStream(&'r str),
    CountTokens(&'r str),
    /// Of the control plane: method, path and body.
    Control(&'static str, &'static str, Value),
}

fn profile(lab: &Lab, tier: &str) -> Profile {
    let (models, id) = (lab.catalogue(), lab.profile(tier));
    let model = lab.model(tier).id.clone();
    let prefix = id.strip_suffix(&format!(".{model}")).unwrap_or_default();
    let arns = models.model_arns(&model, prefix, "us-east-1").into_iter();
    let regions = arns.filter_map(|arn| arn.split(':').nth(3).map(str::to_owned));
    let regions = regions.collect();
    Profile { id, model, regions }
}

impl Bench {
    /// The app's role with your policy, in an account without a guardrail.
    async fn of_the_app(point: &Point) -> Self {
        Self::open(point, &APP, None, |account| vec![app_policy(account)]).await
    }

    /// The same in an account with one, and whatever else is attached.
    async fn of_the_guarded_app(point: &Point, more: Vec<Value>) -> Self {
        let attached = |account: &Account| [vec![app_policy(account)], more].concat();
        Self::open(point, &APP, Some(GUARDRAIL), attached).await
    }

    /// Claude Code's role with your policy.
    async fn of_claude_code(point: &Point) -> Self {
        let attached = |account: &Account| vec![claude_code_policy(account)];
        Self::open(point, &CLAUDE_CODE, None, attached).await
    }

    async fn open(
        point: &Point,
        who: &'static Actor,
        guardrail: Option<&str>,
        attached: impl FnOnce(&Account) -> Vec<Value>,
    ) -> Self {
        let lab = Lab::start().await;
        let guardrail = guardrail.map(|id| new_guardrail(&lab, id));
        let account = Account {
            id: lab.observer().whoami().account,
            region: "us-east-1".to_owned(),
            app_model: profile(&lab, "haiku"),
            claude_code_models: vec![profile(&lab, "sonnet"), profile(&lab, "haiku")],
            guardrail,
        };
        let name = who.node.to_lowercase();
        if let Err(refused) = lab.role(&name, attached(&account)) {
            point.fail("the policy", refused, "a document that IAM takes");
        }
        let client = lab.client_at(who);
        Self {
            lab,
            account,
            client,
        }
    }

    /// The profile's ARN in that account.
    fn profile_arn(&self, account: &str) -> String {
        let profile = &self.account.app_model.id;
        format!("arn:aws:bedrock:us-east-1:{account}:inference-profile/{profile}")
    }

    /// Id and version of the account's guardrail.
    fn guardrail(&self) -> (&str, &str) {
        let guardrail = self.account.guardrail.as_ref();
        guardrail.map_or(("", ""), |g| (g.id.as_str(), g.version.as_str()))
    }

    /// One request as the role, and what became of it.
    async fn ask(&self, point: &Point, request: Request<'_>) -> Call {
        within(point, "a request", send(&self.client, request)).await;
        self.seen(point)
    }

    /// The same by a client that is made for another region.
    async fn ask_in(&self, point: &Point, region: &'static str, request: Request<'_>) -> Call {
        let config = self.client.config().to_builder();
        let elsewhere = Client::from_conf(config.region(Region::new(region)).build());
        within(point, "a request", send(&elsewhere, request)).await;
        self.seen(point)
    }

    /// The last request; how IAM ended it lights the diagram.
    fn seen(&self, point: &Point) -> Call {
        let Some(call) = self.lab.calls().pop() else {
            point.fail("requests", "none", "one");
        };
        let to = match call.access.as_ref().map(|access| access.decision) {
            Some(Decision::ExplicitDeny) => "EXPLICIT",
            Some(Decision::ImplicitDeny) => "IMPLICIT",
            _ => return call,
        };
        self.lab.saw(Hop {
            from: "POLICY",
            to,
            what: &call.operation,
            status: call.status,
            request_id: &call.request_id,
        });
        call
    }
}

/// A guardrail of the lab's account with a first version.
fn new_guardrail(lab: &Lab, id: &str) -> Guardrail {
    let definition = json!({
        "name": id,
        "blockedInputMessaging": "Not this.",
        "blockedOutputsMessaging": "Not that.",
        "wordPolicyConfig": { "wordsConfig": [{ "text": "xyzzy" }] },
    });
    lab.add_guardrail(id, &definition);
    Guardrail {
        id: id.to_owned(),
        version: "1".to_owned(),
    }
}

fn question() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Name a river.".into()))
        .build()
        .expect("a role and a text")
}

fn messages_body() -> Blob {
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 32,
        "messages": [{ "role": "user", "content": "Name a river." }],
    });
    Blob::new(body.to_string())
}

/// Sends it; the lab knows what was answered.
async fn send(client: &Client, request: Request<'_>) {
    match request {
        Request::Converse(model) => {
            let call = client.converse().model_id(model);
            let _ = call.messages(question()).send().await;
        }
        Request::ConverseWith(model, guardrail, version) => {
            let config = GuardrailConfiguration::builder()
                .guardrail_identifier(guardrail)
                .guardrail_version(version)
                .build();
            let call = client.converse().model_id(model).guardrail_config(config);
            let _ = call.messages(question()).send().await;
        }
        Request::ConverseStream(model) => {
            let call = client.converse_stream().model_id(model);
            let _ = call.messages(question()).send().await;
        }
        Request::InvokeModel(model) => {
            let call = client.invoke_model().model_id(model);
            let _ = call.body(messages_body()).send().await;
        }
        Request::InvokeModelWith(model, guardrail, version) => {
            let call = client.invoke_model().model_id(model);
            let call = call
                .guardrail_identifier(guardrail)
                .guardrail_version(version);
            let _ = call.body(messages_body()).send().await;
        }
        Request::InvokeModelWithResponseStream(model) => {
            let call = client.invoke_model_with_response_stream().model_id(model);
            let _ = call.body(messages_body()).send().await;
        }
        Request::CountTokens(model) => {
            let question = ConverseTokensRequest::builder()
                .messages(question())
                .build();
            let call = client.count_tokens().model_id(model);
            let input = CountTokensInput::Converse(question);
            let _ = call.input(input).send().await;
        }
        Request::Control(method, path, body) => {
            control(client, method, path, body).await;
        }
    }
}

/// A request of Bedrock's control plane, which has an SDK of its own: any operation of this one, signed
/// for the same service, with another method, path and body.
async fn control(client: &Client, method: &'static str, path: &'static str, body: Value) {
    let call = client.list_async_invokes().customize();
    let call = call.mutate_request(move |request| {
        let uri = request.uri().split("/async-invoke").next();
        let uri = format!("{}{path}", uri.unwrap_or_default());
        request.set_uri(uri).expect("a path is a URI");
        request.set_method(method).expect("a method");
        if body != Value::Null {
            *request.body_mut() = body.to_string().into();
        }
    });
    // The answer does not have the form that the SDK expects; the lab has seen it.
    let _ = call.send().await;
}

#[track_caller]
fn allowed(point: &Point, row: &str, call: &Call) {
    point.holds(row, call.status == 200, call.verdict(), "200");
}

#[track_caller]
fn denied(point: &Point, row: &str, call: &Call) {
    let denied = call.status == 403 && call.error.as_deref() == Some("AccessDeniedException");
    point.holds(row, denied, call.verdict(), "403, denied by IAM");
}

// ---- the app

#[tokio::test]
async fn the_app_asks_through_its_profile() {
    const ASKS: Point = Point::wire(
        "014/4",
        "one call is asked about once for the profile and once for the model in every region behind it",
        "README.md \"The app\" · workshop hint 014 1",
    );
    let bench = Bench::of_the_app(&ASKS).await;
    let id = &bench.account.app_model.id;
    let call = bench.ask(&ASKS, Request::Converse(id)).await;
    allowed(&ASKS, "row 1, Converse through the profile", &call);
    let call = bench.ask(&ASKS, Request::InvokeModel(id)).await;
    allowed(&ASKS, "row 2, InvokeModel through the profile", &call);
    let arn = bench.profile_arn(&bench.account.id);
    let call = bench.ask(&ASKS, Request::Converse(&arn)).await;
    allowed(&ASKS, "row 3, Converse with the profile's ARN", &call);
}

#[tokio::test]
async fn the_app_counts_tokens() {
    const COUNTS: Point = Point::wire(
        "014/5",
        "counting has an action of its own, and is asked of the model, not of a profile",
        "README.md \"The app\" · workshop hint 014 2",
    );
    let bench = Bench::of_the_app(&COUNTS).await;
    let model = &bench.account.app_model.model;
    let call = bench.ask(&COUNTS, Request::CountTokens(model)).await;
    allowed(&COUNTS, "row 4, CountTokens", &call);
}

#[tokio::test]
async fn what_the_app_does_not_do_it_may_not_do() {
    const STREAMS: Point = Point::restraint(
        "014/6",
        "what the app does not do, only somebody with its stolen credentials would do",
        "README.md \"The app\" · workshop hint 014 2",
    );
    let bench = Bench::of_the_app(&STREAMS).await;
    let id = &bench.account.app_model.id;
    let call = bench.ask(&STREAMS, Request::ConverseStream(id)).await;
    denied(&STREAMS, "row 5, ConverseStream", &call);
    let stream = Request::InvokeModelWithResponseStream(id);
    let call = bench.ask(&STREAMS, stream).await;
    denied(&STREAMS, "row 6, InvokeModelWithResponseStream", &call);
}

#[tokio::test]
async fn the_model_itself_is_closed() {
    const PAST: Point = Point::restraint(
        "014/7",
        "past the profile there is no tag, no metric of its own and no choice of regions",
        "README.md \"The app\" · workshop hint 014 1",
    );
    let bench = Bench::of_the_app(&PAST).await;
    let model = &bench.account.app_model.model;
    let call = bench.ask(&PAST, Request::InvokeModel(model)).await;
    denied(&PAST, "row 7, InvokeModel on the model itself", &call);
}

#[tokio::test]
async fn other_ways_to_the_same_model_are_closed() {
    const ELSEWHERE: Point = Point::restraint(
        "014/8",
        "each of these answers from places, or on a bill, that nobody has agreed to",
        "README.md \"The app\" · workshop hint 014 2",
    );
    let bench = Bench::of_the_app(&ELSEWHERE).await;
    let Profile { id, model, .. } = &bench.account.app_model;
    let elsewhere = Request::Converse(id);
    let call = bench.ask_in(&ELSEWHERE, "us-west-2", elsewhere).await;
    denied(&ELSEWHERE, "row 8, the profile in another region", &call);
    let global = format!("global.{model}");
    let call = bench.ask(&ELSEWHERE, Request::Converse(&global)).await;
    denied(&ELSEWHERE, "row 9, the global profile of the model", &call);
    let theirs = bench.profile_arn(STRANGER);
    let call = bench.ask(&ELSEWHERE, Request::Converse(&theirs)).await;
    denied(&ELSEWHERE, "row 10, another account's profile", &call);
}

#[tokio::test]
async fn other_models_are_closed() {
    const OTHERS: Point = Point::restraint(
        "014/9",
        "the dearest model costs many times the app's; a typo in a setting must not find that out",
        "README.md \"The app\" · workshop hint 014 2",
    );
    let bench = Bench::of_the_app(&OTHERS).await;
    let opus = bench.lab.profile("opus");
    let call = bench.ask(&OTHERS, Request::Converse(&opus)).await;
    denied(&OTHERS, "row 11, Converse with another model", &call);
    let opus = &bench.lab.model("opus").id;
    let call = bench.ask(&OTHERS, Request::CountTokens(opus)).await;
    denied(&OTHERS, "row 12, CountTokens of another model", &call);
}

#[tokio::test]
async fn an_app_changes_nothing() {
    const CHANGES: Point = Point::restraint(
        "014/10",
        "who may switch the log off is in no log; who may make profiles chooses their own limits",
        "README.md \"The app\" · workshop hint 014 2",
    );
    let bench = Bench::of_the_app(&CHANGES).await;
    let source = bench.profile_arn(&bench.account.id);
    let body = json!({
        "inferenceProfileName": "mine", "modelSource": { "copyFrom": source },
    });
    let call = Request::Control("POST", "/inference-profiles", body);
    let call = bench.ask(&CHANGES, call).await;
    denied(&CHANGES, "row 13, CreateInferenceProfile", &call);
    let call = Request::Control("DELETE", "/logging/modelinvocations", Value::Null);
    let call = bench.ask(&CHANGES, call).await;
    let row = "row 14, DeleteModelInvocationLoggingConfiguration";
    denied(&CHANGES, row, &call);
}

// ---- the app in an account with a guardrail

#[tokio::test]
async fn with_its_guardrail_the_app_asks() {
    const GUARDED: Point = Point::wire(
        "014/11",
        "naming a guardrail is a permission of its own, on the guardrail",
        "README.md \"The guardrail\" · workshop hint 014 2",
    );
    let bench = Bench::of_the_guarded_app(&GUARDED, vec![]).await;
    let (id, (guardrail, version)) = (&bench.account.app_model.id, bench.guardrail());
    let call = Request::ConverseWith(id, guardrail, version);
    let call = bench.ask(&GUARDED, call).await;
    allowed(&GUARDED, "row 15, Converse with the guardrail", &call);
    let call = Request::InvokeModelWith(id, guardrail, version);
    let call = bench.ask(&GUARDED, call).await;
    allowed(&GUARDED, "row 16, InvokeModel with the guardrail", &call);
}

#[tokio::test]
async fn counting_takes_no_guardrail() {
    const COUNTS: Point = Point::wire(
        "014/12",
        "a denial of more than it is about breaks what was never dangerous",
        "README.md \"The guardrail\" · workshop hint 014 3",
    );
    let bench = Bench::of_the_guarded_app(&COUNTS, vec![]).await;
    let model = &bench.account.app_model.model;
    let call = bench.ask(&COUNTS, Request::CountTokens(model)).await;
    allowed(&COUNTS, "row 17, CountTokens", &call);
}

#[tokio::test]
async fn without_the_guardrail_the_app_asks_nothing() {
    const BARE: Point = Point::restraint(
        "014/13",
        "a guardrail that the caller may leave out is a suggestion",
        "README.md \"The guardrail\" · workshop hint 014 1",
    );
    let bench = Bench::of_the_guarded_app(&BARE, vec![]).await;
    let id = &bench.account.app_model.id;
    let call = bench.ask(&BARE, Request::Converse(id)).await;
    denied(&BARE, "row 18, Converse without a guardrail", &call);
}

#[tokio::test]
async fn another_guardrail_is_none() {
    const OTHER: Point = Point::restraint(
        "014/14",
        "a draft changes while you look at it, and anybody can make a guardrail that lets all pass",
        "README.md \"The guardrail\" · workshop hint 014 2",
    );
    // Both may be named by somebody: the rows are about which one is enough.
    let more = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": "*",
        }],
    });
    let bench = Bench::of_the_guarded_app(&OTHER, vec![more]).await;
    let (id, (guardrail, _)) = (&bench.account.app_model.id, bench.guardrail());
    let call = Request::ConverseWith(id, guardrail, "DRAFT");
    let call = bench.ask(&OTHER, call).await;
    denied(&OTHER, "row 19, Converse with its draft", &call);
    let other = new_guardrail(&bench.lab, "other0guardrail");
    let call = Request::ConverseWith(id, &other.id, &other.version);
    let call = bench.ask(&OTHER, call).await;
    denied(&OTHER, "row 20, Converse with another guardrail", &call);
}

#[tokio::test]
async fn no_other_policy_takes_the_guardrail_away() {
    const AGAIN: Point = Point::restraint(
        "014/15",
        "a missing permission lasts until somebody attaches a wider policy; a denial outlasts it",
        "README.md \"The guardrail\" · workshop hint 014 1",
    );
    let everything = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "bedrock:*", "Resource": "*" }],
    });
    let bench = Bench::of_the_guarded_app(&AGAIN, vec![everything]).await;
    let id = &bench.account.app_model.id;
    let call = bench.ask(&AGAIN, Request::InvokeModel(id)).await;
    let row = "row 21, InvokeModel without it, beside a policy that allows all";
    denied(&AGAIN, row, &call);
    let call = bench.ask(&AGAIN, Request::ConverseStream(id)).await;
    denied(&AGAIN, "row 21, the same as a stream", &call);
    let opus = bench.lab.profile("opus");
    let call = bench.ask(&AGAIN, Request::Converse(&opus)).await;
    denied(&AGAIN, "row 21, the same with another model", &call);
}

// ---- Claude Code

#[tokio::test]
async fn claude_code_streams_from_its_models() {
    const STREAMS: Point = Point::wire(
        "014/16",
        "Claude Code shows text as it arrives; without the streaming action it answers nothing",
        "README.md \"Claude Code\" · workshop hint 014 2",
    );
    let bench = Bench::of_claude_code(&STREAMS).await;
    let [large, small] = &bench.account.claude_code_models[..] else {
        unreachable!("the bench pins two models");
    };
    let call = Request::InvokeModelWithResponseStream(&large.id);
    let call = bench.ask(&STREAMS, call).await;
    let row = "row 22, InvokeModelWithResponseStream, the large model";
    allowed(&STREAMS, row, &call);
    let call = bench.ask(&STREAMS, Request::InvokeModel(&small.id)).await;
    allowed(&STREAMS, "row 23, InvokeModel, the small model", &call);
}

#[tokio::test]
async fn claude_code_counts_and_lists() {
    const LISTS: Point = Point::wire(
        "014/17",
        "a list is of everything: IAM knows no resource for it but a star",
        "README.md \"Claude Code\" · workshop hint 014 2",
    );
    let bench = Bench::of_claude_code(&LISTS).await;
    let large = &bench.account.claude_code_models[0];
    let call = bench.ask(&LISTS, Request::CountTokens(&large.model)).await;
    allowed(&LISTS, "row 24, CountTokens, the large model", &call);
    let call = Request::Control("GET", "/inference-profiles", Value::Null);
    let call = bench.ask(&LISTS, call).await;
    allowed(&LISTS, "row 25, ListInferenceProfiles", &call);
}

#[tokio::test]
async fn claude_code_keeps_to_its_models() {
    const PINNED: Point = Point::restraint(
        "014/18",
        "developers change settings; the policy is what a setting cannot change",
        "README.md \"Claude Code\" · workshop hint 014 1",
    );
    let bench = Bench::of_claude_code(&PINNED).await;
    let opus = bench.lab.profile("opus");
    let call = Request::InvokeModelWithResponseStream(&opus);
    let call = bench.ask(&PINNED, call).await;
    denied(&PINNED, "row 26, a model that is not pinned", &call);
    let large = &bench.account.claude_code_models[0].model;
    let call = Request::InvokeModelWithResponseStream(large);
    let call = bench.ask(&PINNED, call).await;
    denied(&PINNED, "row 27, the large model itself", &call);
    let body = json!({ "loggingConfig": {} });
    let call = Request::Control("PUT", "/logging/modelinvocations", body);
    let call = bench.ask(&PINNED, call).await;
    let row = "row 28, PutModelInvocationLoggingConfiguration";
    denied(&PINNED, row, &call);
}

// ---- other people's policies

/// The findings in a policy with that statement, in place of the second.
fn problems(statement: &Value) -> Vec<Problem> {
    let harmless = json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [harmless, statement] });
    let findings = audit(&policy).into_iter();
    let problem = |Finding { statement, problem }| (statement == 1).then_some(problem);
    findings.filter_map(problem).collect()
}

#[track_caller]
fn finds(point: &Point, statement: &Value, wanted: &[Problem]) {
    point.equal(&statement.to_string(), problems(statement), wanted);
}

/// Allows that action on that resource.
fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    let (action, resource) = (action.into(), resource.into());
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

#[test]
fn what_allows_too_much_is_found() {
    const WIDE: Point = Point::result(
        "014/19",
        "a star also stands for the actions and models of next year",
        "README.md \"The audit\" · workshop hint 014 3",
    );
    use Problem::{EveryAction, EveryResource, PastTheProfile};
    let profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b";
    let model = "arn:aws:bedrock:us-east-1::foundation-model/a.b";
    // What workshops hand out.
    finds(
        &WIDE,
        &allow("bedrock:*", "*"),
        &[EveryAction, EveryResource],
    );
    finds(&WIDE, &allow("*", "*"), &[EveryAction, EveryResource]);
    // What documentation shows.
    let shown = [
        "arn:aws:bedrock:*::foundation-model/*",
        "arn:aws:bedrock:*:*:inference-profile/*",
    ];
    let wanted = [EveryAction, EveryResource, PastTheProfile];
    finds(
        &WIDE,
        &allow(["bedrock:InvokeModel*"].to_vec(), shown.to_vec()),
        &wanted,
    );
    finds(
        &WIDE,
        &allow("Bedrock:Create?uardrail", profile),
        &[EveryAction],
    );
    finds(&WIDE, &allow("bedrock:InvokeModel", "*"), &[EveryResource]);
    finds(
        &WIDE,
        &allow("bedrock:CountTokens", format!("{model}*")),
        &[EveryResource],
    );
    finds(
        &WIDE,
        &allow("bedrock:InvokeModel", "arn:aws:bedrock:*"),
        &[EveryResource],
    );
    let inverted = json!({
        "Effect": "Allow", "NotAction": ["iam:*"], "NotResource": [profile],
    });
    finds(&WIDE, &inverted, &[EveryAction, EveryResource]);
}

#[test]
fn what_matches_nothing_is_found() {
    const NOTHING: Point = Point::result(
        "014/20",
        "IAM takes both without a word: a permission that permits nothing, a denial that denies nothing",
        "README.md \"The audit\" · workshop hint 014 3",
    );
    use Problem::{NeverMatches, NoSuchService};
    let profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b";
    let invoke = "bedrock-runtime:InvokeModel";
    finds(&NOTHING, &allow(invoke, profile), &[NoSuchService]);
    finds(
        &NOTHING,
        &allow(["bedrock:InvokeModel", invoke].to_vec(), profile),
        &[NoSuchService],
    );
    let deny = json!({ "Effect": "Deny", "Action": "Bedrock-Runtime:*", "Resource": "*" });
    finds(&NOTHING, &deny, &[NoSuchService]);
    let owned = "arn:aws:bedrock:us-east-1:123456789012:foundation-model/a.b";
    finds(
        &NOTHING,
        &allow("bedrock:CountTokens", owned),
        &[NeverMatches],
    );
    let nobodys = "arn:aws:bedrock:us-east-1::inference-profile/us.a.b";
    finds(
        &NOTHING,
        &allow("bedrock:InvokeModel", [profile, nobodys].to_vec()),
        &[NeverMatches],
    );
    let deny = json!({ "Effect": "Deny", "Action": "bedrock:InvokeModel", "Resource": owned });
    finds(&NOTHING, &deny, &[NeverMatches]);
}

#[test]
fn the_way_past_the_profile_is_found() {
    const PAST: Point = Point::result(
        "014/21",
        "the second statement of every policy for profiles opens the model, unless a condition closes it",
        "README.md \"The audit\" · workshop hint 014 3",
    );
    use Problem::PastTheProfile;
    let model = "arn:aws:bedrock:us-east-1::foundation-model/a.b";
    let under = |operator: &str, key: &str| {
        let mut statement = allow("bedrock:InvokeModel", model);
        statement["Condition"] = json!({ operator: { key: "arn:aws:bedrock:*:*:*" } });
        statement
    };
    let bare = allow("bedrock:InvokeModelWithResponseStream", [model].to_vec());
    finds(&PAST, &bare, &[PastTheProfile]);
    let key = "bedrock:InferenceProfileArn";
    for operator in ["ArnLikeIfExists", "StringNotLike"] {
        finds(&PAST, &under(operator, key), &[PastTheProfile]);
    }
    finds(
        &PAST,
        &under("ArnLike", "aws:PrincipalArn"),
        &[PastTheProfile],
    );
    for (operator, key) in [
        ("ArnLike", key),
        ("StringEquals", "bedrock:inferenceprofilearn"),
    ] {
        finds(&PAST, &under(operator, key), &[]);
    }
    finds(&PAST, &allow("bedrock:CountTokens", model), &[]);
}

#[test]
fn findings_say_where_and_come_in_order() {
    const WHERE: Point = Point::result(
        "014/22",
        "a finding is worth the line that it points at",
        "README.md \"The audit\" · workshop hint 014 2",
    );
    let one = json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "bedrock:*", "Resource": "*" },
    });
    let finding = |statement, problem| Finding { statement, problem };
    let wanted = vec![
        finding(0, Problem::EveryAction),
        finding(0, Problem::EveryResource),
    ];
    WHERE.equal("a single statement without a list", audit(&one), wanted);
    let many = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "bedrock-runtime:*", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" },
            { "Effect": "Allow", "Action": ["bedrock:*", "bedrock:Get*"], "Resource": ["*", "*"] },
        ],
    });
    let wanted = vec![
        finding(0, Problem::NoSuchService),
        finding(2, Problem::EveryAction),
        finding(2, Problem::EveryResource),
    ];
    WHERE.equal("three statements", audit(&many), wanted);
}

#[test]
fn what_is_right_is_left_alone() {
    const RIGHT: Point = Point::restraint(
        "014/23",
        "an audit that cries at everything is switched off",
        "README.md \"The audit\" · workshop hint 014 1",
    );
    for statement in [
        json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }),
        json!({ "Effect": "Deny", "NotAction": "bedrock:*", "NotResource": "*" }),
        allow("bedrock:ListInferenceProfiles", "*"),
        allow(["s3:GetObject", "logs:*"].to_vec(), "*"),
        allow(
            "bedrock:CountTokens",
            "arn:aws:bedrock:*:*:foundation-model/a.b",
        ),
    ] {
        finds(&RIGHT, &statement, &[]);
    }
}

#[tokio::test]
async fn your_policies_pass_your_audit() {
    const OWN: Point = Point::restraint(
        "014/24",
        "what you would send back in a review does not belong into a policy of your own",
        "README.md \"The audit\" · workshop hint 014 1",
    );
    let bench = Bench::of_the_guarded_app(&OWN, vec![]).await;
    for (policy, text) in [
        ("app_policy", app_policy(&bench.account)),
        ("claude_code_policy", claude_code_policy(&bench.account)),
    ] {
        OWN.equal(policy, audit(&text), Vec::<Finding>::new());
    }
}

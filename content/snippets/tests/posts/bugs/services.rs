//! The pages about Step Functions, CloudWatch and the network.

use std::{fmt::Write as _, time::SystemTime};

use aws_sdk_bedrockruntime::Client;
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Datapoint, MetricDatum, StandardUnit, Statistic},
};
use aws_sdk_sfn::types::StateEnteredEventDetails;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use post_snippets::direct::ask;
use serde_json::{Value, json};
use workshop_testkit::{Setup, Step, function_or_test};
use workshop_testkit_aws::AwsLab;

use super::{snippet, throttling, told};
use crate::{
    kept::kept,
    recorded::{fold, profile},
};

#[tokio::test]
async fn an_arn_that_is_a_drawing() {
    let lab = AwsLab::start().await;
    let workflows = aws_sdk_sfn::Client::new(&lab.sdk_config());
    let definition = snippet("contract-review/contract-review.asl.json");
    let made = workflows.create_state_machine().name("contract-review");
    let made = made
        .role_arn("arn:aws:iam::123456789012:role/contract-review")
        .definition(&definition);
    made.send().await.unwrap_err();
    let call = lab.calls().pop().unwrap();
    let text = format!(
        "{} (the definition as it stands)\n\n{} {}\n{}",
        call.operation,
        call.status,
        call.error.unwrap(),
        fold(&call.message.unwrap())
    );
    kept("bugs/placeholder-arn.http", &text);
}

/// The two functions of the workflow; `contract-ask` asks Bedrock and throws what it refuses.
#[tokio::main(flavor = "current_thread")]
async fn functions() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        if std::env::var("AWS_LAMBDA_FUNCTION_NAME").as_deref() == Ok("contract-split") {
            return Ok(json!(["§ 1", "§ 2"]));
        }
        let model = std::env::var("MODEL_ID").unwrap_or_default();
        let clauses = event.payload.to_string();
        match ask(&client_of_the_function(), &model, &clauses, 50).await {
            Ok(reply) => Ok(json!({"text": reply.text})),
            Err(error) => Err(Diagnostic {
                error_type: error.code().unwrap_or("Error").to_owned(),
                error_message: "Too many requests, please wait before trying again.".to_owned(),
            }),
        }
    }))
    .await
}

fn client_of_the_function() -> Client {
    use aws_sdk_bedrockruntime::config::{
        BehaviorVersion, Config, Credentials, Region, retry::RetryConfig,
    };
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let token = std::env::var("AWS_SESSION_TOKEN").ok();
    let credentials = Credentials::new(
        var("AWS_ACCESS_KEY_ID"),
        var("AWS_SECRET_ACCESS_KEY"),
        token,
        None,
        "environment",
    );
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(var("AWS_REGION")))
        .credentials_provider(credentials)
        .endpoint_url(var("AWS_ENDPOINT_URL"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

#[test]
fn one_throttled_call_ends_the_workflow() {
    function_or_test(functions, throttled_workflow());
}

async fn throttled_workflow() {
    const TEST: &str = "bugs::services::one_throttled_call_ends_the_workflow";
    let lab = AwsLab::start().await;
    lab.script([throttling()]);
    let account = lab.emulator().config().account_id.clone();
    for name in ["contract-split", "contract-ask"] {
        let mut function = AwsLab::function(name, TEST);
        let model = ("MODEL_ID".to_owned(), lab.profile("haiku"));
        function.environment.extend([model]);
        lab.services().lambda.create(function).unwrap();
    }
    let definition = snippet("contract-review/contract-review.asl.json");
    let split = format!("arn:aws:lambda:us-east-1:{account}:function:contract-split");
    let definition = definition.replace("arn:aws:lambda:<contract-split>", &split);
    let workflows = aws_sdk_sfn::Client::new(&lab.sdk_config());
    let made = workflows.create_state_machine().name("contract-review");
    let made = made
        .role_arn(format!("arn:aws:iam::{account}:role/contract-review"))
        .definition(definition);
    let made = made.send().await.unwrap();
    let started = workflows
        .start_execution()
        .state_machine_arn(made.state_machine_arn);
    let started = started.input(json!({"contractId": "c-17", "key": "in/c-17.pdf"}).to_string());
    let execution = started.send().await.unwrap().execution_arn;
    lab.services().states.ended(&account, &execution).await;

    let history = workflows
        .get_execution_history()
        .execution_arn(&execution)
        .send();
    let mut text = String::from("GetExecutionHistory\n");
    for event in history.await.unwrap().events {
        let entered = event.state_entered_event_details();
        let name = entered
            .map(StateEnteredEventDetails::name)
            .unwrap_or_default();
        let line = format!("  {:>2}  {:<22} {name}", event.id, event.r#type.as_str());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let told_last = workflows
        .describe_execution()
        .execution_arn(&execution)
        .send()
        .await;
    let told_last = told_last.unwrap();
    let _ = writeln!(
        text,
        "\nDescribeExecution\n  status  {}\n  error   {}\n  output  {}\n",
        told_last.status.as_str(),
        told_last.error().unwrap_or("–"),
        told_last.output().unwrap_or("–")
    );
    let asked = lab.calls().into_iter();
    let asked = asked.filter(|call| call.operation == "Converse").count();
    let _ = writeln!(text, "calls to Bedrock: {asked}");
    assert!(text.contains("FAILED"), "{text}");
    kept("bugs/no-retry.txt", &text);
}

/// The snippet's `measured`, with the client that it lacks.
async fn measured(lab: &AwsLab, cloudwatch: &aws_sdk_cloudwatch::Client, model: &str) -> bool {
    let Ok(reply) = ask(&lab.client(), model, "Name a river.", 50).await else {
        return false;
    };
    let usage = reply.usage;
    let tokens = usage.input_tokens() + usage.output_tokens();
    let datum = |name: &str, unit, value| {
        let datum = MetricDatum::builder().metric_name(name).unit(unit);
        datum.value(value).build()
    };
    let put = cloudwatch.put_metric_data().namespace("TravelDesk/Answers");
    let put = put
        .metric_data(datum("AnswerTime", StandardUnit::Milliseconds, 900.0))
        .metric_data(datum("Tokens", StandardUnit::Count, f64::from(tokens)));
    put.send().await.unwrap();
    true
}

#[tokio::test]
async fn what_the_graph_is_made_of() {
    let lab = AwsLab::start().await;
    let usage = |input, output| workshop_testkit::Piece::Usage { input, output };
    let said = |piece| {
        Step::Say(vec![
            workshop_testkit::Piece::Text("The Elbe.".into()),
            piece,
        ])
    };
    lab.script([said(usage(20, 10)), said(usage(900, 300)), throttling()]);
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&lab.sdk_config());
    let mut text = String::from("calls\n");
    for alias in ["haiku", "opus", "haiku"] {
        let well = measured(&lab, &cloudwatch, &lab.profile(alias)).await;
        let mut calls = lab.calls().into_iter();
        let call = calls.rfind(|call| call.operation == "Converse").unwrap();
        let size = if alias == "opus" { "large" } else { "small" };
        let what = match call.usage.filter(|_| well) {
            Some(usage) => format!("{} in, {} out", usage.input, usage.output),
            None => call.error.unwrap_or_default(),
        };
        let _ = writeln!(text, "  the {size} model   {} {what}", call.status);
    }
    let now = DateTime::from(SystemTime::now()).secs();
    let listed = cloudwatch.list_metrics().namespace("TravelDesk/Answers");
    let mut listed = listed.send().await.unwrap().metrics.unwrap_or_default();
    listed.sort_by_key(|metric| metric.metric_name().unwrap_or_default().to_owned());
    text.push_str("\nin CloudWatch\n");
    for metric in listed {
        let name = metric.metric_name().unwrap();
        let read = cloudwatch
            .get_metric_statistics()
            .namespace("TravelDesk/Answers")
            .metric_name(name)
            .start_time(DateTime::from_secs(now - 3_600))
            .end_time(DateTime::from_secs(now + 3_600))
            .period(7_200)
            .statistics(Statistic::SampleCount)
            .statistics(Statistic::Sum);
        let points = read.send().await.unwrap().datapoints.unwrap_or_default();
        let sum: f64 = points.iter().filter_map(Datapoint::sum).sum();
        let count: f64 = points.iter().filter_map(Datapoint::sample_count).sum();
        let dimensions = match metric.dimensions() {
            [] => "none".to_owned(),
            some => some.len().to_string(),
        };
        let _ = writeln!(
            text,
            "  {name:<11} values {count}, sum {sum}, dimensions {dimensions}"
        );
    }
    assert!(text.contains("sum 1230"), "{text}");
    kept("bugs/metrics-put.txt", &text);
}

#[tokio::test]
async fn a_request_for_each_answer() {
    let lab = AwsLab::start().await;
    lab.script((0..100).map(|_| Step::text("The Elbe.")));
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&lab.sdk_config());
    for _ in 0..100 {
        assert!(measured(&lab, &cloudwatch, &lab.profile("haiku")).await);
    }
    let calls = lab.calls();
    let of = |name: &str| calls.iter().filter(|call| call.operation == name).count();
    let (answers, puts) = (of("Converse"), of("PutMetricData"));
    // An answer is handed on after its metrics: calls alternate.
    let waits = calls
        .windows(2)
        .filter(|two| two[0].operation == "Converse" && two[1].operation == "PutMetricData")
        .count();
    kept(
        "bugs/a-put-per-answer.txt",
        &format!(
            "answers of Bedrock                            {answers}\n\
             PutMetricData                                 {puts}\n\
             answers whose reader waited for CloudWatch    {waits}\n\n\
             the same as lines in a log                    100 lines, no request\n"
        ),
    );
}

#[tokio::test]
async fn the_endpoint_stands_before_the_api() {
    const HOST: &str = "vpce-1a2b3c4d-5e6f7a8b.bedrock-runtime.us-east-1.vpce.amazonaws.com";
    let role_may = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*" }]});
    let lab = AwsLab::with(Setup {
        policies: vec![role_may],
        ..Setup::default()
    })
    .await;
    let nothing = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "bedrock:CountTokens", "Resource": "*" }]});
    lab.set_vpc_endpoint_policy("vpce-1a2b3c4d", &nothing)
        .unwrap();
    let mut text = String::new();
    for host in ["bedrock-runtime.us-east-1.amazonaws.com", HOST] {
        let client = lab.client_with(|config| {
            config
                .http_client(lab.any_host())
                .endpoint_url(format!("https://{host}"))
        });
        let _ = ask(&client, &profile(), "Name a river.", 50).await;
        let call = lab.calls().pop().unwrap();
        let reached = lab.metric("Invocations", &profile()).sum;
        let _ = writeln!(
            text,
            "host            {host}\nanswer          {} {}\n{}models asked    {reached} so far\n",
            call.status,
            call.error.as_deref().unwrap_or("OK"),
            call.message
                .map(|message| fold(&message))
                .unwrap_or_default()
        );
    }
    assert!(text.contains("403"), "{text}");
    kept("bugs/endpoint-first.txt", &told(&text));
}

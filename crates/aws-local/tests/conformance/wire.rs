//! What of the services is the emulator's: bytes, policies, faults, the journal, accounts.

use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use bedrock_emulator::{Request, emulator::Auth, wire::Body};
use serde_json::{Value, json};

use crate::bench::{ACCOUNT, Bench, refused};

fn request(target: &str, body: &str) -> Request {
    let headers = [
        ("host", "127.0.0.1:4566"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target),
    ];
    Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: headers.into(),
        body: body.to_owned().into(),
        connection: 1,
    }
}

async fn open() -> Bench {
    Bench::start_with(|config| config.auth = Auth::Off).await
}

/// Status, `x-amzn-query-error`, body.
fn ask(bench: &Bench, target: &str, body: &str) -> (u16, Option<String>, String) {
    let reply = bench
        .endpoint
        .emulator()
        .handle(&request(target, body), crate::bench::START);
    let mut headers = reply.headers.iter();
    let query = headers.find(|(name, _)| name == "x-amzn-query-error");
    let Body::Whole { bytes, .. } = &reply.body else {
        panic!("a whole body: {:?}", reply.body)
    };
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (reply.status, query.map(|(_, value)| value.clone()), text)
}

#[tokio::test]
async fn errors_have_both_names_on_the_wire() {
    let bench = open().await;
    let (status, query, body) = ask(
        &bench,
        "AmazonSQS.GetQueueUrl",
        r#"{"QueueName":"nowhere"}"#,
    );
    assert_eq!(status, 400);
    assert_eq!(
        query.as_deref(),
        Some("AWS.SimpleQueueService.NonExistentQueue;Sender")
    );
    assert_eq!(
        body,
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#
    );
    let (_, query, body) = ask(&bench, "AmazonSQS.SendMessage", "{}");
    assert_eq!(query.as_deref(), Some("MissingParameter;Sender"));
    assert_eq!(
        body,
        r#"{"__type":"com.amazon.coral.service#MissingRequiredParameterException","message":"The request must contain the parameter QueueUrl."}"#
    );
    let (status, query, body) = ask(
        &bench,
        "secretsmanager.GetSecretValue",
        r#"{"SecretId":"x"}"#,
    );
    assert_eq!((status, query), (400, None));
    assert_eq!(
        body,
        r#"{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}"#
    );
}

#[tokio::test]
async fn any_body_is_answered() {
    let bench = open().await;
    let operations = [
        "AmazonSQS.CreateQueue",
        "AmazonSQS.SendMessage",
        "AmazonSQS.SendMessageBatch",
        "AmazonSQS.ReceiveMessage",
        "AmazonSQS.SetQueueAttributes",
        "AmazonSQS.StartMessageMoveTask",
        "AmazonSQS.CancelMessageMoveTask",
        "secretsmanager.CreateSecret",
        "secretsmanager.PutSecretValue",
        "secretsmanager.ListSecrets",
        "secretsmanager.GetRandomPassword",
        "secretsmanager.BatchGetSecretValue",
    ];
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "\"text\"",
        r#"{"QueueUrl":1}"#,
        r#"{"QueueUrl":"http://h/1/é","Entries":[{}]}"#,
        r#"{"QueueUrl":"http://h/123456789012/x","MaxNumberOfMessages":1e400}"#,
        r#"{"QueueName":"x","Attributes":{"RedrivePolicy":"[[["}}"#,
        r#"{"TaskHandle":"e30=","SourceArn":"arn:::::"}"#,
        r#"{"Name":"x","SecretBinary":"not base64","ClientRequestToken":"00000000000000000000000000000000"}"#,
        r#"{"Filters":[{"Key":null}],"MaxResults":-1,"PasswordLength":9223372036854775807}"#,
    ];
    for operation in operations {
        for body in bodies {
            let (status, _, told) = ask(&bench, operation, body);
            assert!(
                status == 200 || status == 400,
                "{operation} {body}: {status} {told}"
            );
        }
    }
    let (status, _, body) = ask(&bench, "AmazonSQS.Nonsense", "{}");
    assert!(
        status == 400 && body.contains("UnknownOperationException"),
        "{body}"
    );
}

#[tokio::test]
async fn the_journal_tells_of_secrets_but_not_their_values() {
    let bench = Bench::start().await;
    let client = bench.secrets();
    client
        .create_secret()
        .name("db")
        .secret_string("hunter2")
        .send()
        .await
        .unwrap();
    let created = bench.last_entry();
    assert_eq!(created.body.as_ref().unwrap()["Name"], "db");
    assert_eq!(created.body.as_ref().unwrap()["SecretString"], "…");
    client
        .get_secret_value()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    let read = bench.last_entry();
    assert_eq!(read.answer.as_ref().unwrap()["SecretString"], "…");
    assert!(read.trace.iter().any(|event| event.node == "SECRETS"));
    client
        .batch_get_secret_value()
        .secret_id_list("db")
        .send()
        .await
        .unwrap();
    client.get_random_password().send().await.unwrap();
    let password = bench.last_entry().answer.unwrap();
    assert_eq!(password["RandomPassword"], "…");
    for path in [
        "requests",
        "requests.har",
        "requests/1",
        "requests/1/curl",
        "requests/2",
    ] {
        let asked = Request {
            method: "GET".to_owned(),
            target: format!("/_workshop/{path}"),
            ..request("", "")
        };
        let reply = bench
            .endpoint
            .emulator()
            .handle(&asked, crate::bench::START);
        let shown = format!("{:?}", reply.body);
        assert!(!shown.contains("hunter2"), "{path}: {shown}");
    }
    let shown = format!("{:?}", bench.services);
    assert!(!shown.contains("hunter2"), "nor does Debug");
}

fn policy(actions: &str, resource: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }],
    })
}

#[tokio::test]
async fn a_policy_decides_by_queue_and_secret() {
    let bench = Bench::start_with(|config| {
        let jobs = format!("arn:aws:sqs:*:{ACCOUNT}:jobs*");
        let prod = format!("arn:aws:secretsmanager:*:{ACCOUNT}:secret:test/*");
        config.policies = vec![
            policy("sqs:*", &jobs),
            policy("secretsmanager:*", &prod),
            policy("secretsmanager:BatchGetSecretValue", "*"),
        ];
    })
    .await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send("1").await;
    let (code, text) = refused(queue.client.create_queue().queue_name("other").send().await);
    assert!(code.starts_with("AccessDenied"), "{code}");
    let named = format!("sqs:CreateQueue on resource: arn:aws:sqs:us-east-1:{ACCOUNT}:other");
    assert!(text.contains(&named), "{text}");
    let client = bench.secrets();
    client
        .create_secret()
        .name("test/db")
        .secret_string("1")
        .send()
        .await
        .unwrap();
    client
        .get_secret_value()
        .secret_id("test/db")
        .send()
        .await
        .unwrap();
    let prod = client.get_secret_value().secret_id("prod/db").send().await;
    let error = prod.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    let batch = client
        .batch_get_secret_value()
        .secret_id_list("prod/db")
        .send()
        .await;
    assert_eq!(batch.unwrap_err().code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn a_reset_account_holds_nothing() {
    let bench = Bench::start().await;
    let queue = bench.queue("jobs", &[]).await;
    queue.send("1").await;
    bench
        .secrets()
        .create_secret()
        .name("db")
        .send()
        .await
        .unwrap();
    let reset = Request {
        method: "POST".to_owned(),
        target: "/_workshop/reset".to_owned(),
        ..request("", "")
    };
    let reply = bench
        .endpoint
        .emulator()
        .handle(&reset, crate::bench::START);
    assert!(reply.status < 300, "{:?}", reply.body);
    assert_eq!(
        queue.client.list_queues().send().await.unwrap().queue_urls,
        None
    );
    assert_eq!(
        bench
            .secrets()
            .list_secrets()
            .send()
            .await
            .unwrap()
            .secret_list()
            .len(),
        0
    );
    // Nor does the name rest.
    bench.queue("jobs", &[]).await;
}

#[tokio::test]
async fn a_reset_gives_back_what_is_to_be_kept() {
    let bench = open().await;
    let done = |target: &str, body: &Value| {
        let (status, _, told) = ask(&bench, target, &body.to_string());
        assert_eq!(status, 200, "{target}: {told}");
        told
    };
    let put = |id: &str| {
        let item = json!({ "TableName": "rows", "Item": { "id": { "S": id } } });
        done("DynamoDB_20120810.PutItem", &item);
    };
    let table = json!({
        "TableName": "rows", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
    });
    done("DynamoDB_20120810.CreateTable", &table);
    put("kept");
    let token = "00000000-0000-4000-8000-00000000000";
    let secret = json!({ "Name": "pepper", "SecretString": "first", "ClientRequestToken": format!("{token}0") });
    done("secretsmanager.CreateSecret", &secret);
    let definition =
        json!({ "StartAt": "Done", "States": { "Done": { "Type": "Succeed" } } }).to_string();
    let machine = json!({
        "name": "answer", "definition": definition,
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/answer"),
    });
    done("AWSStepFunctions.CreateStateMachine", &machine);
    bench.services.keep(ACCOUNT);

    let machine = format!("arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:answer");
    let machine = json!({ "stateMachineArn": machine });
    for _ in 0..2 {
        put("new");
        let other = json!({ "SecretId": "pepper", "SecretString": "second", "ClientRequestToken": format!("{token}1") });
        done("secretsmanager.PutSecretValue", &other);
        done("AWSStepFunctions.DeleteStateMachine", &machine);

        let reset = Request {
            method: "POST".to_owned(),
            target: "/_workshop/reset".to_owned(),
            ..request("", "")
        };
        let emulator = bench.endpoint.emulator();
        assert!(emulator.handle(&reset, crate::bench::START).status < 300);
        let rows = bench.services.dynamodb.items(ACCOUNT, "us-east-1", "rows");
        assert_eq!(rows.len(), 1, "{rows:?}");
        let secret = done(
            "secretsmanager.GetSecretValue",
            &json!({ "SecretId": "pepper" }),
        );
        assert!(secret.contains("first"), "{secret}");
        done("AWSStepFunctions.DescribeStateMachine", &machine);
    }
}

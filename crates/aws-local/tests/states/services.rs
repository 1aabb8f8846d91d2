//! Tasks that call the other services.

use serde_json::{Value, json};

use crate::bench::{Bench, bench, json, only, task};

async fn queue(bench: &Bench, name: &str) -> String {
    let mut state = task("arn:aws:states:::aws-sdk:sqs:createQueue", &json!({}));
    state["Parameters"] = json!({"QueueName": name});
    let ended = bench.run(&only(&state), &json!({})).await;
    let output: Value = json(ended.output());
    output["QueueUrl"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_message_is_sent_in_both_ways() {
    let bench = bench().await;
    let url = queue(&bench, "orders").await;
    for (name, resource) in [
        ("older", "arn:aws:states:::sqs:sendMessage"),
        ("sdk", "arn:aws:states:::aws-sdk:sqs:sendMessage"),
    ] {
        let mut state = task(resource, &json!({}));
        state["Parameters"] = json!({"QueueUrl": url, "MessageBody": {"order.$": "$.n"}});
        let machine = bench.create(name, &only(&state)).await;
        let run = bench.start(&machine, &json!({"n": 7})).await;
        let ended = bench.ended(&run).await;
        let output = json(ended.output());
        assert!(output["MessageId"].is_string(), "{output}");
        // Only the older integration says what HTTP did (recorded).
        assert_eq!(output.get("SdkHttpMetadata").is_some(), name == "older");
    }
    let mut state = task("arn:aws:states:::aws-sdk:sqs:receiveMessage", &json!({}));
    state["Parameters"] = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
    let machine = bench.create("receive", &only(&state)).await;
    let run = bench.start(&machine, &json!({})).await;
    let output = json(bench.ended(&run).await.output());
    let bodies: Vec<&Value> = output["Messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["Body"])
        .collect();
    assert_eq!(bodies, [r#"{"order":7}"#, r#"{"order":7}"#]);
}

#[tokio::test]
async fn failures_are_named_as_each_integration_names_them() {
    let bench = bench().await;
    let url = "http://127.0.0.1:1/123456789012/nowhere";
    for (name, resource, error, cause) in [
        (
            "older",
            "arn:aws:states:::sqs:sendMessage",
            "SQS.QueueDoesNotExistException",
            "(Service: AmazonSQS; Status Code: 400; Error Code: ",
        ),
        (
            "sdk",
            "arn:aws:states:::aws-sdk:sqs:sendMessage",
            "Sqs.QueueDoesNotExistException",
            "(Service: Sqs, Status Code: 400, Request ID: ",
        ),
    ] {
        let mut state = task(resource, &json!({}));
        state["Parameters"] = json!({"QueueUrl": url, "MessageBody": "x"});
        let machine = bench.create(name, &only(&state)).await;
        let run = bench.start(&machine, &json!({})).await;
        let ended = bench.ended(&run).await;
        assert_eq!(ended.error(), Some(error));
        assert!(
            ended.cause().unwrap().contains(cause),
            "{:?}",
            ended.cause()
        );
    }
}

#[tokio::test]
async fn an_item_is_kept_changed_and_found() {
    let bench = bench().await;
    let step = |resource: &str, parameters: Value| {
        let mut state = task(resource, &json!({"ResultPath": null}));
        state["Parameters"] = parameters;
        state
    };
    let table = "orders";
    let key = json!({"id": {"S": "1"}});
    let mut create = step(
        "arn:aws:states:::aws-sdk:dynamodb:createTable",
        json!({
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }),
    );
    let mut put = step(
        "arn:aws:states:::dynamodb:putItem",
        json!({"TableName": table, "Item": {"id": {"S": "1"}, "n": {"N": "1"}}}),
    );
    let mut update = step(
        "arn:aws:states:::dynamodb:updateItem",
        json!({
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET n = n + :more",
            "ExpressionAttributeValues": {":more": {"N": "2"}},
        }),
    );
    let mut get = step(
        "arn:aws:states:::dynamodb:getItem",
        json!({"TableName": table, "Key": key}),
    );
    get["ResultPath"] = json!("$");
    for (state, next) in [
        (&mut create, "Put"),
        (&mut put, "Update"),
        (&mut update, "Get"),
    ] {
        state.as_object_mut().unwrap().remove("End");
        state["Next"] = json!(next);
    }
    let states = json!({"Create": create, "Put": put, "Update": update, "Get": get});
    let ended = bench
        .run(&json!({"StartAt": "Create", "States": states}), &json!({}))
        .await;
    let output = json(ended.output());
    assert_eq!(output["Item"], json!({"id": {"S": "1"}, "n": {"N": "3"}}));
    assert_eq!(output["SdkHttpMetadata"]["HttpStatusCode"], 200);

    let missing = json!({"TableName": "nowhere", "Key": key});
    for (name, resource, error) in [
        (
            "older",
            "arn:aws:states:::dynamodb:getItem",
            "DynamoDB.ResourceNotFoundException",
        ),
        (
            "sdk",
            "arn:aws:states:::aws-sdk:dynamodb:getItem",
            "DynamoDb.ResourceNotFoundException",
        ),
    ] {
        let machine = bench
            .create(name, &only(&step(resource, missing.clone())))
            .await;
        let run = bench.start(&machine, &json!({})).await;
        assert_eq!(bench.ended(&run).await.error(), Some(error));
    }
}

//! An API in front of functions that are processes.

use std::sync::Arc;

use aws_local::{
    gateway::{Api, Settings},
    lambda::Function,
};
use serde_json::{Value, json};

use crate::bench::{Bench, function};

/// A method that asks the function of that name.
fn asking(name: &str) -> Value {
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
    let path = "lambda:path/2015-03-31/functions";
    json!({ "post": {
        "responses": { "200": { "description": "OK" } },
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": format!("arn:aws:apigateway:us-east-1:{path}/{arn}/invocations"),
        },
    } })
}

#[tokio::test]
async fn an_api_asks_functions_by_their_arns() {
    let bench = Bench::start().await;
    let off = Function {
        reserved_concurrency: Some(0),
        ..function("off")
    };
    bench.services.lambda.create(off).unwrap();
    let document = json!({
        "openapi": "3.0.1",
        "info": { "title": "ask", "version": "1" },
        "paths": {
            "/ask": asking("ask"),
            "/off": asking("off"),
            "/nobody": asking("nobody"),
        },
    });
    let api = Api::read("api.json", &document.to_string(), Settings::default()).unwrap();
    let functions = Arc::new(bench.services.lambda.clone());
    let base = bench.services.gateway.deploy(api, functions);

    let mut pids = Vec::new();
    for body in ["one", "two"] {
        let answer = bench.send("POST", &format!("{base}/ask"), &[], body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.json()["body"], body);
        pids.push(answer.json()["pid"].clone());
        let entry = bench.endpoint.emulator().journal().pop().unwrap();
        let edges: Vec<_> = entry
            .trace
            .iter()
            .filter_map(|e| e.edge.as_deref())
            .collect();
        assert_eq!(edges, ["CLIENT-APIGW", "APIGW-LAMBDA"]);
    }
    assert_eq!(pids[0], pids[1], "the second finds the environment warm");

    // What Lambda itself refuses is the API's fault, for the client.
    for (path, why) in [("off", "Rate Exceeded"), ("nobody", "function:nobody")] {
        let answer = bench.send("POST", &format!("{base}/{path}"), &[], "").await;
        assert_eq!(answer.status, 500, "{answer:?}");
        assert_eq!(answer.body, r#"{"message": "Internal server error"}"#);
        let entry = bench.endpoint.emulator().journal().pop().unwrap();
        let told = entry.message.unwrap();
        assert!(told.contains(why), "{told}");
    }
}

//! What the API tells about functions, and what it changes.

use aws_local::lambda::Function;
use serde_json::{Value, json};

use crate::bench::{Bench, function, program};

#[tokio::test]
async fn a_function_is_told_as_aws_tells_it() {
    let bench = Bench::start().await;
    let told = bench
        .send("GET", "/2015-03-31/functions/ask", &[], "")
        .await
        .json();
    let configuration = &told["Configuration"];
    assert_eq!(configuration["FunctionName"], "ask");
    assert_eq!(
        configuration["FunctionArn"],
        "arn:aws:lambda:us-east-1:123456789012:function:ask"
    );
    assert_eq!(
        configuration["Role"],
        "arn:aws:iam::123456789012:role/ask-role"
    );
    assert_eq!(configuration["State"], "Active");
    assert_eq!(configuration["Timeout"], 60);
    assert_eq!(configuration["MemorySize"], 128);
    let size = std::fs::metadata(program()).unwrap().len();
    assert_eq!(configuration["CodeSize"], size);
    let location = told["Code"]["Location"].as_str().unwrap();
    assert!(location.starts_with("file:///"), "{location}");
    let target = "/2015-03-31/functions/ask/configuration?Qualifier=$LATEST";
    let told = bench.send("GET", target, &[], "").await.json();
    assert_eq!(
        told["FunctionArn"],
        "arn:aws:lambda:us-east-1:123456789012:function:ask:$LATEST"
    );
}

#[tokio::test]
async fn functions_are_listed_by_name_page_by_page() {
    let bench = Bench::start().await;
    for name in ["c", "b"] {
        bench.services.lambda.create(function(name)).unwrap();
    }
    let elsewhere = Function {
        region: Some("eu-west-1".to_owned()),
        ..function("elsewhere")
    };
    bench.services.lambda.create(elsewhere).unwrap();
    let mut names = Vec::new();
    let mut target = "/2015-03-31/functions/?MaxItems=2".to_owned();
    loop {
        let told = bench.send("GET", &target, &[], "").await.json();
        let page = told["Functions"].as_array().unwrap();
        assert!(page.len() <= 2);
        names.extend(
            page.iter()
                .map(|f| f["FunctionName"].as_str().unwrap().to_owned()),
        );
        let Some(marker) = told["NextMarker"].as_str() else {
            break;
        };
        let marker = marker.replace('+', "%2B").replace('=', "%3D");
        target = format!("/2015-03-31/functions/?MaxItems=2&Marker={marker}");
    }
    assert_eq!(names, ["ask", "b", "c"]);
    for (query, status) in [
        ("MaxItems=0", 400),
        ("Marker=eHg%3D", 400),
        ("Marker=!", 400),
    ] {
        let target = format!("/2015-03-31/functions?{query}");
        assert_eq!(
            bench.send("GET", &target, &[], "").await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_change_reaches_the_next_environment() {
    let bench = Bench::start().await;
    let before = bench
        .invoke(&[], &json!({ "do": "environment" }))
        .await
        .json();
    assert_eq!(before["AWS_ENDPOINT_URL"], bench.endpoint.url().as_str());
    assert_eq!(before["COLOUR"], Value::Null);
    let target = "/2015-03-31/functions/ask/configuration";
    let change = json!({
        "Timeout": 30,
        "MemorySize": 512,
        "Description": "answers",
        "Environment": { "Variables": { "COLOUR": "blue" } },
    });
    let told = bench.send("PUT", target, &[], &change.to_string()).await;
    assert_eq!(told.status, 200, "{told:?}");
    let told = told.json();
    assert_eq!(
        told["Environment"]["Variables"],
        json!({ "COLOUR": "blue" })
    );
    assert_eq!(
        (&told["Timeout"], &told["MemorySize"]),
        (&json!(30), &json!(512))
    );
    let after = bench
        .invoke(&[], &json!({ "do": "environment" }))
        .await
        .json();
    assert_eq!(after["COLOUR"], "blue");
    assert_eq!(after["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    assert_eq!(after["AWS_ENDPOINT_URL"], bench.endpoint.url().as_str());

    let revision = told["RevisionId"].as_str().unwrap();
    for (body, status, text) in [
        (json!({ "Timeout": 901 }), 400, "less than or equal to 900"),
        (
            json!({ "MemorySize": 64 }),
            400,
            "greater than or equal to 128",
        ),
        (json!({ "Layers": ["x"] }), 400, "Layers: not emulated"),
        (
            json!({ "RevisionId": "old" }),
            412,
            "RevisionId provided does not match",
        ),
        (
            json!({ "Environment": { "Variables": { "AWS_REGION": "x" } } }),
            400,
            "AWS_REGION",
        ),
        (
            json!({ "RevisionId": revision, "Runtime": "provided.al2023" }),
            200,
            "provided.al2023",
        ),
    ] {
        let answer = bench.send("PUT", target, &[], &body.to_string()).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(text), "{}", answer.body);
    }

    // A reset gives back what was registered.
    assert_eq!(
        bench.send("POST", "/_workshop/reset", &[], "").await.status,
        200
    );
    let told = bench.send("GET", target, &[], "").await.json();
    assert_eq!(told["Timeout"], 60);
    let after = bench
        .invoke(&[], &json!({ "do": "environment" }))
        .await
        .json();
    assert_eq!(after["COLOUR"], Value::Null);
}

#[tokio::test]
async fn concurrency_is_reserved_and_given_back() {
    let bench = Bench::start().await;
    let put = "/2017-10-31/functions/ask/concurrency";
    let get = "/2019-09-30/functions/ask/concurrency";
    assert_eq!(bench.send("GET", get, &[], "").await.json(), json!({}));
    let five = r#"{"ReservedConcurrentExecutions":5}"#;
    assert_eq!(bench.send("PUT", put, &[], five).await.status, 200);
    assert_eq!(
        bench.send("GET", get, &[], "").await.json(),
        json!({ "ReservedConcurrentExecutions": 5 })
    );
    for (body, text) in [
        (
            r#"{"ReservedConcurrentExecutions":901}"#,
            "below its minimum value of [100]",
        ),
        (
            r#"{"ReservedConcurrentExecutions":-1}"#,
            "greater than or equal to 0",
        ),
        ("{}", "Member must not be null"),
    ] {
        let answer = bench.send("PUT", put, &[], body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.contains(text), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_is_not_here_says_so() {
    let bench = Bench::start().await;
    let zip = r#"{"FunctionName":"x","Code":{"ZipFile":""}}"#;
    let answer = bench.send("POST", "/2015-03-31/functions", &[], zip).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("aws_local::lambda::Lambda::create"),
        "{}",
        answer.body
    );
    let layers = bench.send("GET", "/2018-10-31/layers", &[], "").await;
    assert_eq!(layers.status, 404);
    assert!(
        layers.body.contains("not emulated by Bedrock Workshop"),
        "{}",
        layers.body
    );

    let target = "/2015-03-31/functions/ask";
    assert_eq!(bench.send("DELETE", target, &[], "").await.status, 204);
    assert_eq!(bench.send("GET", target, &[], "").await.status, 404);
    assert_eq!(bench.send("DELETE", target, &[], "").await.status, 404);
}

#[tokio::test]
async fn a_function_that_cannot_be_is_refused_from_rust_too() {
    use aws_local::{Services, SystemClock, lambda::CreateError};
    let alone = Services::new(std::sync::Arc::new(SystemClock));
    let refused = alone.lambda.create(function("ask"));
    assert_eq!(refused, Err(CreateError::NotConnected));
    let bench = Bench::start().await;
    let refused = bench.services.lambda.create(function("ask")).unwrap_err();
    assert!(refused.to_string().contains("already exist"), "{refused}");
    let refused = bench.services.lambda.create(function("a b")).unwrap_err();
    assert!(refused.to_string().contains("a b"), "{refused}");
}

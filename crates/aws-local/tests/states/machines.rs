//! State machines: created once, changed, listed, refused.

use aws_sdk_sfn::types::{StateMachineListItem, Tag, ValidateStateMachineDefinitionResultCode};
use serde_json::{Value, json};

use crate::bench::{ROLE, bench, only, refused, task};

fn pass() -> Value {
    only(&json!({"Type": "Pass", "End": true}))
}

#[tokio::test]
async fn the_same_definition_is_created_once() {
    let bench = bench().await;
    let create = |definition: String, role: &'static str| {
        let create = bench.client.create_state_machine().name("machine");
        create.definition(definition).role_arn(role).send()
    };
    let first = create(pass().to_string(), ROLE).await.unwrap();
    assert_eq!(
        first.state_machine_arn,
        "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
    );
    // Another role is ignored (documented).
    let other = "arn:aws:iam::123456789012:role/other";
    let second = create(pass().to_string(), other).await.unwrap();
    assert_eq!(second.creation_date, first.creation_date);
    let (code, text) = refused(create(format!("{:#}", pass()), ROLE).await);
    assert_eq!(code, "StateMachineAlreadyExists");
    assert_eq!(
        text,
        format!(
            "State Machine Already Exists: '{}'",
            first.state_machine_arn
        )
    );
}

#[tokio::test]
async fn an_update_gives_a_revision_and_keeps_what_it_does_not_name() {
    let bench = bench().await;
    let machine = bench.create("machine", &pass()).await;
    let describe = || {
        bench
            .client
            .describe_state_machine()
            .state_machine_arn(&machine)
            .send()
    };
    let before = describe().await.unwrap();
    assert_eq!(before.revision_id(), None);
    assert_eq!(before.definition(), pass().to_string());
    let update = bench
        .client
        .update_state_machine()
        .state_machine_arn(&machine);
    let changed = only(&json!({"Type": "Pass", "Result": 1, "End": true})).to_string();
    let updated = update.definition(&changed).send().await.unwrap();
    let after = describe().await.unwrap();
    assert_eq!(after.revision_id(), updated.revision_id());
    assert_eq!((after.definition(), after.role_arn()), (&*changed, ROLE));
    let update = bench
        .client
        .update_state_machine()
        .state_machine_arn(&machine);
    assert_eq!(refused(update.send().await).0, "MissingRequiredParameter");
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_may_be_deleted_again() {
    let bench = bench().await;
    let machine = bench.create("machine", &pass()).await;
    for _ in 0..2 {
        let delete = bench
            .client
            .delete_state_machine()
            .state_machine_arn(&machine);
        delete.send().await.unwrap();
    }
    let start = bench
        .client
        .start_execution()
        .state_machine_arn(&machine)
        .send()
        .await;
    let (code, text) = refused(start);
    assert_eq!(code, "StateMachineDoesNotExist");
    assert_eq!(text, format!("State Machine Does Not Exist: '{machine}'"));
}

#[tokio::test]
async fn invalid_definitions_get_awss_diagnostics() {
    let bench = bench().await;
    let resource = "arn:aws:states:::glue:startJobRun";
    for (definition, says) in [
        (
            "{\"StartAt\":\"A\"}".to_owned(),
            "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /",
        ),
        (
            only(&json!({"Type": "Pass", "Next": "Nowhere"})).to_string(),
            "MISSING_TRANSITION_TARGET",
        ),
        (
            only(&task(resource, &json!({}))).to_string(),
            "at /States/Only/Resource",
        ),
        (
            only(&task("arn:aws:states:::sqs:deleteMessage", &json!({}))).to_string(),
            "sqs:deleteMessage is not emulated",
        ),
    ] {
        let create = bench
            .client
            .create_state_machine()
            .name("machine")
            .role_arn(ROLE);
        let (code, text) = refused(create.definition(&definition).send().await);
        assert_eq!(code, "InvalidDefinition");
        assert!(
            text.starts_with("Invalid State Machine Definition: '"),
            "{text}"
        );
        assert!(text.contains(says), "{text}");
        let validate = bench.client.validate_state_machine_definition();
        let found = validate.definition(&definition).send().await.unwrap();
        assert_eq!(found.result, ValidateStateMachineDefinitionResultCode::Fail);
        assert!(!found.diagnostics.is_empty());
    }
    let validate = bench.client.validate_state_machine_definition();
    let found = validate
        .definition(pass().to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(found.result, ValidateStateMachineDefinitionResultCode::Ok);
    assert!(found.diagnostics.is_empty());
}

#[tokio::test]
async fn names_and_arns_are_checked() {
    let bench = bench().await;
    let create = |name: &'static str, role: &'static str| {
        let create = bench
            .client
            .create_state_machine()
            .name(name)
            .role_arn(role);
        create.definition(pass().to_string()).send()
    };
    for name in ["a b", "a/b", "a:b", "a\u{7f}"] {
        let (code, text) = refused(create(name, ROLE).await);
        assert_eq!(
            (code.as_str(), text),
            ("InvalidName", format!("Invalid Name: '{name}'"))
        );
    }
    let (code, text) = refused(create("machine", "not_an_arn").await);
    assert_eq!(code, "InvalidArn");
    assert_eq!(text, "Invalid Arn: 'Invalid ARN prefix: not_an_arn'");
    let user = "arn:aws:iam::123456789012:user/ana";
    assert_eq!(refused(create("machine", user).await).0, "InvalidArn");
}

#[tokio::test]
async fn machines_come_in_pages_and_carry_tags() {
    let bench = bench().await;
    for name in ["c", "a", "b"] {
        bench.create(name, &pass()).await;
    }
    let list = || bench.client.list_state_machines().max_results(2);
    let first = list().send().await.unwrap();
    let names: Vec<_> = first
        .state_machines
        .iter()
        .map(StateMachineListItem::name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    let second = list()
        .set_next_token(first.next_token)
        .send()
        .await
        .unwrap();
    assert_eq!(second.state_machines[0].name(), "c");
    assert_eq!(second.next_token, None);
    let (code, text) = refused(list().next_token("nonsense").send().await);
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("InvalidToken", "Invalid Token: 'Invalid token'")
    );

    let machine = second.state_machines[0].state_machine_arn();
    let tag = Tag::builder().key("team").value("ml").build();
    let call = bench.client.tag_resource().resource_arn(machine).tags(tag);
    call.send().await.unwrap();
    let tags = || {
        bench
            .client
            .list_tags_for_resource()
            .resource_arn(machine)
            .send()
    };
    assert_eq!(tags().await.unwrap().tags().len(), 1);
    let call = bench
        .client
        .untag_resource()
        .resource_arn(machine)
        .tag_keys("team");
    call.send().await.unwrap();
    assert!(tags().await.unwrap().tags().is_empty());
}

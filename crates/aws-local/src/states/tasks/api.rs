//! Services whose operations a state machine can call: one generic path for all of them.
//!
//! `aws-sdk:dynamodb:putItem` and the older `dynamodb:putItem` ask the same; they spell failures
//! differently, and only the older one adds what the HTTP answer said (recorded).

use std::sync::Arc;

use bedrock_emulator::Emulator;
use serde_json::{Map, Value};
use states_language::TaskFailure;

use super::{
    ask::{Ask, Told},
    bedrock::encoded,
    members, required,
};
use crate::states::TaskCall;

/// One service.
pub(super) struct Row {
    /// As in `aws-sdk:…`.
    name: &'static str,
    /// In error names of the SDK integration: `DynamoDb.ResourceNotFoundException`.
    prefix: &'static str,
    wire: Wire,
    older: Option<Older>,
    /// Members that hold text and may be given as JSON (recorded for `Input`).
    texts: &'static [&'static str],
}

/// How it is asked.
enum Wire {
    /// `awsJson`: before the operation's name in `X-Amz-Target`, the media type, and whether its members
    /// begin small.
    Target(&'static str, &'static str, bool),
    /// `POST /model/{ModelId}/…`: the operations and the ends of their paths.
    Model(&'static [(&'static str, &'static str)]),
}

/// The older integration.
struct Older {
    name: &'static str,
    actions: &'static [&'static str],
    /// In error names: `DynamoDB.ResourceNotFoundException`.
    prefix: &'static str,
    /// In causes: `Service: AmazonDynamoDBv2`.
    service: &'static str,
    /// For errors that the service model does not know.
    base: &'static str,
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

static ROWS: [Row; 5] = [
    Row {
        name: "bedrockruntime",
        prefix: "BedrockRuntime",
        wire: Wire::Model(&[
            ("converse", "converse"),
            ("countTokens", "count-tokens"),
            ("invokeModel", "invoke"),
        ]),
        older: None,
        texts: &[],
    },
    Row {
        name: "dynamodb",
        prefix: "DynamoDb",
        wire: Wire::Target("DynamoDB_20120810", JSON_1_0, false),
        older: Some(Older {
            name: "dynamodb",
            actions: &["getItem", "putItem", "updateItem", "deleteItem"],
            prefix: "DynamoDB",
            service: "AmazonDynamoDBv2",
            base: "AmazonDynamoDBException",
        }),
        texts: &[],
    },
    Row {
        name: "sqs",
        prefix: "Sqs",
        wire: Wire::Target("AmazonSQS", JSON_1_0, false),
        older: Some(Older {
            name: "sqs",
            actions: &["sendMessage"],
            prefix: "SQS",
            service: "AmazonSQS",
            base: "AmazonSQSException",
        }),
        texts: &["MessageBody"],
    },
    Row {
        name: "secretsmanager",
        prefix: "SecretsManager",
        wire: Wire::Target("secretsmanager", JSON_1_1, false),
        older: None,
        texts: &["SecretString"],
    },
    Row {
        name: "sfn",
        prefix: "Sfn",
        wire: Wire::Target("AWSStepFunctions", JSON_1_0, true),
        older: None,
        texts: &["Input", "Definition"],
    },
];

/// A service's operations, in one of the two integrations.
#[derive(Clone, Copy)]
pub(super) struct Api {
    row: &'static Row,
    older: Option<&'static Older>,
}

/// The services, for people.
pub(super) fn names() -> String {
    let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    names.join(", ")
}

impl Api {
    /// The one that a resource names, if there is one.
    pub(super) fn of(service: &str, action: &str) -> Option<Self> {
        if let Some(name) = service.strip_prefix("aws-sdk:") {
            let row = ROWS.iter().find(|row| row.name == name)?;
            let known = match row.wire {
                Wire::Model(operations) => operations.iter().any(|(known, _)| *known == action),
                Wire::Target(..) => action.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            };
            return known.then_some(Self { row, older: None });
        }
        ROWS.iter().find_map(|row| {
            let older = row.older.as_ref()?;
            let known = older.name == service && older.actions.contains(&action);
            known.then_some(Self {
                row,
                older: Some(older),
            })
        })
    }

    /// The service's name in the credential scope; none for Bedrock, which is always here.
    pub(super) fn signing_name(self) -> Option<&'static str> {
        match (&self.row.wire, self.row.name) {
            (Wire::Model(_), _) => None,
            (_, "sfn") => Some("states"),
            (_, name) => Some(name),
        }
    }

    /// Asks, and takes the answer as AWS does.
    pub(super) async fn call(
        self,
        emulator: &Arc<Emulator>,
        action: &str,
        call: &TaskCall,
    ) -> Result<Value, TaskFailure> {
        let told = match self.ask(action, call)?.send(emulator, call).await {
            Ok(told) => told,
            Err(broken) => {
                let error = format!("{}.{}", self.prefix(), broken.error);
                return Err(TaskFailure::new(error, broken.cause));
            }
        };
        if let Some((code, message)) = told.error() {
            return Err(self.failure(&code, &message, &told));
        }
        let answer: Value =
            serde_json::from_slice(&told.body).unwrap_or_else(|_| Map::new().into());
        let mut answer = match self.row.wire {
            Wire::Target(_, _, false) => answer,
            Wire::Model(_) if action == "invokeModel" => {
                let content_type = told.header("content-type").unwrap_or_default();
                serde_json::json!({"Body": answer, "ContentType": content_type})
            }
            Wire::Target(_, _, true) | Wire::Model(_) => members::from_service(&answer),
        };
        if let (Some(_), Some(members)) = (self.older, answer.as_object_mut()) {
            for (name, value) in told.metadata() {
                members.insert(name.to_owned(), value);
            }
        }
        Ok(answer)
    }

    fn prefix(&self) -> &'static str {
        self.older.map_or(self.row.prefix, |older| older.prefix)
    }

    fn ask(&self, action: &str, call: &TaskCall) -> Result<Ask, TaskFailure> {
        let mut input = (*call.input).clone();
        for name in self.row.texts {
            if let Some(value) = input.get_mut(name)
                && !value.is_string()
                && !value.is_null()
            {
                *value = value.to_string().into();
            }
        }
        match self.row.wire {
            Wire::Target(target, content_type, small) => {
                let operation = members::first(action, &str::to_ascii_uppercase);
                let body = if small {
                    members::to_service(&input)
                } else {
                    input
                };
                Ok(Ask {
                    target: "/".to_owned(),
                    headers: vec![
                        ("content-type", content_type.to_owned()),
                        ("x-amz-target", format!("{target}.{operation}")),
                    ],
                    body: body.to_string().into(),
                })
            }
            Wire::Model(operations) => {
                let model = encoded(required(call, "ModelId")?);
                let end = operations.iter().find(|(known, _)| *known == action);
                let end = end.map_or(action, |(_, end)| end);
                let body = if action == "invokeModel" {
                    input.get("Body").cloned().unwrap_or_default()
                } else {
                    if let Some(members) = input.as_object_mut() {
                        members.remove("ModelId");
                    }
                    members::to_service(&input)
                };
                Ok(Ask {
                    target: format!("/model/{model}/{end}"),
                    headers: vec![("content-type", "application/json".to_owned())],
                    body: body.to_string().into(),
                })
            }
        }
    }

    fn failure(&self, code: &str, message: &str, told: &Told) -> TaskFailure {
        let Some(older) = self.older else {
            let prefix = self.row.prefix;
            return sdk_failure(prefix, prefix, code, message, told);
        };
        let name = if common(code) {
            older.base.to_owned()
        } else {
            exception(code)
        };
        TaskFailure::new(
            format!("{}.{name}", older.prefix),
            older_cause(older.service, code, message, told.status, told.request_id()),
        )
    }
}

/// The cause in the older integrations (recorded).
pub(super) fn older_cause(
    service: &str,
    code: &str,
    message: &str,
    status: u16,
    request_id: &str,
) -> String {
    format!(
        "{message} (Service: {service}; Status Code: {status}; Error Code: {code}; Request ID: \
         {request_id}; Proxy: null)"
    )
}

/// A failure as the newer integrations tell it: the error `DynamoDb.ResourceNotFoundException`, the
/// cause with service, status and request (recorded; Bedrock's pasted).
pub(super) fn sdk_failure(
    prefix: &str,
    service: &str,
    code: &str,
    message: &str,
    told: &Told,
) -> TaskFailure {
    // Of Bedrock these are in the service model.
    let modelled = service == "BedrockRuntime"
        && matches!(code, "AccessDeniedException" | "ValidationException");
    let name = if common(code) && !modelled {
        format!("{service}Exception")
    } else {
        exception(code)
    };
    let (status, id) = (told.status, told.request_id());
    TaskFailure::new(
        format!("{prefix}.{name}"),
        format!("{message} (Service: {service}, Status Code: {status}, Request ID: {id})"),
    )
}

/// Classes of exceptions end so (recorded: `StateMachineDoesNotExistException`).
pub(super) fn exception(code: &str) -> String {
    if code.ends_with("Exception") {
        code.to_owned()
    } else {
        format!("{code}Exception")
    }
}

/// Errors that service models do not list: they show as the service's own exception (recorded for
/// `ValidationException` of DynamoDB and `MissingParameter` of SQS).
pub(super) fn common(code: &str) -> bool {
    matches!(
        code,
        "" | "AccessDeniedException"
            | "ExpiredTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "MissingAuthenticationTokenException"
            | "MissingParameter"
            | "MissingParameterException"
            | "SerializationException"
            | "UnknownOperationException"
            | "UnrecognizedClientException"
            | "ValidationException"
    )
}

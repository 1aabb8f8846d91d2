//! How a request names an operation: method and path, with one label at most.

use bedrock_emulator::{
    Request,
    error::ApiError,
    neighbour::{Answer, Outcome, Visit, decode},
};
use serde_json::Value;

use super::{
    Lambda, create_event_source_mapping, create_function, delete_event_source_mapping,
    delete_function, delete_function_concurrency,
    error::{invalid, not_emulated},
    get_event_source_mapping, get_function, get_function_concurrency, get_function_configuration,
    invoke, list_event_source_mappings, list_functions,
    place::Reference,
    put_function_concurrency, update_event_source_mapping, update_function_configuration,
};

/// What most operations answer.
pub(super) type Answered = Result<Answer, ApiError>;

/// One operation.
pub(super) struct Operation {
    /// Its name, as in the service model.
    pub(super) name: &'static str,
    method: &'static str,
    /// `{}` stands for one segment, which names what it is done to.
    path: &'static str,
    action: &'static str,
    resource: Resource,
    answer: fn(&Lambda, Visit, &str) -> Outcome,
}

/// What an operation is done to, as IAM sees it.
#[derive(Clone, Copy)]
enum Resource {
    Any,
    Function,
    Mapping,
}

const FUNCTIONS: &str = "/2015-03-31/functions";
const FUNCTION: &str = "/2015-03-31/functions/{}";
const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
const MAPPING: &str = "/2015-03-31/event-source-mappings/{}";

/// All of them.
static OPERATIONS: &[Operation] = &[
    Operation {
        name: "Invoke",
        method: "POST",
        path: "/2015-03-31/functions/{}/invocations",
        action: "lambda:InvokeFunction",
        resource: Resource::Function,
        answer: |lambda, visit, name| invoke::answer(lambda, &visit, name),
    },
    Operation {
        name: "GetFunction",
        method: "GET",
        path: FUNCTION,
        action: "lambda:GetFunction",
        resource: Resource::Function,
        answer: |lambda, visit, name| get_function::answer(lambda, &visit, name).into(),
    },
    Operation {
        name: "GetFunctionConfiguration",
        method: "GET",
        path: "/2015-03-31/functions/{}/configuration",
        action: "lambda:GetFunctionConfiguration",
        resource: Resource::Function,
        answer: |lambda, visit, name| {
            get_function_configuration::answer(lambda, &visit, name).into()
        },
    },
    Operation {
        name: "UpdateFunctionConfiguration",
        method: "PUT",
        path: "/2015-03-31/functions/{}/configuration",
        action: "lambda:UpdateFunctionConfiguration",
        resource: Resource::Function,
        answer: |lambda, visit, name| {
            update_function_configuration::answer(lambda, &visit, name).into()
        },
    },
    Operation {
        name: "ListFunctions",
        method: "GET",
        path: FUNCTIONS,
        action: "lambda:ListFunctions",
        resource: Resource::Any,
        answer: |lambda, visit, _| list_functions::answer(lambda, &visit).into(),
    },
    Operation {
        name: "CreateFunction",
        method: "POST",
        path: FUNCTIONS,
        action: "lambda:CreateFunction",
        resource: Resource::Any,
        answer: |_, _, _| create_function::answer().into(),
    },
    Operation {
        name: "UpdateFunctionCode",
        method: "PUT",
        path: "/2015-03-31/functions/{}/code",
        action: "lambda:UpdateFunctionCode",
        resource: Resource::Function,
        answer: |_, _, _| create_function::answer().into(),
    },
    Operation {
        name: "DeleteFunction",
        method: "DELETE",
        path: FUNCTION,
        action: "lambda:DeleteFunction",
        resource: Resource::Function,
        answer: |lambda, visit, name| delete_function::answer(lambda, &visit, name).into(),
    },
    Operation {
        name: "PutFunctionConcurrency",
        method: "PUT",
        path: "/2017-10-31/functions/{}/concurrency",
        action: "lambda:PutFunctionConcurrency",
        resource: Resource::Function,
        answer: |lambda, visit, name| put_function_concurrency::answer(lambda, &visit, name).into(),
    },
    Operation {
        name: "GetFunctionConcurrency",
        method: "GET",
        path: "/2019-09-30/functions/{}/concurrency",
        action: "lambda:GetFunctionConcurrency",
        resource: Resource::Function,
        answer: |lambda, visit, name| get_function_concurrency::answer(lambda, &visit, name).into(),
    },
    Operation {
        name: "DeleteFunctionConcurrency",
        method: "DELETE",
        path: "/2017-10-31/functions/{}/concurrency",
        action: "lambda:DeleteFunctionConcurrency",
        resource: Resource::Function,
        answer: |lambda, visit, name| {
            delete_function_concurrency::answer(lambda, &visit, name).into()
        },
    },
    Operation {
        name: "CreateEventSourceMapping",
        method: "POST",
        path: MAPPINGS,
        action: "lambda:CreateEventSourceMapping",
        resource: Resource::Any,
        answer: |lambda, visit, _| create_event_source_mapping::answer(lambda, visit).into(),
    },
    Operation {
        name: "ListEventSourceMappings",
        method: "GET",
        path: MAPPINGS,
        action: "lambda:ListEventSourceMappings",
        resource: Resource::Any,
        answer: |lambda, visit, _| list_event_source_mappings::answer(lambda, &visit).into(),
    },
    Operation {
        name: "GetEventSourceMapping",
        method: "GET",
        path: MAPPING,
        action: "lambda:GetEventSourceMapping",
        resource: Resource::Mapping,
        answer: |lambda, visit, id| get_event_source_mapping::answer(lambda, &visit, id).into(),
    },
    Operation {
        name: "UpdateEventSourceMapping",
        method: "PUT",
        path: MAPPING,
        action: "lambda:UpdateEventSourceMapping",
        resource: Resource::Mapping,
        answer: |lambda, visit, id| update_event_source_mapping::answer(lambda, &visit, id).into(),
    },
    Operation {
        name: "DeleteEventSourceMapping",
        method: "DELETE",
        path: MAPPING,
        action: "lambda:DeleteEventSourceMapping",
        resource: Resource::Mapping,
        answer: |lambda, visit, id| delete_event_source_mapping::answer(lambda, &visit, id).into(),
    },
];

/// The request's operation; `None`: it is not for Lambda.
pub(super) fn find(request: &Request) -> Option<Result<&'static Operation, ApiError>> {
    let path = path_of(&request.target);
    let mut rows = OPERATIONS.iter();
    let row = rows.find(|row| row.method == request.method && label(row.path, path).is_some());
    if let Some(row) = row {
        return Some(Ok(row));
    }
    let known = is_lambdas(path) || signed_for_lambda(request);
    known.then(|| {
        let (method, target) = (&request.method, &request.target);
        let what = format!("An operation of AWS Lambda with the route {method} {target}");
        Err(not_emulated(&what))
    })
}

/// What IAM must allow.
pub(super) fn permission(visit: &Visit) -> Option<(&'static str, String)> {
    let row = row(visit)?;
    let (account, region) = (&*visit.account, &visit.region);
    let label = label(row.path, path_of(&visit.request.target));
    let label = label.and_then(decode).unwrap_or_default();
    let resource = match row.resource {
        Resource::Any => "*".to_owned(),
        Resource::Function => Reference::of(visit, &label)
            .map_or_else(|_| "*".to_owned(), |reference| reference.arn()),
        Resource::Mapping => {
            format!("arn:aws:lambda:{region}:{account}:event-source-mapping:{label}")
        }
    };
    Some((row.action, resource))
}

pub(super) fn answer(lambda: &Lambda, visit: Visit) -> Outcome {
    let Some(row) = row(&visit) else {
        return Outcome::Now(Err(not_emulated(visit.operation)));
    };
    let label = label(row.path, path_of(&visit.request.target)).unwrap_or_default();
    match decode(label) {
        Some(label) => (row.answer)(lambda, visit, &label),
        None => Outcome::Now(Err(invalid("The path is not valid percent-encoding."))),
    }
}

/// 200 with this JSON.
pub(super) fn told(body: &Value) -> Answer {
    Answer::json("application/json", body)
}

/// Another success with this JSON.
pub(super) fn told_as(status: u16, body: &Value) -> Answer {
    Answer {
        status,
        ..told(body)
    }
}

/// 204 and nothing to say.
pub(super) fn done() -> Answer {
    Answer {
        status: 204,
        body: bytes::Bytes::new(),
        ..told(&Value::Null)
    }
}

fn row(visit: &Visit) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|row| row.name == visit.operation)
}

fn path_of(target: &str) -> &str {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    // Older SDKs end some paths in a slash.
    path.strip_suffix('/').unwrap_or(path)
}

/// What stands at `{}`; `""` for a template without; `None`: the path does not fit.
fn label<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let Some((before, after)) = template.split_once("{}") else {
        return (template == path).then_some("");
    };
    let label = path.strip_prefix(before)?.strip_suffix(after)?;
    (!label.is_empty() && !label.contains('/')).then_some(label)
}

/// `/2015-03-31/functions…` and the like: a date, then one of Lambda's words.
fn is_lambdas(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let date = segments.next().unwrap_or_default();
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date
        && matches!(
            segments.next(),
            Some(
                "functions"
                    | "event-source-mappings"
                    | "account-settings"
                    | "layers"
                    | "tags"
                    | "code-signing-configs"
            )
        )
}

fn signed_for_lambda(request: &Request) -> bool {
    let authorization = request.header("authorization").unwrap_or_default();
    authorization.contains("/lambda/aws4_request")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, target: &str) -> String {
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: bedrock_emulator::Headers::default(),
            body: bytes::Bytes::new(),
            connection: 1,
        };
        match find(&request) {
            Some(Ok(row)) => row.name.to_owned(),
            Some(Err(error)) => error.code().name().to_owned(),
            None => "nobody's".to_owned(),
        }
    }

    #[test]
    fn method_and_path_name_an_operation() {
        let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Aask";
        let rows = [
            (
                "POST",
                format!("/2015-03-31/functions/{arn}/invocations?Qualifier=x"),
                "Invoke",
            ),
            ("GET", "/2015-03-31/functions/ask".to_owned(), "GetFunction"),
            ("GET", "/2015-03-31/functions/".to_owned(), "ListFunctions"),
            (
                "GET",
                "/2015-03-31/functions?MaxItems=1".to_owned(),
                "ListFunctions",
            ),
            (
                "DELETE",
                "/2015-03-31/event-source-mappings/1".to_owned(),
                "DeleteEventSourceMapping",
            ),
            (
                "PATCH",
                "/2015-03-31/functions/ask".to_owned(),
                "UnknownOperationException",
            ),
            (
                "GET",
                "/2016-08-19/account-settings/".to_owned(),
                "UnknownOperationException",
            ),
            (
                "GET",
                "/2015-03-31/functions/a/b/c".to_owned(),
                "UnknownOperationException",
            ),
            ("GET", "/model/x".to_owned(), "nobody's"),
            ("GET", "/2015-03-31/restapis".to_owned(), "nobody's"),
        ];
        for (method, target, name) in rows {
            assert_eq!(named(method, &target), name, "{method} {target}");
        }
    }
}

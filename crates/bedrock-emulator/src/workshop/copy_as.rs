//! `GET /_workshop/requests/{seq}/curl`, `…/boto3`, `…/rust`: one request as something to run again,
//! and `GET /_workshop/requests.har`: all of them as an HTTP archive. No secret is in any of them.

use super::requests;
use crate::{
    error::{ApiError, Code},
    journal,
    service::{Call, Plain, Route, Told},
};

pub(super) const CURL: Plain = Plain {
    name: "GetRequestAsCurl",
    route: Route::Rest("GET", "/_workshop/requests/{seq}/curl"),
    permission: None,
    answer: |call| {
        let record = requests::named(call)?;
        Ok(text(record.again().curl()))
    },
};

pub(super) const BOTO3: Plain = Plain {
    name: "GetRequestAsBoto3",
    route: Route::Rest("GET", "/_workshop/requests/{seq}/boto3"),
    permission: None,
    answer: |call| {
        let record = requests::named(call)?;
        record.again().boto3().map(text).ok_or_else(only_models)
    },
};

pub(super) const RUST: Plain = Plain {
    name: "GetRequestAsRust",
    route: Route::Rest("GET", "/_workshop/requests/{seq}/rust"),
    permission: None,
    answer: |call| {
        let record = requests::named(call)?;
        record.again().rust().map(text).ok_or_else(only_models)
    },
};

pub(super) const HAR: Plain = Plain {
    name: "GetRequestsAsHar",
    route: Route::Rest("GET", "/_workshop/requests.har"),
    permission: None,
    answer: har,
};

fn har(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let records = requests::chosen(call)?;
    Ok(Told::json(&journal::har(&records)))
}

fn text(text: String) -> Told {
    Told {
        status: 200,
        content_type: "text/plain; charset=utf-8",
        body: text.into(),
    }
}

fn only_models() -> ApiError {
    ApiError::bedrock(
        Code::ResourceNotFound,
        "this form exists for Converse, InvokeModel, their streams and (boto3) CountTokens with a \
         body of text; …/curl exists for every request",
    )
}

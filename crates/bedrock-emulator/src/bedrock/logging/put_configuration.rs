//! `PutModelInvocationLoggingConfiguration`: from here on invocations are logged.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::ApiError,
    observe::LoggingConfig,
    place::Place,
    service::{Call, Permission, Plain, Route, Told},
    violations::Violations,
};

pub(in crate::bedrock) const OPERATION: Plain = Plain {
    name: "PutModelInvocationLoggingConfiguration",
    route: Route::Rest("PUT", "/logging/modelinvocations"),
    permission: Permission::anywhere("bedrock:PutModelInvocationLoggingConfiguration"),
    answer,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    logging_config: Option<Value>,
}

/// What must hold of it; the rest is kept as it was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    cloud_watch_config: Option<CloudWatch>,
    s3_config: Option<Bucket>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CloudWatch {
    log_group_name: Option<String>,
    role_arn: Option<String>,
    large_data_delivery_s3_config: Option<Bucket>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bucket {
    bucket_name: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let body: Body = call.json()?;
    let mut wrong = Violations::default();
    wrong.required(&Place::root("loggingConfig"), body.logging_config.is_some());
    let config = body.logging_config.unwrap_or_default();
    let parts = if config.is_null() {
        Config::default()
    } else {
        serde_json::from_value(config.clone()).map_err(|e| ApiError::serialization(&e))?
    };
    parts.check(&mut wrong);
    wrong.into_result()?;
    let config = LoggingConfig::sent(config).map_err(|e| ApiError::serialization(&e))?;
    call.account.state().logging.set(call.region, Some(config));
    Ok(Told::json(&json!({})))
}

impl Config {
    fn check(&self, wrong: &mut Violations) {
        let root = Place::root("loggingConfig");
        if let Some(watch) = &self.cloud_watch_config {
            let at = root.member("cloudWatchConfig");
            let group = at.member("logGroupName");
            wrong.required(&group, watch.log_group_name.is_some());
            if let Some(name) = &watch.log_group_name {
                wrong.length(&group, name, 1, 512);
            }
            wrong.required(&at.member("roleArn"), watch.role_arn.is_some());
            if let Some(bucket) = &watch.large_data_delivery_s3_config {
                bucket.check(&at.member("largeDataDeliveryS3Config"), wrong);
            }
        }
        if let Some(bucket) = &self.s3_config {
            bucket.check(&root.member("s3Config"), wrong);
        }
    }
}

impl Bucket {
    fn check(&self, at: &Place<'_>, wrong: &mut Violations) {
        let at = at.member("bucketName");
        wrong.required(&at, self.bucket_name.is_some());
        if let Some(name) = &self.bucket_name {
            wrong.length(&at, name, 3, 63);
        }
    }
}

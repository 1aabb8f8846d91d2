//! Where model invocations are logged to, and the files that go to a bucket.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::log_record;
use crate::{journal::Record, rng::Rng};

/// The stream that Bedrock writes to in whichever group is configured.
pub(crate) const STREAM: &str = "aws/bedrock/modelinvocations";

/// The group of an account whose logging was switched on by configuration, not by a request.
const GROUP: &str = "/aws/bedrock/modelinvocations";

/// `loggingConfig`, as `PutModelInvocationLoggingConfiguration` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LoggingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cloud_watch_config: Option<CloudWatchConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) s3_config: Option<S3Config>,
    pub(crate) text_data_delivery_enabled: bool,
    pub(crate) image_data_delivery_enabled: bool,
    pub(crate) embedding_data_delivery_enabled: bool,
    pub(crate) video_data_delivery_enabled: bool,
    /// As somebody put it.
    #[serde(skip)]
    sent: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CloudWatchConfig {
    pub(crate) log_group_name: String,
    pub(crate) role_arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) large_data_delivery_s3_config: Option<S3Config>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct S3Config {
    pub(crate) bucket_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_prefix: Option<String>,
}

impl Default for LoggingConfig {
    /// Data is delivered unless told otherwise (service model).
    fn default() -> Self {
        Self {
            cloud_watch_config: None,
            s3_config: None,
            text_data_delivery_enabled: true,
            image_data_delivery_enabled: true,
            embedding_data_delivery_enabled: true,
            video_data_delivery_enabled: true,
            sent: None,
        }
    }
}

impl LoggingConfig {
    /// As somebody put it.
    pub(crate) fn sent(config: Value) -> Result<Self, serde_json::Error> {
        let read: Self = serde_json::from_value(config.clone())?;
        Ok(Self {
            sent: Some(config),
            ..read
        })
    }

    /// As it is told to who asks.
    pub(crate) fn told(&self) -> Value {
        let told = || serde_json::to_value(self).unwrap_or_default();
        self.sent.clone().unwrap_or_else(told)
    }
}

/// An account's logging: each region has its own, as on AWS.
#[derive(Debug, Default)]
pub(crate) struct Logging {
    everywhere: Option<LoggingConfig>,
    regions: BTreeMap<String, Option<LoggingConfig>>,
}

impl Logging {
    /// Logging that configuration switched on or off in all regions.
    pub(crate) fn switched(on: bool, account: &str, bucket: Option<&str>) -> Self {
        let config = LoggingConfig {
            cloud_watch_config: Some(CloudWatchConfig {
                log_group_name: GROUP.to_owned(),
                role_arn: format!("arn:aws:iam::{account}:role/BedrockInvocationLogging"),
                large_data_delivery_s3_config: None,
            }),
            s3_config: bucket.map(|name| S3Config {
                bucket_name: name.to_owned(),
                key_prefix: None,
            }),
            ..LoggingConfig::default()
        };
        Self {
            everywhere: on.then_some(config),
            regions: BTreeMap::new(),
        }
    }

    /// That region's.
    pub(crate) fn of(&self, region: &str) -> Option<&LoggingConfig> {
        let own = self.regions.get(region).map(Option::as_ref);
        own.unwrap_or(self.everywhere.as_ref())
    }

    /// Sets that region's.
    pub(crate) fn set(&mut self, region: &str, config: Option<LoggingConfig>) {
        self.regions.insert(region.to_owned(), config);
    }
}

/// A record on its way to a bucket.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) bucket: S3Config,
    pub(crate) record: Arc<Record>,
}

/// A file of invocation log records, in S3's layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Bucket and key: `bucket/prefix/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/…`.
    /// It ends in `.json.gz`: S3 holds these files compressed.
    pub path: String,
    /// One JSON record a line.
    pub text: String,
}

/// Those records as files: one for each bucket, region and hour.
pub(crate) fn log_files(deliveries: &[Delivery]) -> Vec<LogFile> {
    let mut files: BTreeMap<String, (OffsetDateTime, u64, String)> = BTreeMap::new();
    for delivery in deliveries {
        let record = &delivery.record;
        let Some(log) = log_record(record) else {
            continue;
        };
        let at = record.arrived_at();
        let prefix = delivery.bucket.key_prefix.as_deref().unwrap_or_default();
        let folder = format!(
            "{}/{prefix}/AWSLogs/{}/BedrockModelInvocationLogs/{}/{:04}/{:02}/{:02}/{:02}",
            delivery.bucket.bucket_name,
            record.account,
            record.region,
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour()
        );
        let (_, _, text) = files
            .entry(folder)
            .or_insert_with(|| (at, record.seq, String::new()));
        text.push_str(&log.record.to_string());
        text.push('\n');
    }
    let files = files.into_iter().map(|(folder, (at, seq, text))| {
        let mut rng = Rng::new(seq, &[0x6c6f_6773]);
        let name = format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}{:03}Z_{:016x}",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond(),
            rng.next()
        );
        let parts = folder.split('/').filter(|part| !part.is_empty());
        // A prefix is a name, not a way out of the folder.
        let parts = parts.map(|part| if part == ".." { "__" } else { part });
        let folder = parts.collect::<Vec<_>>().join("/");
        LogFile {
            path: format!("{folder}/{name}.json.gz"),
            text,
        }
    });
    files.collect()
}

//! One secret: its versions, and the staging labels that say which is which.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::error::ApiError;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, Time};

use super::error::{
    INVALID_PARAMETER, INVALID_REQUEST, LIMIT_EXCEEDED, RESOURCE_EXISTS, RESOURCE_NOT_FOUND,
    bounded, marked_for_deletion,
};

/// The version that is used.
pub(super) const CURRENT: &str = "AWSCURRENT";
/// The one before.
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";

/// How many versions are kept when they carry no label.
const VERSIONS_MAX: usize = 100;

/// A secret.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) kms_key: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: OffsetDateTime,
    pub(super) changed: OffsetDateTime,
    pub(super) accessed: Option<OffsetDateTime>,
    /// When it will be gone, if it was deleted.
    pub(super) deletion: Option<OffsetDateTime>,
    /// Oldest first.
    pub(super) versions: Vec<Version>,
}

/// One value that it has or had.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) stages: Vec<String>,
    pub(super) created: OffsetDateTime,
    pub(super) accessed: Option<OffsetDateTime>,
    content: Content,
}

/// What is kept secret, also from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Content {
    String(String),
    Binary(Vec<u8>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The value in a request.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Told {
    secret_string: Option<String>,
    secret_binary: Option<String>,
}

impl Told {
    /// The value, if there is one.
    pub(super) fn content(self) -> Result<Option<Content>, ApiError> {
        const MOST: usize = 65_536;
        match (self.secret_string, self.secret_binary) {
            (Some(_), Some(_)) => Err(INVALID_PARAMETER.error(
                "You can't specify both a binary secret value and a string secret value in the same \
                 secret.",
            )),
            (Some(text), None) => {
                bounded(&text, "secretString", 1..=MOST)?;
                Ok(Some(Content::String(text)))
            }
            (None, Some(text)) => {
                let bytes = STANDARD.decode(&text).ok().filter(|b| (1..=MOST).contains(&b.len()));
                let bytes = bytes.ok_or_else(|| {
                    INVALID_PARAMETER.error("SecretBinary must be base64 of 1 to 65536 bytes.")
                })?;
                Ok(Some(Content::Binary(bytes)))
            }
            (None, None) => Ok(None),
        }
    }
}

/// The id of a version to be: SDKs make one up for each call and repeat it when they retry.
pub(super) fn token(told: Option<String>) -> Result<String, ApiError> {
    let token = told.ok_or_else(|| {
        INVALID_REQUEST
            .error("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    })?;
    bounded(&token, "clientRequestToken", 32..=64)?;
    Ok(token)
}

/// Labels as a request gives them.
pub(super) fn stages(told: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let Some(stages) = told else {
        return Ok(vec![CURRENT.to_owned()]);
    };
    if !(1..=20).contains(&stages.len()) {
        return Err(INVALID_PARAMETER.error("VersionStages must have 1 to 20 staging labels."));
    }
    for stage in &stages {
        bounded(stage, "versionStages", 1..=256)?;
    }
    Ok(stages)
}

impl Secret {
    /// Refuses what a secret marked for deletion does not do.
    pub(super) fn alive(&mut self) -> Result<&mut Self, ApiError> {
        match self.deletion {
            None => Ok(self),
            Some(_) => Err(marked_for_deletion()),
        }
    }

    /// Adds a version with these labels. The same token with the same value is the same request
    /// again, and does nothing.
    pub(super) fn add(
        &mut self,
        id: &str,
        content: Content,
        stages: &[String],
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        if let Some(version) = self.versions.iter().find(|version| version.id == id) {
            if version.content == content {
                return Ok(());
            }
            return Err(RESOURCE_EXISTS.error(format!(
                "You can't use ClientRequestToken {id} because that value is already in use for a \
                 version of secret {}.",
                self.arn
            )));
        }
        let first = self.versions.is_empty();
        self.versions.push(Version {
            id: id.to_owned(),
            stages: Vec::new(),
            created: now,
            accessed: None,
            content,
        });
        for stage in stages {
            self.attach(stage, id)?;
        }
        // The first version is the current one whatever the request says (service model).
        if first && !stages.iter().any(|stage| stage == CURRENT) {
            self.attach(CURRENT, id)?;
        }
        self.forget_unlabelled();
        self.changed = now;
        Ok(())
    }

    /// Puts a label on a version, off any other. Where the current version's label comes from is the
    /// previous version from then on.
    pub(super) fn attach(&mut self, stage: &str, id: &str) -> Result<(), ApiError> {
        let holder = self.holder(stage).map(|version| version.id.clone());
        if holder.as_deref() == Some(id) {
            return Ok(());
        }
        let most = 20;
        let version = self.version_mut(id)?;
        if version.stages.len() >= most {
            return Err(LIMIT_EXCEEDED.error(format!(
                "A version of a secret can have {most} staging labels."
            )));
        }
        version.stages.push(stage.to_owned());
        version.stages.sort_unstable();
        if let Some(holder) = holder {
            self.detach(stage, &holder)?;
            if stage == CURRENT {
                // The version that is current now is not the previous one.
                self.detach(PREVIOUS, id)?;
                self.attach(PREVIOUS, &holder)?;
            }
        }
        Ok(())
    }

    /// Takes a label off a version.
    pub(super) fn detach(&mut self, stage: &str, id: &str) -> Result<(), ApiError> {
        let version = self.version_mut(id)?;
        version.stages.retain(|label| label != stage);
        Ok(())
    }

    /// Whether a version has that id and value.
    pub(super) fn has(&self, id: &str, content: &Content) -> bool {
        let mut versions = self.versions.iter();
        versions.any(|version| version.id == id && version.content == *content)
    }

    /// The version with that label.
    pub(super) fn holder(&self, stage: &str) -> Option<&Version> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.stages.iter().any(|label| label == stage))
    }

    pub(super) fn version_mut(&mut self, id: &str) -> Result<&mut Version, ApiError> {
        let mut versions = self.versions.iter_mut();
        versions.find(|version| version.id == id).ok_or_else(|| {
            RESOURCE_NOT_FOUND.error(format!(
                "Secrets Manager can't find the specified secret value for VersionId: {id}"
            ))
        })
    }

    /// The version that a request means: by id, by label, by both, or the current one.
    pub(super) fn chosen(
        &mut self,
        id: Option<&str>,
        stage: Option<&str>,
    ) -> Result<&mut Version, ApiError> {
        let Some(id) = id else {
            let stage = stage.unwrap_or(CURRENT);
            let mut versions = self.versions.iter_mut();
            let found = versions.find(|version| version.stages.iter().any(|label| label == stage));
            return found.ok_or_else(|| {
                RESOURCE_NOT_FOUND.error(format!(
                    "Secrets Manager can't find the specified secret value for staging label: {stage}"
                ))
            });
        };
        let version = self.version_mut(id)?;
        if stage.is_some_and(|stage| !version.stages.iter().any(|label| label == stage)) {
            return Err(INVALID_REQUEST.error(
                "You provided a VersionStage that is not associated to the provided VersionId.",
            ));
        }
        Ok(version)
    }

    /// The value that a request means, as `GetSecretValue` tells it; that it was read is noted.
    pub(super) fn read(
        &mut self,
        id: Option<&str>,
        stage: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Value, ApiError> {
        let names = json!({ "ARN": self.arn, "Name": self.name });
        let version = self.chosen(id, stage)?;
        version.accessed = Some(now);
        let mut body = names;
        body["VersionId"] = version.id.as_str().into();
        body["VersionStages"] = json!(version.stages);
        body["CreatedDate"] = seconds(version.created);
        match &version.content {
            Content::String(text) => body["SecretString"] = text.as_str().into(),
            Content::Binary(bytes) => body["SecretBinary"] = STANDARD.encode(bytes).into(),
        }
        self.accessed = Some(now);
        Ok(body)
    }

    fn forget_unlabelled(&mut self) {
        while self.versions.len() > VERSIONS_MAX {
            let oldest = self
                .versions
                .iter()
                .position(|version| version.stages.is_empty());
            let Some(oldest) = oldest else { return };
            self.versions.remove(oldest);
        }
    }

    /// What `DescribeSecret` tells, and `ListSecrets`, which calls the versions `versions`.
    pub(super) fn described(&self, versions: &str) -> Value {
        let mut body = Map::new();
        let mut say = |name: &str, value: Option<Value>| {
            body.extend(value.map(|value| (name.to_owned(), value)));
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        say("ARN", Some(self.arn.as_str().into()));
        say("Name", Some(self.name.as_str().into()));
        say("Description", text(&self.description));
        say("KmsKeyId", text(&self.kms_key));
        say("Type", text(&self.kind));
        say("CreatedDate", Some(seconds(self.created)));
        say("LastChangedDate", Some(seconds(self.changed)));
        say("LastAccessedDate", self.accessed.map(day));
        say("DeletedDate", self.deletion.map(seconds));
        let tags = (!self.tags.is_empty()).then(|| {
            let pairs = self.tags.iter();
            pairs
                .map(|(key, value)| json!({ "Key": key, "Value": value }))
                .collect()
        });
        say("Tags", tags);
        let labelled = self
            .versions
            .iter()
            .filter(|version| !version.stages.is_empty());
        let labelled: Map<String, Value> = labelled
            .map(|version| (version.id.clone(), json!(version.stages)))
            .collect();
        say(versions, (!labelled.is_empty()).then(|| labelled.into()));
        body.into()
    }

    /// `{"ARN":…,"Name":…}`.
    pub(super) fn names(&self) -> Value {
        json!({ "ARN": self.arn, "Name": self.name })
    }
}

/// A moment as the protocol writes it: seconds, with milliseconds behind the point.
pub(super) fn seconds(moment: OffsetDateTime) -> Value {
    let millis = i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this millennium fit into 52 bits"
    )]
    let seconds = millis as f64 / 1_000.0;
    seconds.into()
}

/// The day alone: when something was last read is told no more exactly (service model).
pub(super) fn day(moment: OffsetDateTime) -> Value {
    seconds(moment.replace_time(Time::MIDNIGHT))
}

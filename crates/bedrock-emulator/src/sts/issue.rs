//! Temporary credentials, and the parameters that every operation that issues them takes.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    emulator::Credential,
    error::{ApiError, Code},
    identity::Principal,
    rng::Rng,
    service::Call,
    xml::Xml,
};

/// A regular expression as AWS tells it, and the test of a character that it stands for.
pub(super) type Pattern = (&'static str, fn(char) -> bool);

/// Mistakes in parameters, told together as AWS does.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<String>);

impl Checks {
    /// A parameter that must be there, with bounds of its length and a test of its characters.
    pub(super) fn required(
        &mut self,
        call: &Call<'_>,
        name: &str,
        (least, most): (usize, usize),
        pattern: Option<Pattern>,
    ) -> String {
        let member = member(name);
        let Some(value) = call.parameter(name) else {
            self.0.push(format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ));
            return String::new();
        };
        let mut fail = |constraint: String| {
            self.0.push(format!(
                "Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
            ));
        };
        let length = value.chars().count();
        if length < least {
            fail(format!(
                "Member must have length greater than or equal to {least}"
            ));
        }
        if length > most {
            fail(format!(
                "Member must have length less than or equal to {most}"
            ));
        }
        if let Some((pattern, legal)) = pattern
            && !value.chars().all(legal)
        {
            fail(format!(
                "Member must satisfy regular expression pattern: {pattern}"
            ));
        }
        value
    }

    /// `DurationSeconds`.
    pub(super) fn seconds(
        &mut self,
        call: &Call<'_>,
        default: u32,
        (least, most): (u32, u32),
    ) -> Result<u32, ApiError> {
        let Some(text) = call.parameter("DurationSeconds") else {
            return Ok(default);
        };
        let Ok(value) = text.parse::<u32>() else {
            return Err(ApiError::signature(
                Code::Validation,
                format!("{text} is not a number: DurationSeconds"),
            ));
        };
        let bound = match value {
            v if v < least => format!("greater than or equal to {least}"),
            v if v > most => format!("less than or equal to {most}"),
            _ => return Ok(value),
        };
        self.0.push(format!(
            "Value '{value}' at 'durationSeconds' failed to satisfy constraint: Member must have \
             value {bound}"
        ));
        Ok(value)
    }

    pub(super) fn finish(self) -> Result<(), ApiError> {
        let (count, s) = (self.0.len(), if self.0.len() == 1 { "" } else { "s" });
        if count == 0 {
            return Ok(());
        }
        let all = self.0.join("; ");
        Err(invalid(format!(
            "{count} validation error{s} detected: {all}"
        )))
    }
}

/// `RoleArn` is `roleArn` in messages.
fn member(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::signature(Code::Validation, message)
}

/// Makes temporary credentials for `principal` and lets them sign.
pub(super) fn issue(call: &mut Call<'_>, principal: Principal, seconds: u32) -> Credential {
    let now = call.now.replace_nanosecond(0).unwrap_or(call.now);
    let end = now + Duration::seconds(i64::from(seconds));
    let credential = draw(&mut call.rng, &principal.arn, Some(end));
    let mut identities = call.emulator.identities_mut();
    identities.begin_session(credential.clone(), principal);
    credential
}

/// Temporary credentials that nobody knows yet.
pub(super) fn draw(rng: &mut Rng, arn: &str, expires_at: Option<OffsetDateTime>) -> Credential {
    const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    Credential {
        access_key_id: format!("ASIA{}", rng.text(BASE32, 16)),
        secret_access_key: rng.text(BASE64, 40),
        // As session tokens begin.
        session_token: Some(format!("IQoJb3JpZ2luX2Vj{}==", rng.text(BASE64, 266))),
        expires_at,
        arn: arn.to_owned(),
    }
}

/// `<AssumedRoleUser>`.
pub(super) fn write_user(xml: &mut Xml, arn: &str, user_id: &str) {
    xml.within("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", user_id);
        xml.text("Arn", arn);
    });
}

/// `<Credentials>`.
pub(super) fn write(xml: &mut Xml, credential: &Credential) {
    xml.within("Credentials", |xml| {
        xml.text("AccessKeyId", &credential.access_key_id);
        xml.text("SecretAccessKey", &credential.secret_access_key);
        let token = credential.session_token.as_deref();
        xml.text("SessionToken", token.unwrap_or_default());
        let end = credential.expires_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        xml.text("Expiration", &end.format(&Rfc3339).unwrap_or_default());
    });
}

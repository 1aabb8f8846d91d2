//! The user's AWS credentials, from where every AWS tool looks first: environment variables, then the
//! shared files. What needs a conversation with AWS (SSO, roles) is left to the AWS CLI.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

/// What requests are signed with.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A key pair, for `SigV4`.
    Keys {
        /// `AKIA…` or `ASIA…`.
        access_key_id: String,
        /// The secret.
        secret_access_key: String,
        /// Of temporary credentials.
        session_token: Option<String>,
    },
    /// An Amazon Bedrock API key.
    ApiKey(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys { .. } => "Keys(…)",
            Self::ApiKey(_) => "ApiKey(…)",
        })
    }
}

/// What the user's configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What to sign with.
    pub credentials: Credentials,
    /// Where they were found, for people.
    pub origin: String,
    /// The region, if one is configured.
    pub region: Option<String>,
}

/// No usable credentials.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotFound {
    /// Nothing is configured.
    #[error(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
         AWS_BEARER_TOKEN_BEDROCK, or name a profile of ~/.aws/credentials with --profile"
    )]
    Nothing,
    /// The profile does not exist.
    #[error("there is no profile {0:?} in the AWS configuration files")]
    Profile(String),
    /// The profile says how to get credentials, not which they are.
    #[error(
        "the profile {profile:?} gets its credentials by {key}; let the AWS CLI do that first:\n  \
         eval \"$(aws configure export-credentials --profile {profile} --format env)\""
    )]
    Indirect {
        /// The profile.
        profile: String,
        /// `sso_session`, `role_arn`, …
        key: &'static str,
    },
}

/// Settings of a profile that lead to credentials in ways that are not followed here.
const INDIRECT: [&str; 7] = [
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "credential_source",
    "web_identity_token_file",
    "login_session",
];

/// The environment and the files, as far as they matter here.
#[derive(Debug, Default)]
pub struct Sources {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// The text of the credentials file.
    pub credentials_file: String,
    /// The text of the config file.
    pub config_file: String,
}

impl Sources {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars().collect();
        let home = variables.get("HOME").or(variables.get("USERPROFILE"));
        let file = |variable: &str, name: &str| {
            let path = match variables.get(variable) {
                Some(path) => PathBuf::from(path),
                None => PathBuf::from(home.cloned().unwrap_or_default())
                    .join(".aws")
                    .join(name),
            };
            fs::read_to_string(path).unwrap_or_default()
        };
        Self {
            credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config_file: file("AWS_CONFIG_FILE", "config"),
            variables,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|v| !v.is_empty()).cloned()
    }

    /// The credentials that an AWS tool would use: a named profile first, then an API key, a key
    /// pair in the environment, the profile `AWS_PROFILE`, the profile `default`.
    pub fn find(&self, profile: Option<&str>) -> Result<Found, NotFound> {
        let region = self
            .variable("AWS_REGION")
            .or(self.variable("AWS_DEFAULT_REGION"));
        if profile.is_none() {
            if let Some(key) = self.variable("AWS_BEARER_TOKEN_BEDROCK") {
                return Ok(Found {
                    credentials: Credentials::ApiKey(key),
                    origin: "the API key in AWS_BEARER_TOKEN_BEDROCK".to_owned(),
                    region,
                });
            }
            if let (Some(access_key_id), Some(secret_access_key)) = (
                self.variable("AWS_ACCESS_KEY_ID"),
                self.variable("AWS_SECRET_ACCESS_KEY"),
            ) {
                return Ok(Found {
                    origin: format!("the key {access_key_id} in the environment"),
                    credentials: Credentials::Keys {
                        access_key_id,
                        secret_access_key,
                        session_token: self.variable("AWS_SESSION_TOKEN"),
                    },
                    region,
                });
            }
        }
        let chosen = profile.map(str::to_owned).or(self.variable("AWS_PROFILE"));
        let name = chosen.clone().unwrap_or_else(|| "default".to_owned());
        let mut settings = section(&self.config_file, &format!("profile {name}"));
        if name == "default" {
            settings.extend(section(&self.config_file, "default"));
        }
        let in_credentials = section(&self.credentials_file, &name);
        if settings.is_empty() && in_credentials.is_empty() {
            return Err(match chosen {
                Some(name) => NotFound::Profile(name),
                None => NotFound::Nothing,
            });
        }
        settings.extend(in_credentials);
        let region = region.or(settings.get("region").cloned());
        let key = |name: &str| settings.get(name).filter(|v| !v.is_empty()).cloned();
        match (key("aws_access_key_id"), key("aws_secret_access_key")) {
            (Some(access_key_id), Some(secret_access_key)) => Ok(Found {
                credentials: Credentials::Keys {
                    access_key_id,
                    secret_access_key,
                    session_token: key("aws_session_token"),
                },
                origin: format!("the profile {name}"),
                region,
            }),
            _ => Err(
                match INDIRECT.into_iter().find(|key| settings.contains_key(*key)) {
                    Some(key) => NotFound::Indirect { profile: name, key },
                    None => NotFound::Nothing,
                },
            ),
        }
    }
}

/// The settings of `[name]` in an AWS configuration file.
fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut inside = false;
    for line in text.lines() {
        // Settings below a setting are indented; none of them matters here.
        if line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            inside = header.split_whitespace().eq(name.split_whitespace());
        } else if inside && let Some((key, value)) = line.split_once('=') {
            let value = value.split(" #").next().unwrap_or_default();
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(variables: &[(&str, &str)]) -> Sources {
        let variables = variables.iter();
        Sources {
            variables: variables.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            credentials_file: "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key=s/=\n\
                               [work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=w\naws_session_token=t\n"
                .to_owned(),
            config_file: "# comment\n[default]\nregion = eu-west-1 # mine\n[profile work]\ns3 =\n  region = no\nregion=us-west-2\n\
                          [profile sso]\nsso_session = x\n[sso-session x]\nsso_region=y\n"
                .to_owned(),
        }
    }

    fn keys(found: &Found) -> (&str, Option<&str>) {
        match &found.credentials {
            Credentials::Keys {
                access_key_id,
                session_token,
                ..
            } => (access_key_id, session_token.as_deref()),
            Credentials::ApiKey(key) => (key, None),
        }
    }

    #[test]
    fn the_usual_order() {
        let pair = [
            ("AWS_ACCESS_KEY_ID", "AKIAENV"),
            ("AWS_SECRET_ACCESS_KEY", "e"),
        ];
        let bearer = [pair[0], pair[1], ("AWS_BEARER_TOKEN_BEDROCK", "ABSK")];
        let profile = [("AWS_PROFILE", "work")];
        for (variables, named, key, region) in [
            (&[][..], None, ("AKIADEFAULT", None), Some("eu-west-1")),
            (&pair, None, ("AKIAENV", None), None),
            (&bearer, None, ("ABSK", None), None),
            (
                &bearer,
                Some("work"),
                ("AKIAWORK", Some("t")),
                Some("us-west-2"),
            ),
            (&profile, None, ("AKIAWORK", Some("t")), Some("us-west-2")),
        ] {
            let found = sources(variables).find(named).unwrap();
            assert_eq!(keys(&found), key);
            assert_eq!(found.region.as_deref(), region);
            assert!(
                !format!("{found:?}").contains("ABSK"),
                "secrets are not printed"
            );
        }
    }

    #[test]
    fn what_is_missing_is_said_with_the_cure() {
        let error = |named| sources(&[]).find(named).unwrap_err().to_string();
        assert!(error(Some("sso")).contains("export-credentials --profile sso --format env"));
        assert_eq!(
            error(Some("no")),
            "there is no profile \"no\" in the AWS configuration files"
        );
        let nothing = Sources::default().find(None).unwrap_err();
        assert_eq!(nothing, NotFound::Nothing);
    }
}

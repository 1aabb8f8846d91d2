//! `workshop env`: exports that point AWS clients at the emulator.

use std::net::SocketAddr;

use anyhow::Context as _;
use bedrock_emulator::{Config, catalogue::Catalogue, short_term_api_key};
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use crate::{cli, exit, running::Running, source::Source, tls};

/// Where an emulator listens if nobody says otherwise.
pub(crate) const DEFAULT_EMULATOR: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4566);

const API_KEY: &str = "AWS_BEARER_TOKEN_BEDROCK";

const KEY_PAIR: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Settings that would win over ours, or send requests elsewhere.
const UNSET: [&str; 4] = [
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    API_KEY,
    "ANTHROPIC_MODEL",
];

pub(crate) fn run(args: &cli::Env, source: &Source) -> anyhow::Result<u8> {
    let addr = args.emulator_addr.unwrap_or_else(|| {
        Running::find(source.workspace.as_ref()).map_or(DEFAULT_EMULATOR, |r| r.emulator)
    });
    let mut set = variables(addr, if args.tls { "https" } else { "http" })?;
    if args.tls {
        set.extend(tls::trust()?);
    }
    if args.api_key {
        api_key(&mut set)?;
    }
    print!("{}", render(args.shell, &set));
    Ok(exit::OK)
}

/// The variables in the order in which they are printed.
pub(crate) fn variables(
    emulator: SocketAddr,
    scheme: &str,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let config = Config::default();
    let identity = config
        .credentials
        .first()
        .context("the emulator has no default identity")?;
    let catalogue = Catalogue::built_in()?;
    let url = format!("{scheme}://{emulator}");
    let mut set = vec![
        // For every service; Bedrock's own as well, since it would win over this one.
        ("AWS_ENDPOINT_URL", url.clone()),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url.clone()),
        ("AWS_REGION", config.region.clone()),
        ("AWS_DEFAULT_REGION", config.region.clone()),
        ("AWS_ACCESS_KEY_ID", identity.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", identity.secret_access_key.clone()),
        ("CLAUDE_CODE_USE_BEDROCK", "1".to_owned()),
        (
            "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
            format!("{url}/anthropic"),
        ),
        ("ANTHROPIC_BEDROCK_BASE_URL", url),
    ];
    for (name, alias) in [
        ("ANTHROPIC_DEFAULT_HAIKU_MODEL", "haiku"),
        ("ANTHROPIC_DEFAULT_SONNET_MODEL", "sonnet"),
        ("ANTHROPIC_DEFAULT_OPUS_MODEL", "opus"),
    ] {
        let id = catalogue
            .by_alias(alias)
            .and_then(|m| catalogue.profile_id(m, &config.region))
            .with_context(|| format!("models.toml has no profile for the alias {alias}"))?;
        set.push((name, id));
    }
    Ok(set)
}

/// A short-term API key of the default identity in the place of its key pair.
fn api_key(set: &mut Vec<(&'static str, String)>) -> anyhow::Result<()> {
    let config = Config::default();
    let identity = config.credentials.first();
    let identity = identity.context("the emulator has no default identity")?;
    let (now, lasts) = (OffsetDateTime::now_utc(), Duration::hours(12));
    let key = short_term_api_key(identity, &config.region, now, lasts);
    set.retain(|(name, _)| !KEY_PAIR.contains(name));
    set.push((API_KEY, key));
    Ok(())
}

fn render(shell: cli::Shell, set: &[(&str, String)]) -> String {
    let mut lines = Vec::new();
    let is_set = |name: &&str| set.iter().any(|(set, _)| set == name);
    let unset: Vec<&str> = UNSET.iter().copied().filter(|name| !is_set(name)).collect();
    match shell {
        cli::Shell::Bash => {
            lines.push(format!("unset {}", unset.join(" ")));
            lines.extend(set.iter().map(|(k, v)| format!("export {k}='{v}'")));
        }
        cli::Shell::Fish => {
            lines.extend(unset.iter().map(|k| format!("set -e {k}")));
            lines.extend(set.iter().map(|(k, v)| format!("set -gx {k} '{v}'")));
        }
        cli::Shell::Powershell => {
            lines.extend(
                unset
                    .iter()
                    .map(|k| format!("Remove-Item Env:{k} -ErrorAction SilentlyContinue")),
            );
            lines.extend(set.iter().map(|(k, v)| format!("$Env:{k} = '{v}'")));
        }
        cli::Shell::Json => {
            let object: Map<String, Value> = set
                .iter()
                .map(|(k, v)| ((*k).to_owned(), Value::String(v.clone())))
                .collect();
            lines.push(Value::Object(object).to_string());
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_every_variable() {
        let set = variables(DEFAULT_EMULATOR, "http").unwrap();
        for shell in [
            cli::Shell::Bash,
            cli::Shell::Fish,
            cli::Shell::Powershell,
            cli::Shell::Json,
        ] {
            let text = render(shell, &set);
            for (name, value) in &set {
                assert!(
                    text.contains(name) && text.contains(value),
                    "{shell:?} {name}"
                );
            }
        }
    }

    #[test]
    fn an_api_key_takes_the_place_of_the_key_pair() {
        let mut set = variables(DEFAULT_EMULATOR, "https").unwrap();
        api_key(&mut set).unwrap();
        let text = render(cli::Shell::Bash, &set);
        assert!(text.contains("export AWS_BEARER_TOKEN_BEDROCK='bedrock-api-key-"));
        assert!(!text.contains("AWS_ACCESS_KEY_ID"), "{text}");
        let unset = text.lines().next().unwrap();
        assert!(!unset.contains("AWS_BEARER_TOKEN_BEDROCK"), "{unset}");
    }

    #[test]
    fn json_is_one_line_of_strings() {
        let text = render(
            cli::Shell::Json,
            &variables(DEFAULT_EMULATOR, "http").unwrap(),
        );
        assert_eq!(text.lines().count(), 1);
        let object: Map<String, Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            object["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"],
            "http://127.0.0.1:4566"
        );
    }
}

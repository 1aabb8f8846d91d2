//! The certificate authority of `workshop emulator --tls`: where it is kept, and how clients come to
//! trust it.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use bedrock_endpoint::Identity;

/// Overrides the folder; its content is the same.
const FOLDER_VARIABLE: &str = "WORKSHOP_STATE_DIR";

/// The emulator's identity, with the authority of this user.
pub(crate) fn identity() -> anyhow::Result<Identity> {
    Ok(Identity::kept_in(&folder()?)?)
}

/// The variables that make clients trust it. The AWS CLI, boto3 and most AWS SDKs read the first,
/// Node.js the second.
pub(crate) fn trust() -> anyhow::Result<[(&'static str, String); 2]> {
    // Made here if it does not exist yet, so that both orders of starting work.
    identity()?;
    let file = ca_file()?;
    Ok([
        ("AWS_CA_BUNDLE", file.clone()),
        ("NODE_EXTRA_CA_CERTS", file),
    ])
}

/// Says on standard output how to reach the emulator with TLS.
pub(crate) fn instructions(url: &str) -> anyhow::Result<()> {
    let file = ca_file()?;
    println!("With TLS          {url}  (the same port)");
    println!("Point your tools at it:  eval \"$(workshop env)\", or with TLS:");
    println!("  AWS CLI, boto3, Node.js  eval \"$(workshop env --tls)\"");
    println!("  curl                     curl --cacert '{file}' {url}/");
    println!("  Rust SDK, Anthropic's    SSL_CERT_FILE='{file}'");
    println!(
        "  Python SDK               (for that program only: it replaces all other authorities)"
    );
    Ok(())
}

fn ca_file() -> anyhow::Result<String> {
    Ok(Identity::ca_file(&folder()?).display().to_string())
}

/// Where programs of this user keep what is theirs between two starts.
fn folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty());
    if let Some(folder) = set(FOLDER_VARIABLE) {
        return Ok(folder.into());
    }
    let (variable, below): (&str, &Path) = if cfg!(windows) {
        ("LOCALAPPDATA", Path::new("Bedrock Workshop"))
    } else if cfg!(target_os = "macos") {
        (
            "HOME",
            Path::new("Library/Application Support/bedrock-workshop"),
        )
    } else if set("XDG_STATE_HOME").is_some() {
        ("XDG_STATE_HOME", Path::new("bedrock-workshop"))
    } else {
        ("HOME", Path::new(".local/state/bedrock-workshop"))
    };
    let base = set(variable).with_context(|| {
        format!("{variable} is not set, so there is no folder for the certificate authority; set {FOLDER_VARIABLE}")
    })?;
    Ok(Path::new(&base).join(below))
}

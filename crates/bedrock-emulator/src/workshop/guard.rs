//! Who may use the control API: programs on this machine, and no web page.
//!
//! The endpoint refuses peers that are not on loopback. A page in this machine's browser is on loopback
//! too, so what a browser says about the page is looked at: its origin, and the name it believes to
//! talk to (a foreign name that resolves to 127.0.0.1 is DNS rebinding).

use crate::{
    error::{ApiError, Code},
    wire::Request,
};

/// Every path of the control API starts with it.
pub const PREFIX: &str = "/_workshop/";

/// Whether the request may be answered.
pub(crate) fn admit(request: &Request) -> Result<(), ApiError> {
    if request.target.starts_with("/_workshop/health") {
        // Probes come from containers and other hosts; it tells nothing.
        return Ok(());
    }
    if let Some(host) = request.header("host").filter(|host| !is_loopback(host)) {
        return Err(refused(format!(
            "the control API is for programs on this machine; Host is {host:?}, use 127.0.0.1 or \
             localhost"
        )));
    }
    let site = request.header("sec-fetch-site").unwrap_or("none");
    let origin = request.header("origin").unwrap_or_default();
    let foreign =
        !origin.is_empty() && !is_loopback(origin.split("://").last().unwrap_or_default());
    if !matches!(site, "none" | "same-origin") || foreign {
        return Err(refused(format!(
            "the control API answers no web page of another origin (Origin {origin:?}, \
             Sec-Fetch-Site {site:?}); call it from a program, such as curl"
        )));
    }
    let media_type = request.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let known = ["application/json", "application/toml"];
    if !request.body.is_empty() && !known.iter().any(|k| media_type.eq_ignore_ascii_case(k)) {
        return Err(ApiError::validation(format!(
            "the header Content-Type is {media_type:?}; send a body as application/json (scripts and \
             fault rules also as application/toml)"
        )));
    }
    Ok(())
}

/// The refusal of a peer on another machine.
pub(crate) fn from_elsewhere() -> ApiError {
    refused(
        "the control API is for programs on this machine; only /_workshop/health answers others"
            .to_owned(),
    )
}

fn refused(message: String) -> ApiError {
    ApiError::bedrock(Code::AccessDenied, message)
}

/// Whether a `host[:port]` names this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<core::net::IpAddr> = host.parse().ok();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        for (authority, yes) in [
            ("localhost", true),
            ("LOCALHOST:4566", true),
            ("127.0.0.1:4566", true),
            ("127.1.2.3", true),
            ("[::1]:4566", true),
            ("bedrock.localhost:1", true),
            ("localhost.evil.example", false),
            ("evil.example:4566", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(authority), yes, "{authority}");
        }
    }
}

//! Who may ask. The site runs the student's code, so any web page that could reach it could too.
//!
//! In the order in which a request meets them:
//! 1. the `Host` must be ours ([`Hosts`]): a foreign name that resolves to this machine (DNS
//!    rebinding) gets 421;
//! 2. another site's request gets 403, by `Sec-Fetch-Site` and `Origin`; only plain navigation by
//!    link is let through, because it runs nothing and hands nothing to the page it came from;
//! 3. `?t=TOKEN` on any page is exchanged for a cookie, once, and leaves the address bar;
//! 4. what runs code or shows requests asks for that cookie ([`token_required`]): 401.
//!
//! Every answer carries the headers of [`security_headers`]. There are no CORS headers at all.

use std::fmt::Write as _;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use serde_json::json;

use crate::{
    AppState,
    pages::{Visitor, errors},
};

/// No foreign host, no inline script or style: also the proof that nothing leaves the machine.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// The same for pages that became files, as far as a page can say it about itself.
pub(crate) const EXPORTED_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'";

/// The names under which the site may be asked.
#[derive(Debug, Clone)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// `localhost`, `127.0.0.1` and `[::1]` with that port.
    pub fn of_port(port: u16) -> Self {
        let names = ["localhost", "127.0.0.1", "[::1]"];
        let mut hosts: Vec<_> = names.iter().map(|n| format!("{n}:{port}")).collect();
        if port == 80 {
            hosts.extend(names.map(str::to_owned));
        }
        Self(hosts)
    }

    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Exactly one `Host`, ours; an address in the request line must be ours as well.
    fn allow(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let host = named.next().and_then(|h| h.to_str().ok());
        let line = uri.authority().map(Authority::as_str);
        let ours = |name: Option<&str>| name.is_none_or(|name| self.has(name));
        named.next().is_none() && (host.is_some() || line.is_some()) && ours(host) && ours(line)
    }
}

/// The secret of one start: 128 random bits, as hexadecimal digits.
#[derive(Clone)]
pub struct Token {
    secret: String,
    cookie: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    /// A new one. Cookies know no ports, so the port is part of the cookie's name.
    pub fn random(port: u16) -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes)?;
        let secret = bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Ok(Self {
            secret,
            cookie: format!("workshop-{port}"),
        })
    }

    /// The secret itself, for the address that is printed once.
    pub fn as_str(&self) -> &str {
        &self.secret
    }

    /// Whether the request carries the cookie.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        cookie(headers, &self.cookie).is_some_and(|value| self.matches(value))
    }

    /// Compares without telling by its duration how much was right.
    fn matches(&self, given: &str) -> bool {
        let (given, ours) = (given.as_bytes(), self.secret.as_bytes());
        let differing = given.iter().zip(ours).fold(0, |acc, (a, b)| acc | (a ^ b));
        given.len() == ours.len() && std::hint::black_box(differing) == 0
    }

    fn set_cookie(&self) -> String {
        format!(
            "{}={}; HttpOnly; SameSite=Strict; Path=/",
            self.cookie, self.secret
        )
    }
}

/// The value of the cookie of that name.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Steps 1 to 3 of the module's text: the answer to who is not let through.
pub fn intercept(state: &AppState, request: &Request) -> Option<Response> {
    let headers = request.headers();
    if !state.hosts().allow(request.uri(), headers) {
        let text =
            "This site answers only under localhost, 127.0.0.1 and [::1] with its own port.\n";
        return Some((StatusCode::MISDIRECTED_REQUEST, text).into_response());
    }
    if foreign(request.method(), headers) {
        let text = "Another site may not ask for this.\n";
        return Some((StatusCode::FORBIDDEN, text).into_response());
    }
    let (given, address) = launch_token(request.method(), request.uri())?;
    let visitor = Visitor::of(state, headers);
    Some(exchange(state, &visitor, &given, &address))
}

/// Lets only the owner of the token's cookie through.
pub async fn token_required(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if state.token().is_in(request.headers()) {
        return next.run(request).await;
    }
    if request.uri().path().starts_with("/api/") {
        let message = "Open the link that the workshop printed in its terminal first.";
        return (
            StatusCode::UNAUTHORIZED,
            Json(json!({ "message": message })),
        )
            .into_response();
    }
    let visitor = Visitor::of(&state, request.headers());
    errors::sign_in(&state, &visitor)
}

/// Whether another site sent this, and not by a link the person followed.
fn foreign(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let reads = method == Method::GET || method == Method::HEAD;
    let from_elsewhere = match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => false,
        Some(_) => !(reads && text("sec-fetch-mode") == Some("navigate")),
    };
    let host = text("host").unwrap_or_default();
    let other_origin = text("origin").is_some_and(|origin| {
        let ours = origin.strip_prefix("http://");
        !ours.is_some_and(|ours| ours.eq_ignore_ascii_case(host))
    });
    from_elsewhere || other_origin
}

/// The token in the query, and the address without it.
fn launch_token(method: &Method, uri: &Uri) -> Option<(String, String)> {
    if method != Method::GET {
        return None;
    }
    let (given, rest): (Vec<_>, Vec<_>) = uri
        .query()?
        .split('&')
        .partition(|pair| pair.starts_with("t="));
    let given = given.first()?.strip_prefix("t=")?.to_owned();
    // `//host` would leave the site; a path of ours has one slash at its start.
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    let query = rest.join("&");
    let address = if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    };
    Some((given, address))
}

fn exchange(state: &AppState, visitor: &Visitor, given: &str, address: &str) -> Response {
    if !state.token().matches(given) {
        return errors::sign_in(state, visitor);
    }
    let mut response = Redirect::to(address).into_response();
    if let Ok(value) = HeaderValue::from_str(&state.token().set_cookie()) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    no_store(&mut response);
    response
}

/// Keeps an answer out of every cache.
pub fn no_store(response: &mut Response) {
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
}

/// The headers that every answer carries.
pub fn security_headers(headers: &mut HeaderMap) {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        // Not `no-referrer`: forms would then send `Origin: null`, which step 2 refuses.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=()",
        ),
    ];
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

//! What is never stored: secrets, and what belongs to one connection or one moment.

use std::borrow::Cow;

use bedrock_emulator::{
    tape::{Recording, with_account},
    wire::Body,
};

use crate::{Exchange, stream};

/// What AWS's documentation calls itself in examples.
pub const EXAMPLE_ACCOUNT: &str = "123456789012";

/// Request headers that say something about the request. All others (signatures, tokens, cookies,
/// the client's name) stay behind.
const REQUEST_KEPT: &[&str] = &[
    "content-type",
    "accept",
    "anthropic-version",
    "anthropic-beta",
];
const REQUEST_KEPT_PREFIX: &str = "x-amzn-bedrock-";

/// Answer headers that say nothing about the answer.
const RESPONSE_DROPPED: &[&str] = &[
    "alt-svc",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "server",
    "set-cookie",
    "strict-transport-security",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

/// The request headers that are stored.
pub fn request_headers(
    headers: impl IntoIterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let kept = headers.into_iter().filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        REQUEST_KEPT.contains(&&*name) || name.starts_with(REQUEST_KEPT_PREFIX)
    });
    kept.collect()
}

/// The answer headers that are stored.
pub fn response_headers(
    headers: impl IntoIterator<Item = (String, String)>,
) -> Vec<(String, String)> {
    let kept = headers.into_iter();
    kept.filter(|(name, _)| !RESPONSE_DROPPED.contains(&&*name.to_ascii_lowercase()))
        .collect()
}

/// Replaces account ids in ARNs by AWS's documentation example. Replays compare requests without
/// them, so the recording still answers its owner.
#[must_use]
pub fn accounts(exchange: Exchange) -> Exchange {
    let Exchange {
        recording,
        request_headers,
    } = exchange;
    let text = |text: &str| with_account(text, EXAMPLE_ACCOUNT).into_owned();
    let headers = |headers: Vec<(String, String)>| {
        let headers = headers.into_iter();
        headers.map(|(name, value)| (name, text(&value))).collect()
    };
    Exchange {
        recording: Recording {
            target: target(&recording.target),
            request: bytes(&recording.request).unwrap_or(recording.request),
            headers: headers(recording.headers),
            body: body(recording.body),
            ..recording
        },
        request_headers: headers(request_headers),
    }
}

/// In a path the colons of an ARN may be percent-encoded.
fn target(target: &str) -> String {
    let replaced = with_account(target, EXAMPLE_ACCOUNT).into_owned();
    let decoded = replaced.replace("%3A", ":").replace("%3a", ":");
    match with_account(&decoded, EXAMPLE_ACCOUNT) {
        Cow::Borrowed(_) => replaced,
        Cow::Owned(decoded) => decoded,
    }
}

/// `None` when there is nothing to replace.
fn bytes(bytes: &[u8]) -> Option<bytes::Bytes> {
    match with_account(std::str::from_utf8(bytes).ok()?, EXAMPLE_ACCOUNT) {
        Cow::Borrowed(_) => None,
        Cow::Owned(replaced) => Some(replaced.into()),
    }
}

fn body(body: Body) -> Body {
    match body {
        Body::Whole { due, bytes: whole } => Body::Whole {
            due,
            bytes: bytes(&whole).unwrap_or(whole),
        },
        Body::Frames { frames, end } => {
            let lines = stream::to_lines(&frames);
            let frames = match with_account(&lines, EXAMPLE_ACCOUNT) {
                Cow::Borrowed(_) => frames,
                Cow::Owned(replaced) => stream::from_lines(&replaced).unwrap_or(frames),
            };
            Body::Frames { frames, end }
        }
        Body::Disconnect { due } => Body::Disconnect { due },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_behind() {
        let headers = [
            "Authorization",
            "X-Amz-Security-Token",
            "Cookie",
            "X-Amz-Date",
            "User-Agent",
            "Content-Type",
            "X-Amzn-Bedrock-Trace",
        ];
        let named = |names: &[&str]| -> Vec<_> {
            let names = names.iter();
            names.map(|n| ((*n).to_owned(), "v".to_owned())).collect()
        };
        let kept = named(&["Content-Type", "X-Amzn-Bedrock-Trace"]);
        assert_eq!(request_headers(named(&headers)), kept);
        let answered = named(&[
            "Set-Cookie",
            "Date",
            "x-amzn-RequestId",
            "Transfer-Encoding",
        ]);
        assert_eq!(response_headers(answered), named(&["x-amzn-RequestId"]));
    }

    #[test]
    fn accounts_in_paths_are_found_encoded_or_not() {
        let scrubbed =
            "/model/arn:aws:bedrock:us-east-1:123456789012:inference-profile%2Fx/converse";
        for path in [
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A111122223333%3Ainference-profile%2Fx/converse",
            "/model/arn:aws:bedrock:us-east-1:111122223333:inference-profile%2Fx/converse",
        ] {
            assert_eq!(target(path), scrubbed);
        }
        assert_eq!(target("/model/a%3A0/converse"), "/model/a%3A0/converse");
    }
}

//! Tokens of lists in pages: a token is good for the list it came from, and for no other.
//!
//! AWS's are opaque. Ours are a fingerprint of the list (whose it is, where, which operation, what was
//! asked for) and the place of the next page, in hexadecimal: that fits every service model's
//! pattern, and a query string as it is.

use serde_json::Value;

use crate::{rng::hash, service::Call};

/// What Service Quotas says to a token that it has not given (pasted from live calls).
pub(crate) const UNKNOWN: &str = "You specified an invalid value for nextToken. You must get the value from \
    the response to the previous API call.";

/// The list that a request asks for, whichever page of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct List(u64);

/// What says which page is wanted, and not of what.
const OF_THE_PAGE: [&str; 6] = [
    "nextToken",
    "NextToken",
    "maxResults",
    "MaxResults",
    "MaxRecords",
    "limit",
];

impl List {
    /// The list with these filters.
    pub(crate) fn new(call: &Call<'_>, operation: &str, filters: &str) -> Self {
        let (account, region) = (&call.account.id, call.region);
        Self(hash(&format!("{account}/{region}/{operation}/{filters}")))
    }

    /// The list that the query string asks for.
    pub(crate) fn of_query(call: &Call<'_>, operation: &str) -> Self {
        let query = call.request.target.split_once('?');
        let query = query.map(|(_, query)| query).unwrap_or_default();
        let mut filters: Vec<&str> = query
            .split('&')
            .filter(|pair| {
                let name = pair.split('=').next().unwrap_or_default();
                !OF_THE_PAGE.contains(&name)
            })
            .collect();
        filters.sort_unstable();
        Self::new(call, operation, &filters.join("&"))
    }

    /// The list that a JSON body asks for.
    pub(crate) fn of_body(call: &Call<'_>, operation: &str) -> Self {
        let body = serde_json::from_slice(&call.request.body).unwrap_or_default();
        Self::of_input(call, operation, body)
    }

    /// The list that these members ask for, however they came.
    pub(crate) fn of_input(call: &Call<'_>, operation: &str, mut body: Value) -> Self {
        if let Some(members) = body.as_object_mut() {
            members.retain(|name, value| !value.is_null() && !OF_THE_PAGE.contains(&&**name));
        }
        Self::new(call, operation, &body.to_string())
    }

    /// The token of the page that begins at `place`.
    pub(crate) fn token(self, place: usize) -> String {
        format!("{:016x}{place:08x}", self.0)
    }

    /// Where the page of this token begins; `None` if it is none of this list's.
    pub(crate) fn place(self, token: &str) -> Option<usize> {
        let place = token.strip_prefix(&format!("{:016x}", self.0))?;
        let digits = place.len() >= 8 && place.bytes().all(|b| b.is_ascii_hexdigit());
        digits.then(|| usize::from_str_radix(place, 16).ok())?
    }

    /// The same as a number, for tokens of another form.
    pub(crate) fn fingerprint(self) -> u64 {
        self.0
    }
}

//! Lists in pages, asked for in the body.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::quota::{Quota, illegal};
use crate::error::{ApiError, Code};

/// The most of one page, and how many it has when nobody asks (service model; the latter is chosen).
const MOST: i64 = 100;

/// The page that is asked for, and the next one's token.
pub(super) fn page(
    mut quotas: Vec<Quota>,
    size: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<Quota>, Option<String>), ApiError> {
    let size = size.unwrap_or(MOST);
    let limit = if size < 1 {
        Some("greater than or equal to 1")
    } else if size > MOST {
        Some("less than or equal to 100")
    } else {
        None
    };
    if let Some(limit) = limit {
        return Err(illegal(format!(
            "1 validation error detected: Value '{size}' at 'maxResults' failed to satisfy \
             constraint: Member must have value {limit}"
        )));
    }
    let start = match token {
        None => 0,
        Some(token) => place(token, quotas.len())?,
    };
    let mut page = quotas.split_off(start);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let next = (page.len() > size).then(|| STANDARD.encode((start + size).to_string()));
    page.truncate(size);
    Ok((page, next))
}

/// A token is the number of the first quota, in base64: the service model's pattern wants that.
fn place(token: &str, count: usize) -> Result<usize, ApiError> {
    let bytes = STANDARD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text.and_then(|text| text.parse().ok());
    place.filter(|place| *place <= count).ok_or_else(|| {
        ApiError::front_door(
            Code::InvalidPaginationToken,
            "The pagination token is not valid.",
        )
    })
}

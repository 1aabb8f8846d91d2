//! Lists in pages, asked for in the body.

use super::quota::{Quota, illegal};
use crate::{
    error::{ApiError, Code},
    page_token::{self, List},
};

/// The most of one page, and how many it has when nobody asks (service model; the latter is chosen).
const MOST: i64 = 100;

/// The page that is asked for, and the next one's token.
pub(super) fn page(
    mut quotas: Vec<Quota>,
    size: Option<i64>,
    token: Option<&str>,
    list: List,
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
        Some(token) => list.place(token).ok_or_else(unknown)?.min(quotas.len()),
    };
    let mut page = quotas.split_off(start);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let next = (page.len() > size).then(|| list.token(start + size));
    page.truncate(size);
    Ok((page, next))
}

fn unknown() -> ApiError {
    ApiError::front_door(Code::InvalidPaginationToken, page_token::UNKNOWN)
}

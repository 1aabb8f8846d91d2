//! Pages of a list, and the markers that lead from one to the next.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::{error::ApiError, neighbour::Visit};

use super::error::{constraint, invalid};

/// Whatever is asked for, a page has no more (API reference).
const PAGE_MAX: usize = 50;

/// The page of `all` that `MaxItems` and `Marker` ask for, and the next page's marker. `all` is
/// sorted by `name`; a page begins behind the name that its marker holds, be it still there or not.
pub(super) fn page<T>(
    visit: &Visit,
    all: Vec<T>,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    let size = match visit.query("MaxItems") {
        None => PAGE_MAX,
        Some(text) => {
            let asked = text.parse::<usize>().ok();
            let asked = asked.filter(|asked| (1..=10_000).contains(asked));
            let rule = "have value between 1 and 10000";
            PAGE_MAX.min(asked.ok_or_else(|| constraint(text, "maxItems", rule))?)
        }
    };
    // A marker leads on in its own list only.
    let list = format!("{} {} {} ", visit.operation, visit.account, visit.region);
    let behind = visit.query("Marker").filter(|text| !text.is_empty());
    let behind = behind.map(|marker| {
        let bytes = STANDARD.decode(marker).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let name = text.and_then(|text| text.strip_prefix(&list).map(str::to_owned));
        name.ok_or_else(|| invalid("The Marker is not one that this list gave out."))
    });
    let behind = behind.transpose()?;
    let rest = all
        .into_iter()
        .filter(|item| behind.as_deref().is_none_or(|behind| name(item) > behind));
    let mut rest: Vec<T> = rest.collect();
    if rest.len() <= size {
        return Ok((rest, None));
    }
    rest.truncate(size);
    let end = rest.last().map(|item| format!("{list}{}", name(item)));
    Ok((rest, end.map(|text| STANDARD.encode(text))))
}

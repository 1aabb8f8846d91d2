//! The moment of signing: how it is written, and how far it may be from now.

use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::{incomplete, invalid};
use crate::{error::ApiError, sigv4::Authorization};

/// Five minutes either way (recorded).
const WINDOW: Duration = Duration::minutes(5);

/// Reads `X-Amz-Date`, which must be of the scope's day.
pub(super) fn signed_on(
    text: &str,
    authorization: &Authorization<'_>,
) -> Result<OffsetDateTime, ApiError> {
    let time = parse_basic(text).ok_or_else(|| {
        incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{text}'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
        ))
    })?;
    let day = text.get(..8).unwrap_or_default();
    if day != authorization.date {
        return Err(invalid(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
             from HTTP: '{}' != '{day}', from '{text}'.",
            authorization.date
        )));
    }
    Ok(time)
}

/// A request is good for five minutes, before and after.
pub(super) fn skew(
    text: &str,
    signed_on: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<(), ApiError> {
    if signed_on < now - WINDOW {
        let (earliest, now) = (basic(now - WINDOW), basic(now));
        return Err(invalid(format!(
            "Signature expired: {text} is now earlier than {earliest} ({now} - 5 min.)"
        )));
    }
    not_before(text, signed_on, now)
}

/// What was signed in advance is good for as long as it says.
pub(super) fn expiry(
    text: &str,
    signed_on: OffsetDateTime,
    lasts: Duration,
    now: OffsetDateTime,
) -> Result<(), ApiError> {
    if now >= signed_on + lasts {
        let (end, now) = (basic(signed_on + lasts), basic(now));
        return Err(invalid(format!(
            "Signature expired: {end} is now earlier than {now}"
        )));
    }
    not_before(text, signed_on, now)
}

fn not_before(text: &str, signed_on: OffsetDateTime, now: OffsetDateTime) -> Result<(), ApiError> {
    if signed_on <= now + WINDOW {
        return Ok(());
    }
    let (latest, now) = (basic(now + WINDOW), basic(now));
    Err(invalid(format!(
        "Signature not yet current: {text} is still later than {latest} ({now} + 5 min.)"
    )))
}

/// Reads `20260819T143434Z`.
fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok())?
    };
    if text.len() != 16 || text.as_bytes()[8] != b'T' || !text.ends_with('Z') {
        return None;
    }
    let small = |range| u8::try_from(digits(range)?).ok();
    let month = Month::try_from(small(4..6)?).ok()?;
    let date = Date::from_calendar_date(i32::from(digits(0..4)?), month, small(6..8)?).ok()?;
    let time = Time::from_hms(small(9..11)?, small(11..13)?, small(13..15)?).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// `20260819T143434Z`.
pub(super) fn basic(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

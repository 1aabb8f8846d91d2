//! Ids that nobody else has.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use time::OffsetDateTime;

/// 128 bits from the standard library's randomly keyed hasher: unique, which is all an id needs,
/// without a crate for randomness in every student's build.
pub(crate) fn random() -> u128 {
    let half = || u128::from(RandomState::new().hash_one(0));
    (half() << 64) | half()
}

/// A request id: a version 4 UUID.
pub(crate) fn request_id() -> String {
    let bits = random() & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// An X-Ray header for an invocation that brought none; not sampled.
pub(crate) fn trace_id(now: OffsetDateTime) -> String {
    let seconds = now.unix_timestamp();
    let root = random() >> 32;
    let parent = random() >> 64;
    format!("Root=1-{seconds:08x}-{root:024x};Parent={parent:016x};Sampled=0")
}

/// `2026/11/22/[$LATEST]0123…`: the form of Lambda's log streams.
pub(crate) fn log_stream(now: OffsetDateTime, version: &str) -> String {
    let (year, month, day) = (now.year(), u8::from(now.month()), now.day());
    format!("{year:04}/{month:02}/{day:02}/[{version}]{:032x}", random())
}

/// Milliseconds as Lambda's log lines give them: two decimals.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        let id = request_id();
        assert_eq!(id.len(), 36, "{id}");
        assert_eq!(&id[14..15], "4", "{id}");
        assert!("89ab".contains(&id[19..20]), "{id}");
        assert_ne!(id, request_id());
    }

    #[test]
    fn a_log_stream_has_lambdas_form() {
        let stream = log_stream(OffsetDateTime::UNIX_EPOCH, "$LATEST");
        let id = stream.strip_prefix("1970/01/01/[$LATEST]").unwrap();
        assert_eq!(id.len(), 32);
    }

    #[test]
    fn a_trace_id_has_x_rays_form() {
        let trace = trace_id(OffsetDateTime::UNIX_EPOCH);
        assert!(trace.starts_with("Root=1-00000000-"), "{trace}");
        assert_eq!(
            trace.len(),
            "Root=1-".len() + 33 + ";Parent=".len() + 16 + 10
        );
    }
}

//! Texts of known formats.

/// What a text of a known format looks like in a prompt; `^$` for those nobody writes there.
pub(super) fn shape(format: &str) -> Option<&'static str> {
    Some(match format {
        "date" => r"^\d{4}-\d{2}-\d{2}$",
        "date-time" => r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$",
        "time" => r"^\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$",
        "email" | "idn-email" => r"^[A-Za-z0-9._-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        "uri" | "url" | "iri" => r"^https?://[A-Za-z0-9./_-]+$",
        "uuid" => "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "ipv4" => r"^\d{1,3}(\.\d{1,3}){3}$",
        "ipv6" | "hostname" | "duration" | "uri-reference" => "^$",
        _ => return None,
    })
}

/// Whether a text of the right shape is a day or a time of the calendar.
pub(super) fn is_real(format: &str, text: &str) -> bool {
    let part = |from: usize| text.get(from..from + 2).and_then(|t| t.parse::<u32>().ok());
    let day = || matches!((part(5), part(8)), (Some(1..=12), Some(1..=28)));
    let time = |at: usize| {
        matches!(
            (part(at), part(at + 3), part(at + 6)),
            (Some(0..=23), Some(0..=59), Some(0..=59))
        ) && text.ends_with('Z')
    };
    match format {
        "date" => day(),
        "time" => time(0),
        "date-time" => day() && time(11),
        "ipv4" => text
            .split('.')
            .all(|n| n == "0" || !n.starts_with('0') && n.parse::<u8>().is_ok()),
        _ => true,
    }
}

/// A version 4 UUID of these bits.
pub(super) fn uuid(high: u64, low: u64) -> String {
    let hex = format!("{high:016x}{low:016x}");
    // The digits that say version 4, variant 1.
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}

//! Dates, numbers and counts as people read them.

use time::Date;

/// `18 Oct 2025`.
pub(crate) fn day(date: Date) -> String {
    let month = date.month().to_string();
    format!("{} {} {}", date.day(), &month[..3], date.year())
}

/// `2025-10-18`, for machines.
pub(crate) fn iso(date: Date) -> String {
    let month = u8::from(date.month());
    format!("{:04}-{month:02}-{:02}", date.year(), date.day())
}

/// `1 exercise`, `2 exercises`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {}", self::noun(n, noun))
}

/// `exercise` or `exercises`.
pub(crate) fn noun(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{noun}{plural}")
}

/// `40 min`, `1 h 30 min`.
pub(crate) fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// A category or tag as the last part of an address: lower-case letters, digits, hyphens.
pub(crate) fn address_part(text: &str) -> String {
    let mut part = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            part.push(c);
        } else if !part.ends_with('-') && !part.is_empty() {
            part.push('-');
        }
    }
    part.trim_end_matches('-').to_owned()
}

/// Seconds between two times in milliseconds, `+0.25 s`.
pub(crate) fn since(start: i64, t: i64) -> String {
    let ms = t.saturating_sub(start).max(0);
    format!("+{}.{:02} s", ms / 1000, ms % 1000 / 10)
}

/// A stretch of time: `0 ms`, `250 ms`, `1.4 s`, `2 min 5 s`.
pub(crate) fn took(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// Micro-dollars as dollars, with as many digits as it takes: `$0.000126`, `$1.50`.
pub(crate) fn dollars(micro_usd: u64) -> String {
    let digits = format!("{:06}", micro_usd % 1_000_000);
    let digits = digits.trim_end_matches('0');
    format!("${}.{digits:0<2}", micro_usd / 1_000_000)
}

/// `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use time::Month;

    use super::*;

    #[test]
    fn dates_and_counts_read_well() {
        let date = Date::from_calendar_date(2025, Month::October, 4).unwrap();
        assert_eq!(
            (day(date), iso(date)),
            ("4 Oct 2025".into(), "2025-10-04".into())
        );
        assert_eq!(
            (count(1, "post"), count(0, "post")),
            ("1 post".into(), "0 posts".into())
        );
        assert_eq!(since(1_000, 2_257), "+1.25 s");
        assert_eq!([40, 90, 120].map(duration), ["40 min", "1 h 30 min", "2 h"]);
    }

    #[test]
    fn times_prices_and_numbers_read_well() {
        let times = [0, 999, 1_450, 125_000].map(took);
        assert_eq!(times, ["0 ms", "999 ms", "1.4 s", "2 min 5 s"]);
        let prices = [0, 126, 1_500_000, 12_345_678].map(dollars);
        assert_eq!(prices, ["$0.00", "$0.000126", "$1.50", "$12.345678"]);
        assert_eq!([0, 999, 1_234_567].map(grouped), ["0", "999", "1,234,567"]);
    }

    #[test]
    fn any_tag_has_an_address() {
        for (tag, part) in [
            ("AWS", "aws"),
            ("CI/CD & more", "ci-cd-more"),
            ("  Zürich!", "zürich"),
        ] {
            assert_eq!(address_part(tag), part);
        }
    }
}

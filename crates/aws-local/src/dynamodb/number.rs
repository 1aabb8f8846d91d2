//! `DynamoDB`'s numbers: exact decimals of up to 38 significant digits, between 1E-130 and
//! 9.99…E+125 in magnitude (developer guide, "Naming rules and data types").

use std::{cmp::Ordering, fmt};

/// Significant digits at most.
const DIGITS_MAX: u32 = 38;
/// The exponents of the first digit.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// A number, as exact as it was written.
///
/// Equal values are equal whatever their spelling, and order is the order of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    /// Of the first digit: 1 for 12.5, -1 for 0.1; 0 for zero.
    exponent: i16,
    /// 38 digits, the first of them not 0; 0 for zero.
    mantissa: u128,
}

/// Why something is no number, in the service's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// Not a decimal number at all.
    Text,
    TooManyDigits,
    Overflow,
    Underflow,
}

impl NumberError {
    /// What the service says about `text`.
    pub(crate) fn message(self, text: &str) -> String {
        match self {
            Self::Text if text.is_empty() => {
                "The parameter cannot be converted to a numeric value".to_owned()
            }
            Self::Text => format!("The parameter cannot be converted to a numeric value: {text}"),
            Self::TooManyDigits => {
                "Attempting to store more than 38 significant digits in a Number".to_owned()
            }
            Self::Overflow => {
                "Number overflow. Attempting to store a number with magnitude larger \
                               than supported range"
                    .to_owned()
            }
            Self::Underflow => "Number underflow. Attempting to store a number with magnitude \
                                smaller than supported range"
                .to_owned(),
        }
    }
}

impl Number {
    const ZERO: Self = Self {
        negative: false,
        exponent: 0,
        mantissa: 0,
    };

    /// Reads `-12.5`, `1e3`, `.5`, `+7`.
    pub(crate) fn parse(text: &str) -> Result<Self, NumberError> {
        let (negative, rest) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        let (digits, shift) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        if all().next().is_none() || !all().all(|digit| digit.is_ascii_digit()) {
            return Err(NumberError::Text);
        }
        // Where the first digit that counts stands before (or after) the point.
        let Some(leading) = all().position(|digit| digit != b'0') else {
            return Ok(Self::ZERO);
        };
        let places = |n: usize| i64::try_from(n).unwrap_or(i64::MAX / 4);
        let first = places(whole.len()) - 1 - places(leading) + shift;
        let significant = all().rposition_of_nonzero() - leading + 1;
        if first > *EXPONENTS.end() {
            return Err(NumberError::Overflow);
        }
        if first < *EXPONENTS.start() {
            return Err(NumberError::Underflow);
        }
        if significant > DIGITS_MAX as usize {
            return Err(NumberError::TooManyDigits);
        }
        let value = all()
            .skip(leading)
            .take(significant)
            .fold(0_u128, |sum, digit| sum * 10 + u128::from(digit - b'0'));
        Self::scaled(negative, value, first - places(significant) + 1)
    }

    /// `value × 10^low`.
    fn scaled(negative: bool, value: u128, low: i64) -> Result<Self, NumberError> {
        let (mut value, mut low) = (value, low);
        if value == 0 {
            return Ok(Self::ZERO);
        }
        while value.is_multiple_of(10) {
            value /= 10;
            low += 1;
        }
        let digits = value.ilog10() + 1;
        let exponent = low + i64::from(digits) - 1;
        if exponent > *EXPONENTS.end() {
            return Err(NumberError::Overflow);
        }
        if exponent < *EXPONENTS.start() {
            return Err(NumberError::Underflow);
        }
        if digits > DIGITS_MAX {
            return Err(NumberError::TooManyDigits);
        }
        Ok(Self {
            negative,
            exponent: i16::try_from(exponent).unwrap_or_default(),
            mantissa: value * 10_u128.pow(DIGITS_MAX - digits),
        })
    }

    /// The digits without zeros at the end, and the exponent of the last of them.
    fn parts(self) -> (u128, i64) {
        if self.mantissa == 0 {
            return (0, 0);
        }
        let mut value = self.mantissa;
        let mut low = i64::from(self.exponent) + 1 - i64::from(DIGITS_MAX);
        while value.is_multiple_of(10) {
            value /= 10;
            low += 1;
        }
        (value, low)
    }

    /// The sum, exactly.
    pub(crate) fn plus(self, other: Self) -> Result<Self, NumberError> {
        let ((a, low_a), (b, low_b)) = (self.parts(), other.parts());
        if a == 0 {
            return Ok(other);
        }
        if b == 0 {
            return Ok(self);
        }
        let low = low_a.min(low_b);
        // A digit at `low` counts, so what does not fit into 38 digits above it cannot be written
        // (nor into u128, which holds all numbers of 38 digits and the few of 39 that a difference
        // may still bring down to 38).
        let aligned = |value: u128, from: i64| {
            u32::try_from(from - low)
                .ok()
                .and_then(|places| 10_u128.checked_pow(places))
                .and_then(|factor| value.checked_mul(factor))
                .ok_or(NumberError::TooManyDigits)
        };
        let (a, b) = (aligned(a, low_a)?, aligned(b, low_b)?);
        if self.negative == other.negative {
            let sum = a.checked_add(b).ok_or(NumberError::TooManyDigits)?;
            Self::scaled(self.negative, sum, low)
        } else if a >= b {
            Self::scaled(self.negative, a - b, low)
        } else {
            Self::scaled(other.negative, b - a, low)
        }
    }

    /// The same with the other sign.
    pub(crate) fn negated(self) -> Self {
        Self {
            negative: !self.negative && self.mantissa != 0,
            ..self
        }
    }

    /// Its part in the size of an item: a byte, another for two digits each, another for the sign.
    pub(crate) fn size(self) -> usize {
        let (value, _) = self.parts();
        let digits = value.checked_ilog10().map_or(0, |log| log as usize + 1);
        1 + digits.div_ceil(2) + usize::from(self.negative)
    }

    /// How it weighs against 0.
    fn sign(self) -> i8 {
        match (self.mantissa, self.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }
}

/// What stands after the `e`; what is far out of range stays so.
fn exponent(text: &str) -> Result<i64, NumberError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(NumberError::Text);
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 4);
    Ok(if text.starts_with('-') { -size } else { size })
}

/// The place of the last digit that is not 0.
trait LastDigit: Iterator<Item = u8> + Sized {
    fn rposition_of_nonzero(self) -> usize {
        self.enumerate()
            .filter(|(_, digit)| *digit != b'0')
            .last()
            .map_or(0, |(at, _)| at)
    }
}

impl<I: Iterator<Item = u8>> LastDigit for I {}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = |n: &Self| (n.exponent, n.mantissa);
        self.sign().cmp(&other.sign()).then_with(|| {
            let order = magnitude(self).cmp(&magnitude(other));
            if self.negative {
                order.reverse()
            } else {
                order
            }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// All digits, without an exponent, as the service answers them.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, low) = self.parts();
        if self.negative {
            f.write_str("-")?;
        }
        let digits = value.to_string();
        let places = |n: i64| usize::try_from(n).unwrap_or_default();
        if low >= 0 {
            return write!(f, "{digits}{}", "0".repeat(places(low)));
        }
        let fraction = places(-low);
        if let Some(whole) = digits.len().checked_sub(fraction).filter(|n| *n > 0) {
            write!(f, "{}.{}", &digits[..whole], &digits[whole..])
        } else {
            write!(f, "0.{}{digits}", "0".repeat(fraction - digits.len()))
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        // 19 digits: always in range.
        Self::scaled(value < 0, u128::from(value.unsigned_abs()), 0).unwrap_or(Self::ZERO)
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "small random numbers"
    )]

    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn numbers_are_written_in_their_shortest_plain_form() {
        let rows = [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("+7", "7"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0.001", "-0.001"),
            ("1e3", "1000"),
            ("12.5E-3", "0.0125"),
            ("100", "100"),
            ("0.1e1", "1"),
            (
                "12345678901234567890123456789012345678",
                "12345678901234567890123456789012345678",
            ),
            ("0e9999999999999999999999", "0"),
        ];
        for (text, written) in rows {
            assert_eq!(number(text).to_string(), written, "{text}");
        }
        let largest = format!("{}{}", "9".repeat(38), "0".repeat(88));
        assert_eq!(
            number(&format!("{}e88", "9".repeat(38))).to_string(),
            largest
        );
        assert_eq!(
            number("1e-130").to_string(),
            format!("0.{}1", "0".repeat(129))
        );
    }

    #[test]
    fn what_is_no_number_says_why() {
        use NumberError::{Overflow, Text, TooManyDigits, Underflow};
        let rows = [
            ("", Text),
            ("-", Text),
            (".", Text),
            ("e5", Text),
            ("1e", Text),
            ("1e+", Text),
            ("--1", Text),
            ("1.2.3", Text),
            (" 1", Text),
            ("0x10", Text),
            ("NaN", Text),
            ("Infinity", Text),
            ("１", Text),
            ("1e126", Overflow),
            ("-1e126", Overflow),
            ("1e99999999999999999999", Overflow),
            ("1e-131", Underflow),
            ("1e-99999999999999999999", Underflow),
            ("123456789012345678901234567890123456789", TooManyDigits),
            ("1.00000000000000000000000000000000000001", TooManyDigits),
        ];
        for (text, error) in rows {
            assert_eq!(Number::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn order_is_the_order_of_the_values() {
        let rows = [
            "-9e125", "-1e38", "-10", "-2", "-1.5", "-1", "-0.5", "-1e-130", "0", "1e-130", "0.09",
            "0.5", "0.51", "1", "1.5", "2", "9", "10", "99", "100", "1e38", "9e125",
        ];
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                assert_eq!(number(a).cmp(&number(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let nines = "9".repeat(38);
        let rows = [
            ("1", "2", Ok("3".to_owned())),
            ("0.1", "0.2", Ok("0.3".to_owned())),
            ("1", "-1", Ok("0".to_owned())),
            (
                "1e20",
                "1e-10",
                Ok(format!("1{}.0000000001", "0".repeat(20))),
            ),
            ("1e38", "-1", Ok(nines.clone())),
            (&nines, "1", Ok(format!("1{}", "0".repeat(38)))),
            ("1e38", "1", Err(NumberError::TooManyDigits)),
            ("1e125", "1e-130", Err(NumberError::TooManyDigits)),
            ("9e125", "9e125", Err(NumberError::Overflow)),
            ("0", "-5", Ok("-5".to_owned())),
        ];
        for (a, b, sum) in rows {
            let (x, y) = (number(a), number(b));
            assert_eq!(x.plus(y).map(|n| n.to_string()), sum, "{a} + {b}");
            assert_eq!(x.plus(y), y.plus(x), "{a} + {b}");
        }
    }

    /// Any number is written so that it is read again, is ordered as its value is, and sums come
    /// back when they are taken apart.
    #[test]
    fn any_number_keeps_its_value_and_place() {
        let mut seed = 0x2545_F491_4F6C_DD1D_u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let mut texts = Vec::new();
        for _ in 0..300 {
            let sign = ["", "-", "+"][random(3) as usize];
            let digits: String = (0..=random(15))
                .map(|_| char::from(b'0' + random(10) as u8))
                .collect();
            let point = random(digits.len() as u64 + 1) as usize;
            let (whole, fraction) = digits.split_at(point);
            texts.push(format!(
                "{sign}{whole}.{fraction}e{}",
                random(60) as i64 - 30
            ));
        }
        for a in &texts {
            let x = number(a);
            assert_eq!(number(&x.to_string()), x, "{a}");
            assert_eq!(x.negated().negated(), x, "{a}");
            assert!((1..=21).contains(&x.size()), "{a}");
            for b in &texts {
                let y = number(b);
                // Two decimals of 16 digits may be one f64, but never change places.
                let float = |text: &str| text.parse::<f64>().unwrap();
                let floats = float(a).partial_cmp(&float(b)).unwrap();
                assert!(x.cmp(&y) == floats || floats.is_eq(), "{a} {b}");
                if let Ok(sum) = x.plus(y) {
                    assert_eq!(sum.plus(y.negated()), Ok(x), "{a} + {b}");
                }
            }
        }
    }
}

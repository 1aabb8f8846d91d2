//! CBOR, as RPC v2 carries requests and answers: read by ciborium into a [`Value`], written from a
//! [`Shape`].

use ciborium::{de::Error, value::Value as Cbor};
use serde_json::{Map, Value};

use super::{Shape, shape::in_seconds};

/// Requests of this service are a few levels deep.
const DEPTH_MAX: usize = 16;

/// The tag of seconds since the Unix epoch.
const EPOCH: u8 = 1;

/// Why bytes cannot be read.
pub(super) type Unreadable = Error<std::io::Error>;

/// One value; times become numbers.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    value(ciborium::de::from_reader_with_recursion_limit(
        bytes, DEPTH_MAX,
    )?)
}

fn value(cbor: Cbor) -> Result<Value, Unreadable> {
    let not = |what: &str| Error::Semantic(None, format!("{what} is not expected"));
    Ok(match cbor {
        Cbor::Bool(yes) => yes.into(),
        Cbor::Null => Value::Null,
        Cbor::Integer(number) => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => return Err(not("so large a number")),
        },
        Cbor::Float(number) => number.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Tag(_, inside) => value(*inside)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(value).collect::<Result<_, _>>()?),
        Cbor::Map(members) => {
            let members = members.into_iter().map(|(name, inside)| {
                let name = name
                    .into_text()
                    .map_err(|_| not("a name that is no text"))?;
                Ok((name, value(inside)?))
            });
            Value::Object(members.collect::<Result<Map<_, _>, Unreadable>>()?)
        }
        _ => return Err(not("a value of this type")),
    })
}

/// An answer's bytes. Written by hand, because a number must stay a double: a codec that writes the
/// shortest form would send halves, which not every SDK reads.
pub(super) fn write(shape: &Shape) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, shape);
    bytes
}

/// An error's bytes: its name and its words.
pub(crate) fn error(name: &str, message: &str) -> Vec<u8> {
    write(&Shape::Members(vec![
        (
            "__type",
            format!("com.amazonaws.cloudwatch#{name}").as_str().into(),
        ),
        ("message", message.into()),
    ]))
}

/// Major types of CBOR, in the upper three bits of an item's first byte (RFC 8949).
const UNSIGNED: u8 = 0 << 5;
const NEGATIVE: u8 = 1 << 5;
const TEXT: u8 = 3 << 5;
const ARRAY: u8 = 4 << 5;
const MAP: u8 = 5 << 5;
const TAG: u8 = 6 << 5;
const DOUBLE: u8 = 0xFB;
const FALSE: u8 = 0xF4;
const TRUE: u8 = 0xF5;

fn put(into: &mut Vec<u8>, shape: &Shape) {
    match shape {
        Shape::Text(text) => put_text(into, text),
        Shape::Number(number) => put_number(into, *number),
        Shape::Whole(number) => put_whole(into, *number),
        Shape::Flag(yes) => into.push(if *yes { TRUE } else { FALSE }),
        Shape::Millis(ms) => {
            into.push(TAG | EPOCH);
            put_number(into, in_seconds(*ms));
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds since the epoch are far below 2^53"
        )]
        Shape::Time(seconds) => {
            into.push(TAG | EPOCH);
            put_number(into, *seconds as f64);
        }
        Shape::List(list) => {
            put_head(into, ARRAY, list.len());
            for item in list {
                put(into, item);
            }
        }
        Shape::Numbers(pairs) => {
            put_head(into, MAP, pairs.len());
            for (key, number) in pairs {
                put_text(into, key);
                put_number(into, *number);
            }
        }
        Shape::Members(members) => {
            put_head(into, MAP, members.len());
            for (name, shape) in members {
                put_text(into, name);
                put(into, shape);
            }
        }
    }
}

fn put_text(into: &mut Vec<u8>, text: &str) {
    put_head(into, TEXT, text.len());
    into.extend_from_slice(text.as_bytes());
}

/// A whole number: below zero as how far it is below -1.
fn put_whole(into: &mut Vec<u8>, number: i64) {
    let (major, size) = if number < 0 {
        (NEGATIVE, !number)
    } else {
        (UNSIGNED, number)
    };
    into.push(major | 0x1B);
    into.extend_from_slice(&size.to_be_bytes());
}

fn put_number(into: &mut Vec<u8>, number: f64) {
    into.push(DOUBLE);
    into.extend_from_slice(&number.to_be_bytes());
}

/// The type and how much of it there is: in the first byte up to 23, else in four bytes behind it.
fn put_head(into: &mut Vec<u8>, major: u8, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short < 24 => into.push(major | short),
        _ => {
            into.push(major | 0x1A);
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            into.extend_from_slice(&length.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_can_be_read() {
        let shape = Shape::Members(vec![
            ("A", "ä".into()),
            ("B", Shape::List(vec![Shape::Number(1.5), Shape::Time(60)])),
            (
                "C",
                Shape::List(vec![Shape::Whole(300), Shape::Whole(-2), Shape::Flag(true)]),
            ),
            ("D", Shape::Millis(1_500)),
        ]);
        let read = read(&write(&shape)).unwrap();
        let wanted = json!({"A": "ä", "B": [1.5, 60.0], "C": [300, -2, true], "D": 1.5});
        assert_eq!(read, wanted);
    }

    /// As the Rust SDK writes: maps and lists without a length.
    #[test]
    fn indefinite_lengths_are_read() {
        let bytes = [
            0xbf, 0x61, b'a', 0x9f, 0x01, 0x20, 0xff, 0x61, b'b', 0x7f, 0x61, b'x', 0x61, b'y',
            0xff, 0x61, b'c', 0xf6, 0xff,
        ];
        assert_eq!(
            read(&bytes).unwrap(),
            json!({"a": [1, -1], "b": "xy", "c": null})
        );
    }

    #[test]
    fn broken_bytes_are_an_error() {
        for bytes in [
            &[][..],
            &[0xbf],
            &[0x61],
            &[0x9f; 40],
            &[0x81; 40],
            &[0x9b; 9],
            &[0x40],
        ] {
            read(bytes).unwrap_err();
        }
    }
}

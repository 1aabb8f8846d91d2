//! CBOR, as RPC v2 carries requests and answers. The codec is minicbor's; this maps it to [`Value`]
//! and [`Shape`].

use minicbor::{
    Decoder, Encoder,
    data::{Tag, Type},
    decode,
};
use serde_json::{Map, Value};

use super::Shape;

/// Requests of this service are a few levels deep.
const DEPTH_MAX: usize = 16;

/// Seconds since the Unix epoch.
const EPOCH: u64 = 1;

/// One value; times become numbers.
pub(super) fn read(bytes: &[u8]) -> Result<Value, decode::Error> {
    value(&mut Decoder::new(bytes), DEPTH_MAX)
}

fn value(from: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(decode::Error::message("too deep"));
    };
    Ok(match from.datatype()? {
        Type::Bool => from.bool()?.into(),
        Type::Null | Type::Undefined => {
            from.skip()?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => from.u64()?.into(),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => from.i64()?.into(),
        Type::F32 => f64::from(from.f32()?).into(),
        Type::F64 => from.f64()?.into(),
        Type::String => from.str()?.into(),
        Type::StringIndef => {
            let parts: Result<String, _> = from.str_iter()?.collect();
            parts?.into()
        }
        Type::Array | Type::ArrayIndef => list(from, depth)?,
        Type::Map | Type::MapIndef => members(from, depth)?,
        Type::Tag => {
            from.tag()?;
            value(from, depth)?
        }
        other => return Err(decode::Error::type_mismatch(other)),
    })
}

fn list(from: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
    let mut items = Vec::new();
    let mut left = from.array()?;
    while more(from, &mut left)? {
        items.push(value(from, depth)?);
    }
    Ok(items.into())
}

fn members(from: &mut Decoder<'_>, depth: usize) -> Result<Value, decode::Error> {
    let mut map = Map::new();
    let mut left = from.map()?;
    while more(from, &mut left)? {
        let name = from.str()?.to_owned();
        map.insert(name, value(from, depth)?);
    }
    Ok(map.into())
}

/// Whether another item follows: a counted one, or none behind the break.
fn more(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, decode::Error> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => {
            from.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// An answer's bytes.
pub(super) fn write(shape: &Shape) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing into memory cannot fail.
    let _ = put(&mut encoder, shape);
    encoder.into_writer()
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

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn put(into: &mut Encoder<Vec<u8>>, shape: &Shape) -> Written {
    match shape {
        Shape::Text(text) => into.str(text)?.ok(),
        Shape::Number(number) => into.f64(*number)?.ok(),
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds since the epoch are far below 2^53"
        )]
        Shape::Time(seconds) => into.tag(Tag::new(EPOCH))?.f64(*seconds as f64)?.ok(),
        Shape::List(list) => {
            into.array(list.len() as u64)?;
            list.iter().try_for_each(|item| put(into, item))
        }
        Shape::Numbers(pairs) => {
            into.map(pairs.len() as u64)?;
            pairs
                .iter()
                .try_for_each(|(key, number)| into.str(key)?.f64(*number)?.ok())
        }
        Shape::Members(members) => {
            into.map(members.len() as u64)?;
            members.iter().try_for_each(|(name, shape)| {
                into.str(name)?;
                put(into, shape)
            })
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
        ]);
        let read = read(&write(&shape)).unwrap();
        assert_eq!(read, json!({"A": "ä", "B": [1.5, 60.0]}));
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

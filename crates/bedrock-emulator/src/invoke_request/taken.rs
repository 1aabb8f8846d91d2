//! Bodies that a model reads itself: everything is taken in, whatever its type, and what is wrong
//! with it is told afterwards, with its path and in Anthropic's words.
//!
//! One pass over the bytes fills the types; a member that has the wrong type is remembered as
//! [`Member::Wrong`], an unknown one by its name. Of two members with one name the last counts, as
//! in the JSON readers of Python.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::place::Place;

/// What the model has against a request, without the prefix that Converse puts before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint(pub(crate) String);

/// A member of a structure, or an element of a list.
#[derive(Debug, Clone, Default)]
pub(crate) enum Member<T> {
    /// It was not sent.
    #[default]
    Absent,
    Null,
    /// It is not a `T`.
    Wrong,
    Is(T),
}

/// What a member can be, by the kinds of JSON.
pub(crate) trait Shape<'de>: Sized {
    /// As in `Input should be …`.
    const WANTED: &'static str;

    fn of_str(_text: &str) -> Option<Self> {
        None
    }
    fn of_bool(_flag: bool) -> Option<Self> {
        None
    }
    fn of_integer(_number: i64) -> Option<Self> {
        None
    }
    fn of_float(_number: f64) -> Option<Self> {
        None
    }
    fn of_seq<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn of_map<A: MapAccess<'de>>(mut members: A) -> Result<Option<Self>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<T> Member<T> {
    pub(crate) const fn is_sent(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'de, T: Shape<'de>> Member<T> {
    /// The value; it must be there.
    pub(crate) fn required(self, at: &Place<'_>) -> Result<T, Complaint> {
        match self {
            Self::Is(value) => Ok(value),
            Self::Absent => Err(field_required(at)),
            Self::Null | Self::Wrong => Err(should_be(at, T::WANTED)),
        }
    }

    /// The value, if it is there; `null` counts as not there.
    pub(crate) fn optional(self, at: &Place<'_>) -> Result<Option<T>, Complaint> {
        match self {
            Self::Is(value) => Ok(Some(value)),
            Self::Absent | Self::Null => Ok(None),
            Self::Wrong => Err(should_be(at, T::WANTED)),
        }
    }
}

pub(crate) fn field_required(at: &Place<'_>) -> Complaint {
    Complaint(format!("{at}: Field required"))
}

pub(crate) fn should_be(at: &Place<'_>, wanted: &str) -> Complaint {
    Complaint(format!("{at}: Input should be {wanted}"))
}

pub(crate) fn extra_input(at: &Place<'_>) -> Complaint {
    Complaint(format!("{at}: Extra inputs are not permitted"))
}

/// None of the tags that a structure may have.
pub(crate) fn unknown_tag(at: &Place<'_>, tag: &str, tags: &[&str]) -> Complaint {
    let tags: Vec<_> = tags.iter().map(|tag| format!("'{tag}'")).collect();
    Complaint(format!(
        "{at}: Input tag '{tag}' found using 'type' does not match any of the expected tags: {}",
        tags.join(", ")
    ))
}

impl<'de, T: Shape<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Taker(PhantomData))
    }
}

struct Taker<T>(PhantomData<T>);

impl<'de, T: Shape<'de>> Visitor<'de> for Taker<T> {
    type Value = Member<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }
    fn visit_unit<E>(self) -> Result<Member<T>, E> {
        Ok(Member::Null)
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Member<T>, E> {
        Ok(member(T::of_bool(flag)))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Member<T>, E> {
        Ok(member(T::of_integer(number)))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Member<T>, E> {
        // Nothing here may be as large as that; what counts is that it is too large.
        Ok(member(T::of_integer(
            i64::try_from(number).unwrap_or(i64::MAX),
        )))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Member<T>, E> {
        Ok(member(T::of_float(number)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Member<T>, E> {
        Ok(member(T::of_str(text)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Member<T>, A::Error> {
        T::of_seq(items).map(member)
    }
    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Member<T>, A::Error> {
        T::of_map(members).map(member)
    }
}

fn member<T>(found: Option<T>) -> Member<T> {
    found.map_or(Member::Wrong, Member::Is)
}

impl Shape<'_> for String {
    const WANTED: &'static str = "a valid string";
    fn of_str(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Shape<'_> for bool {
    const WANTED: &'static str = "a valid boolean";
    fn of_bool(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Shape<'_> for i64 {
    const WANTED: &'static str = "a valid integer";
    fn of_integer(number: i64) -> Option<Self> {
        Some(number)
    }
}

impl Shape<'_> for f64 {
    const WANTED: &'static str = "a valid number";
    #[expect(clippy::cast_precision_loss, reason = "what is compared is small")]
    fn of_integer(number: i64) -> Option<Self> {
        Some(number as Self)
    }
    fn of_float(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl<'de, T: Shape<'de>> Shape<'de> for Vec<Member<T>> {
    const WANTED: &'static str = "a valid list";
    fn of_seq<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut list = Self::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Some(list))
    }
}

/// A JSON object whose members are the caller's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(pub(crate) Value);

impl<'de> Shape<'de> for Object {
    const WANTED: &'static str = "a valid dictionary";
    fn of_map<A: MapAccess<'de>>(mut members: A) -> Result<Option<Self>, A::Error> {
        let mut map = serde_json::Map::new();
        while let Some((key, value)) = members.next_entry()? {
            map.insert(key, value);
        }
        Ok(Some(Self(Value::Object(map))))
    }
}

/// The name of a member, borrowed from the body when nothing in it is escaped.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(name.to_owned())))
            }
        }
        from.deserialize_str(Reader)
    }
}

/// What all structures can do.
pub(crate) trait Structure {
    /// Refuses members that nobody knows, and known ones that do not belong here.
    fn only(&self, allowed: &[&str], at: Option<&Place<'_>>) -> Result<(), Complaint>;
}

/// Structures with known members, each a [`Member`], and the names of the others.
macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident { $($field:ident $(= $key:literal)?: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub(super) struct $name {
            $(pub(super) $field: $crate::invoke_request::taken::Member<$type>,)*
            /// Members nobody knows.
            pub(super) others: Vec<String>,
        }

        impl<'de> $crate::invoke_request::taken::Shape<'de> for $name {
            const WANTED: &'static str = "a valid dictionary or object to extract fields from";

            fn of_map<A: serde::de::MapAccess<'de>>(mut members: A) -> Result<Option<Self>, A::Error> {
                let mut this = Self::default();
                while let Some(key) = members.next_key::<$crate::invoke_request::taken::Key<'de>>()? {
                    match &*key.0 {
                        $(structures!(@key $field $($key)?) => this.$field = members.next_value()?,)*
                        other => {
                            this.others.push(other.to_owned());
                            members.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Some(this))
            }
        }

        impl $crate::invoke_request::taken::Structure for $name {
            fn only(
                &self,
                allowed: &[&str],
                at: Option<&$crate::place::Place<'_>>,
            ) -> Result<(), $crate::invoke_request::taken::Complaint> {
                let extra = None
                    $(.or_else(|| {
                        let name = structures!(@key $field $($key)?);
                        (self.$field.is_sent() && !allowed.contains(&name)).then_some(name)
                    }))*;
                let extra = extra.or_else(|| self.others.first().map(String::as_str));
                match (extra, at) {
                    (None, _) => Ok(()),
                    (Some(name), Some(at)) => Err($crate::invoke_request::taken::extra_input(&at.member(name))),
                    (Some(name), None) => Err($crate::invoke_request::taken::extra_input(
                        &$crate::place::Place::root(name),
                    )),
                }
            }
        }
    )*};
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}
pub(super) use structures;

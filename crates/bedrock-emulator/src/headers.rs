//! A request's headers, kept in one string: an SDK sends a dozen, the journal keeps a thousand requests.

use std::fmt;

/// Headers in order of arrival. A name may occur more than once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Names and values, one after the other.
    text: String,
    /// Where each name and each value ends in `text`.
    ends: Vec<(usize, usize)>,
}

impl Headers {
    /// No headers yet; `count` of them with `bytes` of names and values will need no more memory.
    #[must_use]
    pub fn with_capacity(count: usize, bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            ends: Vec::with_capacity(count),
        }
    }

    /// Adds one at the end. A request's name is in lower case.
    pub fn push(&mut self, (name, value): (impl AsRef<str>, impl AsRef<str>)) {
        self.text.push_str(name.as_ref());
        let name = self.text.len();
        self.text.push_str(value.as_ref());
        self.ends.push((name, self.text.len()));
    }

    /// Gives that header this one value, in the place of its first, or else at the end.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut others = Self::with_capacity(self.len() + 1, self.bytes() + value.len());
        let mut wanted = Some((name, value));
        for header in self.iter() {
            if header.0 == name {
                others.extend(wanted.take());
            } else {
                others.push(header);
            }
        }
        others.extend(wanted);
        *self = others;
    }

    /// Takes every header of that name away.
    pub fn remove(&mut self, name: &str) {
        *self = self.iter().filter(|(other, _)| *other != name).collect();
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |&(name, end)| {
            let header = (&self.text[start..name], &self.text[name..end]);
            start = end;
            header
        })
    }

    /// The first value of that lower-case name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut start = 0;
        self.ends.iter().find_map(|&(split, end)| {
            let begin = start;
            start = end;
            let found = split - begin == name.len() && self.text[begin..split] == *name;
            found.then(|| &self.text[split..end])
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all names and values.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> Extend<(N, V)> for Headers {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, headers: I) {
        headers.into_iter().for_each(|header| self.push(header));
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut all = Self::default();
        all.extend(headers);
        all
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const COUNT: usize> From<[(N, V); COUNT]> for Headers {
    fn from(headers: [(N, V); COUNT]) -> Self {
        headers.into_iter().collect()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> From<Vec<(N, V)>> for Headers {
    fn from(headers: Vec<(N, V)>) -> Self {
        headers.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_in_order_and_the_first_of_a_name_is_found() {
        let headers = Headers::from([("host", "a"), ("x-b", ""), ("host", "c"), ("", "d")]);
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(all, [("host", "a"), ("x-b", ""), ("host", "c"), ("", "d")]);
        assert_eq!(headers.get("host"), Some("a"));
        assert_eq!(headers.get("x-b"), Some(""));
        assert_eq!(headers.get("hos"), None);
        assert_eq!((headers.len(), headers.is_empty()), (4, false));
    }

    #[test]
    fn a_header_is_set_in_its_place_and_removed_wherever_it_stands() {
        let mut headers = Headers::from([("host", "a"), ("x-b", "1"), ("host", "c")]);
        headers.set("host", "other");
        headers.set("x-new", "2");
        let all = [("host", "other"), ("x-b", "1"), ("x-new", "2")];
        assert!(headers.iter().eq(all));
        headers.remove("host");
        assert!(headers.iter().eq([("x-b", "1"), ("x-new", "2")]));
    }

    #[test]
    fn a_name_and_a_value_are_not_taken_for_each_other() {
        let one = Headers::from([("ab", "c")]);
        let other = Headers::from([("a", "bc")]);
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), r#"[("ab", "c")]"#);
    }
}

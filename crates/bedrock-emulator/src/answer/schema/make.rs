//! The generator.

mod format;
mod range;

use serde_json::{Map, Number, Value, json};

use self::{
    format::{is_real, shape, uuid},
    range::Range,
};
use super::{
    Unsatisfiable,
    check::{check_part, equal, is_named, matches_pattern},
    hint::Facts,
    merge::{Choice, Flat, add, flatten, types},
    pattern::Pattern,
};
use crate::answer::rng::Rng;

/// Proposes one value for `schema`. Each step into the schema is taken from `budget`, which the
/// caller shares between attempts: a hopeless schema costs bounded work.
pub(super) fn value(
    rng: Rng,
    schema: &Value,
    prompt: &str,
    budget: &mut usize,
) -> Result<Value, Unsatisfiable> {
    let mut maker = Maker {
        root: schema,
        rng,
        facts: Facts::of(prompt),
        steps: 0,
        budget: *budget,
    };
    let made = maker.make(schema, &Place::root());
    *budget = maker.budget;
    made
}

/// From here on only what is required is made, so that recursive schemas come to an end.
const REFERENCES_BEFORE_TERSE: usize = 3;
/// A recursive schema that has not ended by now has no end.
const MOST_REFERENCES: usize = 12;
const STEPS_BEFORE_TERSE: usize = 300;
const DEEPEST: usize = 60;
const MOST_ITEMS: usize = 5_000;

struct Maker<'a> {
    root: &'a Value,
    rng: Rng,
    facts: Facts,
    steps: usize,
    budget: usize,
}

/// Where in the value we are.
#[derive(Debug, Clone)]
struct Place {
    /// Pointer into the schema.
    at: String,
    /// Name of the property this is for.
    name: String,
    /// References followed from the root to here.
    references: usize,
    depth: usize,
    /// Whether an equal value was refused: then the prompt is no longer preferred.
    again: bool,
}

impl Place {
    fn root() -> Self {
        Self {
            at: "#".to_owned(),
            name: String::new(),
            references: 0,
            depth: 0,
            again: false,
        }
    }

    fn below(&self, step: &str, name: &str, flat: &Flat) -> Self {
        Self {
            at: format!("{}/{step}", self.at),
            name: name.to_owned(),
            references: self.references + flat.references,
            depth: self.depth + 1,
            again: self.again,
        }
    }

    fn fail<T>(&self, reason: impl Into<String>) -> Made<T> {
        Err(Unsatisfiable::new(&self.at, reason))
    }
}

type Made<T> = Result<T, Unsatisfiable>;

impl Maker<'_> {
    fn make(&mut self, schema: &Value, place: &Place) -> Made<Value> {
        self.steps += 1;
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 || place.depth > DEEPEST {
            return place.fail("the schema asks for too large a value");
        }
        let flat = flatten(self.root, schema, &place.at)?;
        self.choose(flat, place)
    }

    fn is_terse(&self, place: &Place, flat: &Flat) -> bool {
        place.references + flat.references > REFERENCES_BEFORE_TERSE
            || self.steps > STEPS_BEFORE_TERSE
    }

    /// Settles `anyOf`, `oneOf` and `if`, one group after the other.
    fn choose(&mut self, mut flat: Flat, place: &Place) -> Made<Value> {
        if place.references + flat.references > MOST_REFERENCES {
            return place.fail("the schema refers to itself without an end");
        }
        let Some(Choice {
            branches,
            exclusive,
        }) = flat.choices.pop()
        else {
            return self.typed(&flat, place);
        };
        let mut last = Unsatisfiable::new(&place.at, "there is no alternative to choose from");
        for branch in self.in_order(&branches, self.is_terse(place, &flat)) {
            let mut joined = flat.clone();
            let made = add(&mut joined, self.root, branch, &place.at, 0)
                .and_then(|()| self.choose(joined, place));
            match made {
                Ok(value) if !exclusive || self.holding(&branches, &value) == 1 => {
                    return Ok(value);
                }
                Ok(_) => {
                    last = Unsatisfiable::new(&place.at, "more than one branch of `oneOf` holds");
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn holding(&self, branches: &[Value], value: &Value) -> usize {
        branches
            .iter()
            .filter(|b| check_part(self.root, b, value).is_ok())
            .count()
    }

    /// Alternatives in the order in which they are tried: by chance, but `null` last; in terse
    /// mode the one that needs least first.
    fn in_order<'b>(&mut self, branches: &'b [Value], terse: bool) -> Vec<&'b Value> {
        let mut all: Vec<&Value> = branches.iter().collect();
        self.rng.shuffle(&mut all);
        if terse {
            all.sort_by_cached_key(|b| {
                let text = b.to_string();
                (text.contains("\"$ref\""), text.len())
            });
        } else {
            all.sort_by_key(|b| b.get("type").is_some_and(|t| t == "null"));
        }
        all
    }

    fn typed(&mut self, flat: &Flat, place: &Place) -> Made<Value> {
        let made = self.proposed(flat, place)?;
        let unwanted = flat.keywords.get("not");
        if unwanted.is_some_and(|not| check_part(self.root, not, &made).is_ok()) {
            return place.fail("what was made is what `not` forbids");
        }
        Ok(made)
    }

    fn proposed(&mut self, flat: &Flat, place: &Place) -> Made<Value> {
        if let Some(constant) = flat.keywords.get("const") {
            return Ok(constant.clone());
        }
        if let Some(allowed) = flat.keywords.get("enum").and_then(Value::as_array) {
            return self.one_of(allowed, flat, place);
        }
        let mut kinds = kinds(flat);
        self.rng.shuffle(&mut kinds);
        let terse = self.is_terse(place, flat);
        kinds.sort_by_key(|kind| match kind.as_str() {
            "null" => !terse,
            "array" | "object" => terse,
            _ => false,
        });
        let mut last = Unsatisfiable::new(&place.at, "`type` allows nothing");
        for kind in kinds {
            let made = match kind.as_str() {
                "null" => Ok(Value::Null),
                "boolean" => Ok(Value::Bool(self.rng.below(2) == 0)),
                "integer" => self.number(flat, place, true).map(Value::Number),
                "number" => self.number(flat, place, false).map(Value::Number),
                "string" => self.string(flat, place).map(Value::String),
                "array" => self.array(flat, place),
                "object" => self.object(flat, place),
                other => place.fail(format!("`{other}` is not a type of JSON")),
            };
            match made {
                Ok(value) => return Ok(value),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// One of the values of `enum`: the one that the prompt names, or any.
    fn one_of(&mut self, allowed: &[Value], flat: &Flat, place: &Place) -> Made<Value> {
        let keywords = Value::Object(flat.keywords.clone());
        let fits = |value: &&Value| check_part(self.root, &keywords, value).is_ok();
        let fitting: Vec<&Value> = allowed.iter().filter(fits).collect();
        let said = fitting
            .iter()
            .find(|v| v.as_str().is_some_and(|text| self.facts.says(text)));
        match said.filter(|_| !place.again) {
            Some(said) => Ok((*said).clone()),
            None if fitting.is_empty() => place.fail("no value of `enum` fits the other keywords"),
            None => Ok(self.rng.pick(&fitting).clone()),
        }
    }

    /// `default` or one of `examples`, if it is valid.
    fn example(&mut self, flat: &Flat) -> Option<Value> {
        let keywords = &flat.keywords;
        let examples = keywords.get("examples").and_then(Value::as_array);
        let default = keywords.get("default").into_iter();
        let all = default.chain(examples.into_iter().flatten());
        let schema = Value::Object(keywords.clone());
        let valid: Vec<&Value> = all
            .filter(|value| check_part(self.root, &schema, value).is_ok())
            .collect();
        (!valid.is_empty()).then(|| self.rng.pick(&valid).clone())
    }

    // ---- numbers

    fn number(&mut self, flat: &Flat, place: &Place, integer: bool) -> Made<Number> {
        let schema = Value::Object(flat.keywords.clone());
        let is_whole = |n: &Number| n.as_f64().is_some_and(|n| n.fract() == 0.0);
        let fits = |n: &Number| {
            let value = Value::Number(n.clone());
            (!integer || is_whole(n)) && check_part(self.root, &schema, &value).is_ok()
        };
        let said = self.facts.number(fits).filter(|_| !place.again);
        if let Some(said) = said {
            return Ok(said);
        }
        if let Some(Value::Number(example)) = self.example(flat).filter(|_| !place.again)
            && (!integer || is_whole(&example))
        {
            return Ok(example);
        }
        let range = Range::of(&flat.keywords);
        let whole = range.whole(&mut self.rng);
        let made = if integer {
            whole
        } else {
            whole.or_else(|| range.fraction(&mut self.rng))
        };
        made.map_or_else(|| place.fail("no number lies within the bounds"), Ok)
    }

    // ---- strings

    fn string(&mut self, flat: &Flat, place: &Place) -> Made<String> {
        let keywords = &flat.keywords;
        let (least, most) = lengths(keywords, "minLength", "maxLength", place)?;
        let fits = |text: &str| {
            let length = text.chars().count();
            least <= length && length <= most
        };
        if let Some(pattern) = keywords.get("pattern").and_then(Value::as_str) {
            return self.matching(pattern, flat, place, fits);
        }
        if let Some(format) = keywords.get("format").and_then(Value::as_str)
            && let Some(shape) = shape(format)
        {
            let text = self.formatted(format, shape, least, fits);
            let fail = || place.fail(format!("no {format} has a length from {least} to {most}"));
            return text.map_or_else(fail, Ok);
        }
        if !place.again {
            if let Some(said) = self.facts.text(&place.name, fits) {
                return Ok(said);
            }
            if let Some(Value::String(example)) = self.example(flat) {
                return Ok(example);
            }
        }
        let mut text = self.filler(place);
        while text.chars().count() < least {
            text = format!("{text} {}", self.filler(place));
        }
        Ok(text.chars().take(most).collect())
    }

    /// A few words that say what they stand for.
    fn filler(&mut self, place: &Place) -> String {
        const WORDS: [&str; 16] = [
            "amber", "birch", "cedar", "delta", "ember", "field", "grove", "harbour", "island",
            "juniper", "lantern", "meadow", "north", "orchard", "pebble", "river",
        ];
        let words = place.name.replace(['_', '-', '.'], " ");
        let word = self.rng.pick(&WORDS);
        let name = words.trim();
        if place.again {
            return format!("{word} {}", self.rng.below(10_000));
        }
        if name.is_empty() {
            word.to_owned()
        } else {
            format!("example {name}")
        }
    }

    fn matching(
        &mut self,
        pattern: &str,
        flat: &Flat,
        place: &Place,
        fits: impl Fn(&str) -> bool,
    ) -> Made<String> {
        const TRIES: usize = 400;
        let at = format!("{}/pattern", place.at);
        let parsed = Pattern::parse(pattern).map_err(|e| Unsatisfiable::new(&at, e))?;
        let good = |text: &str| fits(text) && parsed.matches(text);
        if !place.again {
            if let Some(said) = self.facts.word(good) {
                return Ok(said);
            }
            if let Some(Value::String(example)) = self.example(flat) {
                return Ok(example);
            }
        }
        let least = flat.keywords.get("minLength").and_then(whole).unwrap_or(0);
        for attempt in 0..TRIES {
            // Short texts first, then ever longer ones up to what `minLength` may need.
            let stretch = attempt * (least + 8) / TRIES + 2;
            let Some(mut text) = parsed.sample(&mut self.rng, stretch) else {
                continue;
            };
            while text.chars().count() < least && parsed.matches(&format!("{text}x")) {
                text.push('x');
            }
            if good(&text) {
                return Ok(text);
            }
        }
        Err(Unsatisfiable::new(
            &at,
            format!("found no text of the allowed length for {pattern}"),
        ))
    }

    /// A text of a known format, if one has a length that fits.
    fn formatted(
        &mut self,
        format: &str,
        shape: &str,
        least: usize,
        fits: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let shape = Pattern::parse(shape).ok()?;
        let in_prompt = |text: &str| shape.matches(text) && is_real(format, text) && fits(text);
        if let Some(said) = self.facts.word(in_prompt) {
            return Some(said);
        }
        let padding = "x".repeat(least.saturating_sub(40).min(MOST_ITEMS));
        let rng = &mut self.rng;
        let (month, day) = (rng.below(12) + 1, rng.below(28) + 1);
        let (hour, minute) = (rng.below(24), rng.below(60));
        let date = format!("2026-{month:02}-{day:02}");
        let time = format!("{hour:02}:{minute:02}:00Z");
        let text = match format {
            "date" => date,
            "time" => time,
            "date-time" => format!("{date}T{time}"),
            "email" | "idn-email" => format!("reader{minute}@example.com"),
            "uri" | "url" | "iri" => format!("https://example.com/page/{minute}{padding}"),
            "uuid" => uuid(rng.next(), rng.next()),
            "ipv4" => format!("192.0.2.{}", hour + minute),
            "ipv6" => format!("2001:db8::{minute:x}"),
            "hostname" => format!("host{minute}.example.com"),
            "duration" => format!("PT{}M", minute + 1),
            _ => format!("/page/{minute}{padding}"),
        };
        fits(&text).then_some(text)
    }

    // ---- arrays

    fn array(&mut self, flat: &Flat, place: &Place) -> Made<Value> {
        let keywords = &flat.keywords;
        let (least, most) = lengths(keywords, "minItems", "maxItems", place)?;
        if least > MOST_ITEMS {
            return place.fail(format!("{least} items are more than this generator makes"));
        }
        let wanted = if self.is_terse(place, flat) {
            least
        } else {
            let fewest = least.max(1);
            self.rng.between(fewest, fewest + 2)
        };
        let unique = keywords.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items: Vec<Value> = Vec::new();
        while items.len() < wanted.min(most) {
            match self.item(flat, place, &items, unique) {
                Ok(item) => items.push(item),
                Err(_) if items.len() >= least => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Value::Array(items))
    }

    fn item(&mut self, flat: &Flat, place: &Place, items: &[Value], unique: bool) -> Made<Value> {
        const TRIES: usize = 60;
        let keywords = &flat.keywords;
        let number = items.len();
        let prefix = keywords
            .get("prefixItems")
            .and_then(|prefix| prefix.get(number));
        let mut schema = prefix
            .or(keywords.get("items"))
            .cloned()
            .unwrap_or(json!(true));
        let needed = keywords.get("minContains").and_then(whole).unwrap_or(1);
        if let Some(contained) = keywords.get("contains").filter(|_| number < needed) {
            schema = json!({ "allOf": [schema, contained] });
        }
        let step = if prefix.is_some() {
            format!("prefixItems/{number}")
        } else {
            "items".to_owned()
        };
        let singular = place.name.strip_suffix('s').unwrap_or(&place.name);
        let mut place = place.below(&step, singular, flat);
        for _ in 0..TRIES {
            let item = self.make(&schema, &place)?;
            if !unique || !items.iter().any(|other| equal(other, &item)) {
                return Ok(item);
            }
            place.again = true;
        }
        place.fail("found no further item that differs from the others")
    }

    // ---- objects

    fn object(&mut self, flat: &Flat, place: &Place) -> Made<Value> {
        let keywords = &flat.keywords;
        let (least, most) = lengths(keywords, "minProperties", "maxProperties", place)?;
        let mut required = types(keywords.get("required").unwrap_or(&Value::Null));
        // Taken from the end; the first named has the first choice of what the prompt offers.
        required.reverse();
        let mut members = Map::new();
        while let Some(name) = required.pop() {
            if members.contains_key(&name) {
                continue;
            }
            let member = self.member(flat, place, &name)?;
            let needs = keywords
                .get("dependentRequired")
                .and_then(|all| all.get(&name));
            required.extend(types(needs.unwrap_or(&Value::Null)));
            members.insert(name, member);
        }
        self.optional_members(flat, place, &mut members, most);
        let free = keywords
            .get("additionalProperties")
            .is_some_and(Value::is_object)
            && !keywords.contains_key("properties")
            && !self.is_terse(place, flat);
        let wanted = least.max(usize::from(free)).min(most);
        for number in 1..=wanted.saturating_mul(4).min(MOST_ITEMS) {
            if members.len() >= wanted {
                break;
            }
            let name = self.new_name(flat, place, number)?;
            match self.member(flat, place, &name) {
                Ok(member) => {
                    members.insert(name, member);
                }
                Err(error) if members.len() < least => return Err(error),
                Err(_) => break,
            }
        }
        Ok(Value::Object(members))
    }

    /// Two of three optional properties; one that cannot be made is left out. All of them when
    /// `minProperties` needs them.
    fn optional_members(
        &mut self,
        flat: &Flat,
        place: &Place,
        members: &mut Map<String, Value>,
        most: usize,
    ) {
        let keywords = &flat.keywords;
        let least = keywords.get("minProperties").and_then(whole).unwrap_or(0);
        let named = keywords.get("properties").and_then(Value::as_object);
        let terse = self.is_terse(place, flat);
        for name in named.into_iter().flat_map(Map::keys) {
            let wanted = members.len() < least || !terse && self.rng.below(3) > 0;
            let dependent = keywords
                .get("dependentRequired")
                .and_then(|all| all.get(name));
            let needs = types(dependent.unwrap_or(&Value::Null));
            let lonely = needs.iter().any(|need| !members.contains_key(need));
            if members.contains_key(name) || !wanted || lonely || members.len() >= most {
                continue;
            }
            if let Ok(member) = self.member(flat, place, name) {
                members.insert(name.clone(), member);
            }
        }
    }

    fn member(&mut self, flat: &Flat, place: &Place, name: &str) -> Made<Value> {
        let keywords = &flat.keywords;
        let map = |key: &str| keywords.get(key).and_then(Value::as_object);
        let own = map("properties").and_then(|all| all.get(name));
        let by_pattern = map("patternProperties").into_iter().flatten();
        let by_pattern = by_pattern.filter(|(pattern, _)| matches_pattern(pattern, name));
        let mut rules: Vec<&Value> = own.into_iter().chain(by_pattern.map(|(_, s)| s)).collect();
        if !is_named(keywords, name) {
            rules.extend(keywords.get("additionalProperties"));
        }
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let below = place.below(&format!("properties/{escaped}"), name, flat);
        match rules.as_slice() {
            [one] => self.make(one, &below),
            _ => self.make(&json!({ "allOf": rules }), &below),
        }
    }

    /// A name for a property that the schema does not list.
    fn new_name(&mut self, flat: &Flat, place: &Place, number: usize) -> Made<String> {
        let keywords = &flat.keywords;
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        let pattern = patterns.and_then(|all| all.keys().next());
        let rule = keywords.get("propertyNames").cloned();
        let rule = rule.or_else(|| pattern.map(|pattern| json!({ "pattern": pattern })));
        let Some(rule) = rule else {
            return Ok(format!("key{number}"));
        };
        let mut below = place.below("propertyNames", "key", flat);
        below.again = true;
        let name = self.make(&json!({ "allOf": [{ "type": "string" }, rule] }), &below)?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }
}

/// The types to try: what `type` says, or what the other keywords speak about.
fn kinds(flat: &Flat) -> Vec<String> {
    const SPEAK_ABOUT: [(&str, &[&str]); 4] = [
        (
            "object",
            &[
                "properties",
                "required",
                "additionalProperties",
                "patternProperties",
                "propertyNames",
                "minProperties",
                "maxProperties",
                "dependentRequired",
            ],
        ),
        (
            "array",
            &[
                "items",
                "prefixItems",
                "minItems",
                "maxItems",
                "uniqueItems",
                "contains",
            ],
        ),
        (
            "number",
            &[
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "multipleOf",
            ],
        ),
        ("string", &["minLength", "maxLength", "pattern", "format"]),
    ];
    if let Some(kinds) = flat.keywords.get("type") {
        return types(kinds);
    }
    let spoken = SPEAK_ABOUT
        .iter()
        .find(|(_, keys)| keys.iter().any(|k| flat.keywords.contains_key(*k)));
    vec![spoken.map_or("string", |(kind, _)| *kind).to_owned()]
}

/// The bounds of a length; the upper one is `usize::MAX` when there is none.
fn lengths(
    keywords: &Map<String, Value>,
    min: &str,
    max: &str,
    place: &Place,
) -> Made<(usize, usize)> {
    let least = keywords.get(min).and_then(whole).unwrap_or(0);
    let most = keywords.get(max).and_then(whole).unwrap_or(usize::MAX);
    if least > most {
        return place.fail(format!("`{min}` {least} is more than `{max}` {most}"));
    }
    if least > 1_000_000 {
        return place.fail(format!("`{min}` {least} is more than this generator makes"));
    }
    Ok((least, most))
}

fn whole(value: &Value) -> Option<usize> {
    // `3.0` is a legal length too.
    let float = value.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0);
    float.and_then(|n| format!("{n:.0}").parse().ok())
}

//! Paths, in tables.

use serde_json::json;

use super::*;

fn taken(path: &str, from: &Value) -> Result<Value, String> {
    let path = Path::parse(path).map_err(|why| format!("refused: {why}"))?;
    path.select(from)
        .map(Cow::into_owned)
        .map_err(|missing| missing.0)
}

#[test]
fn paths_take() {
    let data = json!({
        "a": {"b": [10, {"c": "deep"}], "x-y": 1, "it's": 2, "": 3, "\\\"q": 4},
        "items": [{"p": 1, "n": "one"}, {"p": 2, "n": "two"}, {"p": 3, "n": "three"}],
        "null": null, "ü": {"é.ö": 5},
    });
    for (path, expected) in [
        ("$", data.clone()),
        ("$.a.b[0]", json!(10)),
        ("$.a.b[-1].c", json!("deep")),
        ("$['a']['b'][1]['c']", json!("deep")),
        ("$[\"a\"].b[ 1 ].c", json!("deep")),
        ("$.a.x-y", json!(1)),
        ("$.a['it\\'s']", json!(2)),
        ("$.a['']", json!(3)),
        (r#"$.a['\"q']"#, json!(4)),
        ("$['ü']['é.ö']", json!(5)),
        ("$.a.['x-y']", json!(1)),
        ("$.items.[?(@.p > 2)].n", json!(["three"])),
        ("$.null", json!(null)),
        ("$.items[*].p", json!([1, 2, 3])),
        ("$.items[1:].p", json!([2, 3])),
        ("$.items[0,2].n", json!(["one", "three"])),
        ("$..c", json!(["deep"])),
        ("$..x-y", json!([1])),
        ("$.items[?(@.p > 1)].n", json!(["two", "three"])),
        ("$.items[?(@.n == 'one' || @.p == 3)].p", json!([1, 3])),
        ("$.none[*]", json!([])),
        ("$.a.*", json!([3, 4, [10, {"c": "deep"}], 2, 1])),
    ] {
        assert_eq!(taken(path, &data), Ok(expected), "{path}");
    }
}

#[test]
fn what_is_missing_is_named_as_jayway_does() {
    let data = json!({"a": {"b": [1]}});
    for (path, why) in [
        ("$.x", "No results for path: $['x']"),
        ("$.a.x", "No results for path: $['a']['x']"),
        ("$.no.such.path", "Missing property in path $['no']"),
        ("$.a.b[1]", "No results for path: $['a']['b'][1]"),
        ("$.a.b[-2]", "No results for path: $['a']['b'][-2]"),
    ] {
        assert_eq!(taken(path, &data), Err(why.to_owned()), "{path}");
    }
}

#[test]
fn paths_that_are_none() {
    let unions = format!("$.a{}", "[0,0]".repeat(100));
    let parens = format!("$[?{}@.a{}]", "(".repeat(60), ")".repeat(60));
    for path in [
        "",
        "a",
        "$a",
        "$.",
        "$.a.",
        "$.a b",
        "$[",
        "$['a]",
        "$[?]",
        "$.a[?(@.b]",
        "$.length()",
        "$...a",
        "$.a[?$..b]",
        "$..a..b",
        "$.[a]",
        &unions,
        &parens,
    ] {
        assert!(Path::parse(path).is_err(), "{path}");
    }
}

#[test]
fn reference_paths_put() {
    for (path, into, expected) in [
        ("$", json!({"a": 1}), Some(json!(9))),
        ("$.b", json!({"a": 1}), Some(json!({"a": 1, "b": 9}))),
        ("$.b.c", json!({}), Some(json!({"b": {"c": 9}}))),
        ("$.b.c", json!({"b": null}), Some(json!({"b": {"c": 9}}))),
        ("$.a[1]", json!({"a": [1, 2]}), Some(json!({"a": [1, 9]}))),
        ("$.a", json!(null), Some(json!({"a": 9}))),
        ("$.a[2]", json!({"a": [1, 2]}), None),
        ("$.a.b", json!({"a": 1}), None),
        ("$.a", json!([1]), None),
    ] {
        let path = ReferencePath::parse(path).unwrap();
        let put = path.put(into, json!(9));
        match expected {
            Some(expected) => assert_eq!(put, Ok(expected), "{}", path.text),
            None => assert!(
                put.unwrap_err().is(RESULT_PATH_MATCH_FAILURE),
                "{}",
                path.text
            ),
        }
    }
    for path in ["", "$$.a", "$.a[*]", "$..a", "$.a[-1]", "$.a[?@.b]"] {
        assert!(ReferencePath::parse(path).is_err(), "{path}");
    }
}

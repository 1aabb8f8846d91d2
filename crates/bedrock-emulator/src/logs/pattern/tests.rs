//! Patterns and lines.

use super::*;

#[test]
fn patterns_match_as_documented() {
    let json = r#"{"status":429,"modelId":"us.x.haiku","ok":true,"no":null,"n":[{"a":1},{"a":2}],"t":"7"}"#;
    let rows = [
        ("", "anything", true),
        ("ERROR", "an ERROR here", true),
        ("ERROR", "an error here", false),
        ("ERROR timed", "ERROR: timed out", true),
        ("ERROR -timed", "ERROR: timed out", false),
        ("?a ?b", "only b", true),
        ("?a ?x", "only b", false),
        ("\"timed out\"", "it timed out", true),
        ("%4[0-9]{2}%", "status 429", true),
        ("{ $.status = 429 }", json, true),
        ("{ $.status >= 400 && $.status < 429 }", json, false),
        ("{ $.modelId = \"*haiku*\" }", json, true),
        ("{ $.modelId = *haiku }", json, true),
        ("{ $.modelId != \"*haiku\" }", json, false),
        ("{ $.ok IS TRUE && $.no IS NULL }", json, true),
        ("{ $.x NOT EXISTS }", json, true),
        ("{ $.ok NOT EXISTS }", json, false),
        ("{ $.n[1].a = 2 }", json, true),
        ("{ $.n[*].a = 1 }", json, true),
        (
            "{ ($.status = 1 || $.status = 429) && $.t = \"7\" }",
            json,
            true,
        ),
        (
            "{ $.status = 1 || $.ok IS TRUE && $.no IS NULL }",
            json,
            true,
        ),
        ("{ $.modelId = %haiku$% }", json, true),
        ("{ $.status = 429 }", "no json", false),
        // What the documentation shows.
        ("ERROR ?timed ?x", "an ERROR here", true),
        ("\"say \\\"hi\\\"\"", "they say \"hi\" twice", true),
        ("-\"timed out\" ERROR", "ERROR: timed out", false),
        ("{ $.status = 4* }", json, true),
        ("{ $.status = 5* }", json, false),
        ("{ $.status > 4e2 }", json, true),
        ("{ $.x = * }", json, false),
        ("{ $.modelId = * }", json, true),
        ("{ $.['modelId'] = us* }", json, true),
        ("{ $.ok NOT   EXISTS }", json, false),
        ("{ $.n[*].a >= 2 }", json, true),
        ("{ $.n[*].a > 2 }", json, false),
        ("{ $.x != 1 }", json, false),
        ("{ $.ok IS FALSE }", json, false),
        ("[ip, user, status, size]", "10.0.0.1 me 404 12", true),
        ("[ip, user, status]", "10.0.0.1 me 404 12", false),
        (
            "[ip, ..., status = 4*, size > 10]",
            "10.0.0.1 - me [19/Aug 14:34] \"GET /\" 404 12",
            true,
        ),
        (
            "[ip, ..., status = 4*, size > 12]",
            "10.0.0.1 - me [19/Aug 14:34] \"GET /\" 404 12",
            false,
        ),
        (
            "[ip, id, user, at, request = \"GET *\", status, size]",
            "10.0.0.1 - me [19/Aug 14:34] \"GET /\" 404 12",
            true,
        ),
        (
            "[level = ERROR || level = WARN, ...]",
            "WARN it is slow",
            true,
        ),
        (
            "[level = ERROR || level = WARN, ...]",
            "INFO it is slow",
            false,
        ),
        ("[size > 1 && size < 5, word]", "3 x", true),
        ("[size > 1 && size < 5, word]", "5 x", false),
        ("[level = %^(ERR|WARN)%, ...]", "WARNING it is slow", true),
        ("[...]", "", true),
        ("[one, ...]", "", false),
    ];
    for (pattern, message, wanted) in rows {
        let parsed =
            Pattern::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {}", e.message()));
        assert_eq!(parsed.matches(message), wanted, "{pattern} on {message}");
    }
}

#[test]
fn mistakes_are_named() {
    let deep = format!("{{ {} }}", "(".repeat(900));
    for (pattern, said) in [
        ("{ $.a = 1", "} is missing"),
        ("{ a = 1 }", "a selector like $.member"),
        ("{ $.a }", "a comparison is missing"),
        ("{ $.a = }", "a value is missing"),
        ("{ $.a > \"x\" }", "compared with = or !="),
        ("{ $.a = 1 $.b = 2 }", "is not expected"),
        ("{ $.a IS 5 }", "IS takes"),
        ("\"open", "not closed"),
        ("%(%", "filter pattern"),
        ("[a, b", "] is missing"),
        ("[]", "name is missing"),
        ("[a, , b]", "name is missing"),
        ("[..., a, ...]", "stands twice"),
        ("[a = ]", "a value is missing"),
        ("[a = 1 || b = 2]", "stands in the column a"),
        ("[a = 1 && ]", "stands in the column a"),
        ("[a b]", "is not expected"),
        ("{ $.a EXISTS }", "write $.a = *"),
        ("{ $.a NOT 1 }", "NOT takes EXISTS"),
        ("{ $.a ISNULL }", "a comparison is missing"),
        (deep.as_str(), "too deep"),
    ] {
        let error = Pattern::parse(pattern).unwrap_err();
        assert!(
            error.message().contains(said),
            "{pattern}: {}",
            error.message()
        );
    }
}

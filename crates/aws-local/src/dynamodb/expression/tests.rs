//! The expression language, as tables.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    super::value::{Attributes, attributes},
    Given, Placeholders,
};

/// The values that every row may use.
fn values() -> Json {
    json!({
        ":s": {"S": "b"}, ":t": {"S": "abc"}, ":n": {"N": "5"}, ":m": {"N": "7"}, ":b": {"B": "AAEC"},
        ":yes": {"BOOL": true}, ":null": {"NULL": true}, ":l": {"L": [{"S": "x"}]},
        ":map": {"M": {"k": {"S": "v"}}}, ":ss": {"SS": ["b", "c"]}, ":ns": {"NS": ["1", "2"]},
        ":bs": {"BS": ["AA=="]}, ":type": {"S": "N"}, ":nope": {"S": "X"},
    })
}

/// The item that every row is about.
fn item() -> Attributes {
    let Json::Object(map) = json!({
        "pk": {"S": "k"}, "s": {"S": "abc"}, "n": {"N": "5"}, "b": {"B": "AAECAw=="},
        "yes": {"BOOL": true}, "nil": {"NULL": true},
        "l": {"L": [{"S": "x"}, {"N": "1"}, {"M": {"deep": {"N": "9"}}}]},
        "m": {"M": {"a": {"S": "in"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["AA==", "AQ=="]},
        "name": {"S": "reserved"}, "a.b": {"S": "dotted"},
    }) else {
        unreachable!()
    };
    attributes(map).unwrap()
}

fn placeholders() -> Placeholders {
    let names = [
        ("#n", "name"),
        ("#s", "s"),
        ("#dot", "a.b"),
        ("#m", "m"),
        ("#l", "l"),
    ];
    let names: BTreeMap<_, _> = names.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let Json::Object(values) = values() else {
        unreachable!()
    };
    let given = Given {
        expressions: &[("ConditionExpression", Some(""))],
    };
    Placeholders::read(Some(names), Some(values), given).unwrap()
}

/// `true`, `false`, or what is wrong with it.
fn condition(text: &str) -> String {
    match placeholders().condition("ConditionExpression", text) {
        Ok(condition) => condition.holds(&item()).to_string(),
        Err(error) => {
            let message = error.message();
            let told = message.strip_prefix("Invalid ConditionExpression: ");
            told.unwrap_or_else(|| panic!("{message}")).to_owned()
        }
    }
}

fn check_conditions(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(condition(text), *expected, "{text}");
    }
}

#[test]
fn conditions_hold_or_do_not() {
    check_conditions(&[
        ("s = :t", "true"),
        ("s <> :t", "false"),
        ("s > :s", "false"),
        ("s < :s", "true"),
        ("n >= :n AND n <= :n", "true"),
        ("n < :m", "true"),
        (":n = n", "true"),
        ("n = :t", "false"),
        ("n <> :t", "true"),
        ("n < :t", "false"),
        ("gone = :t", "false"),
        ("gone <> :t", "true"),
        ("gone < :t", "false"),
        ("NOT gone = :t", "true"),
        ("n BETWEEN :n AND :m", "true"),
        ("NOT n BETWEEN :n AND :m", "false"),
        ("s BETWEEN :n AND :m", "false"),
        ("n IN (:s, :n)", "true"),
        ("n IN (:s)", "false"),
        ("attribute_exists(m.a)", "true"),
        ("attribute_exists(m.b)", "false"),
        ("attribute_exists(l[2].deep)", "true"),
        ("attribute_not_exists(l[3])", "true"),
        ("attribute_exists(nil)", "true"),
        ("attribute_type(n, :type)", "true"),
        ("attribute_type(s, :type)", "false"),
        ("begins_with(s, :t)", "true"),
        ("begins_with(s, :s)", "false"),
        ("begins_with(b, :b)", "true"),
        ("contains(s, :s)", "true"),
        ("contains(ss, :s)", "true"),
        ("contains(ns, :n)", "false"),
        ("contains(b, :b)", "true"),
        ("contains(n, :n)", "false"),
        ("size(s) = :n", "false"),
        ("size(s) < :n", "true"),
        ("size(l) < size(ss)", "false"),
        ("size(n) = :n", "false"),
        ("size(gone) = :n", "false"),
        ("#n = :t OR #s = :t", "true"),
        ("#dot = :t", "false"),
        ("#m.#l[0] < #m.#l[1]", "true"),
        ("s = :s OR s = :t AND n = :n", "true"),
        ("(s = :t OR s = :s) AND n = :m", "false"),
        ("NOT s = :s AND n = :n", "true"),
        ("not (s = :s) and n between :n and :m", "true"),
        ("(s) = (:t)", "true"),
        ("(attribute_exists(s))", "true"),
        ("ss = :ss", "false"),
        ("m.a=:t", "false"),
        ("\n s\t=\r\n:t ", "true"),
    ]);
}

#[test]
fn conditions_are_refused_in_the_services_words() {
    check_conditions(&[
        ("", "The expression can not be empty;"),
        (" ", "Syntax error; token: \"<EOF>\", near: \"\""),
        ("s", "Syntax error; token: \"<EOF>\", near: \"s\""),
        ("s =", "Syntax error; token: \"<EOF>\", near: \"=\""),
        ("s == :t", "Syntax error; token: \"=\", near: \"== :t\""),
        ("s = 5", "Syntax error; token: \"5\", near: \"= 5\""),
        ("s = 'x'", "Syntax error; token: \"'\", near: \"= 'x\""),
        ("s : t", "Syntax error; token: \":\", near: \"s : t\""),
        (
            "s = :t n = :n",
            "Syntax error; token: \"n\", near: \":t n =\"",
        ),
        ("(s = :t", "Syntax error; token: \"<EOF>\", near: \":t\""),
        ("s = :t)", "Syntax error; token: \")\", near: \":t)\""),
        ("and = :t", "Syntax error; token: \"and\", near: \"and =\""),
        ("l[x] = :t", "Syntax error; token: \"x\", near: \"[x]\""),
        ("s IN ()", "Syntax error; token: \")\", near: \"()\""),
        (
            "attribute_exists()",
            "Syntax error; token: \")\", near: \"()\"",
        ),
        ("ключ = :t", "Syntax error; token: \"к\", near: \"кл\""),
        ("((s = :t))", "The expression has redundant parentheses;"),
        ("((s)) = :t", "The expression has redundant parentheses;"),
        ("exists(s)", "Invalid function name; function: exists"),
        (
            "Attribute_Exists(s)",
            "Invalid function name; function: Attribute_Exists",
        ),
        (
            "size(s)",
            "The function is not allowed to be used this way in an expression; function: size",
        ),
        (
            "contains(s, :t) = :yes",
            "The function is not allowed to be used this way in an expression; function: contains",
        ),
        (
            "name = :t",
            "Attribute name is a reserved keyword; reserved keyword: name",
        ),
        (
            "m.Status = :t",
            "Attribute name is a reserved keyword; reserved keyword: Status",
        ),
        (
            "s = :gone",
            "An expression attribute value used in expression is not defined; attribute value: :gone",
        ),
        (
            "#gone = :t",
            "An expression attribute name used in the document path is not defined; attribute name: \
             #gone",
        ),
        (
            "contains(s)",
            "Incorrect number of operands for operator or function; operator or function: contains, \
             number of operands: 1",
        ),
        (
            "s = s",
            "The first operand must be distinct from the remaining operands for this operator or \
             function; operator: =, first operand: [s]",
        ),
        (
            "contains(m.l[0], m.l[0])",
            "The first operand must be distinct from the remaining operands for this operator or \
             function; operator: contains, first operand: [m, l, [0]]",
        ),
        (
            "attribute_exists(:t)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "begins_with(s, :n)",
            "Incorrect operand type for operator or function; operator or function: begins_with, \
             operand type: N",
        ),
        (
            "s < :map",
            "Incorrect operand type for operator or function; operator or function: <, operand type: \
             M",
        ),
        (
            "size(:n) = :n",
            "Incorrect operand type for operator or function; operator or function: size, operand \
             type: N",
        ),
        (
            "attribute_type(s, :nope)",
            "Invalid attribute type name found; type: X, valid types: \
             {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "attribute_type(s, :n)",
            "Incorrect operand type for operator or function; operator or function: attribute_type, \
             operand type: N",
        ),
        (
            "n BETWEEN :m AND :n",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
             lower bound operand: AttributeValue: {N:7}, upper bound operand: AttributeValue: {N:5}",
        ),
        (
            "n BETWEEN :s AND :n",
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound \
             operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:5}",
        ),
    ]);
}

#[test]
fn long_and_deep_expressions_are_refused_early() {
    let deep = format!("{}s = :t{}", "(".repeat(1000), ")".repeat(1000));
    assert!(condition(&deep).contains("nested too deeply"));
    let nots = format!("{}s = :t", "NOT ".repeat(900));
    assert!(condition(&nots).contains("nested too deeply"));
    let long = format!("s = :t{}", " OR s = :t".repeat(500));
    assert!(condition(&long).contains("exceeded the maximum allowed size; expression size: 5006"));
    let many = format!("s=:t{}", " OR s=:t".repeat(200));
    assert!(condition(&many).contains("too many operators"));
}

/// The item after it, as far as it differs; or what is wrong.
fn update(text: &str) -> Json {
    let update = match placeholders().update(text) {
        Ok(update) => update,
        Err(error) => return error.message().into(),
    };
    let before = item();
    match update.apply(&before) {
        Err(error) => error.message().into(),
        Ok(after) => {
            let mut changes = json!({});
            for name in before.keys().chain(after.keys()) {
                if before.get(name) != after.get(name) {
                    changes[name] = json!(after.get(name));
                }
            }
            changes
        }
    }
}

fn check_updates(rows: &[(&str, Json)]) {
    for (text, expected) in rows {
        assert_eq!(update(text), *expected, "{text}");
    }
}

#[test]
fn updates_change_items() {
    check_updates(&[
        ("SET x = :s", json!({"x": {"S": "b"}})),
        (
            "set #n = :s, n = :m",
            json!({"name": {"S": "b"}, "n": {"N": "7"}}),
        ),
        ("SET n = n + :m", json!({"n": {"N": "12"}})),
        ("SET n = n - :m", json!({"n": {"N": "-2"}})),
        ("SET n = (n + :m)", json!({"n": {"N": "12"}})),
        ("SET x = if_not_exists(n, :m)", json!({"x": {"N": "5"}})),
        (
            "SET x = if_not_exists(y, :m) + :n",
            json!({"x": {"N": "12"}}),
        ),
        (
            "SET l = list_append(l, :l)",
            json!({"l": {"L": [{"S": "x"}, {"N": "1"}, {"M": {"deep": {"N": "9"}}}, {"S": "x"}]}}),
        ),
        (
            "SET x = list_append(if_not_exists(x, :l), :l)",
            json!({"x": {"L": [{"S": "x"}, {"S": "x"}]}}),
        ),
        // All operands are read before anything changes.
        (
            "SET n = m.l[0], m.l[0] = n",
            json!({"n": {"N": "1"}, "m": {"M": {"a": {"S": "in"}, "l": {"L": [{"N": "5"}, {"N": "2"}]}}}}),
        ),
        (
            "SET m.b = :s REMOVE m.a",
            json!({"m": {"M": {"b": {"S": "b"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}}}),
        ),
        // Behind the end: appended in the order of the numbers.
        (
            "SET m.l[9] = :m, m.l[7] = :n",
            json!({"m": {"M": {"a": {"S": "in"}, "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "5"}, {"N": "7"}]}}}}),
        ),
        // Numbers mean what they meant before.
        (
            "REMOVE l[0], l[1]",
            json!({"l": {"L": [{"M": {"deep": {"N": "9"}}}]}}),
        ),
        ("REMOVE s, gone, l[9]", json!({"s": null})),
        ("ADD n :m", json!({"n": {"N": "12"}})),
        (
            "ADD x :m, ss :ss",
            json!({"x": {"N": "7"}, "ss": {"SS": ["a", "b", "c"]}}),
        ),
        (
            "ADD m.x :ns",
            json!({"m": {"M": {"a": {"S": "in"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}, "x": {"NS": ["1", "2"]}}}}),
        ),
        ("DELETE ss :ss", json!({"ss": {"SS": ["a"]}})),
        ("DELETE ns :ns, gone :ss", json!({"ns": null})),
        (
            "DELETE bs :bs SET x = :yes",
            json!({"bs": {"BS": ["AQ=="]}, "x": {"BOOL": true}}),
        ),
    ]);
}

#[test]
fn updates_are_refused_in_the_services_words() {
    let no_attribute =
        json!("The provided expression refers to an attribute that does not exist in the item");
    let no_path =
        json!("The document path provided in the update expression is invalid for update");
    let no_type = json!("An operand in the update expression has an incorrect data type");
    check_updates(&[
        ("SET x = gone", no_attribute.clone()),
        ("SET x = gone + :n", no_attribute.clone()),
        ("SET x = list_append(gone, :l)", no_attribute),
        ("SET gone.x = :n", no_path.clone()),
        ("SET s.x = :n", no_path.clone()),
        ("SET s[0] = :n", no_path.clone()),
        ("REMOVE gone.x", no_path.clone()),
        ("SET m.l[7].x = :n", no_path),
        ("SET x = s + :n", no_type.clone()),
        ("SET x = list_append(s, :l)", no_type.clone()),
        ("ADD s :n", no_type.clone()),
        ("ADD ss :ns", no_type.clone()),
        ("DELETE ss :ns", no_type.clone()),
        ("DELETE l :ss", no_type),
        (
            "",
            json!("Invalid UpdateExpression: The expression can not be empty;"),
        ),
        (
            "INVALID SYNTAX HERE",
            json!(
                "Invalid UpdateExpression: Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\""
            ),
        ),
        (
            "ADD hits : incr",
            json!("Invalid UpdateExpression: Syntax error; token: \":\", near: \"hits : incr\""),
        ),
        (
            "SET x",
            json!("Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \"x\""),
        ),
        (
            "SET x = :n,",
            json!("Invalid UpdateExpression: Syntax error; token: \"<EOF>\", near: \",\""),
        ),
        (
            "SET x = :n + :n + :n",
            json!("Invalid UpdateExpression: Syntax error; token: \"+\", near: \":n + :n\""),
        ),
        (
            "SET x = (n + :n) + :n",
            json!("Invalid UpdateExpression: Syntax error; token: \"+\", near: \") + :n\""),
        ),
        (
            "REMOVE x = :n",
            json!("Invalid UpdateExpression: Syntax error; token: \"=\", near: \"x = :n\""),
        ),
        (
            "ADD x n",
            json!("Invalid UpdateExpression: Syntax error; token: \"n\", near: \"x n\""),
        ),
        (
            "SET x = :n SET y = :n",
            json!(
                "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;"
            ),
        ),
        (
            "SET status = :n",
            json!(
                "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: status"
            ),
        ),
        (
            "SET x = size(l)",
            json!(
                "Invalid UpdateExpression: The function is not allowed in an update expression; function: size"
            ),
        ),
        (
            "SET x = now(l)",
            json!("Invalid UpdateExpression: Invalid function name; function: now"),
        ),
        (
            "SET x = if_not_exists(x)",
            json!(
                "Invalid UpdateExpression: Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"
            ),
        ),
        (
            "SET x = if_not_exists(:n, :n)",
            json!(
                "Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists"
            ),
        ),
        (
            "SET x = list_append(:n, l)",
            json!(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: list_append, operand type: N"
            ),
        ),
        (
            "SET x = n + :s",
            json!(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S"
            ),
        ),
        (
            "ADD x :s",
            json!(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"
            ),
        ),
        (
            "DELETE x :n",
            json!(
                "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"
            ),
        ),
        (
            "SET m = :map, m.a = :n",
            json!(
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, a]"
            ),
        ),
        (
            "SET x = :n REMOVE x",
            json!(
                "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x]"
            ),
        ),
        (
            "SET m.a = :n REMOVE m[1]",
            json!(
                "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, a], path two: [m, [1]]"
            ),
        ),
    ]);
}

#[test]
fn projections_keep_what_they_name() {
    let rows = [
        ("s", json!({"s": {"S": "abc"}})),
        (
            "s, gone, #n",
            json!({"s": {"S": "abc"}, "name": {"S": "reserved"}}),
        ),
        ("m.a", json!({"m": {"M": {"a": {"S": "in"}}}})),
        ("m.gone", json!({})),
        (
            "l[2].deep, l[0]",
            json!({"l": {"L": [{"S": "x"}, {"M": {"deep": {"N": "9"}}}]}}),
        ),
        (
            "m.l[1], m.a",
            json!({"m": {"M": {"a": {"S": "in"}, "l": {"L": [{"N": "2"}]}}}}),
        ),
        ("s[0], n.x", json!({})),
    ];
    for (text, expected) in rows {
        let projection = placeholders().projection(text).unwrap();
        assert_eq!(json!(projection.of(&item())), expected, "{text}");
    }
    let wrong = [
        ("m, m.a", "Two document paths overlap with each other"),
        ("s, s", "Two document paths overlap with each other"),
        ("m.a, m[0]", "Two document paths conflict with each other"),
        ("name", "reserved keyword: name"),
        ("s(stuff)", "Syntax error; token: \"(\", near: \"s(stuff\""),
        ("s n", "Syntax error; token: \"n\", near: \"s n\""),
        (":s", "Syntax error; token: \":s\", near: \":s\""),
    ];
    for (text, part) in wrong {
        let error = placeholders().projection(text).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("Invalid ProjectionExpression: "),
            "{text}"
        );
        assert!(
            error.message().contains(part),
            "{text}: {}",
            error.message()
        );
    }
}

#[test]
fn key_conditions_say_no_more_than_a_key_needs() {
    for text in [
        "pk = :s",
        "pk = :s AND s > :t",
        ":s = pk and begins_with(s, :t)",
        "(pk = :s) AND (s BETWEEN :s AND :t)",
    ] {
        // The bounds of the last are the wrong way round.
        let read = placeholders().key_condition(text);
        assert_eq!(read.is_ok(), !text.contains("BETWEEN"), "{text}");
    }
    let rows = [
        (
            "pk = :s OR s = :t",
            "Invalid operator used in KeyConditionExpression: OR",
        ),
        (
            "NOT pk = :s",
            "Invalid operator used in KeyConditionExpression: NOT",
        ),
        (
            "pk <> :s",
            "Invalid operator used in KeyConditionExpression: <>",
        ),
        (
            "pk IN (:s)",
            "Invalid operator used in KeyConditionExpression: IN",
        ),
        (
            "attribute_exists(pk)",
            "Invalid operator used in KeyConditionExpression: attribute_exists",
        ),
        (
            "contains(pk, :s)",
            "Invalid operator used in KeyConditionExpression: contains",
        ),
        (
            "size(pk) = :n",
            "KeyConditionExpressions cannot contain nested operations",
        ),
        (
            "pk.a = :s",
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "pk = :s AND pk = :t",
            "KeyConditionExpressions must only contain one condition per key",
        ),
        (
            "pk = s",
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        ),
        (
            ":s = :t",
            "Invalid condition in KeyConditionExpression: No key attribute specified",
        ),
        (
            "begins_with(:s, pk)",
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
        ),
        (
            "pk = ",
            "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"",
        ),
        (
            "key = :s",
            "Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: key",
        ),
    ];
    for (text, message) in rows {
        let error = placeholders().key_condition(text).unwrap_err();
        assert_eq!(error.message(), message, "{text}");
    }
}

#[test]
fn placeholders_are_all_defined_and_all_used() {
    let read = |names: Option<Json>, values: Option<Json>, text: Option<&str>| {
        let names = names.map(|names| serde_json::from_value(names).unwrap());
        let values = values.map(|values| values.as_object().unwrap().clone());
        let given = Given {
            expressions: &[("UpdateExpression", None), ("ConditionExpression", text)],
        };
        let mut placeholders = Placeholders::read(names, values, given)?;
        if let Some(text) = text {
            placeholders.condition("ConditionExpression", text)?;
        }
        placeholders.all_used()
    };
    let value = || Some(json!({":v": {"S": "x"}}));
    read(Some(json!({"#a": "a"})), value(), Some("#a = :v")).unwrap();
    let rows = [
        (
            read(Some(json!({"#a": "a"})), None, None),
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            read(None, value(), None),
            "ExpressionAttributeValues can only be specified when using expressions: UpdateExpression and ConditionExpression are null",
        ),
        (
            read(Some(json!({})), value(), Some("a = :v")),
            "ExpressionAttributeNames must not be empty",
        ),
        (
            read(None, Some(json!({})), Some("a = :v")),
            "ExpressionAttributeValues must not be empty",
        ),
        (
            read(Some(json!({"a": "a"})), value(), Some("a = :v")),
            "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"",
        ),
        (
            read(None, Some(json!({":": {"S": "x"}})), Some("a = :v")),
            "ExpressionAttributeValues contains invalid key: Syntax error; key: \":\"",
        ),
        (
            read(None, Some(json!({":v": {"N": "x"}})), Some("a = :v")),
            "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x for key :v",
        ),
        (
            read(Some(json!({"#a": "a", "#b": "b"})), value(), Some("a = :v")),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}",
        ),
        (
            read(
                None,
                Some(json!({":v": {"S": "x"}, ":w": {"S": "x"}})),
                Some("a = :v"),
            ),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
    ];
    for (read, message) in rows {
        assert_eq!(read.unwrap_err().message(), message);
    }
}

/// No text makes the parser panic, hang or overflow; what it accepts it also evaluates.
#[test]
fn any_text_is_parsed_or_refused() {
    const PARTS: &[&str] = &[
        "SET",
        "REMOVE",
        "ADD",
        "DELETE",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "IN",
        "=",
        "<>",
        "<",
        "<=",
        "(",
        ")",
        ",",
        ".",
        "[",
        "]",
        "+",
        "-",
        "0",
        "1",
        "99999999999999999999",
        "s",
        "n",
        "l",
        "m",
        "ss",
        "#m",
        "#l",
        "#gone",
        ":n",
        ":s",
        ":l",
        ":ss",
        ":map",
        ":gone",
        "size",
        "contains",
        "attribute_exists",
        "begins_with",
        "if_not_exists",
        "list_append",
        "name",
        " ",
        "\n",
        "#",
        ":",
        "é",
        "\u{0}",
        "'",
    ];
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let item = item();
    let mut accepted = 0;
    for round in 0..3_000 {
        let count = 1 + random(14);
        let mut text = String::new();
        // Half of them begin as an update does, or half of them would find nothing.
        if round % 2 == 0 {
            text.push_str("SET s = ");
        }
        for _ in 0..count {
            text.push_str(PARTS[random(PARTS.len())]);
            text.push_str([" ", ""][random(2)]);
        }
        if let Ok(condition) = placeholders().condition("ConditionExpression", &text) {
            condition.holds(&item);
            accepted += 1;
        }
        if let Ok(update) = placeholders().update(&text) {
            let _ = update.apply(&item);
            accepted += 1;
        }
        if let Ok(projection) = placeholders().projection(&text) {
            projection.of(&item);
            accepted += 1;
        }
        let _ = placeholders().key_condition(&text);
    }
    assert!(accepted > 20, "only {accepted} texts were expressions");
}

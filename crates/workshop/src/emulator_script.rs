//! Script files and `--fault`: what an emulator answers, from the command line.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow, bail};
use bedrock_emulator::script::Document;
use serde_json::{Map, Value, json};

/// The replies and fault rules of a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Document> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the script {}", path.display()))?;
    Document::from_toml(&text).map_err(|mistake| anyhow!("{}: {mistake}", path.display()))
}

/// One fault rule from `error=ThrottlingException,rate=0.2,when.model=haiku`.
pub(crate) fn fault(keys: &str) -> anyhow::Result<Document> {
    let mut rule = Map::new();
    for pair in keys
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let Some((key, value)) = pair.split_once('=') else {
            bail!("--fault {keys:?}: {pair:?} has no value; write key=value, separated by commas");
        };
        put(&mut rule, key.trim(), scalar(value.trim()))
            .with_context(|| format!("--fault {keys:?}"))?;
    }
    Document::from_json(&json!({ "fault": [rule] }))
        .map_err(|mistake| anyhow!("--fault {keys:?}: {mistake}"))
}

/// Sets `a.b.c`.
fn put(table: &mut Map<String, Value>, key: &str, value: Value) -> anyhow::Result<()> {
    let Some((first, rest)) = key.split_once('.') else {
        table.insert(key.to_owned(), value);
        return Ok(());
    };
    let inner = table.entry(first).or_insert_with(|| json!({}));
    match inner {
        Value::Object(inner) => put(inner, rest, value),
        _ => bail!("{first} is both a value and a table"),
    }
}

/// A number, true, false, or else a text.
fn scalar(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::String(_))) => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_the_rule_that_a_file_would_make() {
        let keys = "name=busy, error=ThrottlingException,rate=0.25,seed=7,when.model=haiku,when.call.every=2";
        let file = "
            [[fault]]
            name = \"busy\"
            error = \"ThrottlingException\"
            rate = 0.25
            seed = 7
            when = { model = \"haiku\", call = { every = 2 } }
        ";
        assert_eq!(fault(keys).unwrap(), Document::from_toml(file).unwrap());
    }

    #[test]
    fn mistakes_are_named() {
        for (keys, said) in [
            ("error", "\"error\" has no value"),
            ("eror=x", "`eror` is not a key here; did you mean error?"),
            ("error=Throttling", "did you mean ThrottlingException?"),
            ("when=1,when.model=x", "both a value and a table"),
            ("", "does nothing"),
        ] {
            let error = format!("{:#}", fault(keys).unwrap_err());
            assert!(error.contains(said), "{keys}: {error}");
        }
    }
}

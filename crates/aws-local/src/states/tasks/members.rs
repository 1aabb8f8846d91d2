//! Members' spelling: a state machine writes `MaxTokens` where the service's JSON has `maxTokens`
//! (documented: parameters of SDK integrations are in `PascalCase`).

use serde_json::Value;

/// What stays as it is: these members hold documents or maps whose keys are the caller's.
const VERBATIM: [&str; 9] = [
    "AdditionalModelRequestFields",
    "AdditionalModelResponseFields",
    "Body",
    "Definition",
    "Input",
    "Json",
    "PromptVariables",
    "RequestMetadata",
    "Tags",
];

/// As the service writes it.
pub(super) fn to_service(value: &Value) -> Value {
    renamed(value, &str::to_ascii_lowercase, &|member| member.to_owned())
}

/// As the state machine sees it.
pub(super) fn from_service(value: &Value) -> Value {
    renamed(value, &str::to_ascii_uppercase, &|member| {
        first(member, &str::to_ascii_uppercase)
    })
}

/// `pascal` says what a member is called in a state machine.
fn renamed(value: &Value, case: &dyn Fn(&str) -> String, pascal: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(member, inner)| {
                let inner = if VERBATIM.contains(&&*pascal(member)) {
                    inner.clone()
                } else {
                    renamed(inner, case, pascal)
                };
                (first(member, case), inner)
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => items
            .iter()
            .map(|inner| renamed(inner, case, pascal))
            .collect(),
        other => other.clone(),
    }
}

/// The first letter in another case.
pub(super) fn first(text: &str, case: &dyn Fn(&str) -> String) -> String {
    let end = text.chars().next().map_or(0, char::len_utf8);
    let (head, tail) = text.split_at(end);
    format!("{}{tail}", case(head))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_change_and_documents_do_not() {
        let machine = json!({
            "Messages": [{"Role": "user", "Content": [{"Text": "Hi"}]}],
            "InferenceConfig": {"MaxTokens": 5},
            "AdditionalModelRequestFields": {"top_k": 1, "Keep": 2},
            "ToolConfig": {"Tools": [{"ToolSpec": {"InputSchema": {"Json": {"Type": 1}}}}]},
        });
        let service = json!({
            "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
            "inferenceConfig": {"maxTokens": 5},
            "additionalModelRequestFields": {"top_k": 1, "Keep": 2},
            "toolConfig": {"tools": [{"toolSpec": {"inputSchema": {"json": {"Type": 1}}}}]},
        });
        assert_eq!(to_service(&machine), service);
        assert_eq!(from_service(&service), machine);
    }
}

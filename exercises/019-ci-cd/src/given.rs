//! Given: what the pipeline is told, what a review comes to, and how a diff is read. Not to be edited.

use std::collections::BTreeSet;

use aws_sdk_bedrockruntime::{
    error::SdkError,
    operation::converse::ConverseError,
    types::{StopReason, ToolInputSchema, ToolSpecification},
};
use aws_smithy_types::{Document, Number};
use serde_json::{Value, json};

/// An action, and the commit at which you have read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `actions/checkout`.
    pub name: String,
    /// Forty hexadecimal digits.
    pub commit: String,
    /// What people call that commit: `v6`.
    pub version: String,
}

/// What the pipeline is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ci {
    /// The ARN of the role that the job works in.
    pub role: String,
    /// Who vouches for the job: `token.actions.githubusercontent.com`.
    pub issuer: String,
    /// For whom the job's token is made: `sts.amazonaws.com`.
    pub audience: String,
    /// What the token says about a job that runs for a pull request of your repository:
    /// `repo:octo-org@123456/octo-repo@789012:pull_request`.
    pub subject: String,
    /// The region of Bedrock.
    pub region: String,
    /// The model's inference profile.
    pub model: String,
    /// Longest run of the job, in minutes.
    pub timeout_minutes: u32,
    /// Most turns of Claude Code.
    pub max_turns: u32,
    /// `actions/checkout`.
    pub checkout: Action,
    /// `aws-actions/configure-aws-credentials`.
    pub credentials: Action,
    /// `anthropics/claude-code-action`, which comments.
    pub claude: Action,
    /// Your gate, which decides. It lives in a repository of its own: what lies in this one was written
    /// by the pull request.
    pub gate: Action,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A matter of taste.
    Low,
    /// To be mended some day.
    Medium,
    /// To be mended before it is merged.
    High,
}

/// One remark about one line of the new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as the diff names it.
    pub file: String,
    /// The line in the new version.
    pub line: u32,
    /// How bad it is.
    pub severity: Severity,
    /// For the author.
    pub message: String,
}

/// What one review may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests to Bedrock, at most.
    pub max_calls: usize,
    /// Bytes of one file's diff, at most.
    pub max_bytes: usize,
    /// Tokens of each answer, at most.
    pub max_tokens: i32,
}

/// Why there is no review.
#[derive(Debug)]
pub enum ReviewError {
    /// There is more to review than the limits allow. Nothing was sent.
    TooLarge {
        /// Files in the diff.
        files: usize,
        /// Bytes of the longest one's diff.
        bytes: usize,
    },
    /// Bedrock refused or could not be reached.
    Sdk(Box<SdkError<ConverseError>>),
    /// The message ended for another reason than a tool use, or it has no report.
    NoReport(StopReason),
    /// The report is not what its schema says.
    Malformed(String),
}

/// What a pull request has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Findings from here on stop it.
    pub fail_at: Severity,
    /// The exit code when there is no review. Never 0.
    pub on_error: i32,
}

/// The part of a diff that is about one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// The file's name: the new one, or the old one if the file is deleted.
    pub path: String,
    /// The lines of the diff, from `diff --git` on.
    pub text: String,
    /// The lines of the new version that stand in the diff.
    pub lines: BTreeSet<u32>,
}

/// The files of a diff in Git's form. A line that was added and begins with `++ b/` is not taken for a
/// file's name.
pub fn files(diff: &str) -> Vec<FileDiff> {
    let mut files: Vec<FileDiff> = Vec::new();
    // The next line of the new version; none: still in the file's head.
    let mut next: Option<u32> = None;
    for line in diff.lines() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            let path = names.rsplit_once(" b/").map_or(names, |(_, path)| path);
            files.push(FileDiff {
                path: path.to_owned(),
                text: String::new(),
                lines: BTreeSet::new(),
            });
            next = None;
        }
        let Some(file) = files.last_mut() else {
            continue;
        };
        file.text.push_str(line);
        file.text.push('\n');
        if let Some(place) = line.strip_prefix("@@ ") {
            let new = place.split_once('+').map_or("", |(_, new)| new);
            let start = new.split([',', ' ']).next().unwrap_or_default();
            next = start.parse().ok();
        } else if let (Some(number), true) = (next, line.starts_with(['+', ' '])) {
            file.lines.insert(number);
            next = number.checked_add(1);
        }
    }
    files
}

/// A text without what opens doors: access key ids of AWS, values of `aws_secret_access_key`, tokens of
/// GitHub and private keys. What is found becomes `[secret]`; the number of lines stays.
pub fn redacted(text: &str) -> String {
    let mut in_key = false;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let begins = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
        let ends = line.contains("-----END ") && line.contains("PRIVATE KEY-----");
        if in_key || begins {
            // A diff's own sign at the beginning of the line stays.
            let sign = line.chars().next().filter(|c| "+- ".contains(*c));
            let sign = sign.map(String::from).unwrap_or_default();
            lines.push(sign + "[secret]");
        } else {
            let words =
                line.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"_/+".contains(c));
            let after = line.to_ascii_lowercase().contains("aws_secret_access_key");
            lines.push(words.map(|word| without(word, after)).collect());
        }
        in_key = (in_key || begins) && !ends;
    }
    lines.join("\n")
}

/// A word and the character after it, without the word if that is a secret.
fn without(word: &str, after_secret_key: bool) -> String {
    let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"_/+".contains(c));
    let rest = &word[end.len()..];
    let bare = end.trim_start_matches(['+', '_', '/']);
    let key_id = (bare.starts_with("AKIA") || bare.starts_with("ASIA")) && bare.len() == 20;
    let github = ["ghp_", "gho_", "ghs_", "ghu_"];
    let token = github.iter().any(|start| bare.starts_with(start)) && bare.len() >= 40;
    let secret_key = after_secret_key && end.len() >= 40;
    if key_id || token || secret_key {
        return format!("{}[secret]{rest}", &end[..end.len() - bare.len()]);
    }
    word.to_owned()
}

/// The name of the tool that the model reports with.
pub const REPORT: &str = "report_findings";

/// What the model is told about it. There is no file in it: you asked about one.
pub fn report_spec() -> ToolSpecification {
    let finding = json!({
        "type": "object",
        "properties": {
            "line": { "type": "integer", "description": "Line in the new version." },
            "severity": { "type": "string", "enum": ["low", "medium", "high"] },
            "message": { "type": "string" },
        },
        "required": ["line", "severity", "message"],
    });
    let schema = document(json!({
        "type": "object",
        "properties": { "findings": { "type": "array", "items": finding } },
        "required": ["findings"],
    }));
    ToolSpecification::builder()
        .name(REPORT)
        .description("Reports what is wrong with the change; an empty list if nothing is.")
        .input_schema(ToolInputSchema::Json(schema))
        .build()
        .expect("name and schema are set")
}

/// JSON as the SDK takes it.
pub fn document(value: Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(is) => Document::Bool(is),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(positive), _) => Number::PosInt(positive),
            (None, Some(negative)) => Number::NegInt(negative),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text),
        Value::Array(list) => Document::Array(list.into_iter().map(document).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Document::Object(members.map(|(key, value)| (key, document(value))).collect())
        }
    }
}

/// A tool's input as JSON.
pub fn json_of(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(is) => (*is).into(),
        Document::Number(Number::PosInt(number)) => (*number).into(),
        Document::Number(Number::NegInt(number)) => (*number).into(),
        Document::Number(Number::Float(number)) => (*number).into(),
        Document::String(text) => text.as_str().into(),
        Document::Array(list) => list.iter().map(json_of).collect(),
        Document::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, value)| (key.clone(), json_of(value)));
            Value::Object(members.collect())
        }
    }
}

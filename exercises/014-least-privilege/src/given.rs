//! Given: an account as a policy has to know it, what an audit reports, and a pattern's way to match.
//! Not to be edited.

/// The account that the policies are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number: twelve digits.
    pub id: String,
    /// Where everybody calls Bedrock.
    pub region: String,
    /// What the app asks.
    pub app_model: Profile,
    /// What Claude Code is pinned to: the large model and the small one.
    pub claude_code_models: Vec<Profile>,
    /// The guardrail that the app has to name in every call of a model; `None`: it needs none.
    pub guardrail: Option<Guardrail>,
}

/// An inference profile, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// `us.…`
    pub id: String,
    /// The id of the model behind it, without a prefix.
    pub model: String,
    /// The regions in which the model may answer.
    pub regions: Vec<String>,
}

/// A version of a guardrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guardrail {
    /// Letters and digits.
    pub id: String,
    /// A number.
    pub version: String,
}

/// What is wrong with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// It speaks of actions of a service that IAM does not know.
    NoSuchService,
    /// It allows actions that nobody has named.
    EveryAction,
    /// It allows something on resources that nobody has named.
    EveryResource,
    /// It has a resource that no ARN can be.
    NeverMatches,
    /// It allows a model to be called past every inference profile.
    PastTheProfile,
}

/// A problem, and the statement that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Its place in the policy, from 0.
    pub statement: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Whether a pattern of a policy covers a text: `*` stands for any characters, `?` for one. Neither has
/// upper and lower case here.
pub fn covers(pattern: &str, text: &str) -> bool {
    fn rest(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', after @ ..], _) => (0..=text.len()).any(|skip| rest(after, &text[skip..])),
            ([b'?', after @ ..], [_, more @ ..]) => rest(after, more),
            ([p, after @ ..], [t, more @ ..]) => p.eq_ignore_ascii_case(t) && rest(after, more),
            _ => false,
        }
    }
    rest(pattern.as_bytes(), text.as_bytes())
}

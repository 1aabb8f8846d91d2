//! `GetRandomPassword`: of the seeded random numbers of the request.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, SecretsManager, error::INVALID_PARAMETER, told};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Request {
    password_length: i64,
    exclude_characters: String,
    exclude_numbers: bool,
    exclude_punctuation: bool,
    exclude_uppercase: bool,
    exclude_lowercase: bool,
    include_space: bool,
    require_each_included_type: bool,
}

impl Default for Request {
    /// The service model's.
    fn default() -> Self {
        Self {
            password_length: 32,
            exclude_characters: String::new(),
            exclude_numbers: false,
            exclude_punctuation: false,
            exclude_uppercase: false,
            exclude_lowercase: false,
            include_space: false,
            require_each_included_type: true,
        }
    }
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

pub(super) fn answer(_: &SecretsManager, mut visit: Visit) -> Answered {
    let request: Request = visit.json()?;
    let length = usize::try_from(request.password_length).unwrap_or_default();
    if !(1..=4_096).contains(&length) {
        return Err(INVALID_PARAMETER
            .error("The PasswordLength value must be between 1 and 4096 (inclusive)."));
    }
    let kinds = [
        (LOWER, !request.exclude_lowercase),
        (UPPER, !request.exclude_uppercase),
        (DIGITS, !request.exclude_numbers),
        (PUNCTUATION, !request.exclude_punctuation),
        (" ", request.include_space),
    ];
    let kinds = kinds
        .into_iter()
        .filter(|(_, included)| *included)
        .map(|(kind, _)| {
            let left = kind
                .chars()
                .filter(|c| !request.exclude_characters.contains(*c));
            left.collect::<Vec<char>>()
        });
    let kinds: Vec<Vec<char>> = kinds.filter(|kind| !kind.is_empty()).collect();
    let all: Vec<char> = kinds.concat();
    if all.is_empty() {
        return Err(INVALID_PARAMETER
            .error("No characters are left to make a password of: everything is excluded."));
    }
    let mut below = |bound: usize| {
        usize::try_from(visit.random() % u64::try_from(bound).unwrap_or(u64::MAX))
            .unwrap_or_default()
    };
    let mut password: Vec<char> = Vec::with_capacity(length);
    if request.require_each_included_type {
        if kinds.len() > length {
            return Err(INVALID_PARAMETER
                .error("The password length is too short based on the required types."));
        }
        password.extend(kinds.iter().map(|kind| kind[below(kind.len())]));
    }
    while password.len() < length {
        password.push(all[below(all.len())]);
    }
    // Those that had to be there are anywhere.
    for at in (1..password.len()).rev() {
        password.swap(at, below(at + 1));
    }
    let password: String = password.into_iter().collect();
    Ok(told(&json!({ "RandomPassword": password })))
}

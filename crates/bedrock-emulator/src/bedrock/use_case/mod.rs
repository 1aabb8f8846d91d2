//! The form in which an account says what it wants Anthropic's models for. What stands in it is
//! between the account and Anthropic: the API carries it as bytes. Here models answer without it; a
//! script can refuse them as Bedrock does (`bedrock_emulator::script`).

pub(super) mod get_use_case;
pub(super) mod put_use_case;

//! `CreateFunction` and `UpdateFunctionCode`: here functions are given as programs.

use super::{error::invalid, operations::Answered};

pub(super) fn answer() -> Answered {
    Err(invalid(
        "Bedrock Workshop runs compiled programs, not zip files: give the function to the emulator as \
         a program, with `workshop emulator --function NAME=PATH` or, in Rust, with \
         `aws_local::lambda::Lambda::create`.",
    ))
}

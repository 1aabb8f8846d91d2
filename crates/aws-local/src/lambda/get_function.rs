//! `GetFunction`: a function's configuration, and where its program is.

use bedrock_emulator::neighbour::Visit;
use serde_json::json;

use super::{
    Lambda,
    operations::{Answered, told},
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    let registry = lambda.registry();
    let kept = registry.find(visit, &reference, "lambda:GetFunction")?;
    let mut body = json!({
        "Configuration": kept.json(Some(&reference)),
        "Code": {
            // On AWS a link to a zip file, and `S3`.
            "RepositoryType": "File",
            "Location": format!("file://{}", kept.function.program.display()),
        },
    });
    if let Some(reserved) = kept.function.reserved_concurrency {
        body["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    Ok(told(&body))
}

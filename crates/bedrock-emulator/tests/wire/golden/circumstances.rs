//! Models, callers and circumstances: what an account meets before anybody reads its words.

use super::*;

pub(super) fn about_models(world: &World) -> Vec<Row> {
    let at = |id: &str| (open(), id.to_owned());
    let send = |number: u8, proves, (emulator, id): (Emulator, String), message: &str| {
        row(
            number,
            proves,
            (emulator, &id, CONVERSE),
            &say("Hi"),
            message,
        )
    };
    let sonnet = base(&world.emulator, "Claude Sonnet 4.5");
    let catalogue = world.emulator.catalogue();
    let provisioned = |m: &&bedrock_emulator::catalogue::Model| !m.provisioned.is_empty();
    let sized = catalogue.models.iter().find(provisioned).unwrap();
    let sized = format!("{}:{}", sized.id, sized.provisioned[0]);
    let unfit = "a model/with a slash and spaces";
    vec![
        send(
            1,
            "unknown-model",
            at("does-not-exist"),
            Refusal::UnknownModel.text(),
        ),
        send(
            1,
            "unknown-model",
            at(&format!("{sonnet}0")),
            Refusal::UnknownModel.text(),
        ),
        elsewhere(2, "catalogue.rs", "wrong_ids_are_refused_in_bedrocks_words"),
        send(
            3,
            "",
            at(&sonnet),
            &format!(
                "Invocation of model ID {sonnet} with on-demand throughput isn\u{2019}t supported. \
             Retry your request with the ID or ARN of an inference profile that contains this model."
            ),
        ),
        send(
            4,
            "context-suffix",
            at(&sized),
            Refusal::ContextSuffix.text(),
        ),
        fault(Refusal::ModelNotFound),
        send(
            6,
            "not-a-chat-model",
            at(&base(&world.emulator, "Titan Text Embeddings V2")),
            Refusal::NotAChatModel.text(),
        ),
        send(
            7,
            "end-of-life",
            at(&world.ended),
            Refusal::EndOfLife.text(),
        )
        .answered(404, "ResourceNotFoundException"),
        fault(Refusal::LegacyInactive),
        fault(Refusal::ExtendedAccess),
        fault(Refusal::ModelAccess).long(77),
        fault(Refusal::AccountNotAuthorized),
        fault(Refusal::Marketplace),
        fault(Refusal::UseCaseForm),
        send(
            64,
            "prompt-resource",
            at("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"),
            Refusal::PromptResource.text(),
        )
        .answered(403, "AccessDeniedException"),
        row(
            2,
            "",
            (open(), unfit, INVOKE),
            &json!({}),
            format!(
                "1 validation error detected: Value '{unfit}' at 'modelId' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: {}",
                "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|([0-9]{12}:imported-model/[a-z0-9]{12})|([0-9]{12}:provisioned-model/[a-z0-9]{12})|([0-9]{12}:custom-model-deployment/[a-z0-9]{12})|([0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|(([0-9a-zA-Z][_-]?)+)|([a-zA-Z0-9-:.]+)|(^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:prompt/[0-9a-zA-Z]{10}(?::[0-9]{1,5})?))$|(^arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:endpoint/[a-zA-Z0-9-]+$)|(^arn:aws(-[^:]+)?:bedrock:([0-9a-z-]{1,20}):([0-9]{12}):(default-)?prompt-router/[a-zA-Z0-9-:.]+$)",
            ),
        ),
    ]
}

pub(super) fn about_callers() -> Vec<Row> {
    let authentication = |row, test| elsewhere(row, "authentication.rs", test);
    let headers = "headers_that_cannot_be_verified_are_refused_in_awss_words";
    let permissions = |row, test| elsewhere(row, "permissions.rs", test);
    let decisions = |row, test| elsewhere(row, "decisions.rs", test);
    vec![
        permissions(14, "a_profile_needs_itself_and_every_model_behind_it"),
        decisions(
            15,
            "a_service_control_policy_denies_whatever_identities_allow",
        ),
        decisions(16, "a_list_that_is_denied_names_no_resource"),
        permissions(17, "an_explicit_deny_reads_differently"),
        authentication(18, headers),
        authentication(19, headers),
        authentication(20, headers),
        elsewhere(21, "api_keys.rs", "a_key_needs_the_right_to_be_used"),
        authentication(22, headers),
        authentication(23, "temporary_credentials_need_their_token_and_expire"),
        authentication(24, "five_minutes_of_skew_are_allowed_and_no_more"),
        authentication(25, "five_minutes_of_skew_are_allowed_and_no_more"),
        authentication(26, "a_wrong_signature_is_told_what_would_have_been_signed"),
        authentication(27, headers),
        authentication(28, headers),
    ]
}

pub(super) fn about_circumstances() -> Vec<Row> {
    let nothing = Row {
        proof: Proof::Nothing("a wrong region has no host: no request arrives anywhere"),
        ..elsewhere(65, "", "")
    };
    vec![
        fault(Refusal::TooManyRequests),
        fault(Refusal::TooManyTokens).long(63),
        fault(Refusal::TooManyTokensPerDay),
        fault(Refusal::TooManyConnections),
        fault(Refusal::UnableToProcess),
        fault(Refusal::InternalServer),
        fault(Refusal::ModelTimeout),
        fault(Refusal::ModelNotReady),
        fault(Refusal::ModelError),
        nothing,
    ]
}

/// A refusal that only circumstances bring about, asked for by name.
fn fault(refusal: Refusal) -> Row {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    for _ in CONVERSE.iter().chain(INVOKE) {
        emulator.script([Step::Fault(Fault::from(refusal))]);
    }
    let at = (emulator, model.as_str(), CONVERSE);
    row(
        refusal.row(),
        refusal.name(),
        at,
        &say("Hi"),
        refusal.text(),
    )
    .answered(refusal.code().status(), refusal.code().name())
}

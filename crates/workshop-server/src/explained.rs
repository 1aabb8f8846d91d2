//! What Bedrock's errors mean, in a sentence each, and what to do.

/// The sentence for an error code; none for one that explains itself.
pub fn explained(code: &str) -> Option<&'static str> {
    Some(match code {
        "ThrottlingException" | "ServiceQuotaExceededException" => {
            "Too much was asked of this model in this minute. Wait longer each time and ask again; \
             SDKs do so by themselves."
        }
        "AccessDeniedException" => {
            "Either no policy allows the caller to do this, or the account has no access to the model. \
             The message tells which; asking again does not help."
        }
        "ValidationException" => {
            "The request has a mistake, and the message names it. It will be refused each time until it \
             is corrected."
        }
        "ResourceNotFoundException" => {
            "There is no such model or profile here: an id of another region, or a model that has ended."
        }
        "ServiceUnavailableException" => {
            "Bedrock has no room for the request right now. Wait and ask again, or ask in another region."
        }
        "ModelStreamErrorException" => {
            "The model failed after it had begun to answer. What came before is all there is; ask again \
             for the whole answer."
        }
        "ModelTimeoutException" => {
            "The model took too long. Ask for less, or take a stream, which shows what there is so far."
        }
        "ModelNotReadyException" => {
            "The model is being started. Wait some seconds and ask again; SDKs do so by themselves."
        }
        "ModelErrorException" => {
            "The model could not process the request. Ask again; if that does not help, change the request."
        }
        "InternalServerException" => "Bedrock failed. Ask again; SDKs do so by themselves.",
        "ExpiredTokenException" => {
            "The temporary credentials have ended. Get new ones and sign anew."
        }
        "UnrecognizedClientException" | "InvalidSignatureException" => {
            "The signature does not prove who calls: a wrong key, or a request that was changed after it \
             was signed."
        }
        _ => return None,
    })
}

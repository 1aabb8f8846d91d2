//! `Invoke`: waits for the answer, queues the event, or asks whether it would be accepted.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::{
    error::ApiError,
    neighbour::{Answer, Lit, Outcome, Visit},
    trace::TraceStatus,
    wire::Header,
};
use bytes::Bytes;
use lambda_host::{Host, Invocation, Invoked, Status};

use super::{
    Lambda,
    error::{constraint, invalid, refused},
    operations::Answered,
    place::Reference,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

struct Asked {
    host: Host,
    reference: Reference,
    kind: InvocationType,
    /// Whether the end of the log comes along.
    tail: bool,
    invocation: Invocation,
}

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Outcome {
    let asked = match parse(lambda, visit, name) {
        Ok(asked) => asked,
        Err(error) => return Outcome::Now(Err(error)),
    };
    match asked.kind {
        InvocationType::RequestResponse => Outcome::Later(Box::pin(asked.invoke())),
        InvocationType::Event => asked.queue().into(),
        InvocationType::DryRun => asked.dry_run().into(),
    }
}

fn parse(lambda: &Lambda, visit: &Visit, name: &str) -> Result<Asked, ApiError> {
    let reference = Reference::of(visit, name)?;
    let kind = match visit.request.header("x-amz-invocation-type") {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        Some(other) => {
            let rule = "satisfy enum value set: [Event, RequestResponse, DryRun]";
            return Err(constraint(other, "invocationType", rule));
        }
    };
    let tail = match visit.request.header("x-amz-log-type") {
        None | Some("None") => false,
        Some("Tail") => true,
        Some(other) => {
            return Err(constraint(
                other,
                "logType",
                "satisfy enum value set: [None, Tail]",
            ));
        }
    };
    let client_context = visit.request.header("x-amz-client-context");
    let client_context = client_context.map(|text| {
        let bytes = STANDARD.decode(text).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.ok_or_else(|| invalid("Client context must be a valid Base64-encoded JSON object."))
    });
    let client_context = client_context.transpose()?;
    let registry = lambda.registry();
    registry.find(visit, &reference, "lambda:InvokeFunction")?;
    let host = registry.host(&reference);
    drop(registry);
    let host = host.ok_or_else(|| super::error::no_function(&reference.arn()))?;
    Ok(Asked {
        host,
        kind,
        tail,
        invocation: Invocation {
            payload: Bytes::clone(&visit.request.body),
            request_id: Some(visit.request_id.clone()),
            invoked_function_arn: reference.qualifier.is_some().then(|| reference.arn()),
            client_context,
            trace_id: visit.request.header("x-amzn-trace-id").map(str::to_owned),
        },
        reference,
    })
}

impl Asked {
    async fn invoke(self) -> Answered {
        let place = &self.reference.place;
        let invoked = self.host.invoke(&place.name, self.invocation).await;
        let invoked = invoked.map_err(|refusal| refused(&refusal, place))?;
        let mut headers = vec![header(
            "X-Amz-Executed-Version",
            invoked.executed_version.clone(),
        )];
        if let Some(error) = invoked.function_error {
            headers.push(header("X-Amz-Function-Error", error.as_str()));
        }
        if self.tail {
            let log = STANDARD.encode(invoked.log_tail());
            headers.push(header("X-Amz-Log-Result", log));
        }
        let lit = failure(&invoked);
        let mut answer = plain(200, headers, invoked.payload);
        answer.lit.extend(lit);
        Ok(answer)
    }

    fn queue(self) -> Answered {
        let place = &self.reference.place;
        let accepted = self.host.invoke_async(&place.name, self.invocation);
        accepted.map_err(|refusal| refused(&refusal, place))?;
        Ok(plain(202, Vec::new(), Bytes::new()))
    }

    fn dry_run(self) -> Answered {
        let place = &self.reference.place;
        let checked = self.host.dry_run(&place.name, &self.invocation);
        checked.map_err(|refusal| refused(&refusal, place))?;
        Ok(plain(204, Vec::new(), Bytes::new()))
    }
}

fn header(name: &'static str, value: impl Into<String>) -> Header {
    (name.into(), value.into())
}

fn plain(status: u16, headers: Vec<Header>, body: Bytes) -> Answer {
    Answer {
        status,
        content_type: "application/json".into(),
        headers,
        body,
        lit: Vec::new(),
    }
}

/// A function that fails is a success of Lambda's; the diagram shows it all the same.
fn failure(invoked: &Invoked) -> Option<Lit> {
    invoked.function_error?;
    let (status, words) = match invoked.report.status {
        Status::Timeout => (TraceStatus::Throttled, "the function timed out"),
        Status::Answered | Status::Error(_) => (TraceStatus::Denied, "the function failed"),
    };
    Some(Lit {
        node: "LAMBDA",
        edge: None,
        status,
        words,
    })
}

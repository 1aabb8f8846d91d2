//! Where the words of an answer come from: a guardrail that blocks, the script, another model, or
//! ourselves.

use std::sync::Arc;

use super::{
    Pipeline, Stop,
    faults::fault_stop,
    invoke::{Invocation, Spoken},
};
use crate::{
    answer_plan::{Answer, Ending},
    cache::Prefixes,
    catalogue::Family,
    journal::Usage,
    ops,
    pace::Pace,
    script::{Asked, Step},
    speak::Voice,
};

impl Pipeline<'_> {
    /// The next step of the script, or an answer of our own, if no other model is asked for it.
    pub(super) fn speak(&mut self, invocation: &Invocation<'_>) -> Result<Answer, Spoken> {
        let Invocation {
            operation,
            conversation,
            resolved,
            ..
        } = *invocation;
        if let Some(guard) = &mut self.guard
            && let Some(blocked) = guard.input(conversation)
        {
            return Ok(blocked);
        }
        let voice = Voice::new(
            self.config(),
            self.dials.seed,
            resolved.model,
            operation.streams(),
        );
        let step = self.scripted(invocation)?;
        let embeds = resolved.model.family.embeds();
        // Fault rules and guardrails change answers that are known as a whole.
        let whole = embeds || self.blow.is_some() || self.guard.is_some();
        let later = self.asks && step.is_none() && !whole;
        let mut answer = match step {
            None | Some(Step::Say(_)) if embeds => {
                let tokens = ops::embedding_tokens(conversation, resolved.model);
                Answer::embedding(tokens)
            }
            None if later => Answer {
                usage: Usage::new(conversation.input_tokens(), 0),
                ..Answer::nothing()
            },
            None => voice.generate(conversation)?,
            Some(Step::Fault(fault)) => return Err(fault_stop(fault).into()),
            Some(Step::Raw(raw)) => return Err(Stop::Raw(raw).into()),
            Some(Step::Say(pieces)) => voice.recite(conversation, pieces),
        };
        if resolved.model.family == Family::Nova {
            ops::whole_tool_inputs(&mut answer.beats);
        }
        if !answer.usage_scripted
            && let Some(prefixes) = Prefixes::of(resolved.model, conversation)
        {
            let mut state = self.account.state();
            let usage = &mut answer.usage;
            state.prompt_cache.settle(&prefixes, self.now, usage);
        }
        if let Some(guard) = &mut self.guard {
            guard.output(conversation, &mut answer);
        }
        match &answer.ending {
            _ if later => Err(Spoken::Later(answer.usage)),
            // Outside a stream an exception is the whole reply, and waits for what the script says.
            Ending::Fault(fault) if !operation.streams() => {
                self.held = Pace::waits(&answer.beats);
                Err(fault_stop(fault.clone()).into())
            }
            _ => Ok(answer),
        }
    }

    /// What the script says to this invocation.
    fn scripted(&mut self, invocation: &Invocation<'_>) -> Result<Option<Step>, Stop> {
        let operation = invocation.operation.name();
        let mut asked = Asked::new(operation, &self.request, self.now);
        asked.model = self.record.model.as_deref();
        asked.resolved = Some(invocation.resolved);
        asked.conversation = Some(invocation.conversation);
        let Some(mut line) = self.account.state().script.next(&asked)? else {
            return Ok(None);
        };
        if !Arc::ptr_eq(&self.account, self.emulator.home()) {
            line.name_gates_after(&self.account.id);
        }
        self.record.script = line.rule;
        Ok(Some(line.step))
    }
}

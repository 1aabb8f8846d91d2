//! What a service beside Bedrock asks by itself, in the name of a role: as Step Functions does for a
//! state machine. No socket, no signature; everything else is as for any request.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;

use super::Pipeline;
use crate::{
    Begun,
    emulator::Emulator,
    neighbour::Actor,
    wire::{Reply, Request},
};

/// In whose name, and where.
#[derive(Debug, Clone, Copy)]
pub struct OnBehalf<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// What stands behind the role's name in the caller's ARN.
    pub session_name: &'a str,
    /// The region that is asked.
    pub region: &'a str,
    /// The service that asks, as the diagram shows it.
    pub actor: Option<&'static Actor>,
}

impl Emulator {
    /// Answers a request that a service beside Bedrock makes in the name of a role. The role's policies
    /// decide, fault rules strike, the journal tells it. Dropped before its end, it is told as cut.
    /// A role that nobody configured has its account's policies; trust policies are not asked.
    ///
    /// The answer comes at once: when its parts are due is for the caller to see to.
    pub async fn call_as(
        self: &Arc<Self>,
        caller: OnBehalf<'_>,
        request: Arc<Request>,
        now: OffsetDateTime,
    ) -> Reply {
        let (role, session) = (caller.role_arn, caller.session_name);
        let principal = self.role_principal(role, session, caller.actor, now);
        let begun = {
            let mut pipeline = Pipeline::new(self, request, now);
            caller.region.clone_into(&mut pipeline.region);
            pipeline.known = Some(Arc::new(principal));
            self.follow(pipeline)
        };
        let reply = match begun {
            Begun::Reply(reply) => reply,
            Begun::Wait(waiting) => waiting.reply().await,
            Begun::Ask(question) => question.fall_back("no other model is asked for a service"),
        };
        self.listeners.tell(&reply);
        reply
    }

    /// Lets `listener` hear of every answer to [`Emulator::call_as`], which no socket sees.
    pub fn overhear(&self, listener: impl Fn(&Reply) + Send + Sync + 'static) {
        self.listeners.add(Box::new(listener));
    }
}

type Listener = Box<dyn Fn(&Reply) + Send + Sync>;

/// Who hears of answers that no socket sees.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Vec<Arc<Listener>>>);

impl Listeners {
    fn add(&self, listener: Listener) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::new(listener));
    }

    fn tell(&self, reply: &Reply) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Called without the lock: a listener may look at the emulator.
        let listeners = all.clone();
        drop(all);
        for listener in listeners {
            listener(reply);
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listeners")
    }
}

//! How an execution goes on: what the interpreter wants done is done, until it is over.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use bedrock_emulator::error::ApiError;
use serde_json::Value;
use states_language::{Command, Task, TaskFailure, TaskToken};
use tokio::{
    runtime::Handle,
    task::{AbortHandle, Id, JoinError, JoinSet},
};

use super::{Inner, TaskCall, TaskClock, arn, error::no_runtime, event::Teller, run::Run};

type Ended = Result<Value, TaskFailure>;

/// Everything an execution's driver has.
struct Driver {
    inner: Weak<Inner>,
    account: String,
    run: Arc<Run>,
    tasks: JoinSet<Ended>,
    /// Tasks that somebody waits for.
    waited_for: HashMap<Id, (TaskToken, u64)>,
    aborts: HashMap<TaskToken, (Id, AbortHandle)>,
    /// Numbers tasks for [`TaskClock`].
    started: u64,
    teller: Teller,
}

impl Inner {
    /// Lets an execution go on by itself.
    pub(super) fn drive(self: &Arc<Self>, account: &str, run: &Arc<Run>) -> Result<(), ApiError> {
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        let driver = Driver {
            inner: Arc::downgrade(self),
            account: account.to_owned(),
            run: Arc::clone(run),
            tasks: JoinSet::new(),
            waited_for: HashMap::new(),
            aborts: HashMap::new(),
            started: 0,
            teller: Teller::default(),
        };
        let driving = runtime.spawn(driver.drive());
        run.driven_by(driving.abort_handle());
        Ok(())
    }
}

impl Driver {
    async fn drive(mut self) {
        while self.step().await {}
        if let Some(inner) = self.inner.upgrade() {
            inner.store().ended(&self.account, &self.run, &inner.setup);
        }
        self.run.finished();
    }

    /// One round; `false` when it is over.
    async fn step(&mut self) -> bool {
        let now = self.run.pace.now();
        let (commands, deadline, over) = {
            let mut execution = self.run.execution();
            let commands = execution.poll(now);
            (commands, execution.next_deadline(), execution.is_over())
        };
        self.tell();
        let Some(inner) = self.inner.upgrade() else {
            return false;
        };
        for command in commands {
            match command {
                Command::Task(task) => self.begin(&inner, task),
                Command::Cancel(token) => self.cancel(token),
            }
        }
        drop(inner);
        if over {
            return false;
        }
        if deadline.is_some_and(|deadline| deadline <= self.run.pace.now()) {
            // Others come to their turn, also when this one never rests.
            tokio::task::yield_now().await;
            return true;
        }
        let working: Vec<u64> = self
            .waited_for
            .values()
            .map(|(_, number)| *number)
            .collect();
        if self.run.pace.jump(&working, deadline) {
            return true;
        }
        let run = Arc::clone(&self.run);
        tokio::select! {
            Some(joined) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => {
                self.joined(joined);
            }
            () = run.wake.notified() => {}
            () = run.pace.stirred.notified() => {}
            () = due(&run, deadline) => {}
        }
        true
    }

    fn begin(&mut self, inner: &Inner, task: Task) {
        self.started += 1;
        let run = &self.run;
        let call = TaskCall {
            execution_arn: Arc::clone(&run.arn),
            role_arn: task
                .role_arn
                .unwrap_or_else(|| run.revision.role_arn.clone()),
            region: arn::region(&run.machine_arn).to_owned(),
            state: task.state,
            resource: task.resource,
            input: task.input,
            clock: TaskClock::new(&run.pace, self.started),
        };
        let abort = self.tasks.spawn(inner.runner.run(call));
        self.waited_for
            .insert(abort.id(), (task.token, self.started));
        self.aborts.insert(task.token, (abort.id(), abort));
    }

    fn cancel(&mut self, token: TaskToken) {
        if let Some((id, abort)) = self.aborts.remove(&token) {
            abort.abort();
            self.waited_for.remove(&id);
        }
    }

    fn joined(&mut self, joined: Result<(Id, Ended), JoinError>) {
        let (id, ended) = match joined {
            Ok(ended) => ended,
            // It panicked; whoever was aborted is not waited for.
            Err(error) => {
                let why = format!("the task broke: {error}");
                (error.id(), Err(TaskFailure::new("States.TaskFailed", why)))
            }
        };
        let Some((token, _)) = self.waited_for.remove(&id) else {
            return;
        };
        self.aborts.remove(&token);
        let now = self.run.pace.now();
        self.run.execution().complete(token, ended, now);
    }

    /// Tells what has happened to whoever listens.
    fn tell(&mut self) {
        let Some(inner) = self.inner.upgrade() else {
            return;
        };
        let listener = &inner.setup.listener;
        if !listener.hears() {
            return;
        }
        let events = {
            let execution = self.run.execution();
            self.teller.next(&self.run.arn, execution.history())
        };
        for event in &events {
            listener.tell(event);
        }
    }
}

async fn due(run: &Run, deadline: Option<time::OffsetDateTime>) {
    match deadline {
        Some(deadline) => run.pace.until(deadline).await,
        None => std::future::pending().await,
    }
}

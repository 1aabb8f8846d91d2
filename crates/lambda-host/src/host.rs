//! Functions, and who may run now on which environment.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    Accepted, Attempt, AttemptSink, Clock, ConfigError, EventSink, FunctionConfig, Invocation,
    InvokeError, Invoked, LogSink, SystemClock, ThrottleReason,
    environment::Environment,
    events::{self, Queue},
    ids,
    output::LogStream,
    process::Process,
    run::run,
    warden::Warden,
};

/// The longest payload of a synchronous invocation, in bytes (Lambda quotas).
pub const PAYLOAD_MAX: usize = 6 * 1024 * 1024;

/// The longest payload of an asynchronous invocation, in bytes (Lambda quotas; 256 KB until
/// October 2025).
pub const EVENT_PAYLOAD_MAX: usize = 1024 * 1024;

/// How a host differs from a plain one.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Stamps lines and waits between attempts.
    pub clock: Arc<dyn Clock>,
    /// Sees every line of every function.
    pub log: LogSink,
    /// Hears how each asynchronous invocation ended.
    pub events: EventSink,
    /// Sees every attempt to run a function.
    pub attempts: AttemptSink,
    /// Environments at once in all: AWS's default quota is 1,000.
    pub account_concurrency: u32,
    /// How long a first initialization may take: 10 seconds on AWS.
    pub init_timeout: Duration,
    /// How many bytes of what one invocation prints are kept.
    pub output_max: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            log: LogSink::default(),
            events: EventSink::default(),
            attempts: AttemptSink::default(),
            account_concurrency: 1_000,
            init_timeout: Duration::from_secs(10),
            output_max: 4 * 1024 * 1024,
        }
    }
}

/// Runs functions. Clones share it; with the last one everything it started ends.
#[derive(Debug, Clone)]
pub struct Host {
    owner: Arc<Owner>,
}

/// Ends everything when it is dropped. Invocations that run hold the shared part only.
#[derive(Debug)]
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.shut();
    }
}

impl Host {
    /// A host without functions. It runs on the tokio runtime that its methods are called on.
    pub fn new(setup: Setup) -> Self {
        let shared = Shared {
            clock: setup.clock,
            warden: Arc::new(Warden::new()),
            init_timeout: setup.init_timeout,
            events: Queue::new(setup.events),
            attempts: setup.attempts,
            log: setup.log,
            output_max: setup.output_max,
            closed: watch::Sender::new(false),
            state: Mutex::new(State {
                account_concurrency: setup.account_concurrency,
                unreserved_running: 0,
                functions: BTreeMap::new(),
            }),
            processes: Mutex::default(),
        };
        Self {
            owner: Arc::new(Owner(Arc::new(shared))),
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.0
    }

    /// Adds a function. Nothing is started before its first event.
    pub fn create(&self, config: FunctionConfig) -> Result<(), ConfigError> {
        let config = config.checked()?;
        let mut state = self.shared().state();
        if state.functions.contains_key(&config.name) {
            return Err(ConfigError::ResourceConflict(config.name));
        }
        state.check_reservations(&config)?;
        let name = config.name.clone();
        let function = Function {
            generation: ids::random(),
            config: Arc::new(config),
            idle: Vec::new(),
            running: 0,
        };
        state.functions.insert(name, function);
        Ok(())
    }

    /// Changes a function. Its idle environments end; those that work end with their event.
    pub fn update(&self, config: FunctionConfig) -> Result<(), ConfigError> {
        let config = config.checked()?;
        let mut state = self.shared().state();
        if !state.functions.contains_key(&config.name) {
            return Err(ConfigError::ResourceNotFound(config.name));
        }
        state.check_reservations(&config)?;
        let Some(function) = state.functions.get_mut(&config.name) else {
            return Err(ConfigError::ResourceNotFound(config.name));
        };
        function.config = Arc::new(config);
        function.idle.clear();
        Ok(())
    }

    /// Removes a function. Events that it is working on are finished.
    pub fn delete(&self, name: &str) -> Result<(), ConfigError> {
        let removed = self.shared().state().functions.remove(name);
        match removed {
            Some(_) => Ok(()),
            None => Err(ConfigError::ResourceNotFound(name.to_owned())),
        }
    }

    /// A function's configuration.
    pub fn function(&self, name: &str) -> Option<Arc<FunctionConfig>> {
        let state = self.shared().state();
        let function = state.functions.get(name)?;
        Some(Arc::clone(&function.config))
    }

    /// All functions by name.
    pub fn functions(&self) -> Vec<Arc<FunctionConfig>> {
        let state = self.shared().state();
        let all = state.functions.values();
        all.map(|f| Arc::clone(&f.config)).collect()
    }

    /// How many environments of a function work and how many are idle.
    pub fn environments(&self, name: &str) -> Option<(u32, usize)> {
        let state = self.shared().state();
        let function = state.functions.get(name)?;
        Some((function.running, function.idle.len()))
    }

    /// `RequestResponse`: waits for the answer. A caller that stops waiting does not stop the
    /// function.
    pub async fn invoke(&self, name: &str, invocation: Invocation) -> Result<Invoked, InvokeError> {
        invocation.check(PAYLOAD_MAX)?;
        let permit = self.shared().permit(name)?;
        let running = tokio::spawn(run(Arc::clone(self.shared()), permit, invocation));
        let ended = running.await;
        ended.unwrap_or_else(|e| Err(InvokeError::Service(format!("the invocation ended: {e}"))))
    }

    /// `Event`: queues it and returns. Failures are tried again as on AWS; how it ended goes to
    /// [`Setup::events`].
    pub fn invoke_async(
        &self,
        name: &str,
        invocation: Invocation,
    ) -> Result<Accepted, InvokeError> {
        invocation.check(EVENT_PAYLOAD_MAX)?;
        let config = self.function(name);
        let config = config.ok_or_else(|| InvokeError::ResourceNotFound(name.to_owned()))?;
        events::accept(self.shared(), config, invocation)
    }

    /// `DryRun`: would it be accepted?
    pub fn dry_run(&self, name: &str, invocation: &Invocation) -> Result<(), InvokeError> {
        invocation.check(PAYLOAD_MAX)?;
        match self.function(name) {
            Some(_) => Ok(()),
            None => Err(InvokeError::ResourceNotFound(name.to_owned())),
        }
    }

    /// Ends every process and waits until all are gone. What runs gets `ServiceException`, and so
    /// does whoever comes later.
    pub async fn close(&self) {
        let shared = self.shared();
        shared.shut();
        let processes: Vec<Arc<Process>> = {
            let processes = shared.processes();
            processes.values().filter_map(Weak::upgrade).collect()
        };
        for process in processes {
            process.wait().await;
        }
        shared.warden.gone().await;
    }
}

type Granted = Result<(Permit, u32), ThrottleReason>;

/// What a host's invocations share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) warden: Arc<Warden>,
    pub(crate) init_timeout: Duration,
    pub(crate) events: Queue,
    pub(crate) attempts: AttemptSink,
    log: LogSink,
    output_max: usize,
    closed: watch::Sender<bool>,
    state: Mutex<State>,
    /// Everything that was started and may still run.
    processes: Mutex<HashMap<u32, Weak<Process>>>,
}

#[derive(Debug)]
struct State {
    account_concurrency: u32,
    /// Environments at work of functions without a reservation.
    unreserved_running: u32,
    functions: BTreeMap<String, Function>,
}

#[derive(Debug)]
struct Function {
    /// Tells it from a later function of the same name.
    generation: u128,
    config: Arc<FunctionConfig>,
    /// Ready for an event; the last one used is used first.
    idle: Vec<Environment>,
    running: u32,
}

impl State {
    fn reserved(&self, but: &str) -> u32 {
        let others = self.functions.values().filter(|f| f.config.name != but);
        others
            .filter_map(|f| f.config.reserved_concurrency)
            .fold(0, u32::saturating_add)
    }

    fn check_reservations(&self, config: &FunctionConfig) -> Result<(), ConfigError> {
        let wanted = config.reserved_concurrency.unwrap_or_default();
        let reserved = self.reserved(&config.name).saturating_add(wanted);
        if reserved > self.account_concurrency {
            let all = self.account_concurrency;
            return Err(ConfigError::InvalidParameterValue(format!(
                "the reserved concurrency {wanted} brings all reservations to {reserved}, above \
                 the account's {all}"
            )));
        }
        Ok(())
    }
}

impl Shared {
    /// Held for one step at a time, never across an await.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn processes(&self) -> MutexGuard<'_, HashMap<u32, Weak<Process>>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to run one event of a function, if concurrency allows it.
    pub(crate) fn permit(self: &Arc<Self>, name: &str) -> Result<Permit, InvokeError> {
        self.check_open()?;
        let (config, permit) = self.granted(name)?;
        // The state is no longer locked: whoever hears of it may ask for it.
        let attempt = match &permit {
            Ok((_, concurrent)) => Attempt::Begun {
                concurrent: *concurrent,
            },
            Err(_) => Attempt::Throttled,
        };
        self.attempts.tell(&config, attempt);
        let (permit, _) = permit.map_err(InvokeError::TooManyRequests)?;
        Ok(permit)
    }

    /// A function, and the right to run one event of it with the number of those that run then.
    fn granted(
        self: &Arc<Self>,
        name: &str,
    ) -> Result<(Arc<FunctionConfig>, Granted), InvokeError> {
        let mut state = self.state();
        let unreserved_max = state.account_concurrency.saturating_sub(state.reserved(""));
        let unreserved_running = state.unreserved_running;
        let function = state.functions.get_mut(name);
        let function = function.ok_or_else(|| InvokeError::ResourceNotFound(name.to_owned()))?;
        let config = Arc::clone(&function.config);
        let throttled = |reason| Ok((Arc::clone(&config), Err(reason)));
        let reserved = match function.config.reserved_concurrency {
            Some(max) if function.running >= max => {
                return throttled(
                    ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded,
                );
            }
            None if unreserved_running >= unreserved_max => {
                return throttled(ThrottleReason::ConcurrentInvocationLimitExceeded);
            }
            reserved => reserved.is_some(),
        };
        function.running += 1;
        let permit = Permit {
            shared: Arc::clone(self),
            config: Arc::clone(&function.config),
            generation: function.generation,
            reserved,
            released: false,
        };
        let concurrent = function.running;
        if !reserved {
            state.unreserved_running += 1;
        }
        Ok((config, Ok((permit, concurrent))))
    }

    /// Remembers a process, so that it can be ended from here.
    pub(crate) fn register(&self, process: &Arc<Process>) {
        let mut processes = self.processes();
        processes.retain(|_, process| process.strong_count() > 0);
        processes.insert(process.pid(), Arc::downgrade(process));
        drop(processes);
        if *self.closed.borrow() {
            process.kill();
        }
    }

    pub(crate) fn log_stream(&self, config: &FunctionConfig) -> Arc<LogStream> {
        let name = ids::log_stream(self.clock.now(), &config.version);
        Arc::new(LogStream::new(
            &config.log_group(),
            &name,
            Arc::clone(&self.clock),
            self.log.clone(),
            self.output_max,
        ))
    }

    pub(crate) fn check_open(&self) -> Result<(), InvokeError> {
        if *self.closed.borrow() {
            return Err(InvokeError::Service("the Lambda host is closed".to_owned()));
        }
        Ok(())
    }

    /// Ends when the host closes.
    pub(crate) async fn closing(&self) {
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    /// Ends every process now.
    fn shut(&self) {
        self.closed.send_replace(true);
        let functions = std::mem::take(&mut self.state().functions);
        drop(functions);
        for process in self.processes().values().filter_map(Weak::upgrade) {
            process.kill();
        }
        self.warden.close();
    }
}

/// The right to run one event. Dropped, it makes room for the next.
#[derive(Debug)]
pub(crate) struct Permit {
    shared: Arc<Shared>,
    config: Arc<FunctionConfig>,
    generation: u128,
    reserved: bool,
    released: bool,
}

impl Permit {
    pub(crate) fn config(&self) -> Arc<FunctionConfig> {
        Arc::clone(&self.config)
    }

    /// An idle environment, if there is one that still lives.
    pub(crate) fn warm(&mut self) -> Option<Environment> {
        loop {
            let environment = {
                let mut state = self.shared.state();
                let function = state.functions.get_mut(&self.config.name)?;
                let same = function.generation == self.generation
                    && Arc::ptr_eq(&function.config, &self.config);
                if !same {
                    return None;
                }
                function.idle.pop()?
            };
            if environment.is_alive() {
                environment.thaw();
                return Some(environment);
            }
        }
    }

    /// The event is over and its environment ready for another, unless the function has changed.
    pub(crate) fn give_back(mut self, environment: Environment) {
        environment.freeze();
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        if let Some(function) = state.functions.get_mut(&self.config.name)
            && function.generation == self.generation
            && Arc::ptr_eq(&function.config, &environment.config)
        {
            function.idle.push(environment);
        }
        // The room is made together with the environment: whoever gets it finds it warm.
        self.release(&mut state);
    }

    fn release(&mut self, state: &mut State) {
        if std::mem::replace(&mut self.released, true) {
            return;
        }
        if !self.reserved {
            state.unreserved_running -= 1;
        }
        if let Some(function) = state.functions.get_mut(&self.config.name)
            && function.generation == self.generation
        {
            function.running -= 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.release(&mut shared.state());
    }
}

//! What one AWS account holds. Accounts share nothing but the catalogue: not quotas, caches, scripts,
//! faults, logs, metrics nor journals.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    bedrock::profiles::OwnProfile,
    cache::PromptCache,
    catalogue::ApplicationProfile,
    cloudwatch::Alarms,
    emulator::Config,
    error::Code,
    fault::Faults,
    guardrail::Guardrails,
    identity::Principal,
    journal::{Journal, Record},
    logs::LogGroups,
    observe::{Custom, Delivery, Logging, Meters, STREAM, Timeline},
    policy::{Policies, Rules},
    quota::Buckets,
    runtime::jobs::Jobs,
    script::Script,
};

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    /// The twelve digits.
    pub(crate) id: Arc<str>,
    pub(crate) faults: Faults,
    state: Mutex<State>,
}

/// What changes while requests come in.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) journal: Journal,
    pub(crate) counts: Counts,
    pub(crate) script: Script,
    /// What model invocation logging wrote down.
    pub(crate) logs: Journal,
    pub(crate) meters: Meters,
    pub(crate) alarms: Alarms,
    /// Of callers without policies of their own.
    pub(crate) policies: Policies,
    /// Of the account itself.
    pub(crate) service_control: Policies,
    pub(crate) buckets: Buckets,
    pub(crate) prompt_cache: PromptCache,
    pub(crate) logging: Logging,
    /// Records on their way to a bucket.
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) log_groups: LogGroups,
    /// The application inference profiles it made.
    pub(crate) profiles: Vec<OwnProfile>,
    pub(crate) guardrails: Guardrails,
    pub(crate) jobs: Jobs,
    /// The form about what it wants models for.
    pub(crate) use_case: Option<Vec<u8>>,
}

impl Account {
    /// An account in which nothing has happened yet.
    pub(crate) fn new(
        id: &str,
        config: &Config,
        policies: Policies,
        service_control: Policies,
    ) -> Self {
        Self {
            id: id.into(),
            faults: Faults::default(),
            state: Mutex::new(State::new(id, config, policies, service_control)),
        }
    }

    /// As if nothing had happened yet, and as configured. Policies stay: they say who may do what.
    pub(crate) fn reset(&self, config: &Config) {
        self.faults.clear();
        let mut state = self.state();
        let policies = mem::take(&mut state.policies);
        let service_control = mem::take(&mut state.service_control);
        *state = State::new(&self.id, config, policies, service_control);
    }

    /// The policies that decide about this caller now.
    pub(crate) fn rules(&self, principal: &Principal) -> Rules {
        let state = self.state();
        Rules {
            service_control: state.service_control.clone(),
            endpoint: Policies::default(),
            identity: principal
                .policies
                .as_ref()
                .unwrap_or(&state.policies)
                .clone(),
            session: match &principal.session {
                Some(session) => session.policies.clone(),
                None => Policies::default(),
            },
        }
    }

    /// The application inference profiles it made, if `model` may be one.
    pub(crate) fn application_profiles(&self, model: &str) -> Vec<ApplicationProfile> {
        let arn = model.starts_with("arn:");
        if !arn || !model.contains(":application-inference-profile/") {
            return Vec::new();
        }
        let state = self.state();
        state
            .profiles
            .iter()
            .map(|own| own.profile.clone())
            .collect()
    }

    /// Its state, for as short as possible: answers are composed without it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held is our bug; the data is still whole enough to report.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many requests there were, also those that the journal no longer holds.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// Answered with an error, in a stream too, or not answered.
    pub(crate) errors: u64,
    /// Of them, `ThrottlingException`.
    pub(crate) throttles: u64,
    pub(crate) last_error: Option<Arc<Record>>,
}

impl Counts {
    fn add(&mut self, record: &Arc<Record>) {
        self.requests += 1;
        if record.error.is_none() && (200..400).contains(&record.status) {
            return;
        }
        self.errors += 1;
        self.throttles += u64::from(record.error == Some(Code::Throttling));
        self.last_error = Some(Arc::clone(record));
    }
}

impl State {
    fn new(id: &str, config: &Config, policies: Policies, service_control: Policies) -> Self {
        Self {
            journal: Journal::new(config.journal_capacity, config.journal_bytes),
            counts: Counts::default(),
            script: Script::default(),
            logs: Journal::new(config.journal_capacity, config.journal_bytes),
            meters: Meters::default(),
            alarms: Alarms::default(),
            policies,
            service_control,
            buckets: Buckets::default(),
            prompt_cache: PromptCache::default(),
            logging: Logging::switched(config.invocation_logging, id, config.log_bucket.as_deref()),
            deliveries: Vec::new(),
            log_groups: LogGroups::new(config.journal_bytes),
            profiles: Vec::new(),
            guardrails: Guardrails::default(),
            jobs: Jobs::default(),
            use_case: None,
        }
    }

    /// Keeps a request that was answered; `logged`: model invocation logging writes it down too.
    pub(crate) fn keep(&mut self, record: Arc<Record>, logged: bool) {
        self.counts.add(&record);
        if logged {
            self.deliver(&record);
            self.logs.push(Arc::clone(&record));
        }
        self.journal.push(record);
    }

    /// To where the region's logging configuration says.
    fn deliver(&mut self, record: &Arc<Record>) {
        let Some(config) = self.logging.of(&record.region) else {
            return;
        };
        let bucket = config.s3_config.clone();
        if let Some(to) = &config.cloud_watch_config {
            let group = &to.log_group_name;
            self.log_groups
                .deliver(&record.region, group, STREAM, record);
            self.delivered(record, "ModelInvocationLogsCloudWatchDeliverySuccess");
        }
        if let Some(bucket) = bucket {
            if self.deliveries.len() < DELIVERIES_MAX {
                let record = Arc::clone(record);
                self.deliveries.push(Delivery { bucket, record });
            } else {
                self.delivered(record, "ModelInvocationLogsS3DeliveryFailure");
            }
        }
    }

    /// A metric about the delivery of a log record; it has no dimensions.
    pub(crate) fn delivered(&mut self, record: &Record, metric: &str) {
        let custom = Custom {
            region: record.region.clone(),
            namespace: "AWS/Bedrock".to_owned(),
            name: metric.to_owned(),
            dimensions: Vec::new(),
            unit: "Count".to_owned(),
            line: Timeline::default(),
        };
        let minute = record.t.div_euclid(60_000);
        self.meters
            .change_custom(custom, minute, |stats| stats.put(1.0, 1.0));
    }
}

/// How many records wait for somebody who writes them to a folder; with nobody, delivery fails.
const DELIVERIES_MAX: usize = 1_000;

/// Whether this is how an account id looks: twelve digits.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

//! Which functions and event source mappings there are, and the hosts that run them.
//!
//! Each account has a host of its own in each region, as it has its own concurrency there.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Weak},
    time::Duration,
};

use bedrock_emulator::{Emulator, error::ApiError, neighbour::Visit};
use lambda_host::{
    Attempt, ConfigError, Credentials, FunctionConfig, Host, LogEvent, Setup, Sleep,
};
use time::OffsetDateTime;

use super::{
    Connection, FUNCTION, Lambda,
    cloudwatch::Meter,
    error::{another_account, misconfigured, no_function, service},
    event_source::Mappings,
    function::{Function, Kept},
    place::{Place, Reference},
};
use crate::clock::Clock;

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Registry {
    functions: BTreeMap<Place, Kept>,
    /// By account and region.
    hosts: BTreeMap<(String, String), Host>,
    pub(super) mappings: Mappings,
    setting: Option<Setting>,
}

/// What hosts are made from.
#[derive(Debug, Clone)]
struct Setting {
    clock: Arc<dyn Clock>,
    emulator: Weak<Emulator>,
    endpoint_url: String,
}

/// A function cannot be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// Functions need an emulator for their credentials and logs.
    #[error("no emulator is connected; call `connect` first")]
    NotConnected,
    /// The configuration is refused.
    #[error("the function cannot be created: {0}")]
    Config(#[from] ConfigError),
}

impl Lambda {
    /// Adds a function. Nothing is started before its first event.
    pub fn create(&self, function: Function) -> Result<(), CreateError> {
        let connection = self.shared.connection.get();
        let connection = connection.ok_or(CreateError::NotConnected)?;
        let emulator = connection.emulator.upgrade();
        let emulator = emulator.ok_or(CreateError::NotConnected)?;
        let config = emulator.config();
        let account = function.account.as_ref().unwrap_or(&config.account_id);
        let region = function.region.as_ref().unwrap_or(&config.region);
        let place = Place {
            account: account.clone(),
            region: region.clone(),
            name: function.name.clone(),
        };
        let mut registry = self.registry();
        registry.set(&self.shared.clock, connection);
        let kept = Kept {
            registered: function.clone(),
            function,
            modified: self.shared.clock.now(),
            revision: 0,
            place,
        };
        Ok(registry.insert(kept)?)
    }
}

impl Registry {
    fn set(&mut self, clock: &Arc<dyn Clock>, connection: &Connection) {
        self.setting.get_or_insert_with(|| Setting {
            clock: Arc::clone(clock),
            emulator: Weak::clone(&connection.emulator),
            endpoint_url: connection.endpoint_url.clone(),
        });
    }

    fn insert(&mut self, kept: Kept) -> Result<(), ConfigError> {
        let Some(setting) = &self.setting else {
            return Err(ConfigError::ResourceNotFound(kept.place.name));
        };
        let Place {
            account, region, ..
        } = &kept.place;
        let config = setting.config_of(&kept);
        let host = self.hosts.entry((account.clone(), region.clone()));
        let host = host.or_insert_with(|| setting.host(account, region));
        host.create(config)?;
        self.functions.insert(kept.place.clone(), kept);
        Ok(())
    }

    /// The function that a request means, if the caller may know about it.
    pub(super) fn find(
        &self,
        visit: &Visit,
        reference: &Reference,
        action: &str,
    ) -> Result<&Kept, ApiError> {
        if *reference.place.account != *visit.account {
            let arn = reference.arn();
            return Err(another_account(&visit.caller, action, &arn));
        }
        let kept = self.functions.get(&reference.place);
        let kept = kept.filter(|_| reference.is_latest());
        kept.ok_or_else(|| no_function(&reference.arn()))
    }

    /// The function at that place.
    pub(super) fn function(&self, place: &Place) -> Option<&Kept> {
        self.functions.get(place)
    }

    /// An account's functions in a region, by name.
    pub(super) fn functions(&self, account: &str, region: &str) -> Vec<Kept> {
        let all = self.functions.values();
        let here = all.filter(|kept| kept.place.account == account && kept.place.region == region);
        here.cloned().collect()
    }

    /// The host that runs a function, if it is there.
    pub(super) fn host(&self, reference: &Reference) -> Option<Host> {
        let place = &reference.place;
        if !reference.is_latest() || !self.functions.contains_key(place) {
            return None;
        }
        let at = (place.account.clone(), place.region.clone());
        self.hosts.get(&at).cloned()
    }

    /// What other functions than that have reserved.
    pub(super) fn reserved_without(&self, place: &Place) -> u64 {
        let all = self.functions.values();
        let others = all.filter(|kept| {
            let there = &kept.place;
            there != place && there.account == place.account && there.region == place.region
        });
        others
            .filter_map(|kept| kept.function.reserved_concurrency)
            .map(u64::from)
            .sum()
    }

    /// Changes a function. Environments that are idle end; those that work end with their event.
    pub(super) fn change(
        &mut self,
        place: &Place,
        now: OffsetDateTime,
        change: impl FnOnce(&mut Function),
    ) -> Result<&Kept, ApiError> {
        let unknown = || no_function(&place.arn());
        let mut changed = self.functions.get(place).cloned().ok_or_else(unknown)?;
        change(&mut changed.function);
        changed.modified = now;
        changed.revision += 1;
        let at = (place.account.clone(), place.region.clone());
        let (Some(setting), Some(host)) = (&self.setting, self.hosts.get(&at)) else {
            return Err(service("the function has no host"));
        };
        let updated = host.update(setting.config_of(&changed));
        updated.map_err(|refusal| misconfigured(&refusal, place))?;
        match self.functions.entry(place.clone()) {
            Entry::Occupied(mut kept) => {
                kept.insert(changed);
                Ok(kept.into_mut())
            }
            Entry::Vacant(_) => Err(unknown()),
        }
    }

    /// Removes a function.
    pub(super) fn remove(&mut self, place: &Place) -> Result<(), ApiError> {
        self.functions
            .remove(place)
            .ok_or_else(|| no_function(&place.arn()))?;
        let at = (place.account.clone(), place.region.clone());
        if let Some(host) = self.hosts.get(&at) {
            // Gone either way.
            let _ = host.delete(&place.name);
        }
        Ok(())
    }

    /// An account is as if nothing had happened: what runs ends, events that wait are gone, functions
    /// are as they were registered, and mappings that the API made are gone.
    pub(super) fn forget(&mut self, account: &str) {
        self.hosts.retain(|(id, _), _| id != account);
        self.mappings.forget(account);
        let all = self.functions.values();
        let theirs = all.filter(|kept| kept.place.account == account);
        for kept in theirs.cloned().collect::<Vec<_>>() {
            let anew = Kept {
                function: kept.registered.clone(),
                revision: 0,
                ..kept
            };
            // It was accepted before.
            let _ = self.insert(anew);
        }
    }
}

impl Setting {
    fn host(&self, account: &str, region: &str) -> Host {
        let log = Log {
            emulator: Weak::clone(&self.emulator),
            account: account.to_owned(),
            region: region.to_owned(),
        };
        let meter = Meter {
            emulator: Weak::clone(&self.emulator),
            account: account.to_owned(),
            region: region.to_owned(),
        };
        let clock = Arc::clone(&self.clock);
        Host::new(Setup {
            attempts: (move |function: &FunctionConfig, attempt: Attempt| {
                meter.measure(function, attempt, clock.now());
            })
            .into(),
            clock: Arc::new(HostClock(Arc::clone(&self.clock))),
            log: (move |line: &LogEvent| log.write(line)).into(),
            ..Setup::default()
        })
    }

    fn config_of(&self, kept: &Kept) -> FunctionConfig {
        let credentials = self.emulator.upgrade().map(|emulator| {
            let name = &kept.place.name;
            let now = self.clock.now();
            emulator.assume_role_for_service(&kept.role(), name, Some(&FUNCTION), now)
        });
        let credentials = credentials.map(|credential| Credentials {
            access_key_id: credential.access_key_id,
            secret_access_key: credential.secret_access_key,
            session_token: credential.session_token,
        });
        kept.host_config(credentials, &self.endpoint_url)
    }
}

/// The CloudWatch Logs of an account in a region.
struct Log {
    emulator: Weak<Emulator>,
    account: String,
    region: String,
}

impl Log {
    fn write(&self, line: &LogEvent) {
        let Some(emulator) = self.emulator.upgrade() else {
            return;
        };
        let at = i64::try_from(line.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let events = vec![(at, line.message.clone())];
        let (account, region) = (&self.account, &self.region);
        let (group, stream) = (&line.group, &line.stream);
        emulator.put_log_events(account, region, group, stream, events, line.time);
    }
}

/// Our clock as the host wants it.
#[derive(Debug)]
struct HostClock(Arc<dyn Clock>);

impl lambda_host::Clock for HostClock {
    fn now(&self) -> OffsetDateTime {
        self.0.now()
    }

    fn sleep(&self, delay: Duration) -> Sleep {
        self.0.until(self.0.now() + delay)
    }
}

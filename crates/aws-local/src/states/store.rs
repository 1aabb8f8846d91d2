//! What is kept of each account, and how much of it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bedrock_emulator::error::ApiError;

use super::{
    Setup,
    error::{EXECUTION_LIMIT_EXCEEDED, STATE_MACHINE_LIMIT_EXCEEDED, no_execution, no_machine},
    machine::Machine,
    run::Run,
};

/// State machines of an account (documented: the default quota of AWS).
const MACHINES_MAX: usize = 10_000;

/// All accounts.
#[derive(Debug, Default)]
pub(super) struct Store {
    accounts: BTreeMap<String, Account>,
    /// What a reset gives back, by account and ARN.
    kept: BTreeMap<String, BTreeMap<String, Machine>>,
}

#[derive(Debug, Default)]
struct Account {
    /// By ARN.
    machines: BTreeMap<String, Machine>,
    /// Standard executions, by ARN.
    runs: BTreeMap<Arc<str>, Kept>,
    /// Express executions that run: nobody can ask for them.
    express: BTreeMap<Arc<str>, Arc<Run>>,
    /// Those that ended, the oldest first, with their bytes.
    ended: VecDeque<(Arc<str>, usize)>,
    ended_bytes: usize,
    running: usize,
    serial: u64,
}

/// An execution and its number among those of the account.
#[derive(Debug)]
struct Kept {
    serial: u64,
    run: Arc<Run>,
}

impl Store {
    pub(super) fn machine(&self, account: &str, arn: &str) -> Result<&Machine, ApiError> {
        let account = self.accounts.get(account);
        let machine = account.and_then(|account| account.machines.get(arn));
        machine.ok_or_else(|| no_machine(arn))
    }

    pub(super) fn machine_mut(
        &mut self,
        account: &str,
        arn: &str,
    ) -> Result<&mut Machine, ApiError> {
        let account = self.accounts.get_mut(account);
        let machine = account.and_then(|account| account.machines.get_mut(arn));
        machine.ok_or_else(|| no_machine(arn))
    }

    /// In the order of their ARNs.
    pub(super) fn machines(&self, account: &str) -> impl Iterator<Item = &Machine> {
        let account = self.accounts.get(account);
        account
            .into_iter()
            .flat_map(|account| account.machines.values())
    }

    pub(super) fn add_machine(&mut self, account: &str, machine: Machine) -> Result<(), ApiError> {
        let account = self.accounts.entry(account.to_owned()).or_default();
        if account.machines.len() >= MACHINES_MAX {
            return Err(STATE_MACHINE_LIMIT_EXCEEDED.error(format!(
                "State Machine Limit Exceeded: there are {MACHINES_MAX} state machines; delete one"
            )));
        }
        account.machines.insert(machine.arn.clone(), machine);
        Ok(())
    }

    pub(super) fn remove_machine(&mut self, account: &str, arn: &str) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.machines.remove(arn);
        }
    }

    pub(super) fn run(&self, account: &str, arn: &str) -> Result<&Arc<Run>, ApiError> {
        let account = self.accounts.get(account);
        let kept = account.and_then(|account| account.runs.get(arn));
        kept.map(|kept| &kept.run).ok_or_else(|| no_execution(arn))
    }

    /// The executions of a machine, the newest first, each with its number.
    pub(super) fn runs_of(&self, account: &str, machine: &str) -> Vec<(u64, Arc<Run>)> {
        let account = self.accounts.get(account);
        let all = account
            .into_iter()
            .flat_map(|account| account.runs.values());
        let mut runs: Vec<_> = all
            .filter(|kept| kept.run.machine_arn == machine)
            .map(|kept| (kept.serial, Arc::clone(&kept.run)))
            .collect();
        runs.sort_by_key(|(serial, _)| std::cmp::Reverse(*serial));
        runs
    }

    /// Whether one more may run.
    pub(super) fn check_room(&self, account: &str, setup: &Setup) -> Result<(), ApiError> {
        let running = self
            .accounts
            .get(account)
            .map_or(0, |account| account.running);
        if running < setup.executions_running {
            return Ok(());
        }
        Err(EXECUTION_LIMIT_EXCEEDED.error(format!(
            "Execution Limit Exceeded: {running} executions are running; stop some or wait for them"
        )))
    }

    pub(super) fn add_run(&mut self, account: &str, run: &Arc<Run>, keep: bool) {
        let account = self.accounts.entry(account.to_owned()).or_default();
        account.running += 1;
        account.serial += 1;
        let arn = Arc::clone(&run.arn);
        if keep {
            let kept = Kept {
                serial: account.serial,
                run: Arc::clone(run),
            };
            account.runs.insert(arn, kept);
        } else {
            account.express.insert(arn, Arc::clone(run));
        }
    }

    /// An execution has ended: it is kept as long as there is room.
    pub(super) fn ended(&mut self, account: &str, run: &Run, setup: &Setup) {
        let Some(account) = self.accounts.get_mut(account) else {
            return;
        };
        if account.express.remove(&run.arn).is_some() {
            account.running = account.running.saturating_sub(1);
            return;
        }
        // It may have been forgotten, and one of the same name begun.
        let same = account
            .runs
            .get(&run.arn)
            .is_some_and(|kept| std::ptr::eq(Arc::as_ptr(&kept.run), run));
        if !same {
            return;
        }
        account.running = account.running.saturating_sub(1);
        let bytes = run.bytes();
        account.ended_bytes += bytes;
        account.ended.push_back((Arc::clone(&run.arn), bytes));
        while account.ended.len() > setup.executions_kept.max(1)
            || (account.ended_bytes > setup.history_bytes && account.ended.len() > 1)
        {
            let Some((arn, bytes)) = account.ended.pop_front() else {
                break;
            };
            account.ended_bytes = account.ended_bytes.saturating_sub(bytes);
            account.runs.remove(&arn);
        }
    }

    pub(super) fn forget(&mut self, account: &str) {
        if let Some(account) = self.accounts.remove(account) {
            account.abandon();
        }
        if let Some(machines) = self.kept.get(account) {
            let machines = machines.clone();
            let renewed = Account {
                machines,
                ..Account::default()
            };
            self.accounts.insert(account.to_owned(), renewed);
        }
    }

    pub(super) fn keep(&mut self, account: &str) {
        let machines = self.accounts.get(account).map(|held| held.machines.clone());
        let machines = machines.unwrap_or_default();
        self.kept.insert(account.to_owned(), machines);
    }
}

impl Account {
    fn abandon(&self) {
        let kept = self.runs.values().map(|kept| &kept.run);
        for run in kept.chain(self.express.values()) {
            run.abandon();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        for account in self.accounts.values() {
            account.abandon();
        }
    }
}

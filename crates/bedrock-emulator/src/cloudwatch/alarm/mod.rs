//! Alarms that evaluate themselves.
//!
//! On AWS an alarm is evaluated every minute, over the periods that have ended by then. Here nobody
//! runs in between: whoever asks about alarms first has all evaluations made up that were due since the
//! last time ([`Alarms::settle`]), each with the moment it was due, and then one of now, which sees
//! data that came late. So the answers are those of an evaluator that never sleeps, and the same
//! requests at the same times give the same history.
//!
//! `definition` is what an alarm watches, `verdict` what datapoints say, `reason` how that is told.

mod definition;
mod history;
mod reason;
mod verdict;

pub(super) mod alarm_actions;
pub(super) mod delete_alarms;
pub(super) mod describe_alarm_history;
pub(super) mod describe_alarms;
pub(super) mod describe_alarms_for_metric;
pub(super) mod put_metric_alarm;
pub(super) mod set_alarm_state;
pub(super) mod tags;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::Shape;
use crate::{
    account::State,
    error::{ApiError, Code},
    observe::{Found, Meters},
    service::{Call, Permission},
};

use definition::Definition;
use history::{History, Item};
use verdict::Verdict;

/// Bounds of this emulator.
const ALARMS_MAX: usize = 500;
const FIRED_MAX: usize = 20;

/// How many evaluations of one alarm are made up at most: two days of them.
const DUE_MAX: i64 = 2_880;

/// The time between evaluations, in seconds.
const EVERY: i64 = 60;

/// `StateValue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateValue {
    Ok,
    Alarm,
    InsufficientData,
}

impl StateValue {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    fn parse(name: &str) -> Result<Self, ApiError> {
        let all = [Self::Ok, Self::Alarm, Self::InsufficientData];
        let mut all = all.into_iter();
        all.find(|state| state.name() == name).ok_or_else(|| {
            super::invalid(format!(
                "The value {name} for parameter StateValue must be OK, ALARM or INSUFFICIENT_DATA."
            ))
        })
    }
}

/// One alarm.
#[derive(Debug)]
pub(crate) struct Alarm {
    definition: Definition,
    arn: String,
    tags: BTreeMap<String, String>,
    /// When the definition was put, in milliseconds.
    updated: i64,
    pub(crate) state: StateValue,
    pub(crate) reason: String,
    data: Option<Value>,
    /// When the state changed, in milliseconds.
    pub(crate) since: i64,
    /// The last minute's end up to which evaluations were made.
    evaluated: i64,
    /// The minute's end until which a state that was set by hand is left alone.
    held: i64,
    fired: VecDeque<Fired>,
}

/// An action that a change of state called for.
#[derive(Debug)]
pub(crate) struct Fired {
    pub(crate) at_ms: i64,
    pub(crate) state: StateValue,
    pub(crate) action: String,
}

/// The alarms of one account.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    /// By region and name.
    all: BTreeMap<(String, String), Alarm>,
    history: History,
}

impl Alarms {
    /// Makes up all evaluations that are due.
    pub(crate) fn settle(&mut self, meters: &Meters, now_ms: i64) {
        let Self { all, history } = self;
        let mut region = "";
        let mut found: Vec<Found<'_>> = Vec::new();
        for ((own, _), alarm) in all {
            if own != region {
                found = meters.found(own);
                region = own;
            }
            alarm.settle(own, &found, now_ms, history);
        }
    }

    /// Those of every region, as `(region, alarm)`.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Alarm)> {
        let all = self.all.iter();
        all.map(|((region, _), alarm)| (region.as_str(), alarm))
    }

    fn of<'a>(&'a self, region: &'a str) -> impl Iterator<Item = &'a Alarm> {
        let all = self.iter().filter(move |(own, _)| *own == region);
        all.map(|(_, alarm)| alarm)
    }

    fn get_mut(&mut self, region: &str, name: &str) -> Option<&mut Alarm> {
        self.all.get_mut(&(region.to_owned(), name.to_owned()))
    }
}

impl Alarm {
    pub(crate) fn name(&self) -> &str {
        &self.definition.name
    }

    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    pub(crate) fn condition(&self) -> String {
        self.definition.condition()
    }

    pub(crate) const fn actions_enabled(&self) -> bool {
        self.definition.actions_enabled
    }

    pub(crate) fn fired(&self) -> impl Iterator<Item = &Fired> {
        self.fired.iter()
    }

    fn settle(&mut self, region: &str, found: &[Found<'_>], now_ms: i64, history: &mut History) {
        let last = now_ms.div_euclid(1_000 * EVERY) * EVERY;
        let mut end = self.evaluated.max(last - DUE_MAX * EVERY);
        let reach = self.definition.reach();
        let busy = self.definition.busy(found, end - reach, last);
        let mut was_quiet = false;
        while end + EVERY <= last {
            end += EVERY;
            // Where nothing is in sight and nothing was the time before, nothing changes: on to the
            // end of the next minute that has data.
            let from = busy.partition_point(|minute| minute * 60 + 60 <= end - reach);
            let next = busy.get(from).map_or(i64::MAX, |minute| minute * 60 + 60);
            let quiet = next > end;
            if quiet && was_quiet {
                end = next.min(last + EVERY) - EVERY;
                continue;
            }
            was_quiet = quiet && end > self.held;
            self.evaluate(region, found, end, end * 1_000, history);
        }
        self.evaluated = self.evaluated.max(last);
        if now_ms > last * 1_000 {
            self.evaluate(region, found, last, now_ms, history);
        }
    }

    /// Evaluates the periods before `end`, at that moment.
    fn evaluate(
        &mut self,
        region: &str,
        found: &[Found<'_>],
        end: i64,
        at_ms: i64,
        history: &mut History,
    ) {
        if end <= self.held {
            return;
        }
        // An expression that fails now was tried when the alarm was put.
        let Ok(Some(points)) = self.definition.points(found, end) else {
            return;
        };
        let verdict = self.definition.rule().judge(&points);
        if let Some(state) = verdict.state.filter(|state| *state != self.state) {
            let (reason, data) = self.tell(state, &verdict, at_ms);
            self.change(region, state, reason, Some(data), at_ms, history);
        }
    }

    fn tell(&self, state: StateValue, verdict: &Verdict, at_ms: i64) -> (String, Value) {
        let rule = self.definition.rule();
        let (statistic, unit) = self.definition.asks();
        let asked = reason::Asked {
            statistic,
            unit,
            period: self.definition.period(),
            at_ms,
        };
        (
            reason::words(rule, state, verdict),
            reason::data(rule, verdict, &asked),
        )
    }

    /// From one state to another, with what follows.
    fn change(
        &mut self,
        region: &str,
        state: StateValue,
        reason: String,
        data: Option<Value>,
        at_ms: i64,
        history: &mut History,
    ) {
        let name = self.name().to_owned();
        let told = |state: StateValue, reason: &str, data: Option<&Value>| {
            let mut told = serde_json::json!({"stateValue": state.name(), "stateReason": reason});
            if let Some(data) = data {
                told["stateReasonData"] = data.clone();
            }
            told
        };
        history.push(Item {
            region: region.to_owned(),
            alarm: name.clone(),
            at_ms,
            kind: "StateUpdate",
            summary: format!(
                "Alarm updated from {} to {}",
                self.state.name(),
                state.name()
            ),
            data: serde_json::json!({
                "version": "1.0",
                "oldState": told(self.state, &self.reason, self.data.as_ref()),
                "newState": told(state, &reason, data.as_ref()),
            }),
        });
        self.state = state;
        self.reason = reason;
        self.data = data;
        self.since = at_ms;
        if !self.definition.actions_enabled {
            return;
        }
        for action in self.definition.actions(state) {
            // Nobody is notified: the action stands in the history, and in the control API's list.
            history.push(Item {
                region: region.to_owned(),
                alarm: name.clone(),
                at_ms,
                kind: "Action",
                summary: format!("Successfully executed action {action}"),
                data: serde_json::json!({
                    "actionState": "Succeeded",
                    "stateUpdateTimestamp": at_ms,
                    "notificationResource": action,
                }),
            });
            if self.fired.len() == FIRED_MAX {
                self.fired.pop_front();
            }
            self.fired.push_back(Fired {
                at_ms,
                state,
                action: action.clone(),
            });
        }
    }

    /// `MetricAlarm`.
    fn shape(&self) -> Shape {
        let (before, behind) = self.definition.shapes();
        let mut members = vec![
            ("AlarmName", self.name().into()),
            ("AlarmArn", self.arn.as_str().into()),
        ];
        members.extend(before);
        members.extend([
            (
                "AlarmConfigurationUpdatedTimestamp",
                Shape::Millis(self.updated),
            ),
            ("StateValue", self.state.name().into()),
            ("StateReason", self.reason.as_str().into()),
        ]);
        if let Some(data) = &self.data {
            members.push(("StateReasonData", Shape::Text(data.to_string())));
        }
        members.extend([
            ("StateUpdatedTimestamp", Shape::Millis(self.since)),
            ("StateTransitionedTimestamp", Shape::Millis(self.since)),
        ]);
        members.extend(behind);
        Shape::Members(members)
    }
}

impl State {
    /// The account's alarms as they are now.
    pub(crate) fn settled_alarms(&mut self, now_ms: i64) -> &mut Alarms {
        self.alarms.settle(&self.meters, now_ms);
        &mut self.alarms
    }
}

/// Milliseconds since the Unix epoch.
fn millis(call: &Call<'_>) -> i64 {
    i64::try_from(call.now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

fn arn(call: &Call<'_>, name: &str) -> String {
    format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        call.region, call.account.id
    )
}

/// An action on the alarm that a member of the request names; on any if it names several.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of operations takes an option"
)]
const fn on_alarm(action: &'static str) -> Option<Permission> {
    Some(Permission {
        action,
        resource: |call| {
            let name = super::wire::member(call, "AlarmName");
            arn(call, name.as_deref().unwrap_or("*"))
        },
    })
}

/// `ResourceNotFound`, as the operations that name an alarm say it.
fn no_alarm(name: &str) -> ApiError {
    ApiError::bedrock(Code::NotFound, format!("There is no alarm named {name}."))
}

/// How many items a page has.
fn page_size(input: super::Input<'_>) -> Result<usize, ApiError> {
    let asked = input.whole("MaxRecords")?.unwrap_or(100);
    let size = usize::try_from(asked)
        .ok()
        .filter(|size| (1..=100).contains(size));
    size.ok_or_else(|| {
        super::invalid(format!(
            "The value {asked} for parameter MaxRecords must be from 1 to 100."
        ))
    })
}

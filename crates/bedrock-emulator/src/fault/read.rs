//! The keys of a fault rule, in TOML and in JSON.

use std::time::Duration;

use serde_json::{Map, Value};

use super::FaultRule;
use crate::{
    document::{Field, Mistake},
    script::{Only, When, read_fault, show_fault},
};

impl FaultRule {
    pub(crate) fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        let mut table = field.table()?;
        let millis = |f: Field<'_>| Ok(Duration::from_millis(f.small(0)?.into()));
        let frames = |f: Field<'_>| Ok(usize::try_from(f.small(0)?).unwrap_or(usize::MAX));
        let rule = Self {
            name: table.read("name", |f| f.name())?.map(str::to_owned),
            when: table
                .read("when", |f| When::read(&f, Only::Front))?
                .unwrap_or_default(),
            rate: table.read("rate", |f| f.number(0.0, 1.0))?,
            seed: table.read("seed", |f| f.whole(0))?,
            count: table.read("count", |f| f.whole(1))?,
            strike: read_fault(&mut table)?,
            after_frames: table.read("after_frames", frames)?,
            latency: table.read("latency_ms", millis)?.unwrap_or_default(),
            frame_delay: table.read("frame_delay_ms", millis)?.unwrap_or_default(),
        };
        table.finish()?;
        if rule.strike.is_none() && rule.latency.is_zero() && rule.frame_delay.is_zero() {
            return Err(
                field.mistake("does nothing; write error, socket, latency_ms or frame_delay_ms")
            );
        }
        if rule.strike.is_none() && rule.after_frames.is_some() {
            return Err(field.mistake(
                "has after_frames, but nothing that happens then; write error or socket",
            ));
        }
        if rule.is_front_door() && rule.after_frames.is_some() {
            return Err(field.mistake(
                "has after_frames, but its error is the front door's, which speaks before any stream",
            ));
        }
        Ok(rule)
    }
}

/// As [`FaultRule::read`] reads it.
pub(super) fn shown(rule: &FaultRule) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        map.extend(value.map(|value| (key.to_owned(), value)));
    };
    let millis = |time: Duration| u64::try_from(time.as_millis()).ok().filter(|ms| *ms > 0);
    put("name", rule.name.as_deref().map(Value::from));
    put("when", rule.when.shown());
    put("rate", rule.rate.map(Value::from));
    put("seed", rule.seed.map(Value::from));
    put("count", rule.count.map(Value::from));
    put("after_frames", rule.after_frames.map(Value::from));
    put("latency_ms", millis(rule.latency).map(Value::from));
    put("frame_delay_ms", millis(rule.frame_delay).map(Value::from));
    if let Some(strike) = &rule.strike {
        show_fault(strike, &mut map);
    }
    Value::Object(map)
}

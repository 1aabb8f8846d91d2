//! What a blow does to an answer that is already encoded.

use std::time::Duration;

use bytes::Bytes;

use super::Blow;
use crate::{
    error::ApiError,
    script::Fault,
    wire::{Body, Due, End, Frame},
};

impl Blow {
    /// Delays a body, and breaks a stream in its middle. Tells the exception that was put into it.
    pub(crate) fn land_on(
        &self,
        body: &mut Body,
        exception: fn(&ApiError) -> Bytes,
    ) -> Option<ApiError> {
        self.delay(body);
        let (Some(after), Body::Frames { frames, end }) = (self.after_frames, body) else {
            return None;
        };
        let strike = self.strike.as_ref()?;
        let due = frames
            .get(after)
            .or(frames.last())
            .map(|frame| frame.due.clone());
        let due = due.unwrap_or(Due::After(self.latency));
        frames.truncate(after);
        let error = strike.error(true);
        *end = if error.is_some() {
            End::Clean
        } else {
            End::Cut
        };
        let last = match (&error, strike) {
            (Some(error), _) => Some((due, exception(error))),
            (None, Fault::Hang) => Some((Due::Never, Bytes::new())),
            (None, _) => None,
        };
        frames.extend(last.map(|(due, bytes)| Frame { due, bytes }));
        error
    }

    fn delay(&self, body: &mut Body) {
        match body {
            Body::Whole { due, .. } | Body::Disconnect { due } => later(due, self.latency),
            Body::Frames { frames, .. } => {
                let mut time = self.latency;
                for frame in frames {
                    later(&mut frame.due, time);
                    if matches!(frame.due, Due::Gates(..)) {
                        time = Duration::ZERO;
                    }
                    time = time.saturating_add(self.frame_delay);
                }
            }
        }
    }
}

/// Puts a moment off. Times behind a gate count from its opening, so the first gate is put off.
fn later(due: &mut Due, by: Duration) {
    let time = match due {
        Due::After(time) => time,
        Due::Gates(gates, last) => match gates.first_mut() {
            Some(first) => &mut first.after,
            None => last,
        },
        Due::Never => return,
    };
    *time = time.saturating_add(by);
}

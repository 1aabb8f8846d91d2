//! AWS CloudTrail, as far as it tells what was done: one operation, one file.

mod lookup_events;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[lookup_events::OPERATION];

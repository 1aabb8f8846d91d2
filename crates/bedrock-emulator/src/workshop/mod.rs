//! The emulator's own control API, `/_workshop/…`: one operation, one file.

mod health;

use crate::service::Plain;

/// Its operations.
pub(crate) const OPERATIONS: &[Plain] = &[health::OPERATION];

//! What the student has reached: `.workshop/progress.json`.

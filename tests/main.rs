//! Integration tests of the `workshop` binary.

//! Checks real exercises with real cargo: small workspaces without dependencies, made for each test.

mod check;
mod fixture;
mod hostile;

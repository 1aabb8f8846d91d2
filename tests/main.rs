//! Integration tests of the `workshop` binary and the house rules of the repository.

mod cli;
mod house;
mod site;

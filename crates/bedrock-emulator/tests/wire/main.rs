//! The emulator from outside: bytes in, bytes out.

mod authentication;
mod bench;
mod catalogue;
mod converse;
mod evidence;
mod invoke;
mod permissions;
mod refusals;
mod scripts;

//! The emulator from outside: bytes in, bytes out.

mod bench;
mod converse;

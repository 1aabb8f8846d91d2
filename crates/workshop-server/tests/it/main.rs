//! The site as a service: no port, except where sockets are what is tested.

mod live;
mod pages;
mod safety;
mod support;

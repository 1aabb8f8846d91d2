//! The host with a real `lambda_runtime` program.

#[cfg(test)]
mod end;
#[cfg(test)]
mod events;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod invoke;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod runtime_api;

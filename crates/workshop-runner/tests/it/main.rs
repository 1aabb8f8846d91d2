//! Checks real exercises with real cargo: small workspaces without dependencies, made for each test.

#[cfg(test)]
mod check;
mod checkpoint;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod integrity;
#[cfg(test)]
mod progress;
#[cfg(test)]
mod reset;
#[cfg(test)]
mod verify;
#[cfg(test)]
mod watch;

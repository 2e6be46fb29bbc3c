//! The service as text: units, sysusers file, scriptlets, and the command that starts the server.

mod command;
mod confinement;
mod dangers;
mod facts;
mod options;
mod overrides;
mod scriptlets;
mod socket;
#[cfg(test)]
mod tests;
mod unit;

pub use command::{SERVERS, Server, ServiceProgram, application_modules, server_of};
pub use confinement::confinement_keys;
pub use dangers::{Danger, dangers};
pub use facts::{ServiceFacts, run_program};
pub use options::settings_file;
pub use scriptlets::Scriptlets;

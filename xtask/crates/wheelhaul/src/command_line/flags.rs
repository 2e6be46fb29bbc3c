//! What each task is asked for on the command line, and its help.

pub mod checks;
pub mod clean;
pub mod diff;
pub mod dist;
pub mod init;
pub mod lock;
pub mod rebuild;
pub mod rpm;
pub mod schema;
pub mod sign;
pub mod target;
pub mod trial;
pub mod verify;
pub mod wheel;

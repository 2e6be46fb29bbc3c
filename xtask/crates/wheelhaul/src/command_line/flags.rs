//! What each task is asked for on the command line, and its help.

pub(super) mod checks;
pub(super) mod clean;
pub(super) mod diff;
pub(super) mod dist;
pub(super) mod init;
pub(super) mod lock;
pub(super) mod rebuild;
pub(super) mod rpm;
pub(super) mod schema;
pub(super) mod sign;
pub(super) mod target;
pub(super) mod trial;
pub(super) mod verify;
pub(super) mod wheel;

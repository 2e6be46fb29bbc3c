//! The life of the package on a machine, in parts that each leave the machine as they found it, but for
//! state and users.

pub mod config;
pub mod image;
pub mod load;
pub mod neighbours;
pub mod reboots;
pub mod rows;
pub mod scenario;
pub mod table;

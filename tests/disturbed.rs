//! What befalls a build: killed at any moment, run twice at once, no room on the disk, wheels that rot, an index
//! that fails. Each time the next run makes what an undisturbed one makes, or says why not.

#[path = "disturbed/app.rs"]
mod app;
mod chance;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "disturbed/disk.rs"]
mod disk;
#[path = "locking/index.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod index;
#[path = "disturbed/index_fails.rs"]
mod index_fails;
#[path = "disturbed/kills.rs"]
mod kills;
#[path = "locking/repository.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod repository;
#[path = "disturbed/server.rs"]
mod server;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "the hostile tests use more of it")]
mod zip;

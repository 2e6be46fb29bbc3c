//! Pieces that are kept between runs, and outputs that are not made again: the bytes are the same whatever became of
//! what was kept, and a change costs what changed.

#[path = "disturbed/app.rs"]
#[allow(dead_code, reason = "shared with the tests of disturbed builds")]
mod app;
#[allow(dead_code, reason = "each test that runs the tool uses a part of it")]
mod checkout;
#[path = "locking/index.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod index;
#[path = "locking/repository.rs"]
#[allow(dead_code, reason = "shared with the tests of locks")]
mod repository;
#[path = "pieces/same.rs"]
mod same;
#[path = "pieces/shared.rs"]
mod shared;
#[path = "pieces/store.rs"]
mod store;
#[path = "pieces/wheels.rs"]
mod wheels;
#[path = "hostile/zip.rs"]
#[allow(dead_code, reason = "the hostile tests use more of it")]
mod zip;

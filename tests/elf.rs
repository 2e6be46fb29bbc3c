//! ELF files made to order, each with one fault, and what the checks of `verify` say of them.

#[allow(dead_code, reason = "the hostile tests use the rest of it")]
#[path = "hostile/boxes.rs"]
mod boxes;
#[path = "elf/findings.rs"]
mod findings;
#[path = "forge/elf.rs"]
mod forge;
#[path = "elf/reading.rs"]
mod reading;
#[allow(dead_code, reason = "the hostile tests use the rest of it")]
#[path = "hostile/zip.rs"]
mod zip;

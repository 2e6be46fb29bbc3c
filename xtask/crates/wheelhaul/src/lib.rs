//! Packs a Python web application, with every dependency it needs, into one RPM for a Red Hat box that
//! has no internet access.
//!
//! This file is the map. Data goes one way, and so do the rooms: each uses those above it, never those
//! below, and no room above [`sys`] does I/O of its own. `tests/house.rs` holds the rooms to that.
//!
//! ```text
//! dist/package.toml ─► config ─┐
//! the team's lock ─────► pins ─┴► decide ─► lockfile: dist/pylock.<target>.toml
//!                                  ▲             │  one file a package, with sha256
//!                 boxes, wheel ────┘             ▼
//! application ─► its wheel ───────► layout ◄─ wheelhouse: dist/wheels
//!                                     │
//!                                   tree ─► rpm ─► verify
//! ```
//!
//! In the order of the data:
//!
//! | room | what it knows |
//! |---|---|
//! | [`problem`] | an error with its cure |
//! | [`hex`] | bytes as hexadecimal text |
//! | [`toml_text`] | TOML from outside, read without overflow |
//! | [`templates`] | what is rendered, parsed strictly |
//! | [`licenses`] | licences as SPDX expressions, from what metadata says |
//! | [`boxes`] | the boxes: one record each, marker values, wheel tags |
//! | [`config`] | `dist/package.toml` |
//! | [`pins`] | the team's lock, and which pins a target gets |
//! | [`wheel`] | file names, archives, RECORD, metadata; which wheel a pin gets |
//! | [`elf`] | ELF files of wheels, and what they need of the box |
//! | [`closure`] | whether what was chosen finds all that it requires |
//! | [`lockfile`] | our lock, PEP 751 |
//! | [`decide`] | pins and offers → our lock, or every reason why not |
//! | [`explain`] | what became of one package, file by file |
//! | [`shipped`] | which files an application needs when it runs, and which of them its wheel lacks |
//! | [`tree`] | what lands on the box, with every digest |
//! | [`service`] | unit, sysusers file, scriptlets |
//! | [`init`] | what a repository tells of its application, and the files that set this tool up in it |
//! | [`layout`] | wheels, application and config → tree |
//! | [`rpm`] | writing an RPM, reading one back, putting a signature in |
//! | [`sbom`] | what is in a package, as CycloneDX |
//! | [`pages`] | install notes and description |
//! | [`advisories`] | known vulnerabilities, from data fetched elsewhere |
//! | [`verify`] | judging one, comparing two |
//! | [`review`] | the page for who lets a package in |
//! | [`sys`] | the door: files by rename, programs, time, talk |
//! | [`tools`] | one file an outside program |
//! | [`wheelhouse`] | wheels on disk, by sha256 |
//! | [`pieces`] | compressed pieces of payloads, kept between runs |
//! | [`machine`] | throw-away machines without network, from the root file system of a box |
//! | [`commands`] | the tasks: flags → calls |
//!
//! `lock` is the only step that decides; everything after it is a function of what is committed.

pub mod advisories;
pub mod boxes;
pub mod closure;
pub mod commands;
pub mod config;
pub mod decide;
pub mod elf;
pub mod explain;
pub mod hex;
pub mod init;
pub mod layout;
pub mod licenses;
pub mod lockfile;
#[cfg(unix)]
pub mod machine;
pub mod pages;
pub mod pieces;
pub mod pins;
pub mod problem;
pub mod review;
pub mod rpm;
pub mod sbom;
pub mod service;
pub mod shipped;
pub mod sys;
pub mod templates;
pub mod toml_text;
pub mod tools;
pub mod tree;
pub mod verify;
pub mod wheel;
pub mod wheelhouse;

//! Wheels by the binary distribution format: names, archive, RECORD, metadata, entry points, and the
//! choice of the one that fits. Wheels are hostile input: everything that is read is checked.

mod archive;
mod byte_code;
mod checked;
pub mod closure;
mod contents;
mod data_files;
pub mod elf;
mod entry_points;
mod filename;
mod library;
mod metadata;
mod opened;
mod placed;
mod plain;
mod record;
mod rewrite;
mod source_hash;

pub use archive::{Archive, Member, Mode};
pub use byte_code::{ByteCode, Compiled};
pub use checked::{Checked, PackedSum};
pub use contents::Contents;
pub use data_files::{Tops, check_namespaces, fault_of_data};
pub use entry_points::{EntryPoint, console_scripts};
pub use filename::{WheelName, expand_tags};
pub use library::{check_digests, digest_of_library, is_byte_code, is_compared, library_digest, sha256_of};
pub use metadata::{Metadata, WheelFile};
pub use opened::{opened_by_name, stem_of};
pub use placed::{Placed, Scheme};
pub use plain::{Plain, PlainFile};
pub use record::{Digest, RecordRow, WheelRecord};
pub use rewrite::{Executables, rewrite};
pub use source_hash::SourceHash;
pub use wheelhaul_payload::{Inflater, Sink};

//! The boxes that are packed for: their names, their records, and what follows from them.
//!
//! | files | what they do |
//! |---|---|
//! | `table` | all that is known of each distribution: a new box is a row there |
//! | `target`, `own`, `record`, `probe`, `versions` | a name, or a record of one's own → a [`Target`] |
//! | `environment`, `marker`, `possible`, `requirement`, `explain` | markers and requirements (PEP 508), judged for a box |
//! | `tags`, `magic_tag` | wheel tags (PEP 425, PEP 600), and names of byte-code |
//! | `life`, `runtimes`, `signatures` | questions to the table |
//!
//! Nothing here does I/O.

mod environment;
mod explain;
mod life;
mod magic_tag;
mod marker;
mod own;
mod possible;
mod probe;
mod record;
mod requirement;
mod runtimes;
mod signatures;
mod table;
mod tags;
mod target;
mod versions;

pub use environment::{Asked, Environment, VARIABLES};
pub use explain::JudgedComparison;
pub use magic_tag::{MadeFrom, MagicTag};
pub use own::check_own_name;
pub use possible::may_hold;
pub use probe::read_probe;
pub use record::BoxRecord;
pub use requirement::{Requirement, is_soname};
pub use runtimes::runtimes;
pub use signatures::why_unverified;
pub use table::{BOXES, BoxRow, Compression, PythonRow, Runtimes, Until};
pub use tags::{Tag, TagRanks};
pub use target::{Distribution, Interpreter, Target, known_names, known_targets};

//! ELF files: what they are for, what they ask for, and what of that the box has to bring.

mod facts;
mod fits;
mod image;
mod needs;
mod reader;
mod search;
mod wheels;

pub use facts::{ElfFacts, ElfKind, Stack};
pub use fits::{is_for_others, level_name};
pub use needs::{ElfNeed, highest};
pub use reader::ElfReader;
pub use search::SearchPlace;
pub use wheels::{Asking, ElfFile, OfWheel, asked_of_box, foreign, needs_of};

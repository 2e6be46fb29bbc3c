//! ELF files: what they are for, what they ask for, and what of that the box has to bring.

mod facts;
mod fits;
mod image;
mod needs;
mod reader;
mod wheels;

pub use facts::{ElfFacts, Kind, Stack};
pub use needs::{Need, highest};
pub use reader::ElfReader;
pub use wheels::{ElfFile, OfWheel, foreign, needs_of};

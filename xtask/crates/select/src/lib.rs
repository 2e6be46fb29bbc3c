//! From pins and what the index offers to one wheel for each package, or every reason why there is none.

mod choose;
pub mod decide;
pub mod explain;

pub use choose::{Candidate, NoWheel, Offer, OfferedSdist, Offers, choose, offer_of};

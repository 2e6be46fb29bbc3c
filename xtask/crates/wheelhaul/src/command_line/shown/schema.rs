//! `schema` for people, which is for their editors.

use super::Shown;
use wheelhaul_engine::schema::Report;

impl Shown for Report {
    fn text(&self) -> String {
        format!("{:#}\n", self.schema)
    }
}

//! The JSON schema of what `verify --format json` prints.

use crate::report::Report;
use crate::templates::verify_schema;
use serde_json::{Value, json};

/// Stands in every document as `schema`. It grows when something that a program may rely on goes or means another
/// thing; what is added leaves it as it is.
pub const VERSION: u32 = 1;

/// The schema itself.
pub fn print() -> Report {
    let text = verify_schema();
    let schema: Value = serde_json::from_str(&text).expect("the schema of this tool is JSON");
    Report::fine(text, json!({"json-schema": schema}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_says_its_version() {
        let schema: Value = serde_json::from_str(&verify_schema()).unwrap();
        assert_eq!(schema["$defs"]["report"]["properties"]["schema"]["const"], json!(VERSION));
    }
}

//! What is said of a key that is not known: what was meant, or where it belongs, or that it is not there.

use crate::wishes;
use serde_json::Value;
use wheelhaul_base::problem::{nearest, shortened};

/// Where in the document a value is.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub(super) path: Vec<String>,
    /// the header of the table as people write it, `[service]`; empty at the top
    pub header: String,
}

impl Place {
    pub(super) fn below(&self, key: &str, is_list: bool) -> Self {
        let path: Vec<String> = self.path.iter().cloned().chain([key.to_owned()]).collect();
        let header = match is_list {
            true => format!("[[{}]]", path.join(".")),
            false => format!("[{}]", path.join(".")),
        };
        Self { path, header }
    }

    /// `service.port`
    pub(super) fn key(&self, key: &str) -> String {
        let parts = self.path.iter().map(String::as_str).chain([key]);
        shortened(&parts.collect::<Vec<_>>().join(".")).escape_debug().to_string()
    }

    /// `service`; empty at the top
    pub(crate) fn table(&self) -> String {
        self.path.join(".")
    }
}

/// The cure for an unknown key.
///
/// - Takes: `root`, the whole schema; `schema`, that of the table.
pub(super) fn hint(root: &Value, schema: &Value, place: &Place, key: &str) -> String {
    let known: Vec<&str> = keys_of(schema);
    let here = || match place.header.as_str() {
        "" => format!("known at the top are {}", known.join(", ")),
        header => format!("known under `{header}` are {}", known.join(", ")),
    };
    let dashed = key.replace('_', "-").to_ascii_lowercase();
    if known.contains(&dashed.as_str()) {
        return format!("write it as `{dashed}`");
    }
    if let Some(meant) = known.iter().find(|known| is_plural(known, &dashed) || is_plural(&dashed, known)) {
        return format!("did you mean `{meant}`? {}", here());
    }
    if let Some(answer) = wishes::answer(&place.table(), &key.to_ascii_lowercase()) {
        return answer.to_owned();
    }
    let mut tables = Vec::new();
    owners(root, &dashed, "", &mut tables);
    if !tables.is_empty() {
        return format!("`{dashed}` belongs under {}; {}", tables.join(" or "), here());
    }
    match nearest(&dashed, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? {}", here()),
        None => here(),
    }
}

pub(super) fn is_plural(one: &str, several: &str) -> bool {
    several.strip_suffix('s') == Some(one)
}

fn keys_of(schema: &Value) -> Vec<&str> {
    schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// The tables that have a key, as their headers.
fn owners(schema: &Value, key: &str, path: &str, found: &mut Vec<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let (table, header) = match inner["type"].as_str() {
            Some("object") => (inner, format!("`[{path}]`")),
            Some("array") => (&inner["items"], format!("`[[{path}]]`")),
            _ => continue,
        };
        if table["properties"].get(key).is_some() {
            found.push(header);
        }
        owners(table, key, &path, found);
    }
}

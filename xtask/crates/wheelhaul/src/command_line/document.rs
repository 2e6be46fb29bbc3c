//! What `--format json` prints, and the JSON schema of it for `verify` and `trial`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};
use wheelhaul_engine::verify::{Report, SCHEMA_VERSION};

/// The tasks whose documents have a schema.
const WITH_SCHEMA: [&str; 2] = ["verify", "trial"];

/// Exit code 0 where `outcome` is `fine`, 1 where it is `findings`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "report")]
pub(super) struct Document<R> {
    /// the task
    #[schemars(extend("enum" = WITH_SCHEMA))]
    pub command: &'static str,
    /// whether something was found
    pub outcome: Outcome,
    /// what the task reports
    #[serde(flatten)]
    pub report: R,
}

/// How a task ended that could do its work.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum Outcome {
    /// nothing makes the exit code 1
    Fine,
    /// something does
    Findings,
}

/// Exit code 2. Standard error says the same.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "error")]
pub(super) struct ErrorDocument<'e> {
    /// the task
    #[schemars(extend("enum" = WITH_SCHEMA))]
    pub command: &'static str,
    /// always `error`
    #[schemars(extend("const" = "error"))]
    pub outcome: &'static str,
    /// what was tried, then each cause
    #[schemars(length(min = 1))]
    pub errors: &'e [String],
    /// cures
    pub hints: &'e [String],
}

/// The JSON schema of what `verify --format json` prints, made from the types that are printed.
pub fn verify_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let one_of = [
        generator.subschema_for::<Document<Report>>().to_value(),
        generator.subschema_for::<ErrorDocument<'_>>().to_value(),
    ];
    let mut definitions = Value::Object(generator.take_definitions(true));
    simplify(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:xtask:verify:{SCHEMA_VERSION}"),
        "title": "What `cargo xtask verify --format json` prints",
        "description": "A report where RPMs were judged, an error where that could not be done. Readers pass over members \
            that they do not know: more may come without a new number of `schema`.",
        "oneOf": one_of,
        "$defs": definitions,
    })
}

/// A member that may be absent is never null. Choices of words are one `enum`, and a description is one line.
fn simplify(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(simplify),
        Value::Object(object) => {
            let required = object.get("required").cloned().unwrap_or_default();
            let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                for (_, property) in properties.iter_mut().filter(|(name, _)| !is_required(name)) {
                    without_null(property);
                }
            }
            let words = object.get("oneOf").and_then(|choices| {
                choices.as_array()?.iter().map(|choice| choice.get("const").cloned()).collect::<Option<Vec<Value>>>()
            });
            if let Some(words) = words {
                object.remove("oneOf");
                object.insert("enum".to_owned(), words.into());
            }
            // That of what is never read again.
            object.remove("readOnly");
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(simplify);
        }
        _ => {}
    }
}

fn without_null(property: &mut Value) {
    let Value::Object(property) = property else { return };
    if let Some(Value::Array(types)) = property.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            property.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = property.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            property.remove("anyOf");
            property.extend(only);
        }
    }
}

//! The JSON Schema of `package.toml`, made from the types that it is read into. The parser goes by it too
//! ([`super::shape`]), so that the two cannot disagree.

use crate::Config;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The schema, JSON Schema 2020-12; its examples are what errors tell people to write.
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| schema_of::<Config>("dist/package.toml"));
    &SCHEMA
}

/// The schema of a type.
pub(super) fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    schema["title"] = title.into();
    without_null(&mut schema);
    schema
}

fn is_of_numbers(format: &str) -> bool {
    format.trim_start_matches('u').starts_with("int")
}

/// TOML has no null: what may be absent is only not required.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(without_null),
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            object.retain(|key, value| key != "default" || !value.is_null());
            // What the parser does not hold to: a name given twice is one of a set, and numbers have their bounds.
            object.remove("uniqueItems");
            object.retain(|key, value| key != "format" || !value.as_str().is_some_and(is_of_numbers));
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only: Map<String, Value> = only.clone();
                    object.remove("anyOf");
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

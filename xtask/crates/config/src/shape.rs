//! Holds a document to the schema: unknown and missing keys, wrong types and unknown words, all at once, each with
//! the line to write. Whether a value makes sense is judged after that, by the checks beside the types.

use crate::document::Document;
use crate::lines::{choices_of, line, mended, toml_of};
use crate::service::is_box_path;
use crate::unknown::Place;
use crate::{Relation, RpmDependency, UnmetRequirement, unknown, wishes};
use pep508_rs::{ExtraName, PackageName};
use serde_json::Value;
use std::str::FromStr as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use wheelhaul_base::calendar::Day;
use wheelhaul_base::problem::{Problem, hints_of, nearest, shortened};
use wheelhaul_licenses::Spdx;

/// A fault of a document's shape.
pub(super) struct Fault {
    /// where it is shown
    pub line: usize,
    /// the key at the top that it is in
    pub section: String,
    /// in which entry of an array of tables
    pub index: usize,
    /// the key below that, which cannot be used
    pub key: String,
    pub error: anyhow::Error,
}

/// All faults of a document.
pub(super) fn faults(document: &Document<'_>, schema: &Value) -> Vec<Fault> {
    let mut walk = Walk { document, schema, index: 0, found: Vec::new() };
    walk.table(schema, &document.root, &Place::default(), 0);
    walk.found
}

struct Walk<'a> {
    document: &'a Document<'a>,
    schema: &'a Value,
    /// of the entry of an array of tables that is walked
    index: usize,
    found: Vec<Fault>,
}

impl Walk<'_> {
    fn add(&mut self, line: usize, place: &Place, key: &str, message: &str, hint: &str) {
        let hint = if hint.is_empty() { String::new() } else { format!("line {line}: {hint}") };
        let error = Problem::with_hint(format!("line {line}: {message}"), hint);
        self.push(line, place, key, error);
    }

    fn push(&mut self, line: usize, place: &Place, key: &str, error: anyhow::Error) {
        let mut path = place.path.iter().map(String::as_str).chain([key]);
        let section = path.next().unwrap_or_default().to_owned();
        let key = path.next().unwrap_or_default().to_owned();
        self.found.push(Fault { line, section, index: self.index, key, error });
    }

    /// - Takes: `line`, of the table's header.
    fn table(&mut self, schema: &Value, table: &DeTable<'_>, place: &Place, line: usize) {
        for (key, value) in table.iter() {
            let at = self.document.line_at(key.span().start);
            let name = key.get_ref().as_ref();
            match &schema["properties"][name] {
                Value::Null => self.open(schema, name, value, place, at),
                known => self.value(known, name, value, place, at),
            }
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !table.contains_key(*name)) {
            self.missing(&schema["properties"][name], name, place, line);
        }
    }

    /// A key that the schema does not name: one of a table with keys of people's own, or an unknown one.
    fn open(&mut self, schema: &Value, name: &str, value: &Spanned<DeValue<'_>>, place: &Place, at: usize) {
        let of_each = &schema["additionalProperties"];
        if of_each.is_object() {
            if let Err((message, hint)) = fits_format(&schema["propertyNames"], name) {
                self.add(at, place, name, &format!("key `{}`: {message}", place.key(name)), &hint);
            }
            return self.value(of_each, name, value, place, at);
        }
        let shown = match value.get_ref() {
            DeValue::Table(_) if self.is_header(value) => format!("table `[{}]`", place.key(name)),
            DeValue::Array(entries) if entries.iter().any(|entry| self.is_header(entry)) => {
                format!("table `[[{}]]`", place.key(name))
            }
            _ => format!("key `{}`", place.key(name)),
        };
        let hint = unknown::hint(self.schema, schema, place, name);
        self.add(at, place, name, &format!("unknown {shown}"), &hint);
    }

    /// Whether a table is written with a line of its own, `[service]`.
    fn is_header(&self, value: &Spanned<DeValue<'_>>) -> bool {
        matches!(value.get_ref(), DeValue::Table(_)) && self.document.written(value).starts_with('[')
    }

    fn missing(&mut self, schema: &Value, name: &str, place: &Place, line: usize) {
        let is_list = schema["type"] == "array" && schema["items"]["type"] == "object";
        let (message, hint) = match schema["type"] == "object" || is_list {
            true => self.table_to_add(schema, name, place),
            false => {
                let key = place.key(name);
                let under = match place.header.as_str() {
                    "" => "at the top of the file".to_owned(),
                    header => format!("under `{header}` (line {line})"),
                };
                (format!("key `{key}` is missing"), format!("{under}: write `{}`", line_for(name, schema)))
            }
        };
        // It is nowhere: what a table lacks is told with the table, and a table that is missing at the end.
        let line = if line == 0 { usize::MAX } else { line };
        self.push(line, place, name, Problem::with_hint(message, hint));
    }

    /// What is said of a table that is missing, and the lines to write.
    fn table_to_add(&self, schema: &Value, name: &str, place: &Place) -> (String, String) {
        let is_list = schema["type"] == "array";
        let header = place.below(name, is_list).header;
        let of = if is_list { &schema["items"] } else { schema };
        let required = of["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let lines: Vec<String> = required.map(|key| format!("`{}`", line_for(key, &of["properties"][key]))).collect();
        (format!("there is no `{header}`"), format!("add `{header}` with {}", all(&lines)))
    }

    fn value(&mut self, schema: &Value, name: &str, value: &Spanned<DeValue<'_>>, place: &Place, at: usize) {
        let key = place.key(name);
        if let Some(choices) = choices_of(schema) {
            if choices.iter().any(|choice| self.fits(choice, name, value, place)) {
                return;
            }
            // The alternative of the same kind tells more than "none of them".
            let same_kind =
                choices.iter().find(|choice| is_of_type(choice, value.get_ref()) && words(choice).is_empty());
            return match same_kind {
                Some(choice) => self.value(choice, name, value, place, at),
                None => self.wrong(schema, name, value, place, at),
            };
        }
        if !is_of_type(schema, value.get_ref()) {
            return self.wrong(schema, name, value, place, at);
        }
        match value.get_ref() {
            DeValue::Table(inner) => self.table(schema, inner, &place.below(name, false), at),
            DeValue::Array(entries) if entries.is_empty() && schema["minItems"].as_u64() > Some(0) => {
                let (message, hint) = match schema["items"]["type"] == "object" {
                    true => self.table_to_add(schema, name, place),
                    false => (format!("key `{key}` is empty"), format!("write `{}`", line_for(name, schema))),
                };
                self.add(at, place, name, &message, &hint);
            }
            DeValue::Array(entries) if schema["items"]["type"] == "object" => {
                let below = place.below(name, true);
                for (index, entry) in entries.iter().enumerate() {
                    self.index = index;
                    let DeValue::Table(inner) = entry.get_ref() else {
                        return self.wrong(schema, name, value, place, at);
                    };
                    self.table(&schema["items"], inner, &below, self.document.line_at(entry.span().start));
                }
                self.index = 0;
            }
            DeValue::Array(entries) => {
                if entries.iter().any(|entry| !is_of_type(&schema["items"], entry.get_ref())) {
                    return self.wrong(schema, name, value, place, at);
                }
                for entry in entries.iter() {
                    let line = self.document.line_at(entry.span().start);
                    self.text(&schema["items"], &key, name, entry.get_ref(), place, line);
                }
            }
            DeValue::String(_) if !words(schema).is_empty() => {
                if !self.fits(schema, name, value, place) {
                    self.wrong(schema, name, value, place, at);
                }
            }
            DeValue::Integer(number) if !in_range(schema, number_of(number)) => {
                self.wrong(schema, name, value, place, at);
            }
            other => self.text(schema, &key, name, other, place, at),
        }
    }

    /// A text whose format the schema names.
    fn text(&mut self, schema: &Value, key: &str, name: &str, value: &DeValue<'_>, place: &Place, at: usize) {
        let DeValue::String(text) = value else { return };
        if let Err((message, hint)) = fits_format(schema, text) {
            self.add(at, place, name, &format!("key `{key}`: {message}"), &hint);
        }
    }

    fn fits(&self, schema: &Value, name: &str, value: &Spanned<DeValue<'_>>, place: &Place) -> bool {
        let words = words(schema);
        if !words.is_empty() {
            return value.get_ref().as_str().is_some_and(|text| words.contains(&text));
        }
        let mut trial = Walk { document: self.document, schema: self.schema, index: 0, found: Vec::new() };
        trial.value(schema, name, value, place, 0);
        trial.found.is_empty()
    }

    fn wrong(&mut self, schema: &Value, name: &str, value: &Spanned<DeValue<'_>>, place: &Place, at: usize) {
        let key = place.key(name);
        let written = self.document.written(value);
        let is_table_list = schema["type"] == "array" && schema["items"]["type"] == "object";
        if is_table_list && matches!(value.get_ref(), DeValue::Table(_)) {
            let message = format!("`[{key}]` is one table, and there may be several");
            return self.add(at, place, name, &message, &format!("write `[[{key}]]`"));
        }
        let entries = value.get_ref().as_array().into_iter().flat_map(|entries| entries.iter());
        if schema["type"] == "object" && entries.into_iter().any(|entry| self.is_header(entry)) {
            let message = format!("`[[{key}]]` is a list of tables, and there can be only one");
            return self.add(at, place, name, &message, &format!("write `[{key}]`"));
        }
        let suggested = mended(schema, name, value, written);
        let hint = match wishes::of_value(&place.table(), name, value.get_ref()) {
            Some(answer) => answer.to_owned(),
            None if schema["type"] == "object" || is_table_list => {
                let header = place.below(name, is_table_list).header;
                format!("write a line `{header}`, and its keys below it")
            }
            None => format!("write `{}`", line(name, &suggested)),
        };
        let near = value.get_ref().as_str().and_then(|text| nearest(text, words_of_all(schema)));
        let hint = match near {
            Some(near) => format!("did you mean {near:?}? {hint}"),
            None => hint,
        };
        self.add(
            at,
            place,
            name,
            &format!("key `{key}` is {}, and has to be {}", found(value.get_ref()), expected(schema)),
            &hint,
        );
    }
}

/// `a`, `a and b`, `a, b and c`
fn all(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

fn line_for(name: &str, schema: &Value) -> String {
    line(name, &toml_of(&crate::lines::example(schema)))
}

/// The words that a schema allows, if it names them.
fn words(schema: &Value) -> Vec<&str> {
    let one = schema["const"].as_str();
    schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).chain(one).collect()
}

fn words_of_all(schema: &Value) -> Vec<&str> {
    let choices = choices_of(schema).unwrap_or_default();
    choices.into_iter().chain([schema]).flat_map(words).collect()
}

fn is_of_type(schema: &Value, value: &DeValue<'_>) -> bool {
    let kind = match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
        DeValue::Float(_) | DeValue::Datetime(_) => return false,
    };
    schema["type"] == kind
}

fn number_of(number: &toml::de::DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

fn in_range(schema: &Value, number: Option<i128>) -> bool {
    let at_least = schema["minimum"].as_i64().map_or(i128::MIN, i128::from);
    let at_most = schema["maximum"].as_i64().map_or(i128::MAX, i128::from);
    number.is_some_and(|number| (at_least..=at_most).contains(&number))
}

/// What a value is, in words.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text `{:?}`", shortened(text)),
        DeValue::Integer(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// What a value has to be, in words.
fn expected(schema: &Value) -> String {
    let words: Vec<String> = words(schema).iter().map(|word| format!("`{word:?}`")).collect();
    if !words.is_empty() {
        return words.join(" or ");
    }
    if let Some(choices) = choices_of(schema) {
        return choices.into_iter().map(expected).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "string" => "a text in quotes".to_owned(),
        "integer" => match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("a number from {least} to {most}, without quotes"),
            (Some(least), None) => format!("a number from {least} on, without quotes"),
            _ => "a number, without quotes".to_owned(),
        },
        "boolean" => "`true` or `false`, without quotes".to_owned(),
        "array" if schema["items"]["type"] == "object" => "a list of tables".to_owned(),
        "array" => "a list of texts, in brackets".to_owned(),
        _ => "a table".to_owned(),
    }
}

/// Whether a text is of the format that the schema names; the message and the cure if not.
fn fits_format(schema: &Value, text: &str) -> Result<(), (String, String)> {
    let shown = shortened(text).escape_debug().to_string();
    match schema["format"].as_str().unwrap_or_default() {
        "spdx-expression" => match Spdx::from_str(text) {
            Ok(_) => Ok(()),
            Err(error) => {
                let hint = "write it such as \"MIT\" or \"MIT OR Apache-2.0\", and a licence of your own as \"LicenseRef-NAME\"";
                Err((format!("{error:#}"), [hints_of(&error), vec![hint.to_owned()]].concat().join("; ")))
            }
        },
        "package-name" if PackageName::from_str(text).is_err() => Err((
            format!("`{shown}` is not the name of a package"),
            "write it as the lock does, such as \"pyyaml\"".to_owned(),
        )),
        "extra-name" if ExtraName::from_str(text).is_err() => {
            Err((format!("`{shown}` is not a name"), "write it as the project file does, such as \"web\"".to_owned()))
        }
        "rpm-dependency" => fits_rpm(text, Relation::Wanted),
        "rpm-conflict" => fits_rpm(text, Relation::Conflict),
        "rpm-obsoleted" => fits_rpm(text, Relation::Obsoleted),
        "path-pattern" => check_pattern(text),
        "day" => Day::from_str(text).map(drop).map_err(|error| (format!("{error:#}"), hints_of(&error).join("; "))),
        "one-line" if text.trim().is_empty() || text.chars().any(char::is_control) => {
            Err(("it is empty or has line breaks".to_owned(), "say it in one line".to_owned()))
        }
        "unmet-requirement" => UnmetRequirement::from_str(text).map(drop).map_err(|error| {
            let hint = "write it such as \"wants-new: heavy-gui\", or \"*: heavy-gui\" for whatever requires it";
            (format!("`{shown}` names no requirement: {error:#}"), hint.to_owned())
        }),
        "path-on-the-box" if !is_box_path(text) => {
            let hint = "write it from the root on, without blanks: \"/etc/pki/tls/certs/my-app.crt\"".to_owned();
            Err((format!("`{shown}` is not one of the absolute paths on the box that can be used"), hint))
        }
        _ => Ok(()),
    }
}

fn fits_rpm(text: &str, relation: Relation) -> Result<(), (String, String)> {
    let fault = |error: anyhow::Error| (format!("{error:#}"), hints_of(&error).join("; "));
    RpmDependency::parse(text, relation).map(drop).map_err(fault)
}

/// Refuses what stands for no path.
fn check_pattern(text: &str) -> Result<(), (String, String)> {
    let rest = text.strip_prefix('/').unwrap_or(text);
    let is_plain = rest.split('/').all(|part| !["", ".", ".."].contains(&part)) && !text.chars().any(char::is_control);
    if is_plain {
        return Ok(());
    }
    let what = format!("`{}` stands for no path on the box", shortened(text).escape_debug());
    let cure =
        "write it from the root on, or from the application's folder on: \"lib/selenium/**\" is all below that folder";
    Err((what, cure.to_owned()))
}

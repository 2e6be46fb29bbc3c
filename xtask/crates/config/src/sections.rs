//! The tables of `package.toml`, read one by one, so that a mistake in one hides none in another: keys that cannot be
//! used are taken out, and what then is missing is filled in with the schema's examples.

use crate::document::{Document, Placed};
use crate::lines::example;
use crate::{App, Service, TargetTable, schema, shape};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use wheelhaul_base::problem::all_of;

/// What was wrong with a `package.toml`, and what of it can be used all the same: so that what is around the file is
/// looked at in the same run.
#[derive(Debug)]
pub struct Mistakes {
    /// in the order of the file
    pub faults: Vec<anyhow::Error>,
    /// `[app]`, if its paths can be used
    pub app: Option<App>,
    /// the targets that can be used
    pub targets: Vec<TargetTable>,
    /// `[service]`, if its command can be used
    pub service: Option<Service>,
}

impl From<Mistakes> for anyhow::Error {
    fn from(mistakes: Mistakes) -> Self {
        match all_of("mistakes", mistakes.faults) {
            Err(error) => error,
            Ok(()) => anyhow::anyhow!("it cannot be read"),
        }
    }
}

/// A table as it was read.
pub(super) struct Section<T> {
    pub value: T,
    /// keys that were filled in
    filled: Vec<String>,
}

impl<T> Section<T> {
    /// Whether keys are as they are in the file.
    pub(crate) fn has(&self, keys: &[&str]) -> bool {
        self.filled.iter().all(|filled| !keys.contains(&filled.as_str()))
    }
}

pub(super) struct Sections<'a> {
    document: &'a Document<'a>,
    /// keys that cannot be used: table, entry, key; without a key the table itself
    bad: BTreeSet<(String, usize, String)>,
    /// all faults until now
    pub placed: Vec<Placed>,
}

impl<'a> Sections<'a> {
    /// Holds a document to the schema.
    ///
    /// - Takes: `placed`, the errors of its syntax; where there are any nobody knows what is missing, and only those
    ///   are told.
    pub(crate) fn new(document: &'a Document<'a>, mut placed: Vec<Placed>) -> Self {
        let mut bad = BTreeSet::new();
        let faults = if placed.is_empty() { shape::faults(document, schema()) } else { Vec::new() };
        if !placed.is_empty() {
            bad.extend(document.root.keys().map(|key| (key.get_ref().to_string(), 0, String::new())));
        }
        for fault in faults {
            bad.insert((fault.section, fault.index, fault.key));
            placed.push((fault.line, fault.error));
        }
        Self { document, bad, placed }
    }

    /// Reads a table.
    pub(crate) fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<Section<T>> {
        let value = self.document.get(name)?;
        let bad: BTreeSet<String> =
            self.bad.iter().filter(|(table, ..)| table == name).map(|(.., key)| key.clone()).collect();
        if bad.is_empty() {
            let read = self.document.read(name, value).map_err(|fault| self.placed.push(fault)).ok()?;
            return Some(Section { value: read, filled: Vec::new() });
        }
        let mut table: toml::Table = self.document.read(name, value).ok()?;
        self.repaired(&mut table, &schema()["properties"][name], &bad)
    }

    /// Reads an array of tables; where one cannot be used, the others are there, each with its number.
    pub(crate) fn read_all<T: DeserializeOwned>(&mut self, name: &str) -> Option<Vec<(usize, T)>> {
        let value = self.document.get(name)?;
        if self.bad.iter().all(|(table, ..)| table != name) {
            let read: Vec<T> = self.document.read(name, value).map_err(|fault| self.placed.push(fault)).ok()?;
            return Some(read.into_iter().enumerate().collect());
        }
        let tables: Vec<toml::Table> = self.document.read(name, value).ok()?;
        let mut read = Vec::new();
        for (index, mut table) in tables.into_iter().enumerate() {
            let of_entry = self.bad.iter().filter(|(table, entry, _)| table == name && *entry == index);
            let bad: BTreeSet<String> = of_entry.map(|(.., key)| key.clone()).collect();
            let section = self.repaired(&mut table, &schema()["properties"][name]["items"], &bad);
            // One with another name would not be the box that is meant.
            let whole = section.filter(|section: &Section<T>| section.filled.is_empty());
            read.extend(whole.map(|section| (index, section.value)));
        }
        Some(read)
    }

    /// Takes out what cannot be used, and fills in what is missing.
    fn repaired<T: DeserializeOwned>(
        &self,
        table: &mut toml::Table,
        schema: &serde_json::Value,
        bad: &BTreeSet<String>,
    ) -> Option<Section<T>> {
        if bad.iter().any(String::is_empty) {
            return None;
        }
        table.retain(|key, _| !bad.contains(key));
        let mut filled = Vec::new();
        for key in schema["required"].as_array().into_iter().flatten().filter_map(|key| key.as_str()) {
            if !table.contains_key(key) {
                table.insert(key.to_owned(), toml::Value::try_from(example(&schema["properties"][key])).ok()?);
                filled.push(key.to_owned());
            }
        }
        let value = T::deserialize(std::mem::take(table)).ok()?;
        Some(Section { value, filled })
    }

    /// Adds what is wrong with values.
    pub(crate) fn judge(&mut self, faults: impl Iterator<Item = anyhow::Error>) {
        self.placed.extend(faults.map(|fault| self.document.placed(fault, "", 0)));
    }
}

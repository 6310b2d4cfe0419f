//! Files of prompts: lines, JSONL, CSV. Every row becomes a draft, every broken one is named with its line.

use std::fmt;

use serde_json::{Map, Value};

use super::csv::{self, BadCsv};
use super::plan::Row;
use crate::domain::catalogue::{Catalogue, ModelSpec, Role, nearest};
use crate::domain::request::Draft;
use crate::domain::validate::{Invalid, find_model, parse_value};

/// The key of a row that names its model.
const MODEL: &str = "model";

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A prompt a line.
    Lines,
    /// A JSON object a line.
    Jsonl,
    /// With a line of column names.
    Csv,
}

impl Form {
    /// By the ending of the file's name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv") => Self::Csv,
            Some("jsonl" | "ndjson") => Self::Jsonl,
            _ => Self::Lines,
        }
    }
}

/// A row that cannot be used, with the number of its line, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRow {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub fault: RowFault,
}

/// What can be wrong with a row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowFault {
    /// No JSON; what the reader says.
    Json(String),
    /// JSON, but no object.
    NoObject,
    /// A quotation mark is never closed.
    OpenQuote,
    /// Text after a closed quotation mark.
    StrayQuote,
    /// A column that no model of the file has; the nearest names. It spoils the whole file.
    Column(String, Vec<String>),
    /// The same column twice. It spoils the whole file.
    Twice(String),
    /// More or fewer cells than columns.
    Cells(usize, usize),
    /// The model is not text.
    Model,
    /// The prompt is not text.
    Prompt,
    /// A rule of the model.
    Invalid(Invalid),
    /// A template that cannot be used, in words.
    Template(String),
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(why) => write!(f, "no JSON: {why}"),
            Self::NoObject => write!(f, "a JSON object is needed"),
            Self::OpenQuote => write!(f, "this quotation mark is never closed"),
            Self::StrayQuote => write!(f, "text after a closing quotation mark"),
            Self::Column(name, near) if near.is_empty() => write!(f, "no model here has a field {name:?}"),
            Self::Column(name, near) => {
                write!(f, "no model here has a field {name:?}; did you mean {}?", near.join(", "))
            }
            Self::Twice(name) => write!(f, "the column {name:?} stands there twice"),
            Self::Cells(is, columns) => write!(f, "{is} cells for {columns} columns"),
            Self::Model => write!(f, "the model must be text"),
            Self::Prompt => write!(f, "the prompt must be text"),
            Self::Invalid(fault) => write!(f, "{fault}"),
            Self::Template(why) => write!(f, "{why}"),
        }
    }
}

impl RowFault {
    /// Nothing of the file can be used.
    #[must_use]
    pub fn spoils_all(&self) -> bool {
        matches!(self, Self::Column(..) | Self::Twice(_) | Self::OpenQuote | Self::StrayQuote)
    }
}

/// Reads a file. What a row does not say comes from `base`: its model and fields.
#[must_use]
pub fn read(text: &str, form: Form, base: &Draft, catalogue: &Catalogue) -> (Vec<Row>, Vec<BadRow>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match form {
        Form::Lines => (lines(text, base), Vec::new()),
        Form::Jsonl => jsonl(text, base, catalogue),
        Form::Csv => table(text, base, catalogue),
    }
}

fn lines(text: &str, base: &Draft) -> Vec<Row> {
    let prompts = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    prompts.map(|(line, prompt)| Row { line, draft: Draft { prompt: prompt.to_owned(), ..base.clone() } }).collect()
}

fn jsonl(text: &str, base: &Draft, catalogue: &Catalogue) -> (Vec<Row>, Vec<BadRow>) {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (line, json) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(json) {
            Err(why) => bad.push(BadRow { line, fault: RowFault::Json(why.to_string()) }),
            Ok(Value::Object(said)) => match object(said, base, catalogue) {
                Ok(draft) => rows.push(Row { line, draft }),
                Err(fault) => bad.push(BadRow { line, fault }),
            },
            Ok(_) => bad.push(BadRow { line, fault: RowFault::NoObject }),
        }
    }
    (rows, bad)
}

fn object(mut said: Map<String, Value>, base: &Draft, catalogue: &Catalogue) -> Result<Draft, RowFault> {
    let model = match said.shift_remove(MODEL) {
        None | Some(Value::Null) => base.model.clone(),
        Some(Value::String(model)) => model,
        Some(_) => return Err(RowFault::Model),
    };
    let spec = find_model(&model, catalogue).map_err(RowFault::Invalid)?;
    let prompt = match spec.prompt().and_then(|field| said.shift_remove(&field.name)) {
        None | Some(Value::Null) => base.prompt.clone(),
        Some(Value::String(prompt)) => prompt,
        Some(_) => return Err(RowFault::Prompt),
    };
    let mut fields = base.fields.clone();
    fields.extend(said);
    Ok(Draft { model, prompt, fields, ..Draft::default() })
}

fn table(text: &str, base: &Draft, catalogue: &Catalogue) -> (Vec<Row>, Vec<BadRow>) {
    let spoilt = |line, fault| (Vec::new(), vec![BadRow { line, fault }]);
    let records = match csv::records(text) {
        Ok(records) => records,
        Err(BadCsv::Open(line)) => return spoilt(line, RowFault::OpenQuote),
        Err(BadCsv::Stray(line)) => return spoilt(line, RowFault::StrayQuote),
    };
    let mut records = records.into_iter();
    let Some(header) = records.next() else { return (Vec::new(), Vec::new()) };
    let columns: Vec<String> = header.cells.iter().map(|name| name.trim().to_owned()).collect();
    let records: Vec<csv::Record> = records.collect();
    if let Some(twice) = columns.iter().enumerate().find(|(i, name)| columns[..*i].contains(name)) {
        return spoilt(header.line, RowFault::Twice(twice.1.clone()));
    }
    let model_at = columns.iter().position(|name| name == MODEL);
    let model = |record: &csv::Record| {
        let said = model_at.and_then(|at| record.cells.get(at)).map(|name| name.trim()).filter(|name| !name.is_empty());
        said.unwrap_or(&base.model).to_owned()
    };
    let mut names: Vec<String> = records.iter().map(model).collect();
    names.push(base.model.clone());
    names.sort();
    names.dedup();
    let specs: Vec<&ModelSpec> = names.iter().filter_map(|name| find_model(name, catalogue).ok()).collect();
    let fields = || specs.iter().flat_map(|spec| &spec.fields).map(|field| field.name.as_str());
    for name in columns.iter().filter(|name| *name != MODEL) {
        if !fields().any(|field| field == name) {
            let mut near = nearest(name, fields());
            near.dedup();
            return spoilt(header.line, RowFault::Column(name.clone(), near));
        }
    }
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for record in &records {
        let row = if record.cells.len() == columns.len() {
            cells(&columns, record, model(record), base, catalogue)
        } else {
            Err(RowFault::Cells(record.cells.len(), columns.len()))
        };
        match row {
            Ok(draft) => rows.push(Row { line: record.line, draft }),
            Err(fault) => bad.push(BadRow { line: record.line, fault }),
        }
    }
    (rows, bad)
}

fn cells(
    columns: &[String],
    record: &csv::Record,
    model: String,
    base: &Draft,
    catalogue: &Catalogue,
) -> Result<Draft, RowFault> {
    let spec = find_model(&model, catalogue).map_err(RowFault::Invalid)?;
    let mut draft = Draft { model: model.clone(), ..base.clone() };
    // An empty cell says nothing.
    for (name, cell) in columns.iter().zip(&record.cells).filter(|(name, cell)| *name != MODEL && !cell.is_empty()) {
        match spec.field(name) {
            Some(field) if field.role == Some(Role::Prompt) => draft.prompt.clone_from(cell),
            Some(field) => {
                let value = parse_value(field, cell).map_err(RowFault::Invalid)?;
                draft.fields.insert(name.clone(), value);
            }
            // Another model of the file has it; the check of the whole row says that this one does not.
            None => {
                draft.fields.insert(name.clone(), cell.as_str().into());
            }
        }
    }
    Ok(draft)
}

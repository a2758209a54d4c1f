//! What may be written at a place.

use crate::context::{Context, Expected, context};
use crate::document::Document;
use crate::hover::{about, about_column, shape};
use crate::library::kind_word;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, MarkupContent, MarkupKind,
    Position, Range, TextEdit,
};
use nnc_model::explain::{Argument, Definition, DefinitionKind};
use nnc_syntax::Head;
use nnc_syntax::ast::StmtKind;
use nnc_train::data_options;
use std::collections::BTreeSet;

/// Classes that are offered at most.
const CLASSES: usize = 200;

/// What is offered, the likelier first.
struct Offers<'d> {
    document: &'d Document,
    range: Range,
    known: BTreeSet<String>,
    out: Vec<CompletionItem>,
}

/// What may be written at a place.
pub fn completion(document: &Document, position: Position) -> Vec<CompletionItem> {
    let offset = document.text.offset(position);
    let context = context(document, offset);
    let range = document.text.range_of(context.word.0, context.word.1.max(offset));
    let mut offers = Offers { document, range, known: BTreeSet::new(), out: Vec::new() };
    match context.expected {
        Expected::Nothing => {}
        Expected::Columns => offers.roles(),
        _ if context.columns.is_some() => offers.columns(&context),
        Expected::Statement => {
            offers.steps();
            offers.statements();
        }
        Expected::Step => offers.steps(),
        Expected::Argument => offers.arguments(&context),
    }
    offers.out
}

impl Offers<'_> {
    /// Adds one; `rank` orders groups of them.
    fn add(
        &mut self,
        rank: u32,
        label: &str,
        insert: &str,
        kind: CompletionItemKind,
        detail: String,
        doc: Option<String>,
    ) {
        if !self.known.insert(label.to_string()) {
            return;
        }
        let documentation = doc
            .map(|value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value }));
        self.out.push(CompletionItem {
            label: label.to_string(),
            kind: Some(kind),
            detail: (!detail.is_empty()).then_some(detail),
            documentation,
            sort_text: Some(format!("{rank}{label}")),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(self.range, insert.to_string()))),
            ..CompletionItem::default()
        });
    }

    fn word(&mut self, rank: u32, word: &str, kind: CompletionItemKind, detail: &str) {
        self.add(rank, word, word, kind, detail.to_string(), None);
    }

    fn definition(&mut self, rank: u32, definition: &Definition) {
        let kind = match definition.kind {
            DefinitionKind::Layer => CompletionItemKind::CLASS,
            DefinitionKind::Function | DefinitionKind::Optimizer | DefinitionKind::Initialiser => {
                CompletionItemKind::FUNCTION
            }
        };
        let detail = format!("{}, {}", kind_word(definition.kind), definition.group);
        let doc = about(self.document, definition);
        self.add(rank, &definition.name, &definition.name, kind, detail, Some(doc));
    }

    /// The program's own definitions, those of its files, and the library's.
    fn definitions(&mut self, rank: u32, wanted: impl Fn(&Definition) -> bool) {
        let document = self.document;
        let used = document.seen.iter().flat_map(|seen| &seen.used);
        for definition in document.own.iter().chain(used).filter(|d| wanted(d)) {
            self.definition(rank, definition);
        }
        for definition in document.library.definitions().filter(|d| wanted(d)) {
            self.definition(rank + 1, definition);
        }
    }

    fn statements(&mut self) {
        for head in Head::ALL.iter().filter(|head| head.is_for_programs()) {
            let page = (self.document.library.pages.statement)(head.word());
            self.add(3, head.word(), head.word(), CompletionItemKind::KEYWORD, "statement".into(), page);
        }
        self.word(3, "if", CompletionItemKind::KEYWORD, "statement");
    }

    /// What may be a step of a chain.
    fn steps(&mut self) {
        self.names(0);
        let is_step = |d: &Definition| {
            let group = d.group.as_str();
            match d.kind {
                DefinitionKind::Layer => true,
                DefinitionKind::Function => {
                    !matches!(group, "schedules" | "losses" | "metrics" | "distributions")
                }
                DefinitionKind::Optimizer | DefinitionKind::Initialiser => false,
            }
        };
        self.definitions(1, is_step);
    }

    /// Tensors, parameters and shared layers of the program, and what the data gives.
    fn names(&mut self, rank: u32) {
        let document = self.document;
        for stmt in &document.program.stmts {
            match &stmt.kind {
                StmtKind::Param { name, value, .. } => {
                    let detail = format!("parameter, {}", document.words(value.span));
                    self.word(rank, &name.text, CompletionItemKind::CONSTANT, &detail);
                }
                StmtKind::Shared { name, .. } => {
                    self.word(rank, &name.text, CompletionItemKind::CLASS, "shared layer");
                }
                StmtKind::Flow(flow) => {
                    for name in &flow.targets {
                        self.word(rank, &name.text, CompletionItemKind::VARIABLE, "tensor");
                    }
                }
                _ => {}
            }
        }
        for port in document.seen.iter().flat_map(|seen| &seen.ports) {
            let detail = format!("from the data, {}", shape(&port.shape));
            self.word(rank, &port.name, CompletionItemKind::VARIABLE, &detail);
        }
    }

    /// What a line of columns begins with.
    fn roles(&mut self) {
        for role in self.document.library.words.roles.clone() {
            self.word(0, role, CompletionItemKind::KEYWORD, "what columns are for");
        }
    }

    /// A line of columns.
    fn columns(&mut self, context: &Context) {
        let line = context.columns.as_deref().unwrap_or_default();
        if context.key.as_deref() == Some("order") {
            let column =
                line.iter().rev().find_map(|w| self.document.columns().iter().find(|c| c.name == *w));
            for class in column.iter().flat_map(|c| &c.vocabulary).take(CLASSES) {
                let text = quoted(class);
                self.add(0, class, &text, CompletionItemKind::ENUM_MEMBER, "class".into(), None);
            }
            return;
        }
        if context.key.as_deref() == Some("missing") {
            for word in ["mean", "median", "mode", "drop"] {
                self.word(0, word, CompletionItemKind::ENUM_MEMBER, "");
            }
            return;
        }
        self.column_names(0, line);
        self.word(1, "rest", CompletionItemKind::KEYWORD, "every column no line names");
        let words = self.document.library.words.clone();
        for word in words.columns {
            self.word(2, word, CompletionItemKind::KEYWORD, "what is done with columns");
        }
        for key in words.column_options {
            self.add(2, key, &format!("{key}="), CompletionItemKind::PROPERTY, "option".into(), None);
        }
    }

    fn column_names(&mut self, rank: u32, without: &[String]) {
        let document = self.document;
        for column in document.columns().iter().filter(|c| !without.contains(&c.name)) {
            let text = quoted(&column.name);
            let doc = Some(about_column(column));
            self.add(rank, &column.name, &text, CompletionItemKind::FIELD, "column".into(), doc);
        }
        let dropped = document.seen.iter().flat_map(|seen| &seen.dropped);
        for name in dropped.filter(|n| !without.contains(n)) {
            let detail = "column that is not read".to_string();
            self.add(rank, name, &quoted(name), CompletionItemKind::FIELD, detail, None);
        }
    }

    fn arguments(&mut self, context: &Context) {
        match context.head {
            Some(head) => self.setting(head, context),
            None => self.call(context),
        }
    }

    /// Behind the word of a statement.
    fn setting(&mut self, head: Head, context: &Context) {
        let callee = context.callee.as_deref().filter(|c| *c != head.word());
        let group =
            |group: &'static str| move |d: &Definition| d.group == group && d.kind != DefinitionKind::Layer;
        let own = |d: &Definition| d.kind == DefinitionKind::Function && d.group == self.document.name;
        match (head, callee) {
            (Head::Loss, None) => {
                self.definitions(0, |d| group("losses")(d) || group("distributions")(d) || own(d))
            }
            (Head::Metrics, _) => {
                self.definitions(0, |d| group("metrics")(d) || group("losses")(d) || own(d))
            }
            (Head::Schedule, None) => self.definitions(0, |d| group("schedules")(d) || own(d)),
            (Head::Optimizer, None) => self.definitions(0, |d| d.kind == DefinitionKind::Optimizer),
            (Head::Loss | Head::Schedule | Head::Optimizer, Some(_)) => self.call(context),
            (Head::Split, _) if context.key.as_deref() == Some("group") => self.column_names(0, &[]),
            (Head::Split, _) => {
                for key in ["valid", "test", "group"] {
                    self.add(0, key, &format!("{key}="), CompletionItemKind::PROPERTY, "option".into(), None);
                }
                for word in ["stratify", "ordered"] {
                    self.word(0, word, CompletionItemKind::KEYWORD, "option");
                }
            }
            (Head::Data | Head::Valid | Head::Test, kind) => {
                if kind.is_none() {
                    for kind in self.document.library.words.kinds.clone() {
                        self.word(1, kind, CompletionItemKind::KEYWORD, "kind of data");
                    }
                }
                if context.key.as_deref() == Some("by") {
                    return self.column_names(0, &[]);
                }
                for option in data_options(kind.unwrap_or("csv")) {
                    if !context.given.iter().any(|g| g == option) {
                        self.add(
                            2,
                            option,
                            &format!("{option}="),
                            CompletionItemKind::PROPERTY,
                            "option".into(),
                            None,
                        );
                    }
                }
            }
            (Head::Input | Head::Target, _) => self.column_names(0, &[]),
            (Head::Output, _) => self.names(0),
            (Head::Freeze | Head::Rate, _) => {
                let rows = self.document.seen.iter().flat_map(|seen| &seen.rows);
                let names: BTreeSet<String> =
                    rows.filter(|r| r.weights > 0).map(|r| r.name.clone()).collect();
                for name in names {
                    self.word(0, &name, CompletionItemKind::VARIABLE, "layer");
                }
            }
            (Head::Experiment, _) => {
                for stmt in &self.document.program.stmts {
                    if let StmtKind::Param { name, .. } = &stmt.kind {
                        let text = format!("{}=", name.text);
                        self.add(
                            0,
                            &name.text,
                            &text,
                            CompletionItemKind::PROPERTY,
                            "parameter".into(),
                            None,
                        );
                    }
                }
            }
            (Head::Stop | Head::Expect, _) => {
                if head == Head::Stop {
                    self.word(0, "when", CompletionItemKind::KEYWORD, "");
                }
                self.figures();
            }
            (Head::Shared, _) => self.steps(),
            (
                Head::Epochs
                | Head::Steps
                | Head::Batch
                | Head::Seed
                | Head::Clip
                | Head::Save
                | Head::Then
                | Head::Language
                | Head::Param
                | Head::Repeat,
                _,
            ) => self.names(0),
            (
                Head::Layer
                | Head::Fn
                | Head::Rule
                | Head::Init
                | Head::Rewrite
                | Head::Use
                | Head::Weight
                | Head::State
                | Head::Require,
                _,
            ) => self.definitions(0, |d| {
                d.kind == DefinitionKind::Initialiser || d.kind == DefinitionKind::Function
            }),
        }
    }

    /// The numbers that a training watches.
    fn figures(&mut self) {
        let mut figures: Vec<String> = vec!["loss".into()];
        for stmt in &self.document.program.stmts {
            if let StmtKind::Setting { head, args } = &stmt.kind
                && head.text == Head::Metrics.word()
            {
                figures.extend(args.iter().map(|a| self.document.words(a.value.span).to_string()));
            }
        }
        for figure in figures {
            self.word(0, &figure, CompletionItemKind::VARIABLE, "figure");
            self.word(
                0,
                &format!("val_{figure}"),
                CompletionItemKind::VARIABLE,
                "figure of the validation part",
            );
        }
    }

    /// The arguments of a layer, a function, an optimizer.
    fn call(&mut self, context: &Context) {
        let definition = context.callee.as_deref().and_then(|name| self.document.definition(name));
        let Some(definition) = definition.cloned() else {
            self.names(0);
            return self.definitions(2, |d| d.kind == DefinitionKind::Function);
        };
        if let Some(key) = &context.key {
            if let Some(argument) = definition.arguments.iter().find(|a| a.name == *key) {
                self.values(0, argument);
            }
            return self.names(3);
        }
        for argument in &definition.arguments {
            self.values(2, argument);
            if !argument.tensor && !context.given.contains(&argument.name) {
                let detail = match &argument.default {
                    Some(default) => format!("{}; unless given: {default}", argument.what),
                    None => argument.what.clone(),
                };
                let text = format!("{}=", argument.name);
                self.add(
                    0,
                    &format!("{}=", argument.name),
                    &text,
                    CompletionItemKind::PROPERTY,
                    detail,
                    None,
                );
            }
        }
        self.names(1);
    }

    /// What an argument may be.
    fn values(&mut self, rank: u32, argument: &Argument) {
        for option in &argument.options {
            self.word(rank, option, CompletionItemKind::ENUM_MEMBER, &argument.name);
        }
        match argument.what.as_str() {
            "a function such as relu" => self.definitions(rank + 1, |d| {
                d.kind == DefinitionKind::Function
                    && (d.group == "activations"
                        || ["tanh", "sigmoid", "softplus"].contains(&d.name.as_str()))
            }),
            "an initialiser such as glorot" => {
                self.definitions(rank + 1, |d| d.kind == DefinitionKind::Initialiser);
            }
            "yes or no" => {
                for word in ["yes", "no"] {
                    self.word(rank, word, CompletionItemKind::ENUM_MEMBER, &argument.name);
                }
            }
            _ => {}
        }
    }
}

/// A name as a program writes it: in quotes where it is no word.
fn quoted(name: &str) -> String {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    match begins && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        true => name.to_string(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

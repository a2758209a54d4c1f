//! The program as it ran: what the command line said over it, and its text with that written in.

use crate::binding::load::LoadOptions;
use crate::binding::source::resolve;
use nnc_model::data::{Literal, Part};
use nnc_model::{Overrides, Spec};
use nnc_syntax::Span;
use nnc_syntax::ast::{Arg, ExprKind, Stmt, StmtKind};

/// What the command line said over a program: its parameters and settings beside those it has when nothing
/// is said. An experiment is its parameters.
pub(crate) fn overrides(spec: &Spec) -> Overrides {
    let name = &spec.sources.get(spec.source).name;
    let plain = Spec::read(name, &spec.whole_text(), &Overrides::default()).ok();
    let mut out = Overrides::default();
    for (name, value) in &spec.params {
        let same = plain.as_ref().is_some_and(|p| p.params.iter().any(|(n, v)| n == name && v == value));
        if !same {
            out.set.push((name.clone(), typed(spec, name, value)));
        }
    }
    let Some(plain) = plain else { return out };
    let (now, then) = (&spec.settings, &plain.settings);
    if (now.epochs, now.steps) != (then.epochs, then.steps) {
        (out.epochs, out.steps) = (now.epochs, now.steps);
    }
    out.batch = (now.batch != then.batch).then_some(now.piece());
    if !spec.stages().is_empty() {
        // What is as the first stage has it may differ from later ones.
        let said = spec.overrides();
        (out.epochs, out.steps, out.batch) = (said.epochs, said.steps, said.batch);
    }
    out.seed = (now.seed != then.seed).then_some(now.seed);
    out
}

/// A parameter's value as one writes it.
fn typed(spec: &Spec, name: &str, value: &str) -> String {
    let text = spec.program.stmts.iter().any(|s| match &s.kind {
        StmtKind::Param { name: n, value, .. } => n.text == name && matches!(value.kind, ExprKind::Text(_)),
        _ => false,
    });
    if text { quoted(value) } else { value.to_string() }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A program that trains as this run did, wherever it lies: overrides are written in, paths are absolute.
pub(crate) fn text(spec: &Spec, overrides: &Overrides, options: &LoadOptions) -> String {
    let mut edits = Edits { spec, list: Vec::new(), missing: Vec::new() };
    for (name, value) in &overrides.set {
        edits.parameter(name, value);
    }
    if overrides.epochs.is_some() || overrides.steps.is_some() {
        edits.setting("epochs", overrides.epochs);
        edits.setting("steps", overrides.steps);
    }
    if overrides.batch.is_some() {
        edits.setting("batch", overrides.batch.map(|b| b as u64));
    }
    edits.stages(overrides);
    if overrides.seed.is_some() {
        edits.setting("seed", overrides.seed);
    }
    edits.paths(options);
    edits.list.extend(spec.used());
    edits.apply(&spec.sources.get(spec.source).name)
}

struct Edits<'a> {
    spec: &'a Spec,
    list: Vec<(Span, String)>,
    /// Lines for what the program does not say itself.
    missing: Vec<String>,
}

impl Edits<'_> {
    fn parameter(&mut self, name: &str, value: &str) {
        let span = self.spec.program.stmts.iter().find_map(|s| match &s.kind {
            StmtKind::Param { name: n, value, .. } if n.text == name => Some(value.span),
            _ => None,
        });
        if let Some(span) = span {
            self.list.push((span, value.to_string()));
        }
    }

    /// Writes a number over that of a setting; without one, the setting becomes a comment.
    fn setting(&mut self, head: &str, value: Option<u64>) {
        let is = |s: &&Stmt| matches!(&s.kind, StmtKind::Setting { head: h, .. } if h.text == head);
        let mut found: Vec<Span> = self.spec.program.stmts.iter().filter(is).map(|s| s.span).collect();
        match (value, found.pop()) {
            (Some(n), Some(last)) => self.list.push((last, format!("{head} {n}{}", self.pieces(last)))),
            (Some(n), None) => self.missing.push(format!("{head} {n}")),
            (None, Some(last)) => found.push(last),
            (None, None) => {}
        }
        self.list.extend(found.into_iter().map(|span| (span, String::new())));
    }

    /// What `batch 32 accumulate=4` says besides its number.
    fn pieces(&self, setting: Span) -> String {
        let text = self.spec.sources.slice(setting);
        let at = text.find("accumulate").filter(|_| text.starts_with("batch"));
        at.map_or(String::new(), |at| format!(" {}", &text[at..]))
    }

    /// Writes the numbers of the command line over those of further stages.
    fn stages(&mut self, overrides: &Overrides) {
        let line = |head: &str, n: Option<u64>| n.map(|n| format!("{head} {n}"));
        let length = [line("epochs", overrides.epochs), line("steps", overrides.steps)];
        let length: Vec<String> = length.into_iter().flatten().collect();
        let batch = line("batch", overrides.batch.map(|n| n as u64));
        for block in self.spec.stages() {
            for (heads, new) in [(&["epochs", "steps"][..], &length[..]), (&["batch"], batch.as_slice())] {
                let is = |s: &&Stmt| matches!(&s.kind, StmtKind::Setting { head, .. } if heads.contains(&head.text.as_str()));
                let mut new = (!new.is_empty()).then(|| new.join("; "));
                if new.is_none() {
                    continue;
                }
                for stmt in block.stmts.iter().filter(is) {
                    let more = self.pieces(stmt.span);
                    self.list.push((stmt.span, new.take().map_or(String::new(), |new| new + &more)));
                }
            }
        }
    }

    fn paths(&mut self, options: &LoadOptions) {
        let base = std::path::absolute(&options.base).unwrap_or_else(|_| options.base.clone());
        let own = options.data.as_deref().filter(|p| *p != "-");
        let own = own.and_then(|p| std::path::absolute(p).ok()).map(|p| quoted(&p.to_string_lossy()));
        if let (Some(path), true) = (&own, self.spec.data.is_empty()) {
            self.missing.push(format!("data {path}"));
        }
        for decl in &self.spec.data {
            let texts = decl.args.iter().chain(&decl.to).filter(|a| a.key.is_none());
            let texts: Vec<&Arg<Literal>> = texts.filter(|a| matches!(a.value, Literal::Text(_))).collect();
            let Some(own) = &own else {
                for arg in texts {
                    if let Literal::Text(path) = &arg.value {
                        self.list.push((arg.span, quoted(&resolve(&base, path))));
                    }
                }
                continue;
            };
            // A file of one's own is all the data there is; it is read as the declared one where that is a path.
            match (&texts[..], decl.part) {
                (_, Part::Valid | Part::Test) => self.list.push((decl.span, String::new())),
                ([path], Part::Train) => self.list.push((path.span, own.clone())),
                (_, Part::Train) => self.list.push((decl.span, format!("data {own}"))),
            }
        }
    }

    fn apply(mut self, name: &str) -> String {
        let mut text = self.spec.text().to_string();
        self.list.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        for (span, new) in &self.list {
            let range = span.start as usize..span.end as usize;
            if span.source == self.spec.source && text.get(range.clone()).is_some() {
                text.replace_range(range, new);
            }
        }
        let mut out = format!("# {} as it was trained\n", name.replace(['\n', '\r'], " "));
        for line in &self.missing {
            out.push_str(line);
            out.push('\n');
        }
        out.push_str(&text);
        if !out.ends_with('\n') {
            out.push('\n');
        }
        out
    }
}

//! Between spans in the program and the marks the data crate gives back.

use nnc_data::{Fault, Handle};
use nnc_syntax::{Diagnostic, Span};

/// Hands out marks for spans.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    spans: Vec<Span>,
}

impl Marks {
    /// The mark of a span.
    pub(crate) fn mark(&mut self, span: Span) -> Option<Handle> {
        self.spans.push(span);
        Some(self.spans.len() as Handle - 1)
    }

    /// The span of a mark.
    pub(crate) fn span(&self, handle: Handle) -> Option<Span> {
        self.spans.get(usize::try_from(handle).ok()?).copied()
    }

    /// A fault as a diagnostic that points into the program, or names the place in the file.
    pub(crate) fn diagnostic(&self, fault: &Fault) -> Diagnostic {
        let mut d = Diagnostic::new(fault.code, fault.severity, fault.message.clone());
        let span = fault.place.as_ref().and_then(|p| p.handle).and_then(|h| self.span(h));
        let file = file_place(fault);
        // A label belongs to the place that is wrong: the cell of a file, or the words of the program.
        let mut label = fault.label.clone();
        if let Some(place) = &file {
            let label = label.take().map_or(String::new(), |l| format!(" ({l})"));
            d = d.cause(format!("{place}{label}"));
        }
        if let Some(span) = span {
            let text =
                if file.is_some() { "read here".to_string() } else { label.take().unwrap_or_default() };
            d = d.label(span, text);
        }
        if let Some(label) = label {
            d = d.cause(label);
        }
        if let Some(expected) = &fault.expected {
            d = d.cause(format!("expected {expected}"));
        }
        if fault.more > 0 {
            d = d.cause(format!("and {} more of this kind", fault.more));
        }
        if let Some(help) = &fault.help {
            d = d.help(help.clone());
        }
        d
    }

    /// All of them; the cells of one column with one mistake are one diagnostic, which counts them.
    pub(crate) fn diagnostics(&self, faults: &[Fault]) -> Vec<Diagnostic> {
        let kind = |f: &Fault| {
            let place = f.place.clone().filter(|p| p.cell.is_some())?;
            // `did you mean 1.5?` and `did you mean 2.5?` are one label.
            let number = |c: char| c.is_ascii_digit() || ".,-".contains(c);
            let label = f.label.as_ref().map(|l| l.replace(number, ""));
            Some((f.code, f.severity, f.path.clone(), place.column_name?, f.help.clone(), label))
        };
        let mut told = Vec::new();
        let mut out = Vec::new();
        for fault in faults {
            let Some(of) = kind(fault) else {
                out.push(self.diagnostic(fault));
                continue;
            };
            if told.contains(&of) {
                continue;
            }
            let others: Vec<&Fault> =
                faults.iter().filter(|f| kind(f).as_ref() == Some(&of)).skip(1).collect();
            out.push(self.column(fault, &others));
            told.push(of);
        }
        out
    }

    /// A fault with those like it in its column.
    fn column(&self, first: &Fault, others: &[&Fault]) -> Diagnostic {
        if others.is_empty() {
            return self.diagnostic(first);
        }
        const LISTED: usize = 4;
        let cell = |f: &&Fault| {
            let place = f.place.as_ref()?;
            Some(format!("row {} `{}`", place.row?, place.cell.as_ref()?))
        };
        let listed: Vec<String> = others.iter().take(LISTED).filter_map(cell).collect();
        let all = 1 + others.len() + others.iter().map(|f| f.more).sum::<usize>() + first.more;
        let more = if listed.len() + 1 < all { " …" } else { "" };
        let d = self.diagnostic(&Fault { more: 0, ..first.clone() });
        d.cause(format!("the same in {}{more}: {all} cells in all", listed.join(", ")))
    }
}

/// `iris.csv:12: row 11, column 4 (petal): "x"`; `None` where the place is not in a file.
fn file_place(fault: &Fault) -> Option<String> {
    let path = fault.path.as_ref()?;
    let place = fault.place.as_ref().filter(|p| p.line.is_some() || p.row.is_some() || p.column.is_some())?;
    let mut out = path.clone();
    if let Some(line) = place.line {
        out.push_str(&format!(":{line}"));
        if let Some(column) = place.column {
            out.push_str(&format!(":{column}"));
        }
    }
    let mut parts = Vec::new();
    if let Some(row) = place.row {
        parts.push(format!("row {row}"));
    }
    match (place.column, &place.column_name) {
        (Some(_), Some(name)) => parts.push(format!("column `{name}`")),
        (Some(at), None) => parts.push(format!("column {at}")),
        _ => {}
    }
    if let Some(cell) = &place.cell {
        parts.push(format!("`{cell}`"));
    }
    if !parts.is_empty() {
        out.push_str(": ");
        out.push_str(&parts.join(", "));
    }
    Some(out)
}

//! Remedies that diagnostics are sure of: what `nnc fix` does.

use crate::binding::cache::DataCache;
use crate::check::find::find;
use nnc_syntax::{Code, Diagnostic, Fix, Group, SourceId, SourceMap, Span};
use std::collections::BTreeSet;
use std::path::Path;

/// A remedy may bring the next mistake to light; one that goes round in circles is stopped.
const ROUNDS: usize = 40;

/// A program after its remedies.
#[derive(Debug)]
pub struct Mended {
    /// The program.
    pub text: String,
    /// What was done, a line each.
    pub changes: Vec<String>,
    /// What is still to be said.
    pub found: Vec<Diagnostic>,
    /// The texts that it points into.
    pub sources: SourceMap,
    source: SourceId,
}

/// Applies the remedies that diagnostics are sure of to a program whose paths begin in the folder `base`, but for lines
/// that would still be wrong by their words: one wrong program does not become another.
pub fn mend(name: &str, text: &str, base: &Path, cache: &mut DataCache) -> Mended {
    let mut held = BTreeSet::new();
    loop {
        let (mut mended, touched) = remedied(name, text, base, &held, cache);
        let wrong: Vec<usize> = touched.iter().copied().filter(|line| mended.is_wrong(*line)).collect();
        if wrong.is_empty() {
            // What is left is not announced as something that could be mended.
            for d in &mut mended.found {
                let at = d.fix.as_ref().map(|fix| line_of(&mended.sources, fix.span));
                if at.is_some_and(|line| held.contains(&line))
                    && let Some(fix) = &mut d.fix
                {
                    fix.safe = false;
                }
            }
            return mended;
        }
        held.extend(wrong);
    }
}

/// Applies remedies until there are none, and tells which lines they changed.
fn remedied(
    name: &str,
    text: &str,
    base: &Path,
    held: &BTreeSet<usize>,
    cache: &mut DataCache,
) -> (Mended, BTreeSet<usize>) {
    let mut text = text.to_string();
    let mut look = |text: &str| {
        let found = find(name, text, base, cache);
        (found.diagnostics, found.sources, found.source)
    };
    let mut changes = Vec::new();
    let mut touched = BTreeSet::new();
    let (mut found, mut sources, mut source) = look(&text);
    let mut seen = vec![text.clone()];
    for _ in 0..ROUNDS {
        let mut fixes = sure(&found, source);
        let line = |fix: &Fix| line_of(&sources, fix.span);
        fixes.retain(|(_, fix)| !held.contains(&line(fix)));
        if fixes.is_empty() {
            break;
        }
        let next = apply(&text, &fixes);
        let (next_found, next_sources, next_source) = look(&next);
        // A remedy that leaves the program harder to read than before is none.
        if seen.contains(&next) || unreadable(&next_found) > unreadable(&found) {
            break;
        }
        changes.extend(fixes.iter().map(|(d, fix)| render(d, fix, &sources)));
        // Lines are counted as long as there are as many as before.
        if next.lines().count() == text.lines().count() {
            touched.extend(fixes.iter().map(|(_, fix)| line(fix)));
        }
        seen.push(next.clone());
        (text, found, sources, source) = (next, next_found, next_sources, next_source);
    }
    (Mended { text, changes, found, sources, source }, touched)
}

impl Mended {
    /// Whether a line has a mistake of syntax, names or arguments.
    fn is_wrong(&self, line: usize) -> bool {
        let words = |d: &&Diagnostic| {
            d.is_error() && matches!(d.code.group(), Group::Syntax | Group::Names) && d.code != Code::N0219
        };
        self.found.iter().filter(words).any(|d| {
            let first = d.labels.first().filter(|l| l.span.source == self.source);
            first.is_some_and(|l| line_of(&self.sources, l.span) == line)
        })
    }
}

/// The line of a place, from 1.
fn line_of(sources: &SourceMap, span: Span) -> usize {
    sources.get(span.source).line_column(span.start).0
}

/// Mistakes of syntax.
fn unreadable(found: &[Diagnostic]) -> usize {
    found.iter().filter(|d| d.is_error() && d.code.group() == Group::Syntax).count()
}

/// The sure remedies in the program, in the order of the text; of two that overlap the first.
fn sure(found: &[Diagnostic], source: SourceId) -> Vec<(&Diagnostic, &Fix)> {
    let all = found.iter().filter_map(|d| d.fix.as_ref().map(|fix| (d, fix)));
    let mut fixes: Vec<_> = all.filter(|(_, fix)| fix.safe && fix.span.source == source).collect();
    fixes.sort_by_key(|(_, fix)| (fix.span.start, fix.span.end));
    let mut out: Vec<(&Diagnostic, &Fix)> = Vec::new();
    for (d, fix) in fixes {
        let clear = out.last().is_none_or(|(_, last)| {
            fix.span.start >= last.span.end
                && (fix.span.start, fix.span.end) != (last.span.start, last.span.end)
        });
        if clear {
            out.push((d, fix));
        }
    }
    out
}

fn apply(text: &str, fixes: &[(&Diagnostic, &Fix)]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (_, fix) in fixes {
        out.push_str(text.get(at..fix.span.start as usize).unwrap_or(""));
        out.push_str(&fix.replacement);
        at = fix.span.end as usize;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// ``xor.nn:9:1: `dens` becomes `dense` (N0201)``
fn render(d: &Diagnostic, fix: &Fix, sources: &SourceMap) -> String {
    let (before, after) = (sources.slice(fix.span), fix.replacement.as_str());
    let what = match (before.trim(), after.trim()) {
        ("", after) => format!("`{after}` is put in"),
        (before, "") => format!("`{before}` goes away"),
        (before, after) => format!("`{before}` becomes `{after}`"),
    };
    format!("{}: {} ({})", sources.place(fix.span), what, d.code)
}

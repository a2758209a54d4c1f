//! What is said about how the cells of a table are written.

use std::collections::BTreeMap;

use super::line_to_write;
use crate::dialect::Skip;
use crate::fault::{Fault, codes};
use crate::raw::Head;
use crate::source::builder::{Column, Look};
use crate::source::decode;
use crate::source::number::Spelling;
use crate::source::scan::Passed;
use crate::spec::CsvSpec;
use nnc_syntax::units::{count, grouped};

/// The fault for bytes that are no UTF-8.
pub(super) fn not_utf8(cell: &[u8], spec: &CsvSpec) -> Fault {
    let shown: String = String::from_utf8_lossy(cell).chars().take(60).collect();
    let (label, others) = decode::likely(cell);
    let option = format!("encoding=\"{label}\"");
    let others = if others.is_empty() { String::new() } else { format!("   or {others}") };
    let help = format!("{}{others}\nor save the file as UTF-8", line_to_write(spec, &option));
    Fault::new(codes::DAMAGED, format!("`{shown}` is not UTF-8 text")).help(help).remedy(option)
}

/// Columns whose numbers are written in a way that a program has to name.
pub(super) fn spelt(columns: &[(&str, Look)], spec: &CsvSpec) -> Fault {
    let mut needs: BTreeMap<Spelling, usize> = BTreeMap::new();
    for (_, look) in columns {
        look.needs.iter().for_each(|(n, times)| *needs.entry(*n).or_default() += times);
    }
    let needy: usize = columns.iter().map(|(_, l)| l.needy).sum();
    let all: Vec<Spelling> = needs.iter().filter(|(_, n)| **n == needy).map(|(s, _)| *s).collect();
    let all = if all.is_empty() {
        needs.iter().max_by_key(|(_, n)| **n).map(|(s, _)| *s).into_iter().collect()
    } else {
        all
    };
    let names: Vec<String> = columns.iter().take(4).map(|(name, _)| format!("`{name}`")).collect();
    let more = if columns.len() > names.len() {
        format!(" and {} more", columns.len() - names.len())
    } else {
        String::new()
    };
    let example = columns.iter().find_map(|(_, l)| l.example.clone()).unwrap_or_default();
    let (holds, it) = if columns.len() == 1 { ("holds", "it is") } else { ("hold", "they are") };
    let message = format!("{}{more} {holds} numbers such as `{example}`", names.join(", "));
    let name = columns[0].0;
    let mut help = lines(&all, &example, spec);
    help.push(format!("if {it} no number: input {name} one_hot"));
    let fault =
        Fault::new(codes::NOT_A_NUMBER, message).path(&spec.path).at(spec.handle).help(help.join("\n"));
    match all.first() {
        // What groups of three digits are most often.
        Some(first) => fault.remedy(first.option()),
        None => fault,
    }
}

/// A line to write for each spelling; where there are several, with what the
/// example would be.
pub(super) fn lines(all: &[Spelling], example: &str, spec: &CsvSpec) -> Vec<String> {
    let several = all.len() > 1;
    let line = |s: &Spelling| {
        let meaning =
            if several { format!("   where `{example}` is {}", s.plain(example)) } else { String::new() };
        format!("{}{meaning}", line_to_write(spec, &s.option()))
    };
    all.iter().map(line).collect()
}

/// What was taken for missing, or for a number, and is not written so
/// everywhere.
pub(super) fn taken(columns: &[Column], heads: &[Head], spec: &CsvSpec) -> Vec<Fault> {
    let mut words: BTreeMap<&str, u64> = BTreeMap::new();
    let mut names = Vec::new();
    for (column, head) in columns.iter().zip(heads).filter(|(c, _)| !c.words().is_empty()) {
        column.words().iter().for_each(|(w, n)| *words.entry(w).or_default() += n);
        names.push(format!("`{}`", head.name));
    }
    let mut notes = Vec::new();
    if !words.is_empty() {
        let told: Vec<String> = words.iter().map(|(w, n)| format!("`{w}` ({n})")).collect();
        let more = if names.len() > 4 { ", …" } else { "" };
        let is = if words.len() == 1 { "counts" } else { "count" };
        let message = format!(
            "among the numbers of {}{more} {} {is} as missing",
            names[..names.len().min(4)].join(", "),
            told.join(", ")
        );
        let words: Vec<&str> = words.keys().copied().collect();
        let help = format!("to say so: {}", line_to_write(spec, &na(&words)));
        notes.push(Fault::new(codes::READING, message).help(help));
    }
    let signs = columns.iter().zip(heads).filter_map(|(c, h)| Some((h, c.signs()?)));
    for (head, (sign, times)) in signs {
        let (cells, are) = if times == 1 { ("cell", "is a number") } else { ("cells", "are numbers") };
        let message = format!(
            "{times} {cells} of `{}` {are} with `{sign}`, which is left away: `{}` is 12",
            head.name,
            sign.beside("12")
        );
        notes.push(Fault::new(codes::READING, message));
    }
    for (head, (code, times)) in columns.iter().zip(heads).filter_map(|(c, h)| Some((h, c.codes()?))) {
        let cells = if times == 1 { "cell" } else { "cells" };
        let begin = if times == 1 { "begins" } else { "begin" };
        let plain = code.trim_start_matches('0');
        let plain = if plain.is_empty() { "0" } else { plain };
        let message = format!(
            "{times} {cells} of `{}` {begin} with a 0, as codes do: `{code}` is read as the number {plain}",
            head.name
        );
        let help = format!("a code is a name and no amount: input {} category", head.name);
        notes.push(Fault::new(codes::READING, message).help(help));
    }
    notes
}

/// Lines that are not read because the program says so: how many, and why.
pub(super) fn passed_over(passed: Passed, held: u64, spec: &CsvSpec) -> Option<Fault> {
    let Passed { skipped, comments, cut } = passed;
    let named = match &spec.dialect.skip {
        Some(Skip::First(lines)) => *lines,
        Some(Skip::Lines(lines)) => lines.len() as u64,
        None => 0,
    };
    let named = named.saturating_mul(1 + spec.more.len() as u64);
    let mut why = Vec::new();
    if named > 0 {
        let of = if skipped < named { format!(" of {}", grouped(named)) } else { String::new() };
        why.push(format!("{}{of} by skip=", grouped(skipped)));
    }
    why.extend((comments > 0).then(|| count(comments, "comment")));
    why.extend((held > 0).then(|| format!("{} by skip_last=", grouped(held))));
    let all = skipped + comments + held;
    let file = if spec.more.is_empty() { format!(" of `{}`", spec.path) } else { String::new() };
    let is = |n: u64| if n == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    if !why.is_empty() {
        parts.push(format!("{}{file} {} not read: {}", count(all, "line"), is(all), why.join(", ")));
    }
    if cut > 0 {
        let it = if cut == 1 { "it" } else { "them" };
        parts.push(format!("{}{file} {} read as far as a comment in {it}", count(cut, "line"), is(cut)));
    }
    (!parts.is_empty()).then(|| Fault::new(codes::READING, parts.join("; ")))
}

/// The option that names words as missing.
pub(crate) fn na(words: &[&str]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|w| format!("\"{}\"", w.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("na=[{}]", quoted.join(", "))
}

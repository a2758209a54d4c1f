//! Diagnostics as text for a terminal: miette renders the places, cause and next step stand below.

use crate::excerpt::{Excerpt, printable};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use nnc_syntax::{Diagnostic, Label, Severity, SourceId, SourceMap, Span};
use std::fmt;
use unicode_width::UnicodeWidthStr;

/// Columns where the terminal does not say how many it has.
const WIDTH: usize = 100;
/// Narrower reports cannot be read.
const NARROW: usize = 40;

/// Renders diagnostics for one stream.
#[derive(Debug)]
pub struct Renderer {
    handler: GraphicalReportHandler,
    width: usize,
    /// What stands before and after `help:`.
    head: (&'static str, &'static str),
}

impl Renderer {
    /// For stderr: lines and colours where the terminal has them and `NO_COLOR` does not forbid them.
    pub fn for_stderr(terminal: bool, dumb: bool) -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let able = terminal && !dumb;
        let unicode = able && supports_unicode::on(supports_unicode::Stream::Stderr);
        Self::new(unicode, able && !forbidden, if terminal { columns() } else { WIDTH })
    }

    /// For a result: no colours, and lines that any terminal has.
    pub fn plain() -> Self {
        Self::new(false, false, 80)
    }

    fn new(unicode: bool, colour: bool, width: usize) -> Self {
        let theme = match (unicode, colour) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme::ascii(),
            (false, false) => GraphicalTheme::none(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_urls(false)
            .with_width(width)
            .with_break_words(false);
        Self { handler, width, head: if colour { ("\x1b[36m", "\x1b[0m") } else { ("", "") } }
    }

    /// The text, ending in an empty line.
    pub fn render(&self, d: &Diagnostic, sources: &SourceMap) -> String {
        let mut out = String::new();
        let mut groups = by_source(d);
        let first = if groups.is_empty() { None } else { Some(groups.remove(0)) };
        let main = Report::new(d, first, sources);
        self.report(&mut out, &main);
        for note in &d.notes {
            self.below(&mut out, "", note);
        }
        if let Some(help) = &d.help {
            self.below(&mut out, "help: ", help);
        }
        if mendable(d, sources) {
            self.below(&mut out, "", "`nnc fix` changes it");
        }
        for group in groups {
            out.push('\n');
            self.report(&mut out, &Report::aside(group, sources));
        }
        out
    }

    fn report(&self, out: &mut String, report: &Report) {
        if self.handler.render_report(out, report).is_err() {
            out.push_str(&format!("  {}\n", report.message));
        }
    }

    /// Lines under the report; what is laid out by hand (several lines, aligned) stays as it is.
    fn below(&self, out: &mut String, head: &str, text: &str) {
        let text = printable(text);
        let indent = " ".repeat(head.len());
        let room = self.width.saturating_sub(2 + head.len()).max(NARROW);
        for (i, line) in text.lines().enumerate() {
            for (j, piece) in wrap(line, room).into_iter().enumerate() {
                let (head, on, off) = match (i + j, head) {
                    (0, "") => ("", "", ""),
                    (0, head) => (head, self.head.0, self.head.1),
                    _ => (&*indent, "", ""),
                };
                out.push_str(&format!("  {on}{head}{off}{piece}\n"));
            }
        }
    }
}

/// Whether `nnc fix` would mend it: a sure remedy in a file, not in a text of the command line.
fn mendable(d: &Diagnostic, sources: &SourceMap) -> bool {
    let Some(fix) = d.fix.as_ref().filter(|fix| fix.safe) else { return false };
    (fix.span.source.0 as usize) < sources.len() && sources.get(fix.span.source).name.ends_with(".nn")
}

/// The terminal's columns.
pub fn columns() -> usize {
    terminal_size::terminal_size_of(std::io::stderr()).map_or(WIDTH, |(w, _)| usize::from(w.0).max(NARROW))
}

/// A line in pieces of at most `room` columns; a line with its own spacing is not touched.
fn wrap(line: &str, room: usize) -> Vec<String> {
    if line.width() <= room || line.trim_start().contains("  ") {
        return vec![line.to_string()];
    }
    let margin: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut pieces: Vec<String> = Vec::new();
    let mut piece = String::new();
    for word in line.split_whitespace() {
        let long = margin.len() + piece.width() + 1 + word.width() > room;
        if long && !piece.is_empty() {
            pieces.push(format!("{margin}{piece}"));
            piece.clear();
        }
        if !piece.is_empty() {
            piece.push(' ');
        }
        piece.push_str(word);
    }
    pieces.push(format!("{margin}{piece}"));
    pieces
}

/// The places of one source.
type Group<'d> = (SourceId, Vec<&'d Label>);

/// Places by source, the source of the main place first.
fn by_source(d: &Diagnostic) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for label in d.labels.iter().chain(&d.related) {
        match groups.iter_mut().find(|(source, _)| *source == label.span.source) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((label.span.source, vec![label])),
        }
    }
    groups
}

/// What miette renders: a message over the places of one source.
#[derive(Debug)]
struct Report {
    code: Option<String>,
    message: String,
    severity: miette::Severity,
    source: Option<NamedSource<String>>,
    labels: Vec<LabeledSpan>,
}

impl Report {
    fn new(d: &Diagnostic, group: Option<Group<'_>>, sources: &SourceMap) -> Self {
        let (word, severity) = match d.severity {
            Severity::Error => ("error", miette::Severity::Error),
            Severity::Warning => ("warning", miette::Severity::Warning),
            Severity::Note => ("note", miette::Severity::Advice),
        };
        let (source, labels) = group.map_or((None, Vec::new()), |g| places(&g, sources));
        let code = Some(format!("{word}[{}]", d.code));
        Self { code, message: printable(&d.message), severity, source, labels }
    }

    /// Places in a further source.
    fn aside(group: Group<'_>, sources: &SourceMap) -> Self {
        let name = &sources.get(group.0).name;
        let message = format!("see also {}", printable(name));
        let (source, labels) = places(&group, sources);
        Self { code: None, message, severity: miette::Severity::Advice, source, labels }
    }
}

fn places(group: &Group<'_>, sources: &SourceMap) -> (Option<NamedSource<String>>, Vec<LabeledSpan>) {
    let source = sources.get(group.0);
    let spans: Vec<Span> = group.1.iter().map(|label| label.span).collect();
    let excerpt = Excerpt::new(&source.text, &spans);
    let labels = group.1.iter().zip(excerpt.places).enumerate().map(|(i, (label, (start, len)))| {
        let text = Some(printable(&label.text)).filter(|t| !t.is_empty());
        match i {
            0 => LabeledSpan::new_primary_with_span(text, (start, len)),
            _ => LabeledSpan::new_with_span(text, (start, len)),
        }
    });
    let labels = labels.collect();
    (Some(NamedSource::new(printable(&source.name), excerpt.text)), labels)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.labels.is_empty() { None } else { Some(Box::new(self.labels.iter().cloned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nnc_syntax::Code;

    fn plain() -> Renderer {
        Renderer::new(false, false, WIDTH)
    }

    #[test]
    fn places_outside_their_text_are_drawn_inside() {
        let mut sources = SourceMap::default();
        for text in ["", "\n", "a", "ä\n", "a\r\nb", "x\n\n\n", "\u{1b}[31mred", "日本語 dense\t16"] {
            let id = sources.add("t.nn", text);
            for start in 0..text.len() + 3 {
                for end in start..text.len() + 4 {
                    let d = Diagnostic::error(Code::N0101, "what").label(Span::new(id, start, end), "here");
                    let d = d.label(Span::new(id, end, end), "and here");
                    let text = plain().render(&d, &sources);
                    assert!(text.contains("what") && !text.contains('\u{1b}'), "{text}");
                }
            }
        }
    }

    #[test]
    fn lines_without_end_are_drawn() {
        let mut sources = SourceMap::default();
        let long = format!("x = 1\ny = {}z {}", "ä ".repeat(100_000), "b".repeat(100_000));
        let id = sources.add("t.nn", long.as_str());
        for (start, end) in [(6, long.len()), (300_010, 300_011), (300_010, long.len()), (10, 300_010)] {
            let d = Diagnostic::error(Code::N0101, "what").label(Span::new(id, start, end), "here");
            let d = d.label(Span::new(id, long.len(), long.len()), "and here");
            let text = plain().render(&d, &sources);
            assert!(text.len() < 200_000 && text.contains("here"), "{}", text.len());
        }
    }

    #[test]
    fn other_sources_follow_with_a_report_of_their_own() {
        let mut sources = SourceMap::default();
        let (a, b) = (sources.add("a.nn", "dense 16 rleu\n"), sources.add("prelude/b.nn", "layer dense\n"));
        let d = Diagnostic::error(Code::N0202, "there is no `rleu`")
            .label(Span::new(a, 9, 13), "did you mean `relu`?")
            .related(Span::new(b, 6, 11), "declared here")
            .cause("shapes:\n    input   2")
            .help("one\ntwo");
        insta::assert_snapshot!(plain().render(&d, &sources));
    }

    #[test]
    fn colours_and_lines_are_used_where_they_may_be() {
        let mut sources = SourceMap::default();
        let id = sources.add("a.nn", "dens 16\n");
        let d =
            Diagnostic::error(Code::N0201, "no `dens`").label(Span::new(id, 0, 4), "here").help("dense 16");
        for (unicode, colour) in [(false, false), (false, true), (true, false), (true, true)] {
            let text = Renderer::new(unicode, colour, WIDTH).render(&d, &sources);
            assert_eq!((!text.is_ascii(), text.contains('\u{1b}')), (unicode, colour), "{text}");
        }
    }

    #[test]
    fn long_lines_are_wrapped_and_tables_are_not() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(wrap("one    two three", 8), ["one    two three"]);
        assert_eq!(wrap("", 8), [""]);
    }
}

//! A small pretty printer after Wadler: text with places where a line may be broken. A group is
//! printed on one line if it fits there, otherwise all its own places are broken.

/// How long a line may be.
const WIDTH: usize = 88;

/// How far the inner lines are moved to the right.
const INDENT: usize = 2;

/// A piece of text that is still to be laid out.
#[derive(Debug)]
pub(super) enum Doc {
    /// Letters without a newline.
    Text(String),
    /// A space, or a newline where the group is broken.
    Line,
    /// Nothing, or a newline where the group is broken.
    Soft,
    /// A newline in any case.
    Hard,
    /// The first letters, or the second where the group is broken.
    Either(String, String),
    /// A comment at the end of its line; `Hard` must follow.
    Comment(String),
    /// One after the other.
    Cat(Vec<Doc>),
    /// Newlines inside are followed by more spaces.
    Nest(Box<Doc>),
    /// Broken or not as a whole; `true` when it must be broken.
    Group(Box<Doc>, bool),
}

impl Doc {
    pub(super) fn nil() -> Doc {
        Doc::Cat(Vec::new())
    }

    pub(super) fn text(text: impl Into<String>) -> Doc {
        Doc::Text(text.into())
    }

    pub(super) fn nest(self) -> Doc {
        Doc::Nest(Box::new(self))
    }

    pub(super) fn group(self) -> Doc {
        let broken = self.must_break();
        Doc::Group(Box::new(self), broken)
    }

    /// Indents a value that begins on a new line because of a comment, but not the inside of its
    /// brackets when it begins right behind the `=`.
    pub(super) fn nest_if_broken(self) -> Doc {
        match &self {
            Doc::Cat(docs) if docs.first().is_some_and(Doc::must_break) => self.nest(),
            _ => self,
        }
    }

    fn must_break(&self) -> bool {
        match self {
            Doc::Hard | Doc::Comment(_) => true,
            Doc::Cat(docs) => docs.iter().any(Doc::must_break),
            Doc::Nest(doc) => doc.must_break(),
            Doc::Group(_, broken) => *broken,
            _ => false,
        }
    }

    /// The text on one line, as long as it may be.
    pub(super) fn one_line(&self) -> String {
        match self {
            Doc::Text(text) => text.clone(),
            Doc::Either(flat, _) => flat.clone(),
            Doc::Line | Doc::Hard => " ".to_owned(),
            Doc::Soft | Doc::Comment(_) => String::new(),
            Doc::Cat(docs) => docs.iter().map(Doc::one_line).collect(),
            Doc::Nest(doc) | Doc::Group(doc, _) => doc.one_line(),
        }
    }

    /// Lays the text out; every line ends with a newline.
    pub(super) fn print(&self) -> String {
        let mut printer = Printer::default();
        printer.run(self);
        align_comments(printer.lines)
    }
}

/// `[a, b, c].cat()`
pub(super) fn cat(docs: impl IntoIterator<Item = Doc>) -> Doc {
    Doc::Cat(docs.into_iter().collect())
}

/// A line that is laid out, and the comment at its end.
#[derive(Default)]
struct OutLine {
    text: String,
    comment: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

#[derive(Default)]
struct Printer {
    lines: Vec<OutLine>,
    current: OutLine,
    /// Characters in the current line.
    column: usize,
    /// Spaces before its first text.
    indent: usize,
}

impl Printer {
    fn run(&mut self, doc: &Doc) {
        let mut ahead = vec![(0, Mode::Broken, doc)];
        while let Some((indent, mode, doc)) = ahead.pop() {
            match doc {
                Doc::Text(text) => self.text(text),
                Doc::Either(flat, broken) => self.text(if mode == Mode::Flat { flat } else { broken }),
                Doc::Line if mode == Mode::Flat => self.text(" "),
                Doc::Line | Doc::Soft if mode == Mode::Broken => self.newline(indent),
                Doc::Hard => self.newline(indent),
                Doc::Line | Doc::Soft => {}
                Doc::Comment(text) => self.current.comment = Some(text.clone()),
                Doc::Cat(docs) => ahead.extend(docs.iter().rev().map(|doc| (indent, mode, doc))),
                Doc::Nest(doc) => ahead.push((indent + INDENT, mode, doc)),
                Doc::Group(doc, broken) => {
                    let flat = mode == Mode::Flat || (!broken && self.fits(doc, &ahead));
                    ahead.push((indent, if flat { Mode::Flat } else { Mode::Broken }, doc));
                }
            }
        }
        self.newline(0);
    }

    fn text(&mut self, text: &str) {
        if self.current.text.is_empty() && !text.is_empty() {
            self.current.text = " ".repeat(self.indent);
            self.column = self.indent;
        }
        self.current.text.push_str(text);
        self.column += text.chars().count();
    }

    fn newline(&mut self, indent: usize) {
        let mut line = std::mem::take(&mut self.current);
        line.text.truncate(line.text.trim_end().len());
        self.lines.push(line);
        self.indent = indent;
        self.column = indent;
    }

    /// Whether `doc`, unbroken, and what follows it up to the next possible newline fit the line.
    fn fits(&self, doc: &Doc, ahead: &[(usize, Mode, &Doc)]) -> bool {
        let mut left = WIDTH.saturating_sub(self.column.max(self.indent));
        let mut behind = ahead.iter().rev().map(|(_, mode, doc)| (*mode, *doc));
        let mut todo = vec![(Mode::Flat, doc)];
        while let Some((mode, doc)) = todo.pop().or_else(|| behind.next()) {
            let len = match doc {
                Doc::Text(text) => text.chars().count(),
                Doc::Line | Doc::Soft if mode == Mode::Broken => return true,
                Doc::Hard | Doc::Comment(_) => return true,
                Doc::Line => 1,
                Doc::Either(flat, broken) => if mode == Mode::Flat { flat } else { broken }.chars().count(),
                Doc::Soft => 0,
                Doc::Cat(docs) => {
                    todo.extend(docs.iter().rev().map(|doc| (mode, doc)));
                    0
                }
                Doc::Nest(doc) | Doc::Group(doc, _) => {
                    todo.push((mode, doc));
                    0
                }
            };
            if len > left {
                return false;
            }
            left -= len;
        }
        true
    }
}

/// Joins the lines; comments at the ends of neighbouring lines stand below each other.
fn align_comments(lines: Vec<OutLine>) -> String {
    let mut out = String::new();
    for run in lines.chunk_by(|a, b| a.comment.is_some() && b.comment.is_some()) {
        let width = run.iter().map(|line| line.text.chars().count()).max().unwrap_or(0);
        for line in run {
            out.push_str(&line.text);
            if let Some(comment) = &line.comment {
                let gap = width - line.text.chars().count();
                out.push_str(&" ".repeat(gap + if line.text.is_empty() { 0 } else { 2 }));
                out.push_str(comment);
            }
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

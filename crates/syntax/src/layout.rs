//! Splits balanced tokens into logical statements.
//!
//! A statement ends at a newline or `;`, unless it stands in round or square brackets, its last word
//! asks for more, or the next line begins with `->`, `else`, or a `then` that an `if` waits for. A block becomes one token of its statement, so
//! that the parser sees every statement as a flat slice.

use crate::token::{Comment, Token, TokenKind};
use crate::{Code, Diagnostic, Head, Span};

/// Blocks may stand in blocks so many times.
pub(crate) const MAX_BLOCKS: usize = 64;

/// Statements in blocks in statements.
#[derive(Debug, Default)]
pub(crate) struct Layout<'t> {
    /// The statements of the file.
    pub(crate) lines: Vec<Line<'t>>,
    /// The blocks; [`TokenKind::Block`] holds an index into this list.
    pub(crate) groups: Vec<Group<'t>>,
    /// What was wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// One logical statement; never empty.
#[derive(Debug)]
pub(crate) struct Line<'t> {
    /// Its tokens without newlines.
    pub(crate) tokens: Vec<Token<'t>>,
    /// The `##` lines right above it.
    pub(crate) doc: Option<String>,
}

/// What stands between braces.
#[derive(Debug, Default)]
pub(crate) struct Group<'t> {
    /// The statements, or the rows of a data block.
    pub(crate) lines: Vec<Line<'t>>,
    /// Whether its lines are rows of data.
    pub(crate) is_data: bool,
}

/// Whether a statement with these first tokens is about data, so that its block holds rows.
pub(crate) fn is_dataset(tokens: &[Token<'_>]) -> bool {
    head(tokens).and_then(Head::of).is_some_and(Head::is_dataset)
}

/// The first word, where it can be a statement word: nothing is reserved, so `batch = it`,
/// `batch -> dense 8`, `batch.classes`, `batch(x)` and `batch, x -> concat` are about a tensor.
pub(crate) fn head<'t>(tokens: &[Token<'t>]) -> Option<&'t str> {
    let word = tokens.first()?.word()?;
    let Some(next) = tokens.get(1) else { return Some(word) };
    let is_tail = next.tight && matches!(next.kind, TokenKind::Sign("(" | "[" | "."));
    // `require -x < 1` begins with a sign, `batch - 1` goes on with an operator.
    let is_sign = next.is_sign("-") && !next.tight && tokens.get(2).is_some_and(|t| t.tight);
    if is_tail || next.is_sign(",") || (next.is_operator() && !is_sign) { None } else { Some(word) }
}

/// Whether a choice in these words has no `then` yet: a line that begins with one goes on with them.
fn waits(tokens: &[Token<'_>]) -> bool {
    let count = |word: &str| tokens.iter().filter(|t| t.kind == TokenKind::Name(word)).count();
    count("if") > count("then")
}

/// Lays out `tokens`, whose brackets are balanced.
pub(crate) fn lay_out<'t>(tokens: Vec<Token<'t>>, comments: &[Comment], text: &str) -> Layout<'t> {
    let mut splitter = Splitter {
        text,
        comments,
        doc: None,
        frames: vec![Frame::default()],
        out: Layout::default(),
        skipping: 0,
    };
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if splitter.skip(&token) {
            continue;
        }
        if token.kind == TokenKind::Newline {
            while tokens.next_if(|next| next.kind == TokenKind::Newline).is_some() {}
            splitter.newline(tokens.peek());
        } else {
            splitter.token(token);
        }
    }
    splitter.finish()
}

/// A block that is being read, or the file.
#[derive(Debug, Default)]
struct Frame<'t> {
    /// Its index; none for the file.
    group: Option<usize>,
    open: Span,
    is_data: bool,
    lines: Vec<Line<'t>>,
    current: Vec<Token<'t>>,
    doc: Option<String>,
    /// Round and square brackets that are open in the current statement.
    brackets: usize,
}

struct Splitter<'t, 's> {
    text: &'s str,
    /// The comments that are still ahead.
    comments: &'s [Comment],
    /// The `##` lines just seen and where they end.
    doc: Option<(String, usize)>,
    frames: Vec<Frame<'t>>,
    out: Layout<'t>,
    /// Open braces of a block that is nested too deep and left out.
    skipping: usize,
}

impl<'t> Splitter<'t, '_> {
    /// Leaves out a block that is nested too deep.
    fn skip(&mut self, token: &Token<'_>) -> bool {
        if self.skipping == 0 {
            return false;
        }
        if token.is_sign("{") {
            self.skipping += 1;
        } else if token.is_sign("}") {
            self.skipping -= 1;
        }
        true
    }

    fn frame(&mut self) -> &mut Frame<'t> {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn newline(&mut self, next: Option<&Token<'_>>) {
        let frame = self.frame();
        let goes_on = !frame.is_data
            && match frame.current.last() {
                Some(last) => {
                    let then = |t: &Token<'_>| t.kind == TokenKind::Name("then");
                    last.continues_line()
                        || next.is_some_and(|t| t.continues_above() && (!then(t) || waits(&frame.current)))
                }
                None => false,
            };
        if frame.brackets == 0 && !goes_on {
            self.end_line();
        }
    }

    fn token(&mut self, token: Token<'t>) {
        match token.kind {
            TokenKind::Sign(";") if self.frame().brackets == 0 => self.end_line(),
            TokenKind::Sign("{") => self.open(token),
            TokenKind::Sign("}") => self.close(&token),
            _ => self.push(token),
        }
    }

    fn push(&mut self, token: Token<'t>) {
        self.read_comments(token.span);
        let doc = if self.frame().current.is_empty() { self.doc_above(&token) } else { None };
        let frame = self.frame();
        match token.kind {
            TokenKind::Sign("(" | "[") => frame.brackets += 1,
            TokenKind::Sign(")" | "]") => frame.brackets = frame.brackets.saturating_sub(1),
            _ => {}
        }
        frame.doc = frame.doc.take().or(doc);
        frame.current.push(token);
    }

    fn open(&mut self, token: Token<'t>) {
        if self.frames.len() > MAX_BLOCKS {
            self.skipping = 1;
            self.out.diagnostics.push(too_deep(token.span));
            return self.push(Token { kind: TokenKind::Bad, ..token });
        }
        let is_data = is_dataset(&self.frame().current);
        let group = self.out.groups.len();
        self.out.groups.push(Group::default());
        // The token comes first, so that the block finds the doc lines of its statement taken.
        let open = token.span;
        self.push(Token { kind: TokenKind::Block(group), ..token });
        self.frames.push(Frame { group: Some(group), open, is_data, ..Frame::default() });
    }

    fn close(&mut self, token: &Token<'t>) {
        self.end_line();
        self.read_comments(token.span);
        let Some(Frame { group: Some(group), open, is_data, lines, .. }) = self.frames.pop() else { return };
        let span = open.to(token.span);
        self.out.groups[group] = Group { lines, is_data };
        if let Some(block) = self.frame().current.last_mut() {
            block.span = span;
        }
    }

    fn end_line(&mut self) {
        let frame = self.frame();
        frame.brackets = 0;
        let doc = frame.doc.take();
        if !frame.current.is_empty() {
            let tokens = std::mem::take(&mut frame.current);
            frame.lines.push(Line { tokens, doc });
        }
    }

    /// Collects the `##` lines before `next`.
    fn read_comments(&mut self, next: Span) {
        while let Some((comment, rest)) =
            self.comments.split_first().filter(|(c, _)| c.span.start < next.start)
        {
            self.comments = rest;
            if !(comment.doc && comment.own_line) {
                continue;
            }
            let (start, end) = (comment.span.start as usize, comment.span.end as usize);
            let text = self.text[start..end].trim_start_matches('#');
            let text = text.strip_prefix(' ').unwrap_or(text);
            self.doc = match self.doc.take() {
                Some((above, last)) if self.is_next_line(last, start) => Some((above + "\n" + text, end)),
                _ => Some((text.to_owned(), end)),
            };
        }
    }

    fn doc_above(&mut self, token: &Token<'_>) -> Option<String> {
        let (doc, end) = self.doc.take()?;
        (token.first && self.is_next_line(end, token.span.start as usize)).then_some(doc)
    }

    fn is_next_line(&self, end: usize, start: usize) -> bool {
        let between = self.text.get(end..start).unwrap_or("");
        between.trim().is_empty() && between.matches('\n').count() == 1
    }

    fn finish(mut self) -> Layout<'t> {
        self.end_line();
        self.out.lines = std::mem::take(&mut self.frame().lines);
        self.out
    }
}

/// The diagnostic for anything nested beyond the limit.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(Code::N0107, "this is nested too deep")
        .label(span, "the limit is reached here")
        .cause("brackets in brackets, blocks in blocks and long runs of operators count")
        .help("give the inner parts names of their own, one statement each")
}

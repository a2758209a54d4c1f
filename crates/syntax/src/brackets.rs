//! Makes brackets balanced, so that everything after this may rely on it.
//!
//! A bracket without a partner is reported and turned into [`TokenKind::Bad`]; a block that is never
//! closed gets its brace where the indentation says that it ends. Runs in linear time.

use crate::token::{Token, TokenKind};
use crate::{Code, Diagnostic, Span};

/// Beyond so many open blocks, nobody is helped by guessing where each of them ends.
const MAX_GUESSES: usize = 16;

/// Returns the tokens with balanced brackets, and what was wrong.
pub(crate) fn balance<'t>(tokens: Vec<Token<'t>>, text: &str) -> (Vec<Token<'t>>, Vec<Diagnostic>) {
    let mut balancer = Balancer {
        partner: vec![None; tokens.len()],
        tokens,
        text,
        open: Vec::new(),
        levels: vec![Level::default()],
        suspect: None,
        diagnostics: Vec::new(),
    };
    for at in 0..balancer.tokens.len() {
        balancer.visit(at);
    }
    let closers = balancer.finish();
    (with_closers(balancer.tokens, closers), balancer.diagnostics)
}

struct Balancer<'t, 's> {
    tokens: Vec<Token<'t>>,
    text: &'s str,
    /// For an opening bracket, its closing one.
    partner: Vec<Option<usize>>,
    /// Opening brackets without a partner so far.
    open: Vec<usize>,
    /// How many of them are round and square, for every open block.
    levels: Vec<Level>,
    /// A block whose braces are indented differently: perhaps they do not belong together.
    suspect: Option<(Span, Span)>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, Copy, Default)]
struct Level {
    round: usize,
    square: usize,
}

impl Level {
    fn count(&mut self, sign: &str) -> &mut usize {
        if sign == "(" { &mut self.round } else { &mut self.square }
    }
}

impl Balancer<'_, '_> {
    fn visit(&mut self, at: usize) {
        let TokenKind::Sign(sign) = self.tokens[at].kind else { return };
        match sign {
            "{" => {
                self.open.push(at);
                self.levels.push(Level::default());
            }
            "(" | "[" => {
                self.open.push(at);
                *self.level().count(sign) += 1;
            }
            "}" if self.levels.len() > 1 => self.close_block(at),
            ")" if self.level().round > 0 => self.close(at, "("),
            "]" if self.level().square > 0 => self.close(at, "["),
            ")" | "]" | "}" if self.level().round + self.level().square > 0 => self.mistaken(at, sign),
            ")" | "]" | "}" => self.stray(at, sign),
            _ => {}
        }
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// Closes the nearest `opener`; the brackets inside it that are still open never were closed.
    fn close(&mut self, at: usize, opener: &str) {
        let unclosed = self.pop_to(opener);
        self.report_unclosed(&unclosed, Some(at));
        if let Some(open) = self.open.pop() {
            self.partner[open] = Some(at);
            *self.level().count(opener) -= 1;
        }
    }

    fn close_block(&mut self, at: usize) {
        let unclosed = self.pop_to("{");
        self.report_unclosed(&unclosed, Some(at));
        self.levels.pop();
        if let Some(open) = self.open.pop() {
            self.partner[open] = Some(at);
            if self.tokens[at].first && self.indent(open) != self.indent(at) && self.suspect.is_none() {
                self.suspect = Some((self.tokens[open].span, self.tokens[at].span));
            }
        }
    }

    /// Takes the open brackets above the nearest `opener` off the stack.
    fn pop_to(&mut self, opener: &str) -> Vec<usize> {
        let mut unclosed = Vec::new();
        while let Some(&open) = self.open.last().filter(|&&open| !self.tokens[open].is_sign(opener)) {
            self.open.pop();
            if let TokenKind::Sign(sign @ ("(" | "[")) = self.tokens[open].kind {
                *self.level().count(sign) -= 1;
            }
            unclosed.push(open);
        }
        unclosed.reverse();
        unclosed
    }

    /// `f(x]`: taken for the closing bracket that was meant.
    fn mistaken(&mut self, at: usize, sign: &'static str) {
        let Some(open) = self.open.pop() else { return };
        let opener = if self.tokens[open].is_sign("(") { "(" } else { "[" };
        let closer = if opener == "(" { ")" } else { "]" };
        *self.level().count(opener) -= 1;
        self.partner[open] = Some(at);
        let span = self.tokens[at].span;
        self.tokens[at].kind = TokenKind::Sign(closer);
        let found = Diagnostic::error(Code::N0102, format!("`{sign}` cannot close `{opener}`"))
            .label(span, format!("did you mean `{closer}`?"))
            .label(self.tokens[open].span, "the bracket that is open here")
            .fix(span, closer, false);
        self.diagnostics.push(found);
    }

    fn stray(&mut self, at: usize, sign: &str) {
        let span = self.tokens[at].span;
        self.tokens[at].kind = TokenKind::Bad;
        let found = Diagnostic::error(Code::N0102, format!("this `{sign}` closes nothing"))
            .label(span, "there is no open bracket before it")
            .help("delete it, or look for the opening bracket that is missing")
            .fix(span, "", false);
        self.diagnostics.push(found);
    }

    /// Reports brackets that were never closed, those of one line as one mistake.
    fn report_unclosed(&mut self, unclosed: &[usize], end: Option<usize>) {
        for open in self.first_of_lines(unclosed) {
            let TokenKind::Sign(sign) = self.tokens[open].kind else { continue };
            let closer = if sign == "(" { ")" } else { "]" };
            let mut found = Diagnostic::error(Code::N0102, format!("this `{sign}` is never closed"))
                .label(self.tokens[open].span, format!("its `{closer}` is missing"));
            if let Some(end) = end {
                found = found.label(self.tokens[end].span, "not closed before this");
            }
            self.diagnostics
                .push(found.help(format!("put `{closer}` behind the last thing that belongs inside")));
        }
        for &open in unclosed {
            self.tokens[open].kind = TokenKind::Bad;
        }
    }

    /// Those that no other one precedes on its line.
    fn first_of_lines(&self, opens: &[usize]) -> Vec<usize> {
        let mut before = None;
        let mut firsts = opens.to_vec();
        firsts.retain(|&open| {
            let start = before.replace(self.tokens[open].span.end as usize);
            start.is_none_or(|start| self.text[start..self.tokens[open].span.start as usize].contains('\n'))
        });
        firsts
    }

    /// Reports what is open at the end of the file; returns where closing braces are to be put.
    fn finish(&mut self) -> Vec<usize> {
        let open = std::mem::take(&mut self.open);
        let (braces, others): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|&at| self.tokens[at].is_sign("{"));
        self.report_unclosed(&others, None);
        let mut limit = self.tokens.len();
        let mut closers = Vec::new();
        let guess = braces.len() <= MAX_GUESSES;
        for &brace in &braces {
            limit = if guess { self.dedent(brace, limit) } else { limit };
            closers.push(limit);
        }
        let mut shown = self.first_of_lines(&braces);
        shown.truncate(MAX_GUESSES);
        for (&brace, &end) in braces.iter().zip(&closers).filter(|(brace, _)| shown.contains(brace)) {
            self.report_open_block(brace, end);
        }
        closers.reverse();
        closers
    }

    fn report_open_block(&mut self, brace: usize, end: usize) {
        let mut found = Diagnostic::error(Code::N0102, "this `{` is never closed")
            .label(self.tokens[brace].span, "its `}` is missing");
        if let Some(next) = self.tokens.get(end) {
            found = found.label(next.span, "judging by the indentation, the block ends before this line");
        }
        if let Some((open, close)) = self.suspect.take() {
            found = found
                .label(open, "or is it this one?")
                .label(close, "this `}` closes it, and is indented differently");
        }
        self.diagnostics.push(found.help("put `}` on a line of its own where the block ends"));
    }

    /// The first token behind `brace` and before `limit` that begins a line no deeper than the line
    /// of the brace; `limit` when the block is not indented at all.
    fn dedent(&self, brace: usize, limit: usize) -> usize {
        let indent = self.indent(brace);
        let mut at = brace + 1;
        let mut indented = false;
        while at < limit {
            let token = &self.tokens[at];
            if token.first && token.kind != TokenKind::Newline {
                if self.indent(at) > indent {
                    indented = true;
                } else {
                    return if indented { at } else { limit };
                }
            }
            at = self.partner[at].unwrap_or(at) + 1;
        }
        limit
    }

    /// How deep the line of a token is indented.
    fn indent(&self, at: usize) -> usize {
        let before = &self.text[..self.tokens[at].span.start as usize];
        let line = &self.text[before.rfind('\n').map_or(0, |newline| newline + 1)..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }
}

/// Puts a `}` of no width, on a line of its own, before each of the given places, which are in ascending order.
fn with_closers<'t>(tokens: Vec<Token<'t>>, closers: Vec<usize>) -> Vec<Token<'t>> {
    if closers.is_empty() {
        return tokens;
    }
    let total = tokens.len();
    let mut out: Vec<Token<'t>> = Vec::with_capacity(total + closers.len());
    let mut closers = closers.into_iter().peekable();
    for (at, token) in tokens.into_iter().map(Some).chain([None]).enumerate() {
        while closers.next_if(|&closer| closer == at).is_some() {
            let end =
                out.iter().rev().find(|t| t.kind != TokenKind::Newline).map(|t| t.span).unwrap_or_default();
            let span = Span { start: end.end, ..end };
            out.push(Token { kind: TokenKind::Sign("}"), span, tight: false, first: false });
            out.push(Token { kind: TokenKind::Newline, span, tight: false, first: false });
        }
        out.extend(token);
    }
    out
}

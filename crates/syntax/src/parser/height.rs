//! Bounds the height of the tree before it is built, so that neither the parser nor anything that
//! walks the tree later (dropping it included) can run out of stack.
//!
//! Every bracket, sign, `not`, `if` and `else` can make the tree taller by one piece; commas and
//! arrows put things side by side. Counting them needs no recursion.

use crate::Diagnostic;
use crate::layout::too_deep;
use crate::token::{Token, TokenKind};

/// How tall a tree may be, in the pieces counted here.
const MAX_HEIGHT: usize = 128;

/// A bracket needs much of the stack: a chain, a link and an expression stand in it.
const BRACKET: usize = 4;

/// What stands before its operand is read by recursion, unlike `a + b + c`.
const PREFIX: usize = 2;

/// What stands between two separators: operands joined by operators.
#[derive(Clone, Copy, Default)]
struct Part {
    /// Operators and words: each may stand above all operands.
    pieces: usize,
    /// The signs before the current operand.
    prefix: usize,
    /// The tallest operand.
    operand: usize,
    /// The tallest part before this one, in the same bracket.
    tallest: usize,
    /// What the brackets around this one add.
    above: usize,
}

impl Part {
    /// The part around everything, or in a bracket.
    fn below(above: usize) -> Self {
        Part { above, ..Part::default() }
    }

    fn height(self) -> usize {
        self.pieces + self.operand
    }

    /// Counts something `tall` behind the signs of the current operand.
    fn add_operand(&mut self, tall: usize) {
        self.operand = self.operand.max(self.prefix + tall);
    }
}

/// How deep the blocks of this statement stand, when the statement itself stands at `depth`.
pub(super) fn check(tokens: &[Token<'_>], depth: usize) -> Result<usize, Box<Diagnostic>> {
    let mut outer: Vec<Part> = Vec::new();
    let mut part = Part::below(depth + BRACKET);
    let mut total = part.above;
    let mut after_value = false;
    for token in tokens {
        match token.kind {
            TokenKind::Sign("(" | "[") => {
                part.pieces += 1;
                outer.push(part);
                part = Part::below(part.above + part.pieces + part.prefix + BRACKET);
            }
            TokenKind::Sign(")" | "]") => {
                let tall = part.tallest.max(part.height()) + BRACKET;
                part = outer.pop().unwrap_or_default();
                part.add_operand(tall);
            }
            TokenKind::Sign("," | "->" | "=") => {
                part = Part { tallest: part.tallest.max(part.height()), ..Part::below(part.above) };
            }
            TokenKind::Name("not" | "if" | "else") => part.pieces += PREFIX,
            TokenKind::Sign("^") => part.prefix += PREFIX,
            TokenKind::Sign(_) if !after_value => part.prefix += PREFIX,
            TokenKind::Sign(".") => part.pieces += 1,
            TokenKind::Sign(_) | TokenKind::Name("and" | "or") => {
                part.pieces += 1;
                part.prefix = 0;
            }
            _ => {}
        }
        part.add_operand(0);
        total = total.max(part.above + part.height());
        if total > MAX_HEIGHT {
            return Err(Box::new(too_deep(token.span)));
        }
        after_value = ends_value(token);
    }
    Ok(total)
}

fn ends_value(token: &Token<'_>) -> bool {
    match token.kind {
        TokenKind::Sign(sign) => sign == ")" || sign == "]",
        _ => token.begins_value(),
    }
}

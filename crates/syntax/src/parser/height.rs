//! Bounds the height of the tree before it is built, so that neither the parser nor anything that
//! walks the tree later (dropping it included) can run out of stack.
//!
//! Every bracket, sign, `not`, `if` and `else` can make the tree taller by one piece; commas and
//! arrows put things side by side. Counting them needs no recursion.

use crate::Diagnostic;
use crate::layout::too_deep;
use crate::token::{Token, TokenKind};

/// How tall a tree may be, in the pieces counted here.
const MAX_HEIGHT: usize = 256;

/// A bracket needs much of the stack: a chain, a link and an expression stand in it.
const BRACKET: usize = 8;

/// What stands before its operand is read by recursion, unlike `a + b + c`.
const PREFIX: usize = 4;

/// The pieces counted between two separators.
#[derive(Clone, Copy, Default)]
struct Part {
    pieces: usize,
    /// The tallest bracket among them.
    inner: usize,
    /// The tallest part before this one, in the same bracket.
    tallest: usize,
    /// What the brackets around this one add.
    above: usize,
}

impl Part {
    fn height(self) -> usize {
        self.pieces + self.inner
    }
}

/// How deep the blocks of this statement stand, when the statement itself stands at `depth`.
pub(super) fn check(tokens: &[Token<'_>], depth: usize) -> Result<usize, Box<Diagnostic>> {
    let mut parts = vec![Part { above: depth + BRACKET, ..Part::default() }];
    let mut total = depth + BRACKET;
    let mut after_value = false;
    for token in tokens {
        let Some(mut part) = parts.pop() else { break };
        match token.kind {
            TokenKind::Sign("(" | "[") => {
                part.pieces += 1;
                parts.push(part);
                part = Part { above: part.above + part.height() + BRACKET, ..Part::default() };
            }
            TokenKind::Sign(")" | "]") => {
                let height = part.tallest.max(part.height()) + BRACKET;
                let Some(outer) = parts.pop() else { break };
                part = Part { inner: outer.inner.max(height), ..outer };
            }
            TokenKind::Sign("," | "->" | "=") => {
                part = Part { tallest: part.tallest.max(part.height()), pieces: 0, inner: 0, ..part };
            }
            TokenKind::Sign("^") | TokenKind::Name("not" | "if" | "else") => part.pieces += PREFIX,
            TokenKind::Sign(_) if !after_value => part.pieces += PREFIX,
            TokenKind::Sign(_) | TokenKind::Name("and" | "or") => part.pieces += 1,
            _ => {}
        }
        after_value = token.begins_value() && !token.is_sign("(") && !token.is_sign("[")
            || token.is_sign(")")
            || token.is_sign("]");
        total = total.max(part.above + part.height());
        if total > MAX_HEIGHT {
            return Err(Box::new(too_deep(token.span)));
        }
        parts.push(part);
    }
    Ok(total)
}

//! The words of a text for editors, which look at it while it is being typed.

use crate::lexer::lex;
use crate::token::TokenKind;
use crate::{SourceId, Span};

/// What a piece of a text is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LexemeKind {
    /// A name, or a word of the language.
    Word,
    /// `16`, `0.5`, `20%`, `28x28x1`
    Number,
    /// `"text"`, with its quotes.
    Text,
    /// An operator, a bracket, a comma, `;`.
    Sign,
    /// From `#` to the end of the line.
    Comment,
    /// From `##` to the end of the line, above a statement.
    Doc,
    /// The end of a line.
    Newline,
    /// What cannot be read.
    Unreadable,
}

/// A piece of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lexeme {
    /// What it is.
    pub kind: LexemeKind,
    /// Where it stands.
    pub span: Span,
    /// Whether it follows the one before it without a space.
    pub tight: bool,
}

/// Cuts a text into its pieces, in their order. Never fails.
pub fn lexemes(text: &str, source: SourceId) -> Vec<Lexeme> {
    let lexed = lex(text, source);
    let tokens = lexed.tokens.iter().map(|token| {
        let kind = match token.kind {
            TokenKind::Int(_) | TokenKind::Float(_) | TokenKind::Percent(_) | TokenKind::Size(_) => {
                LexemeKind::Number
            }
            TokenKind::Text(_) => LexemeKind::Text,
            TokenKind::Name(_) => LexemeKind::Word,
            TokenKind::Sign(_) => LexemeKind::Sign,
            TokenKind::Newline => LexemeKind::Newline,
            TokenKind::Block(_) | TokenKind::Bad => LexemeKind::Unreadable,
        };
        Lexeme { kind, span: token.span, tight: token.tight }
    });
    let comments = lexed.comments.iter().map(|comment| {
        let kind = if comment.doc { LexemeKind::Doc } else { LexemeKind::Comment };
        Lexeme { kind, span: comment.span, tight: false }
    });
    let mut out: Vec<Lexeme> = tokens.chain(comments).collect();
    out.sort_by_key(|l| l.span.start);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stand_in_order() {
        let text = "## über\ndense 16 # \"x\"\n\"ö\" (a)";
        let found: Vec<(LexemeKind, &str)> = lexemes(text, SourceId::default())
            .iter()
            .map(|l| (l.kind, &text[l.span.start as usize..l.span.end as usize]))
            .collect();
        use LexemeKind::{Comment, Doc, Newline, Number, Sign, Text, Word};
        let wanted = [
            (Doc, "## über"),
            (Newline, "\n"),
            (Word, "dense"),
            (Number, "16"),
            (Comment, "# \"x\""),
            (Newline, "\n"),
            (Text, "\"ö\""),
            (Sign, "("),
            (Word, "a"),
            (Sign, ")"),
        ];
        assert_eq!(found, wanted);
    }
}

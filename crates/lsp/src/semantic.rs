//! Colours by meaning: which words are layers, functions, options.

use crate::document::Document;
use lsp_types::{SemanticToken, SemanticTokenType, SemanticTokensLegend};
use nnc_model::explain::DefinitionKind;
use nnc_syntax::{Head, Lexeme, LexemeKind};

/// The kinds of token, by their numbers.
const KINDS: [SemanticTokenType; 9] = [
    SemanticTokenType::KEYWORD,
    SemanticTokenType::CLASS,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::NUMBER,
    SemanticTokenType::STRING,
    SemanticTokenType::COMMENT,
    SemanticTokenType::OPERATOR,
];
const KEYWORD: u32 = 0;
const CLASS: u32 = 1;
const FUNCTION: u32 = 2;
const PARAMETER: u32 = 3;
const VARIABLE: u32 = 4;
const NUMBER: u32 = 5;
const STRING: u32 = 6;
const COMMENT: u32 = 7;
const OPERATOR: u32 = 8;

/// Words between the parts of an expression or a statement, and names with a fixed meaning.
pub const WORDS: [&str; 17] = [
    "and", "or", "in", "not", "if", "then", "else", "as", "of", "with", "when", "within", "stalls", "it",
    "yes", "no", "training",
];

/// The kinds of token.
pub fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: KINDS.to_vec(), token_modifiers: Vec::new() }
}

/// The tokens of a program.
pub fn semantic_tokens(document: &Document) -> Vec<SemanticToken> {
    let mut out = Vec::new();
    let (mut line, mut column) = (0, 0);
    let mut first = true;
    let mut depth = 0usize;
    for (at, piece) in document.pieces.iter().enumerate() {
        let words = document.words(piece.span);
        let kind = kind(document, at, piece, words, first);
        match (piece.kind, words) {
            (LexemeKind::Newline, _) => first |= depth == 0,
            (LexemeKind::Sign, ";" | "{" | "}") => first = true,
            (LexemeKind::Comment | LexemeKind::Doc, _) => {}
            (LexemeKind::Sign, "(" | "[") => (depth, first) = (depth + 1, false),
            (LexemeKind::Sign, ")" | "]") => (depth, first) = (depth.saturating_sub(1), false),
            _ => first = false,
        }
        let Some(kind) = kind else { continue };
        let range = document.text.range(piece.span);
        if range.start.line != range.end.line || range.start.character >= range.end.character {
            continue;
        }
        let delta = range.start.line - line;
        let start = if delta == 0 { range.start.character - column } else { range.start.character };
        out.push(SemanticToken {
            delta_line: delta,
            delta_start: start,
            length: range.end.character - range.start.character,
            token_type: kind,
            token_modifiers_bitset: 0,
        });
        (line, column) = (range.start.line, range.start.character);
    }
    out
}

fn kind(document: &Document, at: usize, piece: &Lexeme, words: &str, first: bool) -> Option<u32> {
    let next = || document.pieces.get(at + 1).map(|p| document.words(p.span));
    Some(match piece.kind {
        LexemeKind::Number => NUMBER,
        LexemeKind::Text => STRING,
        LexemeKind::Comment | LexemeKind::Doc => COMMENT,
        LexemeKind::Sign if matches!(words, "(" | ")" | "[" | "]" | "{" | "}" | "," | ";" | ".") => {
            return None;
        }
        LexemeKind::Sign => OPERATOR,
        LexemeKind::Newline | LexemeKind::Unreadable => return None,
        LexemeKind::Word if WORDS.contains(&words) => KEYWORD,
        LexemeKind::Word if first && Head::of(words).is_some() && next() != Some("=") => KEYWORD,
        LexemeKind::Word if !first && next() == Some("=") => PARAMETER,
        LexemeKind::Word => match document.definition(words).map(|d| d.kind) {
            Some(DefinitionKind::Layer) => CLASS,
            Some(DefinitionKind::Function | DefinitionKind::Optimizer | DefinitionKind::Initialiser) => {
                FUNCTION
            }
            None => VARIABLE,
        },
    })
}

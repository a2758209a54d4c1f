//! `shared name = chain`: weights that exist once, however often they are used.

use nnc_syntax::Span;
use nnc_syntax::ast::Chain;

/// A named chain; its weights are found again under its name.
#[derive(Debug)]
pub(crate) struct Shared {
    pub name: String,
    pub chain: Chain,
    pub span: Span,
}

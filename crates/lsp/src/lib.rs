//! A language server for `.nn` programs: what an editor asks while a program is being written.
//!
//! Everything that is answered is a function of a [`Document`] (a text, what is known of it) and a place in it; a
//! document is made without a server and without a process:
//!
//! ```
//! use nnc_lsp::{Document, Library, diagnostics, hints};
//!
//! let library = Library::new();
//! let mut document = Document::new("xor.nn", "data xor\ndense 8 tanh\ndense 1 sigmoid\nloss mse; optimizer adam\n", &library);
//! document.look(&mut nnc_train::DataCache::default());
//! assert!(diagnostics(&document, &|_| None).iter().all(|d| d.severity != Some(lsp_types::DiagnosticSeverity::ERROR)));
//! assert_eq!(hints(&document, 0..2).len(), 1);
//! ```
//!
//! [`serve`] is the thin loop around it that speaks the protocol over stdin and stdout.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "one asks of a node of the tree or a piece of a text whether it is of one kind"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod actions;
mod completion;
mod context;
mod diagnostics;
mod document;
mod hints;
mod hover;
mod library;
mod names;
mod prelude;
mod semantic;
mod server;
mod shift;
mod symbols;
mod text;
mod uri;

pub use actions::{actions, fix_all, format};
pub use completion::completion;
pub use diagnostics::diagnostics;
pub use document::{Document, Job, Seen};
pub use hints::hints;
pub use hover::hover;
pub use library::{Library, Pages};
pub use names::{Place, definition, highlights, prepare_rename, references, rename};
pub use semantic::{WORDS, legend, semantic_tokens};
pub use server::{capabilities, serve};
pub use symbols::symbols;
pub use text::Text;

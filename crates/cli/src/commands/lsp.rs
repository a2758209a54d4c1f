//! `nnc lsp`: a language server for editors.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::pages;
use clap::Args;
use nnc_lsp::{Pages, serve};
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;

/// Serve an editor: a language server on stdin and stdout
#[derive(Args, Debug)]
#[command(after_help = "\
An editor starts it; docs/editors.md says how, for VS Code, Neovim, Helix and Zed. It tells what `nnc check` tells while
a program is being written, and answers with shapes, meanings, names and remedies.")]
pub struct LspArgs {
    /// Speak through stdin and stdout, which is what it does anyway; some editors say so
    #[arg(long, hide = true)]
    pub stdio: bool,
}

impl Run for LspArgs {
    fn quiet(&self) -> bool {
        true
    }

    fn run(&self, _: &mut Output) -> Result<u8> {
        let statement = |word: &str| pages::statement(word).map(|page| page.markdown());
        serve(Pages { statement }).map(|()| 0).map_err(|e| {
            let d = Diagnostic::error(Code::N0701, format!("the editor cannot be served any more: {e}"));
            Failure::one(ProblemKind::Io, d.help("`nnc lsp` is started by an editor, which speaks to it"))
        })
    }
}

//! `nnc completions`: scripts that let a shell complete commands and options.

use crate::commands::{Cli, Run};
use crate::failure::Result;
use crate::output::Output;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// A script that completes commands and options in a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc completions bash > ~/.local/share/bash-completion/completions/nnc
  nnc completions zsh > ~/.zfunc/_nnc          with ~/.zfunc in fpath
  nnc completions fish > ~/.config/fish/completions/nnc.fish")]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

impl Run for CompletionsArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "nnc", &mut script);
        out.result(&String::from_utf8_lossy(&script))?;
        Ok(0)
    }
}

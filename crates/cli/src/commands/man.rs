//! `nnc man`: manual pages, made of the definitions of the arguments.

use crate::commands::{Cli, Run};
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;
use std::fs;
use std::path::PathBuf;

/// Manual pages
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc man | man -l -                     the page of nnc
  nnc man train | man -l -               that of a command
  nnc man --out ~/.local/share/man/man1  all of them, as files")]
pub struct ManArgs {
    /// The command; without one, nnc itself
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub command: Option<String>,
    /// Write a page for every command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Run for ManArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        let mut nnc = Cli::command().disable_help_subcommand(true);
        nnc.build();
        if let Some(folder) = &self.out {
            let told = |error: std::io::Error| {
                let message = format!("`{}` cannot be written: {error}", folder.display());
                Failure::one(ProblemKind::Io, Diagnostic::error(Code::N0703, message))
            };
            fs::create_dir_all(folder).map_err(told)?;
            for command in nnc.get_subcommands().chain([&nnc]) {
                let name = name(command);
                fs::write(folder.join(format!("{name}.1")), page(command)?).map_err(told)?;
                out.note(&folder.join(format!("{name}.1")).display().to_string());
            }
            return Ok(0);
        }
        let command = match &self.command {
            None => &nnc,
            Some(wanted) => nnc.find_subcommand(wanted).ok_or_else(|| {
                Failure::usage(format!("there is no command `{wanted}`"), "nnc --help lists the commands")
            })?,
        };
        out.result(&String::from_utf8_lossy(&page(command)?))?;
        Ok(0)
    }
}

/// `nnc-train`, or `nnc` itself.
fn name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_string()
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command.clone()).title(name(command)).render(&mut text)?;
    Ok(text)
}

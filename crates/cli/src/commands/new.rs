//! `nnc new`: a first program, with comments.

use crate::commands::Run;
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::Args;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::ProblemKind;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Write a first program, with comments
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  nnc new first && nnc train first.nn")]
pub struct NewArgs {
    /// The name of the program; NAME.nn is written, never over another file
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
}

/// The program; `NAME.nn` stands for its own name.
const PROGRAM: &str = include_str!("new.nn");

impl Run for NewArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        run(self, out)
    }
}

/// Writes the program, never over another file.
fn run(args: &NewArgs, out: &mut Output) -> Result<u8> {
    let path = with_ending(&args.name)?;
    let text = PROGRAM.replace("NAME.nn", &path.display().to_string());
    let opened = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    match written {
        Ok(()) => {
            out.result(&format!("{}\n", path.display()))?;
            out.note(&format!("train it: nnc train {}", path.display()));
            Ok(0)
        }
        Err(error) => Err(refused(&path, &error)),
    }
}

fn with_ending(name: &Path) -> Result<PathBuf> {
    let Some(last) = name.file_name().and_then(|n| n.to_str()) else {
        return Err(Failure::usage(format!("`{}` is no name", name.display()), "nnc new xor"));
    };
    if last.ends_with(".nn") {
        return Ok(name.to_path_buf());
    }
    Ok(name.with_file_name(format!("{last}.nn")))
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the system has many errors")]
fn refused(path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    let d = match error.kind() {
        ErrorKind::AlreadyExists => {
            Diagnostic::error(Code::N0704, format!("`{shown}` is already there; it stays as it is"))
                .help("choose another name, or move that file away")
        }
        ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path).display();
            Diagnostic::error(Code::N0704, format!("there is no folder `{folder}`"))
                .help(format!("mkdir -p {folder}"))
        }
        _ => Diagnostic::error(Code::N0704, format!("`{shown}` cannot be written: {error}")),
    };
    Failure::one(ProblemKind::Io, d)
}

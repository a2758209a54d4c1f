//! `nnc new`: a first program, with comments.

use crate::args::size;
use crate::commands::Run;
use crate::commands::fmt;
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::Args;
use nnc_model::library::layer_names;
use nnc_syntax::{Code, Diagnostic};
use nnc_train::{ProblemKind, first_program};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Write a first program, with comments
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc new first && nnc train first.nn
  nnc new titanic --data titanic.csv   roles, network, loss and metrics for a table, each with its reason")]
pub struct NewArgs {
    /// The name of the program; NAME.nn is written, never over another file
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// Write it for this table: what its columns are for is guessed, and said
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "data")]
    pub memory: Option<u64>,
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
    let text = match &args.data {
        None => PROGRAM.replace("NAME.nn", &path.display().to_string()),
        Some(data) => for_table(&path, data, args.memory)?,
    };
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

/// A program for a table, in the form of `nnc fmt`.
fn for_table(program: &Path, data: &str, memory: Option<u64>) -> Result<String> {
    if data == "-" {
        return Err(Failure::usage(
            "the program must name its data, and stdin has no name",
            "nnc new NAME --data table.csv",
        ));
    }
    if program.exists() {
        // Said before a large table is read for nothing.
        return Err(refused(program, &ErrorKind::AlreadyExists.into()));
    }
    let command = format!("nnc train {}", program.display());
    let text = first_program(&command, &beside(program, data), data, memory)?;
    fmt::formatted(&program.display().to_string(), &text, &layer_names())
}

/// A path as the program names it: from its own folder on.
fn beside(program: &Path, data: &str) -> String {
    let folder = program.parent().filter(|p| !p.as_os_str().is_empty());
    let (Some(folder), true) = (folder, Path::new(data).is_relative()) else { return data.to_string() };
    match Path::new(data).strip_prefix(folder) {
        Ok(rest) => rest.display().to_string(),
        Err(_) => std::path::absolute(data).map_or(data.to_string(), |p| p.display().to_string()),
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

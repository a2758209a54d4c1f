//! Running the binary.
#![allow(dead_code)]

pub mod browser;

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The repository's folder of programs.
pub fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs")
}

/// `nnc` in a folder of its own.
pub struct Place {
    dir: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// The result.
    pub out: String,
    /// The conversation.
    pub err: String,
}

impl Place {
    /// An empty folder.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Copies a program of the repository into it.
    pub fn spec(&self, name: &str) {
        std::fs::copy(specs().join(name), self.path(name)).unwrap();
    }

    /// Runs `nnc` there.
    pub fn nnc(&self, args: &[&str]) -> Ran {
        run(self.dir.path(), args, "")
    }

    /// Runs `nnc` there with something on stdin.
    pub fn nnc_with(&self, args: &[&str], stdin: &str) -> Ran {
        run(self.dir.path(), args, stdin)
    }
}

/// The command, with an environment that is the same everywhere.
pub fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nnc"));
    command.args(args).current_dir(dir).env_remove("NO_COLOR").env("TERM", "xterm-256color");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `nnc` in a folder.
pub fn run(dir: &Path, args: &[&str], stdin: &str) -> Ran {
    let mut child = command(dir, args).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // Whoever does not read stdin closes it.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    ran(child.wait_with_output().unwrap())
}

/// The streams as text.
pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// The result, where nothing went wrong.
    #[track_caller]
    pub fn fine(self) -> String {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self.out
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let out = self.fine();
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
    }
}

/// Columns of numbers between -1 and 1, and a target of them.
pub fn numbers(rows: usize, columns: usize) -> String {
    let mut state = 9u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    };
    let mut text: String = (0..columns).map(|i| format!("x{i},")).collect();
    text.push_str("y\n");
    for _ in 0..rows {
        let row: Vec<f64> = (0..columns).map(|_| (next() * 1e4).round() / 1e4).collect();
        let y = (row.iter().take(5).sum::<f64>().sin() > 0.0) as u8;
        row.iter().for_each(|x| write!(text, "{x},").unwrap());
        writeln!(text, "{y}").unwrap();
    }
    text
}

/// Files in a zip archive, not packed (PKWARE's APPNOTE, 4.3).
pub fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in files {
        let mut crc = flate2::Crc::new();
        crc.update(data);
        let at = out.len() as u32;
        let size = (data.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend(size);
        common.extend(size);
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.bytes());
        out.extend(data);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.bytes());
    }
    let (at, size, n) = (out.len() as u32, directory.len() as u32, files.len() as u16);
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend(n.to_le_bytes());
    out.extend(n.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

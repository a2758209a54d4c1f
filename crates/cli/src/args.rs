//! Arguments that several commands share, and how their values are read.

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use nnc_graph::DType;
use nnc_train::{Hosts, Parallel, XlaSettings};
use std::path::PathBuf;
use std::sync::Arc;

/// Which program, and what is changed in it.
#[derive(Args, Debug, Clone, Default)]
pub struct SpecArgs {
    /// The program, a .nn file; `-` reads it from stdin
    #[arg(value_name = "SPEC", required_unless_present = "text")]
    pub spec: Option<String>,
    /// The program itself, instead of a file
    #[arg(
        short = 'e',
        long = "program",
        value_name = "TEXT",
        conflicts_with = "spec",
        allow_hyphen_values = true
    )]
    pub text: Option<String>,
    /// Take the data from this file instead; `-` reads CSV from stdin
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// Give a `param` of the program a value
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Take the parameters of an `experiment` of the program
    #[arg(long = "as", value_name = "EXPERIMENT")]
    pub experiment: Option<String>,
    /// Samples in a step
    #[arg(long, value_name = "N", value_parser = positive)]
    pub batch: Option<u64>,
    /// The key of all random numbers
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
}

/// What a command takes of the machine.
#[derive(Args, Debug, Clone, Copy)]
pub struct MachineArgs {
    /// Threads; 0 takes as many as the machine has
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// The most memory to take, such as 512M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub memory: Option<u64>,
}

/// How the result of a training is written.
#[derive(Args, Debug, Clone, Copy)]
pub struct ResultArgs {
    /// Print one JSON object at the end
    #[arg(long)]
    pub json: bool,
    /// Print a JSON object for the start, for every epoch, and for the end, one a line
    #[arg(long, conflicts_with = "json")]
    pub json_lines: bool,
    /// Write the figures of every epoch for TensorBoard, into the folder of the run
    #[arg(long)]
    pub tensorboard: bool,
    /// Do not write a page about the run into its folder
    #[arg(long)]
    pub no_report: bool,
    /// Say every epoch
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print the result only, in one line
    #[arg(short, long)]
    pub quiet: bool,
}

/// Which trained network, and with what data.
#[derive(Args, Debug, Clone)]
pub struct TargetArgs {
    /// A run's folder, a .safetensors file, or a program (its newest run)
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Take the data from this file instead; `-` reads CSV from stdin
    #[arg(long, value_name = "FILE")]
    pub data: Option<String>,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Engine {
    /// All threads of the processor
    #[default]
    Cpu,
    /// The meaning of every operation, slowly and in double precision, to compare with
    Reference,
    /// The devices of JAX: processors, GPUs, TPUs
    Xla,
}

impl Engine {
    /// As the trainer calls it, with nothing else asked for.
    pub fn plain(self) -> nnc_train::Engine {
        match self {
            Engine::Cpu => nnc_train::Engine::Cpu,
            Engine::Reference => nnc_train::Engine::Reference,
            Engine::Xla => nnc_train::Engine::Xla(Arc::default()),
        }
    }
}

/// What computes, and on which devices.
#[derive(Args, Debug, Clone, Default)]
pub struct EngineArgs {
    /// What computes
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub engine: Engine,
    /// xla: how many devices of this machine; all that JAX has where not given
    #[arg(long, value_name = "N", value_parser = count)]
    pub devices: Option<usize>,
    /// xla: how they share the work: dp (samples), fsdp (samples and weights), or numbers such as dp=4,tp=2
    #[arg(long, value_name = "HOW")]
    pub parallel: Option<Parallel>,
    /// xla: the Python that has JAX; NNC_PYTHON, or python3, where not given
    #[arg(long, value_name = "FILE")]
    pub python: Option<PathBuf>,
    /// xla: of several machines, the address of the first, such as 10.0.0.1:1234
    #[arg(long, value_name = "HOST:PORT", requires_all = ["hosts", "host_id"])]
    pub coordinator: Option<String>,
    /// xla: how many machines
    #[arg(long, value_name = "N", value_parser = count, requires = "coordinator")]
    pub hosts: Option<usize>,
    /// xla: which of them this is, from 0
    #[arg(long, value_name = "I", requires = "coordinator")]
    pub host_id: Option<usize>,
}

impl EngineArgs {
    /// As the trainer calls it.
    ///
    /// # Errors
    /// Something is asked for that this engine has not.
    pub fn chosen(&self) -> Result<nnc_train::Engine, Failure> {
        let only_xla = [
            ("--devices", self.devices.is_some()),
            ("--parallel", self.parallel.is_some()),
            ("--python", self.python.is_some()),
            ("--coordinator", self.coordinator.is_some()),
        ];
        if let Some((name, _)) = only_xla.iter().find(|(_, given)| *given && self.engine != Engine::Xla) {
            return Err(Failure::usage(format!("{name} is a matter of the engine xla"), "--engine xla"));
        }
        let hosts = match (&self.coordinator, self.hosts, self.host_id) {
            (Some(coordinator), Some(count), Some(id)) if id < count => {
                Some(Hosts { coordinator: coordinator.clone(), count, id })
            }
            (Some(_), Some(count), Some(id)) => {
                let message = format!("--host-id {id} of {count} machines: they count from 0");
                return Err(Failure::usage(message, format!("--host-id 0 to {}", count - 1)));
            }
            _ => None,
        };
        Ok(match self.engine {
            Engine::Cpu | Engine::Reference => self.engine.plain(),
            Engine::Xla => nnc_train::Engine::Xla(Arc::new(XlaSettings {
                python: self.python.clone(),
                devices: self.devices,
                parallel: self.parallel.unwrap_or_default(),
                hosts,
            })),
        })
    }

    /// Whether this is one of several machines, and not the first: that one tells what comes of the run, and keeps it.
    pub fn is_follower(&self) -> bool {
        self.host_id.is_some_and(|id| id > 0)
    }
}

/// How exact numbers are.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// Single precision, about 7 digits
    #[default]
    F32,
    /// Double precision, about 16 digits
    F64,
}

impl Precision {
    /// The type of floats.
    pub fn dtype(self) -> DType {
        match self {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        }
    }
}

/// `NAME=VALUE`.
pub fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_string(), value.trim().to_string()))
        }
        _ => Err("a name and a value: --set hidden=32".into()),
    }
}

/// A whole number from 1 on, digits grouped by `_` or not.
pub fn positive(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    match digits.parse::<u64>() {
        Ok(n) if n > 0 => Ok(n),
        Ok(_) => Err("1 or more".into()),
        Err(_) => Err("a whole number, 1 or more".into()),
    }
}

/// How many, from 1 on.
pub fn count(text: &str) -> Result<usize, String> {
    positive(text).and_then(|n| usize::try_from(n).map_err(|_| "fewer".into()))
}

/// Bytes: `1073741824`, `512M`, `1.5GiB`. Units are powers of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size such as 512M or 2G".to_string();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let number: f64 = text[..end].replace('_', "").parse().map_err(|_| wrong())?;
    let unit = text[end..].trim().to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(wrong()),
    };
    let bytes = number * 1024f64.powi(power);
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("1024"), Ok(1024));
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("1.5GiB"), Ok(3 << 29));
        assert_eq!(size("2 gb"), Ok(2 << 30));
        for wrong in ["", "M", "0", "-1", "1X", "1e40T", "1.2.3", "inf"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    /// `NAME=VALUE`.
    pub fn assignments_are_read() {
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(assignment("a").is_err() && assignment("=b").is_err() && assignment("a=").is_err());
    }
}

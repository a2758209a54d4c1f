//! `nnc serve`: a trained network as a server.

use crate::args::{MachineArgs, positive, size};
use crate::commands::Run;
use crate::failure::Result;
use crate::output::Output;
use crate::serve::{Limits, Settings, serve};
use clap::Args;
use nnc_train::{InferOptions, open_model};
use std::path::PathBuf;
use std::time::Duration;

/// A trained network as a server that answers over HTTP
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  nnc serve runs/iris/1 --port 8080
  curl -s localhost:8080/predict -H 'Content-Type: application/json' \\
    -d '{\"rows\": [{\"length\": 5.1, \"width\": 3.5}]}'
  curl -s localhost:8080/predict -H 'Content-Type: text/csv' --data-binary @new.csv

The first line of stdout is its address. POST /predict answers rows, as JSON or CSV;
GET / shows the columns, /health and /metrics (Prometheus) are for machines. It
answers this machine only, unless --host says otherwise; docs/serve.md has the rest.")]
pub struct ServeArgs {
    /// A run's folder, a .safetensors file, or a program (its newest run)
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,
    /// Where to listen; 0 takes any port that is free
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// Who may ask: the address to listen at, 0.0.0.0 for every one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: String,
    /// What it takes of the machine.
    #[command(flatten)]
    pub machine: MachineArgs,
    /// The largest request
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "8M")]
    pub max_body: u64,
    /// The most rows in a request
    #[arg(long, value_name = "N", value_parser = positive, default_value = "10000")]
    pub max_rows: u64,
    /// The most requests at once
    #[arg(long, value_name = "N", value_parser = positive, default_value = "256")]
    pub max_requests: u64,
    /// The longest time in which a request has to come, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600), default_value_t = 10)]
    pub timeout: u64,
    /// The longest time that a request waits for others to share a batch with, in milliseconds
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(0..=1000), default_value_t = 1)]
    pub gather: u64,
}

impl Run for ServeArgs {
    fn run(&self, out: &mut Output) -> Result<u8> {
        let trained = open_model(&self.target)?;
        let machine = self.machine;
        let options = InferOptions { data: None, threads: machine.threads, memory_limit: machine.memory };
        let few = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let body = few(self.max_body);
        let settings = Settings {
            host: self.host.clone(),
            port: self.port,
            limits: Limits {
                body,
                time: Duration::from_secs(self.timeout),
                all: body.saturating_mul(8).max(256 << 20),
            },
            rows: few(self.max_rows),
            requests: few(self.max_requests),
            window: Duration::from_millis(self.gather),
        };
        serve(&trained, &options, &settings, out)
    }
}

//! What is asked of JAX.

use serde_json::{Value, json};
use std::path::PathBuf;
use std::str::FromStr;

/// Which devices, and how a run is spread over them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The Python whose JAX is used; `NNC_PYTHON`, or `python3`, where not given.
    pub python: Option<PathBuf>,
    /// Devices of this machine; all where not given.
    pub devices: Option<usize>,
    /// How they share the work.
    pub parallel: Parallel,
    /// The machines of the run, where it is several.
    pub hosts: Option<Hosts>,
}

/// How devices share the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parallel {
    /// Groups of devices that share the samples of a batch; what is left of the devices where not given.
    pub dp: Option<usize>,
    /// Devices that share the last axis of every weight.
    pub tp: usize,
    /// Whether the groups share the weights too, so that each keeps only its part.
    pub fsdp: bool,
}

impl Default for Parallel {
    fn default() -> Self {
        Self { dp: None, tp: 1, fsdp: false }
    }
}

impl FromStr for Parallel {
    type Err = String;

    /// `dp`, `fsdp`, or numbers: `dp=4,tp=2`, `fsdp=2,tp=2`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "dp, fsdp, or numbers of devices: dp=4,tp=2".to_string();
        let mut out = Self::default();
        for part in text.split(',') {
            let (name, count) = match part.split_once('=') {
                Some((name, n)) => (name, Some(n.trim().parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?)),
                None => (part, None),
            };
            match (name.trim(), count) {
                ("dp", n) => out.dp = n,
                ("fsdp", n) => (out.dp, out.fsdp) = (n, true),
                ("tp", Some(n)) => out.tp = n,
                _ => return Err(wrong()),
            }
        }
        Ok(out)
    }
}

/// The machines of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosts {
    /// The address that all of them reach: `10.0.0.1:1234`, of the machine with number 0.
    pub coordinator: String,
    /// How many there are.
    pub count: usize,
    /// The number of this one, from 0.
    pub id: usize,
}

impl Settings {
    /// As the worker is told.
    pub(crate) fn json(&self) -> Value {
        let hosts =
            self.hosts.as_ref().map(|h| json!({"coordinator": h.coordinator, "count": h.count, "id": h.id}));
        let cpu = std::env::var("JAX_PLATFORMS").is_ok_and(|p| p.split(',').next() == Some("cpu"));
        json!({
            "devices": self.devices.unwrap_or(0),
            "dp": self.parallel.dp.unwrap_or(0),
            "tp": self.parallel.tp,
            "fsdp": self.parallel.fsdp,
            "hosts": hosts,
            "platform_is_cpu": cpu,
            "verbose": std::env::var_os("NNC_XLA_VERBOSE").is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_of_sharing() {
        let read = |t: &str| t.parse::<Parallel>();
        assert_eq!(read("dp"), Ok(Parallel::default()));
        assert_eq!(read("fsdp"), Ok(Parallel { fsdp: true, ..Parallel::default() }));
        assert_eq!(read("dp=4,tp=2"), Ok(Parallel { dp: Some(4), tp: 2, fsdp: false }));
        for wrong in ["", "pp", "dp=0", "tp", "dp=x", "dp=2,pp=2"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

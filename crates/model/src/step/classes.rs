//! Which ports of whole numbers a program takes for classes.

use crate::declarations::data::{Domain, Ports};
use crate::program::spec::Spec;
use crate::step::build::Options;

impl Spec {
    /// The ports of whole numbers that the program takes for classes: what it embeds, makes one-hot, compares with
    /// classes, or asks for their number.
    pub fn wants_classes(&self, ports: &Ports) -> Vec<String> {
        let mut ports = ports.clone();
        let mut out = Vec::new();
        loop {
            let mut run = self.run(&ports, &Options::default(), true, 0);
            if !run.e.session.failed() {
                let _ = self.build_training(&mut run);
            }
            let Some(name) = run.e.results.classes_wanted.take() else { return out };
            let whole = |d: &Domain| d.whole && d.low >= 0.0 && d.high < 65536.0 || d.bytes;
            let Some(domain) = ports.domains.get(&name).copied().filter(whole) else { return out };
            let mut all = ports.inputs.iter_mut().chain(&mut ports.targets);
            let Some(port) = all.find(|p| p.name == name && p.classes.is_none()) else { return out };
            // The bytes of a picture come as shares of 255, and with an axis for the channel.
            let scale = if domain.whole { 1.0 } else { 255.0 };
            if !domain.whole && port.shape.last() == Some(&1) {
                port.shape.pop();
            }
            port.classes =
                Some((0..=(domain.high * scale).round() as usize).map(|k| k.to_string()).collect());
            out.push(name);
        }
    }
}

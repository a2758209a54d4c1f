//! How long a table takes from the file to encoded rows, and with `--copy` to one matrix of them.
//!
//! `cargo run --release -p nnc-data --example read -- FILE TARGET [--copy] [--memory BYTES]`

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::Instant;

use nnc_data::{DataSpec, Limits, PortId, Role, RoleSpec, Scaling, SourceSpec, open_with};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, target, more @ ..] = args.as_slice() else {
        println!("read FILE TARGET [--copy] [--memory BYTES]");
        return;
    };
    let memory = more.iter().skip_while(|a| *a != "--memory").nth(1).and_then(|m| m.parse().ok());
    let limits = memory.map_or(Limits::default(), |memory| Limits { memory });
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Target, [target.as_str()]),
            RoleSpec::rest(Role::Input).scaled(Scaling::Standardize),
        ],
        ..DataSpec::new(SourceSpec::csv(path))
    };
    let begin = Instant::now();
    let data = match open_with(&spec, &limits) {
        Ok(data) => data,
        Err(faults) => {
            faults.iter().for_each(|f| println!("{f}"));
            std::process::exit(2);
        }
    };
    let opened = begin.elapsed();
    let input = PortId::Input(0);
    let (rows, width) = (data.train.len(), data.train.width(input).unwrap());
    let mut sum = 0.0;
    if more.iter().any(|a| a == "--copy") {
        let all: Vec<u32> = (0..rows as u32).collect();
        let mut matrix = vec![0f32; rows * width];
        data.train.gather_f32(input, &all, &mut matrix).unwrap();
        sum = matrix.iter().step_by(997).sum();
    }
    let whole = begin.elapsed();
    println!(
        "{rows} rows of {width}: {:.3} s to encoded rows, {:.3} s to a matrix ({sum})",
        opened.as_secs_f64(),
        whole.as_secs_f64()
    );
}
